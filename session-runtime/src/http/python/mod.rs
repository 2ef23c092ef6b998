//! The cookies of the Python package `redis_session`, signed and verified like in the package.

mod flask;
mod format;
mod text;
mod tornado;

pub(crate) use flask::FlaskSigner;
pub(crate) use format::PythonFormat;
pub(crate) use tornado::TornadoSigner;
