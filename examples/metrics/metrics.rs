//! Serves session metrics for Prometheus at `/metrics`, and a readiness probe at `/ready`.
//!
//! ```sh
//! cargo run --example metrics
//! curl http://127.0.0.1:3000/ http://127.0.0.1:3000/metrics http://127.0.0.1:3000/ready
//! ```
//!
//! Here the application and the metrics share a port. In production, keep visitors away from the
//! metrics and the probe.

use std::error::Error as StdError;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use session_runtime::{Error, Session, Sessions};

#[derive(Session)]
struct Visitor {
    count: u64,
}

async fn index(session: Session<Visitor>) -> Result<String, Error> {
    let count = session.count().incr(1).await?;
    Ok(format!("count: {count}\n"))
}

/// Answers a readiness probe. The log says more about the problem than the body.
async fn ready(sessions: Sessions) -> (StatusCode, String) {
    let health = sessions.health().await;
    let status = match health.is_ready() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    if let Some(problem) = health.problem() {
        tracing::warn!(error = problem as &dyn StdError, "the session store is not ready");
    }
    let difference = health.clock_difference().map(|difference| difference.as_secs());
    let silent_for = health.last_sign_of_life().map(|age| age.as_secs());
    let state = health.connection_state();
    (status, format!("{state}, clock difference {difference:?} s, silent for {silent_for:?} s\n"))
}

/// Buckets from a tenth of a millisecond, more than a store in memory takes, to a second, the
/// default deadline.
const SECONDS: [f64; 9] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0];

/// Installs the recorder that receives the library's metrics.
fn recorder() -> Result<PrometheusHandle, Box<dyn StdError>> {
    let duration = Matcher::Full("session_operation_duration_seconds".to_owned());
    Ok(PrometheusBuilder::new().set_buckets_for_metric(duration, &SECONDS)?.install_recorder()?)
}

/// Empties the recorder's buffers, which would otherwise grow until the next request for
/// `/metrics`.
async fn keep_up(recorder: PrometheusHandle) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    loop {
        ticks.tick().await;
        recorder.run_upkeep();
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    // The recorder comes first, so that the metrics of the first connections are not lost.
    let recorder = recorder()?;
    tokio::spawn(keep_up(recorder.clone()));
    let sessions = Sessions::new(session_examples::config()?).await?;
    let app = Router::new()
        .route("/", get(index))
        .route("/ready", get(ready))
        .layer(sessions.layer())
        .route("/metrics", get(async move || recorder.render()));
    axum::serve(session_examples::listener().await?, app).await?;
    Ok(())
}
