//! Log lines about clocks that drift apart.

use std::time::{Duration, SystemTime};

use session_runtime::testing::ManualClock;
use session_runtime::{RedisStore, SessionConfig, Sessions};
use session_tests::cookies::SECRET;
use session_tests::log::logged;
use session_tests::server::RedisServer;

/// `ping` still succeeds, because a wrong clock in the store must not make every machine unhealthy.
#[tokio::test]
async fn a_health_check_logs_diverging_clocks_once() {
    let (log, _guard) = logged();
    let server = RedisServer::start();
    let clock = ManualClock::new(SystemTime::now());
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let sessions = Sessions::with_store(SessionConfig::new().secret(SECRET), store)
        .unwrap()
        .with_clock(&clock);
    let mut expected = (0, 0);
    for (seconds, is_news) in [
        (0, None),
        (50, Some("WARN")),
        (-45, None),
        (175, Some("ERROR")),
        (-400, None),
        (50, None),
        (0, None),
        (-160, Some("ERROR")),
        (-1, None),
        (50, Some("WARN")),
    ] {
        clock.set(moved(SystemTime::now(), seconds));
        sessions.ping().await.unwrap();
        match is_news {
            Some("WARN") => expected.0 += 1,
            Some(_) => expected.1 += 1,
            None => {}
        }
        let told = |level: &str| {
            log.text().lines().filter(|line| line.contains(level) && line.contains("clock")).count()
        };
        assert_eq!((told("WARN"), told("ERROR")), expected, "{seconds}: {}", log.text());
    }
}

fn moved(time: SystemTime, seconds: i64) -> SystemTime {
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { time - by } else { time + by }
}
