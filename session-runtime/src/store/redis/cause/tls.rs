//! Reasons why TLS refuses a connection.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;

use redis::{ErrorKind, RedisError};
use rustls::{AlertDescription, CertificateError};

use super::{WITHOUT_TLS, find_source};

/// Returns the reason for a failure to connect, if TLS is the reason.
pub(super) fn refusal(error: &RedisError) -> Option<Cow<'static, str>> {
    // The client gives no other hint.
    if error.to_string().starts_with("Unable to build client with TLS parameters") {
        return Some("the client certificate and its key do not match, or cannot be used".into());
    }
    if find_source::<rustls::pki_types::InvalidDnsNameError>(error).is_some() {
        return Some("the host name cannot be in a certificate".into());
    }
    if let Some(error) = find_source::<io::Error>(error) {
        return error.get_ref()?.downcast_ref().map(reason);
    }
    // The error occurred before there was a connection.
    let is_of_setup =
        find_source::<rustls::Error>(error).is_some() || error.kind() == ErrorKind::Io;
    (is_of_setup && StdError::source(error).is_some()).then(|| {
        "the system's certificates cannot be used: set `SSL_CERT_FILE` or `SSL_CERT_DIR` to other \
         certificates"
            .into()
    })
}

fn reason(error: &rustls::Error) -> Cow<'static, str> {
    match error {
        rustls::Error::InvalidCertificate(error) => of_certificate(error),
        rustls::Error::AlertReceived(alert) => of_alert(*alert),
        rustls::Error::InvalidMessage(_) => WITHOUT_TLS.into(),
        rustls::Error::PeerIncompatible(_) => {
            "the server and this client share no version or cipher of TLS".into()
        }
        // The library's messages quote nothing that the server sent, except for names in
        // certificates.
        error => format!("TLS failed: {error}").into(),
    }
}

fn of_certificate(error: &CertificateError) -> Cow<'static, str> {
    use CertificateError::*;
    match error {
        NotValidForName | NotValidForNameContext { .. } => "the server's certificate is for \
                                                            another host name: set this name with \
                                                            `server_name=HOST`"
            .into(),
        // `BadSignature` stands for an authority of the same name with another key: the authority
        // was created again.
        UnknownIssuer | BadSignature => "the server's certificate is signed by an authority that \
                                         is not trusted: set a trusted authority with `ca=FILE`"
            .into(),
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
        CertificateRequired => {
            "the server requires a client certificate: set it with `cert=FILE&key=FILE`".into()
        }
        // TLS 1.2 also sends this alert if a client certificate is missing.
        HandshakeFailure => "the server ended the handshake: it may require a client certificate, \
                             or share no cipher with this client"
            .into(),
        BadCertificate
        | UnsupportedCertificate
        | CertificateRevoked
        | CertificateExpired
        | CertificateUnknown
        | UnknownCA
        | DecryptError
        | AccessDenied => format!("the server refused the client certificate: {alert:?}").into(),
        alert => format!("the server ended the handshake: {alert:?}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_and_remote_certificate_errors_are_distinguished() {
        let bad = rustls::Error::InvalidCertificate(CertificateError::BadEncoding);
        let of_system = RedisError::from(bad.clone());
        assert!(refusal(&of_system).unwrap().contains("the system's certificates"));
        let of_server = RedisError::from(io::Error::new(io::ErrorKind::InvalidData, bad));
        assert!(refusal(&of_server).unwrap().contains("the server's certificate cannot be used"));
    }

    #[test]
    fn other_network_errors_are_not_tls_errors() {
        for kind in
            [io::ErrorKind::ConnectionRefused, io::ErrorKind::Other, io::ErrorKind::UnexpectedEof]
        {
            assert_eq!(refusal(&io::Error::from(kind).into()), None);
        }
        assert_eq!(refusal(&io::Error::other("failed to lookup address information").into()), None);
        assert_eq!(refusal(&RedisError::from((ErrorKind::Io, "closed"))), None);
    }
}
