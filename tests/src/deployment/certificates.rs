//! Certificates for a test's servers and their clients.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

/// What one authority signed, as PEM. The server's certificate is for `localhost` and 127.0.0.1.
#[derive(Debug, Clone)]
pub(super) struct Certificates {
    pub(super) authority: String,
    pub(super) server: (String, String),
    pub(super) client: (String, String),
}

impl Certificates {
    pub(super) fn new() -> Self {
        let mut params = named("authority of a test", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let sign = |params: CertificateParams| {
            let key = KeyPair::generate().unwrap();
            (params.signed_by(&key, &authority).unwrap().pem(), key.serialize_pem())
        };
        Self {
            authority: authority.pem(),
            server: sign(named("server", &["localhost", "127.0.0.1"])),
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
