//! The settings of a layer.

use std::sync::Arc;

use super::former::FormerSessions;

/// The settings of a layer.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) prefix: Arc<str>,
    /// The field with the user of axum-login.
    pub(super) login_field: Option<&'static str>,
    pub(super) former: Option<FormerSessions>,
}
