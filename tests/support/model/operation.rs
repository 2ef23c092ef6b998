//! Operations of a request on its session, and their outcomes.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use session_runtime::{Error, Lifetime, Session};

use super::choices::Choices;

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
    Login(Login),
    Destroy,
}

/// A batch that changes the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Login {
    /// Class of the lifetime. `None` rotates.
    pub(super) renews: Option<u8>,
    /// The values, which no other operation writes. `None` leaves the field out.
    pub(super) a: Option<u64>,
    pub(super) b: Option<u64>,
    pub(super) keeps: Keeps,
}

/// The argument of `keep_only`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// `keep_only` is not called.
    All,
    Nothing,
    Only(char),
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
    /// Returns the value that the operation writes to this field.
    pub(super) fn value_of(self, field: char) -> Option<u64> {
        match self {
            Self::Set(other, value) if other == field => Some(value),
            Self::Login(login) => login.value_of(field),
            _ => None,
        }
    }

    /// Returns whether the operation removes this field from a session and leaves the session live.
    pub(super) fn removes(self, field: char) -> bool {
        match self {
            Self::Remove(other) => other == field,
            Self::Clear => true,
            Self::Login(login) => login.removes(field),
            _ => false,
        }
    }

    /// Returns whether the operation ends an id.
    pub(super) fn ends_id(self) -> bool {
        matches!(self, Self::Rotate | Self::Renew(_) | Self::Login(_) | Self::Destroy)
    }

    /// Returns the class of the lifetime that the operation starts.
    pub(super) fn renews(self) -> Option<u8> {
        match self {
            Self::Renew(class) => Some(class),
            Self::Login(login) => login.renews,
            _ => None,
        }
    }

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
            Self::Login(login) => login.run(session).await.map(|()| Outcome::Done)?,
            Self::Destroy => session.destroy().await.map(|()| Outcome::Done)?,
        })
    }
}

impl Login {
    pub(super) const FIELDS: [char; 2] = ['a', 'b'];

    pub(super) fn value_of(self, field: char) -> Option<u64> {
        if field == 'a' { self.a } else { self.b }
    }

    /// Returns whether the batch removes this field.
    pub(super) fn removes(self, field: char) -> bool {
        self.keeps != Keeps::All
            && self.keeps != Keeps::Only(field)
            && self.value_of(field).is_none()
    }

    /// Changes the fields of a session as the login must.
    pub(super) fn change(self, fields: &mut BTreeMap<String, Bytes>) {
        for field in Self::FIELDS {
            match self.value_of(field) {
                Some(value) => drop(fields.insert(field.to_string(), value.to_string().into())),
                None if self.removes(field) => drop(fields.remove(&field.to_string())),
                None => {}
            }
        }
    }

    /// Draws a login with two fresh values.
    pub(super) fn draw(choices: &mut Choices, values: [u64; 2]) -> Self {
        let renews = [None, Some(0), Some(1)][choices.below(3)];
        let [a, b] = [(true, false), (false, true), (true, true)]
            .map(|(a, b)| [a.then_some(values[0]), b.then_some(values[1])])[choices.below(3)];
        let keeps = [Keeps::All, Keeps::Nothing, Keeps::Only('a'), Keeps::Only('b')];
        Self { renews, a, b, keeps: keeps[choices.below(4)] }
    }

    async fn run(self, session: &Session<Model>) -> Result<(), Error> {
        let mut batch = session.write();
        if let Some(value) = self.a {
            batch = batch.set(session.a(), value);
        }
        if let Some(value) = self.b {
            batch = batch.set(session.b(), value);
        }
        batch = match self.keeps {
            Keeps::All => batch,
            Keeps::Nothing => batch.keep_only(()),
            Keeps::Only('a') => batch.keep_only((session.a(),)),
            Keeps::Only(_) => batch.keep_only((session.b(),)),
        };
        batch = match self.renews {
            Some(class) => batch.renew(Lifetime::custom(class)),
            None => batch.rotate(),
        };
        batch.commit().await
    }
}
