//! Tests of the compiler's messages: clear errors for mistakes, and no warnings for valid code. See
//! `tests/`.
