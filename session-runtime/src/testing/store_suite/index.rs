//! Indexes. Only checked if the store has an [index](SessionStore::index).

use std::num::NonZero;
use std::time::SystemTime;

use super::support::*;
use crate::id::IndexKey;
use crate::store::{
    Ending, IndexChange, IndexEntry, IndexProof, IndexedValue, Indexing, LoginGuard, Look, Seen,
    SessionIndex, Stale, StaleEntry,
};

/// A set field makes an entry, whichever way it was set.
pub async fn a_session_with_a_value_is_an_entry(subject: &impl StoreUnderTest) {
    let Some(test) = Test::new(subject) else { return };
    let (set_one, exchanged, kept) = (fresh_id(), fresh_id(), fresh_id());
    test.log_in(&set_one).await.unwrap();
    test.modify(&exchanged, Action::Replace(Some(test.value.clone()))).await;
    test.modify(&kept, Action::GetOrSet(test.value.clone())).await;
    for id in [&set_one, &exchanged, &kept] {
        assert_eq!(test.entries_of(id).await, 1);
        test.log_in(id).await.unwrap();
        assert_eq!(test.entries_of(id).await, 1, "an entry is there once");
    }
    let other = Test::new(subject).unwrap();
    assert!(other.entries().await.is_empty());
}

/// The entry goes along with a rotation that knows of no index.
pub async fn an_entry_goes_along_with_a_rotation(subject: &impl StoreUnderTest) {
    let Some(test) = Test::new(subject) else { return };
    let (id, successor, last) = (fresh_id(), Successor::fresh(), Successor::fresh());
    test.log_in(&id).await.unwrap();
    test.store.rotate(&key_of(&id), successor.rotation()).await.unwrap();
    assert_eq!(test.entries_of(&successor.id).await, 1);
    if test.store.supports_changes_in_rotation() {
        let rotation = Rotation { keep_only: Some(&["user"]), ..last.rotation() };
        test.store.rotate(&successor.key, rotation).await.unwrap();
        assert_eq!(test.entries_of(&last.id).await, 1);
    }
}

/// A rotation may set the field in the same step.
pub async fn a_rotation_may_make_an_entry(subject: &impl StoreUnderTest) {
    let Some(test) = Test::new(subject) else { return };
    if !test.store.supports_changes_in_rotation() {
        return;
    }
    let (id, successor) = (fresh_id(), Successor::fresh());
    create(test.store, &key_of(&id), &[set("user", "another")]).await;
    let (changes, index) = ([test.change()], [test.index_change(LoginGuard::default())]);
    let rotation = Rotation { changes: &changes, index: &index, ..successor.rotation() };
    assert_eq!(test.store.rotate(&key_of(&id), rotation).await.unwrap(), Lookup::Found(()));
    assert_eq!(test.entries_of(&successor.id).await, 1);
    // A repetition changes nothing.
    assert_eq!(test.store.rotate(&key_of(&id), rotation).await.unwrap(), Lookup::Found(()));
    assert_eq!(test.entries_of(&successor.id).await, 1);
}

/// At each moment beside the rotations, one of the ids is an entry.
pub async fn entries_beside_rotations_are_never_missing(subject: &impl StoreUnderTest) {
    let Some(test) = Test::new(subject) else { return };
    let id = fresh_id();
    test.log_in(&id).await.unwrap();
    let rotations = async {
        let mut key = key_of(&id);
        for _ in 0..50 {
            let successor = Successor::fresh();
            test.store.rotate(&key, successor.rotation()).await.unwrap();
            key = successor.key;
        }
    };
    let looks = async {
        for _ in 0..50 {
            assert!(!test.entries().await.is_empty());
        }
    };
    both(rotations, looks).await;
}

/// A look returns the values in order, and refreshes nothing.
pub async fn a_look_shows_live_sessions(subject: &impl StoreUnderTest) {
    let Some(test) = Test::new(subject) else { return };
    let [live, missing, dead] = [(); 3].map(|()| fresh_id());
    let before = test.store.time().await.unwrap();
    test.log_in(&live).await.unwrap();
    bury(test.store, &key_of(&dead), HOUR).await;
    let keys = [&live, &missing, &dead].map(key_of);
    let look = Look { index: "user", fields: &["missing", "user", ""] };
    let mut seen = test.index.look(&keys, look).await.unwrap().into_iter();
    let Some(Lookup::Found(session)) = seen.next() else { panic!("the session is live") };
    let Seen { values, expires_in, signed_in_at } = session;
    assert_eq!(values, [None, Some(test.value.clone()), Some(Bytes::new())]);
    assert!(expires_in <= HOUR && expires_in + MINUTE > HOUR, "{expires_in:?}");
    let after = test.store.time().await.unwrap();
    let signed_in_at = signed_in_at.expect("the time is known");
    let margin = Duration::from_millis(1);
    assert!(before <= signed_in_at + margin && signed_in_at <= after + margin);
    assert_eq!(seen.collect::<Vec<_>>(), [Lookup::Missing, Lookup::Dead]);
    assert!(test.index.look(&[], look).await.unwrap().is_empty());
}

/// A session that has another value or is not live stays as it is.
pub async fn a_session_is_only_ended_with_its_value(subject: &impl StoreUnderTest) {
    let Some(test) = Test::new(subject) else { return };
    let (id, former, other) = (fresh_id(), fresh_id(), fresh_id());
    test.log_in(&id).await.unwrap();
    let value = [Change::Set { field: "former", value: test.value.clone(), ttl: None }];
    create(test.store, &key_of(&former), &value).await;
    create(test.store, &key_of(&other), &[set("user", "another"), value[0].clone()]).await;
    let proof = test.proof();
    let with_alias = IndexProof { alias: Some("former"), ..proof };
    let end = async |id, proof| {
        let ending = Ending { proof, pending_at: None, destruction: logout(HOUR) };
        test.index.destroy_if(&key_of(id), ending).await.unwrap()
    };
    for proof in [proof, with_alias] {
        assert_eq!(end(&other, proof).await, None);
    }
    assert_eq!(end(&former, proof).await, None);
    assert_eq!(end(&former, with_alias).await, Some(Destroyed::Ended));
    assert_eq!(end(&id, proof).await, Some(Destroyed::Ended));
    assert_eq!(end(&id, proof).await, Some(Destroyed::Dead(LOGGED_OUT)));
    assert_eq!(end(&fresh_id(), proof).await, Some(Destroyed::Missing));
    assert_is_dead(test.store, &key_of(&id)).await;
    assert_eq!(get(test.store, &key_of(&other), "user").await, Some("another".into()));
}

/// Only entries without the value go.
pub async fn stale_entries_are_removed_and_others_stay(subject: &impl StoreUnderTest) {
    let Some(test) = Test::new(subject) else { return };
    let [live, dead, changed] = [(); 3].map(|()| fresh_id());
    for id in [&live, &dead, &changed] {
        test.log_in(id).await.unwrap();
    }
    test.store.destroy(&key_of(&dead), logout(HOUR)).await.unwrap();
    write(test.store, &key_of(&changed), &[set("user", "another")]).await;
    let read_at = test.index.list_time(&test.list).await.unwrap();
    let entries = [(&dead, true), (&changed, false), (&fresh_id(), false)]
        .map(|(id, is_dead)| StaleEntry { session: *id, key: key_of(id), is_dead });
    let stale = Stale { read_at, entries: &entries };
    test.index.remove_stale(&test.list, test.proof(), stale).await.unwrap();
    assert_eq!(test.entries_of(&live).await, 1);
    assert_eq!(test.entries_of(&dead).await, 0);
}

/// A login since the end goes on, and an earlier one changes nothing.
pub async fn a_mark_refuses_earlier_logins(subject: &impl StoreUnderTest) {
    let Some(test) = Test::new(subject) else { return };
    let guard = |at| LoginGuard { unless_ended_since: Some(at), at_most: None };
    let [id, refused, late] = [(); 3].map(|()| fresh_id());
    let before = test.store.time().await.unwrap();
    test.log_in_if(&id, guard(before)).await.unwrap();
    let listing = test.index.entries(&test.list, true).await.unwrap();
    assert_eq!(listing.sessions().collect::<Vec<_>>(), [id]);
    assert!(before <= listing.read_at);
    assert!(listing.read_at <= test.index.list_time(&test.list).await.unwrap());
    let error = test.log_in_if(&refused, guard(before)).await.unwrap_err();
    assert!(error.is_ended_since() && !error.is_unavailable(), "{error:?}");
    assert_is_missing(test.store, &key_of(&refused)).await;
    assert_eq!(test.entries().await, [id]);
    subject.advance(MOMENT).await;
    test.log_in_if(&late, guard(test.store.time().await.unwrap())).await.unwrap();
    assert_eq!(test.entries_of(&late).await, 1);
    let long_ago = before.checked_sub(MINUTE * 11).unwrap_or(SystemTime::UNIX_EPOCH);
    let other = Test::new(subject).unwrap();
    assert!(other.log_in_if(&refused, guard(long_ago)).await.unwrap_err().is_ended_since());
    assert_is_missing(test.store, &key_of(&refused)).await;
}

/// Entries with the tag of the session do not count.
pub async fn a_login_beyond_a_limit_changes_nothing(subject: &impl StoreUnderTest) {
    let Some(test) = Test::new(subject) else { return };
    let guard = |most| LoginGuard { unless_ended_since: None, at_most: NonZero::new(most) };
    let [one, other, third] = [(); 3].map(|()| fresh_id_with_own_tag());
    for (id, most) in [(&one, 1), (&other, 2), (&other, 2)] {
        test.log_in_if(id, guard(most)).await.unwrap();
    }
    let error = test.log_in_if(&third, guard(2)).await.unwrap_err();
    assert!(error.is_too_many() && !error.is_unavailable(), "{error:?}");
    assert_is_missing(test.store, &key_of(&third)).await;
    assert_eq!(test.entries().await.len(), 2);
    test.log_in_if(&third, guard(u32::MAX)).await.unwrap();
}

/// The store accepts exactly the allowed number of many logins at once.
pub async fn a_limit_is_exact_for_logins_at_once(subject: &impl StoreUnderTest) {
    let Some(test) = Test::new(subject) else { return };
    let guard = LoginGuard { unless_ended_since: None, at_most: NonZero::new(3) };
    let ids: Vec<_> = (0..20).map(|_| fresh_id_with_own_tag()).collect();
    let logins = all(ids.iter().map(|id| test.log_in_if(id, guard))).await;
    assert_eq!(logins.iter().filter(|login| login.is_ok()).count(), 3);
    for (id, login) in ids.iter().zip(logins) {
        let is_live = test.store.expires_in(&key_of(id)).await.unwrap() != Lookup::Missing;
        assert_eq!(is_live, login.is_ok());
    }
}

/// The session becomes an entry of another list. The time of the sign-in stays known or unknown.
pub async fn a_change_that_keeps_times_makes_an_entry_of_the_same_time(
    subject: &impl StoreUnderTest,
) {
    let Some(test) = Test::new(subject) else { return };
    if !test.store.supports_keeping_times() {
        return;
    }
    let (other, third) = (Test::new(subject).unwrap(), Test::new(subject).unwrap());
    let (id, unknown, successor) = (fresh_id(), fresh_id(), Successor::fresh());
    test.log_in(&id).await.unwrap();
    create(test.store, &key_of(&unknown), &[test.change()]).await;
    let signed_in_at = test.signed_in_at(&id).await;
    assert!(signed_in_at.is_some());
    subject.advance(MOMENT).await;
    for (id, signed_in_at) in [(&id, signed_in_at), (&unknown, None)] {
        let before = expires_in(test.store, &key_of(id)).await;
        assert_eq!(other.exchange(id, &test.value).await, SWAPPED);
        assert_eq!(other.entries_of(id).await, 1);
        let failed = third.exchange(id, &test.value).await;
        assert_eq!(failed, Lookup::Found(Modified::Swapped(false)));
        assert_eq!(get(test.store, &key_of(id), "user").await, Some(other.value.clone()));
        assert_eq!(test.signed_in_at(id).await, signed_in_at);
        assert!(expires_in(test.store, &key_of(id)).await <= before);
    }
    // The label names the new list.
    test.store.rotate(&key_of(&id), successor.rotation()).await.unwrap();
    assert_eq!(other.entries_of(&successor.id).await, 1);
    assert_eq!(test.signed_in_at(&successor.id).await, signed_in_at);
    // Any other change is a sign-in.
    test.modify(&successor.id, Action::Replace(Some(test.value.clone()))).await;
    assert!(test.signed_in_at(&successor.id).await > signed_in_at);
}

/// The value of a user of its own.
pub(super) struct Test<'a> {
    pub(super) store: &'a dyn SessionStore,
    pub(super) index: &'a dyn SessionIndex,
    /// The stored value.
    pub(super) value: Bytes,
    pub(super) indexed: IndexedValue,
    pub(super) list: IndexKey,
}

impl<'a> Test<'a> {
    /// Returns `None` for a store without an index.
    pub(super) fn new(subject: &'a impl StoreUnderTest) -> Option<Self> {
        let store = subject.store();
        let value = Bytes::copy_from_slice(fresh_id().expose_secret().as_bytes());
        let list = IndexKey::new("test", "user", &value);
        let indexed = IndexedValue::exact(value.clone());
        Some(Self { store, index: store.index()?, value, indexed, list })
    }

    pub(super) fn change(&self) -> Change<'_> {
        Change::Set { field: "user", value: self.value.clone(), ttl: None }
    }

    pub(super) fn index_change(&self, guard: LoginGuard) -> IndexChange<'_> {
        let entry = Some(IndexEntry { key: self.list.clone(), value: self.indexed.clone(), guard });
        IndexChange { index: "user", field: "user", entry }
    }

    pub(super) fn proof(&self) -> IndexProof<'_> {
        IndexProof { field: "user", alias: None, value: &self.indexed }
    }

    pub(super) async fn log_in(&self, id: &SessionId) -> Result<Lookup<u64>, StoreError> {
        self.log_in_if(id, LoginGuard::default()).await
    }

    async fn log_in_if(
        &self,
        id: &SessionId,
        guard: LoginGuard,
    ) -> Result<Lookup<u64>, StoreError> {
        let changes = [self.index_change(guard)];
        let index = Some(Indexing { session: id, deadline_in: HOUR, changes: &changes });
        let (mode, changes) = (WriteMode::Create, &[self.change()][..]);
        self.store.write(&key_of(id), Write { mode, changes, expires_in: HOUR, index }).await
    }

    pub(super) async fn modify(&self, id: &SessionId, action: Action) {
        let changes = [self.index_change(LoginGuard::default())];
        let index = Some(Indexing { session: id, deadline_in: HOUR, changes: &changes });
        let mode = WriteMode::Create;
        let modify = Modify { mode, field: "user", index, ..modify(action) };
        let modified = self.store.modify(&key_of(id), modify).await.unwrap();
        assert!(matches!(modified, Lookup::Found(Modified::Value(_))), "{modified:?}");
    }

    /// Exchanges another value for this, and keeps all times.
    async fn exchange(&self, id: &SessionId, expected: &Bytes) -> Lookup<Modified> {
        let changes = [self.index_change(LoginGuard::default())];
        let index = Some(Indexing { session: id, deadline_in: HOUR, changes: &changes });
        let (expected, value) = (Some(expected.clone()), Some(self.value.clone()));
        let action = Action::CompareAndSet { expected, or_missing: false, value };
        let (field, expires_in) = ("user", HOUR * 2);
        let keeping = Modify { field, index, expires_in, keeps_times: true, ..modify(action) };
        self.store.modify(&key_of(id), keeping).await.unwrap()
    }

    pub(super) async fn entries(&self) -> Vec<SessionId> {
        self.index.entries(&self.list, false).await.unwrap().sessions().collect()
    }

    pub(super) async fn entries_of(&self, id: &SessionId) -> usize {
        self.entries().await.iter().filter(|entry| *entry == id).count()
    }
}
