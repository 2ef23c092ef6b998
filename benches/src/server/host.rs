//! What serves pages: the frameworks as they are started by their users, on as many threads as
//! there are processors.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::{process, thread};

use actix_web::rt::System;
use axum::Router;
use axum::routing::get;
use axum::serve::ListenerExt;
use tokio::runtime::{Builder, Runtime};

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

    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { pages: self.pages.try_clone()?, bare: self.bare.try_clone()? })
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
    let runtime = Runtime::new()?;
    runtime.block_on(async {
        let pages = pages.await?;
        listeners.announce()?;
        serve_both(listeners, pages).await
    })
}

/// The same with a single-threaded runtime on each thread, all of which take connections from the
/// same listeners. The pages are made within each of them.
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
            eprintln!("a thread serves no more: {served:?}");
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
        // As actix-web does. A connection that is gone already fails where it is read.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, pages).await?)
}
