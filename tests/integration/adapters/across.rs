//! One session under two frameworks.

use session_tests::acceptance::{Adapter, Script, World};
use session_tests::cookies::id_of;

async fn goes_on_under_the_other_framework_and_back(world: World) {
    let axum = world.app().await;
    let world = world.with_adapter(Adapter::Actix);
    let actix = world.app().await;
    let mut client = axum.client();
    client.run(Script::new().set("count", 1)).await;
    let id = id_of(&client.credential());
    client.move_to(&actix);
    let reply = client.run(Script::new().get("count").set("count", 2).set("name", "Ada")).await;
    assert_eq!((&reply.values()[0], reply.issued().len()), (&1.into(), 0));
    client.move_to(&axum);
    assert_eq!(
        client.run(Script::new().get("count").get("name")).await.values(),
        [2.into(), serde_json::json!("Ada")]
    );
    assert_eq!(id_of(&client.credential()), id);
    client.move_to(&actix);
    client.run(Script::new().rotate()).await.values();
    client.move_to(&axum);
    assert_eq!(client.run(Script::new().get("count")).await.values(), [2], "under the new id, too");
    client.run(Script::new().destroy()).await.values();
    assert_eq!(client.credential(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_created_on_axum_works_on_actix_and_back_over_memory() {
    goes_on_under_the_other_framework_and_back(World::memory().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_created_on_axum_works_on_actix_and_back_over_redis() {
    goes_on_under_the_other_framework_and_back(World::redis().await).await;
}
