//! Every state with every operation and every report.

use std::time::UNIX_EPOCH;

use super::*;
use crate::config::Lifetimes;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(2_000_000_000)
}

fn subject() -> Subject {
    Subject::draw(0, "app", &Lifetimes::default(), now()).unwrap()
}

fn candidate(subject: &Subject) -> Candidate {
    Candidate { subject: subject.clone(), reissue: false }
}

fn asked(candidates: Vec<Candidate>) -> Lifecycle {
    let mut lifecycle = Lifecycle::default();
    lifecycle.ask(|| candidates);
    lifecycle
}

fn live(subject: &Subject) -> Lifecycle {
    let mut lifecycle = asked(vec![candidate(subject)]);
    lifecycle.found(&subject.id);
    lifecycle
}

fn gone() -> Lifecycle {
    let subject = subject();
    let mut lifecycle = live(&subject);
    lifecycle.dead(&subject.id);
    lifecycle
}

fn write(lifecycle: &mut Lifecycle) -> Result<Option<Write>, Error> {
    lifecycle.plan_write(now(), false, || Ok(subject()))
}

fn remove(lifecycle: &mut Lifecycle) -> Result<Option<Write>, Error> {
    lifecycle.plan_write(now(), true, || panic!("removing begins no session"))
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
fn candidate_unknown_to_the_store_is_never_adopted() {
    let one = subject();
    let mut lifecycle = asked(vec![candidate(&one)]);
    assert_eq!(lifecycle.missing(&one.id), Next::Replan);
    assert_eq!(reads(&mut lifecycle), None);
    let (drawn, mode) = writes(&mut lifecycle);
    assert_eq!(mode, WriteMode::Create);
    assert_ne!(drawn, one.id);
}

#[test]
fn candidate_dead_is_gone() {
    let one = subject();
    let mut lifecycle = asked(vec![candidate(&one)]);
    lifecycle.dead(&one.id);
    assert_eq!(reads(&mut lifecycle), None);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
    assert!(remove(&mut lifecycle).unwrap_err().is_gone());
    assert!(lifecycle.commit().set.is_none());
}

#[test]
fn the_next_candidate_takes_the_place_of_one_that_is_missing_or_dead() {
    let (one, two) = (subject(), subject());
    for end in [
        |l: &mut Lifecycle, id: &SessionId| l.dead(id),
        |l: &mut Lifecycle, id: &SessionId| {
            l.missing(id);
        },
    ] {
        let mut lifecycle = asked(vec![candidate(&one), candidate(&two)]);
        end(&mut lifecycle, &one.id);
        assert_eq!(reads(&mut lifecycle), Some((two.id, true)));
        lifecycle.found(&two.id);
        assert_eq!(writes(&mut lifecycle), (two.id, WriteMode::Existing));
    }
}

#[test]
fn a_dead_candidate_and_none_that_lives_is_gone() {
    let (one, two) = (subject(), subject());
    let mut lifecycle = asked(vec![candidate(&one), candidate(&two)]);
    lifecycle.dead(&one.id);
    lifecycle.missing(&two.id);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
}

#[test]
fn live_that_ends_is_gone() {
    for end in [
        |l: &mut Lifecycle, id: &SessionId| l.dead(id),
        |l: &mut Lifecycle, id: &SessionId| {
            l.missing(id);
        },
    ] {
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
    lifecycle.found(&late.id);
    lifecycle.missing(&late.id);
    lifecycle.dead(&late.id);
    assert!(write(&mut lifecycle).unwrap_err().is_gone());
}

#[test]
fn a_report_of_another_id_changes_nothing() {
    let (one, other) = (subject(), subject());
    let mut lifecycle = live(&one);
    lifecycle.found(&other.id);
    lifecycle.dead(&other.id);
    lifecycle.missing(&other.id);
    assert_eq!(reads(&mut lifecycle), Some((one.id, false)));
}

#[test]
fn creation_is_live_and_its_cookie_is_sent_once() {
    let mut lifecycle = asked(vec![]);
    let (id, _) = writes(&mut lifecycle);
    lifecycle.created(&id).unwrap();
    assert_eq!(reads(&mut lifecycle), Some((id, false)));
    assert_eq!(lifecycle.commit().set.unwrap().id, id);
    assert!(lifecycle.commit().set.is_none());
}

#[test]
fn creation_of_unknown_outcome_is_settled_under_the_same_id() {
    let mut lifecycle = asked(vec![]);
    let (id, _) = writes(&mut lifecycle);
    assert_eq!(reads(&mut lifecycle), Some((id, true)), "a read asks whether it happened");
    assert_eq!(lifecycle.missing(&id), Next::Nothing);
    assert_eq!(remove(&mut lifecycle).unwrap().unwrap().mode, WriteMode::Existing);
    assert!(lifecycle.commit().set.is_none(), "no cookie for what may not be there");
}

#[test]
fn creation_found_by_a_read_gets_its_cookie() {
    let mut lifecycle = asked(vec![]);
    let (id, _) = writes(&mut lifecycle);
    lifecycle.found(&id);
    assert_eq!(lifecycle.commit().set.unwrap().id, id);
}

#[test]
fn after_the_head_nothing_is_created_and_live_goes_on() {
    let mut lifecycle = asked(vec![]);
    lifecycle.commit();
    assert!(write(&mut lifecycle).unwrap_err().is_committed());
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
    assert!(lifecycle.created(&id).unwrap_err().is_committed());
    assert!(lifecycle.commit().set.is_none());
}

#[test]
fn a_cookie_of_an_older_key_is_reissued_once_found_live_and_only_then() {
    let one = subject();
    let reissued = || vec![Candidate { subject: one.clone(), reissue: true }];
    let mut lifecycle = asked(reissued());
    lifecycle.found(&one.id);
    assert_eq!(lifecycle.commit().set.unwrap().id, one.id);
    let mut untouched = asked(reissued());
    assert!(untouched.commit().set.is_none());
    let mut ended = asked(reissued());
    ended.found(&one.id);
    ended.dead(&one.id);
    assert!(ended.commit().set.is_none());
}

#[test]
fn past_the_deadline_a_candidate_is_absent_and_a_live_session_gone() {
    let one = subject();
    let later = now() + Duration::from_secs(31 * 24 * 60 * 60);
    let mut lifecycle = asked(vec![candidate(&one)]);
    assert!(lifecycle.plan_read(later).is_none());
    let plan = lifecycle.plan_write(later, false, || Subject::draw(0, "app", &Lifetimes::default(), later));
    assert_eq!(plan.unwrap().unwrap().mode, WriteMode::Create);
    let mut lifecycle = live(&one);
    assert!(lifecycle.plan_read(later).is_none());
    assert!(lifecycle.plan_write(later, false, || Ok(subject())).unwrap_err().is_gone());
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
