//! `sessionctl check`.

use std::time::UNIX_EPOCH;

use serde_json::Value;
use session_tests::acceptance::World;
use session_tests::proxy::Proxy;
use session_tests::server::{Make, RedisServer};
use session_tests::sessionctl::{Run, run};
use session_tests::wait_for;

use crate::ctl;

const NAMES: [&str; 11] = [
    "connection",
    "permissions",
    "scripts",
    "field_expiry",
    "index",
    "walk",
    "show",
    "clock",
    "eviction",
    "probe",
    "tracking",
];

/// The findings of a run, by name.
struct Found(Value);

impl Found {
    #[track_caller]
    fn of(run: &Run, code: i32) -> Self {
        assert_eq!(run.code, Some(code), "{run:?}");
        let found: Value = serde_json::from_str(&run.stdout).unwrap();
        let checks = found["checks"].as_array().unwrap();
        let names: Vec<_> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
        assert_eq!(names, NAMES);
        Self(found)
    }

    /// Returns the status and the message.
    fn get(&self, name: &str) -> (&str, &str) {
        let checks = self.0["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == name).unwrap();
        (check["status"].as_str().unwrap(), check["message"].as_str().unwrap())
    }

    /// Returns the names of the checks with another status than `ok`.
    fn bad(&self) -> Vec<&str> {
        NAMES.into_iter().filter(|name| self.get(name).0 != "ok").collect()
    }
}

fn on(url: &str) -> Run {
    run(&["--store", url, "check", "--json"])
}

pub(crate) async fn a_good_store_passes_each_check(world: World) {
    let found = Found::of(&ctl(&world, &["check", "--json"]), 0);
    assert_eq!(found.bad(), [""; 0], "{}", found.0);
    let masters = world.server().unwrap().masters();
    let (_, servers) = found.get("connection");
    assert_eq!(servers.matches(" at ").count(), masters.len(), "{servers}");
    let text = ctl(&world, &["check"]).ok();
    assert_eq!(text.lines().filter(|line| line.starts_with("ok ")).count(), NAMES.len(), "{text}");
    // Tombstones of a few seconds, as after each start of an application.
    for master in masters {
        for key in master.cli::<Vec<String>>(&["KEYS", "*"]) {
            assert_eq!(master.cli::<String>(&["TYPE", &key]), "string");
            assert!((-2..=10_000).contains(&master.cli::<i64>(&["PTTL", &key])));
        }
    }
}

/// Each check finds its own problem, whatever the others find.
pub(crate) async fn each_permission_is_found_missing(world: World) {
    let server = world.server().unwrap();
    for (permission, name, status, code) in [
        ("hget", "permissions", "failed", 1),
        ("eval", "permissions", "failed", 1),
        ("zadd", "index", "warning", 0),
        ("scan", "walk", "warning", 0),
        ("info", "walk", "warning", 0),
        ("client|tracking", "tracking", "warning", 0),
        ("client|caching", "tracking", "warning", 0),
    ] {
        server.on_every_master(&["ACL", "SETUSER", "default", &format!("-{permission}")]);
        let found = Found::of(&ctl(&world, &["check", "--json"]), code);
        let (said, message) = found.get(name);
        assert_eq!(said, status, "{permission}: {}", found.0);
        assert!(message.contains(&format!("+{permission}")), "{permission}: {message}");
        server.on_every_master(&["ACL", "SETUSER", "default", "+@all"]);
    }
}

#[tokio::test]
async fn all_problems_of_a_poor_user_are_told() {
    let world = World::redis().await;
    let server = world.server().unwrap();
    let url = server.url().replace("://", "://poor:password@");
    let user = ["ACL", "SETUSER", "poor", "on", ">password", "~other:*", "+get", "+hget"];
    let _: String = server.cli(&user);
    let found = Found::of(&on(&url), 1);
    let bad = ["permissions", "index", "walk", "show", "clock", "eviction", "probe", "tracking"];
    assert_eq!(found.bad(), bad, "{}", found.0);
    let (_, permissions) = found.get("permissions");
    assert!(
        permissions.contains("~app:sessions:*") && permissions.contains("+time"),
        "{permissions}"
    );
    assert!(found.get("show").1.contains("+hscan"));
    assert!(found.get("eviction").1.contains("+info"));
    // The words of a terminal, with the number of failures on standard error.
    let text = run(&["--store", &url, "check"]);
    assert_eq!(text.stdout.lines().count(), NAMES.len());
    assert!(text.stderr.contains("checks that failed: 3"), "{text:?}");
}

#[tokio::test]
async fn an_eviction_policy_is_a_warning_that_names_the_server() {
    let world = World::redis().await;
    let server = world.server().unwrap();
    for (setting, value) in [("maxmemory", "1gb"), ("maxmemory-policy", "volatile-lru")] {
        let _: String = server.cli(&["CONFIG", "SET", setting, value]);
    }
    let found = Found::of(&ctl(&world, &["check", "--json"]), 0);
    assert_eq!(found.bad(), ["eviction"]);
    let at = format!("volatile-lru at 127.0.0.1:{}", server.masters()[0].port());
    let (status, message) = found.get("eviction");
    assert!(status == "warning" && message.contains(&at), "{message}");
}

#[tokio::test]
async fn a_full_server_fails_the_probe_alone() {
    let server = RedisServer::start_with(&["--maxmemory-policy", "noeviction", "--maxmemory", "1"]);
    let found = Found::of(&on(&server.url()), 1);
    assert_eq!(found.bad(), ["probe", "tracking"], "{}", found.0);
    assert_eq!(found.get("tracking").0, "skipped");
    assert!(found.get("probe").1.contains("OOM"));
}

/// The first digit of the server's time is changed on the way.
#[tokio::test]
async fn a_clock_that_is_off_is_found() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    proxy.replace(b"$10\r\n1", b"$10\r\n2");
    let found = Found::of(&on(&proxy.url()), 1);
    let (status, message) = found.get("clock");
    assert!(status == "failed" && message.contains("at most 150"), "{}", found.0);
}

/// The server's time is a hundred seconds later on the way.
#[tokio::test]
async fn a_clock_that_is_off_a_little_is_a_warning() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let hundreds = wait_for("a hundred seconds with some left", || {
        let now = UNIX_EPOCH.elapsed().unwrap().as_secs();
        (now % 100 < 85).then_some(now / 100)
    });
    let digits = |hundreds: u64| format!("$10\r\n{hundreds}").leak().as_bytes();
    proxy.replace(digits(hundreds), digits(hundreds + 1));
    let found = Found::of(&on(&proxy.url()), 0);
    assert_eq!(found.bad(), ["clock"], "{}", found.0);
    let (status, message) = found.get("clock");
    assert!(status == "warning" && message.contains("Difference: "), "{message}");
}

#[tokio::test]
async fn a_missing_permission_for_fields_that_expire_is_a_warning() {
    let Some(world) = World::redis_8().await else { return };
    let _: String = world.server().unwrap().cli(&["ACL", "SETUSER", "default", "-hpexpire"]);
    let found = Found::of(&ctl(&world, &["check", "--json"]), 0);
    assert_eq!(found.bad(), ["field_expiry"], "{}", found.0);
    let (status, message) = found.get("field_expiry");
    assert!(status == "warning" && message.contains("+hpexpire"), "{message}");
}

#[tokio::test]
async fn news_that_does_not_arrive_is_a_warning() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    proxy.swallow_pushes();
    let found = Found::of(&on(&proxy.url()), 0);
    assert_eq!(found.bad(), ["tracking"]);
    assert!(found.get("tracking").1.contains("RESP3"), "{}", found.0);
}

#[tokio::test]
async fn a_server_that_is_too_old_fails() {
    let Some(server) = RedisServer::start_make(Make::Redis6) else { return };
    let found = Found::of(&on(&server.url()), 1);
    assert_eq!(found.bad(), NAMES);
    let (status, message) = found.get("connection");
    assert!(status == "failed" && message.contains("Redis 7 or later"), "{message}");
    assert_eq!(found.get("probe").0, "skipped");
}

#[tokio::test]
async fn a_store_without_an_answer_has_a_code_of_its_own() {
    let mut server = RedisServer::start();
    server.kill();
    let found = Found::of(&on(&server.url()), 3);
    assert_eq!(found.get("connection").0, "failed");
    assert_eq!(run(&["--store", "memory:", "check"]).code, Some(2));
}
