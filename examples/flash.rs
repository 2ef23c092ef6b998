//! Flash messages: what one page leaves for the next, shown once, and forgotten if nobody looks.
//!
//! ```sh
//! cargo run --example flash
//! ```

use std::error::Error as StdError;

use axum::Router;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use session_runtime::{Error, Session, Sessions};

#[derive(Session)]
struct Page {
    /// Shown by the next page, if that comes within five minutes.
    #[session(ttl = "5m")]
    flash: Option<String>,
}

async fn index(page: Session<Page>) -> Result<Html<String>, Error> {
    // Of two pages at once, one shows it.
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
    // Fields that expire need Redis 7.4 or Valkey 9: better said now than at the first request.
    sessions.require::<Page>()?;
    let app =
        Router::new().route("/", get(index)).route("/save", post(save)).layer(sessions.layer());
    axum::serve(session_examples::listener().await?, app).await?;
    Ok(())
}
