//! Batches that also give the session a new id.

use session_runtime::{Lifetime, Session, SessionHandle, Sessions};
use session_tests::acceptance::World;
use session_tests::cookies::id_of;

#[derive(Session)]
#[session(fields = "AuthFields")]
struct Auth {
    user: Option<u64>,
    ticket: Option<String>,
}

#[derive(Session)]
#[session(prefix = "cart.", fields = "CartFields")]
struct Cart {
    #[session(alias = "positions")]
    items: Vec<u8>,
    coupon: String,
}

/// The cookie of a visitor who has filled a cart. User 1 is signed in.
async fn visitor(sessions: &Sessions) -> String {
    let handle = sessions.open([]);
    let (auth, cart): (Session<Auth>, Session<Cart>) = (handle.session(), handle.session());
    auth.write()
        .set(auth.user(), 1)
        .set(auth.ticket(), "old".to_owned())
        .set(cart.items(), b"tea")
        .set(cart.coupon(), "X")
        .commit()
        .await
        .unwrap();
    cookie_of(&handle)
}

/// The cookie that the response sets.
fn cookie_of(handle: &SessionHandle) -> String {
    let headers = handle.finish();
    headers.set_cookie().expect("a cookie").split(';').next().unwrap().to_owned()
}

fn open(sessions: &Sessions, cookie: &str) -> SessionHandle {
    sessions.open([cookie.as_bytes()])
}

/// The user, the ticket, the items and the coupon.
async fn content(
    sessions: &Sessions,
    cookie: &str,
) -> (Option<u64>, Option<String>, Vec<u8>, String) {
    let handle = open(sessions, cookie);
    let (auth, cart): (Session<Auth>, Session<Cart>) = (handle.session(), handle.session());
    let batch = (auth.user(), auth.ticket(), cart.items(), cart.coupon());
    auth.read(batch).await.unwrap()
}

/// Behaviour: login in one step.
pub(crate) async fn a_login_moves_the_session_with_its_values(world: World) {
    let sessions = world.sessions(|config| config);
    let cookie = visitor(&sessions).await;
    let handle = open(&sessions, &cookie);
    let (auth, cart): (Session<Auth>, Session<Cart>) = (handle.session(), handle.session());
    let login = auth
        .write()
        .set(auth.user(), 42)
        .keep_only((cart.items(),))
        .renew(Lifetime::remembered())
        .commit();
    let commands = world.commands(async || login.await.unwrap()).await;
    world.assert_commands(commands, &["evalsha"]);
    assert_eq!(auth.lifetime(), Some(Lifetime::remembered()));
    assert_eq!(auth.user().await.unwrap(), Some(42));
    let new = cookie_of(&handle);
    assert_ne!(id_of(&new), id_of(&cookie));
    assert_eq!(content(&sessions, &new).await, (Some(42), None, b"tea".to_vec(), String::new()));
    assert_eq!(content(&sessions, &cookie).await, (None, None, Vec::new(), String::new()));
    assert!(world.times_to_live().iter().all(|left| *left > 0), "{:?}", world.times_to_live());
}

pub(crate) async fn a_login_without_a_session_creates_one(world: World) {
    let sessions = world.sessions(|config| config);
    for unknown in [None, Some(session_tests::cookies::id(world.now(), 0))] {
        let cookie = unknown.as_deref().map(session_tests::cookies::cookie);
        let handle = sessions.open(cookie.as_ref().map(String::as_bytes));
        let auth: Session<Auth> = handle.session();
        let login = auth.write().set(auth.user(), 42).keep_only(()).renew(Lifetime::remembered());
        let commands = world.commands(async || login.commit().await.unwrap()).await;
        let expected = if cookie.is_some() { &["evalsha"; 2][..] } else { &["evalsha"] };
        world.assert_commands(commands, expected);
        assert_eq!(auth.lifetime(), Some(Lifetime::remembered()));
        assert_eq!(content(&sessions, &cookie_of(&handle)).await.0, Some(42));
    }
}

pub(crate) async fn a_batch_that_rotates_keeps_lifetime_and_fields(world: World) {
    let sessions = world.sessions(|config| config);
    let cookie = visitor(&sessions).await;
    let handle = open(&sessions, &cookie);
    let (auth, cart): (Session<Auth>, Session<Cart>) = (handle.session(), handle.session());
    let created_at = auth.created_at();
    auth.write().remove(auth.user()).set(cart.coupon(), "Y").rotate().commit().await.unwrap();
    assert_eq!((auth.created_at(), auth.lifetime()), (created_at, Some(Lifetime::normal())));
    let new = cookie_of(&handle);
    let kept = (None, Some("old".to_owned()), b"tea".to_vec(), "Y".to_owned());
    assert_eq!(content(&sessions, &new).await, kept);
}

/// A field that is stored under the former name stays there.
pub(crate) async fn a_kept_field_may_have_its_former_name(world: World) {
    #[derive(Session)]
    #[session(fields = "BeforeFields")]
    struct Before {
        #[session(rename = "positions")]
        items: Vec<u8>,
    }
    let sessions = world.sessions(|config| config);
    let handle = sessions.open([]);
    let before: Session<Before> = handle.session();
    before.set_items(b"tea").await.unwrap();
    let handle = open(&sessions, &cookie_of(&handle));
    let (auth, cart): (Session<Auth>, Session<Cart>) = (handle.session(), handle.session());
    let batch = auth.write().keep_only((cart.items(),)).renew(Lifetime::normal());
    batch.commit().await.unwrap();
    assert_eq!(cart.items().await.unwrap(), b"tea");
}

/// Each batch draws an id of its own, so none is taken for a repetition of the other.
pub(crate) async fn two_logins_of_one_request_leave_whole_values(world: World) {
    let sessions = world.sessions(|config| config);
    for at_once in [false, true] {
        let handle = open(&sessions, &visitor(&sessions).await);
        let auth: Session<Auth> = handle.session();
        let login = |user: u64| {
            let batch = auth.write().set(auth.user(), user);
            let batch = batch.set(auth.ticket(), user.to_string());
            batch.keep_only(()).renew(Lifetime::normal()).commit()
        };
        if at_once {
            let (one, other) = tokio::join!(login(42), login(43));
            one.and(other).unwrap();
        } else {
            login(42).await.unwrap();
            login(43).await.unwrap();
        }
        let (user, ticket, ..) = content(&sessions, &cookie_of(&handle)).await;
        assert_eq!(ticket, user.map(|user| user.to_string()));
        assert!(user == Some(43) || at_once && user == Some(42), "{user:?}");
    }
}

/// The loser of two rotations is gone. The loser of two logins signs in to another session.
pub(crate) async fn of_two_requests_at_once_one_has_the_session(world: World) {
    let sessions = world.sessions(|config| config);
    for renews in [false, true] {
        let cookie = visitor(&sessions).await;
        let handles = [open(&sessions, &cookie), open(&sessions, &cookie)];
        let [one, other]: [Session<Auth>; 2] = [handles[0].session(), handles[1].session()];
        let change = async |session: &Session<Auth>, user: u64| {
            let batch = session.write().set(session.user(), user).keep_only(());
            let batch = if renews { batch.renew(Lifetime::normal()) } else { batch.rotate() };
            batch.commit().await
        };
        let _ = (one.user().await.unwrap(), other.user().await.unwrap());
        let outcomes = [change(&one, 42).await, change(&other, 43).await];
        assert!(outcomes[0].is_ok());
        assert_eq!(content(&sessions, &cookie_of(&handles[0])).await.0, Some(42));
        match &outcomes[1] {
            Ok(()) => {
                assert!(renews);
                assert_eq!(content(&sessions, &cookie_of(&handles[1])).await.0, Some(43));
            }
            Err(error) => assert!(!renews && error.is_gone(), "{error}"),
        }
    }
}

pub(crate) async fn a_batch_that_only_removes_creates_nothing(world: World) {
    let sessions = world.sessions(|config| config);
    let handle = sessions.open([]);
    let auth: Session<Auth> = handle.session();
    let batch = auth.write().remove(auth.user()).keep_only(()).renew(Lifetime::remembered());
    let commands = world.commands(async || batch.commit().await.unwrap()).await;
    world.assert_commands(commands, &[]);
    assert!(handle.finish().set_cookie().is_none());
    assert_eq!(world.times_to_live(), Vec::<i64>::new());
}
