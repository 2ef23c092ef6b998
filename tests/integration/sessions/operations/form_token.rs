//! Tokens for forms, against forged requests.

use std::time::Duration;

use session_runtime::redis_session::{CookieFormat, FlaskCookie, TornadoCookie};
use session_runtime::testing::{FailingStore, Failure};
use session_runtime::{
    Error, Lifetime, MemoryStore, Operation, Session, SessionConfig, SessionHandle, Sessions,
};
use session_tests::acceptance::{Store, World};
use session_tests::cookies::{self, OTHER_SECRET, SECRET};

use super::visitor::{Auth, Visitor, open, open_id, set_cookie, visitor};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns a token for a form on a page of this session.
async fn token(session: &Session<Visitor>) -> String {
    session.form_token().await.unwrap().to_string()
}

/// Returns whether a form with this token is accepted.
async fn accepts(session: &Session<Visitor>, sent: &str) -> bool {
    match session.check_form_token(sent).await {
        Ok(()) => true,
        Err(error) => {
            assert!(error.is_invalid_form_token() && error.status() == 403, "{error}");
            false
        }
    }
}

/// Returns the cookie of a new session, and a token.
async fn visitor_with_form(sessions: &Sessions) -> (String, String) {
    let cookie = visitor(sessions).await;
    let token = token(&open(sessions, &cookie)).await;
    (cookie, token)
}

/// Returns a cookie with a valid signature whose id was never in the store.
fn unknown(world: &World) -> String {
    cookies::cookie(&cookies::id(world.now(), 0))
}

async fn assert_asks<T>(world: &World, operation: Operation<'_, T>, expected: &[&str]) {
    let sent = world.commands(async || drop(operation.await)).await;
    world.assert_commands(sent, expected);
}

/// Behaviour: form tokens.
pub(crate) async fn a_page_with_a_form_begins_a_session(world: World) {
    let sessions = world.sessions(|config| config);
    let handle = sessions.open([]);
    let session: Session<Visitor> = handle.session();
    let first = token(&session).await;
    assert!(session.exists().await.unwrap() && !session.count().exists().await.unwrap());
    let second = token(&session).await;
    assert!(accepts(&session, &first).await && accepts(&session, &second).await);
    let cookie = set_cookie(&handle);

    // The form comes back, also from a second tab and after days of use.
    for _ in 0..3 {
        let request = sessions.open([cookie.as_bytes()]);
        let session: Session<Visitor> = request.session();
        assert!(accepts(&session, &first).await && accepts(&session, &second).await);
        assert_ne!(token(&session).await, first);
        assert_eq!(request.finish().set_cookie(), None);
        world.elapse(DAY / 2);
    }
    let other = open(&sessions, &visitor(&sessions).await);
    assert!(!accepts(&other, &first).await);
    assert!(!accepts(&sessions.open([]).session(), &first).await);
    assert!(!accepts(&open(&sessions, &format!("{cookie}x")), &first).await);
    let job = open_id(&sessions, &cookie);
    assert!(accepts(&job, &first).await && accepts(&job, &token(&job).await).await);
    assert!(accepts(&open(&sessions, &cookie), &token(&job).await).await);
}

/// Behaviour: form tokens.
pub(crate) async fn tokens_end_with_the_id(world: World) {
    let sessions = world.sessions(|config| config);
    for change in ["rotate", "renew", "login"] {
        let (cookie, former) = visitor_with_form(&sessions).await;
        let handle = sessions.open([cookie.as_bytes()]);
        let session: Session<Visitor> = handle.session();
        let auth: Session<Auth> = handle.session();
        assert!(accepts(&session, &former).await);
        match change {
            "rotate" => session.rotate().await.unwrap(),
            "renew" => session.renew(Lifetime::remembered()).await.unwrap(),
            _ => {
                let login = auth.write().set(auth.user(), 7).keep_only(());
                login.renew(Lifetime::normal()).commit().await.unwrap();
            }
        }
        assert!(!accepts(&session, &former).await, "{change}");
        let newest = token(&session).await;
        assert!(accepts(&session, &newest).await, "{change}");
        let next = open(&sessions, &set_cookie(&handle));
        assert!(accepts(&next, &newest).await && !accepts(&next, &former).await, "{change}");
        let late = open(&sessions, &cookie);
        assert!(!accepts(&late, &newest).await, "{change}");
    }
}

/// Behaviour: form tokens. Another host of the site can plant a cookie, and know its tokens.
pub(crate) async fn a_planted_cookie_opens_no_other_session(world: World) {
    let sessions = world.sessions(|config| config);
    let (own, own_token) = visitor_with_form(&sessions).await;
    let (planted, planted_token) = visitor_with_form(&sessions).await;
    let (ended, ended_token) = visitor_with_form(&sessions).await;
    open(&sessions, &ended).destroy().await.unwrap();
    let (moved, moved_token) = visitor_with_form(&sessions).await;
    open(&sessions, &moved).rotate().await.unwrap();
    let own_id = open(&sessions, &own).session_id();
    for (cookies, is_own) in [
        (format!("{own}; {planted}"), true),
        (format!("{planted}; {own}"), false),
        (format!("{ended}; {own}"), true),
        (format!("{own}; {ended}"), true),
        (format!("{moved}; {own}"), true),
        (format!("{ended}; {moved}; {own}; {planted}"), true),
        (format!("{ended}; {}; {planted}; {own}", unknown(&world)), false),
    ] {
        for asks_before in [false, true] {
            let session = open(&sessions, &cookies);
            if asks_before {
                session.exists().await.unwrap();
            }
            for (token, is_of_own) in [(&own_token, true), (&planted_token, false)] {
                let is_accepted = accepts(&session, token).await;
                assert_eq!(is_accepted, is_own == is_of_own, "{cookies}: {token}");
            }
            for token in [&ended_token, &moved_token] {
                assert!(!accepts(&session, token).await, "{cookies}: {token}");
            }
            // The session of the token is that of the request.
            session.count().await.unwrap();
            assert_eq!(session.session_id() == own_id, is_own);
        }
    }
    // A session that is gone for the request leaves its token.
    let session = open(&sessions, &ended);
    assert!(accepts(&session, &ended_token).await);
    assert!(!accepts(&session, &own_token).await);
    // The cookies of sessions that are all over open nothing, whatever the token.
    let session = open(&sessions, &format!("{}; {ended}", unknown(&world)));
    assert!(accepts(&session, &ended_token).await);
    assert!(session.set_count(7).await.unwrap_err().is_gone());
}

/// Behaviour: form tokens. A login form may be open for long.
pub(crate) async fn a_session_that_is_over_keeps_its_tokens(world: World) {
    let sessions = world.sessions(|config| config);
    for asks_before in [false, true] {
        let (expired, known) = visitor_with_form(&sessions).await;
        world.elapse(2 * DAY);
        let handle = sessions.open([expired.as_bytes()]);
        let session: Session<Visitor> = handle.session();
        if asks_before {
            assert!(!session.exists().await.unwrap());
        }
        assert!(accepts(&session, &known).await);
        assert_eq!(session.count().await.unwrap(), 0);
        let auth: Session<Auth> = handle.session();
        let login = auth.write().set(auth.user(), 7).renew(Lifetime::normal());
        login.commit().await.unwrap();
        assert!(!accepts(&session, &known).await);
        assert!(!accepts(&open(&sessions, &set_cookie(&handle)), &known).await);

        let (ended, known) = visitor_with_form(&sessions).await;
        open_id(&sessions, &ended).destroy().await.unwrap();
        let session = open(&sessions, &ended);
        if asks_before {
            assert!(!session.exists().await.unwrap());
        }
        assert!(accepts(&session, &known).await);
        assert!(session.set_count(2).await.unwrap_err().is_gone());
        assert!(accepts(&session, &known).await);
        assert!(session.form_token().await.unwrap_err().is_gone());
        world.elapse(MINUTE);
        let handle = sessions.open([ended.as_bytes()]);
        let session: Session<Visitor> = handle.session();
        assert!(accepts(&session, &known).await);
        let newest = token(&session).await;
        assert!(!accepts(&session, &known).await && accepts(&session, &newest).await);
        assert!(accepts(&open(&sessions, &set_cookie(&handle)), &newest).await);
    }
    // Past the absolute deadline, the cookie names no session any more.
    let (old, known) = visitor_with_form(&sessions).await;
    world.elapse(40 * DAY);
    assert!(!accepts(&open(&sessions, &old), &known).await);
}

pub(crate) async fn after_a_logout_no_token_is_valid(world: World) {
    let sessions = world.sessions(|config| config);
    for is_live in [true, false] {
        let (cookie, known) = visitor_with_form(&sessions).await;
        if !is_live {
            world.elapse(2 * DAY);
        }
        let session = open(&sessions, &cookie);
        assert!(accepts(&session, &known).await);
        session.destroy().await.unwrap();
        assert!(!accepts(&session, &known).await);
        let newest = token(&session).await;
        assert!(accepts(&session, &newest).await && !accepts(&session, &known).await);
    }
}

pub(crate) async fn a_check_asks_only_if_several_sessions_are_named(world: World) {
    let sessions = world.sessions(|config| config);
    let (cookie, known) = visitor_with_form(&sessions).await;
    let session = open(&sessions, &cookie);
    assert_asks(&world, session.check_form_token(&known), &[]).await;
    assert_asks(&world, session.check_form_token("forged"), &[]).await;
    assert_asks(&world, session.form_token(), &["hexists", "pexpire"]).await;
    assert_asks(&world, session.form_token(), &[]).await;
    assert_asks(&world, session.check_form_token(&known), &[]).await;
    let visitor: Session<Visitor> = sessions.open([]).session();
    assert_asks(&world, visitor.check_form_token(&known), &[]).await;
    assert_asks(&world, visitor.form_token(), &["evalsha"]).await;
    assert_asks(&world, visitor.form_token(), &[]).await;
    let read = open(&sessions, &cookie);
    read.count().await.unwrap();
    assert_asks(&world, read.form_token(), &[]).await;
    let stale = open(&sessions, &unknown(&world));
    assert_asks(&world, stale.form_token(), &["hexists", "pexpire", "evalsha"]).await;
    let several = open(&sessions, &format!("{}; {cookie}", unknown(&world)));
    assert_asks(&world, several.check_form_token(&known), &["hexists", "pexpire"]).await;
    assert_asks(&world, several.check_form_token(&known), &[]).await;
}

pub(crate) async fn a_page_with_a_form_is_a_use(world: World) {
    let sessions = world.sessions(|config| config);
    let (cookie, known) = visitor_with_form(&sessions).await;
    world.elapse(DAY / 2);
    assert!(accepts(&open(&sessions, &cookie), &known).await);
    let left = async || open(&sessions, &cookie).expires_in().await.unwrap();
    assert!(left().await.is_some_and(|left| left <= DAY / 2));
    token(&open(&sessions, &cookie)).await;
    assert!(left().await.is_some_and(|left| left > DAY / 2));
}

/// The secrets of both are in the list, in any order.
#[tokio::test]
async fn an_older_secret_still_verifies() {
    let store = MemoryStore::new();
    let sessions = |secrets: &str| {
        let config = SessionConfig::new().secret(secrets);
        Sessions::with_store(config, store.clone()).unwrap()
    };
    let before = sessions(SECRET);
    let (cookie, known) = visitor_with_form(&before).await;
    let during = sessions(&format!("{OTHER_SECRET},{SECRET}"));
    let handle = during.open([cookie.as_bytes()]);
    assert!(accepts(&handle.session(), &known).await);
    let newest = token(&handle.session()).await;
    let cookie = set_cookie(&handle);
    let after = sessions(OTHER_SECRET);
    assert!(accepts(&open(&after, &cookie), &newest).await);
    assert!(!accepts(&open(&after, &cookie), &known).await);
    // A rolling deploy: the former program knows the new secret, but does not sign with it yet.
    let former = sessions(&format!("{SECRET},{OTHER_SECRET}"));
    assert!(accepts(&open(&former, &cookie), &newest).await);
}

/// Two managers with the same secret and store, such as for users and administrators.
#[tokio::test]
async fn a_token_is_for_one_cookie() {
    let store = MemoryStore::new();
    let sessions = |name: &str| {
        let config = SessionConfig::new().secret(SECRET).cookie_name(name);
        Sessions::with_store(config, store.clone()).unwrap()
    };
    let (users, admins) = (sessions("user"), sessions("admin"));
    let session = users.create::<Visitor>().await.unwrap();
    let id = Session::session_id(&session).unwrap();
    let known = token(&session).await;
    assert!(accepts(&users.open_id(&id), &known).await);
    assert!(!accepts(&admins.open_id(&id), &known).await);
}

#[tokio::test]
async fn without_a_secret_there_are_no_tokens() {
    for format in [
        CookieFormat::Tornado(TornadoCookie::new("a key of the Python application")),
        CookieFormat::Flask(FlaskCookie::new("a key of the Python application")),
    ] {
        let sessions = |config: SessionConfig| {
            let config = config.cookie_formats([format.clone()]);
            Sessions::with_store(config, MemoryStore::new()).unwrap()
        };
        let session: Session<Visitor> = sessions(SessionConfig::new()).create().await.unwrap();
        let refused = [
            session.form_token().await.map(drop).unwrap_err(),
            session.check_form_token("").await.unwrap_err(),
        ];
        for error in refused {
            assert!(error.is_config() && error.to_string().contains("SESSION_SECRET"), "{error}");
        }
        let with_secret = sessions(SessionConfig::new().secret(SECRET));
        let (cookie, known) = visitor_with_form(&with_secret).await;
        assert!(accepts(&open(&with_secret, &cookie), &known).await);
    }
}

#[tokio::test]
async fn a_session_that_may_not_begin_has_no_token() {
    let sessions =
        Sessions::with_store(SessionConfig::new().secret(SECRET), MemoryStore::new()).unwrap();
    let (cookie, known) = visitor_with_form(&sessions).await;
    let token_of = async |handle: &SessionHandle| {
        handle.session::<Visitor>().form_token().await.map(|token| token.to_string())
    };
    let cross_site = |cookies: &[&str]| {
        let handle = sessions.open(cookies.iter().map(|cookie| cookie.as_bytes()));
        handle.note_request("POST", |name| {
            (name == "sec-fetch-site").then_some(b"cross-site".as_slice())
        });
        handle
    };
    let refused = cross_site(&[]);
    assert!(token_of(&refused).await.unwrap_err().is_cross_site());
    assert!(refused.finish().set_cookie().is_none());
    // The browser did send the cookie.
    assert!(token_of(&cross_site(&[&cookie])).await.is_ok());

    let late = sessions.open([]);
    let _ = late.finish();
    assert!(token_of(&late).await.unwrap_err().is_headers_sent());
    assert!(late.session::<Visitor>().check_form_token(&known).await.is_err());
    let late = sessions.open([cookie.as_bytes()]);
    let _ = late.finish();
    let newest = token_of(&late).await.unwrap();
    assert!(accepts(&late.session(), &known).await && accepts(&late.session(), &newest).await);
}

#[tokio::test]
async fn without_a_store_forms_are_checked_but_not_made() {
    let store = FailingStore::new(MemoryStore::new());
    let config = SessionConfig::new().secret(SECRET);
    let sessions = Sessions::with_store(config, store.clone()).unwrap();
    let (cookie, known) = visitor_with_form(&sessions).await;
    let both = format!("{cookie}; {}", visitor(&sessions).await);
    store.fail(Failure::Unavailable);
    let is_unavailable = |result: Result<(), Error>| result.unwrap_err().is_unavailable();
    for allows_degraded in [false, true] {
        for reads_before in [false, true] {
            let handle = |cookies: &str| {
                let handle = sessions.open([cookies.as_bytes()]);
                if allows_degraded {
                    handle.allow_degraded();
                }
                handle
            };
            let (one, several) = (handle(&cookie), handle(&both));
            let session: Session<Visitor> = one.session();
            if reads_before {
                assert_eq!(session.count().await.is_ok(), allows_degraded);
                assert_eq!(several.session::<Visitor>().count().await.is_ok(), allows_degraded);
            }
            assert!(accepts(&session, &known).await && !accepts(&session, "").await);
            assert!(is_unavailable(session.form_token().await.map(drop)));
            let several: Session<Visitor> = several.session();
            assert!(is_unavailable(several.check_form_token(&known).await));
        }
    }
    // A request stays without its session, even if the store is back.
    let degraded = sessions.open([both.as_bytes()]);
    degraded.allow_degraded();
    degraded.session::<Visitor>().count().await.unwrap();
    store.recover();
    assert!(is_unavailable(degraded.session::<Visitor>().check_form_token(&known).await));
    assert!(is_unavailable(degraded.session::<Visitor>().form_token().await.map(drop)));
}

/// A creation or a new id may have happened without a reply. The token is of the session that the
/// response has a cookie for.
#[tokio::test]
async fn after_a_lost_reply_the_token_is_of_the_cookie() {
    let store = FailingStore::new(MemoryStore::new());
    let config = SessionConfig::new().secret(SECRET);
    let sessions = Sessions::with_store(config, store.clone()).unwrap();
    for carried_out in [false, true] {
        let handle = sessions.open([]);
        let session: Session<Visitor> = handle.session();
        store.fail(Failure::OutcomeUnknown { carried_out });
        assert!(session.form_token().await.unwrap_err().is_outcome_unknown());
        store.recover();
        let known = token(&session).await;
        let cookie = set_cookie(&handle);
        assert!(accepts(&open(&sessions, &cookie), &known).await);

        for reads_before in [false, true] {
            let handle = sessions.open([cookie.as_bytes()]);
            let session: Session<Visitor> = handle.session();
            if reads_before {
                session.count().await.unwrap();
            }
            store.fail(Failure::OutcomeUnknown { carried_out });
            assert!(session.rotate().await.unwrap_err().is_outcome_unknown());
            store.recover();
            let known = token(&session).await;
            let headers = handle.finish();
            assert_eq!(headers.set_cookie().is_some(), carried_out);
            let next = headers.set_cookie().unwrap_or(&cookie).split(';').next().unwrap();
            assert!(accepts(&open(&sessions, next), &known).await);
            if carried_out {
                break; // the cookie is dead
            }
        }
    }
}

#[tokio::test]
async fn a_token_is_text_for_pages_and_json() {
    let sessions =
        Sessions::with_store(SessionConfig::new().secret(SECRET), MemoryStore::new()).unwrap();
    let session: Session<Visitor> = sessions.create().await.unwrap();
    let token = session.form_token().await.unwrap();
    let text = token.as_str();
    assert!(
        text.len() == 43 && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    );
    assert_eq!(format!("{token} {:?}", token.clone()), format!("{text} FormToken(…)"));
    assert_eq!(serde_json::to_string(&token).unwrap(), format!("\"{text}\""));
}

/// Redis cannot tell a missing session from a missing field without a refresh of the expiry.
pub(crate) async fn a_form_after_a_lost_rotation_is_not_of_a_session_that_has_expired(
    world: World,
) {
    let store = match &world.store {
        Store::Memory(store) => FailingStore::new(store.clone()),
        Store::Redis(store, _) => FailingStore::new(store.clone()),
    };
    let sessions =
        Sessions::with_store(SessionConfig::new().secret(SECRET), store.clone()).unwrap();
    let session = open(&sessions, &visitor(&sessions).await);
    session.count().await.unwrap();
    store.fail(Failure::OutcomeUnknown { carried_out: false });
    assert!(session.rotate().await.is_err_and(|error| error.is_outcome_unknown()));
    store.recover();
    world.elapse(2 * DAY);
    assert!(session.form_token().await.is_err_and(|error| error.is_gone()));
}
