//! Sessions that tower-sessions itself has kept.
