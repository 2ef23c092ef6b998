//! A request with several cookies of the same name.

use std::time::{Duration, SystemTime};

use session_runtime::redis_session::CookieFormat;
use session_runtime::store::{SessionKey, SessionStore, Write, WriteMode};
use session_runtime::testing::ManualClock;
use session_runtime::{EndReason, MemoryStore, Session, SessionConfig, SessionHandle, Sessions};

use crate::rust::{SECRET, Visitor, flask, id_alone, tornado};

const PLANTED: &str = "00000000-0000-4000-8000-00000000000000000000-0000-4000-8000-000000000000";
const OWN: &str = "6f1d9a4e-0c57-4b3e-9d21-5a8c7e0f3b124c2b8e90-71da-4f6b-8a35-e9d0c1b2a374";

/// Managers of the same store with different formats.
struct Site {
    clock: ManualClock,
    store: MemoryStore,
}

impl Site {
    /// Creates sessions with both kinds of id.
    async fn with_sessions() -> Self {
        let clock = ManualClock::new(SystemTime::now());
        let site = Self { store: MemoryStore::with_clock(&clock), clock };
        for id in [PLANTED, OWN] {
            let id = site
                .open([CookieFormat::Native, CookieFormat::UnsignedForgeableIds], &[id])
                .session::<Visitor>();
            let key = SessionKey::new("redis", &id.session_id().unwrap());
            let write = Write {
                mode: WriteMode::Create,
                changes: &[],
                expires_in: Duration::from_secs(3600),
                index: None,
            };
            site.store.write(&key, write).await.unwrap();
        }
        site
    }

    fn sessions(&self, formats: impl IntoIterator<Item = CookieFormat>) -> Sessions {
        let config = SessionConfig::new().secret(SECRET).cookie_formats(formats);
        Sessions::with_store(config, self.store.clone()).unwrap().with_clock(&self.clock)
    }

    fn open(
        &self,
        formats: impl IntoIterator<Item = CookieFormat>,
        values: &[&str],
    ) -> SessionHandle {
        let header: Vec<String> =
            values.iter().map(|value| format!("session-id={value}")).collect();
        self.sessions(formats).open([header.join("; ").as_bytes()])
    }

    /// Returns this id as a cookie, signed now in this format.
    async fn signed(&self, format: CookieFormat, id: &str) -> String {
        let handle = self.open([format, CookieFormat::UnsignedForgeableIds], &[id]);
        used(&handle).await;
        let headers = handle.finish();
        let pair = headers.set_cookie().unwrap().split(';').next().unwrap();
        pair.strip_prefix("session-id=").unwrap().to_owned()
    }
}

async fn used(handle: &SessionHandle) -> String {
    let session: Session<Visitor> = handle.session();
    assert!(session.exists().await.unwrap());
    id_alone(&session.session_id().unwrap())
}

#[tokio::test]
async fn an_unsigned_cookie_counts_only_without_signed_cookies() {
    let site = Site::with_sessions().await;
    let formats = || [tornado(), CookieFormat::UnsignedForgeableIds];
    let own = site.signed(tornado(), OWN).await;
    let handle = site.open(formats(), &[PLANTED, &own]);
    assert_eq!(used(&handle).await, OWN);
    assert!(
        handle.finish().set_cookie().is_none(),
        "the planted one does not replace the visitor's"
    );
    assert_eq!(used(&site.open(formats(), &[PLANTED])).await, PLANTED);
}

#[tokio::test]
async fn a_client_with_a_current_cookie_gets_no_new_cookie() {
    let site = Site::with_sessions().await;
    let (current, outdated) = (site.signed(tornado(), OWN).await, site.signed(flask(), OWN).await);
    for values in [[&*outdated, &current], [&current, &outdated]] {
        let handle = site.open([tornado(), flask()], &values);
        assert_eq!(used(&handle).await, OWN);
        assert!(handle.finish().set_cookie().is_none());
    }
}

#[tokio::test]
async fn a_session_has_the_age_of_the_older_cookie() {
    let site = Site::with_sessions().await;
    let older = site.signed(tornado(), OWN).await;
    site.clock.advance(Duration::from_secs(60));
    let younger = site.signed(flask(), OWN).await;
    let created_at = |values: &[&str]| {
        site.open([tornado(), flask()], values)
            .session::<Visitor>()
            .session_id()
            .unwrap()
            .created_at()
    };
    assert_ne!(created_at(&[&older]), created_at(&[&younger]));
    for values in [[&*older, &younger], [&younger, &older]] {
        assert_eq!(created_at(&values), created_at(&[&older]));
    }
}

#[tokio::test]
async fn an_end_has_its_reason_whatever_the_cookie() {
    let site = Site::with_sessions().await;
    let signed = site.signed(tornado(), OWN).await;
    let unsigned = || [tornado(), CookieFormat::UnsignedForgeableIds];
    let reason =
        async |handle: SessionHandle| handle.session::<Visitor>().end_reason().await.unwrap();
    for value in [&*signed, OWN] {
        assert_eq!(reason(site.open(unsigned(), &[value])).await, None);
    }
    let logout = site.open([tornado()], &[&signed]).session::<Visitor>();
    logout.destroy().await.unwrap();
    for value in [&*signed, OWN] {
        let ended = reason(site.open(unsigned(), &[value])).await;
        assert_eq!(ended, Some(EndReason::LoggedOut));
    }
    // Anybody can make up such an id, and nobody learns more than that it does not exist.
    let made_up = OWN.replace("6f1d9a4e", "00000000");
    let unknown = reason(site.open(unsigned(), &[&made_up])).await;
    assert_eq!(unknown, Some(EndReason::Expired));
    assert_eq!(reason(site.open([tornado()], &[&made_up])).await, None, "not accepted");
}
