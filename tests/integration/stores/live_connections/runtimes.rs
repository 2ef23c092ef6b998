//! Runtimes that are parked, and a process that stands still.

use std::env;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use session_runtime::{EndReason, SessionId, Sessions};
use session_tests::program::Program;
use session_tests::server::RedisServer;
use session_tests::until;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{
    SECOND, Visitor, Waiter, assert_ends_are_noticed, begin, connect, connect_another,
    connect_without_trust, end, key_of, look_again, wait_for_each,
};

/// The runtime of the connection is parked once the sessions are watched.
#[test]
fn an_end_is_noticed_within_the_interval_despite_a_parked_runtime() {
    let server = Arc::new(RedisServer::start());
    let (parked, running) = (single_threaded(), multi_threaded());
    let own = parked.block_on(connect_without_trust(&server.url()));
    let another = running.block_on(connect_another(&server.url()));
    let ids = running.block_on(begin(&another, 5));
    let waiters = parked.block_on(wait_on(&running, own, &server, ids)).unwrap();
    running.block_on(assert_ends_are_noticed(waiters, &*server, &another));
}

/// Each runtime has its own connection. The waiters on the parked runtime go on when it does.
#[test]
fn a_parked_runtime_with_its_own_connection_delays_no_others() {
    let server = Arc::new(RedisServer::start());
    let (parked, own, running) = (single_threaded(), single_threaded(), multi_threaded());
    let sessions = running.block_on(connect_without_trust(&server.url()));
    let another = running.block_on(connect_another(&server.url()));
    let ids = || running.block_on(begin(&another, 5));
    let (of_parked, of_own, of_running) = (ids(), ids(), ids());
    let on_own_connection = |runtime: &Runtime, ids| {
        runtime
            .block_on(async { wait_for_each(&sessions.for_current_runtime(), &*server, ids).await })
    };
    let of_parked = on_own_connection(&parked, of_parked);
    let of_own = on_own_connection(&own, of_own);
    let of_running = parked.block_on(async {
        wait_on(&running, sessions.for_current_runtime(), &server, of_running).await.unwrap()
    });
    running.block_on(assert_ends_are_noticed(of_running, &*server, &another));
    own.block_on(assert_ends_are_noticed(of_own, &*server, &another));
    parked.block_on(assert_ends_are_noticed(of_parked, &*server, &another));
}

/// Returns a runtime that makes progress only in `block_on`.
fn single_threaded() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_threaded() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Waits for the end of each session on this runtime, whose connections may be of another.
fn wait_on(
    runtime: &Runtime,
    sessions: Sessions,
    server: &Arc<RedisServer>,
    ids: Vec<SessionId>,
) -> JoinHandle<Vec<Waiter>> {
    let server = Arc::clone(server);
    let handle = runtime.handle().clone();
    runtime.spawn_blocking(move || handle.block_on(wait_for_each(&sessions, &*server, ids)))
}

/// As on a laptop after sleep. The connection may have ended meanwhile.
#[test]
fn an_end_while_the_process_stands_still_is_noticed_afterwards() {
    const SESSIONS: &str = "SESSION_TESTS_WAIT_FOR_THE_END";
    let runtime = multi_threaded();
    if let Ok(sessions) = env::var(SESSIONS) {
        return runtime.block_on(wait_as_a_program(&sessions));
    }
    for is_cut in [false, true] {
        let server = RedisServer::start();
        let another = runtime.block_on(connect_another(&server.url()));
        let ids = runtime.block_on(begin(&another, 2));
        let looks = server.counts().calls("client|caching");
        let mut program = Program::start(
            Command::new(env::current_exe().unwrap())
                .args(["--exact", &name_of_test(), "--nocapture"])
                .env(
                    SESSIONS,
                    [&server.url(), ids[0].expose_secret(), ids[1].expose_secret()].join(" "),
                ),
        );
        runtime.block_on(until("the look of the start, and one at each session", async || {
            server.counts().calls("client|caching") >= looks + 3
        }));
        program.pause();
        if is_cut {
            let _: i64 = server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
        }
        thread::sleep(3 * SECOND);
        runtime.block_on(end(&another, &server, &ids[0], EndReason::LoggedOut));
        program.resume();
        assert_eq!(program.line_after("the first ended: "), "LoggedOut");
        runtime.block_on(look_again(&server, &key_of(&ids[1])));
        runtime.block_on(end(&another, &server, &ids[1], EndReason::EndedElsewhere));
        assert_eq!(program.line_after("the second ended: "), "EndedElsewhere");
    }
}

fn name_of_test() -> String {
    thread::current().name().unwrap().to_owned()
}

/// Prints the ends of two sessions: `URL ID ID`.
async fn wait_as_a_program(sessions: &str) {
    let [url, first, second] = sessions.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let sessions = connect(url).await;
    let wait = async |name: &str, id: &str| {
        let ended = sessions.open_id::<Visitor>(&id.parse().unwrap()).ended();
        let reason = timeout(30 * SECOND, ended).await.expect("the end is noticed");
        println!("\nthe {name} ended: {reason:?}");
    };
    tokio::join!(wait("first", first), wait("second", second));
}
