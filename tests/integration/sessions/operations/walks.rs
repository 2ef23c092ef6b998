//! Walks over all sessions.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use session_runtime::find::SessionEntry;
use session_runtime::{Schema, Session, Sessions};
use session_tests::acceptance::World;
use tokio::task::JoinSet;

#[derive(Session)]
#[session(fields = "DeviceFields")]
struct Device {
    browser: String,
}

/// A later release stores another type.
#[derive(Session)]
#[session(fields = "LaterFields")]
struct LaterDevice {
    #[session(rename = "browser")]
    _browser: u64,
}

async fn all<D: Schema>(sessions: &Sessions) -> Vec<SessionEntry<D>> {
    let (mut entries, mut all) = (Vec::new(), sessions.all::<D>());
    while let Some(entry) = all.next().await.unwrap() {
        entries.push(entry);
    }
    assert!(all.next().await.unwrap().is_none(), "the walk is over");
    entries
}

fn tag_of<S: Schema>(session: &Session<S>) -> String {
    session.session_id().unwrap().tag().to_owned()
}

async fn create(sessions: &Sessions, browser: &str) -> Session<Device> {
    let session = sessions.create::<Device>().await.unwrap();
    session.set_browser(browser).await.unwrap();
    session
}

/// Behaviour: walk over all sessions.
pub(crate) async fn a_walk_shows_each_session_as_it_is(world: World) {
    let sessions = world.sessions(|config| config);
    assert!(all::<Device>(&sessions).await.is_empty());
    let mut visitors = HashMap::new();
    for browser in ["Lynx", "w3m", ""] {
        let session = create(&sessions, browser).await;
        visitors.insert(tag_of(&session), (session, browser));
    }
    let ended = create(&sessions, "Dillo").await;
    ended.destroy().await.unwrap();
    let (rotated, _) = &visitors.values().next().unwrap();
    rotated.rotate().await.unwrap();
    world.elapse(Duration::from_secs(60));
    let entries = all::<Device>(&sessions).await;
    assert_eq!(entries.len(), 3);
    for entry in &entries {
        let (session, browser) = &visitors[entry.tag()];
        assert_eq!(entry.data().unwrap().browser, *browser);
        assert_eq!(Some(entry.created_at()), session.created_at());
        assert!(entry.is_current(session) && entry.signed_in_at().is_none());
        let ago = world.now().duration_since(entry.last_used().unwrap().at).unwrap();
        assert!(ago >= Duration::from_secs(59), "the walk is no use: {ago:?}");
    }
    // The walk before was no use either.
    world.elapse(Duration::from_secs(60));
    for entry in all::<LaterDevice>(&sessions).await {
        assert!(visitors.contains_key(entry.tag()));
        assert!(entry.data().is_err_and(|error| error.is_decode()));
        let ago = world.now().duration_since(entry.last_used().unwrap().at).unwrap();
        assert!(ago >= Duration::from_secs(119), "the walk is no use: {ago:?}");
    }
}

/// Behaviour: find a session by the tag of a log line.
pub(crate) async fn the_sessions_with_a_tag_are_found(world: World) {
    let sessions = world.sessions(|config| config);
    let ids_by_tag = async |tag: &str| {
        let found = sessions.by_tag::<Device>(tag).await.unwrap();
        found.iter().map(|entry| *entry.id()).collect::<Vec<_>>()
    };
    let (mine, ended) = (create(&sessions, "Lynx").await, create(&sessions, "w3m").await);
    for _ in 0..600 {
        sessions.create::<Device>().await.unwrap();
    }
    let ended_tag = tag_of(&ended);
    ended.destroy().await.unwrap();
    mine.rotate().await.unwrap();
    let (tag, id) = (tag_of(&mine), mine.session_id().unwrap());
    assert_eq!(ids_by_tag(&tag).await, [id], "not under the former id");
    for unknown in [&ended_tag, "unknown_", "", "*", "?", &tag[..7], &format!("{tag}*")] {
        assert_eq!(ids_by_tag(unknown).await, [], "{unknown}");
    }
    let other = create(&sessions, "Dillo").await.session_id().unwrap();
    let same_tag = format!("{tag}{}", &other.expose_secret()[tag.len()..]);
    world.begin_under(&same_tag).await;
    assert_eq!(ids_by_tag(&tag).await.len(), 2);
    let found = sessions.by_tag::<Device>(&tag).await.unwrap();
    let entry = found.iter().find(|entry| *entry.id() == id).unwrap();
    mine.rotate().await.unwrap();
    assert!(entry.end().await.unwrap(), "under the later id");
    assert!(!entry.end().await.unwrap(), "the session has ended");
    assert!(!mine.exists().await.unwrap());
    assert_eq!(ids_by_tag(&tag).await, [same_tag.parse().unwrap()]);
}

/// Sessions on all nodes are there, beside others that begin, change and end.
pub(crate) async fn three_thousand_sessions_are_walked_beside_others(world: World) {
    const EACH: usize = 375;
    let sessions = world.sessions(|config| config);
    let mut creating = JoinSet::new();
    for _ in 0..8 {
        let sessions = sessions.clone();
        creating.spawn(async move {
            let mut tags = Vec::new();
            for _ in 0..EACH {
                let session = sessions.create::<Device>().await.unwrap();
                tags.push(tag_of(&session));
            }
            tags
        });
    }
    let stay: HashSet<String> = creating.join_all().await.into_iter().flatten().collect();
    assert_eq!(stay.len(), 8 * EACH);
    let is_over = AtomicBool::new(false);
    let others = async {
        let mut ended = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let session = create(&sessions, "Lynx").await;
            session.rotate().await.unwrap();
            session.destroy().await.unwrap();
            ended.push(tag_of(&create(&sessions, "w3m").await));
            tokio::task::yield_now().await;
        }
        ended.len()
    };
    let walk = async {
        let mut seen = HashSet::new();
        for _ in 0..3 {
            seen.clear();
            let mut all = sessions.all::<Device>();
            while let Some(entry) = all.next().await.unwrap() {
                seen.insert(entry.tag().to_owned());
            }
            assert_eq!(stay.difference(&seen).count(), 0);
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let (others, ()) = tokio::join!(others, walk);
    assert!(others > 0);
    let entries = all::<Device>(&sessions).await;
    assert!(entries.iter().all(|entry| entry.data().unwrap().browser != "Lynx"));
}

/// The characters of a pattern are plain text in a prefix.
pub(crate) async fn prefixes_are_walked_apart(world: World) {
    let prefixes = ["app", "app2", "a*", "a?p", "[a]pp", "a\\pp", "app:sessions"];
    let with = |prefix: &str| world.sessions(|config| config.prefix(prefix));
    let mut sessions_of = Vec::new();
    for prefix in prefixes {
        let sessions = with(prefix);
        create(&sessions, prefix).await;
        sessions_of.push(sessions);
    }
    for (prefix, sessions) in prefixes.iter().zip(&sessions_of) {
        let entries = all::<Device>(sessions).await;
        let browsers: Vec<_> = entries.iter().map(|entry| entry.data().unwrap().browser).collect();
        assert_eq!(browsers, [*prefix]);
    }
}

/// Other keys of the store are no sessions: lists of indexes, tombstones, and keys without an id.
pub(crate) async fn a_walk_leaves_other_keys_out(world: World) {
    #[derive(Session)]
    struct Auth {
        #[session(index)]
        user: Option<u64>,
        browser: String,
    }
    let sessions = world.sessions(|config| config);
    let session = sessions.create::<Auth>().await.unwrap();
    session.set_browser("Lynx").await.unwrap();
    session.set_user(7).await.unwrap();
    create(&sessions, "w3m").await.destroy().await.unwrap();
    if let Some(server) = world.server() {
        for key in ["app:sessions:{tagtag_9}", "app:sessions:none", "app:sessions:{a}{b}"] {
            let _: i64 = server.cli(&["HSET", key, "browser", "Dillo"]);
            let _: i64 = server.cli(&["EXPIRE", key, "1000"]);
        }
    }
    let entries = all::<Auth>(&sessions).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].data().unwrap().browser, "Lynx");
    assert!(entries[0].signed_in_at().is_some());
}

/// A step is one `SCAN` and one look.
pub(crate) async fn a_walk_takes_two_round_trips_for_each_page(world: World) {
    let sessions = world.sessions(|config| config);
    create(&sessions, "Lynx").await;
    let masters = world.server().map_or(0, |server| server.masters().len());
    let commands = world.commands(async || drop(all::<Device>(&sessions).await)).await;
    let scans = commands.iter().filter(|name| *name == "scan").count();
    assert_eq!(scans, masters, "{commands:?}");
    let looks = commands.iter().filter(|name| *name == "hmget" || *name == "pttl").count();
    assert_eq!(looks, if masters == 0 { 0 } else { 2 }, "{commands:?}");
    assert!(!commands.iter().any(|name| name == "keys" || name == "pexpire"), "{commands:?}");
}
