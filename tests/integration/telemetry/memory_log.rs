//! Log lines of a full memory store.

use session_runtime::{Session, SessionConfig, Sessions};
use session_tests::log::Log;
use tracing::instrument::WithSubscriber;

#[derive(Session)]
struct Visitor {
    name: String,
}

#[tokio::test]
async fn many_losses_are_one_log_line() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    async {
        let sessions =
            Sessions::new(SessionConfig::new().store("memory:?max_entries=10")).await.unwrap();
        for _ in 0..1000 {
            let _ = sessions.create::<Visitor>().await;
        }
    }
    .with_subscriber(subscriber)
    .await;
    let log = log.text();
    assert_eq!(log.matches("is full").count(), 1, "{log}");
    assert!(log.contains("WARN") && log.contains("refused=1 "), "{log}");
}
