//! The other origins whose pages may change something.

use super::WebOrigin;
use crate::error::{Error, Setting};

/// The other origins whose pages may change something, in the form that browsers send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TrustedOrigins(Box<[Box<str>]>);

impl TrustedOrigins {
    pub(super) fn resolve(given: &[String]) -> Result<Self, Error> {
        let written = |text: &String| Some(WebOrigin::parse(text.trim())?.to_string().into());
        let origins: Option<_> = given.iter().map(written).collect();
        origins.map(Self).ok_or_else(|| {
            Setting::TRUSTED_ORIGINS.invalid(
                "must be a list of origins such as `https://shop.example` or \
                 `https://shop.example:8443`, in ASCII, and without a path or a `*`",
            )
        })
    }

    pub(crate) fn contain(&self, origin: &[u8]) -> bool {
        self.0.iter().any(|trusted| trusted.as_bytes().eq_ignore_ascii_case(origin))
    }
}
