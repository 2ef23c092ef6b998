//! Reads that the near cache answers, in spans and metrics.

use std::time::Duration;

use session_runtime::{NearCache, Session, SessionConfig, SessionId, Sessions};
use session_tests::cookies::SECRET;
use session_tests::log::Log;
use session_tests::server::RedisServer;
use tracing::instrument::WithSubscriber as _;

use crate::telemetry::subscriber;

#[derive(Session)]
struct Visitor {
    #[session(cached)]
    name: String,
    count: u64,
}

async fn begin(redis: &RedisServer) -> (Sessions, SessionId) {
    let minute = Duration::from_secs(60);
    let cache = NearCache::new().max_staleness(minute).max_age(minute);
    let config = SessionConfig::new().secret(SECRET).store(redis.url()).near_cache(cache);
    let sessions = Sessions::new(config).await.unwrap();
    let session = sessions.create::<Visitor>().await.unwrap();
    session.set_name("Ada").await.unwrap();
    (sessions, session.session_id().unwrap())
}

#[tokio::test]
async fn a_span_says_where_a_value_came_from() {
    let (redis, log) = (RedisServer::start(), Log::default());
    let (sessions, id) = begin(&redis).await;
    let spans = async || {
        let session = sessions.open_id::<Visitor>(&id);
        session.name().await.unwrap();
        session.count().await.unwrap();
        let text = log.text();
        let is_close = |line: &&str| line.contains("session_runtime::operation: close");
        let mut closes: Vec<_> = text.lines().filter(is_close).map(str::to_owned).collect();
        closes.split_off(closes.len() - 2)
    };
    async {
        let [name, count] = spans().await.try_into().unwrap();
        assert!(name.contains(r#"from="store""#), "{name}");
        assert!(count.contains(r#"field="count""#) && !count.contains("from="), "{count}");
        while !spans().await[0].contains(r#"from="near_cache""#) {}
    }
    .with_subscriber(subscriber(&log))
    .await;
}

#[cfg(feature = "metrics")]
#[tokio::test]
async fn hits_misses_and_losses_are_counted() {
    use metrics_exporter_prometheus::PrometheusBuilder;

    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let redis = RedisServer::start();
    let (sessions, id) = begin(&redis).await;
    let count = |name: &str| {
        let name = format!("session_near_cache_{name}");
        crate::metrics::metrics(&recorder).get(&name).copied().unwrap_or_default()
    };
    let read = async || sessions.open_id::<Visitor>(&id).name().await.unwrap();
    let mut reads = 0.;
    while count("hits_total") < 3. {
        read().await;
        reads += 1.;
    }
    assert_eq!(count("misses_total"), reads - 3.);
    assert!(count("bytes") > 3.);
    assert_eq!(count("voided_total"), 0.);

    sessions.open_id::<Visitor>(&id).set_count(1).await.unwrap();
    assert_eq!((count("voided_total"), count("bytes")), (1., 0.));
    assert_eq!((count("hits_total"), count("evicted_total")), (3., 0.));
}
