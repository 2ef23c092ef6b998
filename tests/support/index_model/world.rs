//! The nodes of the cluster: their clocks, the lists and the sessions.

use super::fault::Fault;

/// Milliseconds. Also a moment, by the true clock or by the clock of a node.
pub(super) type Time = i64;

pub(super) const SECOND: Time = 1_000;
/// The largest difference between two clocks.
pub(super) const CLOCKS_DIFFER: Time = 235 * SECOND;
/// The number of users. The list of each is on a node of its own.
pub(super) const USERS: usize = 2;
/// The nodes with the lists come first, then two nodes with sessions.
pub(super) const NODES: usize = USERS + 2;
const LONG_AGO: Time = -1_000_000 * SECOND;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(pub(super) u16);

/// The content of an id: the tag, and the absolute deadline by the clocks of clients.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdFacts {
    pub(super) tag: u16,
    pub(super) created_at: Time,
    pub(super) deadline: Time,
}

/// A label, with the number of the addition that belongs to the sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) user: usize,
    pub(super) added_at: Time,
    /// The model's own note, which no code sees.
    pub(super) addition: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    pub(super) value: Option<usize>,
    pub(super) label: Option<Label>,
    pub(super) expires_at: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tombstone {
    pub(super) successor: Option<Id>,
    pub(super) renews: bool,
    pub(super) until: Time,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    Missing,
    Live(Session),
    Dead(Tombstone),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) id: Id,
    /// In whole seconds.
    pub(super) deadline: Time,
    /// In whole seconds.
    pub(super) added: Time,
    /// The number of the addition, in place of the unique score.
    pub(super) addition: u64,
    pub(super) counts: bool,
}

#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) entries: Vec<Entry>,
    pub(super) mark: Option<Time>,
    pub(super) expires_at: Time,
}

/// An end of all sessions of a user that reported success.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) mark: u64,
    pub(super) spared: Option<u16>,
}

pub(super) struct World {
    pub(super) fault: Option<Fault>,
    pub(super) now: Time,
    /// Numbers the commands in the order of their execution.
    pub(super) number: u64,
    pub(super) offsets: [Time; NODES],
    pub(super) has_failed_over: [bool; NODES],
    /// A failover has turned the clock back.
    pub(super) turned_back: [bool; NODES],
    pub(super) idle: Time,
    pub(super) longest: Time,
    pub(super) ids: Vec<IdFacts>,
    tags: u16,
    pub(super) keys: Vec<Key>,
    pub(super) lists: [List; USERS],
    /// The true time of the last addition, for each tag.
    pub(super) last_added: Vec<[Time; USERS]>,
    /// The numbers of all marks.
    pub(super) marks: [Vec<u64>; USERS],
    pub(super) ended: [Vec<Ended>; USERS],
    pub(super) broken: Option<String>,
    pub(super) steps: Option<Vec<String>>,
}

impl World {
    pub(super) fn new(
        fault: Option<Fault>,
        offsets: [Time; NODES],
        lifetimes: (Time, Time),
    ) -> Self {
        Self {
            fault,
            now: 10_000 * SECOND,
            number: 0,
            offsets,
            has_failed_over: [false; NODES],
            turned_back: [false; NODES],
            idle: lifetimes.0,
            longest: lifetimes.1,
            ids: Vec::new(),
            tags: 0,
            keys: Vec::new(),
            lists: Default::default(),
            last_added: Vec::new(),
            marks: Default::default(),
            ended: Default::default(),
            broken: None,
            steps: None,
        }
    }

    pub(super) fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Creates an id with a new tag.
    pub(super) fn fresh_id(&mut self, created_at: Time) -> Id {
        self.tags += 1;
        self.last_added.push([LONG_AGO; USERS]);
        self.push_id(IdFacts {
            tag: self.tags - 1,
            created_at,
            deadline: created_at + self.longest,
        })
    }

    /// Creates the next id of a session. A renewal starts a lifetime.
    pub(super) fn next_id(&mut self, from: Id, renewed_at: Option<Time>) -> Id {
        let mut facts = self.facts(from);
        if let Some(created_at) = renewed_at {
            (facts.created_at, facts.deadline) = (created_at, created_at + self.longest);
        }
        self.push_id(facts)
    }

    fn push_id(&mut self, facts: IdFacts) -> Id {
        self.ids.push(facts);
        self.keys.push(Key::Missing);
        Id(self.ids.len() as u16 - 1)
    }

    pub(super) fn facts(&self, id: Id) -> IdFacts {
        self.ids[usize::from(id.0)]
    }

    pub(super) fn tag(&self, id: Id) -> u16 {
        self.facts(id).tag
    }

    pub(super) fn key(&mut self, id: Id) -> &mut Key {
        &mut self.keys[usize::from(id.0)]
    }

    fn node_of(&self, id: Id) -> usize {
        USERS + usize::from(self.tag(id)) % (NODES - USERS)
    }

    /// Returns the time by the clock of the session's node.
    pub(super) fn session_clock(&self, id: Id) -> Time {
        self.now + self.offsets[self.node_of(id)]
    }

    pub(super) fn list_clock(&self, user: usize) -> Time {
        self.now + self.offsets[user]
    }

    /// Lets time pass. What expires meanwhile is gone.
    pub(super) fn pass(&mut self, time: Time) {
        self.now += time;
        self.expire();
    }

    pub(super) fn fail_over(&mut self, node: usize, offset: Time) {
        self.turned_back[node] = offset < self.offsets[node];
        self.offsets[node] = offset;
        self.has_failed_over[node] = true;
        self.expire();
    }

    fn expire(&mut self) {
        for at in 0..self.keys.len() {
            let clock = self.session_clock(Id(at as u16));
            let expires_at = match &self.keys[at] {
                Key::Missing => continue,
                Key::Live(session) => session.expires_at,
                Key::Dead(tombstone) => tombstone.until,
            };
            if expires_at <= clock {
                self.keys[at] = Key::Missing;
            }
        }
        for user in 0..USERS {
            if self.lists[user].expires_at <= self.list_clock(user) {
                self.lists[user] = List::default();
            }
        }
    }

    /// Returns the sessions that clients can use, with their values.
    pub(super) fn live(&self) -> impl Iterator<Item = (Id, &Session)> {
        self.keys.iter().zip(&self.ids).enumerate().filter_map(|(at, (key, facts))| match key {
            // Clients do not use a session after its deadline. No client's clock is slow.
            Key::Live(session) if facts.deadline > self.now => Some((Id(at as u16), session)),
            _ => None,
        })
    }

    /// Returns the number of a user's sessions that clients can use.
    pub(super) fn live_of(&self, user: usize) -> usize {
        self.live().filter(|(_, session)| session.value == Some(user)).count()
    }

    /// Returns the number of a user's sessions that the nodes keep. A late command may prolong a
    /// session beyond its deadline.
    pub(super) fn kept_of(&self, user: usize) -> usize {
        let is_theirs =
            |key: &&Key| matches!(key, Key::Live(session) if session.value == Some(user));
        self.keys.iter().filter(is_theirs).count()
    }

    pub(super) fn step(&mut self, text: impl FnOnce(&Self) -> String) {
        if self.steps.is_some() {
            let text =
                format!("{:>8.3}  {}", (self.now - 10_000 * SECOND) as f64 / 1e3, text(self));
            if let Some(steps) = &mut self.steps {
                steps.push(text);
            }
        }
    }

    pub(super) fn break_rule(&mut self, what: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some(what());
        }
    }
}
