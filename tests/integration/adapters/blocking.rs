//! Sessions without `async`, and the errors of `wait` on threads that must not wait.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc;
use std::thread;

use actix_web::rt::System;
use actix_web::{App, HttpServer, web};
use session_runtime::testing::{FailingStore, Failure};
use session_runtime::{Error, MemoryStore, RedisStore, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::server::RedisServer;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{LocalSet, block_in_place, coop, spawn_blocking, unconstrained};

#[derive(Debug, Session)]
struct Visitor {
    count: u64,
    name: String,
    age: Option<u32>,
}

fn config(store: &str) -> SessionConfig {
    SessionConfig::new().secret(SECRET).store(store)
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Sends requests one after another, as a browser does.
fn use_it(sessions: &Sessions) {
    let handle = sessions.open([]);
    let session: Session<Visitor> = handle.session();
    assert_eq!(session.count().wait().unwrap(), 0);
    session.set_count(1).wait().unwrap();
    session.write().set(session.name(), "Ada").set(session.age(), 36).commit().wait().unwrap();
    let cookie = handle.finish().set_cookie().unwrap().split(';').next().unwrap().to_owned();

    let handle = sessions.open([cookie.as_bytes()]);
    let session: Session<Visitor> = handle.session();
    assert_eq!(session.count().update(|count| count + 1).wait().unwrap(), 2);
    let all = session.read((session.count(), session.name(), session.age())).wait().unwrap();
    assert_eq!(all, (2, "Ada".to_owned(), Some(36)));
    let token = session.form_token().wait().unwrap();
    session.check_form_token(token.as_str()).wait().unwrap();
    session.rotate().wait().unwrap();
    assert!(session.check_form_token(token.as_str()).wait().is_err());
    session.destroy().wait().unwrap();
    assert!(handle.finish().set_cookie().unwrap().contains("Max-Age=0"));

    let job = sessions.create::<Visitor>().wait().unwrap();
    let id = job.session_id().unwrap();
    let counts = (0..8).map(|_| {
        let job = job.clone();
        thread::spawn(move || {
            for _ in 0..50 {
                job.count().incr(1).wait().unwrap();
            }
        })
    });
    counts.collect::<Vec<_>>().into_iter().for_each(|count| count.join().unwrap());
    assert_eq!(sessions.open_id::<Visitor>(&id).count().wait().unwrap(), 400);
}

#[test]
fn a_program_without_async_has_sessions_in_memory() {
    use_it(&Sessions::new(config("memory:")).wait().unwrap());
}

#[test]
fn a_program_without_async_has_sessions_on_a_recovering_server() {
    let mut server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).wait().unwrap();
    let on_store = Sessions::with_store(config("memory:"), store).unwrap();
    on_store.check().wait().unwrap();
    use_it(&on_store);
    let sessions = Sessions::new(config(&server.url())).wait().unwrap();
    sessions.ping().wait().unwrap();
    use_it(&sessions);
    server.kill();
    assert!(sessions.ping().wait().unwrap_err().is_unavailable());
    let session = sessions.open([]).session::<Visitor>();
    assert!(session.set_count(1).wait().unwrap_err().is_unavailable());
    server.restart();
    session_tests::wait_for("the server", || session.set_count(1).wait().ok());
    use_it(&sessions);
    assert!(Sessions::new(config("redis://127.0.0.1:1")).wait().unwrap_err().is_unavailable());
}

/// After an error, the iterator ends. A program that goes on calls `next`.
#[test]
fn a_program_without_async_walks_over_all_sessions() {
    let store = FailingStore::new(MemoryStore::new());
    let sessions = Sessions::with_store(config("memory:"), store.clone()).unwrap();
    for count in 0..700 {
        sessions.create::<Visitor>().wait().unwrap().set_count(count).wait().unwrap();
    }
    let counts = sessions.all::<Visitor>().wait().map(|entry| entry.unwrap().data().unwrap().count);
    assert_eq!(counts.sum::<u64>(), 699 * 700 / 2);
    let mut walk = sessions.all::<Visitor>().wait();
    store.fail(Failure::Unavailable);
    assert!(walk.next().unwrap().is_err_and(|error| error.is_unavailable()));
    store.recover();
    assert!(walk.next().is_none());
    let (mut all, mut count) = (sessions.all::<Visitor>(), 0);
    loop {
        store.fail(Failure::Unavailable);
        while let Ok(Some(_)) = all.next().wait() {
            count += 1;
        }
        store.recover();
        if all.next().wait().unwrap().is_none() {
            break;
        }
        count += 1;
    }
    assert_eq!(count, 700, "a walk goes on after an error");
}

/// Tries operations on this thread, and returns whether they were refused without effect.
fn is_refused(sessions: &Sessions) -> bool {
    let session = sessions.open([]).session::<Visitor>();
    let written = session.set_count(1).wait();
    let read = session.count().wait();
    let (Err(write_error), Err(read_error)) = (&written, &read) else {
        assert!(written.is_ok() && read.is_ok());
        return false;
    };
    assert!(
        write_error.is_unsupported() && read_error.is_unsupported(),
        "{write_error}, {read_error}"
    );
    assert!(write_error.to_string().contains("spawn_blocking"));
    assert!(session.session_id().is_none(), "nothing was done");
    true
}

#[test]
fn waiting_on_a_runtime_thread_is_an_error() {
    let sessions = Sessions::new(config("memory:")).wait().unwrap();
    let of = |sessions: &Sessions| {
        let sessions = sessions.clone();
        async move { is_refused(&sessions) }
    };
    for runtime in [current_thread(), multi_thread()] {
        assert!(runtime.block_on(of(&sessions)), "the first task");
        assert!(runtime.block_on(runtime.spawn(of(&sessions))).unwrap(), "a task");
        assert!(LocalSet::new().block_on(&runtime, of(&sessions)), "a local set");
        let spawns = async { tokio::task::spawn_local(of(&sessions)).await.unwrap() };
        assert!(LocalSet::new().block_on(&runtime, spawns), "a task of a local set");
    }
}

#[test]
fn a_refusal_uses_no_task_budget() {
    let sessions = Sessions::new(config("memory:")).wait().unwrap();
    current_thread().block_on(async {
        assert!((0..100).all(|_| is_refused(&sessions)));
        assert!(coop::has_budget_remaining());
        while coop::has_budget_remaining() {
            let step = std::future::poll_fn(coop::poll_proceed).await;
            step.made_progress();
            assert!(is_refused(&sessions), "however much of it is left");
        }
        assert!(is_refused(&sessions), "and when none is");
    });
}

#[test]
fn a_thread_for_blocking_may_wait() {
    let server = RedisServer::start();
    let ours = Sessions::new(config(&server.url())).wait().unwrap();
    for runtime in [current_thread(), multi_thread()] {
        // The runtime drives the connection of this manager.
        let theirs = runtime.block_on(Sessions::new(config(&server.url()))).unwrap();
        for sessions in [&ours, &theirs] {
            let sessions = sessions.clone();
            runtime
                .block_on(async move { spawn_blocking(move || use_it(&sessions)).await.unwrap() });
        }
        let _entered = runtime.enter();
        assert!(!is_refused(&ours), "a thread that has a runtime's context and does not drive it");
    }
    let runtime = multi_thread();
    let theirs = runtime.block_on(Sessions::new(config(&server.url()))).unwrap();
    let waits = runtime.spawn(async move { block_in_place(|| use_it(&theirs)) });
    runtime.block_on(waits).unwrap();
}

/// A program can disable tokio's budget, by which `wait` recognizes a task. Such a program neither
/// panics nor hangs.
#[test]
fn a_task_that_is_not_recognized_waits_for_the_deadline_at_most() {
    let server = RedisServer::start();
    let runtime = current_thread();
    runtime.block_on(unconstrained(async {
        let ours = spawn_blocking({
            let config = config(&server.url());
            move || Sessions::new(config).wait().unwrap()
        });
        use_it(&ours.await.unwrap());
        let theirs = Sessions::new(config(&server.url())).await.unwrap();
        let session = theirs.open([]).session::<Visitor>();
        assert!(
            session.set_count(1).wait().unwrap_err().is_unavailable(),
            "who would drive its connection?"
        );
    }));
}

/// Sessions built without `async` also work in async code.
#[test]
fn sessions_built_by_waiting_are_awaited_too() {
    let server = RedisServer::start();
    let sessions = Sessions::new(config(&server.url())).wait().unwrap();
    current_thread().block_on(async {
        let session = sessions.create::<Visitor>().await.unwrap();
        assert_eq!(session.count().incr(5).await.unwrap(), 5);
    });
}

async fn waits(session: Session<Visitor>) -> Result<String, Error> {
    session.count().wait().map(|count| count.to_string())
}

async fn waits_in_the_background(session: Session<Visitor>) -> Result<String, Error> {
    let count = web::block(move || session.count().incr(1).wait()).await.unwrap()?;
    Ok(count.to_string())
}

#[tokio::test]
async fn waiting_on_an_actix_worker_is_an_error_but_its_blocking_threads_may_wait() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let sessions = Sessions::new(config("memory:")).await.unwrap();
    let app = move || {
        App::new()
            .route("/waits", web::get().to(waits))
            .route("/background", web::get().to(waits_in_the_background))
            .wrap(sessions.middleware())
    };
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        System::new().block_on(async move {
            let server =
                HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
            tell.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    let server = told.recv().unwrap();
    let ask = async |path| reqwest::get(format!("{base}{path}")).await.unwrap();
    assert_eq!(ask("/waits").await.status(), 500);
    assert_eq!(ask("/background").await.text().await.unwrap(), "1");
    server.stop(false).await;
}
