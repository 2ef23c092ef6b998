//! Operations on the sessions of a user, and their outcomes.

use std::future::Future;
use std::pin::Pin;

use session_runtime::find::{FoundSessions, Surplus};
use session_runtime::{Error, Lifetime, Session, SessionHandle, Sessions};

use super::choices::Choices;

/// The session of the model, with an index.
#[derive(Session)]
#[session(fields = "AuthFields")]
pub(super) struct Auth {
    #[session(index)]
    pub(super) user: Option<u64>,
}

/// Fields of the same session, without an index.
#[derive(Session)]
#[session(fields = "CartFields")]
struct Cart {
    items: u64,
}

/// An operation. A number is the user.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Login(u64, Login),
    Set(u64),
    Remove,
    Count,
    Add,
    Rotate,
    Renew,
    Destroy,
    ListOf(u64),
    CountOf(u64),
    /// Ends the session with this tag.
    End(u64, String),
    EndOthers(u64),
    EndAll(u64),
    KeepNewest(u64, usize),
}

/// The ways to log in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Login {
    /// The login renews the id. Otherwise it rotates the id, or keeps the id.
    pub(super) renews: bool,
    pub(super) rotates: bool,
    pub(super) keeps_only: bool,
    pub(super) has_checkpoint: bool,
    pub(super) at_most: Option<(u32, Surplus)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Done,
    Number(usize),
    Tags(Vec<String>),
    EndedSince,
    TooMany,
    /// The operation failed in a way that says nothing about other sessions.
    Failed,
    /// An error that no operation here may return.
    Other(String),
}

pub(super) type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;

impl Kind {
    pub(super) fn draw(choices: &mut Choices, tags: &[String]) -> Self {
        let user = 1 + u64::from(choices.percent(25));
        let most = 1 + choices.below(3);
        match choices.below(26) {
            0..9 => Self::Login(user, Login::draw(choices, most)),
            9 => Self::Set(user),
            10 => Self::Remove,
            11 => Self::Count,
            12 => Self::Add,
            13 | 14 => Self::Rotate,
            15 => Self::Renew,
            16 => Self::Destroy,
            17 => Self::ListOf(user),
            18 => Self::CountOf(user),
            19 => {
                let at = choices.below(tags.len());
                Self::End(user, tags.get(at).cloned().unwrap_or_default())
            }
            20 => Self::EndOthers(user),
            21 => Self::KeepNewest(user, most),
            _ => Self::EndAll(user),
        }
    }

    /// Returns whether the operation belongs to a request of a browser.
    pub(super) fn is_of_browser(&self) -> bool {
        !matches!(
            self,
            Self::ListOf(_)
                | Self::CountOf(_)
                | Self::End(..)
                | Self::EndAll(_)
                | Self::KeepNewest(..)
        )
    }

    /// Returns the user whose sessions the operation concerns.
    pub(super) fn user(&self) -> Option<u64> {
        match self {
            Self::Login(user, _)
            | Self::Set(user)
            | Self::ListOf(user)
            | Self::CountOf(user)
            | Self::End(user, _)
            | Self::EndOthers(user)
            | Self::EndAll(user)
            | Self::KeepNewest(user, _) => Some(*user),
            _ => None,
        }
    }

    pub(super) fn login(&self) -> Option<Login> {
        match self {
            Self::Login(_, login) => Some(*login),
            _ => None,
        }
    }

    pub(super) fn run(self, sessions: Sessions, handle: &SessionHandle) -> Running {
        let (auth, cart) = (handle.session(), handle.session());
        Box::pin(async move {
            match self.try_run(&sessions, &auth, &cart).await {
                Ok(outcome) => outcome,
                Err(error) if error.is_ended_since() => Outcome::EndedSince,
                Err(error) if error.is_too_many() => Outcome::TooMany,
                Err(error) if error.is_gone() || error.is_unavailable() => Outcome::Failed,
                Err(error) => Outcome::Other(error.to_string()),
            }
        })
    }

    async fn try_run(
        self,
        sessions: &Sessions,
        auth: &Session<Auth>,
        cart: &Session<Cart>,
    ) -> Result<Outcome, Error> {
        let of = |user: u64| sessions.find(Auth::by_user(user));
        let done = |()| Outcome::Done;
        Ok(match self {
            Self::Login(user, login) => login.run(user, &of(user), auth).await.map(done)?,
            Self::Set(user) => auth.set_user(user).await.map(done)?,
            Self::Remove => auth.user().remove().await.map(|_| Outcome::Done)?,
            Self::Count => cart.items().await.map(|_| Outcome::Done)?,
            Self::Add => cart.set_items(1).await.map(done)?,
            Self::Rotate => cart.rotate().await.map(done)?,
            Self::Renew => cart.renew(Lifetime::normal()).await.map(done)?,
            Self::Destroy => cart.destroy().await.map(done)?,
            Self::ListOf(user) => {
                let list = of(user).list().await?;
                Outcome::Tags(list.iter().map(|entry| entry.tag().to_owned()).collect())
            }
            Self::CountOf(user) => Outcome::Number(of(user).count().await?),
            Self::End(user, tag) => Outcome::Number(usize::from(of(user).end(&tag).await?)),
            Self::EndOthers(user) => Outcome::Number(of(user).end_others(auth).await?),
            Self::EndAll(user) => Outcome::Number(of(user).end_all().await?),
            Self::KeepNewest(user, most) => Outcome::Number(of(user).keep_newest(most).await?),
        })
    }
}

impl Login {
    fn draw(choices: &mut Choices, most: usize) -> Self {
        let how = choices.below(4);
        let surplus = if choices.percent(30) { Surplus::Refuse } else { Surplus::EndOldest };
        Self {
            renews: how < 2,
            rotates: how == 2,
            keeps_only: choices.percent(50),
            has_checkpoint: choices.percent(50),
            at_most: choices.percent(50).then_some((most as u32, surplus)),
        }
    }

    async fn run(
        self,
        user: u64,
        found: &FoundSessions<Auth>,
        auth: &Session<Auth>,
    ) -> Result<(), Error> {
        let mut batch = auth.write();
        if self.has_checkpoint {
            batch = batch.unless_ended_since(found.checkpoint().await?);
        }
        batch = batch.set(auth.user(), user);
        if self.keeps_only && (self.renews || self.rotates) {
            batch = batch.keep_only(());
        }
        if let Some((most, surplus)) = self.at_most {
            batch = batch.at_most(most, surplus);
        }
        match (self.renews, self.rotates) {
            (true, _) => batch.renew(Lifetime::normal()).commit().await,
            (false, true) => batch.rotate().commit().await,
            (false, false) => batch.commit().await,
        }
    }
}
