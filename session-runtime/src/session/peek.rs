//! A look at a session that does not count as use.

use crate::error::Error;
use crate::id::SessionId;
use crate::request::encrypted::Answer;
use crate::request::manager::Manager;
use crate::session::record::Values;
use crate::session::schema::Schema;
use crate::store::{Lookup, PERMANENT_FIELD, Refresh, SessionKey};

/// Returns the session's data, or `None` if no live session has this id.
pub(crate) async fn peek<S: Schema>(manager: &Manager, id: SessionId) -> Result<Option<S>, Error> {
    let metadata = manager.metadata(id);
    if !metadata.is_plausible(manager.now()) {
        return Ok(None);
    }
    let mut names = S::READ_NAMES.to_vec();
    names.push(PERMANENT_FIELD);
    let found = match manager.store().get_many(&metadata.key, &names, Refresh::No).await? {
        Lookup::Found(values) => values,
        Lookup::Missing | Lookup::Dead => return Ok(None),
    };
    // Without a refresh, a missing key may look like an empty session. A value of the permanent
    // field, or of any other field, proves that the session exists. Only a session of another
    // program may have no values.
    if found.iter().all(Option::is_none) && !is_live(manager, &metadata.key).await? {
        return Ok(None);
    }
    let answer = Answer { value: found, session: Some(metadata) };
    S::load(&mut Values::new(manager, answer)).map(Some)
}

async fn is_live(manager: &Manager, key: &SessionKey) -> Result<bool, Error> {
    Ok(matches!(manager.store().expires_in(key).await?, Lookup::Found(_)))
}
