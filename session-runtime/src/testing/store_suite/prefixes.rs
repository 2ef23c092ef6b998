//! All fields under a prefix. Only checked if the store can list the fields of a session.

use std::collections::BTreeMap;

use super::support::*;

/// Fields with other names are not read.
pub async fn fields_under_a_prefix_are_read(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    let (unusual, bytes) = ("p.\u{0}ä€𝄞\r\n", Bytes::from_static(&[0, 0xff, b'\n', b'"']));
    let value = bytes.clone();
    let unusual = Change::Set { field: unusual, value, ttl: None };
    let others = [set("p", "no"), set("q.a", "no"), set("P.a", "no"), set(" p.a", "no")];
    let mine = [set("p.", ""), set("p.a", "1"), set("p.b", "2"), unusual];
    write(store, &key, &[&others[..], &mine].concat()).await;
    for refresh in REFRESHES {
        let expected = [("p.", ""), ("p.a", "1"), ("p.b", "2")].map(text);
        let unusual = ("p.\u{0}ä€𝄞\r\n".to_owned(), bytes.clone());
        assert_eq!(
            read(store, &key, "p.", refresh).await,
            found(&[&expected[..], &[unusual]].concat())
        );
        assert_eq!(read(store, &key, "p.a", refresh).await, found(&[text(("p.a", "1"))]));
        assert_eq!(read(store, &key, "p.c", refresh).await, found(&[]));
    }
}

/// The permanent field is the only field of a session that has none.
pub async fn an_empty_prefix_reads_all_fields(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    let all = [(PERMANENT_FIELD, ""), ("a", "1"), ("b.c", "2")].map(text);
    assert_eq!(read(store, &key, "", Refresh::No).await, found(&all[..1]));
    write(store, &key, &[set("a", "1"), set("b.c", "2")]).await;
    for refresh in REFRESHES {
        assert_eq!(read(store, &key, "", refresh).await, found(&all));
    }
}

/// The characters of a pattern are plain text in a prefix.
pub async fn a_prefix_of_fields_is_no_pattern(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    let names = [
        "*", "?", "[a-c]", "[^b]", "\\", "\\*", "a*", "a\\*", "]", "^", "-", "a", "b", "ab",
        "\\\\", "{a,b}", "a?b", "axb", "[", "!", "[!a]", ".", ".*",
    ];
    write(store, &key, &names.map(|name| set(name, name))).await;
    for prefix in names {
        let expected = names.into_iter().filter(|name| name.starts_with(prefix));
        let expected: Vec<_> = expected.map(|name| text((name, name))).collect();
        assert_eq!(read(store, &key, prefix, Refresh::No).await, found(&expected), "{prefix}");
    }
}

/// The outcome is the same as for other reads.
pub async fn fields_under_a_prefix_of_missing_and_dead_keys_are_not_read(
    subject: &impl StoreUnderTest,
) {
    let Some((store, dead)) = created(subject).await else { return };
    let missing = fresh_key();
    store.destroy(&dead, logout(HOUR)).await.unwrap();
    for prefix in ["p.", ""] {
        for refresh in REFRESHES {
            assert_eq!(read(store, &dead, prefix, refresh).await, Lookup::Dead);
            let read = read(store, &missing, prefix, refresh).await;
            let may_be_empty = refresh == Refresh::No && read == found(&[]);
            assert!(read == Lookup::Missing || may_be_empty, "{read:?}");
        }
    }
    assert_is_missing(store, &missing).await;
}

/// This holds even if there are no such fields.
pub async fn reading_a_prefix_refreshes_as_reading_one_field(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    write(store, &key, &[set("p.a", "1")]).await;
    for (prefix, expires_in) in [("p.", HOUR * 5), ("q.", HOUR * 2), ("", HOUR * 3)] {
        read(store, &key, prefix, Refresh::To(expires_in)).await;
        assert_expires_in(store, &key, expires_in).await;
        for left_alone in [Refresh::No, Refresh::Below { below: MINUTE, expires_in: HOUR * 9 }] {
            read(store, &key, prefix, left_alone).await;
            assert_expires_in(store, &key, expires_in).await;
        }
    }
    let refresh = Refresh::Below { below: HOUR * 4, expires_in: HOUR * 9 };
    read(store, &key, "p.", refresh).await;
    until("the refresh", async || expires_in(store, &key).await > HOUR * 8).await;
}

/// The former value, a removed field and a field under the key of the former id are not there.
pub async fn fields_under_a_prefix_are_read_as_they_are_now(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    write(store, &key, &[set("p.a", "1"), set("p.b", "1"), set("p.c", "1")]).await;
    write(store, &key, &[set("p.a", "2"), remove("p.b")]).await;
    let expected = [("p.a", "2"), ("p.c", "1")].map(text);
    assert_eq!(read(store, &key, "p.", Refresh::To(HOUR)).await, found(&expected));
    let successor = Successor::fresh();
    assert_eq!(store.rotate(&key, successor.rotation()).await.unwrap(), Lookup::Found(()));
    assert_eq!(read(store, &key, "p.", Refresh::No).await, Lookup::Dead);
    assert_eq!(read(store, &successor.key, "p.", Refresh::No).await, found(&expected));
}

/// A field with an expiry of its own is there until then. Checked in small and large sessions,
/// which servers may keep differently.
pub async fn an_expired_field_is_not_under_its_prefix(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    if !store.supports_field_expiry() {
        return;
    }
    for others in [1, 1_000] {
        let names: Vec<_> = (0..others).map(|at| format!("p.{at}")).collect();
        let mut changes: Vec<_> = names.iter().map(|name| set(name, "1")).collect();
        let lasting = |field, ttl| Change::Set { field, value: "1".into(), ttl: Some(ttl) };
        changes.extend([lasting("p.brief", MOMENT), lasting("p.long", HOUR)]);
        write(store, &key, &changes).await;
        subject.advance(LATER).await;
        for refresh in REFRESHES {
            let Lookup::Found(fields) = read(store, &key, "p.", refresh).await else { panic!() };
            assert_eq!(fields.len(), others + 1);
            assert!(fields.contains_key("p.long") && !fields.contains_key("p.brief"));
            let brief = read(store, &key, "p.brief", refresh).await;
            assert_eq!(brief, found(&[]));
        }
    }
}

/// A read sees both or neither of two fields that are always written together, however many fields
/// there are.
pub async fn fields_under_a_prefix_are_read_at_one_moment(subject: &impl StoreUnderTest) {
    let Some((store, key)) = created(subject).await else { return };
    let names: Vec<_> = (0..1_000).map(|at| format!("p.{at}")).collect();
    write(store, &key, &names.iter().map(|name| set(name, "1")).collect::<Vec<_>>()).await;
    let both = &[set("p.left", "1"), set("p.right", "1")];
    let (key, neither) = (&key, &[remove("p.left"), remove("p.right")]);
    let rounds = (0..100).map(|at| async move {
        write(store, key, if at % 2 == 0 { both } else { neither }).await;
        read(store, key, "p.", Refresh::No).await
    });
    for read in all(rounds).await {
        let Lookup::Found(fields) = read else { panic!("{read:?}") };
        assert_eq!(fields.contains_key("p.left"), fields.contains_key("p.right"));
        assert!(fields.len() >= 1_000, "{}", fields.len());
    }
}

/// A session that grows and shrinks is read whole at each size.
pub async fn thousands_of_fields_under_a_prefix_are_one_read(subject: &impl StoreUnderTest) {
    const STEP: usize = 2_500;
    let Some((store, key)) = created(subject).await else { return };
    let names: Vec<_> = (0..10_000).map(|at| format!("p.{at}")).collect();
    let others: Vec<_> = (0..10_000).map(|at| format!("q.{at}")).collect();
    for (at, (mine, others)) in names.chunks(STEP).zip(others.chunks(STEP)).enumerate() {
        let changes = mine.iter().chain(others).map(|name| set(name, name));
        write(store, &key, &changes.collect::<Vec<_>>()).await;
        let expected = names[..(at + 1) * STEP].iter().map(|name| text((name, name)));
        let expected: Vec<_> = expected.collect();
        assert_eq!(read(store, &key, "p.", Refresh::To(HOUR)).await, found(&expected));
    }
    let left = [text(("p.9999", "p.9999"))];
    let gone = names[..9_999].iter().chain(&others).map(|name| remove(name));
    write(store, &key, &gone.collect::<Vec<_>>()).await;
    assert_eq!(read(store, &key, "p.", Refresh::No).await, found(&left));
}

const REFRESHES: [Refresh; 3] =
    [Refresh::No, Refresh::To(HOUR), Refresh::Below { below: MINUTE, expires_in: HOUR }];

/// Returns a live session, if the store can list the fields of a session.
async fn created(subject: &impl StoreUnderTest) -> Option<(&dyn SessionStore, SessionKey)> {
    let (store, key) = (subject.store(), fresh_key());
    create(store, &key, &[]).await;
    all_under(store, &key, "", Refresh::No).await?;
    Some((store, key))
}

/// Reads all fields under a prefix, each of which comes once.
async fn read(
    store: &dyn SessionStore,
    key: &SessionKey,
    prefix: &str,
    refresh: Refresh,
) -> Lookup<BTreeMap<String, Bytes>> {
    let read = all_under(store, key, prefix, refresh).await.unwrap();
    read.map(|fields| {
        let count = fields.len();
        let fields = BTreeMap::from_iter(fields);
        assert_eq!(fields.len(), count, "each field comes once");
        fields
    })
}

fn found(fields: &[(String, Bytes)]) -> Lookup<BTreeMap<String, Bytes>> {
    Lookup::Found(fields.iter().cloned().collect())
}

fn text((name, value): (&str, &str)) -> (String, Bytes) {
    (name.to_owned(), Bytes::copy_from_slice(value.as_bytes()))
}
