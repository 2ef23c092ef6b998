//! Sessions that end, rotate or expire on one side, seen from the other side.

use redis::Commands;
use reqwest::Method;

use super::{Both, FRAMEWORKS};

#[tokio::test]
async fn a_session_without_an_expiry_has_one_once_it_is_read() {
    for framework in &FRAMEWORKS {
        let Some(mut both) = Both::migrating(framework).await else { return };
        let (python, rust, key) = (both.python("/count"), both.rust("/count"), both.key().await);
        both.visitor.get(&python).await;
        let mut redis = both.server.connection();
        assert_eq!(redis.ttl::<_, i64>(&key).unwrap(), -1, "the package's default");
        let left: u64 = both.visitor.get(&both.rust("/expires-in")).await.parse().unwrap();
        assert!((2_591_000..=2_592_000).contains(&left), "until the absolute deadline: {left}");
        both.visitor.get(&rust).await;
        assert!((86_000..=86_400).contains(&redis.ttl::<_, i64>(&key).unwrap()));
    }
}

#[tokio::test]
async fn removing_the_last_field_ends_nothing() {
    for framework in &FRAMEWORKS {
        let Some(mut both) = Both::migrating(framework).await else { return };
        let (python, remove, key) = (both.python("/count"), both.rust("/remove"), both.key().await);
        both.visitor.get(&python).await;
        assert_eq!(both.visitor.post(&remove).await, "true");
        let fields: Vec<String> = both.server.connection().hkeys(&key).unwrap();
        assert_eq!(fields, [""]);
        assert_eq!(both.visitor.get(&python).await, "1");
    }
}

#[tokio::test]
async fn rotation_moves_a_session_to_our_id_and_python_follows() {
    for framework in &FRAMEWORKS {
        let Some(mut both) = Both::migrating(framework).await else { return };
        let (count, rotate) = (both.python("/count"), both.rust("/rotate"));
        both.visitor.get(&count).await;
        let mut stale = both.visitor.clone();
        both.visitor.post(&rotate).await;
        assert_eq!((both.visitor.get(&count).await, both.visitor.cookies_set), ("2".to_owned(), 2));
        assert!(both.key().await.contains('{'));

        // The old id is dead on both sides. The package fails on the tombstone.
        assert_eq!(stale.get(&both.rust("/count")).await, "0");
        assert_eq!(stale.send(Method::POST, &both.rust("/incr"), "").await.0, 409);
        assert_eq!(stale.send(Method::GET, &count, "").await.0, 500);
    }
}

#[tokio::test]
async fn python_recreates_a_session_that_rust_ended_under_another_id() {
    for framework in &FRAMEWORKS {
        let Some(mut both) = Both::migrating(framework).await else { return };
        let (count, destroy) = (both.python("/count"), both.rust("/destroy"));
        both.visitor.get(&count).await;
        let key = both.key().await;
        both.visitor.post(&destroy).await;
        assert_eq!(both.visitor.jar.header(), "");
        assert_eq!(both.visitor.get(&count).await, "1");
        assert_ne!(both.key().await, key);
    }
}

#[tokio::test]
async fn rust_recreates_a_session_that_python_cleared_under_another_id() {
    for framework in &FRAMEWORKS {
        let Some(mut both) = Both::migrating(framework).await else { return };
        let (count, clear, incr) =
            (both.python("/count"), both.python("/clear"), both.rust("/incr"));
        both.visitor.get(&count).await;
        let key = both.key().await;
        both.visitor.post(&clear).await;
        assert_eq!(both.visitor.post(&incr).await, "1");
        assert_ne!(both.key().await, key);
        assert_eq!(both.visitor.get(&count).await, "2");
    }
}

/// The absolute lifetime counts from the signature, on whichever side the cookie was signed.
#[tokio::test]
async fn an_expiry_never_reaches_past_the_absolute_lifetime() {
    for framework in &FRAMEWORKS {
        let Some(mut both) = Both::migrating(framework).await else { return };
        let (count, key) = (both.python("/count"), both.key().await);
        both.visitor.get(&count).await;
        let lifetime = session_runtime::Lifetime::normal().max(std::time::Duration::from_secs(100));
        let config =
            super::rust::config(&both.server.url(), [(framework.format)()]).lifetime(lifetime);
        let rust = super::rust::serve(config).await;
        assert_eq!(both.visitor.get(&format!("{rust}/count")).await, "1");
        assert!((1..=100).contains(&both.server.connection().ttl::<_, i64>(&key).unwrap()));
    }
}
