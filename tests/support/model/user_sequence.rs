//! A sequence of logins, lists and ends: the next step, and the rules of an index that must hold
//! afterwards. A tag stands for a session under all its ids.

use std::collections::{BTreeMap, BTreeSet};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use session_runtime::find::Surplus;
use session_runtime::store::{
    Destroyed, IndexKey, ListEntry, Lookup, Refresh, SessionIndex, SessionKey, SessionStore,
};
use session_runtime::testing::ManualClock;
use session_runtime::{Lifetime, MemoryStore, SessionConfig, SessionHandle, SessionId, Sessions};

use super::choices::Choices;
use super::index_network::{IndexCommand, IndexReply};
use super::network::{Command, INDEX, IndexPart, Network, Reply, now};
use super::sequence::{Broken, MINUTE};
use super::user_operation::{Kind, Login, Outcome, Running};
use crate::cookies::{self, SECRET};

const USERS: [u64; 2] = [1, 2];
/// No operation needs more commands, with other operations beside it.
const MOST_COMMANDS: usize = 400;

/// A defect of the store, which the model must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A write adds no entry.
    WriteWithoutEntry,
    /// A login that changes the id adds no entry.
    RotationWithoutEntry,
    /// An end of all sessions leaves no mark for logins under way.
    EndWithoutMark,
    /// A login asks for no mark.
    LoginWithoutCheck,
    /// A login asks for no limit.
    LoginWithoutLimit,
    /// An end does not ask whose session it is.
    EndOfAnySession,
    /// An end does not follow a session to its next id.
    EndWithoutSuccessor,
    /// A list does not follow a session to its next id.
    ListWithoutSuccessor,
    /// A list has one session less.
    ListWithoutLast,
}

impl Fault {
    /// All defects.
    pub const ALL: [Self; 9] = [
        Self::WriteWithoutEntry,
        Self::RotationWithoutEntry,
        Self::EndWithoutMark,
        Self::LoginWithoutCheck,
        Self::LoginWithoutLimit,
        Self::EndOfAnySession,
        Self::EndWithoutSuccessor,
        Self::ListWithoutSuccessor,
        Self::ListWithoutLast,
    ];

    fn change_command(self, command: &mut Command) {
        let part = match command {
            Command::Write { index: Some(part), .. } => {
                if self == Self::WriteWithoutEntry {
                    part.changes.clear();
                }
                part
            }
            Command::Rotate { index: part, .. } => {
                if self == Self::RotationWithoutEntry {
                    part.changes.clear();
                }
                part
            }
            Command::Index(command) => return self.change_index_command(command),
            _ => return,
        };
        for entry in part.changes.iter_mut().filter_map(|change| change.entry.as_mut()) {
            match self {
                Self::LoginWithoutCheck => entry.guard.unless_ended_since = None,
                Self::LoginWithoutLimit => entry.guard.at_most = None,
                _ => {}
            }
        }
    }

    fn change_index_command(self, command: &mut IndexCommand) {
        match command {
            IndexCommand::Entries { mark, .. } => *mark &= self != Self::EndWithoutMark,
            IndexCommand::DestroyIf { key, destruction, .. } if self == Self::EndOfAnySession => {
                let (key, destruction) = (key.clone(), *destruction);
                *command = IndexCommand::DestroyAny { key, destruction };
            }
            _ => {}
        }
    }

    fn change_reply(self, is_list: bool, reply: &mut Reply) {
        match reply {
            Reply::Index(IndexReply::Destroyed(Some(destroyed @ Destroyed::Dead(_))))
                if self == Self::EndWithoutSuccessor =>
            {
                *destroyed = Destroyed::Missing;
            }
            Reply::Tombstone(found) if is_list && self == Self::ListWithoutSuccessor => {
                *found = None;
            }
            Reply::Index(IndexReply::Entries(list)) if self == Self::ListWithoutLast => {
                list.entries.pop();
            }
            _ => {}
        }
    }
}

/// Runs a sequence of logins, lists and ends to its end, on a store with or without a defect.
///
/// # Errors
///
/// Returns the violated rule and the steps before.
pub fn run_with_users(choices: &mut Choices, fault: Option<Fault>) -> Result<(), Broken> {
    let silent = Sequence::new(choices, fault, false).go(choices);
    silent.map_err(|what| {
        let mut choices = choices.again();
        let mut sequence = Sequence::new(&mut choices, fault, true);
        let _ = sequence.go(&mut choices);
        Broken { what, steps: sequence.steps }
    })
}

type Checked = Result<(), String>;
/// The user of each live session. `None` for a visitor.
type State = BTreeMap<String, Option<u64>>;

struct Sequence {
    fault: Option<Fault>,
    clock: ManualClock,
    network: Network,
    sessions: Sessions,
    /// The cookie of each browser: `NAME=VALUE`.
    jars: Vec<Option<String>>,
    operations: Vec<Operation>,
    ids: BTreeMap<String, (SessionKey, SessionId)>,
    /// In the order of their creation, which is the same in each run.
    tags: Vec<String>,
    order: Vec<SessionId>,
    state: State,
    /// The id and the user of each live session.
    live: Vec<(SessionId, Option<u64>)>,
    /// The last sign-in of each session.
    signed_in: BTreeMap<String, SystemTime>,
    /// The user, the moment and the time of each end of all sessions.
    marks: Vec<(u64, usize, SystemTime)>,
    /// Number of commands and operations so far.
    moment: usize,
    /// The steps are recorded.
    is_told: bool,
    steps: Vec<String>,
}

struct Operation {
    kind: Kind,
    browser: Option<usize>,
    handle: SessionHandle,
    running: Option<Running>,
    /// The moment and the time of the start.
    began: (usize, SystemTime),
    /// No other operation ran at the same time.
    alone: bool,
    commands: usize,
    /// Tag in the browser's cookie.
    cookie: Option<String>,
    /// The session of the cookie was reported as live, under this id or after a rotation.
    found_own: bool,
    /// Sessions that had the user when the list was read first.
    listed: Option<BTreeSet<String>>,
    /// Sessions that had no user or another one since then.
    left: BTreeSet<String>,
    /// Sessions that had the user during the whole operation, and at some moment.
    always: BTreeSet<String>,
    ever: BTreeSet<String>,
    /// The other sessions of the user at the start.
    others: usize,
    /// Sessions that this operation has ended.
    ended: Vec<String>,
    /// A login has been carried out.
    has_signed_in: bool,
}

#[derive(Clone, Copy)]
enum Step {
    End,
    Begin,
    Execute,
    Answer,
    Poll,
    Drop,
    Pass,
}

impl Sequence {
    fn new(choices: &mut Choices, fault: Option<Fault>, is_told: bool) -> Self {
        let clock = ManualClock::default();
        let network = Network::new(MemoryStore::with_clock(&clock));
        let lifetime = Lifetime::custom(0).idle(MINUTE * 60).max(MINUTE * 180);
        let config = SessionConfig::new().secret(SECRET).lifetime(lifetime);
        let sessions = Sessions::with_store(config, network.clone()).unwrap().with_clock(&clock);
        Self {
            fault,
            clock,
            network,
            sessions,
            jars: vec![None; 2 + choices.below(3)],
            operations: Vec::new(),
            ids: BTreeMap::new(),
            tags: Vec::new(),
            order: Vec::new(),
            state: State::new(),
            live: Vec::new(),
            signed_in: BTreeMap::new(),
            marks: Vec::new(),
            moment: 0,
            is_told,
            steps: Vec::new(),
        }
    }

    fn go(&mut self, choices: &mut Choices) -> Checked {
        const STEPS: [(u32, Step); 7] = [
            (1, Step::End),
            (20, Step::Begin),
            (26, Step::Execute),
            (26, Step::Answer),
            (20, Step::Poll),
            (1, Step::Drop),
            (2, Step::Pass),
        ];
        for _ in 0..120 {
            match choices.weighted(&STEPS) {
                Step::End => break,
                Step::Begin => self.begin(choices)?,
                Step::Execute => {
                    let under_way = self.network.air().under_way();
                    if !under_way.is_empty() {
                        self.execute(under_way[choices.below(under_way.len())])?;
                    }
                }
                Step::Answer => {
                    let unanswered = self.network.air().unanswered();
                    if !unanswered.is_empty() {
                        let at = unanswered[choices.below(unanswered.len())];
                        self.answer(at, choices.percent(8), choices.percent(50));
                    }
                }
                Step::Poll => {
                    let ready = self.network.air().ready();
                    if !ready.is_empty() {
                        self.poll(ready[choices.below(ready.len())])?;
                    }
                }
                Step::Drop => self.drop_one(choices),
                Step::Pass => {
                    self.settle(choices, 70)?;
                    let times = [1, 240, 660, 60 * 31, 60 * 61, 60 * 181];
                    let time = Duration::from_secs(times[choices.below(times.len())]);
                    self.note(|| format!("{time:?} pass"));
                    self.clock.advance(time);
                    self.read_state()?;
                    self.hold()?;
                }
            }
        }
        self.finish(choices)
    }

    fn begin(&mut self, choices: &mut Choices) -> Checked {
        let running = self.operations.iter().filter(|other| other.running.is_some()).count();
        if running >= 4 {
            return Ok(());
        }
        let kind = Kind::draw(choices, &self.tags);
        let browser = kind.is_of_browser().then(|| choices.below(self.jars.len()));
        self.start(kind, browser)
    }

    fn start(&mut self, kind: Kind, browser: Option<usize>) -> Checked {
        let jar = browser.and_then(|browser| self.jars[browser].clone());
        let handle = self.sessions.open([jar.as_deref().unwrap_or_default().as_bytes()]);
        let cookie = jar.map(|jar| id(&cookies::id_of(&jar)));
        // After a renewal by another request, the cookie is worth nothing.
        let own = cookie.filter(|cookie| self.live.iter().any(|(id, _)| id == cookie));
        let mut alone = true;
        self.moment += 1;
        for other in self.operations.iter_mut().filter(|other| other.running.is_some()) {
            (other.alone, alone) = (false, false);
        }
        let of_user = kind.user().map(|user| holders(&self.state, user)).unwrap_or_default();
        let number = self.operations.len();
        self.note(|| format!("{number}: {browser:?} begins {kind:?}"));
        self.operations.push(Operation {
            running: Some(kind.clone().run(self.sessions.clone(), &handle)),
            kind,
            browser,
            handle,
            began: (self.moment, self.clock.now()),
            alone,
            commands: 0,
            others: of_user.iter().filter(|tag| own.is_none_or(|id| id.tag() != *tag)).count(),
            cookie: cookie.map(|cookie| cookie.tag().to_owned()),
            found_own: false,
            listed: None,
            left: BTreeSet::new(),
            ever: of_user.clone(),
            always: of_user,
            ended: Vec::new(),
            has_signed_in: false,
        });
        self.poll(number)
    }

    fn poll(&mut self, number: usize) -> Checked {
        let sent = {
            let mut air = self.network.air();
            air.speaker = number;
            air.flights.len()
        };
        let running = self.operations[number].running.as_mut().expect("it waits");
        let polled = running.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let commands = self.network.air().flights.len() - sent;
        let operation = &mut self.operations[number];
        operation.commands += commands;
        if operation.commands > MOST_COMMANDS {
            return Err("an operation did not end".to_owned());
        }
        let Poll::Ready(outcome) = polled else { return Ok(()) };
        operation.running = None;
        self.note(|| format!("{number}: returns {outcome:?}"));
        self.respond(number);
        self.judge(number, outcome)
    }

    /// Sends the response headers, and updates the browser's cookie.
    fn respond(&mut self, number: usize) {
        let operation = &self.operations[number];
        let headers = operation.handle.finish();
        let (Some(browser), Some(cookie)) = (operation.browser, headers.set_cookie()) else {
            return;
        };
        let pair = cookie.split(';').next().unwrap_or_default().to_owned();
        self.jars[browser] = (!cookies::id_of(cookie).is_empty()).then_some(pair);
    }

    /// Drops the future of an operation, as for a cancelled request.
    fn drop_one(&mut self, choices: &mut Choices) {
        let running: Vec<_> = (0..self.operations.len())
            .filter(|&at| self.operations[at].running.is_some())
            .collect();
        if !running.is_empty() {
            let number = running[choices.below(running.len())];
            self.note(|| format!("{number}: is dropped"));
            self.operations[number].running = None;
        }
    }

    fn answer(&mut self, at: usize, fails: bool, never_arrives: bool) {
        let answer = self.network.air().answer(at, fails, never_arrives);
        if let Some(answer) = answer.filter(|_| fails) {
            self.note(|| format!("  {at} gets the reply {answer:?}"));
        }
    }

    fn execute(&mut self, at: usize) -> Checked {
        self.moment += 1;
        let mut air = self.network.air();
        let (by, mut command) = (air.flights[at].by, air.flights[at].command.clone());
        if let Some(fault) = self.fault {
            fault.change_command(&mut command);
        }
        let mut reply = air.execute(&command);
        if let Reply::Index(IndexReply::Entries(list)) = &mut reply {
            // A list may have entries too many.
            let has_more = self.moment.is_multiple_of(2);
            let listed: Vec<_> = list.sessions().collect();
            let shown = self.order.iter().filter(|id| has_more || listed.contains(id));
            let entry = |&session| ListEntry { session, pending_since: None, counts: true };
            list.entries = shown.map(entry).collect();
        }
        let asked = air.flights[at].command.clone();
        if let Some(fault) = self.fault {
            let is_list = matches!(self.operations[by].kind, Kind::ListOf(_) | Kind::CountOf(_));
            fault.change_reply(is_list, &mut reply);
        }
        air.flights[at].executed = Some(reply.clone());
        drop(air);
        self.note(|| format!("  {at} of {by} is carried out: {command:?}: {reply:?}"));
        if self.operations[by].running.is_none() {
            self.operations.iter_mut().for_each(|operation| operation.alone = false);
        }
        self.remember(&asked);
        let before = self.state.clone();
        self.read_state()?;
        match &asked {
            Command::Contains { .. } => self.operations[by].found_own |= reply.is_found(),
            Command::Index(command) => self.check_index_command(by, command, &reply, &before)?,
            Command::Write { changes, index: Some(part), .. } => {
                let signs_in = changes.iter().any(|(name, to)| name == INDEX && to.is_some());
                if signs_in && reply.is_found() {
                    self.check_sign_in(by, part)?;
                }
            }
            Command::Rotate { key, changes, index, .. } => {
                let signs_in = changes.iter().any(|(name, to)| name == INDEX && to.is_some());
                // Of a repeated rotation, nothing is carried out.
                let was_live = self
                    .ids
                    .get(key.expose_secret())
                    .is_none_or(|(_, id)| before.contains_key(id.tag()));
                if signs_in && reply.is_found() && was_live {
                    self.check_sign_in(by, index)?;
                }
            }
            _ => {}
        }
        self.hold()
    }

    /// Remembers the id of a session that a command may create.
    fn remember(&mut self, command: &Command) {
        let (key, id) = match command {
            Command::Write { key, index: Some(part), .. } => (key, part.session),
            Command::Rotate { to, id, .. } => (to, *id),
            _ => return,
        };
        if self.ids.insert(key.expose_secret().to_owned(), (key.clone(), id)).is_none() {
            self.order.push(id);
            if self.tags.iter().all(|tag| tag != id.tag()) {
                self.tags.push(id.tag().to_owned());
            }
        }
    }

    fn check_index_command(
        &mut self,
        by: usize,
        command: &IndexCommand,
        reply: &Reply,
        before: &State,
    ) -> Checked {
        let (moment, time) = (self.moment, self.clock.now());
        let operation = &mut self.operations[by];
        let user = operation.kind.user().expect("only their operations use an index");
        match (command, reply) {
            (IndexCommand::Entries { .. }, _)
                if matches!(operation.kind, Kind::EndAll(_) | Kind::EndOthers(_)) =>
            {
                self.marks.push((user, moment, time));
                operation.listed.get_or_insert_with(|| holders(before, user));
            }
            (
                IndexCommand::DestroyIf { key, .. },
                Reply::Index(IndexReply::Destroyed(Some(Destroyed::Ended))),
            ) => {
                let (_, id) = &self.ids[key.expose_secret()];
                if before.get(id.tag()) != Some(&Some(user)) {
                    return Err("an operation ended the session of somebody else".to_owned());
                }
                if matches!(operation.kind, Kind::EndOthers(_))
                    && operation.found_own
                    && operation.cookie.as_deref() == Some(id.tag())
                {
                    return Err("the session of the request was ended too".to_owned());
                }
                operation.ended.push(id.tag().to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    fn check_sign_in(&mut self, by: usize, part: &IndexPart) -> Checked {
        let tag = part.session.tag().to_owned();
        self.signed_in.insert(tag, self.clock.now());
        let operation = &mut self.operations[by];
        operation.has_signed_in = true;
        let (Some(user), Some(login)) = (operation.kind.user(), operation.kind.login()) else {
            return Ok(());
        };
        let ended = |&&(of, moment, _): &&(u64, usize, SystemTime)| {
            of == user && moment >= operation.began.0
        };
        if login.has_checkpoint && self.marks.iter().find(ended).is_some() {
            return Err("a login survives the end of all sessions".to_owned());
        }
        let count = holders(&self.state, user).len();
        if login.at_most.is_some_and(|(most, _)| count > most as usize) {
            return Err(format!("a login with {:?} leaves {count}", login.at_most));
        }
        Ok(())
    }

    /// Reads which sessions are live, and whose they are.
    fn read_state(&mut self) -> Checked {
        let memory = self.network.air().memory.clone();
        let mut state = State::new();
        self.live.clear();
        for (key, id) in self.ids.values() {
            let Lookup::Found(user) = now(memory.get(key, INDEX, Refresh::No)) else { continue };
            let user = user.map(|user| std::str::from_utf8(&user).unwrap().parse().unwrap());
            self.live.push((*id, user));
            if state.insert(id.tag().to_owned(), user).is_some() {
                return Err("one session is live under two ids".to_owned());
            }
        }
        self.state = state;
        Ok(())
    }

    /// Checks the rules that hold at every moment.
    fn hold(&mut self) -> Checked {
        let memory = self.network.air().memory.clone();
        for user in USERS {
            let listed = now(memory.entries(&index_key(user), false));
            let listed: Vec<_> = listed.sessions().collect();
            let mut of_user = self.live.iter().filter(|(_, of)| *of == Some(user));
            if of_user.any(|(id, _)| !listed.contains(id)) {
                return Err("a live session is not in the list of its user".to_owned());
            }
        }
        for operation in self.operations.iter_mut().filter(|other| other.running.is_some()) {
            let Some(user) = operation.kind.user() else { continue };
            let holders = holders(&self.state, user);
            operation.always.retain(|tag| holders.contains(tag));
            if let Some(listed) = &operation.listed {
                let others =
                    |tag: &&String| self.state.get(*tag).is_some_and(|now| *now != Some(user));
                operation.left.extend(listed.iter().filter(others).cloned());
            }
            operation.ever.extend(holders);
        }
        Ok(())
    }

    /// Checks the outcome of an operation.
    fn judge(&mut self, number: usize, outcome: Outcome) -> Checked {
        let operation = &self.operations[number];
        let Operation { kind, ended, always, ever, .. } = operation;
        let refuted = |what: &str| Err(format!("{number}: {kind:?}, {outcome:?}: {what}"));
        let of_user = kind.user().map(|user| holders(&self.state, user)).unwrap_or_default();
        match (kind, &outcome) {
            (_, Outcome::Other(_)) => refuted("this error is impossible"),
            (_, Outcome::Failed) => Ok(()),
            (Kind::Login(user, login), Outcome::EndedSince) => {
                let overtaken = |mark: &(u64, usize, SystemTime)| {
                    mark.0 == *user && mark.2 >= operation.began.1
                };
                if !login.has_checkpoint || !self.marks.iter().any(overtaken) {
                    return refuted("no end overtook the login");
                }
                self.must_not_be_signed_in(number)
            }
            (Kind::Login(_, login), Outcome::TooMany) => {
                match login.at_most {
                    Some((most, Surplus::Refuse)) if operation.others < most as usize => {
                        if operation.alone {
                            return refuted("there was room");
                        }
                    }
                    Some((_, Surplus::EndOldest)) if operation.alone => {
                        return refuted("room can be made");
                    }
                    Some(_) => {}
                    None => return refuted("there was no limit"),
                }
                self.must_not_be_signed_in(number)
            }
            (_, Outcome::EndedSince | Outcome::TooMany) => refuted("it has no condition"),
            (Kind::Login(..) | Kind::Set(_), _) if !operation.has_signed_in => {
                refuted("it was not carried out")
            }
            (Kind::ListOf(_), Outcome::Tags(tags)) => {
                let listed: BTreeSet<_> = tags.iter().cloned().collect();
                if listed.len() < tags.len() {
                    return refuted("a session is listed twice");
                }
                if !always.is_subset(&listed) {
                    return refuted("a session is missing");
                }
                if !listed.is_subset(ever) {
                    return refuted("there is a session of somebody else");
                }
                Ok(())
            }
            (Kind::CountOf(_), Outcome::Number(count))
                if !(always.len()..=ever.len()).contains(count) =>
            {
                refuted("the number is wrong")
            }
            (
                Kind::End(..) | Kind::EndAll(_) | Kind::EndOthers(_) | Kind::KeepNewest(..),
                Outcome::Number(count),
            ) if *count != ended.len() => refuted("another number was ended"),
            (Kind::End(_, tag), Outcome::Number(count)) => {
                if ended.iter().any(|ended| ended != tag) {
                    return refuted("another session was ended");
                }
                if *count == 0 && always.contains(tag) {
                    return refuted("the session was there all the time");
                }
                Ok(())
            }
            (Kind::EndAll(_) | Kind::EndOthers(_), _) => {
                let spared = operation.cookie.as_ref();
                let is_spared = matches!(kind, Kind::EndOthers(_)) && operation.found_own;
                let spared = spared.filter(|_| is_spared);
                let listed = operation.listed.iter().flatten();
                let mut must_be_over = listed.filter(|tag| !operation.left.contains(*tag));
                match must_be_over.any(|tag| of_user.contains(tag) && Some(tag) != spared) {
                    true => refuted("a session of the list is live"),
                    false => Ok(()),
                }
            }
            (Kind::KeepNewest(_, most), _) if operation.alone => {
                if of_user.len() > *most {
                    return refuted("too many are left");
                }
                let latest = ended.iter().filter_map(|tag| self.signed_in.get(tag)).max();
                let earliest = of_user.iter().filter_map(|tag| self.signed_in.get(tag)).min();
                match (latest, earliest) {
                    (Some(latest), Some(earliest)) if latest > earliest => {
                        refuted("an older session is left")
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn must_not_be_signed_in(&self, number: usize) -> Checked {
        match self.operations[number].has_signed_in {
            true => Err(format!("{number}: was refused, and has signed in")),
            false => Ok(()),
        }
    }

    /// Lets operations end. This share of the commands arrives, and the others are lost.
    fn settle(&mut self, choices: &mut Choices, arrive: u32) -> Checked {
        loop {
            let under_way = self.network.air().under_way();
            for at in under_way {
                if choices.percent(arrive) {
                    self.execute(at)?;
                } else {
                    self.network.air().flights[at].lost = true;
                }
            }
            let unanswered = self.network.air().unanswered();
            for at in unanswered {
                let fails = self.network.air().flights[at].executed.is_none();
                self.answer(at, fails, false);
            }
            let ready = self.network.air().ready();
            if ready.is_empty() {
                return Ok(());
            }
            for number in ready {
                self.poll(number)?;
            }
        }
    }

    /// Ends all sessions without any other operation. Long afterwards, the lists are empty.
    fn finish(&mut self, choices: &mut Choices) -> Checked {
        self.settle(choices, 100)?;
        for user in USERS {
            for kind in [Kind::ListOf(user), Kind::EndAll(user), Kind::CountOf(user)] {
                self.start(kind, None)?;
                self.settle(choices, 100)?;
            }
            if !holders(&self.state, user).is_empty() {
                return Err("an end of all sessions left one".to_owned());
            }
        }
        let login = Login {
            renews: true,
            rotates: false,
            keeps_only: false,
            has_checkpoint: true,
            at_most: None,
        };
        // In the same instant, a new checkpoint is taken for one from before the end.
        self.clock.advance(Duration::from_secs(1));
        self.read_state()?;
        self.start(Kind::Login(USERS[0], login), Some(0))?;
        self.settle(choices, 100)?;
        if !self.operations.last().is_some_and(|login| login.has_signed_in) {
            return Err("a login after the end was refused".to_owned());
        }
        self.clock.advance(MINUTE * 181);
        let memory = self.network.air().memory.clone();
        // Each operation of the store removes a few sessions that have expired.
        let is_empty = |user| {
            (0..100).any(|_| now(memory.entries(&index_key(user), false)).entries.is_empty())
        };
        match USERS.into_iter().all(is_empty) {
            true => Ok(()),
            false => Err("an entry stays after its deadline".to_owned()),
        }
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if self.is_told {
            self.steps.push(what());
        }
    }
}

fn holders(state: &State, user: u64) -> BTreeSet<String> {
    let of_user = state.iter().filter(|(_, of)| **of == Some(user));
    of_user.map(|(tag, _)| tag.clone()).collect()
}

fn index_key(user: u64) -> IndexKey {
    IndexKey::new("app", INDEX, user.to_string().as_bytes())
}

fn id(text: &str) -> SessionId {
    text.parse().unwrap()
}
