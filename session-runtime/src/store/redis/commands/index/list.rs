//! The list of a value's sessions, as Redis stores it.

use std::time::{Duration, SystemTime};

use redis::Value;

use crate::id::SessionId;
use crate::store::redis::protocol::reply::time;
use crate::store::{ListEntry, Listing};

/// The time for which the second step of a change may be under way.
///
/// The second step is refused a minute after the first, by the clock of the session's node. Clocks
/// of nodes may differ by up to four minutes, and a failover may change the clock of the list by
/// four minutes more. The scripts `prune.lua` and `mark.lua` use the same time.
const PENDING_FOR: Duration = Duration::from_secs(600);

/// The number of seconds after which the time of the first step repeats in a score: three days.
const CYCLE: u64 = 1 << 18;

/// Interprets the members and scores of a list. Without `has_steps`, no entry is pending.
pub(super) fn listing(members: Vec<Value>, read_at: Value, has_steps: bool) -> Option<Listing> {
    let read_at = time(read_at)?;
    let mut entries = Vec::with_capacity(members.len());
    let mut words = members.into_iter().flat_map(in_pair);
    while let (Some(member), Some(score)) = (words.next(), words.next()) {
        // The mark of an end is no session.
        let (Some(session), Some(score)) = (session_id(&member), number(&score)) else { continue };
        let pending_since = has_steps.then(|| pending_since(score, read_at)).flatten();
        entries.push(ListEntry { session, pending_since });
    }
    Some(Listing { entries, read_at })
}

/// RESP3 has pairs of a member and a score. RESP2 and scripts have both in turn.
fn in_pair(reply: Value) -> Vec<Value> {
    match reply {
        Value::Array(pair) => pair,
        word => vec![word],
    }
}

fn session_id(member: &Value) -> Option<SessionId> {
    match member {
        Value::BulkString(text) => SessionId::from_ascii(text),
        _ => None,
    }
}

fn number(score: &Value) -> Option<f64> {
    match score {
        Value::BulkString(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        Value::Double(number) => Some(*number),
        _ => None,
    }
}

/// Returns the time of the first step, if it was less than ten minutes ago. `index_list.lua`
/// describes the score.
fn pending_since(score: f64, now: SystemTime) -> Option<SystemTime> {
    let added_at = (score.abs().fract() * CYCLE as f64).round() as u64;
    let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    // An entry may be a second or so ahead of the clock.
    let ago = (since_1970 + PENDING_FOR.as_secs() + CYCLE - added_at % CYCLE) % CYCLE;
    let ago = ago.saturating_sub(PENDING_FOR.as_secs());
    (ago < PENDING_FOR.as_secs()).then(|| now - Duration::from_secs(ago))
}
