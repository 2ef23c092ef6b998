//! Tests of the compiler's messages without the features `encryption` and `tower`, in
//! `tests/cases/`.
