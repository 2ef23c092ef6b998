//! What the examples share: see `examples/README.md`.

use std::env;
use std::io;
use std::net::TcpListener;

use session_runtime::{Error, SessionConfig};

/// [`defaults`], changed by environment variables.
///
/// # Errors
///
/// [`Error::is_config`] naming the variable whose value cannot be used.
pub fn config() -> Result<SessionConfig, Error> {
    defaults().overridden_by_env()
}

/// What a program on this machine needs where nothing else is said: sessions in memory, and a
/// cookie that a browser takes over plain HTTP. Says so.
pub fn defaults() -> SessionConfig {
    println!(
        "unless told otherwise, sessions are kept in memory and end with this program, and their \
         cookie goes without `Secure`, for plain HTTP on this machine: leave it on where HTTPS is"
    );
    SessionConfig::new().store("memory:").cookie_secure(false)
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
