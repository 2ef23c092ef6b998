//! TLS: whom the store trusts, and how it shows who it is.

use std::fs;
use std::time::Duration;

use session_runtime::{Error, RedisStore};
use session_tests::deployment::Tls;

use super::{assert_serves, connect, session};

#[tokio::test]
async fn certificates_by_url_and_by_builder() {
    let Some(tls) = Tls::start() else { return };
    let store = connect(&tls.url()).await.unwrap();
    let key = session(&store).await;
    let (certificate, client_key) = tls.client();
    let built = RedisStore::builder(&tls.bare_url())
        .certificate_authority(fs::read(tls.authority()).unwrap())
        .client_certificate(fs::read(certificate).unwrap(), fs::read(client_key).unwrap());
    assert_serves(&built.connect().await.unwrap(), &key).await;
    let by_name = tls.url().replacen("127.0.0.1", "localhost", 1);
    assert_serves(&connect(&by_name).await.unwrap(), &key).await;
}

#[tokio::test]
async fn a_server_that_nobody_trusts_is_not_connected_to() {
    let (Some(tls), Some(other)) = (Tls::start_open(), Tls::start_open()) else { return };
    connect(&tls.url()).await.unwrap();
    for url in [
        tls.bare_url(),
        format!("{}?ca={}", tls.bare_url(), other.authority().display()),
        // The certificate is for other names.
        tls.url().replacen("127.0.0.1", "127.0.0.2", 1),
    ] {
        assert!(connects_soon(&url).await.unwrap_err().is_unavailable(), "{url}");
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_not_let_in() {
    let Some(tls) = Tls::start() else { return };
    let url = format!("{}?ca={}", tls.bare_url(), tls.authority().display());
    assert!(connects_soon(&url).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn tls_and_plain_text_are_not_taken_for_each_other() {
    let Some(tls) = Tls::start_open() else { return };
    let plain = tls.bare_url().replacen("rediss", "redis", 1);
    assert!(connects_soon(&plain).await.is_err());
    let server = session_tests::server::RedisServer::start();
    let url = format!("rediss://127.0.0.1:{}?ca={}", server.port(), tls.authority().display());
    assert!(connects_soon(&url).await.is_err());
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_an_error() {
    let Some(tls) = Tls::start_open() else { return };
    let (bare, authority) = (tls.bare_url(), tls.authority());
    let junk = tls.server().directory().join("junk.pem");
    fs::write(&junk, "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n").unwrap();
    for (url, says) in [
        (format!("{bare}?ca=/no/such/file"), "cannot be read"),
        (format!("{bare}?ca={}", junk.display()), "not a valid one"),
        (format!("{bare}?cert={}", junk.display()), "both"),
        (format!("redis://127.0.0.1?ca={}", authority.display()), "rediss://"),
    ] {
        let error = connect(&url).await.unwrap_err();
        assert!(error.is_config() && error.to_string().contains(says), "{error}");
    }
}

async fn connects_soon(url: &str) -> Result<RedisStore, Error> {
    RedisStore::builder(url).timeout(Duration::from_secs(2)).connect().await
}
