//! The sessions of a user: found by an indexed field, listed, ended and capped.

use std::time::Duration;

use session_runtime::find::Surplus;
use session_runtime::{Error, Lifetime, Session, SessionHandle, Sessions};
use session_tests::acceptance::World;
use tokio::task::JoinSet;

#[derive(Session)]
#[session(fields = "AuthFields")]
struct Auth {
    #[session(index)]
    user: Option<u64>,
}

/// The same field under another name of the index, and with a former name.
#[derive(Session)]
#[session(fields = "AccountFields")]
struct Account {
    #[session(rename = "account.name", alias = "account", index(name = "account", by = "named"))]
    name: Option<String>,
}

#[derive(Session)]
#[session(fields = "DeviceFields")]
struct Device {
    #[session(rename = "device.browser")]
    browser: String,
}

/// A later release stores another type.
#[derive(Session)]
#[session(fields = "LaterFields")]
struct LaterDevice {
    #[session(rename = "device.browser")]
    _browser: u64,
}

async fn count(sessions: &Sessions, user: u64) -> usize {
    sessions.find(Auth::by_user(user)).count().await.unwrap()
}

fn open<S: session_runtime::Schema>(sessions: &Sessions) -> Session<S> {
    sessions.open([]).session()
}

/// Signs a new visitor in.
async fn sign_in(sessions: &Sessions, user: u64) -> Session<Auth> {
    let session = open::<Auth>(sessions);
    session.set_user(user).await.unwrap();
    session
}

/// A request with the cookie that another request's response sets.
fn next_request(sessions: &Sessions, handle: &SessionHandle) -> SessionHandle {
    let headers = handle.finish();
    let cookie = headers.set_cookie().expect("a cookie").split(';').next().unwrap().to_owned();
    sessions.open([cookie.as_bytes()])
}

/// Behaviour: sessions of a user.
pub(crate) async fn every_way_to_write_the_user_is_found(world: World) {
    let sessions = world.sessions(|config| config);
    let (missing, user) = (None, Some(7));
    let ways: [(&str, Way); 7] = [
        ("set", |session| Box::pin(async move { session.set_user(7).await })),
        ("batch", |session| {
            Box::pin(async move { session.write().set(session.user(), 7).commit().await })
        }),
        ("save", |session| Box::pin(async move { session.save(&Auth { user: Some(7) }).await })),
        ("replace", |session| Box::pin(async move { session.user().replace(7).await.map(drop) })),
        ("get_or_set", |session| {
            Box::pin(async move { session.user().get_or_set(7).await.map(drop) })
        }),
        ("compare_and_set", |session| {
            Box::pin(async move { session.user().compare_and_set(None, 7).await.map(drop) })
        }),
        ("update", |session| {
            Box::pin(async move { session.user().update(|_| Some(7)).await.map(drop) })
        }),
    ];
    for (way, write) in ways {
        let session = open::<Auth>(&sessions);
        write(session.clone()).await.unwrap_or_else(|error| panic!("{way}: {error}"));
        assert_eq!((session.user().await.unwrap(), count(&sessions, 7).await), (user, 1), "{way}");
        session.destroy().await.unwrap();
        assert_eq!(count(&sessions, 7).await, 0, "{way}");
    }
    assert_eq!(open::<Auth>(&sessions).user().await.unwrap(), missing);
}

/// A way to change the user.
type Way = fn(Session<Auth>) -> BoxedWrite;
type BoxedWrite = std::pin::Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

pub(crate) async fn every_way_to_remove_the_user_is_noticed(world: World) {
    let sessions = world.sessions(|config| config);
    let ways: [(&str, Way); 7] = [
        ("remove", |session| Box::pin(async move { session.user().remove().await.map(drop) })),
        ("take", |session| Box::pin(async move { session.user().take().await.map(drop) })),
        ("none", |session| Box::pin(async move { session.set_user(None).await })),
        ("clear", |session| Box::pin(async move { session.clear().await })),
        ("batch", |session| {
            Box::pin(async move { session.write().remove(session.user()).commit().await })
        }),
        ("keep_only", |session| {
            Box::pin(async move { session.write().keep_only(()).rotate().commit().await })
        }),
        ("another user", |session| Box::pin(async move { session.set_user(8).await })),
    ];
    for (way, remove) in ways {
        let session = sign_in(&sessions, 7).await;
        assert_eq!(count(&sessions, 7).await, 1, "{way}");
        remove(session.clone()).await.unwrap_or_else(|error| panic!("{way}: {error}"));
        assert_eq!(count(&sessions, 7).await, 0, "{way}");
        assert!(session.exists().await.unwrap(), "{way}");
    }
    assert_eq!(count(&sessions, 8).await, 1);
}

/// An action that changes nothing changes no index.
pub(crate) async fn an_action_without_effect_leaves_the_index(world: World) {
    let sessions = world.sessions(|config| config);
    let session = sign_in(&sessions, 7).await;
    assert_eq!(session.user().get_or_set(8).await.unwrap(), Some(7));
    assert!(!session.user().compare_and_set(9, 8).await.unwrap());
    assert!(!session.user().compare_and_set(9, None).await.unwrap());
    assert_eq!((count(&sessions, 7).await, count(&sessions, 8).await), (1, 0));
}

pub(crate) async fn the_entry_follows_every_new_id(world: World) {
    let sessions = world.sessions(|config| config);
    let handle = sessions.open([]);
    let (auth, device): (Session<Auth>, Session<Device>) = (handle.session(), handle.session());
    auth.set_user(7).await.unwrap();
    let first = auth.session_id().unwrap();
    // A schema without an index changes the id.
    device.rotate().await.unwrap();
    assert_eq!(count(&sessions, 7).await, 1);
    device.renew(Lifetime::remembered()).await.unwrap();
    assert_eq!(count(&sessions, 7).await, 1);
    device.write().set(device.browser(), "Lynx").rotate().commit().await.unwrap();
    let kept = device.write().keep_only((auth.user(),)).renew(Lifetime::normal());
    kept.commit().await.unwrap();
    assert_eq!((auth.user().await.unwrap(), count(&sessions, 7).await), (Some(7), 1));
    assert_ne!(auth.session_id(), Some(first));
    let dropped = device.write().set(device.browser(), "w3m").keep_only(()).rotate();
    dropped.commit().await.unwrap();
    assert_eq!((auth.user().await.unwrap(), count(&sessions, 7).await), (None, 0));
}

pub(crate) async fn a_login_with_an_index_is_one_round_trip_for_each_step(world: World) {
    let sessions = world.sessions(|config| config);
    // The first run of a script on a server may have to send its text.
    for user in 100..if world.is_cluster() { 160 } else { 101 } {
        login(&visitor(&sessions).await, user).await.unwrap();
    }
    let handle = visitor(&sessions).await;
    let commands = world.commands(async || login(&handle, 7).await.unwrap()).await;
    let steps: &[&str] = if world.is_cluster() { &["evalsha", "evalsha"] } else { &["evalsha"] };
    world.assert_commands(commands, steps);
    assert_eq!(count(&sessions, 7).await, 1);
    assert!(world.times_to_live().iter().all(|left| *left > 0), "{:?}", world.times_to_live());
}

/// Returns a request with the session of an anonymous visitor.
async fn visitor(sessions: &Sessions) -> SessionHandle {
    let handle = sessions.open([]);
    let anonymous: Session<Device> = handle.session();
    anonymous.set_browser("Lynx").await.unwrap();
    next_request(sessions, &handle)
}

async fn login(handle: &SessionHandle, user: u64) -> Result<(), Error> {
    let session: Session<Auth> = handle.session();
    session.write().set(session.user(), user).renew(Lifetime::normal()).commit().await
}

pub(crate) async fn a_list_shows_each_session_as_it_is(world: World) {
    let sessions = world.sessions(|config| config);
    let mut visitors = Vec::new();
    for browser in ["Lynx", "w3m", "Dillo"] {
        let handle = sessions.open([]);
        let (auth, device): (Session<Auth>, Session<Device>) = (handle.session(), handle.session());
        auth.write().set(auth.user(), 7).set(device.browser(), browser).commit().await.unwrap();
        visitors.push(auth);
        world.elapse(Duration::from_secs(60));
    }
    visitors[0].set_user(7).await.unwrap();
    let found = sessions.find(Auth::by_user(7));
    let list = found.list_as::<Device>().await.unwrap();
    let browsers: Vec<_> = list.iter().map(|entry| entry.data().unwrap().browser).collect();
    assert_eq!(browsers, ["Lynx", "Dillo", "w3m"], "the latest use comes first");
    for (entry, at) in list.iter().zip([0, 2, 1]) {
        assert!(entry.is_current(&visitors[at]) && !entry.is_current(&visitors[(at + 1) % 3]));
        assert_eq!(Some(entry.created_at()), visitors[at].created_at());
        assert_eq!(entry.tag(), visitors[at].session_id().unwrap().tag());
        assert!(entry.signed_in_at().is_some() && entry.expires_in() > Duration::from_secs(60));
        let last_used = entry.last_used().expect("a known use");
        assert!(last_used.at <= world.now() && last_used.within.is_zero());
        assert!(!format!("{entry:?}").contains("Lynx"));
    }
    assert_eq!(found.list().await.unwrap()[0].data().unwrap().user, Some(7));
    let undecodable = found.list_as::<LaterDevice>().await.unwrap();
    assert_eq!(undecodable.len(), 3);
    assert!(undecodable[0].data().is_err_and(|error| error.is_decode()));
    assert_eq!(sessions.find(Auth::by_user(7)).limit(2).list().await.unwrap().len(), 2);
}

pub(crate) async fn a_tag_ends_only_a_session_of_the_user(world: World) {
    let sessions = world.sessions(|config| config);
    let (mine, theirs) = (sign_in(&sessions, 7).await, sign_in(&sessions, 8).await);
    let found = sessions.find(Auth::by_user(7));
    let tag = |session: &Session<Auth>| session.session_id().unwrap().tag().to_owned();
    assert!(!found.end(&tag(&theirs)).await.unwrap());
    assert!(!found.end("").await.unwrap() && !found.end("no such tag").await.unwrap());
    assert!(found.end(&tag(&mine)).await.unwrap());
    assert!(!found.end(&tag(&mine)).await.unwrap());
    assert!(mine.set_user(7).await.is_err_and(|error| error.is_gone()));
    assert_eq!((count(&sessions, 7).await, count(&sessions, 8).await), (0, 1));
}

pub(crate) async fn all_or_all_other_sessions_are_ended(world: World) {
    let sessions = world.sessions(|config| config);
    let mut visitors = Vec::new();
    for _ in 0..4 {
        visitors.push(sign_in(&sessions, 7).await);
    }
    let other_user = sign_in(&sessions, 8).await;
    let found = sessions.find(Auth::by_user(7));
    assert_eq!(found.end_others(&visitors[0]).await.unwrap(), 3);
    assert!(visitors[0].exists().await.unwrap() && !visitors[1].exists().await.unwrap());
    assert_eq!(found.end_all().await.unwrap(), 1);
    assert_eq!(found.end_all().await.unwrap(), 0);
    assert_eq!(count(&sessions, 7).await, 0);
    assert!(other_user.exists().await.unwrap());
    // The end of everything does not keep anybody from a new login.
    sign_in(&sessions, 7).await;
    assert_eq!(count(&sessions, 7).await, 1);
}

/// The entries of sessions that ended, expired or changed hands do not count, and go.
pub(crate) async fn a_session_of_somebody_else_now_is_left_alone(world: World) {
    let sessions = world.sessions(|config| config);
    let session = sign_in(&sessions, 7).await;
    session.set_user(8).await.unwrap();
    // In a cluster, the login of the former user may still be half done for ten minutes.
    world.elapse(Duration::from_secs(11 * 60));
    assert_eq!(sessions.find(Auth::by_user(7)).end_all().await.unwrap(), 0);
    assert!(session.exists().await.unwrap());
    world.elapse(Duration::from_secs(25 * 60 * 60));
    assert_eq!((count(&sessions, 7).await, count(&sessions, 8).await), (0, 0));
    assert_eq!(sessions.find(Auth::by_user(8)).end_all().await.unwrap(), 0);
}

/// Sessions that change their ids all the time end too.
pub(crate) async fn an_end_follows_rotations_under_way(world: World) {
    let sessions = world.sessions(|config| config);
    for _ in 0..20 {
        let mut rotating = JoinSet::new();
        for _ in 0..4 {
            let session = sign_in(&sessions, 7).await;
            rotating.spawn(async move {
                let error = loop {
                    if let Err(error) = session.rotate().await {
                        break error;
                    }
                    tokio::task::yield_now().await;
                };
                assert!(error.is_gone(), "{error}");
                session
            });
        }
        assert_eq!(sessions.find(Auth::by_user(7)).end_all().await.unwrap(), 4);
        while let Some(session) = rotating.join_next().await {
            assert!(!session.unwrap().exists().await.unwrap());
        }
        assert_eq!(count(&sessions, 7).await, 0);
    }
}

pub(crate) async fn the_newest_sessions_can_be_kept(world: World) {
    let sessions = world.sessions(|config| config);
    let mut visitors = Vec::new();
    for _ in 0..5 {
        visitors.push(sign_in(&sessions, 7).await);
        world.elapse(Duration::from_secs(60));
    }
    // A use does not count, but a sign-in does.
    visitors[1].user().await.unwrap();
    visitors[0].set_user(7).await.unwrap();
    assert_eq!(sessions.find(Auth::by_user(7)).keep_newest(2).await.unwrap(), 3);
    for (visitor, stays) in visitors.iter().zip([true, false, false, false, true]) {
        assert_eq!(visitor.exists().await.unwrap(), stays);
    }
}

pub(crate) async fn fifty_logins_at_once_leave_as_many_as_allowed(world: World) {
    let sessions = world.sessions(|config| config);
    let (mut logins, has_steps) = (JoinSet::new(), world.is_cluster());
    for _ in 0..50 {
        let sessions = sessions.clone();
        logins.spawn(async move {
            let session = open::<Auth>(&sessions);
            let login = session.write().set(session.user(), 7).renew(Lifetime::normal());
            let login = login.at_most(5, Surplus::EndOldest).commit().await;
            // In a cluster, another login may end a login that is half done.
            assert!(
                login.as_ref().err().is_none_or(|error| has_steps && error.is_gone()),
                "{login:?}"
            );
        });
    }
    while let Some(login) = logins.join_next().await {
        login.unwrap();
    }
    assert_eq!(count(&sessions, 7).await, 5);
}

pub(crate) async fn a_login_beyond_the_limit_is_refused(world: World) {
    let sessions = world.sessions(|config| config);
    let (first, second) = (sign_in(&sessions, 7).await, sign_in(&sessions, 7).await);
    let third = open::<Auth>(&sessions);
    let login = async |session: &Session<Auth>, most| {
        let login = session.write().set(session.user(), 7).renew(Lifetime::normal());
        login.at_most(most, Surplus::Refuse).commit().await
    };
    let error = login(&third, 2).await.unwrap_err();
    assert!(error.is_too_many() && error.status() == 409, "{error}");
    assert!(!third.exists().await.unwrap());
    // A second login of the same browser takes no further place.
    login(&second, 2).await.unwrap();
    login(&third, 3).await.unwrap();
    assert!(first.exists().await.unwrap());
    assert_eq!(count(&sessions, 7).await, 3);
}

pub(crate) async fn a_login_that_an_end_overtook_is_refused(world: World) {
    let sessions = world.sessions(|config| config);
    let found = sessions.find(Auth::by_user(7));
    let login = async |session: &Session<Auth>, user: u64, seen| {
        let login = session.write().set(session.user(), user).renew(Lifetime::normal());
        login.unless_ended_since(seen).commit().await
    };
    let seen = found.checkpoint().await.unwrap();
    login(&open(&sessions), 7, seen.clone()).await.unwrap();
    assert_eq!(found.end_all().await.unwrap(), 1);
    let late = open::<Auth>(&sessions);
    let error = login(&late, 7, seen.clone()).await.unwrap_err();
    assert!(error.is_ended_since() && error.status() == 409, "{error}");
    assert!(!late.exists().await.unwrap());
    assert!(login(&late, 8, seen).await.unwrap_err().is_unsupported());
    // A login that began after the end is not refused.
    world.elapse(Duration::from_millis(1));
    login(&late, 7, found.checkpoint().await.unwrap()).await.unwrap();
    assert_eq!(count(&sessions, 7).await, 1);
}

pub(crate) async fn an_index_with_a_former_name_of_the_field(world: World) {
    let sessions = world.sessions(|config| config);
    let session = open::<Account>(&sessions);
    session.set_name("ada").await.unwrap();
    let found = sessions.find(Account::named("ada"));
    assert_eq!(found.count().await.unwrap(), 1);
    assert_eq!(found.list().await.unwrap()[0].data().unwrap().name.as_deref(), Some("ada"));
    session.name().update(|_| Some("grace".to_owned())).await.unwrap();
    assert_eq!(found.count().await.unwrap(), 0);
    assert_eq!(sessions.find(Account::named("grace")).end_all().await.unwrap(), 1);
}

/// Whatever the batch keeps, another user does not get the data of the user before.
pub(crate) async fn another_user_gets_nothing_of_the_user_before(world: World) {
    let sessions = world.sessions(|config| config);
    for keeps in [true, false] {
        let handle = sessions.open([]);
        let (auth, device): (Session<Auth>, Session<Device>) = (handle.session(), handle.session());
        device.set_browser("Lynx").await.unwrap();
        let login = async |user: u64| {
            let login = auth.write().set(auth.user(), user).renew(Lifetime::normal());
            let login = if keeps { login.keep_only((device.browser(),)) } else { login };
            login.commit().await.unwrap();
            device.browser().await.unwrap()
        };
        assert_eq!(login(7).await, "Lynx", "the cart of a visitor stays at the login");
        assert_eq!(login(7).await, "Lynx", "it is the same user");
        assert_eq!(login(8).await, "");
        assert_eq!((count(&sessions, 7).await, count(&sessions, 8).await), (0, 1));
        sessions.find(Auth::by_user(8)).end_all().await.unwrap();
    }
}

/// A login page writes just after an administrator has ended the session of the cookie.
pub(crate) async fn an_ended_device_begins_again_after_destroy(world: World) {
    let sessions = world.sessions(|config| config);
    let handle = sessions.open([]);
    let signed_in: Session<Auth> = handle.session();
    signed_in.set_user(7).await.unwrap();
    let handle = next_request(&sessions, &handle);
    assert_eq!(sessions.find(Auth::by_user(7)).end_all().await.unwrap(), 1);
    let page: Session<Device> = handle.session();
    assert!(page.browser().get_or_set("Lynx").await.is_err_and(|error| error.is_gone()));
    page.destroy().await.unwrap();
    assert_eq!(page.browser().get_or_set("Lynx").await.unwrap(), "Lynx");
    let next: Session<Device> = next_request(&sessions, &handle).session();
    assert_eq!(next.browser().await.unwrap(), "Lynx");
}
