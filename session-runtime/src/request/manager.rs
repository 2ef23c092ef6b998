//! The rules for every request of an application, and the store of the sessions.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;

use super::clock_log::ClockLog;
use super::plain_http_search::PlainHttpSearch;
use super::sign_of_life::SignOfLife;
use super::size_limits::SizeLimits;
use super::unknown_lifetimes::UnknownLifetimes;
use crate::clock::{Clock, ClockMoment, abs_diff};
#[cfg(feature = "encryption")]
use crate::config::Secret;
use crate::config::{
    Lifetime, Lifetimes, NearCache, SameSite, Settings, TokenHeader, TrustedOrigins,
};
use crate::encryption::EncryptionKeys;
use crate::error::{Error, Kind, Setting};
use crate::http::cookie_value::Verified;
use crate::http::form_token::FormTokenKeys;
use crate::http::formats::CookieFormats;
use crate::http::response::{Issued, SessionHeaders};
use crate::http::set_cookie::CookieTemplate;
use crate::http::tokens::Tokens;
use crate::http::vary::VaryNames;
use crate::id::{IndexKey, LifetimeId, SessionId};
use crate::lifecycle::{Candidate, Outcome, RotationReason, SessionMetadata};
#[cfg(feature = "redis")]
use crate::request::contention::Turns;
use crate::store::{AnyStore, NearRules, Pace, Refresh, StoreError};
use crate::telemetry::{EventQueue, LifecycleEvent};

/// The share of the idle timeout below which a heartbeat refreshes the expiry, if the application
/// has not configured a share.
const TOUCH_BELOW: f64 = 0.9;
/// The same share for reads with a near cache. A refresh at every read would void what the near
/// caches of all processes keep of the session.
const NEAR_CACHE_BELOW: f64 = 0.9;

/// The store of an application's sessions, and the rules for these sessions.
pub(crate) struct Manager {
    store: AnyStore,
    rules: Arc<Rules>,
}

/// The configuration, shared by all threads.
struct Rules {
    clock: Clock,
    clock_log: ClockLog,
    sign_of_life: SignOfLife,
    prefix: Box<str>,
    lifetimes: Lifetimes,
    unknown_lifetimes: UnknownLifetimes,
    formats: CookieFormats,
    /// The keys of form tokens, if there is a secret.
    form_token_keys: Option<FormTokenKeys>,
    cookie: CookieTemplate,
    /// The bearer tokens, if the transport has any.
    tokens: Option<Tokens>,
    vary: VaryNames,
    trusted_origins: TrustedOrigins,
    plain_http_search: PlainHttpSearch,
    refresh_below: Option<f64>,
    /// The rules of the near cache, if the store has one.
    near: Option<NearRules>,
    timeout: Duration,
    end_grace: Duration,
    end_check_interval: Duration,
    size_limits: SizeLimits,
    encryption_keys: Option<EncryptionKeys>,
    /// Turns for updates from this process on Redis.
    #[cfg(feature = "redis")]
    turns: Turns,
}

impl Manager {
    /// # Errors
    ///
    /// `is_config` if the settings have no secret to sign cookies with.
    pub(crate) fn new(settings: Settings, store: AnyStore) -> Result<Self, Error> {
        let near = settings.near_cache.filter(|cache| store.use_near_cache(cache.max_bytes));
        if let Some(NearCache { max_bytes, max_staleness, .. }) = near {
            tracing::info!(max_bytes, ?max_staleness, "a near cache keeps fields with `cached`");
        }
        let encryption_keys = encryption_keys(&settings)?;
        let tokens = Tokens::new(&settings)?;
        let rules = Rules {
            clock: Clock::system(),
            clock_log: ClockLog::default(),
            sign_of_life: SignOfLife::default(),
            formats: CookieFormats::new(&settings)?,
            form_token_keys: FormTokenKeys::new(&settings),
            prefix: settings.prefix,
            lifetimes: settings.lifetimes,
            unknown_lifetimes: UnknownLifetimes::default(),
            cookie: CookieTemplate::new(settings.cookie),
            vary: vary(tokens.as_ref()),
            tokens,
            trusted_origins: settings.trusted_origins,
            plain_http_search: PlainHttpSearch::default(),
            refresh_below: settings.refresh_below.or(near.map(|_| NEAR_CACHE_BELOW)),
            near: near.map(|NearCache { max_staleness, max_age, .. }| NearRules {
                max_staleness,
                max_age,
            }),
            timeout: settings.timeout,
            end_grace: settings.end_grace,
            end_check_interval: settings.end_check_interval,
            size_limits: SizeLimits {
                value: settings.max_value_size,
                batch: settings.max_batch_size,
            },
            encryption_keys,
            #[cfg(feature = "redis")]
            turns: Turns::default(),
        };
        Ok(Self { store, rules: Arc::new(rules) })
    }

    /// Returns the same manager with a store for this runtime alone, if the store supports that.
    pub(crate) fn for_current_runtime(&self) -> Option<Self> {
        let store = self.store.for_current_runtime()?;
        Some(Self { store, rules: Arc::clone(&self.rules) })
    }

    /// Returns whether the other manager is the same, possibly for another runtime.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rules, &other.rules)
    }

    pub(crate) fn store(&self) -> &AnyStore {
        &self.store
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.rules.clock.now()
    }

    pub(crate) fn moment(&self) -> ClockMoment {
        self.rules.clock.moment()
    }

    /// Starts to wait for a test to move the clock. The system's clock is never moved.
    pub(crate) fn clock_moved(&self) -> BoxFuture<'static, ()> {
        self.rules.clock.moved()
    }

    /// The clock, to be replaced. `None` once the clock is shared.
    #[cfg(feature = "testing")]
    pub(crate) fn clock_mut(&mut self) -> Option<&mut Clock> {
        Arc::get_mut(&mut self.rules).map(|rules| &mut rules.clock)
    }

    pub(crate) fn clock_log(&self) -> &ClockLog {
        &self.rules.clock_log
    }

    /// Returns the difference between this machine's clock and the store's clock. For a cluster,
    /// the node with the largest difference counts.
    pub(crate) async fn distance_to_store(&self) -> Result<Duration, StoreError> {
        let theirs = self.store.time().await?;
        self.rules.sign_of_life.record(self.moment());
        Ok(abs_diff(self.now(), theirs))
    }

    /// Returns the time since the store last told its time.
    pub(crate) fn last_sign_of_life(&self) -> Option<Duration> {
        self.rules.sign_of_life.age()
    }

    /// The deadline of a store operation.
    pub(crate) fn timeout(&self) -> Duration {
        self.rules.timeout
    }

    /// The time after a session's end in which an arriving request still counts as concurrent.
    pub(crate) fn end_grace(&self) -> Duration {
        self.rules.end_grace
    }

    /// The times between looks at a session whose end is awaited.
    pub(crate) fn pace(&self) -> Pace {
        let timeout = self.store.timeout().unwrap_or(self.rules.timeout);
        Pace { interval: self.rules.end_check_interval, timeout }
    }

    /// Returns the rules of the near cache, if there is one.
    #[inline]
    pub(crate) fn near_rules(&self) -> Option<&NearRules> {
        self.rules.near.as_ref()
    }

    pub(crate) fn size_limits(&self) -> SizeLimits {
        self.rules.size_limits
    }

    /// Returns the keys of encrypted fields.
    ///
    /// # Errors
    ///
    /// `is_config` if there is no key for this field.
    pub(crate) fn encryption_keys(&self, field: &'static str) -> Result<&EncryptionKeys, Error> {
        let keys = self.rules.encryption_keys.as_ref();
        keys.ok_or_else(|| Error::new(Kind::NoEncryptionKey { field }))
    }

    /// Returns the keys of form tokens.
    ///
    /// # Errors
    ///
    /// `is_config` without a secret, which only cookie formats from Python do without.
    pub(crate) fn form_token_keys(&self) -> Result<&FormTokenKeys, Error> {
        let keys = self.rules.form_token_keys.as_ref();
        keys.ok_or_else(|| Error::setting(Setting::SECRET, "is required for form tokens"))
    }

    #[cfg(feature = "redis")]
    pub(crate) fn turns(&self) -> &Turns {
        &self.rules.turns
    }

    /// Returns whether updates are waiting for each other, on any field.
    pub(crate) fn has_turns(&self) -> bool {
        #[cfg(feature = "redis")]
        return self.rules.turns.are_in_use();
        #[cfg(not(feature = "redis"))]
        false
    }

    /// Returns the request header with the bearer token, if the transport has any.
    #[inline]
    pub(crate) fn token_header(&self) -> Option<&TokenHeader> {
        self.rules.tokens.as_ref().map(Tokens::request_header)
    }

    /// Returns whether all sessions travel as tokens, and cookies are ignored.
    #[inline]
    pub(crate) fn tokens_replace_cookies(&self) -> bool {
        self.rules.tokens.as_ref().is_some_and(Tokens::replace_cookies)
    }

    /// Warns of a layer that begins sessions with tokens, if the transport has none.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn warn_without_tokens(&self) {
        if let Err(error) = self.tokens() {
            tracing::warn!(%error, "a layer with `bearer` cannot begin sessions");
        }
    }

    /// # Errors
    ///
    /// `is_config` if the transport has no tokens.
    pub(crate) fn tokens(&self) -> Result<&Tokens, Error> {
        self.rules.tokens.as_ref().ok_or_else(|| Error::new(Kind::NoTokens))
    }

    pub(crate) fn cookie_name(&self) -> &str {
        self.rules.cookie.name()
    }

    pub(crate) fn same_site(&self) -> SameSite {
        self.rules.cookie.same_site()
    }

    /// Returns the other origins whose pages may change something.
    pub(crate) fn trusted_origins(&self) -> &TrustedOrigins {
        &self.rules.trusted_origins
    }

    /// Returns whether to check this request for plain http, because its client may get a cookie
    /// that browsers do not keep.
    pub(crate) fn searches_plain_http(&self) -> bool {
        self.rules.plain_http_search.is_due() && self.rules.cookie.is_secure()
    }

    /// Returns the session that a cookie's value names, if the value is signed.
    pub(crate) fn candidate(
        &self,
        cookie_value: &[u8],
        events: &mut EventQueue,
    ) -> Option<Candidate> {
        let now = self.now();
        let verified = self
            .rules
            .formats
            .read(cookie_value, now)
            .or_else(|| outdated(self.interchangeable_tokens()?.read(cookie_value)?));
        #[cfg(feature = "redis-session-compat")]
        let is_read =
            verified.is_some() || self.rules.formats.read_forgeable(cookie_value, now).is_some();
        #[cfg(not(feature = "redis-session-compat"))]
        let is_read = verified.is_some();
        if !is_read {
            events.push(LifecycleEvent::Forged, None);
        }
        Some(self.candidate_from(verified?))
    }

    /// Returns the session that a bearer token names, if the token is signed.
    pub(crate) fn token_candidate(
        &self,
        token: &[u8],
        events: &mut EventQueue,
    ) -> Option<Candidate> {
        let signed = self.rules.tokens.as_ref().and_then(|tokens| tokens.read(token));
        let verified = signed.or_else(|| {
            self.interchangeable_tokens()?;
            outdated(self.rules.formats.read(token, self.now())?)
        });
        if verified.is_none() {
            events.push(LifecycleEvent::Forged, None);
        }
        Some(self.candidate_from(verified?))
    }

    fn interchangeable_tokens(&self) -> Option<&Tokens> {
        self.rules.tokens.as_ref().filter(|tokens| tokens.are_interchangeable())
    }

    /// Returns the session that an unsigned cookie's value names, if unsigned cookies are accepted.
    #[cfg(feature = "redis-session-compat")]
    pub(crate) fn forgeable_candidate(&self, cookie_value: &[u8]) -> Option<Candidate> {
        Some(self.candidate_from(self.rules.formats.read_forgeable(cookie_value, self.now())?))
    }

    fn candidate_from(&self, verified: Verified) -> Candidate {
        Candidate { session: self.metadata(verified.id), cookie_due: verified.is_outdated }
    }

    /// Returns the prefix of all keys.
    pub(crate) fn prefix(&self) -> &str {
        &self.rules.prefix
    }

    /// Returns the key of the list of sessions with this value in an index.
    pub(crate) fn index_key(&self, index: &str, value: &[u8]) -> IndexKey {
        IndexKey::new(&self.rules.prefix, index, value)
    }

    /// Returns the idle timeout of new sessions.
    #[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
    pub(crate) fn normal_idle(&self) -> Option<Duration> {
        self.rules.lifetimes.get(LifetimeId::default()).map(|lifetime| lifetime.idle)
    }

    /// Returns the metadata of the session with this id.
    pub(crate) fn metadata(&self, id: SessionId) -> SessionMetadata {
        let rules = &self.rules;
        let metadata = SessionMetadata::new(id, &rules.prefix, &rules.lifetimes);
        let class = metadata.lifetime.class;
        if rules.lifetimes.get(class).is_none() {
            rules.unknown_lifetimes.warn_once(class);
        }
        metadata
    }

    /// Returns the metadata of a new session with a new id.
    pub(crate) fn generate(
        &self,
        lifetime: LifetimeId,
        now: SystemTime,
    ) -> Result<SessionMetadata, Error> {
        Ok(self.metadata(SessionId::generate(now, lifetime)?))
    }

    /// Returns the metadata of a session after a change of id.
    pub(crate) fn generate_successor(
        &self,
        predecessor: &SessionMetadata,
        reason: RotationReason,
        now: SystemTime,
    ) -> Result<SessionMetadata, Error> {
        let (created_at, lifetime) = match reason {
            RotationReason::Rotate => (predecessor.created_at, predecessor.lifetime.class),
            RotationReason::Renew(lifetime) => (now, lifetime),
        };
        Ok(self.metadata(predecessor.generate_successor(created_at, lifetime)?))
    }

    /// Returns whether a lifetime of this class is configured.
    pub(crate) fn is_configured(&self, class: LifetimeId) -> bool {
        self.rules.lifetimes.get(class).is_some()
    }

    /// Returns the share of the idle timeout below which a read refreshes the expiry. `None` if
    /// every first read does.
    pub(crate) fn refresh_share(&self) -> Option<f64> {
        self.rules.refresh_below
    }

    pub(crate) fn check_lifetime(&self, lifetime: Lifetime) -> Result<(), Error> {
        let class = lifetime.class;
        match self.rules.lifetimes.get(class) {
            None => Err(Error::config(format!(
                "no lifetime is configured for the class {class}: add a lifetime with \
                 `SessionConfig::lifetime`"
            ))),
            Some(configured)
                if lifetime.capped() != *configured
                    && lifetime != Lifetime::custom(class.as_u8()) =>
            {
                Err(Error::config(format!(
                    "this lifetime differs from the configured lifetime of the class {class}: \
                     change the configured lifetime with `SessionConfig::lifetime`, or renew with \
                     the configured lifetime"
                )))
            }
            Some(_) => Ok(()),
        }
    }

    /// Returns how the first read of a request refreshes the expiry, where a full refresh sets
    /// `expires_in`.
    pub(crate) fn refresh(&self, expires_in: Duration) -> Refresh {
        match self.rules.refresh_below {
            None => Refresh::To(expires_in),
            Some(share) => refresh_below(share, expires_in),
        }
    }

    /// Returns how a heartbeat refreshes the expiry, where a full refresh sets `expires_in`.
    pub(crate) fn refresh_by_touch(&self, expires_in: Duration) -> Refresh {
        refresh_below(self.rules.refresh_below.unwrap_or(TOUCH_BELOW), expires_in)
    }

    pub(crate) fn headers(&self, outcome: &Outcome) -> SessionHeaders {
        let issued = if outcome.as_token {
            self.issued_token(outcome)
        } else {
            self.issued_cookies(outcome)
        };
        SessionHeaders::new(outcome, issued, &self.rules.vary)
    }

    fn issued_cookies(&self, outcome: &Outcome) -> Issued {
        let Some(session) = &outcome.set else {
            let cookie = &self.rules.cookie;
            return match outcome.remove {
                true => Issued::Cookies(cookie.removal(), cookie.host_only_removal()),
                false => Issued::Nothing,
            };
        };
        self.rules.plain_http_search.look_again();
        if outcome.is_plain_http {
            self.rules.plain_http_search.warn_once();
        }
        self.set_cookie(session).map_or(Issued::Nothing, |cookie| Issued::Cookies(cookie, None))
    }

    fn issued_token(&self, outcome: &Outcome) -> Issued {
        let Some(tokens) = &self.rules.tokens else { return Issued::Nothing };
        let header = Arc::clone(tokens.response_header());
        match &outcome.set {
            Some(session) => Issued::Token(header, tokens.write(&session.id)),
            None if outcome.remove => Issued::Token(header, String::new()),
            None => Issued::Nothing,
        }
    }

    /// `None` means that the client keeps its cookie, because no other cookie would be accepted.
    fn set_cookie(&self, session: &SessionMetadata) -> Option<String> {
        let now = self.now();
        let written = self.rules.formats.write(&session.id, now)?;
        let remaining = session.deadline_in(now).unwrap_or_default();
        let max_age = remaining.min(written.lasts.unwrap_or(Duration::MAX));
        Some(self.rules.cookie.set(&written.value, session.lifetime.persistent.then_some(max_age)))
    }
}

/// Derives the keys of encrypted fields from their setting, or else from the secrets. Without both,
/// there are none.
#[cfg(feature = "encryption")]
fn encryption_keys(settings: &Settings) -> Result<Option<EncryptionKeys>, Error> {
    let Settings { secrets, encryption_keys, .. } = settings;
    let secrets = if encryption_keys.is_empty() { secrets } else { encryption_keys };
    let mut secrets = secrets.iter().map(Secret::expose);
    secrets.next().map(|newest| EncryptionKeys::new(newest, secrets)).transpose()
}

#[cfg(not(feature = "encryption"))]
fn encryption_keys(_: &Settings) -> Result<Option<EncryptionKeys>, Error> {
    Ok(None)
}

/// Returns the names of the request headers that decide on the session.
fn vary(tokens: Option<&Tokens>) -> VaryNames {
    VaryNames {
        cookies: !tokens.is_some_and(Tokens::replace_cookies),
        tokens: tokens.map(|tokens| tokens.request_header().name().into()),
    }
}

/// Returns a value that is to be replaced.
fn outdated(verified: Verified) -> Option<Verified> {
    Some(Verified { is_outdated: true, ..verified })
}

fn refresh_below(share: f64, expires_in: Duration) -> Refresh {
    Refresh::Below { below: expires_in.mul_f64(share), expires_in }
}

/// Uses the name that applications know.
impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("store", &self.store)
            .field("prefix", &self.rules.prefix)
            .field("cookie", &self.rules.cookie)
            .finish_non_exhaustive()
    }
}
