//! Whether a store can be reached.

use std::fmt;

/// Whether a store can be reached, as far as is known without asking it: a value to export, such as
/// the gauge of a monitoring system.
///
/// The order is from better to worse; of several connections the worst counts.
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
    /// There is a connection, and nothing is known against it: one that falls silent is found out
    /// by an operation's deadline.
    Connected,
    /// It was lost, or was never there, and the next operation makes it, or one is making it.
    Connecting,
    /// The latest attempt at a new connection failed: operations fail at once, while attempts go
    /// on.
    Disconnected,
}

/// In lower case, as `connected`.
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
