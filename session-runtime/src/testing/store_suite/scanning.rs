//! Walks over all sessions. Only checked if the store can list its sessions.

use std::collections::HashMap;

use super::support::*;
use crate::store::{Look, Scan, ScanCursor, Seen};

/// A walk shows live sessions with their values, and nothing else.
pub async fn a_walk_shows_each_live_session(subject: &impl StoreUnderTest) {
    let Some(walks) = Walks::new(subject).await else { return };
    let dead = walks.create(0).await;
    walks.store.destroy(&walks.key_of(&dead), logout(HOUR)).await.unwrap();
    let ids = [walks.create(1).await, walks.create(2).await];
    let empty = fresh_id_with_own_tag();
    create(walks.store, &walks.key_of(&empty), &[]).await;
    let found = walks.all(&["number", "missing", "number"]).await;
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(!found.contains_key(&dead));
    for (id, number) in ids.iter().zip(["1", "2"]) {
        let Seen { values, expires_in, signed_in_at } = &found[id];
        assert_eq!(*values, [Some(number.into()), None, Some(number.into())]);
        assert!(*expires_in <= HOUR && *expires_in + MINUTE > HOUR, "{expires_in:?}");
        assert_eq!(*signed_in_at, None);
    }
    assert_eq!(found[&empty].values, [None, None, None]);
    assert_eq!(walks.all(&[]).await.len(), 3);
}

/// A walk prolongs no session.
pub async fn a_walk_refreshes_nothing(subject: &impl StoreUnderTest) {
    let Some(walks) = Walks::new(subject).await else { return };
    let key = walks.key_of(&walks.create(1).await);
    let before = expires_in(walks.store, &key).await;
    subject.advance(MOMENT).await;
    walks.all(&["number"]).await;
    let after = expires_in(walks.store, &key).await;
    assert!(after < before, "{after:?} is not less than {before:?}");
}

/// The characters of a pattern are plain text in a prefix.
pub async fn a_walk_stays_within_its_prefix(subject: &impl StoreUnderTest) {
    let Some(walks) = Walks::new(subject).await else { return };
    for (prefix, other) in
        [("*", "one"), ("?", "x"), ("[a-c]", "b"), ("\\", ""), ("a\\*", "a*"), ("[^b]", "a")]
    {
        let (mine, other) = (walks.beside(prefix), walks.beside(other));
        let (id, others) = (mine.create(1).await, other.create(2).await);
        assert_eq!(mine.all(&[]).await.into_keys().collect::<Vec<_>>(), [id], "{prefix}");
        assert_eq!(other.all(&[]).await.into_keys().collect::<Vec<_>>(), [others], "{prefix}");
    }
    assert!(walks.all(&[]).await.is_empty());
}

/// A walk with a tag shows the sessions of the tag, also several. Others may be there too.
pub async fn a_walk_with_a_tag_shows_all_sessions_of_the_tag(subject: &impl StoreUnderTest) {
    let Some(walks) = Walks::new(subject).await else { return };
    let id = walks.create(1).await;
    let other = fresh_id_with_own_tag().with_tag(id.tag_bytes());
    create(walks.store, &walks.key_of(&other), &[set("number", "2")]).await;
    all((0..600).map(|number| walks.create(number))).await;
    let found = walks.with_tag(id.tag()).all(&["number"]).await;
    for (id, number) in [(id, "1"), (other, "2")] {
        assert_eq!(found[&id].values, [Some(number.into())]);
    }
}

/// More sessions than a page holds are there, beside others that begin, end and change.
pub async fn a_walk_misses_no_session_that_stays(subject: &impl StoreUnderTest) {
    let Some(walks) = Walks::new(subject).await else { return };
    let walks = &walks;
    let staying = all((0..1_500).map(|number| walks.create(number))).await;
    let leaving = all((0..300).map(|number| walks.create(number))).await;
    let mut steps = 0;
    let (mut found, mut from) = (HashMap::new(), None);
    loop {
        let (page, next) = walks.step(&["number"], from.as_ref()).await;
        assert!(page.len() <= 1_000, "a page of {} sessions", page.len());
        found.extend(page);
        let Some(next) = next else { break };
        from = Some(next);
        for id in leaving.iter().skip(60 * steps).take(60) {
            walks.store.destroy(&walks.key_of(id), logout(HOUR)).await.unwrap();
        }
        walks.create(0).await;
        let used = walks.key_of(&staying[steps % staying.len()]);
        let refresh = Refresh::To(HOUR * 2);
        walks.store.get(&used, "number", refresh).await.unwrap();
        steps += 1;
        assert!(steps < 100_000, "a walk ends");
    }
    assert!(steps > 0, "a page holds a limited number of sessions");
    let missing = staying.iter().filter(|id| !found.contains_key(*id)).count();
    assert_eq!(missing, 0);
}

/// A step can be repeated, as after an error.
pub async fn a_step_of_a_walk_can_be_repeated(subject: &impl StoreUnderTest) {
    let Some(walks) = Walks::new(subject).await else { return };
    let walks = &walks;
    let ids = all((0..1_200).map(|number| walks.create(number))).await;
    let (mut found, mut from) = (HashMap::new(), None);
    loop {
        walks.step(&[], from.as_ref()).await;
        let (page, next) = walks.step(&[], from.as_ref()).await;
        found.extend(page);
        from = next;
        if from.is_none() {
            break;
        }
    }
    assert!(ids.iter().all(|id| found.contains_key(id)));
}

/// Sessions under a prefix of their own.
struct Walks<'a> {
    store: &'a dyn SessionStore,
    prefix: String,
    tag: Option<String>,
}

impl<'a> Walks<'a> {
    /// Returns `None` for a store that cannot list its sessions.
    async fn new(subject: &'a impl StoreUnderTest) -> Option<Self> {
        let store = subject.store();
        let prefix = format!("test-{}", fresh_id_with_own_tag().tag());
        let look = Look { index: "", fields: &[] };
        let scan = Scan { prefix: &prefix, tag: None, look, from: None };
        match store.scan(scan).await {
            Err(error) if error.is_unsupported() => None,
            page => {
                assert!(page.unwrap().sessions.is_empty());
                Some(Self { store, prefix, tag: None })
            }
        }
    }

    fn beside(&self, name: &str) -> Self {
        Self { store: self.store, prefix: format!("{}-{name}", self.prefix), tag: None }
    }

    fn with_tag(&self, tag: &str) -> Self {
        Self { store: self.store, prefix: self.prefix.clone(), tag: Some(tag.to_owned()) }
    }

    fn key_of(&self, id: &SessionId) -> SessionKey {
        SessionKey::new(&self.prefix, id)
    }

    async fn create(&self, number: usize) -> SessionId {
        let id = fresh_id_with_own_tag();
        create(self.store, &self.key_of(&id), &[set("number", &number.to_string())]).await;
        id
    }

    async fn step(
        &self,
        fields: &[&str],
        from: Option<&ScanCursor>,
    ) -> (Vec<(SessionId, Seen)>, Option<ScanCursor>) {
        let look = Look { index: "user", fields };
        let (prefix, tag) = (&self.prefix, self.tag.as_deref());
        let page = self.store.scan(Scan { prefix, tag, look, from }).await.unwrap();
        (page.sessions, page.next)
    }

    async fn all(&self, fields: &[&str]) -> HashMap<SessionId, Seen> {
        let (mut found, mut from) = (HashMap::new(), None);
        loop {
            let (page, next) = self.step(fields, from.as_ref()).await;
            found.extend(page);
            from = next;
            if from.is_none() {
                return found;
            }
        }
    }
}
