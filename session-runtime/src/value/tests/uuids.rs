//! The type of `uuid`.

use proptest::prelude::*;
use uuid::Uuid;

use super::{pinned, reads, refuses};
use crate::value::FieldValue;

const ID: Uuid = Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);

#[test]
fn uuids_are_pinned() {
    pinned(ID, "67e55044-10b1-426f-9247-bb680e5fe0c8");
    pinned(Uuid::nil(), "00000000-0000-0000-0000-000000000000");
    reads("67E5504410B1426F9247BB680E5FE0C8", ID);
    reads("urn:uuid:67e55044-10b1-426f-9247-bb680e5fe0c8", ID);
    refuses::<Uuid>(&["", "67e55044", " 67e55044-10b1-426f-9247-bb680e5fe0c8", "None"]);
}

proptest! {
    #[test]
    fn a_uuid_comes_back(bits: u128) {
        let id = Uuid::from_u128(bits);
        prop_assert_eq!(Uuid::decode(id.encode().unwrap()).unwrap(), id);
    }
}
