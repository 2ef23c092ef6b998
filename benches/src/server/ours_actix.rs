//! session-runtime on actix-web.

use actix_web::{App, HttpServer, web};

use super::host::Listeners;
use super::ours::{
    counter, five, five_batched, incr, login, login_listed, read, seed_five, seed_large, seed_one,
    sessions, write,
};
use crate::Failure;

pub(crate) async fn serve(redis: &str, listeners: Listeners) -> Result<(), Failure> {
    let sessions = sessions(redis).await?;
    listeners.announce()?;
    let pages = move || actix_pages!(App::new(), login_listed).wrap(sessions.middleware());
    let bare = || App::new().route("/ignored", web::get().to(super::ignored));
    let pages = HttpServer::new(pages).listen(listeners.pages)?.run();
    let bare = HttpServer::new(bare).listen(listeners.bare)?.run();
    tokio::try_join!(pages, bare)?;
    Ok(())
}
