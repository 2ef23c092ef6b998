//! The contestants: the same pages, with a different session library in each.

/// Routes the pages of an axum contestant to the handlers in the calling module.
macro_rules! axum_pages {
    ($($listed:ident, $read_and_write:ident)?) => {
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
            $(.route("/login-listed", axum::routing::get($listed))
                .route("/read-and-write", axum::routing::get($read_and_write)))?
    };
}

/// Routes the pages of an actix-web contestant to the handlers in the calling module.
macro_rules! actix_pages {
    ($app:expr $(, $listed:ident, $read_and_write:ident)?) => {
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
            $(.route("/login-listed", actix_web::web::get().to($listed))
                .route("/read-and-write", actix_web::web::get().to($read_and_write)))?
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

use std::sync::atomic::{AtomicU64, Ordering};

use self::by_hand::Guard;
use self::host::Listeners;
use self::ours::Near;
use crate::Failure;
use crate::child::end_with_input;

/// A measured library, or code by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contestant {
    ByHand,
    ByHandGuarded,
    /// With values of sessions in the process.
    ByHandNear,
    OursAxum,
    OursAxumNear,
    /// A single-threaded runtime on each thread, as in actix-web.
    OursAxumThreads,
    OursActix,
    OursActixNear,
    TowerSessions,
    TowerSessionsSliding,
    Ruts,
    ActixSession,
    ActixSessionSliding,
    AxumSession,
}

impl Contestant {
    pub(crate) const ALL: [Self; 14] = [
        Self::ByHand,
        Self::ByHandGuarded,
        Self::ByHandNear,
        Self::OursAxum,
        Self::OursAxumNear,
        Self::OursAxumThreads,
        Self::OursActix,
        Self::OursActixNear,
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
            Self::ByHandNear => "by-hand-near",
            Self::OursAxum => "ours-axum",
            Self::OursAxumNear => "ours-axum-near",
            Self::OursAxumThreads => "ours-axum-threads",
            Self::OursActix => "ours-actix",
            Self::OursActixNear => "ours-actix-near",
            Self::TowerSessions => "tower-sessions",
            Self::TowerSessionsSliding => "tower-sessions-sliding",
            Self::Ruts => "ruts",
            Self::ActixSession => "actix-session",
            Self::ActixSessionSliding => "actix-session-sliding",
            Self::AxumSession => "axum_session",
        }
    }

    /// Returns the contestants without a near cache.
    pub(crate) fn usual() -> Vec<Self> {
        Self::ALL
            .into_iter()
            .filter(|contestant| contestant.without_near_cache().is_none())
            .collect()
    }

    /// Returns the contestants with a near cache, and those in comparison.
    pub(crate) fn beside_near_caches() -> Vec<Self> {
        let is_variant = |contestant| {
            matches!(
                contestant,
                Self::ByHandGuarded
                    | Self::OursAxumThreads
                    | Self::TowerSessionsSliding
                    | Self::ActixSessionSliding
            )
        };
        Self::ALL.into_iter().filter(|contestant| !is_variant(*contestant)).collect()
    }

    /// Returns the same contestant without a near cache, if this contestant has a near cache.
    pub(crate) fn without_near_cache(self) -> Option<Self> {
        match self {
            Self::ByHandNear => Some(Self::ByHand),
            Self::OursAxumNear => Some(Self::OursAxum),
            Self::OursActixNear => Some(Self::OursActix),
            _ => None,
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|contestant| contestant.name() == name)
    }

    /// Returns whether a layer wraps the pages, so that the same pages are also measured without
    /// the layer.
    pub(crate) fn has_layer(self) -> bool {
        !matches!(self, Self::ByHand | Self::ByHandGuarded | Self::ByHandNear)
    }

    /// Returns whether a session is a hash with plain text in its fields. Then the benchmark adds
    /// fields without the contestant's help. The other contestants have a page for this,
    /// `/grow/FIELDS/BYTES`.
    pub(crate) fn stores_plain_fields(self) -> bool {
        matches!(
            self,
            Self::ByHand
                | Self::ByHandGuarded
                | Self::ByHandNear
                | Self::OursAxum
                | Self::OursAxumNear
                | Self::OursAxumThreads
                | Self::OursActix
                | Self::OursActixNear
        )
    }

    /// Returns whether the contestant has the pages `/login-listed` and `/read-and-write`.
    pub(crate) fn has_all_pages(self) -> bool {
        self.stores_plain_fields()
    }

    /// Returns whether each field has an expiry, which needs Redis 7.4 or Valkey 9.
    pub(crate) fn needs_field_expiry(self) -> bool {
        self == Self::Ruts
    }
}

/// The requests that extend a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prolonged {
    /// Writes only, by the defaults of the other libraries.
    ByWrites,
    /// Every request, as in session-runtime and by hand. There, the first read of a request is
    /// enough.
    ByEveryRequest,
}

/// Serves a contestant's pages, and the page that ignores the session without the layer, until the
/// end of the program's input. Prints both addresses.
pub(crate) fn serve(contestant: Contestant, redis: &str) -> Result<(), Failure> {
    end_with_input();
    let listeners = Listeners::bind()?;
    match contestant {
        Contestant::ByHand => host::axum(listeners, by_hand::pages(redis, Guard::None)),
        Contestant::ByHandGuarded => host::axum(listeners, by_hand::pages(redis, Guard::Exists)),
        Contestant::ByHandNear => host::axum(listeners, by_hand::near_pages(redis)),
        Contestant::OursAxum => host::axum(listeners, ours_axum::pages(redis, Near::Off)),
        Contestant::OursAxumNear => host::axum(listeners, ours_axum::pages(redis, Near::On)),
        Contestant::OursAxumThreads => host::axum_on_each_thread(
            listeners,
            ours::sessions(redis, Near::Off),
            ours_axum::pages_of_this_runtime,
        ),
        Contestant::OursActix => host::actix(ours_actix::serve(redis, listeners, Near::Off)),
        Contestant::OursActixNear => host::actix(ours_actix::serve(redis, listeners, Near::On)),
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

/// The page that ignores the session.
async fn ignored() -> &'static str {
    "ok"
}

/// Idle timeout of a session, the same for all contestants.
const IDLE_SECONDS: u64 = 86_400;
/// Cookie name for contestants that need a name.
const COOKIE: &str = "__Host-session-id";
/// Secret of every contestant's cookies. Some require 64 bytes.
const SECRET: &[u8; 64] = b"sixty-four bytes of secret that sign nothing but the benchmark's";
const USER: &str = "ada";
const NAME: &str = "Ada Lovelace";
const AGE: u32 = 36;
const THEME: &str = "dark";
/// Size of the large field in a large session, beside the count.
const LARGE: usize = 64 * 1024;

/// Returns a new number for `/write`, always with the same length. tower-sessions skips a write
/// that changes nothing.
fn new_count() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(100_000_000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Returns the text of a page that reads five fields.
fn five_line(count: u64, name: &str, vip: bool, age: u32, theme: &str) -> String {
    format!("{count} {name} {vip} {age} {theme}")
}

/// Returns the value of the large field.
fn large_text() -> String {
    "x".repeat(LARGE)
}
