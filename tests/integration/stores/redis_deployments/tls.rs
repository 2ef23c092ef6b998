//! TLS: certificates of the server and of the client.

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
async fn an_untrusted_server_is_refused_with_the_reason() {
    let (Some(tls), Some(other)) = (Tls::start_open(), Tls::start_open()) else { return };
    let (Some(renamed), Some(expired)) = (Tls::start_as_another(), Tls::start_expired()) else {
        return;
    };
    connect(&tls.url()).await.unwrap();
    for (url, says) in [
        (tls.bare_url(), "an authority that is not trusted"),
        (
            format!("{}?ca={}", tls.bare_url(), other.authority().display()),
            "an authority that is not trusted",
        ),
        (renamed.url(), "for another host name: set this name with `server_name=HOST`"),
        (format!("{}&server_name=another.example", renamed.url()), "for another host name"),
        (expired.url(), "has expired"),
    ] {
        assert_misconfigured(&url, says).await;
    }
}

#[tokio::test]
async fn a_server_is_reached_by_address_and_verified_by_the_certificate_name() {
    let Some(tls) = Tls::start_as_another() else { return };
    let store = connect(&format!("{}&server_name={}", tls.url(), Tls::OTHER_NAME)).await.unwrap();
    let key = session(&store).await;
    let authority = fs::read(tls.authority()).unwrap();
    let built = RedisStore::builder(&tls.bare_url()).certificate_authority(authority);
    assert_serves(&built.server_name(Tls::OTHER_NAME).connect().await.unwrap(), &key).await;
    // Messages show the address.
    assert!(
        format!("{store:?}").contains(&format!("127.0.0.1:{}", tls.server().port())),
        "{store:?}"
    );
}

/// Both the node in the URL and the nodes in the slot map have this certificate.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_announce_addresses_are_verified_by_the_certificate_name() {
    let Some(tls) = Tls::start_cluster() else { return };
    for host in ["127.0.0.1", "localhost"] {
        let url = tls.url().replacen("rediss://127.0.0.1", &format!("rediss+cluster://{host}"), 1);
        assert_misconfigured(&url, "for another host name").await;
        let store = connect(&format!("{url}&server_name={}", Tls::OTHER_NAME)).await.unwrap();
        let key = session(&store).await;
        assert_serves(&store, &key).await;
    }
}

#[tokio::test]
async fn an_untrusted_client_is_refused_with_the_reason() {
    let (Some(tls), Some(other)) = (Tls::start(), Tls::start()) else { return };
    let url = format!("{}?ca={}", tls.bare_url(), tls.authority().display());
    assert_misconfigured(&url, "a client certificate").await;
    let (certificate, key) = other.client();
    let of_another = format!("{url}&cert={}&key={}", certificate.display(), key.display());
    assert_misconfigured(&of_another, "refused the client certificate").await;
    let of_two = format!("{url}&cert={}&key={}", certificate.display(), tls.client().1.display());
    assert_misconfigured(&of_two, "do not match").await;
}

#[tokio::test]
async fn tls_and_plain_text_are_not_confused() {
    let Some(tls) = Tls::start_open() else { return };
    let server = session_tests::server::RedisServer::start();
    let url = format!("rediss://127.0.0.1:{}?ca={}", server.port(), tls.authority().display());
    assert_misconfigured(&url, "does not use TLS").await;
    let of_cluster = url.replacen("://", "+cluster://", 1);
    assert_misconfigured(&of_cluster, "does not use TLS").await;
    // Without TLS, nothing proves the cause.
    let plain = tls.bare_url().replacen("rediss", "redis", 1);
    let error = connects_soon(&plain).await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("rediss://"), "{error}");
}

async fn assert_misconfigured(url: &str, says: &str) {
    let error = connects_soon(url).await.unwrap_err();
    assert!(error.is_config() && error.to_string().contains(says), "{url}: {error}");
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_an_error() {
    let Some(tls) = Tls::start_open() else { return };
    let (bare, authority) = (tls.bare_url(), tls.authority());
    let junk = tls.server().directory().join("junk.pem");
    fs::write(&junk, "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n").unwrap();
    for (url, says) in [
        (format!("{bare}?ca=/no/such/file"), "cannot read"),
        (format!("{bare}?ca={}", junk.display()), "not in PEM format"),
        (format!("{bare}?cert={}", junk.display()), "both"),
        (format!("redis://127.0.0.1?ca={}", authority.display()), "rediss://"),
        ("redis://127.0.0.1?server_name=redis.example".to_owned(), "rediss://"),
        (format!("{bare}?server_name=not%20a%20host"), "is not a valid host name"),
        (format!("{bare}?server_name="), "is not a valid host name"),
    ] {
        let error = connect(&url).await.unwrap_err();
        assert!(error.is_config() && error.to_string().contains(says), "{error}");
    }
}

async fn connects_soon(url: &str) -> Result<RedisStore, Error> {
    RedisStore::builder(url).timeout(Duration::from_secs(2)).connect().await
}
