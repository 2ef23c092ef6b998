//! A server that only speaks TLS.

use std::path::PathBuf;

use super::certificates::Certificates;
use crate::server::{Make, Recipe, RedisServer, Role};
use crate::wait_for;

/// A server with a certificate from a separate authority, for `localhost` and 127.0.0.1.
#[derive(Debug)]
pub struct Tls {
    server: RedisServer,
    asks_for_certificate: bool,
}

const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];
const AUTHORITY: &str = "ca.pem";
const CLIENT_CERTIFICATE: &str = "client.pem";
const CLIENT_KEY: &str = "client.key";

impl Tls {
    /// A host name that no test server has.
    pub const OTHER_NAME: &str = "redis.example";

    /// Starts a server that requires a client certificate. Returns `None` if no server speaks TLS.
    pub fn start() -> Option<Self> {
        Self::start_with("yes", Certificates::new(&NAMES, false))
    }

    /// Starts a server that requires no client certificate.
    pub fn start_open() -> Option<Self> {
        Self::start_with("no", Certificates::new(&NAMES, false))
    }

    /// Starts a server with a certificate for [`OTHER_NAME`](Self::OTHER_NAME), without client
    /// certificates.
    pub fn start_as_another() -> Option<Self> {
        Self::start_with("no", Certificates::new(&[Self::OTHER_NAME], false))
    }

    /// Starts a cluster with a single node, which announces its address. The certificate is only
    /// for [`OTHER_NAME`](Self::OTHER_NAME).
    pub fn start_cluster() -> Option<Self> {
        let settings = [
            "--cluster-enabled",
            "yes",
            "--tls-cluster",
            "yes",
            "--cluster-announce-ip",
            "127.0.0.1",
        ];
        let tls = Self::start_of("no", Certificates::new(&[Self::OTHER_NAME], false), &settings)?;
        let _: String = tls.server.cli(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
        wait_for("the cluster", || {
            tls.server
                .cli::<String>(&["CLUSTER", "INFO"])
                .contains("cluster_state:ok")
                .then_some(())
        });
        Some(tls)
    }

    /// Starts a server with an expired certificate, without client certificates.
    pub fn start_expired() -> Option<Self> {
        Self::start_with("no", Certificates::new(&NAMES, true))
    }

    fn start_with(auth_clients: &str, certificates: Certificates) -> Option<Self> {
        Self::start_of(auth_clients, certificates, &[])
    }

    fn start_of(auth_clients: &str, certificates: Certificates, settings: &[&str]) -> Option<Self> {
        let program = Make::Tls.program()?;
        let Certificates { authority, server: (certificate, key), client } = certificates;
        let args = [
            ["--tls-cert-file", "server.pem"],
            ["--tls-key-file", "server.key"],
            ["--tls-ca-cert-file", AUTHORITY],
            ["--tls-auth-clients", auth_clients],
        ];
        let recipe = Recipe {
            role: Role::TlsServer,
            files: vec![
                (AUTHORITY, authority),
                ("server.pem", certificate),
                ("server.key", key),
                (CLIENT_CERTIFICATE, client.0),
                (CLIENT_KEY, client.1),
            ],
            ..Recipe::server(program, &[&args.concat(), settings].concat())
        };
        Some(Self {
            server: RedisServer::prepare(recipe),
            asks_for_certificate: auth_clients == "yes",
        })
    }

    /// Returns `rediss://127.0.0.1:PORT` with everything that the server requires: `?ca=…`, and
    /// `&cert=…&key=…` for a client certificate.
    pub fn url(&self) -> String {
        let url = format!("{}?ca={}", self.bare_url(), self.authority().display());
        if !self.asks_for_certificate {
            return url;
        }
        let (certificate, key) = self.client();
        format!("{url}&cert={}&key={}", certificate.display(), key.display())
    }

    /// Returns `rediss://127.0.0.1:PORT` without parameters.
    pub fn bare_url(&self) -> String {
        format!("rediss://127.0.0.1:{}", self.server.port())
    }

    /// Returns the file of the authority that signed the server's certificate.
    pub fn authority(&self) -> PathBuf {
        self.server.directory().join(AUTHORITY)
    }

    /// Returns the files of a client's certificate and key.
    pub fn client(&self) -> (PathBuf, PathBuf) {
        let directory = self.server.directory();
        (directory.join(CLIENT_CERTIFICATE), directory.join(CLIENT_KEY))
    }

    /// Returns the server. The test reaches the server through a Unix socket.
    pub fn server(&self) -> &RedisServer {
        &self.server
    }

    /// Returns the server, so that the test can kill and restart the server.
    pub fn server_mut(&mut self) -> &mut RedisServer {
        &mut self.server
    }
}
