//! Stored values of encrypted fields.

use std::sync::LazyLock;

use pollster::block_on;
use session_runtime::{Error, MemoryStore, Session, SessionConfig, SessionId, Sessions};

use super::marker::{MARKER, assert_is_discreet, with_marker};

/// Reads stored values of encrypted fields. The first byte gives the meaning of the others:
///
/// - `v`: a value, which is written
/// - `b`: the rest of a stored value. The beginning has the right key
/// - `c`: changes of a stored value
/// - any other byte: a whole stored value, with the first byte
///
/// Only a value that was encrypted for the same session and field is read, and is the value that
/// was written. Where plain text is accepted, other bytes are read as they are. An error quotes no
/// part of the value.
pub fn encrypted_values(input: &[u8]) {
    let store = &*STORE;
    match input.split_first() {
        Some((b'v', value)) => store.write(&with_marker(value)),
        Some((b'b', rest)) => {
            for sample in &store.samples {
                store.read(&[&sample.stored[..BEGIN], rest].concat());
            }
        }
        Some((b'c', changes)) => store.read(&store.changed(changes)),
        _ => {
            store.read(input);
            store.read(&with_marker(input));
        }
    }
}

/// The encrypted fields.
#[derive(Session)]
struct Encrypted {
    #[session(encrypt)]
    alone: Option<Vec<u8>>,
    #[session(encrypt(pad = 64))]
    padded: Option<Vec<u8>>,
    #[session(encrypt, index)]
    indexed: Option<Vec<u8>>,
    #[session(encrypt(accept_plain))]
    lenient: Option<Vec<u8>>,
}

/// The same fields, as they are stored.
#[derive(Session)]
struct Stored {
    alone: Option<Vec<u8>>,
    padded: Option<Vec<u8>>,
    indexed: Option<Vec<u8>>,
    lenient: Option<Vec<u8>>,
}

const FIELDS: usize = 4;
/// The field that accepts plain text.
const LENIENT: usize = 3;
/// The length of the version and the number of the key.
const BEGIN: usize = 5;

const NEWEST: &str = "base64:ey1J5lbGIz+wuQ95QI0Wb1v98qKUVGBm4qrd+e63BDo=";
const OLDER: &str = "base64:pboRI1rq4AjB3A2bucyoWrA2xTXdjdAFxERPI8jGhuA=";
/// A key that is not configured when values are read.
const UNKNOWN: &str = "base64:2EC2AIV/EzHk+aB0Rcvt/lV2UZZ2baYMAWrwKWbww0g=";

struct Store {
    sessions: Sessions,
    ids: [SessionId; 2],
    samples: Vec<Sample>,
}

/// An encrypted value, which opens in its place alone.
struct Sample {
    session: usize,
    field: usize,
    /// `None` for a key that is not configured.
    value: Option<Vec<u8>>,
    stored: Vec<u8>,
}

static STORE: LazyLock<Store> = LazyLock::new(|| {
    let memory = MemoryStore::new();
    let with_keys = |keys: &str| {
        let config = SessionConfig::new().secret(super::cookies::SECRET).encryption_keys(keys);
        Sessions::with_store(config, memory.clone()).unwrap()
    };
    let sessions = with_keys(&format!("{NEWEST},{OLDER}"));
    let ids =
        [(); 2].map(|()| block_on(sessions.create::<Encrypted>()).unwrap().session_id().unwrap());
    let mut store = Store { sessions, ids, samples: Vec::new() };
    let unknown = with_keys(UNKNOWN);
    for (other, is_known) in [(with_keys(NEWEST), true), (with_keys(OLDER), true), (unknown, false)]
    {
        for session in 0..store.ids.len() {
            for field in 0..FIELDS {
                let value = format!("{MARKER} {session} {field}").into_bytes();
                set(&other.open_id(&store.ids[session]), field, &value);
                let stored = store.stored(session, field);
                let value = is_known.then_some(value);
                store.samples.push(Sample { session, field, value, stored });
            }
        }
    }
    store
});

impl Store {
    /// Writes a value to every field, and reads the value.
    fn write(&self, value: &[u8]) {
        for field in 0..FIELDS {
            let session = self.sessions.open_id(&self.ids[0]);
            set(&session, field, value);
            assert_eq!(get(&session, field).unwrap(), value);
            let stored = self.stored(0, field);
            assert!(!stored.windows(MARKER.len()).any(|part| part == MARKER.as_bytes()));
        }
    }

    /// Puts bytes into every field of the sessions, and reads them.
    fn read(&self, stored: &[u8]) {
        for (session, id) in self.ids.iter().enumerate() {
            for field in 0..FIELDS {
                set_stored(&self.sessions.open_id(id), field, stored);
                let is_plain = field == LENIENT && !matches!(stored.first(), Some(0xF5 | 0xF6));
                let expected =
                    if is_plain { Some(stored) } else { self.written(session, field, stored) };
                match get(&self.sessions.open_id(id), field) {
                    Ok(value) => assert_eq!(Some(&value[..]), expected, "opened"),
                    Err(error) => {
                        assert!(error.is_decode() && expected.is_none(), "{error}");
                        assert_is_discreet(&error);
                    }
                }
            }
        }
    }

    /// Returns the value that was encrypted for this place, if the stored bytes are unchanged.
    fn written(&self, session: usize, field: usize, stored: &[u8]) -> Option<&[u8]> {
        let is_here = |sample: &&Sample| (sample.session, sample.field) == (session, field);
        let mut here = self.samples.iter().filter(is_here);
        here.find(|sample| sample.stored == stored)?.value.as_deref()
    }

    /// Returns a sample with changes. The first byte names the sample, and each change has three
    /// bytes.
    fn changed(&self, changes: &[u8]) -> Vec<u8> {
        let sample = |byte: u8| &self.samples[usize::from(byte) % self.samples.len()].stored;
        let Some((first, changes)) = changes.split_first() else { return Vec::new() };
        let mut stored = sample(*first).clone();
        for change in changes.chunks_exact(3) {
            let &[kind, at, with] = change else { continue };
            let at = usize::from(at) % (stored.len() + 1);
            match kind % 6 {
                0 => stored.truncate(at),
                1 => stored.insert(at, with),
                2 => drop(stored.drain(..at)),
                3 => stored = [&stored[..at], sample(with).get(at..).unwrap_or_default()].concat(),
                4 => stored = [&stored[..at], sample(with)].concat(),
                _ => stored.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= with),
            }
        }
        stored
    }

    fn stored(&self, session: usize, field: usize) -> Vec<u8> {
        let session = self.sessions.open_id::<Stored>(&self.ids[session]);
        let stored = match field {
            0 => session.alone(),
            1 => session.padded(),
            2 => session.indexed(),
            _ => session.lenient(),
        };
        block_on(stored).unwrap().unwrap()
    }
}

fn set(session: &Session<Encrypted>, field: usize, value: &[u8]) {
    let value = value.to_vec();
    let written = match field {
        0 => session.set_alone(value),
        1 => session.set_padded(value),
        2 => session.set_indexed(value),
        _ => session.set_lenient(value),
    };
    block_on(written).unwrap();
}

fn get(session: &Session<Encrypted>, field: usize) -> Result<Vec<u8>, Error> {
    let read = match field {
        0 => session.alone(),
        1 => session.padded(),
        2 => session.indexed(),
        _ => session.lenient(),
    };
    block_on(read).map(|value| value.expect("the field was written"))
}

fn set_stored(session: &Session<Stored>, field: usize, stored: &[u8]) {
    let stored = stored.to_vec();
    let written = match field {
        0 => session.set_alone(stored),
        1 => session.set_padded(stored),
        2 => session.set_indexed(stored),
        _ => session.set_lenient(stored),
    };
    block_on(written).unwrap();
}
