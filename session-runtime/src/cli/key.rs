//! `sessionctl key`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::args::KeyCommand;
use super::failure::Failure;
use super::output::Output;
use crate::config::SessionConfig;
use crate::error::Error;
use crate::random::fill_random;

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

/// Returns a random secret of 32 bytes, in the form that the settings take.
pub(super) fn new_secret() -> Result<String, Error> {
    let mut bytes = [0; 32];
    fill_random(&mut bytes)?;
    Ok(format!("base64:{}", STANDARD.encode(bytes)))
}

fn check(output: &mut Output) -> Result<(), Failure> {
    let settings = SessionConfig::from_env()?.resolve()?;
    let (secrets, encryption_keys) = (settings.secrets.len(), settings.encryption_keys.len());
    let text = format!(
        "SESSION_SECRET: {secrets} accepted, the first signs\n\
         SESSION_ENCRYPTION_KEYS: {encryption_keys} accepted, the first encrypts"
    );
    output.result(&Checked { secrets, encryption_keys }, text)
}
