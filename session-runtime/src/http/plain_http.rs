//! Detection of requests over plain HTTP, for which browsers do not keep `Secure` cookies.

use std::net::IpAddr;

use super::forwarded::{HOST, text, visited_host, visited_scheme};

/// Returns whether the headers show that a request came over plain HTTP, and not to this machine.
/// From this machine, browsers keep `Secure` cookies even over plain HTTP.
///
/// A header of a proxy takes precedence over the page that caused the request.
pub(crate) fn came_by_plain_http<'a>(header: impl Fn(&'static str) -> Option<&'a [u8]>) -> bool {
    // Most requests end here or at the scheme, so few headers are looked up.
    let Some(asked) = text(HOST, &header) else { return false };
    let visited = || visited_host(&header).unwrap_or(asked);
    let of_page = |name| text(name, &header).and_then(|url| scheme(url, visited()));
    let scheme =
        visited_scheme(&header).or_else(|| of_page("origin")).or_else(|| of_page("referer"));
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("http")) && !is_loopback(visited())
}

/// Returns the scheme of a URL on this host.
fn scheme<'a>(url: &'a str, host: &str) -> Option<&'a str> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    authority.eq_ignore_ascii_case(host).then_some(scheme)
}

/// Returns whether the host is this machine, as in [Secure Contexts
/// §3.1](https://www.w3.org/TR/secure-contexts/#is-origin-trustworthy).
fn is_loopback(host: &str) -> bool {
    let without_port = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = without_port.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let is_local = name == "localhost" || name.ends_with(".localhost");
    is_local || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_plain(headers: &[(&str, &str)]) -> bool {
        came_by_plain_http(|name| {
            headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_bytes())
        })
    }

    #[test]
    fn the_nearest_word_counts() {
        let host = ("host", "shop.example:8080");
        for (headers, expected) in [
            (&[][..], false),
            (&[("x-forwarded-proto", "http")], true),
            (&[("x-forwarded-proto", "HTTP, https")], true),
            (&[("x-forwarded-proto", "https"), ("origin", "http://shop.example:8080")], false),
            (&[("forwarded", "for=1.2.3.4;proto=http, proto=https")], true),
            (&[("forwarded", "For=\"[::1]\"; Proto=\"https\"")], false),
            (&[("origin", "http://Shop.Example:8080")], true),
            (&[("origin", "https://shop.example:8080")], false),
            (&[("origin", "null"), ("referer", "http://shop.example:8080/cart?a=1")], true),
            (&[("referer", "http://other.example/")], false),
            (&[("referer", "http://shop.example:8080")], true),
            (&[("referer", "shop.example:8080")], false),
        ] {
            assert_eq!(is_plain(&[&[host], headers].concat()), expected, "{headers:?}");
        }
        assert!(!is_plain(&[("x-forwarded-proto", "http")]), "no host");
    }

    #[test]
    fn plain_http_on_this_machine_counts_as_https() {
        let by = |host| is_plain(&[("host", host), ("x-forwarded-proto", "http")]);
        for host in [
            "localhost",
            "LOCALHOST:3000",
            "a.localhost",
            "127.0.0.1:80",
            "127.1.2.3",
            "[::1]:80",
            "[::1]",
        ] {
            assert!(!by(host), "{host}");
        }
        for host in
            ["localhost.example", "192.168.0.7:3000", "shop", "[fe80::1]:80", "[2001:db8::1]"]
        {
            assert!(by(host), "{host}");
        }
        let proxied = [("host", "127.0.0.1:3000"), ("x-forwarded-proto", "http")];
        assert!(is_plain(&[&proxied[..], &[("x-forwarded-host", "shop.example")]].concat()));
        assert!(is_plain(&[proxied[0], ("forwarded", "proto=http;host=shop.example")]));
    }
}
