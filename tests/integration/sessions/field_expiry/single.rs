//! The methods `expire_in` and `expires_in`.

use std::time::Duration;

use super::{Flash, HOUR, Visitor, World, assert_about};

pub(crate) async fn a_field_gets_an_expiry(world: World) {
    let (session, _) = world.begin::<Visitor>().await;
    assert!(!session.code().expire_in(HOUR).await.unwrap());
    assert_eq!(session.code().expires_in().await.unwrap(), None);
    session.set_code("482 913").await.unwrap();
    assert_eq!(session.code().expires_in().await.unwrap(), None);
    for ttl in [HOUR, HOUR * 2] {
        assert!(session.code().expire_in(ttl).await.unwrap());
        assert_about(session.code().expires_in().await.unwrap(), ttl);
    }
    assert_eq!(session.code().await.unwrap(), "482 913");
}

pub(crate) async fn an_expired_field_reads_as_its_default(world: World) {
    let (session, _) = world.begin::<Visitor>().await;
    session.set_code("482 913").await.unwrap();
    session.set_count(3).await.unwrap();
    session.code().expire_in(Duration::from_millis(40)).await.unwrap();
    session.count().expire_in(Duration::from_millis(40)).await.unwrap();
    world.pass(Duration::from_millis(60)).await;
    assert_eq!(
        session.read((session.code(), session.count())).await.unwrap(),
        ("none".to_owned(), 0)
    );
    assert!(!session.code().exists().await.unwrap());
    assert!(!session.code().remove().await.unwrap());
    assert!(session.exists().await.unwrap());
    assert_eq!(session.count().incr(1).await.unwrap(), 1);
    assert_eq!(session.load().await.unwrap().code, "none");
}

pub(crate) async fn a_setter_ends_an_expiry(world: World) {
    let (session, _) = world.begin::<Visitor>().await;
    session.set_code("1").await.unwrap();
    session.code().expire_in(HOUR).await.unwrap();
    session.set_code("2").await.unwrap();
    assert_eq!(session.code().expires_in().await.unwrap(), None);
}

pub(crate) async fn expiries_create_no_session(world: World) {
    let handle = world.sessions.open([]);
    let session = handle.session::<Visitor>();
    assert!(!session.code().expire_in(HOUR).await.unwrap());
    assert_eq!(session.code().expires_in().await.unwrap(), None);
    assert!(handle.finish().set_cookie().is_none());
}

pub(crate) async fn an_expiry_of_zero_is_refused(world: World) {
    let (session, _) = world.begin::<Visitor>().await;
    session.set_code("1").await.unwrap();
    assert!(session.code().expire_in(Duration::ZERO).await.unwrap_err().is_unsupported());
    assert_eq!(session.code().await.unwrap(), "1");
}

pub(crate) async fn less_than_a_millisecond_is_one(world: World) {
    let (session, _) = world.begin::<Visitor>().await;
    session.set_code("1").await.unwrap();
    assert!(session.code().expire_in(Duration::from_nanos(1)).await.unwrap());
    world.pass(Duration::from_millis(10)).await;
    assert_eq!(session.code().await.unwrap(), "none");
}

pub(crate) async fn expire_in_refreshes_the_session(world: World) {
    let (session, _) = world.begin::<Visitor>().await;
    session.set_code("1").await.unwrap();
    world.pass(Duration::from_millis(50)).await;
    let before = session.expires_in().await.unwrap();
    session.code().expire_in(HOUR).await.unwrap();
    assert!(session.expires_in().await.unwrap() > before);
}

pub(crate) async fn expires_in_refreshes_nothing(world: World) {
    let (session, id) = world.begin::<Visitor>().await;
    session.set_code("1").await.unwrap();
    let before = session.expires_in().await.unwrap().unwrap();
    world.pass(Duration::from_millis(50)).await;
    let session = world.sessions.open_id::<Visitor>(&id);
    session.code().expires_in().await.unwrap();
    assert!(session.expires_in().await.unwrap().unwrap() <= before - Duration::from_millis(45));
}

pub(crate) async fn an_expiry_moves_with_the_session(world: World) {
    let (session, _) = world.begin::<Visitor>().await;
    session.set_code("1").await.unwrap();
    session.code().expire_in(HOUR).await.unwrap();
    session.rotate().await.unwrap();
    assert_about(session.code().expires_in().await.unwrap(), HOUR);
}

pub(crate) async fn a_dead_session_is_gone(world: World) {
    let (session, id) = world.begin::<Visitor>().await;
    let other = world.sessions.open_id::<Visitor>(&id);
    session.set_code("1").await.unwrap();
    session.destroy().await.unwrap();
    assert_eq!(other.code().expires_in().await.unwrap(), None);
    assert!(other.code().expire_in(HOUR).await.unwrap_err().is_gone());
}

pub(crate) async fn every_schema_is_supported(world: World) {
    world.sessions.require::<Visitor>().await.unwrap();
    world.sessions.require::<Flash>().await.unwrap();
}
