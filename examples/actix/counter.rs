//! Counts the visits of each visitor, on actix-web.
//!
//! ```sh
//! cargo run --example actix_counter
//! ```

use std::error::Error as StdError;

use actix_web::{App, HttpServer, web};
use session_runtime::{Error, Session, Sessions};

#[derive(Session)]
struct Visitor {
    count: u64,
}

async fn index(session: Session<Visitor>) -> Result<String, Error> {
    let count = session.count().incr(1).await?;
    Ok(format!("count: {count}\n"))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(session_examples::config()?).await?;
    let app = move || App::new().route("/", web::get().to(index)).wrap(sessions.middleware());
    HttpServer::new(app).listen(session_examples::std_listener()?)?.run().await?;
    Ok(())
}
