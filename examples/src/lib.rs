//! What the examples share: see `examples/README.md`.

use std::env;
use std::io;
use std::net::TcpListener;

use session_runtime::{Error, SessionConfig};

/// The environment's configuration, with what a program on this machine needs where the environment says nothing: sessions in memory, and a
/// cookie that a browser takes over plain HTTP. Says so.
///
/// # Errors
///
/// [`Error::is_config`] naming the variable whose value cannot be used.
pub fn config() -> Result<SessionConfig, Error> {
    let mut config = SessionConfig::from_env()?;
    if !is_set("SESSION_REDIS") {
        println!("SESSION_REDIS is not set: sessions are kept in memory, and end with this program");
        config = config.store("memory:");
    }
    if !is_set("SESSION_COOKIE_SECURE") {
        println!("plain HTTP on this machine: the cookie goes without `Secure`; leave it on where HTTPS is");
        config = config.cookie_secure(false);
    }
    Ok(config)
}

/// An empty variable is one that is not set, as for the library.
fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// Listens on what `LISTEN` says, else on `127.0.0.1:3000`, and prints the address.
///
/// # Errors
///
/// If the address is none, or somebody listens there already.
pub async fn listener() -> io::Result<tokio::net::TcpListener> {
    let listener = std_listener()?;
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

/// The same for servers that take the standard library's listener.
///
/// # Errors
///
/// As [`listener`].
pub fn std_listener() -> io::Result<TcpListener> {
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address)?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(listener)
}
