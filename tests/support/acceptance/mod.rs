//! What the acceptance suite runs on: one program with sessions, behind every adapter, on every
//! store, asked over real HTTP.
//!
//! A test sends a [`Script`]: what the handler is to do with its session, and how it is to answer.
//! So handlers are written once, and a new adapter is one file like `axum_app.rs`, and one more
//! case of [`Adapter`].

mod actix_app;
mod adapter;
mod axum_app;
mod client;
mod gates;
mod poem_app;
mod script;
mod visitor;
mod world;

pub use adapter::Adapter;
pub use client::{Client, Reply};
pub use gates::Gates;
pub use script::{Body, Script};
pub use visitor::Visitor;
pub use world::{App, Deployed, Store, World};
