//! Where servers are, and how they are spoken to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{Cmd, ConnectionAddr, ConnectionInfo, ProtocolVersion, RedisConnectionInfo, Value};

use crate::store::redis::cause::Cause;
use crate::store::redis::net::connection::Watched;
use crate::store::redis::net::connector::Endpoint;
use crate::store::redis::net::generation::Reign;
use crate::store::redis::net::sentinel::Sentinels;

/// Where a connection has to lead.
#[derive(Clone)]
pub(crate) enum Place {
    /// To this server.
    Server(Box<Endpoint>),
    /// To the master that sentinels name when they are asked.
    MasterOf(Arc<Sentinels>),
}

impl Place {
    pub(crate) async fn open(
        &self,
        scripts: &'static [&'static str],
        reign: Reign,
    ) -> Result<Watched, Cause> {
        match self {
            Self::Server(endpoint) => Watched::open(endpoint, scripts, reign).await,
            Self::MasterOf(sentinels) => sentinels.open_master(scripts, reign).await,
        }
    }
}

/// For messages: an address, or the master's name and where its sentinels are.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(endpoint) => endpoint.fmt(f),
            Self::MasterOf(sentinels) => sentinels.fmt(f),
        }
    }
}

/// A server's host and port, as it stands in URLs and in what clusters and sentinels answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// As `h1:1, h2:2`.
pub(crate) fn write_list(addresses: &[Address], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, address) in addresses.iter().enumerate() {
        write!(f, "{}{address}", if at == 0 { "" } else { ", " })?;
    }
    Ok(())
}

/// How the servers of one deployment are spoken to: by which user, with TLS or without. Made from the URL; the address in it is that of
/// the first of them.
#[derive(Clone)]
pub(crate) struct Dial {
    info: ConnectionInfo,
    server_name: Option<String>,
}

impl Dial {
    /// With a name if the servers' certificates are for it, whatever their hosts are.
    pub(crate) fn new(info: ConnectionInfo, server_name: Option<String>) -> Self {
        let settings = info
            .redis_settings()
            .clone()
            // Disconnects are told by push messages, which RESP2 does not have.
            .set_protocol(ProtocolVersion::RESP3)
            .set_lib_name("session-runtime", env!("CARGO_PKG_VERSION"));
        let tcp = TcpSettings::default()
            // Without it, small writes wait for the acknowledgement of the one before.
            .set_nodelay(true)
            // Firewalls and balancers forget idle connections, silently and after some minutes. This keeps them in mind, or finds it out
            // before a request does: half a minute after the last packet arrived.
            .set_keepalive(
                TcpKeepalive::new()
                    .with_time(IDLE_BEFORE_PROBES)
                    .with_interval(BETWEEN_PROBES)
                    .with_retries(PROBES),
            );
        Self { info: info.set_redis_settings(settings).set_tcp_settings(tcp), server_name }
    }

    /// The same for another user, or for none, of servers that have no databases.
    pub(crate) fn by(&self, user: Option<&str>, password: Option<&str>) -> Self {
        let settings = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP3)
            .set_lib_name("session-runtime", env!("CARGO_PKG_VERSION"));
        let settings = user.into_iter().fold(settings, RedisConnectionInfo::set_username);
        let settings = password.into_iter().fold(settings, RedisConnectionInfo::set_password);
        Self { info: self.info.clone().set_redis_settings(settings), server_name: self.server_name.clone() }
    }

    /// To the server of the URL.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, Cause> {
        Endpoint::new(self.info.clone(), self.server_name.as_deref())
    }

    /// To another server, spoken to likewise.
    pub(crate) fn endpoint_at(&self, address: &Address) -> Result<Endpoint, Cause> {
        let Address { host, port } = address.clone();
        let addr = match self.info.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
                ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: tls_params.clone() }
            }
            _ => ConnectionAddr::Tcp(host, port),
        };
        Endpoint::new(self.info.clone().set_addr(addr), self.server_name.as_deref())
    }

    /// Asks one question on a connection of its own, of a server that need not be one that keeps sessions. An error reply is a reply.
    pub(crate) async fn ask(&self, address: &Address, question: &Cmd) -> Result<Value, Cause> {
        let failed = |error| Cause::of_connecting(&error, &address.to_string());
        let config =
            redis::AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let mut connection = self.endpoint_at(address)?.open(config).await.map_err(failed)?;
        connection.send_packed_command(question).await.map_err(failed)
    }
}

const IDLE_BEFORE_PROBES: Duration = Duration::from_secs(15);
const BETWEEN_PROBES: Duration = Duration::from_secs(5);
/// By default the system sends nine.
const PROBES: u32 = 3;
