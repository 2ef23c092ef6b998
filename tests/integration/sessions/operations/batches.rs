//! Several fields at a time.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use session_runtime::{Session, SessionId, Sessions};
use session_tests::acceptance::World;

#[derive(Clone, Debug, Default, PartialEq, Session)]
struct Whole {
    a: u64,
    b: i8,
    c: String,
    d: Option<String>,
    e: bool,
    f: f64,
    g: Vec<u8>,
    #[session(json)]
    h: BTreeMap<String, Vec<u32>>,
    #[session(json)]
    i: Option<Vec<String>>,
    #[session(default = 7)]
    j: u16,
    k: Option<u32>,
    l: char2::Char,
}

/// A custom type with a default.
mod char2 {
    use session_runtime::field::FieldDefault;
    use session_runtime::{Bytes, FieldValue, InvalidValue};

    #[derive(Clone, Debug, Default, PartialEq)]
    pub(crate) struct Char(pub(crate) char);

    impl FieldValue for Char {
        fn decode(stored: Bytes) -> Result<Self, InvalidValue> {
            char::decode(stored).map(Self)
        }

        fn encode(&self) -> Result<Bytes, InvalidValue> {
            self.0.encode()
        }
    }

    impl FieldDefault for Char {
        fn field_default() -> Self {
            Self::default()
        }
    }
}

async fn begin(world: &World) -> (Sessions, Session<Whole>, SessionId) {
    let sessions = world.sessions(|config| config);
    let session = sessions.create().await.unwrap();
    let id = Session::session_id(&session).unwrap();
    (sessions, session, id)
}

fn whole() -> impl Strategy<Value = Whole> {
    let one = (
        any::<u64>(),
        any::<i8>(),
        any::<String>(),
        any::<Option<String>>(),
        any::<bool>(),
        -1e300..1e300,
    );
    let two = (
        any::<Vec<u8>>(),
        any::<BTreeMap<String, Vec<u32>>>(),
        any::<Option<Vec<String>>>(),
        any::<u16>(),
    );
    (one, two, any::<Option<u32>>(), any::<char>()).prop_map(
        |((a, b, c, d, e, f), (g, h, i, j), k, l)| Whole {
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            h,
            i,
            j,
            k,
            l: char2::Char(l),
        },
    )
}

/// Returns arbitrary structs.
fn examples(count: usize) -> Vec<Whole> {
    let mut runner = TestRunner::new(Config::default());
    (0..count).map(|_| whole().new_tree(&mut runner).unwrap().current()).collect()
}

pub(crate) async fn a_batch_of_reads_is_the_reads_one_by_one(world: World) {
    let (_, session, _) = begin(&world).await;
    for example in examples(20) {
        session.save(&example).await.unwrap();
        let together = session
            .read((session.a(), session.c(), session.d(), session.h(), session.j()))
            .await
            .unwrap();
        let a = session.a().await.unwrap();
        let (c, d) = (session.c().await.unwrap(), session.d().await.unwrap());
        let (h, j) = (session.h().await.unwrap(), session.j().await.unwrap());
        assert_eq!(together, (a, c, d, h, j));
    }
    session.clear().await.unwrap();
    assert_eq!(session.read((session.a(), session.j())).await.unwrap(), (0, 7));
}

pub(crate) async fn twelve_fields_and_vectors_are_read_together(world: World) {
    let (_, s, _) = begin(&world).await;
    let (.., k, l) = s
        .read((s.a(), s.b(), s.c(), s.d(), s.e(), s.f(), s.g(), s.h(), s.i(), s.j(), s.k(), s.l()))
        .await
        .unwrap();
    assert_eq!((k, l), (None, char2::Char::default()));
    s.set_c("x").await.unwrap();
    assert_eq!(s.read(vec![s.c(), s.c()]).await.unwrap(), ["x", "x"]);
    assert_eq!(s.read((s.a(),)).await.unwrap(), (0,));
    assert_eq!(
        s.read(Vec::<session_runtime::Field<'_, u64>>::new()).await.unwrap(),
        Vec::<u64>::new()
    );
}

pub(crate) async fn a_batch_of_writes_is_all_or_nothing(world: World) {
    let (sessions, session, id) = begin(&world).await;
    session.set_e(true).await.unwrap();
    session
        .write()
        .set(session.a(), 3)
        .set(session.c(), "x")
        .remove(session.e())
        .set(session.d(), "y")
        .commit()
        .await
        .unwrap();
    let read = session.read((session.a(), session.c(), session.e(), session.d())).await.unwrap();
    assert_eq!(read, (3, "x".to_owned(), false, Some("y".to_owned())));
    let held: Session<Whole> = sessions.open_id(&id);
    held.a().await.unwrap();
    session.destroy().await.unwrap();
    let late = held.write().set(held.a(), 9).remove(held.c()).commit().await;
    assert!(late.unwrap_err().is_gone());
}

pub(crate) async fn the_last_change_of_a_field_counts(world: World) {
    let (_, session, _) = begin(&world).await;
    session.write().set(session.a(), 1).set(session.a(), 2).commit().await.unwrap();
    assert_eq!(session.a().await.unwrap(), 2);
    session.write().remove(session.a()).set(session.a(), 3).commit().await.unwrap();
    assert_eq!(session.a().await.unwrap(), 3);
    session.write().set(session.a(), 4).remove(session.a()).commit().await.unwrap();
    assert!(!session.a().exists().await.unwrap());
}

/// Behaviour: size limits.
pub(crate) async fn a_batch_over_the_limit_is_refused(world: World) {
    let sessions = world.sessions(|config| config.max_value_size(10).max_batch_size(15));
    let session: Session<Whole> = sessions.create().await.unwrap();
    let ten = "x".repeat(10);
    let sent = world.commands(async || {
        let batch = session.write().set(session.c(), &ten).set(session.d(), &*ten).commit().await;
        assert!(batch.unwrap_err().is_too_large());
        let whole = Whole { c: ten.clone(), d: Some(ten.clone()), ..Whole::default() };
        assert!(session.save(&whole).await.unwrap_err().is_too_large());
    });
    assert_eq!(sent.await, Vec::<String>::new());
}

pub(crate) async fn a_field_of_another_request_is_refused(world: World) {
    let (sessions, session, id) = begin(&world).await;
    let other: Session<Whole> = sessions.open_id(&id);
    let sent = world.commands(async || {
        assert!(session.read((session.a(), other.c())).await.unwrap_err().is_unsupported());
        assert!(session.write().set(other.a(), 1).commit().await.unwrap_err().is_unsupported());
    });
    assert_eq!(sent.await, Vec::<String>::new());
    let clone = session.clone();
    session.read((session.a(), clone.a())).await.unwrap();
}

pub(crate) async fn an_empty_batch_sends_nothing(world: World) {
    let sessions = world.sessions(|config| config);
    let handle = sessions.open([]);
    let session: Session<Whole> = handle.session();
    let sent = world.commands(async || session.write().commit().await.unwrap());
    assert_eq!(sent.await, Vec::<String>::new());
    assert!(handle.finish().set_cookie().is_none());
}

pub(crate) async fn load_after_save_is_identity(world: World) {
    let (_, session, _) = begin(&world).await;
    assert_eq!(session.load().await.unwrap(), Whole { j: 7, ..Whole::default() });
    for example in examples(60) {
        session.save(&example).await.unwrap();
        assert_eq!(session.load().await.unwrap(), example);
    }
}

pub(crate) async fn save_leaves_unknown_fields_alone(world: World) {
    #[derive(Debug, PartialEq, Session)]
    struct Other {
        unknown: String,
        a: u64,
    }
    let (sessions, session, id) = begin(&world).await;
    let other: Session<Other> = sessions.open_id(&id);
    other.set_unknown("kept").await.unwrap();
    session.save(&Whole { a: 5, ..Whole::default() }).await.unwrap();
    assert_eq!(other.load().await.unwrap(), Other { unknown: "kept".to_owned(), a: 5 });
    session.clear().await.unwrap();
    assert_eq!(other.load().await.unwrap(), Other { unknown: "kept".to_owned(), a: 0 });
}
