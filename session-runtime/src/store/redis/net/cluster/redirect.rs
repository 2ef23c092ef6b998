//! What a node answers that does not have the slot, and how long to go on for it.

use std::time::Duration;

use redis::Value;
use tokio::time::{Instant, sleep};

use crate::store::redis::cause::Code;
use crate::store::redis::net::connect_options::Address;
use crate::store::redis::net::link::jittered;

/// Where an answer sends to. Each proves that nothing was carried out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Detour {
    /// The slot is there.
    Moved(Address),
    /// The slot is on its way, and the key may be there already: this once.
    Ask(Address),
    /// To the same slot in a moment: it is on its way with only one of two keys, or has no master just now.
    Later,
}

impl Detour {
    /// The replies are those of the node at this address.
    pub(crate) fn of(replies: &[Value], node: &Address) -> Option<Self> {
        replies.iter().find_map(|reply| Self::of_one(reply, node))
    }

    fn of_one(reply: &Value, node: &Address) -> Option<Self> {
        let Value::ServerError(error) = reply else { return None };
        // `MOVED 3999 127.0.0.1:6381`
        let target = || address_in(error.details()?.split(' ').next_back()?, node);
        match error.code() {
            "MOVED" => Some(target().map_or(Self::Later, Self::Moved)),
            "ASK" => Some(target().map_or(Self::Later, Self::Ask)),
            _ => Code::from(error).sends_elsewhere().then_some(Self::Later),
        }
    }
}

/// A node that does not know how another is reached leaves out the host: it is its own. With a question mark in its place it
/// is not told here.
fn address_in(text: &str, node: &Address) -> Option<Address> {
    let (host, port) = text.rsplit_once(':').filter(|(host, _)| *host != "?")?;
    let host = if host.is_empty() { &node.host } else { host };
    Some(Address { host: host.to_owned(), port: port.parse().ok()? })
}

/// How long an operation follows detours.
pub(crate) struct Patience {
    deadline: Instant,
    detours: u32,
    pause: Duration,
}

/// So many in a row are usual: one that is out of date, one that is on its way.
const USUAL_DETOURS: u32 = 2;
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// With less time than this left nothing is sent any more: what became of it would not be known.
const ENOUGH: Duration = Duration::from_millis(10);

impl Patience {
    pub(crate) fn until(deadline: Instant) -> Self {
        Self { deadline, detours: 0, pause: SHORTEST_PAUSE }
    }

    /// Whether to go on where an answer sent to. Nodes that send to each other do not agree yet: from then on, after a pause.
    pub(crate) async fn detour(&mut self) -> bool {
        self.detours += 1;
        self.detours <= USUAL_DETOURS || self.wait().await
    }

    /// Whether to go on after a pause; at once if there is no time for it.
    pub(crate) async fn wait(&mut self) -> bool {
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
    fn answers_send_where_they_say() {
        let at = |host: &str, port| Address { host: host.into(), port };
        for (reply, expected) in [
            ("-MOVED 3999 127.0.0.1:6381", Some(Detour::Moved(at("127.0.0.1", 6381)))),
            ("-MOVED 3999 ::1:6381", Some(Detour::Moved(at("::1", 6381)))),
            ("-MOVED 3999 node.example:6381", Some(Detour::Moved(at("node.example", 6381)))),
            ("-MOVED 3999 :6381", Some(Detour::Moved(at("self", 6381)))),
            ("-ASK 3999 127.0.0.1:6381", Some(Detour::Ask(at("127.0.0.1", 6381)))),
            ("-MOVED nowhere", Some(Detour::Later)),
            ("-MOVED 3999 ?:6381", Some(Detour::Later)),
            ("-ASK 3999 ?:6381", Some(Detour::Later)),
            ("-TRYAGAIN Multiple keys request during rehashing of slot", Some(Detour::Later)),
            ("-CLUSTERDOWN Hash slot not served", Some(Detour::Later)),
            ("-WRONGTYPE Operation against a key", None),
            ("+OK", None),
        ] {
            let reply = redis::parse_redis_value(format!("{reply}\r\n").as_bytes()).unwrap();
            assert_eq!(Detour::of(&[Value::Okay, reply], &at("self", 1)), expected);
        }
    }
}
