//! Checks each contestant before the measurement, so that no failing contestant is measured.

use std::net::SocketAddr;

use crate::Failure;
use crate::load::{Jar, Visitor};
use crate::scenario::Cookie;
use crate::server::Contestant;

/// Visits all pages of a contestant and compares the content.
pub(crate) async fn check(contestant: Contestant, pages: SocketAddr) -> Result<(), Failure> {
    let visit = async {
        counts(pages).await?;
        reads_five(pages).await?;
        moves_at_login(pages).await?;
        believes_no_stranger(pages).await?;
        if contestant.has_all_pages() {
            writes_another_field(pages).await?;
        }
        Ok(())
    };
    visit.await.map_err(|failure: Failure| format!("{}: {failure}", contestant.name()).into())
}

async fn counts(pages: SocketAddr) -> Result<(), Failure> {
    for seed in ["/seed/one", "/seed/large"] {
        let mut visitor = begin(pages, seed).await?;
        for (path, said) in [
            ("/counter", "1"),
            ("/counter", "2"),
            ("/counter", "3"),
            ("/incr", "4"),
            ("/read", "4"),
            ("/ignored", "ok"),
        ] {
            expect(&mut visitor, path, said).await?;
        }
        let first = written(&mut visitor).await?;
        let second = written(&mut visitor).await?;
        if ["4", &first].contains(&second.as_str()) || first == "4" {
            return Err("/write does not change the count".into());
        }
        let mut another = begin(pages, seed).await?;
        expect(&mut another, "/counter", "1").await?;
        expect(&mut visitor, "/read", &second).await?;
    }
    Ok(())
}

/// Writes the session, and returns the value that is read afterwards.
async fn written(visitor: &mut Visitor) -> Result<String, Failure> {
    expect(visitor, "/write", "ok").await?;
    visitor.ask("/read", Cookie::Own).await
}

async fn reads_five(pages: SocketAddr) -> Result<(), Failure> {
    let mut visitor = begin(pages, "/seed/five").await?;
    for path in ["/five", "/five-batched"] {
        expect(&mut visitor, path, "0 Ada Lovelace true 36 dark").await?;
    }
    Ok(())
}

/// Checks that a login keeps the data and invalidates the old id.
async fn moves_at_login(pages: SocketAddr) -> Result<(), Failure> {
    let mut visitor = begin(pages, "/seed/one").await?;
    expect(&mut visitor, "/counter", "1").await?;
    let old = visitor.jar().clone();
    expect(&mut visitor, "/login", "ok").await?;
    if *visitor.jar() == old {
        return Err("a login did not change the cookie".into());
    }
    expect(&mut visitor, "/counter", "2").await?;
    let mut thief = Visitor::connect(pages, old).await?;
    expect(&mut thief, "/read", "0").await
}

async fn believes_no_stranger(pages: SocketAddr) -> Result<(), Failure> {
    let mut visitor = begin(pages, "/seed/one").await?;
    expect(&mut visitor, "/counter", "1").await?;
    for cookie in [Cookie::Absent, Cookie::Forged] {
        let said = visitor.ask("/read", cookie).await?;
        if said != "0" {
            return Err(format!("/read with the cookie {cookie:?} returned {said}").into());
        }
    }
    expect(&mut visitor, "/read", "1").await
}

async fn writes_another_field(pages: SocketAddr) -> Result<(), Failure> {
    let mut visitor = begin(pages, "/seed/one").await?;
    for (path, said) in [("/read-and-write", "0"), ("/counter", "1"), ("/read-and-write", "1")] {
        expect(&mut visitor, path, said).await?;
    }
    Ok(())
}

async fn begin(pages: SocketAddr, seed: &str) -> Result<Visitor, Failure> {
    let mut visitor = Visitor::connect(pages, Jar::default()).await?;
    expect(&mut visitor, seed, "ok").await?;
    if visitor.jar().is_empty() {
        return Err(format!("{seed} sets no cookie").into());
    }
    Ok(visitor)
}

async fn expect(visitor: &mut Visitor, path: &str, expected: &str) -> Result<(), Failure> {
    let said =
        visitor.ask(path, Cookie::Own).await.map_err(|failure| format!("{path}: {failure}"))?;
    if said == expected {
        Ok(())
    } else {
        Err(format!("{path} returned {said:?}, not {expected:?}").into())
    }
}
