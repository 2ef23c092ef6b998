//! `examples/opentelemetry`, started as a user would, with its collector, with one of this test,
//! and without any.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use session_tests::cookies::SECRET;
use session_tests::example;
use session_tests::server::RedisServer;
use tokio::net::TcpListener;

/// The value that the example stores in the session.
const STORED: &str = "Ada Lovelace";

const ANSWERS: [&str; 5] = [
    "/: 200 OK, count: 1",
    "/name: 200 OK, renamed",
    "/: 200 OK, count: 2",
    "/leave: 200 OK, goodbye",
    "/: 409 Conflict, Conflict",
];

/// Runs the example to the end, and returns the standard output.
fn run(variables: &[(&str, &str)]) -> String {
    let Output { status, stdout, stderr } =
        example::command("opentelemetry", &[], variables).output().unwrap();
    let stdout = String::from_utf8(stdout).unwrap();
    assert!(status.success(), "{stdout}{}", String::from_utf8_lossy(&stderr));
    stdout
}

/// Returns the lines about the spans and the metrics, without durations and without the tag.
fn arrived(printed: &str) -> Vec<String> {
    let from = printed.find("spans of ").unwrap();
    printed[from..].lines().map(constant_part).collect()
}

fn constant_part(line: &str) -> String {
    let line = line.split_once(" µs, ").map_or(line.to_owned(), |(start, attributes)| {
        let (name, _) = start.rsplit_once(' ').unwrap();
        format!("{name} {attributes}")
    });
    let line = line.split_once(", of these ").map_or(line.clone(), |(count, within)| {
        let (_, bound) = within.split_once(' ').unwrap();
        format!("{count} {bound}")
    });
    let words = line.split(' ').map(|word| match word.strip_prefix("session=") {
        Some(tag) if tag.chars().count() == 9 && tag.ends_with('…') => "session=TAG",
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn operations_arrive_as_children_of_their_request() {
    let printed = run(&[]);
    for answer in ANSWERS {
        assert!(printed.lines().any(|line| line == answer), "{answer}: {printed}");
    }
    let expected = [
        "spans of visits:",
        "GET /, http.request.method=GET http.response.status_code=200 http.route=/",
        "  session_operation, field=count operation=incr outcome=ok session=TAG",
        "    event session lifecycle, event=created level=DEBUG session=TAG target=session_runtime::lifecycle",
        "POST /name, http.request.method=POST http.response.status_code=200 http.route=/name",
        "  session_operation, field=name operation=set outcome=ok session=TAG",
        "GET /, http.request.method=GET http.response.status_code=200 http.route=/",
        "  session_operation, field=count operation=incr outcome=ok session=TAG",
        "POST /leave, http.request.method=POST http.response.status_code=200 http.route=/leave",
        "  session_operation, operation=destroy outcome=ok session=TAG",
        "    event session lifecycle, event=destroyed level=DEBUG session=TAG target=session_runtime::lifecycle",
        "GET /, http.request.method=GET http.response.status_code=409 http.route=/",
        "  session_operation, field=count operation=incr outcome=gone session=TAG",
        "",
        "metrics:",
        "session_created_total 1",
        "session_destroyed_total 1",
        "session_operation_duration_seconds {operation=destroy} 1 within 1 s",
        "session_operation_duration_seconds {operation=incr} 3 within 1 s",
        "session_operation_duration_seconds {operation=set} 1 within 1 s",
        "session_operations_total {operation=destroy outcome=ok} 1",
        "session_operations_total {operation=incr outcome=gone} 1",
        "session_operations_total {operation=incr outcome=ok} 2",
        "session_operations_total {operation=set outcome=ok} 1",
    ];
    assert_eq!(arrived(&printed), expected, "{printed}");
}

/// Several parts of the library change the same gauge, which not every bridge to OpenTelemetry
/// supports.
#[test]
fn the_number_of_connections_arrives() {
    let redis = RedisServer::start();
    let printed = run(&[("SESSION_REDIS", &redis.url()), ("SESSION_SECRET", SECRET)]);
    let gauges: Vec<_> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("session_store_connections "))
        .collect();
    let [gauge] = gauges[..] else { panic!("{printed}") };
    let (_, number) = gauge.rsplit_once(' ').unwrap();
    assert!(number.parse::<u32>().unwrap() > 0, "{printed}");
}

#[test]
fn the_name_of_the_service_comes_from_the_environment() {
    let attributes = "service.namespace=a,service.name=shop";
    for variable in [("OTEL_SERVICE_NAME", "shop"), ("OTEL_RESOURCE_ATTRIBUTES", attributes)] {
        let printed = run(&[variable]);
        assert!(printed.contains("spans of shop:\n"), "{printed}");
    }
    let printed = run(&[("OTEL_RESOURCE_ATTRIBUTES", "service.namespace=a")]);
    assert!(printed.contains("spans of visits:\n"), "{printed}");
}

#[test]
fn a_sampler_omits_requests_with_their_operations() {
    let printed = run(&[("OTEL_TRACES_SAMPLER", "always_off")]);
    assert!(!printed.contains("session_operation,"), "{printed}");
    assert!(
        printed.contains("session_operations_total {operation=incr outcome=ok} 2"),
        "{printed}"
    );
}

/// The bodies of the requests to a collector, by path.
type Bodies = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

async fn keep(State(bodies): State<Bodies>, request: Request) {
    let path = request.uri().path().to_owned();
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    bodies.lock().unwrap().entry(path).or_default().extend(body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_receives_no_stored_value_and_no_whole_id() {
    let bodies = Bodies::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(keep).with_state(Bodies::clone(&bodies));
    tokio::spawn(axum::serve(listener, app).into_future());
    let variable = url.clone();
    let run = move || run(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &variable)]);
    let printed = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(printed.contains(&format!("the spans and metrics are at {url}")), "{printed}");

    let bodies = std::mem::take(&mut *bodies.lock().unwrap());
    assert_eq!(bodies.keys().collect::<Vec<_>>(), ["/v1/metrics", "/v1/traces"]);
    assert!(contains(&bodies["/v1/metrics"], "session_operations_total"));
    let spans = &bodies["/v1/traces"];
    assert!(contains(spans, "session_operation"));
    let tag = &spans[..position(spans, "…").unwrap()];
    let tag = std::str::from_utf8(&tag[tag.len() - 8..]).unwrap();
    for (path, body) in &bodies {
        assert!(!contains(body, STORED), "{path}");
        let (tags, shortened) = (count(body, tag), count(body, &format!("{tag}…")));
        assert_eq!(tags, shortened, "{path}: each id is shortened to its tag");
    }
    assert!(count(spans, tag) > ANSWERS.len());
}

#[test]
fn the_application_answers_without_a_collector() {
    // No server has this port.
    let collector = "http://127.0.0.1:1";
    let printed = run(&[("OTEL_EXPORTER_OTLP_ENDPOINT", collector)]);
    for answer in ANSWERS {
        assert!(printed.lines().any(|line| line == answer), "{answer}: {printed}");
    }
    let log =
        |text: &str| printed.lines().any(|line| line.contains("ERROR") && line.contains(text));
    assert!(log("telemetry was lost"), "{printed}");
    assert!(log(&format!("the last spans did not reach {collector}")), "{printed}");
}

#[test]
fn an_invalid_address_of_the_collector_ends_the_program() {
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", "bogus://")];
    let output = example::command("opentelemetry", &[], &variables).output().unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("invalid endpoint 'bogus:"), "{error}");
}

#[test]
fn the_guide_shows_the_example() {
    let guide = read("session-runtime/src/guide/observability.md");
    let (_, section) = guide.split_once("\n# OpenTelemetry\n").unwrap();
    let (section, _) = section.split_once("\n# ").unwrap();
    let source = trimmed(&read("examples/opentelemetry/telemetry.rs"));
    let excerpts: Vec<_> = section.split("```rust,ignore\n").skip(1).collect();
    assert!(!excerpts.is_empty());
    for excerpt in excerpts {
        let (excerpt, _) = excerpt.split_once("```").unwrap();
        for part in excerpt.split("\n\n") {
            assert!(source.contains(trimmed(part).trim()), "not in telemetry.rs: {part}");
        }
    }
    let (_, output) = section.split_once("```text\n").unwrap();
    let (output, _) = output.split_once("```").unwrap();
    assert_eq!(arrived(output), arrived(&run(&[])));
}

/// Returns the lines without their indentation.
fn trimmed(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    position(bytes, text).is_some()
}

fn position(bytes: &[u8], text: &str) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text.as_bytes())
}

fn count(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
}
