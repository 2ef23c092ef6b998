//! Operations on a live session.

use std::hint::black_box;
use std::rc::Rc;
use std::time::Duration;

use session_runtime::{Lifetime, NearCache, Session, SessionConfig, SessionHeaders, Sessions};
use tokio::runtime::{Builder, Runtime};

/// Runs an operation this many times.
pub type Repeat = Box<dyn FnMut(u32)>;

/// An operation on a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A request that reads a field, from the `Cookie` header to the response headers.
    FirstGet,
    /// A request that logs in with one batch, from the `Cookie` header to the response headers.
    Login,
    /// The same for a field with an index, and a visitor who has a session.
    LoginWithIndex,
    /// A further read of a field.
    Get,
    /// A write of a number.
    Set,
    /// An increment of a number.
    Incr,
    /// A single read of five fields.
    ReadFive,
    /// A further read of an encrypted field with this many bytes.
    GetEncrypted(usize),
    /// A write of an encrypted field with this many bytes.
    SetEncrypted(usize),
}

impl Operation {
    /// Prepares the operation on a session in the store of this URL.
    pub fn prepare(self, store: &str) -> Repeat {
        self.prepare_with(config().store(store))
    }

    /// Prepares the operation with a near cache, which asks for no sign of life meanwhile.
    pub fn prepare_near(self, store: &str) -> Repeat {
        let minute = Duration::from_secs(60);
        let cache = NearCache::new().max_staleness(minute).max_age(60 * minute);
        self.prepare_with(config().store(store).near_cache(cache))
    }

    fn prepare_with(self, config: SessionConfig) -> Repeat {
        let runtime = runtime();
        let visit = Visit::begin(&runtime, config);
        if self == Self::FirstGet {
            return repeat_async(runtime, async move || {
                let handle = visit.sessions.open([visit.header.as_bytes()]);
                let count = handle.session::<Visitor>().count().await.unwrap();
                assert!(handle.finish().set_cookie().is_none());
                count
            });
        }
        if self == Self::Login {
            return repeat_async(runtime, log_in(visit));
        }
        if self == Self::LoginWithIndex {
            let visitors = visitors(&runtime, &visit.sessions);
            return repeat_async(runtime, log_in_with_index(visit.sessions, visitors));
        }
        let session = visit.session();
        // The first operation of a request does more work.
        assert_eq!(runtime.block_on(session.count().into_future()).unwrap(), 12_345);
        match self {
            Self::GetEncrypted(length) => {
                let session = visit.encrypted(&runtime, length);
                repeat_async(runtime, async move || session.note().await.unwrap())
            }
            Self::SetEncrypted(length) => {
                let session = visit.encrypted(&runtime, length);
                let note = "x".repeat(length);
                repeat_async(runtime, async move || session.set_note(&*note).await.unwrap())
            }
            Self::FirstGet | Self::Login | Self::LoginWithIndex | Self::Get => {
                repeat_async(runtime, async move || session.count().await.unwrap())
            }
            Self::Set => {
                repeat_async(runtime, async move || session.set_count(12_345).await.unwrap())
            }
            // The number of digits stays the same, because longer numbers take more instructions.
            Self::Incr => {
                repeat_async(runtime, async move || session.count().incr(1).await.unwrap())
            }
            Self::ReadFive => repeat_async(runtime, async move || {
                let five = (
                    session.count(),
                    session.name(),
                    session.age(),
                    session.admin(),
                    session.language(),
                );
                session.read(five).await.unwrap()
            }),
        }
    }
}

/// Each login continues the session of the login before.
fn log_in(mut visit: Visit) -> impl AsyncFnMut() + 'static {
    async move || {
        let handle = visit.sessions.open([visit.header.as_bytes()]);
        let session: Session<Visitor> = handle.session();
        let batch = session.write().set(session.age(), 42).renew(Lifetime::normal());
        batch.commit().await.unwrap();
        visit.header = cookie_header(&handle.finish());
    }
}

/// A thousand logins are measured, after some to warm up.
const VISITORS: u32 = 1_500;

/// Returns the `Cookie` headers of visitors.
fn visitors(runtime: &Runtime, sessions: &Sessions) -> Vec<String> {
    let visit = |_| {
        let handle = sessions.open([]);
        let session: Session<Visitor> = handle.session();
        runtime.block_on(session.set_count(12_345).into_future()).unwrap();
        cookie_header(&handle.finish())
    };
    (0..VISITORS).map(visit).collect()
}

/// Each login is of another visitor, who becomes another user.
fn log_in_with_index(sessions: Sessions, mut visitors: Vec<String>) -> impl AsyncFnMut() + 'static {
    async move || {
        let header = visitors.pop().expect("enough visitors");
        let handle = sessions.open([header.as_bytes()]);
        let session: Session<Account> = handle.session();
        // The number of digits stays the same.
        let user = 10_000 + visitors.len() as u64;
        let login = session.write().set(session.user(), user).keep_only(());
        login.renew(Lifetime::normal()).commit().await.unwrap();
        black_box(handle.finish().set_cookie());
    }
}

/// Prepares the verification of a session's cookie, without I/O.
pub fn verify_cookie() -> Repeat {
    let visit = Visit::begin(&runtime(), config().store("memory:"));
    repeat(move || visit.session().session_id().unwrap())
}

/// Cookie of another application, as in most requests.
pub(crate) const OTHER_COOKIE: &str = "theme=dark";

#[derive(Session)]
#[session(cached)]
struct Visitor {
    count: u64,
    name: String,
    age: Option<u32>,
    admin: bool,
    language: String,
}

#[derive(Session)]
#[session(fields = "AccountFields")]
struct Account {
    #[session(index)]
    user: Option<u64>,
}

#[derive(Session)]
#[session(fields = "SecretFields")]
struct Secret {
    #[session(encrypt)]
    note: String,
}

/// A live session.
pub(crate) struct Visit {
    sessions: Sessions,
    /// The `Cookie` header of its requests.
    pub(crate) header: String,
}

impl Visit {
    pub(crate) fn begin(runtime: &Runtime, config: SessionConfig) -> Self {
        runtime.block_on(async {
            let sessions = Sessions::new(config).await.unwrap();
            let handle = sessions.open([]);
            let session: Session<Visitor> = handle.session();
            session.set_count(12_345).await.unwrap();
            session.set_name("twenty bytes of text").await.unwrap();
            let header = cookie_header(&handle.finish());
            Self { sessions, header }
        })
    }

    /// Opens the session in a new request, and writes an encrypted field with this many bytes.
    fn encrypted(&self, runtime: &Runtime, length: usize) -> Session<Secret> {
        let session: Session<Secret> = self.sessions.open([self.header.as_bytes()]).session();
        runtime.block_on(session.set_note("x".repeat(length)).into_future()).unwrap();
        session
    }

    /// Opens the session in a new request, without I/O.
    fn session(&self) -> Session<Visitor> {
        self.sessions.open([self.header.as_bytes()]).session()
    }
}

/// Returns the next `Cookie` header of the browser.
fn cookie_header(response: &SessionHeaders) -> String {
    let (cookie, _attributes) = response.set_cookie().unwrap().split_once(';').unwrap();
    format!("{OTHER_COOKIE}; {cookie}")
}

pub(crate) fn config() -> SessionConfig {
    SessionConfig::new()
        .secret("hex:5b0f7c3e9a4d28e16f83b5c20d97ea41c86f1b3d70e5a294fb6218c0d3479ea6")
}

/// Returns a single-threaded runtime: the connection's driver and the operations take turns.
pub(crate) fn runtime() -> Rc<Runtime> {
    Rc::new(Builder::new_current_thread().enable_all().build().unwrap())
}

fn repeat_async<T>(
    runtime: Rc<Runtime>,
    mut operation: impl AsyncFnMut() -> T + 'static,
) -> Repeat {
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
