//! Whole structs: how the derived code requests, decodes and writes the fields.

use std::collections::HashMap;

use bytes::Bytes;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use session_runtime::__private::Changes;
use session_runtime::store::{Change, SessionKey};
use session_runtime::testing::store_suite::{create, fresh_id};
use session_runtime::{Error, MemoryStore, Schema, Session, SessionConfig, Sessions};
use session_tests::cookies::SECRET;

#[derive(Debug, Clone, PartialEq, Session)]
struct Visitor {
    count: u64,
    r#type: String,
    #[session(default = 100)]
    credit: i32,
    age: Option<u8>,
    blob: Vec<u8>,
    #[session(json, rename = "props")]
    properties: Properties,
    #[session(json)]
    tags: Option<Vec<String>>,
    #[session(skip)]
    note: String,
    #[session(skip, default = values() + 1)]
    version: u8,
}

/// A function with a name from the generated code. The default must call this function.
fn values() -> u8 {
    6
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Properties {
    colour: String,
    sizes: Vec<u32>,
}

/// The stored fields of a session.
type Stored = HashMap<String, Bytes>;

fn save<S: Schema>(schema: &S, stored: &mut Stored) {
    let mut changes = Changes::default();
    S::save(schema, &mut changes).unwrap();
    for change in changes.into_vec() {
        match change {
            Change::Set { field, value, .. } => stored.insert(field.to_owned(), value),
            Change::Remove { field } => stored.remove(field),
        };
    }
}

/// Loads the struct from a session in memory.
fn load<S: Schema>(stored: &Stored) -> Result<S, Error> {
    let changes: Vec<_> = stored
        .iter()
        .map(|(field, value)| Change::Set { field, value: value.clone(), ttl: None })
        .collect();
    let (store, id) = (MemoryStore::new(), fresh_id());
    pollster::block_on(create(&store, &SessionKey::new("app", &id), &changes));
    let config = SessionConfig::new().secret(SECRET);
    Sessions::with_store(config, store).unwrap().open_id::<S>(&id).load().wait()
}

#[test]
fn an_empty_session_loads_as_defaults() {
    let visitor = load::<Visitor>(&Stored::new()).unwrap();
    let expected = Visitor {
        count: 0,
        r#type: String::new(),
        credit: 100,
        age: None,
        blob: Vec::new(),
        properties: Properties::default(),
        tags: None,
        note: String::new(),
        version: 7,
    };
    assert_eq!(visitor, expected);
}

#[test]
fn skipped_fields_are_not_stored() {
    let visitor = Visitor { note: "x".into(), version: 1, ..load(&Stored::new()).unwrap() };
    let mut stored = Stored::new();
    save(&visitor, &mut stored);
    let mut names: Vec<_> = stored.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["blob", "count", "credit", "props", "type"]);
    assert_eq!(Visitor::STORED_NAMES, ["count", "type", "credit", "age", "blob", "props", "tags"]);
}

#[test]
fn one_unreadable_field_is_an_error_that_names_it() {
    let stored = Stored::from([("credit".to_owned(), Bytes::from_static(b"HUNTER2"))]);
    let error = load::<Visitor>(&stored).unwrap_err();
    assert!(error.is_decode() && error.to_string().contains("`credit`"), "{error}");
}

#[test]
fn a_value_that_cannot_be_stored_writes_nothing() {
    #[derive(Session)]
    struct Mapped {
        #[session(json)]
        map: HashMap<Vec<u8>, u8>,
    }
    let mapped = Mapped { map: HashMap::from([(vec![1], 1)]) };
    assert!(Schema::save(&mapped, &mut Changes::default()).unwrap_err().is_encode());
}

#[test]
fn a_struct_without_stored_fields_can_be_loaded() {
    #[derive(Debug, PartialEq, Session)]
    struct Generic<T> {
        #[session(skip)]
        value: Vec<T>,
    }
    assert_eq!(load::<Generic<u8>>(&Stored::new()).unwrap(), Generic { value: Vec::new() });
}

#[derive(Debug, PartialEq, Session)]
struct Before {
    name: String,
    lang: Option<String>,
}

#[derive(Debug, PartialEq, Session)]
#[session(prefix = "v2.")]
struct After {
    #[session(alias = "name")]
    display_name: String,
    count: u8,
    #[session(alias = "lang")]
    language: Option<String>,
}

fn strings(stored: &Stored) -> Vec<(&str, &[u8])> {
    let mut all: Vec<_> = stored.iter().map(|(name, value)| (name.as_str(), &value[..])).collect();
    all.sort_unstable();
    all
}

#[test]
fn the_old_name_is_read_where_the_new_one_is_missing() {
    let mut stored = Stored::new();
    save(&Before { name: "Ada".into(), lang: Some("en".into()) }, &mut stored);
    let after = load::<After>(&stored).unwrap();
    assert_eq!(after, After { display_name: "Ada".into(), count: 0, language: Some("en".into()) });
    stored.insert("v2.display_name".into(), "Grace".into());
    assert_eq!(load::<After>(&stored).unwrap().display_name, "Grace");
}

#[test]
fn saving_moves_to_the_new_name_and_leaves_nothing_to_come_back() {
    let mut stored = Stored::new();
    save(&Before { name: "Ada".into(), lang: Some("en".into()) }, &mut stored);
    save(&After { display_name: "Ada".into(), count: 3, language: None }, &mut stored);
    assert_eq!(strings(&stored), [("v2.count", &b"3"[..]), ("v2.display_name", b"Ada")]);
    assert_eq!(load::<After>(&stored).unwrap().language, None);
}

#[test]
fn an_invalid_value_reads_as_the_default_if_allowed() {
    #[derive(Debug, PartialEq, Session)]
    #[session(on_decode_error = "default")]
    struct Lenient {
        #[session(default = 5)]
        count: u8,
        #[session(json)]
        properties: Properties,
        #[session(on_decode_error = "error")]
        strict: Option<u8>,
    }
    let mut stored =
        Stored::from([("count".into(), "300".into()), ("properties".into(), "[]".into())]);
    let expected = Lenient { count: 5, properties: Properties::default(), strict: None };
    assert_eq!(load::<Lenient>(&stored).unwrap(), expected);
    stored.insert("strict".into(), "abc".into());
    assert!(load::<Lenient>(&stored).unwrap_err().is_decode());
}

/// A codec for sorted bytes. Unsorted and empty values are errors.
mod sorted {
    use bytes::Bytes;
    use session_runtime::InvalidValue;

    pub(crate) fn decode(stored: Bytes) -> Result<Vec<u8>, InvalidValue> {
        if stored.is_sorted() { Ok(stored.into()) } else { Err(InvalidValue::new("not sorted")) }
    }

    pub(crate) fn encode(value: &[u8]) -> Result<Bytes, InvalidValue> {
        let mut sorted = value.to_vec();
        sorted.sort_unstable();
        if sorted.is_empty() {
            Err(InvalidValue::new("nothing to sort"))
        } else {
            Ok(sorted.into())
        }
    }
}

/// A type without `FieldValue`, `Serialize` and `Default`.
#[derive(Debug, PartialEq)]
struct Opaque(u8);

mod codecs {
    pub(crate) mod opaque {
        use bytes::Bytes;
        use session_runtime::{FieldValue, InvalidValue};

        use super::super::Opaque;

        pub(crate) fn decode(stored: Bytes) -> Result<Opaque, InvalidValue> {
            u8::decode(stored).map(Opaque)
        }

        pub(crate) fn encode(value: &Opaque) -> Result<Bytes, InvalidValue> {
            value.0.encode()
        }
    }
}

#[derive(Debug, PartialEq, Session)]
struct Coded {
    #[session(with = sorted)]
    bytes: Vec<u8>,
    #[session(with = codecs::opaque)]
    maybe: Option<Opaque>,
    #[session(with = "codecs::opaque", default = Opaque(7), alias = "o", on_decode_error = "default")]
    opaque: Opaque,
}

#[test]
fn a_custom_codec_reads_and_writes() {
    let mut stored = Stored::new();
    let expected = Coded { bytes: Vec::new(), maybe: None, opaque: Opaque(7) };
    assert_eq!(load::<Coded>(&stored).unwrap(), expected);

    save(&Coded { bytes: vec![3, 1, 2], maybe: Some(Opaque(1)), opaque: Opaque(2) }, &mut stored);
    assert_eq!(strings(&stored), [("bytes", &[1, 2, 3][..]), ("maybe", b"1"), ("opaque", b"2")]);
    let expected = Coded { bytes: vec![1, 2, 3], maybe: Some(Opaque(1)), opaque: Opaque(2) };
    assert_eq!(load::<Coded>(&stored).unwrap(), expected);

    save(&Coded { bytes: vec![1], maybe: None, opaque: Opaque(2) }, &mut stored);
    assert_eq!(strings(&stored), [("bytes", &[1][..]), ("opaque", b"2")]);
}

#[test]
fn a_custom_codec_refuses_values() {
    let unreadable = |name: &str| Stored::from([(name.to_owned(), Bytes::from_static(b"2 1"))]);
    assert!(load::<Coded>(&unreadable("bytes")).unwrap_err().is_decode());
    assert!(load::<Coded>(&unreadable("maybe")).unwrap_err().is_decode());
    assert_eq!(load::<Coded>(&unreadable("o")).unwrap().opaque, Opaque(7));
    let unwritable = Coded { bytes: Vec::new(), maybe: None, opaque: Opaque(1) };
    assert!(Schema::save(&unwritable, &mut Changes::default()).unwrap_err().is_encode());
}

prop_compose! {
    fn visitor()(
        count: u64, r#type: String, credit: i32, age: Option<u8>, blob: Vec<u8>,
        colour: String, sizes: Vec<u32>, tags: Option<Vec<String>>,
    ) -> Visitor {
        let properties = Properties { colour, sizes };
        Visitor { count, r#type, credit, age, blob, properties, tags, note: String::new(), version: 7 }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn saved_values_are_loaded(before in visitor(), visitor in visitor()) {
        let mut stored = Stored::from([("another's".to_owned(), Bytes::new())]);
        save(&before, &mut stored);
        save(&visitor, &mut stored);
        prop_assert_eq!(load::<Visitor>(&stored).unwrap(), visitor);
        prop_assert!(stored.contains_key("another's"));
    }
}
