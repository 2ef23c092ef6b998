//! The session, with each version of tower-sessions.

/// Defines the tests for a version of tower-sessions.
macro_rules! for_version {
    ($version:ident) => {
        use axum::http::header::{CACHE_CONTROL, VARY};
        use axum::http::{Request, Response};
        use session_runtime::testing::{Browser, Failure};
        use session_runtime::{Session as TypedSession, SessionHandle};
        use session_tests::gated_store::GatedStore;
        use $version::{Expiry, Session};

        use super::super::*;

        /// Sends a request to a handler of the session.
        async fn visit<T, F>(
            browser: &mut Browser,
            sessions: &Sessions,
            handler: impl FnOnce(Session) -> F + Send + 'static,
        ) -> (T, Response<String>)
        where
            T: Send + 'static,
            F: Future<Output = T> + Send + 'static,
        {
            let layer = sessions.tower_sessions_layer();
            send(browser, &layer, move |request| handler(session_of(&request))).await
        }

        fn session_of(request: &Request<()>) -> Session {
            request.extensions().get::<Session>().unwrap().clone()
        }

        fn typed_of(request: &Request<()>) -> TypedSession<Typed> {
            SessionHandle::from_extensions(request.extensions()).unwrap().session()
        }

        async fn count(session: Session) -> Option<u64> {
            session.get("count").await.unwrap()
        }

        /// Inserts a value, and returns whether the response is a success.
        async fn insert(browser: &mut Browser, sessions: &Sessions, count: u64) -> bool {
            let insert =
                move |session: Session| async move { session.insert("count", count).await };
            let (inserted, response) = visit(browser, sessions, insert).await;
            inserted.is_ok() && response.status() == 200
        }

        #[tokio::test]
        async fn each_side_reads_what_the_other_writes() {
            let (sessions, _, mut browser) = with_a_cart().await;
            assert!(insert(&mut browser, &sessions, 7).await);
            assert_eq!(typed(&mut browser).await, (Some(7), None, "tea".to_owned()));
            browser
                .visit(async |session: TypedSession<Typed>| session.set_count(8).await)
                .await
                .unwrap();
            assert_eq!(visit(&mut browser, &sessions, count).await.0, Some(8));
            let remove = |session: Session| async move { session.remove::<u64>("count").await };
            assert_eq!(visit(&mut browser, &sessions, remove).await.0.unwrap(), Some(8));
            assert_eq!(typed(&mut browser).await, (None, None, "tea".to_owned()));
        }

        #[tokio::test]
        async fn in_one_request_the_first_use_and_load_see_typed_writes() {
            let (sessions, _) = on_a_failing_store();
            let mut browser = Browser::new(&sessions);
            let layer = sessions.tower_sessions_layer();
            send(&mut browser, &layer, |request| async move {
                let (session, typed) = (session_of(&request), typed_of(&request));
                typed.set_count(1).await.unwrap();
                assert_eq!(count(session.clone()).await, Some(1));
                typed.set_count(2).await.unwrap();
                assert_eq!(count(session.clone()).await, Some(1));
                session.load().await.unwrap();
                assert_eq!(count(session.clone()).await, Some(2));
                session.insert("count", 3).await.unwrap();
                assert_eq!(typed.count().await.unwrap(), Some(2));
                session.save().await.unwrap();
                assert_eq!(typed.count().await.unwrap(), Some(3));
            })
            .await;
            assert_eq!(typed(&mut browser).await.0, Some(3));
        }

        #[tokio::test]
        async fn a_request_that_ignores_the_session_asks_nothing() {
            let (sessions, store, mut browser) = with_a_cart().await;
            store.fail(Failure::Unavailable);
            for browser in [&mut browser, &mut Browser::new(&sessions)] {
                let ((), response) = visit(browser, &sessions, |_| async {}).await;
                assert_eq!(response.status(), 200);
                assert!(response.headers().is_empty(), "{:?}", response.headers());
            }
        }

        #[tokio::test]
        async fn a_request_takes_one_read_and_one_write() {
            let (sessions, store, mut browser) = with_a_cart().await;
            let twice = |session: Session| async move {
                session.insert("a", 1).await?;
                session.get::<u64>("a").await?;
                session.insert("b", 2).await
            };
            store.fail_after(2, Failure::Unavailable);
            let (inserted, response) = visit(&mut browser, &sessions, twice).await;
            assert_eq!((inserted.is_ok(), response.status().as_u16()), (true, 200));
            store.fail_after(1, Failure::Unavailable);
            let (inserted, response) = visit(&mut browser, &sessions, twice).await;
            let unchanged = "nothing has changed, so nothing is written";
            assert_eq!((inserted.is_ok(), response.status().as_u16()), (true, 200), "{unchanged}");
        }

        #[tokio::test]
        async fn a_new_visitor_gets_a_session_with_the_first_value_only() {
            let (sessions, _) = on_a_failing_store();
            let mut browser = Browser::new(&sessions);
            assert_eq!(visit(&mut browser, &sessions, count).await.0, None);
            assert_eq!(browser.cookie(), None);
            visit(&mut browser, &sessions, |session| async move { session.clear().await }).await;
            assert_eq!(browser.cookie(), None);
            assert!(insert(&mut browser, &sessions, 1).await);
            assert!(browser.cookie().is_some());
        }

        #[tokio::test]
        async fn two_requests_at_once_lose_no_values() {
            let (sessions, _, mut browser) = with_a_cart().await;
            assert!(insert(&mut browser, &sessions, 1).await);
            let (mut other, of_other) = (browser.with_sessions(&sessions), sessions.clone());
            visit(&mut browser, &sessions, |session| async move {
                assert_eq!(count(session.clone()).await, Some(1));
                assert!(insert(&mut other, &of_other, 2).await);
                session.insert("user", "ada").await.unwrap();
            })
            .await;
            let both = (Some(2), Some("ada".to_owned()), "tea".to_owned());
            assert_eq!(typed(&mut browser).await, both);
        }

        #[tokio::test]
        async fn cycle_id_gives_a_new_id_and_keeps_everything() {
            let (sessions, _, mut browser) = with_a_cart().await;
            assert!(insert(&mut browser, &sessions, 1).await);
            let mut before = browser.with_sessions(&sessions);
            visit(&mut browser, &sessions, |session| async move {
                session.cycle_id().await.unwrap();
                session.insert("user", "ada").await.unwrap();
            })
            .await;
            assert_ne!(browser.cookie(), before.cookie());
            let all = (Some(1), Some("ada".to_owned()), "tea".to_owned());
            assert_eq!(typed(&mut browser).await, all);
            assert_eq!(typed(&mut before).await, (None, None, String::new()));
        }

        #[tokio::test]
        async fn cycle_id_without_values_keeps_the_typed_fields() {
            let (sessions, _, mut browser) = with_a_cart().await;
            let before = browser.cookie().map(str::to_owned);
            visit(&mut browser, &sessions, |session| async move {
                session.cycle_id().await.unwrap();
            })
            .await;
            assert_ne!(browser.cookie().map(str::to_owned), before);
            assert_eq!(typed(&mut browser).await.2, "tea");
        }

        #[tokio::test]
        async fn a_failed_cycle_id_loses_nothing() {
            for failure in [Failure::Unavailable, Failure::Refused] {
                let (sessions, store, mut browser) = with_a_cart().await;
                assert!(insert(&mut browser, &sessions, 1).await);
                let failing = store.clone();
                let ((), response) = visit(&mut browser, &sessions, move |session| async move {
                    session.cycle_id().await.unwrap();
                    failing.fail(failure);
                })
                .await;
                assert!(response.status().is_server_error());
                store.recover();
                let all = (Some(1), None, "tea".to_owned());
                assert_eq!(typed(&mut browser).await, all, "{failure:?}");
            }
        }

        #[tokio::test]
        async fn a_request_dropped_after_cycle_id_loses_nothing() {
            let (sessions, _, mut browser) = with_a_cart().await;
            assert!(insert(&mut browser, &sessions, 1).await);
            let cycled = Arc::new(tokio::sync::Notify::new());
            let (told, mut kept) = (Arc::clone(&cycled), browser.with_sessions(&sessions));
            let dropped = visit(&mut browser, &sessions, |session| async move {
                session.cycle_id().await.unwrap();
                told.notify_one();
                std::future::pending::<()>().await;
            });
            tokio::select! {
                _ = dropped => unreachable!(),
                () = cycled.notified() => {}
            }
            assert_eq!(typed(&mut kept).await, (Some(1), None, "tea".to_owned()));
        }

        #[tokio::test]
        async fn flush_ends_the_session_at_once() {
            let (sessions, _, mut browser) = with_a_cart().await;
            assert!(insert(&mut browser, &sessions, 1).await);
            let mut other = browser.with_sessions(&sessions);
            visit(&mut browser, &sessions, |session| async move {
                session.flush().await.unwrap();
                assert_eq!(typed(&mut other).await, (None, None, String::new()));
            })
            .await;
            assert_eq!(browser.cookie(), None);
        }

        #[tokio::test]
        async fn flush_after_cycle_id_ends_the_session() {
            let (sessions, _, mut browser) = with_a_cart().await;
            assert!(insert(&mut browser, &sessions, 1).await);
            let mut before = browser.with_sessions(&sessions);
            visit(&mut browser, &sessions, |session| async move {
                session.cycle_id().await.unwrap();
                session.flush().await.unwrap();
            })
            .await;
            assert_eq!(browser.cookie(), None);
            assert_eq!(typed(&mut before).await, (None, None, String::new()));
        }

        #[tokio::test]
        async fn after_flush_the_next_values_begin_another_session() {
            for cycles in [false, true] {
                let (sessions, _, mut browser) = with_a_cart().await;
                visit(&mut browser, &sessions, |session| async move {
                    session.insert("user", "ada").await.unwrap();
                })
                .await;
                assert!(insert(&mut browser, &sessions, 1).await);
                let before = browser.cookie().map(str::to_owned);
                visit(&mut browser, &sessions, move |session| async move {
                    assert_eq!(count(session.clone()).await, Some(1));
                    session.flush().await.unwrap();
                    if cycles {
                        session.cycle_id().await.unwrap();
                    }
                    session.insert("count", 1).await.unwrap();
                })
                .await;
                assert_ne!(browser.cookie().map(str::to_owned), before);
                assert_eq!(typed(&mut browser).await, (Some(1), None, String::new()));
            }
        }

        #[tokio::test]
        async fn after_delete_former_values_do_not_come_back() {
            let (sessions, _, mut browser) = with_a_cart().await;
            assert!(insert(&mut browser, &sessions, 1).await);
            visit(&mut browser, &sessions, |session| async move {
                assert_eq!(count(session.clone()).await, Some(1));
                session.delete().await.unwrap();
                session.insert("user", "eve").await.unwrap();
                session.save().await.unwrap();
            })
            .await;
            let anonymous = (None, Some("eve".to_owned()), String::new());
            assert_eq!(typed(&mut browser).await, anonymous);
        }

        #[tokio::test]
        async fn a_session_that_another_request_ends_does_not_come_back() {
            let (sessions, _, mut browser) = with_a_cart().await;
            assert!(insert(&mut browser, &sessions, 1).await);
            let (mut other, of_other) = (browser.with_sessions(&sessions), sessions.clone());
            let mut before = browser.with_sessions(&sessions);
            let ((), response) = visit(&mut browser, &sessions, |session| async move {
                assert_eq!(count(session.clone()).await, Some(1));
                visit(&mut other, &of_other, |session| async move { session.flush().await })
                    .await
                    .0
                    .unwrap();
                session.insert("user", "ada").await.unwrap();
            })
            .await;
            assert_eq!(response.status(), 409);
            assert_eq!(typed(&mut before).await, (None, None, String::new()));
        }

        #[tokio::test]
        async fn values_are_saved_whatever_the_status() {
            let (sessions, _, mut browser) = with_a_cart().await;
            let service = service_fn(|request: Request<()>| async move {
                session_of(&request).insert("count", 1).await.unwrap();
                let response = Response::builder().status(500).body(String::new());
                Ok::<_, Infallible>(response.unwrap())
            });
            let layer = sessions.tower_sessions_layer();
            let response = browser.send(layer.layer(service), Request::new(())).await.unwrap();
            assert_eq!(response.status(), 500);
            assert_eq!(typed(&mut browser).await.0, Some(1));
        }

        #[tokio::test]
        async fn clear_removes_all_values_and_no_typed_field() {
            for reads_first in [false, true] {
                let (sessions, _, mut browser) = with_a_cart().await;
                assert!(insert(&mut browser, &sessions, 1).await);
                let clear = move |session: Session| async move {
                    if reads_first {
                        count(session.clone()).await;
                    }
                    session.clear().await;
                };
                visit(&mut browser, &sessions, clear).await;
                assert_eq!(typed(&mut browser).await, (None, None, "tea".to_owned()));
            }
        }

        #[tokio::test]
        async fn an_expiry_of_its_own_is_refused() {
            let (sessions, _, mut browser) = with_a_cart().await;
            let ((), response) = visit(&mut browser, &sessions, |session| async move {
                session.insert("count", 1).await.unwrap();
                session.set_expiry(Some(Expiry::OnSessionEnd));
                let error = session.save().await.unwrap_err();
                assert!(error.to_string().contains("SessionConfig::lifetime"), "{error}");
            })
            .await;
            assert_eq!(response.status(), 500);
            assert_eq!(typed(&mut browser).await.0, None);
        }

        #[tokio::test]
        async fn a_field_that_is_no_json_is_left_alone() {
            #[derive(Session)]
            struct Text {
                #[session(rename = "ts.name")]
                name: String,
            }

            let (sessions, _, mut browser) = with_a_cart().await;
            let write = async |session: TypedSession<Text>| session.set_name("Ada").await;
            browser.visit(write).await.unwrap();
            let get = |session: Session| async move { session.get::<String>("name").await };
            assert_eq!(visit(&mut browser, &sessions, get).await.0.unwrap(), None);
            assert!(insert(&mut browser, &sessions, 1).await);
            let read = async |session: TypedSession<Text>| session.name().await;
            assert_eq!(browser.visit(read).await.unwrap(), "Ada");
        }

        #[tokio::test]
        async fn a_degraded_request_reads_nothing_and_changes_nothing() {
            let (sessions, store, mut browser) = with_a_cart().await;
            assert!(insert(&mut browser, &sessions, 1).await);
            let layer = sessions.tower_sessions_layer();
            let tolerant = sessions.layer().allow_degraded();
            for changes in [false, true] {
                let service = service_fn(move |request: Request<()>| async move {
                    let session = session_of(&request);
                    assert_eq!(count(session.clone()).await, None);
                    if changes {
                        session.clear().await;
                    }
                    Ok::<_, Infallible>(Response::new(String::new()))
                });
                store.fail(Failure::Unavailable);
                let service = tolerant.layer(layer.layer(service));
                let response = browser.send(service, Request::new(())).await.unwrap();
                assert_eq!(response.status(), if changes { 503 } else { 200 });
                store.recover();
            }
            assert_eq!(typed(&mut browser).await.0, Some(1));
        }

        #[tokio::test]
        async fn the_expiry_is_that_of_new_sessions() {
            let (sessions, _, mut browser) = with_a_cart().await;
            let day = time::Duration::DAY;
            let read = |session: Session| async move { (session.expiry(), session.expiry_age()) };
            let (expiry, age) = visit(&mut browser, &sessions, read).await.0;
            assert_eq!(expiry, Some(Expiry::OnInactivity(day)));
            assert!(age <= day && age > day - time::Duration::MINUTE);
        }

        /// The copy that tower-sessions has is the copy to compare with.
        #[tokio::test]
        async fn a_load_beside_a_save_takes_no_write_of_another_request_back() {
            for is_dropped in [false, true] {
                let gates = GatedStore::new(MemoryStore::new());
                let config = SessionConfig::new().secret(SECRET);
                let sessions = Sessions::with_store(config, gates.clone()).unwrap();
                let mut browser = Browser::new(&sessions);
                let ada = |session: Session| async move { session.insert("user", "ada").await };
                visit(&mut browser, &sessions, ada).await.0.unwrap();
                let (mut other, of_other) = (browser.with_sessions(&sessions), sessions.clone());
                visit(&mut browser, &sessions, move |session| async move {
                    session.insert("mine", 1).await.unwrap();
                    assert!(insert(&mut other, &of_other, 7).await);
                    let mut held = gates.hold("get_all");
                    let save = async {
                        let arrival = async {
                            held.arrival().await;
                            drop(held);
                        };
                        tokio::join!(session.save(), arrival).0.unwrap();
                    };
                    if is_dropped {
                        tokio::select! {
                            biased;
                            _ = session.load() => panic!("the save comes first"),
                            () = save => {}
                        }
                    } else {
                        tokio::join!(session.load(), save).0.unwrap();
                    }
                })
                .await;
                let both = (Some(7), Some("ada".to_owned()), String::new());
                assert_eq!(typed(&mut browser).await, both, "dropped: {is_dropped}");
            }
        }

        /// As after a second factor.
        #[tokio::test]
        async fn cycle_id_with_other_values_keeps_the_typed_fields() {
            let (sessions, _, mut browser) = with_a_cart().await;
            assert!(insert(&mut browser, &sessions, 1).await);
            visit(&mut browser, &sessions, |session| async move {
                session.cycle_id().await.unwrap();
                session.remove::<u64>("count").await.unwrap();
                session.insert("user", "ada").await.unwrap();
            })
            .await;
            let all = (None, Some("ada".to_owned()), "tea".to_owned());
            assert_eq!(typed(&mut browser).await, all);
        }

        #[tokio::test]
        async fn without_the_store_a_change_is_503_and_nothing_is_lost() {
            let (sessions, store, mut browser) = with_a_cart().await;
            assert!(insert(&mut browser, &sessions, 1).await);
            let failing = store.clone();
            let ((), response) = visit(&mut browser, &sessions, |session| async move {
                session.insert("count", 2).await.unwrap();
                failing.fail(Failure::Unavailable);
                assert!(session.flush().await.is_err());
            })
            .await;
            assert_eq!(response.status(), 503);
            store.recover();
            assert_eq!(typed(&mut browser).await, (Some(1), None, "tea".to_owned()));
        }

        #[tokio::test]
        async fn a_layer_in_a_layer_shares_the_session() {
            let (sessions, _, mut browser) = with_a_cart().await;
            let outer = sessions.tower_sessions_layer();
            let service = service_fn(|request: Request<()>| async move {
                session_of(&request).insert("count", 1).await.unwrap();
                Ok::<_, Infallible>(Response::new(String::new()))
            });
            let inner = sessions.tower_sessions_layer().layer(service);
            let between = service_fn(move |request: Request<()>| {
                let (session, mut inner) = (session_of(&request), inner.clone());
                async move {
                    session.insert("user", "ada").await.unwrap();
                    let response = tower::Service::call(&mut inner, request).await;
                    assert_eq!(count(session).await, Some(1));
                    response
                }
            });
            browser.send(outer.layer(between), Request::new(())).await.unwrap();
            let all = (Some(1), Some("ada".to_owned()), "tea".to_owned());
            assert_eq!(typed(&mut browser).await, all);
        }

        #[tokio::test]
        async fn another_prefix_is_another_record() {
            let (sessions, _, mut browser) = with_a_cart().await;
            let layer = sessions.tower_sessions_layer();
            assert!(layer.clone().prefix("").is_err_and(|error| error.is_config()));
            let layer = layer.prefix("*.").unwrap();
            let insert = |request| async move { session_of(&request).insert("count", 1).await };
            send(&mut browser, &layer, insert).await.0.unwrap();
            assert_eq!(typed(&mut browser).await.0, None);
            let get = |request| async move { count(session_of(&request)).await };
            assert_eq!(send(&mut browser, &layer, get).await.0, Some(1));
        }

        #[tokio::test]
        async fn a_body_that_keeps_the_session_makes_the_response_private() {
            let (sessions, _, mut browser) = with_a_cart().await;
            let (kept, response) =
                visit(&mut browser, &sessions, |session| async { session }).await;
            assert_eq!(response.headers()[VARY], "Cookie");
            assert_eq!(response.headers()[CACHE_CONTROL], "private");
            assert_eq!(count(kept.clone()).await, None);
            kept.insert("count", 1).await.unwrap();
            kept.save().await.unwrap();
            assert_eq!(typed(&mut browser).await.0, Some(1));
            assert!(kept.flush().await.is_err(), "the cookie cannot change any more");
            assert_eq!(typed(&mut browser).await.0, Some(1));
        }
    };
}

mod v0_14 {
    for_version!(tower_sessions);
}

mod v0_15 {
    for_version!(tower_sessions_0_15);
}
