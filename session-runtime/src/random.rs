//! Random bytes from the operating system.

use crate::error::{Error, Kind};

pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|_| Error::new(Kind::NoRandomness))
}
