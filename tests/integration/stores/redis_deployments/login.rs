//! A user without a password must not become `default`, because that user has all permissions.

use session_tests::deployment::{Cluster, Sentinel};
use session_tests::server::RedisServer;

use super::{assert_serves, connect, session};

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_lets_in_the_user_of_the_url_alone() {
    let cluster = Cluster::start();
    let url = |user: &str| cluster.url().replacen("://", &format!("://{user}@"), 1);
    assert_is_refused(&url("nobody")).await;
    cluster.nodes().iter().for_each(let_in);
    let store = connect(&url("app:")).await.unwrap();
    assert_serves(&store, &session(&store).await).await;
    for master in cluster.masters() {
        assert_serves_only_app(&cluster.nodes()[master]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_of_sentinels_lets_in_the_user_of_the_url_alone() {
    let deployment = Sentinel::start();
    let url = |user: &str| deployment.url().replacen("://", &format!("://{user}@"), 1);
    assert_is_refused(&url("nobody")).await;
    assert_is_refused(&format!("{}?sentinel_user=nobody", deployment.url())).await;
    deployment.nodes().iter().for_each(let_in);
    let store = connect(&url("app")).await.unwrap();
    assert_serves(&store, &session(&store).await).await;
    assert_serves_only_app(&deployment.nodes()[deployment.master()]);
}

async fn assert_is_refused(url: &str) {
    let refused = connect(url).await.unwrap_err();
    assert!(
        refused.is_config() && refused.to_string().contains("the user or the password"),
        "{refused}"
    );
}

fn let_in(node: &RedisServer) {
    let _: String = node.cli(&["ACL", "SETUSER", "app", "on", "nopass", "~*", "+@all"]);
}

/// Checks that all commands of this library came from the user `app`.
fn assert_serves_only_app(node: &RedisServer) {
    let clients: String = node.cli(&["CLIENT", "LIST"]);
    let ours = || clients.lines().filter(|client| client.contains("lib-name=session-runtime"));
    let is_app = |client: &str| client.contains(" user=app ");
    // Redis before 7.2 does not report the name of the library.
    assert!(ours().all(is_app) && clients.lines().any(is_app), "{clients}");
}
