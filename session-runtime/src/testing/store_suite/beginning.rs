//! Indexed values whose stored bytes only begin alike. Only checked if the store has an
//! [index](SessionStore::index).

use super::index::Test;
use super::support::*;
use crate::id::IndexKey;
use crate::store::{Ending, IndexProof, IndexedValue, LoginGuard, Stale, StaleEntry};

/// The bytes behind the beginning differ at each write, and a kept value counts too.
pub async fn an_entry_needs_only_the_beginning_of_its_value(subject: &impl StoreUnderTest) {
    let Some(user) = User::new(subject) else { return };
    let [written, replaced, kept, exchanged] = [(); 4].map(|()| fresh_id());
    user.with(b"1").log_in(&written).await.unwrap();
    user.with(b"2").log_in(&written).await.unwrap();
    let third = user.with(b"").value;
    user.test.modify(&replaced, Action::Replace(Some(third.clone()))).await;
    user.create(&kept, &third).await;
    user.test.modify(&kept, Action::GetOrSet(user.with(b"4").value)).await;
    user.create(&exchanged, b"another").await;
    user.test.modify(&exchanged, Action::Replace(Some(third))).await;
    let mut expected = [written, replaced, kept, exchanged];
    assert_eq!(user.counting_entries().await, sorted(&mut expected));
    for id in &expected {
        assert!(user.test.signed_in_at(id).await.is_some());
    }
    for other in user.other_values() {
        let id = fresh_id();
        user.create(&id, &other).await;
        user.test.modify(&id, Action::GetOrSet(user.with(b"5").value)).await;
        assert_eq!(get(user.test.store, &key_of(&id), "user").await, Some(other));
        assert_eq!(user.test.signed_in_at(&id).await, None);
    }
    assert_eq!(user.counting_entries().await, expected);
}

/// Neither a former beginning nor a part of the beginning is a proof.
pub async fn a_session_is_ended_by_the_beginning_of_its_value(subject: &impl StoreUnderTest) {
    let Some(user) = User::new(subject) else { return };
    let proof = user.test.proof();
    let with_alias = IndexProof { alias: Some("former"), ..proof };
    let end = async |id: &SessionId, proof| {
        let ending = Ending { proof, pending_at: None, destruction: logout(HOUR) };
        user.test.index.destroy_if(&key_of(id), ending).await.unwrap()
    };
    for other in user.other_values() {
        let id = fresh_id();
        user.create(&id, &other).await;
        assert_eq!(end(&id, with_alias).await, None);
        assert_eq!(get(user.test.store, &key_of(&id), "user").await, Some(other));
    }
    for tail in TAILS {
        let (id, former) = (fresh_id(), fresh_id());
        let value = user.with(tail).value;
        user.create(&id, &value).await;
        assert_eq!(end(&id, proof).await, Some(Destroyed::Ended));
        let value = [Change::Set { field: "former", value, ttl: None }];
        create(user.test.store, &key_of(&former), &value).await;
        assert_eq!(end(&former, proof).await, None);
        assert_eq!(end(&former, with_alias).await, Some(Destroyed::Ended));
    }
}

/// Other sessions stay unchanged.
pub async fn a_missing_entry_is_restored_by_the_beginning_of_its_value(
    subject: &impl StoreUnderTest,
) {
    let Some(user) = User::new(subject) else { return };
    for other in user.other_values() {
        let id = fresh_id();
        user.create(&id, &other).await;
        assert_eq!(user.test.restore(&id, Some("former")).await, Lookup::Found(false));
    }
    assert!(user.test.entries().await.is_empty());
    for tail in TAILS {
        let id = fresh_id();
        user.create(&id, &user.with(tail).value).await;
        assert_eq!(user.test.restore(&id, None).await, Lookup::Found(true));
        assert_eq!(user.test.restore(&id, None).await, Lookup::Found(false));
        assert_eq!(user.test.entries_of(&id).await, 1);
    }
}

/// The value may have been written again since the list was read.
pub async fn an_entry_with_the_beginning_of_its_value_is_not_stale(subject: &impl StoreUnderTest) {
    let Some(user) = User::new(subject) else { return };
    let Test { store, index, list, .. } = &user.test;
    let (dead, live) = (fresh_id(), TAILS.map(|tail| (fresh_id(), tail)));
    user.with(b"1").log_in(&dead).await.unwrap();
    store.destroy(&key_of(&dead), logout(HOUR)).await.unwrap();
    for (id, tail) in &live {
        user.with(tail).log_in(id).await.unwrap();
    }
    let read_at = index.list_time(list).await.unwrap();
    let entry = |id: &SessionId, is_dead| StaleEntry { session: *id, key: key_of(id), is_dead };
    let entries: Vec<_> =
        live.iter().map(|(id, _)| entry(id, false)).chain([entry(&dead, true)]).collect();
    let stale = Stale { read_at, entries: &entries };
    index.remove_stale(list, user.test.proof(), stale).await.unwrap();
    assert_eq!(user.test.entries_of(&dead).await, 0);
    for (id, _) in &live {
        assert_eq!(user.test.entries_of(id).await, 1);
    }
}

/// The user is the same, whatever the stored bytes are.
pub async fn a_login_with_a_former_beginning_keeps_other_fields(subject: &impl StoreUnderTest) {
    let Some(user) = User::new(subject) else { return };
    for beginning in [&user.newest].into_iter().chain(&user.former) {
        for tail in TAILS {
            let Some(successor) = user.renew(&joined(beginning, tail)).await else { return };
            let kept = get(user.test.store, &successor.key, "a").await;
            assert_eq!(kept, Some("1".into()), "{beginning:?}");
            assert_eq!(user.test.entries_of(&successor.id).await, 1);
        }
    }
}

/// Nothing of a former user is kept.
pub async fn a_login_with_another_beginning_keeps_no_field(subject: &impl StoreUnderTest) {
    let Some(user) = User::new(subject) else { return };
    for other in user.values_of_others() {
        let Some(successor) = user.renew(&other).await else { return };
        assert_eq!(get(user.test.store, &successor.key, "a").await, None, "{other:?}");
        let stored = get(user.test.store, &successor.key, "user").await;
        assert_eq!(stored, Some(user.test.value.clone()));
        assert_eq!(user.test.entries_of(&successor.id).await, 1);
    }
}

/// The bytes behind a beginning.
const TAILS: [&[u8]; 4] = [b"", b"1", b"\0", b"another tail"];

/// A user of its own whose stored values only begin alike.
struct User<'a> {
    test: Test<'a>,
    newest: Bytes,
    former: [Bytes; 2],
}

impl<'a> User<'a> {
    /// Returns `None` for a store without an index.
    fn new(subject: &'a impl StoreUnderTest) -> Option<Self> {
        let newest = fresh_beginning();
        let former = [(); 2].map(|()| fresh_beginning());
        let indexed = IndexedValue::beginning(newest.clone(), former.clone());
        let (value, list) = (joined(&newest, b"tail"), IndexKey::new("test", "user", &newest));
        Some(Self { test: Test { value, indexed, list, ..Test::new(subject)? }, newest, former })
    }

    /// Returns the user with other bytes behind the beginning.
    fn with(&self, tail: &[u8]) -> Test<'a> {
        let Test { store, index, ref indexed, ref list, .. } = self.test;
        let value = joined(&self.newest, tail);
        Test { store, index, value, indexed: indexed.clone(), list: list.clone() }
    }

    /// Returns the entries that count for the limit of a login.
    async fn counting_entries(&self) -> Vec<SessionId> {
        let mut entries = self.test.index.entries(&self.test.list, false).await.unwrap().entries;
        entries.retain(|entry| entry.counts);
        let mut sessions: Vec<_> = entries.iter().map(|entry| entry.session).collect();
        sorted(&mut sessions).to_vec()
    }

    /// Returns stored values that are no proof.
    fn other_values(&self) -> Vec<Bytes> {
        let former = self.former.iter().map(|former| joined(former, b"1"));
        former.chain(self.values_of_others()).collect()
    }

    /// Returns stored values of other users.
    fn values_of_others(&self) -> Vec<Bytes> {
        let all = [&self.newest[..], &self.former[0], &self.former[1]].concat();
        let length = self.newest.len();
        vec![
            joined(&fresh_beginning(), b"1"),
            self.newest.slice(..length - 1),
            joined(b"1", &self.newest),
            // Bytes of two beginnings.
            Bytes::copy_from_slice(&all[1..=length]),
            Bytes::copy_from_slice(&all[length + 1..]),
            Bytes::new(),
        ]
    }

    /// Creates a session with these stored bytes, and no entry.
    async fn create(&self, id: &SessionId, value: &[u8]) {
        let value = Bytes::copy_from_slice(value);
        let changes = [set("a", "1"), Change::Set { field: "user", value, ttl: None }];
        create(self.test.store, &key_of(id), &changes).await;
    }

    /// Logs the user in, with a new id, in a session with these stored bytes. Returns `None` for a
    /// store that cannot.
    async fn renew(&self, stored: &[u8]) -> Option<Successor> {
        let (id, successor) = (fresh_id(), Successor::fresh());
        let changes = [self.test.change()];
        let index = [self.test.index_change(LoginGuard::default())];
        let rotation = Rotation { changes: &changes, index: &index, ..successor.rotation() };
        self.create(&id, stored).await;
        let is_possible = self.test.store.supports_changes_in_rotation();
        if is_possible {
            let rotated = self.test.store.rotate(&key_of(&id), rotation).await.unwrap();
            assert_eq!(rotated, Lookup::Found(()));
        }
        is_possible.then_some(successor)
    }
}

/// Returns a beginning that no other check uses, with bytes that have a meaning in patterns.
fn fresh_beginning() -> Bytes {
    let id = fresh_id();
    // The first half is the same for all ids of this process.
    joined(b"\0%", &id.expose_secret().as_bytes()[20..])
}

fn sorted(sessions: &mut [SessionId]) -> &[SessionId] {
    sessions.sort_by_key(|session| session.expose_secret().to_owned());
    sessions
}

fn joined(beginning: &[u8], tail: &[u8]) -> Bytes {
    [beginning, tail].concat().into()
}
