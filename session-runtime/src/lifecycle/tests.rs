//! Every state with every operation and every report.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::*;
use crate::config::Lifetimes;
use crate::store::{Change, DestroyReason, Destroyed, Tombstone, TombstoneKind, WriteMode};
#[cfg(feature = "metrics")]
use crate::telemetry::LifecycleEvent;

const NORMAL: LifetimeId = LifetimeId::new(0);
const REMEMBERED: LifetimeId = LifetimeId::new(1);

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(2_000_000_000)
}

fn session() -> SessionMetadata {
    session_of(NORMAL, now())
}

fn session_of(lifetime: LifetimeId, created_at: SystemTime) -> SessionMetadata {
    SessionMetadata::new(
        SessionId::generate(created_at, lifetime).unwrap(),
        "app",
        &Lifetimes::default(),
    )
}

fn candidate(session: &SessionMetadata) -> Candidate {
    Candidate { session: session.clone(), cookie_due: false }
}

fn accessed(candidates: Vec<Candidate>) -> Lifecycle {
    let mut lifecycle = Lifecycle::default();
    lifecycle.resolve_cookies(|| resolved(candidates));
    lifecycle
}

fn resolved(candidates: Vec<Candidate>) -> ResolvedCookies<Vec<Candidate>> {
    ResolvedCookies { has_cookie: !candidates.is_empty(), candidates, unusable: Vec::new() }
}

/// Returns the age of a request that has just arrived.
fn age() -> RequestAge {
    RequestAge { since_arrival: Duration::ZERO, grace: Duration::from_secs(5), has_client: true }
}

fn logged_out() -> Tombstone {
    Tombstone { kind: LOGGED_OUT, age: Duration::ZERO }
}

const LOGGED_OUT: TombstoneKind = TombstoneKind::Destroyed(DestroyReason::LoggedOut);

/// Reports a session that was logged out a moment ago.
fn dies(lifecycle: &mut Lifecycle, id: &SessionId) {
    if let Some(session) = lifecycle.dead(id) {
        lifecycle.tombstone_read(&session.id, Some(logged_out()), age());
    }
}

fn live(session: &SessionMetadata) -> Lifecycle {
    let mut lifecycle = accessed(vec![candidate(session)]);
    lifecycle.found(&session.id, true);
    lifecycle
}

fn gone() -> Lifecycle {
    let session = session();
    let mut lifecycle = live(&session);
    dies(&mut lifecycle, &session.id);
    lifecycle
}

fn write(lifecycle: &mut Lifecycle) -> Result<Option<PlannedWrite>, Error> {
    lifecycle.plan_write(now(), false, |lifetime| Ok(session_of(lifetime, now())))
}

fn remove(lifecycle: &mut Lifecycle) -> Result<Option<PlannedWrite>, Error> {
    lifecycle.plan_write(now(), true, |_| panic!("removals create no session"))
}

fn reads(lifecycle: &mut Lifecycle) -> Option<(SessionId, bool)> {
    lifecycle.plan_read(now()).map(|read| (read.session.id, read.refresh.is_some()))
}

fn writes(lifecycle: &mut Lifecycle) -> (SessionId, WriteMode) {
    let write = write(lifecycle).unwrap().unwrap();
    (write.session.id, write.mode)
}

#[test]
fn absent_reads_and_removes_without_the_store_and_creates_under_one_id() {
    let mut lifecycle = accessed(vec![]);
    assert_eq!(reads(&mut lifecycle), None);
    assert!(remove(&mut lifecycle).unwrap().is_none());
    let (pending, mode) = writes(&mut lifecycle);
    assert_eq!(mode, WriteMode::Create);
    assert_eq!(writes(&mut lifecycle), (pending, WriteMode::Create), "side by side: the same id");
}

#[test]
fn candidate_is_asked_with_a_refresh_and_written_with_a_guard() {
    let one = session();
    let mut lifecycle = accessed(vec![candidate(&one)]);
    assert_eq!(reads(&mut lifecycle), Some((one.id, true)));
    assert_eq!(writes(&mut lifecycle), (one.id, WriteMode::Existing));
    assert_eq!(remove(&mut lifecycle).unwrap().unwrap().mode, WriteMode::Existing);
}

#[test]
fn candidate_found_is_live_and_refreshed_no_more() {
    let one = session();
    let mut lifecycle = live(&one);
    assert_eq!(reads(&mut lifecycle), Some((one.id, false)));
    assert_eq!(writes(&mut lifecycle), (one.id, WriteMode::Existing));
    assert!(lifecycle.send_headers().set.is_none());
}

#[test]
fn seen_fields_belong_to_the_id_of_the_live_session() {
    let (one, other) = (session(), session());
    let set = [Change::Set { field: "a", value: "1".into(), ttl: None }];
    assert!(accessed(vec![candidate(&one)]).known_fields(&one.id).is_none());
    let mut lifecycle = live(&one);
    assert!(lifecycle.known_fields(&other.id).is_none());
    lifecycle.known_fields(&one.id).unwrap().record("a", true);
    assert!(lifecycle.known_fields(&one.id).unwrap().contains_all(&set));
    let planned = rotates(&mut lifecycle, RotationReason::Rotate);
    lifecycle.rotated(&planned).unwrap();
    assert!(lifecycle.known_fields(&one.id).is_none());
    assert!(!lifecycle.known_fields(&planned.to.id).unwrap().contains_all(&set));
}

#[test]
fn candidate_unknown_to_the_store_is_never_adopted() {
    let one = session();
    let mut lifecycle = accessed(vec![candidate(&one)]);
    assert_eq!(lifecycle.missing(&one.id, false), Next::Replan);
    assert_eq!(reads(&mut lifecycle), None);
    let (pending, mode) = writes(&mut lifecycle);
    assert_eq!(mode, WriteMode::Create);
    assert_ne!(pending, one.id);
}

#[test]
fn the_last_id_is_known_after_the_session_ended() {
    let one = session();
    assert_eq!(accessed(vec![]).last_id(), None);
    let mut lifecycle = live(&one);
    assert_eq!(lifecycle.last_id(), Some(one.id));
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Done);
    assert_eq!(lifecycle.last_id(), Some(one.id));
}

#[test]
fn candidate_dead_is_gone() {
    let one = session();
    let mut lifecycle = accessed(vec![candidate(&one)]);
    dies(&mut lifecycle, &one.id);
    assert_eq!(reads(&mut lifecycle), None);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
    assert!(remove(&mut lifecycle).unwrap_err().is_gone());
    assert!(lifecycle.send_headers().set.is_none());
}

#[test]
fn the_next_candidate_replaces_a_missing_or_dead_candidate() {
    let (one, two) = (session(), session());
    for end in [dies, |l: &mut Lifecycle, id: &SessionId| {
        l.missing(id, false);
    }] {
        let mut lifecycle = accessed(vec![candidate(&one), candidate(&two)]);
        end(&mut lifecycle, &one.id);
        assert_eq!(reads(&mut lifecycle), Some((two.id, true)));
        lifecycle.found(&two.id, true);
        assert_eq!(writes(&mut lifecycle), (two.id, WriteMode::Existing));
    }
}

#[test]
fn a_dead_candidate_without_a_live_candidate_is_gone() {
    let (one, two) = (session(), session());
    let mut lifecycle = accessed(vec![candidate(&one), candidate(&two)]);
    dies(&mut lifecycle, &one.id);
    lifecycle.missing(&two.id, false);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
}

#[test]
fn live_that_ends_is_gone() {
    for end in [dies, |l: &mut Lifecycle, id: &SessionId| {
        l.missing(id, false);
    }] {
        let one = session();
        let mut lifecycle = live(&one);
        end(&mut lifecycle, &one.id);
        assert_eq!(reads(&mut lifecycle), None);
        assert!(write(&mut lifecycle).unwrap_err().is_gone());
    }
}

#[test]
fn gone_stays_gone_whatever_is_reported_late() {
    let mut lifecycle = gone();
    let late = session();
    lifecycle.found(&late.id, true);
    lifecycle.missing(&late.id, false);
    dies(&mut lifecycle, &late.id);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
}

#[test]
fn a_report_of_another_id_changes_nothing() {
    let (one, other) = (session(), session());
    let reports: [fn(&mut Lifecycle, &SessionId); 4] = [
        |lifecycle, id| lifecycle.found(id, true),
        dies,
        |lifecycle, id| assert_eq!(lifecycle.missing(id, false), Next::Replan),
        |lifecycle, id| assert_eq!(lifecycle.missing(id, true), Next::Replan),
    ];
    for report in reports {
        let mut refreshed = live(&one);
        report(&mut refreshed, &other.id);
        assert_eq!(reads(&mut refreshed), Some((one.id, false)));
        let mut unrefreshed = accessed(vec![candidate(&one)]);
        unrefreshed.found(&one.id, false);
        report(&mut unrefreshed, &other.id);
        assert_eq!(reads(&mut unrefreshed), Some((one.id, true)));
        let mut candidates = accessed(vec![candidate(&one)]);
        report(&mut candidates, &other.id);
        assert_eq!(writes(&mut candidates), (one.id, WriteMode::Existing));
        assert!(!candidates.send_headers().was_live);
        let mut absent = accessed(vec![]);
        let pending = writes(&mut absent);
        report(&mut absent, &other.id);
        assert_eq!(writes(&mut absent), pending);
    }
}

#[test]
fn creation_is_live_and_its_cookie_is_sent_once() {
    let mut lifecycle = accessed(vec![]);
    let (id, _) = writes(&mut lifecycle);
    assert_eq!(lifecycle.created(&id).unwrap(), Next::Done);
    assert_eq!(reads(&mut lifecycle), Some((id, false)));
    assert_eq!(lifecycle.send_headers().set.unwrap().id, id);
    assert!(lifecycle.send_headers().set.is_none());
}

#[test]
fn creation_of_unknown_outcome_is_resolved_under_the_same_id() {
    let mut lifecycle = accessed(vec![]);
    let (id, _) = writes(&mut lifecycle);
    assert_eq!(reads(&mut lifecycle), Some((id, true)), "a read asks whether it happened");
    assert_eq!(lifecycle.missing(&id, false), Next::Done);
    assert_eq!(remove(&mut lifecycle).unwrap().unwrap().mode, WriteMode::Existing);
    assert!(lifecycle.send_headers().set.is_none(), "no cookie for a session that may not exist");
}

#[test]
fn a_read_that_came_before_the_creation_does_not_end_it() {
    let mut lifecycle = accessed(vec![]);
    let (id, _) = writes(&mut lifecycle);
    let read = lifecycle.plan_read(now()).unwrap();
    let remove = remove(&mut lifecycle).unwrap().unwrap();
    assert!(read.resolves_pending && remove.resolves_pending);
    lifecycle.created(&id).unwrap();
    assert_eq!(
        lifecycle.missing(&id, read.resolves_pending),
        Next::Done,
        "the read was sent before the creation"
    );
    assert_eq!(writes(&mut lifecycle), (id, WriteMode::Existing));
    assert!(!lifecycle.plan_read(now()).unwrap().resolves_pending);
    assert_eq!(lifecycle.send_headers().set.unwrap().id, id);
}

#[test]
fn a_destruction_that_came_before_the_creation_is_repeated() {
    let mut lifecycle = accessed(vec![]);
    let (id, _) = writes(&mut lifecycle);
    let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
    lifecycle.created(&id).unwrap();
    assert_eq!(lifecycle.destroyed(&plan, Destroyed::Missing, nowhere), Next::Replan);
    assert_eq!(destroys(&mut lifecycle), Some(id));
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Done);
    assert!(lifecycle.send_headers().set.is_none());
}

#[test]
fn creation_found_by_a_read_gets_its_cookie() {
    let mut lifecycle = accessed(vec![]);
    let (id, _) = writes(&mut lifecycle);
    lifecycle.found(&id, true);
    assert_eq!(lifecycle.send_headers().set.unwrap().id, id);
}

#[test]
fn after_the_headers_nothing_is_created_and_live_sessions_stay() {
    let mut lifecycle = accessed(vec![]);
    lifecycle.send_headers();
    assert!(write(&mut lifecycle).unwrap_err().is_headers_sent());
    assert!(remove(&mut lifecycle).unwrap().is_none());
    let one = session();
    let mut lifecycle = live(&one);
    lifecycle.send_headers();
    assert_eq!(writes(&mut lifecycle), (one.id, WriteMode::Existing));
}

#[test]
fn a_creation_that_ends_after_the_headers_is_refused_and_sets_no_cookie() {
    let mut lifecycle = accessed(vec![]);
    let (id, _) = writes(&mut lifecycle);
    lifecycle.send_headers();
    assert!(lifecycle.created(&id).unwrap_err().is_headers_sent());
    assert!(lifecycle.send_headers().set.is_none());
}

#[test]
fn a_cookie_of_an_older_key_is_reissued_only_when_found_live() {
    let one = session();
    let reissued = || vec![Candidate { session: one.clone(), cookie_due: true }];
    let mut lifecycle = accessed(reissued());
    lifecycle.found(&one.id, true);
    assert_eq!(lifecycle.send_headers().set.unwrap().id, one.id);
    let mut untouched = accessed(reissued());
    assert!(untouched.send_headers().set.is_none());
    let mut ended = accessed(reissued());
    ended.found(&one.id, true);
    dies(&mut ended, &one.id);
    assert!(ended.send_headers().set.is_none());
}

#[test]
fn past_the_deadline_a_candidate_is_absent_and_a_live_session_gone() {
    let one = session();
    let later = now() + Duration::from_secs(31 * 24 * 60 * 60);
    let mut lifecycle = accessed(vec![candidate(&one)]);
    assert!(lifecycle.plan_read(later).is_none());
    let plan = lifecycle.plan_write(later, false, |lifetime| Ok(session_of(lifetime, later)));
    assert_eq!(plan.unwrap().unwrap().mode, WriteMode::Create);
    let mut lifecycle = live(&one);
    assert!(lifecycle.plan_read(later).is_none());
    assert!(lifecycle.plan_write(later, false, |_| Ok(session())).unwrap_err().is_gone());
}

#[test]
fn a_new_id_is_generated_after_the_deadline_of_a_pending_id() {
    let mut lifecycle = accessed(vec![]);
    let (pending, _) = writes(&mut lifecycle);
    let later = now() + Duration::from_secs(31 * 24 * 60 * 60);
    assert!(lifecycle.plan_read(later).is_none());
    let plan = lifecycle
        .plan_write(later, false, |lifetime| Ok(session_of(lifetime, later)))
        .unwrap()
        .unwrap();
    assert_eq!(plan.mode, WriteMode::Create);
    assert_ne!(plan.session.id, pending);
}

#[test]
fn the_outcome_describes_the_request() {
    let mut ignored = Lifecycle::default();
    assert!(!ignored.send_headers().accessed);
    let mut absent = accessed(vec![]);
    let outcome = absent.send_headers();
    assert!(outcome.accessed && !outcome.was_live);
    assert!(live(&session()).send_headers().was_live);
    assert!(gone().send_headers().was_live);
}

#[test]
fn two_cookies_of_one_session_use_the_older_creation_and_the_current_signature() {
    let (older, newer) = (session_of(NORMAL, now() - Duration::from_secs(1)), session());
    for (first, second) in [(&older, &newer), (&newer, &older)] {
        for (due, other_due) in [(true, true), (true, false), (false, true)] {
            let mut candidate = Candidate { session: first.clone(), cookie_due: due };
            candidate.merge(Candidate { session: second.clone(), cookie_due: other_due });
            assert_eq!(candidate.session.created_at, older.created_at);
            assert_eq!(candidate.cookie_due, due && other_due);
        }
    }
    let mut first = candidate(&newer);
    first.merge(candidate(&session()));
    assert_eq!(first.session.id, newer.id, "of the same age: the first");
}

#[test]
fn a_degraded_request_stays_degraded() {
    let one = session();
    let mut lifecycle = accessed(vec![candidate(&one)]);
    assert!(!lifecycle.degrade(), "it was not allowed to");
    lifecycle.allow_degraded();
    assert_eq!(reads(&mut lifecycle), Some((one.id, true)), "the store is asked as always");
    assert!(lifecycle.degrade());
    lifecycle.allow_degraded();
    assert!(lifecycle.is_degraded());
    assert_eq!(reads(&mut lifecycle), None);
    for error in [
        write(&mut lifecycle).unwrap_err(),
        lifecycle
            .plan_rotation(now(), RotationReason::Rotate, false, age(), |_| Ok(session()))
            .unwrap_err(),
        lifecycle.plan_destroy(now()).unwrap_err(),
    ] {
        assert!(error.is_unavailable() && !error.is_gone() && !error.is_headers_sent(), "{error}");
    }
    assert!(lifecycle.send_headers().is_degraded);
}

#[test]
fn a_request_that_saw_its_session_is_not_degraded() {
    let mut lifecycle = live(&session());
    lifecycle.allow_degraded();
    assert!(!lifecycle.degrade() && !lifecycle.send_headers().is_degraded);
}

fn rotates(lifecycle: &mut Lifecycle, reason: RotationReason) -> PlannedRotation {
    let step = lifecycle.plan_rotation(now(), reason, false, age(), |_| Ok(session())).unwrap();
    let RotationStep::Rotate(planned) = step else { panic!("{step:?}") };
    planned
}

fn logs_in(lifecycle: &mut Lifecycle) -> PlannedRotation {
    let renew = RotationReason::Renew(NORMAL);
    let step = lifecycle.plan_rotation(now(), renew, true, age(), |_| Ok(session())).unwrap();
    let RotationStep::Rotate(planned) = step else { panic!("{step:?}") };
    planned
}

fn rotates_nothing(lifecycle: &mut Lifecycle, reason: RotationReason) -> bool {
    let step = lifecycle
        .plan_rotation(now(), reason, false, age(), |_| panic!("nothing to rotate"))
        .unwrap();
    matches!(step, RotationStep::Nothing)
}

fn destroys(lifecycle: &mut Lifecycle) -> Option<SessionId> {
    lifecycle.plan_destroy(now()).unwrap().map(|plan| plan.session.id)
}

/// Reports the store's reply to a plan that is made now.
fn destroyed(lifecycle: &mut Lifecycle, found: Destroyed) -> Next {
    let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
    lifecycle.destroyed(&plan, found, nowhere)
}

fn nowhere(_: TombstoneKind) -> Option<SessionMetadata> {
    None
}

#[test]
fn absent_has_nothing_to_rotate_and_remembers_the_lifetime() {
    let mut lifecycle = accessed(vec![]);
    assert!(rotates_nothing(&mut lifecycle, RotationReason::Rotate));
    assert!(rotates_nothing(&mut lifecycle, RotationReason::Renew(REMEMBERED)));
    assert!(rotates_nothing(&mut lifecycle, RotationReason::Rotate));
    let (pending, _) = writes(&mut lifecycle);
    assert_eq!(pending.created_at_and_lifetime().1, REMEMBERED);
}

#[test]
fn candidate_and_live_are_rotated_and_get_a_cookie() {
    let one = session();
    for mut lifecycle in [accessed(vec![candidate(&one)]), live(&one)] {
        let planned = rotates(&mut lifecycle, RotationReason::Rotate);
        assert_eq!(planned.from.id, one.id);
        lifecycle.rotated(&planned).unwrap();
        assert_eq!(reads(&mut lifecycle), Some((planned.to.id, false)));
        assert_eq!(lifecycle.session().unwrap().id, planned.to.id);
        assert_eq!(lifecycle.send_headers().set.unwrap().id, planned.to.id);
    }
}

#[test]
fn a_repeated_rotation_leads_to_the_same_id() {
    let mut lifecycle = live(&session());
    let first = rotates(&mut lifecycle, RotationReason::Rotate);
    assert_eq!(rotates(&mut lifecycle, RotationReason::Rotate).to.id, first.to.id);
    assert_ne!(rotates(&mut lifecycle, RotationReason::Renew(NORMAL)).to.id, first.to.id);
    lifecycle.rotated(&first).unwrap();
    assert_ne!(
        rotates(&mut lifecycle, RotationReason::Rotate).to.id,
        first.to.id,
        "done: the next one is another"
    );
}

/// Otherwise the store would take one batch for a repetition of the other.
#[test]
fn each_batch_has_a_successor_of_its_own() {
    let mut lifecycle = live(&session());
    let plans = [
        logs_in(&mut lifecycle),
        rotates(&mut lifecycle, RotationReason::Renew(NORMAL)),
        logs_in(&mut lifecycle),
        rotates(&mut lifecycle, RotationReason::Renew(NORMAL)),
    ];
    let ids = plans.each_ref().map(|plan| plan.to.id);
    assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2], "{ids:?}");
    assert_eq!(ids[1], ids[3], "without a batch, the same again is a repetition");
    // The first batch won. The second one goes on from its successor.
    lifecycle.rotated(&plans[0]).unwrap();
    assert!(lifecycle.rotation_lost(&plans[2]).is_none());
    assert_eq!(logs_in(&mut lifecycle).from.id, ids[0]);
}

/// Otherwise a creation that is still under way would change the session after the batch.
#[test]
fn a_batch_never_uses_the_id_of_an_earlier_creation() {
    let mut lifecycle = accessed(vec![]);
    let (pending, _) = writes(&mut lifecycle);
    let planned = logs_in(&mut lifecycle);
    assert_eq!(planned.from.id, pending);
    assert_eq!(lifecycle.not_rotated(&planned), Next::Done);
    let (next, mode) = writes(&mut lifecycle);
    assert_eq!(mode, WriteMode::Create);
    assert_ne!(next, pending);
    assert_eq!(lifecycle.created(&pending).unwrap(), Next::Replan, "written again under `next`");
    assert_eq!(lifecycle.created(&next).unwrap(), Next::Done);
}

/// The session that the second batch has moved gets no cookie, and no later operation sees it.
#[test]
fn a_batch_on_a_session_that_the_request_has_left_is_repeated() {
    let mut lifecycle = accessed(vec![]);
    writes(&mut lifecycle);
    let (first, second) = (logs_in(&mut lifecycle), logs_in(&mut lifecycle));
    assert_eq!(lifecycle.not_rotated(&first), Next::Done);
    assert_eq!(lifecycle.rotated(&second).unwrap(), Next::Replan);
    let (next, _) = writes(&mut lifecycle);
    assert_eq!(lifecycle.rotated(&second).unwrap(), Next::Replan);
    lifecycle.created(&next).unwrap();
    assert_eq!(lifecycle.rotated(&second).unwrap(), Next::Replan);
    let again = logs_in(&mut lifecycle);
    assert_eq!(again.from.id, next);
    assert_eq!(lifecycle.rotated(&again).unwrap(), Next::Done);
}

/// The old session passes its deadline while the batch is under way.
#[test]
fn a_batch_whose_session_was_given_up_meanwhile_is_repeated() {
    let (one, other) = (session(), session());
    for others in [vec![], vec![candidate(&other)]] {
        let mut candidates = vec![candidate(&one)];
        candidates.extend(others);
        let mut lifecycle = accessed(candidates);
        let planned = logs_in(&mut lifecycle);
        lifecycle.missing(&one.id, false);
        assert_eq!(lifecycle.rotated(&planned).unwrap(), Next::Replan);
    }
}

/// The reply to the first batch comes after the second batch has moved the session on.
#[test]
fn a_batch_whose_session_has_moved_on_is_done() {
    let mut lifecycle = live(&session());
    let first = logs_in(&mut lifecycle);
    assert!(lifecycle.dead(&first.from.id).is_none());
    let second = logs_in(&mut lifecycle);
    assert_eq!(second.from.id, first.to.id);
    assert_eq!(lifecycle.rotated(&second).unwrap(), Next::Done);
    assert_eq!(lifecycle.rotated(&first).unwrap(), Next::Done);
}

#[test]
fn a_rotation_of_a_creation_that_did_not_happen_ends() {
    let mut lifecycle = accessed(vec![]);
    let (pending, _) = writes(&mut lifecycle);
    let planned = rotates(&mut lifecycle, RotationReason::Rotate);
    assert_eq!(planned.from.id, pending);
    assert_eq!(lifecycle.not_rotated(&planned), Next::Done);
    assert_eq!(writes(&mut lifecycle).0, pending, "the next write is the first one");
}

#[test]
fn a_renewal_after_a_failed_creation_sets_the_lifetime_of_the_next_creation() {
    let mut lifecycle = accessed(vec![]);
    let (pending, _) = writes(&mut lifecycle);
    let planned = rotates(&mut lifecycle, RotationReason::Renew(REMEMBERED));
    assert_eq!(lifecycle.not_rotated(&planned), Next::Done);
    let (next, _) = writes(&mut lifecycle);
    assert_ne!(next, pending);
    assert_eq!(next.created_at_and_lifetime().1, REMEMBERED);
}

#[test]
fn a_rotation_that_came_before_the_creation_is_repeated() {
    let mut lifecycle = accessed(vec![]);
    let (pending, _) = writes(&mut lifecycle);
    let planned = rotates(&mut lifecycle, RotationReason::Rotate);
    lifecycle.created(&pending).unwrap();
    assert_eq!(lifecycle.not_rotated(&planned), Next::Replan);
    let again = rotates(&mut lifecycle, RotationReason::Rotate);
    assert_eq!(again.to.id, planned.to.id);
    lifecycle.missing(&pending, false);
    assert_eq!(lifecycle.not_rotated(&again), Next::Replan);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
}

#[test]
fn a_rotation_that_is_repeated_after_the_creation_and_finds_nothing_is_gone() {
    let mut lifecycle = accessed(vec![]);
    let (pending, _) = writes(&mut lifecycle);
    rotates(&mut lifecycle, RotationReason::Rotate);
    lifecycle.created(&pending).unwrap();
    let again = rotates(&mut lifecycle, RotationReason::Rotate);
    assert_eq!(lifecycle.not_rotated(&again), Next::Replan);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
}

#[test]
fn a_rotation_of_another_id_that_found_nothing_changes_nothing() {
    let one = session();
    let stale = PlannedRotation {
        from: session(),
        to: session(),
        reason: RotationReason::Renew(REMEMBERED),
        is_of_batch: false,
        resolves_pending: true,
    };
    let mut absent = accessed(vec![]);
    let pending = writes(&mut absent);
    assert_eq!(absent.not_rotated(&stale), Next::Replan);
    assert_eq!(writes(&mut absent), pending);
    let mut lifecycle = live(&one);
    assert_eq!(lifecycle.not_rotated(&stale), Next::Replan);
    assert_eq!(writes(&mut lifecycle), (one.id, WriteMode::Existing));
}

#[test]
fn nothing_is_rotated_when_gone_or_after_the_headers() {
    assert!(
        gone()
            .plan_rotation(now(), RotationReason::Rotate, false, age(), |_| Ok(session()))
            .unwrap_err()
            .is_gone()
    );
    let mut lifecycle = live(&session());
    lifecycle.send_headers();
    assert!(
        lifecycle
            .plan_rotation(now(), RotationReason::Rotate, false, age(), |_| Ok(session()))
            .unwrap_err()
            .is_headers_sent()
    );
}

#[test]
fn a_rotation_of_unknown_outcome_is_resolved_by_the_next_operation() {
    let one = session();
    let mut lifecycle = live(&one);
    let planned = rotates(&mut lifecycle, RotationReason::Rotate);
    // If the rotation did not happen, the old id goes on.
    assert_eq!(reads(&mut lifecycle), Some((one.id, false)));
    lifecycle.found(&one.id, false);
    assert!(lifecycle.send_headers().set.is_none());
    // If the rotation happened, the old id is dead, and the successor is tried.
    dies(&mut lifecycle, &one.id);
    assert_eq!(reads(&mut lifecycle), Some((planned.to.id, true)));
    lifecycle.found(&planned.to.id, true);
    assert_eq!(lifecycle.send_headers().set.unwrap().id, planned.to.id);
}

#[cfg(feature = "metrics")]
#[test]
fn events_of_cookies_are_reported_with_those_of_sessions() {
    let (mut lifecycle, mut events) = (Lifecycle::default(), EventQueue::default());
    events.push(LifecycleEvent::Forged, None);
    lifecycle.append_events(events);
    assert!(format!("{:?}", lifecycle.events).contains("Forged"));
}

#[cfg(feature = "metrics")]
#[test]
fn a_creation_without_a_reply_is_reported_once_when_proven() {
    let mut lifecycle = accessed(vec![]);
    writes(&mut lifecycle);
    assert!(lifecycle.take_events().is_none());
    destroyed(&mut lifecycle, Destroyed::Ended);
    assert!(format!("{:?}", lifecycle.events).contains("Created"));
    assert!(lifecycle.take_events().is_some() && lifecycle.take_events().is_none());
}

#[cfg(feature = "metrics")]
#[test]
fn an_end_is_an_event_of_the_request_that_caused_it() {
    for (found, is_event) in [
        (Destroyed::Ended, true),
        (Destroyed::Missing, false),
        (Destroyed::Dead(LOGGED_OUT), false),
    ] {
        let mut lifecycle = live(&session());
        destroyed(&mut lifecycle, found);
        assert_eq!(format!("{:?}", lifecycle.events).contains("Destroyed"), is_event, "{found:?}");
    }
}

/// With `metrics`, events are kept even without a subscriber.
#[cfg(feature = "metrics")]
#[test]
fn a_rotation_of_unknown_outcome_is_an_event_if_it_happened() {
    let one = session();
    for happened in [false, true] {
        let mut lifecycle = live(&one);
        let planned = rotates(&mut lifecycle, RotationReason::Rotate);
        let found = if happened { &planned.to } else { &one };
        if happened {
            dies(&mut lifecycle, &one.id);
        }
        lifecycle.found(&found.id, true);
        assert_eq!(format!("{:?}", lifecycle.events).contains("Rotated"), happened);
    }
}

#[test]
fn a_rotation_that_lost_against_another_request_is_gone() {
    let one = session();
    let mut lifecycle = live(&one);
    let planned = rotates(&mut lifecycle, RotationReason::Rotate);
    dies(&mut lifecycle, &one.id);
    lifecycle.missing(&planned.to.id, false);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
    assert!(lifecycle.send_headers().set.is_none());
}

#[test]
fn a_rotation_that_the_store_refused_is_gone_at_once() {
    let one = session();
    let mut lifecycle = live(&one);
    let planned = rotates(&mut lifecycle, RotationReason::Rotate);
    lifecycle.rotation_lost(&planned);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
    // Another rotation of this request may have won.
    let mut lifecycle = live(&one);
    let (won, lost) = (
        rotates(&mut lifecycle, RotationReason::Renew(REMEMBERED)),
        rotates(&mut lifecycle, RotationReason::Rotate),
    );
    lifecycle.rotation_lost(&lost);
    assert_eq!(reads(&mut lifecycle), Some((won.to.id, true)));
}

#[test]
fn a_write_follows_a_rotation_of_the_same_request() {
    let one = session();
    let mut lifecycle = live(&one);
    let planned = rotates(&mut lifecycle, RotationReason::Renew(REMEMBERED));
    lifecycle.rotated(&planned).unwrap();
    dies(&mut lifecycle, &one.id);
    assert_eq!(writes(&mut lifecycle), (planned.to.id, WriteMode::Existing));
}

#[test]
fn a_first_write_moved_by_a_rotation_is_not_repeated() {
    let mut lifecycle = accessed(vec![]);
    let (pending, _) = writes(&mut lifecycle);
    let planned = rotates(&mut lifecycle, RotationReason::Rotate);
    lifecycle.rotated(&planned).unwrap();
    assert_eq!(lifecycle.created(&pending).unwrap(), Next::Done);
    // A second first write comes after the rotation, and meets the tombstone.
    let mut lifecycle = accessed(vec![]);
    let (pending, _) = writes(&mut lifecycle);
    let planned = rotates(&mut lifecycle, RotationReason::Rotate);
    dies(&mut lifecycle, &pending);
    assert_eq!(writes(&mut lifecycle), (planned.to.id, WriteMode::Existing));
    assert_eq!(lifecycle.created(&pending).unwrap(), Next::Done);
}

#[test]
fn a_first_write_whose_session_has_ended_since_was_carried_out() {
    let mut lifecycle = accessed(vec![]);
    let (pending, _) = writes(&mut lifecycle);
    lifecycle.created(&pending).unwrap();
    dies(&mut lifecycle, &pending);
    assert_eq!(lifecycle.created(&pending).unwrap(), Next::Done);
}

#[test]
fn a_first_write_after_an_empty_rotation_is_repeated_under_the_next_id() {
    let mut lifecycle = accessed(vec![]);
    let (pending, _) = writes(&mut lifecycle);
    let planned = rotates(&mut lifecycle, RotationReason::Renew(REMEMBERED));
    lifecycle.not_rotated(&planned);
    assert_eq!(lifecycle.created(&pending).unwrap(), Next::Replan);
    let (next, _) = writes(&mut lifecycle);
    assert_eq!(next.created_at_and_lifetime().1, REMEMBERED);
    assert_eq!(lifecycle.created(&pending).unwrap(), Next::Replan, "another one is pending");
    lifecycle.created(&next).unwrap();
    assert_eq!(lifecycle.created(&pending).unwrap(), Next::Replan, "another one is live");
}

#[test]
fn a_rotation_that_ends_after_the_headers_is_refused() {
    let mut lifecycle = live(&session());
    let planned = rotates(&mut lifecycle, RotationReason::Rotate);
    lifecycle.send_headers();
    assert!(lifecycle.rotated(&planned).unwrap_err().is_headers_sent());
    assert_eq!(
        writes(&mut lifecycle),
        (planned.to.id, WriteMode::Existing),
        "later writes succeed"
    );
}

#[test]
fn every_session_that_is_destroyed_ends_in_a_removal_and_absent() {
    let one = session();
    let mut gone = live(&one);
    dies(&mut gone, &one.id);
    for mut lifecycle in [accessed(vec![candidate(&one)]), live(&one), gone] {
        assert_eq!(destroys(&mut lifecycle), Some(one.id));
        assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Done);
        assert_eq!(reads(&mut lifecycle), None);
        assert_eq!(destroys(&mut lifecycle), None);
        let outcome = lifecycle.send_headers();
        assert!(outcome.remove && outcome.set.is_none());
    }
}

#[test]
fn a_session_that_was_ended_or_had_been_rotated_was_live() {
    let successor = session();
    for (found, was_live) in [
        (Destroyed::Ended, true),
        (Destroyed::Dead(TombstoneKind::Rotated(successor.id)), true),
        (Destroyed::Missing, false),
        (Destroyed::Dead(LOGGED_OUT), false),
    ] {
        let mut lifecycle = accessed(vec![candidate(&session())]);
        destroyed(&mut lifecycle, found);
        assert_eq!(lifecycle.send_headers().was_live, was_live, "{found:?}");
    }
}

#[test]
fn destroy_without_a_session_removes_a_stale_cookie_and_nothing_else() {
    let mut without = accessed(vec![]);
    assert_eq!(destroys(&mut without), None);
    assert!(!without.send_headers().remove);
    let mut stale = Lifecycle::default();
    stale.resolve_cookies(|| ResolvedCookies { has_cookie: true, ..resolved(vec![]) });
    assert_eq!(destroys(&mut stale), None);
    assert!(stale.send_headers().remove);
}

#[test]
fn destroy_of_a_session_of_this_request_needs_no_removal() {
    let mut lifecycle = accessed(vec![]);
    let (id, _) = writes(&mut lifecycle);
    lifecycle.created(&id).unwrap();
    assert_eq!(destroys(&mut lifecycle), Some(id));
    destroyed(&mut lifecycle, Destroyed::Ended);
    let outcome = lifecycle.send_headers();
    assert!(outcome.set.is_none() && !outcome.remove);
}

#[test]
fn destroy_resolves_a_creation_of_unknown_outcome() {
    let mut lifecycle = accessed(vec![]);
    let (id, _) = writes(&mut lifecycle);
    assert_eq!(destroys(&mut lifecycle), Some(id));
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Missing), Next::Done);
    assert_ne!(writes(&mut lifecycle).0, id);
}

#[test]
fn destroy_follows_a_session_that_was_rotated() {
    let (one, successor) = (session(), session());
    let mut lifecycle = live(&one);
    let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
    let rotated = Destroyed::Dead(TombstoneKind::Rotated(successor.id));
    assert_eq!(lifecycle.destroyed(&plan, rotated, |_| Some(successor.clone())), Next::Replan);
    assert_eq!(destroys(&mut lifecycle), Some(successor.id));
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Done);
    assert!(lifecycle.send_headers().remove);
}

#[test]
fn destroy_ends_every_session_of_the_cookies() {
    for is_live in [false, true] {
        let (one, two, unusable) = (session(), session(), session());
        let mut lifecycle = Lifecycle::default();
        lifecycle.resolve_cookies(|| {
            let unusable = vec![unusable.clone()];
            ResolvedCookies { unusable, ..resolved(vec![candidate(&one), candidate(&two)]) }
        });
        if is_live {
            lifecycle.found(&one.id, true);
        }
        let order = if is_live { [&unusable, &two, &one] } else { [&unusable, &one, &two] };
        for (at, expected) in order.iter().enumerate() {
            assert_eq!(destroys(&mut lifecycle), Some(expected.id));
            let next = if at < 2 { Next::Replan } else { Next::Done };
            assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), next);
        }
        assert_eq!(reads(&mut lifecycle), None);
        assert!(lifecycle.send_headers().remove);
    }
}

#[test]
fn destroy_ends_what_a_session_of_another_cookie_was_rotated_to() {
    let (one, two, successor) = (session(), session(), session());
    let mut lifecycle = accessed(vec![candidate(&one), candidate(&two)]);
    lifecycle.found(&one.id, true);
    let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
    assert_eq!(plan.session.id, two.id);
    let rotated = Destroyed::Dead(TombstoneKind::Rotated(successor.id));
    assert_eq!(lifecycle.destroyed(&plan, rotated, |_| Some(successor.clone())), Next::Replan);
    assert_eq!(destroys(&mut lifecycle), Some(successor.id));
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Replan);
    assert_eq!(reads(&mut lifecycle), Some((one.id, false)), "it has its own until the end");
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Done);
}

#[test]
fn destroy_ends_what_a_dead_candidate_was_rotated_to() {
    let (stale, successor) = (session(), session());
    for age in [Duration::ZERO, Duration::from_secs(60)] {
        let mut lifecycle = accessed(vec![candidate(&stale)]);
        let tombstone = Tombstone { kind: TombstoneKind::Rotated(successor.id), age };
        lifecycle.dead(&stale.id);
        lifecycle.tombstone_read(&stale.id, Some(tombstone), self::age());
        let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
        assert_eq!(plan.session.id, stale.id);
        let rotated = Destroyed::Dead(tombstone.kind);
        assert_eq!(lifecycle.destroyed(&plan, rotated, |_| Some(successor.clone())), Next::Replan);
        assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Done);
        assert_eq!(destroys(&mut lifecycle), None);
    }
}

#[test]
fn a_destruction_that_fails_half_way_goes_on_where_it_failed() {
    let (one, two) = (session(), session());
    let mut lifecycle = accessed(vec![candidate(&one), candidate(&two)]);
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Replan);
    assert_eq!(destroys(&mut lifecycle), Some(two.id));
    // The store is unavailable. The request does not go on with another session.
    assert_eq!(reads(&mut lifecycle), None);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
    assert_eq!(destroys(&mut lifecycle), Some(two.id));
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Done);
}

#[test]
fn destroy_passes_over_candidates_that_are_not_live() {
    for not_live in [Destroyed::Missing, Destroyed::Dead(LOGGED_OUT)] {
        let (stale, one) = (session(), session());
        let mut lifecycle = accessed(vec![candidate(&stale), candidate(&one)]);
        assert_eq!(destroyed(&mut lifecycle, not_live), Next::Replan);
        assert_eq!(reads(&mut lifecycle), Some((one.id, true)), "it has its own until the end");
        assert_eq!(destroys(&mut lifecycle), Some(one.id));
    }
}

#[test]
fn a_session_that_ended_before_the_request_arrived_is_absent() {
    let one = session();
    let tombstone = |seconds| Some(Tombstone { age: Duration::from_secs(seconds), ..logged_out() });
    for (seconds, since_arrival, is_gone) in
        [(5, 0, true), (6, 0, false), (65, 60, true), (66, 60, false)]
    {
        let mut lifecycle = accessed(vec![candidate(&one)]);
        assert!(lifecycle.dead(&one.id).is_some());
        let age = RequestAge { since_arrival: Duration::from_secs(since_arrival), ..age() };
        lifecycle.tombstone_read(&one.id, tombstone(seconds), age);
        assert_eq!(reads(&mut lifecycle), None);
        match is_gone {
            true => assert!(write(&mut lifecycle).unwrap_err().is_gone()),
            false => assert_eq!(writes(&mut lifecycle).1, WriteMode::Create),
        }
    }
}

#[test]
fn an_expired_tombstone_is_no_session() {
    let one = session();
    let mut lifecycle = accessed(vec![candidate(&one)]);
    assert!(lifecycle.dead(&one.id).is_some());
    lifecycle.tombstone_read(&one.id, None, age());
    assert_eq!(writes(&mut lifecycle).1, WriteMode::Create);
}

#[test]
fn a_tombstone_matters_to_a_candidate_alone_and_only_to_its_own() {
    let (one, other) = (session(), session());
    assert!(live(&one).dead(&one.id).is_none());
    let mut lifecycle = accessed(vec![candidate(&one)]);
    assert!(lifecycle.dead(&other.id).is_none());
    lifecycle.tombstone_read(&other.id, Some(logged_out()), age());
    assert_eq!(writes(&mut lifecycle), (one.id, WriteMode::Existing));
}

#[test]
fn a_login_creates_a_session_unless_another_request_ended_the_old_one() {
    let renewed = |kind, seconds| {
        let one = session();
        let mut lifecycle = live(&one);
        dies(&mut lifecycle, &one.id);
        let step = lifecycle
            .plan_rotation(now(), RotationReason::Renew(REMEMBERED), false, age(), |_| {
                panic!("nothing to rotate")
            })
            .unwrap();
        assert!(matches!(step, RotationStep::ReadTombstone(session) if session.id == one.id));
        let tombstone = Tombstone { kind, age: Duration::from_secs(seconds) };
        lifecycle.tombstone_read(&one.id, Some(tombstone), age());
        assert!(write(&mut lifecycle).unwrap_err().is_gone(), "only a login creates a session");
        lifecycle
            .plan_rotation(now(), RotationReason::Renew(REMEMBERED), false, age(), |_| {
                panic!("nothing to rotate")
            })
            .map(|step| {
                assert!(matches!(step, RotationStep::Nothing));
                let (id, mode) = writes(&mut lifecycle);
                assert_eq!((id.created_at_and_lifetime().1, mode), (REMEMBERED, WriteMode::Create));
            })
    };
    let elsewhere = TombstoneKind::Destroyed(DestroyReason::EndedElsewhere);
    for kind in
        [LOGGED_OUT, TombstoneKind::Rotated(session().id), TombstoneKind::Renewed(session().id)]
    {
        assert!(renewed(kind, 0).is_ok());
    }
    for kind in [elsewhere, TombstoneKind::Destroyed(DestroyReason::TooMany)] {
        assert!(renewed(kind, 0).unwrap_err().is_gone());
        assert!(renewed(kind, 1).is_ok(), "before the request arrived");
    }
}

#[test]
fn requests_without_a_client_never_create_another_session() {
    let application = RequestAge { has_client: false, ..age() };
    let one = session();
    let tombstone = Tombstone { age: Duration::from_secs(200), ..logged_out() };
    let mut lifecycle = accessed(vec![candidate(&one)]);
    lifecycle.dead(&one.id);
    lifecycle.tombstone_read(&one.id, Some(tombstone), application);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
    let step = lifecycle.plan_rotation(
        now(),
        RotationReason::Renew(REMEMBERED),
        false,
        application,
        |_| panic!("nothing to rotate"),
    );
    assert!(step.unwrap_err().is_gone());
}

#[test]
fn a_session_ended_by_another_request_counts_in_any_cookie_order() {
    let elsewhere =
        Tombstone { kind: TombstoneKind::Destroyed(DestroyReason::EndedElsewhere), ..logged_out() };
    for tombstones in [[logged_out(), elsewhere], [elsewhere, logged_out()]] {
        let sessions = [session(), session()];
        let mut lifecycle = accessed(sessions.iter().map(candidate).collect());
        for (session, tombstone) in sessions.iter().zip(tombstones) {
            lifecycle.dead(&session.id);
            lifecycle.tombstone_read(&session.id, Some(tombstone), age());
        }
        let step =
            lifecycle.plan_rotation(now(), RotationReason::Renew(REMEMBERED), false, age(), |_| {
                panic!("nothing to rotate")
            });
        assert!(step.unwrap_err().is_gone());
    }
}

#[test]
fn after_the_headers_no_login_creates_a_session() {
    let mut lifecycle = gone();
    let step = lifecycle
        .plan_rotation(now(), RotationReason::Renew(REMEMBERED), false, age(), |_| {
            panic!("nothing to rotate")
        })
        .unwrap();
    let RotationStep::ReadTombstone(session) = step else { panic!("{step:?}") };
    lifecycle.tombstone_read(&session.id, Some(logged_out()), age());
    lifecycle.send_headers();
    let step =
        lifecycle.plan_rotation(now(), RotationReason::Renew(REMEMBERED), false, age(), |_| {
            panic!("nothing to rotate")
        });
    assert!(step.unwrap_err().is_headers_sent());
}

#[test]
fn a_session_that_cannot_be_ended_does_not_keep_the_others_alive() {
    let (one, two, three) = (session(), session(), session());
    let mut lifecycle = accessed(vec![candidate(&one), candidate(&two), candidate(&three)]);
    lifecycle.found(&one.id, true);
    assert_eq!(destroys(&mut lifecycle), Some(three.id));
    assert!(lifecycle.not_destroyed(&three.id), "its part of the cluster is away");
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Replan);
    assert_eq!(destroys(&mut lifecycle), Some(one.id));
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Done);
    assert!(!lifecycle.not_destroyed(&one.id), "it is the request's own");
    lifecycle.destruction_finished();
    assert_eq!(destroys(&mut lifecycle), Some(three.id), "the next attempt ends it");
}

#[test]
fn a_login_creates_a_session_after_an_expiry_that_hides_no_end() {
    for (since_arrival, begins) in [(0, true), (299, true), (300, false)] {
        let one = session();
        let mut lifecycle = live(&one);
        lifecycle.missing(&one.id, false);
        let age = RequestAge { since_arrival: Duration::from_secs(since_arrival), ..age() };
        let step =
            lifecycle.plan_rotation(now(), RotationReason::Renew(REMEMBERED), false, age, |_| {
                panic!("nothing to rotate")
            });
        match begins {
            true => assert!(matches!(step.unwrap(), RotationStep::Nothing)),
            false => assert!(step.unwrap_err().is_gone()),
        }
    }
}

#[test]
fn expired_and_ended_sessions_are_distinguished() {
    let one = session();
    let mut expired = live(&one);
    expired.missing(&one.id, false);
    assert!(write(&mut expired).unwrap_err().to_string().contains("expired"));
    assert!(write(&mut gone()).unwrap_err().to_string().contains("ended"));
}

#[test]
fn a_change_of_id_ends_a_session_that_the_request_cannot_use() {
    for reason in [RotationReason::Rotate, RotationReason::Renew(REMEMBERED)] {
        let (one, mut lifecycle) = (session(), Lifecycle::default());
        let unusable = vec![one.clone()];
        lifecycle.resolve_cookies(|| ResolvedCookies { unusable, ..resolved(vec![]) });
        assert_eq!(lifecycle.unusable().len(), 1);
        let step = lifecycle
            .plan_rotation(now(), reason, false, age(), |_| panic!("nothing to rotate"))
            .unwrap();
        assert!(matches!(step, RotationStep::Destroy(session) if session.id == one.id));
        lifecycle.unusable_destroyed(&one.id, Destroyed::Ended);
        assert!(rotates_nothing(&mut lifecycle, reason));
    }
}

#[test]
fn a_session_that_another_request_rotated_is_ended_and_never_entered() {
    let (one, successor) = (session(), session());
    let mut lifecycle = live(&one);
    let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
    lifecycle.destroyed(&plan, Destroyed::Dead(TombstoneKind::Rotated(successor.id)), |_| {
        Some(successor.clone())
    });
    // The store is unavailable. The next attempt goes on from there.
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
    assert_eq!(reads(&mut lifecycle), None);
    assert_eq!(destroys(&mut lifecycle), Some(successor.id));
}

#[test]
fn destroy_goes_on_where_its_own_request_rotated_the_session() {
    let one = session();
    let mut lifecycle = live(&one);
    let planned = rotates(&mut lifecycle, RotationReason::Rotate);
    let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
    let rotated = Destroyed::Dead(TombstoneKind::Rotated(planned.to.id));
    assert_eq!(lifecycle.destroyed(&plan, rotated, |_| panic!("it knows")), Next::Replan);
    assert_eq!(reads(&mut lifecycle), Some((planned.to.id, true)), "it is live until it is ended");
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Done);
}

#[test]
fn the_reported_one_of_two_rotations_counts() {
    let one = session();
    let mut lifecycle = live(&one);
    let (renewal, rotation) = (
        rotates(&mut lifecycle, RotationReason::Renew(REMEMBERED)),
        rotates(&mut lifecycle, RotationReason::Rotate),
    );
    dies(&mut lifecycle, &one.id);
    assert_eq!(reads(&mut lifecycle), Some((renewal.to.id, true)), "it is not known which");
    lifecycle.rotated(&rotation).unwrap();
    assert_eq!(lifecycle.send_headers().set.unwrap().id, rotation.to.id);
}

#[test]
fn a_rotation_of_a_former_session_changes_nothing() {
    let (one, two) = (session(), session());
    let mut ended = live(&one);
    let planned = rotates(&mut ended, RotationReason::Rotate);
    destroyed(&mut ended, Destroyed::Ended);
    ended.rotated(&planned).unwrap();
    assert_eq!(reads(&mut ended), None);
    let mut elsewhere = accessed(vec![candidate(&one), candidate(&two)]);
    let planned = rotates(&mut elsewhere, RotationReason::Rotate);
    elsewhere.missing(&one.id, false);
    elsewhere.rotated(&planned).unwrap();
    assert_eq!(writes(&mut elsewhere), (two.id, WriteMode::Existing));
}

#[test]
fn a_write_after_destroy_creates_a_normal_session_whose_cookie_replaces_the_removal() {
    let one = session_of(REMEMBERED, now());
    let mut lifecycle = live(&one);
    destroyed(&mut lifecycle, Destroyed::Ended);
    let (id, mode) = writes(&mut lifecycle);
    assert_eq!((id.created_at_and_lifetime().1, mode), (NORMAL, WriteMode::Create));
    lifecycle.created(&id).unwrap();
    let outcome = lifecycle.send_headers();
    assert_eq!((outcome.set.unwrap().id, outcome.remove), (id, false));
}

#[test]
fn a_creation_that_ends_after_destroy_is_written_again_under_the_new_id() {
    let mut lifecycle = accessed(vec![]);
    let (id, _) = writes(&mut lifecycle);
    destroyed(&mut lifecycle, Destroyed::Missing);
    assert_eq!(lifecycle.created(&id).unwrap(), Next::Replan);
    assert_ne!(writes(&mut lifecycle).0, id);
}

#[test]
fn after_the_headers_destroy_is_refused_unless_there_is_no_session() {
    for mut lifecycle in [live(&session()), gone(), accessed(vec![candidate(&session())])] {
        lifecycle.send_headers();
        assert!(lifecycle.plan_destroy(now()).unwrap_err().is_headers_sent());
    }
    let mut without = accessed(vec![]);
    without.send_headers();
    assert_eq!(destroys(&mut without), None);
    let mut stale = Lifecycle::default();
    stale.resolve_cookies(|| ResolvedCookies { has_cookie: true, ..resolved(vec![]) });
    stale.send_headers();
    assert!(stale.plan_destroy(now()).unwrap_err().is_headers_sent(), "the cookie stays");
}

#[test]
fn reading_the_expiry_leaves_the_refresh_to_the_first_read() {
    let one = session();
    let mut lifecycle = accessed(vec![candidate(&one)]);
    lifecycle.found(&one.id, false);
    assert_eq!(reads(&mut lifecycle), Some((one.id, true)));
    lifecycle.found(&one.id, true);
    assert_eq!(reads(&mut lifecycle), Some((one.id, false)));
}

#[test]
fn rotation_then_destruction_removes_and_destruction_then_rotation_does_nothing() {
    let one = session();
    let mut lifecycle = live(&one);
    let planned = rotates(&mut lifecycle, RotationReason::Rotate);
    lifecycle.rotated(&planned).unwrap();
    destroyed(&mut lifecycle, Destroyed::Ended);
    assert!(rotates_nothing(&mut lifecycle, RotationReason::Rotate));
    let outcome = lifecycle.send_headers();
    assert!(outcome.remove && outcome.set.is_none());
}

#[test]
fn no_cookie_is_set_for_a_session_that_may_have_ended() {
    let mut lifecycle = accessed(vec![]);
    let (id, _) = writes(&mut lifecycle);
    lifecycle.created(&id).unwrap();
    lifecycle.plan_destroy(now()).unwrap();
    assert!(lifecycle.send_headers().set.is_none(), "the destruction's outcome is not known");
    lifecycle.found(&id, true);
    assert!(lifecycle.send_headers().set.is_some(), "it did not happen");
    let one = session();
    let mut reissued = accessed(vec![Candidate { session: one.clone(), cookie_due: true }]);
    reissued.found(&one.id, true);
    rotates(&mut reissued, RotationReason::Rotate);
    assert!(reissued.send_headers().set.is_none());
}

#[test]
fn a_removal_is_sent_once() {
    let one = session();
    let mut lifecycle = live(&one);
    let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
    lifecycle.destroyed(&plan, Destroyed::Ended, nowhere);
    let (id, _) = writes(&mut lifecycle);
    lifecycle.created(&id).unwrap();
    assert!(lifecycle.send_headers().set.is_some());
    let again = lifecycle.send_headers();
    assert!(again.set.is_none() && !again.remove);
}

/// Returns the reason if no step is left to find it out.
fn known_reason(lifecycle: &mut Lifecycle) -> Option<EndReason> {
    match lifecycle.plan_end_reason(now()) {
        EndReasonStep::Known(reason) => reason,
        step => panic!("{step:?}"),
    }
}

fn is_looked_for(lifecycle: &mut Lifecycle, id: &SessionId) -> bool {
    match lifecycle.plan_end_reason(now()) {
        EndReasonStep::Look(read) => read.session.id == *id && read.refresh.is_none(),
        _ => false,
    }
}

fn tombstone(kind: TombstoneKind) -> Option<Tombstone> {
    Some(Tombstone { kind, age: Duration::from_secs(60) })
}

#[test]
fn each_tombstone_has_a_reason() {
    let successor = session().id;
    for (kind, reason) in [
        (LOGGED_OUT, EndReason::LoggedOut),
        (TombstoneKind::Destroyed(DestroyReason::EndedElsewhere), EndReason::EndedElsewhere),
        (TombstoneKind::Destroyed(DestroyReason::TooMany), EndReason::TooMany),
        (TombstoneKind::Rotated(successor), EndReason::Moved),
        (TombstoneKind::Renewed(successor), EndReason::Moved),
    ] {
        let one = session();
        let mut lifecycle = accessed(vec![candidate(&one)]);
        assert!(is_looked_for(&mut lifecycle, &one.id));
        lifecycle.dead(&one.id);
        lifecycle.tombstone_read(&one.id, tombstone(kind), age());
        assert_eq!(known_reason(&mut lifecycle), Some(reason));

        let mut seen_live = live(&one);
        seen_live.dead(&one.id);
        let step = seen_live.plan_end_reason(now());
        assert!(matches!(step, EndReasonStep::ReadTombstone(session) if session.id == one.id));
        seen_live.tombstone_read(&one.id, tombstone(kind), age());
        assert_eq!(known_reason(&mut seen_live), Some(reason));
    }
}

#[test]
fn a_session_without_a_tombstone_has_expired() {
    let one = session();
    let mut unknown = accessed(vec![candidate(&one)]);
    unknown.missing(&one.id, false);
    let mut forgotten = accessed(vec![candidate(&one)]);
    forgotten.tombstone_read(&one.id, None, age());
    let mut seen_live = live(&one);
    seen_live.missing(&one.id, false);
    let mut ended_late = live(&one);
    destroyed(&mut ended_late, Destroyed::Missing);
    let mut unusable = Lifecycle::default();
    unusable.resolve_cookies(|| ResolvedCookies { unusable: vec![one], ..resolved(vec![]) });
    for mut lifecycle in [unknown, forgotten, seen_live, ended_late, unusable] {
        assert_eq!(known_reason(&mut lifecycle), Some(EndReason::Expired));
    }
    let overdue = session_of(NORMAL, now() - Duration::from_secs(40 * 24 * 60 * 60));
    let mut overdue = accessed(vec![candidate(&overdue)]);
    assert_eq!(known_reason(&mut overdue), Some(EndReason::Expired));
}

#[test]
fn a_live_session_and_a_creation_have_no_end() {
    assert_eq!(known_reason(&mut accessed(vec![])), None);
    assert_eq!(known_reason(&mut live(&session())), None);
    let mut lifecycle = accessed(vec![]);
    writes(&mut lifecycle);
    assert_eq!(known_reason(&mut lifecycle), None, "the creation is not asked for");
    destroyed(&mut lifecycle, Destroyed::Missing);
    assert_eq!(known_reason(&mut lifecycle), None, "it did not happen");
}

/// The reply to the rotation was lost, so that the request meets its own tombstone.
#[test]
fn a_session_that_went_on_under_an_own_id_is_not_over() {
    let one = session();
    let mut lifecycle = live(&one);
    let planned = rotates(&mut lifecycle, RotationReason::Rotate);
    lifecycle.dead(&one.id);
    assert!(is_looked_for(&mut lifecycle, &planned.to.id));
    lifecycle.found(&planned.to.id, false);
    assert_eq!(known_reason(&mut lifecycle), None);

    let mut lifecycle = accessed(vec![candidate(&one)]);
    let planned = rotates(&mut lifecycle, RotationReason::Rotate);
    lifecycle.dead(&one.id);
    let rotated = tombstone(TombstoneKind::Rotated(planned.to.id));
    lifecycle.tombstone_read(&one.id, rotated, age());
    assert!(is_looked_for(&mut lifecycle, &planned.to.id));
    lifecycle.missing(&planned.to.id, false);
    assert_eq!(known_reason(&mut lifecycle), Some(EndReason::Expired), "the successor has");
}

#[test]
fn a_live_cookie_hides_the_end_of_another_and_an_own_end_counts() {
    let (ended, one) = (session(), session());
    let further = || {
        let mut lifecycle = accessed(vec![candidate(&ended), candidate(&one)]);
        lifecycle.dead(&ended.id);
        let elsewhere = TombstoneKind::Destroyed(DestroyReason::EndedElsewhere);
        lifecycle.tombstone_read(&ended.id, tombstone(elsewhere), age());
        assert!(is_looked_for(&mut lifecycle, &one.id));
        lifecycle
    };
    let mut found = further();
    found.found(&one.id, true);
    let mut rotated = further();
    let planned = rotates(&mut rotated, RotationReason::Rotate);
    rotated.rotated(&planned).unwrap();
    for mut lifecycle in [found, rotated] {
        assert_eq!(known_reason(&mut lifecycle), None);
        lifecycle.note_destruction(DestroyReason::LoggedOut);
        assert_eq!(known_reason(&mut lifecycle), Some(EndReason::LoggedOut));
    }
}

#[test]
fn a_new_session_leaves_the_reason_of_the_cookie() {
    let one = session();
    let mut lifecycle = accessed(vec![candidate(&one)]);
    lifecycle.missing(&one.id, false);
    let (id, _) = writes(&mut lifecycle);
    assert_eq!(known_reason(&mut lifecycle), Some(EndReason::Expired));
    lifecycle.created(&id).unwrap();
    let planned = rotates(&mut lifecycle, RotationReason::Rotate);
    lifecycle.rotated(&planned).unwrap();
    assert_eq!(known_reason(&mut lifecycle), Some(EndReason::Expired));
    lifecycle.missing(&planned.to.id, false);
    assert_eq!(known_reason(&mut lifecycle), Some(EndReason::Expired));
}

#[test]
fn a_degraded_request_has_no_reason() {
    let mut lifecycle = accessed(vec![candidate(&session())]);
    lifecycle.allow_degraded();
    lifecycle.degrade();
    assert_eq!(known_reason(&mut lifecycle), None);
}

/// Two operations of a request create the session together. The login among them is refused.
#[test]
fn a_refused_login_keeps_the_creation_of_another_operation() {
    let mut lifecycle = accessed(Vec::new());
    let login = lifecycle.plan_write(now(), false, |_| Ok(session())).unwrap().unwrap();
    let other = lifecycle.plan_write(now(), false, |_| Ok(session())).unwrap().unwrap();
    assert_eq!(login.session.id, other.session.id);
    lifecycle.login_refused(&login);
    assert_eq!(lifecycle.created(&other.session.id).unwrap(), Next::Done);
}

/// After a pause, the id of the creation may have been ended, and its tombstone may be gone.
#[test]
fn a_creation_without_a_reply_is_given_up_after_a_minute() {
    let created_at = session().created_at;
    for (age, is_kept) in [(60, true), (61, false)] {
        let mut lifecycle = accessed(Vec::new());
        let first = lifecycle.plan_write(now(), false, |_| Ok(session())).unwrap().unwrap();
        lifecycle.forget_old_creation(created_at + Duration::from_secs(age));
        let second = lifecycle.plan_write(now(), false, |_| Ok(session())).unwrap().unwrap();
        assert_eq!(first.session.id == second.session.id, is_kept, "{age}");
    }
}
