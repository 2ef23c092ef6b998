use session_runtime::{Bytes, FieldValue, InvalidValue, Session};
struct Theme;
impl FieldValue for Theme {
    fn decode(_: Bytes) -> Result<Self, InvalidValue> { Ok(Self) }
    fn encode(&self) -> Result<Bytes, InvalidValue> { Ok(Bytes::new()) }
}
#[derive(Session)]
struct Visitor {
    theme: Theme,
}
fn main() {}
