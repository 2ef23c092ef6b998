//! The API for applications: fields, batches, schemas, the start, and tools for testing.

#![allow(clippy::unwrap_used, reason = "a failure is a failed test")]

mod adversarial_values;
mod bearer;
mod contention;
mod costs;
mod created_at;
mod evolution;
mod field_expiry;
mod futures;
mod key_replacement;
mod late;
mod login;
mod operations;
mod peek;
mod records;

mod schemas;
mod startup;
mod testing;
mod transports;
