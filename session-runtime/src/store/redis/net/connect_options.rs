//! Options of the connections to one deployment.

use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{Cmd, ConnectionAddr, ConnectionInfo, ProtocolVersion, RedisConnectionInfo, Value};

use crate::store::redis::cause::Cause;
use crate::store::redis::net::address::Address;
use crate::store::redis::net::connector::Connector;

/// The login, TLS settings and socket options of all connections to one deployment.
///
/// The options come from the URL, with the address of the first server.
#[derive(Clone)]
pub(crate) struct ConnectOptions {
    info: ConnectionInfo,
    server_name: Option<String>,
}

impl ConnectOptions {
    /// Creates options. Set `server_name` if the servers' certificates are for that name instead of
    /// the hosts.
    pub(crate) fn new(info: ConnectionInfo, server_name: Option<String>) -> Self {
        let settings = info
            .redis_settings()
            .clone()
            // Disconnects are reported by push messages, which RESP2 does not have.
            .set_protocol(ProtocolVersion::RESP3)
            .set_lib_name("session-runtime", env!("CARGO_PKG_VERSION"));
        let tcp = TcpSettings::default()
            // Otherwise, small writes wait until the previous write is acknowledged.
            .set_nodelay(true)
            // Firewalls and load balancers silently forget idle connections after some minutes.
            // Keepalive probes prevent this. They also detect a lost connection half a minute after
            // the last packet arrived, before a request does.
            .set_keepalive(
                TcpKeepalive::new()
                    .with_time(IDLE_BEFORE_PROBES)
                    .with_interval(BETWEEN_PROBES)
                    .with_retries(PROBES),
            );
        Self { info: info.set_redis_settings(settings).set_tcp_settings(tcp), server_name }
    }

    /// Returns the same options with another login or none, for servers without databases.
    pub(crate) fn with_login(&self, user: Option<&str>, password: Option<&str>) -> Self {
        let settings = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP3)
            .set_lib_name("session-runtime", env!("CARGO_PKG_VERSION"));
        let settings = user.into_iter().fold(settings, RedisConnectionInfo::set_username);
        let settings = password.into_iter().fold(settings, RedisConnectionInfo::set_password);
        Self {
            info: self.info.clone().set_redis_settings(settings),
            server_name: self.server_name.clone(),
        }
    }

    /// Returns a connector to the server of the URL.
    pub(crate) fn connector(&self) -> Result<Connector, Cause> {
        Connector::new(self.info.clone(), self.server_name.as_deref())
    }

    /// Returns a connector to another server, with the same options.
    pub(crate) fn connector_to(&self, address: &Address) -> Result<Connector, Cause> {
        let Address { host, port } = address.clone();
        let addr = match self.info.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        Connector::new(self.info.clone().set_addr(addr), self.server_name.as_deref())
    }

    /// Sends a command on a new connection to a server that need not keep sessions. Error replies
    /// are returned as replies.
    pub(crate) async fn query(&self, address: &Address, command: &Cmd) -> Result<Value, Cause> {
        let failed = |error| Cause::from_connect_error(&error, &address.to_string());
        let config = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let mut connection = self.connector_to(address)?.open(config).await.map_err(failed)?;
        connection.send_packed_command(command).await.map_err(failed)
    }
}

const IDLE_BEFORE_PROBES: Duration = Duration::from_secs(15);
const BETWEEN_PROBES: Duration = Duration::from_secs(5);
/// The default of the operating system is nine.
const PROBES: u32 = 3;
