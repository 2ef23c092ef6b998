//! Structs that the macro accepts, and the stored names of the fields.

#![deny(warnings)]

use std::future::IntoFuture;

use serde::{Deserialize, Serialize};
use session_runtime::field::{Encrypted, Plain};
use session_runtime::{Error, Field, Schema, Session};

#[derive(Default, Serialize, Deserialize)]
struct Properties {
    colour: String,
}

#[test]
fn fields_are_stored_under_their_names() {
    #[derive(Session)]
    struct Visitor {
        count: u64,
        name: String,
        age: Option<u32>,
        #[session(json)]
        properties: Properties,
    }
    assert_eq!(Visitor::STORED_NAMES, ["count", "name", "age", "properties"]);
}

#[test]
fn a_schema_knows_whether_a_field_expires() {
    #[derive(Session)]
    #[session(prefix = "v.")]
    struct Visitor {
        #[session(ttl = "1500ms", alias = "f", json)]
        flash: Option<String>,
    }
    #[derive(Session)]
    struct Lasting {
        #[session(alias = "c")]
        count: u64,
    }
    let (expires, lasts) = (Visitor::HAS_TTL, Lasting::HAS_TTL);
    assert!(expires && !lasts);
    assert_eq!(Visitor::READ_NAMES, ["v.flash", "f"]);
    assert_eq!(Lasting::READ_NAMES, ["count", "c"]);
}

#[test]
fn a_schema_knows_whether_all_fields_are_cached() {
    #[derive(Session)]
    #[session(cached)]
    struct All {
        #[session(index)]
        user: Option<u64>,
        #[session(cached, json, alias = "former")]
        list: Vec<u64>,
    }
    #[derive(Session)]
    #[session(cached = true)]
    struct AllButFlash {
        theme: String,
        #[session(ttl = "5m", cached = false)]
        flash: Option<String>,
    }
    #[derive(Session)]
    #[session(cached = false)]
    struct One {
        #[session(cached = true)]
        theme: String,
        is_admin: bool,
    }
    #[derive(Session)]
    #[session(cached)]
    struct Nothing {}

    let (all, all_but_flash) = (All::CACHED, AllButFlash::CACHED);
    assert!(all && !all_but_flash);
    let (one, nothing) = (One::CACHED, Nothing::CACHED);
    assert!(!one && !nothing);
}

#[test]
fn a_macro_may_write_the_value_of_cached() {
    macro_rules! schema {
        ($name:ident, $cached:literal) => {
            #[derive(Session)]
            struct $name {
                #[session(cached = $cached)]
                theme: String,
            }
        };
    }
    schema!(Cached, true);
    schema!(Asked, false);
    let (cached, asked) = (Cached::CACHED, Asked::CACHED);
    assert!(cached && !asked);
}

#[test]
fn sessions_are_found_by_an_indexed_field() {
    #[derive(Session)]
    #[session(prefix = "v.")]
    struct Auth {
        #[session(index)]
        user: Option<u64>,
        #[session(index(name = "org", by = "of_tenant"), alias = "tenant", rename = "t")]
        tenant: Option<String>,
        #[session(index(by = "r#in"), on_decode_error = "default")]
        r#type: Option<Vec<u8>>,
        #[session(index())]
        id: Option<std::num::NonZero<u8>>,
        count: u64,
    }
    #[derive(Session)]
    struct Generic<T, const N: usize> {
        #[session(index)]
        value: Option<T>,
        #[session(json)]
        list: Vec<Vec<T>>,
    }

    let indexed = [("v.user", "v.user"), ("org", "v.t"), ("v.type", "v.type"), ("v.id", "v.id")];
    assert_eq!(Auth::INDEXED, indexed);
    assert!(Generic::<bool, 2>::INDEXED == [("value", "value")]);
    let queries = (Auth::by_user(42), Auth::of_tenant("a"), Auth::r#in(b"a"));
    let of_generic = Generic::<String, 2>::by_value("a");
    let shown = format!("{:?}", (queries, Auth::by_id(std::num::NonZero::<u8>::MIN), of_generic));
    for (index, _) in indexed {
        assert!(shown.contains(&format!("{index:?}")), "{shown}");
    }
}

#[test]
fn encrypted_fields_take_all_other_attributes() {
    #[derive(Session)]
    #[session(prefix = "a.", cached, on_decode_error = "default")]
    struct Account<T> {
        #[session(encrypt)]
        email: String,
        #[session(encrypt(write_plain), rename = "p", default = "030".to_owned())]
        phone: String,
        #[session(encrypt(accept_plain,), json, on_decode_error = "error")]
        list: Vec<T>,
        #[session(encrypt(pad = 2), with = bytes)]
        key: [u8; 2],
        #[session(encrypt(pad = 0xFFFF, accept_plain), alias = "number", index(name = "customer"))]
        customer: Option<u64>,
        #[session(encrypt(pad = 1_024))]
        #[session(cached = false, ttl = "5m")]
        r#type: Option<T>,
        plain: u8,
    }

    async fn uses(session: &Session<Account<u8>>) -> Result<Field<'_, String, Encrypted>, Error> {
        session.set_email("a@example.org").await?;
        session.set_type(None).await?;
        session.read((session.email(), session.plain(), session.list().fresh())).await?;
        let write = session.write().set(session.phone(), "040").remove(session.key());
        write.set(session.plain(), 1).commit().await?;
        let plain: Field<'_, u8, Plain> = session.plain();
        plain.incr(1).await?;
        let _ = Account::<u8>::by_customer(42);
        Ok(session.email())
    }

    assert_eq!(Account::<u8>::READ_NAMES[4..6], ["a.customer", "number"]);
    let shown = format!("{:?}", Account::<u8>::ENCRYPTED);
    for (stored, alias, index, block, reads, writes) in [
        ("a.email", "None", "None", 1, false, false),
        ("a.p", "None", "None", 1, true, true),
        ("a.list", "None", "None", 1, true, false),
        ("a.key", "None", "None", 2, false, false),
        ("a.customer", r#"Some("number")"#, r#"Some("customer")"#, 65535, true, false),
        ("a.type", "None", "None", 1024, false, false),
    ] {
        let options = format!("block: {block}, accepts_plain: {reads}, writes_plain: {writes}");
        let entry = format!(
            "{{ stored: {stored:?}, alias: {alias}, index: {index}, encryption: Some(Encryption \
             {{ {options} }}) }}"
        );
        assert!(shown.contains(&entry), "{entry} in {shown}");
    }
    assert_eq!(Account::<u8>::ENCRYPTED.len(), 6);
    let _ = uses;
}

/// A codec of two bytes.
mod bytes {
    use session_runtime::{Bytes, InvalidValue};

    pub(crate) fn decode(stored: Bytes) -> Result<[u8; 2], InvalidValue> {
        stored.as_ref().try_into().map_err(|_| InvalidValue::new("not two bytes"))
    }

    pub(crate) fn encode(value: &[u8; 2]) -> Result<Bytes, InvalidValue> {
        Ok(Bytes::copy_from_slice(value))
    }
}

#[test]
fn a_macro_may_write_the_padding() {
    macro_rules! schema {
        ($name:ident, $pad:literal, $type:ty) => {
            #[derive(Session)]
            struct $name {
                #[session(encrypt(pad = $pad))]
                email: $type,
            }
        };
    }
    schema!(Padded, 64, Option<String>);
    assert!(format!("{:?}", Padded::ENCRYPTED).contains("block: 64"));
}

#[test]
fn a_struct_without_fields_is_a_schema() {
    #[derive(Session)]
    struct Nothing {}
    assert!(Nothing::STORED_NAMES.is_empty());
}

#[test]
fn raw_identifiers_are_stored_without_their_prefix() {
    #[derive(Session)]
    struct r#Loop {
        r#type: String,
        r#match: u8,
    }

    async fn handler(session: Session<r#Loop>) -> Result<u8, Error> {
        session.set_type("a").await?;
        session.set_match(session.r#match().await?).await?;
        session.r#match().await
    }

    assert_eq!(r#Loop::STORED_NAMES, ["type", "match"]);
    let _ = handler;
    let _: Option<LoopFields> = None;
}

#[test]
fn one_field_may_be_renamed() {
    #[derive(Session)]
    struct Visitor {
        #[session(rename = "visitor.count")]
        count: u64,
        #[session(rename = "clear")]
        wipe: bool_as_json::Bool,
        #[session(rename = "x", json, default = vec![1, 2])]
        many: Vec<u64>,
    }
    assert_eq!(Visitor::STORED_NAMES, ["visitor.count", "clear", "x"]);
}

/// A user's own type.
mod bool_as_json {
    use session_runtime::field::FieldDefault;
    use session_runtime::{Bytes, FieldValue, InvalidValue};

    pub(crate) struct Bool;

    impl FieldValue for Bool {
        fn decode(_: Bytes) -> Result<Self, InvalidValue> {
            Ok(Self)
        }

        fn encode(&self) -> Result<Bytes, InvalidValue> {
            Ok(Bytes::new())
        }
    }

    impl FieldDefault for Bool {
        fn field_default() -> Self {
            Self
        }
    }
}

#[test]
fn rename_all_renames_all_fields_without_rename() {
    #[derive(Session)]
    #[session(rename_all = "SCREAMING-KEBAB-CASE")]
    struct Visitor {
        first_seen: u64,
        #[session(rename = "last_seen")]
        last_seen: u64,
        r#type: u8,
    }
    assert_eq!(Visitor::STORED_NAMES, ["FIRST-SEEN", "last_seen", "TYPE"]);
}

#[test]
fn the_companion_has_the_name_that_it_is_given() {
    #[derive(Session)]
    #[session(fields = "Parts", crate = session_runtime)]
    struct Visitor {
        count: u64,
    }

    fn count(parts: &Parts) -> Field<'_, u64> {
        parts.count()
    }

    fn through_session(session: &Session<Visitor>) -> Field<'_, u64> {
        count(session)
    }

    let _ = through_session;
}

#[test]
fn attributes_may_stand_apart() {
    #[derive(Session)]
    #[session(rename_all = "camelCase")]
    #[session(fields = "Parts")]
    #[session()]
    struct Visitor {
        #[session(json)]
        #[session(default = Properties { colour: "red".to_owned() })]
        #[session(rename = "p")]
        all_properties: Properties,
    }
    assert_eq!(Visitor::STORED_NAMES, ["p"]);
}

#[test]
fn types_may_mention_self_and_parameters() {
    #[derive(Serialize, Deserialize, Session)]
    struct Node<T>
    where
        T: Clone,
    {
        #[session(json)]
        next: Option<Box<Node<u8>>>,
        #[session(json)]
        items: Vec<T>,
        last: Option<u32>,
    }

    #[derive(Default, Serialize, Deserialize, Session)]
    struct Tree {
        #[session(json)]
        children: Vec<Self>,
        #[session(json)]
        parent: Option<Box<Self>>,
    }

    fn children(session: &Session<Tree>) -> Field<'_, Vec<Tree>> {
        session.children()
    }

    assert_eq!(Node::<String>::STORED_NAMES, ["next", "items", "last"]);
    assert_eq!(Tree::STORED_NAMES, ["children", "parent"]);
    let _ = children;
}

#[test]
fn a_declarative_macro_may_write_the_struct() {
    macro_rules! session {
        ($name:ident { $($field:ident: $type:ty = $default:expr, stored $stored:literal;)* }) => {
            #[derive(Session)]
            struct $name {
                $(#[session(rename = $stored, default = $default)] $field: $type,)*
            }
        };
    }
    session!(Visitor { count: u64 = 3, stored "c"; name: Option<String> = None, stored "n"; });
    assert_eq!(Visitor::STORED_NAMES, ["c", "n"]);

    macro_rules! json {
        ($($field:ident: $type:ty),*) => {
            #[derive(Session)]
            struct AsJson { $(#[session(json)] $field: $type),* }
        };
    }
    json!(maybe: Option<std::net::Ipv4Addr>, list: Vec<u8>);
    assert_eq!(AsJson::STORED_NAMES, ["maybe", "list"]);

    macro_rules! indexed {
        ($($field:ident: $type:ty, $name:literal, $by:literal);*) => {
            #[derive(Session)]
            struct Indexed {
                $(#[session(index(name = $name, by = $by))] $field: Option<$type>),*
            }
            #[derive(Session)]
            struct ByDefault { $(#[session(index)] $field: Option<$type>),* }
        };
    }
    indexed!(user: u64, "u", "find"; host: std::net::Ipv4Addr, "h", "of_host");
    assert_eq!(Indexed::INDEXED, [("u", "user"), ("h", "host")]);
    let _ = (Indexed::find(1), Indexed::of_host(std::net::Ipv4Addr::LOCALHOST));
    let _ = (ByDefault::by_user(1), ByDefault::by_host(std::net::Ipv4Addr::LOCALHOST));
}

#[test]
fn fields_and_operations_can_cross_threads() {
    #[derive(Session)]
    struct Generic<T> {
        #[session(json)]
        value: Option<T>,
    }

    fn send_and_sync<T: Send + Sync + 'static>() {}
    fn send(_: impl Send) {}

    fn uses(session: &Session<Generic<String>>) {
        send(session.value().into_future());
        send(session.set_value("x".to_owned()));
    }

    send_and_sync::<GenericFields<std::rc::Rc<()>>>();
    let _ = uses;
}

#[test]
fn deprecated_and_hidden_fields_have_methods_like_them() {
    #[derive(Session)]
    #[allow(non_snake_case, reason = "as in the stored data")]
    struct Visitor {
        #[deprecated]
        old: u8,
        #[deprecated]
        #[session(index)]
        former: Option<u8>,
        /// Documented.
        #[doc(hidden)]
        hidden: u8,
        camelCase: u8,
    }

    #[allow(deprecated, reason = "it is what is tested")]
    fn uses(session: &Session<Visitor>) -> Field<'_, u8> {
        session.old()
    }

    assert_eq!(Visitor::STORED_NAMES, ["old", "former", "hidden", "camelCase"]);
    let _ = uses;
}

#[test]
fn allowed_lints_are_allowed_in_the_companion() {
    #[deprecated]
    #[derive(Default, Serialize, Deserialize)]
    struct Old;

    #[derive(Session)]
    #[allow(non_camel_case_types, reason = "as it is called elsewhere")]
    struct visitor_v2 {
        #[allow(deprecated, reason = "old data")]
        #[session(json)]
        old: Old,
    }

    #[derive(Session)]
    struct Session_ {
        count_: u64,
    }

    let _: Option<(visitor_v2Fields, Session_Fields)> = None;
    assert_eq!((visitor_v2::STORED_NAMES, Session_::STORED_NAMES), (&["old"][..], &["count_"][..]));
}

/// Setters do not accept `Option<&str>`, because `None` would then need a type annotation.
#[test]
fn none_needs_no_type() {
    #[derive(Session)]
    struct Visitor {
        name: Option<String>,
        key: Option<Vec<u8>>,
    }

    async fn uses(session: &Session<Visitor>, name: Option<&str>) -> Result<(), Error> {
        session.set_name(None).await?;
        session.set_key(None).await?;
        session.name().replace(None).await?;
        session.name().compare_and_set(None, "x").await?;
        session.write().set(session.name(), None).commit().await?;
        session.set_name(name.map(str::to_owned)).await
    }

    let _ = uses;
}

/// All imports together, beside traits with methods of the same names.
mod with_everything_imported {
    use session_runtime::*;

    trait Theirs: Sized {
        fn with<T>(self, _: T) -> &'static str {
            "theirs"
        }

        fn add(self, _: Self) -> &'static str {
            "theirs"
        }

        fn subtract(self, _: Self) -> &'static str {
            "theirs"
        }

        fn save<T>(&self, _: T) -> &'static str {
            "theirs"
        }
    }

    impl<T> Theirs for T {}

    #[derive(Session)]
    struct Visitor {
        count: u64,
    }

    #[test]
    fn methods_of_other_traits_can_be_called() {
        assert_eq!("route".with("layer"), "theirs");
        assert_eq!((1_u32.add(2), 1.5_f64.subtract(1.0)), ("theirs", "theirs"));
        assert_eq!(Visitor { count: 1 }.save("database"), "theirs");
    }
}

#[test]
fn fields_of_every_form_are_shown() {
    mod hex {
        use session_runtime::{Bytes, InvalidValue};

        pub(super) fn decode(stored: Bytes) -> Result<u8, InvalidValue> {
            stored.first().copied().ok_or(InvalidValue::new("empty"))
        }

        pub(super) fn encode(value: &u8) -> Result<Bytes, InvalidValue> {
            Ok(Bytes::copy_from_slice(&[*value]))
        }
    }
    #[derive(Session)]
    #[session(prefix = "v.")]
    struct Visitor<T: 'static> {
        #[session(show, index(name = "user"), alias = "u")]
        user: Option<u64>,
        #[session(show, encrypt)]
        email: Option<String>,
        #[session(show, json)]
        properties: Properties,
        #[session(show, with = hex)]
        byte: u8,
        #[session(show, ttl = "5m", default = None, on_decode_error = "default")]
        last: Option<T>,
        hidden: bool,
    }
    let shown: Vec<_> = Visitor::<String>::SHOWN.iter().map(|field| field.name()).collect();
    assert_eq!(shown, ["v.user", "v.email", "v.properties", "v.byte", "v.last"]);
    let searched: Vec<_> = Visitor::<String>::SEARCHED.iter().map(|field| field.index()).collect();
    assert_eq!(searched, ["user"]);
}
