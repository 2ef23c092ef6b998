//! The origins of web pages.

use std::fmt;
use std::net::Ipv6Addr;

/// An origin with the scheme `http` or `https` ([RFC 6454 §6.2]).
///
/// [RFC 6454 §6.2]: https://www.rfc-editor.org/rfc/rfc6454#section-6.2
#[derive(Debug, Clone, Copy)]
pub(crate) struct WebOrigin<'a> {
    scheme: &'static str,
    default_port: u16,
    host: &'a str,
    port: u16,
}

impl<'a> WebOrigin<'a> {
    /// Parses a scheme, a host and an optional port, without anything behind. Names are ASCII.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let (scheme, default_port) =
            SCHEMES.into_iter().find(|(known, _)| scheme.eq_ignore_ascii_case(known))?;
        let (host, port) = host_and_port(authority)?;
        let port = port.unwrap_or(default_port);
        is_host(host).then_some(Self { scheme, default_port, host, port })
    }

    /// Returns whether a request to this host, as in the header `Host`, stays within the origin.
    /// The header leaves the scheme open, so a missing port is the default port of the origin.
    pub(crate) fn is_of_host(&self, authority: &str) -> bool {
        host_and_port(authority).is_some_and(|(host, port)| {
            host.eq_ignore_ascii_case(self.host) && port.unwrap_or(self.default_port) == self.port
        })
    }
}

/// Writes the origin as browsers do: in lower case, and without a default port.
impl fmt::Display for WebOrigin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        match ipv6(self.host) {
            Some(address) => write!(f, "[{address}]")?,
            None => f.write_str(&self.host.to_ascii_lowercase())?,
        }
        if self.port == self.default_port { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

const SCHEMES: [(&str, u16); 2] = [("https", 443), ("http", 80)];

/// Splits the authority of a URL without a user.
fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let end = match authority.starts_with('[') {
        true => authority.find(']')? + 1,
        false => authority.find(':').unwrap_or(authority.len()),
    };
    match authority.split_at(end) {
        (host, "") => Some((host, None)),
        (host, port) => Some((host, Some(parse_port(port.strip_prefix(':')?)?))),
    }
}

fn parse_port(digits: &str) -> Option<u16> {
    // A number may also begin with a plus sign.
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn is_host(host: &str) -> bool {
    is_host_name(host.strip_suffix('.').unwrap_or(host)) || ipv6(host).is_some()
}

/// Returns whether the text is a name in ASCII, without a dot at either end.
pub(super) fn is_host_name(text: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(allowed);
    text.split('.').all(is_label)
}

fn ipv6(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_do() {
        for (text, expected) in [
            ("https://shop.example", "https://shop.example"),
            ("HTTPS://Shop.Example:443", "https://shop.example"),
            ("http://shop.example:080", "http://shop.example"),
            ("http://shop.example:443", "http://shop.example:443"),
            ("https://shop.example.:8443", "https://shop.example.:8443"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("http://my_shop:3000", "http://my_shop:3000"),
            ("http://192.0.2.1:80", "http://192.0.2.1"),
            ("https://[2001:DB8:0:0::1]:8443", "https://[2001:db8::1]:8443"),
        ] {
            assert_eq!(WebOrigin::parse(text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn everything_else_is_no_origin() {
        for text in [
            "",
            "null",
            "*",
            "shop.example",
            "//shop.example",
            "https:shop.example",
            "https:///shop.example",
            "https://",
            "https://.",
            "https://:8443",
            "https://*",
            "https://*.shop.example",
            "https://shop..example",
            "https://shop.example/",
            "https://shop.example/cart",
            "https://shop.example?a",
            "https://shop.example#a",
            "https://shop.example\\a",
            "https://ada@shop.example",
            "https://ada:secret@shop.example",
            "https://shop.example:",
            "https://shop.example:+443",
            "https://shop.example:65536",
            "https://shop.example:443:443",
            "https://shop.example https://shop.example",
            "https://shop.example,https://shop.example",
            " https://shop.example",
            "https://shop.example\n",
            "https://bücher.example",
            "https://[::1",
            "https://[::1]a",
            "https://[shop.example]",
            "https://::1",
            "file://shop.example",
            "wss://shop.example",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        ] {
            assert!(WebOrigin::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_host_without_a_port_has_the_port_of_the_scheme() {
        for (origin, host, expected) in [
            ("https://shop.example", "shop.example", true),
            ("https://shop.example", "SHOP.example", true),
            ("https://shop.example", "shop.example:443", true),
            ("https://shop.example:443", "shop.example", true),
            ("http://shop.example", "shop.example:80", true),
            ("http://shop.example", "shop.example", true),
            ("https://shop.example:8443", "shop.example:8443", true),
            ("https://shop.example", "shop.example:80", false),
            ("http://shop.example", "shop.example:443", false),
            ("https://shop.example:8443", "shop.example", false),
            ("https://shop.example", "shop.example:8443", false),
            ("https://shop.example", "shop.example.", false),
            ("https://shop.example", "www.shop.example", false),
            ("https://www.shop.example", "shop.example", false),
            ("https://shop.example", "shop.example:", false),
            ("https://shop.example", "ada@shop.example", false),
            ("https://shop.example", "", false),
            ("http://[::1]:3000", "[::1]:3000", true),
            ("http://[::1]", "[::1]", true),
            ("http://[::1]:3000", "[::1]", false),
        ] {
            let is_same = WebOrigin::parse(origin).unwrap().is_of_host(host);
            assert_eq!(is_same, expected, "{origin} {host}");
        }
    }

    proptest::proptest! {
        /// An origin as browsers write it is the same origin again.
        #[test]
        fn any_text_is_an_origin_or_not(text in "(https?://)?[a-zA-Z0-9.:\\[\\]@/-]{0,30}|.*") {
            if let Some(origin) = WebOrigin::parse(&text) {
                let written = origin.to_string();
                assert_eq!(WebOrigin::parse(&written).unwrap().to_string(), written);
            }
        }
    }
}
