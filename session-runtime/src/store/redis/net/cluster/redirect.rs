//! Redirections by nodes, and the limit for following them.

use std::time::Duration;

use redis::Value;
use tokio::time::{Instant, sleep};

use crate::store::redis::cause::Code;
use crate::store::redis::net::address::Address;
use crate::store::redis::net::backoff::jittered;

/// A redirection. Every redirection proves that nothing was carried out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Redirect {
    /// The slot is at this node.
    Moved(Address),
    /// The slot is migrating to this node, and the key may be there already. Only this request
    /// should go there.
    Ask(Address),
    /// Try the same slot again in a moment. Either the slot is migrating and only one of two keys
    /// has moved, or the slot currently has no master.
    Retry,
}

impl Redirect {
    /// Finds a redirection in the replies of the node at this address.
    pub(super) fn in_replies(replies: &[Value], node: &Address) -> Option<Self> {
        replies.iter().find_map(|reply| Self::in_reply(reply, node))
    }

    fn in_reply(reply: &Value, node: &Address) -> Option<Self> {
        let Value::ServerError(error) = reply else { return None };
        // `MOVED 3999 127.0.0.1:6381`
        let target = || address_in(error.details()?.split(' ').next_back()?, node);
        match error.code() {
            "MOVED" => Some(target().map_or(Self::Retry, Self::Moved)),
            "ASK" => Some(target().map_or(Self::Retry, Self::Ask)),
            _ => Code::from(error).is_retryable().then_some(Self::Retry),
        }
    }
}

/// Reads the address in a redirection. An empty host stands for the host of the answering node,
/// which does not know how the other node can be reached. A question mark stands for an unknown
/// host.
fn address_in(text: &str, node: &Address) -> Option<Address> {
    let (host, port) = text.rsplit_once(':').filter(|(host, _)| *host != "?")?;
    let host = if host.is_empty() { &node.host } else { host };
    Some(Address { host: host.to_owned(), port: port.parse().ok()? })
}

/// The time that an operation may spend on redirections.
pub(super) struct RetryBudget {
    deadline: Instant,
    redirects: u32,
    pause: Duration,
}

/// The usual number of redirections in a row: one because the slots were out of date, and one
/// because the slot is migrating.
const USUAL_REDIRECTS: u32 = 2;
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// The shortest remaining time for sending a request. With less time, the outcome would stay
/// unknown.
const ENOUGH: Duration = Duration::from_millis(10);

impl RetryBudget {
    pub(super) fn with_deadline(deadline: Instant) -> Self {
        Self { deadline, redirects: 0, pause: SHORTEST_PAUSE }
    }

    /// Returns whether to follow a redirection. After the usual number of redirections, the nodes
    /// do not agree yet, so this pauses first.
    pub(super) async fn follow(&mut self) -> bool {
        self.redirects += 1;
        self.redirects <= USUAL_REDIRECTS || self.pause().await
    }

    /// Pauses and returns `true`. Returns `false` at once if there is not enough time left.
    pub(super) async fn pause(&mut self) -> bool {
        let pause = jittered(self.pause);
        if Instant::now() + pause + ENOUGH >= self.deadline {
            return false;
        }
        sleep(pause).await;
        self.pause = LONGEST_PAUSE.min(self.pause * 2);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_read_from_replies() {
        let at = |host: &str, port| Address { host: host.into(), port };
        for (reply, expected) in [
            ("-MOVED 3999 127.0.0.1:6381", Some(Redirect::Moved(at("127.0.0.1", 6381)))),
            ("-MOVED 3999 ::1:6381", Some(Redirect::Moved(at("::1", 6381)))),
            ("-MOVED 3999 node.example:6381", Some(Redirect::Moved(at("node.example", 6381)))),
            ("-MOVED 3999 :6381", Some(Redirect::Moved(at("self", 6381)))),
            ("-ASK 3999 127.0.0.1:6381", Some(Redirect::Ask(at("127.0.0.1", 6381)))),
            ("-MOVED nowhere", Some(Redirect::Retry)),
            ("-MOVED 3999 ?:6381", Some(Redirect::Retry)),
            ("-ASK 3999 ?:6381", Some(Redirect::Retry)),
            ("-TRYAGAIN Multiple keys request during rehashing of slot", Some(Redirect::Retry)),
            ("-CLUSTERDOWN Hash slot not served", Some(Redirect::Retry)),
            ("-WRONGTYPE Operation against a key", None),
            ("+OK", None),
        ] {
            let reply = redis::parse_redis_value(format!("{reply}\r\n").as_bytes()).unwrap();
            assert_eq!(Redirect::in_replies(&[Value::Okay, reply], &at("self", 1)), expected);
        }
    }
}
