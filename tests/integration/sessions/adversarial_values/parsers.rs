//! Rust code: types, cookies, form tokens, ids and URLs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::time::{Duration, Instant, SystemTime};

use session_runtime::redis_session::{CookieFormat, FlaskCookie, TornadoCookie};
use session_runtime::{
    Bytes, FieldValue, MemoryStore, RedisStore, Session, SessionConfig, SessionId, Sessions,
};
use session_tests::cookies::SECRET;

use super::texts;

/// The longest allowed time for operations that take milliseconds. With quadratic time, each would
/// take a quarter of an hour.
const MOST: Duration = Duration::from_secs(60);

#[test]
fn values_of_every_type() {
    fn decode<T: FieldValue>(name: &str, text: &str) {
        let stored = Bytes::copy_from_slice(text.as_bytes());
        timed(name, std::any::type_name::<T>(), || T::decode(stored).is_ok());
    }
    for (name, text) in texts() {
        decode::<u8>(&name, &text);
        decode::<u64>(&name, &text);
        decode::<i128>(&name, &text);
        decode::<NonZero<u32>>(&name, &text);
        decode::<f32>(&name, &text);
        decode::<f64>(&name, &text);
        decode::<bool>(&name, &text);
        decode::<char>(&name, &text);
        decode::<String>(&name, &text);
        decode::<Cow<'static, str>>(&name, &text);
        decode::<Vec<u8>>(&name, &text);
        decode::<IpAddr>(&name, &text);
        decode::<SocketAddr>(&name, &text);
        decode::<Duration>(&name, &text);
        decode::<SystemTime>(&name, &text);
        decode::<uuid::Uuid>(&name, &text);
        decode::<chrono::DateTime<chrono::Utc>>(&name, &text);
        decode::<chrono::NaiveDate>(&name, &text);
        decode::<jiff::Timestamp>(&name, &text);
        decode::<jiff::civil::Date>(&name, &text);
        decode::<time::OffsetDateTime>(&name, &text);
        decode::<time::Date>(&name, &text);
    }
}

#[derive(Debug, Session)]
struct Text {
    text: String,
}

/// The same stored field as JSON of several types.
#[derive(Debug, Session)]
struct Json<T: serde::Serialize + serde::de::DeserializeOwned + Default + Send + Sync + 'static> {
    #[session(json)]
    text: T,
}

#[tokio::test]
async fn json_of_several_types() {
    for (name, text) in texts() {
        read_json::<serde_json::Value>(&name, &text).await;
        read_json::<Option<f64>>(&name, &text).await;
        read_json::<f32>(&name, &text).await;
        read_json::<u128>(&name, &text).await;
        read_json::<Vec<f32>>(&name, &text).await;
        read_json::<BTreeMap<String, String>>(&name, &text).await;
    }
}

async fn read_json<
    T: serde::Serialize + serde::de::DeserializeOwned + Default + Send + Sync + 'static,
>(
    name: &str,
    text: &str,
) {
    let sessions = sessions(|config| config);
    let session: Session<Text> = sessions.create().await.unwrap();
    session.set_text(text).await.unwrap();
    let json: Session<Json<T>> = sessions.open_id(&session.session_id().unwrap());
    let began = Instant::now();
    let is_read = json.text().await.is_ok();
    report(name, std::any::type_name::<T>(), began.elapsed(), is_read);
}

#[test]
fn cookies_of_every_format() {
    let managers = [
        ("native", sessions(|config| config)),
        (
            "Tornado",
            sessions(|config| {
                config.cookie_formats([CookieFormat::Tornado(TornadoCookie::new(KEY))])
            }),
        ),
        (
            "Flask",
            sessions(|config| config.cookie_formats([CookieFormat::Flask(FlaskCookie::new(KEY))])),
        ),
        (
            "unsigned",
            sessions(|config| {
                config.cookie_formats([CookieFormat::Native, CookieFormat::UnsignedForgeableIds])
            }),
        ),
    ];
    for (name, text) in texts() {
        for (format, sessions) in &managers {
            for header in
                [text.clone(), format!("__Host-session-id={text}"), format!("\"{text}\"; {text}=")]
            {
                timed(&name, format, || has_id(sessions, &header));
            }
        }
    }
}

const KEY: &str = "the secret key of a Python application, long enough";

fn has_id(sessions: &Sessions, header: &str) -> bool {
    let session: Session<Text> = sessions.open([header.as_bytes()]).session();
    session.session_id().is_some()
}

#[tokio::test]
async fn form_tokens() {
    let session: Session<Text> = sessions(|config| config).create().await.unwrap();
    let valid = session.form_token().await.unwrap();
    for (name, text) in texts() {
        for sent in
            [text.clone(), format!("{valid}{text}"), format!("{}{text}", &valid.as_str()[1..])]
        {
            let began = Instant::now();
            let is_accepted = session.check_form_token(&sent).await.is_ok();
            report(&name, "a form token", began.elapsed(), is_accepted);
            assert_eq!(is_accepted, sent == valid.as_str(), "{name}");
        }
    }
}

#[test]
fn ids_and_urls() {
    for (name, text) in texts() {
        timed(&name, "id", || SessionId::parse(&text).is_ok());
        for url in [
            "redis://",
            "redis+cluster://",
            "redis+sentinel://h/",
            "redis+unix:///",
            "memory:?",
            "redis://h?",
        ] {
            let given = format!("{url}{text}");
            timed(&name, url, || RedisStore::builder(&given).connect_lazily().is_ok());
            let config = SessionConfig::new().secret(SECRET).store(given.as_str());
            timed(&name, "a store's text", || {
                Sessions::with_store(config, MemoryStore::new()).is_ok()
            });
        }
    }
}

fn sessions(configure: impl FnOnce(SessionConfig) -> SessionConfig) -> Sessions {
    let config = configure(SessionConfig::new().secret(SECRET));
    Sessions::with_store(config, MemoryStore::new()).unwrap()
}

/// Runs the parser and fails if the time limit is exceeded.
fn timed(name: &str, what: &str, parse: impl FnOnce() -> bool) {
    let began = Instant::now();
    let is_read = parse();
    report(name, what, began.elapsed(), is_read);
}

fn report(name: &str, what: &str, took: Duration, is_read: bool) {
    println!("| {name} as {what} | {took:.1?} | {is_read} |");
    assert!(took < MOST, "{name} as {what} took {took:?}");
}
