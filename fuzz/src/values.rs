//! Stored values.

use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use pollster::block_on;
use serde::{Deserialize, Serialize};
use session_runtime::field::{FieldDefault, Increment};
use session_runtime::{Error, FieldValue, Schema, Session, SessionConfig, SessionId, Sessions};

use super::marker::{assert_is_discreet, with_marker};

/// Reads the input as a stored value, for every type of field.
///
/// A readable value can be written, and reads the same again. The error for an unreadable value
/// does not quote the value. An increment is exact or returns an error.
pub fn values(stored: &[u8]) {
    let store = &*STORE;
    for stored in [stored, &with_marker(stored)] {
        integers(store, stored);
        texts(store, stored);
        times(store, stored);
        json(store, stored);
    }
}

fn integers(store: &Store, stored: &[u8]) {
    store.count::<u8>(stored, |number| number.checked_add(1), 1);
    store.count::<i32>(stored, |number| number.checked_add(1), 1);
    store.count::<i64>(stored, |number| number.checked_add(1), 1);
    store.count::<u64>(stored, |number| number.checked_add(1), 1);
    store.read::<u128>(stored);
    store.read::<i128>(stored);
    store.read::<NonZero<i16>>(stored);
}

fn texts(store: &Store, stored: &[u8]) {
    store.read::<String>(stored);
    store.read::<Bytes>(stored);
    store.read::<bool>(stored);
    store.read::<char>(stored);
    store.read::<f32>(stored);
    store.read::<f64>(stored);
    store.read::<IpAddr>(stored);
    store.read::<SocketAddr>(stored);
    store.read::<uuid::Uuid>(stored);
}

fn times(store: &Store, stored: &[u8]) {
    store.read::<Duration>(stored);
    store.read::<SystemTime>(stored);
    store.read::<chrono::DateTime<chrono::Utc>>(stored);
    store.read::<chrono::NaiveDate>(stored);
    store.read::<jiff::Timestamp>(stored);
    store.read::<jiff::civil::Date>(stored);
    store.read::<time::OffsetDateTime>(stored);
    store.read::<time::Date>(stored);
}

fn json(store: &Store, stored: &[u8]) {
    store.put(stored);
    let session = store.session::<Json>();
    if let Some(value) = decoded(session.value().get()) {
        block_on(session.value().set(value.clone())).unwrap();
        assert_eq!(block_on(session.value().get()).unwrap(), value);
    }
}

#[derive(Session)]
struct One<T> {
    value: Option<T>,
}

#[derive(Session)]
struct Counter<T> {
    value: T,
}

#[derive(Session)]
struct Json {
    #[session(json)]
    value: Shape,
}

/// Every kind of JSON value.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
enum Shape {
    #[default]
    Nothing,
    Flag(bool),
    Number(i64),
    Fraction(f64),
    Text(String),
    List(Vec<Shape>),
    Pair(Option<Box<Shape>>, u8),
    Map {
        name: String,
        inner: Option<Box<Shape>>,
    },
}

struct Store {
    sessions: Sessions,
    id: SessionId,
}

static STORE: LazyLock<Store> = LazyLock::new(|| {
    let sessions = block_on(Sessions::new(SessionConfig::new().store("memory:"))).unwrap();
    let session = block_on(sessions.create::<Json>()).unwrap();
    Store { id: session.session_id().unwrap(), sessions }
});

impl Store {
    fn session<S: Schema>(&self) -> Session<S> {
        self.sessions.open_id(&self.id)
    }

    fn put(&self, stored: &[u8]) {
        block_on(self.session::<Counter<Vec<u8>>>().set_value(stored)).unwrap();
    }

    fn read<T: FieldValue + Debug>(&self, stored: &[u8]) {
        self.put(stored);
        let session = self.session::<One<T>>();
        let Some(value) = decoded(session.value().get()) else { return };
        let before = format!("{value:?}");
        block_on(session.value().set(value)).unwrap();
        // Compared as text, because NaN does not equal itself.
        assert_eq!(format!("{:?}", block_on(session.value().get()).unwrap()), before);
    }

    fn count<T>(&self, stored: &[u8], next: fn(T) -> Option<T>, one: T)
    where
        T: FieldValue + FieldDefault + Increment + Debug + PartialEq,
    {
        self.put(stored);
        let session = self.session::<Counter<T>>();
        let Some(before) = decoded(session.value().get()) else { return };
        let expected = next(before);
        match block_on(session.value().incr(one)) {
            Ok(after) => assert_eq!(Some(after), expected),
            Err(error) => assert!(error.is_out_of_range() && expected.is_none(), "{error}"),
        }
    }
}

/// Returns the value, or `None` if decoding fails.
fn decoded<T>(reading: impl Future<Output = Result<T, Error>>) -> Option<T> {
    match block_on(reading) {
        Ok(value) => Some(value),
        Err(error) => {
            assert!(error.is_decode(), "{error}");
            assert_is_discreet(&error);
            None
        }
    }
}
