//! Python sessions on a cluster, with keys without braces.

use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use session_runtime::{Session, SessionHandle, Sessions};
use session_tests::deployment::Cluster;
use session_tests::python;
use sha2::Sha256;

use super::rust::{self, Visitor};

const ID: &str = "6f1d9a4e-0c57-4b3e-9d21-5a8c7e0f3b124c2b8e90-71da-4f6b-8a35-e9d0c1b2a374";

/// Returns a cookie as Tornado would send now. The package's client does not support clusters.
fn cookie() -> String {
    use base64::Engine as _;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let value = base64::engine::general_purpose::STANDARD.encode(ID);
    let signed = format!("2|1:0|10:{now}|10:session-id|{}:{value}|", value.len());
    let mut mac = Hmac::<Sha256>::new_from_slice(python::SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    let mac: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("session-id={signed}{mac}")
}

fn open(sessions: &Sessions, cookie: &str) -> SessionHandle {
    sessions.open([cookie.as_bytes()])
}

#[tokio::test]
async fn rotation_is_one_step_on_a_cluster_too() {
    let cluster = Cluster::start();
    let sessions = Sessions::new(rust::config(&cluster.url(), [rust::tornado()])).await.unwrap();
    let key = format!("redis:sessions:{ID}");
    let node = &cluster.nodes()[cluster.owner_of(&key)];
    node.cli::<()>(&["HSET", &key, "count", "41"]);

    let handle = open(&sessions, &cookie());
    let session: Session<Visitor> = handle.session();
    assert_eq!(session.count().await.unwrap(), 41);
    session.rotate().await.unwrap();
    assert_eq!(session.count().incr(1).await.unwrap(), 42);
    let rotated = session.session_id().unwrap();
    let (tag, rest) = rotated.expose_secret().split_at(8);
    let rotated_key = format!("redis:sessions:{{{tag}}}{rest}");
    assert_eq!(cluster.slot_of(&rotated_key), cluster.slot_of(&key));
    assert_eq!(node.cli::<String>(&["HGET", &rotated_key, "count"]), "42");
    assert_eq!(node.cli::<String>(&["TYPE", &key]), "string", "a tombstone");

    let headers = handle.finish();
    let next = headers.set_cookie().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(open(&sessions, &next).session::<Visitor>().count().await.unwrap(), 42);
    assert!(!open(&sessions, &cookie()).session::<Visitor>().exists().await.unwrap());
}
