//! The size limits of writes.

use bytes::Bytes;

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
        self.check_lengths(changes, |_, value| value.len())
    }

    /// Checks changes whose values have other lengths in the store.
    pub(crate) fn check_lengths(
        self,
        changes: &[Change<'_>],
        length: impl Fn(&str, &Bytes) -> usize,
    ) -> Result<(), Error> {
        let mut total = 0;
        for change in changes {
            let Change::Set { field, value, .. } = change else { continue };
            let length = length(field, value);
            self.check_length(field, length)?;
            total += length;
        }
        if total > self.batch {
            let what = "the batch".to_owned();
            return Err(Error::new(Kind::TooLarge { what, size: total, limit: self.batch }));
        }
        Ok(())
    }

    /// Checks only the new value. An oversized stored value can thus be replaced by a smaller
    /// value.
    /// `length` returns the length in the store.
    pub(crate) fn check_action(
        self,
        field: &str,
        action: &Action,
        length: impl Fn(usize) -> usize,
    ) -> Result<(), Error> {
        match action {
            Action::Replace(Some(value))
            | Action::GetOrSet(value)
            | Action::CompareAndSet { value: Some(value), .. } => {
                self.check_length(field, length(value.len()))
            }
            _ => Ok(()),
        }
    }

    fn check_length(self, field: &str, size: usize) -> Result<(), Error> {
        if size > self.value {
            let what = format!("the field `{field}`");
            return Err(Error::new(Kind::TooLarge { what, size, limit: self.value }));
        }
        Ok(())
    }
}
