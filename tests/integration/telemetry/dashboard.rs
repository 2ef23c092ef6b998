//! The dashboard and the alert rules in `examples/metrics`, compared with the metrics that the
//! library exports. `tests/alerts` checks the queries themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};
use serde_json::Value;
use session_runtime::find::Surplus;
use session_runtime::testing::{FailingStore, Failure};
use session_runtime::{Lifetime, MemoryStore, NearCache, Session, SessionConfig, Sessions};
use session_tests::cookies::{self, SECRET};
use session_tests::server::RedisServer;

#[derive(Session)]
struct Visitor {
    #[session(cached)]
    name: String,
    count: u64,
    #[session(json)]
    ratio: f64,
}

#[derive(Session)]
struct Misread {
    name: u64,
}

#[derive(Session)]
struct Auth {
    #[session(index)]
    user: Option<u64>,
}

/// Outcomes in the guide that this test cannot cause.
const NEVER_CAUSED: [&str; 1] = ["no_randomness"];

/// The values of each label, by metric.
type Exported = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

#[tokio::test]
async fn queries_name_exported_metrics_and_all_of_them_are_on_a_panel() {
    let exported = exported().await;
    let of_dashboard: Vec<_> = panels().iter().flat_map(queries).collect();
    for query in of_dashboard.iter().chain(&alert_queries()).chain(&variables()) {
        for selector in selectors(query) {
            check(&selector, &exported, query);
        }
    }
    check_metrics(&of_dashboard, &exported);
    check_outcomes(&exported["session_operations_total"]["outcome"]);
}

/// Each exported metric is on a panel.
fn check_metrics(of_dashboard: &[String], exported: &Exported) {
    let shown = of_dashboard.iter().flat_map(|query| selectors(query));
    let shown: BTreeSet<_> = shown.map(|selector| family(selector.metric)).collect();
    for metric in exported.keys() {
        assert!(shown.contains(family(metric)), "{metric} is on no panel");
    }
}

/// Each outcome but `ok` is on a single graph of failures.
fn check_outcomes(exported: &BTreeSet<String>) {
    let mut on_panels = outcomes_of_graphs();
    for outcome in exported {
        let count = on_panels.remove(outcome).unwrap_or_default();
        assert_eq!(count, usize::from(outcome != "ok"), "graphs with the outcome {outcome}");
    }
    assert_eq!(on_panels.into_keys().collect::<Vec<_>>(), NEVER_CAUSED);
}

#[test]
fn each_panel_explains_itself() {
    for panel in panels().iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().unwrap();
        assert!(panel["description"].as_str().is_some_and(|told| told.len() > 20), "{title}");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}");
        for query in queries(panel) {
            for selector in selectors(&query) {
                let matched: Vec<_> = selector.matchers.iter().map(|(label, _)| *label).collect();
                assert!(matched.contains(&"job") && matched.contains(&"instance"), "{query}");
            }
        }
    }
}

#[test]
fn each_alert_has_a_section_of_the_guide_and_a_case() {
    let (rules, cases) =
        (read("examples/metrics/alerts.yml"), read("examples/metrics/alerts_test.yml"));
    let cargo = read("Cargo.toml");
    let repository = after(&cargo, "repository = \"").next().unwrap().trim_end_matches('"');
    let (alerts, links): (Vec<_>, Vec<_>) =
        (after(&rules, "- alert: ").collect(), after(&rules, "runbook_url: ").collect());
    assert!(!alerts.is_empty() && alerts.len() == links.len(), "{alerts:?} {links:?}");
    for (alert, link) in alerts.into_iter().zip(links) {
        let (file, section) = link
            .strip_prefix(&format!("{repository}/blob/main/"))
            .and_then(|path| path.split_once('#'))
            .unwrap_or_else(|| panic!("{alert}: {link}"));
        let page = read(file);
        assert!(after(&page, "## ").any(|title| anchor(title) == section), "{alert}: {link}");
        assert!(cases.contains(&format!("ALERTS{{alertname=\"{alert}\"")), "{alert} has no case");
    }
}

/// A metric in a query, with the values of each label there.
#[derive(Debug)]
struct Selector<'a> {
    metric: &'a str,
    matchers: Vec<(&'a str, Vec<&'a str>)>,
}

/// Returns all selectors of the library's metrics. The values are words, or alternatives of words.
fn selectors(query: &str) -> Vec<Selector<'_>> {
    let starts = query.match_indices("session_").map(|(start, _)| start);
    let starts = starts.filter(|start| !query[..*start].ends_with(is_of_name));
    let selector = |start: usize| {
        let rest = &query[start..];
        let (metric, rest) = rest.split_at(rest.find(|c| !is_of_name(c)).unwrap_or(rest.len()));
        let inside = rest.strip_prefix('{').map(|rest| rest.split_once('}').unwrap().0);
        let matchers = inside.unwrap_or_default().split("\",").filter_map(|matcher| {
            let (label, value) = matcher.split_once('"')?;
            let label = label.trim().trim_end_matches(['=', '~', '!']);
            Some((label, value.trim().trim_end_matches('"').split('|').collect()))
        });
        Selector { metric, matchers: matchers.collect() }
    };
    starts.map(selector).collect()
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn check(selector: &Selector<'_>, exported: &Exported, query: &str) {
    let Some(labels) = exported.get(selector.metric) else {
        panic!("{} is not exported: {query}", selector.metric);
    };
    for (label, values) in &selector.matchers {
        if ["job", "instance"].contains(label) {
            continue;
        }
        let known = labels.get(*label).unwrap_or_else(|| panic!("no label {label}: {query}"));
        for value in values {
            let is_known = match *label {
                "operation" => operations().contains(*value),
                _ => known.contains(*value) || NEVER_CAUSED.contains(value),
            };
            assert!(is_known, "{label} is never {value}: {query}");
        }
    }
    for label in after(query, "by (").flat_map(|list| list.split(')').next().unwrap().split(", ")) {
        let is_of_any = exported.values().any(|labels| labels.contains_key(label));
        assert!(is_of_any || ["job", "instance"].contains(&label), "no label {label}: {query}");
    }
}

/// Returns the names of all operations, since a test that calls each would be long.
fn operations() -> BTreeSet<String> {
    let source = read("session-runtime/src/telemetry/operation_name.rs");
    after(&source, "=> \"").map(|name| name.trim_end_matches("\",").to_owned()).collect()
}

/// Returns the name without the suffix of a series of a histogram.
fn family(series: &str) -> &str {
    ["_bucket", "_sum", "_count"].iter().find_map(|end| series.strip_suffix(end)).unwrap_or(series)
}

/// Returns the number of graphs that name an outcome. A graph of all outcomes names none.
fn outcomes_of_graphs() -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for panel in panels().iter().filter(|panel| panel["type"] == "timeseries") {
        for query in queries(panel) {
            let named = selectors(&query).into_iter().flat_map(|selector| selector.matchers);
            for (_, outcomes) in named.filter(|(label, _)| *label == "outcome") {
                for outcome in outcomes {
                    *counts.entry(outcome.to_owned()).or_default() += 1;
                }
            }
        }
    }
    counts
}

fn dashboard() -> Value {
    serde_json::from_str(&read("examples/metrics/grafana.json")).unwrap()
}

fn panels() -> Vec<Value> {
    dashboard()["panels"].as_array().unwrap().clone()
}

/// Returns the queries for the values of the variables.
fn variables() -> Vec<String> {
    let dashboard = dashboard();
    let variables = dashboard["templating"]["list"].as_array().unwrap().iter();
    variables.filter_map(|variable| Some(variable["definition"].as_str()?.to_owned())).collect()
}

fn queries(panel: &Value) -> Vec<String> {
    let targets = panel["targets"].as_array().into_iter().flatten();
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

/// Returns the queries of the rules, which are on the line of `expr`, or on the deeper lines below.
fn alert_queries() -> Vec<String> {
    let rules = read("examples/metrics/alerts.yml");
    let mut queries = Vec::new();
    let mut lines = rules.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((indent, query)) = line.split_once("expr: ") else { continue };
        let mut query = query.trim_start_matches('|').to_owned();
        let is_below = |line: &&str| line.len() - line.trim_start().len() > indent.len();
        while let Some(more) = lines.next_if(is_below) {
            query += more.trim_start();
        }
        queries.push(query);
    }
    assert_eq!(queries.len(), after(&rules, "- alert: ").count());
    queries
}

/// Returns the rest of the line after each occurrence.
fn after<'a>(text: &'a str, start: &str) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).map(|rest| rest.lines().next().unwrap_or_default())
}

/// Returns the anchor that GitHub gives to a heading.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns all that the library exports, with the buckets of the example.
async fn exported() -> Exported {
    let duration = Matcher::Full("session_operation_duration_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(duration, &[0.25]).unwrap();
    let recorder = builder.build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    cause_outcomes().await;
    cause_refused_logins().await;
    cause_events().await;
    use_redis(&recorder).await;
    let mut exported = Exported::new();
    for series in crate::metrics::metrics(&recorder).keys() {
        let [selector] = selectors(series).try_into().unwrap();
        let labels = exported.entry(selector.metric.to_owned()).or_default();
        for (label, values) in selector.matchers {
            labels
                .entry(label.to_owned())
                .or_default()
                .extend(values.into_iter().map(str::to_owned));
        }
    }
    exported
}

fn config() -> SessionConfig {
    SessionConfig::new().secret(SECRET)
}

async fn cause_outcomes() {
    let store = FailingStore::new(MemoryStore::new());
    let sessions = Sessions::with_store(config(), store.clone()).unwrap();
    let handle = sessions.open([]);
    let session: Session<Visitor> = handle.session();
    session.set_name("Ada").await.unwrap();
    assert!(handle.session::<Misread>().name().await.unwrap_err().is_decode());
    assert!(session.set_ratio(f64::NAN).await.unwrap_err().is_encode());
    assert!(session.set_name("x".repeat(2 << 20)).await.unwrap_err().is_too_large());
    assert!(session.count().decr(1).await.unwrap_err().is_out_of_range());
    assert!(session.name().expire_in(Duration::ZERO).await.unwrap_err().is_unsupported());
    assert!(session.renew(Lifetime::custom(9)).await.unwrap_err().is_config());
    assert!(session.check_form_token("x").await.unwrap_err().is_invalid_form_token());
    store.fail(Failure::Contended);
    assert!(session.count().update(|count| count + 1).await.unwrap_err().is_contended());
    store.fail(Failure::Refused);
    assert_eq!(session.set_count(1).await.unwrap_err().status(), 500);
    store.fail(Failure::Unavailable);
    assert!(session.name().await.unwrap_err().is_unavailable());
    store.fail(Failure::OutcomeUnknown { carried_out: false });
    assert!(session.set_count(1).await.unwrap_err().is_outcome_unknown());
    store.recover();
    assert!(handle.finish().set_cookie().is_some());
    assert!(session.rotate().await.unwrap_err().is_headers_sent());
    store.fail(Failure::Gone);
    assert!(session.set_count(1).await.unwrap_err().is_gone());
    let other_site = sessions.open([]);
    other_site
        .note_request("POST", |name| (name == "sec-fetch-site").then_some("cross-site".as_bytes()));
    let session = other_site.session::<Visitor>();
    assert!(session.set_count(1).await.unwrap_err().is_cross_site());
}

async fn cause_refused_logins() {
    let sessions = Sessions::with_store(config(), MemoryStore::new()).unwrap();
    let seen = sessions.find(Auth::by_user(7)).checkpoint().await.unwrap();
    let login = || {
        let session = sessions.open([]).session::<Auth>();
        async move {
            let login = session.write().set(session.user(), 7).renew(Lifetime::normal());
            login.at_most(1, Surplus::Refuse).commit().await
        }
    };
    login().await.unwrap();
    assert!(login().await.unwrap_err().is_too_many());
    sessions.find(Auth::by_user(7)).end_all().await.unwrap();
    let session = sessions.open([]).session::<Auth>();
    let login = session.write().set(session.user(), 7).renew(Lifetime::normal());
    assert!(login.unless_ended_since(seen).commit().await.unwrap_err().is_ended_since());
}

async fn cause_events() {
    let sessions = Sessions::with_store(config(), MemoryStore::new()).unwrap();
    let read = async |cookie: &str| {
        sessions.open([cookie.as_bytes()]).session::<Visitor>().name().await.unwrap();
    };
    let unknown = cookies::cookie(&cookies::id(SystemTime::now(), 0));
    read(&unknown).await;
    read(&format!("{unknown}x")).await;
    let session: Session<Visitor> = sessions.open([]).session();
    session.set_count(1).await.unwrap();
    session.rotate().await.unwrap();
    session.destroy().await.unwrap();
}

/// Uses a near cache with too little room, until each of its metrics has a value. Then stops the
/// server.
async fn use_redis(recorder: &PrometheusRecorder) {
    let mut redis = RedisServer::start();
    let cache = NearCache::new().max_bytes(1 << 20);
    let sessions = Sessions::new(config().store(redis.url()).near_cache(cache)).await.unwrap();
    let mut open = Vec::new();
    for _ in 0..400 {
        let session = sessions.create::<Visitor>().await.unwrap();
        session.set_name("x".repeat(4000)).await.unwrap();
        open.push(session.session_id().unwrap());
    }
    let is_exported = |name: &str| {
        let exported = crate::metrics::metrics(recorder);
        exported.keys().any(|series| series.starts_with(name))
    };
    let until_exported = async |names: &[&str]| {
        let seen = async {
            while !names.iter().all(|name| is_exported(name)) {
                for id in &open {
                    let session = sessions.open_id::<Visitor>(id);
                    let _ = session.name().await;
                    let _ = session.name().await;
                }
                let _ = sessions.open_id::<Visitor>(&open[open.len() - 1]).set_count(1).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), seen)
            .await
            .unwrap_or_else(|_| panic!("{names:?}: {:#?}", crate::metrics::metrics(recorder)));
    };
    until_exported(&[
        "session_near_cache_hits_total",
        "session_near_cache_misses_total",
        "session_near_cache_voided_total",
        "session_near_cache_evicted_total",
        "session_near_cache_bytes",
        "session_near_cache_lease_age_seconds_count",
        "session_store_connections",
    ])
    .await;
    let session = sessions.open_id::<Visitor>(&open[0]);
    let mut dropped = session.load();
    assert!(futures::poll!(&mut dropped).is_pending());
    drop(dropped);
    redis.kill();
    until_exported(&["session_store_connections_failing"]).await;
}
