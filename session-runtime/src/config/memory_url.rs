//! The bounds of the memory store in its URL: `memory:?max_entries=1000&when_full=evict`.

use crate::error::Error;
use crate::error::Setting;
use crate::store::{Bounds, WhenFull};

/// Parses the part of the URL after `memory:`.
pub(super) fn bounds(rest: &str) -> Result<Bounds, Error> {
    let mut bounds = Bounds::default();
    let Some(query) = rest.strip_prefix('?') else { return Ok(bounds) };
    let mut given = Vec::new();
    for (name, value) in query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))) {
        match name {
            "max_entries" => bounds.entries = number(value)?,
            "max_bytes" => bounds.bytes = number(value)?,
            "when_full" => bounds.when_full = when_full(value)?,
            _ => return Err(invalid()),
        }
        if given.contains(&name) {
            return Err(invalid());
        }
        given.push(name);
    }
    Ok(bounds)
}

fn number(value: &str) -> Result<usize, Error> {
    let is_decimal = value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|number| is_decimal && *number > 0).ok_or_else(invalid)
}

fn when_full(value: &str) -> Result<WhenFull, Error> {
    match value {
        "refuse" => Ok(WhenFull::Refuse),
        "evict" => Ok(WhenFull::Evict),
        _ => Err(invalid()),
    }
}

/// Returns the same error for every mistake. The message lists everything that the URL may contain.
fn invalid() -> Error {
    Setting::STORE.invalid(
        "has an invalid parameter after `memory:?`: use `max_entries=` and `max_bytes=` with a \
         whole number above 0, and `when_full=refuse` or `when_full=evict`, joined by `&`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_parameters_have_defaults() {
        let default = Bounds::default();
        assert_eq!(bounds("").unwrap(), default);
        assert_eq!(bounds("?max_entries=7").unwrap(), Bounds { entries: 7, ..default });
        assert_eq!(bounds("?when_full=refuse").unwrap(), default);
        let all = Bounds { entries: 1, bytes: 2, when_full: WhenFull::Evict };
        assert_eq!(bounds("?when_full=evict&max_bytes=2&max_entries=1").unwrap(), all);
    }

    #[test]
    fn invalid_parameters_are_refused_without_quoting_them() {
        for rest in [
            "?",
            "?HUNTER2",
            "?HUNTER2=1",
            "?max_entries",
            "?max_entries=0",
            "?max_entries=-1",
            "?max_entries=+1",
            "?max_bytes=HUNTER2",
            "?max_bytes=99999999999999999999999",
            "?max_bytes=64MiB",
            "?when_full=HUNTER2",
            "?max_entries=1&max_entries=1",
            "?max_entries=1&",
            "?max_entries=1;max_bytes=1",
            "?MAX_ENTRIES=1",
        ] {
            let error = bounds(rest).unwrap_err();
            assert!(error.is_config());
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("SESSION_REDIS") && shown.contains("`max_entries=`"), "{shown}");
            assert!(!shown.contains("HUNTER2"), "{shown}");
        }
    }
}
