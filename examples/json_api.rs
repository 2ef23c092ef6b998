//! A JSON API for a shopping cart. Errors are JSON too.
//!
//! ```sh
//! cargo run --example json_api
//! ```

use std::collections::BTreeMap;
use std::error::Error as StdError;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;
use session_runtime::{Error, Session, Sessions};

#[derive(Session)]
struct Shopper {
    coupon: Option<String>,
    /// Quantity of each article.
    #[session(json)]
    items: BTreeMap<String, u32>,
}

#[derive(Serialize)]
struct Cart {
    coupon: Option<String>,
    items: BTreeMap<String, u32>,
}

async fn cart(session: Session<Shopper>) -> Result<Json<Cart>, Failure> {
    let (coupon, items) = session.read((session.coupon(), session.items())).await?;
    Ok(Json(Cart { coupon, items }))
}

#[derive(Deserialize)]
struct Quantity {
    quantity: u32,
}

async fn put_item(
    session: Session<Shopper>,
    Path(article): Path<String>,
    Json(Quantity { quantity }): Json<Quantity>,
) -> Result<Json<BTreeMap<String, u32>>, Failure> {
    if quantity > 99 {
        return Err(Failure::TooMany);
    }
    // No change is lost if two tabs write at the same time: the second retries with the new value.
    let items = session.items().update(|mut items| {
        match quantity {
            0 => items.remove(&article),
            _ => items.insert(article.clone(), quantity),
        };
        items
    });
    Ok(Json(items.await?))
}

async fn leave(session: Session<Shopper>) -> Result<StatusCode, Failure> {
    session.destroy().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reason why a request failed, sent as JSON.
enum Failure {
    TooMany,
    Session(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Session(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::TooMany => (StatusCode::UNPROCESSABLE_ENTITY, "at most 99 of an article"),
            Self::Session(error) => session_failure(&error),
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}

/// The error's text goes to the log, not to the client.
fn session_failure(error: &Error) -> (StatusCode, &'static str) {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let message = match status {
        StatusCode::CONFLICT => "your session has ended",
        StatusCode::SERVICE_UNAVAILABLE => "try again in a moment",
        _ => "something went wrong",
    };
    tracing::error!(
        error = error as &dyn StdError,
        %status,
        "a session error was sent as the response"
    );
    (status, message)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).await?;
    let app = Router::new()
        .route("/cart", get(cart).delete(leave))
        .route("/cart/items/{article}", put(put_item))
        .layer(sessions.layer());
    axum::serve(session_examples::listener().await?, app).await?;
    Ok(())
}
