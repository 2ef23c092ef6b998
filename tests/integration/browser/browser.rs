//! `examples/login.rs` in a real browser.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::response::Html;
use axum::{Router, routing::get};
use session_tests::browser::{Browser, Page};
use session_tests::example::Example;
use session_tests::server::RedisServer;
use session_tests::until;
use tokio::net::TcpListener;

const COOKIE: &str = "session-id";
const HOST_COOKIE: &str = "__Host-session-id";
const SECURE: (&str, &str) = ("SESSION_COOKIE_SECURE", "true");
const DAY: u64 = 24 * 60 * 60;

async fn sign_in(page: &Page, name: &str) {
    page.expect_title("Sign in").await;
    page.fill("#name", name).await;
    page.fill("#password", "an example").await;
    page.follow("#login").await;
}

async fn sign_out(page: &Page) {
    page.follow("#logout").await;
    page.expect_title("Sign in").await;
}

async fn expect_signed_in(page: &Page, name: &str) {
    page.expect_title("Welcome").await;
    assert_eq!(page.text("#user").await, name);
}

#[tokio::test]
async fn a_user_signs_in_is_known_after_a_reload_and_signs_out() {
    let Some(browser) = Browser::start() else { return };
    let example = Example::start("login", &[]);
    let page = browser.open(example.url()).await;
    sign_in(&page, "ada").await;
    expect_signed_in(&page, "ada").await;
    page.reload().await;
    expect_signed_in(&page, "ada").await;
    sign_out(&page).await;
    page.visit(example.url()).await;
    page.expect_title("Sign in").await;
}

#[tokio::test]
async fn the_back_button_shows_no_private_page_after_signing_out() {
    let Some(browser) = Browser::start() else { return };
    let example = Example::start("login", &[]);
    let page = browser.open(example.url()).await;
    sign_in(&page, "ada").await;
    expect_signed_in(&page, "ada").await;
    sign_out(&page).await;
    page.back().await;
    assert!(!page.has("#user").await, "{}", page.title().await);
    page.expect_title("Sign in").await;
}

/// Behaviour: planted login cookie. The id and the token from before the login are worthless after
/// the login.
#[tokio::test]
async fn a_planted_session_is_replaced_at_login() {
    let Some(browser) = Browser::start() else { return };
    let example = Example::start("login", &[]);
    let page = browser.open(example.url()).await;
    page.expect_title("Sign in").await;
    let (planted, known) =
        (page.cookie(COOKIE).await.unwrap(), page.value("[name=form_token]").await);
    sign_in(&page, "ada").await;
    expect_signed_in(&page, "ada").await;
    let cookie = page.cookie(COOKIE).await.unwrap();
    assert_ne!(cookie.value, planted.value);
    page.run(&format!("document.querySelector('[name=form_token]').value = '{known}'")).await;
    page.follow("#logout").await;
    page.expect_title("This page was out of date").await;
    page.follow("#again").await;
    expect_signed_in(&page, "ada").await;

    page.set_cookie(&planted).await;
    page.reload().await;
    assert!(!page.has("#user").await);
    page.set_cookie(&cookie).await;
    page.visit(example.url()).await;
    expect_signed_in(&page, "ada").await;
}

#[tokio::test]
async fn signing_in_as_somebody_else_ends_the_session_that_was_there() {
    let Some(browser) = Browser::start() else { return };
    let example = Example::start("login", &[]);
    let page = browser.open(example.url()).await;
    sign_in(&page, "ada").await;
    expect_signed_in(&page, "ada").await;
    let of_ada = page.cookie(COOKIE).await.unwrap();
    page.run(
        "const form = document.querySelector('form');
         form.action = '/login';
         form.insertAdjacentHTML('beforeend', '<input name=name value=grace><input name=password \
         value=\"an example\">');",
    )
    .await;
    page.follow("#logout").await;
    expect_signed_in(&page, "grace").await;
    assert_ne!(page.cookie(COOKIE).await.unwrap().value, of_ada.value);

    page.set_cookie(&of_ada).await;
    page.reload().await;
    assert!(!page.has("#user").await);
}

#[tokio::test]
async fn a_remembered_user_is_known_to_a_browser_that_was_closed() {
    let Some(browser) = Browser::start() else { return };
    let example = Example::start("login", &[]);
    let page = browser.open(example.url()).await;
    sign_in(&page, "ada").await;
    expect_signed_in(&page, "ada").await;
    assert_eq!(page.cookie(COOKIE).await.unwrap().expiry, None);
    page.close().await;

    let page = browser.open(example.url()).await;
    page.expect_title("Sign in").await;
    page.click("#remember").await;
    sign_in(&page, "ada").await;
    expect_signed_in(&page, "ada").await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let expiry = page.cookie(COOKIE).await.unwrap().expiry.unwrap();
    assert!((now + 179 * DAY..=now + 180 * DAY).contains(&expiry), "{expiry}");
    page.close().await;

    let page = browser.open(example.url()).await;
    expect_signed_in(&page, "ada").await;
    sign_out(&page).await;
    assert_eq!(page.cookie(COOKIE).await.map(|cookie| cookie.expiry), Some(None));
}

#[tokio::test]
async fn a_form_without_the_token_is_refused() {
    let Some(browser) = Browser::start() else { return };
    let example = Example::start("login", &[]);
    let page = browser.open(example.url()).await;
    for forgery in ["token.value = ''", "token.remove()", "token.value = '0'.repeat(64)"] {
        page.run(&format!("const token = document.querySelector('[name=form_token]'); {forgery}"))
            .await;
        sign_in(&page, "ada").await;
        page.expect_title("This page was out of date").await;
        page.follow("#again").await;
        page.expect_title("Sign in").await;
    }
    sign_in(&page, "ada").await;
    expect_signed_in(&page, "ada").await;
    for forgery in ["token.value = ''", "token.remove()", "token.value = '0'.repeat(64)"] {
        page.run(&format!("const token = document.querySelector('[name=form_token]'); {forgery}"))
            .await;
        page.follow("#logout").await;
        page.expect_title("This page was out of date").await;
        page.follow("#again").await;
        expect_signed_in(&page, "ada").await;
    }
}

/// `SameSite=Lax` keeps the cookie out of such a request. If the cookie is sent anyway, the token
/// protects the form.
#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let Some(browser) = Browser::start() else { return };
    for variables in [&[][..], &[SECURE, ("SESSION_COOKIE_SAME_SITE", "None")]] {
        let example = Example::start("login", variables);
        let page = browser.open(example.url()).await;
        let logout = other_site(format!("{}/logout", example.url())).await;
        let login = other_site(format!("{}/login", example.url())).await;
        page.visit(&login).await;
        page.follow("button").await;
        page.expect_title("This page was out of date").await;
        page.visit(example.url()).await;
        sign_in(&page, "ada").await;
        expect_signed_in(&page, "ada").await;
        for forged in [&logout, &login] {
            page.visit(forged).await;
            page.follow("button").await;
            page.visit(example.url()).await;
            expect_signed_in(&page, "ada").await;
        }
        page.close().await;
    }
}

/// `localhost` and `127.0.0.1` are different sites.
async fn other_site(target: String) -> String {
    let body = format!(
        r#"<!DOCTYPE html><title>Another site</title><form method="post" action="{target}">
        <input name="name" value="grace"><input name="password" value="an example"><button>Win</button></form>"#
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let app = Router::new().route("/", get(move || async move { Html(body) }));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

/// Behaviour: host prefix in a browser.
#[tokio::test]
async fn a_host_cookie_is_set_and_removed_by_a_browser_that_enforces_the_prefix() {
    let Some(browser) = Browser::start() else { return };
    let example = Example::start("login", &[SECURE]);
    let page = browser.open(example.url()).await;
    for (cookie, is_set) in [
        ("__Host-a=1; Path=/", false),
        ("__Host-b=1; Path=/login; Secure", false),
        ("__Host-c=1; Path=/; Secure", true),
    ] {
        page.run(&format!("document.cookie = '{cookie}'")).await;
        let name = cookie.split('=').next().unwrap();
        assert_eq!(page.cookie(name).await.is_some(), is_set, "{cookie}");
    }

    sign_in(&page, "ada").await;
    expect_signed_in(&page, "ada").await;
    let cookie = page.cookie(HOST_COOKIE).await.unwrap();
    assert!(cookie.secure && cookie.http_only);
    assert_eq!((&*cookie.path, &*cookie.domain, &*cookie.same_site), ("/", "127.0.0.1", "Lax"));
    assert_eq!(page.run("return document.cookie").await, "__Host-c=1");

    // Logs out without following the redirect, because the next page would set a new cookie.
    let token = page.value("[name=form_token]").await;
    page.visit(&format!("{}/style.css", example.url())).await;
    page.run(&format!(
        "const body = new URLSearchParams({{ form_token: '{token}' }});
         return fetch('/logout', {{ method: 'POST', redirect: 'manual', body }}).then(reply => \
         reply.type);"
    ))
    .await;
    assert_eq!(page.cookie(HOST_COOKIE).await, None);
    page.visit(example.url()).await;
    page.expect_title("Sign in").await;
}

#[tokio::test]
async fn two_tabs_are_one_session() {
    let Some(browser) = Browser::start() else { return };
    let example = Example::start("login", &[]);
    let page = browser.open(example.url()).await;
    let first = page.tab().await;
    let second = page.open_tab(example.url()).await;
    page.expect_title("Sign in").await;

    page.switch_to(&first).await;
    sign_in(&page, "ada").await;
    expect_signed_in(&page, "ada").await;
    // The form in the other tab is from before the login.
    page.switch_to(&second).await;
    sign_in(&page, "grace").await;
    page.expect_title("This page was out of date").await;
    page.follow("#again").await;
    expect_signed_in(&page, "ada").await;

    page.switch_to(&first).await;
    sign_out(&page).await;
    page.switch_to(&second).await;
    sign_out(&page).await;
}

#[tokio::test]
async fn a_browser_with_a_session_that_ended_elsewhere_can_sign_in_again() {
    let Some(browser) = Browser::start() else { return };
    let example = Example::start("login", &[]);
    let page = browser.open(example.url()).await;
    sign_in(&page, "ada").await;
    expect_signed_in(&page, "ada").await;
    let ended = page.cookie(COOKIE).await.unwrap();
    sign_out(&page).await;
    page.set_cookie(&ended).await;
    page.visit(example.url()).await;
    page.expect_title("Your session has ended").await;
    // At first, a response from the ending request could still be on the way. After a few seconds
    // it cannot.
    until("the login page", async || {
        page.follow("#again").await;
        page.title().await == "Sign in"
    })
    .await;
    sign_in(&page, "grace").await;
    expect_signed_in(&page, "grace").await;
}

#[tokio::test]
async fn a_user_and_an_administrator_sign_another_device_out() {
    let (Some(laptop), Some(phone)) = (Browser::start(), Browser::start()) else { return };
    let example = Example::start("login", &[]);
    let (laptop, phone) = (laptop.open(example.url()).await, phone.open(example.url()).await);
    for page in [&laptop, &phone] {
        sign_in(page, "ada").await;
        expect_signed_in(page, "ada").await;
    }
    laptop.follow("#devices").await;
    laptop.expect_title("Where you are signed in").await;
    assert!(laptop.text("#sessions").await.contains("this device"));
    laptop.follow(".end").await;
    laptop.expect_title("Where you are signed in").await;
    assert!(!laptop.has(".end").await);

    phone.reload().await;
    phone.expect_title("Your session has ended").await;
    until("the login page", async || {
        phone.follow("#again").await;
        phone.title().await == "Sign in"
    })
    .await;
    assert_eq!(phone.text(".problem").await, "Your session was ended elsewhere.");
    sign_in(&phone, "grace").await;
    expect_signed_in(&phone, "grace").await;
    phone.follow("#admin").await;
    phone.fill("#name", "ada").await;
    phone.follow("#end-all").await;
    assert_eq!(phone.text("#ended").await, "1 sessions were ended.");
    laptop.visit(example.url()).await;
    laptop.expect_title("Your session has ended").await;
}

#[tokio::test]
async fn a_wrong_password_signs_nobody_in_and_input_is_escaped() {
    let Some(browser) = Browser::start() else { return };
    let example = Example::start("login", &[]);
    let page = browser.open(example.url()).await;
    let name = r#""><b id="injected">&amp;'"#;
    for (name, password) in [(name, "an example"), ("ada", "another"), ("ada", " ")] {
        page.expect_title("Sign in").await;
        page.fill("#name", name).await;
        page.fill("#password", password).await;
        page.follow("#login").await;
        assert_eq!(page.text(".problem").await, "This name and password do not match.");
        assert_eq!(page.value("#name").await, name);
        assert!(!page.has("#injected").await);
    }
    sign_in(&page, "ada").await;
    expect_signed_in(&page, "ada").await;
}

#[tokio::test]
async fn the_pages_are_complete_and_the_policy_blocks_none_of_their_content() {
    let Some(browser) = Browser::start() else { return };
    let is_whole = "return document.compatMode == 'CSS1Compat' && document.title != ''
        && document.documentElement.lang == 'en' && document.querySelector('meta[name=viewport]') \
                    != null";
    let shows_icon = "return new Promise(done => {
        const icon = new Image();
        icon.onload = () => done(true);
        icon.onerror = () => done(false);
        icon.src = document.querySelector('link[rel=icon]').href;
    })";
    let example = Example::start("login", &[]);
    let page = browser.open(example.url()).await;
    page.expect_title("Sign in").await;
    assert_eq!((page.run(is_whole).await, page.run(shows_icon).await), (true.into(), true.into()));
    sign_in(&page, "ada").await;
    expect_signed_in(&page, "ada").await;
    assert_eq!((page.run(is_whole).await, page.run(shows_icon).await), (true.into(), true.into()));

    let example = Example::start("flash", &[]);
    page.visit(example.url()).await;
    assert_eq!(page.run(is_whole).await, true);
    page.follow("button").await;
    assert_eq!(
        (page.run(is_whole).await, page.text("p").await),
        (true.into(), "Saved.".to_owned())
    );
}

#[tokio::test]
async fn an_unavailable_store_signs_nobody_out() {
    let Some(browser) = Browser::start() else { return };
    let server = RedisServer::start();
    let secret = ("SESSION_SECRET", session_tests::cookies::SECRET);
    let example = Example::start("login", &[("SESSION_REDIS", &server.url()), secret]);
    let page = browser.open(example.url()).await;
    sign_in(&page, "ada").await;
    expect_signed_in(&page, "ada").await;
    server.pause();
    page.reload().await;
    page.expect_title("One moment, please").await;
    server.resume();
    page.follow("#again").await;
    expect_signed_in(&page, "ada").await;
}
