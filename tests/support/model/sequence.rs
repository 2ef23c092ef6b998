//! A sequence in memory: the next step, and the rules that must hold afterwards.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use session_runtime::store::{
    Lookup, PERMANENT_FIELD, Refresh, SessionKey, SessionStore, WriteMode,
};
use session_runtime::testing::ManualClock;
use session_runtime::{Lifetime, MemoryStore, SessionConfig, SessionId, Sessions};

use super::choices::Choices;
use super::network::{Answer, Command, Network, Reply};
use super::operation::{Keeps, Kind, Login, Outcome};
use super::reference_store::{Content, ReferenceStore};
use super::request::{Operation, Request};
use crate::cookies::{self, OTHER_SECRET, SECRET};

/// A violation of the model.
#[derive(Debug)]
pub struct Broken {
    /// The violated rule.
    pub what: String,
    /// All steps before the violation.
    pub steps: Vec<String>,
}

pub(super) const MINUTE: Duration = Duration::from_secs(60);
/// Idle timeout and absolute lifetime by class.
pub(super) const LIFETIMES: [(Duration, Duration); 2] = [
    (MINUTE.saturating_mul(60), MINUTE.saturating_mul(180)),
    (MINUTE.saturating_mul(120), MINUTE.saturating_mul(360)),
];
/// No operation needs more commands, for any number of cookies and moves.
const MOST_COMMANDS: usize = 24;

/// Runs a sequence to its end.
///
/// # Errors
///
/// Returns the violated rule and the steps before.
pub fn run(choices: &mut Choices) -> Result<(), Broken> {
    let mut sequence = Sequence::new(choices);
    let result = sequence.go(choices);
    result.map_err(|what| Broken { what, steps: sequence.steps.into_inner() })
}

struct Sequence {
    clock: ManualClock,
    network: Network,
    sessions: Sessions,
    reference: ReferenceStore,
    requests: Vec<Request>,
    operations: Vec<Operation>,
    clients: Vec<Client>,
    /// Keys from clients or from cookies. No session may be created under them.
    used: BTreeSet<String>,
    /// Keys that were reported as live.
    told_live: BTreeSet<String>,
    /// Those keys that are no longer live.
    ended: BTreeSet<String>,
    /// Keys of all cookies that clients received, in order.
    issued: Vec<String>,
    /// The last login that each lineage went through.
    logins: BTreeMap<usize, usize>,
    /// Operation that created a session under this key, or moved one there.
    put_by: BTreeMap<String, usize>,
    next_value: u64,
    steps: RefCell<Vec<String>>,
}

/// A browser.
#[derive(Default)]
struct Client {
    /// `NAME=VALUE` from `Set-Cookie`.
    jar: Option<String>,
    /// Cookies with the same name for another path. Our `Set-Cookie` does not change them.
    tossed: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    End,
    Open,
    Begin,
    Execute,
    Answer,
    Poll,
    Drop,
    Commit,
    Pass,
    Toss,
}

type Checked = Result<(), String>;

impl Sequence {
    fn new(choices: &mut Choices) -> Self {
        let clock = ManualClock::default();
        let network = Network::new(MemoryStore::with_clock(&clock));
        let lifetime = |class: u8| {
            let (idle, max) = LIFETIMES[usize::from(class)];
            Lifetime::custom(class).idle(idle).max(max)
        };
        let mut config = SessionConfig::new().lifetime(lifetime(0)).lifetime(lifetime(1));
        config = match choices.percent(30) {
            true => config.secret(format!("{OTHER_SECRET},{SECRET}")),
            false => config.secret(SECRET),
        };
        if choices.percent(20) {
            config = config.refresh_below(0.5);
        }
        let sessions = Sessions::with_store(config, network.clone()).unwrap().with_clock(&clock);
        Self {
            clock,
            network,
            sessions,
            reference: ReferenceStore::default(),
            requests: Vec::new(),
            operations: Vec::new(),
            clients: (0..1 + choices.below(3)).map(|_| Client::default()).collect(),
            used: BTreeSet::new(),
            told_live: BTreeSet::new(),
            ended: BTreeSet::new(),
            issued: Vec::new(),
            logins: BTreeMap::new(),
            put_by: BTreeMap::new(),
            next_value: 1,
            steps: RefCell::default(),
        }
    }

    fn go(&mut self, choices: &mut Choices) -> Checked {
        const STEPS: [(u32, Step); 10] = [
            (1, Step::End),
            (8, Step::Open),
            (20, Step::Begin),
            (22, Step::Execute),
            (22, Step::Answer),
            (16, Step::Poll),
            (2, Step::Drop),
            (4, Step::Commit),
            (3, Step::Pass),
            (2, Step::Toss),
        ];
        for _ in 0..120 {
            let step = choices.weighted(&STEPS);
            if matches!(step, Step::End) {
                break;
            }
            self.take(step, choices)?;
            self.hold()?;
        }
        self.finish(choices)
    }

    fn take(&mut self, step: Step, choices: &mut Choices) -> Checked {
        match step {
            Step::End => {}
            Step::Open => self.open(choices),
            Step::Begin => return self.begin(choices),
            Step::Execute => return self.execute_one(choices),
            Step::Answer => self.answer_one(choices),
            Step::Poll => {
                let ready = self.network.air().ready();
                if !ready.is_empty() {
                    return self.poll(ready[choices.below(ready.len())]);
                }
            }
            Step::Drop => self.drop_one(choices),
            Step::Commit => {
                let open: Vec<_> = (0..self.requests.len())
                    .filter(|&at| {
                        !self.requests[at].committed && self.requests[at].handle.is_some()
                    })
                    .collect();
                if !open.is_empty() {
                    return self.commit(open[choices.below(open.len())]);
                }
            }
            Step::Pass => return self.pass(choices),
            Step::Toss => self.toss(choices),
        }
        Ok(())
    }

    /// Sends a request with the client's current cookies, or opens a session outside a request.
    fn open(&mut self, choices: &mut Choices) {
        let client = choices.below(self.clients.len());
        let outside = choices.percent(5);
        let Client { jar, tossed } = &self.clients[client];
        let key_in = |cookie: &String| key(&cookies::id_of(cookie));
        let request = match (outside, jar) {
            (true, Some(cookie)) => {
                let id = cookies::id_of(cookie);
                let session = self.sessions.open_id(&id.parse().unwrap());
                let cookies = (Some(key(&id)), Vec::new());
                Request::new(None, None, session, cookies, self.clock.now())
            }
            _ => {
                let mut sent: Vec<&String> = tossed.iter().collect();
                let first = choices.below(sent.len() + 1);
                sent.splice(first..first, jar);
                let header =
                    sent.iter().map(|cookie| cookie.as_str()).collect::<Vec<_>>().join("; ");
                let handle = self.sessions.open([header.as_bytes()]);
                let presented = jar.as_ref().map(key_in);
                let session = handle.session();
                let mut request = Request::new(
                    Some(client),
                    Some(handle),
                    session,
                    (presented, tossed.iter().map(key_in).collect()),
                    self.clock.now(),
                );
                request.keys = Vec::new();
                for key in sent.into_iter().map(key_in) {
                    // After its deadline, a key is no candidate.
                    if !request.keys.contains(&key) && deadline(&key) > self.clock.now() {
                        request.keys.push(key);
                    }
                }
                request.keys.truncate(4);
                request
            }
        };
        self.used.extend(request.keys.iter().cloned());
        self.note(|| {
            format!(
                "request {} of client {client}{}",
                self.requests.len(),
                if outside { ", outside" } else { "" }
            )
        });
        self.requests.push(request);
    }

    /// Starts an operation, and polls the operation until it waits.
    fn begin(&mut self, choices: &mut Choices) -> Checked {
        if self.requests.is_empty() {
            return Ok(());
        }
        // The newest requests get most operations.
        let back = choices.below(self.requests.len().min(4));
        let at = self.requests.len() - 1 - back;
        if self.requests[at].over || self.requests[at].running >= 3 {
            return Ok(());
        }
        let kind = self.kind(choices);
        let (now, began, issued) = (self.clock.now(), self.moment(), self.issued.len());
        let request = &mut self.requests[at];
        request.running += 1;
        request.begins_anew |= kind.renews().is_some() || kind == Kind::Destroy;
        request.destroys |= kind == Kind::Destroy;
        if matches!(kind, Kind::Login(_)) && kind.renews().is_some() {
            // Known once the login is done.
            request.class = None;
        }
        let alone = request.running == 1;
        let operation = Operation {
            request: at,
            kind,
            running: Some(kind.run(request.session.clone())),
            outcome: None,
            commands: Vec::new(),
            absent: request.may_be_absent(&self.reference, now),
            gone: request.may_be_gone(&self.reference, now),
            alone,
            began,
            ended: None,
            issued,
            to_be_destroyed: request.to_be_destroyed(&self.reference, now),
            must_not_log_in: request.must_not_log_in(&self.reference, now),
            live: request.known_live(&self.reference, now),
        };
        if !alone {
            for other in self
                .operations
                .iter_mut()
                .filter(|other| other.request == at && other.running.is_some())
            {
                other.alone = false;
            }
        }
        self.operations.push(operation);
        let number = self.operations.len() - 1;
        self.note(|| format!("  {number}: request {at} begins {kind:?}"));
        self.poll(number)
    }

    fn kind(&mut self, choices: &mut Choices) -> Kind {
        #[derive(Clone, Copy)]
        enum Sort {
            Get,
            Has,
            Exists,
            ExpiresIn,
            Set,
            Remove,
            Clear,
            Rotate,
            Renew,
            Login,
            Destroy,
        }
        const SORTS: [(u32, Sort); 11] = [
            (8, Sort::Get),
            (1, Sort::Has),
            (2, Sort::Exists),
            (2, Sort::ExpiresIn),
            (10, Sort::Set),
            (2, Sort::Remove),
            (1, Sort::Clear),
            (5, Sort::Rotate),
            (3, Sort::Renew),
            (6, Sort::Login),
            (4, Sort::Destroy),
        ];
        let sort = choices.weighted(&SORTS);
        let field = if choices.percent(50) { 'b' } else { 'a' };
        match sort {
            Sort::Get => Kind::Get(field),
            Sort::Has => Kind::Has(field),
            Sort::Exists => Kind::Exists,
            Sort::ExpiresIn => Kind::ExpiresIn,
            Sort::Set => {
                self.next_value += 1;
                Kind::Set(field, self.next_value - 1)
            }
            Sort::Remove => Kind::Remove(field),
            Sort::Clear => Kind::Clear,
            Sort::Rotate => Kind::Rotate,
            Sort::Renew => Kind::Renew(u8::from(field == 'b')),
            Sort::Login => {
                self.next_value += 2;
                Kind::Login(Login::draw(choices, [self.next_value - 2, self.next_value - 1]))
            }
            Sort::Destroy => Kind::Destroy,
        }
    }

    fn poll(&mut self, number: usize) -> Checked {
        let known = {
            let mut air = self.network.air();
            air.speaker = number;
            air.flights.len()
        };
        let running = self.operations[number].running.as_mut().expect("it waits");
        let polled = running.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.leave_pending(number, known);
        if polled.is_ready() {
            self.record(number)?;
        }
        let sent = self.network.air().flights.len();
        for command in known..sent {
            self.sent(number, command)?;
        }
        if let Poll::Ready(outcome) = polled {
            self.note(|| format!("  {number}: returns {outcome:?}"));
            let ended = self.moment();
            let operation = &mut self.operations[number];
            (operation.running, operation.outcome) = (None, Some(outcome));
            operation.ended = Some(ended);
            self.requests[operation.request].running -= 1;
            self.judge(number, outcome)?;
        }
        Ok(())
    }

    /// Records that a login goes on without a session that may have been created before.
    fn leave_pending(&mut self, number: usize, since: usize) {
        let operation = &self.operations[number];
        let (Kind::Login(_), Some(&command)) = (operation.kind, operation.commands.last()) else {
            return;
        };
        let air = self.network.air();
        let flight = &air.flights[command];
        let missing = Some(Answer::Reply(Reply::Rotate(Lookup::Missing)));
        let key = flight.command.key().expose_secret();
        let request = &mut self.requests[operation.request];
        let is_pending =
            request.pending.as_deref() == Some(key) && !request.told_live.contains(key);
        if flight.taken && flight.answer == missing && is_pending {
            request.forget();
            request.bound_since = since;
        }
    }

    /// Records the result of the operation's last command in the request.
    fn record(&mut self, number: usize) -> Checked {
        let now = self.clock.now();
        let Some(&command) = self.operations[number].commands.last() else { return Ok(()) };
        let air = self.network.air();
        let flight = &air.flights[command];
        let (true, Some(Answer::Reply(reply))) = (flight.taken, &flight.answer) else {
            return Ok(());
        };
        if !reply.is_found() {
            return Ok(());
        }
        let request = &mut self.requests[self.operations[number].request];
        // Created too late for a cookie.
        let late = |key: &SessionKey| {
            let key = key.expose_secret();
            request.committed
                && request.pending.as_deref() == Some(key)
                && !request.told_live.contains(key)
        };
        let key = match &flight.command {
            Command::Rotate { to, .. } => to,
            other if late(other.key()) => return Ok(()),
            other => other.key(),
        };
        self.told_live.insert(key.expose_secret().to_owned());
        request.record(&self.reference, now, command, key.expose_secret())
    }

    /// Checks every command when it is sent.
    fn sent(&mut self, number: usize, at: usize) -> Checked {
        let now = self.clock.now();
        let air = self.network.air();
        let command = air.flights[at].command.clone();
        drop(air);
        let operation = &mut self.operations[number];
        operation.commands.push(at);
        if operation.commands.len() > MOST_COMMANDS {
            return Err("an operation did not end".to_owned());
        }
        let request = &mut self.requests[operation.request];
        let name = command.key().expose_secret().to_owned();
        let begins = matches!(&command, Command::Write { mode: WriteMode::Create, .. });
        if begins && !request.keys.contains(&name) {
            if self.used.contains(&name) || self.reference.lineage(&name).is_some() {
                return Err("an id was adopted".to_owned());
            }
            self.used.insert(name.clone());
            request.keys.push(name.clone());
            request.pending = Some(name.clone());
        } else if begins && request.came_with(&name) {
            return Err("the id of a cookie was adopted".to_owned());
        }
        if begins && !request.begins_anew && request.must_not_begin(&self.reference, now) {
            return Err(
                "a session was created in place of a session that ended during the request"
                    .to_owned(),
            );
        }
        let expected_class = operation.kind.renews().or(request.class);
        if begins && expected_class.is_some_and(|expected| class(&name) != expected) {
            return Err("a session was created with another lifetime than requested".to_owned());
        }
        // For a session that the request cannot use, only its end and its time left are allowed.
        let may_be_anybodys = matches!(command, Command::Destroy { .. })
            || matches!(command, Command::TimeLeft { .. }) && request.came_with(&name);
        if !request.keys.contains(&name) && !may_be_anybodys {
            return Err("a command for a session of another request".to_owned());
        }
        if let Command::Rotate { to, .. } = &command {
            let to = to.expose_secret().to_owned();
            if !request.keys.contains(&to) && !self.used.insert(to.clone()) {
                return Err("a session moves to an id that was used before".to_owned());
            }
            request.keys.push(to);
        }
        let changes_cookie =
            begins || matches!(command, Command::Rotate { .. } | Command::Destroy { .. });
        if request.committed && changes_cookie {
            return Err("a change of the cookie was sent to the store after the response headers"
                .to_owned());
        }
        let capped = match &command {
            Command::Write { expires_in, .. } => now + *expires_in <= deadline(&name),
            Command::Rotate { to, how, .. } => now + how.expires_in <= deadline(to.expose_secret()),
            Command::Get {
                refresh: Refresh::To(expires_in) | Refresh::Below { expires_in, .. },
                ..
            }
            | Command::Contains {
                refresh: Refresh::To(expires_in) | Refresh::Below { expires_in, .. },
                ..
            } => now + *expires_in <= deadline(&name),
            _ => true,
        };
        if !capped {
            return Err("an expiry beyond the absolute deadline".to_owned());
        }
        self.note(|| format!("    {number} sends {at}: {}", shown(&command)));
        Ok(())
    }

    fn execute_one(&mut self, choices: &mut Choices) -> Checked {
        let under_way = self.network.air().under_way();
        if under_way.is_empty() {
            return Ok(());
        }
        self.execute(under_way[choices.below(under_way.len())])
    }

    fn execute(&mut self, at: usize) -> Checked {
        let now = self.clock.now();
        let mut air = self.network.air();
        let command = air.flights[at].command.clone();
        let reply = air.execute(&command);
        let before = self.reference.fields(command.key().expose_secret(), now).cloned();
        let expected = self.reference.apply(&command, now);
        air.flights[at].executed = Some(reply.clone());
        let by = air.flights[at].by;
        drop(air);
        self.note(|| format!("    {at} is carried out: {reply:?}"));
        if reply != expected {
            return Err(format!("the store replied {reply:?}, not {expected:?}"));
        }
        if !reply.is_found() {
            return Ok(());
        }
        match &command {
            Command::Rotate { to, .. } if before.is_none() => self.moved_before(by, to),
            Command::Rotate { to, .. } => self.changed(by, to, before, true),
            Command::Write { key, .. } => self.changed(by, key, before, false),
            _ => Ok(()),
        }
    }

    /// Checks a rotation that the store took for a repetition.
    fn moved_before(&self, by: usize, to: &SessionKey) -> Checked {
        let first = self.put_by.get(to.expose_secret()).copied();
        let is_login = |number: usize| matches!(self.operations[number].kind, Kind::Login(_));
        if first != Some(by) && (is_login(by) || first.is_some_and(is_login)) {
            return Err("a login is taken for the repetition of another operation".to_owned());
        }
        Ok(())
    }

    /// Checks the fields of a session that a command has changed. `before` has the former fields.
    fn changed(
        &mut self,
        by: usize,
        key: &SessionKey,
        before: Option<BTreeMap<String, Bytes>>,
        moves: bool,
    ) -> Checked {
        let key = key.expose_secret();
        let operation = &self.operations[by];
        let lineage = self.reference.lineage(key).expect("the session is there");
        let login = self.logins.get(&lineage);
        if login.is_some_and(|login| operation.is_before(&self.operations[*login])) {
            return Err("a session changes by an operation from before its login".to_owned());
        }
        let first = *self.put_by.entry(key.to_owned()).or_insert(by);
        let Kind::Login(login) = operation.kind else { return Ok(()) };
        if self.issued[..operation.issued].iter().any(|issued| issued == key) {
            return Err("a login's values are stored under an id from before".to_owned());
        }
        let joins = !moves && before.is_some();
        if joins && self.operations[first].is_before(operation) {
            return Err("a login joins a session instead of replacing it".to_owned());
        }
        let permanent = || BTreeMap::from([(PERMANENT_FIELD.to_owned(), Bytes::new())]);
        let mut expected = before.unwrap_or_else(permanent);
        // The other operation began later, or concurrently, so its write counts as later.
        let keeps = if joins { Keeps::All } else { login.keeps };
        Login { keeps, ..login }.change(&mut expected);
        if self.reference.fields(key, self.clock.now()) != Some(&expected) {
            return Err("a login left other fields than it had to".to_owned());
        }
        self.logins.insert(lineage, by);
        Ok(())
    }

    /// Answers a waiting operation with the reply, or with an error.
    fn answer_one(&mut self, choices: &mut Choices) {
        let unanswered = self.network.air().unanswered();
        if unanswered.is_empty() {
            return;
        }
        let at = unanswered[choices.below(unanswered.len())];
        self.answer(at, choices.percent(12), choices.percent(50));
    }

    fn answer(&mut self, at: usize, fails: bool, never_arrives: bool) {
        let answer = self.network.air().answer(at, fails, never_arrives);
        let Some(answer) = answer else { return };
        if !matches!(answer, Answer::Reply(_)) {
            self.note(|| format!("    {at} gets the reply {answer:?}"));
        }
    }

    /// Drops the future of an operation, as for a cancelled request.
    fn drop_one(&mut self, choices: &mut Choices) {
        let running: Vec<_> = (0..self.operations.len())
            .filter(|&at| self.operations[at].running.is_some())
            .collect();
        if running.is_empty() {
            return;
        }
        let number = running[choices.below(running.len())];
        self.note(|| format!("  {number}: is dropped"));
        let ended = self.moment();
        let operation = &mut self.operations[number];
        operation.running = None;
        operation.ended = Some(ended);
        self.requests[operation.request].running -= 1;
    }

    /// Sends the response headers, and updates the browser's cookies.
    fn commit(&mut self, at: usize) -> Checked {
        let now = self.clock.now();
        let request = &mut self.requests[at];
        request.committed = true;
        let headers = request.handle.as_ref().expect("it has a response").finish();
        let set_cookie = headers.set_cookie().map(str::to_owned);
        let set = set_cookie.as_ref().filter(|cookie| !cookies::id_of(cookie).is_empty());
        let set_key = set.map(|cookie| key(&cookies::id_of(cookie)));
        let removes = set_cookie.is_some() && set.is_none();
        let request = &self.requests[at];
        if let Some(key) = &set_key {
            self.issued.push(key.clone());
            if !request.told_live.contains(key) {
                return Err("a cookie for a session that the store never reported".to_owned());
            }
            if self
                .reference
                .lineage(key)
                .is_some_and(|lineage| request.destroyed.contains(&lineage))
            {
                return Err("a cookie for a session that this request destroyed".to_owned());
            }
            if request.was_gone && !request.begins_anew {
                return Err(
                    "a request whose session is gone replaces the browser's cookie".to_owned()
                );
            }
        }
        if removes && !request.removal_due {
            return Err("a cookie was removed without a reason".to_owned());
        }
        if request.removal_due && request.presented.is_some() && set_cookie.is_none() {
            return Err("a destroyed session still has a cookie".to_owned());
        }
        let has = match &set_cookie {
            Some(_) => set_key.clone(),
            None => request.presented.clone(),
        };
        let reaches = |key: &str| {
            has.as_deref() == Some(key) || request.tossed.iter().any(|other| other == key)
        };
        let lost = request
            .live(&self.reference, now)
            .find(|&key| request.told_live.contains(key) && !reaches(key));
        // A session that may have ended or moved gets no cookie, because the cookie could be dead.
        let in_doubt = |key: &str| self.network.air().in_doubt(key);
        if lost.is_some_and(|key| !in_doubt(key)) && request.bound.is_some() {
            return Err("the browser does not get the cookie of the session that its request had"
                .to_owned());
        }
        self.note(|| {
            format!(
                "  request {at} commits: {}",
                if removes {
                    "removal"
                } else if set_key.is_some() {
                    "cookie"
                } else {
                    "-"
                }
            )
        });
        let (Some(client), Some(cookie)) = (self.requests[at].client, set_cookie) else {
            return Ok(());
        };
        let pair = cookie.split(';').next().unwrap_or_default().to_owned();
        self.clients[client].jar = (!removes).then_some(pair);
        Ok(())
    }

    /// Advances the clock. No command takes minutes: those in flight arrive first, or never, and
    /// all waiting operations get an answer.
    fn pass(&mut self, choices: &mut Choices) -> Checked {
        const SECOND: Duration = Duration::from_secs(1);
        let minutes = [1, 4, 6, 31, 59, 61, 119, 181].map(|minutes| MINUTE * minutes);
        let times = [minutes.as_slice(), &[SECOND * 2, SECOND * 4, SECOND * 6]].concat();
        let time = times[choices.below(times.len())];
        loop {
            let under_way = self.network.air().under_way();
            for at in under_way {
                if choices.percent(70) {
                    self.execute(at)?;
                    self.hold()?;
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
                break;
            }
            for number in ready {
                self.poll(number)?;
                self.hold()?;
            }
        }
        self.note(|| format!("{time:?} pass"));
        // A request with an unknown outcome does not wait for minutes. By then, the tombstone with
        // the outcome may have expired.
        for at in
            (0..self.requests.len()).filter(|&at| self.requests[at].is_unsure()).collect::<Vec<_>>()
        {
            self.requests[at].over = true;
            if !self.requests[at].committed && self.requests[at].handle.is_some() {
                self.commit(at)?;
            }
        }
        self.clock.advance(time);
        Ok(())
    }

    /// Gives a client another cookie with our name: an unknown id, the client's own last cookie, or
    /// the cookie of another client.
    fn toss(&mut self, choices: &mut Choices) {
        let client = choices.below(self.clients.len());
        let cookie = match choices.below(3) {
            0 => Some(cookies::cookie(&cookies::id(self.clock.now(), 0))),
            1 => self.clients[client].jar.clone(),
            // Signed again from the id. If there are two keys, the older key signs.
            _ => {
                let other = choices.below(self.clients.len());
                self.clients[other].jar.as_ref().map(|jar| cookies::cookie(&cookies::id_of(jar)))
            }
        };
        let replaces = choices.percent(30);
        let Some(cookie) = cookie else { return };
        self.note(|| format!("client {client} gets a cookie"));
        self.used.insert(key(&cookies::id_of(&cookie)));
        self.issued.push(key(&cookies::id_of(&cookie)));
        if replaces {
            self.clients[client].jar = Some(cookie);
        } else if self.clients[client].tossed.len() < 2 {
            self.clients[client].tossed.push(cookie);
        }
    }

    /// Lets all commands arrive and all requests finish. Then every client reads its session again.
    fn finish(&mut self, choices: &mut Choices) -> Checked {
        self.settle()?;
        for at in 0..self.requests.len() {
            if !self.requests[at].committed && self.requests[at].handle.is_some() {
                self.commit(at)?;
                self.hold()?;
            }
        }
        for client in 0..self.clients.len() {
            let count = self.requests.len();
            while self.requests.len() == count || self.requests[count].client.is_none() {
                self.requests.truncate(count);
                // This request must have a client.
                let mut simple = Choices::replay(vec![client as u32]);
                self.open(&mut simple);
            }
            for kind in [Kind::Get('a'), Kind::Get('b')] {
                let request = &mut self.requests[count];
                request.running += 1;
                let now = self.clock.now();
                let expected = request.keys.iter().find_map(|key| {
                    match &self.reference.entry(key, now)?.content {
                        Content::Live(fields) => Some(number(fields.get(&field(kind)))),
                        Content::Dead(..) => None,
                    }
                });
                let operation = Operation {
                    request: count,
                    kind,
                    running: Some(kind.run(request.session.clone())),
                    outcome: None,
                    commands: Vec::new(),
                    absent: true,
                    gone: true,
                    alone: true,
                    began: 0,
                    ended: None,
                    issued: 0,
                    to_be_destroyed: Vec::new(),
                    must_not_log_in: false,
                    live: Vec::new(),
                };
                self.operations.push(operation);
                let number = self.operations.len() - 1;
                self.poll(number)?;
                self.settle()?;
                if self.operations[number].outcome != Some(Outcome::Value(expected.unwrap_or(0))) {
                    return Err(format!(
                        "client {client} reads {:?}, not {expected:?}",
                        self.operations[number].outcome
                    ));
                }
            }
        }
        let _ = choices;
        self.hold()
    }

    fn settle(&mut self) -> Checked {
        loop {
            let under_way = self.network.air().under_way();
            for at in under_way {
                self.execute(at)?;
                self.hold()?;
            }
            let unanswered = self.network.air().unanswered();
            for at in unanswered {
                self.answer(at, false, false);
            }
            let ready = self.network.air().ready();
            if ready.is_empty() {
                return Ok(());
            }
            for number in ready {
                self.poll(number)?;
                self.hold()?;
            }
        }
    }

    /// Checks an operation that has finished.
    fn judge(&mut self, number: usize, outcome: Outcome) -> Checked {
        let now = self.clock.now();
        let air = self.network.air();
        let operation = &self.operations[number];
        let kind = operation.kind;
        let commands: Vec<_> =
            operation.commands.iter().map(|&at| (at, &air.flights[at])).collect();
        let done: Vec<_> = commands
            .iter()
            .filter(|(_, flight)| {
                flight.command.changes() && flight.executed.as_ref().is_some_and(Reply::is_found)
            })
            .collect();
        let reached = commands.iter().any(
            |(_, flight)| matches!(&flight.answer, Some(Answer::Reply(reply)) if reply.is_found()),
        );
        let failed = commands
            .iter()
            .any(|(_, flight)| !matches!(&flight.answer, Some(Answer::Reply(_)) | None));
        let rotated = commands.iter().any(|(_, flight)| {
            matches!(flight.command, Command::Rotate { .. }) && flight.changed().is_some()
        });
        let changed = commands.iter().rev().find_map(|(_, flight)| flight.changed()).cloned();
        let last = commands.last().map(|(at, _)| *at);
        let reply = last.and_then(|at| air.flights[at].executed.clone());
        let done = done.len();
        drop(commands);
        drop(air);
        let request = &mut self.requests[operation.request];
        let refuted =
            |what: &str| Err(format!("{number}: {kind:?} returned {outcome:?}, but {what}"));
        match outcome {
            Outcome::Other => return refuted("this error is impossible"),
            Outcome::Unavailable | Outcome::Unknown if !failed => return refuted("nothing failed"),
            Outcome::Unavailable if done > 0 && operation.alone => {
                return refuted("it was carried out");
            }
            Outcome::Unknown if done > 1 && operation.alone => {
                return refuted("it was carried out twice");
            }
            Outcome::Gone if !operation.gone => return refuted("its session was never ended"),
            Outcome::Gone if done > 0 && operation.alone => return refuted("it was carried out"),
            Outcome::Committed if !request.committed => {
                return refuted("the response headers were not sent");
            }
            Outcome::Value(0) | Outcome::Yes(false) | Outcome::Left(None)
                if !reached && !operation.absent =>
            {
                return refuted("there was a session all the time");
            }
            Outcome::Yes(true) | Outcome::Left(Some(_)) if !reached => {
                return refuted("no session was found");
            }
            Outcome::Value(value) if value > 0 => {
                let read = matches!(&reply, Some(Reply::Get(Lookup::Found(stored))) if self::number(stored.as_ref()) == value);
                if !read {
                    return refuted("the stored value differs");
                }
            }
            Outcome::Left(Some(left)) if left > LIFETIMES[1].1 => {
                return refuted("no session lasts that long");
            }
            Outcome::Done if matches!(kind, Kind::Set(..) | Kind::Login(_)) && done == 0 => {
                return refuted("it was not carried out");
            }
            Outcome::Done
                if matches!(kind, Kind::Set(..) | Kind::Login(_))
                    && done > 1
                    && operation.alone =>
            {
                return refuted("it was carried out more than once");
            }
            Outcome::Done
                if matches!(kind, Kind::Clear | Kind::Rotate | Kind::Renew(_))
                    && done == 0
                    && !operation.absent =>
            {
                return refuted("there was a session all the time");
            }
            _ => {}
        }
        request.was_gone |= outcome == Outcome::Gone;
        if outcome != Outcome::Done {
            return Ok(());
        }
        match kind {
            Kind::Rotate | Kind::Renew(_) | Kind::Login(_) => {
                if let Some(key) = changed.filter(|_| matches!(kind, Kind::Login(_))) {
                    let is_live = self.reference.leads_to(key.expose_secret(), now, |_| true);
                    let lineage = self.reference.lineage(key.expose_secret());
                    if is_live.is_some() && request.bound.is_some() && request.bound != lineage {
                        return refuted("its values are in another session");
                    }
                }
                if reached && operation.live.iter().any(|key| self.reference.is_live(key, now)) {
                    return refuted("the old id is live");
                }
                if !rotated && operation.alone && operation.must_not_log_in {
                    return refuted("another request had ended the session");
                }
                let pending =
                    request.pending.as_ref().filter(|key| !request.told_live.contains(*key));
                let other_class = |class: u8| pending.is_some_and(|key| self::class(key) != class);
                if matches!(kind, Kind::Renew(class) if !reached && other_class(class)) {
                    // A session that was created concurrently, with another lifetime, gets no
                    // cookie.
                    request.bound_since = self.network.air().flights.len();
                    request.forget();
                }
                if let Some(class) = kind.renews()
                    && operation.alone
                    && !rotated
                {
                    request.class = Some(class);
                } else if let Some(class) = kind.renews()
                    && operation.alone
                    && request.live(&self.reference, now).any(|key| self::class(key) != class)
                {
                    return refuted("the session has another lifetime");
                }
                if !operation.alone {
                    request.class = None;
                }
            }
            Kind::Destroy => {
                let follows = |key: &str| request.follows_renewal(key);
                let alive = |key: &String| self.reference.leads_to(key, now, follows).is_some();
                let known = |key: &&String| !request.forgotten.contains(*key);
                if operation.to_be_destroyed.iter().filter(known).any(alive) {
                    return refuted("its session is live");
                }
                let lineages =
                    operation.to_be_destroyed.iter().filter_map(|key| self.reference.lineage(key));
                request.destroyed.extend(lineages);
                request.bound = None;
                request.bound_since = self.network.air().flights.len();
                request.keys.clear();
                request.told_live.clear();
                (request.removal_due, request.was_gone, request.class) = (true, false, None);
                let request = operation.request;
                for other in self.operations.iter_mut().filter(|other| other.request == request) {
                    (other.absent, other.gone) = (true, true);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Checks the rules that hold at every moment.
    fn hold(&mut self) -> Checked {
        let now = self.clock.now();
        let air = self.network.air();
        let mut live = BTreeSet::new();
        for (name, entry) in &self.reference.entries {
            let (left, _) = air.memory.inspect(&entry.key);
            let expected = entry.expires_at.duration_since(now).ok().filter(|left| !left.is_zero());
            if left != expected {
                return Err(format!("a key expires in {left:?}, not {expected:?}"));
            }
            let is_live = self.reference.is_live(name, now);
            if is_live {
                if self.ended.contains(name) {
                    return Err("a dead id became live again".to_owned());
                }
                if entry.expires_at > deadline(name) {
                    return Err("a session is kept beyond its absolute deadline".to_owned());
                }
                if !live.insert(entry.lineage) {
                    return Err("one session is live under two ids".to_owned());
                }
                let permanent = read(&air.memory, &entry.key, PERMANENT_FIELD);
                let Content::Live(fields) = &entry.content else { continue };
                if permanent != Some(Bytes::new()) {
                    return Err("a session lacks its permanent field".to_owned());
                }
                for field in ["a", "b"] {
                    if read(&air.memory, &entry.key, field).as_ref() != fields.get(field) {
                        return Err("a session contains another value than was written".to_owned());
                    }
                }
            } else if self.told_live.contains(name) {
                self.ended.insert(name.clone());
            }
        }
        drop(air);
        for operation in self.operations.iter_mut().filter(|operation| operation.running.is_some())
        {
            let request = &self.requests[operation.request];
            operation.absent |= request.may_be_absent(&self.reference, now);
            operation.gone |= request.may_be_gone(&self.reference, now);
        }
        Ok(())
    }

    /// Returns the number of steps so far.
    fn moment(&self) -> usize {
        self.steps.borrow().len()
    }

    fn note(&self, what: impl FnOnce() -> String) {
        self.steps.borrow_mut().push(what());
    }
}

fn read(memory: &MemoryStore, key: &SessionKey, field: &str) -> Option<Bytes> {
    use futures::FutureExt;
    match memory.get(key, field, Refresh::No).now_or_never().expect("memory is at hand").unwrap() {
        Lookup::Found(value) => value,
        _ => None,
    }
}

fn number(stored: Option<&Bytes>) -> u64 {
    stored.map_or(0, |stored| std::str::from_utf8(stored).unwrap().parse().unwrap())
}

fn field(kind: Kind) -> String {
    match kind {
        Kind::Get(field) => field.to_string(),
        _ => unreachable!("the operation is not a read"),
    }
}

fn key(id: &str) -> String {
    SessionKey::new("app", &SessionId::parse(id).unwrap()).expose_secret().to_owned()
}

/// Returns the facts in an id: the creation time in seconds, and the class.
fn facts(key: &str) -> (u64, u8) {
    let (tag, rest) = key.rsplit_once('{').unwrap().1.split_once('}').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode([tag, rest].concat()).unwrap();
    let created_at = bytes[6..11].iter().fold(0, |seconds, byte| seconds << 8 | u64::from(*byte));
    (created_at, bytes[11])
}

fn class(key: &str) -> u8 {
    facts(key).1
}

pub(super) fn deadline(key: &str) -> SystemTime {
    let (created_at, class) = facts(key);
    UNIX_EPOCH + Duration::from_secs(created_at) + LIFETIMES[usize::from(class)].1
}

fn shown(command: &Command) -> String {
    let tail = |key: &SessionKey| key.expose_secret()[key.expose_secret().len() - 4..].to_owned();
    let key = tail(command.key());
    match command {
        Command::Get { field, refresh, .. } => format!("get {key} {field} {refresh:?}"),
        Command::Contains { field, refresh, .. } => format!("contains {key} {field:?} {refresh:?}"),
        Command::Write { mode, changes, .. } => format!("write {key} {mode:?} {changes:?}"),
        Command::TimeLeft { .. } => format!("time left {key}"),
        Command::Rotate { to, how, changes, keep_only, .. } => {
            let name = if how.renews { "renew" } else { "rotate" };
            format!("{name} {key} to {} {changes:?}, keeping {keep_only:?}", tail(to))
        }
        Command::Destroy { destruction, .. } => format!("destroy {key} {:?}", destruction.reason),
        Command::Tombstone { .. } => format!("tombstone {key}"),
        Command::Index(_) => unreachable!("the schema has no index"),
    }
}
