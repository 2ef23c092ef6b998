//! Cost of encoding and decoding a value.

use std::any::type_name;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZero;

use session_runtime::__private::Stored;
use session_runtime::Bytes;

use crate::group::{Case, Group};

pub(crate) fn groups() -> Vec<Group> {
    let kinds = [
        kind(12_345_u64),
        kind(u64::MAX),
        kind(i128::MIN),
        kind(0.1_f64),
        kind(true),
        kind("twenty bytes of text".to_owned()),
        kind(vec![7_u8; 64]),
        kind(Bytes::from(vec![7_u8; 64])),
        kind(Some(12_345_u32)),
        kind('ß'),
        kind(NonZero::<u32>::MAX),
        kind(IpAddr::V4(Ipv4Addr::LOCALHOST)),
    ];
    kinds.into_iter().flatten().collect()
}

fn kind<T: Stored + Clone + Debug + PartialEq>(value: T) -> [Group; 2] {
    let stored = value.encode_stored().unwrap().unwrap();
    assert_eq!(T::decode_stored(stored.clone()).unwrap(), value);
    let what = format!("{}, {} bytes", type_name::<T>().rsplit("::").next().unwrap(), stored.len());
    // A separate buffer, as in a server's reply.
    let reply = move || Bytes::from(stored.to_vec());
    [
        Group::new(
            format!("encode {what}"),
            [Case::on("ours", move || value.clone(), |value| value.encode_stored())],
        ),
        Group::new(format!("decode {what}"), [Case::on("ours", reply, T::decode_stored)]),
    ]
}
