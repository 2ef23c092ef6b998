//! What the compiler says to those who make a mistake, and that it says nothing to others: see
//! `tests/`.
