//! A schema without fields, for sessions whose schema the program does not know.

use crate::error::Error;
use crate::request::handle::SessionHandle;
use crate::session::record::{Changes, Values};
use crate::session::schema::Schema;

#[derive(Debug)]
pub(crate) struct Untyped;

impl Schema for Untyped {
    type Fields = SessionHandle;

    const STORED_NAMES: &'static [&'static str] = &[];

    fn fields(handle: SessionHandle) -> Self::Fields {
        handle
    }

    fn handle(fields: &Self::Fields) -> &SessionHandle {
        fields
    }

    fn load(_: &mut Values<'_>) -> Result<Self, Error> {
        Ok(Self)
    }

    fn save(_: &Self, _: &mut Changes) -> Result<(), Error> {
        Ok(())
    }
}
