//! Cost of an operation on a live session without a network, and the additional cost of JSON.

use std::rc::Rc;

use tokio::runtime::Runtime;

use crate::group::{Case, Group};
use crate::visitor::{Properties, Visit};

pub(crate) fn groups(runtime: &Rc<Runtime>) -> Vec<Group> {
    let visit = runtime.block_on(Visit::begin("memory:"));
    let live = || runtime.block_on(visit.live());

    let session = live();
    let get = Case::new("ours", runtime, async move || session.count().await.unwrap());
    let session = live();
    let set = Case::new("ours", runtime, async move || session.set_count(12_345).await.unwrap());
    let session = live();
    let get_json = Case::new("ours", runtime, async move || session.properties().await.unwrap());
    let (session, properties) = (live(), Properties::sample());
    let set_json = Case::new("ours", runtime, async move || {
        session.set_properties(&properties).await.unwrap()
    });

    let sample = Properties::sample();
    let text = serde_json::to_vec(&sample).unwrap();
    let parse = Case::on(
        "serde_json alone",
        || (),
        move |()| serde_json::from_slice::<Properties>(&text).unwrap(),
    );
    let print = Case::on("serde_json alone", || (), move |()| serde_json::to_vec(&sample).unwrap());
    vec![
        Group::new("further read on memory, u64", [get]),
        Group::new("further read on memory, JSON", [get_json, parse]),
        Group::new("write on memory, u64", [set]),
        Group::new("write on memory, JSON", [set_json, print]),
    ]
}
