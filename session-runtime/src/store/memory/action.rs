//! The outcome of an action, given the field's current value.

use bytes::Bytes;

use crate::store::{Action, Modified};
use crate::value::FieldValue;

/// The change of the field.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Leaves the field and the alias unchanged.
    Keep,
    Put(Bytes),
    Remove,
}

pub(super) fn evaluate(action: &Action, current: Option<Bytes>) -> (Modified, Effect) {
    match action {
        Action::Replace(value) => (Modified::Value(current), put_or_remove(value)),
        Action::GetOrSet(value) => match current {
            Some(current) => (Modified::Value(Some(current)), Effect::Keep),
            None => (Modified::Value(Some(value.clone())), Effect::Put(value.clone())),
        },
        Action::CompareAndSet { expected, or_missing, value } => {
            if current == *expected || current.is_none() && *or_missing {
                (Modified::Swapped(true), put_or_remove(value))
            } else {
                (Modified::Swapped(false), Effect::Keep)
            }
        }
        Action::AddInteger { by, default, min, max } => {
            summed(add_integer(current, *by, *default, *min, *max))
        }
        Action::AddFloat { by, default, single } => {
            summed(add_float(current, *by, *default, *single))
        }
    }
}

fn put_or_remove(value: &Option<Bytes>) -> Effect {
    value.clone().map_or(Effect::Remove, Effect::Put)
}

fn summed(sum: Result<Bytes, Modified>) -> (Modified, Effect) {
    match sum {
        Ok(sum) => (Modified::Sum(sum.clone()), Effect::Put(sum)),
        Err(failure) => (failure, Effect::Keep),
    }
}

fn add_integer(
    current: Option<Bytes>,
    by: i128,
    default: i128,
    min: i128,
    max: i128,
) -> Result<Bytes, Modified> {
    let range = min..=max;
    let current = match current {
        Some(text) => i128::decode(text)
            .ok()
            .filter(|current| range.contains(current))
            .ok_or(Modified::NotANumber)?,
        None => default,
    };
    let sum =
        current.checked_add(by).filter(|sum| range.contains(sum)).ok_or(Modified::OutOfRange)?;
    sum.encode().map_err(|_| Modified::OutOfRange)
}

fn add_float(
    current: Option<Bytes>,
    by: f64,
    default: f64,
    single: bool,
) -> Result<Bytes, Modified> {
    let current = match current {
        Some(text) if single => {
            f32::decode(text).map(f64::from).map_err(|_| Modified::NotANumber)?
        }
        Some(text) => f64::decode(text).map_err(|_| Modified::NotANumber)?,
        None if single => f64::from(rounded(default)),
        None => default,
    };
    let sum = current + by;
    let (is_finite, text) = if single {
        (rounded(sum).is_finite(), rounded(sum).encode())
    } else {
        (sum.is_finite(), sum.encode())
    };
    text.ok().filter(|_| is_finite).ok_or(Modified::OutOfRange)
}

#[allow(clippy::cast_possible_truncation, reason = "it rounds")]
fn rounded(number: f64) -> f32 {
    number as f32
}
