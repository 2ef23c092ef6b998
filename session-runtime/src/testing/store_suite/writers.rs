//! Writers on separate threads, while something happens to their session.

use std::future::Future;
use std::sync::Barrier;
use std::thread;

use tokio::runtime::Handle;

use super::support::*;

const WRITERS: usize = 16;
/// More writes than any store can carry out before the writer stops.
const ENDLESSLY: usize = 100_000;

/// The replies to a writer.
#[derive(Debug)]
pub(super) struct Written {
    /// The fields that the writer set, each confirmed by the store.
    pub(super) fields: Vec<String>,
    /// The reply that stopped the writer.
    pub(super) stopped_by: Lookup<u64>,
}

/// Runs sixteen threads that set fields until there is no session. Half of the threads use writes
/// that may create a session. `act` starts after each thread has written once.
pub(super) fn beside_writers<T: Send>(
    store: &dyn SessionStore,
    key: &SessionKey,
    act: impl Future<Output = T> + Send,
) -> (Vec<Written>, T) {
    let runtime = Handle::current();
    let all_write = Barrier::new(WRITERS + 1);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (runtime, all_write) = (&runtime, &all_write);
                scope.spawn(move || runtime.block_on(write_on(store, key, writer, all_write)))
            })
            .collect();
        all_write.wait();
        // Also on a thread, because the test's thread is inside the runtime and must not block on a
        // future.
        let done = scope.spawn(|| runtime.block_on(act)).join().unwrap();
        (writers.into_iter().map(|writer| writer.join().unwrap()).collect(), done)
    })
}

async fn write_on(
    store: &dyn SessionStore,
    key: &SessionKey,
    writer: usize,
    all_write: &Barrier,
) -> Written {
    let mode = if writer.is_multiple_of(2) { WriteMode::Existing } else { WriteMode::Create };
    let mut fields = Vec::new();
    for at in 0..ENDLESSLY {
        let field = format!("writer {writer} field {at}");
        let report = store
            .write(
                key,
                Write { mode, changes: &[set(&field, &field)], expires_in: HOUR, index: None },
            )
            .await
            .unwrap();
        if at == 0 {
            all_write.wait();
        }
        match report {
            Lookup::Found(_) => fields.push(field),
            stopped_by => return Written { fields, stopped_by },
        }
    }
    panic!("writer {writer} was never stopped");
}
