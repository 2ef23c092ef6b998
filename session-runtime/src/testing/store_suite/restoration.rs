//! Missing entries of indexes. Only checked if the store has an [index](SessionStore::index).

use std::time::SystemTime;

use super::index::Test;
use super::support::*;
use crate::store::{IndexProof, Look, MissingEntry};

/// A session that was written without the index becomes an entry once, and is not prolonged.
pub async fn a_missing_entry_is_restored(subject: &impl StoreUnderTest) {
    let Some(test) = Test::new(subject) else { return };
    let id = fresh_id();
    create(test.store, &key_of(&id), &[test.change()]).await;
    let before = expires_in(test.store, &key_of(&id)).await;
    subject.advance(MOMENT).await;
    assert_eq!(test.restore(&id, None).await, Lookup::Found(true));
    assert_eq!(test.restore(&id, None).await, Lookup::Found(false));
    assert_eq!(test.entries().await, [id]);
    assert_eq!(test.signed_in_at(&id).await, None);
    assert!(expires_in(test.store, &key_of(&id)).await < before);
    // The entry is one like any other.
    let successor = Successor::fresh();
    test.store.rotate(&key_of(&id), successor.rotation()).await.unwrap();
    assert!(test.entries().await.contains(&successor.id));
    assert_eq!(test.restore(&id, None).await, Lookup::Dead);
}

/// The time of the sign-in stays, and a later write sets the time.
pub async fn a_restored_entry_keeps_the_time_of_the_sign_in(subject: &impl StoreUnderTest) {
    let Some(test) = Test::new(subject) else { return };
    let (id, other) = (fresh_id(), fresh_id());
    test.log_in(&id).await.unwrap();
    let signed_in_at = test.signed_in_at(&id).await;
    assert!(signed_in_at.is_some());
    subject.advance(MOMENT).await;
    assert_eq!(test.restore(&id, None).await, Lookup::Found(false));
    assert_eq!(test.signed_in_at(&id).await, signed_in_at);
    create(test.store, &key_of(&other), &[test.change()]).await;
    test.restore(&other, None).await;
    test.log_in(&other).await.unwrap();
    assert!(test.signed_in_at(&other).await.is_some());
}

/// A session with another value stays unchanged.
pub async fn only_a_session_with_the_value_is_restored(subject: &impl StoreUnderTest) {
    let Some(test) = Test::new(subject) else { return };
    let [other, empty, dead] = [(); 3].map(|()| fresh_id());
    create(test.store, &key_of(&other), &[set("user", "another")]).await;
    create(test.store, &key_of(&empty), &[]).await;
    bury(test.store, &key_of(&dead), HOUR).await;
    for id in [&other, &empty] {
        assert_eq!(test.restore(id, Some("former")).await, Lookup::Found(false));
    }
    assert_eq!(test.restore(&dead, None).await, Lookup::Dead);
    assert_eq!(test.restore(&fresh_id(), None).await, Lookup::Missing);
    assert!(test.entries().await.is_empty());
}

/// The value counts under the former name too, and goes along with a rotation.
pub async fn a_value_under_a_former_name_is_restored(subject: &impl StoreUnderTest) {
    let Some(test) = Test::new(subject) else { return };
    let (id, successor) = (fresh_id(), Successor::fresh());
    let value = [Change::Set { field: "former", value: test.value.clone(), ttl: None }];
    create(test.store, &key_of(&id), &value).await;
    assert_eq!(test.restore(&id, None).await, Lookup::Found(false));
    assert_eq!(test.restore(&id, Some("former")).await, Lookup::Found(true));
    test.store.rotate(&key_of(&id), successor.rotation()).await.unwrap();
    assert!(test.entries().await.contains(&successor.id));
}

impl Test<'_> {
    pub(super) async fn restore(&self, id: &SessionId, alias: Option<&str>) -> Lookup<bool> {
        let proof = IndexProof { alias, ..self.proof() };
        let (index, list) = ("user", &self.list);
        let entry = MissingEntry { session: id, deadline_in: HOUR, index, list, proof };
        self.index.restore_entry(&key_of(id), entry).await.unwrap()
    }

    pub(super) async fn signed_in_at(&self, id: &SessionId) -> Option<SystemTime> {
        let (keys, look) = ([key_of(id)], Look { index: "user", fields: &[] });
        match self.index.look(&keys, look).await.unwrap().pop() {
            Some(Lookup::Found(seen)) => seen.signed_in_at,
            other => panic!("the session is live, not {other:?}"),
        }
    }
}
