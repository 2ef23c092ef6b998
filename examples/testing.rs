//! A small shop, and tests of the handlers: no server, no waiting.
//!
//! ```sh
//! cargo test -p session-examples --example testing
//! cargo run --example testing
//! ```

use std::error::Error as StdError;

use axum::Router;
use axum::routing::{get, post};
use session_runtime::{Error, Session, Sessions};

#[derive(Session)]
struct Cart {
    items: u32,
}

async fn show(cart: Session<Cart>) -> Result<String, Error> {
    Ok(format!("{} items\n", cart.items().await?))
}

async fn add(cart: Session<Cart>) -> Result<String, Error> {
    Ok(format!("{} items\n", cart.items().incr(1).await?))
}

/// Returns the application, for the server and for the tests. Only the session manager differs.
fn app(sessions: &Sessions) -> Router {
    Router::new().route("/", get(show)).route("/add", post(add)).layer(sessions.layer())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).await?;
    axum::serve(session_examples::listener().await?, app(&sessions)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use session_runtime::testing::{Browser, FailingStore, Failure, ManualClock, sessions};
    use session_runtime::{MemoryStore, SessionConfig};

    use super::*;

    type Outcome = Result<(), Box<dyn StdError>>;

    #[tokio::test]
    async fn a_cart_is_kept_from_one_request_to_the_next() -> Outcome {
        let sessions = sessions(SessionConfig::new(), &ManualClock::default())?;
        let mut browser = Browser::new(&sessions);
        assert_eq!(ask(&mut browser, &sessions, "POST", "/add").await?.1, "1 items\n");
        assert_eq!(ask(&mut browser, &sessions, "POST", "/add").await?.1, "2 items\n");
        assert_eq!(ask(&mut browser, &sessions, "GET", "/").await?.1, "2 items\n");
        Ok(())
    }

    /// A test can write the starting state directly.
    #[tokio::test]
    async fn a_cart_that_nobody_used_for_a_day_is_empty() -> Outcome {
        let clock = ManualClock::default();
        let sessions = sessions(SessionConfig::new(), &clock)?;
        let mut browser = Browser::new(&sessions);
        browser.visit(async |cart: Session<Cart>| cart.set_items(40).await).await?;
        assert_eq!(ask(&mut browser, &sessions, "GET", "/").await?.1, "40 items\n");
        clock.advance(Duration::from_secs(24 * 3600));
        assert_eq!(ask(&mut browser, &sessions, "GET", "/").await?.1, "0 items\n");
        Ok(())
    }

    #[tokio::test]
    async fn adding_to_a_cart_that_another_tab_ended_is_an_error() -> Outcome {
        let sessions = sessions(SessionConfig::new(), &ManualClock::default())?;
        let mut browser = Browser::new(&sessions);
        browser.visit(async |cart: Session<Cart>| cart.set_items(1).await).await?;
        let mut other_tab = browser.clone();
        browser.visit(async |cart: Session<Cart>| cart.destroy().await).await?;
        assert_eq!(ask(&mut other_tab, &sessions, "POST", "/add").await?.0, StatusCode::CONFLICT);
        Ok(())
    }

    #[tokio::test]
    async fn an_unavailable_store_shows_no_empty_cart() -> Outcome {
        let store = FailingStore::new(MemoryStore::new());
        // 32 random bytes, only for this test.
        let secret = "base64:Lh9fVYHXTq0XOCrdKu4SYmk4GybVl43hEoO2a6UdmlQ=";
        let sessions = Sessions::with_store(SessionConfig::new().secret(secret), store.clone())?;
        let mut browser = Browser::new(&sessions);
        browser.visit(async |cart: Session<Cart>| cart.set_items(1).await).await?;
        store.fail(Failure::Unavailable);
        assert_eq!(
            ask(&mut browser, &sessions, "GET", "/").await?.0,
            StatusCode::SERVICE_UNAVAILABLE
        );
        store.recover();
        assert_eq!(ask(&mut browser, &sessions, "GET", "/").await?.1, "1 items\n");
        Ok(())
    }

    /// Sends a request to the application, from a browser that keeps the cookie.
    async fn ask(
        browser: &mut Browser,
        sessions: &Sessions,
        method: &str,
        path: &str,
    ) -> Result<(StatusCode, String), Box<dyn StdError>> {
        let request = Request::builder().method(method).uri(path).body(Body::empty())?;
        let response = browser.send(app(sessions), request).await?;
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await?;
        Ok((status, String::from_utf8(body.to_vec())?))
    }
}
