//! The races between logins, lists and ends, forced one by one. They are the failures of an index
//! that is written beside the session: better-auth 11022 and 11073.

use std::pin::Pin;

use session_runtime::find::Surplus;
use session_runtime::{Error, Lifetime, Session, Sessions};
use session_tests::acceptance::World;
use session_tests::gated_store::GatedStore;

#[derive(Session)]
#[session(fields = "AuthFields")]
struct Auth {
    #[session(index)]
    user: Option<u64>,
    visits: u64,
}

/// The same field in a program without the index.
#[derive(Session)]
#[session(fields = "PlainFields")]
struct Plain {
    user: Option<u64>,
}

/// The requests of a program, whose store operations the test holds, and another program.
struct Two {
    store: GatedStore,
    program: Sessions,
    other: Sessions,
}

impl Two {
    fn on(world: &World) -> Self {
        let (store, program) = world.gated_sessions();
        Self { store, program, other: world.sessions(|config| config) }
    }

    async fn count(&self) -> usize {
        self.other.find(Auth::by_user(7)).count().await.unwrap()
    }

    async fn end_all(&self) -> usize {
        self.other.find(Auth::by_user(7)).end_all().await.unwrap()
    }

    async fn sign_in(&self) -> Session<Auth> {
        let auth = self.program.open([]).session();
        log_in(&auth).await.unwrap();
        auth
    }
}

async fn log_in(auth: &Session<Auth>) -> Result<(), Error> {
    auth.write().set(auth.user(), 7).renew(Lifetime::normal()).commit().await
}

/// Both logins have decided what to write before either writes.
pub(crate) async fn two_logins_at_once_are_both_listed(world: World) {
    let two = Two::on(&world);
    let current = two.sign_in().await;
    let mut logins = Vec::new();
    for _ in 0..2 {
        let mut held = two.store.hold("write");
        let auth: Session<Auth> = two.program.open([]).session();
        let login = tokio::spawn({
            let auth = auth.clone();
            async move { log_in(&auth).await }
        });
        held.arrival().await;
        logins.push((held, login, auth));
    }
    let mut late = Vec::new();
    while let Some((held, login, auth)) = logins.pop() {
        drop(held);
        login.await.unwrap().unwrap();
        late.push(auth);
    }
    assert_eq!(two.count().await, 3);
    assert_eq!(two.program.find(Auth::by_user(7)).end_others(&current).await.unwrap(), 2);
    assert!(current.exists().await.unwrap());
    for auth in late {
        assert!(!auth.exists().await.unwrap());
    }
}

/// The first try of each login found no room, and both have made room.
pub(crate) async fn two_logins_into_one_place_leave_one(world: World) {
    let two = Two::on(&world);
    two.sign_in().await;
    let mut logins = Vec::new();
    for _ in 0..2 {
        let auth: Session<Auth> = two.program.open([]).session();
        let login = async move {
            let login = auth.write().set(auth.user(), 7).renew(Lifetime::normal());
            login.at_most(1, Surplus::EndOldest).commit().await
        };
        // After the look at the list, before the end of the oldest session in it.
        let mut held = two.store.hold("destroy_if");
        let login = tokio::spawn(login);
        held.arrival().await;
        logins.push((held, login));
    }
    for (held, login) in logins {
        drop(held);
        login.await.unwrap().unwrap();
    }
    assert_eq!(two.count().await, 1);
}

/// A list has found an entry without its session, and the session logs in before the list tidies
/// up.
pub(crate) async fn a_list_that_tidies_up_leaves_a_login_at_once(world: World) {
    let two = Two::on(&world);
    let handle = two.program.open([]);
    let (auth, plain): (Session<Auth>, Session<Plain>) = (handle.session(), handle.session());
    log_in(&auth).await.unwrap();
    plain.set_user(8).await.unwrap();
    let mut held = two.store.hold("remove_stale");
    let mut list = tokio::spawn({
        let program = two.program.clone();
        async move { program.find(Auth::by_user(7)).count().await }
    });
    // In memory, there is no such entry and nothing to tidy up.
    let early = tokio::select! {
        () = held.arrival() => None,
        counted = &mut list => Some(counted),
    };
    auth.set_user(7).await.unwrap();
    drop(held);
    let counted = match early {
        Some(counted) => counted,
        None => list.await,
    };
    assert_eq!(counted.unwrap().unwrap(), 0);
    assert_eq!(two.count().await, 1);
    assert_eq!(two.end_all().await, 1);
    assert!(!auth.exists().await.unwrap());
}

type Request = fn(Session<Auth>) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A request has found its session, and goes on after the end of all sessions.
pub(crate) async fn no_request_under_way_brings_an_ended_session_back(world: World) {
    let two = Two::on(&world);
    let requests: [(&str, Request); 7] = [
        ("get", |auth| Box::pin(async move { auth.visits().await.map(drop) })),
        ("contains", |auth| Box::pin(async move { auth.user().exists().await.map(drop) })),
        ("get_many", |auth| Box::pin(async move { auth.load().await.map(drop) })),
        ("write", |auth| Box::pin(async move { auth.set_user(7).await })),
        ("modify", |auth| Box::pin(async move { auth.visits().incr(1).await.map(drop) })),
        ("rotate", |auth| Box::pin(async move { auth.rotate().await })),
        ("rotate", |auth| Box::pin(async move { auth.renew(Lifetime::normal()).await })),
    ];
    for (operation, request) in requests {
        let auth = two.sign_in().await;
        let mut held = two.store.hold(operation);
        let under_way = tokio::spawn(request(auth.clone()));
        held.arrival().await;
        assert_eq!(two.end_all().await, 1, "{operation}");
        drop(held);
        let outcome = under_way.await.unwrap();
        assert!(outcome.is_ok() || outcome.is_err_and(|error| error.is_gone()), "{operation}");
        assert!(!auth.exists().await.unwrap(), "{operation}");
        assert_eq!(two.count().await, 0, "{operation}");
    }
}

/// The end has read the list, and the session gets another id before its end.
pub(crate) async fn an_end_follows_a_session_that_overtakes_it(world: World) {
    let two = Two::on(&world);
    let moves: [Request; 3] = [
        |auth| Box::pin(async move { auth.rotate().await }),
        |auth| Box::pin(async move { auth.renew(Lifetime::normal()).await }),
        |auth| Box::pin(async move { log_in(&auth).await }),
    ];
    for to_another_id in moves {
        let auth = two.sign_in().await;
        let mut held = two.store.hold("destroy_if");
        let end = tokio::spawn({
            let program = two.program.clone();
            async move { program.find(Auth::by_user(7)).end_all().await }
        });
        held.arrival().await;
        to_another_id(auth.clone()).await.unwrap();
        drop(held);
        assert_eq!(end.await.unwrap().unwrap(), 1);
        assert!(!auth.exists().await.unwrap());
        assert_eq!(two.count().await, 0);
    }
}

/// The password was verified before the end of all sessions, and the session comes after it.
pub(crate) async fn a_login_under_way_does_not_survive_the_end(world: World) {
    let two = Two::on(&world);
    for (is_visitor, at_most) in [(false, false), (true, false), (false, true), (true, true)] {
        let auth: Session<Auth> = two.program.open([]).session();
        if is_visitor {
            auth.set_visits(1).await.unwrap();
        }
        let seen = two.program.find(Auth::by_user(7)).checkpoint().await.unwrap();
        let mut held = two.store.hold(if is_visitor { "rotate" } else { "write" });
        let login = tokio::spawn({
            let auth = auth.clone();
            async move {
                let login = auth.write().set(auth.user(), 7).renew(Lifetime::normal());
                let login = login.unless_ended_since(seen);
                let login = if at_most { login.at_most(1, Surplus::EndOldest) } else { login };
                login.commit().await
            }
        });
        held.arrival().await;
        assert_eq!(two.end_all().await, 0);
        drop(held);
        let refused = login.await.unwrap().unwrap_err();
        assert!(refused.is_ended_since(), "{refused}");
        assert_eq!(auth.user().await.unwrap(), None);
        assert_eq!(two.count().await, 0);
    }
}
