//! Setup that the examples share. See `examples/README.md`.

use std::env;
use std::io;
use std::net::TcpListener;

use session_runtime::{Error, SessionConfig};

/// Returns the [`defaults`], overridden by environment variables.
///
/// # Errors
///
/// Returns an [`Error::is_config`] error with the name of the variable if a value is invalid.
pub fn config() -> Result<SessionConfig, Error> {
    defaults().overridden_by_env()
}

/// Returns a configuration that needs no settings: sessions in memory, and a cookie that works over
/// plain HTTP. Prints this.
pub fn defaults() -> SessionConfig {
    println!(
        "by default, this example keeps sessions in memory until the program ends. Its cookie has \
         no `Secure`, for plain HTTP on this machine. With HTTPS, keep `Secure`"
    );
    SessionConfig::new().store("memory:").cookie_secure(false)
}

/// Listens on the address in `LISTEN`, by default `127.0.0.1:3000`, and prints the address.
///
/// # Errors
///
/// Fails if the address is invalid or already in use.
pub async fn listener() -> io::Result<tokio::net::TcpListener> {
    let listener = std_listener()?;
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

/// Returns the standard library's listener, for web frameworks that take this type.
///
/// # Errors
///
/// Fails like [`listener`].
pub fn std_listener() -> io::Result<TcpListener> {
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address)?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(listener)
}
