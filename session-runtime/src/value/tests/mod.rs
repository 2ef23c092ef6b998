//! Pinned encodings, in both directions.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::NonZero;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

mod times;
#[cfg(feature = "uuid")]
mod uuids;

/// Asserts that the value is written as `text`, and that `text` reads as the value.
#[track_caller]
fn pinned<T: FieldValue + PartialEq + Debug>(value: T, text: impl AsRef<[u8]>) {
    assert_eq!(value.encode().unwrap(), text.as_ref());
    assert_eq!(value.encode_stored().unwrap().as_deref(), Some(text.as_ref()));
    assert_eq!(T::decode(Bytes::copy_from_slice(text.as_ref())).unwrap(), value);
}

/// Asserts that the text reads as `value`, although the value is written differently.
#[track_caller]
fn reads<T: FieldValue + PartialEq + Debug>(text: &str, value: T) {
    assert_eq!(T::decode(Bytes::copy_from_slice(text.as_bytes())).unwrap(), value);
}

#[track_caller]
fn refuses<T: FieldValue + Debug>(texts: &[&str]) {
    for text in texts {
        let read = T::decode(Bytes::copy_from_slice(text.as_bytes()));
        assert!(read.is_err(), "{text:?} was read as {read:?}");
    }
}

#[test]
fn integers_are_pinned() {
    pinned(0u8, "0");
    pinned(u8::MAX, "255");
    pinned(u16::MAX, "65535");
    pinned(u32::MAX, "4294967295");
    pinned(u64::MAX, "18446744073709551615");
    pinned(u128::MAX, "340282366920938463463374607431768211455");
    pinned(usize::MAX, usize::MAX.to_string());
    pinned(i8::MIN, "-128");
    pinned(i16::MIN, "-32768");
    pinned(i32::MIN, "-2147483648");
    pinned(i64::MIN, "-9223372036854775808");
    pinned(i128::MIN, "-170141183460469231731687303715884105728");
    pinned(isize::MIN, isize::MIN.to_string());
    pinned(NonZero::<u32>::MIN, "1");
    pinned(NonZero::<i8>::MIN, "-128");
}

#[test]
fn an_integer_has_one_text() {
    const NO_INTEGERS: [&str; 22] = [
        "", " ", "-", "+", "+5", "-0", "--5", "00", "007", "-07", " 7", "7 ", "7\n", "1_000",
        "1,000", "1.0", "1e3", "0x10", "abc", "null", "True", "٣",
    ];
    refuses::<u8>(&NO_INTEGERS);
    refuses::<i64>(&NO_INTEGERS);
    refuses::<i128>(&NO_INTEGERS);
    refuses::<NonZero<u64>>(&NO_INTEGERS);
}

#[test]
fn a_number_that_the_type_cannot_hold_is_refused() {
    refuses::<u8>(&["256", "300", "-1", "18446744073709551616"]);
    refuses::<i8>(&["128", "-129"]);
    refuses::<u64>(&["-1", "18446744073709551616"]);
    refuses::<i64>(&["9223372036854775808", "-9223372036854775809"]);
    refuses::<u128>(&["340282366920938463463374607431768211456"]);
    refuses::<NonZero<u8>>(&["0", "256"]);
    refuses::<NonZero<i32>>(&["0"]);
    refuses::<f32>(&["1e39", "-3.5e38"]);
    refuses::<f64>(&["1e309", "-1e400"]);
}

#[test]
fn floats_are_pinned() {
    pinned(0.0f64, "0");
    pinned(3.0f64, "3");
    pinned(-0.5f64, "-0.5");
    pinned(0.1f64, "0.1");
    pinned(0.1f32, "0.1");
    pinned(1e16f64, "10000000000000000");
    pinned(1e-7f64, "0.0000001");
    pinned(f64::INFINITY, "inf");
    pinned(f32::NEG_INFINITY, "-inf");
    for (zero, text) in [(0.0f64, "0"), (-0.0, "-0")] {
        assert_eq!(zero.encode().unwrap(), text);
        assert_eq!(f64::decode(text.into()).unwrap().to_bits(), zero.to_bits());
    }
    for nan in [f64::NAN, -f64::NAN] {
        assert_eq!(nan.encode().unwrap(), "nan");
    }
    assert!(
        f64::decode("nan".into()).unwrap().is_nan() && f32::decode("nan".into()).unwrap().is_nan()
    );
}

/// The left column is Python's `repr`.
#[test]
fn floats_as_python_writes_them_are_read() {
    reads("0.0", 0.0);
    reads("3.0", 3.0);
    reads("1e+16", 1e16);
    reads("1.5e+300", 1.5e300);
    reads("1e-05", 1e-5);
    reads("5e-324", 5e-324);
    reads("1.7976931348623157e+308", f64::MAX);
    reads("9007199254740992.0", 9_007_199_254_740_992.0);
    reads("0.3333333333333333", 1.0 / 3.0);
    reads("1e+22", 1e22f32);
    // `HINCRBYFLOAT` of Redis writes up to 17 decimals.
    reads("0.33333333333333333", 1.0 / 3.0);
}

#[test]
fn invalid_floats_are_refused() {
    const NO_FLOATS: [&str; 17] = [
        "", " ", "-", ".", "e", "1e", "1 ", " 1", "1_0.0", "1,5", "0x1p3", "Infinity", "NaN",
        "-nan", "+inf", "null", "1.0.0",
    ];
    refuses::<f32>(&NO_FLOATS);
    refuses::<f64>(&NO_FLOATS);
}

#[test]
fn text_truth_and_bytes_are_pinned() {
    pinned(true, "True");
    pinned(false, "False");
    pinned(String::new(), "");
    pinned(String::from("\"é\0\n"), "\"é\0\n");
    pinned(Cow::Borrowed("fixed"), "fixed");
    pinned(Cow::<str>::Owned("owned".into()), "owned");
    pinned(vec![0u8, 255], [0, 255]);
    pinned(Bytes::from_static(&[0, 255]), [0, 255]);
    pinned('é', "é");
    pinned(IpAddr::V6(Ipv6Addr::LOCALHOST), "::1");
    pinned(Ipv4Addr::LOCALHOST, "127.0.0.1");
    pinned(Ipv6Addr::UNSPECIFIED, "::");
    pinned(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 80), "127.0.0.1:80");
    pinned(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 0, 3), "[::1%3]:80");
    pinned(SocketAddr::from(([127, 0, 0, 1], 80)), "127.0.0.1:80");
}

#[test]
fn accepts_the_listed_spellings_of_booleans_only() {
    for text in ["True", "true", "1"] {
        reads(text, true);
    }
    for text in ["False", "false", "0"] {
        reads(text, false);
    }
    refuses::<bool>(&["", "TRUE", "yes", "2", "None", "null", " True", "\"true\""]);
}

/// The text would lose the flow label.
#[test]
fn an_address_with_a_flow_label_is_refused() {
    let address = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 1, 0);
    assert!(address.encode().is_err() && SocketAddr::V6(address).encode().is_err());
}

#[test]
fn a_character_is_exactly_one() {
    refuses::<char>(&["", "ab", "e\u{301}"]);
}

#[test]
fn text_that_is_not_utf_8_is_refused() {
    let bytes = Bytes::from_static(&[b'a', 0xff]);
    assert!(String::decode(bytes.clone()).is_err());
    assert!(Cow::decode(bytes.clone()).is_err());
    assert!(char::decode(bytes.slice(1..)).is_err());
}

#[test]
fn decoding_takes_the_buffer_over() {
    let stored = Bytes::from(b"a text of some length".to_vec());
    let at = stored.as_ptr();
    assert_eq!(Bytes::decode(stored.clone()).unwrap().as_ptr(), at);
    let text = String::decode(stored).unwrap();
    assert_eq!(text.as_ptr(), at);

    let fixed = "fixed";
    assert_eq!(Cow::Borrowed(fixed).encode().unwrap().as_ptr(), fixed.as_ptr());
}

#[test]
fn absent_null_and_empty_stay_distinct() {
    let name = FieldSpec::<Option<String>>::value("name");
    assert_eq!(name.read(None).unwrap(), None);
    assert_eq!(name.read(Some("null".into())).unwrap().unwrap(), "null");
    assert_eq!(name.read(Some(Bytes::new())).unwrap().unwrap(), "");
    assert_eq!(name.write(&None).unwrap(), None);
    assert_eq!(name.write(&Some(String::new())).unwrap(), Some(Bytes::new()));

    let age = FieldSpec::<Option<u8>>::value("age");
    assert!(age.read(Some("null".into())).unwrap_err().is_decode());
    assert!(age.read(Some(Bytes::new())).unwrap_err().is_decode());

    let json = FieldSpec::<Option<serde_json::Value>>::json_option("json");
    assert_eq!(json.read(Some("null".into())).unwrap(), Some(serde_json::Value::Null));
    assert_eq!(json.write(&Some(serde_json::Value::Null)).unwrap().unwrap(), "null");
    assert_eq!(json.write(&None).unwrap(), None);
}

/// The behaviour of serde, and of Python and JavaScript as writers. The derive may or may not know
/// that the type is an `Option`.
#[test]
fn null_in_json_is_none() {
    let known = FieldSpec::<Option<u8>>::json_option_or("json", || Some(1));
    let alias = FieldSpec::<Option<u8>>::json_or("json", || Some(1));
    for spec in [known, alias] {
        for null in ["null", " null\n"] {
            assert_eq!(spec.read(Some(null.into())).unwrap(), None);
        }
        assert_eq!(spec.read(Some("7".into())).unwrap(), Some(7));
        assert_eq!(spec.read(None).unwrap(), Some(1));
        for other in ["", "nul", "null0", "[null]", "\"null\""] {
            assert!(spec.read(Some(other.into())).unwrap_err().is_decode(), "{other}");
        }
    }
    assert!(FieldSpec::<u8>::json("json").read(Some("null".into())).unwrap_err().is_decode());
}

#[test]
fn missing_fields_are_the_types_own_default() {
    assert_eq!(FieldSpec::<u128>::value("f").read(None).unwrap(), 0);
    assert_eq!(FieldSpec::<f32>::value("f").read(None).unwrap(), 0.0);
    assert!(!FieldSpec::<bool>::value("f").read(None).unwrap());
    assert_eq!(FieldSpec::<Cow<'static, str>>::value("f").read(None).unwrap(), "");
    assert_eq!(FieldSpec::<Bytes>::value("f").read(None).unwrap(), Bytes::new());
    assert_eq!(FieldSpec::<Option<char>>::value("f").read(None).unwrap(), None);
    assert_eq!(FieldSpec::<char>::value_or("f", || 'x').read(None).unwrap(), 'x');
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Properties {
    colour: String,
    sizes: Vec<u32>,
    note: Option<String>,
}

#[test]
fn json_is_pinned_and_pythons_is_read() {
    let value = Properties { colour: "é\u{2028}".into(), sizes: vec![1, 2], note: None };
    let text = "{\"colour\":\"é\u{2028}\",\"sizes\":[1,2],\"note\":null}";
    assert_eq!(json::encode_some(&value).unwrap().unwrap(), text);
    assert_eq!(json::decode::<Properties>(text.into()).unwrap(), value);
    let python = r#"{"colour": "\u00e9\u2028", "sizes": [1, 2]}"#;
    assert_eq!(json::decode::<Properties>(python.into()).unwrap(), value);
}

/// The limit is the length of the longest exact text.
#[test]
fn the_text_of_a_float_has_a_longest_length() {
    let exact = |number: f64| format!("{number:.1074}");
    let smallest = -f64::from_bits(1);
    assert_eq!(exact(smallest).len(), 1_077);
    assert_eq!(f64::decode(exact(smallest).into()).unwrap(), smallest);
    refuses::<f64>(&[
        &(exact(smallest) + "0"),
        &"1".repeat(1_078),
        &format!("1e{}1", "0".repeat(1_076)),
    ]);
    refuses::<f32>(&[&(exact(smallest) + "0"), &format!("16777217.{}1", "0".repeat(80_000))]);
}

#[test]
fn deep_json_is_an_error() {
    assert!(json::decode::<serde_json::Value>("[".repeat(1 << 20).into()).is_err());
}

#[test]
fn values_that_json_cannot_represent_are_an_encode_error() {
    let spec = FieldSpec::<BTreeMap<Vec<u8>, u8>>::json("map");
    let error = spec.write(&BTreeMap::from([(b"HUNTER2".to_vec(), 1)])).unwrap_err();
    assert!(error.is_encode());
    assert_shows_no_value(&error);
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
enum Shape {
    #[default]
    Empty,
    Round(f64),
    Oval(f64, f32),
    Square {
        side: f64,
    },
    Of(Box<Shape>),
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Floats {
    plain: f64,
    single: f32,
    optional: Option<f64>,
    list: Vec<f64>,
    pair: (u8, f32),
    map: BTreeMap<String, f64>,
    shape: Shape,
    #[serde(flatten)]
    more: BTreeMap<String, Newtype>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Newtype(f64);

fn is_encode<T: Serialize + serde::de::DeserializeOwned>(value: T) -> bool {
    const fn no_default<T>() -> T {
        panic!("it is not read")
    }
    FieldSpec::json_or("json", no_default::<T>).write(&value).is_err_and(|error| error.is_encode())
}

#[test]
fn a_float_that_json_has_no_text_for_is_an_encode_error() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(is_encode(number) && is_encode(number as f32) && is_encode(vec![0.0, number]));
        let option = FieldSpec::<Option<f64>>::json_option("json");
        assert!(option.write(&Some(number)).unwrap_err().is_encode());
        let shapes = [
            Shape::Round(number),
            Shape::Oval(number, 1.0),
            Shape::Oval(1.0, number as f32),
            Shape::Square { side: number },
            Shape::Of(Box::new(Shape::Round(number))),
        ];
        let of_shape = |shape| Floats { shape, ..Floats::default() };
        let others = [
            Floats { plain: number, ..Floats::default() },
            Floats { single: number as f32, ..Floats::default() },
            Floats { optional: Some(number), ..Floats::default() },
            Floats { list: vec![number], ..Floats::default() },
            Floats { pair: (1, number as f32), ..Floats::default() },
            Floats { map: BTreeMap::from([("a".into(), number)]), ..Floats::default() },
            Floats { more: BTreeMap::from([("b".into(), Newtype(number))]), ..Floats::default() },
        ];
        for value in shapes.map(of_shape).into_iter().chain(others) {
            assert!(is_encode(value.clone()), "{value:?}");
        }
    }
}

#[test]
fn json_that_is_written_reads_as_the_same_value() {
    let shapes = [
        Shape::Empty,
        Shape::Round(0.1),
        Shape::Oval(1e300, -0.0),
        Shape::Square { side: f64::MIN_POSITIVE },
        Shape::Of(Box::new(Shape::Of(Box::new(Shape::Empty)))),
    ];
    for shape in shapes {
        let value = Floats {
            plain: f64::MAX,
            single: f32::MIN_POSITIVE,
            optional: None,
            list: vec![1.0, 2.5],
            pair: (1, 0.5),
            map: BTreeMap::from([("a".into(), 1.0)]),
            shape,
            more: BTreeMap::from([("b".into(), Newtype(1.0))]),
        };
        let text = json::encode_some(&value).unwrap().unwrap();
        assert_eq!(text, serde_json::to_vec(&value).unwrap(), "as it is written without us");
        assert_eq!(json::decode::<Floats>(text).unwrap(), value);
    }
}

/// The depth that can be read is also the limit for writing.
#[test]
fn json_too_deep_to_be_read_is_an_encode_error() {
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct List(Vec<List>);
    let list = |depth| (1..depth).fold(List::default(), |inner, _| List(vec![inner]));
    let shape = |depth| (0..depth).fold(Shape::Empty, |inner, _| Shape::Of(Box::new(inner)));
    let text = json::encode_some(&list(127)).unwrap().unwrap();
    assert_eq!(json::decode::<List>(text).unwrap(), list(127));
    let text = json::encode_some(&shape(127)).unwrap().unwrap();
    assert_eq!(json::decode::<Shape>(text).unwrap(), shape(127));
    assert!(is_encode(list(128)) && is_encode(shape(128)) && is_encode(list(1_000)));
    assert!(json::decode::<List>(serde_json::to_vec(&list(128)).unwrap().into()).is_err());
}

#[test]
fn errors_name_field_and_type_and_never_the_value() {
    let stored = || Some(Bytes::from_static(b"\"HUNTER2\""));
    let errors = [
        FieldSpec::<u8>::value("secret").read(stored()).unwrap_err(),
        FieldSpec::<f64>::value("secret").read(stored()).unwrap_err(),
        FieldSpec::<bool>::value("secret").read(stored()).unwrap_err(),
        FieldSpec::<Option<char>>::value("secret").read(stored()).unwrap_err(),
        FieldSpec::<Option<IpAddr>>::value("secret").read(stored()).unwrap_err(),
        FieldSpec::<u8>::json("secret").read(stored()).unwrap_err(),
        FieldSpec::<bool>::json("secret").read(Some("HUNTER2".into())).unwrap_err(),
        FieldSpec::<String>::value("secret")
            .read(Some(Bytes::from_static(b"HUNTER2\xff")))
            .unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_decode() && error.to_string().contains("`secret`"), "{error}");
        assert_shows_no_value(&error);
    }
    assert_eq!(format!("{:?}", InvalidValue::new("why")), "InvalidValue(\"why\")");
    let error = FieldSpec::<Option<u8>>::value("age").read(Some("300".into())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the stored field `age` is not a valid `core::option::Option<u8>`"
    );
    assert_eq!(error.source().unwrap().to_string(), "an integer out of the range of u8");
}

#[test]
fn a_field_knows_how_long_it_is_kept() {
    const SPEC: FieldSpec<u8> =
        FieldSpec::value("new").with_alias("old").with_ttl(Duration::from_secs(300));
    assert_eq!(
        (SPEC.name(), SPEC.alias(), SPEC.ttl()),
        ("new", Some("old"), Some(Duration::from_secs(300)))
    );
    assert_eq!(FieldSpec::<u8>::value("new").ttl(), None);
}

#[test]
fn a_lenient_field_reads_as_its_default() {
    let spec = FieldSpec::<u8>::value_or("age", || 18).default_on_decode_error();
    assert_eq!(spec.read(Some("300".into())).unwrap(), 18);
    assert_eq!(spec.read(Some("20".into())).unwrap(), 20);
    assert_eq!(spec.read(None).unwrap(), 18);
}

fn assert_shows_no_value(error: &crate::Error) {
    let source = error.source().unwrap();
    assert!(source.is::<InvalidValue>() && source.source().is_none());
    let shown = format!("{error} {error:?} {source} {source:?}");
    assert!(!shown.contains("HUNTER2"), "{shown}");
}

#[test]
fn setters_accept_the_listed_types() {
    fn set<T: Clone>(value: impl IntoField<T>) -> T {
        IntoField::with_value(value, T::clone)
    }
    assert_eq!(set::<u64>(3), 3);
    assert_eq!(set::<u64>(&3), 3);
    assert_eq!(set::<Option<u32>>(3), Some(3));
    assert_eq!(set::<Option<u32>>(Some(3)), Some(3));
    assert_eq!(set::<Option<u32>>(None), None);
    assert_eq!(set::<String>("x"), "x");
    assert_eq!(set::<String>(&String::from("x")), "x");
    assert_eq!(set::<Option<String>>("x").unwrap(), "x");
    assert_eq!(set::<Option<String>>(&String::from("x")).unwrap(), "x");
    assert_eq!(set::<Option<String>>(String::from("x")).unwrap(), "x");
    assert_eq!(set::<Vec<u8>>(b"x"), b"x");
    assert_eq!(set::<Vec<u8>>(&b"x"[..]), b"x");
}

macro_rules! each_way_round {
    ($($name:ident: $type:ty),* $(,)?) => {
        proptest! {$(
            #[test]
            fn $name(value: $type) {
                prop_assert_eq!(<$type>::decode(value.encode().unwrap()).unwrap(), value);
            }
        )*}
    };
}

each_way_round! {
    u8_comes_back: u8,
    u16_comes_back: u16,
    u32_comes_back: u32,
    u64_comes_back: u64,
    u128_comes_back: u128,
    usize_comes_back: usize,
    i8_comes_back: i8,
    i16_comes_back: i16,
    i32_comes_back: i32,
    i64_comes_back: i64,
    i128_comes_back: i128,
    isize_comes_back: isize,
    bool_comes_back: bool,
    string_comes_back: String,
    bytes_come_back: Vec<u8>,
    char_comes_back: char,
    address_comes_back: IpAddr,
}

/// Every value that is read from these bytes is written as the same bytes, unless the type also
/// reads other spellings.
fn reads_one_spelling<T: FieldValue>(stored: &Bytes) -> Result<(), TestCaseError> {
    if let Ok(value) = T::decode(stored.clone()) {
        prop_assert_eq!(&value.encode().unwrap(), stored);
    }
    Ok(())
}

fn never_panics(stored: &Bytes) -> Result<(), TestCaseError> {
    reads_one_spelling::<u8>(stored)?;
    reads_one_spelling::<u128>(stored)?;
    reads_one_spelling::<i64>(stored)?;
    reads_one_spelling::<NonZero<i16>>(stored)?;
    reads_one_spelling::<String>(stored)?;
    reads_one_spelling::<Cow<'static, str>>(stored)?;
    reads_one_spelling::<Vec<u8>>(stored)?;
    reads_one_spelling::<Bytes>(stored)?;
    reads_one_spelling::<char>(stored)?;
    let _ =
        (f32::decode(stored.clone()), f64::decode(stored.clone()), bool::decode(stored.clone()));
    let _ = (IpAddr::decode(stored.clone()), SocketAddr::decode(stored.clone()));
    let _ = json::decode::<serde_json::Value>(stored.clone());
    Ok(())
}

proptest! {
    #[test]
    fn f64_comes_back_bit_by_bit(bits: u64) {
        let value = f64::from_bits(bits);
        let back = f64::decode(value.encode().unwrap()).unwrap();
        prop_assert!(back.to_bits() == bits || value.is_nan() && back.is_nan());
    }

    #[test]
    fn f32_comes_back_bit_by_bit(bits: u32) {
        let value = f32::from_bits(bits);
        let back = f32::decode(value.encode().unwrap()).unwrap();
        prop_assert!(back.to_bits() == bits || value.is_nan() && back.is_nan());
    }

    #[test]
    fn json_comes_back(colour: String, sizes: Vec<u32>, note: Option<String>) {
        let value = Properties { colour, sizes, note };
        let text = json::encode_some(&value).unwrap().unwrap();
        prop_assert_eq!(json::decode::<Properties>(text).unwrap(), value);
    }

    #[test]
    fn floats_in_json_come_back_to_the_last_bit(number in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL) {
        let text = json::encode_some(&vec![number]).unwrap().unwrap();
        prop_assert_eq!(json::decode::<Vec<f64>>(text).unwrap(), [number]);
    }

    #[test]
    fn any_bytes_are_read_or_refused(stored: Vec<u8>) {
        never_panics(&stored.into())?;
    }

    #[test]
    fn anything_like_a_number_is_read_or_refused(stored in "[-+.eE_0-9a-f ]{0,45}") {
        never_panics(&stored.into())?;
    }
}
