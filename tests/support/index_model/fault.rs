//! Rules of the protocol to leave out. The model must notice each.

/// A rule of the protocol that a run leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The second step has no time limit.
    NoTimeLimit,
    /// A step that came too late is sent again without a new first step.
    LateWithoutAdd,
    /// A step that came too late is sent again after any time.
    LateRetry,
    /// A second addition keeps the time of the first.
    AddKeepsTime,
    /// A change adds the entry after the session has the value.
    AddAfterWrite,
    /// The additions drop entries at the deadline.
    DropAtDeadline,
    /// A look removes unproven entries of any age.
    PruneAnyAge,
    /// A look removes unproven entries as soon as they cease to count.
    DoubtRemoves,
    /// A look may be long ago when it removes entries.
    PruneAnyLook,
    /// A look takes a missing session for a dead one.
    MissingIsDead,
    /// A rotation adds no entry for the new id.
    MoveWithoutEntry,
    /// A rotation does not compare the label.
    MoveAnyLabel,
    /// A rotation replaces a tombstone.
    MoveOntoTombstone,
    /// A change of the value removes the entry of the former value.
    LeaveLive,
    /// A removed value leaves its label.
    KeepLabel,
    /// An end treats no entry as pending.
    EndIgnoresPending,
    /// The end of a pending entry may come at any time.
    EndAnyTime,
    /// An end that came too late is repeated, however long ago the list was read.
    LateEnd,
    /// An end does not look for later ids in the list that is read again.
    OldList,
    /// A creation is repeated with the same id at any time.
    CreateAgain,
    /// Proofs from before a second read of the list count as proofs from after it.
    OldProof,
    /// The tombstone of an end lasts a minute.
    ShortTombstone,
    /// An end stays at the first id.
    EndStays,
    /// The mark of an end comes after the read of the list.
    MarkAfterRead,
    /// A login compares no mark.
    NoMark,
    /// A login checks the limit before its addition.
    LimitBefore,
    /// Refused entries and old unproven entries count for the limit.
    DoubtCounts,
    /// The entry of a refused change goes, even if the session was in the list before.
    RefusedGoes,
    /// Unproven entries cease to count a minute after the addition.
    CeaseAfterMinute,
    /// Entries count for the limit only until their deadline.
    CountUntilDeadline,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 30] = [
        Self::NoTimeLimit,
        Self::LateWithoutAdd,
        Self::LateRetry,
        Self::AddKeepsTime,
        Self::AddAfterWrite,
        Self::DropAtDeadline,
        Self::PruneAnyAge,
        Self::DoubtRemoves,
        Self::PruneAnyLook,
        Self::MissingIsDead,
        Self::MoveWithoutEntry,
        Self::MoveAnyLabel,
        Self::MoveOntoTombstone,
        Self::LeaveLive,
        Self::KeepLabel,
        Self::EndIgnoresPending,
        Self::EndAnyTime,
        Self::LateEnd,
        Self::OldList,
        Self::OldProof,
        Self::CreateAgain,
        Self::ShortTombstone,
        Self::EndStays,
        Self::MarkAfterRead,
        Self::NoMark,
        Self::LimitBefore,
        Self::DoubtCounts,
        Self::RefusedGoes,
        Self::CeaseAfterMinute,
        Self::CountUntilDeadline,
    ];
}
