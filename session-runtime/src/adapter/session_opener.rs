//! The work that all adapters share.

use crate::error::Error;
use crate::request::handle::SessionHandle;
use crate::session::sessions::Sessions;

/// Opens the session of each request.
#[derive(Clone, Debug)]
pub(super) struct SessionOpener {
    sessions: Sessions,
    allows_degraded: bool,
    allows_cross_site: bool,
    begins_with_token: bool,
    requires_same_origin: bool,
}

impl SessionOpener {
    pub(super) fn new(sessions: Sessions) -> Self {
        Self {
            sessions,
            allows_degraded: false,
            allows_cross_site: false,
            begins_with_token: false,
            requires_same_origin: false,
        }
    }

    pub(super) fn allow_degraded(self) -> Self {
        Self { allows_degraded: true, ..self }
    }

    pub(super) fn allow_cross_site(self) -> Self {
        Self { allows_cross_site: true, ..self }
    }

    pub(super) fn bearer(self) -> Self {
        self.sessions.manager().warn_without_tokens();
        Self { begins_with_token: true, ..self }
    }

    pub(super) fn require_same_origin(self) -> Self {
        Self { requires_same_origin: true, ..self }
    }

    /// Carries out the same-origin check, if this layer requires it.
    #[inline]
    pub(super) fn check(&self, check: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        if self.requires_same_origin { check() } else { Ok(()) }
    }

    /// Returns the opener for a worker, which has its own runtime.
    #[cfg(feature = "actix")]
    pub(super) fn for_current_runtime(&self) -> Self {
        Self { sessions: self.sessions.for_current_runtime(), ..*self }
    }

    /// Enters the layer. `outer` is the handle from an outer layer, which may belong to another
    /// manager. `open` opens the session, unless an outer layer belongs to this manager.
    #[inline]
    pub(super) fn enter(
        &self,
        outer: Option<SessionHandle>,
        open: impl FnOnce(&Sessions) -> SessionHandle,
    ) -> Entered {
        let found = outer.as_ref().and_then(|outer| outer.find(self.sessions.manager()));
        let is_opened = found.is_none();
        let handle = found.unwrap_or_else(|| {
            let opened = open(&self.sessions);
            match &outer {
                Some(outer) => opened.nested_in(outer),
                None => opened,
            }
        });
        if self.allows_degraded {
            handle.allow_degraded();
        }
        if self.allows_cross_site {
            handle.allow_cross_site();
        }
        if self.begins_with_token {
            handle.bearer();
        }
        Entered { handle, is_opened }
    }
}

/// The session of a request inside a layer.
pub(super) struct Entered {
    pub(super) handle: SessionHandle,
    /// This layer has opened the session, and finishes it.
    pub(super) is_opened: bool,
}
