//! Addresses of servers.

use std::fmt;

/// A server's host and port, as in URLs and in the replies of clusters and sentinels.
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

/// Writes addresses as `h1:1, h2:2`.
pub(crate) fn write_list(addresses: &[Address], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, address) in addresses.iter().enumerate() {
        write!(f, "{}{address}", if at == 0 { "" } else { ", " })?;
    }
    Ok(())
}
