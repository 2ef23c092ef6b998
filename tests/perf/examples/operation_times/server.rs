//! A read and a write on a real server, beside the same commands by hand.

use session_runtime::SessionId;

use crate::by_hand::ByHand;
use crate::group::{Case, Group};
use crate::visitor::{Visit, read_once};
use crate::world::World;

pub(crate) fn groups(world: &World) -> Vec<Group> {
    let (runtime, url) = (&world.runtime, world.server.url());
    let visit = runtime.block_on(Visit::begin(&url));
    let id = SessionId::parse(&visit.signed[..40]).unwrap();
    let by_hand = runtime.block_on(ByHand::begin(&url, &id));
    let (live, hand) = (|| runtime.block_on(visit.live()), || by_hand.clone());

    let (sessions, header) = (visit.sessions.clone(), visit.header());
    let first = Case::new("ours", runtime, async move || read_once(&sessions, [&header[..]]).await);
    let mut session = hand();
    let first_by_hand = Case::new("HGET PEXPIRE, a cookie verified", runtime, async move || {
        session.read_request().await
    });
    let mut session = hand();
    let first_alone =
        Case::new("HGET PEXPIRE", runtime, async move || session.read_and_refresh().await);

    let session = live();
    let further = Case::new("ours", runtime, async move || session.count().await.unwrap());
    let mut session = hand();
    let further_by_hand = Case::new("HGET", runtime, async move || session.read().await);

    let session = live();
    let write = Case::new("ours", runtime, async move || session.set_count(12_345).await.unwrap());
    let mut session = hand();
    let write_guarded =
        Case::new("the same EVALSHA", runtime, async move || session.write_guarded(12_345).await);
    let mut session = hand();
    let write_plain =
        Case::new("MULTI HSET PEXPIRE", runtime, async move || session.write_plain(12_345).await);
    vec![
        Group::new("first read on Redis", [first, first_by_hand, first_alone]),
        Group::new("further read on Redis", [further, further_by_hand]),
        Group::new("write on Redis", [write, write_guarded, write_plain]),
    ]
}
