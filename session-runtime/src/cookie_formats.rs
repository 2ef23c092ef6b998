//! The formats of the session cookie's value.

use std::time::{Duration, SystemTime};

use crate::config::{Secret, Settings};
use crate::error::Error;
use crate::id::SessionId;
use crate::keyring::{Keyring, Verified};

#[cfg(feature = "redis-session-compat")]
use crate::config::CookieFormat;
#[cfg(feature = "redis-session-compat")]
use crate::redis_session::{FlaskSigner, PythonFormat, PythonId, TornadoSigner};

/// The formats of the session cookie's value: one is written, all are read.
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

/// A cookie's value.
pub(crate) struct Written {
    pub(crate) value: String,
    /// How long it is read, if not for ever.
    pub(crate) lasts: Option<Duration>,
}

impl CookieFormats {
    #[cfg(not(feature = "redis-session-compat"))]
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        Ok(Self { written: Format::native(settings)? })
    }

    #[cfg(feature = "redis-session-compat")]
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let mut formats = settings.cookie_formats.iter().filter_map(|format| Format::new(format, settings));
        let written = formats.next().unwrap_or_else(|| Format::native(settings))?;
        let others = formats.collect::<Result<_, _>>()?;
        let is_forgeable = |format: &CookieFormat| matches!(format, CookieFormat::UnsignedForgeableIds);
        let reads_forgeable_ids = settings.cookie_formats.iter().any(is_forgeable);
        Ok(Self { written, others, reads_forgeable_ids })
    }

    /// The cookie's value for an id. `None`: no value would be read, for the session's age.
    pub(crate) fn write(&self, id: &SessionId, now: SystemTime) -> Option<Written> {
        self.written.write(id, now)
    }

    /// The id that a cookie's value names, if it is rightly signed in one of the formats.
    pub(crate) fn read(&self, value: &[u8], now: SystemTime) -> Option<Verified> {
        let current = self.written.read(value, now);
        #[cfg(feature = "redis-session-compat")]
        let current = current.or_else(|| {
            let outdated = self.others.iter().find_map(|format| format.read(value, now))?;
            Some(Verified { is_outdated: true, ..outdated })
        });
        current
    }

    /// The id that a cookie's value is, without a signature, if such are read: for a request that has nothing signed.
    #[cfg(feature = "redis-session-compat")]
    pub(crate) fn read_forgeable(&self, value: &[u8], now: SystemTime) -> Option<Verified> {
        if !self.reads_forgeable_ids {
            return None;
        }
        PythonId::new(value, now).map(|id| Verified { id: SessionId::of_python(id), is_outdated: true })
    }
}

#[cfg_attr(
    not(feature = "redis-session-compat"),
    allow(
        unused_variables,
        clippy::unnecessary_wraps,
        reason = "an age is the formats' own that hold no birth"
    )
)]
impl Format {
    fn native(settings: &Settings) -> Result<Self, Error> {
        let Some((signing, older)) = settings.secrets.split_first() else {
            return Err(Error::config(
                "the setting `secret` (SESSION_SECRET) is required for a store of one's own",
            ));
        };
        let older = older.iter().map(Secret::expose);
        Ok(Self::Native(Keyring::new(&settings.cookie.name, signing.expose(), older)))
    }

    /// `None`: the format has no signature.
    #[cfg(feature = "redis-session-compat")]
    fn new(format: &CookieFormat, settings: &Settings) -> Option<Result<Self, Error>> {
        let name = &settings.cookie.name;
        let python = match format {
            CookieFormat::Native => return Some(Self::native(settings)),
            CookieFormat::Tornado(cookie) => TornadoSigner::new(name, cookie).map(PythonFormat::Tornado),
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
