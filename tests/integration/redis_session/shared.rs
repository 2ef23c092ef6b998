//! A session created on one side and continued on the other.

use futures::future::join_all;
use session_runtime::redis_session::CookieFormat;

use super::rust;
use super::{Both, FRAMEWORKS};

#[tokio::test]
async fn rust_continues_a_session_of_python() {
    for framework in &FRAMEWORKS {
        let Some(mut both) = Both::migrating(framework).await else { return };
        let (python, rust, incr) = (both.python("/count"), both.rust("/count"), both.rust("/incr"));
        let visitor = &mut both.visitor;
        assert_eq!(visitor.get(&python).await, "1");
        assert_eq!(visitor.get(&rust).await, "1");
        assert_eq!(visitor.post(&incr).await, "2");
        assert_eq!(visitor.get(&python).await, "3");
        assert_eq!(visitor.cookies_set, 1, "neither side replaces the other's cookie");
        let (python, rust) = (both.python("/id"), both.rust("/id"));
        assert_eq!(both.visitor.get(&python).await, both.visitor.get(&rust).await);
    }
}

#[tokio::test]
async fn python_continues_a_session_of_rust() {
    for framework in &FRAMEWORKS {
        let Some(mut both) = Both::migrating(framework).await else { return };
        let (python, rust, incr) = (both.python("/count"), both.rust("/count"), both.rust("/incr"));
        let visitor = &mut both.visitor;
        assert_eq!(visitor.post(&incr).await, "1");
        assert_eq!(visitor.get(&python).await, "2");
        assert_eq!(visitor.get(&rust).await, "2");
        assert_eq!(visitor.cookies_set, 1, "neither side replaces the other's cookie");
        let (python, rust) = (both.python("/id"), both.rust("/id"));
        let id = both.visitor.get(&python).await;
        assert_eq!(id.replace(['{', '}'], ""), both.visitor.get(&rust).await);
        assert_eq!(id.find('}'), Some(9), "the tag stands in braces");
    }
}

#[tokio::test]
async fn a_thousand_alternating_increments_are_a_thousand() {
    for framework in &FRAMEWORKS {
        for rust_begins in [false, true] {
            let Some(mut both) = Both::migrating(framework).await else { return };
            let incr = [both.python("/incr"), both.rust("/incr")];
            assert_eq!(both.visitor.post(&incr[usize::from(rust_begins)]).await, "1");
            let alternate = (0..10).map(|_| {
                let (mut visitor, incr) = (both.visitor.clone(), &incr);
                async move {
                    for turn in 0..100 {
                        visitor.post(&incr[turn % 2]).await;
                    }
                }
            });
            join_all(alternate).await;
            let (python, rust) = (both.python("/get?field=count&as=int"), both.rust("/count"));
            assert_eq!(both.visitor.get(&rust).await, "1001");
            assert_eq!(both.visitor.get(&python).await, "1001");
        }
    }
}

#[tokio::test]
async fn the_last_step_is_our_own_format() {
    for framework in &FRAMEWORKS {
        let formats = [Some(CookieFormat::Native), None];
        let Some(mut both) = Both::start(framework, &formats).await else { return };
        let (python, count, id) = (both.python("/count"), both.rust("/count"), both.rust("/id"));
        both.visitor.get(&python).await;
        let of_python = both.visitor.jar.header();
        assert_eq!(both.visitor.get(&count).await, "1");
        assert_eq!((both.visitor.get(&count).await, both.visitor.cookies_set), ("1".to_owned(), 2));
        assert_ne!(both.visitor.jar.header(), of_python);

        // The session no longer needs Python's formats.
        let config = rust::config(&both.server.url(), [CookieFormat::Native]);
        let rust = rust::serve(config.prefix("redis").cookie_name("session-id")).await;
        assert_eq!(both.visitor.get(&format!("{rust}/count")).await, "1");
        assert_eq!(both.visitor.get(&id).await, both.visitor.get(&format!("{rust}/id")).await);
        assert_eq!(both.visitor.cookies_set, 2);
    }
}

#[tokio::test]
async fn several_formats_are_read_and_the_first_is_written() {
    let [tornado, flask] = &FRAMEWORKS;
    let formats = [Some(rust::tornado()), Some(rust::flask()), Some(CookieFormat::Native)];
    let Some(mut both) = Both::start(flask, &formats).await else { return };
    let options = session_tests::python::Options::new(both.server.url());
    let Some(on_tornado) = (tornado.start)(&options) else { return };
    let (on_flask, rust) = (both.python("/count"), both.rust("/count"));
    assert_eq!(both.visitor.get(&on_flask).await, "1");
    assert_eq!(both.visitor.get(&rust).await, "1");
    assert_eq!(both.visitor.cookies_set, 2, "it was re-issued");
    assert_eq!(both.visitor.get(&format!("{}/count", on_tornado.base_url())).await, "2");
    assert_eq!(both.visitor.cookies_set, 2);
}

#[tokio::test]
async fn unsigned_ids_are_read_only_where_they_are_asked_for() {
    let server = session_tests::server::RedisServer::start();
    let options = session_tests::python::Options {
        is_unsigned: true,
        ..session_tests::python::Options::new(server.url())
    };
    let Some(python) = session_tests::python::Python::tornado(&options) else { return };
    let mut visitor = super::Visitor::default();
    visitor.get(&format!("{}/count", python.base_url())).await;
    let signed_only =
        rust::serve(rust::config(&server.url(), [CookieFormat::Native, rust::tornado()])).await;
    assert_eq!(visitor.clone().get(&format!("{signed_only}/count")).await, "0");

    let formats = [CookieFormat::Native, CookieFormat::UnsignedForgeableIds];
    let rust = rust::serve(rust::config(&server.url(), formats)).await;
    assert_eq!(visitor.get(&format!("{rust}/count")).await, "1");
    assert_eq!(visitor.cookies_set, 2, "it is signed from now on");
    assert_eq!(visitor.get(&format!("{rust}/count")).await, "1");
    assert!(visitor.jar.header().len() > 120, "an id, its creation time, a signature");
}
