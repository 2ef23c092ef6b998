use bytes::Bytes;

use super::{Encryption, EncryptionKeys, Place, Unopened};

const PLACE: Place<'_> = Place { identity: b"dGFndGFn", field: "email" };

fn keys(newest: &[u8], older: &[&[u8]]) -> EncryptionKeys {
    EncryptionKeys::new(newest, older.iter().copied()).unwrap()
}

#[test]
fn a_value_opens_under_every_key_and_in_its_place_alone() {
    let (old, new) = (keys(b"old", &[]), keys(b"new", &[b"old"]));
    let none = Encryption::new();
    let sealed = old.seal(none, PLACE, None, b"ada@example.org").unwrap();
    assert_eq!(new.open(none, PLACE, &sealed), Ok("ada@example.org".into()));
    assert!(!new.is_newest(None, &sealed) && old.is_newest(None, &sealed));
    let newer = new.seal(none, PLACE, None, b"x").unwrap();
    assert_eq!(old.open(none, PLACE, &newer), Err(Unopened::UnknownKey));
    for other in [Place { field: "mail", ..PLACE }, Place { identity: b"dGFndGFm", ..PLACE }] {
        assert_eq!(old.open(none, other, &sealed), Err(Unopened::Altered));
    }
    let plain = Bytes::from_static(b"ada@example.org");
    assert_eq!(old.open(none, PLACE, &plain), Err(Unopened::Plain));
    assert_eq!(old.open(none.accept_plain(), PLACE, &plain), Ok(plain));
}
