//! Certificates for a test's servers and clients.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

/// Certificates from a single authority, as PEM.
#[derive(Debug, Clone)]
pub(super) struct Certificates {
    pub(super) authority: String,
    pub(super) server: (String, String),
    pub(super) client: (String, String),
}

impl Certificates {
    /// Creates certificates. The server's certificate is for these names, and lies in the past if
    /// it has expired.
    pub(super) fn new(names: &[&str], has_expired: bool) -> Self {
        let mut params = named("authority of a test", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let sign = |params: CertificateParams| {
            let key = KeyPair::generate().unwrap();
            (params.signed_by(&key, &authority).unwrap().pem(), key.serialize_pem())
        };
        let mut server = named("server", names);
        if has_expired {
            server.not_after = date_time_ymd(2001, 1, 1);
        }
        Self {
            authority: authority.pem(),
            server: sign(server),
            client: sign(named("client", &[])),
        }
    }
}

fn named(name: &str, addresses: &[&str]) -> CertificateParams {
    let addresses: Vec<_> = addresses.iter().map(|address| (*address).to_owned()).collect();
    let mut params = CertificateParams::new(addresses).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
