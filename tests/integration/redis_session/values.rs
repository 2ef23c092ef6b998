//! Values stored by one side are read by the other.

use std::collections::BTreeMap;

use redis::Commands;
use reqwest::Method;
use serde_json::{Value, json};
use session_runtime::{Lifetime, RedisStore, Session, SessionHandle, Sessions};

use super::rust;
use super::{Both, FRAMEWORKS};

#[derive(Session)]
struct Everything {
    count: i64,
    ratio: f64,
    name: String,
    vip: bool,
    #[session(on_decode_error = "default")]
    lenient: u8,
    age: Option<u32>,
    blob: Vec<u8>,
    #[session(json)]
    properties: BTreeMap<String, Value>,
}

impl Both {
    /// Returns the visitor's session, without a Rust server in between.
    async fn session(&self) -> Session<Everything> {
        self.handle().await.session()
    }

    async fn handle(&self) -> SessionHandle {
        self.sessions().await.open([self.visitor.jar.header().as_bytes()])
    }

    async fn sessions(&self) -> Sessions {
        let store = RedisStore::connect(&self.server.url()).await.unwrap();
        let config = rust::config("memory:", [rust::tornado(), rust::flask()]);
        Sessions::with_store(config, store).unwrap()
    }

    async fn set(&mut self, field: &str, kind: &str, value: &str) {
        let url = self.python(&format!("/set?field={field}&kind={kind}&value={value}"));
        self.visitor.post(&url).await;
    }

    async fn read(&mut self, field: &str, accessor: &str) -> Value {
        let url = self.python(&format!("/get?field={field}&as={accessor}"));
        serde_json::from_str(&self.visitor.get(&url).await).unwrap()
    }
}

#[tokio::test]
async fn values_that_python_assigns_are_read() {
    for framework in &FRAMEWORKS {
        let Some(mut both) = Both::migrating(framework).await else { return };
        for (field, kind, value) in [
            ("count", "int", "-5"),
            ("ratio", "float", "1e16"),
            ("name", "str", "%C3%85sa%20%F0%9F%A6%80"),
            ("vip", "truth", "true"),
            ("blob", "bytes", "%00%FF"),
            ("properties", "str", "%7B%22a%22%3A%20%5B1%2C%20null%5D%7D"),
            ("unknown", "str", "kept"),
        ] {
            both.set(field, kind, value).await;
        }
        let session = both.session().await;
        assert_eq!(session.count().await.unwrap(), -5);
        assert_eq!(session.ratio().await.unwrap(), 1e16);
        assert_eq!(session.name().await.unwrap(), "Åsa 🦀");
        assert!(session.vip().await.unwrap());
        assert_eq!(session.age().await.unwrap(), None);
        assert_eq!(session.blob().await.unwrap(), [0, 255]);
        assert_eq!(
            session.properties().await.unwrap(),
            BTreeMap::from([("a".to_owned(), json!([1, null]))])
        );
        both.set("vip", "truth", "false").await;
        assert!(!session.vip().await.unwrap());
        session.clear().await.unwrap();
        assert_eq!(both.read("unknown", "str").await, "kept");
    }
}

#[tokio::test]
async fn values_that_python_saves_together_are_loaded() {
    for framework in &FRAMEWORKS {
        let Some(mut both) = Both::migrating(framework).await else { return };
        let url = both.python("/save");
        let body =
            json!({"count": 7, "ratio": 2.5, "name": "Ada", "age": 36, "vip": "True"}).to_string();
        both.visitor.ok(Method::POST, &url, &body).await;
        let all = both.session().await.load().await.unwrap();
        assert_eq!(
            (all.count, all.ratio, &*all.name, all.age, all.vip),
            (7, 2.5, "Ada", Some(36), true)
        );
    }
}

#[tokio::test]
async fn values_that_rust_stores_are_read_by_every_accessor() {
    for framework in &FRAMEWORKS {
        let Some(mut both) = Both::migrating(framework).await else { return };
        // Python creates the session, so both sides have the cookie.
        both.set("unknown", "int", "1").await;
        let properties = BTreeMap::from([("é".to_owned(), json!([1, null, "x"]))]);
        let all = Everything {
            count: i64::MIN,
            ratio: 0.1,
            name: "Åsa 🦀".to_owned(),
            vip: true,
            lenient: 3,
            age: None,
            blob: vec![0, 255],
            properties,
        };
        both.session().await.save(&all).await.unwrap();
        assert_eq!(both.read("count", "int").await, i64::MIN);
        assert_eq!(both.read("ratio", "str").await, "0.1");
        assert_eq!(both.read("name", "str").await, "Åsa 🦀");
        assert_eq!(both.read("vip", "bool").await, true);
        assert_eq!(both.read("age", "none").await, true);
        assert_eq!(both.read("lenient", "none").await, false);
        assert_eq!(both.read("blob", "raw").await, "AP8=");
        assert_eq!(both.read("properties", "json").await, json!({"é": [1, null, "x"]}));
        assert_eq!(both.read("unknown", "int").await, 1);
    }
}

/// The package silently turns unreadable values into defaults. Here they are errors that name the
/// field, unless the field has `on_decode_error`.
#[tokio::test]
async fn values_that_python_reads_as_a_default_are_an_error() {
    for framework in &FRAMEWORKS {
        let Some(mut both) = Both::migrating(framework).await else { return };
        for (field, value) in
            [("count", "abc"), ("vip", "yes"), ("properties", "NaN"), ("lenient", "300")]
        {
            both.set(field, "str", value).await;
        }
        assert_eq!(both.read("count", "int").await, 0);
        assert_eq!(both.read("vip", "bool").await, false);
        let session = both.session().await;
        assert!(session.count().await.unwrap_err().is_decode());
        assert!(session.vip().await.unwrap_err().is_decode());
        assert!(session.properties().await.unwrap_err().is_decode());
        assert_eq!(session.lenient().await.unwrap(), 0);
        let key = both.key().await;
        let stored: Vec<u8> = both.server.connection().hget(key, "count").unwrap();
        assert_eq!(stored, b"abc", "it is still there");
    }
}

#[derive(Session)]
#[session(fields = "ContactFields")]
struct Contact {
    #[session(encrypt)]
    email: Option<String>,
}

#[tokio::test]
async fn encrypted_values_stay_readable_when_a_session_of_python_gets_a_native_id() {
    for framework in &FRAMEWORKS {
        let Some(mut both) = Both::migrating(framework).await else { return };
        both.set("count", "int", "5").await;
        both.handle().await.session::<Contact>().set_email("ada@example.org").await.unwrap();
        let session: Session<Contact> = both.handle().await.session();
        assert_eq!(session.email().await.unwrap().as_deref(), Some("ada@example.org"));

        for renew in [false, true] {
            match renew {
                false => session.rotate().await.unwrap(),
                true => session.renew(Lifetime::normal()).await.unwrap(),
            }
            assert_eq!(session.email().await.unwrap().as_deref(), Some("ada@example.org"));
            let id = session.session_id().unwrap();
            let later = both.sessions().await.open_id::<Contact>(&id);
            assert_eq!(later.email().await.unwrap().as_deref(), Some("ada@example.org"));
        }
    }
}
