//! Every operation compiles and works wherever a future may be awaited. A plain `async fn` hides
//! errors of lifetimes and of `Send`.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use futures::future::{join_all, select};
use session_runtime::{
    Error, Lifetime, Session, SessionConfig, SessionHandle, Sessions, Transport,
};

#[derive(Debug, Session)]
struct Visitor {
    count: u64,
    name: String,
    #[session(json)]
    tags: Vec<String>,
}

async fn every_operation(session: &Session<Visitor>) -> Result<(), Error> {
    session.count().await?;
    session.count().get().await?;
    session.count().set(1).await?;
    session.set_count(1).await?;
    session.set_name("x").await?;
    session.set_tags(vec!["a".to_owned()]).await?;
    session.name().exists().await?;
    session.tags().raw().await?;
    session.count().remove().await?;
    session.exists().await?;
    session.touch().await?;
    session.expires_in().await?;
    session.end_reason().await?;
    let token = session.form_token().await?;
    session.check_form_token(token.as_str()).await?;
    session.token().await?;
    session.clear().await?;
    session.rotate().await?;
    session.renew(Lifetime::remembered()).await?;
    session.session_id();
    session.destroy().await
}

async fn handler(session: Session<Visitor>) -> Result<String, Error> {
    every_operation(&session).await?;
    Ok(session.count().await?.to_string())
}

async fn handler_with_two_schemas(
    session: Session<Visitor>,
    again: Session<Visitor>,
) -> Result<(), Error> {
    session.set_count(2).await?;
    assert_eq!(again.count().await?, 2);
    Ok(())
}

async fn handle() -> SessionHandle {
    let config = SessionConfig::new().store("memory:").transport(Transport::CookieOrBearer);
    Sessions::new(config).await.unwrap().open([])
}

#[tokio::test]
async fn in_an_axum_handler() {
    let sessions = Sessions::new(SessionConfig::new().store("memory:")).await.unwrap();
    let app: Router = Router::new()
        .route("/", get(handler))
        .route("/two", get(handler_with_two_schemas))
        .route("/closure", get(async |session: Session<Visitor>| session.name().await))
        .layer(sessions.layer());
    drop(app);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_spawned_task() {
    let session: Session<Visitor> = handle().await.session();
    tokio::spawn(async move { every_operation(&session).await }).await.unwrap().unwrap();
    let session: Session<Visitor> = handle().await.session();
    let clone = session.clone();
    tokio::spawn(async move { clone.set_count(5).await }).await.unwrap().unwrap();
    assert_eq!(session.count().await.unwrap(), 5);
}

#[tokio::test]
async fn in_the_joins() {
    let session: Session<Visitor> = handle().await.session();
    let (count, name) = futures::join!(session.count(), session.name());
    assert_eq!((count.unwrap(), name.unwrap()), (0, String::new()));
    let (set, name) = tokio::join!(session.set_count(1), session.name());
    set.and(name).unwrap();
    let (count, name) = tokio::try_join!(session.count(), session.name()).unwrap();
    assert_eq!((count, name), (1, String::new()));
    futures::try_join!(session.count(), session.count().remove()).unwrap();
    assert_eq!(join_all([session.count(), session.count()]).await.len(), 2);
}

#[tokio::test]
async fn in_the_selects() {
    let session: Session<Visitor> = handle().await.session();
    tokio::select! {
        count = session.count() => assert_eq!(count.unwrap(), 0),
        () = tokio::time::sleep(Duration::from_secs(60)) => unreachable!(),
    }
    let mut field = session.count();
    tokio::select! {
        count = &mut field => assert_eq!(count.unwrap(), 0),
        () = std::future::pending() => unreachable!(),
    }
    select(session.set_count(1), session.name()).await;
    tokio::time::timeout(Duration::from_secs(60), session.count()).await.unwrap().unwrap();
}

#[test]
fn sessions_and_fields_are_send_and_sync() {
    fn send_and_sync<T: Send + Sync + Clone + 'static>() {}
    fn send<T: Send + Unpin>() {}
    send_and_sync::<Session<Visitor>>();
    send_and_sync::<Sessions>();
    send_and_sync::<SessionHandle>();
    send::<session_runtime::Field<'_, std::rc::Rc<u8>>>();
    send::<session_runtime::Operation<'_, u64>>();
}
