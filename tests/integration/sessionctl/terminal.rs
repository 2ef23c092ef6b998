//! The program in a terminal.
//!
//! `script` of util-linux is the terminal.

use std::io::{BufRead, BufReader};

use session_tests::acceptance::World;
use session_tests::program::command_of;
use session_tests::sessionctl::{Run, Running, command, start};

use crate::account::sign_in;
use crate::ctl;
use crate::many::sign_in_all;

/// Runs the program in a terminal, and types this text. Both outputs are the standard output.
fn in_terminal(world: &World, args: &[&str], variables: &[(&str, &str)], typed: &str) -> Run {
    let mut running = start_in_terminal(world, args, variables);
    running.write(typed);
    running.end()
}

fn start_in_terminal(world: &World, args: &[&str], variables: &[(&str, &str)]) -> Running {
    let program = command(args);
    let words = [program.get_program()].into_iter().chain(program.get_args());
    let line: Vec<_> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    let mut terminal = command_of("script");
    terminal.args(["--quiet", "--return", "--command", &line.join(" "), "/dev/null"]);
    terminal.env("TERM", "xterm").env("SESSION_REDIS", world.server().unwrap().url());
    terminal.envs(variables.iter().copied());
    start(terminal)
}

#[tokio::test]
async fn more_than_one_session_ends_after_a_yes_alone() {
    let world = World::redis().await;
    let sessions = world.sessions(|config| config);
    for _ in 0..2 {
        sign_in(&sessions, 42).await;
    }
    let end = ["end", "--by", "user=42"];
    for typed in ["n\n", "\n", "yeah\n"] {
        let declined = in_terminal(&world, &end, &[], typed);
        assert_eq!(declined.code, Some(1), "{declined:?}");
        assert!(declined.stdout.contains("End 2 sessions with user=42 under the prefix `app` on "));
        assert!(
            declined.stdout.contains("? [y/N]") && declined.stdout.contains("nothing was ended")
        );
    }
    assert_eq!(ctl(&world, &["count"]).ok(), "2\n");
    let ended = in_terminal(&world, &end, &[], "y\n");
    assert!(ended.code == Some(0) && ended.stdout.contains("ended 2"), "{ended:?}");
}

/// The answer is about the sessions of the question.
#[tokio::test]
async fn a_session_that_begins_after_the_question_is_asked_about() {
    let world = World::redis().await;
    let sessions = world.sessions(|config| config);
    for _ in 0..2 {
        sign_in(&sessions, 42).await;
    }
    let mut ending = start_in_terminal(&world, &["end", "--by", "user=42"], &[]);
    let mut screen = BufReader::new(ending.child().stdout.take().unwrap());
    assert!(read_question(&mut screen).contains("End 2 sessions"));
    sign_in(&sessions, 42).await;
    ending.write("y\n");
    assert!(read_question(&mut screen).contains("End 3 sessions"));
    ending.write("n\n");
    assert!(read_question(&mut screen).contains("nothing was ended"));
    assert_eq!((ending.end().code, &*ctl(&world, &["count"]).ok()), (Some(1), "3\n"));
}

/// Reads up to a question, or to the end of the program.
fn read_question(screen: &mut impl BufRead) -> String {
    let mut shown = Vec::new();
    while !shown.ends_with(b"[y/N] ") && screen.read_until(b' ', &mut shown).unwrap() > 0 {}
    String::from_utf8(shown).unwrap()
}

#[tokio::test]
async fn colours_are_for_terminals_that_want_them() {
    let world = World::redis().await;
    sign_in(&world.sessions(|config| config), 42).await;
    const BOLD: &str = "\x1b[1m";
    let list = ["list", "--by", "user=42"];
    assert!(in_terminal(&world, &list, &[], "").stdout.contains(BOLD));
    for variables in [[("NO_COLOR", "1")], [("TERM", "dumb")]] {
        let plain = in_terminal(&world, &list, &variables, "");
        assert!(plain.stdout.contains("TAG") && !plain.stdout.contains('\x1b'), "{plain:?}");
    }
    let refused = ["show", "aaaaaaa"];
    for args in [&list[..], &refused, &["list"], &["--help"]] {
        let piped = ctl(&world, args);
        assert!(!(piped.stdout + &piped.stderr).contains('\x1b'));
    }
}

#[tokio::test]
async fn the_progress_does_not_mix_with_the_list() {
    let world = World::redis().await;
    sign_in_all(&world.sessions(|config| config), 1_200, 1).await;
    let listed = in_terminal(&world, &["list", "--rate", "2000"], &[], "");
    assert!(listed.stdout.contains("of 1,201 keys"), "{}", listed.stdout);
    let lines: Vec<_> = listed.stdout.split('\n').map(visible).collect();
    let sessions = lines.iter().filter(|line| line.get(8..12) == Some("  20"));
    assert_eq!(sessions.count(), 1_200, "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("TAG")), "{lines:?}");
    // Without the permission to count the keys, the progress has no end.
    let deny = ["ACL", "SETUSER", "default", "-dbsize"];
    let _: String = world.server().unwrap().cli(&deny);
    let counted = in_terminal(&world, &["count"], &[], "");
    assert!(counted.code == Some(0) && !counted.stdout.contains("of 1,201"), "{counted:?}");
}

/// Returns the text of a line that stays in a terminal: behind the last return of the carriage,
/// without escape sequences.
fn visible(line: &str) -> String {
    let line = line.trim_end_matches('\r');
    let line = line.rsplit('\r').next().unwrap_or_default();
    let mut parts = line.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).map_or(part.len(), |at| at + 1);
        text + &part[end..]
    })
}
