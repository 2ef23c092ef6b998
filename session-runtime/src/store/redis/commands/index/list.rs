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
/// four minutes more. The script `prune.lua` uses the same time.
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
        entries.push(ListEntry { session, pending_since, counts: score >= 0.0 });
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

pub(super) fn number(score: &Value) -> Option<f64> {
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

/// Returns the time until which an entry stays: ten minutes after the absolute deadline.
pub(super) fn stays_until(score: f64) -> Option<SystemTime> {
    let deadline = Duration::try_from_secs_f64(score.abs().floor()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(deadline)?.checked_add(PENDING_FOR)
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    const ID: &str = "dGFndGFnAGkBAgMAc2VjcmV0c2VjcmV0c2VjcmV0";

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn score(deadline: u64, added_at: u64) -> f64 {
        deadline as f64 + (added_at % CYCLE) as f64 / CYCLE as f64
    }

    #[test]
    fn an_entry_is_pending_for_ten_minutes() {
        let added_at = 1_795_960_000;
        let score = score(added_at + 86_400, added_at);
        for (later, is_pending) in [(0, true), (599, true), (600, false), (86_000, false)] {
            let expected = is_pending.then(|| at(added_at));
            assert_eq!(pending_since(score, at(added_at + later)), expected, "{later}");
            assert_eq!(pending_since(-score, at(added_at + later)), expected, "{later}");
        }
    }

    /// The time of an addition repeats after three days. A failover may set a clock back.
    #[test]
    fn the_cycle_of_a_score_has_no_gap() {
        for added_at in [CYCLE * 6_851 - 1, CYCLE * 6_851, CYCLE * 6_851 + 1] {
            let score = score(added_at + 86_400, added_at);
            assert_eq!(pending_since(score, at(added_at + 300)), Some(at(added_at)));
            assert_eq!(pending_since(score, at(added_at - 240)), Some(at(added_at - 240)));
        }
        assert_eq!(pending_since(f64::NAN, at(1_000)), pending_since(0.0, at(1_000)));
    }

    #[test]
    fn both_protocols_are_read() {
        let time = b"*2\r\n$10\r\n1795960000\r\n$1\r\n7\r\n";
        let flat = format!("*4\r\n$5\r\nended\r\n$1\r\n5\r\n$40\r\n{ID}\r\n$4\r\n15.5\r\n");
        let pairs = format!("*1\r\n*2\r\n$40\r\n{ID}\r\n,15.5\r\n");
        for reply in [flat, pairs] {
            let Value::Array(members) = parse_redis_value(reply.as_bytes()).unwrap() else {
                panic!("{reply}")
            };
            let time = parse_redis_value(time).unwrap();
            let listing = listing(members, time, false).unwrap();
            assert_eq!(listing.sessions().collect::<Vec<_>>(), [SessionId::parse(ID).unwrap()]);
            assert_eq!(listing.entries[0].pending_since, None);
            assert_eq!(listing.read_at, at(1_795_960_000) + Duration::from_micros(7));
        }
    }
}
