//! The Python applications count on their own. This shows which effects come from the package
//! itself.

use redis::Commands;
use session_tests::server::RedisServer;

use super::{Options, Python, Visitor};

async fn counts(start: fn(&Options) -> Option<Python>) {
    let server = RedisServer::start();
    let options =
        Options { prefix: Some("app".to_owned()), expire: Some(60), ..Options::new(server.url()) };
    let Some(python) = start(&options) else { return };
    let url = |path: &str| format!("{}{path}", python.base_url());
    let (mut one, mut other) = (Visitor::default(), Visitor::default());
    assert_eq!(one.get(&url("/count")).await, "1");
    assert_eq!(one.post(&url("/incr")).await, "2");
    assert_eq!(one.get(&url("/count")).await, "3");
    assert_eq!(other.get(&url("/count")).await, "1");
    let key = format!("app:sessions:{}", one.get(&url("/id")).await);
    let mut redis = server.connection();
    assert_eq!(redis.hget::<_, _, String>(&key, "count").unwrap(), "3");
    assert!((1..=60).contains(&redis.ttl::<_, i64>(&key).unwrap()));
}

#[tokio::test]
async fn python_counts_on_tornado() {
    counts(Python::tornado).await;
}

#[tokio::test]
async fn python_counts_on_flask() {
    counts(Python::flask).await;
}

#[tokio::test]
async fn an_unsigned_cookie_is_the_id() {
    let server = RedisServer::start();
    let options = Options {
        is_unsigned: true,
        cookie_id: Some("sid".to_owned()),
        ..Options::new(server.url())
    };
    let Some(python) = Python::tornado(&options) else { return };
    let mut visitor = Visitor::default();
    let id = visitor.get(&format!("{}/id", python.base_url())).await;
    assert_eq!(visitor.jar.header(), format!("sid={id}"));
}
