//! The creation time, in every state of a session.

use std::time::{Duration, SystemTime};

use session_runtime::testing::{self, ManualClock};
use session_runtime::{Error, Lifetime, Session, SessionConfig, SessionHandle, Sessions};
use session_tests::cookies::SECRET;

#[derive(Session)]
struct Visitor {
    count: u64,
}

/// Each row advances the clock by a minute and takes a step. The last column is the minute that
/// then counts as the creation time.
#[tokio::test]
async fn the_creation_time_comes_from_the_id_in_every_state() -> Result<(), Error> {
    let (sessions, clock) = sessions();
    let start = clock.now();
    let visitor: Session<Visitor> = sessions.open([]).session();
    for (minute, step, expected) in [
        (1, Step::Look, None),
        (2, Step::Write, Some(2)),
        (3, Step::Write, Some(2)),
        (4, Step::Rotate, Some(2)),
        (5, Step::Renew, Some(5)),
        (6, Step::Rotate, Some(5)),
        (7, Step::Destroy, None),
        (8, Step::Write, Some(8)),
    ] {
        clock.advance(MINUTE);
        step.take(&visitor).await?;
        assert_eq!(
            visitor.created_at(),
            expected.map(|minute| at(start, minute)),
            "minute {minute}"
        );
        assert_eq!(visitor.created_at(), visitor.session_id().map(|id| id.created_at()));
    }
    Ok(())
}

/// A later request knows the time from the cookie, before the store is asked.
#[tokio::test]
async fn a_cookie_has_the_creation_time_before_the_store_is_asked() -> Result<(), Error> {
    let (sessions, clock) = sessions();
    let first = sessions.open([]);
    first.session::<Visitor>().set_count(1).await?;
    let cookie = cookie_of(&first);
    clock.advance(MINUTE);
    let later = sessions.open([cookie.as_bytes()]).session::<Visitor>();
    let before = later.created_at();
    assert_eq!(before, Some(at(clock.now(), 0) - MINUTE));
    assert!(later.exists().await?);
    assert_eq!(later.created_at(), before);
    Ok(())
}

enum Step {
    Look,
    Write,
    Rotate,
    Renew,
    Destroy,
}

impl Step {
    async fn take(self, visitor: &Session<Visitor>) -> Result<(), Error> {
        match self {
            Self::Look => visitor.count().await.map(drop),
            Self::Write => visitor.set_count(1).await,
            Self::Rotate => visitor.rotate().await,
            Self::Renew => visitor.renew(Lifetime::normal()).await,
            Self::Destroy => visitor.destroy().await,
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);

fn at(start: SystemTime, minute: u32) -> SystemTime {
    start + MINUTE * minute
}

fn sessions() -> (Sessions, ManualClock) {
    let clock = ManualClock::default();
    let config = SessionConfig::new().secret(SECRET);
    (testing::sessions(config, &clock).unwrap(), clock)
}

fn cookie_of(handle: &SessionHandle) -> String {
    let headers = handle.finish();
    headers.set_cookie().unwrap().split(';').next().unwrap().to_owned()
}
