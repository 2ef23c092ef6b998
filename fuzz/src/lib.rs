//! The fuzz targets. Each target is a function that panics if a promise is broken.
//!
//! The programs in `fuzz_targets` call these functions with the inputs of the fuzzing engine.
//! `tests/integration/project/fuzz_corpora.rs` includes this file and runs the regressions and the
//! corpora, with any compiler.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a failure here is a finding")]

mod accepted;
mod cookie_header;
#[path = "../../tests/support/cookies.rs"]
pub mod cookies;
mod encrypted_values;
mod environment;
mod flask_cookie;
mod marker;
mod native_cookie;
mod store_url;
mod token_header;
mod tornado_cookie;
mod values;

pub use cookie_header::cookie_header;
pub use encrypted_values::encrypted_values;
pub use environment::environment;
pub use flask_cookie::flask_cookie;
pub use native_cookie::native_cookie;
pub use store_url::store_url;
pub use token_header::token_header;
pub use tornado_cookie::tornado_cookie;
pub use values::values;

/// A function that takes an input, and panics if a promise is broken.
pub type Target = fn(&[u8]);

/// All targets by name. Each corpus has the name of a target.
pub const TARGETS: [(&str, Target); 9] = [
    ("cookie_header", cookie_header),
    ("token_header", token_header),
    ("native_cookie", native_cookie),
    ("tornado_cookie", tornado_cookie),
    ("flask_cookie", flask_cookie),
    ("values", values),
    ("encrypted_values", encrypted_values),
    ("store_url", store_url),
    ("environment", environment),
];
