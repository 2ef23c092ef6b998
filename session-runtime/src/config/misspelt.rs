//! Warnings about environment variables that are probably misspelled.

use strsim::osa_distance;

use crate::error::Setting;

/// The maximum number of wrong characters. Other programs use this prefix too: X11 has
/// `SESSION_MANAGER`, and Kubernetes sets variables for a service `session-redis`.
const MOST_EDITS: usize = 2;

/// The names in other libraries, and names with or without a unit.
const TAKEN_FOR_OURS: [(&str, &str); 7] = [
    ("SESSION_COOKIE_NAME", "SESSION_COOKIE_ID"),
    ("SESSION_NEAR_CACHE_BYTES", "SESSION_NEAR_CACHE"),
    ("SESSION_NEAR_CACHE_MAX_BYTES", "SESSION_NEAR_CACHE"),
    ("SESSION_NEAR_CACHE_MAX_STALENESS", "SESSION_NEAR_CACHE_MAX_STALENESS_MS"),
    ("SESSION_REDIS_URL", "SESSION_REDIS"),
    ("SESSION_SECRET_KEY", "SESSION_SECRET"),
    ("SESSION_TIMEOUT", "SESSION_TIMEOUT_MS"),
];

/// Logs a warning for each variable that is probably misspelled, because its setting keeps the
/// default.
pub(super) fn warn_of_misspelt_variables() {
    for variable in std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()) {
        if let Some(meant) = meant_by(&variable) {
            tracing::warn!(
                variable,
                meant,
                "ignored an unknown environment variable, did you mean the name in `meant`?"
            );
        }
    }
}

fn meant_by(name: &str) -> Option<&'static str> {
    if !name.starts_with("SESSION_") {
        return None;
    }
    if let Some((_, ours)) = TAKEN_FOR_OURS.iter().find(|(taken, _)| *taken == name) {
        return Some(ours);
    }
    let ours = Setting::OF_ENVIRONMENT.iter().filter_map(|setting| setting.variable);
    let near = ours.map(|ours| (osa_distance(name, ours), ours));
    let (edits, meant) = near.min_by_key(|(edits, _)| *edits)?;
    (1..=MOST_EDITS).contains(&edits).then_some(meant)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::*;
    use crate::SessionConfig;

    #[test]
    fn a_misspelled_variable_is_matched_with_a_known_name() {
        for (name, meant) in [
            ("SESSION_EXPRE", "SESSION_EXPIRE"),
            ("SESSION_EXPIRES", "SESSION_EXPIRE"),
            ("SESSION_COOKIE_SECUR", "SESSION_COOKIE_SECURE"),
            ("SESSION_TIMEOUT", "SESSION_TIMEOUT_MS"),
            ("SESSION_SERCET", "SESSION_SECRET"),
            ("SESSION_ENCRYPTION_KEY", "SESSION_ENCRYPTION_KEYS"),
            ("SESSION_NEARCACHE", "SESSION_NEAR_CACHE"),
            ("SESSION_NEAR_CACHE_MAX_BYTES", "SESSION_NEAR_CACHE"),
            ("SESSION_NEAR_CACHE_MAX_STALENESS", "SESSION_NEAR_CACHE_MAX_STALENESS_MS"),
            ("SESSION_NEAR_CACHE_MAX_STALLNESS_MS", "SESSION_NEAR_CACHE_MAX_STALENESS_MS"),
            ("SESSION_REDIS_URL", "SESSION_REDIS"),
            ("SESSION_COOKIE_NAME", "SESSION_COOKIE_ID"),
        ] {
            assert_eq!(meant_by(name), Some(meant), "{name}");
        }
    }

    #[test]
    fn unrelated_variables_are_ignored() {
        for name in [
            "SESSION_EXPIRE",
            "SESSION_TIMEOUT_MS",
            "SESSION_MANAGER",
            "SESSION_ID",
            "SESSION_COOKIE_AGE",
            "SESSION_STORE",
            "SESSION_SERVER",
            "SESSION_ENGINE",
            "SESSION_PREFIX",
            "SESSION_REDIS_PORT",
            "EXPIRE",
        ] {
            assert_eq!(meant_by(name), None, "{name}");
        }
    }

    #[test]
    fn every_variable_can_be_suggested() {
        let read = RefCell::new(BTreeSet::new());
        let variable = |name: &str| {
            read.borrow_mut().insert(name.to_owned());
            None
        };
        let _ = SessionConfig::new().overridden_by(|_| None, variable).unwrap();
        let ours =
            Setting::OF_ENVIRONMENT.iter().map(|setting| setting.variable.unwrap().to_owned());
        read.borrow_mut().remove("SECRET_KEY");
        assert_eq!(*read.borrow(), ours.collect());
    }
}
