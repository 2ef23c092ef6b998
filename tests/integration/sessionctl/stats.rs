//! `sessionctl stats`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use session_runtime::Session;
use session_runtime::store::{IndexKey, SessionKey};
use session_tests::acceptance::{Store, World};
use session_tests::cookies::id;
use session_tests::deployment::Deployment;
use session_tests::store_suite::create;

use crate::account::{Account, sign_in};
use crate::many::many;
use crate::{ctl, ctl_with};

const MINUTE: Duration = Duration::from_secs(60);

fn stats(world: &World) -> Value {
    ctl(world, &["stats", "--json"]).json()
}

/// Returns the numbers of a histogram.
fn counts(buckets: &Value) -> Vec<u64> {
    let buckets = buckets.as_array().unwrap().iter();
    buckets.map(|bucket| bucket["sessions"].as_u64().unwrap()).collect()
}

fn key_of(session: &Session<Account>) -> String {
    SessionKey::new("app", &session.session_id().unwrap()).expose_secret().to_owned()
}

pub(crate) async fn every_key_is_counted_once_by_its_kind(world: World) {
    let (sessions, server) = (world.sessions(|config| config), world.server().unwrap());
    let _live = [sign_in(&sessions, 1).await, sign_in(&sessions, 2).await];
    let logged_out = sessions.open([]).session::<Account>();
    logged_out.set_user(3).await.unwrap();
    logged_out.destroy().await.unwrap();
    sign_in(&sessions, 4).await;
    sessions.find(Account::by_user(4)).end_all().await.unwrap();
    sign_in(&sessions, 5).await.rotate().await.unwrap();
    let renewed = sign_in(&sessions, 6).await;
    renewed.renew(session_runtime::Lifetime::normal()).await.unwrap();
    let user = [("SESSION_REDIS_PREFIX", "other")];
    let _: String = server.cli(&["SET", "app:sessions:unknown", "1"]);
    let _: String = server.cli(&["SET", "app:other", "1"]);
    let stats = stats(&world);
    assert_eq!(stats["sessions"]["count"], 4);
    let expected = json!({
        "count": 4, "logged_out": 1, "ended_elsewhere": 1, "too_many": 0, "rotated": 1,
        "renewed": 1, "bytes": stats["tombstones"]["bytes"],
    });
    assert_eq!(stats["tombstones"], expected);
    let lists = server.keys().iter().filter(|key| key.contains(":by:")).count();
    assert_eq!(stats["index_lists"]["count"], lists);
    assert_eq!(stats["other_keys"]["count"], 1);
    for (kind, is_of_kind) in [
        ("index_lists", (|key| key.contains(":by:")) as fn(&str) -> bool),
        ("other_keys", |key| key == "app:sessions:unknown"),
    ] {
        let keys = server.keys().into_iter().filter(|key| is_of_kind(key));
        let bytes: u64 = keys.map(|key| server.cli::<u64>(&["MEMORY", "USAGE", &key])).sum();
        assert_eq!(stats[kind]["bytes"], bytes, "{kind}");
    }
    let text = ctl(&world, &["stats"]).ok();
    for (row, count) in [("Live sessions", "4"), ("Tombstones", "4"), ("  rotated", "1")] {
        let line = text.lines().find_map(|line| line.strip_prefix(row)).unwrap();
        assert_eq!(line.split_whitespace().next(), Some(count), "{text}");
    }
    // Another prefix has nothing.
    let empty = ctl_with(&world, &["stats", "--json"], &user);
    assert!(
        empty.code == Some(0) && empty.stderr.contains("under the prefix `other`"),
        "{empty:?}"
    );
    let empty: Value = serde_json::from_str(&empty.stdout).unwrap();
    for kind in ["sessions", "past_deadline", "tombstones", "index_lists", "other_keys"] {
        assert_eq!((&empty[kind]["count"], &empty[kind]["bytes"]), (&json!(0), &json!(0)));
    }
}

pub(crate) async fn the_ages_of_live_sessions_are_in_a_histogram(world: World) {
    let server = world.server().unwrap();
    let Store::Redis(store, _) = &world.store else { panic!("on servers") };
    for age in [0, 5, 30, 120, 600, 3 * 1_440, 20 * 1_440] {
        let id = id(world.now() - age * MINUTE, 0).parse().unwrap();
        create(store, &SessionKey::new("app", &id), &[]).await;
    }
    let far = id(world.now() + 600 * MINUTE, 0).parse().unwrap();
    create(store, &SessionKey::new("app", &far), &[]).await;
    let lasting = key_of(&sign_in(&world.sessions(|config| config), 1).await);
    let _: i64 = server.cli(&["PERSIST", &lasting]);
    let stats = stats(&world);
    assert_eq!(counts(&stats["ages"]), [2, 1, 1, 1, 1, 1, 1, 0], "{stats}");
    assert_eq!(stats["past_deadline"]["count"], 1);
    assert_eq!(stats["never_expire"], 1);
    assert_eq!(counts(&stats["expire_in"]).iter().sum::<u64>(), 7);
    let text = ctl(&world, &["stats"]).ok();
    let bars: Vec<_> = text.lines().skip_while(|line| !line.starts_with("Age of")).collect();
    assert!(bars[1].starts_with("< 1 min ") && bars[1].ends_with('█'), "{text}");
    assert!(text.contains("never     1") && text.contains("Past their deadline"), "{text}");
}

/// As many as `SESSION_TEST_MANY` says, made by a script on each server.
pub(crate) async fn many_sessions_are_counted(world: World) {
    let server = world.server().unwrap();
    let masters = server.masters();
    let many = many();
    let mut made = 0;
    for (at, master) in masters.iter().enumerate() {
        let until = made + (many - made) / (masters.len() - at);
        // A node of a cluster that runs a script for long would be replaced by its replica.
        while made < until {
            let (count, seed) = ((until - made).min(1_000).to_string(), (at + made).to_string());
            made += master.cli::<usize>(&["EVAL", MAKE, "0", &count, &seed]);
        }
    }
    let begun = Instant::now();
    let stats = stats(&world);
    eprintln!("stats of {made} sessions: {:?}", begun.elapsed());
    assert_eq!(stats["sessions"]["count"], made);
    assert_eq!(counts(&stats["ages"]).iter().sum::<u64>(), made as u64);
}

/// Creates sessions with random ids. Each node of a cluster gets only keys of its own slots.
const MAKE: &str = "
local letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
local now, made = tonumber(redis.call('TIME')[1]), 0
math.randomseed(tonumber(ARGV[2]))
local function letter() local n = math.random(1, 64) return letters:sub(n, n) end
while made < tonumber(ARGV[1]) do
    local tag, time, secret = '', '', ''
    for i = 1, 8 do tag = tag .. letter() end
    for i = 1, 24 do secret = secret .. letter() end
    -- Five bytes of the time, and a byte for the class 0.
    local number = (now - math.random(0, 80000)) * 256
    for i = 7, 0, -1 do
        local n = math.floor(number / 64 ^ i) % 64 + 1
        time = time .. letters:sub(n, n)
    end
    local key = 'app:sessions:{' .. tag .. '}' .. time .. secret
    if type(redis.pcall('HSET', key, 'user', '42')) == 'number' then
        redis.call('PEXPIRE', key, 1200000)
        made = made + 1
    end
end
return made";

/// A look costs the same, whatever the size of a value from another program.
#[tokio::test]
async fn large_values_of_other_programs_stay_on_the_server() {
    const LARGE: u64 = 20_000_000;
    let world = World::redis().await;
    let server = world.server().unwrap();
    let session = sign_in(&world.sessions(|config| config), 42).await;
    let under_a_session = id(world.now(), 0).parse().unwrap();
    let under_a_session = SessionKey::new("app", &under_a_session);
    for key in ["app:sessions:report", under_a_session.expose_secret()] {
        let _: i64 = server.cli(&["SETRANGE", key, &LARGE.to_string(), "."]);
    }
    let before = sent_bytes(server);
    let stats = stats(&world);
    let sent = sent_bytes(server) - before;
    assert!(sent < LARGE / 100, "{sent} bytes");
    assert_eq!(stats["sessions"]["count"], 1);
    assert_eq!(
        (&stats["other_keys"]["count"], &stats["tombstones"]["count"]),
        (&json!(1), &json!(1))
    );
    assert!(stats["other_keys"]["bytes"].as_u64().unwrap() >= LARGE);
    assert!(session.exists().await.unwrap());
}

/// Returns the number of bytes that a server has sent.
fn sent_bytes(server: &Deployment) -> u64 {
    let info: String = server.cli(&["INFO", "stats"]);
    let sent = info.lines().find_map(|line| line.strip_prefix("total_net_output_bytes:"));
    sent.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let world = World::redis().await;
    let server = world.server().unwrap();
    let session = sign_in(&world.sessions(|config| config), 42).await;
    let list = IndexKey::new("app", "user", b"42");
    assert_eq!(server.cli::<i64>(&["EXISTS", list.as_str()]), 1);
    for permission in ["scan", "info", "getrange", "pttl"] {
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("-{permission}")]);
        let refused = ctl(&world, &["stats"]).refused(1);
        assert!(refused.contains(&format!("+{permission}")), "{refused}");
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("+{permission}")]);
    }
    // Only the bytes are unknown.
    let _: String = server.cli(&["ACL", "SETUSER", "default", "-memory|usage"]);
    let without = ctl(&world, &["stats", "--json"]);
    assert!(without.code == Some(0) && without.stderr.contains("+memory|usage"), "{without:?}");
    let stats: Value = serde_json::from_str(&without.stdout).unwrap();
    assert_eq!(stats["sessions"], json!({ "count": 1, "bytes": null }));
    assert_eq!(stats["index_lists"], json!({ "count": 1, "bytes": null }));
    assert!(session.exists().await.unwrap());
}

/// Nothing is prolonged or changed.
#[tokio::test]
async fn a_count_is_no_use_of_a_session() {
    let world = World::redis().await;
    let server = world.server().unwrap();
    sign_in(&world.sessions(|config| config), 42).await;
    let sent = server.monitor();
    ctl(&world, &["stats"]).ok();
    let greeting = ["HELLO", "HPTTL", "HPEXPIRE", "HSETEX", "SCRIPT", "CLIENT", "SELECT"];
    let allowed = ["INFO", "SCAN", "GETRANGE", "MEMORY", "PTTL", "DBSIZE"];
    for command in sent.finish() {
        let name = command.trim_start_matches('"').split('"').next().unwrap().to_uppercase();
        assert!(greeting.contains(&&*name) || allowed.contains(&&*name), "{command}");
    }
}
