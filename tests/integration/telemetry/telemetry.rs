//! Spans and events of `tracing` for operations and sessions, at the level `DEBUG`. The names are
//! those in `session_runtime::guide::observability`.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use session_runtime::testing::{FailingStore, Failure};
use session_runtime::{
    Error, Lifetime, MemoryStore, Operation, Session, SessionConfig, SessionHandle, Sessions,
};
use session_tests::cookies::{self, SECRET};
use session_tests::log::Log;
use session_tests::server::RedisServer;
use tracing::instrument::WithSubscriber;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

#[derive(Debug, Session)]
struct Visitor {
    name: String,
    count: u64,
    #[session(rename = "stored", alias = "former")]
    renamed: u64,
}

#[derive(Debug, Session)]
struct Misread {
    name: u64,
}

const VALUE: &str = "a-value-that-nobody-else-may-see";

/// Every test uses the same level, because `tracing` caches for all threads whether an event is
/// enabled.
pub(crate) fn subscriber(log: &Log) -> impl Subscriber + Send + Sync {
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(Level::DEBUG)
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(move || writer.clone())
        .finish()
}

/// Returns the lines of a subscriber that takes the metadata that the filter accepts.
async fn told_through(filter: fn(&Metadata<'_>) -> bool) -> String {
    let log = Log::default();
    let writer = log.clone();
    // The hint must hold for each callsite that another test registers meanwhile.
    let filter =
        move |metadata: &Metadata<'_>| *metadata.level() <= LevelFilter::DEBUG && filter(metadata);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(move || writer.clone())
        .with_filter(filter_fn(filter).with_max_level_hint(LevelFilter::DEBUG));
    let subscriber = tracing_subscriber::registry().with(lines);
    async {
        let session = sessions().create::<Visitor>().await.unwrap();
        session.count().incr(1).await.unwrap();
    }
    .with_subscriber(subscriber)
    .await;
    log.text()
}

/// An exporter of spans usually refuses events, and a log may refuse spans.
#[tokio::test]
async fn spans_and_events_are_told_without_each_other() {
    const SPAN: &str = "session_operation{operation=\"incr\" field=\"count\"";
    const EVENT: &str = "session operation operation=\"incr\"";
    const LIFECYCLE: &str = "session lifecycle event=\"created\"";
    let spans = told_through(|metadata| metadata.is_span()).await;
    assert!(spans.contains(SPAN) && spans.contains("outcome=\"ok\""), "{spans}");
    assert!(!spans.contains(EVENT) && !spans.contains(LIFECYCLE), "{spans}");
    let events = told_through(|metadata| metadata.is_event()).await;
    assert!(events.contains(EVENT) && events.contains(LIFECYCLE), "{events}");
    assert!(!events.contains(SPAN), "{events}");
}

fn sessions() -> Sessions {
    Sessions::with_store(SessionConfig::new().secret(SECRET), MemoryStore::new()).unwrap()
}

/// Returns the lines of a target, from the message on.
fn lines(log: &Log, target: &str) -> Vec<String> {
    let text = log.text();
    let of_target =
        text.lines().filter_map(|line| Some(line.split_once(&format!("{target}: "))?.1.to_owned()));
    of_target.collect()
}

/// Returns the text of an operation's event. The duration must be present and is removed. The tag
/// must be of this session and is replaced.
fn told(log: &Log, handle: &SessionHandle) -> String {
    let events = lines(log, "session_runtime::operation");
    let event = events.iter().rfind(|line| line.starts_with("session operation ")).unwrap();
    let (said, duration) = event.rsplit_once(" duration_us=").unwrap();
    assert!(duration.parse::<u64>().is_ok(), "{event}");
    let said = said.strip_prefix("session operation ").unwrap();
    match handle.session::<Visitor>().session_id() {
        Some(id) => said.replace(&format!("session={}… ", id.tag()), "session=TAG "),
        None => said.to_owned(),
    }
}

async fn done<T: Debug>(operation: Operation<'_, T>, log: &Log, handle: &SessionHandle) -> String {
    let _ = operation.await;
    told(log, handle)
}

#[tokio::test]
async fn each_operation_logs_its_name_field_tag_and_outcome() {
    let log = Log::default();
    async {
        let handle = sessions().open([]);
        let session: Session<Visitor> = handle.session();
        let (log, handle) = (&log, &handle);
        let ok = |operation: &str, field: &str| {
            let field =
                if field.is_empty() { String::new() } else { format!("field=\"{field}\" ") };
            format!("operation=\"{operation}\" {field}session=TAG outcome=\"ok\"")
        };
        assert_eq!(done(session.exists(), log, handle).await, r#"operation="exists" outcome="ok""#);
        assert_eq!(done(session.set_name(VALUE), log, handle).await, ok("set", "name"));
        session.name().await.unwrap();
        assert_eq!(told(log, handle), ok("get", "name"));
        for (operation, name) in [
            (session.count().incr(1), "incr"),
            (session.count().decr(1), "decr"),
            (session.count().get(), "get"),
            (session.count().take(), "take"),
            (session.count().replace(3), "replace"),
            (session.count().get_or_set(4), "get_or_set"),
            (session.count().update(|count| count + 1), "update"),
        ] {
            assert_eq!(done(operation, log, handle).await, ok(name, "count"));
        }
        for (operation, name) in [
            (session.name().exists(), "exists"),
            (session.name().compare_and_set("", "x"), "compare_and_set"),
            (session.name().expire_in(Duration::from_secs(60)), "expire_in"),
        ] {
            assert_eq!(done(operation, log, handle).await, ok(name, "name"));
        }
        assert_eq!(done(session.name().raw(), log, handle).await, ok("raw", "name"));
        assert_eq!(done(session.name().expires_in(), log, handle).await, ok("expires_in", "name"));
        assert_eq!(done(session.renamed().get(), log, handle).await, ok("get", "stored"));
        assert_eq!(done(session.renamed().set(1), log, handle).await, ok("set", "stored"));
        assert_eq!(done(session.renamed().remove(), log, handle).await, ok("remove", "stored"));
        assert_eq!(
            done(session.read((session.name(), session.count())), log, handle).await,
            ok("read", "")
        );
        let batch = session.write().set(session.name(), VALUE).remove(session.count());
        assert_eq!(done(batch.commit(), log, handle).await, ok("write", ""));
        assert_eq!(done(session.load(), log, handle).await, ok("load", ""));
        let visitor = Visitor { name: VALUE.to_owned(), count: 1, renamed: 1 };
        assert_eq!(done(session.save(&visitor), log, handle).await, ok("save", ""));
        assert_eq!(done(session.exists(), log, handle).await, ok("exists", ""));
        assert_eq!(done(session.touch(), log, handle).await, ok("touch", ""));
        assert_eq!(done(session.expires_in(), log, handle).await, ok("expires_in", ""));
        assert_eq!(done(session.end_reason(), log, handle).await, ok("end_reason", ""));
        assert_eq!(done(session.form_token(), log, handle).await, ok("form_token", ""));
        assert_eq!(
            done(session.check_form_token("forged"), log, handle).await,
            ok("check_form_token", "").replace("\"ok\"", "\"invalid_form_token\"")
        );
        assert_eq!(done(session.rotate(), log, handle).await, ok("rotate", ""));
        assert_eq!(done(session.renew(Lifetime::remembered()), log, handle).await, ok("renew", ""));
        assert_eq!(done(session.clear(), log, handle).await, ok("clear", ""));
        let tag = session.session_id().unwrap().tag().to_owned();
        let destroyed = done(session.destroy(), log, handle).await;
        assert_eq!(destroyed.replace(&tag, "TAG"), ok("destroy", "").replace("TAG", "TAG…"));
        sessions().create::<Visitor>().await.unwrap();
        assert_eq!(told(log, handle), r#"operation="create" outcome="ok""#);
    }
    .with_subscriber(subscriber(&log))
    .await;
    assert!(!log.text().contains(VALUE));
}

#[tokio::test]
async fn each_operation_is_a_span_that_holds_its_outcome() {
    let log = Log::default();
    let tag = async {
        let handle = sessions().open([]);
        let session: Session<Visitor> = handle.session();
        session.set_count(1).await.unwrap();
        session.session_id().unwrap().tag().to_owned()
    }
    .with_subscriber(subscriber(&log))
    .await;
    let text = log.text();
    let is_close = |line: &&str| line.contains("session_runtime::operation: close");
    let closes: Vec<_> = text.lines().filter(is_close).collect();
    let span = format!(
        r#"session_operation{{operation="set" field="count" session={tag}… outcome="ok"}}"#
    );
    assert!(matches!(closes[..], [close] if close.contains(&span)), "{text}");
    let created = text.lines().find(|line| line.contains(r#"event="created""#)).unwrap();
    assert!(
        created.contains(r#"session_operation{operation="set" field="count"}"#),
        "in the span: {created}"
    );
}

#[tokio::test]
async fn each_kind_of_error_has_a_word() {
    let log = Log::default();
    async {
        let store = FailingStore::new(MemoryStore::new());
        let sessions =
            Sessions::with_store(SessionConfig::new().secret(SECRET), store.clone()).unwrap();
        let handle = sessions.open([]);
        let session: Session<Visitor> = handle.session();
        session.set_name(VALUE).await.unwrap();
        let outcome = || told(&log, &handle).rsplit_once("outcome=").unwrap().1.to_owned();
        let err = |error: Error| assert!(error.status() >= 400);

        err(handle.session::<Misread>().name().await.unwrap_err());
        assert_eq!(outcome(), r#""decode""#);
        err(session.set_name(VALUE.repeat(1 << 16)).await.unwrap_err());
        assert_eq!(outcome(), r#""too_large""#);
        err(session.count().decr(1).await.unwrap_err());
        assert_eq!(outcome(), r#""out_of_range""#);
        err(session.name().expire_in(Duration::ZERO).await.unwrap_err());
        assert_eq!(outcome(), r#""unsupported""#);
        err(session.renew(Lifetime::custom(9)).await.unwrap_err());
        assert_eq!(outcome(), r#""config""#);
        store.fail(Failure::Unavailable);
        err(session.name().await.unwrap_err());
        assert_eq!(outcome(), r#""unavailable""#);
        store.fail(Failure::OutcomeUnknown { carried_out: false });
        err(session.set_name("x").await.unwrap_err());
        assert_eq!(outcome(), r#""outcome_unknown""#);
        store.recover();
        let headers = handle.finish();
        let cookie = headers.set_cookie().unwrap().split(';').next().unwrap();
        err(session.rotate().await.unwrap_err());
        assert_eq!(outcome(), r#""headers_sent""#);
        let other: Session<Visitor> = sessions.open([cookie.as_bytes()]).session();
        other.destroy().await.unwrap();
        err(session.set_name("x").await.unwrap_err());
        assert_eq!(outcome(), r#""gone""#);
    }
    .with_subscriber(subscriber(&log))
    .await;
    assert!(!log.text().contains(VALUE));
}

#[tokio::test]
async fn a_dropped_operation_is_logged_unless_it_never_started() {
    let log = Log::default();
    async {
        let server = RedisServer::start();
        let sessions =
            Sessions::new(SessionConfig::new().secret(SECRET).store(server.url())).await.unwrap();
        let session = sessions.create::<Visitor>().await.unwrap();
        drop(session.set_count(2));
        let mut operation = session.count().get();
        assert!(futures::poll!(&mut operation).is_pending());
        drop(operation);
    }
    .with_subscriber(subscriber(&log))
    .await;
    let operations = lines(&log, "session_runtime::operation");
    let events: Vec<_> =
        operations.iter().filter(|line| line.starts_with("session operation ")).collect();
    let [create, get] = &events[..] else { panic!("{events:?}") };
    assert!(
        create.contains(r#"operation="create""#) && get.contains(r#"operation="get""#),
        "{events:?}"
    );
    assert!(get.contains(r#"outcome="dropped""#), "{get}");
}

#[tokio::test]
async fn lifecycle_events_show_only_the_tag_of_a_session() {
    let log = Log::default();
    let forged = format!("{}x", cookies::cookie(&cookies::id(SystemTime::now(), 0)));
    let stale = cookies::id(SystemTime::now(), 0);
    let past = cookies::id(SystemTime::UNIX_EPOCH, 0);
    let mut ids = vec![stale.clone(), past.clone()];
    let tag = async {
        let sessions = sessions();
        let read = async |cookie: &str| {
            sessions.open([cookie.as_bytes()]).session::<Visitor>().name().await.unwrap();
        };
        read(&forged).await;
        read(&cookies::cookie(&stale)).await;
        read(&cookies::cookie(&past)).await;
        let session: Session<Visitor> = sessions.open([]).session();
        session.set_name(VALUE).await.unwrap();
        session.set_name(VALUE).await.unwrap();
        ids.push(session.session_id().unwrap().expose_secret().to_owned());
        session.rotate().await.unwrap();
        ids.push(session.session_id().unwrap().expose_secret().to_owned());
        session.destroy().await.unwrap();
        ids[2][..8].to_owned()
    }
    .with_subscriber(subscriber(&log))
    .await;
    let of = |event: &str, tag: &str| format!("session lifecycle event=\"{event}\" session={tag}…");
    let expected = [
        "session lifecycle event=\"forged\"".to_owned(),
        of("expired", &stale[..8]),
        of("expired", &past[..8]),
        of("created", &tag),
        of("rotated", &tag),
        of("destroyed", &tag),
    ];
    assert_eq!(lines(&log, "session_runtime::lifecycle"), expected);
    let text = log.text();
    assert!(!text.contains(VALUE) && !text.contains(&forged[30..50]));
    for id in ids {
        assert!(!text.contains(&id[8..16]) && !text.contains(&id[16..]), "{text}");
    }
}

#[tokio::test]
async fn each_session_that_find_ends_is_an_event() {
    #[derive(Session)]
    struct Auth {
        #[session(index)]
        user: Option<u64>,
    }
    let log = Log::default();
    let ids = async {
        let (sessions, mut ids) = (sessions(), Vec::new());
        for _ in 0..3 {
            let session = sessions.create::<Auth>().await.unwrap();
            session.set_user(7).await.unwrap();
            ids.push(session.session_id().unwrap());
        }
        let found = sessions.find(Auth::by_user(7));
        assert!(found.end(ids[0].tag()).await.unwrap());
        assert_eq!(found.end_all().await.unwrap(), 2);
        assert_eq!(found.end_all().await.unwrap(), 0);
        ids
    }
    .with_subscriber(subscriber(&log))
    .await;
    let said = lines(&log, "session_runtime::lifecycle");
    let ended = said.iter().filter(|line| line.contains("event=\"destroyed\"")).count();
    assert_eq!(ended, 3);
    for id in ids {
        let line = format!("session lifecycle event=\"destroyed\" session={}…", id.tag());
        assert!(said.contains(&line), "{said:?}");
        assert!(!log.text().contains(&id.expose_secret()[16..]));
    }
}

#[tokio::test]
async fn a_rotation_without_a_reply_is_logged_once_confirmed() {
    let log = Log::default();
    let of_moves = |log: &Log| {
        let said = lines(log, "session_runtime::lifecycle");
        said.iter().filter(|line| line.contains("event=\"rotated\"")).count()
    };
    async {
        let store = FailingStore::new(MemoryStore::new());
        let sessions =
            Sessions::with_store(SessionConfig::new().secret(SECRET), store.clone()).unwrap();
        for (carried_out, told) in [(false, 0), (true, 1)] {
            let session: Session<Visitor> = sessions.open([]).session();
            session.set_name(VALUE).await.unwrap();
            store.fail(Failure::OutcomeUnknown { carried_out });
            assert!(session.rotate().await.unwrap_err().is_outcome_unknown());
            store.recover();
            assert_eq!(of_moves(&log), 0);
            assert_eq!(session.name().await.unwrap(), VALUE);
            assert_eq!(of_moves(&log), told, "{carried_out}");
        }
    }
    .with_subscriber(subscriber(&log))
    .await;
}

/// Adds the visitor's session to each event, as an application might do.
struct Asks(Arc<OnceLock<SessionHandle>>);

impl<S: Subscriber> Layer<S> for Asks {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        if let Some(handle) = self.0.get() {
            let _ = handle.session::<Visitor>().session_id();
        }
    }
}

#[tokio::test]
async fn a_subscriber_may_access_the_session() {
    let asked = Arc::new(OnceLock::new());
    let subscriber = tracing_subscriber::registry()
        .with(Asks(Arc::clone(&asked)).with_filter(LevelFilter::DEBUG));
    let handle = sessions().open([format!("__Host-session-id={}", "A".repeat(84)).as_bytes()]);
    assert!(asked.set(handle.clone()).is_ok());
    async {
        let session: Session<Visitor> = handle.session();
        session.set_count(1).await.unwrap();
        session.rotate().await.unwrap();
        session.destroy().await.unwrap();
    }
    .with_subscriber(subscriber)
    .await;
}

/// Otherwise, a request of 396 kB would write 20 MB of log.
#[tokio::test]
async fn many_forged_cookies_of_a_request_are_one_event() {
    let log = Log::default();
    async {
        let sessions = sessions();
        let read = async |cookies: &str| {
            let headers = cookies.split('\n').map(str::as_bytes);
            sessions.open(headers).session::<Visitor>().name().await.unwrap();
        };
        read(&"session-id=x;__Host-session-id=x;".repeat(66_000)).await;
        read("__Host-session-id=x\n__Host-session-id=y").await;
        read(&format!(
            "__Host-session-id=x; {}",
            cookies::cookie(&cookies::id(SystemTime::now(), 0))
        ))
        .await;
    }
    .with_subscriber(subscriber(&log))
    .await;
    let told = lines(&log, "session_runtime::lifecycle");
    let forged = told.iter().filter(|line| line.contains("forged")).collect::<Vec<_>>();
    assert_eq!(
        forged,
        [
            "session lifecycle event=\"forged\" count=66000",
            "session lifecycle event=\"forged\" count=2",
            "session lifecycle event=\"forged\"",
        ]
    );
    assert_eq!(told.len(), 4, "and the one of an id that the store does not know: {told:?}");
}

/// An attacker has kept the cookies of many sessions.
#[tokio::test]
async fn many_cookies_of_former_sessions_are_few_events_and_few_round_trips() {
    let log = Log::default();
    let now = SystemTime::now();
    let cookies = |created_at: SystemTime| {
        let cookies = (0..1000).map(|_| cookies::cookie(&cookies::id(created_at, 0)));
        cookies.collect::<Vec<_>>().join("; ")
    };
    async {
        let sessions = sessions();
        sessions
            .open([cookies(SystemTime::UNIX_EPOCH).as_bytes()])
            .session::<Visitor>()
            .name()
            .await
            .unwrap();
        assert_eq!(lines(&log, "session_runtime::lifecycle").len(), 4);
    }
    .with_subscriber(subscriber(&log))
    .await;

    let server = RedisServer::start();
    let config = SessionConfig::new().secret(SECRET).store(server.url());
    let sessions = Sessions::new(config).await.unwrap();
    let live = sessions.open([]);
    live.session::<Visitor>().set_count(7).await.unwrap();
    let live = live.finish().set_cookie().unwrap().split(';').next().unwrap().to_owned();
    let cookies = cookies(now - Duration::from_secs(3600));
    for header in [format!("{live}; {cookies}"), format!("{cookies}; {live}")] {
        let handle = sessions.open([header.as_bytes()]);
        let session: Session<Visitor> = handle.session();
        assert_eq!(session.count().await.unwrap(), 7, "the youngest counts");
    }
    let _: String = server.cli(&["CONFIG", "RESETSTAT"]);
    let handle = sessions.open([cookies.as_bytes()]);
    handle.session::<Visitor>().destroy().await.unwrap();
    let stats: String = server.cli(&["INFO", "commandstats"]);
    let ends = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")).unwrap();
    let ends: u64 = ends.split(',').next().unwrap().parse().unwrap();
    assert!((4..=100).contains(&ends), "{ends}");
}
