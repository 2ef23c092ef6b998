//! Sessions that tower-sessions itself has kept.

macro_rules! for_version {
    ($version:ident) => {
        use std::collections::HashMap;
        use std::future::pending;
        use std::time::{Duration, SystemTime};

        use axum::http::header::{COOKIE, SET_COOKIE};
        use axum::http::{HeaderValue, Request, Response};
        use futures::FutureExt as _;
        use session_runtime::testing::{Browser, Failure};
        use time::OffsetDateTime;
        use $version::session::{Id, Record};
        use $version::{MemoryStore as FormerStore, Session, SessionStore as _};

        use super::super::*;

        const HOUR: Duration = Duration::from_secs(3600);

        /// A store of tower-sessions with a session, and that session's cookie.
        struct Former {
            store: FormerStore,
            id: Id,
        }

        impl Former {
            async fn begin() -> Self {
                let expiry_date = OffsetDateTime::now_utc() + HOUR;
                let data = HashMap::from([("user".to_owned(), "ada".into())]);
                let mut record = Record { id: Id::default(), data, expiry_date };
                let store = FormerStore::default();
                store.create(&mut record).await.unwrap();
                Self { store, id: record.id }
            }

            /// Reads the user in a request with the former cookie.
            async fn visit(
                &self,
                browser: &mut Browser,
                sessions: &Sessions,
                until: SystemTime,
            ) -> (Option<String>, Response<String>) {
                self.act(browser, sessions, until, |session| async move {
                    session.get("user").await.unwrap()
                })
                .await
            }

            async fn act<T, F>(
                &self,
                browser: &mut Browser,
                sessions: &Sessions,
                until: SystemTime,
                handler: impl FnOnce(Session) -> F,
            ) -> (T, Response<String>)
            where
                T: Send + 'static,
                F: Future<Output = T> + Send + 'static,
            {
                let layer = sessions.tower_sessions_layer();
                let layer = layer.accept_unsigned_cookies("id", self.store.clone(), until);
                let answer = Arc::new(Mutex::new(None));
                let mut handler = Some(handler);
                let service = service_fn(|request: Request<()>| {
                    let session = request.extensions().get::<Session>().unwrap().clone();
                    let running = handler.take().unwrap()(session);
                    let answer = Arc::clone(&answer);
                    async move {
                        let told = running.await;
                        *answer.lock().unwrap() = Some(told);
                        Ok::<_, Infallible>(Response::new(String::new()))
                    }
                });
                let response = browser.send(layer.layer(service), self.request()).await.unwrap();
                (answer.lock().unwrap().take().unwrap(), response)
            }

            /// Returns a request with the former cookie.
            fn request(&self) -> Request<()> {
                let mut request = Request::new(());
                let cookie = HeaderValue::try_from(format!("theme=dark; id={}", self.id)).unwrap();
                request.headers_mut().insert(COOKIE, cookie);
                request
            }

            async fn expires_in(&self) -> Option<time::Duration> {
                let record = self.store.load(&self.id).await.unwrap()?;
                Some(record.expiry_date - OffsetDateTime::now_utc())
            }
        }

        fn soon() -> SystemTime {
            SystemTime::now() + HOUR
        }

        /// A store that shows whether a request still holds it.
        #[derive(Debug, Clone, Default)]
        struct Held(Arc<()>);

        #[async_trait::async_trait]
        impl $version::SessionStore for Held {
            async fn save(&self, _: &Record) -> $version::session_store::Result<()> {
                Ok(())
            }

            async fn load(&self, _: &Id) -> $version::session_store::Result<Option<Record>> {
                Ok(None)
            }

            async fn delete(&self, _: &Id) -> $version::session_store::Result<()> {
                Ok(())
            }
        }

        #[tokio::test]
        async fn nothing_of_a_request_remains_whether_it_ends_or_is_dropped() {
            let (sessions, _) = on_a_failing_store();
            for is_dropped in [false, true] {
                let held = Held::default();
                let layer = sessions.tower_sessions_layer();
                let layer = layer.accept_unsigned_cookies("id", held.clone(), soon());
                let mut browser = Browser::new(&sessions);
                let service = service_fn(|request: Request<()>| async move {
                    let session = request.extensions().get::<Session>().unwrap().clone();
                    session.insert("count", 1).await.unwrap();
                    if is_dropped {
                        pending::<()>().await;
                    }
                    Ok::<_, Infallible>(Response::new(String::new()))
                });
                let request = Former::begin().await.request();
                let response = browser.send(layer.layer(service), request);
                assert_eq!(response.now_or_never().is_none(), is_dropped);
                drop(layer);
                assert_eq!(Arc::strong_count(&held.0), 1, "dropped: {is_dropped}");
            }
        }

        #[tokio::test]
        async fn a_former_session_goes_on_as_a_new_session() {
            let (sessions, _) = on_a_failing_store();
            let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
            let (user, response) = former.visit(&mut browser, &sessions, soon()).await;
            assert_eq!(user.as_deref(), Some("ada"));
            let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().collect();
            assert_eq!(cookies.len(), 2, "{cookies:?}");
            assert!(cookies.iter().any(|cookie| *cookie == "id=; Path=/; Max-Age=0"));
            assert!(former.expires_in().await.is_some_and(|left| left <= time::Duration::MINUTE));
            assert_eq!(typed(&mut browser).await.1.as_deref(), Some("ada"));
            let before = browser.cookie().map(str::to_owned);
            let (user, response) = former.visit(&mut browser, &sessions, soon()).await;
            assert_eq!(user.as_deref(), Some("ada"));
            assert!(!response.headers().contains_key(SET_COOKIE));
            assert_eq!(browser.cookie().map(str::to_owned), before);
        }

        #[tokio::test]
        async fn a_request_already_under_way_keeps_the_user_too() {
            let (sessions, _) = on_a_failing_store();
            let former = Former::begin().await;
            for _ in 0..2 {
                let mut browser = Browser::new(&sessions);
                assert!(former.visit(&mut browser, &sessions, soon()).await.0.is_some());
                assert_eq!(typed(&mut browser).await.1.as_deref(), Some("ada"));
            }
        }

        #[tokio::test]
        async fn after_the_deadline_a_former_cookie_is_nothing() {
            let (sessions, _) = on_a_failing_store();
            let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
            let now = SystemTime::now();
            let (user, response) = former.visit(&mut browser, &sessions, now).await;
            assert_eq!((user, browser.cookie()), (None, None));
            assert!(!response.headers().contains_key(SET_COOKIE));
            assert!(former.expires_in().await.is_some_and(|left| left > time::Duration::MINUTE));
        }

        #[tokio::test]
        async fn a_logout_ends_the_former_session_as_well() {
            for reads_first in [false, true] {
                let (sessions, _) = on_a_failing_store();
                let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
                let logout = move |session: Session| async move {
                    if reads_first {
                        assert!(session.get::<String>("user").await.unwrap().is_some());
                    }
                    session.flush().await.unwrap();
                    session.load().await.unwrap();
                    session.get::<String>("user").await.unwrap()
                };
                let (user, _) = former.act(&mut browser, &sessions, soon(), logout).await;
                assert_eq!((user, browser.cookie()), (None, None));
                assert_eq!(former.expires_in().await, None);
                let (user, _) = former.visit(&mut browser, &sessions, soon()).await;
                assert_eq!(user, None);
            }
        }

        #[tokio::test]
        async fn a_request_that_ignores_the_session_takes_nothing_over() {
            let (sessions, store) = on_a_failing_store();
            let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
            store.fail(Failure::Unavailable);
            let ((), response) = former.act(&mut browser, &sessions, soon(), |_| async {}).await;
            assert!(response.headers().is_empty());
            assert!(former.expires_in().await.is_some_and(|left| left > time::Duration::MINUTE));
        }

        #[tokio::test]
        async fn a_take_over_that_fails_leaves_the_former_session() {
            let (sessions, store) = on_a_failing_store();
            let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
            store.fail(Failure::Unavailable);
            let read = |session: Session| async move { session.get::<String>("user").await };
            let (read_user, _) = former.act(&mut browser, &sessions, soon(), read).await;
            assert!(read_user.is_err());
            store.recover();
            let (user, _) = former.visit(&mut browser, &sessions, soon()).await;
            assert_eq!(user.as_deref(), Some("ada"));
        }

        #[tokio::test]
        async fn a_former_session_goes_on_in_a_session_of_typed_fields_under_a_new_id() {
            let (sessions, _, mut browser) = with_a_cart().await;
            let (former, mut before) = (Former::begin().await, browser.with_sessions(&sessions));
            let (user, _) = former.visit(&mut browser, &sessions, soon()).await;
            assert_eq!(user.as_deref(), Some("ada"));
            let both = (None, Some("ada".to_owned()), "tea".to_owned());
            assert_eq!(typed(&mut browser).await, both);
            assert_eq!(typed(&mut before).await, (None, None, String::new()));
        }

        #[tokio::test]
        async fn a_request_of_another_site_takes_nothing_over() {
            let (sessions, _) = on_a_failing_store();
            let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
            let layer = sessions.tower_sessions_layer();
            let layer = layer.accept_unsigned_cookies("id", former.store.clone(), soon());
            let service = service_fn(|request: Request<()>| async move {
                let session = request.extensions().get::<Session>().unwrap().clone();
                assert_eq!(session.get::<String>("user").await.unwrap(), None);
                Ok::<_, Infallible>(Response::new(String::new()))
            });
            let mut request = former.request();
            let cross = HeaderValue::from_static("cross-site");
            request.headers_mut().insert("sec-fetch-site", cross);
            *request.method_mut() = axum::http::Method::POST;
            let response = browser.send(layer.layer(service), request).await.unwrap();
            assert!(response.status() == 200 && !response.headers().contains_key(SET_COOKIE));
            assert_eq!(former.visit(&mut browser, &sessions, soon()).await.0.unwrap(), "ada");
        }

        #[tokio::test]
        async fn values_of_tower_sessions_count_before_a_former_session() {
            let (sessions, _, mut browser) = with_a_cart().await;
            let former = Former::begin().await;
            let eve = async |session: session_runtime::Session<Typed>| {
                session.set_user(Some("eve".to_owned())).await
            };
            browser.visit(eve).await.unwrap();
            let (user, _) = former.visit(&mut browser, &sessions, soon()).await;
            assert_eq!(user.as_deref(), Some("eve"));
        }

        #[tokio::test]
        async fn cleared_values_do_not_come_back() {
            let (sessions, _) = on_a_failing_store();
            let (former, mut browser) = (Former::begin().await, Browser::new(&sessions));
            assert!(former.visit(&mut browser, &sessions, soon()).await.0.is_some());
            let clear = |session: Session| async move { session.clear().await };
            former.act(&mut browser, &sessions, soon(), clear).await;
            assert_eq!(former.visit(&mut browser, &sessions, soon()).await.0, None);
        }
    };
}

mod v0_14 {
    for_version!(tower_sessions_0_14);
}

mod v0_15 {
    for_version!(tower_sessions_0_15);
}
