//! The state of a store's connections.

use std::fmt;

/// The state of a store's connections, as far as known without a request. You can export the state,
/// for example as a gauge of your monitoring system.
///
/// The states are ordered from best to worst. If there are several connections, the worst state
/// counts.
///
/// # Examples
///
/// ```
/// use session_runtime::store::ConnectionState;
///
/// let of_two_connections = ConnectionState::Connected.max(ConnectionState::Connecting);
/// assert_eq!(of_two_connections.to_string(), "connecting");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ConnectionState {
    /// The connection is open, and no failure is known. A silent connection is only noticed at the
    /// deadline of an operation.
    Connected,
    /// The connection was lost or not opened yet. An operation is opening a connection, or the next
    /// operation will.
    Connecting,
    /// The latest attempt to connect failed. Operations fail at once while further attempts are
    /// made.
    Disconnected,
}

/// Writes the state in lower case, such as `connected`.
impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connected => "connected",
            Self::Connecting => "connecting",
            Self::Disconnected => "disconnected",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ConnectionState::{Connected, Connecting, Disconnected};

    #[test]
    fn states_are_shown_in_lower_case() {
        let shown = [Connected, Connecting, Disconnected].map(|state| state.to_string());
        assert_eq!(shown, ["connected", "connecting", "disconnected"]);
    }
}
