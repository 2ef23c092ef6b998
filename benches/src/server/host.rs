//! Serves the pages with each web framework. The frameworks start as in a user's program, with a
//! thread for each processor.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::{process, thread};

use actix_web::rt::System;
use axum::Router;
use axum::routing::get;
use axum::serve::ListenerExt;
use tokio::runtime::{Builder, Runtime};

use crate::Failure;

/// The listeners of a contestant.
pub(crate) struct Listeners {
    /// Listener for all pages.
    pub(crate) pages: TcpListener,
    /// Listener for the page that ignores the session, without the layer.
    pub(crate) bare: TcpListener,
}

impl Listeners {
    /// Binds free ports of this machine.
    pub(crate) fn bind() -> Result<Self, Failure> {
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        Ok(Self { pages: bind()?, bare: bind()? })
    }

    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { pages: self.pages.try_clone()?, bare: self.bare.try_clone()? })
    }

    /// Prints the addresses, which signals that requests may come.
    pub(crate) fn announce(&self) -> Result<(), Failure> {
        println!("{} {}", self.pages.local_addr()?, self.bare.local_addr()?);
        Ok(())
    }
}

/// Serves the pages on axum, and the bare page on the second listener.
pub(crate) fn axum(
    listeners: Listeners,
    pages: impl Future<Output = Result<Router, Failure>>,
) -> Result<(), Failure> {
    let runtime = Runtime::new()?;
    runtime.block_on(async {
        let pages = pages.await?;
        listeners.announce()?;
        serve_both(listeners, pages).await
    })
}

/// Like [`axum()`], with a single-threaded runtime on each thread. All threads accept connections
/// from the same listeners, and each creates separate pages.
pub(crate) fn axum_on_each_thread<P: Clone + Send + 'static>(
    listeners: Listeners,
    prepared: impl Future<Output = Result<P, Failure>>,
    pages: fn(P) -> Router,
) -> Result<(), Failure> {
    let runtime = single_threaded()?;
    let prepared = runtime.block_on(prepared)?;
    listeners.announce()?;
    for _ in 1..thread::available_parallelism()?.get() {
        let (listeners, prepared) = (listeners.try_clone()?, prepared.clone());
        thread::spawn(move || {
            let served = single_threaded().map_err(Failure::from).and_then(|runtime| {
                runtime.block_on(async { serve_both(listeners, pages(prepared)).await })
            });
            eprintln!("a thread stopped serving: {served:?}");
            process::exit(1);
        });
    }
    runtime.block_on(async { serve_both(listeners, pages(prepared)).await })
}

fn single_threaded() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Runs servers on actix-web.
pub(crate) fn actix(servers: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    System::new().block_on(servers)
}

async fn serve_both(listeners: Listeners, pages: Router) -> Result<(), Failure> {
    let bare = Router::new().route("/ignored", get(super::ignored));
    tokio::try_join!(serve(listeners.pages, pages), serve(listeners.bare, bare))?;
    Ok(())
}

async fn serve(listener: TcpListener, pages: Router) -> Result<(), Failure> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?.tap_io(|stream| {
        // Same as actix-web. If the connection has closed, the next read fails.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, pages).await?)
}
