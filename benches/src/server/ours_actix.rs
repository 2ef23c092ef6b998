//! session-runtime on actix-web.

use actix_web::{App, HttpServer, web};

use super::host::Listeners;
use super::ours::{
    Near, counter, five, five_batched, incr, login, login_listed, read, read_and_write, seed_five,
    seed_large, seed_one, sessions, write,
};
use crate::Failure;

pub(crate) async fn serve(redis: &str, listeners: Listeners, near: Near) -> Result<(), Failure> {
    let sessions = sessions(redis, near).await?;
    listeners.announce()?;
    let pages =
        move || actix_pages!(App::new(), login_listed, read_and_write).wrap(sessions.middleware());
    let bare = || App::new().route("/ignored", web::get().to(super::ignored));
    let pages = HttpServer::new(pages).listen(listeners.pages)?.run();
    let bare = HttpServer::new(bare).listen(listeners.bare)?.run();
    tokio::try_join!(pages, bare)?;
    Ok(())
}
