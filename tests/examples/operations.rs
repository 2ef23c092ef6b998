//! Carries one operation out on a live session in memory, again and again, for valgrind to count instructions.
//!
//! ```sh
//! cargo build --release -p session-tests --example operations
//! for operation in get set incr; do
//!     for times in 1000 3000; do
//!         valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/operations $operation $times
//!     done
//! done
//! ```
//!
//! The difference of two counts, by 2000, is what one operation takes. Nobody listens to `tracing` here: what the guide says of
//! observability's cost is measured with this program, with the feature `metrics` and without.

#![allow(clippy::unwrap_used, reason = "a failure ends the program")]

use std::env;

use pollster::block_on;
use session_runtime::{Session, SessionConfig, Sessions};

#[derive(Session)]
struct Visitor {
    count: u64,
}

fn main() {
    let [operation, times] = env::args().skip(1).collect::<Vec<_>>().try_into().unwrap();
    let sessions = block_on(Sessions::new(SessionConfig::new().store("memory:"))).unwrap();
    let session = block_on(sessions.create::<Visitor>()).unwrap();
    for _ in 0..times.parse::<u32>().unwrap() {
        match operation.as_str() {
            "get" => block_on(session.count()).map(drop),
            "set" => block_on(session.set_count(12_345)),
            _ => block_on(session.count().incr(1)).map(drop),
        }
        .unwrap();
    }
}
