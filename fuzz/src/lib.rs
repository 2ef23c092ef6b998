//! What is fuzzed: one function a target, which panics if a promise is broken.
//!
//! The programs in `fuzz_targets` give them what the engine makes up;
//! `tests/integration/project/fuzz_corpora.rs` includes this file and gives them the regressions
//! and the corpora, on any compiler.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a failure here is a finding")]

mod accepted;
mod cookie_header;
#[path = "../../tests/support/cookies.rs"]
pub mod cookies;
mod environment;
mod flask_cookie;
mod marker;
mod native_cookie;
mod store_url;
mod tornado_cookie;
mod values;

pub use cookie_header::cookie_header;
pub use environment::environment;
pub use flask_cookie::flask_cookie;
pub use native_cookie::native_cookie;
pub use store_url::store_url;
pub use tornado_cookie::tornado_cookie;
pub use values::values;

/// What takes an input, and panics if it breaks a promise.
pub type Target = fn(&[u8]);

/// Every target by its name, which its corpus has too.
pub const TARGETS: [(&str, Target); 7] = [
    ("cookie_header", cookie_header),
    ("native_cookie", native_cookie),
    ("tornado_cookie", tornado_cookie),
    ("flask_cookie", flask_cookie),
    ("values", values),
    ("store_url", store_url),
    ("environment", environment),
];
