//! Servers that cannot expire single fields, or must not.

use std::time::Duration;

use session_tests::server::{Make, RedisServer};

use super::{Flash, HOUR, Visitor, World};

#[tokio::test]
async fn a_server_without_field_expiry_is_reported_at_the_start() {
    let Some(world) = without_field_expiry().await else { return };
    world.sessions.require::<Visitor>().await.unwrap();
    let error = world.sessions.require::<Flash>().await.unwrap_err();
    assert!(error.is_unsupported());
    let message = error.to_string();
    for part in ["Flash", "ttl", "Redis 7.4", "Valkey 9"] {
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn a_server_without_field_expiry_supports_everything_else() {
    let Some(world) = without_field_expiry().await else { return };
    let server = world.server.as_ref().unwrap();
    let absent = world.sessions.open([]).session::<Flash>();
    assert!(absent.set_tries(1).await.unwrap_err().is_unsupported());
    assert!(server.cli::<Vec<String>>(&["KEYS", "*"]).is_empty());

    let (session, _) = world.begin::<Flash>().await;
    session.set_name("Ada").await.unwrap();
    assert!(session.set_tries(1).await.unwrap_err().is_unsupported());
    assert!(session.tries().incr(1).await.unwrap_err().is_unsupported());
    assert!(session.name().expire_in(HOUR).await.unwrap_err().is_unsupported());
    let batch = session.write().set(session.name(), "Bob").set(session.tries(), 1).commit().await;
    assert!(batch.unwrap_err().is_unsupported());
    assert_eq!(
        session.read((session.name(), session.tries())).await.unwrap(),
        ("Ada".to_owned(), 0)
    );
    assert_eq!(session.name().expires_in().await.unwrap(), None);
    assert!(!session.tries().remove().await.unwrap());
}

#[tokio::test]
async fn field_expiry_is_checked_again_after_a_failover() {
    let (Some(mut world), Some(able)) = (without_field_expiry().await, Make::Redis8.program())
    else {
        return;
    };
    let unable = Make::Usual.program().unwrap();
    for _ in 0..2 {
        world.server.as_mut().unwrap().restart_as(able.clone());
        world.until_reconnected().await;
        world.sessions.require::<Flash>().await.unwrap();
        let (session, _) = world.begin::<Flash>().await;
        session.set_tries(1).await.unwrap();

        world.server.as_mut().unwrap().restart_as(unable.clone());
        world.until_reconnected().await;
        assert!(world.sessions.require::<Flash>().await.unwrap_err().is_unsupported());
    }
}

#[tokio::test]
async fn a_server_that_lost_field_expiry_unnoticed_refuses_it_itself() {
    let (Some(mut world), Some(able)) = (without_field_expiry().await, Make::Redis8.program())
    else {
        return;
    };
    let unable = Make::Usual.program().unwrap();
    world.server.as_mut().unwrap().restart_as(able);
    world.until_reconnected().await;
    let (session, _) = world.begin::<Flash>().await;
    session.name().exists().await.unwrap();

    let server = world.server.as_mut().unwrap();
    server.kill();
    // The lost connection is noticed, and the next server is not known yet.
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.restart_as(unable);
    let absent = world.sessions.open([]).session::<Flash>();
    let error = absent.set_tries(1).await.unwrap_err();
    assert!(error.is_unsupported(), "{error:?}");
    assert!(world.server.as_ref().unwrap().cli::<Vec<String>>(&["KEYS", "*"]).is_empty());
}

#[tokio::test]
async fn a_missing_permission_and_full_memory_change_nothing() {
    let Some(world) = World::redis_8().await else { return };
    let server = world.server.as_ref().unwrap();
    let (session, _) = world.begin::<Flash>().await;
    session.write().set(session.tries(), 1).set(session.name(), "Ada").commit().await.unwrap();
    for (forbid, permit) in [
        (&["ACL", "SETUSER", "default", "-hpexpire"], &["ACL", "SETUSER", "default", "+hpexpire"]),
        (&["CONFIG", "SET", "maxmemory", "1"], &["CONFIG", "SET", "maxmemory", "0"]),
    ] {
        let _: String = server.cli(forbid);
        let batch =
            session.write().set(session.name(), "Bob").set(session.tries(), 2).commit().await;
        let errors = [batch.unwrap_err(), session.tries().incr(1).await.unwrap_err()];
        let expired = session.name().expire_in(HOUR).await;
        let _: String = server.cli(permit);
        for error in errors {
            assert!(!error.is_unsupported() && !error.is_unavailable(), "{error:?}");
        }
        assert_eq!(
            session.read((session.name(), session.tries())).await.unwrap(),
            ("Ada".to_owned(), 1)
        );
        // An expiry alone needs little memory. Some servers refuse the command when memory is full,
        // and others do not.
        assert_eq!(session.name().expires_in().await.unwrap().is_some(), expired.is_ok());
        assert!(expired.is_err() || forbid[0] != "ACL");
    }
}

/// Returns `None` if the usual server can expire fields.
async fn without_field_expiry() -> Option<World> {
    let world = World::with_server(RedisServer::start()).await;
    let knows = world.server.as_ref()?.cli::<Vec<redis::Value>>(&["COMMAND", "INFO", "HPEXPIRE"]);
    matches!(knows[..], [redis::Value::Nil]).then_some(world)
}
