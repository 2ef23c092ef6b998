//! How a [`RedisStore`] is reached.

use std::fmt;
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{Client, ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

use super::RedisStore;
use super::cause::{Cause, Code};
use super::link::Link;
use super::script::SOURCES;
use crate::error::Error;
use crate::store::StoreError;

/// Settings of a [`RedisStore`], see [`RedisStore::builder`].
#[derive(Clone)]
pub struct RedisStoreBuilder {
    url: String,
    timeout: Duration,
}

impl RedisStoreBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), timeout: Duration::from_secs(1) }
    }

    /// The deadline of an operation, connecting included: after it, an operation that has no answer fails. One second by default, an hour
    /// at most.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(Duration::from_secs(3600));
        self
    }

    /// Connects to the server.
    ///
    /// # Errors
    ///
    /// As [`RedisStore::connect`].
    pub async fn connect(self) -> Result<RedisStore, Error> {
        if self.timeout.is_zero() {
            return Err(Error::config("the deadline of an operation must be more than zero"));
        }
        let client = Client::open(connection_info(&self.url)?).map_err(|_| Error::config(USABLE_URLS))?;
        let address = client.get_connection_info().addr().to_string();
        match Link::connect(client, SOURCES, self.timeout).await {
            Ok(link) => Ok(RedisStore { link }),
            Err(cause) => Err(explain(cause, &address)),
        }
    }
}

/// Shows no more of the URL than its scheme: it may hold a password.
impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.url.split_once("://").map_or("", |(scheme, _)| scheme);
        f.debug_struct("RedisStoreBuilder")
            .field("url", &format_args!("{scheme}://…"))
            .field("timeout", &self.timeout)
            .finish()
    }
}

const USABLE_URLS: &str = "the Redis URL cannot be used: it is redis://[[user]:password@]host[:port][/database] \
     or redis+unix:///path/to/socket[?db=…&user=…&pass=…], with special characters in user and password percent-encoded";

const KEEPALIVE: Duration = Duration::from_secs(30);

fn connection_info(url: &str) -> Result<ConnectionInfo, Error> {
    if url.starts_with("rediss://") || url.starts_with("valkeys://") {
        return Err(Error::config("TLS (rediss://) is not supported yet: use redis:// or redis+unix://"));
    }
    let info = url.into_connection_info().map_err(|_| Error::config(USABLE_URLS))?;
    let settings = info
        .redis_settings()
        .clone()
        // Disconnects are told by push messages, which RESP2 does not have.
        .set_protocol(ProtocolVersion::RESP3)
        .set_lib_name("session-runtime", env!("CARGO_PKG_VERSION"));
    let tcp = TcpSettings::default()
        // Without it, small writes wait for the acknowledgement of the one before.
        .set_nodelay(true)
        // Firewalls and balancers forget idle connections, silently and after some minutes. This keeps them in mind, or finds it out before a
        // request does.
        .set_keepalive(TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE));
    Ok(info.set_redis_settings(settings).set_tcp_settings(tcp))
}

/// What somebody who starts the program has to change.
fn explain(cause: Cause, address: &str) -> Error {
    match cause {
        Cause::Server(Code::NoAuth) => Error::config(format!(
            "the Redis server at {address} asks for a password: put it into the URL, as redis://:password@host"
        )),
        Cause::Server(Code::WrongPassword) => Error::config(format!(
            "the Redis server at {address} refused the user or the password in the URL"
        )),
        Cause::Server(Code::Other) => Error::config(format!(
            "the Redis server at {address} refused the connection: check the database number in the URL, and the server's log"
        )),
        Cause::Unexpected => Error::config(format!("what answers at {address} is not a Redis server")),
        Cause::TooOld | Cause::Server(Code::NoPermission) => Error::config(format!("{address}: {cause}")),
        cause => StoreError::unavailable(cause).into(),
    }
}
