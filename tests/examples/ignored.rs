//! Sends requests whose handler ignores its session, for valgrind to count instructions.
//!
//! ```sh
//! cargo build --release -p session-tests --example ignored
//! for arguments in 'axum nothing' 'axum sessions' 'actix nothing' 'actix sessions'; do
//!     for times in 1000 3000; do
//!         valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/ignored $arguments $times
//!     done
//! done
//! ```
//!
//! The difference of two counts, by 2000, is what one request takes; `sessions` over `nothing` is the session's share.

#![allow(clippy::unwrap_used, reason = "a failure ends the program")]

use std::env;
use std::time::SystemTime;

use session_tests::cookies;
use session_tests::ignored::{Around, on_actix, on_axum};

fn main() {
    let [framework, around, times] = env::args().skip(1).collect::<Vec<_>>().try_into().unwrap();
    let around = if around == "sessions" { Around::Sessions } else { Around::Nothing };
    let cookie = cookies::cookie(&cookies::id(SystemTime::now(), 0));
    let times = 0..times.parse::<u32>().unwrap();
    match framework.as_str() {
        "actix" => times.for_each(each(on_actix(around, &cookie))),
        _ => times.for_each(each(on_axum(around, &cookie))),
    }
}

fn each(mut request: impl FnMut()) -> impl FnMut(u32) {
    move |_| request()
}
