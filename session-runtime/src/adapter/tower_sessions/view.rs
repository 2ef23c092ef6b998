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
        use $core::session::{Expiry, Id, Record, Session};
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
            /// The expiry that the session has by itself.
            expiry: Option<Expiry>,
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
                let idle = session.handle.manager().normal_idle();
                let idle = idle.and_then(|idle| time::Duration::try_from(idle).ok());
                let expiry = idle.map(Expiry::OnInactivity);
                let (bridge, session) = (Bridge::new(session), Mutex::new(None));
                let store = Arc::new(RequestStore { bridge, expiry, session });
                let session = Session::new(Some(Id::default()), Arc::clone(&store), expiry);
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
                let is_own = |session: &Session| session.expiry() != self.expiry;
                if self.session().as_ref().is_some_and(is_own) {
                    return Err(Error::new(Kind::OwnExpiry));
                }
                Ok(())
            }

            async fn store(&self, record: &Record, save: Save) -> session_store::Result<()> {
                let saved = match self.check_expiry() {
                    Ok(()) => self.bridge.save(record.id.0, &record.data, save).await,
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

            async fn load(&self, _: &Id) -> session_store::Result<Option<Record>> {
                let id = Id::default();
                let data = self.bridge.load(id.0).await.map_err(|error| self.report(error))?;
                // The expiry is that of the session. The record's own is never asked for.
                let expiry_date = OffsetDateTime::now_utc();
                Ok(Some(Record { id, data, expiry_date }))
            }

            async fn delete(&self, id: &Id) -> session_store::Result<()> {
                let Some(session) = self.session().clone() else {
                    return Err(self.report(Error::new(Kind::HeadersSent)));
                };
                // `cycle_id` takes the id away before it deletes the record, and `flush` after.
                if session.id().is_none() {
                    self.bridge.cycle_id(id.0).await;
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

            fn replace(
                &self,
                id: i128,
                fields: JsonFields,
                expires_at: SystemTime,
            ) -> BoxFuture<'_, Result<(), Failed>> {
                let record = Record { id: Id(id), data: fields, expiry_date: expires_at.into() };
                Box::pin(async move { self.save(&record).await.map_err(|_| Failed) })
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
