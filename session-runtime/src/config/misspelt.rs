//! Environment variables that nobody reads, and that are named almost as ours.

use strsim::osa_distance;

use super::setting::Setting;

/// How many characters may be wrong. Other programs have variables of this prefix too: `SESSION_MANAGER` of X11, say.
const MOST_EDITS: usize = 3;

/// Somebody who misspells a variable is to learn of it: its setting keeps the default.
pub(super) fn warn_of_misspelt_variables() {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for (variable, meant) in names.filter_map(|name| meant_by(&name).map(|meant| (name, meant))) {
        tracing::warn!(variable, meant, "no setting has this variable, did you mean the other?");
    }
}

fn meant_by(name: &str) -> Option<&'static str> {
    if !name.starts_with("SESSION_") {
        return None;
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
    fn a_misspelt_variable_is_told_with_the_one_that_was_meant() {
        for (name, meant) in [
            ("SESSION_EXPRE", Some("SESSION_EXPIRE")),
            ("SESSION_COOKIE_SECUR", Some("SESSION_COOKIE_SECURE")),
            ("SESSION_TIMEOUT", Some("SESSION_TIMEOUT_MS")),
            ("SESSION_SERCET", Some("SESSION_SECRET")),
            ("SESSION_EXPIRE", None),
            ("SESSION_MANAGER", None),
            ("SESSION_ID", None),
            ("EXPIRE", None),
        ] {
            assert_eq!(meant_by(name), meant, "{name}");
        }
    }

    #[test]
    fn every_variable_that_is_read_is_one_that_can_be_meant() {
        let read = RefCell::new(BTreeSet::new());
        let variable = |name: &str| {
            read.borrow_mut().insert(name.to_owned());
            None
        };
        let _ = SessionConfig::new().overridden_by(|_| None, variable).unwrap();
        let ours = Setting::OF_ENVIRONMENT.iter().map(|setting| setting.variable.unwrap().to_owned());
        read.borrow_mut().remove("SECRET_KEY");
        assert_eq!(*read.borrow(), ours.collect());
    }
}
