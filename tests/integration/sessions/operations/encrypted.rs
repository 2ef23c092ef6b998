//! Encrypted fields: the values that the program reads, and the bytes that the store gets.

use std::time::Duration;

use session_runtime::field::Encrypted;
use session_runtime::{Bytes, Error, Field, Lifetime, NearCache, Session, SessionId, Sessions};
use session_tests::acceptance::World;

use super::visitor::set_cookie;

#[derive(Debug, Clone, PartialEq, Session)]
struct Account {
    #[session(encrypt)]
    email: Option<String>,
    #[session(encrypt(pad = 64), default = "none".to_owned())]
    phone: String,
    #[session(encrypt, json)]
    tags: Vec<String>,
    #[session(encrypt(pad = 16), alias = "name")]
    display_name: String,
    #[session(encrypt, on_decode_error = "default", default = 5)]
    level: u8,
    #[session(encrypt(accept_plain))]
    street: String,
    visits: u64,
}

/// The same session, as the store has it.
#[derive(Session)]
#[session(fields = "StoredFields")]
struct Stored {
    email: Vec<u8>,
    phone: Vec<u8>,
    display_name: Vec<u8>,
    name: Vec<u8>,
    level: Vec<u8>,
    street: Vec<u8>,
}

/// A field under its former name.
#[derive(Session)]
struct Former {
    #[session(encrypt(pad = 16))]
    name: String,
}

const TEXT: &str = "ada@example.org";

/// Returns a manager, and a new session with its id.
async fn begin(world: &World) -> (Sessions, Session<Account>, SessionId) {
    let sessions = world.sessions(|config| config);
    let session: Session<Account> = sessions.create().await.unwrap();
    let id = Session::session_id(&session).unwrap();
    (sessions, session, id)
}

/// Asserts that the store has an encrypted value without the plain text, and returns its bytes.
async fn sealed<T: 'static>(field: Field<'_, T, Encrypted>, plain: &str) -> Bytes {
    let stored = field.raw().await.unwrap().expect("a value");
    assert_eq!(stored[0], 0xF5, "{stored:?}");
    assert!(!stored.windows(plain.len()).any(|part| part == plain.as_bytes()), "{stored:?}");
    stored
}

fn example() -> Account {
    Account {
        email: Some(TEXT.to_owned()),
        phone: "\0 😀".to_owned(),
        tags: vec![TEXT.to_owned(), String::new()],
        display_name: String::new(),
        level: 255,
        street: "x".repeat(1000),
        visits: 3,
    }
}

/// Behaviour: encrypted values.
pub(crate) async fn every_operation_reads_the_plain_value(world: World) {
    let (_, session, _) = begin(&world).await;
    assert_eq!(
        (session.email().await.unwrap(), session.phone().await.unwrap()),
        (None, "none".into())
    );
    assert_eq!(session.email().get_or_set(TEXT).await.unwrap().as_deref(), Some(TEXT));
    assert_eq!(session.email().get_or_set("other").await.unwrap().as_deref(), Some(TEXT));
    assert_eq!(session.email().replace("next").await.unwrap().as_deref(), Some(TEXT));
    assert_eq!(session.email().replace(None).await.unwrap().as_deref(), Some("next"));
    assert!(!session.email().exists().await.unwrap());

    session.set_phone("030").await.unwrap();
    assert!(session.phone().exists().await.unwrap());
    assert_eq!(session.phone().update(|phone| phone + "1").await.unwrap(), "0301");
    assert_eq!(session.phone().get().await.unwrap(), "0301");
    assert_eq!(session.phone().take().await.unwrap(), "0301");
    assert_eq!(session.phone().take().await.unwrap(), "none");
    assert_eq!(session.phone().update(|phone| phone + "!").await.unwrap(), "none!");
    assert!(session.phone().remove().await.unwrap() && !session.phone().remove().await.unwrap());
    assert!(!session.phone().exists().await.unwrap());

    session.level().set(7).await.unwrap();
    session.tags().set(vec!["a".to_owned()]).await.unwrap();
    assert_eq!(
        (session.level().await.unwrap(), session.tags().await.unwrap()),
        (7, vec!["a".into()])
    );
}

pub(crate) async fn batches_and_structs_read_the_plain_values(world: World) {
    let (sessions, session, id) = begin(&world).await;
    let fields = (session.email(), session.phone(), session.visits());
    assert_eq!(session.read(fields).await.unwrap(), (None, "none".to_owned(), 0));
    let write = session.write().set(session.email(), TEXT).set(session.phone(), "030");
    write.set(session.visits(), 2).remove(session.tags()).commit().await.unwrap();
    let fields = (session.visits(), session.email().fresh(), session.phone());
    let read = session.read(fields).await.unwrap();
    assert_eq!(read, (2, Some(TEXT.to_owned()), "030".to_owned()));
    let vector = vec![session.phone(), session.display_name()];
    assert_eq!(session.read(vector).await.unwrap(), ["030", ""]);

    session.save(&example()).await.unwrap();
    assert_eq!(sessions.open_id::<Account>(&id).load().await.unwrap(), example());
    let without = Account { email: None, ..example() };
    session.save(&without).await.unwrap();
    assert_eq!(session.load().await.unwrap(), without);
    session.clear().await.unwrap();
    assert_eq!(session.load().await.unwrap().phone, "none");
}

/// Behaviour: encrypted values.
pub(crate) async fn the_store_gets_other_bytes_at_each_write(world: World) {
    let sessions = world.sessions(|config| config);
    let handle = sessions.open([]);
    let session: Session<Account> = handle.session();
    let mut seen = Vec::new();
    for write in 0..7 {
        match write {
            // The first write creates the session.
            0 | 1 => session.set_email(TEXT).await.unwrap(),
            2 => drop(session.email().replace(TEXT).await.unwrap()),
            3 => drop(session.email().update(|email| email).await.unwrap()),
            4 => session.write().set(session.email(), TEXT).commit().await.unwrap(),
            5 => {
                session.save(&Account { email: Some(TEXT.to_owned()), ..example() }).await.unwrap()
            }
            _ => {
                session.email().remove().await.unwrap();
                drop(session.email().get_or_set(TEXT).await.unwrap());
            }
        }
        let stored = sealed(session.email(), TEXT).await;
        assert!(!seen.contains(&stored), "{write}");
        seen.push(stored);
    }

    let mut lens = Vec::new();
    for value in ["", "1", &"1".repeat(63), &"1".repeat(64)] {
        session.set_phone(value).await.unwrap();
        lens.push(sealed(session.phone(), "111").await.len());
    }
    assert_eq!((lens[1] - lens[0], lens[2] - lens[1], lens[3] - lens[2]), (0, 0, 64));
}

pub(crate) async fn values_move_with_the_session(world: World) {
    let sessions = world.sessions(|config| config);
    let handle = sessions.open([]);
    handle.session::<Account>().save(&example()).await.unwrap();
    let mut cookie = set_cookie(&handle);
    for step in 0..4 {
        let handle = sessions.open([cookie.as_bytes()]);
        let session: Session<Account> = handle.session();
        let email = format!("{step}{TEXT}");
        match step {
            0 => session.rotate().await.unwrap(),
            1 => session.renew(Lifetime::normal()).await.unwrap(),
            2 => {
                let batch = session.write().set(session.email(), &email).rotate();
                batch.commit().await.unwrap();
            }
            _ => {
                let batch = session.write().set(session.email(), &email);
                let batch = batch.keep_only((session.tags(), session.street()));
                batch.renew(Lifetime::remembered()).commit().await.unwrap();
            }
        }
        // In the same request, and in the next.
        let here = session.load().await.unwrap();
        cookie = set_cookie(&handle);
        let session: Session<Account> = sessions.open([cookie.as_bytes()]).session();
        assert_eq!(session.load().await.unwrap(), here);
        let email = if step < 2 { example().email } else { Some(email) };
        let kept = Account { email, ..example() };
        let left = Account {
            phone: "none".to_owned(),
            display_name: String::new(),
            level: 5,
            visits: 0,
            ..kept.clone()
        };
        assert_eq!(here, if step < 3 { kept } else { left });
        sealed(session.email(), TEXT).await;
    }
}

/// Behaviour: encrypted values.
pub(crate) async fn bytes_from_elsewhere_are_refused(world: World) {
    let (sessions, session, id) = begin(&world).await;
    session.save(&example()).await.unwrap();
    let stored: Session<Stored> = sessions.open_id(&id);
    let other: Session<Account> = sessions.create().await.unwrap();
    other.set_email(TEXT).await.unwrap();

    let own = stored.email().await.unwrap();
    let mut altered = own.clone();
    *altered.last_mut().unwrap() ^= 1;
    let foreign = other.email().raw().await.unwrap().unwrap().to_vec();
    for bytes in [foreign, stored.phone().await.unwrap(), altered, own[..9].to_vec()] {
        stored.set_email(&*bytes).await.unwrap();
        refused(session.email().await);
        refused(session.load().await);
        refused(session.read((session.phone(), session.email())).await);
        refused(session.email().update(|email| email).await);
        refused(session.email().get_or_set("next").await);
        assert_eq!(stored.email().await.unwrap(), bytes, "nothing is written");
        assert_eq!(session.phone().await.unwrap(), example().phone);
        refused(session.email().take().await);
        assert_eq!(session.email().await.unwrap(), None);
    }
    stored.set_email(&*own).await.unwrap();
    assert_eq!(session.load().await.unwrap(), example());
    stored.set_level(&*own).await.unwrap();
    assert_eq!(session.level().await.unwrap(), 5);
}

/// Behaviour: encrypted values.
pub(crate) async fn plain_text_is_read_only_if_accepted(world: World) {
    let (sessions, session, id) = begin(&world).await;
    let stored: Session<Stored> = sessions.open_id(&id);
    stored.set_email(TEXT.as_bytes()).await.unwrap();
    stored.set_street(TEXT.as_bytes()).await.unwrap();
    stored.set_level(b"7").await.unwrap();
    refused(session.email().await);
    assert_eq!(session.level().await.unwrap(), 5);
    session.set_email(TEXT).await.unwrap();
    assert_eq!(session.email().await.unwrap().as_deref(), Some(TEXT));

    assert_eq!(session.street().await.unwrap(), TEXT);
    assert_eq!(session.load().await.unwrap().street, TEXT);
    assert_eq!(session.street().get_or_set("next").await.unwrap(), TEXT);
    assert_eq!(session.street().raw().await.unwrap().unwrap(), TEXT, "reads write nothing");
    assert_eq!(session.street().update(|street| street).await.unwrap(), TEXT);
    sealed(session.street(), TEXT).await;
    stored.set_street(TEXT.as_bytes()).await.unwrap();
    assert_eq!(session.street().replace(TEXT).await.unwrap(), TEXT);
    sealed(session.street(), TEXT).await;
    assert_eq!(session.street().await.unwrap(), TEXT);
}

pub(crate) async fn a_value_under_the_former_name_is_read_and_moved(world: World) {
    let (sessions, session, id) = begin(&world).await;
    let former: Session<Former> = sessions.open_id(&id);
    for write in 0..3 {
        session.display_name().remove().await.unwrap();
        former.set_name(TEXT).await.unwrap();
        assert_eq!(session.display_name().await.unwrap(), TEXT);
        assert_eq!(session.load().await.unwrap().display_name, TEXT);
        match write {
            0 => session.set_display_name(TEXT).await.unwrap(),
            1 => assert_eq!(session.display_name().update(|name| name).await.unwrap(), TEXT),
            _ => assert_eq!(session.display_name().replace(TEXT).await.unwrap(), TEXT),
        }
        assert!(!former.name().exists().await.unwrap());
        sealed(session.display_name(), TEXT).await;
        assert_eq!(session.display_name().await.unwrap(), TEXT);
    }
    former.set_name(TEXT).await.unwrap();
    session.display_name().remove().await.unwrap();
    assert!(!former.name().exists().await.unwrap());
}

/// Some servers cannot expire fields.
pub(crate) async fn an_encrypted_field_expires(world: World) {
    #[derive(Session)]
    struct Expiring {
        #[session(encrypt, ttl = "5m")]
        code: Option<String>,
    }
    let sessions = world.sessions(|config| config);
    let session: Session<Expiring> = sessions.create().await.unwrap();
    match session.set_code("482 913").await {
        Err(error) if error.is_unsupported() => return,
        set => set.unwrap(),
    }
    for _ in 0..2 {
        sealed(session.code(), "482").await;
        assert!(session.code().expires_in().await.unwrap().is_some());
        assert_eq!(session.code().update(|code| code).await.unwrap().as_deref(), Some("482 913"));
    }
    assert_eq!(session.code().take().await.unwrap().as_deref(), Some("482 913"));
}

fn refused<T: std::fmt::Debug>(read: Result<T, Error>) {
    let error = read.unwrap_err();
    assert!(error.is_decode(), "{error:?}");
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("email") && !shown.contains(TEXT), "{shown}");
}

/// Behaviour: encrypted values.
pub(crate) async fn an_encrypted_value_may_be_in_a_near_cache(world: World) {
    let hour = Duration::from_secs(3600);
    let cache = NearCache::new().max_staleness(hour / 60).max_age(hour);
    let sessions = world.sessions(|config| config.near_cache(cache));
    let session: Session<Cached> = sessions.create().await.unwrap();
    let id = Session::session_id(&session).unwrap();
    for turn in 1..=20_u64 {
        let text = format!("{TEXT} {turn}");
        session.set_email(text.clone()).await.unwrap();
        for _ in 0..3 {
            let request = sessions.open_id::<Cached>(&id);
            assert_eq!(request.email().await.unwrap().as_ref(), Some(&text));
            assert_eq!(request.load().await.unwrap().email.as_ref(), Some(&text));
            assert_eq!(sealed(request.email(), TEXT).await[0], 0xF5);
        }
    }
}

#[derive(Session)]
#[session(cached, fields = "CachedFields")]
struct Cached {
    #[session(encrypt)]
    email: Option<String>,
}
