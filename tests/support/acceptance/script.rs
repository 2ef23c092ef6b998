//! Instructions for a handler.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Steps of a handler on its session, and the form of the response.
///
/// By default, every step runs and the response contains all results, including errors. With
/// [`strict`](Self::strict), the first error becomes the response.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Script {
    pub(crate) steps: Vec<Step>,
    /// Steps that run after the response headers are sent. Their results are the body.
    pub(crate) late: Vec<Step>,
    pub(crate) strict: bool,
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

/// The body of the response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum Body {
    /// The results of the steps.
    #[default]
    Results,
    /// An empty body.
    Empty,
    /// The results of the steps, streamed in pieces without a length.
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
    /// Renews with the lifetime of this class.
    Renew(u8),
    Destroy,
    /// Runs several steps concurrently.
    Join(Vec<Step>),
    Gate(String),
}

impl Script {
    /// Creates a script without steps.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a field.
    pub fn get(self, field: &str) -> Self {
        self.step(Step::Get(field.to_owned()))
    }

    /// Sets a field to a value.
    pub fn set(self, field: &str, value: impl Into<Value>) -> Self {
        self.step(Step::Set(field.to_owned(), value.into()))
    }

    /// Asks whether a field exists.
    pub fn exists(self, field: &str) -> Self {
        self.step(Step::Exists(field.to_owned()))
    }

    /// Reads the stored bytes of a field.
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

    /// Reads the session's id.
    pub fn session_id(self) -> Self {
        self.step(Step::SessionId)
    }

    /// Asks whether a session exists.
    pub fn session_exists(self) -> Self {
        self.step(Step::SessionExists)
    }

    /// Reads the time until the session expires, in seconds.
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

    /// Runs the steps of another script after the response headers are sent, and responds with
    /// their results.
    pub fn late(self, other: Self) -> Self {
        Self { late: other.steps, ..self }
    }

    /// Runs all steps of another script concurrently.
    pub fn join(self, other: Self) -> Self {
        self.step(Step::Join(other.steps))
    }

    /// Waits at one of the program's gates.
    pub fn gate(self, name: &str) -> Self {
        self.step(Step::Gate(name.to_owned()))
    }

    /// Responds with the first error.
    pub fn strict(self) -> Self {
        Self { strict: true, ..self }
    }

    /// Responds with this status.
    pub fn status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Responds with an additional header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Responds with this body.
    pub fn body(self, body: Body) -> Self {
        Self { body, ..self }
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}
