//! Expiries as arguments of commands.

use std::time::Duration;

use redis::Cmd;

use crate::store::SessionKey;
use crate::store::redis::protocol::command::command_of;

/// Returns the command that lets a key expire after this time.
pub(super) fn expire_command(key: &SessionKey, expires_in: Duration) -> Cmd {
    let lifetime = milliseconds(expires_in);
    command_of(&["PEXPIRE", key.expose_secret(), itoa::Buffer::new().format(lifetime)])
}

/// Returns a field's lifetime, like [`milliseconds`] but with a smaller maximum. Redis limits
/// expiries of fields to the year 4199.
pub(super) fn field_milliseconds(duration: Duration) -> u64 {
    const MOST: u64 = 1 << 45;
    milliseconds(duration).min(MOST)
}

/// Returns at least 1, because an expiry of zero would delete the session. Returns at most the
/// largest lifetime that the server's clock supports.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    const MOST: u64 = 1 << 50;
    u64::try_from(duration.as_millis()).unwrap_or(MOST).clamp(1, MOST)
}
