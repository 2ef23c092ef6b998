//! Opens connections to one server.

use std::fmt;
use std::net::SocketAddr;

use redis::aio::MultiplexedConnection;
use redis::io::AsyncDNSResolver;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, RedisFuture, RedisResult,
};
use tokio::net::lookup_host;

use crate::store::redis::cause::Cause;
use crate::store::redis::net::address::Address;

/// A server, with the options of connections to that server.
#[derive(Clone)]
pub(crate) struct Connector {
    client: Client,
    /// The address of the server, if the client's host is only the name in the server's
    /// certificate.
    reached_at: Option<Address>,
}

impl Connector {
    /// Creates a connector with these settings. The server's certificate must be for `server_name`,
    /// or else for the server's host.
    pub(crate) fn new(info: ConnectionInfo, server_name: Option<&str>) -> Result<Self, Cause> {
        let (info, reached_at) = match (info.addr().clone(), server_name) {
            (ConnectionAddr::TcpTls { host, port, insecure, tls_params }, Some(name)) => {
                let named =
                    ConnectionAddr::TcpTls { host: name.to_owned(), port, insecure, tls_params };
                (info.set_addr(named), Some(Address { host, port }))
            }
            _ => (info, None),
        };
        let client = Client::open(info).map_err(|error| Cause::from_connect_error(&error, ""))?;
        Ok(Self { client, reached_at })
    }

    pub(crate) async fn open(
        &self,
        config: AsyncConnectionConfig,
    ) -> RedisResult<MultiplexedConnection> {
        let config = match &self.reached_at {
            Some(address) => config.set_dns_resolver(FixedResolver(address.clone())),
            None => config,
        };
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }
}

/// Writes the address, for messages.
impl fmt::Display for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reached_at {
            Some(address) => address.fmt(f),
            None => self.client.get_connection_info().addr().fmt(f),
        }
    }
}

/// A resolver that finds this server under every name.
struct FixedResolver(Address);

impl AsyncDNSResolver for FixedResolver {
    fn resolve<'a, 'b: 'a>(
        &'a self,
        _name: &'b str,
        _port: u16,
    ) -> RedisFuture<'a, Box<dyn Iterator<Item = SocketAddr> + Send + 'a>> {
        Box::pin(async {
            let Address { host, port } = &self.0;
            let found: Box<dyn Iterator<Item = SocketAddr> + Send> =
                Box::new(lookup_host((host.as_str(), *port)).await?);
            Ok(found)
        })
    }
}
