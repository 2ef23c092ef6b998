#[derive(session_runtime::Session)]
struct Visitor {
    #[session(with = codec)]
    count: u64,
}
mod codec {
    use session_runtime::{Bytes, FieldValue, InvalidValue};
    pub(super) fn decode(_: Bytes) -> Result<u32, InvalidValue> { Ok(0) }
    pub(super) fn encode(count: &u64) -> Result<Bytes, InvalidValue> { count.encode() }
}
fn main() {}
