//! Behaviour: no secret is shown. No secret part of an id and no stored value appears in any log
//! line, `Debug` output, error or error source, at any level.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::error::Error as StdError;
use std::time::Duration;

use session_runtime::{MemoryStore, RedisStore, Session, SessionConfig, SessionId, Sessions};
use session_tests::cookies::{SECRET, id_of};
use session_tests::log::Log;
use session_tests::server::RedisServer;

const VALUE: &str = "a-value-that-nobody-else-may-see";
const PASSWORD: &str = "a-password-that-nobody-may-see";

#[derive(Debug, Session)]
struct Visitor {
    name: String,
    count: u64,
    #[session(json)]
    tags: Vec<u32>,
    #[session(encrypt)]
    email: Option<String>,
    #[session(encrypt, index)]
    user: Option<String>,
}

/// Reads an encrypted field as it is.
#[derive(Debug, Session)]
#[session(fields = "PlainFields")]
struct Plain {
    email: String,
    #[session(encrypt, rename = "name")]
    not_encrypted: String,
    #[session(encrypt, on_decode_error = "default", rename = "count")]
    lenient: u64,
}

/// All output, and the secrets that must not appear.
#[derive(Default)]
struct Said {
    lines: Vec<String>,
    secrets: Vec<String>,
}

impl Said {
    fn error(&mut self, error: &dyn StdError) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.lines.push(format!("{error} {error:?} {error:#?}"));
            next = error.source();
        }
    }

    /// Adds the id, the parts after the tag, and the signature to the secrets.
    fn cookie(&mut self, cookie: &str) {
        let id = id_of(cookie);
        let signature = cookie.split(';').next().unwrap().rsplit('.').next().unwrap();
        self.secrets.extend([id[16..].to_owned(), id[16..32].to_owned(), signature.to_owned()]);
    }
}

#[tokio::test]
async fn no_secret_appears_in_any_output() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let mut said = Said {
        secrets: vec![VALUE.into(), PASSWORD.into(), SECRET[8..24].into()],
        ..Said::default()
    };
    let server = RedisServer::start();
    let _: String = server.cli(&["CONFIG", "SET", "requirepass", PASSWORD]);
    let url = server.url().replace("redis://", &format!("redis://:{PASSWORD}@"));
    let store =
        RedisStore::builder(&url).timeout(Duration::from_millis(300)).connect().await.unwrap();
    said.lines.push(format!("{store:?} {:?}", RedisStore::builder(&url)));
    said.error(&RedisStore::connect(&server.url()).await.unwrap_err());
    said.error(
        &RedisStore::connect(&url.replace(PASSWORD, "a-password-that-nobody-may-see-and-wrong"))
            .await
            .unwrap_err(),
    );

    let config = || SessionConfig::new().secret(SECRET).store(&url);
    said.lines.push(format!("{:?}", config()));
    for sessions in [
        Sessions::with_store(config(), store).unwrap(),
        Sessions::with_store(config(), MemoryStore::new()).unwrap(),
    ] {
        said.lines.push(format!("{sessions:?} {:#?}", sessions.layer()));
        use_it(&sessions, &mut said).await;
    }
    let sessions = Sessions::new(config()).await.unwrap();
    drop(server);
    use_it_without_a_server(&sessions, &mut said).await;

    let log = log.text();
    assert!(log.contains("session store"), "the library logs: {log}");
    assert!(
        log.contains("is not valid") && log.contains("\"name\" type=\"u64\""),
        "names field and type: {log}"
    );
    let everything = said.lines.join("\n") + &log;
    for secret in &said.secrets {
        assert!(!everything.contains(secret.as_str()), "{secret} was said");
    }
}

async fn use_it(sessions: &Sessions, said: &mut Said) {
    let handle = sessions.open([]);
    let session: Session<Visitor> = handle.session();
    let operation = session.set_name(VALUE);
    said.lines.push(format!("{session:?} {handle:?} {operation:?} {:?}", session.name()));
    operation.await.unwrap();
    said.lines.push(format!("{session:?} {:#?} {:?}", handle, session.session_id()));
    let headers = handle.finish();
    said.lines.push(format!("{headers:?}"));
    let cookie = headers.set_cookie().unwrap().to_owned();
    said.cookie(&cookie);

    let handle = sessions.open([cookie.split(';').next().unwrap().as_bytes()]);
    let session: Session<Visitor> = handle.session();
    session.rotate().await.unwrap();
    said.lines.push(format!("{session:?}"));
    said.cookie(handle.finish().set_cookie().unwrap());
    let id = session.session_id().unwrap();
    said.error(&sessions.open_id::<Misread>(&id).name().await.unwrap_err());
    said.error(&sessions.open_id::<MisreadAsJson>(&id).name().await.unwrap_err());
    assert_eq!(sessions.open_id::<Lenient>(&id).name().await.unwrap(), 0);
    said.error(&session.set_name(VALUE.repeat(1 << 16)).await.unwrap_err());
    encrypt(sessions, &id, said).await;
    session.destroy().await.unwrap_err();
}

async fn encrypt(sessions: &Sessions, id: &SessionId, said: &mut Said) {
    let session = sessions.open_id::<Visitor>(id);
    let operation = session.set_email(VALUE);
    said.lines.push(format!("{operation:?} {:?}", session.email()));
    operation.await.unwrap();
    session.set_user(VALUE).await.unwrap();
    let found = sessions.find(Visitor::by_user(VALUE));
    said.lines.push(format!("{found:?} {:?}", found.list().await.unwrap()));
    assert_eq!(found.count().await.unwrap(), 1);
    let mut walk = sessions.reencrypt::<Visitor>();
    said.lines.push(format!("{walk:?} {:?}", walk.run().await.unwrap()));
    let plain = sessions.open_id::<Plain>(id);
    said.error(&plain.email().await.unwrap_err());
    said.error(&plain.not_encrypted().await.unwrap_err());
    session.count().incr(1).await.unwrap();
    assert_eq!(plain.lenient().await.unwrap(), 0);
}

/// The same fields, read as wrong types.
#[derive(Debug, Session)]
struct Misread {
    name: u64,
}

#[derive(Debug, Session)]
struct MisreadAsJson {
    #[session(json)]
    name: Vec<u8>,
}

#[derive(Debug, Session)]
#[session(on_decode_error = "default")]
struct Lenient {
    name: u64,
}

async fn use_it_without_a_server(sessions: &Sessions, said: &mut Said) {
    let session: Session<Visitor> = sessions.open([]).session();
    let error = session.set_name(VALUE).await.unwrap_err();
    assert!(error.is_unavailable());
    said.error(&error);
    said.error(&session.count().await.unwrap_err());
    said.error(&session.tags().await.unwrap_err());
    said.lines.push(format!("{session:?}"));
}
