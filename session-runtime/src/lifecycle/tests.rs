//! Every state with every operation and every report.

use std::time::UNIX_EPOCH;

use super::*;
use crate::config::Lifetimes;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(2_000_000_000)
}

fn subject() -> Subject {
    subject_of(0, now())
}

fn subject_of(class: u8, birth: SystemTime) -> Subject {
    Subject::new(SessionId::draw(birth, class).unwrap(), "app", &Lifetimes::default())
}

fn candidate(subject: &Subject) -> Candidate {
    Candidate { subject: subject.clone(), cookie_due: false }
}

fn asked(candidates: Vec<Candidate>) -> Lifecycle {
    let mut lifecycle = Lifecycle::default();
    lifecycle.ask(|| presented(candidates));
    lifecycle
}

fn presented(candidates: Vec<Candidate>) -> Presented<Vec<Candidate>> {
    Presented { by_cookie: !candidates.is_empty(), candidates, unusable: Vec::new() }
}

/// A request that has just come in.
fn age() -> RequestAge {
    RequestAge { since_arrival: Duration::ZERO, grace: Duration::from_secs(5), has_client: true }
}

fn logged_out() -> Tombstone {
    Tombstone { kind: LOGGED_OUT, age: Duration::ZERO }
}

const LOGGED_OUT: TombstoneKind = TombstoneKind::Destroyed(DestroyReason::LoggedOut);

/// It was just logged out.
fn dies(lifecycle: &mut Lifecycle, id: &SessionId) {
    if let Some(subject) = lifecycle.dead(id) {
        lifecycle.examined(&subject.id, Some(logged_out()), age());
    }
}

fn live(subject: &Subject) -> Lifecycle {
    let mut lifecycle = asked(vec![candidate(subject)]);
    lifecycle.found(&subject.id, true);
    lifecycle
}

fn gone() -> Lifecycle {
    let subject = subject();
    let mut lifecycle = live(&subject);
    dies(&mut lifecycle, &subject.id);
    lifecycle
}

fn write(lifecycle: &mut Lifecycle) -> Result<Option<Write>, Error> {
    lifecycle.plan_write(now(), false, |class| Ok(subject_of(class, now())))
}

fn remove(lifecycle: &mut Lifecycle) -> Result<Option<Write>, Error> {
    lifecycle.plan_write(now(), true, |_| panic!("removing begins no session"))
}

fn reads(lifecycle: &mut Lifecycle) -> Option<(SessionId, bool)> {
    lifecycle.plan_read(now()).map(|read| (read.subject.id, read.refresh.is_some()))
}

fn writes(lifecycle: &mut Lifecycle) -> (SessionId, WriteMode) {
    let write = write(lifecycle).unwrap().unwrap();
    (write.subject.id, write.mode)
}

#[test]
fn absent_reads_and_removes_without_the_store_and_creates_under_one_id() {
    let mut lifecycle = asked(vec![]);
    assert_eq!(reads(&mut lifecycle), None);
    assert!(remove(&mut lifecycle).unwrap().is_none());
    let (drawn, mode) = writes(&mut lifecycle);
    assert_eq!(mode, WriteMode::Create);
    assert_eq!(writes(&mut lifecycle), (drawn, WriteMode::Create), "side by side: the same id");
}

#[test]
fn candidate_is_asked_with_a_refresh_and_written_with_a_guard() {
    let one = subject();
    let mut lifecycle = asked(vec![candidate(&one)]);
    assert_eq!(reads(&mut lifecycle), Some((one.id, true)));
    assert_eq!(writes(&mut lifecycle), (one.id, WriteMode::Existing));
    assert_eq!(remove(&mut lifecycle).unwrap().unwrap().mode, WriteMode::Existing);
}

#[test]
fn candidate_found_is_live_and_refreshed_no_more() {
    let one = subject();
    let mut lifecycle = live(&one);
    assert_eq!(reads(&mut lifecycle), Some((one.id, false)));
    assert_eq!(writes(&mut lifecycle), (one.id, WriteMode::Existing));
    assert!(lifecycle.commit().set.is_none());
}

#[test]
fn the_fields_that_were_seen_are_those_of_the_live_session_under_its_id() {
    let (one, other) = (subject(), subject());
    let set = [crate::store::Change::Set { field: "a", value: "1".into(), ttl: None }];
    assert!(asked(vec![candidate(&one)]).present(&one.id).is_none());
    let mut lifecycle = live(&one);
    assert!(lifecycle.present(&other.id).is_none());
    lifecycle.present(&one.id).unwrap().note("a", true);
    assert!(lifecycle.present(&one.id).unwrap().has_all(&set));
    let planned = moves(&mut lifecycle, Reason::Rotate);
    lifecycle.moved(&planned).unwrap();
    assert!(lifecycle.present(&one.id).is_none());
    assert!(!lifecycle.present(&planned.to.id).unwrap().has_all(&set));
}

#[test]
fn candidate_unknown_to_the_store_is_never_adopted() {
    let one = subject();
    let mut lifecycle = asked(vec![candidate(&one)]);
    assert_eq!(lifecycle.missing(&one.id, false), Next::Replan);
    assert_eq!(reads(&mut lifecycle), None);
    let (drawn, mode) = writes(&mut lifecycle);
    assert_eq!(mode, WriteMode::Create);
    assert_ne!(drawn, one.id);
}

#[test]
fn the_last_id_is_told_of_a_session_that_ended_too() {
    let one = subject();
    assert_eq!(asked(vec![]).last_id(), None);
    let mut lifecycle = live(&one);
    assert_eq!(lifecycle.last_id(), Some(one.id));
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Nothing);
    assert_eq!(lifecycle.last_id(), Some(one.id));
}

#[test]
fn candidate_dead_is_gone() {
    let one = subject();
    let mut lifecycle = asked(vec![candidate(&one)]);
    dies(&mut lifecycle, &one.id);
    assert_eq!(reads(&mut lifecycle), None);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
    assert!(remove(&mut lifecycle).unwrap_err().is_gone());
    assert!(lifecycle.commit().set.is_none());
}

#[test]
fn the_next_candidate_takes_the_place_of_one_that_is_missing_or_dead() {
    let (one, two) = (subject(), subject());
    for end in [dies, |l: &mut Lifecycle, id: &SessionId| {
        l.missing(id, false);
    }] {
        let mut lifecycle = asked(vec![candidate(&one), candidate(&two)]);
        end(&mut lifecycle, &one.id);
        assert_eq!(reads(&mut lifecycle), Some((two.id, true)));
        lifecycle.found(&two.id, true);
        assert_eq!(writes(&mut lifecycle), (two.id, WriteMode::Existing));
    }
}

#[test]
fn a_dead_candidate_and_none_that_lives_is_gone() {
    let (one, two) = (subject(), subject());
    let mut lifecycle = asked(vec![candidate(&one), candidate(&two)]);
    dies(&mut lifecycle, &one.id);
    lifecycle.missing(&two.id, false);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
}

#[test]
fn live_that_ends_is_gone() {
    for end in [dies, |l: &mut Lifecycle, id: &SessionId| {
        l.missing(id, false);
    }] {
        let one = subject();
        let mut lifecycle = live(&one);
        end(&mut lifecycle, &one.id);
        assert_eq!(reads(&mut lifecycle), None);
        assert!(write(&mut lifecycle).unwrap_err().is_gone());
    }
}

#[test]
fn gone_stays_gone_whatever_is_reported_late() {
    let mut lifecycle = gone();
    let late = subject();
    lifecycle.found(&late.id, true);
    lifecycle.missing(&late.id, false);
    dies(&mut lifecycle, &late.id);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
}

#[test]
fn a_report_of_another_id_changes_nothing() {
    let (one, other) = (subject(), subject());
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
        let mut unrefreshed = asked(vec![candidate(&one)]);
        unrefreshed.found(&one.id, false);
        report(&mut unrefreshed, &other.id);
        assert_eq!(reads(&mut unrefreshed), Some((one.id, true)));
        let mut candidates = asked(vec![candidate(&one)]);
        report(&mut candidates, &other.id);
        assert_eq!(writes(&mut candidates), (one.id, WriteMode::Existing));
        assert!(!candidates.commit().was_live);
        let mut absent = asked(vec![]);
        let drawn = writes(&mut absent);
        report(&mut absent, &other.id);
        assert_eq!(writes(&mut absent), drawn);
    }
}

#[test]
fn creation_is_live_and_its_cookie_is_sent_once() {
    let mut lifecycle = asked(vec![]);
    let (id, _) = writes(&mut lifecycle);
    assert_eq!(lifecycle.created(&id).unwrap(), Next::Nothing);
    assert_eq!(reads(&mut lifecycle), Some((id, false)));
    assert_eq!(lifecycle.commit().set.unwrap().id, id);
    assert!(lifecycle.commit().set.is_none());
}

#[test]
fn creation_of_unknown_outcome_is_settled_under_the_same_id() {
    let mut lifecycle = asked(vec![]);
    let (id, _) = writes(&mut lifecycle);
    assert_eq!(reads(&mut lifecycle), Some((id, true)), "a read asks whether it happened");
    assert_eq!(lifecycle.missing(&id, false), Next::Nothing);
    assert_eq!(remove(&mut lifecycle).unwrap().unwrap().mode, WriteMode::Existing);
    assert!(lifecycle.commit().set.is_none(), "no cookie for what may not be there");
}

#[test]
fn a_read_that_came_before_the_creation_does_not_end_it() {
    let mut lifecycle = asked(vec![]);
    let (id, _) = writes(&mut lifecycle);
    let read = lifecycle.plan_read(now()).unwrap();
    let remove = remove(&mut lifecycle).unwrap().unwrap();
    assert!(read.settles && remove.settles);
    lifecycle.created(&id).unwrap();
    assert_eq!(lifecycle.missing(&id, read.settles), Next::Nothing, "it was told before");
    assert_eq!(writes(&mut lifecycle), (id, WriteMode::Existing));
    assert!(!lifecycle.plan_read(now()).unwrap().settles);
    assert_eq!(lifecycle.commit().set.unwrap().id, id);
}

#[test]
fn a_destruction_that_came_before_the_creation_is_repeated() {
    let mut lifecycle = asked(vec![]);
    let (id, _) = writes(&mut lifecycle);
    let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
    lifecycle.created(&id).unwrap();
    assert_eq!(lifecycle.destroyed(&plan, Destroyed::Missing, nowhere), Next::Replan);
    assert_eq!(destroys(&mut lifecycle), Some(id));
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Nothing);
    assert!(lifecycle.commit().set.is_none());
}

#[test]
fn creation_found_by_a_read_gets_its_cookie() {
    let mut lifecycle = asked(vec![]);
    let (id, _) = writes(&mut lifecycle);
    lifecycle.found(&id, true);
    assert_eq!(lifecycle.commit().set.unwrap().id, id);
}

#[test]
fn after_the_head_nothing_is_created_and_live_goes_on() {
    let mut lifecycle = asked(vec![]);
    lifecycle.commit();
    assert!(write(&mut lifecycle).unwrap_err().is_headers_sent());
    assert!(remove(&mut lifecycle).unwrap().is_none());
    let one = subject();
    let mut lifecycle = live(&one);
    lifecycle.commit();
    assert_eq!(writes(&mut lifecycle), (one.id, WriteMode::Existing));
}

#[test]
fn a_creation_that_ends_after_the_head_is_committed_and_sets_nothing() {
    let mut lifecycle = asked(vec![]);
    let (id, _) = writes(&mut lifecycle);
    lifecycle.commit();
    assert!(lifecycle.created(&id).unwrap_err().is_headers_sent());
    assert!(lifecycle.commit().set.is_none());
}

#[test]
fn a_cookie_of_an_older_key_is_reissued_once_found_live_and_only_then() {
    let one = subject();
    let reissued = || vec![Candidate { subject: one.clone(), cookie_due: true }];
    let mut lifecycle = asked(reissued());
    lifecycle.found(&one.id, true);
    assert_eq!(lifecycle.commit().set.unwrap().id, one.id);
    let mut untouched = asked(reissued());
    assert!(untouched.commit().set.is_none());
    let mut ended = asked(reissued());
    ended.found(&one.id, true);
    dies(&mut ended, &one.id);
    assert!(ended.commit().set.is_none());
}

#[test]
fn past_the_deadline_a_candidate_is_absent_and_a_live_session_gone() {
    let one = subject();
    let later = now() + Duration::from_secs(31 * 24 * 60 * 60);
    let mut lifecycle = asked(vec![candidate(&one)]);
    assert!(lifecycle.plan_read(later).is_none());
    let plan = lifecycle.plan_write(later, false, |class| Ok(subject_of(class, later)));
    assert_eq!(plan.unwrap().unwrap().mode, WriteMode::Create);
    let mut lifecycle = live(&one);
    assert!(lifecycle.plan_read(later).is_none());
    assert!(lifecycle.plan_write(later, false, |_| Ok(subject())).unwrap_err().is_gone());
}

#[test]
fn past_the_deadline_of_a_drawn_id_another_one_is_drawn() {
    let mut lifecycle = asked(vec![]);
    let (drawn, _) = writes(&mut lifecycle);
    let later = now() + Duration::from_secs(31 * 24 * 60 * 60);
    assert!(lifecycle.plan_read(later).is_none());
    let plan = lifecycle.plan_write(later, false, |class| Ok(subject_of(class, later))).unwrap().unwrap();
    assert_eq!(plan.mode, WriteMode::Create);
    assert_ne!(plan.subject.id, drawn);
}

#[test]
fn an_outcome_says_what_the_request_did() {
    let mut ignored = Lifecycle::default();
    assert!(!ignored.commit().asked);
    let mut absent = asked(vec![]);
    let outcome = absent.commit();
    assert!(outcome.asked && !outcome.was_live);
    assert!(live(&subject()).commit().was_live);
    assert!(gone().commit().was_live);
}

#[test]
fn of_two_cookies_of_one_session_the_older_birth_counts_and_the_current_one() {
    let (older, newer) = (subject_of(0, now() - Duration::from_secs(1)), subject());
    for (first, second) in [(&older, &newer), (&newer, &older)] {
        for (due, other_due) in [(true, true), (true, false), (false, true)] {
            let mut candidate = Candidate { subject: first.clone(), cookie_due: due };
            candidate.merge(Candidate { subject: second.clone(), cookie_due: other_due });
            assert_eq!(candidate.subject.birth, older.birth);
            assert_eq!(candidate.cookie_due, due && other_due);
        }
    }
    let mut first = candidate(&newer);
    first.merge(candidate(&subject()));
    assert_eq!(first.subject.id, newer.id, "of the same age: the first");
}

#[test]
fn a_request_that_goes_on_without_its_session_does_so_to_its_end() {
    let one = subject();
    let mut lifecycle = asked(vec![candidate(&one)]);
    assert!(!lifecycle.unavailable(), "it was not allowed to");
    lifecycle.may_go_on_without();
    assert_eq!(reads(&mut lifecycle), Some((one.id, true)), "the store is asked as always");
    assert!(lifecycle.unavailable());
    lifecycle.may_go_on_without();
    assert!(lifecycle.goes_on_without());
    assert_eq!(reads(&mut lifecycle), None);
    for error in [
        write(&mut lifecycle).unwrap_err(),
        lifecycle.plan_move(now(), Reason::Rotate, age(), |_| Ok(subject())).unwrap_err(),
        lifecycle.plan_destroy(now()).unwrap_err(),
    ] {
        assert!(error.is_unavailable() && !error.is_gone() && !error.is_headers_sent(), "{error}");
    }
    assert!(lifecycle.commit().went_on_without);
}

#[test]
fn a_request_that_saw_its_session_does_not_go_on_without_it() {
    let mut lifecycle = live(&subject());
    lifecycle.may_go_on_without();
    assert!(!lifecycle.unavailable() && !lifecycle.commit().went_on_without);
}

fn moves(lifecycle: &mut Lifecycle, reason: Reason) -> Move {
    let step = lifecycle.plan_move(now(), reason, age(), |_| Ok(subject())).unwrap();
    let MoveStep::Move(planned) = step else { panic!("{step:?}") };
    planned
}

fn moves_nothing(lifecycle: &mut Lifecycle, reason: Reason) -> bool {
    let step = lifecycle.plan_move(now(), reason, age(), |_| panic!("nothing to move")).unwrap();
    matches!(step, MoveStep::Nothing)
}

fn destroys(lifecycle: &mut Lifecycle) -> Option<SessionId> {
    lifecycle.plan_destroy(now()).unwrap().map(|plan| plan.subject.id)
}

/// The store's answer to a plan that is made now.
fn destroyed(lifecycle: &mut Lifecycle, found: Destroyed) -> Next {
    let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
    lifecycle.destroyed(&plan, found, nowhere)
}

fn nowhere(_: TombstoneKind) -> Option<Subject> {
    None
}

#[test]
fn absent_has_nothing_to_move_and_remembers_the_class() {
    let mut lifecycle = asked(vec![]);
    assert!(moves_nothing(&mut lifecycle, Reason::Rotate));
    assert!(moves_nothing(&mut lifecycle, Reason::Renew(1)));
    assert!(moves_nothing(&mut lifecycle, Reason::Rotate));
    let (drawn, _) = writes(&mut lifecycle);
    assert_eq!(drawn.birth_and_class().1, 1);
}

#[test]
fn candidate_and_live_move_and_get_a_cookie() {
    let one = subject();
    for mut lifecycle in [asked(vec![candidate(&one)]), live(&one)] {
        let planned = moves(&mut lifecycle, Reason::Rotate);
        assert_eq!(planned.from.id, one.id);
        lifecycle.moved(&planned).unwrap();
        assert_eq!(reads(&mut lifecycle), Some((planned.to.id, false)));
        assert_eq!(lifecycle.subject().unwrap().id, planned.to.id);
        assert_eq!(lifecycle.commit().set.unwrap().id, planned.to.id);
    }
}

#[test]
fn a_move_that_is_repeated_leads_to_the_same_id() {
    let mut lifecycle = live(&subject());
    let first = moves(&mut lifecycle, Reason::Rotate);
    assert_eq!(moves(&mut lifecycle, Reason::Rotate).to.id, first.to.id);
    assert_ne!(moves(&mut lifecycle, Reason::Renew(0)).to.id, first.to.id);
    lifecycle.moved(&first).unwrap();
    assert_ne!(moves(&mut lifecycle, Reason::Rotate).to.id, first.to.id, "done: the next one is another");
}

#[test]
fn a_creation_that_did_not_happen_is_not_moved_and_the_move_comes_to_an_end() {
    let mut lifecycle = asked(vec![]);
    let (drawn, _) = writes(&mut lifecycle);
    let planned = moves(&mut lifecycle, Reason::Rotate);
    assert_eq!(planned.from.id, drawn);
    assert_eq!(lifecycle.unmoved(&planned), Next::Nothing);
    assert_eq!(writes(&mut lifecycle).0, drawn, "the next write is the first one");
}

#[test]
fn a_renewal_of_a_creation_that_did_not_happen_decides_on_the_next_ones_class() {
    let mut lifecycle = asked(vec![]);
    let (drawn, _) = writes(&mut lifecycle);
    let planned = moves(&mut lifecycle, Reason::Renew(1));
    assert_eq!(lifecycle.unmoved(&planned), Next::Nothing);
    let (next, _) = writes(&mut lifecycle);
    assert_ne!(next, drawn);
    assert_eq!(next.birth_and_class().1, 1);
}

#[test]
fn a_move_that_came_before_the_creation_is_repeated() {
    let mut lifecycle = asked(vec![]);
    let (drawn, _) = writes(&mut lifecycle);
    let planned = moves(&mut lifecycle, Reason::Rotate);
    lifecycle.created(&drawn).unwrap();
    assert_eq!(lifecycle.unmoved(&planned), Next::Replan);
    let again = moves(&mut lifecycle, Reason::Rotate);
    assert_eq!(again.to.id, planned.to.id);
    lifecycle.missing(&drawn, false);
    assert_eq!(lifecycle.unmoved(&again), Next::Replan);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
}

#[test]
fn a_move_that_is_repeated_after_the_creation_and_finds_nothing_is_gone() {
    let mut lifecycle = asked(vec![]);
    let (drawn, _) = writes(&mut lifecycle);
    moves(&mut lifecycle, Reason::Rotate);
    lifecycle.created(&drawn).unwrap();
    let again = moves(&mut lifecycle, Reason::Rotate);
    assert_eq!(lifecycle.unmoved(&again), Next::Replan);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
}

#[test]
fn a_move_of_another_id_that_found_nothing_changes_nothing() {
    let one = subject();
    let stale = Move { from: subject(), to: subject(), reason: Reason::Renew(1), settles: true };
    let mut absent = asked(vec![]);
    let drawn = writes(&mut absent);
    assert_eq!(absent.unmoved(&stale), Next::Replan);
    assert_eq!(writes(&mut absent), drawn);
    let mut lifecycle = live(&one);
    assert_eq!(lifecycle.unmoved(&stale), Next::Replan);
    assert_eq!(writes(&mut lifecycle), (one.id, WriteMode::Existing));
}

#[test]
fn gone_cannot_move_and_committed_cannot_either() {
    assert!(gone().plan_move(now(), Reason::Rotate, age(), |_| Ok(subject())).unwrap_err().is_gone());
    let mut lifecycle = live(&subject());
    lifecycle.commit();
    assert!(
        lifecycle.plan_move(now(), Reason::Rotate, age(), |_| Ok(subject())).unwrap_err().is_headers_sent()
    );
}

#[test]
fn a_move_of_unknown_outcome_is_settled_by_the_next_operation() {
    let one = subject();
    let mut lifecycle = live(&one);
    let planned = moves(&mut lifecycle, Reason::Rotate);
    // It did not happen: the old id goes on.
    assert_eq!(reads(&mut lifecycle), Some((one.id, false)));
    lifecycle.found(&one.id, false);
    assert!(lifecycle.commit().set.is_none());
    // It did: the old id is dead, and the successor is asked.
    dies(&mut lifecycle, &one.id);
    assert_eq!(reads(&mut lifecycle), Some((planned.to.id, true)));
    lifecycle.found(&planned.to.id, true);
    assert_eq!(lifecycle.commit().set.unwrap().id, planned.to.id);
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
fn a_creation_without_an_answer_is_an_event_when_the_end_proves_it_and_is_reported_once() {
    let mut lifecycle = asked(vec![]);
    writes(&mut lifecycle);
    assert!(lifecycle.take_events().is_none());
    destroyed(&mut lifecycle, Destroyed::Ended);
    assert!(format!("{:?}", lifecycle.events).contains("Created"));
    assert!(lifecycle.take_events().is_some() && lifecycle.take_events().is_none());
}

#[cfg(feature = "metrics")]
#[test]
fn an_end_is_an_event_of_the_request_that_brought_it() {
    for (found, is_event) in
        [(Destroyed::Ended, true), (Destroyed::Missing, false), (Destroyed::Dead(LOGGED_OUT), false)]
    {
        let mut lifecycle = live(&subject());
        destroyed(&mut lifecycle, found);
        assert_eq!(format!("{:?}", lifecycle.events).contains("Destroyed"), is_event, "{found:?}");
    }
}

/// With `metrics`, events are kept even if nothing listens.
#[cfg(feature = "metrics")]
#[test]
fn a_rotation_of_unknown_outcome_is_an_event_if_it_happened() {
    let one = subject();
    for happened in [false, true] {
        let mut lifecycle = live(&one);
        let planned = moves(&mut lifecycle, Reason::Rotate);
        let found = if happened { &planned.to } else { &one };
        if happened {
            dies(&mut lifecycle, &one.id);
        }
        lifecycle.found(&found.id, true);
        assert_eq!(format!("{:?}", lifecycle.events).contains("Rotated"), happened);
    }
}

#[test]
fn a_move_that_lost_against_another_requests_is_gone() {
    let one = subject();
    let mut lifecycle = live(&one);
    let planned = moves(&mut lifecycle, Reason::Rotate);
    dies(&mut lifecycle, &one.id);
    lifecycle.missing(&planned.to.id, false);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
    assert!(lifecycle.commit().set.is_none());
}

#[test]
fn a_move_that_the_store_refused_is_gone_at_once() {
    let one = subject();
    let mut lifecycle = live(&one);
    let planned = moves(&mut lifecycle, Reason::Rotate);
    lifecycle.move_lost(&planned);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
    // Another one of this request may have won.
    let mut lifecycle = live(&one);
    let (won, lost) = (moves(&mut lifecycle, Reason::Renew(1)), moves(&mut lifecycle, Reason::Rotate));
    lifecycle.move_lost(&lost);
    assert_eq!(reads(&mut lifecycle), Some((won.to.id, true)));
}

#[test]
fn a_write_that_meets_its_own_requests_move_follows_it() {
    let one = subject();
    let mut lifecycle = live(&one);
    let planned = moves(&mut lifecycle, Reason::Renew(1));
    lifecycle.moved(&planned).unwrap();
    dies(&mut lifecycle, &one.id);
    assert_eq!(writes(&mut lifecycle), (planned.to.id, WriteMode::Existing));
}

#[test]
fn a_first_write_that_went_along_with_a_move_is_not_written_again() {
    let mut lifecycle = asked(vec![]);
    let (drawn, _) = writes(&mut lifecycle);
    let planned = moves(&mut lifecycle, Reason::Rotate);
    lifecycle.moved(&planned).unwrap();
    assert_eq!(lifecycle.created(&drawn).unwrap(), Next::Nothing);
    // A second first write comes after the move, and meets the tombstone.
    let mut lifecycle = asked(vec![]);
    let (drawn, _) = writes(&mut lifecycle);
    let planned = moves(&mut lifecycle, Reason::Rotate);
    dies(&mut lifecycle, &drawn);
    assert_eq!(writes(&mut lifecycle), (planned.to.id, WriteMode::Existing));
    assert_eq!(lifecycle.created(&drawn).unwrap(), Next::Nothing);
}

#[test]
fn a_first_write_whose_session_has_ended_since_was_carried_out() {
    let mut lifecycle = asked(vec![]);
    let (drawn, _) = writes(&mut lifecycle);
    lifecycle.created(&drawn).unwrap();
    dies(&mut lifecycle, &drawn);
    assert_eq!(lifecycle.created(&drawn).unwrap(), Next::Nothing);
}

#[test]
fn a_first_write_that_came_after_a_move_found_nothing_is_written_again_under_the_next_id() {
    let mut lifecycle = asked(vec![]);
    let (drawn, _) = writes(&mut lifecycle);
    let planned = moves(&mut lifecycle, Reason::Renew(1));
    lifecycle.unmoved(&planned);
    assert_eq!(lifecycle.created(&drawn).unwrap(), Next::Replan);
    let (next, _) = writes(&mut lifecycle);
    assert_eq!(next.birth_and_class().1, 1);
    assert_eq!(lifecycle.created(&drawn).unwrap(), Next::Replan, "another one is drawn");
    lifecycle.created(&next).unwrap();
    assert_eq!(lifecycle.created(&drawn).unwrap(), Next::Replan, "another one is live");
}

#[test]
fn a_move_that_ends_after_the_head_is_committed() {
    let mut lifecycle = live(&subject());
    let planned = moves(&mut lifecycle, Reason::Rotate);
    lifecycle.commit();
    assert!(lifecycle.moved(&planned).unwrap_err().is_headers_sent());
    assert_eq!(writes(&mut lifecycle), (planned.to.id, WriteMode::Existing), "writing goes on");
}

#[test]
fn every_session_that_is_destroyed_ends_in_a_removal_and_absent() {
    let one = subject();
    let mut gone = live(&one);
    dies(&mut gone, &one.id);
    for mut lifecycle in [asked(vec![candidate(&one)]), live(&one), gone] {
        assert_eq!(destroys(&mut lifecycle), Some(one.id));
        assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Nothing);
        assert_eq!(reads(&mut lifecycle), None);
        assert_eq!(destroys(&mut lifecycle), None);
        let outcome = lifecycle.commit();
        assert!(outcome.remove && outcome.set.is_none());
    }
}

#[test]
fn a_session_that_was_ended_or_had_moved_was_live() {
    let successor = subject();
    for (found, was_live) in [
        (Destroyed::Ended, true),
        (Destroyed::Dead(TombstoneKind::Rotated(successor.id)), true),
        (Destroyed::Missing, false),
        (Destroyed::Dead(LOGGED_OUT), false),
    ] {
        let mut lifecycle = asked(vec![candidate(&subject())]);
        destroyed(&mut lifecycle, found);
        assert_eq!(lifecycle.commit().was_live, was_live, "{found:?}");
    }
}

#[test]
fn destroy_without_a_session_removes_a_stale_cookie_and_nothing_else() {
    let mut without = asked(vec![]);
    assert_eq!(destroys(&mut without), None);
    assert!(!without.commit().remove);
    let mut stale = Lifecycle::default();
    stale.ask(|| Presented { by_cookie: true, ..presented(vec![]) });
    assert_eq!(destroys(&mut stale), None);
    assert!(stale.commit().remove);
}

#[test]
fn destroy_of_a_session_of_this_request_needs_no_removal() {
    let mut lifecycle = asked(vec![]);
    let (id, _) = writes(&mut lifecycle);
    lifecycle.created(&id).unwrap();
    assert_eq!(destroys(&mut lifecycle), Some(id));
    destroyed(&mut lifecycle, Destroyed::Ended);
    let outcome = lifecycle.commit();
    assert!(outcome.set.is_none() && !outcome.remove);
}

#[test]
fn destroy_settles_a_creation_of_unknown_outcome() {
    let mut lifecycle = asked(vec![]);
    let (id, _) = writes(&mut lifecycle);
    assert_eq!(destroys(&mut lifecycle), Some(id));
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Missing), Next::Nothing);
    assert_ne!(writes(&mut lifecycle).0, id);
}

#[test]
fn destroy_follows_a_session_that_moved() {
    let (one, successor) = (subject(), subject());
    let mut lifecycle = live(&one);
    let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
    let moved = Destroyed::Dead(TombstoneKind::Rotated(successor.id));
    assert_eq!(lifecycle.destroyed(&plan, moved, |_| Some(successor.clone())), Next::Replan);
    assert_eq!(destroys(&mut lifecycle), Some(successor.id));
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Nothing);
    assert!(lifecycle.commit().remove);
}

#[test]
fn destroy_ends_every_session_of_the_cookies() {
    for is_live in [false, true] {
        let (one, two, unusable) = (subject(), subject(), subject());
        let mut lifecycle = Lifecycle::default();
        lifecycle.ask(|| {
            let unusable = vec![unusable.clone()];
            Presented { unusable, ..presented(vec![candidate(&one), candidate(&two)]) }
        });
        if is_live {
            lifecycle.found(&one.id, true);
        }
        let order = if is_live { [&unusable, &two, &one] } else { [&unusable, &one, &two] };
        for (at, expected) in order.iter().enumerate() {
            assert_eq!(destroys(&mut lifecycle), Some(expected.id));
            let next = if at < 2 { Next::Replan } else { Next::Nothing };
            assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), next);
        }
        assert_eq!(reads(&mut lifecycle), None);
        assert!(lifecycle.commit().remove);
    }
}

#[test]
fn destroy_ends_what_a_session_of_another_cookie_was_rotated_to() {
    let (one, two, successor) = (subject(), subject(), subject());
    let mut lifecycle = asked(vec![candidate(&one), candidate(&two)]);
    lifecycle.found(&one.id, true);
    let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
    assert_eq!(plan.subject.id, two.id);
    let moved = Destroyed::Dead(TombstoneKind::Rotated(successor.id));
    assert_eq!(lifecycle.destroyed(&plan, moved, |_| Some(successor.clone())), Next::Replan);
    assert_eq!(destroys(&mut lifecycle), Some(successor.id));
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Replan);
    assert_eq!(reads(&mut lifecycle), Some((one.id, false)), "it has its own until the end");
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Nothing);
}

#[test]
fn destroy_ends_what_a_dead_candidate_was_rotated_to() {
    let (stale, successor) = (subject(), subject());
    for age in [Duration::ZERO, Duration::from_secs(60)] {
        let mut lifecycle = asked(vec![candidate(&stale)]);
        let tombstone = Tombstone { kind: TombstoneKind::Rotated(successor.id), age };
        lifecycle.dead(&stale.id);
        lifecycle.examined(&stale.id, Some(tombstone), self::age());
        let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
        assert_eq!(plan.subject.id, stale.id);
        let moved = Destroyed::Dead(tombstone.kind);
        assert_eq!(lifecycle.destroyed(&plan, moved, |_| Some(successor.clone())), Next::Replan);
        assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Nothing);
        assert_eq!(destroys(&mut lifecycle), None);
    }
}

#[test]
fn a_destruction_that_fails_half_way_goes_on_where_it_failed() {
    let (one, two) = (subject(), subject());
    let mut lifecycle = asked(vec![candidate(&one), candidate(&two)]);
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Replan);
    assert_eq!(destroys(&mut lifecycle), Some(two.id));
    // The store is away. The request does not go on as somebody else.
    assert_eq!(reads(&mut lifecycle), None);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
    assert_eq!(destroys(&mut lifecycle), Some(two.id));
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Nothing);
}

#[test]
fn destroy_passes_over_candidates_that_are_not_live() {
    for not_live in [Destroyed::Missing, Destroyed::Dead(LOGGED_OUT)] {
        let (stale, one) = (subject(), subject());
        let mut lifecycle = asked(vec![candidate(&stale), candidate(&one)]);
        assert_eq!(destroyed(&mut lifecycle, not_live), Next::Replan);
        assert_eq!(reads(&mut lifecycle), Some((one.id, true)), "it has its own until the end");
        assert_eq!(destroys(&mut lifecycle), Some(one.id));
    }
}

#[test]
fn of_a_session_that_ended_before_the_request_arrived_nothing_is_left() {
    let one = subject();
    let tombstone = |seconds| Some(Tombstone { age: Duration::from_secs(seconds), ..logged_out() });
    for (seconds, since_arrival, is_gone) in [(5, 0, true), (6, 0, false), (65, 60, true), (66, 60, false)] {
        let mut lifecycle = asked(vec![candidate(&one)]);
        assert!(lifecycle.dead(&one.id).is_some());
        let age = RequestAge { since_arrival: Duration::from_secs(since_arrival), ..age() };
        lifecycle.examined(&one.id, tombstone(seconds), age);
        assert_eq!(reads(&mut lifecycle), None);
        match is_gone {
            true => assert!(write(&mut lifecycle).unwrap_err().is_gone()),
            false => assert_eq!(writes(&mut lifecycle).1, WriteMode::Create),
        }
    }
}

#[test]
fn a_tombstone_that_is_over_is_no_session() {
    let one = subject();
    let mut lifecycle = asked(vec![candidate(&one)]);
    assert!(lifecycle.dead(&one.id).is_some());
    lifecycle.examined(&one.id, None, age());
    assert_eq!(writes(&mut lifecycle).1, WriteMode::Create);
}

#[test]
fn a_tombstone_matters_to_a_candidate_alone_and_only_to_its_own() {
    let (one, other) = (subject(), subject());
    assert!(live(&one).dead(&one.id).is_none());
    let mut lifecycle = asked(vec![candidate(&one)]);
    assert!(lifecycle.dead(&other.id).is_none());
    lifecycle.examined(&other.id, Some(logged_out()), age());
    assert_eq!(writes(&mut lifecycle), (one.id, WriteMode::Existing));
}

#[test]
fn a_login_begins_anew_unless_somebody_else_ended_the_session_under_its_hands() {
    let renewed = |kind, seconds| {
        let one = subject();
        let mut lifecycle = live(&one);
        dies(&mut lifecycle, &one.id);
        let step =
            lifecycle.plan_move(now(), Reason::Renew(1), age(), |_| panic!("nothing to move")).unwrap();
        assert!(matches!(step, MoveStep::Examine(subject) if subject.id == one.id));
        let tombstone = Tombstone { kind, age: Duration::from_secs(seconds) };
        lifecycle.examined(&one.id, Some(tombstone), age());
        assert!(write(&mut lifecycle).unwrap_err().is_gone(), "what is no login is gone");
        lifecycle.plan_move(now(), Reason::Renew(1), age(), |_| panic!("nothing to move")).map(|step| {
            assert!(matches!(step, MoveStep::Nothing));
            let (id, mode) = writes(&mut lifecycle);
            assert_eq!((id.birth_and_class().1, mode), (1, WriteMode::Create));
        })
    };
    let elsewhere = TombstoneKind::Destroyed(DestroyReason::EndedElsewhere);
    for kind in [LOGGED_OUT, TombstoneKind::Rotated(subject().id), TombstoneKind::Renewed(subject().id)] {
        assert!(renewed(kind, 0).is_ok());
    }
    for kind in [elsewhere, TombstoneKind::Destroyed(DestroyReason::TooMany)] {
        assert!(renewed(kind, 0).unwrap_err().is_gone());
        assert!(renewed(kind, 1).is_ok(), "before the request arrived");
    }
}

#[test]
fn a_part_of_the_application_never_begins_anew() {
    let application = RequestAge { has_client: false, ..age() };
    let one = subject();
    let tombstone = Tombstone { age: Duration::from_secs(200), ..logged_out() };
    let mut lifecycle = asked(vec![candidate(&one)]);
    lifecycle.dead(&one.id);
    lifecycle.examined(&one.id, Some(tombstone), application);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
    let step = lifecycle.plan_move(now(), Reason::Renew(1), application, |_| panic!("nothing to move"));
    assert!(step.unwrap_err().is_gone());
}

#[test]
fn a_session_that_somebody_else_ended_counts_in_any_order_of_the_cookies() {
    let elsewhere =
        Tombstone { kind: TombstoneKind::Destroyed(DestroyReason::EndedElsewhere), ..logged_out() };
    for tombstones in [[logged_out(), elsewhere], [elsewhere, logged_out()]] {
        let subjects = [subject(), subject()];
        let mut lifecycle = asked(subjects.iter().map(candidate).collect());
        for (subject, tombstone) in subjects.iter().zip(tombstones) {
            lifecycle.dead(&subject.id);
            lifecycle.examined(&subject.id, Some(tombstone), age());
        }
        let step = lifecycle.plan_move(now(), Reason::Renew(1), age(), |_| panic!("nothing to move"));
        assert!(step.unwrap_err().is_gone());
    }
}

#[test]
fn after_the_head_no_login_begins_anew() {
    let mut lifecycle = gone();
    let step = lifecycle.plan_move(now(), Reason::Renew(1), age(), |_| panic!("nothing to move")).unwrap();
    let MoveStep::Examine(subject) = step else { panic!("{step:?}") };
    lifecycle.examined(&subject.id, Some(logged_out()), age());
    lifecycle.commit();
    let step = lifecycle.plan_move(now(), Reason::Renew(1), age(), |_| panic!("nothing to move"));
    assert!(step.unwrap_err().is_headers_sent());
}

#[test]
fn a_session_that_cannot_be_ended_does_not_keep_the_others_alive() {
    let (one, two, three) = (subject(), subject(), subject());
    let mut lifecycle = asked(vec![candidate(&one), candidate(&two), candidate(&three)]);
    lifecycle.found(&one.id, true);
    assert_eq!(destroys(&mut lifecycle), Some(three.id));
    assert!(lifecycle.not_ended(&three.id), "its part of the cluster is away");
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Replan);
    assert_eq!(destroys(&mut lifecycle), Some(one.id));
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Nothing);
    assert!(!lifecycle.not_ended(&one.id), "it is the request's own");
    lifecycle.destruction_over();
    assert_eq!(destroys(&mut lifecycle), Some(three.id), "the next attempt ends it");
}

#[test]
fn a_login_begins_anew_where_the_session_expired_and_no_end_can_have_been_forgotten() {
    for (since_arrival, begins) in [(0, true), (299, true), (300, false)] {
        let one = subject();
        let mut lifecycle = live(&one);
        lifecycle.missing(&one.id, false);
        let age = RequestAge { since_arrival: Duration::from_secs(since_arrival), ..age() };
        let step = lifecycle.plan_move(now(), Reason::Renew(1), age, |_| panic!("nothing to move"));
        match begins {
            true => assert!(matches!(step.unwrap(), MoveStep::Nothing)),
            false => assert!(step.unwrap_err().is_gone()),
        }
    }
}

#[test]
fn a_session_that_expired_is_told_from_one_that_was_ended() {
    let one = subject();
    let mut expired = live(&one);
    expired.missing(&one.id, false);
    assert!(write(&mut expired).unwrap_err().to_string().contains("expired"));
    assert!(write(&mut gone()).unwrap_err().to_string().contains("ended"));
}

#[test]
fn a_change_of_id_ends_a_session_that_the_request_cannot_use() {
    for reason in [Reason::Rotate, Reason::Renew(1)] {
        let (one, mut lifecycle) = (subject(), Lifecycle::default());
        let unusable = vec![one.clone()];
        lifecycle.ask(|| Presented { unusable, ..presented(vec![]) });
        assert_eq!(lifecycle.unusable().len(), 1);
        let step = lifecycle.plan_move(now(), reason, age(), |_| panic!("nothing to move")).unwrap();
        assert!(matches!(step, MoveStep::End(subject) if subject.id == one.id));
        lifecycle.ended_unusable(&one.id, Destroyed::Ended);
        assert!(moves_nothing(&mut lifecycle, reason));
    }
}

#[test]
fn a_session_that_another_request_moved_is_ended_and_never_entered() {
    let (one, successor) = (subject(), subject());
    let mut lifecycle = live(&one);
    let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
    lifecycle
        .destroyed(&plan, Destroyed::Dead(TombstoneKind::Rotated(successor.id)), |_| Some(successor.clone()));
    // The store is away: the next attempt goes on there.
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
    assert_eq!(reads(&mut lifecycle), None);
    assert_eq!(destroys(&mut lifecycle), Some(successor.id));
}

#[test]
fn destroy_goes_on_where_its_own_request_moved_the_session() {
    let one = subject();
    let mut lifecycle = live(&one);
    let planned = moves(&mut lifecycle, Reason::Rotate);
    let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
    let moved = Destroyed::Dead(TombstoneKind::Rotated(planned.to.id));
    assert_eq!(lifecycle.destroyed(&plan, moved, |_| panic!("it knows")), Next::Replan);
    assert_eq!(reads(&mut lifecycle), Some((planned.to.id, true)), "it is live until it is ended");
    assert_eq!(destroyed(&mut lifecycle, Destroyed::Ended), Next::Nothing);
}

#[test]
fn of_two_moves_the_one_that_is_reported_counts() {
    let one = subject();
    let mut lifecycle = live(&one);
    let (renewal, rotation) =
        (moves(&mut lifecycle, Reason::Renew(1)), moves(&mut lifecycle, Reason::Rotate));
    dies(&mut lifecycle, &one.id);
    assert_eq!(reads(&mut lifecycle), Some((renewal.to.id, true)), "it is not known which");
    lifecycle.moved(&rotation).unwrap();
    assert_eq!(lifecycle.commit().set.unwrap().id, rotation.to.id);
}

#[test]
fn a_move_of_a_session_that_is_not_the_requests_any_more_changes_nothing() {
    let (one, two) = (subject(), subject());
    let mut ended = live(&one);
    let planned = moves(&mut ended, Reason::Rotate);
    destroyed(&mut ended, Destroyed::Ended);
    ended.moved(&planned).unwrap();
    assert_eq!(reads(&mut ended), None);
    let mut elsewhere = asked(vec![candidate(&one), candidate(&two)]);
    let planned = moves(&mut elsewhere, Reason::Rotate);
    elsewhere.missing(&one.id, false);
    elsewhere.moved(&planned).unwrap();
    assert_eq!(writes(&mut elsewhere), (two.id, WriteMode::Existing));
}

#[test]
fn a_write_after_destroy_begins_a_normal_session_whose_cookie_takes_the_removals_place() {
    let one = subject_of(1, now());
    let mut lifecycle = live(&one);
    destroyed(&mut lifecycle, Destroyed::Ended);
    let (id, mode) = writes(&mut lifecycle);
    assert_eq!((id.birth_and_class().1, mode), (0, WriteMode::Create));
    lifecycle.created(&id).unwrap();
    let outcome = lifecycle.commit();
    assert_eq!((outcome.set.unwrap().id, outcome.remove), (id, false));
}

#[test]
fn a_creation_that_ends_after_destroy_is_written_again_under_the_new_id() {
    let mut lifecycle = asked(vec![]);
    let (id, _) = writes(&mut lifecycle);
    destroyed(&mut lifecycle, Destroyed::Missing);
    assert_eq!(lifecycle.created(&id).unwrap(), Next::Replan);
    assert_ne!(writes(&mut lifecycle).0, id);
}

#[test]
fn after_the_head_destroy_is_committed_unless_there_is_nothing_to_end() {
    for mut lifecycle in [live(&subject()), gone(), asked(vec![candidate(&subject())])] {
        lifecycle.commit();
        assert!(lifecycle.plan_destroy(now()).unwrap_err().is_headers_sent());
    }
    let mut without = asked(vec![]);
    without.commit();
    assert_eq!(destroys(&mut without), None);
    let mut stale = Lifecycle::default();
    stale.ask(|| Presented { by_cookie: true, ..presented(vec![]) });
    stale.commit();
    assert!(stale.plan_destroy(now()).unwrap_err().is_headers_sent(), "the cookie stays");
}

#[test]
fn a_look_at_the_expiry_leaves_the_refresh_to_the_first_read() {
    let one = subject();
    let mut lifecycle = asked(vec![candidate(&one)]);
    lifecycle.found(&one.id, false);
    assert_eq!(reads(&mut lifecycle), Some((one.id, true)));
    lifecycle.found(&one.id, true);
    assert_eq!(reads(&mut lifecycle), Some((one.id, false)));
}

#[test]
fn rotation_then_destruction_removes_and_destruction_then_rotation_does_nothing() {
    let one = subject();
    let mut lifecycle = live(&one);
    let planned = moves(&mut lifecycle, Reason::Rotate);
    lifecycle.moved(&planned).unwrap();
    destroyed(&mut lifecycle, Destroyed::Ended);
    assert!(moves_nothing(&mut lifecycle, Reason::Rotate));
    let outcome = lifecycle.commit();
    assert!(outcome.remove && outcome.set.is_none());
}

#[test]
fn no_cookie_is_set_for_a_session_that_may_have_ended() {
    let mut lifecycle = asked(vec![]);
    let (id, _) = writes(&mut lifecycle);
    lifecycle.created(&id).unwrap();
    lifecycle.plan_destroy(now()).unwrap();
    assert!(lifecycle.commit().set.is_none(), "the destruction's outcome is not known");
    lifecycle.found(&id, true);
    assert!(lifecycle.commit().set.is_some(), "it did not happen");
    let one = subject();
    let mut reissued = asked(vec![Candidate { subject: one.clone(), cookie_due: true }]);
    reissued.found(&one.id, true);
    moves(&mut reissued, Reason::Rotate);
    assert!(reissued.commit().set.is_none());
}

#[test]
fn a_removal_is_answered_once() {
    let one = subject();
    let mut lifecycle = live(&one);
    let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
    lifecycle.destroyed(&plan, Destroyed::Ended, nowhere);
    let (id, _) = writes(&mut lifecycle);
    lifecycle.created(&id).unwrap();
    assert!(lifecycle.commit().set.is_some());
    let again = lifecycle.commit();
    assert!(again.set.is_none() && !again.remove);
}
