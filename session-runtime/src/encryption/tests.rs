use std::collections::HashSet;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Encryption, EncryptionKeys, Place, Unopened};

const PLACE: Place<'_> = Place { identity: b"dGFndGFn", field: "email" };
/// The lengths of the parts before the ciphertext, without and with a digest.
const PLAIN_BEGIN: usize = 1 + 4 + 24;
const INDEXED_BEGIN: usize = PLAIN_BEGIN + 16;
const TAG_LEN: usize = 16;

fn keys(newest: &[u8], older: &[&[u8]]) -> EncryptionKeys {
    EncryptionKeys::new(newest, older.iter().copied()).unwrap()
}

fn seal(keys: &EncryptionKeys, index: Option<&str>, value: &[u8]) -> Bytes {
    keys.seal(Encryption::new(), PLACE, index, value).unwrap()
}

fn open(keys: &EncryptionKeys, stored: impl Into<Bytes>) -> Result<Bytes, Unopened> {
    keys.open(Encryption::new(), PLACE, &stored.into())
}

fn place<'a>(identity: &'a str, field: &'a str) -> Place<'a> {
    Place { identity: identity.as_bytes().try_into().unwrap(), field }
}

fn indexes() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![Just(None), Just(Some("email"))]
}

#[test]
fn a_value_opens_under_every_key_and_in_its_place_alone() {
    let (old, new) = (keys(b"old", &[]), keys(b"new", &[b"old"]));
    let none = Encryption::new();
    let sealed = old.seal(none, PLACE, None, b"ada@example.org").unwrap();
    assert_eq!(new.open(none, PLACE, &sealed), Ok("ada@example.org".into()));
    assert!(!new.has_newest_key(&sealed) && old.has_newest_key(&sealed));
    let newer = new.seal(none, PLACE, None, b"x").unwrap();
    assert_eq!(old.open(none, PLACE, &newer), Err(Unopened::UnknownKey));
    for other in [Place { field: "mail", ..PLACE }, Place { identity: b"b3RoZXIh", ..PLACE }] {
        assert_eq!(old.open(none, other, &sealed), Err(Unopened::Altered));
    }
    let plain = Bytes::from_static(b"ada@example.org");
    assert_eq!(old.open(none, PLACE, &plain), Err(Unopened::Plain));
    assert_eq!(old.open(none.accept_plain(), PLACE, &plain), Ok(plain));
}

#[test]
fn two_writes_of_a_value_share_the_parts_before_the_nonce_alone() {
    let keys = keys(b"key", &[]);
    for (index, nonce_at) in [(None, 5), (Some("email"), 21)] {
        let sealed: Vec<_> = (0..200).map(|_| seal(&keys, index, b"value")).collect();
        let parts = |range: std::ops::Range<usize>| -> HashSet<_> {
            sealed.iter().map(|sealed| sealed.slice(range.clone())).collect()
        };
        let end = sealed[0].len();
        assert_eq!(parts(0..nonce_at).len(), 1, "the beginning");
        for part in [nonce_at..nonce_at + 24, nonce_at + 24..end - TAG_LEN, end - TAG_LEN..end] {
            assert_eq!(parts(part.clone()).len(), 200, "{part:?}");
        }
        // All bytes of a nonce are random.
        for at in nonce_at..nonce_at + 24 {
            assert!(parts(at..at + 1).len() > 50, "byte {at}");
        }
    }
}

#[test]
fn nothing_of_the_value_is_stored() {
    let value = b"ada@example.org";
    for index in [None, Some("email")] {
        let sealed = seal(&keys(b"key", &[]), index, value);
        assert!(!sealed.windows(4).any(|part| value.windows(4).any(|other| part == other)));
    }
}

#[test]
fn the_number_of_a_key_follows_from_its_secret() {
    let number = |secret: &[u8]| seal(&keys(secret, &[]), None, b"").slice(1..5);
    assert_eq!(number(b"a"), number(b"a"));
    let secrets: Vec<_> = (0..1000).map(|secret: u32| secret.to_be_bytes()).collect();
    let numbers: HashSet<_> = secrets.iter().map(|secret| number(secret)).collect();
    assert_eq!(numbers.len(), secrets.len());
}

#[test]
fn equal_secrets_count_once() {
    let (a, b, c) = (&b"secret a"[..], &b"secret b"[..], &b"secret c"[..]);
    for (older, count) in
        [(vec![a], 1), (vec![b, a], 2), (vec![b, b], 2), (vec![b, c, b], 3), (vec![b, c], 3)]
    {
        let keys = EncryptionKeys::new(a, older).unwrap();
        assert_eq!(keys.beginnings("user", b"42").count(), count);
    }
}

#[test]
fn debug_shows_how_many_keys_there_are() {
    let keys = keys(b"key", &[b"older", b"oldest"]);
    assert_eq!(format!("{keys:?} {keys:#?}"), "EncryptionKeys(3 keys) EncryptionKeys(3 keys)");
}

#[test]
fn neither_version_passes_as_the_other() {
    let keys = keys(b"key", &[]);
    for value in [&b""[..], b"ada@example.org", &[7; 100]] {
        let (plain, indexed) = (seal(&keys, None, value), seal(&keys, Some("email"), value));
        let (number, digest) = (&plain[1..5], &indexed[5..21]);
        let as_plain = [&[0xF5], number].concat();
        let as_indexed = [&[0xF6], number].concat();
        for altered in [
            [&as_plain, &indexed[5..]].concat(),
            [&as_plain, &indexed[21..]].concat(),
            [&as_indexed, &plain[5..]].concat(),
            [&as_indexed, digest, &plain[5..]].concat(),
            [&as_indexed[..], &[0; 16][..], &plain[5..]].concat(),
        ] {
            assert_eq!(open(&keys, altered), Err(Unopened::Altered));
        }
    }
}

#[test]
fn a_beginning_fits_no_other_value_index_or_key() {
    let beginnings = |keys: &EncryptionKeys, index: &str, value: &[u8]| -> Vec<_> {
        keys.beginnings(index, value).collect()
    };
    let three = keys(b"new", &[b"old", b"oldest"]);
    let mut all = beginnings(&three, "email", b"ada");
    let alone = |secret: &[u8]| beginnings(&keys(secret, &[]), "email", b"ada");
    assert_eq!(all, [alone(b"new"), alone(b"old"), alone(b"oldest")].concat());
    for (index, value) in
        [("email", &b"bob"[..]), ("email", b""), ("mail", b"ada"), ("emaila", b"da")]
    {
        all.extend(beginnings(&three, index, value));
    }
    let different: HashSet<_> = all.iter().collect();
    assert_eq!(different.len(), 15);
    // The digest itself differs, and not the number of the key alone.
    let digests: HashSet<_> = all.iter().map(|beginning| &beginning[5..]).collect();
    assert_eq!(digests.len(), 15);
}

#[test]
fn only_whole_values_under_the_newest_key_have_it() {
    let (old, new) = (keys(b"old", &[]), keys(b"new", &[b"old"]));
    for index in [None, Some("email")] {
        assert!(new.has_newest_key(&seal(&new, index, b"value")));
        assert!(!new.has_newest_key(&seal(&old, index, b"value")));
    }
    let sealed = seal(&new, None, b"value");
    for not_sealed in [&b""[..], b"value", &sealed[..1], &sealed[..4], &sealed[1..]] {
        assert!(!new.has_newest_key(not_sealed), "{not_sealed:?}");
    }
}

#[test]
fn the_length_of_a_stored_value_is_known_before() {
    let keys = keys(b"key", &[]);
    for (block, index) in [(1, None), (1, Some("email")), (64, None), (64, Some("email"))] {
        let encryption = Encryption::new().pad(block);
        for length in [0, 1, 62, 63, 64, 1000] {
            let sealed = keys.seal(encryption, PLACE, index, &vec![7; length]).unwrap();
            assert_eq!(encryption.sealed_len(length, index.is_some()), sealed.len());
        }
    }
}

proptest! {
    #[test]
    fn every_value_comes_back(
        value in vec(any::<u8>(), 0..300),
        block in prop_oneof![20 => 0..80_u16, 1 => any::<u16>()],
        index in indexes(),
    ) {
        let (keys, encryption) = (keys(b"key", &[]), Encryption::new().pad(block));
        let sealed = keys.seal(encryption, PLACE, index, &value).unwrap();
        prop_assert_eq!(keys.open(encryption, PLACE, &sealed), Ok(value.clone().into()));
        // A block of another release.
        prop_assert_eq!(open(&keys, sealed.clone()), Ok(value.clone().into()));
        let begin = index.map_or(PLAIN_BEGIN, |_| INDEXED_BEGIN);
        let (padded, block) = (sealed.len() - begin - TAG_LEN, usize::from(block.max(1)));
        prop_assert_eq!(padded % block, 0);
        prop_assert!(padded > value.len() && padded <= value.len() + block);
    }

    #[test]
    fn no_altered_value_opens(
        value in vec(any::<u8>(), 0..100),
        index in indexes(),
        change in 1..=u8::MAX,
    ) {
        let keys = keys(b"key", &[]);
        let sealed = seal(&keys, index, &value);
        for at in 0..sealed.len() {
            let mut altered = sealed.to_vec();
            altered[at] ^= change;
            prop_assert!(open(&keys, altered).is_err(), "byte {}", at);
        }
    }

    #[test]
    fn no_shortened_or_extended_value_opens(
        value in vec(any::<u8>(), 0..100),
        index in indexes(),
        tail in vec(prop_oneof![Just(0), any::<u8>()], 1..80),
    ) {
        let keys = keys(b"key", &[]);
        let sealed = seal(&keys, index, &value);
        for cut in 1..sealed.len() {
            prop_assert_eq!(open(&keys, sealed.slice(..cut)), Err(Unopened::Altered));
            prop_assert!(open(&keys, sealed.slice(cut..)).is_err());
            let without_a_byte = [&sealed[..cut], &sealed[cut + 1..]].concat();
            prop_assert!(open(&keys, without_a_byte).is_err());
        }
        prop_assert_eq!(open(&keys, [&sealed[..], &tail].concat()), Err(Unopened::Altered));
        prop_assert!(open(&keys, [&tail[..], &sealed].concat()).is_err());
    }

    #[test]
    fn no_value_opens_in_another_place(
        identities in ("[a-z]{8}", "[a-z]{8}"),
        fields in ("[a-z]{0,12}", "[a-z]{0,12}"),
        index in indexes(),
    ) {
        prop_assume!(identities.0 != identities.1 && fields.0 != fields.1);
        let (keys, none) = (keys(b"key", &[]), Encryption::new());
        let here = place(&identities.0, &fields.0);
        let sealed = keys.seal(none, here, index, b"value").unwrap();
        prop_assert_eq!(keys.open(none, here, &sealed), Ok("value".into()));
        for (identity, field) in [
            (&identities.1, &fields.0),
            (&identities.0, &fields.1),
            (&identities.1, &fields.1),
            // A field's name begins after the identity.
            (&identities.0, &format!("{}{}", identities.0, fields.0)),
            (&identities.0, &format!("{}\0", fields.0)),
        ] {
            let opened = keys.open(none, place(identity, field), &sealed);
            prop_assert_eq!(opened, Err(Unopened::Altered));
        }
    }

    #[test]
    fn no_value_opens_under_another_key(
        secrets in (vec(any::<u8>(), 0..80), vec(any::<u8>(), 0..80)),
        index in indexes(),
    ) {
        prop_assume!(secrets.0 != secrets.1);
        let (key, other) = (keys(&secrets.0, &[]), keys(&secrets.1, &[]));
        let sealed = seal(&key, index, b"value");
        prop_assert_eq!(open(&other, sealed.clone()), Err(Unopened::UnknownKey));
        // With the number of the other key.
        let number = seal(&other, None, b"").slice(1..5);
        let renumbered = [&sealed[..1], &number, &sealed[5..]].concat();
        prop_assert_eq!(open(&other, renumbered.clone()), Err(Unopened::Altered));
        let both = keys(&secrets.1, &[&secrets.0]);
        prop_assert_eq!(open(&both, renumbered), Err(Unopened::Altered));
        prop_assert_eq!(open(&both, sealed), Ok("value".into()));
    }

    #[test]
    fn no_beginning_fits_the_rest_of_another_value(
        values in (vec(any::<u8>(), 0..50), vec(any::<u8>(), 0..50)),
        indexes in (indexes(), indexes()),
        at in 1..64_usize,
    ) {
        prop_assume!(values.0 != values.1);
        let keys = keys(b"key", &[]);
        let (one, two) = (seal(&keys, indexes.0, &values.0), seal(&keys, indexes.1, &values.1));
        if let (Some(begin), Some(rest)) = (one.get(..at), two.get(at..)) {
            let mixed = [begin, rest].concat();
            prop_assert_eq!(open(&keys, mixed.clone()).is_ok(), mixed == two);
        }
        // Every part that both have, in the place of the other's.
        let tag = (one.len() - TAG_LEN, one.len());
        for (begin, end) in [(0, 5), (5, 21), (21, 29), (29, 45), tag] {
            let mut mixed = one.to_vec();
            let Some(part) = two.get(begin..end) else { continue };
            mixed[begin..end].copy_from_slice(part);
            prop_assert_eq!(open(&keys, mixed.clone()).is_ok(), mixed == one);
        }
    }

    #[test]
    fn a_beginning_is_that_of_each_sealed_value(
        value in vec(any::<u8>(), 0..100),
        other in vec(any::<u8>(), 0..100),
        index in "[a-z_-]{1,20}",
        block in 0..80_u16,
    ) {
        let new = keys(b"new", &[b"old"]);
        let beginnings: Vec<_> = new.beginnings(&index, &value).collect();
        prop_assert!(beginnings.iter().all(|beginning| beginning.len() == 21));
        for (keys, beginning) in [&new, &keys(b"old", &[])].into_iter().zip(&beginnings) {
            let encryption = Encryption::new().pad(block);
            let stored = |value| keys.seal(encryption, PLACE, Some(&index), value).unwrap();
            prop_assert!(stored(&value).starts_with(beginning));
            prop_assert_eq!(stored(&other).starts_with(beginning), other == value);
            prop_assert!(!seal(keys, Some("Other"), &value).starts_with(beginning));
        }
    }

    #[test]
    fn only_accepted_plain_text_is_read(plain in vec(any::<u8>(), 0..100)) {
        let keys = keys(b"key", &[]);
        let is_text = !matches!(plain.first(), Some(0xF5 | 0xF6));
        prop_assert!(open(&keys, plain.clone()).is_err());
        let accepted = keys.open(Encryption::new().accept_plain(), PLACE, &plain.clone().into());
        prop_assert_eq!(accepted.ok(), is_text.then(|| plain.into()));
    }

    #[test]
    fn no_arbitrary_bytes_open(
        version in prop_oneof![Just(0xF5), Just(0xF6)],
        is_numbered: bool,
        bytes in vec(any::<u8>(), 0..100),
        accepts_plain: bool,
    ) {
        let keys = keys(b"key", &[]);
        let number = seal(&keys, None, b"").slice(1..5);
        let number = if is_numbered { &number[..] } else { &[] };
        let stored = [&[version], number, &bytes].concat().into();
        let encryption = Encryption::new();
        let encryption = if accepts_plain { encryption.accept_plain() } else { encryption };
        prop_assert!(keys.open(encryption, PLACE, &stored).is_err());
    }
}
