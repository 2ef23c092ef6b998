//! Cost of a request's cookie, before any command to a server.

use std::rc::Rc;

use tokio::runtime::Runtime;

use crate::group::{Case, Group};
use crate::visitor::{Visit, header, read_once};

pub(crate) fn groups(runtime: &Rc<Runtime>) -> Vec<Group> {
    let visit = runtime.block_on(Visit::begin("memory:"));
    let (live, forged) = (visit.header(), header(&forge(&visit.signed)));
    assert_eq!(runtime.block_on(read_once(&visit.sessions, [&live[..]])), 12_345);
    assert_eq!(runtime.block_on(read_once(&visit.sessions, [&forged[..]])), 0);

    let sessions = || visit.sessions.clone();
    let (ignored, ignoring) = (live.clone(), sessions());
    let ignored = Case::new("ours", runtime, async move || ignoring.open([&ignored[..]]).finish());
    let unasked = sessions();
    let absent =
        Case::new("ours", runtime, async move || read_once(&unasked, [&b"theme=dark"[..]]).await);
    let wary = sessions();
    let forged = Case::new("ours", runtime, async move || read_once(&wary, [&forged[..]]).await);
    let known = sessions();
    let live = Case::new("ours", runtime, async move || read_once(&known, [&live[..]]).await);
    vec![
        Group::new("request that ignores its session", [ignored]),
        Group::new("request with one read, cookie absent", [absent]),
        Group::new("request with one read, cookie forged", [forged]),
        Group::new("request with one read, cookie live on memory", [live]),
    ]
}

/// Returns a cookie with a valid format, but with a wrong first character in the MAC.
fn forge(signed: &str) -> String {
    let (id, mac) = signed.split_once('.').unwrap();
    let other = if mac.starts_with('A') { 'B' } else { 'A' };
    format!("{id}.{other}{}", &mac[1..])
}
