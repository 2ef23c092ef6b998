//! The lifetimes of sessions.

use std::time::Duration;

use serde::Deserialize;

use crate::error::Error;
use crate::error::Setting;
use crate::id::LifetimeId;

/// The idle timeout, absolute lifetime and cookie of one class of sessions.
///
/// Every session has a lifetime. The number of the lifetime, the **class**, is part of the
/// session's id. Sessions are created with `normal`. At login, you can choose another lifetime,
/// such as `remembered` for a "remember me" checkbox.
///
/// | | class | idle timeout | absolute lifetime | cookie |
/// | --- | --- | --- | --- | --- |
/// | [`Lifetime::normal()`] | 0 | 24 hours | 30 days | until the browser is closed |
/// | [`Lifetime::remembered()`] | 1 | 30 days | 180 days | persistent |
/// | [`Lifetime::custom(class)`](Self::custom) | `class` | 24 hours | 30 days | until the browser is closed |
///
/// A session ends when it is not used for the idle timeout. A session also ends after its absolute
/// lifetime, even if it is in use. (See "Session Expiration" in the OWASP Session Management Cheat
/// Sheet.) An idle timeout that exceeds the absolute lifetime is cut to the absolute lifetime.
///
/// With `serde`, a lifetime is a map. The key `class` takes a number, `"normal"` or `"remembered"`.
/// `idle` and `max` take whole seconds, and `persistent` takes `true` or `false`. Missing keys have
/// the defaults of the table.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use session_runtime::{Lifetime, SessionConfig};
///
/// const HOUR: Duration = Duration::from_secs(3600);
/// let config = SessionConfig::new()
///     .lifetime(Lifetime::normal().idle(HOUR).max(12 * HOUR))
///     .lifetime(Lifetime::custom(2).idle(HOUR / 4).max(HOUR));
/// ```
#[doc(alias = "ttl")]
#[doc(alias = "max_age")]
#[doc(alias = "expiry")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "Keys")]
pub struct Lifetime {
    pub(crate) class: LifetimeId,
    pub(crate) idle: Duration,
    pub(crate) max: Duration,
    pub(crate) persistent: bool,
}

impl Lifetime {
    /// Returns the lifetime of new sessions: class 0, idle timeout 24 hours, absolute lifetime 30
    /// days. The browser forgets the cookie when it is closed.
    pub const fn normal() -> Self {
        Self::custom(NORMAL)
    }

    /// Returns the lifetime for "remember me": class 1, idle timeout 30 days, absolute lifetime 180
    /// days, a persistent cookie.
    #[doc(alias = "remember_me")]
    pub const fn remembered() -> Self {
        Self::custom(REMEMBERED)
    }

    /// Returns a further lifetime with the defaults of [`normal`](Self::normal), for a class number
    /// of your choice. Class 0 is `normal`, and class 1 is `remembered`.
    ///
    /// Ids contain the number. Do not give the number to another lifetime while sessions of this
    /// class exist.
    pub const fn custom(class: u8) -> Self {
        let number = class;
        let class = LifetimeId::new(number);
        match number {
            REMEMBERED => Self { class, idle: days(30), max: days(180), persistent: true },
            _ => Self { class, idle: days(1), max: days(30), persistent: false },
        }
    }

    /// Returns the class, the number by which sessions refer to this lifetime. Class 0 is `normal`,
    /// and class 1 is `remembered`.
    pub const fn class(self) -> u8 {
        self.class.as_u8()
    }

    /// Sets the idle timeout: 1 second to 3,650 days. Each request that uses the session restarts
    /// the timeout.
    #[doc(alias = "timeout")]
    #[doc(alias = "idle_timeout")]
    #[doc(alias = "ttl")]
    pub const fn idle(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }

    /// Sets the absolute lifetime: 1 minute to 3,650 days after the creation or the last renewal of
    /// the session. Nothing extends the absolute lifetime.
    ///
    /// An id contains the creation time in whole seconds, so a session may lose up to a second. A
    /// machine whose clock is ahead of the creating machine ends the session earlier by the
    /// difference.
    #[doc(alias = "absolute_timeout")]
    pub const fn max(self, max: Duration) -> Self {
        Self { max, ..self }
    }

    /// Cuts an idle timeout that exceeds the absolute lifetime.
    pub(crate) fn capped(self) -> Self {
        self.idle(self.idle.min(self.max))
    }

    /// Sets whether the cookie survives the end of the browser.
    ///
    /// A persistent cookie has a `Max-Age` equal to the absolute lifetime, limited to 400 days
    /// ([RFC 6265bis §5.5]). If Tornado's format is written, `Max-Age` also ends when the cookie
    /// becomes too old to be read. In any case, the expiry in the store decides when a session
    /// ends.
    ///
    /// [RFC 6265bis §5.5]: https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-5.5
    #[doc(alias = "max_age")]
    #[doc(alias = "permanent")]
    pub const fn persistent(self, persistent: bool) -> Self {
        Self { persistent, ..self }
    }
}

/// The keys of a lifetime in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    class: Class,
    /// Seconds.
    idle: Option<u64>,
    /// Seconds.
    max: Option<u64>,
    persistent: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`class` must be a number from 0 to 255, `normal` or `remembered`")]
enum Class {
    Number(u8),
    Name(Name),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Name {
    Normal,
    Remembered,
}

impl From<Keys> for Lifetime {
    fn from(keys: Keys) -> Self {
        let default = Self::custom(match keys.class {
            Class::Number(class) => class,
            Class::Name(Name::Normal) => NORMAL,
            Class::Name(Name::Remembered) => REMEMBERED,
        });
        Self {
            class: default.class,
            idle: keys.idle.map_or(default.idle, Duration::from_secs),
            max: keys.max.map_or(default.max, Duration::from_secs),
            persistent: keys.persistent.unwrap_or(default.persistent),
        }
    }
}

/// The lifetimes of an application, with a single lifetime for each class. `normal` and
/// `remembered` are always present.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Vec<Lifetime>")]
pub(crate) struct Lifetimes(Vec<Lifetime>);

impl Lifetimes {
    /// Returns the lifetime of a class, if the application has configured the class. Ids with
    /// another class come from another program or an earlier version.
    pub(crate) fn get(&self, class: LifetimeId) -> Option<&Lifetime> {
        self.0.iter().find(|lifetime| lifetime.class == class)
    }

    /// Returns the lifetime of new sessions.
    pub(super) fn normal(&self) -> Lifetime {
        self.get(LifetimeId::new(NORMAL)).copied().unwrap_or(Lifetime::normal())
    }

    /// Returns a lifetime for a class that is not configured. No configured lifetime is shorter.
    pub(crate) fn strictest(&self, class: LifetimeId) -> Lifetime {
        let shortest =
            |of: fn(&Lifetime) -> Duration| self.0.iter().map(of).min().unwrap_or_default();
        let (idle, max) = (shortest(|lifetime| lifetime.idle), shortest(|lifetime| lifetime.max));
        Lifetime { class, idle, max, persistent: false }
    }

    /// Adds a lifetime, and replaces the former lifetime of the same class.
    pub(super) fn set(&mut self, lifetime: Lifetime) {
        match self.0.iter_mut().find(|other| other.class == lifetime.class) {
            Some(other) => *other = lifetime,
            None => self.0.push(lifetime),
        }
    }

    /// Postpones each absolute deadline as far as possible.
    #[cfg(feature = "cli")]
    pub(super) fn prolong(&mut self) {
        self.0.iter_mut().for_each(|lifetime| lifetime.max = LONGEST);
    }

    pub(super) fn resolve(self) -> Result<Self, Error> {
        self.0.into_iter().map(resolve).collect::<Result<_, _>>().map(Self)
    }
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self(vec![Lifetime::normal(), Lifetime::remembered()])
    }
}

impl From<Vec<Lifetime>> for Lifetimes {
    fn from(given: Vec<Lifetime>) -> Self {
        let mut lifetimes = Self::default();
        given.into_iter().for_each(|lifetime| lifetimes.set(lifetime));
        lifetimes
    }
}

fn resolve(lifetime: Lifetime) -> Result<Lifetime, Error> {
    let Lifetime { class, idle, max, .. } = lifetime;
    let (idle_setting, max_setting) = match class.as_u8() {
        NORMAL => (Setting::IDLE, Setting::MAX),
        _ => (Setting::IDLE.without_variable(), Setting::MAX.without_variable()),
    };
    // A session has to outlast the request that creates it, and an id holds the creation time in
    // whole seconds. Ten years keep every sum with a creation time far from the limit of its type.
    idle_setting.check_range(idle, Duration::from_secs(1)..=LONGEST, "1 second to 3,650 days")?;
    max_setting.check_range(max, Duration::from_secs(60)..=LONGEST, "1 minute to 3,650 days")?;
    Ok(lifetime.capped())
}

const NORMAL: u8 = 0;
const REMEMBERED: u8 = 1;
const LONGEST: Duration = days(3_650);

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 60 * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn lifetimes(json: &str) -> serde_json::Result<Lifetimes> {
        serde_json::from_str(json)
    }

    #[test]
    fn defaults_are_pinned() {
        let lifetimes = Lifetimes::default();
        let normal = Lifetime {
            class: LifetimeId::new(0),
            idle: secs(86_400),
            max: secs(2_592_000),
            persistent: false,
        };
        let remembered = Lifetime {
            class: LifetimeId::new(1),
            idle: secs(2_592_000),
            max: secs(15_552_000),
            persistent: true,
        };
        assert_eq!(lifetimes.get(LifetimeId::new(0)), Some(&normal));
        assert_eq!(lifetimes.get(LifetimeId::new(1)), Some(&remembered));
        assert_eq!(lifetimes.get(LifetimeId::new(2)), None);
        assert_eq!(Lifetime::custom(9), Lifetime { class: LifetimeId::new(9), ..normal });
    }

    #[test]
    fn a_lifetime_replaces_the_earlier_lifetime_of_its_class() {
        let mut lifetimes = Lifetimes::default();
        lifetimes.set(Lifetime::normal().idle(secs(5)));
        lifetimes.set(Lifetime::custom(1).persistent(false));
        lifetimes.set(Lifetime::custom(255).max(secs(70)));
        let resolved = lifetimes.resolve().unwrap();
        assert_eq!(resolved.0.len(), 3);
        assert_eq!(resolved.get(LifetimeId::new(0)).unwrap().idle, secs(5));
        assert!(!resolved.get(LifetimeId::new(1)).unwrap().persistent);
        assert_eq!(resolved.get(LifetimeId::new(255)).unwrap().max, secs(70));
    }

    #[test]
    fn an_idle_timeout_is_no_longer_than_the_absolute_lifetime() {
        assert_eq!(resolve(Lifetime::normal().max(secs(60))).unwrap().idle, secs(60));
        assert_eq!(resolve(Lifetime::normal().idle(days(60))).unwrap().idle, days(30));
    }

    #[test]
    fn impossible_durations_are_refused() {
        let [normal, custom] = [Lifetime::normal(), Lifetime::custom(2)];
        for bad in [
            Duration::ZERO,
            Duration::from_nanos(1),
            Duration::from_millis(999),
            days(3_651),
            Duration::MAX,
        ] {
            let error = resolve(normal.idle(bad)).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the setting `idle` (SESSION_EXPIRE) must be 1 second to 3,650 days"
            );
            assert_eq!(
                resolve(custom.idle(bad)).unwrap_err().to_string(),
                "the setting `idle` must be 1 second to 3,650 days"
            );
        }
        for bad in
            [Duration::ZERO, secs(1), Duration::from_millis(59_999), days(3_651), Duration::MAX]
        {
            let error = resolve(normal.max(bad)).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the setting `max` (SESSION_MAX_LIFETIME) must be 1 minute to 3,650 days"
            );
        }
        assert!(resolve(custom.idle(LONGEST).max(LONGEST)).is_ok());
        assert!(resolve(custom.idle(secs(1)).max(secs(60))).is_ok());
    }

    #[test]
    fn lifetimes_are_read_from_files() {
        let read = lifetimes(
            r#"[{"class": "normal", "idle": 60}, {"class": 1, "persistent": false},
                {"class": 7, "idle": 1, "max": 2, "persistent": true}]"#,
        )
        .unwrap();
        assert_eq!(read.get(LifetimeId::new(0)), Some(&Lifetime::normal().idle(secs(60))));
        assert_eq!(read.get(LifetimeId::new(1)), Some(&Lifetime::remembered().persistent(false)));
        assert_eq!(
            read.get(LifetimeId::new(7)),
            Some(&Lifetime::custom(7).idle(secs(1)).max(secs(2)).persistent(true))
        );
        assert_eq!(lifetimes("[]").unwrap(), Lifetimes::default());
    }

    #[test]
    fn files_with_mistakes_are_refused() {
        for (json, says) in [
            (r#"[{"idle": 60}]"#, "missing field `class`"),
            (
                r#"[{"class": 256}]"#,
                "`class` must be a number from 0 to 255, `normal` or `remembered`",
            ),
            (
                r#"[{"class": "usual"}]"#,
                "`class` must be a number from 0 to 255, `normal` or `remembered`",
            ),
            (r#"[{"class": 0, "idel": 60}]"#, "unknown field `idel`"),
            (r#"[{"class": 0, "idle": -1}]"#, "invalid value"),
        ] {
            let error = lifetimes(json).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
