//! The text of an id in a cookie of the package.

use std::time::SystemTime;

use crate::id::SessionId;
use crate::id::python::PythonId;

/// Returns the text of this id for a cookie of the package. The package builds keys from the
/// unchanged text, so a native id includes the braces of its key.
pub(crate) fn text_of(id: &SessionId) -> String {
    if let Some(python) = id.python() {
        return python.id().to_owned();
    }
    let (tag, rest) = id.expose_secret().split_at(SessionId::TAG_LEN);
    format!("{{{tag}}}{rest}")
}

/// Returns the signing time of a cookie for this id. For a session of Python, the signing time is
/// the only record of the creation time.
pub(crate) fn signing_time(id: &SessionId, now: SystemTime) -> SystemTime {
    id.python().map_or(now, PythonId::created_at)
}

/// Returns the id for the text in a cookie that was signed at `signed_at`.
pub(crate) fn id_of(text: &[u8], signed_at: SystemTime) -> Option<SessionId> {
    let Some(text) = text.strip_prefix(b"{") else {
        return PythonId::new(text, signed_at).map(SessionId::of_python);
    };
    let (tag, rest) = text.split_at_checked(SessionId::TAG_LEN)?;
    let id = SessionId::from_ascii(&[tag, rest.strip_prefix(b"}")?].concat())?;
    id.python().is_none().then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionKey;
    use crate::id::python::tests::{NOW, PYTHON, native, python};
    use crate::id::python::time_of;

    #[test]
    fn keys_match_the_python_package() {
        for id in [python(), native()] {
            let key = SessionKey::new("redis", &id);
            assert_eq!(key.expose_secret(), format!("redis:sessions:{}", text_of(&id)));
            assert_eq!(key.prefix(), "redis:sessions:");
            assert_eq!(id_of(text_of(&id).as_bytes(), time_of(NOW)), Some(id));
        }
    }

    #[test]
    fn text_in_braces_is_no_python_id() {
        let (tag, rest) = PYTHON.split_at(SessionId::TAG_LEN);
        assert_eq!(id_of(format!("{{{tag}}}{rest}.{NOW}").as_bytes(), time_of(NOW)), None);
    }
}
