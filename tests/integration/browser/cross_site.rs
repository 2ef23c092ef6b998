//! Cross-site requests, by hand and in a real browser.

use axum::extract::Query;
use axum::response::Html;
use axum::routing::{any, get, post};
use axum::{Json, Router};
use session_runtime::{Error, MemoryStore, SameSite, Session, SessionConfig, Sessions};
use session_tests::browser::{Browser, Page};
use session_tests::cookies::SECRET;
use tokio::net::TcpListener;

#[derive(Session)]
struct Visitor {
    count: u64,
}

fn sessions(name: &str, policy: SameSite) -> Sessions {
    let config = SessionConfig::new().secret(SECRET).cookie_name(name).cookie_same_site(policy);
    Sessions::with_store(config, MemoryStore::new()).unwrap()
}

#[tokio::test]
async fn the_error_names_the_permission_and_nothing_is_written() {
    let sessions = sessions("sid", SameSite::Lax);
    let cross = |name: &str| (name == "sec-fetch-site").then_some(b"cross-site".as_slice());
    let handle = sessions.open([]);
    handle.note_request("POST", cross);
    let session: Session<Visitor> = handle.session();
    for error in
        [session.set_count(1).await.unwrap_err(), session.count().incr(1).await.unwrap_err()]
    {
        assert_eq!((error.is_cross_site(), error.status()), (true, 403));
        assert!(error.to_string().contains("`allow_cross_site`"), "{error}");
    }
    session.count().remove().await.unwrap();
    session.destroy().await.unwrap();
    assert_eq!(session.count().await.unwrap(), 0);
    assert_eq!(handle.finish().set_cookie(), None);
    let handle = sessions.open([]);
    handle.note_request("POST", cross);
    handle.allow_cross_site();
    handle.session::<Visitor>().set_count(1).await.unwrap();
    assert!(handle.finish().set_cookie().is_some());
}

async fn page(session: Session<Visitor>) -> Result<Html<String>, Error> {
    let count = session.count().incr(1).await?;
    Ok(Html(format!("<!DOCTYPE html><title>Visits</title><p id=count>{count}</p>")))
}

/// The second way of the guide: the page loads the next page by itself.
async fn go_on() -> Html<&'static str> {
    Html(r#"<!DOCTYPE html><meta http-equiv="refresh" content="0; url=/"><title>Thank you</title>"#)
}

async fn begin_flow(flow: Session<Visitor>) -> Result<Html<&'static str>, Error> {
    flow.set_count(41).await?;
    Ok(Html("<!DOCTYPE html><title>Flow</title>"))
}

async fn flow_callback(flow: Session<Visitor>) -> Result<Json<u64>, Error> {
    Ok(Json(flow.count().incr(1).await?))
}

/// Serves a page that counts, callbacks in the guide's ways, and a page with `allow_cross_site`.
async fn serve(policy: SameSite) -> String {
    let (sessions, flow) = (sessions("sid", policy), sessions("flow", SameSite::None));
    let flow_routes = Router::new()
        .route("/flow", get(begin_flow))
        .route("/flow/callback", post(flow_callback))
        .layer(flow.layer());
    let app = Router::new()
        .route("/allowed", any(page))
        .layer(sessions.layer().allow_cross_site())
        .route("/", any(page))
        .route("/callback", post(go_on))
        .layer(sessions.layer())
        .merge(flow_routes);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    base
}

#[derive(serde::Deserialize)]
struct Target {
    url: String,
}

/// Serves a page with a link and a form to the URL. `localhost` and `127.0.0.1` are different
/// sites.
async fn serve_other_site() -> String {
    let page = async |Query(Target { url }): Query<Target>| {
        Html(format!(
            r#"<!DOCTYPE html><title>Another site</title><a href="{url}">Go</a>
            <form method="post" action="{url}"><button>Send</button></form>"#
        ))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let app = Router::new().route("/", get(page));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

/// Returns the text of the page behind the other site's link (`a`) or form (`button`).
async fn come_from(page: &Page, other: &str, selector: &str, url: &str) -> String {
    page.visit(&format!("{other}/?url={url}")).await;
    page.follow(selector).await;
    page.text("body").await
}

/// Visits the page that counts, as if the user typed the address.
async fn count(page: &Page, base: &str) -> String {
    page.visit(base).await;
    page.text("#count").await
}

#[tokio::test]
async fn another_sites_form_under_lax_and_link_under_strict_do_not_replace_the_session() {
    let Some(browser) = Browser::start() else { return };
    let other = serve_other_site().await;
    for (policy, by_form, by_link) in [
        (SameSite::Lax, "Forbidden", "4"),
        (SameSite::Strict, "Forbidden", "Forbidden"),
        (SameSite::None, "4", "5"),
    ] {
        let base = serve(policy).await;
        let page = browser.open(&base).await;
        for expected in ["2", "3"] {
            assert_eq!(count(&page, &base).await, expected);
        }
        let session = page.cookie("sid").await.unwrap().value;
        assert_eq!(come_from(&page, &other, "button", &base).await, by_form, "{policy}");
        assert_eq!(come_from(&page, &other, "a", &base).await, by_link, "{policy}");
        page.visit(&base).await;
        assert_eq!(page.cookie("sid").await.unwrap().value, session, "{policy}");
        page.close().await;
    }
}

#[tokio::test]
async fn a_new_visitor_comes_by_a_link_under_lax_and_where_the_route_allows_it() {
    let Some(browser) = Browser::start() else { return };
    let other = serve_other_site().await;
    for (policy, path, selector, expected) in [
        (SameSite::Lax, "/", "a", "1"),
        (SameSite::Lax, "/", "button", "Forbidden"),
        (SameSite::Lax, "/allowed", "button", "1"),
        (SameSite::Strict, "/", "a", "Forbidden"),
        (SameSite::Strict, "/allowed", "a", "1"),
    ] {
        let base = serve(policy).await;
        let page = browser.open(&other).await;
        let told = come_from(&page, &other, selector, &format!("{base}{path}")).await;
        assert_eq!(told, expected, "{policy} {path} {selector}");
        assert_eq!(
            page.cookie("sid").await.is_some(),
            expected == "1",
            "{policy} {path} {selector}"
        );
        page.close().await;
    }
}

#[tokio::test]
async fn a_callback_keeps_the_session_in_each_way_of_the_guide() {
    let Some(browser) = Browser::start() else { return };
    let other = serve_other_site().await;
    for policy in [SameSite::Lax, SameSite::Strict] {
        let base = serve(policy).await;
        let page = browser.open(&base).await;
        page.visit(&format!("{other}/?url={base}/callback")).await;
        page.click("button").await;
        page.expect_title("Visits").await;
        assert_eq!(page.text("#count").await, "2", "{policy}");

        page.visit(&format!("{base}/flow")).await;
        assert_eq!(
            come_from(&page, &other, "button", &format!("{base}/flow/callback")).await,
            "42"
        );
        assert_eq!(count(&page, &base).await, "3", "{policy}");
        page.close().await;
    }
}
