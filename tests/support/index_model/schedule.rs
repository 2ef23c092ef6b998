//! A random order of all that happens.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::command::Change;
use super::fault::Fault;
use super::lists::COUNTS_FOR;
use super::network::{Link, Message, NoReply};
use super::operation::{Cap, Operation, Outcome, Request};
use super::world::{CLOCKS_DIFFER, Id, NODES, SECOND, Time, USERS, World};
use crate::model::Choices;

/// A client waits no longer for a reply.
const PATIENCE: Time = 10 * SECOND;
const MOST_STEPS: usize = 150;

pub(super) struct Schedule {
    pub(super) world: Rc<RefCell<World>>,
    messages: Rc<RefCell<Vec<Message>>>,
    clients: Vec<Client>,
    cap: Option<Cap>,
    users: usize,
    /// How often a client pauses.
    pauses: u32,
}

struct Client {
    request: Request,
    future: Option<Pin<Box<dyn Future<Output = Outcome>>>>,
    is_woken: bool,
    left: usize,
}

#[derive(Clone, Copy)]
enum Next {
    Deliver,
    Start,
    Wake,
    DeliverToPaused,
    LoseReply,
    Lose,
    GiveUp,
    DeliverLate,
    Pass,
    Kill,
    FailOver,
}

impl Schedule {
    pub(super) fn new(choices: &mut Choices, fault: Option<Fault>, records: bool) -> Self {
        let mut offsets = [0; NODES];
        let differ = choices.percent(70);
        for offset in &mut offsets {
            *offset = if differ { offset_of(choices) } else { 0 };
        }
        let lifetimes = [(3_600, 7_200), (1_800, 3_600), (400, 600)][choices.below(3)];
        let mut world = World::new(fault, offsets, (lifetimes.0 * SECOND, lifetimes.1 * SECOND));
        world.steps =
            records.then(|| vec![format!("offsets {offsets:?}, lifetimes {lifetimes:?}")]);
        let (world, messages) = (Rc::new(RefCell::new(world)), Rc::default());
        let cap = choices
            .percent(50)
            .then(|| Cap { most: 1 + choices.below(2), ends_oldest: choices.percent(50) });
        let browsers: Vec<Rc<Cell<Option<Id>>>> =
            (0..1 + choices.below(3)).map(|_| Rc::default()).collect();
        let clients = (0..2 + choices.below(3))
            .map(|client| {
                let offset = if differ { offset_of(choices) } else { 0 };
                let link = Link {
                    client,
                    world: Rc::clone(&world),
                    messages: Rc::clone(&messages),
                    offset,
                };
                let cookie = Rc::clone(&browsers[choices.below(browsers.len())]);
                let request = Request { link, cookie, repeats: false };
                Client { request, future: None, is_woken: false, left: 1 + choices.below(5) }
            })
            .collect();
        let (users, pauses) = (1 + choices.below(2), [4, 25][choices.below(2)]);
        Self { world, messages, clients, cap, users, pauses }
    }

    pub(super) fn run(&mut self, choices: &mut Choices) -> Result<(), String> {
        for _ in 0..MOST_STEPS {
            let Some(next) = self.choose(choices) else { break };
            self.take(next, choices);
            self.check()?;
        }
        self.finish(choices)?;
        self.probe(choices)?;
        self.pass(1_300 * SECOND);
        for user in 0..USERS {
            self.start(0, Operation::Count { user }, false);
            self.finish_in_peace()?;
        }
        self.world.borrow_mut().check_exact();
        self.check()
    }

    fn check(&self) -> Result<(), String> {
        let mut world = self.world.borrow_mut();
        world.check(self.cap);
        world.broken.clone().map_or(Ok(()), Err)
    }

    fn choose(&self, choices: &mut Choices) -> Option<Next> {
        let messages = self.messages.borrow();
        let awaited = messages.iter().any(|message| message.slot.is_some());
        let late = messages.iter().any(|message| message.slot.is_none());
        let woken = self.clients.iter().any(|client| client.is_woken);
        let idle = self.clients.iter().any(|client| client.future.is_none() && client.left > 0);
        let busy = self.clients.iter().any(|client| client.future.is_some());
        let possible = [
            (if awaited { 50 } else { 0 }, Next::Deliver),
            (if idle { 12 } else { 0 }, Next::Start),
            (if woken { 100 / self.pauses } else { 0 }, Next::Wake),
            (if awaited { self.pauses } else { 0 }, Next::DeliverToPaused),
            (if awaited { 2 } else { 0 }, Next::LoseReply),
            (if awaited { 2 } else { 0 }, Next::Lose),
            (if awaited { 5 } else { 0 }, Next::GiveUp),
            (if late { 8 } else { 0 }, Next::DeliverLate),
            (10, Next::Pass),
            (u32::from(busy), Next::Kill),
            (1, Next::FailOver),
        ];
        (awaited || late || woken || idle).then(|| choices.weighted(&possible))
    }

    fn take(&mut self, next: Next, choices: &mut Choices) {
        match next {
            Next::Start => {
                let idle = |client: &Client| client.future.is_none() && client.left > 0;
                let client = self.pick(choices, idle);
                let operation = self.operation(choices);
                self.start(client, operation, choices.percent(50));
            }
            Next::Wake => {
                let client = self.pick(choices, |client| client.is_woken);
                self.poll(client);
            }
            Next::Deliver => {
                let client = self.deliver(choices, true);
                if let Some(client) = client {
                    self.poll(client);
                }
            }
            Next::DeliverToPaused | Next::DeliverLate => {
                self.deliver(choices, matches!(next, Next::DeliverToPaused));
            }
            Next::LoseReply => {
                self.give_up(choices);
                let last = self.messages.borrow().len() - 1;
                self.execute(last);
            }
            Next::Lose => {
                self.give_up(choices);
                self.messages.borrow_mut().pop();
            }
            Next::GiveUp => self.give_up(choices),
            Next::Pass => {
                let time = duration(choices);
                self.pass(time);
            }
            Next::Kill => {
                let client = self.pick(choices, |client| client.future.is_some());
                self.clients[client].future = None;
                self.clients[client].is_woken = false;
                for message in
                    self.messages.borrow_mut().iter_mut().filter(|it| it.client == client)
                {
                    message.slot = None;
                }
                self.world.borrow_mut().step(|_| format!("client {client} is killed"));
            }
            Next::FailOver => {
                let node = choices.below(NODES);
                let offset = offset_of(choices);
                let mut world = self.world.borrow_mut();
                if !world.has_failed_over[node] {
                    world.step(|_| format!("node {node} fails over to offset {offset}"));
                    world.fail_over(node, offset);
                }
            }
        }
    }

    fn pick(&self, choices: &mut Choices, fits: impl Fn(&Client) -> bool) -> usize {
        let fitting: Vec<usize> =
            (0..self.clients.len()).filter(|at| fits(&self.clients[*at])).collect();
        fitting[choices.below(fitting.len())]
    }

    fn operation(&self, choices: &mut Choices) -> Operation {
        let user = choices.below(self.users);
        let login = |choices: &mut Choices| Operation::Login {
            user,
            renews: choices.percent(60),
            cap: self.cap,
            has_checkpoint: choices.percent(30),
        };
        let is_capped = self.cap.is_some();
        match choices.below(16) {
            0..4 => login(choices),
            4 | 5 if is_capped => login(choices),
            4 => Operation::Change(Change::Set(user)),
            5 => Operation::Change(Change::SetIfNone(user)),
            6 => Operation::Change(Change::Remove),
            7 => Operation::Change(Change::Nothing),
            8 | 9 => Operation::Rotate { renews: choices.percent(50) },
            10 => Operation::Destroy,
            11 => Operation::Count { user },
            12 => Operation::EndAll { user },
            13 => Operation::EndOthers { user },
            14 => Operation::EndOne { user },
            _ => Operation::Read,
        }
    }

    fn start(&mut self, client: usize, operation: Operation, repeats: bool) {
        let one = &mut self.clients[client];
        let request = Request { repeats, ..one.request.clone() };
        let cookie = request.cookie.get();
        self.world.borrow_mut().step(|_| format!("client {client} with {cookie:?}: {operation:?}"));
        one.left = one.left.saturating_sub(1);
        one.future = Some(Box::pin(request.run(operation)));
        self.poll(client);
    }

    fn poll(&mut self, client: usize) -> Option<Outcome> {
        let one = &mut self.clients[client];
        one.is_woken = false;
        let future = one.future.as_mut()?;
        let Poll::Ready(outcome) = future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        else {
            return None;
        };
        one.future = None;
        self.world.borrow_mut().step(|_| format!("client {client}: {outcome:?}"));
        Some(outcome)
    }

    fn deliver(&mut self, choices: &mut Choices, is_awaited: bool) -> Option<usize> {
        let at = self.pick_message(choices, is_awaited);
        self.execute(at)
    }

    fn pick_message(&self, choices: &mut Choices, is_awaited: bool) -> usize {
        let messages = self.messages.borrow();
        let fitting: Vec<usize> =
            (0..messages.len()).filter(|at| messages[*at].slot.is_some() == is_awaited).collect();
        fitting[choices.below(fitting.len())]
    }

    /// Carries out a command. Returns the client that got the reply.
    fn execute(&mut self, at: usize) -> Option<usize> {
        let message = self.messages.borrow_mut().remove(at);
        let mut world = self.world.borrow_mut();
        let reply = world.run(&message.command);
        world.step(|world| {
            let how = if message.slot.is_some() { "" } else { " late" };
            let Message { client, command, .. } = &message;
            format!("#{} client {client}{how}: {command:?} -> {reply:?}", world.number)
        });
        let slot = message.slot?;
        *slot.borrow_mut() = Some(Ok(reply));
        self.clients[message.client].is_woken = true;
        Some(message.client)
    }

    /// A client stops to wait for a reply. The command becomes the last.
    fn give_up(&mut self, choices: &mut Choices) {
        let at = self.pick_message(choices, true);
        let mut message = self.messages.borrow_mut().remove(at);
        self.stop_waiting(&mut message);
        self.messages.borrow_mut().push(message);
    }

    fn stop_waiting(&mut self, message: &mut Message) {
        if let Some(slot) = message.slot.take() {
            *slot.borrow_mut() = Some(Err(NoReply));
            self.clients[message.client].is_woken = true;
            let (client, command) = (message.client, &message.command);
            self.world.borrow_mut().step(|_| format!("client {client} gives up on {command:?}"));
        }
    }

    fn pass(&mut self, time: Time) {
        let mut messages = std::mem::take(&mut *self.messages.borrow_mut());
        self.world.borrow_mut().pass(time);
        let now = self.world.borrow().now;
        for message in &mut messages {
            if now - message.sent > PATIENCE {
                self.stop_waiting(message);
            }
        }
        messages.retain(|message| !message.is_lost(now));
        *self.messages.borrow_mut() = messages;
    }

    /// Delivers or loses all commands, and lets all operations end.
    fn finish(&mut self, choices: &mut Choices) -> Result<(), String> {
        let loses = choices.percent(50);
        for client in &mut self.clients {
            client.left = 0;
        }
        self.messages.borrow_mut().retain(|message| message.slot.is_some() || !loses);
        self.finish_in_peace()
    }

    fn finish_in_peace(&mut self) -> Result<(), String> {
        for _ in 0..5_000 {
            if let Some(client) = (0..self.clients.len()).find(|at| self.clients[*at].is_woken) {
                self.poll(client);
            } else if self.messages.borrow().is_empty() {
                return Ok(());
            } else {
                self.execute(0);
            }
            self.check()?;
        }
        Err("the operations do not end".to_owned())
    }

    /// A login within the limit is not refused, as soon as no other addition counts any more.
    fn probe(&mut self, choices: &mut Choices) -> Result<(), String> {
        let Some(cap @ Cap { most, ends_oldest: false }) = self.cap else { return Ok(()) };
        let user = choices.below(USERS);
        let turned_back = if self.world.borrow().turned_back[user] { CLOCKS_DIFFER } else { 0 };
        self.pass((COUNTS_FOR + 2) * SECOND + turned_back);
        let has_room = self.world.borrow().kept_of(user) < most;
        let client = &mut self.clients[0];
        client.request.cookie = Rc::default();
        let cookie = Rc::clone(&client.request.cookie);
        let operation =
            Operation::Login { user, renews: false, cap: Some(cap), has_checkpoint: false };
        self.start(0, operation, false);
        self.finish_in_peace()?;
        match has_room && cookie.get().is_none() {
            true => Err(format!("user {user} has room, and a login is refused")),
            false => Ok(()),
        }
    }
}

fn offset_of(choices: &mut Choices) -> Time {
    [0, CLOCKS_DIFFER, choices.below(CLOCKS_DIFFER as usize) as Time][choices.below(3)]
}

fn duration(choices: &mut Choices) -> Time {
    let between = |choices: &mut Choices, least: Time, most: Time| {
        least + choices.below((most - least) as usize) as Time
    };
    match choices.below(6) {
        0 => between(choices, 1, SECOND),
        1 => between(choices, SECOND, 10 * SECOND),
        2 => between(choices, 10 * SECOND, 60 * SECOND),
        3 => between(choices, 58 * SECOND, 65 * SECOND),
        4 => between(choices, 65 * SECOND, 310 * SECOND),
        _ => between(choices, 310 * SECOND, 700 * SECOND),
    }
}
