//! The contestants: the same pages, with sessions kept in as many ways.

/// The pages of an axum contestant: one handler each, that this is called beside.
macro_rules! axum_pages {
    () => {
        axum::Router::new()
            .route("/ignored", axum::routing::get($crate::server::ignored))
            .route("/seed/one", axum::routing::get(seed_one))
            .route("/seed/five", axum::routing::get(seed_five))
            .route("/seed/large", axum::routing::get(seed_large))
            .route("/read", axum::routing::get(read))
            .route("/write", axum::routing::get(write))
            .route("/counter", axum::routing::get(counter))
            .route("/incr", axum::routing::get(incr))
            .route("/five", axum::routing::get(five))
            .route("/five-batched", axum::routing::get(five_batched))
            .route("/login", axum::routing::get(login))
    };
}

/// The same on actix-web.
macro_rules! actix_pages {
    ($app:expr) => {
        $app.route("/ignored", actix_web::web::get().to($crate::server::ignored))
            .route("/seed/one", actix_web::web::get().to(seed_one))
            .route("/seed/five", actix_web::web::get().to(seed_five))
            .route("/seed/large", actix_web::web::get().to(seed_large))
            .route("/read", actix_web::web::get().to(read))
            .route("/write", actix_web::web::get().to(write))
            .route("/counter", actix_web::web::get().to(counter))
            .route("/incr", actix_web::web::get().to(incr))
            .route("/five", actix_web::web::get().to(five))
            .route("/five-batched", actix_web::web::get().to(five_batched))
            .route("/login", actix_web::web::get().to(login))
    };
}

mod actix_session;
mod axum_session;
mod by_hand;
mod fred_client;
mod host;
mod ours;
mod ours_actix;
mod ours_axum;
mod ruts;
mod tower_sessions;

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{process, thread};

use self::by_hand::Guard;
use self::host::Listeners;
use crate::Failure;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contestant {
    ByHand,
    ByHandGuarded,
    OursAxum,
    /// A runtime on each thread, as actix-web has it.
    OursAxumThreads,
    OursActix,
    TowerSessions,
    TowerSessionsSliding,
    Ruts,
    ActixSession,
    ActixSessionSliding,
    AxumSession,
}

impl Contestant {
    pub(crate) const ALL: [Self; 11] = [
        Self::ByHand,
        Self::ByHandGuarded,
        Self::OursAxum,
        Self::OursAxumThreads,
        Self::OursActix,
        Self::TowerSessions,
        Self::TowerSessionsSliding,
        Self::Ruts,
        Self::ActixSession,
        Self::ActixSessionSliding,
        Self::AxumSession,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ByHand => "by-hand",
            Self::ByHandGuarded => "by-hand-guarded",
            Self::OursAxum => "ours-axum",
            Self::OursAxumThreads => "ours-axum-threads",
            Self::OursActix => "ours-actix",
            Self::TowerSessions => "tower-sessions",
            Self::TowerSessionsSliding => "tower-sessions-sliding",
            Self::Ruts => "ruts",
            Self::ActixSession => "actix-session",
            Self::ActixSessionSliding => "actix-session-sliding",
            Self::AxumSession => "axum_session",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|contestant| contestant.name() == name)
    }

    /// Whether its pages stand behind a layer, so that the same pages without it can be measured
    /// beside.
    pub(crate) fn has_layer(self) -> bool {
        !matches!(self, Self::ByHand | Self::ByHandGuarded)
    }

    /// Whether a session is a hash whose fields hold text as it is, so that more fields can be put
    /// there without the contestant's help. The others have a page for it,
    /// `/grow/FIELDS/BYTES`.
    pub(crate) fn stores_plain_fields(self) -> bool {
        matches!(
            self,
            Self::ByHand
                | Self::ByHandGuarded
                | Self::OursAxum
                | Self::OursAxumThreads
                | Self::OursActix
        )
    }

    /// Whether it gives fields an expiry of their own, which needs Redis 7.4 or Valkey 9.
    pub(crate) fn needs_field_expiry(self) -> bool {
        self == Self::Ruts
    }
}

/// What lets a session last longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prolonged {
    /// As the peers' defaults are.
    ByWrites,
    /// As by hand and ours do it, of which the first read of a request is enough.
    ByEveryRequest,
}

/// Serves a contestant's pages, and the one that ignores its session without the layer, until the
/// program's input ends. Says on its output at which two addresses.
pub(crate) fn serve(contestant: Contestant, redis: &str) -> Result<(), Failure> {
    thread::spawn(end_with_input);
    let listeners = Listeners::bind()?;
    match contestant {
        Contestant::ByHand => host::axum(listeners, by_hand::pages(redis, Guard::None)),
        Contestant::ByHandGuarded => host::axum(listeners, by_hand::pages(redis, Guard::Exists)),
        Contestant::OursAxum => host::axum(listeners, ours_axum::pages(redis)),
        Contestant::OursAxumThreads => host::axum_on_each_thread(
            listeners,
            ours::sessions(redis),
            ours_axum::pages_of_this_runtime,
        ),
        Contestant::OursActix => host::actix(ours_actix::serve(redis, listeners)),
        Contestant::TowerSessions => {
            host::axum(listeners, tower_sessions::pages(redis, Prolonged::ByWrites))
        }
        Contestant::TowerSessionsSliding => {
            host::axum(listeners, tower_sessions::pages(redis, Prolonged::ByEveryRequest))
        }
        Contestant::Ruts => host::axum(listeners, ruts::pages(redis)),
        Contestant::ActixSession => {
            host::actix(actix_session::serve(redis, listeners, Prolonged::ByWrites))
        }
        Contestant::ActixSessionSliding => {
            host::actix(actix_session::serve(redis, listeners, Prolonged::ByEveryRequest))
        }
        Contestant::AxumSession => host::axum(listeners, axum_session::pages(redis)),
    }
}

/// Whoever started this holds the other end of its input.
fn end_with_input() {
    let _ = io::stdin().read_to_end(&mut Vec::new());
    process::exit(0);
}

/// The page that ignores its session.
async fn ignored() -> &'static str {
    "ok"
}

/// How long a session lasts that nobody uses: the same for all.
const IDLE_SECONDS: u64 = 86_400;
/// The cookie of every contestant whose cookie has to be named.
const COOKIE: &str = "__Host-session-id";
/// What every contestant signs cookies with: 64 bytes, as some of them want.
const SECRET: &[u8; 64] = b"sixty-four bytes of secret that sign nothing but the benchmark's";
const USER: &str = "ada";
const NAME: &str = "Ada Lovelace";
const AGE: u32 = 36;
const THEME: &str = "dark";
/// What a large session holds beside the count.
const LARGE: usize = 64 * 1024;

/// What `/write` writes: another number each time, as long as the last one. tower-sessions leaves
/// out a write that changes nothing.
fn new_count() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(100_000_000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// What a page says that reads five fields.
fn five_line(count: u64, name: &str, vip: bool, age: u32, theme: &str) -> String {
    format!("{count} {name} {vip} {age} {theme}")
}

/// The value of a large session's large field.
fn large_text() -> String {
    "x".repeat(LARGE)
}
