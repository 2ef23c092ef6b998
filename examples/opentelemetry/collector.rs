//! A collector for OTLP over HTTP, which prints the spans and metrics. Yours is a separate program.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{HistogramDataPoint, Metric, NumberDataPoint};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;

/// A running collector.
pub(crate) struct Collector {
    arrived: Shared,
}

type Shared = Arc<Mutex<Arrived>>;

#[derive(Default)]
struct Arrived {
    resource: Vec<KeyValue>,
    spans: Vec<Span>,
    metrics: Vec<Metric>,
}

impl Collector {
    /// Starts a collector on a free port, and returns the URL too.
    pub(crate) async fn start() -> io::Result<(Self, String)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let arrived = Shared::default();
        let app = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/metrics", post(metrics))
            .with_state(arrived.clone());
        tokio::spawn(axum::serve(listener, app).into_future());
        Ok((Self { arrived }, url))
    }
}

async fn traces(State(arrived): State<Shared>, body: Bytes) -> Result<(), StatusCode> {
    let request = decoded::<ExportTraceServiceRequest>(body)?;
    let mut arrived = lock(&arrived);
    for of_resource in request.resource_spans {
        arrived.resource = of_resource.resource.unwrap_or_default().attributes;
        arrived.spans.extend(of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
    }
    Ok(())
}

/// Keeps the latest values, since each export has the sums from the start of the program.
async fn metrics(State(arrived): State<Shared>, body: Bytes) -> Result<(), StatusCode> {
    let request = decoded::<ExportMetricsServiceRequest>(body)?;
    let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
    lock(&arrived).metrics = scopes.flat_map(|scope| scope.metrics).collect();
    Ok(())
}

fn decoded<T: Message + Default>(body: Bytes) -> Result<T, StatusCode> {
    T::decode(body).map_err(|_| StatusCode::BAD_REQUEST)
}

fn lock(arrived: &Shared) -> MutexGuard<'_, Arrived> {
    arrived.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrived = lock(&self.arrived);
        let name = arrived.resource.iter().find(|attribute| attribute.key == "service.name");
        writeln!(f, "spans of {}:", name.map(text).unwrap_or_default())?;
        arrived.write_children(f, &[], 0)?;
        let mut lines: Vec<_> = arrived.metrics.iter().flat_map(values).collect();
        lines.sort();
        write!(f, "\nmetrics:\n{}", lines.join("\n"))
    }
}

impl Arrived {
    /// Writes the spans with this parent in the order of their start, each above the children.
    fn write_children(
        &self,
        f: &mut fmt::Formatter<'_>,
        parent: &[u8],
        depth: usize,
    ) -> fmt::Result {
        let mut spans: Vec<_> =
            self.spans.iter().filter(|span| span.parent_span_id == parent).collect();
        spans.sort_by_key(|span| span.start_time_unix_nano);
        for span in spans {
            let micros = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano) / 1000;
            let indent = "  ".repeat(depth);
            writeln!(f, "{indent}{}, {micros} µs, {}", span.name, list(&span.attributes))?;
            for event in &span.events {
                writeln!(f, "{indent}  event {}, {}", event.name, list(&event.attributes))?;
            }
            self.write_children(f, &span.span_id, depth + 1)?;
        }
        Ok(())
    }
}

/// Returns a line for each value of a metric.
fn values(metric: &Metric) -> Vec<String> {
    let name = &metric.name;
    match &metric.data {
        Some(Data::Sum(sum)) => sum.data_points.iter().map(|point| number(name, point)).collect(),
        Some(Data::Gauge(gauge)) => {
            gauge.data_points.iter().map(|point| number(name, point)).collect()
        }
        Some(Data::Histogram(histogram)) => {
            histogram.data_points.iter().map(|point| buckets(name, point)).collect()
        }
        _ => Vec::new(),
    }
}

fn number(name: &str, point: &NumberDataPoint) -> String {
    let value = match point.value {
        Some(Number::AsInt(value)) => value.to_string(),
        Some(Number::AsDouble(value)) => value.to_string(),
        None => "no value".to_owned(),
    };
    format!("{} {value}", labelled(name, &point.attributes))
}

fn buckets(name: &str, point: &HistogramDataPoint) -> String {
    let last = point.explicit_bounds.last().copied().unwrap_or_default();
    let within: u64 = point.bucket_counts.iter().rev().skip(1).sum();
    let name = labelled(name, &point.attributes);
    format!("{name} {}, of these {within} within {last} s", point.count)
}

fn labelled(name: &str, attributes: &[KeyValue]) -> String {
    match attributes {
        [] => name.to_owned(),
        _ => format!("{name} {{{}}}", list(attributes)),
    }
}

fn list(attributes: &[KeyValue]) -> String {
    let mut attributes: Vec<_> = attributes
        .iter()
        .map(|attribute| format!("{}={}", attribute.key, text(attribute)))
        .collect();
    attributes.sort();
    attributes.join(" ")
}

fn text(attribute: &KeyValue) -> String {
    match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}
