//! The operations.

use std::hint::black_box;
use std::rc::Rc;

use session_runtime::{Session, SessionConfig, Sessions};
use tokio::runtime::{Builder, Runtime};

use crate::ignored::{Around, on_actix, on_axum};

/// Carries an operation out so many times.
pub type Repeat = Box<dyn FnMut(u32)>;

/// A row of the baseline.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// The operation, as [`start`] knows it.
    pub name: &'static str,
    /// What the same takes without a session: the row is what it takes more.
    pub without: Option<&'static str>,
}

/// Every operation that is counted. Those `on Redis` need a server, and are on one connection.
pub const ALL: [Counted; 15] = [
    alone("verify cookie"),
    alone("first get on memory"),
    alone("get on memory"),
    alone("set on memory"),
    alone("incr on memory"),
    alone("read five on memory"),
    beside("ignored on axum", "axum alone"),
    beside("ignored on axum, no cookie", "axum alone, no cookie"),
    beside("ignored on actix-web", "actix-web alone"),
    beside("ignored on actix-web, no cookie", "actix-web alone, no cookie"),
    alone("first get on Redis"),
    alone("get on Redis"),
    alone("set on Redis"),
    alone("incr on Redis"),
    alone("read five on Redis"),
];

impl Counted {
    /// Whether the operation is on a Redis server.
    pub fn needs_redis(&self) -> bool {
        self.name.ends_with(ON_REDIS)
    }

    /// What the row is, given what one operation takes.
    pub fn more_than_without(&self, per_operation: impl Fn(&str) -> f64) -> f64 {
        per_operation(self.name) - self.without.map_or(0.0, &per_operation)
    }
}

const ON_MEMORY: &str = " on memory";
const ON_REDIS: &str = " on Redis";

const fn alone(name: &'static str) -> Counted {
    Counted { name, without: None }
}

const fn beside(name: &'static str, without: &'static str) -> Counted {
    Counted { name, without: Some(without) }
}

/// Prepares the operation of this name. `redis` is the URL of the server, for operations on one.
pub fn start(name: &str, redis: Option<&str>) -> Repeat {
    if let Some(operation) = name.strip_suffix(ON_MEMORY) {
        return on_store(operation, "memory:");
    }
    if let Some(operation) = name.strip_suffix(ON_REDIS) {
        return on_store(operation, redis.unwrap());
    }
    let ours = Visit::begin(&runtime(), "memory:").header;
    match name {
        "verify cookie" => verify_cookie(),
        "ignored on axum" => on_axum(Around::Sessions, &ours),
        "axum alone" => on_axum(Around::Nothing, &ours),
        "ignored on axum, no cookie" => on_axum(Around::Sessions, OTHER),
        "axum alone, no cookie" => on_axum(Around::Nothing, OTHER),
        "ignored on actix-web" => on_actix(Around::Sessions, &ours),
        "actix-web alone" => on_actix(Around::Nothing, &ours),
        "ignored on actix-web, no cookie" => on_actix(Around::Sessions, OTHER),
        "actix-web alone, no cookie" => on_actix(Around::Nothing, OTHER),
        _ => panic!("no operation: {name}"),
    }
}

/// Somebody else's cookie, which most requests have beside ours.
const OTHER: &str = "theme=dark";

#[derive(Session)]
struct Visitor {
    count: u64,
    name: String,
    age: Option<u32>,
    admin: bool,
    language: String,
}

/// A live session.
struct Visit {
    sessions: Sessions,
    header: String,
}

impl Visit {
    fn begin(runtime: &Runtime, store: &str) -> Self {
        runtime.block_on(async {
            let sessions = Sessions::new(config().store(store)).await.unwrap();
            let handle = sessions.open([]);
            let session: Session<Visitor> = handle.session();
            session.set_count(12_345).await.unwrap();
            session.set_name("twenty bytes of text").await.unwrap();
            let headers = handle.finish();
            let (cookie, _attributes) = headers.set_cookie().unwrap().split_once(';').unwrap();
            let header = format!("{OTHER}; {cookie}");
            Self { sessions, header }
        })
    }

    /// Makes a request of it: no I/O.
    fn session(&self) -> Session<Visitor> {
        self.sessions.open([self.header.as_bytes()]).session()
    }
}

pub(crate) fn config() -> SessionConfig {
    SessionConfig::new().secret("hex:5b0f7c3e9a4d28e16f83b5c20d97ea41c86f1b3d70e5a294fb6218c0d3479ea6")
}

fn verify_cookie() -> Repeat {
    let visit = Visit::begin(&runtime(), "memory:");
    repeat(move || visit.session().session_id().unwrap())
}

fn on_store(operation: &str, store: &str) -> Repeat {
    let runtime = runtime();
    let visit = Visit::begin(&runtime, store);
    if operation == "first get" {
        return repeat_async(runtime, async move || {
            let handle = visit.sessions.open([visit.header.as_bytes()]);
            let count = handle.session::<Visitor>().count().await.unwrap();
            assert!(handle.finish().set_cookie().is_none());
            count
        });
    }
    let session = visit.session();
    // The first of a request does more.
    assert_eq!(runtime.block_on(session.count().into_future()).unwrap(), 12_345);
    match operation {
        "get" => repeat_async(runtime, async move || session.count().await.unwrap()),
        "set" => repeat_async(runtime, async move || session.set_count(12_345).await.unwrap()),
        // A number of as many digits, however often: longer ones take more instructions.
        "incr" => repeat_async(runtime, async move || session.count().incr(1).await.unwrap()),
        "read five" => repeat_async(runtime, async move || {
            let five = (session.count(), session.name(), session.age(), session.admin(), session.language());
            session.read(five).await.unwrap()
        }),
        _ => panic!("no operation on a store: {operation}"),
    }
}

/// On one thread: the driver of the connection takes turns with what waits for it.
fn runtime() -> Rc<Runtime> {
    Rc::new(Builder::new_current_thread().enable_all().build().unwrap())
}

fn repeat_async<T>(runtime: Rc<Runtime>, mut operation: impl AsyncFnMut() -> T + 'static) -> Repeat {
    Box::new(move |times| {
        runtime.block_on(async {
            for _ in 0..times {
                black_box(operation().await);
            }
        });
    })
}

pub(crate) fn repeat<T>(mut operation: impl FnMut() -> T + 'static) -> Repeat {
    Box::new(move |times| {
        for _ in 0..times {
            black_box(operation());
        }
    })
}
