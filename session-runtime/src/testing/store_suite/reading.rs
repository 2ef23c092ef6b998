//! Several fields in a single read.

use super::support::*;

const REFRESHES: [Refresh; 3] =
    [Refresh::No, Refresh::To(HOUR), Refresh::Below { below: MINUTE, expires_in: HOUR }];

/// Each value is in the right place. Covers existing fields, missing fields, and a field that is
/// read twice.
pub async fn fields_are_read_in_the_requested_order(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[set("a", "1"), set("b", ""), set("c", "\u{0}ä\r\n")]).await;
    for refresh in REFRESHES {
        let read = store
            .get_many(&key, &["c", "x", "a", PERMANENT_FIELD, "b", "a"], refresh)
            .await
            .unwrap();
        let values = [Some("\u{0}ä\r\n"), None, Some("1"), Some(""), Some(""), Some("1")];
        assert_eq!(read, Lookup::Found(values.map(|value| value.map(Bytes::from)).to_vec()));
        let nothing_there = store.get_many(&key, &["x", "y"], refresh).await.unwrap();
        assert_eq!(nothing_there, Lookup::Found(vec![None, None]));
        assert_eq!(store.get_many(&key, &[], refresh).await.unwrap(), Lookup::Found(vec![]));
    }
}

/// The outcome is the same as for other reads.
pub async fn fields_of_missing_and_dead_keys_are_not_read(subject: &impl StoreUnderTest) {
    let (store, missing, dead) = (subject.store(), fresh_key(), fresh_key());
    bury(store, &dead, HOUR).await;
    for fields in [&["a", "b"][..], &[]] {
        for refresh in REFRESHES {
            assert_eq!(store.get_many(&dead, fields, refresh).await.unwrap(), Lookup::Dead);
            let read = store.get_many(&missing, fields, refresh).await.unwrap();
            let nothing = Lookup::Found(vec![None; fields.len()]);
            assert!(
                read == Lookup::Missing || refresh == Refresh::No && read == nothing,
                "{read:?}"
            );
        }
    }
    assert_is_missing(store, &missing).await;
}

/// This holds even if none of the fields exists.
pub async fn reading_several_fields_refreshes_as_reading_one(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create_for(store, &key, &[set("a", "1")], HOUR * 5).await;
    for (fields, expires_in) in [(&["a", "b"][..], HOUR), (&["b"], HOUR * 2), (&[], HOUR * 3)] {
        store.get_many(&key, fields, Refresh::To(expires_in)).await.unwrap();
        assert_expires_in(store, &key, expires_in).await;
        for left_alone in [Refresh::No, Refresh::Below { below: MINUTE, expires_in: HOUR * 9 }] {
            store.get_many(&key, fields, left_alone).await.unwrap();
            assert_expires_in(store, &key, expires_in).await;
        }
    }
}

/// A read sees both or neither of two fields that are always written together.
pub async fn several_fields_are_read_at_one_moment(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[]).await;
    let (key, both, neither) =
        (&key, [set("left", "1"), set("right", "1")], [remove("left"), remove("right")]);
    let (both, neither) = (&both, &neither);
    let rounds = (0..200).map(|at| async move {
        write(store, key, if at % 2 == 0 { both } else { neither }).await;
        store.get_many(key, &["left", "right"], Refresh::No).await.unwrap()
    });
    for read in all(rounds).await {
        let Lookup::Found(values) = read else { panic!("{read:?}") };
        assert_eq!(values[0], values[1]);
    }
}

/// The read has more fields than a script can pass to a single command.
pub async fn thousands_of_fields_are_one_read(subject: &impl StoreUnderTest) {
    let (store, key) = (subject.store(), fresh_key());
    let names: Vec<_> = (0..20_000).map(|at| format!("field {at}")).collect();
    let sets: Vec<_> = names.iter().map(|name| set(name, name)).collect();
    create(store, &key, &sets).await;
    let fields: Vec<_> = names.iter().map(String::as_str).collect();
    let values = names.iter().map(|name| Some(name.clone().into())).collect();
    assert_eq!(
        store.get_many(&key, &fields, Refresh::To(HOUR)).await.unwrap(),
        Lookup::Found(values)
    );
}
