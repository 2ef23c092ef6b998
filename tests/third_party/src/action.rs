//! The result of an action on a field with a given value.

use session_runtime::store::{Action, Modified};
use session_runtime::{Bytes, FieldValue};

/// Returns the result of an action, and the new value of the field if the action changes it. A new
/// value of `None` removes the field.
pub(crate) fn carry_out(action: &Action, held: Option<Bytes>) -> (Modified, Option<Option<Bytes>>) {
    match action {
        Action::Replace(value) => (Modified::Value(held), Some(value.clone())),
        Action::GetOrSet(value) if held.is_none() => {
            (Modified::Value(Some(value.clone())), Some(Some(value.clone())))
        }
        Action::GetOrSet(_) => (Modified::Value(held), None),
        Action::CompareAndSet { expected, or_missing, value } => {
            let swaps = held == *expected || held.is_none() && *or_missing;
            (Modified::Swapped(swaps), swaps.then(|| value.clone()))
        }
        Action::AddInteger { by, default, min, max } => {
            let range = min..=max;
            let held = match held.map(i128::decode) {
                None => *default,
                Some(Ok(held)) if range.contains(&&held) => held,
                Some(_) => return (Modified::NotANumber, None),
            };
            let sum = held.checked_add(*by).filter(|sum| range.contains(&sum));
            summed(sum.and_then(|sum| sum.encode().ok()))
        }
        Action::AddFloat { by, default, single: false } => {
            match held.map_or(Ok(*default), f64::decode) {
                Ok(held) => {
                    let sum = held + by;
                    summed(sum.encode().ok().filter(|_| sum.is_finite()))
                }
                Err(_) => (Modified::NotANumber, None),
            }
        }
        Action::AddFloat { by, default, single: true } => {
            match held.map_or(Ok(rounded(*default)), f32::decode) {
                Ok(held) => {
                    let sum = rounded(f64::from(held) + by);
                    summed(sum.encode().ok().filter(|_| sum.is_finite()))
                }
                Err(_) => (Modified::NotANumber, None),
            }
        }
    }
}

fn summed(sum: Option<Bytes>) -> (Modified, Option<Option<Bytes>>) {
    match sum {
        Some(sum) => (Modified::Sum(sum.clone()), Some(Some(sum))),
        None => (Modified::OutOfRange, None),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "it rounds")]
fn rounded(number: f64) -> f32 {
    number as f32
}
