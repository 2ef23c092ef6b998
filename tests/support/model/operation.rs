//! Operations of a request on its session, and their outcomes.

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
    /// Writes a value that no other operation writes.
    Set(char, u64),
    Remove(char),
    Clear,
    Rotate,
    /// Renews with the lifetime of this class.
    Renew(u8),
    Destroy,
}

/// The outcome of an operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Outcome {
    Value(u64),
    Yes(bool),
    Left(Option<Duration>),
    Done,
    Gone,
    Committed,
    /// An error after which nothing has changed.
    Unavailable,
    Unknown,
    /// An error that no operation here may return.
    Other,
}

pub(super) type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;

impl Kind {
    /// Runs the operation.
    pub(super) fn run(self, session: Session<Model>) -> Running {
        Box::pin(async move {
            match self.try_run(&session).await {
                Ok(outcome) => outcome,
                Err(error) if error.is_gone() => Outcome::Gone,
                Err(error) if error.is_headers_sent() => Outcome::Committed,
                Err(error) if error.is_outcome_unknown() => Outcome::Unknown,
                Err(error) if error.is_unavailable() => Outcome::Unavailable,
                Err(_) => Outcome::Other,
            }
        })
    }

    async fn try_run(self, session: &Session<Model>) -> Result<Outcome, Error> {
        Ok(match self {
            Self::Get('a') => Outcome::Value(session.a().await?),
            Self::Get(_) => Outcome::Value(session.b().await?),
            Self::Has('a') => Outcome::Yes(session.a().exists().await?),
            Self::Has(_) => Outcome::Yes(session.b().exists().await?),
            Self::Exists => Outcome::Yes(session.exists().await?),
            Self::ExpiresIn => Outcome::Left(session.expires_in().await?),
            Self::Set('a', value) => session.set_a(value).await.map(|()| Outcome::Done)?,
            Self::Set(_, value) => session.set_b(value).await.map(|()| Outcome::Done)?,
            Self::Remove('a') => Outcome::Yes(session.a().remove().await?),
            Self::Remove(_) => Outcome::Yes(session.b().remove().await?),
            Self::Clear => session.clear().await.map(|()| Outcome::Done)?,
            Self::Rotate => session.rotate().await.map(|()| Outcome::Done)?,
            Self::Renew(class) => {
                session.renew(Lifetime::custom(class)).await.map(|()| Outcome::Done)?
            }
            Self::Destroy => session.destroy().await.map(|()| Outcome::Done)?,
        })
    }
}
