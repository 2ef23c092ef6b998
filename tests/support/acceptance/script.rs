//! What a handler is to do.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a handler is to do with its session, and how it is to answer.
///
/// Without [`strict`](Self::strict), every step is taken and its result reported, errors too. With
/// it, the first error is the response.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Script {
    pub(crate) steps: Vec<Step>,
    /// Taken when the response's head was sent; their results are the body.
    pub(crate) late: Vec<Step>,
    pub(crate) strict: bool,
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

/// How the handler answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum Body {
    /// With the steps' results.
    #[default]
    Results,
    /// With nothing.
    Empty,
    /// With the steps' results, streamed in pieces without a length.
    Streamed,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Step {
    Get(String),
    Set(String, Value),
    Exists(String),
    Raw(String),
    Remove(String),
    Clear,
    SessionId,
    SessionExists,
    ExpiresIn,
    Rotate,
    /// With the lifetime of this class.
    Renew(u8),
    Destroy,
    /// Several steps side by side.
    Join(Vec<Step>),
    Gate(String),
}

impl Script {
    /// Does nothing with the session.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a field.
    pub fn get(self, field: &str) -> Self {
        self.step(Step::Get(field.to_owned()))
    }

    /// Gives a field a value.
    pub fn set(self, field: &str, value: impl Into<Value>) -> Self {
        self.step(Step::Set(field.to_owned(), value.into()))
    }

    /// Asks whether a field is there.
    pub fn exists(self, field: &str) -> Self {
        self.step(Step::Exists(field.to_owned()))
    }

    /// Reads a field's stored bytes.
    pub fn raw(self, field: &str) -> Self {
        self.step(Step::Raw(field.to_owned()))
    }

    /// Removes a field.
    pub fn remove(self, field: &str) -> Self {
        self.step(Step::Remove(field.to_owned()))
    }

    /// Removes all fields of the schema.
    pub fn clear(self) -> Self {
        self.step(Step::Clear)
    }

    /// Asks for the session's id.
    pub fn session_id(self) -> Self {
        self.step(Step::SessionId)
    }

    /// Asks whether there is a session.
    pub fn session_exists(self) -> Self {
        self.step(Step::SessionExists)
    }

    /// Asks how many seconds are left.
    pub fn expires_in(self) -> Self {
        self.step(Step::ExpiresIn)
    }

    /// Gives the session a new id.
    pub fn rotate(self) -> Self {
        self.step(Step::Rotate)
    }

    /// Gives the session a new id and a lifetime of this class.
    pub fn renew(self, class: u8) -> Self {
        self.step(Step::Renew(class))
    }

    /// Ends the session.
    pub fn destroy(self) -> Self {
        self.step(Step::Destroy)
    }

    /// Takes all steps of another script when the response's head was sent, and answers with what
    /// they came to.
    pub fn late(self, other: Self) -> Self {
        Self { late: other.steps, ..self }
    }

    /// Takes all steps of another script side by side.
    pub fn join(self, other: Self) -> Self {
        self.step(Step::Join(other.steps))
    }

    /// Waits at one of the app's gates.
    pub fn gate(self, name: &str) -> Self {
        self.step(Step::Gate(name.to_owned()))
    }

    /// The first error is the response.
    pub fn strict(self) -> Self {
        Self { strict: true, ..self }
    }

    /// Answers with this status.
    pub fn status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Answers with one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Answers in this way.
    pub fn body(self, body: Body) -> Self {
        Self { body, ..self }
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}
