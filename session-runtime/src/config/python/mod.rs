//! The settings of cookies of the Python package `redis_session`.

mod cookie_format;
mod flask;
mod secret_key;
mod tornado;

pub use cookie_format::CookieFormat;
pub use flask::FlaskCookie;
pub(crate) use secret_key::SecretKey;
pub use tornado::TornadoCookie;
