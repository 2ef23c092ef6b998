//! `sessionctl key`.

use std::env::{self, VarError};

use serde::Serialize;

use super::args::KeyCommand;
use super::failure::Failure;
use super::output::Output;
use super::secret::new_secret;
use crate::config::SessionConfig;
use crate::error::Error;

const SECRET: &str = "SESSION_SECRET";
const ENCRYPTION_KEYS: &str = "SESSION_ENCRYPTION_KEYS";

#[derive(Serialize)]
struct NewKey<'a> {
    key: &'a str,
}

#[derive(Serialize)]
struct Checked {
    secrets: usize,
    encryption_keys: usize,
}

pub(super) fn run(command: KeyCommand, output: &mut Output) -> Result<(), Failure> {
    match command {
        KeyCommand::New => {
            let key = &*new_secret()?;
            output.result(&NewKey { key }, key)
        }
        KeyCommand::Check => check(output),
    }
}

/// Checks the keys alone, whatever the other settings are.
fn check(output: &mut Output) -> Result<(), Failure> {
    let (secret, keys) = (variable(SECRET)?, variable(ENCRYPTION_KEYS)?);
    if secret.is_none() && keys.is_none() {
        return Err(Failure::NoKeys);
    }
    let mut config = SessionConfig::new().store("memory:");
    if let Some(secret) = secret {
        config = config.secret(secret);
    }
    if let Some(keys) = keys {
        config = config.encryption_keys(keys);
    }
    let settings = config.resolve().map_err(Failure::Key)?;
    let (secrets, encryption_keys) = (settings.secrets.len(), settings.encryption_keys.len());
    let encrypts = match encryption_keys {
        0 => "not set, so the secrets encrypt fields".to_owned(),
        count => format!("{count} accepted, the first encrypts fields"),
    };
    let signs = match secrets {
        0 => "not set".to_owned(),
        count => format!("{count} accepted, the first signs cookies"),
    };
    let text = format!("{SECRET}: {signs}\n{ENCRYPTION_KEYS}: {encrypts}");
    output.result(&Checked { secrets, encryption_keys }, text)
}

/// Returns a variable. An empty variable is not set.
fn variable(name: &str) -> Result<Option<String>, Failure> {
    match env::var(name) {
        Ok(value) => Ok((!value.is_empty()).then_some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(Failure::Key(Error::config(format!("{name} is not valid UTF-8"))))
        }
    }
}
