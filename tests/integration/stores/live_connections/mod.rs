//! Live connections that wait for the end of their session, during faults of servers and networks.
//! Each waiter completes with the right reason. The waiter of a live session beside goes on to
//! wait.

mod costs;
mod deployments;
mod network;
mod news;
mod runtimes;

use std::time::{Duration, SystemTime};

use futures::future::join_all;
use session_runtime::store::SessionKey;
use session_runtime::{EndReason, Session, SessionConfig, SessionId, Sessions};
use session_tests::cookies::{self, SECRET};
use session_tests::deployment::{Cluster, Sentinel};
use session_tests::server::RedisServer;
use session_tests::until;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);
/// Longer than a test, which then depends on news alone.
const HOUR: Duration = Duration::from_secs(3600);

#[derive(Session)]
struct Visitor {
    count: u64,
}

/// A live connection that waits for the end of its session.
struct Waiter {
    id: SessionId,
    ended: JoinHandle<EndReason>,
}

impl Waiter {
    fn key(&self) -> String {
        key_of(&self.id)
    }

    fn still_waits(&self) -> bool {
        !self.ended.is_finished()
    }

    async fn reason(self) -> EndReason {
        timeout(20 * SECOND, self.ended).await.expect("the end is noticed").unwrap()
    }
}

/// The servers of a test.
trait Servers {
    /// Returns the server that has this key.
    fn owner_of(&self, key: &str) -> &RedisServer;

    /// Returns the number of looks so far, if nothing but looks is going on.
    fn looks(&self) -> u64;
}

impl Servers for RedisServer {
    fn owner_of(&self, _key: &str) -> &RedisServer {
        self
    }

    fn looks(&self) -> u64 {
        self.counts().calls("hexists")
    }
}

impl Servers for Sentinel {
    fn owner_of(&self, _key: &str) -> &RedisServer {
        &self.nodes()[self.master()]
    }

    fn looks(&self) -> u64 {
        looks_of(self.nodes())
    }
}

impl Servers for Cluster {
    fn owner_of(&self, key: &str) -> &RedisServer {
        &self.nodes()[self.owner_of(key)]
    }

    fn looks(&self) -> u64 {
        looks_of(self.nodes())
    }
}

/// Counts the looks at all servers that run. Another server may become the master meanwhile.
fn looks_of(nodes: &[RedisServer]) -> u64 {
    nodes.iter().filter(|node| node.is_up()).map(RedisServer::looks).sum()
}

fn config(url: &str) -> SessionConfig {
    let config = SessionConfig::new().secret(SECRET).prefix("test").store(url);
    config.timeout(2 * SECOND).end_check_interval(HOUR)
}

/// Connects a program that only gets to know of an end by news.
async fn connect(url: &str) -> Sessions {
    Sessions::new(config(url)).await.unwrap()
}

/// Connects a program that looks for the end every second.
async fn connect_without_trust(url: &str) -> Sessions {
    Sessions::new(config(url).end_check_interval(SECOND)).await.unwrap()
}

/// Connects another program, which ends the sessions.
async fn connect_another(url: &str) -> Sessions {
    Sessions::new(config(url).timeout(20 * SECOND)).await.unwrap()
}

/// Begins sessions.
async fn begin(sessions: &Sessions, number: usize) -> Vec<SessionId> {
    let begun = (0..number).map(async |_| {
        let session = sessions.create::<Visitor>().await.unwrap();
        session.set_count(1).await.unwrap();
        session.session_id().unwrap()
    });
    join_all(begun).await
}

/// Waits for the end of each session, until all sessions are watched.
async fn wait_for_each(
    sessions: &Sessions,
    servers: &impl Servers,
    ids: Vec<SessionId>,
) -> Vec<Waiter> {
    let opened: Vec<_> = ids.iter().map(|id| sessions.open_id::<Visitor>(id)).collect();
    // A live connection usually has asked for its session before, but need not.
    for session in opened.iter().step_by(2) {
        assert!(session.exists().await.unwrap());
    }
    let (before, number) = (servers.looks(), opened.len() as u64);
    let waiters = ids.into_iter().zip(&opened);
    let waiters =
        waiters.map(|(id, session)| Waiter { id, ended: tokio::spawn(session.ended()) }).collect();
    until("a look at each session", async || servers.looks() >= before + number).await;
    waiters
}

/// Ends a session in this way.
async fn end(sessions: &Sessions, servers: &impl Servers, id: &SessionId, reason: EndReason) {
    let cookie = cookies::cookie(id.expose_secret());
    let of_browser = || sessions.open([cookie.as_bytes()]).session::<Visitor>();
    match reason {
        EndReason::LoggedOut => of_browser().destroy().await.unwrap(),
        EndReason::Moved => of_browser().rotate().await.unwrap(),
        EndReason::EndedElsewhere => {
            sessions.open_id::<Visitor>(id).destroy().await.unwrap();
        }
        EndReason::Expired => {
            let key = key_of(id);
            assert_eq!(servers.owner_of(&key).cli::<i64>(&["DEL", &key]), 1);
        }
        other => panic!("not in these tests: {other:?}"),
    }
}

const REASONS: [EndReason; 4] =
    [EndReason::LoggedOut, EndReason::Moved, EndReason::EndedElsewhere, EndReason::Expired];

/// Ends the sessions of all waiters but the last, each in another way. Checks that each end is
/// noticed, and that the last waiter still waits.
async fn assert_ends_are_noticed(
    mut waiters: Vec<Waiter>,
    servers: &impl Servers,
    sessions: &Sessions,
) {
    let last = waiters.pop().unwrap();
    let reasons: Vec<_> = REASONS.into_iter().cycle().take(waiters.len()).collect();
    assert!(waiters.iter().all(Waiter::still_waits));
    for (waiter, reason) in waiters.iter().zip(&reasons) {
        end(sessions, servers, &waiter.id, *reason).await;
    }
    for (waiter, reason) in waiters.into_iter().zip(reasons) {
        assert_eq!(waiter.reason().await, reason);
    }
    assert_waits(last, servers, sessions).await;
}

/// Checks that the only remaining waiter still waits after another look. Then ends the session.
async fn assert_waits(waiter: Waiter, servers: &impl Servers, sessions: &Sessions) {
    look_again(servers, &waiter.key()).await;
    assert!(waiter.still_waits());
    let Waiter { id, mut ended } = waiter;
    // Sentinels may fail over once more, and lose the end. A repeated end changes nothing, and so
    // makes no news.
    for _ in 0..20 {
        let _ = sessions.open_id::<Visitor>(&id).destroy().await;
        if let Ok(reason) = timeout(SECOND, &mut ended).await {
            return assert_eq!(reason.unwrap(), EndReason::EndedElsewhere);
        }
    }
    panic!("the end is not noticed");
}

/// Waits for another look at this session, while no other session is looked at.
async fn look_again(servers: &impl Servers, key: &str) {
    let looks = servers.looks();
    change(servers, key);
    until("another look", async || servers.looks() > looks).await;
}

/// Changes a session, like another program.
fn change(servers: &impl Servers, key: &str) {
    let _: i64 = servers.owner_of(key).cli(&["HSET", key, "count", "2"]);
}

fn key_of(id: &SessionId) -> String {
    SessionKey::new("test", id).expose_secret().to_owned()
}

/// Returns new ids in the same slot of a cluster.
fn in_one_slot(number: usize) -> Vec<SessionId> {
    let tag = &cookies::id(SystemTime::now(), 0)[..8];
    let id = || format!("{tag}{}", &cookies::id(SystemTime::now(), 0)[8..]);
    (0..number).map(|_| SessionId::parse(&id()).unwrap()).collect()
}
