//! `#[session(ttl = "…")]`: every write of the field sets the expiry again.

use std::time::Duration;

use session_runtime::Session;

use super::{Flash, HOUR, World, assert_about};

const RULE: Duration = Duration::from_secs(300);

/// Sets another expiry, so a later reset is visible.
async fn disturb(session: &Session<Flash>) {
    assert!(session.tries().expire_in(HOUR).await.unwrap());
    assert_about(session.tries().expires_in().await.unwrap(), HOUR);
}

async fn assert_rule(session: &Session<Flash>) {
    assert_about(session.tries().expires_in().await.unwrap(), RULE);
}

pub(crate) async fn a_setter_gives_the_expiry_and_gives_it_again(world: World) {
    let session = world.sessions.open([]).session::<Flash>();
    session.set_tries(1).await.unwrap();
    assert_rule(&session).await;
    disturb(&session).await;
    session.set_tries(2).await.unwrap();
    assert_rule(&session).await;
    session.tries().set(3).await.unwrap();
    assert_rule(&session).await;
    session.set_notice(None).await.unwrap();
    assert_eq!(session.notice().expires_in().await.unwrap(), None);
}

pub(crate) async fn every_write_keeps_the_rule(world: World) {
    let (session, _) = world.begin::<Flash>().await;
    assert_eq!(session.tries().get_or_set(1).await.unwrap(), 1);
    assert_rule(&session).await;
    disturb(&session).await;
    assert_eq!(session.tries().incr(1).await.unwrap(), 2);
    assert_rule(&session).await;
    disturb(&session).await;
    assert_eq!(session.tries().replace(5).await.unwrap(), 2);
    assert_rule(&session).await;
    disturb(&session).await;
    assert!(session.tries().compare_and_set(5, 6).await.unwrap());
    assert_rule(&session).await;
    disturb(&session).await;
    assert_eq!(session.tries().update(|tries| tries + 1).await.unwrap(), 7);
    assert_rule(&session).await;
    disturb(&session).await;
    assert!(!session.tries().compare_and_set(5, 6).await.unwrap());
    assert_eq!(session.tries().get_or_set(1).await.unwrap(), 7);
    assert_about(session.tries().expires_in().await.unwrap(), HOUR);
}

pub(crate) async fn save_and_batches_keep_the_rule(world: World) {
    let (session, _) = world.begin::<Flash>().await;
    session.write().set(session.tries(), 1).set(session.name(), "Ada").commit().await.unwrap();
    assert_rule(&session).await;
    disturb(&session).await;
    let loaded = session.load().await.unwrap();
    session.save(&Flash { notice: Some("saved".to_owned()), ..loaded }).await.unwrap();
    assert_rule(&session).await;
    assert_about(session.notice().expires_in().await.unwrap(), RULE);
    assert_eq!(session.name().expires_in().await.unwrap(), None);
    assert_eq!(session.name().await.unwrap(), "Ada");
}

pub(crate) async fn other_fields_have_no_expiry(world: World) {
    let (session, _) = world.begin::<Flash>().await;
    session.set_name("Ada").await.unwrap();
    session.set_tries(1).await.unwrap();
    assert_eq!(session.name().expires_in().await.unwrap(), None);
}

pub(crate) async fn expire_in_counts_until_the_next_write(world: World) {
    let (session, _) = world.begin::<Flash>().await;
    session.set_tries(1).await.unwrap();
    disturb(&session).await;
    session.set_name("Ada").await.unwrap();
    assert_about(session.tries().expires_in().await.unwrap(), HOUR);
    session.set_tries(2).await.unwrap();
    assert_rule(&session).await;
}

pub(crate) async fn a_field_with_a_rule_expires_and_the_session_lives_on(world: World) {
    let session = world.sessions.open([]).session::<Flash>();
    session.set_short("x").await.unwrap();
    let id = session.session_id();
    world.pass(Duration::from_millis(60)).await;
    assert_eq!(session.short().await.unwrap(), "");
    assert!(session.exists().await.unwrap());
    session.set_name("Ada").await.unwrap();
    assert_eq!((session.session_id(), session.name().await.unwrap()), (id, "Ada".to_owned()));
}

pub(crate) async fn a_flash_message_is_taken_once(world: World) {
    let (session, _) = world.begin::<Flash>().await;
    session.set_notice("saved").await.unwrap();
    assert_about(session.notice().expires_in().await.unwrap(), RULE);
    assert_eq!(session.notice().take().await.unwrap().as_deref(), Some("saved"));
    assert_eq!(session.notice().take().await.unwrap(), None);
}

pub(crate) async fn reads_leave_the_expiry(world: World) {
    let (session, id) = world.begin::<Flash>().await;
    session.set_tries(1).await.unwrap();
    disturb(&session).await;
    let session = world.sessions.open_id::<Flash>(&id);
    assert_eq!(session.tries().await.unwrap(), 1);
    session.load().await.unwrap();
    assert_about(session.tries().expires_in().await.unwrap(), HOUR);
}
