//! The `Session` of each version of tower-sessions. The versions have the same names.

/// Defines the session for the types of this version of tower-sessions.
macro_rules! for_version {
    ($core:ident) => {
        use std::fmt;
        use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
        use std::time::SystemTime;

        use async_trait::async_trait;
        use http::Extensions;
        use time::OffsetDateTime;
        use $core::session::{Id, Record, Session};
        use $core::session_store::{self, SessionStore};

        use $crate::adapter::tower_sessions::bridge::{Bridge, BridgedSession, Save};
        use $crate::adapter::tower_sessions::former::{Failed, FormerStore};
        use $crate::error::{Error, Kind};
        use $crate::operation::BoxFuture;
        use $crate::session::json_fields::JsonFields;

        /// The `Session` of a request.
        pub(in $crate::adapter::tower_sessions) struct View {
            session: Session,
            store: Arc<RequestStore>,
        }

        /// The store of a single session.
        struct RequestStore {
            bridge: Bridge,
            /// Tells `cycle_id` from `delete`. Until the end of the request, because the session
            /// holds this store.
            session: Mutex<Option<Session>>,
        }

        impl View {
            /// Adds the session to the request. The session always has an id, so that its first use
            /// asks for the fields.
            pub(in $crate::adapter::tower_sessions) fn open(
                session: &Arc<BridgedSession>,
                extensions: &mut Extensions,
            ) -> Self {
                let (bridge, session) = (Bridge::new(session), Mutex::new(None));
                let store = Arc::new(RequestStore { bridge, session });
                let session = Session::new(Some(Id::default()), Arc::clone(&store), None);
                *store.session() = Some(session.clone());
                extensions.insert(session.clone());
                Self { session, store }
            }

            /// Saves the session, if something has changed.
            ///
            /// # Errors
            ///
            /// The errors of a write.
            pub(in $crate::adapter::tower_sessions) async fn finish(&self) -> Result<(), Error> {
                let bridge = &self.store.bridge;
                if self.session.is_modified() {
                    if self.session.is_empty().await {
                        bridge.finish_empty().await?;
                    } else {
                        bridge.take_failure();
                        if self.session.save().await.is_err()
                            && let Some(error) = bridge.take_failure()
                        {
                            return Err(error);
                        }
                    }
                }
                self.release();
                Ok(())
            }

            /// Breaks the circle of the session and its store.
            fn release(&self) {
                drop(self.store.session().take());
                // Held by this view, and by its session.
                if Arc::strong_count(&self.store) > 2 {
                    self.store.bridge.keep();
                }
            }
        }

        impl Drop for View {
            fn drop(&mut self) {
                drop(self.store.session().take());
            }
        }

        impl RequestStore {
            fn session(&self) -> MutexGuard<'_, Option<Session>> {
                self.session.lock().unwrap_or_else(PoisonError::into_inner)
            }

            /// # Errors
            ///
            /// `is_unsupported` if the application has set an expiry.
            fn check_expiry(&self) -> Result<(), Error> {
                let expiry = self.session().as_ref().and_then(Session::expiry);
                if expiry.is_some() { Err(Error::new(Kind::OwnExpiry)) } else { Ok(()) }
            }

            async fn store(&self, record: &Record, save: Save) -> session_store::Result<()> {
                let saved = match self.check_expiry() {
                    Ok(()) => self.bridge.save(&record.data, save).await,
                    Err(error) => Err(error),
                };
                saved.map_err(|error| self.report(error))
            }

            fn report(&self, error: Error) -> session_store::Error {
                let message = error.to_string();
                let reported = if error.is_decode() {
                    session_store::Error::Decode(message)
                } else if error.is_encode() {
                    session_store::Error::Encode(message)
                } else {
                    session_store::Error::Backend(message)
                };
                self.bridge.note_failure(error);
                reported
            }
        }

        #[async_trait]
        impl SessionStore for RequestStore {
            async fn create(&self, record: &mut Record) -> session_store::Result<()> {
                self.store(record, Save::New).await
            }

            async fn save(&self, record: &Record) -> session_store::Result<()> {
                self.store(record, Save::Present).await
            }

            async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
                let data = self.bridge.load().await.map_err(|error| self.report(error))?;
                // The expiry is that of the session. The record's own is never asked for.
                let expiry_date = OffsetDateTime::now_utc();
                Ok(Some(Record { id: *id, data, expiry_date }))
            }

            async fn delete(&self, _: &Id) -> session_store::Result<()> {
                let session = self.session().clone();
                // `cycle_id` takes the id away before it deletes the record, and `flush` after.
                if session.is_some_and(|session| session.id().is_none()) {
                    self.bridge.cycle_id().await;
                    return Ok(());
                }
                self.bridge.end().await.map_err(|error| self.report(error))
            }
        }

        impl fmt::Debug for RequestStore {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("RequestStore").finish_non_exhaustive()
            }
        }

        /// Marks the stores of this version of tower-sessions.
        #[derive(Debug)]
        pub enum Version {}

        impl<S: SessionStore> FormerStore<Version> for S {
            fn parse(&self, cookie: &str) -> Option<i128> {
                cookie.parse().ok().map(|Id(id)| id)
            }

            fn load(&self, id: i128) -> BoxFuture<'_, Result<Option<JsonFields>, Failed>> {
                Box::pin(async move {
                    match SessionStore::load(self, &Id(id)).await {
                        Ok(found) => Ok(found.map(|record| record.data)),
                        Err(session_store::Error::Decode(_)) => Ok(None),
                        Err(_) => Err(Failed),
                    }
                })
            }

            fn expire<'a>(
                &'a self,
                id: i128,
                fields: &'a JsonFields,
                at: SystemTime,
            ) -> BoxFuture<'a, Result<(), Failed>> {
                let record = Record { id: Id(id), data: fields.clone(), expiry_date: at.into() };
                Box::pin(async move { self.save(&record).await.map_err(|_| Failed) })
            }

            fn delete(&self, id: i128) -> BoxFuture<'_, Result<(), Failed>> {
                Box::pin(
                    async move { SessionStore::delete(self, &Id(id)).await.map_err(|_| Failed) },
                )
            }
        }
    };
}

#[cfg(feature = "tower-sessions-0_14")]
pub(super) mod v0_14 {
    for_version!(tower_sessions_core_0_14);
}

#[cfg(feature = "tower-sessions-0_15")]
pub(super) mod v0_15 {
    for_version!(tower_sessions_core_0_15);
}
