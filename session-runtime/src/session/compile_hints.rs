//! Hints at compile time, for mistakes that the compiler would explain badly.
//!
//! Each hint is an impl or a method with a bound on a trait that nothing implements. The trait's
//! message explains the mistake. None of these can be called. Some of the traits have a lifetime,
//! so that the compiler checks the bound at the caller and not here.

use std::cmp::Ordering;
use std::fmt;

#[cfg(not(feature = "blocking"))]
use crate::operation::Operation;
use crate::session::field::Field;
#[cfg(any(not(feature = "actix"), not(feature = "tower")))]
use crate::session::sessions::Sessions;

/// Reports a field that is compared or printed before it is awaited. The compiler shows only the
/// trait's name in that message.
pub trait AwaitedBeforeUse {}

#[doc(hidden)]
impl<T: 'static, F> fmt::Display for Field<'_, T, F>
where
    Self: AwaitedBeforeUse,
{
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

#[doc(hidden)]
impl<T: 'static, F, U> PartialEq<U> for Field<'_, T, F>
where
    Self: AwaitedBeforeUse,
{
    fn eq(&self, _: &U) -> bool {
        false
    }
}

#[doc(hidden)]
impl<T: 'static, F, U> PartialOrd<U> for Field<'_, T, F>
where
    Self: AwaitedBeforeUse,
{
    fn partial_cmp(&self, _: &U) -> Option<Ordering> {
        None
    }
}

#[cfg(not(feature = "blocking"))]
#[diagnostic::on_unimplemented(
    message = "`wait` needs the feature `blocking` of `session-runtime`",
    label = "add the feature, or await the operation",
    note = "session-runtime = {{ version = \"…\", features = [\"blocking\"] }}"
)]
pub trait FeatureBlocking {}

#[cfg(not(feature = "blocking"))]
impl<T: 'static, F> Field<'_, T, F> {
    #[doc(hidden)]
    pub fn wait(self)
    where
        Self: FeatureBlocking,
    {
    }
}

#[cfg(not(feature = "blocking"))]
impl<T> Operation<'_, T> {
    #[doc(hidden)]
    pub fn wait(self)
    where
        Self: FeatureBlocking,
    {
    }
}

#[cfg(not(feature = "tower"))]
#[diagnostic::on_unimplemented(
    message = "`layer` needs one of the features `axum`, `poem` and `tower` of `session-runtime`",
    label = "add the feature of your web framework",
    note = "session-runtime = {{ version = \"…\", features = [\"axum\"] }}"
)]
pub trait FeatureTower<'a> {}

#[cfg(not(feature = "tower"))]
impl Sessions {
    #[doc(hidden)]
    pub fn layer(&self)
    where
        for<'a> Self: FeatureTower<'a>,
    {
    }
}

#[cfg(not(feature = "actix"))]
#[diagnostic::on_unimplemented(
    message = "`middleware` needs the feature `actix` of `session-runtime`",
    label = "add the feature, or call `layer` for other web frameworks",
    note = "session-runtime = {{ version = \"…\", features = [\"actix\"] }}"
)]
pub trait FeatureActix<'a> {}

#[cfg(not(feature = "actix"))]
impl Sessions {
    #[doc(hidden)]
    pub fn middleware(&self)
    where
        for<'a> Self: FeatureActix<'a>,
    {
    }
}
