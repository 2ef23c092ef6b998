//! What TLS needs beside an address.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::{fs, io};

use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError, TlsCertificates,
};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError};

use super::cause::{WITHOUT_TLS, cause_of};
use super::url::Options;
use crate::error::Error;

/// Certificates in PEM: without an authority of one's own the system's are trusted, without a certificate of one's own none is shown.
#[derive(Clone, Default)]
pub(super) struct Certificates {
    pub(super) authority: Option<Vec<u8>>,
    pub(super) client: Option<(Vec<u8>, Vec<u8>)>,
    /// The host that the servers' certificates are for, if it is not their own.
    pub(super) server_name: Option<String>,
}

impl Certificates {
    /// Those that a URL names, where none are given by themselves.
    pub(super) fn or_of_url(mut self, options: &Options) -> Result<Self, Error> {
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
                    "a client's certificate in the Redis URL is both, cert=FILE and key=FILE",
                ));
            }
        }
        Ok(self)
    }

    /// Whether there is anything that a connection without TLS would ignore.
    fn is_empty(&self) -> bool {
        self.authority.is_none() && self.client.is_none() && self.server_name.is_none()
    }

    /// The same connection, with these certificates, and the host that the servers' are for.
    pub(super) fn apply(self, info: ConnectionInfo) -> Result<(ConnectionInfo, Option<String>), Error> {
        if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return if self.is_empty() {
                Ok((info, None))
            } else {
                Err(Error::config(
                    "certificates or their server's name are given, and the Redis URL is not one of TLS: rediss://",
                ))
            };
        }
        if self.server_name.as_deref().is_some_and(|name| ServerName::try_from(name).is_err()) {
            return Err(Error::config("the server's name, `server_name` in the Redis URL, is no host"));
        }
        make_sure_of_cryptography();
        let client_tls =
            self.client.map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key });
        let certificates = TlsCertificates { client_tls, root_cert: self.authority };
        let client = Client::build_with_tls(info, certificates).map_err(|_| {
            Error::config("a certificate or key for the Redis server is not PEM, or not a valid one")
        })?;
        Ok((client.get_connection_info().clone(), self.server_name))
    }
}

fn read(parameter: &str, path: &str) -> Result<Vec<u8>, Error> {
    let refused = |error: io::Error| {
        Error::config(format!(
            "the file of `{parameter}` in the Redis URL cannot be read: {path}: {}",
            error.kind()
        ))
    };
    fs::read(path).map_err(refused)
}

/// rustls panics where several providers are linked in and none was chosen, and the Redis client leaves the choice to it.
fn make_sure_of_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may have been faster: then theirs is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// Why no connection came about, if it is for TLS.
pub(super) fn refusal(error: &RedisError) -> Option<Cow<'static, str>> {
    // There is no other sign of it.
    if error.to_string().starts_with("Unable to build client with TLS parameters") {
        return Some(
            "the certificate and the key of this client do not go together, or cannot be used".into(),
        );
    }
    if cause_of::<rustls::pki_types::InvalidDnsNameError>(error).is_some() {
        return Some("the host's name is none that a certificate can be for".into());
    }
    if let Some(error) = cause_of::<io::Error>(error) {
        return error.get_ref()?.downcast_ref().map(reason);
    }
    // Before there is a connection.
    let is_of_setup = cause_of::<rustls::Error>(error).is_some() || error.kind() == ErrorKind::Io;
    (is_of_setup && StdError::source(error).is_some()).then(|| {
        "the system's certificates cannot be used: `SSL_CERT_FILE` and `SSL_CERT_DIR` name others".into()
    })
}

fn reason(error: &rustls::Error) -> Cow<'static, str> {
    match error {
        rustls::Error::InvalidCertificate(error) => of_certificate(error),
        rustls::Error::AlertReceived(alert) => of_alert(*alert),
        rustls::Error::InvalidMessage(_) => WITHOUT_TLS.into(),
        rustls::Error::PeerIncompatible(_) => {
            "the server has no version or cipher of TLS in common with us".into()
        }
        // Of the library's own words none quotes what the server sent, but for names in certificates.
        error => format!("TLS failed: {error}").into(),
    }
}

fn of_certificate(error: &CertificateError) -> Cow<'static, str> {
    use CertificateError::*;
    match error {
        NotValidForName | NotValidForNameContext { .. } => {
            "the server's certificate is for another name than its host: `server_name=HOST` names that".into()
        }
        // The second is one of the same name with another key: it was made anew.
        UnknownIssuer | BadSignature => {
            "the server's certificate is signed by an authority that is not trusted: `ca=FILE` names another"
                .into()
        }
        Expired | ExpiredContext { .. } => {
            "the server's certificate has expired, or this machine's clock is wrong".into()
        }
        NotValidYet | NotValidYetContext { .. } => {
            "the server's certificate is not valid yet, or this machine's clock is wrong".into()
        }
        error => format!("the server's certificate cannot be used: {error}").into(),
    }
}

fn of_alert(alert: AlertDescription) -> Cow<'static, str> {
    use AlertDescription::*;
    match alert {
        CertificateRequired => "the server asks for a client's certificate: `cert=FILE&key=FILE`".into(),
        // TLS 1.2 says so of a certificate that it misses, too.
        HandshakeFailure => {
            "the server ended the handshake: it asks for a client's certificate, say, or shares no cipher"
                .into()
        }
        BadCertificate
        | UnsupportedCertificate
        | CertificateRevoked
        | CertificateExpired
        | CertificateUnknown
        | UnknownCA
        | DecryptError
        | AccessDenied => format!("the server refused this client's certificate: {alert:?}").into(),
        alert => format!("the server ended the handshake: {alert:?}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_here_is_told_from_what_is_wrong_there() {
        let bad = rustls::Error::InvalidCertificate(CertificateError::BadEncoding);
        let of_system = RedisError::from(bad.clone());
        assert!(refusal(&of_system).unwrap().contains("the system's certificates"));
        let of_server = RedisError::from(io::Error::new(io::ErrorKind::InvalidData, bad));
        assert!(refusal(&of_server).unwrap().contains("the server's certificate cannot be used"));
    }

    #[test]
    fn other_errors_of_the_network_are_not_those_of_tls() {
        for kind in [io::ErrorKind::ConnectionRefused, io::ErrorKind::Other, io::ErrorKind::UnexpectedEof] {
            assert_eq!(refusal(&io::Error::from(kind).into()), None);
        }
        assert_eq!(refusal(&io::Error::other("failed to lookup address information").into()), None);
        assert_eq!(refusal(&RedisError::from((ErrorKind::Io, "closed"))), None);
    }
}
