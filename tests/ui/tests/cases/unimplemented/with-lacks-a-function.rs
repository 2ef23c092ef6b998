#[derive(session_runtime::Session)]
struct Visitor {
    #[session(with = codec)]
    count: u64,
}
mod codec {
    use session_runtime::{Bytes, InvalidValue};
    pub(super) fn decode(_: Bytes) -> Result<u64, InvalidValue> {
        Ok(0)
    }
}
fn main() {}
