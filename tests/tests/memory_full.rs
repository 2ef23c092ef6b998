//! A full memory store, as the application sees it: by URL, through sessions, in the log.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use session_runtime::testing::Browser;
use session_runtime::{Error, Session, SessionConfig, Sessions};
use tracing::instrument::WithSubscriber;

#[derive(Session)]
struct Visitor {
    name: String,
}

#[tokio::test]
async fn new_sessions_are_refused_and_the_others_go_on_till_one_is_destroyed() {
    let sessions = manager("memory:?max_entries=2").await;
    let mut visitors = [Browser::new(&sessions), Browser::new(&sessions), Browser::new(&sessions)];
    let [first, second, third] = &mut visitors;
    name(first).await.unwrap();
    name(second).await.unwrap();
    let error = name(third).await.unwrap_err();
    assert!(!error.is_unavailable() && !error.is_gone() && !error.is_config(), "{error:?}");
    assert!(error.to_string().contains("full"), "{error}");
    assert_eq!(third.cookie(), None);

    for browser in [&mut *first, &mut *second] {
        browser.visit(async |session: Session<Visitor>| session.rotate().await).await.unwrap();
        assert_eq!(
            browser.visit(async |session: Session<Visitor>| session.name().await).await.unwrap(),
            "Ada"
        );
    }
    first.visit(async |session: Session<Visitor>| session.destroy().await).await.unwrap();
    name(third).await.unwrap();
}

#[tokio::test]
async fn a_session_that_outgrows_the_store_is_refused_and_keeps_what_it_has() {
    let sessions = manager("memory:?max_bytes=10000").await;
    let mut browser = Browser::new(&sessions);
    name(&mut browser).await.unwrap();
    let long = "x".repeat(10_000);
    browser.visit(async |session: Session<Visitor>| session.set_name(&long).await).await.unwrap_err();
    assert_eq!(browser.visit(async |session: Session<Visitor>| session.name().await).await.unwrap(), "Ada");
}

#[tokio::test]
async fn with_eviction_the_newcomer_gets_in() {
    let sessions = manager("memory:?max_entries=2&when_full=evict").await;
    let mut visitors = [Browser::new(&sessions), Browser::new(&sessions), Browser::new(&sessions)];
    for browser in &mut visitors {
        name(browser).await.unwrap();
    }
    for (browser, expected) in visitors.iter_mut().zip(["", "Ada", "Ada"]) {
        assert_eq!(
            browser.visit(async |session: Session<Visitor>| session.name().await).await.unwrap(),
            expected
        );
    }
}

#[tokio::test]
async fn a_flood_is_one_line_of_the_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    async {
        let sessions = manager("memory:?max_entries=10").await;
        for _ in 0..1000 {
            let _ = name(&mut Browser::new(&sessions)).await;
        }
    }
    .with_subscriber(subscriber)
    .await;
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("is full").count(), 1, "{log}");
    assert!(log.contains("WARN") && log.contains("refused=1 "), "{log}");
}

async fn manager(url: &str) -> Sessions {
    Sessions::new(SessionConfig::new().store(url)).await.unwrap()
}

async fn name(browser: &mut Browser) -> Result<(), Error> {
    browser.visit(async |session: Session<Visitor>| session.set_name("Ada").await).await
}

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
