//! A query for a server's role, sent along with an operation that a replica would also answer.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use redis::Value;
use redis::aio::MultiplexedConnection;
use tokio::time::{Instant, timeout_at};

use crate::store::redis::protocol::command::command_of;
use crate::store::redis::protocol::reply::text_in;

/// `HELLO`, which needs no permission, handed over ahead of the operation. Both travel together.
pub(crate) struct RoleQuery(Pin<Box<dyn Future<Output = Role> + Send>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Master,
    Replica,
    /// The connection ended, or there was no answer in time.
    Unknown,
}

impl RoleQuery {
    pub(crate) async fn hand_over(connection: &MultiplexedConnection) -> Self {
        let mut connection = connection.clone();
        let mut question: Pin<Box<dyn Future<Output = Role> + Send>> = Box::pin(async move {
            let answer = connection.send_packed_command(&command_of(&["HELLO"])).await;
            answer.map_or(Role::Unknown, |answer| role_in(&answer))
        });
        match poll_fn(|cx| Poll::Ready(question.as_mut().poll(cx))).await {
            Poll::Ready(role) => Self(Box::pin(async move { role })),
            Poll::Pending => Self(question),
        }
    }

    pub(crate) async fn answer(self, deadline: Instant) -> Role {
        timeout_at(deadline, self.0).await.unwrap_or(Role::Unknown)
    }
}

/// Reads the role in a reply to `HELLO`. A server that reports no role is not a Redis with
/// replicas.
pub(crate) fn role_in(hello: &Value) -> Role {
    if text_in(hello, "role") == Some("replica") { Role::Replica } else { Role::Master }
}
