//! A server that speaks TLS alone.

use std::path::PathBuf;

use super::certificates::Certificates;
use crate::server::{Make, Recipe, RedisServer, Role};
use crate::wait_for;

/// A server with a certificate of its own authority, for `localhost` and 127.0.0.1.
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
    /// A host that no server of a test has.
    pub const OTHER_NAME: &str = "redis.example";

    /// One that lets nobody in without a client's certificate. Nothing where no server speaks TLS.
    pub fn start() -> Option<Self> {
        Self::start_with("yes", Certificates::new(&NAMES, false))
    }

    /// One that does not ask for a client's certificate.
    pub fn start_open() -> Option<Self> {
        Self::start_with("no", Certificates::new(&NAMES, false))
    }

    /// The same with a certificate for [`OTHER_NAME`](Self::OTHER_NAME).
    pub fn start_as_another() -> Option<Self> {
        Self::start_with("no", Certificates::new(&[Self::OTHER_NAME], false))
    }

    /// A cluster of one node, which tells its address, with a certificate for
    /// [`OTHER_NAME`](Self::OTHER_NAME) alone.
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

    /// The same with a certificate that has expired.
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

    /// `rediss://127.0.0.1:PORT` with all that the server asks for: `?ca=…`, and `&cert=…&key=…` if
    /// it wants a client's certificate.
    pub fn url(&self) -> String {
        let url = format!("{}?ca={}", self.bare_url(), self.authority().display());
        if !self.asks_for_certificate {
            return url;
        }
        let (certificate, key) = self.client();
        format!("{url}&cert={}&key={}", certificate.display(), key.display())
    }

    /// `rediss://127.0.0.1:PORT` alone.
    pub fn bare_url(&self) -> String {
        format!("rediss://127.0.0.1:{}", self.server.port())
    }

    /// The file of the authority that signed the server's certificate.
    pub fn authority(&self) -> PathBuf {
        self.server.directory().join(AUTHORITY)
    }

    /// The files of a client's certificate and its key.
    pub fn client(&self) -> (PathBuf, PathBuf) {
        let directory = self.server.directory();
        (directory.join(CLIENT_CERTIFICATE), directory.join(CLIENT_KEY))
    }

    /// The server, which the test reaches by its unix socket.
    pub fn server(&self) -> &RedisServer {
        &self.server
    }

    /// The server, to be killed and started again.
    pub fn server_mut(&mut self) -> &mut RedisServer {
        &mut self.server
    }
}
