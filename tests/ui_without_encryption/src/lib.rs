//! Tests of the compiler's messages without the feature `encryption`. See `tests/cases/`.
