//! A deployment that changes the schema. The new schema reads old data, and the old schema reads
//! new data, on real stored bytes.

use session_runtime::batch::WriteBatch;
use session_runtime::{FieldValue, Session, SessionId, Sessions};
use session_tests::acceptance::World;

/// The old schema.
#[derive(Clone, Debug, Default, PartialEq, Session)]
struct Old {
    visits: u64,
    label: String,
    kept: u32,
}

/// The new schema: two fields are renamed, one is new, one is removed.
#[derive(Clone, Debug, Default, PartialEq, Session)]
struct New {
    #[session(alias = "visits")]
    count: u64,
    #[session(alias = "label")]
    name: String,
    kept: u32,
    #[session(default = 5)]
    fresh: u8,
    #[session(skip)]
    scratch: Vec<u8>,
}

async fn begin(world: &World) -> (Sessions, SessionId) {
    let sessions = world.sessions(|config| config);
    let session: Session<Old> = sessions.create().await.unwrap();
    session.save(&Old { visits: 41, label: "x".to_owned(), kept: 3 }).await.unwrap();
    let id = session.session_id().unwrap();
    (sessions, id)
}

async fn old_data_is_read_by_the_new_schema(world: World) {
    let (sessions, id) = begin(&world).await;
    let new: Session<New> = sessions.open_id(&id);
    new.kept().await.unwrap();
    let sent = world.commands(async || assert_eq!(new.count().await.unwrap(), 41));
    world.assert_commands(sent.await, &["hmget"]);
    assert_eq!(new.name().await.unwrap(), "x");
    assert!(new.name().exists().await.unwrap());
    assert_eq!(new.count().raw().await.unwrap().unwrap(), "41");
    assert_eq!(new.read((new.count(), new.kept(), new.fresh())).await.unwrap(), (41, 3, 5));
    let whole = New { count: 41, name: "x".to_owned(), kept: 3, fresh: 5, scratch: vec![] };
    assert_eq!(new.load().await.unwrap(), whole);
}

async fn a_write_moves_the_value_to_its_new_name(world: World) {
    for operation in 0..8 {
        let (sessions, id) = begin(&world).await;
        let (old, new): (Session<Old>, Session<New>) =
            (sessions.open_id(&id), sessions.open_id(&id));
        let expected = match operation {
            0 => new.set_count(7).await.map(|()| 7),
            1 => new.count().incr(1).await,
            2 => new.count().replace(8).await.map(|before| before - 33),
            3 => {
                new.count().compare_and_set(41, 9).await.map(|swapped| if swapped { 9 } else { 0 })
            }
            4 => new.count().update(|count| count * 2).await,
            5 => new.write().set(new.count(), 10).commit().await.map(|()| 10),
            6 => new.save(&New { count: 11, ..New::default() }).await.map(|()| 11),
            _ => new.count().get_or_set(1).await,
        };
        assert_eq!(new.count().await.unwrap(), expected.unwrap(), "operation {operation}");
        // The last operation writes nothing, so the value is still under the old name.
        assert_eq!(old.visits().exists().await.unwrap(), operation == 7, "operation {operation}");
    }
}

async fn removing_and_taking_find_the_old_name(world: World) {
    let (sessions, id) = begin(&world).await;
    let new: Session<New> = sessions.open_id(&id);
    assert!(new.count().remove().await.unwrap());
    assert_eq!(new.count().await.unwrap(), 0);
    assert_eq!(new.name().take().await.unwrap(), "x");
    assert!(!new.name().exists().await.unwrap());
    let (sessions, id) = begin(&world).await;
    let new: Session<New> = sessions.open_id(&id);
    new.write().remove(new.count()).commit().await.unwrap();
    assert!(!new.count().exists().await.unwrap());
    new.clear().await.unwrap();
    assert_eq!(sessions.open_id::<Old>(&id).load().await.unwrap(), Old::default());
}

/// While both versions run, the old version cannot see renamed fields once the new version has
/// written them. Both see the fields that kept their names.
async fn new_data_is_read_by_the_old_schema(world: World) {
    let (sessions, id) = begin(&world).await;
    let (old, new): (Session<Old>, Session<New>) = (sessions.open_id(&id), sessions.open_id(&id));
    new.set_kept(9).await.unwrap();
    new.set_fresh(1).await.unwrap();
    assert_eq!(old.load().await.unwrap(), Old { visits: 41, label: "x".to_owned(), kept: 9 });
    // If both names have a value, the new name counts.
    new.set_count(50).await.unwrap();
    old.set_visits(1).await.unwrap();
    assert_eq!(new.count().await.unwrap(), 50);
    assert_eq!(new.load().await.unwrap().count, 50);
}

/// One request's session in three versions of the schema. The second version renamed `visits`, and
/// the third reverted this.
struct Versions {
    old: Session<Old>,
    new: Session<New>,
    back: Session<Back>,
    names: Session<Names>,
}

#[derive(Session)]
struct Back {
    #[session(alias = "count")]
    visits: u64,
}

/// Both names as separate fields.
#[derive(Debug, PartialEq, Session)]
struct Names {
    visits: Option<u64>,
    count: Option<u64>,
}

impl Versions {
    const CHANGES: usize = 6;

    fn begin(sessions: &Sessions) -> Self {
        let request = sessions.open([]);
        let (old, new) = (request.session(), request.session());
        Self { old, new, back: request.session(), names: request.session() }
    }

    fn add<'a>(&self, batch: WriteBatch<'a>, change: usize) -> WriteBatch<'a> {
        match change {
            0 => batch.set(self.old.visits(), 1),
            1 => batch.set(self.new.count(), 2),
            2 => batch.set(self.back.visits(), 3),
            3 => batch.remove(self.old.visits()),
            4 => batch.remove(self.new.count()),
            _ => batch.remove(self.back.visits()),
        }
    }
}

async fn a_batch_of_present_and_former_names_is_its_changes_one_after_another(world: World) {
    let sessions = world.sessions(|config| config);
    for [first, second, third] in triples(Versions::CHANGES) {
        let (together, apart) = (Versions::begin(&sessions), Versions::begin(&sessions));
        let batch = together.add(together.add(together.old.write(), first), second);
        together.add(batch, third).commit().await.unwrap();
        for change in [first, second, third] {
            apart.add(apart.old.write(), change).commit().await.unwrap();
        }
        let (together, apart) =
            (together.names.load().await.unwrap(), apart.names.load().await.unwrap());
        assert_eq!(together, apart, "{first}, {second}, {third}");
    }
    let both = Versions::begin(&sessions);
    both.old.write().set(both.old.visits(), 1).set(both.new.count(), 2).commit().await.unwrap();
    assert_eq!(both.names.load().await.unwrap(), Names { visits: None, count: Some(2) });
    both.old.write().set(both.new.count(), 3).set(both.old.visits(), 4).commit().await.unwrap();
    assert_eq!(both.names.load().await.unwrap(), Names { visits: Some(4), count: Some(3) });
    assert_eq!(both.new.read((both.new.count(), both.back.visits())).await.unwrap(), (3, 4));
}

fn triples(below: usize) -> impl Iterator<Item = [usize; 3]> {
    (0..below.pow(3))
        .map(move |number| [number / below / below, number / below % below, number % below])
}

/// Each version reads the saved data, under whichever name a field is stored.
async fn a_saved_version_replaces_the_other(world: World) {
    let sessions = world.sessions(|config| config);
    let both = Versions::begin(&sessions);
    both.old.save(&Old { visits: 1, ..Old::default() }).await.unwrap();
    both.new.save(&New { count: 2, ..New::default() }).await.unwrap();
    assert_eq!(both.names.load().await.unwrap(), Names { visits: None, count: Some(2) });
    both.back.save(&Back { visits: 3 }).await.unwrap();
    assert_eq!(both.names.load().await.unwrap(), Names { visits: Some(3), count: None });
    assert_eq!(both.new.load().await.unwrap().count, 3);
    both.new.clear().await.unwrap();
    assert_eq!(both.names.load().await.unwrap(), Names { visits: None, count: None });
}

/// A schema with changed field types. The stored values are no longer valid.
#[derive(Debug, Session)]
#[session(on_decode_error = "default")]
struct Lenient {
    #[session(default = 7)]
    label: u32,
    #[session(on_decode_error = "error")]
    kept: bool,
}

async fn invalid_values_read_as_the_default_if_requested(world: World) {
    let (sessions, id) = begin(&world).await;
    let lenient: Session<Lenient> = sessions.open_id(&id);
    assert_eq!(lenient.label().await.unwrap(), 7);
    assert!(lenient.kept().await.unwrap_err().is_decode());
    assert_eq!(lenient.label().raw().await.unwrap().unwrap(), "x", "a read changes nothing");
    assert_eq!(lenient.label().incr(1).await.unwrap(), 8);
    assert_eq!(lenient.label().await.unwrap(), 8);
    sessions.open_id::<Old>(&id).set_label("y").await.unwrap();
    assert_eq!(lenient.label().update(|label| label * 2).await.unwrap(), 14);
}

/// The old schema: a text, a number and a flag, under names that other programs use.
#[derive(Debug, Session)]
struct Plain {
    #[session(rename = "theme")]
    colours: String,
    #[session(rename = "userId")]
    user: u64,
    at: String,
}

/// The new schema: a dedicated type for each field, on the same stored bytes.
#[derive(Debug, PartialEq, Session)]
#[session(rename_all = "camelCase")]
struct Typed {
    theme: Theme,
    user_id: UserId,
    #[session(with = clock_time)]
    at: (u8, u8),
}

#[derive(Debug, PartialEq, FieldValue)]
#[session(rename_all = "lowercase")]
enum Theme {
    #[session(default)]
    Light,
    Dark,
}

#[derive(Debug, PartialEq, FieldValue)]
struct UserId(u64);

/// Times as `HH:MM`.
mod clock_time {
    use session_runtime::{Bytes, InvalidValue};

    pub(crate) fn decode(stored: Bytes) -> Result<(u8, u8), InvalidValue> {
        let text = std::str::from_utf8(&stored).ok();
        let parts = text.and_then(|text| text.split_once(':'));
        let parsed =
            parts.and_then(|(hours, minutes)| Some((hours.parse().ok()?, minutes.parse().ok()?)));
        parsed.ok_or_else(|| InvalidValue::new("not HH:MM"))
    }

    pub(crate) fn encode(time: &(u8, u8)) -> Result<Bytes, InvalidValue> {
        Ok(format!("{:02}:{:02}", time.0, time.1).into())
    }
}

async fn plain_values_become_typed_ones_and_back(world: World) {
    let sessions = world.sessions(|config| config);
    let plain: Session<Plain> = sessions.create().await.unwrap();
    plain
        .save(&Plain { colours: "dark".to_owned(), user: 7, at: "09:30".to_owned() })
        .await
        .unwrap();
    let id = plain.session_id().unwrap();
    let typed: Session<Typed> = sessions.open_id(&id);
    assert_eq!(
        typed.load().await.unwrap(),
        Typed { theme: Theme::Dark, user_id: UserId(7), at: (9, 30) }
    );
    typed.save(&Typed { theme: Theme::Light, user_id: UserId(8), at: (23, 5) }).await.unwrap();
    let read = plain.read((plain.colours(), plain.user(), plain.at())).await.unwrap();
    assert_eq!(read, ("light".to_owned(), 8, "23:05".to_owned()));
    plain.set_colours("neon").await.unwrap();
    assert!(typed.theme().await.unwrap_err().is_decode());
    plain.colours().remove().await.unwrap();
    assert_eq!(typed.theme().await.unwrap(), Theme::Light);
}

macro_rules! over_every_store {
    ($($behaviour:ident)+) => {
        over_every_store!(@store memory $($behaviour)+);
        over_every_store!(@store redis $($behaviour)+);
        over_every_store!(@store redis_8 $($behaviour)+);
        over_every_store!(@store valkey_9 $($behaviour)+);
        over_every_store!(@store tls $($behaviour)+);
        over_every_store!(@store sentinel $($behaviour)+);
        over_every_store!(@store cluster $($behaviour)+);
    };
    (@store $store:ident $($behaviour:ident)+) => {
        mod $store {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                // Some stores need a server that may be missing.
                let world = session_tests::acceptance::World::$store().await;
                let Some(world) = Option::from(world) else { return };
                super::$behaviour(world).await;
            })+
        }
    };
}

over_every_store! {
    old_data_is_read_by_the_new_schema
    a_write_moves_the_value_to_its_new_name
    removing_and_taking_find_the_old_name
    new_data_is_read_by_the_old_schema
    a_batch_of_present_and_former_names_is_its_changes_one_after_another
    a_saved_version_replaces_the_other
    invalid_values_read_as_the_default_if_requested
    plain_values_become_typed_ones_and_back
}
