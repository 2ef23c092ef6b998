//! `examples/chat.rs` in a real browser.

use session_tests::browser::{Browser, Page};
use session_tests::example::Example;
use session_tests::until;

async fn sign_in(page: &Page, name: &str) {
    expect_status(page, "Signed out").await;
    page.fill("#user", name).await;
    page.follow("#sign-in button").await;
    expect_status(page, &format!("Signed in as {name}")).await;
}

/// Waits until the page has connected, or has noticed the end.
async fn expect_status(page: &Page, status: &str) {
    until(status, async || page.text("#status").await == status).await;
}

async fn say(page: &Page, message: &str) {
    page.fill("#message", message).await;
    page.click("#say button").await;
}

async fn expect_said(page: &Page, line: &str) {
    until(line, async || page.text("#said").await.ends_with(line)).await;
}

#[tokio::test]
async fn every_tab_notices_the_end_of_its_session() {
    let (Some(laptop), Some(phone)) = (Browser::start(), Browser::start()) else { return };
    let example = Example::start("chat", &[]);
    let (laptop, phone) = (laptop.open(example.url()).await, phone.open(example.url()).await);
    sign_in(&laptop, "ada").await;
    let first = laptop.tab().await;
    let second = laptop.open_tab(example.url()).await;
    expect_status(&laptop, "Signed in as ada").await;
    sign_in(&phone, "ada").await;
    say(&phone, "<b>hello</b>").await;
    for tab in [&first, &second] {
        laptop.switch_to(tab).await;
        expect_said(&laptop, "ada: <b>hello</b>").await;
    }

    // A normal sign-out ends the tabs of this browser alone.
    laptop.follow("#sign-out").await;
    for tab in [&second, &first] {
        laptop.switch_to(tab).await;
        expect_status(&laptop, "Signed out").await;
    }
    say(&phone, "still here").await;
    expect_said(&phone, "ada: still here").await;

    sign_in(&laptop, "ada").await;
    laptop.switch_to(&second).await;
    laptop.reload().await;
    expect_status(&laptop, "Signed in as ada").await;
    phone.follow("#sign-out-everywhere").await;
    expect_status(&phone, "Signed out").await;
    for tab in [&second, &first] {
        laptop.switch_to(tab).await;
        expect_status(&laptop, "Signed out").await;
    }
}

#[tokio::test]
async fn a_tab_reconnects_after_a_login_in_another_tab() {
    let Some(browser) = Browser::start() else { return };
    let example = Example::start("chat", &[]);
    let page = browser.open(example.url()).await;
    sign_in(&page, "ada").await;
    let first = page.tab().await;
    page.open_tab(example.url()).await;
    expect_status(&page, "Signed in as ada").await;
    page.fill("#user", "grace").await;
    page.follow("#sign-in button").await;
    expect_status(&page, "Signed in as grace").await;
    page.switch_to(&first).await;
    expect_status(&page, "Signed in as grace").await;
    say(&page, "hello").await;
    expect_said(&page, "grace: hello").await;
}
