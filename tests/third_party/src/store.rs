//! The implementation of the contract.

use std::future::ready;
use std::sync::PoisonError;
use std::time::{Duration, Instant, SystemTime};

use session_runtime::Bytes;
use session_runtime::store::{
    Action, BoxFuture, Change, DestroyReason, Destroyed, Destruction, Lookup, Modified, Modify,
    PERMANENT_FIELD, Refresh, Rotation, Scan, ScanCursor, ScanPage, Seen, SessionKey, SessionStore,
    StoreError, Tombstone, TombstoneKind, Write, WriteMode,
};

use crate::action::carry_out;
use crate::{Content, Entry, Flaw, NaiveStore, after};

type Fields = std::collections::HashMap<String, Bytes>;
type Reply<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl SessionStore for NaiveStore {
    fn get<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> Reply<'a, Lookup<Option<Bytes>>> {
        done(self.read(key, refresh, |fields| fields.get(field).cloned()))
    }

    fn contains<'a>(
        &'a self,
        key: &'a SessionKey,
        field: &'a str,
        refresh: Refresh,
    ) -> Reply<'a, Lookup<bool>> {
        done(self.read(key, refresh, |fields| fields.contains_key(field)))
    }

    fn get_many<'a>(
        &'a self,
        key: &'a SessionKey,
        names: &'a [&'a str],
        refresh: Refresh,
    ) -> Reply<'a, Lookup<Vec<Option<Bytes>>>> {
        done(self.read(key, refresh, |fields| {
            names.iter().map(|name| fields.get(*name).cloned()).collect()
        }))
    }

    fn get_all<'a>(
        &'a self,
        key: &'a SessionKey,
        prefix: &'a str,
        refresh: Refresh,
    ) -> Reply<'a, Lookup<Vec<(String, Bytes)>>> {
        if self.has(Flaw::ListsNoFields) {
            return Box::pin(ready(Err(StoreError::unsupported("fields cannot be listed"))));
        }
        done(self.read(key, refresh, |fields| {
            let all = fields.iter().filter(|(name, _)| self.is_under(name, prefix));
            all.map(|(name, value)| (name.clone(), value.clone())).collect()
        }))
    }

    fn write<'a>(&'a self, key: &'a SessionKey, write: Write<'a>) -> Reply<'a, Lookup<u64>> {
        let expires_in = Some(write.expires_in);
        if write.changes.iter().any(|change| matches!(change, Change::Set { ttl: Some(_), .. })) {
            if self.has(Flaw::WritesHalf) {
                let rest: Vec<_> =
                    write.changes.iter().filter(|change| !has_ttl(change)).cloned().collect();
                let _ = self.change(key, write.mode, expires_in, |fields| apply(fields, &rest));
            }
            return refused();
        }
        let written =
            self.change(key, write.mode, expires_in, |fields| apply(fields, write.changes));
        if self.has(Flaw::CarriesWritesOutTwice) {
            return done(
                self.change(key, write.mode, expires_in, |fields| apply(fields, write.changes)),
            );
        }
        done(written)
    }

    fn modify<'a>(
        &'a self,
        key: &'a SessionKey,
        modify: Modify<'a>,
    ) -> Reply<'a, Lookup<Modified>> {
        if modify.keeps_times && self.has(Flaw::KeepsNoTimes)
            || modify.ttl.is_some() && !modify.keeps_times
        {
            return refused();
        }
        if self.has(Flaw::AddsAsFloats)
            && let Action::AddInteger { by, default, .. } = modify.action
        {
            let action = Action::AddFloat { by: by as f64, default: default as f64, single: false };
            return self.modify(key, Modify { action, ..modify });
        }
        let is_missing = matches!(self.read(key, Refresh::No, |_| ()), Lookup::Missing);
        let (outcome, _) = carry_out(&modify.action, None);
        let fails = matches!(
            outcome,
            Modified::NotANumber | Modified::OutOfRange | Modified::Swapped(false)
        );
        if is_missing && fails && !self.has(Flaw::BeginsSessionsForFailures) {
            return done(Lookup::Missing);
        }
        let keeps_expiry = modify.keeps_times && !self.has(Flaw::RefreshesWithEveryChange);
        let expires_in = (!keeps_expiry).then_some(modify.expires_in);
        done(self.change(key, modify.mode, expires_in, |fields| {
            let alias = modify.alias.and_then(|alias| fields.get(alias));
            let held = fields.get(modify.field).or(alias).cloned();
            let (modified, given) = carry_out(&modify.action, held);
            let Some(given) = given else { return modified };
            match given {
                Some(value) => drop(fields.insert(modify.field.to_owned(), value)),
                None => drop(fields.remove(modify.field)),
            }
            if let Some(alias) = modify.alias.filter(|_| !self.has(Flaw::KeepsAliases)) {
                fields.remove(alias);
            }
            modified
        }))
    }

    fn field_expires_in<'a>(
        &'a self,
        key: &'a SessionKey,
        _: &'a str,
    ) -> Reply<'a, Lookup<Option<Duration>>> {
        done(self.read(key, Refresh::No, |_| None))
    }

    fn expire_field<'a>(
        &'a self,
        _: &'a SessionKey,
        _: &'a str,
        _: Duration,
        _: Duration,
    ) -> Reply<'a, Lookup<bool>> {
        refused()
    }

    fn supports_field_expiry(&self) -> bool {
        false
    }

    fn supports_changes_in_rotation(&self) -> bool {
        !self.has(Flaw::RotatesOnlyWhole)
    }

    fn supports_keeping_times(&self) -> bool {
        !self.has(Flaw::KeepsNoTimes)
    }

    fn scan<'a>(&'a self, scan: Scan<'a>) -> Reply<'a, ScanPage> {
        done(self.page(scan))
    }

    fn expires_in<'a>(&'a self, key: &'a SessionKey) -> Reply<'a, Lookup<Duration>> {
        let entries = self.entries(key);
        done(match entries.get(key.expose_secret()) {
            None => Lookup::Missing,
            Some(Entry { content: Content::Dead(..), .. }) => Lookup::Dead,
            Some(Entry { expires_at: None, .. }) => Lookup::Found(Duration::MAX),
            Some(Entry { expires_at: Some(at), .. }) => {
                Lookup::Found(at.saturating_duration_since(Instant::now()))
            }
        })
    }

    fn rotate<'a>(&'a self, key: &'a SessionKey, rotation: Rotation<'a>) -> Reply<'a, Lookup<()>> {
        if rotation.changes.iter().any(has_ttl) {
            return refused();
        }
        drop(self.entries(rotation.successor_key));
        let mut entries = self.entries(key);
        let (from, to) = (key.expose_secret(), rotation.successor_key.expose_secret());
        let is_live =
            |name: &str| matches!(entries.get(name), Some(Entry { content: Content::Live(_), .. }));
        let (is_there, is_free) = (is_live(to), !entries.contains_key(to));
        match entries.get(from) {
            None => return done(Lookup::Missing),
            Some(Entry { content: Content::Dead(kind, _), .. }) => {
                let is_repeated = is_there && kind.successor() == Some(*rotation.successor);
                return done(if is_repeated { Lookup::Found(()) } else { Lookup::Dead });
            }
            Some(_) if !is_free && !self.has(Flaw::RotatesOntoOthers) => return refused(),
            Some(_) => {}
        }
        let kind = match self.flaw {
            Some(Flaw::ForgetsTheSuccessor) => TombstoneKind::Destroyed(DestroyReason::LoggedOut),
            Some(Flaw::ForgetsTheReason) => TombstoneKind::Rotated(*rotation.successor),
            _ => rotation.tombstone_kind(),
        };
        let dead = dead(kind, rotation.tombstone_for);
        let Some(moved) = entries.insert(from.to_owned(), dead) else {
            return done(Lookup::Missing);
        };
        let content = match moved.content {
            _ if self.has(Flaw::LosesFieldsWhenItRotates) => Content::Live(self.begun()),
            Content::Live(mut fields) => {
                self.change_fields(&mut fields, &rotation);
                Content::Live(fields)
            }
            dead => dead,
        };
        entries.insert(to.to_owned(), Entry { expires_at: after(rotation.expires_in), content });
        done(Lookup::Found(()))
    }

    fn destroy<'a>(
        &'a self,
        key: &'a SessionKey,
        destruction: Destruction,
    ) -> Reply<'a, Destroyed> {
        let mut entries = self.entries(key);
        let dead = dead(TombstoneKind::Destroyed(destruction.reason), destruction.tombstone_for);
        done(match entries.get_mut(key.expose_secret()) {
            None => Destroyed::Missing,
            Some(Entry { content: Content::Dead(kind, _), .. }) => Destroyed::Dead(*kind),
            Some(_) if self.has(Flaw::KeepsNoTombstones) => {
                entries.remove(key.expose_secret());
                Destroyed::Ended
            }
            Some(entry) => {
                *entry = dead;
                Destroyed::Ended
            }
        })
    }

    fn tombstone<'a>(&'a self, key: &'a SessionKey) -> Reply<'a, Option<Tombstone>> {
        done(match self.entries(key).get(key.expose_secret()) {
            Some(Entry { content: Content::Dead(kind, at), .. }) => {
                Some(Tombstone { kind: *kind, age: at.elapsed() })
            }
            _ => None,
        })
    }

    fn time(&self) -> Reply<'_, SystemTime> {
        done(SystemTime::now())
    }
}

impl NaiveStore {
    fn change_fields(&self, fields: &mut Fields, rotation: &Rotation<'_>) {
        if let Some(kept) = rotation.keep_only.filter(|_| !self.has(Flaw::KeepsAllFields)) {
            fields.retain(|name, _| name == PERMANENT_FIELD || kept.contains(&&**name));
        }
        if !self.has(Flaw::RotatesWithoutChanges) {
            apply(fields, rotation.changes);
        }
    }

    fn is_under(&self, name: &str, prefix: &str) -> bool {
        match self.flaw {
            Some(Flaw::ReadsPrefixesAsPatterns) if prefix.ends_with('*') => {
                name.starts_with(prefix.trim_end_matches('*'))
            }
            Some(Flaw::HidesFieldsFromPrefixes) => {
                name.starts_with(prefix) && name != PERMANENT_FIELD
            }
            _ => name.starts_with(prefix),
        }
    }

    /// Walks in the order of the keys.
    fn page(&self, scan: Scan<'_>) -> ScanPage {
        const PAGE: usize = 400;
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let counts_dead = self.has(Flaw::WalksOverTombstones);
        let mut live: Vec<_> = entries
            .iter()
            .filter(|(_, entry)| counts_dead || matches!(entry.content, Content::Live(_)))
            .filter_map(|(key, entry)| Some((key, SessionKey::id_in(scan.prefix, key)?, entry)))
            .collect();
        live.sort_unstable_by_key(|(key, ..)| *key);
        let (from, by_position) =
            (scan.from.map(ScanCursor::expose_secret), self.has(Flaw::WalksByPosition));
        let position = from.and_then(|from| from.parse().ok()).unwrap_or(0);
        let past = |key: &str| from.is_none_or(|from| key > from);
        let mut rest = live.into_iter().enumerate();
        let page: Vec<_> = rest
            .by_ref()
            .filter(|(at, (key, ..))| if by_position { *at >= position } else { past(key) })
            .take(PAGE)
            .collect();
        let last = page.last().filter(|_| rest.next().is_some());
        let next = last.map(|(at, (key, ..))| match by_position {
            true => ScanCursor::new((at + 1).to_string()),
            false => ScanCursor::new(key.as_str()),
        });
        let sessions = page.iter().map(|(_, (_, id, entry))| (*id, seen(entry, scan))).collect();
        ScanPage { sessions, next }
    }

    fn read<T>(
        &self,
        key: &SessionKey,
        refresh: Refresh,
        look: impl FnOnce(&Fields) -> T,
    ) -> Lookup<T> {
        let mut entries = self.entries(key);
        let Some(entry) = entries.get_mut(key.expose_secret()) else { return Lookup::Missing };
        let left = entry.expires_at.map(|at| at.saturating_duration_since(Instant::now()));
        let refreshed = match refresh {
            _ if self.has(Flaw::NeverRefreshes) => None,
            Refresh::No => {
                self.has(Flaw::RefreshesWhenItOnlyReads).then_some(Duration::from_secs(86_400))
            }
            Refresh::To(expires_in) => Some(expires_in),
            Refresh::Below { below, expires_in } => {
                left.is_some_and(|left| left < below).then_some(expires_in)
            }
        };
        let is_live = matches!(entry.content, Content::Live(_));
        if let Some(expires_in) =
            refreshed.filter(|_| is_live || self.has(Flaw::ProlongsTombstones))
        {
            entry.expires_at = after(expires_in);
        }
        match &mut entry.content {
            Content::Live(fields) => Lookup::Found(look(fields)),
            Content::Dead(_, at) => {
                if self.has(Flaw::CountsAgesFromTheLastUse) {
                    *at = Instant::now();
                }
                Lookup::Dead
            }
        }
    }

    fn change<T>(
        &self,
        key: &SessionKey,
        mode: WriteMode,
        expires_in: Option<Duration>,
        change: impl FnOnce(&mut Fields) -> T,
    ) -> Lookup<T> {
        let mut entries = self.entries(key);
        if !entries.contains_key(key.expose_secret()) {
            if mode == WriteMode::Existing && !self.has(Flaw::AdoptsUnknownSessions) {
                return Lookup::Missing;
            }
            let begun = Entry { expires_at: None, content: Content::Live(self.begun()) };
            entries.insert(key.expose_secret().to_owned(), begun);
        }
        match entries.get_mut(key.expose_secret()) {
            Some(Entry { content: Content::Live(fields), expires_at }) => {
                if let Some(expires_in) = expires_in {
                    *expires_at = after(expires_in);
                }
                let changed = change(fields);
                // Redis also removes a hash with its last field.
                if fields.is_empty() {
                    entries.remove(key.expose_secret());
                }
                Lookup::Found(changed)
            }
            _ => Lookup::Dead,
        }
    }
}

fn seen(entry: &Entry, scan: Scan<'_>) -> Seen {
    let value = |name: &&str| match &entry.content {
        Content::Live(fields) => fields.get(*name).cloned(),
        Content::Dead(..) => None,
    };
    let left = entry.expires_at.map(|at| at.saturating_duration_since(Instant::now()));
    let values = scan.look.fields.iter().map(value).collect();
    Seen { values, expires_in: left.unwrap_or(Duration::MAX), signed_in_at: None }
}

fn dead(kind: TombstoneKind, tombstone_for: Duration) -> Entry {
    Entry { expires_at: after(tombstone_for), content: Content::Dead(kind, Instant::now()) }
}

fn apply(fields: &mut Fields, changes: &[Change<'_>]) -> u64 {
    let mut removed = 0;
    for change in changes {
        match change {
            Change::Set { field, value, .. } => {
                drop(fields.insert((*field).to_owned(), value.clone()))
            }
            Change::Remove { field } => removed += u64::from(fields.remove(*field).is_some()),
        }
    }
    removed
}

fn has_ttl(change: &Change<'_>) -> bool {
    matches!(change, Change::Set { ttl: Some(_), .. })
}

fn done<'a, T: Send + 'a>(result: T) -> Reply<'a, T> {
    Box::pin(ready(Ok(result)))
}

fn refused<'a, T: Send + 'a>() -> Reply<'a, T> {
    Box::pin(ready(Err(StoreError::refused("this store does not support the operation"))))
}
