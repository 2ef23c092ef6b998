//! The `Set-Cookie` header of the session cookie.

use std::fmt;
use std::time::Duration;

use cookie::{Cookie, SameSite as CookieSameSite};

use crate::config::{CookieSettings, SameSite};

/// The longest time that browsers keep a cookie ([RFC 6265bis §5.5]).
///
/// [RFC 6265bis §5.5]: https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-5.5
const MAX_AGE_LIMIT: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The cookie with all attributes, without a value.
pub(crate) struct CookieTemplate {
    cookie: Cookie<'static>,
    /// The attributes as text, starting with the separator.
    attributes: Box<str>,
    same_site: SameSite,
}

impl CookieTemplate {
    pub(crate) fn new(settings: CookieSettings) -> Self {
        let mut cookie = Cookie::new(settings.name.into_string(), "");
        cookie.set_path(settings.path.into_string());
        if let Some(domain) = settings.domain {
            cookie.set_domain(domain.into_string());
        }
        cookie.set_secure(settings.secure);
        cookie.set_http_only(settings.http_only);
        cookie.set_same_site(match settings.same_site {
            SameSite::Strict => CookieSameSite::Strict,
            SameSite::Lax => CookieSameSite::Lax,
            SameSite::None => CookieSameSite::None,
        });
        cookie.set_partitioned(settings.partitioned);
        let attributes = cookie.to_string()[cookie.name().len() + 1..].into();
        Self { cookie, attributes, same_site: settings.same_site }
    }

    pub(crate) fn name(&self) -> &str {
        self.cookie.name()
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.cookie.secure() == Some(true)
    }

    pub(crate) fn same_site(&self) -> SameSite {
        self.same_site
    }

    /// Returns the value of a `Set-Cookie` header. Without `max_age`, the browser forgets the
    /// cookie on closing.
    pub(crate) fn set(&self, value: &str, max_age: Option<Duration>) -> String {
        let (name, attributes) = (self.name(), &self.attributes);
        let Some(max_age) = max_age else { return [name, "=", value, attributes].concat() };
        let seconds = max_age.min(MAX_AGE_LIMIT).as_secs();
        let mut digits = itoa::Buffer::new();
        [name, "=", value, attributes, "; Max-Age=", digits.format(seconds)].concat()
    }

    /// Returns the value of a `Set-Cookie` header that removes the cookie. The attributes must be
    /// those of the existing cookie, or the browser sees a different cookie.
    pub(crate) fn removal(&self) -> String {
        removal(self.cookie.clone())
    }

    /// Returns the removal of the cookie of this exact host, which was set before a domain was
    /// configured. Returns `None` without a domain.
    pub(crate) fn host_only_removal(&self) -> Option<String> {
        self.cookie.domain()?;
        let mut cookie = self.cookie.clone();
        cookie.unset_domain();
        Some(removal(cookie))
    }
}

fn removal(mut cookie: Cookie<'static>) -> String {
    cookie.make_removal();
    cookie.to_string()
}

impl fmt::Debug for CookieTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CookieTemplate").field(&self.cookie.to_string()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SessionConfig;

    fn template() -> CookieSettings {
        let config = SessionConfig::new().store("memory:").cookie_name("sid");
        config.resolve().expect("a configuration").cookie
    }

    #[test]
    fn attributes_are_those_of_the_settings() {
        let all = CookieTemplate::new(CookieSettings {
            same_site: SameSite::Strict,
            path: "/app".into(),
            domain: Some("example.com".into()),
            partitioned: true,
            ..template()
        });
        let minute = Some(Duration::from_secs(60));
        assert_eq!(
            all.set("value", minute),
            "sid=value; HttpOnly; SameSite=Strict; Partitioned; Secure; Path=/app; \
             Domain=example.com; Max-Age=60"
        );
        let few =
            CookieTemplate::new(CookieSettings { secure: false, http_only: false, ..template() });
        assert_eq!(few.set("value", None), "sid=value; SameSite=Lax; Path=/");
        let elsewhere =
            CookieTemplate::new(CookieSettings { same_site: SameSite::None, ..template() });
        assert!(elsewhere.set("", None).contains("; SameSite=None; Secure"));
    }

    #[test]
    fn ages_above_the_browsers_limit_are_capped() {
        let set = |max_age| CookieTemplate::new(template()).set("", Some(max_age));
        assert!(set(MAX_AGE_LIMIT).ends_with("Max-Age=34560000"));
        assert!(set(Duration::MAX).ends_with("Max-Age=34560000"));
    }

    #[test]
    fn a_removal_has_the_same_attributes_and_age_zero() {
        let domain = Some("example.com".into());
        let removal = CookieTemplate::new(CookieSettings { domain, ..template() }).removal();
        assert!(removal.starts_with(
            "sid=; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; Max-Age=0; Expires="
        ));
    }

    #[test]
    fn removal_for_a_domain_also_removes_the_host_only_cookie() {
        let domain = Some("example.com".into());
        let removal =
            CookieTemplate::new(CookieSettings { domain, ..template() }).host_only_removal();
        let removal = removal.expect("a domain is configured");
        assert!(
            removal
                .starts_with("sid=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0; Expires=")
        );
        assert_eq!(CookieTemplate::new(template()).host_only_removal(), None);
    }

    #[test]
    fn debug_shows_name_and_attributes() {
        let template = CookieTemplate::new(template());
        assert_eq!(template.name(), "sid");
        assert_eq!(
            format!("{template:?}"),
            "CookieTemplate(\"sid=; HttpOnly; SameSite=Lax; Secure; Path=/\")"
        );
    }
}
