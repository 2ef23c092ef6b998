//! Sessions that tower-sessions itself has kept.

macro_rules! for_version {
    ($version:ident) => {
        use std::collections::HashMap;
        use std::future::pending;
        use std::time::{Duration, SystemTime};

        use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, ORIGIN, SET_COOKIE};
        use axum::http::{HeaderValue, Method, Request, Response};
        use futures::FutureExt as _;
        use session_runtime::testing::{Browser, Failure};
        use session_runtime::{Lifetime, Session as TypedSession, SessionHandle, Transport};
        use time::OffsetDateTime;
        use $version::session::{Id, Record};
        use $version::session_store::{Error, Result};
        use $version::{MemoryStore as FormerStore, Session, SessionStore};

        use super::super::*;

        const HOUR: Duration = Duration::from_secs(3600);

        /// A store of tower-sessions with the session of Ada, and that session's cookie.
        struct Former {
            store: FormerStore,
            id: Id,
        }

        impl Former {
            async fn begin() -> Self {
                Self::begin_with(HashMap::from([("user".to_owned(), "ada".into())])).await
            }

            async fn begin_with(data: HashMap<String, serde_json::Value>) -> Self {
                let expiry_date = OffsetDateTime::now_utc() + HOUR;
                let mut record = Record { id: Id::default(), data, expiry_date };
                let store = FormerStore::default();
                store.create(&mut record).await.unwrap();
                Self { store, id: record.id }
            }

            fn layer(&self, sessions: &Sessions) -> TowerSessionsLayer {
                let (store, until) = (self.store.clone(), SystemTime::now() + HOUR);
                sessions.tower_sessions_layer().accept_unsigned_cookies("id", store, until)
            }

            /// Returns a request with the former cookie.
            fn request(&self) -> Request<()> {
                let mut request = Request::new(());
                let cookie = HeaderValue::try_from(format!("theme=dark; id={}", self.id)).unwrap();
                request.headers_mut().insert(COOKIE, cookie);
                request
            }

            /// Reads the user in a request with the former cookie.
            async fn visit(
                &self,
                browser: &mut Browser,
                sessions: &Sessions,
            ) -> (Option<String>, Response<String>) {
                let layer = self.layer(sessions);
                let (user, response) = send_request(browser, &layer, self.request(), user).await;
                (user.flatten(), response)
            }

            /// Returns the time for which the store still has the session.
            async fn expires_in(&self) -> Option<time::Duration> {
                let record = self.store.load(&self.id).await.unwrap()?;
                Some(record.expiry_date - OffsetDateTime::now_utc())
            }

            async fn is_untouched(&self) -> bool {
                self.expires_in().await.is_some_and(|left| left > time::Duration::MINUTE)
            }
        }

        fn session_of(request: &Request<()>) -> Session {
            request.extensions().get::<Session>().unwrap().clone()
        }

        fn typed_of(request: &Request<()>) -> TypedSession<Typed> {
            SessionHandle::from_extensions(request.extensions()).unwrap().session()
        }

        async fn user(request: Request<()>) -> Option<String> {
            session_of(&request).get("user").await.unwrap()
        }

        fn cookies(response: &Response<String>) -> Vec<&HeaderValue> {
            response.headers().get_all(SET_COOKIE).iter().collect()
        }

        #[tokio::test]
        async fn a_former_session_goes_on_as_a_new_session() {
            let (sessions, _) = on_a_failing_store();
            let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
            let (user, response) = former.visit(&mut browser, &sessions).await;
            assert_eq!(user.as_deref(), Some("ada"));
            let cookies = cookies(&response);
            assert_eq!(cookies.len(), 2, "{cookies:?}");
            assert!(cookies.iter().any(|cookie| *cookie == "id=; Path=/; Max-Age=0"));
            assert!(former.expires_in().await.is_some_and(|left| left <= time::Duration::MINUTE));
            assert_eq!(typed(&mut browser).await.1.as_deref(), Some("ada"));
            let before = browser.cookie().map(str::to_owned);
            let (user, response) = former.visit(&mut browser, &sessions).await;
            assert_eq!(user.as_deref(), Some("ada"));
            assert_eq!(response.headers().get_all(SET_COOKIE).iter().count(), 1);
            assert_eq!(browser.cookie().map(str::to_owned), before);
        }

        #[tokio::test]
        async fn typed_fields_and_requests_that_ignore_the_session_take_over_too() {
            let (sessions, _) = on_a_failing_store();
            for is_typed in [false, true] {
                let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
                let handler = move |request: Request<()>| async move {
                    if is_typed {
                        let typed = typed_of(&request);
                        assert_eq!(typed.user().await.unwrap().as_deref(), Some("ada"));
                        typed.set_count(7).await.unwrap();
                    }
                };
                let layer = former.layer(&sessions);
                send_request(&mut browser, &layer, former.request(), handler).await;
                let count = is_typed.then_some(7);
                let all = (count, Some("ada".to_owned()), String::new());
                assert_eq!(typed(&mut browser).await, all);
            }
        }

        #[tokio::test]
        async fn a_lost_response_and_a_request_under_way_find_the_same_session() {
            let (sessions, _) = on_a_failing_store();
            let former = Former::begin().await;
            let [mut first, mut second] = [Browser::new(&sessions), Browser::new(&sessions)];
            assert!(former.visit(&mut first, &sessions).await.0.is_some());
            let expires_in = former.expires_in().await;
            assert_eq!(former.visit(&mut second, &sessions).await.0.as_deref(), Some("ada"));
            assert_eq!(first.cookie(), second.cookie());
            assert!(former.expires_in().await <= expires_in, "the minute does not start again");
        }

        #[tokio::test]
        async fn a_logout_is_final_whichever_side_carries_it_out() {
            let (sessions, _) = on_a_failing_store();
            for is_typed in [false, true] {
                for is_first in [false, true] {
                    let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
                    if !is_first {
                        assert!(former.visit(&mut browser, &sessions).await.0.is_some());
                    }
                    let logout = move |request: Request<()>| async move {
                        if is_typed {
                            typed_of(&request).destroy().await.unwrap();
                        } else {
                            session_of(&request).flush().await.unwrap();
                        }
                        user(request).await
                    };
                    let layer = former.layer(&sessions);
                    let request = former.request();
                    let (left, _) = send_request(&mut browser, &layer, request, logout).await;
                    assert_eq!((left.unwrap(), browser.cookie()), (None, None));
                    for _ in 0..2 {
                        let late = &mut Browser::new(&sessions);
                        assert_eq!(former.visit(late, &sessions).await.0, None);
                        assert_eq!(late.cookie(), None);
                    }
                }
            }
        }

        #[tokio::test]
        async fn an_end_by_another_part_of_the_program_is_final() {
            let (sessions, _) = on_a_failing_store();
            let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
            former.visit(&mut browser, &sessions).await;
            let read = async |session: TypedSession<Typed>| {
                session.user().await.unwrap();
                session.session_id().unwrap()
            };
            let id = browser.visit(read).await;
            sessions.open_id::<Typed>(&id).destroy().await.unwrap();
            assert_eq!(former.visit(&mut Browser::new(&sessions), &sessions).await.0, None);
        }

        #[tokio::test]
        async fn after_the_deadline_a_former_cookie_is_nothing() {
            let (sessions, _) = on_a_failing_store();
            let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
            let layer = sessions.tower_sessions_layer();
            let now = SystemTime::now();
            let layer = layer.accept_unsigned_cookies("id", former.store.clone(), now);
            let (user, response) = send_request(&mut browser, &layer, former.request(), user).await;
            assert_eq!((user.unwrap(), browser.cookie()), (None, None));
            assert!(!response.headers().contains_key(SET_COOKIE));
            assert!(former.is_untouched().await);
        }

        #[tokio::test]
        async fn a_session_of_typed_fields_gets_the_former_fields_and_a_new_id() {
            let (sessions, _, mut browser) = with_a_cart().await;
            let (former, mut before) = (Former::begin().await, browser.with_sessions(&sessions));
            assert_eq!(former.visit(&mut browser, &sessions).await.0.unwrap(), "ada");
            let both = (None, Some("ada".to_owned()), "tea".to_owned());
            assert_eq!(typed(&mut browser).await, both);
            assert_eq!(typed(&mut before).await, (None, None, String::new()));
        }

        #[tokio::test]
        async fn values_of_tower_sessions_count_more_and_a_logout_is_final_then_too() {
            let (sessions, _, mut browser) = with_a_cart().await;
            let former = Former::begin().await;
            let eve = Some("eve".to_owned());
            let sign_in = async |session: TypedSession<Typed>| session.set_user(eve).await;
            browser.visit(sign_in).await.unwrap();
            assert_eq!(former.visit(&mut browser, &sessions).await.0.unwrap(), "eve");
            browser
                .visit(async |session: TypedSession<Typed>| session.destroy().await)
                .await
                .unwrap();
            assert_eq!(former.visit(&mut browser, &sessions).await.0, None);
        }

        #[tokio::test]
        async fn after_a_lost_response_a_handler_that_ignores_the_session_sends_the_cookie() {
            for cookie_name in ["id", "session"] {
                let config = SessionConfig::new().secret(SECRET).cookie_name(cookie_name);
                let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
                let former = Former::begin().await;
                former.visit(&mut Browser::new(&sessions), &sessions).await;
                let mut browser = Browser::new(&sessions);
                let ignore = |_: Request<()>| async {};
                let layer = former.layer(&sessions);
                let request = former.request();
                let (_, response) = send_request(&mut browser, &layer, request, ignore).await;
                assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
                assert_eq!(typed(&mut browser).await.1.as_deref(), Some("ada"), "{cookie_name}");
            }
        }

        #[tokio::test]
        async fn after_a_lost_response_nothing_is_lost_while_the_store_is_away() {
            let (sessions, store) = on_a_failing_store();
            let former = Former::begin().await;
            former.visit(&mut Browser::new(&sessions), &sessions).await;
            store.fail(Failure::Unavailable);
            let layer = former.layer(&sessions);
            for is_tolerant in [false, true] {
                let service = layer.layer(service_fn(|_: Request<()>| async {
                    Ok::<_, Infallible>(Response::new(String::new()))
                }));
                let outer = sessions.layer();
                let outer = if is_tolerant { outer.allow_degraded() } else { outer };
                let mut browser = Browser::new(&sessions);
                let response = browser.send(outer.layer(service), former.request()).await.unwrap();
                assert_eq!(response.status(), if is_tolerant { 200 } else { 503 });
                assert!(!response.headers().contains_key(SET_COOKIE));
            }
            store.recover();
            assert_eq!(
                former.visit(&mut Browser::new(&sessions), &sessions).await.0.unwrap(),
                "ada"
            );
        }

        #[tokio::test]
        async fn an_outer_use_of_the_session_does_not_hide_the_former_session() {
            let config = SessionConfig::new().secret(SECRET).cookie_name("id");
            let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
            let former = Former::begin().await;
            let inner = former.layer(&sessions).layer(service_fn(|request| async {
                assert_eq!(user(request).await.as_deref(), Some("ada"));
                Ok::<_, Infallible>(Response::new(String::new()))
            }));
            let looks = service_fn(move |request: Request<()>| {
                let mut inner = inner.clone();
                async move {
                    assert!(!typed_of(&request).exists().await.unwrap());
                    tower::Service::call(&mut inner, request).await
                }
            });
            for _ in 0..2 {
                let service = sessions.layer().layer(looks.clone());
                let mut browser = Browser::new(&sessions);
                browser.send(service, former.request()).await.unwrap();
                assert_eq!(typed(&mut browser).await.1.as_deref(), Some("ada"));
            }
        }

        #[tokio::test]
        async fn a_handler_that_gives_another_id_is_followed() {
            let (sessions, _) = on_a_failing_store();
            let former = Former::begin().await;
            let renew = |request: Request<()>| async move {
                typed_of(&request).renew(Lifetime::normal()).await.unwrap();
            };
            let (layer, mut lost) = (former.layer(&sessions), Browser::new(&sessions));
            send_request(&mut lost, &layer, former.request(), renew).await;
            let mut browser = Browser::new(&sessions);
            assert_eq!(former.visit(&mut browser, &sessions).await.0.unwrap(), "ada");
            assert_eq!(browser.cookie(), lost.cookie());
        }

        #[tokio::test]
        async fn a_pointer_with_other_keys_is_a_session() {
            let (sessions, _) = on_a_failing_store();
            let mut eve = Browser::new(&sessions);
            eve.visit(async |session: TypedSession<Typed>| session.set_count(1).await)
                .await
                .unwrap();
            let id = eve
                .visit(async |session: TypedSession<Typed>| {
                    session.count().await.unwrap();
                    session.session_id().unwrap()
                })
                .await;
            let pointer = ("session-runtime.moved-to".to_owned(), id.expose_secret().into());
            let data = HashMap::from([pointer, ("user".to_owned(), "ada".into())]);
            let (former, mut browser) = (Former::begin_with(data).await, Browser::new(&sessions));
            assert_eq!(former.visit(&mut browser, &sessions).await.0.unwrap(), "ada");
            assert_eq!(typed(&mut browser).await.0, None);
        }

        /// Another site cannot use the exemption of requests with a token.
        #[tokio::test]
        async fn with_bearer_tokens_a_former_cookie_does_not_count() {
            for transport in [Transport::Bearer, Transport::CookieOrBearer] {
                let config = SessionConfig::new().secret(SECRET).transport(transport);
                let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
                let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
                let mut request = former.request();
                *request.method_mut() = Method::POST;
                let headers = request.headers_mut();
                headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer nonsense"));
                headers.insert(ORIGIN, HeaderValue::from_static("https://evil.example.com"));
                headers.insert("sec-fetch-site", HeaderValue::from_static("same-site"));
                let layer = former.layer(&sessions);
                let (user, response) = send_request(&mut browser, &layer, request, user).await;
                assert_eq!(user.unwrap(), None, "{transport:?}");
                assert!(!response.headers().contains_key(SET_COOKIE));
                assert!(former.is_untouched().await);
            }
        }

        #[tokio::test]
        async fn behind_bearer_a_former_cookie_does_not_count() {
            let config = SessionConfig::new().secret(SECRET).transport(Transport::CookieOrBearer);
            let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
            let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
            let service = service_fn(|request: Request<()>| async move {
                assert_eq!(user(request).await, None);
                Ok::<_, Infallible>(Response::new(String::new()))
            });
            let service = sessions.layer().bearer().layer(former.layer(&sessions).layer(service));
            let response = browser.send(service, former.request()).await.unwrap();
            assert!(!response.headers().contains_key(SET_COOKIE));
            assert!(former.is_untouched().await);
        }

        #[tokio::test]
        async fn a_request_of_another_site_takes_nothing_over() {
            let (sessions, _) = on_a_failing_store();
            let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
            let cross_site = |former: &Former| {
                let mut request = former.request();
                let site = HeaderValue::from_static("cross-site");
                request.headers_mut().insert("sec-fetch-site", site);
                *request.method_mut() = Method::POST;
                request
            };
            let request = cross_site(&former);
            let clear = |request: Request<()>| async move {
                session_of(&request).clear().await;
                user(request).await
            };
            let layer = former.layer(&sessions);
            let (user, response) = send_request(&mut browser, &layer, request, clear).await;
            assert_eq!((user.unwrap(), response.status().as_u16()), (None, 200));
            assert!(!response.headers().contains_key(SET_COOKIE));
            assert_eq!(former.visit(&mut browser, &sessions).await.0.unwrap(), "ada");
            // The response that has just come was lost.
            let mut browser = Browser::new(&sessions);
            let (_, response) =
                send_request(&mut browser, &layer, cross_site(&former), clear).await;
            assert!(!response.headers().contains_key(SET_COOKIE));
        }

        #[tokio::test]
        async fn a_take_over_that_fails_is_503_and_loses_nothing() {
            let (sessions, store) = on_a_failing_store();
            let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
            store.fail(Failure::Unavailable);
            let (user, response) = former.visit(&mut browser, &sessions).await;
            assert_eq!((user, response.status().as_u16()), (None, 503));
            assert!(!response.headers().contains_key(SET_COOKIE));
            store.recover();
            assert_eq!(former.visit(&mut browser, &sessions).await.0.unwrap(), "ada");
        }

        /// A store of tower-sessions in a state.
        #[derive(Debug, Clone, Default)]
        struct Troubled {
            held: Arc<()>,
            trouble: Trouble,
        }

        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        enum Trouble {
            #[default]
            None,
            Fails,
            Hangs,
            Garbage,
        }

        #[async_trait::async_trait]
        impl SessionStore for Troubled {
            async fn save(&self, _: &Record) -> Result<()> {
                Ok(())
            }

            async fn load(&self, _: &Id) -> Result<Option<Record>> {
                match self.trouble {
                    Trouble::None => Ok(None),
                    Trouble::Fails => Err(Error::Backend("HUNTER2".to_owned())),
                    Trouble::Hangs => pending().await,
                    Trouble::Garbage => Err(Error::Decode("HUNTER2".to_owned())),
                }
            }

            async fn delete(&self, _: &Id) -> Result<()> {
                Ok(())
            }
        }

        #[tokio::test]
        async fn a_former_store_that_fails_or_hangs_is_503_and_garbage_is_no_session() {
            for (trouble, status) in
                [(Trouble::Fails, 503), (Trouble::Hangs, 503), (Trouble::Garbage, 200)]
            {
                let config = SessionConfig::new().secret(SECRET).timeout(Duration::from_millis(50));
                let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
                let mut browser = Browser::new(&sessions);
                let store = Troubled { trouble, ..Troubled::default() };
                let (layer, until) = (sessions.tower_sessions_layer(), SystemTime::now() + HOUR);
                let layer = layer.accept_unsigned_cookies("id", store, until);
                let request = Former::begin().await.request();
                let (_, response) = send_request(&mut browser, &layer, request, user).await;
                assert_eq!(response.status(), status, "{trouble:?}");
            }
        }

        #[tokio::test]
        async fn a_former_session_that_is_too_large_is_left_and_locks_nobody_out() {
            let (sessions, _) = on_a_failing_store();
            let large = "x".repeat(2 << 20);
            let data = HashMap::from([("user".to_owned(), large.into())]);
            let (former, mut browser) = (Former::begin_with(data).await, Browser::new(&sessions));
            let (user, response) = former.visit(&mut browser, &sessions).await;
            assert_eq!((user, response.status().as_u16()), (None, 200));
            assert!(former.is_untouched().await);
        }

        #[tokio::test]
        async fn the_last_cookie_counts_also_under_the_name_of_the_session_cookie() {
            let config = SessionConfig::new().secret(SECRET).cookie_name("id");
            let sessions = Sessions::with_store(config, MemoryStore::new()).unwrap();
            let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
            let mut request = former.request();
            let cookie = format!("id={}; id={}", Id::default(), former.id);
            request.headers_mut().insert(COOKIE, HeaderValue::try_from(cookie).unwrap());
            let layer = former.layer(&sessions);
            let (user, response) = send_request(&mut browser, &layer, request, user).await;
            assert_eq!(user.unwrap().as_deref(), Some("ada"));
            assert_eq!(cookies(&response).len(), 1);
            assert_eq!(typed(&mut browser).await.1.as_deref(), Some("ada"));
        }

        #[tokio::test]
        async fn nothing_of_a_request_remains_whether_it_ends_or_is_dropped() {
            let (sessions, _) = on_a_failing_store();
            for is_dropped in [false, true] {
                let store = Troubled::default();
                let (layer, until) = (sessions.tower_sessions_layer(), SystemTime::now() + HOUR);
                let layer = layer.accept_unsigned_cookies("id", store.clone(), until);
                let mut browser = Browser::new(&sessions);
                let service = service_fn(move |request: Request<()>| async move {
                    session_of(&request).insert("count", 1).await.unwrap();
                    if is_dropped {
                        pending::<()>().await;
                    }
                    Ok::<_, Infallible>(Response::new(String::new()))
                });
                let request = Former::begin().await.request();
                let response = browser.send(layer.layer(service), request);
                assert_eq!(response.now_or_never().is_none(), is_dropped);
                drop(layer);
                assert_eq!(Arc::strong_count(&store.held), 1, "dropped: {is_dropped}");
            }
        }
    };
}

mod v0_14 {
    for_version!(tower_sessions);
}

mod v0_15 {
    for_version!(tower_sessions_0_15);
}
