//! What a request may do with its session, and what it was told.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use session_runtime::{Error, Lifetime, Session};

/// The session of the model.
#[derive(Debug, Session)]
pub(super) struct Model {
    pub(super) a: u64,
    pub(super) b: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Get(char),
    Has(char),
    Exists,
    ExpiresIn,
    /// With a value that nobody else writes.
    Set(char, u64),
    Remove(char),
    Clear,
    Rotate,
    /// With the lifetime of this class.
    Renew(u8),
    Destroy,
}

/// What an operation gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Told {
    Value(u64),
    Yes(bool),
    Left(Option<Duration>),
    Done,
    Gone,
    Committed,
    /// Nothing was changed.
    Unavailable,
    Unknown,
    /// An error that no operation here may give.
    Other,
}

pub(super) type Running = Pin<Box<dyn Future<Output = Told> + Send>>;

impl Kind {
    /// Carries it out.
    pub(super) fn run(self, session: Session<Model>) -> Running {
        Box::pin(async move {
            match self.try_run(&session).await {
                Ok(told) => told,
                Err(error) if error.is_gone() => Told::Gone,
                Err(error) if error.is_headers_sent() => Told::Committed,
                Err(error) if error.is_outcome_unknown() => Told::Unknown,
                Err(error) if error.is_unavailable() => Told::Unavailable,
                Err(_) => Told::Other,
            }
        })
    }

    async fn try_run(self, session: &Session<Model>) -> Result<Told, Error> {
        Ok(match self {
            Self::Get('a') => Told::Value(session.a().await?),
            Self::Get(_) => Told::Value(session.b().await?),
            Self::Has('a') => Told::Yes(session.a().exists().await?),
            Self::Has(_) => Told::Yes(session.b().exists().await?),
            Self::Exists => Told::Yes(session.exists().await?),
            Self::ExpiresIn => Told::Left(session.expires_in().await?),
            Self::Set('a', value) => session.set_a(value).await.map(|()| Told::Done)?,
            Self::Set(_, value) => session.set_b(value).await.map(|()| Told::Done)?,
            Self::Remove('a') => Told::Yes(session.a().remove().await?),
            Self::Remove(_) => Told::Yes(session.b().remove().await?),
            Self::Clear => session.clear().await.map(|()| Told::Done)?,
            Self::Rotate => session.rotate().await.map(|()| Told::Done)?,
            Self::Renew(class) => session.renew(Lifetime::custom(class)).await.map(|()| Told::Done)?,
            Self::Destroy => session.destroy().await.map(|()| Told::Done)?,
        })
    }
}
