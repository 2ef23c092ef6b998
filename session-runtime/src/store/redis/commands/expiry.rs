//! Expiries in commands.

use std::time::Duration;

use redis::Cmd;

use crate::store::SessionKey;
use crate::store::redis::protocol::command::command_of;

/// Lets a key expire that long from now.
pub(super) fn expire_command(key: &SessionKey, expires_in: Duration) -> Cmd {
    let lifetime = milliseconds(expires_in);
    command_of(&["PEXPIRE", key.expose_secret(), itoa::Buffer::new().format(lifetime)])
}

/// As [`milliseconds`], for a field's own expiry: those end sooner, in the year 4199.
pub(super) fn field_milliseconds(duration: Duration) -> u64 {
    const MOST: u64 = 1 << 45;
    milliseconds(duration).min(MOST)
}

/// At least one: an expiry of zero would delete the session. At most what the server's clock can
/// carry.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    const MOST: u64 = 1 << 50;
    u64::try_from(duration.as_millis()).unwrap_or(MOST).clamp(1, MOST)
}
