//! The formats of the session cookie's value.

use std::time::SystemTime;

use super::cookie_value::{Verified, Written};
use super::signing::Keyring;
use crate::config::Settings;
use crate::error::Error;
use crate::id::SessionId;

#[cfg(feature = "redis-session-compat")]
use super::python::{FlaskSigner, PythonFormat, TornadoSigner};
#[cfg(feature = "redis-session-compat")]
use crate::config::CookieFormat;
#[cfg(feature = "redis-session-compat")]
use crate::id::python::PythonId;

/// The formats of the session cookie's value. A single format is written, and all are read.
#[derive(Debug)]
pub(crate) struct CookieFormats {
    written: Format,
    #[cfg(feature = "redis-session-compat")]
    others: Vec<Format>,
    #[cfg(feature = "redis-session-compat")]
    reads_forgeable_ids: bool,
}

#[derive(Debug)]
enum Format {
    Native(Keyring),
    #[cfg(feature = "redis-session-compat")]
    Python(PythonFormat),
}

impl CookieFormats {
    #[cfg(not(feature = "redis-session-compat"))]
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        Ok(Self { written: Format::native(settings)? })
    }

    #[cfg(feature = "redis-session-compat")]
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let mut formats =
            settings.cookie_formats.iter().filter_map(|format| Format::new(format, settings));
        let written = formats.next().unwrap_or_else(|| Format::native(settings))?;
        let others = formats.collect::<Result<_, _>>()?;
        let is_forgeable =
            |format: &CookieFormat| matches!(format, CookieFormat::UnsignedForgeableIds);
        let reads_forgeable_ids = settings.cookie_formats.iter().any(is_forgeable);
        Ok(Self { written, others, reads_forgeable_ids })
    }

    /// Returns the cookie's value for an id, or `None` if the session is too old for a value that
    /// can be read.
    pub(crate) fn write(&self, id: &SessionId, now: SystemTime) -> Option<Written> {
        self.written.write(id, now)
    }

    /// Returns the id of a cookie's value, if the signature is valid in one of the formats.
    pub(crate) fn read(&self, value: &[u8], now: SystemTime) -> Option<Verified> {
        let current = self.written.read(value, now);
        #[cfg(feature = "redis-session-compat")]
        let current = current.or_else(|| {
            let outdated = self.others.iter().find_map(|format| format.read(value, now))?;
            Some(Verified { is_outdated: true, ..outdated })
        });
        current
    }

    /// Returns the id of a cookie's value without a signature, if such values are allowed. Used
    /// only for a request without a signed cookie.
    #[cfg(feature = "redis-session-compat")]
    pub(crate) fn read_forgeable(&self, value: &[u8], now: SystemTime) -> Option<Verified> {
        if !self.reads_forgeable_ids {
            return None;
        }
        PythonId::new(value, now)
            .map(|id| Verified { id: SessionId::of_python(id), is_outdated: true })
    }
}

#[cfg_attr(
    not(feature = "redis-session-compat"),
    allow(
        unused_variables,
        clippy::unnecessary_wraps,
        reason = "only formats without a creation time have an age"
    )
)]
impl Format {
    fn native(settings: &Settings) -> Result<Self, Error> {
        Keyring::of_cookies(settings).map(Self::Native)
    }

    /// Returns `None` if the format has no signature.
    #[cfg(feature = "redis-session-compat")]
    fn new(format: &CookieFormat, settings: &Settings) -> Option<Result<Self, Error>> {
        let name = &settings.cookie.name;
        let python = match format {
            CookieFormat::Native => return Some(Self::native(settings)),
            CookieFormat::Tornado(cookie) => {
                TornadoSigner::new(name, cookie).map(PythonFormat::Tornado)
            }
            CookieFormat::Flask(cookie) => FlaskSigner::new(name, cookie).map(PythonFormat::Flask),
            CookieFormat::UnsignedForgeableIds => return None,
        };
        Some(python.map(Self::Python))
    }

    fn write(&self, id: &SessionId, now: SystemTime) -> Option<Written> {
        match self {
            Self::Native(keyring) => Some(Written { value: keyring.sign(id), lasts: None }),
            #[cfg(feature = "redis-session-compat")]
            Self::Python(format) => format.sign(id, now),
        }
    }

    fn read(&self, value: &[u8], now: SystemTime) -> Option<Verified> {
        match self {
            Self::Native(keyring) => keyring.verify(value),
            #[cfg(feature = "redis-session-compat")]
            Self::Python(format) => format.verify(value, now),
        }
    }
}

#[cfg(all(test, feature = "redis-session-compat"))]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::SessionConfig;
    use crate::id::LifetimeId;
    use crate::redis_session::{FlaskCookie, TornadoCookie};

    const SECRET: &str = "base64:Lh9fVYHXTq0XOCrdKu4SYmk4GybVl43hEoO2a6UdmlQ=";
    const PYTHON: &[u8] =
        b"6f1d9a4e-0c57-4b3e-9d21-5a8c7e0f3b124c2b8e90-71da-4f6b-8a35-e9d0c1b2a374";

    fn formats(formats: impl IntoIterator<Item = CookieFormat>) -> CookieFormats {
        let config = SessionConfig::new().secret(SECRET).cookie_name("sid").cookie_formats(formats);
        CookieFormats::new(&config.resolve().expect("a config")).expect("formats")
    }

    fn tornado() -> CookieFormat {
        CookieFormat::Tornado(TornadoCookie::new("key"))
    }

    fn flask() -> CookieFormat {
        CookieFormat::Flask(FlaskCookie::new("key"))
    }

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_761_741_315)
    }

    #[test]
    fn the_first_format_is_written_and_all_are_read() {
        let id = SessionId::generate(now(), LifetimeId::default()).unwrap();
        for (first, second) in [
            (CookieFormat::Native, tornado()),
            (tornado(), flask()),
            (flask(), CookieFormat::Native),
        ] {
            let value = formats([first.clone()]).write(&id, now()).unwrap().value;
            let read = |listed: &[&CookieFormat]| {
                formats(listed.iter().copied().cloned()).read(value.as_bytes(), now())
            };
            assert_eq!(read(&[&first]), Some(Verified { id, is_outdated: false }));
            assert_eq!(read(&[&first, &second]), Some(Verified { id, is_outdated: false }));
            assert_eq!(read(&[&second, &first]), Some(Verified { id, is_outdated: true }));
            assert_eq!(read(&[&second]), None);
        }
    }

    #[test]
    fn a_value_lasts_as_long_as_its_format_says() {
        let lasts = |format| {
            formats([format])
                .write(&SessionId::generate(now(), LifetimeId::default()).unwrap(), now())
                .unwrap()
                .lasts
        };
        assert_eq!((lasts(CookieFormat::Native), lasts(flask())), (None, None));
        assert_eq!(lasts(tornado()), Some(Duration::from_secs(31 * 86_400)));
    }

    #[test]
    fn an_unsigned_id_is_read_only_if_configured_and_never_as_signed() {
        let listed = formats([flask(), CookieFormat::UnsignedForgeableIds]);
        let id = SessionId::of_python(PythonId::new(PYTHON, now()).unwrap());
        assert_eq!(listed.read_forgeable(PYTHON, now()), Some(Verified { id, is_outdated: true }));
        assert_eq!(listed.read(PYTHON, now()), None);
        assert_eq!(listed.read_forgeable(b"admin", now()), None);
        assert_eq!(formats([flask()]).read_forgeable(PYTHON, now()), None);
    }
}
