//! Reads of a request's session.

use std::ops::ControlFlow;
use std::time::Duration;

use bytes::Bytes;

use super::encrypted::Answer;
use super::freshness::Freshness;
use super::handle::SessionHandle;
use super::report::{Progress, carry_out, record_nothing};
use crate::error::{Error, Kind};
use crate::lifecycle::{
    EndReason, EndReasonStep, KnownFields, MAX_CLOCK_SKEW, PlannedRead, SessionMetadata,
};
use crate::operation::BoxFuture;
use crate::store::{Lookup, NearRules, NearValues, PERMANENT_FIELD, Refresh, StoreError};
use crate::telemetry::record_origin;

impl SessionHandle {
    pub(crate) async fn get(
        &self,
        field: &'static str,
        freshness: Freshness,
    ) -> Result<Option<Bytes>, Error> {
        if let Some((mut values, _)) = self.kept_if(freshness, &[field]) {
            return Ok(values.pop().flatten());
        }
        let value = carry_out!(self, read = self.plan_read(), {
            let reply = match self.rules_to_keep(freshness) {
                Some(rules) => self
                    .read_to_keep(&read, &[field], rules)
                    .await
                    .map(|found| found.map(|mut values| values.pop().flatten())),
                None => self.store().get(&read.session.key, field, self.refresh(&read)).await,
            };
            self.report_read(&read, reply, |value, known| known.record(field, value.is_some()))?
        });
        Ok(value.flatten().flatten())
    }

    pub(crate) async fn get_many(
        &self,
        fields: &[&'static str],
        freshness: Freshness,
    ) -> Result<Answer<Vec<Option<Bytes>>>, Error> {
        if let Some((values, session)) = self.kept_if(freshness, fields) {
            return Ok(Answer { value: values.into_vec(), session: Some(session) });
        }
        let answer = carry_out!(self, read = self.plan_read(), {
            let (key, refresh) = (&read.session.key, self.refresh(&read));
            let reply = match self.rules_to_keep(freshness) {
                Some(rules) => self
                    .read_to_keep(&read, fields, rules)
                    .await
                    .map(|found| found.map(NearValues::into_vec)),
                None => self.store().get_many(key, fields, refresh).await,
            };
            let record =
                |values: &Vec<_>, known: &mut KnownFields| record_all(known, fields, values);
            self.report_read(&read, reply, record)?
                .map_break(|found| found.map(|value| Answer { value, session: Some(read.session) }))
        });
        let missing = || Answer { value: vec![None; fields.len()], session: None };
        Ok(answer.flatten().unwrap_or_else(missing))
    }

    /// Reads all fields whose names begin with a prefix.
    #[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
    pub(crate) async fn get_all(&self, prefix: &str) -> Result<Vec<(String, Bytes)>, Error> {
        let fields = carry_out!(self, read = self.plan_read(), {
            let (key, refresh) = (&read.session.key, self.refresh(&read));
            let reply = self.store().get_all(key, prefix, refresh).await;
            self.report_read(&read, reply, record_nothing)?
        });
        Ok(fields.flatten().unwrap_or_default())
    }

    pub(crate) async fn contains(
        &self,
        field: &'static str,
        freshness: Freshness,
    ) -> Result<bool, Error> {
        if let Some((values, _)) = self.kept_if(freshness, &[field]) {
            return Ok(values.iter().any(Option::is_some));
        }
        let is_there = carry_out!(self, read = self.plan_read(), {
            let (key, refresh) = (&read.session.key, self.refresh(&read));
            let reply = match self.rules_to_keep(freshness) {
                Some(rules) => self
                    .read_to_keep(&read, &[field], rules)
                    .await
                    .map(|found| found.map(|values| values.iter().any(Option::is_some))),
                None => self.store().contains(key, field, refresh).await,
            };
            self.report_read(&read, reply, record_nothing)?
        });
        Ok(is_there.flatten().unwrap_or(false))
    }

    /// Returns whether the store has a near cache.
    #[inline]
    pub(crate) fn has_near_cache(&self) -> bool {
        self.manager().near_rules().is_some()
    }

    /// Returns fields from the near cache with their session, if the cache may answer this read.
    pub(crate) fn kept(&self, fields: &[&'static str]) -> Option<(NearValues, SessionMetadata)> {
        let rules = self.manager().near_rules()?;
        let read = self.accessed().plan_near_read(self.manager().now())?;
        let values = self.store().kept(&read.session.key, fields, self.refresh(&read), rules)?;
        let record = |_: &(), known: &mut KnownFields| record_all(known, fields, &values);
        let reported = self.report_read(&read, Ok(Lookup::Found(())), record);
        matches!(reported, Ok(ControlFlow::Break(Some(())))).then_some((values, read.session))
    }

    #[inline]
    fn kept_if(
        &self,
        freshness: Freshness,
        fields: &[&'static str],
    ) -> Option<(NearValues, SessionMetadata)> {
        if freshness != Freshness::MayBeCached || !self.has_near_cache() {
            return None;
        }
        let kept = self.kept(fields)?;
        record_origin(true);
        Some(kept)
    }

    pub(crate) async fn exists(&self) -> Result<bool, Error> {
        let found = carry_out!(self, read = self.plan_read(), {
            let reply = self.look(&read).await;
            self.report_read(&read, reply, record_nothing)?
        });
        Ok(found.flatten().is_some())
    }

    /// Asks the store whether it has the session.
    pub(super) async fn look(&self, read: &PlannedRead) -> Result<Lookup<()>, StoreError> {
        let key = &read.session.key;
        match self.refresh(read) {
            // Without a refresh, a missing key would look like a session without the field.
            Refresh::No => Ok(self.store().expires_in(key).await?.map(|_| ())),
            refresh => Ok(self.store().contains(key, PERMANENT_FIELD, refresh).await?.map(|_| ())),
        }
    }

    /// Returns whether the session is live, and prolongs the session if that is due.
    pub(crate) async fn touch(&self) -> Result<bool, Error> {
        let found = carry_out!(self, (read, refresh) = self.plan_touch()?, {
            let reply = self.store().contains(&read.session.key, PERMANENT_FIELD, refresh).await?;
            self.report(&read.session, read.resolves_pending, false, reply, record_nothing)
        });
        Ok(found.flatten().is_some())
    }

    /// Returns the time until the session expires. A key from another program may have no expiry,
    /// and then the absolute deadline counts.
    pub(crate) async fn expires_in(&self) -> Result<Option<Duration>, Error> {
        let left = carry_out!(self, read = self.plan_inspection(), {
            let reply = self.store().expires_in(&read.session.key).await;
            let most = read.session.deadline_in(self.manager().now()).unwrap_or_default();
            let reply = reply.map(|found| found.map(|left| left.min(most)));
            self.report_read(&read, reply, record_nothing)?
        });
        match left {
            Some(left) => Ok(left),
            None => self.check_undisputed().await.map(|()| None),
        }
    }

    pub(crate) async fn field_expires_in(&self, field: &str) -> Result<Option<Duration>, Error> {
        let left = carry_out!(self, read = self.plan_inspection(), {
            let reply = self.store().field_expires_in(&read.session.key, field).await;
            self.report_read(&read, reply, record_nothing)?
        });
        Ok(left.flatten().flatten())
    }

    /// Returns why the session of the request's cookie is over. A look at the session does not
    /// count as use.
    pub(crate) async fn end_reason(&self) -> Result<Option<EndReason>, Error> {
        loop {
            match self.plan_end_reason() {
                EndReasonStep::Known(reason) => return Ok(reason),
                EndReasonStep::ReadTombstone(session) => {
                    self.read_tombstone(Some(session)).await?;
                }
                EndReasonStep::Look(read) => {
                    let reply = self.store().expires_in(&read.session.key).await;
                    let progress = self.report_read(&read, reply, record_nothing)?;
                    self.read_tombstone(progress.continue_value().flatten()).await?;
                }
            }
        }
    }

    /// # Errors
    ///
    /// `is_config` if the store still has a session that has ended by this process's rules, by more
    /// than the tolerated delays and clock differences. A client gets no error, because the session
    /// does not exist for clients.
    pub(super) async fn check_undisputed(&self) -> Result<(), Error> {
        let (now, unusable) = (self.manager().now(), self.lifecycle().unusable().to_vec());
        for session in unusable {
            if self.has_client() || session.is_plausible(now) {
                continue;
            }
            match self.store().expires_in(&session.key).await? {
                Lookup::Found(left) if left > MAX_CLOCK_SKEW => {
                    return Err(Error::new(Kind::Disputed));
                }
                _ => {}
            }
        }
        Ok(())
    }

    #[inline]
    fn plan_read(&self) -> Option<PlannedRead> {
        self.accessed().plan_read(self.manager().now())
    }

    fn plan_end_reason(&self) -> EndReasonStep {
        self.accessed().plan_end_reason(self.manager().now())
    }

    /// Plans a read that does not refresh the session's expiry.
    fn plan_inspection(&self) -> Option<PlannedRead> {
        self.plan_read().map(|read| PlannedRead { refresh: None, ..read })
    }

    /// Plans a touch, with the refresh at every touch. This does not count as the refresh of the
    /// request's first read, which may be due earlier.
    ///
    /// # Errors
    ///
    /// `is_unavailable` in a degraded request, where `false` would not mean the end of the session.
    fn plan_touch(&self) -> Result<Option<(PlannedRead, Refresh)>, Error> {
        let now = self.manager().now();
        let mut lifecycle = self.accessed();
        lifecycle.check_not_degraded()?;
        Ok(lifecycle.plan_read(now).and_then(|read| {
            let refresh = self.manager().refresh_by_touch(read.session.expires_in(now)?);
            Some((read, refresh))
        }))
    }

    /// Returns the rules of the near cache, if the cache may keep the reply to this read.
    #[inline]
    fn rules_to_keep(&self, freshness: Freshness) -> Option<&NearRules> {
        if freshness == Freshness::Current { None } else { self.manager().near_rules() }
    }

    /// Boxed, so that other reads stay small.
    fn read_to_keep<'a>(
        &'a self,
        read: &'a PlannedRead,
        fields: &'a [&'static str],
        rules: &'a NearRules,
    ) -> BoxFuture<'a, Result<Lookup<NearValues>, StoreError>> {
        record_origin(false);
        let refresh = self.refresh(read);
        Box::pin(self.store().get_to_keep(&read.session.key, fields, refresh, rules))
    }

    fn refresh(&self, read: &PlannedRead) -> Refresh {
        read.refresh.map_or(Refresh::No, |expires_in| self.manager().refresh(expires_in))
    }

    fn report_read<T>(
        &self,
        read: &PlannedRead,
        reply: Result<Lookup<T>, StoreError>,
        record: impl FnOnce(&T, &mut KnownFields),
    ) -> Result<Progress<T>, Error> {
        let Some(reply) = self.or_degraded(reply)? else { return Ok(ControlFlow::Break(None)) };
        if self.is_degraded() {
            // Another read of the request returned a default in the meantime, so this read must not
            // reveal the session.
            return Ok(ControlFlow::Break(None));
        }
        Ok(self.report(&read.session, read.resolves_pending, read.refresh.is_some(), reply, record))
    }
}

/// Records the fields that the values show.
fn record_all(known: &mut KnownFields, fields: &[&'static str], values: &[Option<Bytes>]) {
    fields.iter().zip(values).for_each(|(field, value)| known.record(field, value.is_some()));
}
