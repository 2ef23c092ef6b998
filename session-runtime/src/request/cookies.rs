//! The sessions that a request's cookies or token name.

use smallvec::SmallVec;

use super::manager::Manager;
use crate::lifecycle::{Candidate, ResolvedCookies};
use crate::telemetry::{EventQueue, LifecycleEvent};

/// The maximum number of verified cookies that are looked up in the store, in order. If none leads
/// to a live session, the request has no session.
const MAX_CANDIDATES: usize = 4;

/// The maximum number of sessions that a request's cookies may name. If there are more, the
/// youngest count. Browsers keep fewer than twice as many cookies for a site, and very few with the
/// same name.
const MAX_NAMED: usize = 100;

/// A candidate for each session that the request's cookies name, in order. Mostly just a single
/// candidate.
pub(super) type Candidates = SmallVec<[Candidate; 1]>;

/// Reads the bearer token.
pub(super) fn resolve_token(
    manager: &Manager,
    token: Option<&[u8]>,
    events: &mut EventQueue,
) -> ResolvedCookies<Candidates> {
    let named = token.and_then(|token| manager.token_candidate(token, events));
    select(manager, named.into_iter().collect(), token.is_some(), events)
}

/// Reads the values of the session's cookies.
pub(super) fn resolve(
    manager: &Manager,
    values: &[&[u8]],
    events: &mut EventQueue,
) -> ResolvedCookies<Candidates> {
    let has_cookie = !values.is_empty();
    let named = verify(values, |value| manager.candidate(value, events));
    let resolved = select(manager, named, has_cookie, events);
    #[cfg(feature = "redis-session-compat")]
    if resolved.candidates.is_empty() {
        let named = verify(values, |value| manager.forgeable_candidate(value));
        let mut forgeable = select(manager, named, has_cookie, events);
        forgeable.unusable.extend(resolved.unusable);
        return forgeable;
    }
    resolved
}

/// Returns a candidate for each session.
fn verify(values: &[&[u8]], mut read: impl FnMut(&[u8]) -> Option<Candidate>) -> Candidates {
    let mut candidates = Candidates::new();
    for candidate in values.iter().filter_map(|value| read(value)) {
        match candidates.iter_mut().find(|other| other.session.id == candidate.session.id) {
            Some(same) => same.merge(candidate),
            None => candidates.push(candidate),
        }
        if candidates.len() > MAX_NAMED {
            remove_oldest(&mut candidates);
        }
    }
    candidates
}

/// Keeps the sessions that can be alive, and of too many only the youngest. So cookies that an
/// attacker planted do not hide the cookie of a login.
#[inline]
pub(super) fn select(
    manager: &Manager,
    mut candidates: Candidates,
    has_cookie: bool,
    events: &mut EventQueue,
) -> ResolvedCookies<Candidates> {
    let (now, mut unusable) = (manager.now(), Vec::new());
    candidates.retain(|candidate| {
        let is_plausible = candidate.session.is_plausible(now);
        if !is_plausible {
            if unusable.len() < MAX_CANDIDATES {
                events.push(LifecycleEvent::Expired, Some(&candidate.session.id));
            }
            unusable.push(candidate.session.clone());
        }
        is_plausible
    });
    while candidates.len() > MAX_CANDIDATES {
        unusable.push(remove_oldest(&mut candidates).session);
    }
    ResolvedCookies { has_cookie, candidates, unusable }
}

fn remove_oldest(candidates: &mut Candidates) -> Candidate {
    let times = candidates.iter().map(|candidate| candidate.session.created_at).enumerate();
    let oldest = times.min_by_key(|(_, created_at)| *created_at).map_or(0, |(at, _)| at);
    candidates.remove(oldest)
}
