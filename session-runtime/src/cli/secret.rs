//! New secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::Error;
use crate::random::fill_random;

/// Returns a random secret of 32 bytes, in the form that the settings take.
pub(super) fn new_secret() -> Result<String, Error> {
    let mut bytes = [0; 32];
    fill_random(&mut bytes)?;
    Ok(format!("base64:{}", STANDARD.encode(bytes)))
}
