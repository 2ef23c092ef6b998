//! Shows a message once, on the next page ("flash message").
//!
//! ```sh
//! cargo run --example flash
//! ```
//!
//! The message expires if nobody opens a page within five minutes.

use std::error::Error as StdError;

use axum::Router;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use session_runtime::{Error, Session, Sessions};

#[derive(Session)]
struct Page {
    /// Message for the next page. Expires after five minutes.
    #[session(ttl = "5m")]
    flash: Option<String>,
}

async fn index(page: Session<Page>) -> Result<Html<String>, Error> {
    // If two pages load at the same time, only the first gets the message.
    let flash = page.flash().take().await?.unwrap_or_default();
    Ok(Html(format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Flash messages</title>
<link rel="icon" href="data:,">
</head>
<body>
<p>{flash}</p>
<form method="post" action="/save"><button>Save</button></form>
</body>
</html>
"#
    )))
}

async fn save(page: Session<Page>) -> Result<Redirect, Error> {
    page.set_flash("Saved.").await?;
    Ok(Redirect::to("/"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).await?;
    // Fields that expire need Redis 7.4 or Valkey 9. This fails at startup instead of at the first
    // request.
    sessions.require::<Page>().await?;
    let app =
        Router::new().route("/", get(index)).route("/save", post(save)).layer(sessions.layer());
    axum::serve(session_examples::listener().await?, app).await?;
    Ok(())
}
