//! A full memory store, as an application sees the store: by URL and through sessions.

use session_runtime::testing::Browser;
use session_runtime::{Error, Session, SessionConfig, Sessions};

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
    browser
        .visit(async |session: Session<Visitor>| session.set_name(&long).await)
        .await
        .unwrap_err();
    assert_eq!(
        browser.visit(async |session: Session<Visitor>| session.name().await).await.unwrap(),
        "Ada"
    );
}

#[tokio::test]
async fn with_eviction_a_new_session_is_accepted() {
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

async fn manager(url: &str) -> Sessions {
    Sessions::new(SessionConfig::new().store(url)).await.unwrap()
}

async fn name(browser: &mut Browser) -> Result<(), Error> {
    browser.visit(async |session: Session<Visitor>| session.set_name("Ada").await).await
}
