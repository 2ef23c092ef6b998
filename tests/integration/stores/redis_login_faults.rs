//! A login on Redis during faults. Afterwards, every session is whole: the old session under the
//! old id, or the new session under the new id.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use session_runtime::{
    Error, Lifetime, RedisStore, Session, SessionConfig, SessionHandle, Sessions,
};
use session_tests::cookies::{self, SECRET};
use session_tests::deployment::{Deployment, Shared};
use session_tests::proxy::Proxy;
use session_tests::server::RedisServer;
use session_tests::{until, wait_for};

#[derive(Debug, Session)]
struct Shop {
    user: Option<u64>,
    key: String,
    cart: u64,
    theme: u64,
}

/// A schema that the login does not know.
#[derive(Debug, Session)]
struct Plugin {
    visits: u64,
}

/// Time for an operation on a busy machine.
const GENEROUSLY: Duration = Duration::from_secs(5);
/// The idle timeout before the login. The timeout of the login is longer.
const IDLE: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn a_login_whose_connection_breaks_in_the_request_happens_whole_or_not_at_all() {
    let broken = logs_in_over_broken_connections(Proxy::break_in_request_after).await;
    assert!(broken.old > 300, "the script and its arguments have some hundred bytes");
}

#[tokio::test]
async fn a_login_whose_connection_breaks_in_the_reply_happens_once() {
    let broken = logs_in_over_broken_connections(Proxy::break_after).await;
    assert_eq!(broken.old, 0, "every request arrived");
    assert!(broken.new > 0, "some replies were lost");
}

/// Sessions after a login with an error.
#[derive(Default)]
struct Broken {
    old: usize,
    new: usize,
}

/// Logs in over connections that break after 0, 1, 2 and more bytes, until a login works. After
/// each error, the same request logs in again.
async fn logs_in_over_broken_connections(break_after: fn(&Proxy, usize)) -> Broken {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let (direct, sessions) = (sessions(&server.url()).await, sessions(&proxy.url()).await);
    let mut broken = Broken::default();
    for bytes in 0.. {
        let number = bytes as u64;
        let cookie = visit(&direct, number).await.unwrap();
        until("a connection", async || sessions.ping().await.is_ok()).await;
        break_after(&proxy, bytes);
        let handle = sessions.open([cookie.as_bytes()]);
        let error = log_in(&handle, number).await.err();
        let kept = kept(&[&server], &cookie);
        let Some(error) = error else {
            assert_eq!(kept.user, Some(number));
            return broken;
        };
        assert!(error.is_unavailable(), "{bytes}: {error:?}");
        match kept.user {
            None => broken.old += 1,
            Some(user) => {
                assert!(error.is_outcome_unknown(), "{bytes}: {error:?}");
                assert_eq!(user, number);
                broken.new += 1;
            }
        }
        let again = number + 1_000_000;
        until("a login", async || log_in(&handle, again).await.is_ok()).await;
        let new = cookie_of(&handle).expect("a login sets a cookie");
        let kept = self::kept(&[&server], &cookie);
        assert_eq!((kept.user, kept.key), (Some(again), cookies::key_of(&new)), "{bytes}");
    }
    unreachable!("a number of bytes is enough")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logins_beside_client_kill_happen_whole_or_not_at_all() {
    const LOGINS: u64 = 60;
    let server = Arc::new(RedisServer::start());
    let sessions = sessions(&server.url()).await;
    let (tried, over) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
    let killer = std::thread::spawn({
        let (server, tried, over) = (Arc::clone(&server), Arc::clone(&tried), Arc::clone(&over));
        move || {
            let (mut seen, mut killed) = (0, 0);
            while !over.load(Ordering::Relaxed) {
                // A few logins go on between two kills.
                if tried.load(Ordering::Relaxed) < seen + u64::from(random() % 6) {
                    std::thread::yield_now();
                    continue;
                }
                seen = tried.load(Ordering::Relaxed);
                killed += server.cli::<u64>(&["CLIENT", "KILL", "TYPE", "normal"]);
            }
            killed
        }
    });
    let clients = (0..8).map(|client| {
        let (sessions, tried) = (sessions.clone(), Arc::clone(&tried));
        tokio::spawn(async move {
            let mut results = Vec::new();
            let mut number = client * 1_000_000;
            while results.len() < LOGINS as usize {
                number += 1;
                if let Ok(cookie) = visit(&sessions, number).await {
                    let handle = sessions.open([cookie.as_bytes()]);
                    results.push((cookie, number, log_in(&handle, number).await));
                }
                tried.fetch_add(1, Ordering::Relaxed);
            }
            results
        })
    });
    let results = futures::future::join_all(clients).await;
    over.store(true, Ordering::Relaxed);
    let killed = killer.join().unwrap();
    let kept = all_kept(&[&server]);
    let mut failed = 0;
    for (cookie, number, result) in results.into_iter().flat_map(Result::unwrap) {
        let user = kept[&tag_of(&cookies::key_of(&cookie))].user;
        match result {
            Ok(()) => assert_eq!(user, Some(number)),
            Err(error) if error.is_outcome_unknown() => {
                assert!(user.is_none_or(|user| user == number));
                failed += 1;
            }
            Err(error) => {
                assert!(error.is_unavailable() && user.is_none(), "{error:?}, {user:?}");
                failed += 1;
            }
        }
    }
    println!("{killed} connections were killed, {failed} of {} logins failed", 8 * LOGINS);
    assert!(killed > 0);
}

/// The server's address, for a process that logs in until the test kills the process.
const LOGS_IN: &str = "SESSION_TESTS_LOGS_IN";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logins_of_a_killed_process_happened_whole_or_not_at_all() {
    if let Ok(url) = std::env::var(LOGS_IN) {
        return log_in_for_ever(&url).await;
    }
    let server = RedisServer::start();
    let mut kept = Vec::new();
    for _ in 0..20 {
        let _: String = server.cli(&["FLUSHALL"]);
        let mut process = start_process(&server.url());
        has_logins(&server);
        process.kill().unwrap();
        process.wait().unwrap();
        wait_for("the end of the connections", || (server.clients() == 0).then_some(()));
        kept.extend(all_kept(&[&server]).into_values());
    }
    assert!(kept.iter().any(|kept| kept.user.is_some()));
    assert!(kept.iter().any(|kept| kept.user.is_none()), "some were killed before a login");
}

/// A server that writes every change to its disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logins_on_a_killed_server_happened_whole_or_not_at_all() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    for _ in 0..5 {
        let _: String = server.cli(&["FLUSHALL"]);
        let mut process = start_process(&server.url());
        has_logins(&server);
        server.restart();
        process.kill().unwrap();
        process.wait().unwrap();
        wait_for("the end of the connections", || (server.clients() == 0).then_some(()));
        assert!(all_kept(&[&server]).into_values().any(|kept| kept.user.is_some()));
    }
}

fn start_process(url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "redis_login_faults::logins_of_a_killed_process_happened_whole_or_not_at_all",
        ])
        .env(LOGS_IN, url)
        // The input ends with the test's process.
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for a random number of keys.
fn has_logins(server: &RedisServer) {
    let enough = 50 + i64::from(random() % 400);
    wait_for("logins", || (server.cli::<i64>(&["DBSIZE"]) >= enough).then_some(()));
}

/// Logs in until the test kills this process, or the test's process ends.
async fn log_in_for_ever(url: &str) {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_line(&mut String::new());
        std::process::exit(0);
    });
    let sessions = sessions(url).await;
    let clients = (0..16_u64).map(|client| {
        let sessions = sessions.clone();
        tokio::spawn(async move {
            for number in client * 1_000_000.. {
                if let Ok(cookie) = visit(&sessions, number).await {
                    let _ = log_in(&sessions.open([cookie.as_bytes()]), number).await;
                }
            }
        })
    });
    futures::future::join_all(clients).await;
}

/// Both keys of a login are in one slot.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_in_a_cluster_happens_whole() {
    let cluster = Shared::cluster().await;
    let sessions = sessions(&cluster.url()).await;
    for number in 0..60 {
        let cookie = visit(&sessions, number).await.unwrap();
        let handle = sessions.open([cookie.as_bytes()]);
        let before = cluster.counts();
        log_in(&handle, number).await.unwrap();
        let counts = cluster.counts() - before;
        assert_eq!((counts.calls("evalsha"), counts.calls("eval")), (1, 0));
        let kept = kept(&cluster.masters(), &cookie);
        let new = cookie_of(&handle).expect("a login sets a cookie");
        assert_eq!((kept.user, kept.key), (Some(number), cookies::key_of(&new)));
    }
    let Deployment::Cluster(nodes) = &*cluster else { unreachable!("a cluster") };
    for master in nodes.masters() {
        assert!(nodes.nodes()[master].cli::<i64>(&["DBSIZE"]) > 0, "{master}");
    }
}

async fn sessions(url: &str) -> Sessions {
    let store = RedisStore::builder(url).timeout(GENEROUSLY).connect().await.unwrap();
    Sessions::with_store(SessionConfig::new().secret(SECRET), store).unwrap()
}

/// Creates a session with this number in all fields, and returns the cookie.
async fn visit(sessions: &Sessions, number: u64) -> Result<String, Error> {
    let handle = sessions.open([]);
    let (shop, plugin): (Session<Shop>, Session<Plugin>) = (handle.session(), handle.session());
    let fields = shop.write().set(shop.cart(), number).set(shop.theme(), number);
    fields.set(plugin.visits(), number).commit().await?;
    Ok(cookie_of(&handle).expect("a new session has a cookie"))
}

/// Logs this user in, and keeps nothing but the cart.
async fn log_in(handle: &SessionHandle, user: u64) -> Result<(), Error> {
    let shop: Session<Shop> = handle.session();
    let fields = shop.write().set(shop.user(), user).set(shop.key(), token(user));
    fields.keep_only((shop.cart(),)).renew(Lifetime::remembered()).commit().await
}

fn token(user: u64) -> String {
    format!("the token of {user}")
}

fn cookie_of(handle: &SessionHandle) -> Option<String> {
    let headers = handle.finish();
    Some(headers.set_cookie()?.split(';').next().unwrap().to_owned())
}

/// A session that was found whole.
#[derive(Debug)]
struct Kept {
    key: String,
    /// The user, after a login.
    user: Option<u64>,
}

/// An entry of the server.
#[derive(Debug)]
struct Entry {
    is_session: bool,
    left: Duration,
    content: Vec<String>,
}

/// Returns the session of a cookie that was created before the login.
///
/// # Panics
///
/// Panics if the session is neither the old nor the new session.
fn kept(servers: &[&RedisServer], cookie: &str) -> Kept {
    let key = cookies::key_of(cookie);
    let entries = entries(servers, &format!("*{{{}}}*", tag_of(&key)));
    let kept = whole(&entries);
    if kept.user.is_none() {
        assert_eq!(kept.key, key, "{entries:#?}");
    } else {
        assert_ne!(kept.key, key, "{entries:#?}");
        assert!(!entries[&key].is_session, "{entries:#?}");
    }
    kept
}

/// Returns all sessions by tag.
///
/// # Panics
///
/// Panics if any session is neither the old nor the new session.
fn all_kept(servers: &[&RedisServer]) -> BTreeMap<String, Kept> {
    let mut by_tag = BTreeMap::<_, BTreeMap<_, _>>::new();
    for (key, entry) in entries(servers, "*") {
        by_tag.entry(tag_of(&key)).or_default().insert(key, entry);
    }
    by_tag.into_iter().map(|(tag, entries)| (tag, whole(&entries))).collect()
}

/// Checks all entries of a session. A single entry is live, and all tombstones lead there.
fn whole(entries: &BTreeMap<String, Entry>) -> Kept {
    let mut sessions = entries.iter().filter(|(_, entry)| entry.is_session);
    let (Some((key, session)), None) = (sessions.next(), sessions.next()) else {
        panic!("not one session: {entries:#?}")
    };
    let content = session.content.chunks(2).map(|entry| (&*entry[0], &*entry[1]));
    let content: BTreeMap<_, _> = content.collect();
    let number = content["cart"];
    let user = content.get("user").map(|user| user.parse().unwrap());
    let token = user.map(token).unwrap_or_default();
    let expected = match content.get("user") {
        None => {
            assert!(entries.len() == 1 && session.left <= IDLE, "{entries:#?}");
            vec![("", ""), ("cart", number), ("theme", number), ("visits", number)]
        }
        Some(user) => {
            assert!(entries.len() > 1 && session.left > IDLE, "{entries:#?}");
            vec![("", ""), ("cart", number), ("key", &*token), ("user", user)]
        }
    };
    assert_eq!(content.into_iter().collect::<Vec<_>>(), expected, "{entries:#?}");
    for first in entries.keys() {
        assert_eq!(leads_to(entries, first), key, "{entries:#?}");
    }
    Kept { key: key.clone(), user }
}

/// Follows the tombstones.
fn leads_to<'a>(entries: &'a BTreeMap<String, Entry>, key: &'a str) -> &'a str {
    let entry = &entries[key];
    if entry.is_session {
        return key;
    }
    let (_, id) = entry.content[0].rsplit_once(':').unwrap();
    let next = cookies::key_of(&format!("id={id}"));
    let (next, _) = entries.get_key_value(&next).expect("the successor is there");
    leads_to(entries, next)
}

/// Returns all entries of one moment. Every entry must have an expiry.
fn entries(servers: &[&RedisServer], pattern: &str) -> BTreeMap<String, Entry> {
    const LOOK: &str = "local found = {} for _, key in ipairs(redis.call('KEYS', ARGV[1])) do \
                        local is_hash = redis.call('TYPE', key).ok == 'hash' table.insert(found, \
                        {key, is_hash and 1 or 0, redis.call('PTTL', key), is_hash and \
                        redis.call('HGETALL', key) or {redis.call('GET', key)}}) end return found";
    let found = servers.iter().flat_map(|server| {
        server.cli::<Vec<(String, bool, i64, Vec<String>)>>(&["EVAL", LOOK, "0", pattern])
    });
    found
        .map(|(key, is_session, left, content)| {
            let left = u64::try_from(left).unwrap_or_else(|_| panic!("{key} has no expiry"));
            (key, Entry { is_session, left: Duration::from_millis(left), content })
        })
        .collect()
}

fn tag_of(key: &str) -> String {
    key.split(['{', '}']).nth(1).unwrap().to_owned()
}

fn random() -> u32 {
    getrandom::u32().unwrap()
}
