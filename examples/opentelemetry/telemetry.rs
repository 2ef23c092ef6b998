//! The export of spans and metrics over OTLP, to copy into your program.
//!
//! Most variables of OpenTelemetry work, such as `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`
//! and `OTEL_TRACES_SAMPLER`. Those for the endpoint do not, because `Telemetry::start` takes the
//! URL.
//!
//! With `OTEL_TRACES_SAMPLER=parentbased_traceidratio` and `OTEL_TRACES_SAMPLER_ARG=0.1`, the
//! collector receives a tenth of the requests, each with all its operations. The metrics count
//! everything.

use std::env;
use std::error::Error as StdError;

use metrics_opentelemetry::{OpenTelemetryMetrics, OpenTelemetryRecorder};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, Registry, fmt};

/// The target of the program's own spans.
pub(crate) const REQUESTS: &str = "requests";

/// Buckets from a tenth of a millisecond to a second. Those of OpenTelemetry are for milliseconds.
const SECONDS: [f64; 9] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0];

/// The export of spans and metrics, in the background until [`shutdown`](Self::shutdown).
pub(crate) struct Telemetry {
    collector: String,
    spans: SdkTracerProvider,
    metrics: SdkMeterProvider,
}

impl Telemetry {
    /// Starts the log and the export to the collector at a URL such as `http://127.0.0.1:4318`.
    /// Call this before you create the `Sessions`, whose first metrics would otherwise be lost.
    ///
    /// # Errors
    ///
    /// Fails if a setting is invalid, or if the process already has a log or a recorder. A
    /// collector that cannot be reached is no error: the program goes on, and the log reports each
    /// failed export.
    pub(crate) fn start(collector: &str) -> Result<Self, Box<dyn StdError>> {
        let collector = collector.trim_end_matches('/').to_owned();
        let (spans, metrics) = (spans(&collector)?, metrics(&collector)?);
        let telemetry = Self { collector, spans, metrics };
        install_subscriber(&telemetry.spans)?;
        install_recorder(&telemetry.metrics)?;
        Ok(telemetry)
    }

    /// Exports the rest, which blocks the thread for some seconds at most.
    ///
    /// # Errors
    ///
    /// Fails if the collector did not accept the last spans or the last metrics.
    pub(crate) fn shutdown(self) -> Result<(), Box<dyn StdError + Send + Sync>> {
        // `shutdown` of the spans does not report whether the last ones arrived.
        let spans = self.spans.force_flush();
        let spans = spans.and(self.spans.shutdown());
        let metrics = self.metrics.shutdown();
        let collector = &self.collector;
        spans.map_err(|error| format!("the last spans did not reach {collector}: {error}"))?;
        metrics.map_err(|error| format!("the last metrics did not reach {collector}: {error}"))?;
        Ok(())
    }
}

fn spans(collector: &str) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = SpanExporter::builder().with_http();
    let exporter = exporter.with_endpoint(format!("{collector}/v1/traces")).build()?;
    let provider = SdkTracerProvider::builder().with_resource(service());
    Ok(provider.with_batch_exporter(exporter).build())
}

fn metrics(collector: &str) -> Result<SdkMeterProvider, ExporterBuildError> {
    let exporter = MetricExporter::builder().with_http();
    let exporter = exporter.with_endpoint(format!("{collector}/v1/metrics")).build()?;
    let provider = SdkMeterProvider::builder().with_resource(service());
    Ok(provider.with_periodic_exporter(exporter).build())
}

/// Returns the resource that all spans and metrics belong to.
fn service() -> Resource {
    let resource = Resource::builder();
    if is_named() { resource.build() } else { resource.with_service_name("visits").build() }
}

/// Returns whether the environment has a name for the service.
fn is_named() -> bool {
    let attributes = env::var("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let mut names = attributes.split(',').filter_map(|pair| Some(pair.split_once('=')?.0.trim()));
    names.any(|name| name == "service.name")
        || env::var_os("OTEL_SERVICE_NAME").is_some_and(|name| !name.is_empty())
}

/// Installs the log on standard output, and the export of spans.
fn install_subscriber(spans: &SdkTracerProvider) -> Result<(), TryInitError> {
    let spans = tracing_opentelemetry::layer()
        .with_tracer(spans.tracer("visits"))
        // The place in the source and the thread would be attributes of each span.
        .with_location(false)
        .with_target(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(is_exported).with_max_level_hint(LevelFilter::DEBUG));
    let log = fmt::layer().with_filter(LevelFilter::INFO);
    Registry::default().with(log).with(spans).try_init()
}

/// Selects the spans and events for the collector.
///
/// All others stay away, such as the spans of an HTTP client. The export has an HTTP client too,
/// whose spans would cause the next export.
fn is_exported(metadata: &Metadata<'_>) -> bool {
    match metadata.target() {
        // The event at the end of an operation has the same fields as the span.
        "session_runtime::operation" => metadata.is_span(),
        "session_runtime::lifecycle" | REQUESTS => true,
        _ => false,
    }
}

/// Installs the export of metrics.
fn install_recorder(metrics: &SdkMeterProvider) -> Result<(), Box<dyn StdError>> {
    let metrics = OpenTelemetryMetrics::new(metrics.meter("visits"));
    let recorder = OpenTelemetryRecorder::new(metrics);
    let durations = ["session_operation_duration_seconds"];
    recorder.set_histogram_bounds(durations.into_iter(), &SECONDS);
    Ok(metrics::set_global_recorder(recorder)?)
}
