//! What the Python package `redis_session` does: the formats of its cookies.

mod flask;
mod format;
mod secret_key;
mod tornado;

pub use flask::FlaskCookie;
pub use tornado::TornadoCookie;

pub(crate) use flask::FlaskSigner;
pub(crate) use format::PythonFormat;
pub(crate) use secret_key::SecretKey;
pub(crate) use tornado::TornadoSigner;
