//! Counts instructions: `tests/counts/run` calls it.
//!
//! ```sh
//! counts hold                      # fails if an operation takes more than the baseline says
//! counts rewrite                   # writes the baseline's instructions anew
//! counts repeat OPERATION TIMES    # carries an operation out, for valgrind to count
//! ```
//!
//! Not those on Redis: how often the driver of the connection wakes up is a matter of time. In five runs, a `get` took 13,800 to 14,400
//! instructions, an `incr` 17,900 to 18,900: what a gate at 3 % could not tell from a change. Their allocations do not wobble.

#![allow(clippy::unwrap_used, reason = "a failure ends the program")]

use std::env;
use std::process::{Command, ExitCode};

use session_counts::{ALL, Baseline, Gauge, start};

/// Few, and three times as many: the difference is without what starts and ends the program.
const TIMES: u32 = 300;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["repeat", operation, times] => start(operation, None)(times.parse().unwrap()),
        ["rewrite"] => {
            let mut baseline = Baseline::read();
            baseline.rustc = rustc();
            baseline.rewrite(Gauge::Instructions, &counts());
        }
        ["hold"] => return hold(),
        _ => panic!("counts hold | rewrite | repeat OPERATION TIMES"),
    }
    ExitCode::SUCCESS
}

fn hold() -> ExitCode {
    let (baseline, rustc) = (Baseline::read(), rustc());
    if baseline.rustc != rustc {
        println!("instructions not compared: the baseline is of {}, this is {rustc}", baseline.rustc);
        return if env::var_os("SESSION_COUNTS_REQUIRED").is_some() {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        };
    }
    match baseline.hold(Gauge::Instructions, &counts()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failures) => {
            eprintln!("{failures}");
            ExitCode::FAILURE
        }
    }
}

/// The compiler, and what it compiles for.
fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").output().unwrap();
    format!("{} for {}", String::from_utf8(output.stdout).unwrap().trim(), env::consts::ARCH)
}

fn counts() -> Vec<(&'static str, f64)> {
    let all = ALL.into_iter().filter(|counted| !counted.needs_redis());
    let counts = all.map(|counted| (counted.name, counted.more_than_without(per_operation)));
    counts.collect()
}

fn per_operation(name: &str) -> f64 {
    let [few, many] = [TIMES, 3 * TIMES].map(|times| instructions(name, times));
    (many - few) / f64::from(2 * TIMES)
}

/// How many instructions the program takes with so many repetitions, as callgrind tells.
fn instructions(name: &str, times: u32) -> f64 {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(env::current_exe().unwrap());
    let output = valgrind.args(["repeat", name, &times.to_string()]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    let collected = told.lines().find_map(|line| line.split_once("Collected : ")).unwrap().1;
    collected.parse().unwrap()
}
