//! Settings that TLS needs besides an address.

use std::{fs, io};

use redis::{Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, TlsCertificates};
use rustls::pki_types::ServerName;

use super::url::UrlOptions;
use crate::error::Error;

/// Certificates in PEM. Without an authority, the authorities of the operating system are trusted.
/// Without a client certificate, none is presented.
#[derive(Clone, Default)]
pub(super) struct Certificates {
    pub(super) authority: Option<Vec<u8>>,
    pub(super) client: Option<(Vec<u8>, Vec<u8>)>,
    /// The host name in the servers' certificates, if different from the servers' hosts.
    pub(super) server_name: Option<String>,
}

impl Certificates {
    /// Adds the certificates that the URL names, unless they are set already.
    pub(super) fn or_from_url(mut self, options: &UrlOptions) -> Result<Self, Error> {
        self.server_name = self.server_name.or_else(|| options.server_name.clone());
        if self.authority.is_none() {
            self.authority = options.ca.as_deref().map(|path| read("ca", path)).transpose()?;
        }
        match (&self.client, &options.certificate, &options.key) {
            (None, Some(certificate), Some(key)) => {
                self.client = Some((read("cert", certificate)?, read("key", key)?));
            }
            (None, None, None) | (Some(_), ..) => {}
            (None, ..) => {
                return Err(Error::config(
                    "a client certificate needs both cert=FILE and key=FILE in the Redis URL",
                ));
            }
        }
        Ok(self)
    }

    /// Returns whether there is nothing that a connection without TLS would ignore.
    fn is_empty(&self) -> bool {
        self.authority.is_none() && self.client.is_none() && self.server_name.is_none()
    }

    /// Returns the same connection with these certificates, and the host name in the servers'
    /// certificates.
    pub(super) fn apply(
        self,
        info: ConnectionInfo,
    ) -> Result<(ConnectionInfo, Option<String>), Error> {
        if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return if self.is_empty() {
                Ok((info, None))
            } else {
                Err(Error::config(
                    "certificates or a server name are set, but the Redis URL does not use TLS: \
                     use rediss://",
                ))
            };
        }
        if self.server_name.as_deref().is_some_and(|name| ServerName::try_from(name).is_err()) {
            return Err(Error::config(
                "the server name, `server_name` in the Redis URL, is not a valid host name",
            ));
        }
        make_sure_of_cryptography();
        let client_tls = self
            .client
            .map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key });
        let certificates = TlsCertificates { client_tls, root_cert: self.authority };
        let client = Client::build_with_tls(info, certificates).map_err(|_| {
            Error::config(
                "a certificate or key for the Redis server is not valid, or not in PEM format",
            )
        })?;
        Ok((client.get_connection_info().clone(), self.server_name))
    }
}

fn read(parameter: &str, path: &str) -> Result<Vec<u8>, Error> {
    let refused = |error: io::Error| {
        Error::config(format!(
            "cannot read the file of `{parameter}` in the Redis URL: {path}: {}",
            error.kind()
        ))
    };
    fs::read(path).map_err(refused)
}

/// Installs a cryptography provider for rustls. The Redis client leaves the choice to rustls, which
/// panics if several providers are linked in and none was chosen.
fn make_sure_of_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // If another thread was faster, the provider of that thread is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}
