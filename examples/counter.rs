//! Counts the visits of each visitor, and keeps a profile.
//!
//! ```sh
//! cargo run --example counter
//! SESSION_REDIS=redis://127.0.0.1:6379 SESSION_SECRET="$(openssl rand -hex 32)" cargo run --example counter
//! cargo run --example counter -- --config session.toml --session-expire 1800
//! ```

use std::error::Error as StdError;
use std::fs;
use std::path::PathBuf;

use axum::extract::Form;
use axum::response::Redirect;
use axum::{Json, Router, routing::get};
use clap::Parser;
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionArgs, SessionConfig, Sessions};

#[derive(Session)]
struct Visitor {
    count: u64,
    name: String,
    vip: bool,
    age: Option<u32>,
    #[session(json)]
    properties: Properties,
}

/// Further facts about a visitor, stored as JSON.
#[derive(Default, Deserialize, Serialize)]
struct Properties {
    languages: Vec<String>,
}

async fn index(session: Session<Visitor>) -> Result<String, Error> {
    // A single atomic step. With a read and a write, two concurrent visits could count only once.
    let count = session.count().incr(1).await?;
    Ok(format!("count: {count}\n"))
}

#[derive(Serialize)]
struct Profile {
    name: String,
    vip: bool,
    age: Option<u32>,
    properties: Properties,
}

async fn profile(session: Session<Visitor>) -> Result<Json<Profile>, Error> {
    Ok(Json(Profile {
        name: session.name().await?,
        vip: session.vip().await?,
        age: session.age().await?,
        properties: session.properties().await?,
    }))
}

#[derive(Deserialize)]
struct ProfileForm {
    name: String,
    age: Option<u32>,
    languages: Option<String>,
}

async fn save_profile(
    session: Session<Visitor>,
    Form(form): Form<ProfileForm>,
) -> Result<Redirect, Error> {
    let languages = form.languages.unwrap_or_default();
    let languages = languages.split(',').map(str::trim).filter(|language| !language.is_empty());
    session.set_name(&form.name).await?;
    session.set_vip(form.name == "Ada").await?;
    session.set_age(form.age).await?;
    session
        .set_properties(Properties { languages: languages.map(str::to_owned).collect() })
        .await?;
    Ok(Redirect::to("/profile"))
}

/// Counts one visitor's visits.
#[derive(Parser)]
struct Args {
    /// TOML file of session settings, named as in `SessionConfig`. The environment and the options
    /// override the file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    session: SessionArgs,
}

impl Args {
    fn config(&self) -> Result<SessionConfig, Box<dyn StdError>> {
        let base = match &self.config {
            // Only the message: the full error quotes the line, which may contain the secret.
            Some(file) => toml::from_str(&fs::read_to_string(file)?)
                .map_err(|error| error.message().to_owned())?,
            None => session_examples::defaults(),
        };
        Ok(self.session.apply_to(base)?)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    tracing_subscriber::fmt().init();
    let sessions = Sessions::new(Args::parse().config()?).await?;
    let app = Router::new()
        .route("/", get(index))
        .route("/profile", get(profile).post(save_profile))
        .layer(sessions.layer());
    axum::serve(session_examples::listener().await?, app).await?;
    Ok(())
}
