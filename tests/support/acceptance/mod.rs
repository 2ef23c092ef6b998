//! Support for the acceptance suite: one program with sessions, behind every adapter, on every
//! store, over real HTTP.
//!
//! A test sends a [`Script`] with the handler's steps and the form of the response. So each handler
//! is written only once. For a new adapter, add a file like `axum_app.rs` and a variant of
//! [`Adapter`].

mod actix_app;
mod adapter;
mod axum_app;
mod client;
mod gates;
mod poem_app;
mod script;
mod visitor;
mod wallet;
mod world;

pub use adapter::Adapter;
pub use client::{Client, Reply};
pub use gates::Gates;
pub use script::{Body, Script};
pub use visitor::Visitor;
pub use world::{App, Deployed, Store, World};
