//! Keys of encrypted fields: several at once, and their replacement.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use session_runtime::find::Surplus;
use session_runtime::store::IndexKey;
use session_runtime::{Lifetime, Schema, Session, SessionId, Sessions};
use session_tests::acceptance::World;
use session_tests::deployment::Deployment;
use tokio::task::JoinSet;

const OLD: &str = "hex:5f1d0c8a6b7e93f2a4c8d1e07b3f6a9052c4e8d7b1a3f5906e8c2d4b7a9f1e30";
const NEW: &str = "hex:9a7c3e5f1b2d8064c7e9a1f3b5d70826e4c8f0a2b6d19375f8e0c4a6b2d79135";

#[derive(Session)]
#[session(fields = "ProfileFields")]
struct Profile {
    #[session(encrypt)]
    email: Option<String>,
    #[session(encrypt(pad = 64), alias = "street")]
    address: String,
    #[session(encrypt, cached, index)]
    user: Option<u64>,
    theme: String,
}

/// The schema of a release without encryption.
#[derive(Session)]
#[session(fields = "BeforeFields")]
struct Before {
    email: Option<String>,
    #[session(index)]
    user: Option<u64>,
}

/// The schema of the release after.
#[derive(Session)]
#[session(fields = "AfterFields")]
struct After {
    #[session(encrypt(accept_plain))]
    email: Option<String>,
    #[session(encrypt(accept_plain), index)]
    user: Option<u64>,
}

/// The schema of the release between both.
#[derive(Session)]
#[session(fields = "BetweenFields")]
struct Between {
    #[session(encrypt(write_plain))]
    email: Option<String>,
    #[session(encrypt(write_plain), index)]
    user: Option<u64>,
}

fn with_keys(world: &World, keys: &[&str]) -> Sessions {
    world.sessions(|config| config.encryption_keys(keys.join(",")))
}

async fn sign_in(sessions: &Sessions, user: u64) -> Session<Profile> {
    let session = sessions.create::<Profile>().await.unwrap();
    let profile = Profile {
        email: Some(format!("{user}@example.org")),
        address: format!("street {user}"),
        user: Some(user),
        theme: "dark".to_owned(),
    };
    session.save(&profile).await.unwrap();
    session
}

fn reopened<S: Schema>(sessions: &Sessions, session: &Session<impl Schema>) -> Session<S> {
    sessions.open_id(&session.session_id().unwrap())
}

async fn is_readable(session: &Session<Profile>, user: u64) {
    let loaded = session.load().await.unwrap();
    assert_eq!(loaded.email, Some(format!("{user}@example.org")));
    assert_eq!((loaded.address, loaded.user), (format!("street {user}"), Some(user)));
}

/// Behaviour: keys of encrypted fields.
pub(crate) async fn all_keys_decrypt_and_the_first_encrypts(world: World) {
    let (old, both, new) =
        (with_keys(&world, &[OLD]), with_keys(&world, &[NEW, OLD]), with_keys(&world, &[NEW]));
    let session = sign_in(&old, 7).await;
    is_readable(&reopened(&both, &session), 7).await;
    let unread = reopened::<Profile>(&new, &session);
    for error in [unread.email().await.unwrap_err(), unread.load().await.err().unwrap()] {
        assert!(error.is_decode() && error.to_string().contains("not configured"), "{error}");
    }
    assert_eq!(unread.theme().await.unwrap(), "dark");
    reopened::<Profile>(&both, &session).set_email("ada@example.org").await.unwrap();
    assert_eq!(unread.email().await.unwrap().as_deref(), Some("ada@example.org"));
    assert!(
        reopened::<Profile>(&old, &session).email().await.is_err_and(|error| error.is_decode())
    );
}

/// Behaviour: replacement of keys.
pub(crate) async fn values_are_encrypted_again_without_a_use_of_the_session(world: World) {
    let (old, both, new) =
        (with_keys(&world, &[OLD]), with_keys(&world, &[NEW, OLD]), with_keys(&world, &[NEW]));
    let sessions = [sign_in(&old, 7).await, sign_in(&old, 8).await, sign_in(&old, 7).await];
    let anonymous = old.create::<Profile>().await.unwrap();
    anonymous.set_theme("light").await.unwrap();
    // Older servers cannot expire single fields.
    let _ = sessions[1].address().expire_in(Duration::from_secs(600)).await;
    let field_left = sessions[1].address().expires_in().await.unwrap();
    world.elapse(Duration::from_secs(60));
    let signed_in = async |sessions: &Sessions, user| {
        let list = sessions.find(Profile::by_user(user)).list().await.unwrap();
        let mut times: Vec<_> =
            list.iter().map(|one| (one.tag().to_owned(), one.signed_in_at())).collect();
        times.sort();
        times
    };
    let before = signed_in(&old, 7).await;
    let left = sessions[1].expires_in().await.unwrap().unwrap();

    let done = both.reencrypt::<Profile>().run().await.unwrap();
    assert_eq!((done.sessions, done.values, done.unreadable), (4, 9, 0));
    let mut again = both.reencrypt::<Profile>().rate(0);
    let again = tokio::time::timeout(Duration::from_secs(60), again.run()).await.unwrap().unwrap();
    assert_eq!((again.sessions, again.values), (4, 0));

    let after = reopened::<Profile>(&new, &sessions[1]);
    assert!(after.expires_in().await.unwrap().unwrap() <= left);
    let expiry = after.address().expires_in().await.unwrap();
    assert!(expiry <= field_left && expiry.is_some() == field_left.is_some(), "{expiry:?}");
    assert_eq!((before.len(), signed_in(&new, 7).await), (2, before));
    for (session, user) in sessions.iter().zip([7, 8, 7]) {
        is_readable(&reopened(&new, session), user).await;
    }
    assert_eq!(new.reencrypt::<Before>().run().await.unwrap_err().status(), 500);
}

/// Behaviour: encrypted users.
pub(crate) async fn sessions_are_found_under_every_key(world: World) {
    let (old, both) = (with_keys(&world, &[OLD]), with_keys(&world, &[NEW, OLD]));
    let former = [sign_in(&old, 7).await, sign_in(&old, 7).await];
    let newer = [sign_in(&both, 7).await, sign_in(&both, 7).await];
    let other = [sign_in(&old, 8).await, sign_in(&both, 8).await];
    let mine = both.find(Profile::by_user(7));
    let tag_of = |session: &Session<Profile>| session.session_id().unwrap().tag().to_owned();

    assert_eq!((mine.count().await.unwrap(), mine.list().await.unwrap().len()), (4, 4));
    assert_eq!(old.find(Profile::by_user(7)).count().await.unwrap(), 2);
    for entry in mine.list().await.unwrap() {
        assert_eq!(entry.data().unwrap().user, Some(7));
    }
    // Rotations under any schema and key keep the entries.
    former[0].rotate().await.unwrap();
    reopened::<Before>(&both, &newer[0]).rotate().await.unwrap();
    assert_eq!(mine.count().await.unwrap(), 4);
    // A value of the former key moves to the other list with its next write.
    reopened::<Profile>(&both, &former[1]).set_user(7).await.unwrap();
    assert_eq!(mine.count().await.unwrap(), 4);
    assert_eq!(old.find(Profile::by_user(7)).count().await.unwrap(), 1);

    assert!(mine.end(&tag_of(&former[0])).await.unwrap());
    assert!(!mine.end(&tag_of(&other[0])).await.unwrap());
    assert_eq!(mine.count().await.unwrap(), 3);
    assert_eq!(mine.keep_newest(2).await.unwrap(), 1);
    assert_eq!(mine.count().await.unwrap(), 2);
    let rest = sign_in(&old, 7).await;
    assert_eq!(mine.end_others(&reopened::<Profile>(&both, &rest)).await.unwrap(), 2);
    assert_eq!(mine.count().await.unwrap(), 1);
    sign_in(&both, 7).await;
    assert_eq!(mine.end_all().await.unwrap(), 2);
    assert_eq!(mine.count().await.unwrap(), 0);
    assert_eq!(both.find(Profile::by_user(8)).count().await.unwrap(), 2);
}

/// Behaviour: encrypted users.
pub(crate) async fn a_login_with_an_encrypted_user_has_its_conditions(world: World) {
    let (old, both) = (with_keys(&world, &[OLD]), with_keys(&world, &[NEW, OLD]));
    let mine = both.find(Profile::by_user(7));
    let log_in = async |session: &Session<Profile>, user: u64| {
        let login = session.write().set(session.user(), user).keep_only((session.theme(),));
        login.at_most(2, Surplus::EndOldest).renew(Lifetime::normal()).commit().await
    };
    let session = sign_in(&old, 7).await;
    let current = reopened::<Profile>(&both, &session);
    log_in(&current, 7).await.unwrap();
    assert_eq!(current.theme().await.unwrap(), "dark", "the user is the same under another key");
    assert_eq!(current.user().await.unwrap(), Some(7));
    log_in(&current, 8).await.unwrap();
    assert_eq!(current.theme().await.unwrap(), "", "nothing of another user is kept");
    assert_eq!(mine.count().await.unwrap(), 0);

    for _ in 0..3 {
        log_in(&both.create::<Profile>().await.unwrap(), 7).await.unwrap();
    }
    assert_eq!(mine.count().await.unwrap(), 2);
    let seen = mine.checkpoint().await.unwrap();
    assert_eq!(mine.end_all().await.unwrap(), 2);
    let late = both.create::<Profile>().await.unwrap();
    let login = late.write().set(late.user(), 7).renew(Lifetime::normal());
    let refused = login.unless_ended_since(seen).commit().await;
    assert!(refused.is_err_and(|error| error.is_ended_since()));
}

/// Behaviour: values from before the encryption.
pub(crate) async fn plain_text_is_encrypted_by_the_walk(world: World) {
    let sessions = world.sessions(|config| config);
    let mut before = Vec::new();
    for user in [7, 8] {
        let session = sessions.create::<Before>().await.unwrap();
        let email = Some(format!("{user}@example.org"));
        session.save(&Before { email, user: Some(user) }).await.unwrap();
        before.push(session);
    }
    let after = reopened::<After>(&sessions, &before[0]);
    assert_eq!(after.user().await.unwrap(), Some(7));
    assert_eq!(sessions.find(After::by_user(7)).count().await.unwrap(), 1);
    let done = sessions.reencrypt::<After>().run().await.unwrap();
    assert_eq!((done.sessions, done.values, done.unreadable), (2, 4, 0));
    assert_eq!(sessions.find(After::by_user(7)).count().await.unwrap(), 1);
    // A search looks at the sessions, but a copy of the database has the list itself.
    if let Some(Deployment::One(server)) = world.server() {
        let left: i64 = server.cli(&["EXISTS", IndexKey::new("app", "user", b"7").as_str()]);
        assert_eq!(left, 0, "nobody is in the list that the plain value names");
    }
    assert_eq!(sessions.find(Before::by_user(7)).count().await.unwrap(), 0);
    assert_eq!(after.email().await.unwrap().as_deref(), Some("7@example.org"));
    assert!(before[0].user().await.is_err_and(|error| error.is_decode()));
    let strict = reopened::<Profile>(&sessions, &before[0]);
    assert_eq!(strict.user().await.unwrap(), Some(7));
}

/// The deployments that serve at the same time, in steps. Before the last two steps, all stored
/// values are encrypted again.
const STEPS: [(usize, usize); 6] = [(0, 0), (0, 1), (1, 2), (2, 2), (2, 3), (3, 3)];

/// Behaviour: replacement of keys.
pub(crate) async fn nothing_is_unreadable_while_keys_are_replaced(world: World) {
    let deployments =
        [&[OLD][..], &[OLD, NEW], &[NEW, OLD], &[NEW]].map(|keys| with_keys(&world, keys));
    let step = Arc::new(AtomicUsize::new(0));
    let mut visitors = JoinSet::new();
    let mut visits = Vec::new();
    for user in 0..8 {
        let session = sign_in(&deployments[0], user).await;
        let visitor = Visitor { user, id: session.session_id().unwrap(), visits: Arc::default() };
        visits.push(Arc::clone(&visitor.visits));
        visitors.spawn(visitor.visit(deployments.clone(), Arc::clone(&step)));
    }
    for next in 1..=STEPS.len() {
        let before: Vec<_> = visits.iter().map(|one| one.load(Ordering::Relaxed)).collect();
        session_tests::until("each visitor has come often in this step", async || {
            let has_come =
                |(now, before): (&Arc<AtomicU64>, &u64)| now.load(Ordering::Relaxed) >= before + 12;
            visits.iter().zip(&before).all(has_come) || visitors.is_empty()
        })
        .await;
        if next == 4 {
            let mut walk = deployments[2].reencrypt::<Profile>();
            while walk.run().await.unwrap().values > 0 {
                walk = deployments[2].reencrypt::<Profile>();
            }
        }
        step.store(next, Ordering::Relaxed);
    }
    while let Some(visitor) = visitors.join_next().await {
        visitor.unwrap();
    }
    for user in 0..8 {
        let found = deployments[3].find(Profile::by_user(user)).count().await.unwrap();
        assert_eq!(found, 1, "user {user}");
    }
}

/// A visitor who reads and writes all the time.
struct Visitor {
    user: u64,
    id: SessionId,
    visits: Arc<AtomicU64>,
}

impl Visitor {
    async fn visit(mut self, deployments: [Sessions; 4], step: Arc<AtomicUsize>) {
        while let Some((one, other)) = STEPS.get(step.load(Ordering::Relaxed)).copied() {
            let visit = self.visits.load(Ordering::Relaxed);
            let deployment = &deployments[if visit.is_multiple_of(2) { one } else { other }];
            let session = deployment.open_id::<Profile>(&self.id);
            is_readable(&session, self.user).await;
            match visit % 5 {
                1 => session.set_email(format!("{}@example.org", self.user)).await.unwrap(),
                2 => drop(session.address().update(|address| address).await.unwrap()),
                3 => session.rotate().await.unwrap(),
                4 => session.set_user(self.user).await.unwrap(),
                _ => {}
            }
            let found = deployment.find(Profile::by_user(self.user)).count().await.unwrap();
            assert_eq!(found, 1, "user {} in visit {visit}", self.user);
            self.id = session.session_id().unwrap();
            self.visits.fetch_add(1, Ordering::Relaxed);
            // A store in memory never waits.
            tokio::task::yield_now().await;
        }
    }
}

/// Behaviour: values from before the encryption.
pub(crate) async fn encryption_is_introduced_and_taken_back_in_steps(world: World) {
    let sessions = world.sessions(|config| config);
    let session = sessions.create::<Before>().await.unwrap();
    let ada = || Before { email: Some("ada@example.org".to_owned()), user: Some(7) };
    session.save(&ada()).await.unwrap();
    let between = reopened::<Between>(&sessions, &session);
    let after = reopened::<After>(&sessions, &session);

    // Machines of the first two releases read what each writes, in any order.
    between.set_user(7).await.unwrap();
    between.email().update(|email| email).await.unwrap();
    assert_eq!(session.load().await.unwrap().user, Some(7));
    assert_eq!(session.email().await.unwrap(), ada().email);
    session.save(&ada()).await.unwrap();
    assert_eq!(between.email().await.unwrap(), ada().email);
    let found = async || {
        let between = sessions.find(Between::by_user(7)).count().await.unwrap();
        (between, sessions.find(After::by_user(7)).count().await.unwrap())
    };
    assert_eq!(found().await, (1, 1));

    // Then machines of the last two releases.
    for _ in 0..2 {
        after.set_user(7).await.unwrap();
        after.set_email(ada().email).await.unwrap();
        assert!(session.email().await.is_err_and(|error| error.is_decode()));
        assert_eq!((between.email().await.unwrap(), found().await), (ada().email, (1, 1)));
        between.set_email(ada().email).await.unwrap();
        between.set_user(7).await.unwrap();
        assert_eq!((after.email().await.unwrap(), found().await), (ada().email, (1, 1)));
        assert_eq!(after.email().take().await.unwrap(), ada().email);
        after.set_email(ada().email).await.unwrap();
        assert_eq!(between.email().replace(ada().email).await.unwrap(), ada().email);
    }
    assert_eq!(sessions.reencrypt::<After>().run().await.unwrap().values, 2);
    assert_eq!(reopened::<Profile>(&sessions, &after).user().await.unwrap(), Some(7));
    assert_eq!((between.email().await.unwrap(), found().await), (ada().email, (1, 1)));

    // And back.
    assert_eq!(sessions.reencrypt::<Between>().run().await.unwrap().values, 2);
    let before = reopened::<Before>(&sessions, &after);
    assert_eq!((before.email().await.unwrap(), found().await), (ada().email, (1, 1)));
    assert_eq!(sessions.find(Before::by_user(7)).end_all().await.unwrap(), 1);
}
