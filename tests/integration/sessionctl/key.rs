//! `sessionctl key`.

use session_tests::cookies::SECRET;
use session_tests::sessionctl::{run, run_with};

#[test]
fn a_new_key_is_accepted_and_differs_each_time() {
    let (one, other) = (run(&["key", "new"]).ok(), run(&["key", "new"]).ok());
    assert_ne!(one, other);
    for name in ["SESSION_SECRET", "SESSION_ENCRYPTION_KEYS"] {
        let key = run(&["key", "new", "--json"]).json()["key"].as_str().unwrap().to_owned();
        let checked = run_with(&["key", "check", "--json"], &[(name, &key)]).json();
        let counts = (&checked["secrets"], &checked["encryption_keys"]);
        let expected = if name == "SESSION_SECRET" { (1, 0) } else { (0, 1) };
        assert_eq!(counts, (&expected.0.into(), &expected.1.into()));
    }
}

/// The check needs no store, and prints no secret.
#[test]
fn a_check_shows_no_secret() {
    let weak = "changeme";
    for (secret, code) in [(SECRET, 0), (weak, 1), ("base64:AAAA", 1), ("", 1)] {
        let variables = [("SESSION_SECRET", secret), ("SESSION_REDIS", "nonsense://")];
        let checked = run_with(&["key", "check"], &variables);
        assert_eq!(checked.code, Some(code), "{checked:?}");
        let printed = checked.stdout + &checked.stderr;
        assert!(secret.is_empty() || !printed.contains(secret), "{printed}");
    }
    let both = format!("{SECRET},base64:{}", "3q2+7wABcRVRfmd0AOq1xZ0bYk8QHt+8p1dK5b3mFvE=");
    assert!(run_with(&["key", "check"], &[("SESSION_SECRET", &both)]).ok().contains('2'));
}

#[test]
fn without_a_key_there_is_nothing_to_check() {
    let message = run(&["key", "check"]).refused(1);
    assert!(message.contains("SESSION_SECRET") && message.contains("SESSION_ENCRYPTION_KEYS"));
}
