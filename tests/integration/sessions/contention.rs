//! Concurrent updates of one field: in one process, in several processes, on parked runtimes, and
//! as HTTP responses.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use futures::future::{join_all, poll_immediate};
use reqwest::Client;
use reqwest::header::COOKIE;
use session_runtime::testing::{Browser, FailingStore, Failure};
use session_runtime::{Error, MemoryStore, Session, SessionConfig, SessionId, Sessions};
use session_tests::cookies::SECRET;
use session_tests::server::RedisServer;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;

#[derive(Debug, Session)]
struct Visitor {
    count: u64,
    other: u64,
}

/// Longer than any operation here takes on a busy machine.
const AMPLE: Duration = Duration::from_secs(60);
const AT_ONCE: u64 = 100;

async fn connect(url: &str) -> Sessions {
    Sessions::new(config().store(url).timeout(AMPLE)).await.unwrap()
}

fn config() -> SessionConfig {
    SessionConfig::new().secret(SECRET)
}

/// Sends this many concurrent requests that each count one.
async fn update_at_once(sessions: &Sessions, id: SessionId, requests: u64) {
    let updates = (0..requests).map(|_| {
        let session: Session<Visitor> = sessions.open_id(&id);
        tokio::spawn(async move { session.count().update(|count| count + 1).await.unwrap() })
    });
    for done in join_all(updates).await {
        done.unwrap();
    }
}

/// Updates in the same process do not compete. After the first tries, each takes only one more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_of_one_process_take_turns() {
    let server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    let session: Session<Visitor> = sessions.create().await.unwrap();
    let before = server.counts();
    update_at_once(&sessions, session.session_id().unwrap(), AT_ONCE).await;
    assert_eq!(session.count().await.unwrap(), AT_ONCE);
    let tries = (server.counts() - before).calls("evalsha");
    assert!((AT_ONCE..4 * AT_ONCE).contains(&tries), "{tries} tries");

    // No trace remains: an undisturbed update takes two round trips.
    let before = server.counts();
    session.count().update(|count| count + 1).await.unwrap();
    let counts = server.counts() - before;
    assert_eq!((counts.calls("hget"), counts.calls("evalsha")), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_of_all_runtimes_of_a_process_take_turns() {
    let server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    let session: Session<Visitor> = sessions.create().await.unwrap();
    let id = session.session_id().unwrap();
    let before = server.counts();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    update_at_once(&sessions.for_current_runtime(), id, AT_ONCE / 4).await
                });
            });
        }
    });
    assert_eq!(session.count().await.unwrap(), AT_ONCE);
    let tries = (server.counts() - before).calls("evalsha");
    assert!((AT_ONCE..4 * AT_ONCE).contains(&tries), "{tries} tries");
}

/// The URL and the session for a process of [`updates_of_several_processes_all_succeed`].
const WORKS_ON: &str = "SESSION_TESTS_UPDATES_WORK_ON";
const PROCESSES: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_of_several_processes_all_succeed() {
    if let Ok(work) = std::env::var(WORKS_ON) {
        return work_on(&work).await;
    }
    let server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    let session: Session<Visitor> = sessions.create().await.unwrap();
    let work = format!("{} {}", server.url(), session.session_id().unwrap().expose_secret());
    let before = server.counts();
    let mut processes: Vec<_> = (0..PROCESSES).map(|_| start_process(&work)).collect();
    for process in &mut processes {
        let mut lines =
            BufReader::new(process.stdout.as_mut().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.ends_with(READY)));
    }
    for process in &mut processes {
        process.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    }
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    assert_eq!(session.count().await.unwrap(), PROCESSES * AT_ONCE);
    // Mostly, one try of each process at a time.
    let tries = (server.counts() - before).calls("evalsha");
    assert!(tries < 4 * PROCESSES * PROCESSES * AT_ONCE, "{tries} tries");
}

const READY: &str = "ready";

fn start_process(work: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "contention::updates_of_several_processes_all_succeed", "--nocapture"])
        .env(WORKS_ON, work)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Starts on a line of input, or when the test process has ended.
async fn work_on(work: &str) {
    let (url, id) = work.split_once(' ').unwrap();
    let sessions = connect(url).await;
    println!("\n{READY}");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    update_at_once(&sessions, id.parse().unwrap(), AT_ONCE).await;
}

/// No update waits for a cancelled request, at whatever point it was cancelled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_updates_do_not_delay_others() {
    let server = RedisServer::start();
    let sessions = connect(&server.url()).await;
    let session: Session<Visitor> = sessions.create().await.unwrap();
    let id = session.session_id().unwrap();
    let dropped: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let session: Session<Visitor> = sessions.open_id(&id);
            tokio::spawn(async move { session.count().update(|count| count + 1).await })
        })
        .collect();
    let others = tokio::spawn(async move {
        update_at_once(&sessions, id, AT_ONCE).await;
    });
    for (at, update) in dropped.iter().enumerate() {
        if at % 3 == 0 {
            tokio::task::yield_now().await;
        }
        update.abort();
    }
    others.await.unwrap();
    let count = session.count().await.unwrap();
    assert!((AT_ONCE..=2 * AT_ONCE).contains(&count), "{count}");
}

/// An update in its turn stops being polled, and so do some updates that wait behind. The others
/// continue, long before the deadline.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_on_a_parked_runtime_do_not_delay_others() {
    let server = RedisServer::start();
    let sessions =
        Sessions::new(config().store(server.url()).timeout(Duration::from_secs(20))).await.unwrap();
    let session: Session<Visitor> = sessions.create().await.unwrap();
    let id = session.session_id().unwrap();

    let [holder, interfering]: [Session<Visitor>; 2] =
        std::array::from_fn(|_| sessions.open_id(&id));
    let silent: [Session<Visitor>; 10] = std::array::from_fn(|_| sessions.open_id(&id));
    let (polled, has_turn, tries) = (Handle::current(), Notify::new(), AtomicU32::new(0));
    let interfere = || polled.block_on(async { interfering.count().incr(1).await.unwrap() });
    thread::scope(|scope| {
        scope.spawn(|| {
            let parked = Builder::new_current_thread().enable_all().build().unwrap();
            let mut holding = holder.count().update(|count| {
                match tries.fetch_add(1, Ordering::Relaxed) {
                    // The first try is lost. From the second try on, updates queue.
                    0 => drop(thread::scope(|scope| scope.spawn(interfere).join().unwrap())),
                    // No reply arrives before the runtime is parked.
                    _ => {
                        server.pause();
                        has_turn.notify_one();
                    }
                }
                count + 1000
            });
            parked.block_on(async {
                tokio::select! {
                    biased;
                    () = has_turn.notified() => {}
                    done = &mut holding => panic!("it came to {done:?} before its runtime was parked"),
                }
            });
            let mut waiting: Vec<_> =
                silent.iter().map(|session| session.count().update(|count| count + 1000)).collect();
            parked.block_on(async {
                for update in &mut waiting {
                    assert!(poll_immediate(update).await.is_none());
                }
            });
            server.resume();
            polled.block_on(update_at_once(&sessions, id, 20));
        });
    });
    let count = session.count().await.unwrap();
    assert_eq!(count % 1000, 21, "{count}: all that were polled");
}

/// On every framework, with the header that tells the client to retry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contention_is_a_503_with_retry_after() {
    let store = FailingStore::new(MemoryStore::new());
    let sessions = Sessions::with_store(config(), store.clone()).unwrap();
    let mut browser = Browser::new(&sessions);
    browser.visit(async |session: Session<Visitor>| session.set_other(0).await).await.unwrap();
    let ask = async |url: String| {
        Client::new().get(url).header(COOKIE, browser.cookie().unwrap()).send().await.unwrap()
    };
    store.fail(Failure::Contended);
    for base in [on_axum(&sessions).await, on_poem(&sessions).await, on_actix(&sessions).await] {
        let contended = ask(format!("{base}/")).await;
        assert_eq!(contended.status(), 503);
        assert_eq!(contended.headers()["retry-after"], "1");
        assert_eq!(contended.text().await.unwrap(), "Service Unavailable");
        let other = ask(format!("{base}/other")).await;
        assert_eq!((other.status().as_u16(), other.headers().get("retry-after")), (500, None));
    }
}

async fn count(session: Session<Visitor>) -> Result<String, Error> {
    Ok(session.count().update(|count| count + 1).await?.to_string())
}

/// A handler that fails with another error.
async fn count_down(session: Session<Visitor>) -> Result<String, Error> {
    Ok(session.count().decr(1).await?.to_string())
}

async fn on_axum(sessions: &Sessions) -> String {
    let (listener, base) = listen().await;
    let routes = axum::Router::new()
        .route("/", axum::routing::get(count))
        .route("/other", axum::routing::get(count_down))
        .layer(sessions.layer());
    tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
    base
}

async fn on_poem(sessions: &Sessions) -> String {
    use poem::{EndpointExt as _, Route, Server, get, handler, listener::TcpAcceptor};

    #[handler]
    async fn counted(session: Session<Visitor>) -> Result<String, Error> {
        count(session).await
    }

    #[handler]
    async fn counted_down(session: Session<Visitor>) -> Result<String, Error> {
        count_down(session).await
    }

    let (listener, base) = listen().await;
    let routes =
        Route::new().at("/", get(counted)).at("/other", get(counted_down)).with(sessions.layer());
    tokio::spawn(Server::new_with_acceptor(TcpAcceptor::from_tokio(listener).unwrap()).run(routes));
    base
}

async fn on_actix(sessions: &Sessions) -> String {
    use actix_web::{App, HttpServer, rt::System, web};

    let (listener, base) = listen().await;
    let (listener, sessions) = (listener.into_std().unwrap(), sessions.clone());
    thread::spawn(move || {
        let app = move || {
            App::new()
                .route("/", web::get().to(count))
                .route("/other", web::get().to(count_down))
                .wrap(sessions.middleware())
        };
        System::new().block_on(HttpServer::new(app).workers(1).listen(listener).unwrap().run())
    });
    base
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    (listener, base)
}
