//! Log lines about a short secret, or a secret pasted with a line break.

use session_runtime::redis_session::{CookieFormat, FlaskCookie, TornadoCookie};
use session_runtime::{SessionConfig, Sessions};
use session_tests::log::Log;
use tracing::instrument::WithSubscriber;

#[tokio::test]
async fn a_weak_secret_key_is_used_with_a_warning() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    async {
        let formats = [
            CookieFormat::Tornado(TornadoCookie::new("HUNTER2 and 31 bytes of secret.")),
            CookieFormat::Flask(FlaskCookie::new("HUNTER2 and 32 bytes of a secret")),
            CookieFormat::Flask(FlaskCookie::new("HUNTER2 and 33 bytes of a secret\n")),
        ];
        let config = SessionConfig::new().store("memory:").cookie_formats(formats);
        Sessions::new(config).await.unwrap();
        let empty = [CookieFormat::Flask(FlaskCookie::new(""))];
        let config = SessionConfig::new().store("memory:").cookie_formats(empty);
        assert!(Sessions::new(config).await.unwrap_err().is_config());
    }
    .with_subscriber(subscriber)
    .await;
    let log = log.text();
    assert_eq!(log.matches("WARN").count(), 2, "{log}");
    assert!(log.contains("format=\"Tornado\"") && log.contains("bytes=31"), "{log}");
    assert!(log.contains("format=\"Flask\"") && log.contains("contains a line break"), "{log}");
    assert!(!log.contains("HUNTER2"), "{log}");
}
