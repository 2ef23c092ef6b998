//! The commands to a node. A node carries out each in one step.

use super::world::{Entry, Id, Label, Time};

/// A change of the value in a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    Set(usize),
    /// Sets the value if there is none.
    SetIfNone(usize),
    Remove,
}

impl Change {
    pub(super) fn user(self) -> Option<usize> {
        match self {
            Self::Set(user) | Self::SetIfNone(user) => Some(user),
            Self::Nothing | Self::Remove => None,
        }
    }
}

/// The conditions of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Guard {
    /// The time of the checkpoint, and the number of its command.
    pub(super) since: Option<(Time, u64)>,
    pub(super) at_most: Option<usize>,
}

/// The results of the first step that the second step needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Fence {
    pub(super) not_after: Option<Time>,
    /// The time and the number of the addition to the list of the new value.
    pub(super) added: (Time, u64),
    /// The session was not in this list before.
    pub(super) is_new: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    Dead,
    /// With the number of the addition, if the entry was new.
    Refused(Option<u64>),
    Unproven,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Add {
        user: usize,
        id: Id,
        own: Id,
        deadline_in: Time,
        guard: Guard,
    },
    Mark {
        user: usize,
    },
    Entries {
        user: usize,
    },
    Prune {
        user: usize,
        read_at: Time,
        entries: Vec<(Id, Doubt)>,
    },
    Leave {
        user: usize,
        id: Id,
    },
    Time {
        user: usize,
    },
    Write {
        id: Id,
        creates: bool,
        lifetime: Time,
        change: Change,
        fence: Fence,
    },
    Move {
        from: Id,
        to: Id,
        label: Option<Label>,
        keeps_indexes: bool,
        renews: bool,
        lifetime: Time,
        change: Change,
        fence: Fence,
    },
    Look {
        id: Id,
    },
    Refresh {
        id: Id,
        lifetime: Time,
    },
    Tombstone {
        id: Id,
    },
    /// `until` is for a pending entry. `read` is the true time of the list's read.
    End {
        id: Id,
        user: usize,
        until: Option<Time>,
        read: Time,
    },
    Destroy {
        id: Id,
    },
}

/// The entries of a list.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) entries: Vec<Entry>,
    pub(super) read_at: Time,
    /// The true time.
    pub(super) read: Time,
    /// The number of the command.
    pub(super) number: u64,
}

#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// The time by the clock of the list, the number of the command, and whether the entry is new.
    Added(Time, u64, bool),
    EndedSince,
    TooMany,
    Entries(Read),
    Time(Time, u64),
    Done,
    /// The session has kept another value.
    Kept,
    Missing,
    /// A WRONGTYPE, or the text of a tombstone.
    Dead {
        successor: Option<Id>,
        renews: bool,
    },
    Late(Time),
    Label(Option<Label>),
    Taken,
    Found {
        value: Option<usize>,
        signed_in_at: Option<Time>,
    },
    /// An ended session, with the label and the last id.
    Ended(Option<usize>, Id),
    Unfit,
}
