//! Types that `#[derive(FieldValue)]` accepts, and the stored values.

#![deny(warnings)]
#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::fmt::Debug;

use session_runtime::field::FieldDefault;
use session_runtime::{Bytes, FieldValue, Schema, Session};

#[track_caller]
fn pinned<T: FieldValue + Debug + PartialEq>(value: T, text: &'static str) {
    assert_eq!(value.encode().unwrap(), text);
    assert_eq!(T::decode(Bytes::from_static(text.as_bytes())).unwrap(), value);
}

#[derive(Debug, PartialEq, FieldValue)]
enum Plain {
    First,
    SecondOne,
    #[allow(non_camel_case_types, reason = "as in the stored data")]
    r#type,
    #[session(rename = "")]
    Empty,
    #[session(rename = "é \"\n")]
    Other = 17,
}

#[test]
fn variants_are_stored_under_their_names() {
    pinned(Plain::First, "First");
    pinned(Plain::SecondOne, "SecondOne");
    pinned(Plain::r#type, "type");
    pinned(Plain::Empty, "");
    pinned(Plain::Other, "é \"\n");
}

#[test]
fn unknown_variants_are_refused_without_quoting_them() {
    for text in ["HUNTER2", "first", "First ", "\"First\"", "0", "None"] {
        let error = Plain::decode(text.into()).unwrap_err();
        assert_eq!(error.to_string(), "expected one of `First`, `SecondOne`, `type`, ``, `é \"\n`");
    }
}

#[test]
fn variants_may_be_renamed() {
    #[derive(Debug, PartialEq, FieldValue)]
    #[session(rename_all = "SCREAMING_SNAKE_CASE", crate = session_runtime)]
    enum Theme {
        #[session(default)]
        VeryLight,
        #[session(rename = "night")]
        Dark,
    }
    pinned(Theme::VeryLight, "VERY_LIGHT");
    pinned(Theme::Dark, "night");
    assert_eq!(Theme::field_default(), Theme::VeryLight);
}

#[derive(Debug, PartialEq, FieldValue)]
struct UserId(u64);

#[derive(Debug, PartialEq, FieldValue)]
struct Of<T, const N: usize = 1>(T);

/// `char` has no default, and neither has this type.
#[derive(Debug, PartialEq, FieldValue)]
struct Letter(char);

#[derive(Debug, PartialEq, FieldValue)]
struct Nested(Of<UserId>);

#[test]
fn newtypes_are_stored_as_their_field() {
    pinned(UserId(17), "17");
    pinned(Of::<_, 3>(String::from("x")), "x");
    pinned(Letter('é'), "é");
    pinned(Nested(Of(UserId(3))), "3");
    assert!(UserId::decode("-1".into()).is_err());
    assert_eq!(
        (UserId::field_default(), Of::<String>::field_default()),
        (UserId(0), Of(String::new()))
    );
    assert_eq!(Nested::field_default(), Nested(Of(UserId(0))));
}

#[test]
fn enums_and_newtypes_are_field_types() {
    #[derive(Session)]
    struct Visitor<T> {
        user: UserId,
        letter: Option<Letter>,
        #[session(default = Plain::First)]
        plain: Plain,
        of: Of<T>,
    }
    assert_eq!(Visitor::<u8>::STORED_NAMES, ["user", "letter", "plain", "of"]);
}
