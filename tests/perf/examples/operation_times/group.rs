//! Operations that are measured in turn.

use std::hint::black_box;
use std::rc::Rc;

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;

/// Operations to compare.
pub(crate) struct Group {
    pub(crate) title: String,
    /// The first operation is from session-runtime.
    pub(crate) cases: Vec<Case>,
}

/// A single operation.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    run: Box<dyn FnMut(u32) -> Nanoseconds>,
}

/// Wall-clock time, and CPU time of this thread.
///
/// CPU time leaves out the wait for the server, and for other programs on a busy machine.
pub(crate) type Nanoseconds = [f64; 2];

impl Group {
    pub(crate) fn new(title: impl Into<String>, cases: impl IntoIterator<Item = Case>) -> Self {
        Self { title: title.into(), cases: cases.into_iter().collect() }
    }
}

impl Case {
    pub(crate) fn new<T>(
        name: &'static str,
        runtime: &Rc<Runtime>,
        mut operation: impl AsyncFnMut() -> T + 'static,
    ) -> Self {
        let runtime = Rc::clone(runtime);
        let run = move |times| {
            runtime.block_on(async {
                let before = now();
                for _ in 0..times {
                    black_box(operation().await);
                }
                since(before)
            })
        };
        Self { name, run: Box::new(run) }
    }

    /// An operation that consumes an input. The creation of the input is not measured.
    pub(crate) fn on<I: 'static, T>(
        name: &'static str,
        make: impl Fn() -> I + 'static,
        operation: impl Fn(I) -> T + 'static,
    ) -> Self {
        let run = move |times| {
            let inputs: Vec<_> = (0..times).map(|_| make()).collect();
            let before = now();
            for input in inputs {
                black_box(operation(black_box(input)));
            }
            since(before)
        };
        Self { name, run: Box::new(run) }
    }

    /// Runs the operation this many times, and returns the time of one run.
    pub(crate) fn run(&mut self, times: u32) -> Nanoseconds {
        (self.run)(times).map(|time| time / f64::from(times))
    }
}

fn now() -> Nanoseconds {
    [ClockId::Monotonic, ClockId::ThreadCPUTime].map(|clock| {
        let now = clock_gettime(clock);
        (now.tv_sec * 1_000_000_000 + now.tv_nsec) as f64
    })
}

fn since(before: Nanoseconds) -> Nanoseconds {
    let now = now();
    [now[0] - before[0], now[1] - before[1]]
}
