//! The formats of the session cookie's value.

use std::time::SystemTime;

use crate::config::{Secret, Settings};
use crate::error::Error;
use crate::id::SessionId;
use crate::keyring::{Keyring, Verified};
#[cfg(feature = "redis-session-compat")]
use crate::redis_session::PythonFormat;

/// The formats of the session cookie's value: one is written, all are read.
#[derive(Debug)]
pub(crate) struct CookieFormats {
    written: Format,
    #[cfg(feature = "redis-session-compat")]
    others: Vec<Format>,
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
        let name = &settings.cookie.name;
        let mut formats =
            settings.cookie_formats.iter().map(|format| match PythonFormat::new(format, name)? {
                Some(python) => Ok(Format::Python(python)),
                None => Format::native(settings),
            });
        let written = formats.next().unwrap_or_else(|| Format::native(settings))?;
        Ok(Self { written, others: formats.collect::<Result<_, _>>()? })
    }

    /// The cookie's value for an id.
    pub(crate) fn write(&self, id: &SessionId) -> String {
        match &self.written {
            Format::Native(keyring) => keyring.sign(id),
            #[cfg(feature = "redis-session-compat")]
            Format::Python(format) => format.sign(id),
        }
    }

    /// The id that a cookie's value names, if it is right in one of the formats.
    pub(crate) fn read(&self, value: &[u8], now: SystemTime) -> Option<Verified> {
        let current = self.written.read(value, now);
        #[cfg(feature = "redis-session-compat")]
        let current = current.or_else(|| {
            let outdated = self.others.iter().find_map(|format| format.read(value, now))?;
            Some(Verified { is_outdated: true, ..outdated })
        });
        current
    }
}

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

    #[cfg_attr(
        not(feature = "redis-session-compat"),
        allow(unused_variables, reason = "an age is the formats' own that hold no birth")
    )]
    fn read(&self, value: &[u8], now: SystemTime) -> Option<Verified> {
        match self {
            Self::Native(keyring) => keyring.verify(value),
            #[cfg(feature = "redis-session-compat")]
            Self::Python(format) => format.verify(value, now).map(|id| Verified { id, is_outdated: false }),
        }
    }
}
