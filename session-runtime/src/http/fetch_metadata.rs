//! The cause of a request, from the headers of the browser ([Fetch Metadata]).
//!
//! [Fetch Metadata]: https://www.w3.org/TR/fetch-metadata/

use crate::config::SameSite;

pub(crate) const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Returns whether another site caused the request in such a way that browsers leave out a cookie
/// with this policy.
///
/// If the cookie did not come, the browser may still have a session cookie ([RFC 6265bis §5.6.7]).
///
/// [RFC 6265bis §5.6.7]: https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-5.6.7
pub(crate) fn leaves_cookie_out<'a>(
    policy: SameSite,
    method: &str,
    header: impl Fn(&'static str) -> Option<&'a [u8]>,
) -> bool {
    let says = |name, value: &str| {
        header(name).is_some_and(|said| said.eq_ignore_ascii_case(value.as_bytes()))
    };
    let is_safe = || ["GET", "HEAD", "OPTIONS", "TRACE"].contains(&method);
    let is_whole_page = || says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document");
    says(SEC_FETCH_SITE, "cross-site")
        && match policy {
            SameSite::Strict => true,
            SameSite::Lax => !(is_safe() && is_whole_page()),
            SameSite::None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: [(&str, &str); 2] =
        [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

    fn is_left_out(policy: SameSite, method: &str, headers: &[(&str, &str)]) -> bool {
        leaves_cookie_out(policy, method, |name| {
            headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_bytes())
        })
    }

    #[test]
    fn a_strict_cookie_never_comes_from_another_site_a_lax_one_with_links_and_another_always() {
        let link = [&[(SEC_FETCH_SITE, "cross-site")], &PAGE[..]].concat();
        let policies = [SameSite::Strict, SameSite::Lax, SameSite::None];
        assert_eq!(policies.map(|policy| is_left_out(policy, "GET", &link)), [true, false, false]);
        assert_eq!(policies.map(|policy| is_left_out(policy, "POST", &link)), [true, true, false]);
        assert_eq!(
            policies.map(|policy| is_left_out(policy, "GET", &link[..1])),
            [true, true, false]
        );
        let frame = [link[0], link[1], ("sec-fetch-dest", "iframe")];
        assert_eq!(policies.map(|policy| is_left_out(policy, "GET", &frame)), [true, true, false]);
    }

    #[test]
    fn a_cookie_always_comes_with_requests_from_the_same_site_or_the_user() {
        for site in ["same-origin", "same-site", "none", ""] {
            assert!(!is_left_out(SameSite::Strict, "POST", &[(SEC_FETCH_SITE, site)]), "{site}");
        }
        assert!(!is_left_out(SameSite::Strict, "POST", &[]));
        assert!(is_left_out(SameSite::Strict, "POST", &[(SEC_FETCH_SITE, "Cross-Site")]));
    }
}
