//! A table of every state with every operation and every reply of the store.
//!
//! `exists` asks the store like `read`, and `clear` like `remove`. `login` is a batch that sets a
//! field and renews. Without a session to rotate, the batch continues as `set`, and so does
//! `form_token`. `check_form` is `check_form_token`. Sessions have names:
//!
//! - `A` is the request's own session.
//! - `B` is the session of a further cookie.
//! - `M` is the successor of `A` that the request tried to create.
//! - `O` is the successor of `A` that another request created.
//! - `N` is generated in the row itself.
//!
//! After a colon follow the next step of the operation and the new state. `+cookie` and `+removal`
//! show the cookie header of a response, and `+token` the header with a token.
//!
//! A reply with the same result as `dead` is left out. The replies with a tombstone are these:
//!
//! - `dead`: logged out a moment ago.
//! - `elsewhere`: ended by another part of the application a moment ago.
//! - `old`: ended before the request arrived, by more than the grace.
//!
//! `WRITE_TABLES=FOLDER` writes the current tables.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::*;
use crate::config::Lifetimes;
use crate::store::{DestroyReason, Destroyed, Tombstone, TombstoneKind, WriteMode};

const OPERATIONS: [&str; 12] = [
    "read",
    "expires_in",
    "end_reason",
    "form_token",
    "check_form",
    "set",
    "remove",
    "rotate",
    "renew",
    "login",
    "destroy",
    "token",
];

/// Brings a request's session into a state.
type Setup = fn(&Named) -> Lifecycle;

const STATES: [(&str, Setup); 15] = [
    ("absent", |_| accessed(&[])),
    ("absent, creation unknown", |named| {
        let mut lifecycle = accessed(&[]);
        let _ = lifecycle.plan_write(now(), false, |_| Ok(named.a.clone()));
        lifecycle
    }),
    ("absent, after a session", |named| {
        let mut lifecycle = accessed(&[&named.a]);
        lifecycle.missing(&named.a.id, false);
        lifecycle
    }),
    ("candidate", |named| accessed(&[&named.a])),
    ("candidates", |named| accessed(&[&named.a, &named.b])),
    ("live", |named| live(named, true)),
    ("live, not refreshed", |named| live(named, false)),
    ("live, rotation unknown", |named| {
        let mut lifecycle = live(named, true);
        let _ = lifecycle
            .plan_rotation(now(), RotationReason::Rotate, false, age(), |_| Ok(named.m.clone()));
        lifecycle
    }),
    ("gone", |named| {
        let mut lifecycle = live(named, true);
        lifecycle.dead(&named.a.id);
        lifecycle
    }),
    ("gone, by a logout", |named| gone(named, LOGGED_OUT)),
    ("gone, ended elsewhere", |named| gone(named, DestroyReason::EndedElsewhere)),
    ("gone, expired", |named| {
        let mut lifecycle = live(named, true);
        lifecycle.missing(&named.a.id, false);
        lifecycle
    }),
    ("absent, with a session that cannot be used", |named| {
        let mut lifecycle = Lifecycle::default();
        let unusable = vec![named.a.clone()];
        lifecycle.resolve_cookies(|| ResolvedCookies {
            has_cookie: true,
            candidates: Vec::new(),
            unusable,
        });
        lifecycle
    }),
    ("gone, ending its successor", |named| {
        let mut lifecycle = live(named, true);
        let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
        let rotated = Destroyed::Dead(TombstoneKind::Rotated(named.o.id));
        lifecycle.destroyed(&plan, rotated, |_| Some(named.o.clone()));
        lifecycle
    }),
    ("destroyed here", |named| {
        let mut lifecycle = live(named, true);
        let plan = lifecycle.plan_destroy(now()).unwrap().unwrap();
        lifecycle.note_destruction(LOGGED_OUT);
        lifecycle.destroyed(&plan, Destroyed::Ended, |_| None);
        lifecycle
    }),
];

#[test]
fn before_the_headers() {
    assert_table(include_str!("table-before.txt"), false);
}

#[test]
fn after_the_headers() {
    assert_table(include_str!("table-after.txt"), true);
}

fn assert_table(expected: &str, headers_sent: bool) {
    let actual = table(headers_sent);
    if let Ok(folder) = std::env::var("WRITE_TABLES") {
        let name = if headers_sent { "after" } else { "before" };
        std::fs::write(format!("{folder}/table-{name}.txt"), &actual).unwrap();
    }
    for (actual, expected) in actual.lines().zip(expected.lines()) {
        assert_eq!(actual, expected);
    }
    assert_eq!(actual.lines().count(), expected.lines().count());
}

fn table(headers_sent: bool) -> String {
    let mut table = String::new();
    for (state, begin) in STATES {
        writeln!(table, "{state}").unwrap();
        for operation in OPERATIONS {
            let row = Row { begin, headers_sent, operation };
            writeln!(table, "  {operation:<11}{}", row.show().trim_end()).unwrap();
        }
    }
    table
}

struct Row {
    begin: fn(&Named) -> Lifecycle,
    headers_sent: bool,
    operation: &'static str,
}

impl Row {
    fn show(&self) -> String {
        let replies: &[_] = match self.operation {
            "destroy" => &["ended", "missing", "dead", "rotated", "renewed"],
            _ => &["found", "missing", "dead", "old", "elsewhere"],
        };
        let mut plan = String::new();
        let mut nexts = String::new();
        for reply in replies {
            let named = Named::new();
            let mut lifecycle = (self.begin)(&named);
            if self.headers_sent {
                lifecycle.send_headers();
            }
            let (planned, next) = self.carry_out(&mut lifecycle, &named, reply);
            match next {
                // The store is not asked.
                None => return planned,
                Some(next) if next.is_empty() => write!(nexts, "{:45}", "").unwrap(),
                Some(next) => {
                    let state = named.show(&lifecycle);
                    if matches!(*reply, "old" | "elsewhere" | "renewed")
                        && nexts.contains(&format!("dead: {next}{state} "))
                    {
                        continue;
                    }
                    let cell = format!("{reply}: {next}{state}");
                    write!(nexts, "{cell:<45}").unwrap();
                }
            }
            plan = planned;
        }
        format!("{plan:<26}{nexts}")
    }

    /// Returns the plan and the result of the reply, as in `SessionHandle`.
    fn carry_out(
        &self,
        lifecycle: &mut Lifecycle,
        named: &Named,
        reply: &str,
    ) -> (String, Option<String>) {
        match self.operation {
            "read" | "expires_in" => {
                let Some(plan) = lifecycle.plan_read(now()) else {
                    return ("the default".to_owned(), None);
                };
                let id = plan.session.id;
                let refreshes = plan.refresh.is_some() && self.operation == "read";
                let next = match reply {
                    "found" => {
                        lifecycle.found(&id, refreshes);
                        Ok(Next::Done)
                    }
                    "missing" => Ok(lifecycle.missing(&id, plan.resolves_pending)),
                    _ => dies(lifecycle, &id, reply),
                };
                let refresh = if refreshes { ", refresh" } else { "" };
                (format!("ask {}{refresh}", named.name(&id)), Some(shown(next)))
            }
            "end_reason" => {
                let (plan, id) = match lifecycle.plan_end_reason(now()) {
                    EndReasonStep::Known(reason) => return (reason_of(reason).to_owned(), None),
                    EndReasonStep::Look(read) => {
                        let id = read.session.id;
                        match reply {
                            "found" => lifecycle.found(&id, false),
                            "missing" => drop(lifecycle.missing(&id, false)),
                            _ => drop(dies(lifecycle, &id, reply)),
                        }
                        ("ask", id)
                    }
                    EndReasonStep::ReadTombstone(session) => {
                        if reply == "found" {
                            return (String::new(), Some(String::new()));
                        }
                        lifecycle.tombstone_read(&session.id, tombstone(reply), age());
                        ("read tombstone", session.id)
                    }
                };
                let next = match lifecycle.plan_end_reason(now()) {
                    EndReasonStep::Known(reason) => reason_of(reason),
                    _ => "again",
                };
                (format!("{plan} {}", named.name(&id)), Some(format!("{next},")))
            }
            "form_token" | "check_form" => {
                let makes = self.operation == "form_token";
                let step = if makes {
                    lifecycle.plan_new_form(now())
                } else {
                    lifecycle.plan_sent_form(now())
                };
                let read = match step.unwrap() {
                    FormStep::Known(id) => return (format!("token of {}", named.name(&id)), None),
                    FormStep::Nothing if makes => {
                        let create = Self { operation: "set", ..*self };
                        return create.carry_out(lifecycle, named, reply);
                    }
                    FormStep::Nothing => return ("invalid".to_owned(), None),
                    FormStep::Look(read) => read,
                };
                let id = read.session.id;
                match reply {
                    "found" => lifecycle.found(&id, read.refresh.is_some()),
                    "missing" => drop(lifecycle.missing(&id, read.resolves_pending)),
                    _ => drop(dies(lifecycle, &id, reply)),
                }
                (format!("ask {}", named.name(&id)), Some(shown(Ok(Next::Replan))))
            }
            "set" | "remove" => {
                let removes = self.operation == "remove";
                let plan = match lifecycle.plan_write(now(), removes, |_| Ok(named.n.clone())) {
                    Ok(Some(plan)) => plan,
                    Ok(None) => return ("nothing to remove".to_owned(), None),
                    Err(error) => return (error_of(&error), None),
                };
                let id = plan.session.id;
                let next = match reply {
                    "found" if plan.mode == WriteMode::Create => lifecycle.created(&id),
                    "found" => {
                        lifecycle.found(&id, true);
                        Ok(Next::Done)
                    }
                    // A write that may create a session never finds the session missing.
                    "missing" if plan.mode == WriteMode::Create => {
                        return (String::new(), Some(String::new()));
                    }
                    "missing" => Ok(lifecycle.missing(&id, plan.resolves_pending)),
                    _ => dies(lifecycle, &id, reply),
                };
                let how = if plan.mode == WriteMode::Create { "create" } else { "write" };
                (format!("{how} {}", named.name(&id)), Some(shown(next)))
            }
            "rotate" | "renew" | "login" => {
                let reason = if self.operation == "rotate" {
                    RotationReason::Rotate
                } else {
                    RotationReason::Renew(LifetimeId::new(1))
                };
                let (is_login, to) = (self.operation == "login", |_: &_| Ok(named.n.clone()));
                let step = lifecycle.plan_rotation(now(), reason, is_login, age(), to);
                let plan = match step {
                    Ok(RotationStep::Rotate(plan)) => plan,
                    Ok(RotationStep::Nothing) if is_login => {
                        let set = Self { operation: "set", ..*self };
                        return set.carry_out(lifecycle, named, reply);
                    }
                    Ok(RotationStep::Nothing) => {
                        return (format!("nothing to rotate:{}", named.show(lifecycle)), None);
                    }
                    Ok(RotationStep::Destroy(session)) => {
                        if reply != "found" {
                            return (String::new(), Some(String::new()));
                        }
                        lifecycle.unusable_destroyed(&session.id, Destroyed::Ended);
                        let next = format!("again,{}", named.show(lifecycle));
                        return (format!("end {}, then {next}", named.name(&session.id)), None);
                    }
                    Ok(RotationStep::ReadTombstone(session)) => {
                        let Some(tombstone) = tombstone(reply) else {
                            return (String::new(), Some(String::new()));
                        };
                        lifecycle.tombstone_read(&session.id, Some(tombstone), age());
                        let plan = format!("read tombstone {}", named.name(&session.id));
                        return (plan, Some(shown(Ok(Next::Replan))));
                    }
                    Err(error) => return (error_of(&error), None),
                };
                let next = match reply {
                    "found" => lifecycle.rotated(&plan),
                    "missing" => Ok(lifecycle.not_rotated(&plan)),
                    _ => {
                        if let Some(session) = lifecycle.rotation_lost(&plan) {
                            lifecycle.tombstone_read(&session.id, tombstone(reply), age());
                        }
                        Ok(Next::Replan)
                    }
                };
                let (from, to) = (named.name(&plan.from.id), named.name(&plan.to.id));
                (format!("rotate {from} to {to}"), Some(shown(next)))
            }
            "token" => {
                if let Some(answer) = token_of(lifecycle, named) {
                    return (format!("{answer}:{}", named.show(lifecycle)), None);
                }
                let read = Self { operation: "read", ..*self };
                match read.carry_out(lifecycle, named, reply) {
                    (_, None) => ("no token".to_owned(), None),
                    (plan, Some(next)) if next == shown(Ok(Next::Done)) => {
                        let answer = token_of(lifecycle, named);
                        (plan, Some(format!("{},", answer.as_deref().unwrap_or("no token"))))
                    }
                    asked => asked,
                }
            }
            _ => {
                let plan = match lifecycle.plan_destroy(now()) {
                    Ok(Some(plan)) => plan,
                    Ok(None) => return (format!("nothing to end:{}", named.show(lifecycle)), None),
                    Err(error) => return (error_of(&error), None),
                };
                let found = match reply {
                    "ended" => Destroyed::Ended,
                    "missing" => Destroyed::Missing,
                    "dead" => Destroyed::Dead(TombstoneKind::Destroyed(LOGGED_OUT)),
                    "rotated" => Destroyed::Dead(TombstoneKind::Rotated(named.o.id)),
                    _ => Destroyed::Dead(TombstoneKind::Renewed(named.o.id)),
                };
                // As in a request, a renewal is not followed.
                let follow =
                    |kind| matches!(kind, TombstoneKind::Rotated(_)).then(|| named.o.clone());
                let next = lifecycle.destroyed(&plan, found, follow);
                (format!("end {}", named.name(&plan.session.id)), Some(shown(Ok(next))))
            }
        }
    }
}

/// Issues the token of the session. Returns `None` if the store has to be asked first.
fn token_of(lifecycle: &mut Lifecycle, named: &Named) -> Option<String> {
    match lifecycle.issue_token(now()) {
        Ok(issued) => Some(format!("token of {}", named.name(&issued?))),
        Err(error) => Some(error_of(&error)),
    }
}

/// Reports the session as dead, with the tombstone of the reply.
fn dies(lifecycle: &mut Lifecycle, id: &SessionId, reply: &str) -> Result<Next, Error> {
    if let Some(session) = lifecycle.dead(id) {
        lifecycle.tombstone_read(&session.id, tombstone(reply), age());
    }
    Ok(Next::Replan)
}

/// Returns the tombstone of a reply. An old tombstone is from before the request's arrival.
fn tombstone(reply: &str) -> Option<Tombstone> {
    let (reason, age) = match reply {
        "dead" => (LOGGED_OUT, 0),
        "old" => (DestroyReason::EndedElsewhere, 60),
        "elsewhere" => (DestroyReason::EndedElsewhere, 0),
        _ => return None,
    };
    Some(Tombstone { kind: TombstoneKind::Destroyed(reason), age: Duration::from_secs(age) })
}

const LOGGED_OUT: DestroyReason = DestroyReason::LoggedOut;

fn age() -> RequestAge {
    RequestAge { since_arrival: Duration::ZERO, grace: Duration::from_secs(5), has_client: true }
}

/// Shows the next step of the operation.
fn shown(next: Result<Next, Error>) -> String {
    match next {
        Ok(Next::Done) => "done,".to_owned(),
        Ok(Next::Replan) => "again,".to_owned(),
        Err(error) => format!("{},", error_of(&error)),
    }
}

fn reason_of(reason: Option<EndReason>) -> &'static str {
    match reason {
        None => "no end",
        Some(EndReason::LoggedOut) => "logged out",
        Some(EndReason::Moved) => "moved",
        Some(EndReason::EndedElsewhere) => "elsewhere",
        Some(EndReason::TooMany) => "too many",
        Some(EndReason::Expired) => "expired",
    }
}

fn error_of(error: &Error) -> String {
    let kind = if error.is_gone() {
        "gone"
    } else if error.is_headers_sent() {
        "headers_sent"
    } else {
        "?"
    };
    format!("Err({kind})")
}

/// The sessions of a row.
struct Named {
    a: SessionMetadata,
    b: SessionMetadata,
    m: SessionMetadata,
    o: SessionMetadata,
    n: SessionMetadata,
}

impl Named {
    fn new() -> Self {
        let [a, b, m, o, n] = std::array::from_fn(|_| {
            SessionMetadata::new(
                SessionId::generate(now(), LifetimeId::default()).unwrap(),
                "app",
                &Lifetimes::default(),
            )
        });
        Self { a, b, m, o, n }
    }

    fn name(&self, id: &SessionId) -> char {
        let all = [('A', &self.a), ('B', &self.b), ('M', &self.m), ('O', &self.o), ('N', &self.n)];
        all.iter().find(|(_, session)| session.id == *id).map_or('?', |(name, _)| *name)
    }

    /// Shows the state, and the credential in a response that would be sent now.
    fn show(&self, lifecycle: &Lifecycle) -> String {
        let mut shown = match &lifecycle.state {
            State::Absent { pending: None, .. } => " absent".to_owned(),
            State::Absent { pending: Some(session), .. } => {
                format!(" absent ({}?)", self.name(&session.id))
            }
            State::Candidate { current, .. } => {
                let names = std::iter::once(current).chain(&lifecycle.further);
                format!(
                    " candidate {}",
                    names.map(|it| self.name(&it.session.id)).collect::<String>()
                )
            }
            State::Live { session, cookie_due, refreshed, .. } => {
                let refresh = if *refreshed { "" } else { " unrefreshed" };
                let credential = match (*cookie_due, lifecycle.facts.travels_as_token) {
                    (false, _) => "",
                    (true, false) => " +cookie",
                    (true, true) => " +token",
                };
                format!(" live {}{refresh}{credential}", self.name(&session.id))
            }
            State::Gone(_) => " gone".to_owned(),
        };
        for ending in lifecycle.others.queued() {
            write!(shown, ", to end {}", self.name(&ending.id)).unwrap();
        }
        for unusable in lifecycle.others.unusable() {
            write!(shown, ", unusable {}", self.name(&unusable.id)).unwrap();
        }
        if lifecycle.removal_due && !lifecycle.headers_sent {
            shown += " +removal";
        }
        shown
    }
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(2_000_000_000)
}

fn accessed(sessions: &[&SessionMetadata]) -> Lifecycle {
    let mut lifecycle = Lifecycle::default();
    let candidate =
        |session: &&SessionMetadata| Candidate { session: (*session).clone(), cookie_due: false };
    let (has_cookie, candidates) = (!sessions.is_empty(), sessions.iter().map(candidate));
    lifecycle.resolve_cookies(|| ResolvedCookies { has_cookie, candidates, unusable: Vec::new() });
    lifecycle
}

/// Returns a session that ended a moment ago, with a tombstone.
fn gone(named: &Named, reason: DestroyReason) -> Lifecycle {
    let mut lifecycle = accessed(&[&named.a]);
    let tombstone = Tombstone { kind: TombstoneKind::Destroyed(reason), age: Duration::ZERO };
    lifecycle.dead(&named.a.id);
    lifecycle.tombstone_read(&named.a.id, Some(tombstone), age());
    lifecycle
}

fn live(named: &Named, refreshed: bool) -> Lifecycle {
    let mut lifecycle = accessed(&[&named.a]);
    lifecycle.found(&named.a.id, refreshed);
    lifecycle
}
