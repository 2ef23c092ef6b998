//! The check that a page of the same origin caused a request ([Fetch Metadata]), as in
//! `CrossOriginProtection` of Go. The module `csrf` of tower-http 0.7 has the same rule for tower
//! services alone, without the headers of proxies and without WebSockets.
//!
//! [Fetch Metadata]: https://www.w3.org/TR/fetch-metadata/

use std::str;

use super::fetch_metadata::SEC_FETCH_SITE;
use super::forwarded::{text, visited_host};
use crate::config::{TrustedOrigins, WebOrigin};
use crate::error::{Error, Kind};

const ORIGIN: &str = "origin";

/// Refuses a request that may change something, if a page of another origin caused the request,
/// and the origin is not trusted.
///
/// `Sec-Fetch-Site` may be missing: from browsers before 2023, over plain HTTP, and with
/// WebSockets. `Origin` then decides. Without both, no browser of today sent the request.
///
/// No script can set these two headers, and browsers send each once. So the first value decides.
///
/// # Errors
///
/// `is_cross_origin`.
pub(crate) fn check<'a>(
    trusted: &TrustedOrigins,
    method: &str,
    header: &impl Fn(&'static str) -> Option<&'a [u8]>,
) -> Result<(), Error> {
    if !may_change_something(method, header) {
        return Ok(());
    }
    let origin = header(ORIGIN);
    let site = header(SEC_FETCH_SITE).filter(|site| !site.is_empty());
    let (is_same, by) = match (site, origin) {
        (Some(site), _) => (site == b"same-origin" || site == b"none", "Sec-Fetch-Site"),
        (None, Some(origin)) => (is_own(origin, header), "Origin"),
        (None, None) => return Ok(()),
    };
    if is_same || origin.is_some_and(|origin| trusted.contain(origin)) {
        Ok(())
    } else {
        Err(Error::new(Kind::CrossOrigin { header: by }))
    }
}

/// Also `true` for a WebSocket, which begins with a `GET` and then acts with the user's cookie.
fn may_change_something<'a>(
    method: &str,
    header: &impl Fn(&'static str) -> Option<&'a [u8]>,
) -> bool {
    let is_safe = ["GET", "HEAD", "OPTIONS"].contains(&method);
    !is_safe || header("sec-websocket-key").is_some() || upgrades_to_websocket(header)
}

fn upgrades_to_websocket<'a>(header: &impl Fn(&'static str) -> Option<&'a [u8]>) -> bool {
    let mut protocols = text("upgrade", header).into_iter().flat_map(|list| list.split(','));
    protocols.any(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"))
}

/// Returns whether a page of the visited host sent the request.
fn is_own<'a>(origin: &[u8], header: &impl Fn(&'static str) -> Option<&'a [u8]>) -> bool {
    let origin = str::from_utf8(origin).ok().and_then(WebOrigin::parse);
    origin.zip(visited_host(header)).is_some_and(|(origin, host)| origin.is_of_host(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SessionConfig;

    const SAFE: [&str; 3] = ["GET", "HEAD", "OPTIONS"];
    const CHANGING: [&str; 8] =
        ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "PROPFIND", "get"];
    const HOST: (&str, &str) = ("host", "shop.example");
    const OWN: (&str, &str) = ("origin", "https://shop.example");
    const TRUSTED: (&str, &str) = ("origin", "https://login.example");

    /// The header that decided against the request.
    fn refusal(method: &str, headers: &[(&str, &[u8])]) -> Option<&'static str> {
        let config = SessionConfig::new().store("memory:").trusted_origins([TRUSTED.1]);
        let trusted = config.resolve().unwrap().trusted_origins;
        let header = |name| headers.iter().find(|(known, _)| *known == name).map(|it| it.1);
        let error = check(&trusted, method, &header).err()?;
        assert!(error.is_cross_origin() && error.status() == 403);
        let text = error.to_string();
        ["`Sec-Fetch-Site`", "`Origin`"].into_iter().find(|name| text.contains(name))
    }

    fn is_refused(method: &str, headers: &[(&str, &str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
        refusal(method, &headers.collect::<Vec<_>>()).is_some()
    }

    #[test]
    fn a_request_passes_by_its_method_or_by_its_source() {
        // The words of the specification, and others. Only the first two name this origin.
        let sites = [
            "same-origin",
            "none",
            "same-site",
            "cross-site",
            "Same-Origin",
            "same-origin,none",
            "?",
        ];
        // Every origin but the last is foreign.
        let origins = [
            "https://www.shop.example",
            "https://example",
            "https://shop.example:8443",
            "https://shop.example.evil.example",
            "https://evil.example",
            "https://shop.example@evil.example",
            "https://evil.example/shop.example",
            "https://login.example:8443",
            "http://login.example",
            "shop.example",
            "null",
            "",
            "garbage",
            OWN.1,
        ];
        let without_own = &origins[..origins.len() - 1];
        for method in CHANGING {
            for (at, site) in sites.into_iter().enumerate() {
                let site = ("sec-fetch-site", site);
                let expected = at > 1;
                assert_eq!(is_refused(method, &[HOST, site]), expected, "{method} {site:?}");
                for origin in origins {
                    let headers = [HOST, site, ("origin", origin)];
                    assert_eq!(is_refused(method, &headers), expected, "{method} {headers:?}");
                }
                assert!(!is_refused(method, &[HOST, site, TRUSTED]), "{method} {site:?}");
            }
            for none in [&[][..], &[("sec-fetch-site", "")]] {
                let by = |origin| [&[HOST], none, &[("origin", origin)]].concat();
                for origin in without_own {
                    assert!(is_refused(method, &by(*origin)), "{method} {origin}");
                }
                assert!(!is_refused(method, &by(OWN.1)), "{method}");
                assert!(!is_refused(method, &by(TRUSTED.1)), "{method}");
                assert!(!is_refused(method, &[&[HOST], none].concat()), "{method}");
            }
        }
        for method in SAFE {
            let headers = [HOST, ("sec-fetch-site", "cross-site"), ("origin", origins[0])];
            for headers in [&headers[..], &headers[..2], &headers[..1], &[headers[2]], &[]] {
                assert!(!is_refused(method, headers), "{method} {headers:?}");
            }
        }
    }

    #[test]
    fn a_websocket_is_checked_although_it_is_a_get() {
        for upgrade in [
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("upgrade", "websocket"),
            ("upgrade", "h2c, WebSocket"),
        ] {
            for (source, expected) in [
                (&[OWN][..], false),
                (&[TRUSTED], false),
                (&[], false),
                (&[("origin", "https://evil.example")], true),
                (&[("origin", "null")], true),
                (&[OWN, ("sec-fetch-site", "cross-site")], true),
            ] {
                let headers = [&[HOST, upgrade], source].concat();
                assert_eq!(is_refused("GET", &headers), expected, "{headers:?}");
            }
        }
        assert!(!is_refused("GET", &[HOST, ("upgrade", "h2c"), ("origin", "null")]));
    }

    #[test]
    fn the_host_is_the_one_that_the_browser_visited() {
        let origin = ("origin", "https://shop.example:8443");
        for (headers, expected) in [
            (&[("host", "shop.example:8443")][..], false),
            (&[("host", "Shop.Example:8443")], false),
            (&[("host", "shop.example")], true),
            (&[("host", "10.0.0.1:3000")], true),
            (&[("host", "10.0.0.1:3000"), ("x-forwarded-host", "shop.example:8443")], false),
            (&[("host", "10.0.0.1"), ("x-forwarded-host", "shop.example:8443, 10.0.0.2")], false),
            (&[("host", "10.0.0.1"), ("x-forwarded-host", "10.0.0.2, shop.example:8443")], true),
            (&[("host", "10.0.0.1"), ("forwarded", "host=\"shop.example:8443\"")], false),
            (&[("host", "10.0.0.1"), ("forwarded", "for=\"[::1]\";Host=a, host=b")], true),
            (&[("host", "shop.example:8443"), ("x-forwarded-host", "other.example")], true),
            (&[("host", "shop.example:8443"), ("x-forwarded-host", " ")], false),
            (&[], true),
        ] {
            let headers = [headers, &[origin]].concat();
            assert_eq!(is_refused("POST", &headers), expected, "{headers:?}");
        }
    }

    /// `Host` does not tell the scheme. Browsers that send `Sec-Fetch-Site` know better.
    #[test]
    fn the_scheme_is_part_of_the_origin_only_for_the_browser() {
        let http = [HOST, ("origin", "http://shop.example")];
        assert!(!is_refused("POST", &http));
        assert!(is_refused("POST", &[&http[..], &[("sec-fetch-site", "cross-site")]].concat()));
    }

    #[test]
    fn the_error_names_the_header_that_decided() {
        let host: (&str, &[u8]) = ("host", b"shop.example");
        let not_text: &[u8] = b"\xff";
        for (headers, expected) in [
            ([("sec-fetch-site", &b"cross-site"[..]), host], Some("`Sec-Fetch-Site`")),
            ([("sec-fetch-site", not_text), host], Some("`Sec-Fetch-Site`")),
            ([("origin", b"null"), host], Some("`Origin`")),
            ([("origin", not_text), host], Some("`Origin`")),
            ([("origin", b"https://shop.example"), ("host", not_text)], Some("`Origin`")),
            ([("origin", b"https://shop.example"), host], None),
        ] {
            assert_eq!(refusal("POST", &headers), expected, "{headers:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_headers_are_decided(
            site in proptest::option::of("same-origin|none|cross-site|.*"),
            origin in "(https?://)?[a-z.:\\[\\]]{0,9}|.*",
            host in "[a-z.:\\[\\]]{0,9}|.*",
        ) {
            let headers = site.iter().map(|site| ("sec-fetch-site", site.as_str()));
            let headers: Vec<_> = headers.chain([("origin", &*origin), ("host", &*host)]).collect();
            let _ = is_refused("POST", &headers);
        }
    }
}
