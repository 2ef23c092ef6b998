//! Numbers that can be incremented and decremented.

use crate::store::Action;

/// A number that [`Field::incr`](crate::Field::incr) can add to: an integer of up to 64 bits, `f32`
/// or `f64`.
#[diagnostic::on_unimplemented(
    message = "a session field of type `{Self}` cannot be incremented",
    label = "not a number that can be incremented",
    note = "`incr` and `decr` exist for integers of up to 64 bits, `f32` and `f64`; for other \
            types use `update`"
)]
pub trait Increment: Copy {
    #[doc(hidden)]
    fn add(by: Self, default: Self) -> Action;

    #[doc(hidden)]
    fn subtract(by: Self, default: Self) -> Action;
}

macro_rules! integers {
    ($($type:ty),* $(,)?) => {$(
        // No type here has more than 64 bits, so nothing is lost in 128 bits.
        impl Increment for $type {
            fn add(by: Self, default: Self) -> Action {
                let (by, default) = (by as i128, default as i128);
                Action::AddInteger { by, default, min: Self::MIN as i128, max: Self::MAX as i128 }
            }

            fn subtract(by: Self, default: Self) -> Action {
                let (by, default) = (-(by as i128), default as i128);
                Action::AddInteger { by, default, min: Self::MIN as i128, max: Self::MAX as i128 }
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl Increment for f64 {
    fn add(by: Self, default: Self) -> Action {
        Action::AddFloat { by, default, single: false }
    }

    fn subtract(by: Self, default: Self) -> Action {
        Increment::add(-by, default)
    }
}

impl Increment for f32 {
    fn add(by: Self, default: Self) -> Action {
        Action::AddFloat { by: by.into(), default: default.into(), single: true }
    }

    fn subtract(by: Self, default: Self) -> Action {
        Increment::add(-by, default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_counted_up_and_down() {
        let counted = |action| match action {
            Action::AddFloat { by, default, single } => (by, default, single),
            _ => panic!("it is counted"),
        };
        assert_eq!(counted(Increment::add(1.5f64, 0.25)), (1.5, 0.25, false));
        assert_eq!(counted(Increment::subtract(1.5f64, 0.25)), (-1.5, 0.25, false));
        assert_eq!(counted(Increment::add(1.5f32, 0.25)), (1.5, 0.25, true));
        assert_eq!(counted(Increment::subtract(1.5f32, 0.25)), (-1.5, 0.25, true));
    }
}
