//! The size limits of writes.

use crate::error::{Error, Kind};
use crate::store::{Action, Change};

/// The maximum number of bytes of a value, and of all values in a write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SizeLimits {
    pub(crate) value: usize,
    pub(crate) batch: usize,
}

impl SizeLimits {
    pub(crate) fn check_changes(self, changes: &[Change<'_>]) -> Result<(), Error> {
        let mut total = 0;
        for change in changes {
            let Change::Set { field, value, .. } = change else { continue };
            self.check_value(field, value)?;
            total += value.len();
        }
        if total > self.batch {
            let what = "the batch".to_owned();
            return Err(Error::new(Kind::TooLarge { what, size: total, limit: self.batch }));
        }
        Ok(())
    }

    /// Checks only the new value. An oversized stored value can thus be replaced by a smaller
    /// value.
    pub(crate) fn check_action(self, field: &str, action: &Action) -> Result<(), Error> {
        match action {
            Action::Replace(Some(value))
            | Action::GetOrSet(value)
            | Action::CompareAndSet { value: Some(value), .. } => self.check_value(field, value),
            _ => Ok(()),
        }
    }

    pub(crate) fn check_value(self, field: &str, value: &[u8]) -> Result<(), Error> {
        if value.len() > self.value {
            let what = format!("the field `{field}`");
            return Err(Error::new(Kind::TooLarge { what, size: value.len(), limit: self.value }));
        }
        Ok(())
    }
}
