//! Tests of the test support: a program and its child processes end, whatever happens to the test.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use session_tests::program::{KEPT, Program, cargo, command_of};
use session_tests::wait_for;

/// Starts a program that starts a child, and returns the child's process id.
fn start() -> (Program, u32) {
    let mut program =
        Program::start(Command::new("sh").args(["-c", "sleep 600 & echo started $!; wait"]));
    let started = program.line_after("started ").parse().unwrap();
    (program, started)
}

/// Returns whether a process is running. A zombie, which ended but was not waited for, does not
/// count.
fn is_up(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

#[test]
fn a_program_ends_with_its_value() {
    let (program, started) = start();
    let directory = program.directory().to_owned();
    assert!(is_up(started) && directory.exists());
    drop(program);
    assert!(!directory.exists());
    wait_for("what it started to end", || (!is_up(started)).then_some(()));
}

#[test]
fn a_program_ends_with_a_test_process_that_is_killed() {
    const HOLDS: &str = "SESSION_TESTS_HOLD_A_PROGRAM";
    if std::env::var_os(HOLDS).is_some() {
        let (program, started) = start();
        println!("\nheld {started} {}", program.directory().display());
        std::thread::park();
    }
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "program::a_program_ends_with_a_test_process_that_is_killed",
            "--nocapture",
        ])
        .env(HOLDS, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines().map(Result::unwrap);
    let held = lines.find_map(|line| line.strip_prefix("held ").map(str::to_owned)).unwrap();
    let (started, directory) =
        held.split_once(' ').map(|(id, path)| (id.parse().unwrap(), PathBuf::from(path))).unwrap();
    assert!(is_up(started) && Path::new(&directory).exists());
    holder.kill().unwrap();
    holder.wait().unwrap();
    wait_for("the program to end", || (!is_up(started) && !directory.exists()).then_some(()));
}

/// With these variables, a build in a test differs from the build of the test, and each undoes the
/// other.
#[test]
fn a_build_gets_no_variable_of_the_test() {
    for variable in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"] {
        assert!(std::env::var_os(variable).is_some());
        assert!(cargo().get_envs().any(|it| it == (variable.as_ref(), None)), "{variable}");
    }
}

/// A test must not depend on settings of the machine, such as `CI`, `NO_COLOR`, or a proxy.
#[test]
fn a_program_gets_no_variable_of_the_machine() {
    assert!(std::env::vars_os().any(|(variable, _)| variable == "CARGO_MANIFEST_DIR"));
    let printed = command_of("env").env("GIVEN", "1").output().unwrap().stdout;
    let printed = String::from_utf8(printed).unwrap();
    let variables: Vec<_> =
        printed.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    assert!(variables.contains(&"PATH") && variables.contains(&"GIVEN"), "{printed}");
    assert!(
        variables.iter().all(|variable| *variable == "GIVEN" || KEPT.contains(variable)),
        "{printed}"
    );
}
