//! The framework that the suite's program is on.

use std::net::TcpListener;

use actix_web::dev::ServerHandle;
use session_runtime::Sessions;
use tokio::task::JoinHandle;

use super::gates::Gates;
use super::{actix_app, axum_app, poem_app};

/// The framework that the suite's program is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adapter {
    /// axum, by the tower layer.
    #[default]
    Axum,
    /// actix-web.
    Actix,
    /// poem.
    Poem,
}

impl Adapter {
    /// Serves the suite's program, with this many session layers around it.
    pub(crate) fn serve(
        self,
        listener: TcpListener,
        sessions: Sessions,
        gates: Gates,
        layers: usize,
    ) -> Serving {
        match self {
            Self::Axum => {
                Serving::Task(tokio::spawn(axum_app::serve(listener, sessions, gates, layers)))
            }
            Self::Actix => Serving::Actix(actix_app::serve(listener, sessions, gates, layers)),
            Self::Poem => {
                Serving::Task(tokio::spawn(poem_app::serve(listener, sessions, gates, layers)))
            }
        }
    }
}

/// A program that is being served. It ends with this value.
#[derive(Debug)]
pub(crate) enum Serving {
    Task(JoinHandle<()>),
    Actix(ServerHandle),
}

impl Drop for Serving {
    fn drop(&mut self) {
        match self {
            Self::Task(task) => task.abort(),
            // Told at once; what it gives is only when that was done.
            Self::Actix(server) => drop(server.stop(false)),
        }
    }
}
