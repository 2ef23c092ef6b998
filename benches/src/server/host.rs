//! What serves pages: the frameworks as they are started by their users, on as many threads as there are processors.

use std::net::{Ipv4Addr, TcpListener};

use actix_web::rt::System;
use axum::Router;
use axum::routing::get;
use axum::serve::ListenerExt;

use crate::Failure;

/// Where a contestant listens.
pub(crate) struct Listeners {
    /// For all pages.
    pub(crate) pages: TcpListener,
    /// For the page that ignores its session, without the layer.
    pub(crate) bare: TcpListener,
}

impl Listeners {
    /// On free ports of this machine.
    pub(crate) fn bind() -> Result<Self, Failure> {
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        Ok(Self { pages: bind()?, bare: bind()? })
    }

    /// Tells whoever started this that requests may come.
    pub(crate) fn announce(&self) -> Result<(), Failure> {
        println!("{} {}", self.pages.local_addr()?, self.bare.local_addr()?);
        Ok(())
    }
}

/// Serves the pages on axum, and there the bare page too.
pub(crate) fn axum(
    listeners: Listeners,
    pages: impl Future<Output = Result<Router, Failure>>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let pages = pages.await?;
        listeners.announce()?;
        let bare = Router::new().route("/ignored", get(super::ignored));
        tokio::try_join!(serve(listeners.pages, pages), serve(listeners.bare, bare))?;
        Ok(())
    })
}

/// Runs servers on actix-web.
pub(crate) fn actix(servers: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    System::new().block_on(servers)
}

async fn serve(listener: TcpListener, pages: Router) -> Result<(), Failure> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?.tap_io(|stream| {
        // As actix-web does. A connection that is gone already fails where it is read.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, pages).await?)
}
