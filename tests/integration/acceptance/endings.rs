//! Sessions that another request or an administrator ends, and the requests that may create a new
//! session.

use std::time::Duration;

use serde_json::json;
use session_runtime::{Lifetime, Session};
use session_tests::acceptance::{App, Client, Script, Visitor, World};
use session_tests::cookies::{self, id_of};

/// Longer than the grace period after a session's end.
const LATER: Duration = Duration::from_secs(6);
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn visitor(app: &App) -> Client {
    let mut client = app.client();
    client.run(Script::new().set("count", 1)).await.values();
    client
}

async fn exists(app: &App, credential: &str) -> bool {
    app.client().run_with(&[credential], Script::new().session_exists()).await.values() == [true]
}

/// The session is ended by an administrator, by a logout in a second window, or by a rotation whose
/// response never arrived. Within the grace period, that response may still be on the way.
pub(crate) async fn a_request_after_the_end_of_its_session_creates_a_new_one(world: World) {
    let app = world.app().await;
    for ending in ["elsewhere", "logout", "rotation"] {
        let mut client = visitor(&app).await;
        let dead = client.credential();
        match ending {
            "elsewhere" => world.end_elsewhere(&app, &dead).await,
            "logout" => drop(app.client().run_with(&[&dead], Script::new().destroy()).await),
            _ => drop(app.client().run_with(&[&dead], Script::new().rotate()).await),
        }
        let early = client.run(Script::new().set("count", 2).strict()).await;
        assert_eq!((early.status, early.issued().len()), (409, 0), "{ending}");
        world.elapse(LATER);
        let read = client.run(Script::new().get("count").session_exists()).await;
        assert_eq!(read.values(), [json!(0), json!(false)], "{ending}");
        assert!(read.issued().is_empty());
        let reply = client.run(Script::new().set("name", "new").strict()).await;
        assert_eq!((reply.status, reply.issued().len()), (200, 1), "{ending}");
        assert_ne!(id_of(&client.credential()), id_of(&dead));
        assert_eq!(
            client.run(Script::new().get("count").get("name")).await.values(),
            [json!(0), json!("new")]
        );
    }
}

/// The grace period covers responses that are still on the way. The default is five seconds, and
/// the setting can change this.
pub(crate) async fn a_request_within_the_grace_counts_as_under_way(world: World) {
    let slow_network = world.app_with(|config| config.end_grace(Duration::from_secs(15))).await;
    let none = world.app_with(|config| config.end_grace(Duration::ZERO)).await;
    for (app, seconds, is_gone) in [
        (&world.app().await, 4, true),
        (&slow_network, 10, true),
        (&slow_network, 16, false),
        (&none, 1, false),
    ] {
        let mut client = visitor(app).await;
        world.end_elsewhere(app, &client.credential()).await;
        world.elapse(Duration::from_secs(seconds));
        let reply = client.run(Script::new().set("count", 2).strict()).await;
        assert_eq!(reply.status, if is_gone { 409 } else { 200 }, "after {seconds} s");
    }
}

/// A job that holds an id writes to that session only. Nobody would get the credential of a new
/// session.
pub(crate) async fn a_part_of_the_application_never_writes_to_another_session(world: World) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    let id = id_of(&client.credential()).parse().unwrap();
    client.run(Script::new().destroy()).await.values();
    world.elapse(LATER);
    let job: Session<Visitor> = app.sessions.open_id(&id);
    assert!(job.set_count(2).await.unwrap_err().is_gone());
    assert!(job.renew(Lifetime::remembered()).await.unwrap_err().is_gone());
    assert!(job.rotate().await.unwrap_err().is_gone());
}

/// Only durations count. The session ended twenty seconds ago, and the request is older.
pub(crate) async fn a_request_that_was_under_way_when_its_session_ended_is_gone_however_long_it_takes(
    world: World,
) {
    let app = world.app().await;
    for (gate, slow) in [
        ("write", Script::new().gate("write").set("count", 9)),
        ("read", Script::new().gate("read").get("count").set("count", 9)),
        ("rotation", Script::new().gate("rotation").rotate()),
    ] {
        let client = visitor(&app).await;
        let request = {
            let mut client = client.clone();
            tokio::spawn(async move { client.run(slow.strict()).await })
        };
        app.gates.arrival(gate).await;
        world.end_elsewhere(&app, &client.credential()).await;
        world.elapse(Duration::from_secs(20));
        app.gates.open(gate);
        let reply = request.await.unwrap();
        assert_eq!((reply.status, reply.issued().len()), (409, 0), "{gate}");
    }
}

/// After a verified password, a new session is intended. But this must not restore an account that
/// was locked in the meantime.
pub(crate) async fn a_login_on_a_dead_id_creates_a_session_unless_another_request_ended_it(
    world: World,
) {
    let app = world.app().await;
    let login = Script::new().get("count").renew(1).set("name", "ada").strict();
    for ending in ["logout", "elsewhere, before"] {
        let mut client = visitor(&app).await;
        let dead = client.credential();
        if ending == "logout" {
            app.client().run_with(&[&dead], Script::new().destroy()).await.values();
        } else {
            world.end_elsewhere(&app, &dead).await;
            world.elapse(Duration::from_secs(1));
        }
        let reply = client.run(login.clone()).await;
        assert_eq!((reply.status, reply.issued().len()), (200, 1), "{ending}");
        assert_ne!(id_of(&client.credential()), id_of(&dead));
        let read = client.run(Script::new().get("count").get("name")).await;
        assert_eq!(
            read.values(),
            [json!(0), json!("ada")],
            "nothing of the former session is kept"
        );
    }
    let client = visitor(&app).await;
    let verifying = {
        let mut client = client.clone();
        let login = Script::new().get("count").gate("verifying").renew(1).set("name", "ada");
        tokio::spawn(async move { client.run(login.strict()).await })
    };
    app.gates.arrival("verifying").await;
    world.elapse(LATER);
    world.end_elsewhere(&app, &client.credential()).await;
    app.gates.open("verifying");
    let reply = verifying.await.unwrap();
    assert_eq!((reply.status, reply.issued().len()), (409, 0), "the account was locked meanwhile");
}

/// A browser may send several cookies of the same name, by domain or path. The test also covers
/// more cookies than are tried, and a read before the logout.
pub(crate) async fn a_logout_ends_every_session_of_the_browser(world: World) {
    let app = world.app().await;
    for (count, script) in [
        (2, Script::new().destroy()),
        (2, Script::new().get("count").destroy()),
        (6, Script::new().destroy()),
        (6, Script::new().set("count", 2).destroy()),
    ] {
        let mut cookies = Vec::new();
        for _ in 0..count {
            cookies.push(visitor(&app).await.credential());
        }
        let reply = app.client().run_with(&[cookies.join("; ")], script.clone()).await;
        reply.values();
        assert!(reply.issued()[0].contains("Max-Age=0"));
        for cookie in &cookies {
            assert!(!exists(&app, cookie).await, "{script:?}, {count} cookies");
        }
    }
}

/// Four planted cookies are older than the cookie of the login.
pub(crate) async fn planted_cookies_do_not_hide_the_youngest_session(world: World) {
    let app = world.app().await;
    let planted: Vec<_> = (1..=4)
        .map(|age| world.signed(&cookies::id(world.now() - Duration::from_secs(age * 60), 0)))
        .collect();
    let own = visitor(&app).await.credential();
    let header = [&planted[..], std::slice::from_ref(&own)].concat().join("; ");
    let reply = app.client().run_with(&[header], Script::new().get("count").set("count", 2)).await;
    assert_eq!(reply.values()[0], 1);
    assert!(reply.issued().is_empty());
}

/// An attacker may have planted or read the anonymous session's credential. The old credential must
/// not end the session of the login.
pub(crate) async fn an_id_from_before_the_login_does_not_end_the_session_after_it(world: World) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    let before = client.credential();
    client.run(Script::new().renew(1).set("name", "ada")).await.values();
    app.client().run_with(&[&before], Script::new().destroy()).await.values();
    assert_eq!(client.run(Script::new().get("name")).await.values(), ["ada"]);
    let rotated = client.credential();
    client.run(Script::new().rotate()).await.values();
    app.client().run_with(&[&rotated], Script::new().destroy()).await.values();
    assert_eq!(
        client.run(Script::new().session_exists()).await.values(),
        [false],
        "a rotation is followed"
    );
}

/// The task of a WebSocket, or a job, still has the old id.
pub(crate) async fn the_application_ends_a_session_by_an_id_from_before_the_login(world: World) {
    let app = world.app().await;
    let mut client = visitor(&app).await;
    let before = client.credential();
    client.run(Script::new().renew(1).set("name", "ada")).await.values();
    world.end_elsewhere(&app, &before).await;
    assert_eq!(client.run(Script::new().session_exists()).await.values(), [false]);
}

/// Returns sessions of another instance, whose clock is ahead or whose sessions live longer.
async fn sessions_of_others(world: &World) -> Vec<(&'static str, String)> {
    let patient = world.app_with(|config| config.lifetime(Lifetime::normal().max(400 * DAY))).await;
    let older = visitor(&patient).await.credential();
    world.elapse(Duration::from_secs(20 * 3600));
    assert!(exists(&patient, &older).await);
    let ahead = cookies::id(world.now() + Duration::from_secs(400), 0);
    world.begin_under(&ahead).await;
    vec![("a shorter lifetime", older), ("a creation in the future", world.signed(&ahead))]
}

/// Both for the credential of a request and for an id.
pub(crate) async fn sessions_that_this_program_cannot_use_are_still_ended(world: World) {
    for by_id in [false, true] {
        for (why, credential) in sessions_of_others(&world).await {
            let impatient = impatient(&world).await;
            assert!(!exists(&impatient, &credential).await, "{why}");
            match by_id {
                true => world.end_elsewhere(&impatient, &credential).await,
                false => drop(
                    impatient
                        .client()
                        .run_with(&[&credential], Script::new().destroy())
                        .await
                        .values(),
                ),
            }
            assert!(!world.is_live(&credential).await, "{why}");
        }
    }
}

/// The old session does not stay alive beside the new session.
pub(crate) async fn a_change_of_id_ends_unusable_sessions(world: World) {
    for script in [Script::new().rotate(), Script::new().renew(1).set("name", "ada")] {
        for (why, credential) in sessions_of_others(&world).await {
            let impatient = impatient(&world).await;
            impatient.client().run_with(&[&credential], script.clone()).await.values();
            assert!(!world.is_live(&credential).await, "{why}");
        }
    }
}

/// The error says that this program cannot decide.
pub(crate) async fn a_session_that_expired_only_by_this_clock_is_not_reported_as_expired(
    world: World,
) {
    for (why, credential) in sessions_of_others(&world).await {
        let impatient = impatient(&world).await;
        let session: Session<Visitor> =
            impatient.sessions.open_id(&id_of(&credential).parse().unwrap());
        let error = session.expires_in().await.unwrap_err();
        assert!(error.is_config() && error.to_string().contains("clocks"), "{why}: {error}");
        session.destroy().await.unwrap();
        let session: Session<Visitor> =
            impatient.sessions.open_id(&id_of(&credential).parse().unwrap());
        assert_eq!(session.expires_in().await.unwrap(), None);
    }
}

/// Returns a program whose sessions last for an hour.
async fn impatient(world: &World) -> App {
    let lifetime = Lifetime::normal().max(Duration::from_secs(3600));
    world.app_with(|config| config.lifetime(lifetime)).await
}
