//! The client's request before proxies passed it on.

use std::str;

pub(crate) const HOST: &str = "host";
pub(crate) const X_FORWARDED_HOST: &str = "x-forwarded-host";
pub(crate) const X_FORWARDED_PROTO: &str = "x-forwarded-proto";

/// Returns the host that a browser visited, as the first proxy saw it, or else as the request has
/// it.
///
/// A page of another site cannot change the answer: no script can set `Host`. The headers of
/// proxies need a CORS preflight that the application allows.
pub(crate) fn visited_host<'a>(
    header: &impl Fn(&'static str) -> Option<&'a [u8]>,
) -> Option<&'a str> {
    let by_proxy = first(X_FORWARDED_HOST, header).or_else(|| forwarded("host", header));
    by_proxy.or_else(|| text(HOST, header))
}

/// Returns the scheme of the request to the first proxy, if the proxies name it.
pub(crate) fn visited_scheme<'a>(
    header: &impl Fn(&'static str) -> Option<&'a [u8]>,
) -> Option<&'a str> {
    first(X_FORWARDED_PROTO, header).or_else(|| forwarded("proto", header))
}

/// Returns the value of a header that is text.
pub(crate) fn text<'a>(
    name: &'static str,
    header: &impl Fn(&'static str) -> Option<&'a [u8]>,
) -> Option<&'a str> {
    str::from_utf8(header(name)?).ok()
}

/// Returns a parameter of the first element of `Forwarded` ([RFC 7239 §4]).
///
/// [RFC 7239 §4]: https://www.rfc-editor.org/rfc/rfc7239#section-4
fn forwarded<'a>(key: &str, header: &impl Fn(&'static str) -> Option<&'a [u8]>) -> Option<&'a str> {
    let mut pairs = first("forwarded", header)?.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(known, _)| known.trim().eq_ignore_ascii_case(key))?;
    Some(value.trim().trim_matches('"'))
}

/// Returns the first element of a list, which the proxy next to the client wrote.
fn first<'a>(
    name: &'static str,
    header: &impl Fn(&'static str) -> Option<&'a [u8]>,
) -> Option<&'a str> {
    text(name, header)?.split(',').next().map(str::trim).filter(|element| !element.is_empty())
}
