//! The configuration by environment variables.

use std::collections::HashMap;
use std::ffi::OsString;

use pollster::block_on;
use session_runtime::testing::{ManualClock, overridden_by_variables, sessions};
use session_runtime::{Error, Session, SessionConfig, Sessions};

use super::marker::{MARKER, assert_is_discreet};

/// Parses the input as variables `NAME=VALUE`, separated by newlines. The names lack the prefix
/// `SESSION_`. An input may place the marker in secrets and URLs.
///
/// With a valid configuration, the cookie has exactly the known attributes. For an invalid
/// configuration, the error quotes no secret value.
pub fn environment(input: &[u8]) {
    match start(input) {
        Ok(sessions) => check_cookie(&set_cookie(&sessions)),
        Err(error) => {
            assert!(error.is_config(), "{error}");
            assert_is_discreet(&error);
        }
    }
}

fn start(input: &[u8]) -> Result<Sessions, Error> {
    let variables = variables(input);
    let config =
        overridden_by_variables(SessionConfig::new(), |name| variables.get(name).cloned())?;
    let is_secret = |name: &str| {
        variables.get(name).is_some_and(|value| value.to_string_lossy().contains(MARKER))
    };
    if ["SESSION_SECRET", "SESSION_REDIS", "SECRET_KEY"].into_iter().any(is_secret) {
        let others =
            variables.iter().filter(|(_, value)| value.to_string_lossy().contains(MARKER)).count();
        assert!(
            others > 1 || !format!("{config:?}").contains(MARKER),
            "the configuration shows a secret"
        );
    }
    sessions(config, &ManualClock::default())
}

fn variables(input: &[u8]) -> HashMap<String, OsString> {
    let variable = |line: &[u8]| {
        let (name, value) = str::from_utf8(line).ok()?.split_once('=')?;
        let name = if name == "SECRET_KEY" { name.to_owned() } else { format!("SESSION_{name}") };
        Some((name, value.into()))
    };
    input.split(|byte| *byte == b'\n').filter_map(variable).collect()
}

#[derive(Session)]
struct Visitor {
    count: u64,
}

/// Returns the cookie from the first response of a session.
fn set_cookie(sessions: &Sessions) -> String {
    let handle = sessions.open([]);
    block_on(handle.session::<Visitor>().set_count(1)).unwrap();
    handle.finish().set_cookie().expect("a session was created").to_owned()
}

fn check_cookie(header: &str) {
    assert!(header.chars().all(|c| matches!(c, ' '..='~')), "{header:?} is no header");
    let mut parts = header.split("; ");
    let (name, value) = parts.next().unwrap().split_once('=').expect("a name and a value");
    assert!(
        !name.is_empty() && !value.is_empty() && !value.contains([';', ',', ' ']),
        "{header:?}"
    );
    let mut seen = Vec::new();
    for part in parts {
        let attribute = part.split('=').next().unwrap();
        assert!(
            ATTRIBUTES.contains(&attribute) && !seen.contains(&attribute),
            "{header:?}: {part:?}"
        );
        seen.push(attribute);
    }
}

const ATTRIBUTES: [&str; 7] =
    ["HttpOnly", "SameSite", "Partitioned", "Secure", "Path", "Domain", "Max-Age"];
