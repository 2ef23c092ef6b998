//! The web framework of the suite's program.

use std::net::TcpListener;

use actix_web::dev::ServerHandle;
use session_runtime::Sessions;
use tokio::task::JoinHandle;

use super::gates::Gates;
use super::{actix_app, axum_app, poem_app};

/// The web framework of the suite's program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adapter {
    /// axum, with the tower layer.
    #[default]
    Axum,
    /// actix-web.
    Actix,
    /// poem.
    Poem,
}

/// The session layers of the suite's program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layers {
    pub(crate) number: usize,
    pub(crate) has_bearer: bool,
}

impl Adapter {
    /// Serves the suite's program behind these session layers.
    pub(crate) fn serve(
        self,
        listener: TcpListener,
        sessions: Sessions,
        gates: Gates,
        layers: Layers,
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

/// A running program. It ends when this value is dropped.
#[derive(Debug)]
pub(crate) enum Serving {
    Task(JoinHandle<()>),
    Actix(ServerHandle),
}

impl Drop for Serving {
    fn drop(&mut self) {
        match self {
            Self::Task(task) => task.abort(),
            // The call takes effect at once. The future only waits for the end.
            Self::Actix(server) => drop(server.stop(false)),
        }
    }
}
