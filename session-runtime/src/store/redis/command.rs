//! How commands are put together.

use std::time::Duration;

use redis::Cmd;

use crate::store::SessionKey;

pub(super) fn command_of(words: &[&str]) -> Cmd {
    begin_command(words, Room::default())
}

/// How much is still to be added to a command.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Room {
    pub(super) words: usize,
    pub(super) bytes: usize,
}

/// A command's first words, with room for more.
pub(super) fn begin_command(words: &[&str], room: Room) -> Cmd {
    let bytes: usize = words.iter().map(|word| word.len()).sum();
    let mut command = Cmd::with_capacity(words.len() + room.words, bytes + room.bytes);
    for word in words {
        command.arg(word);
    }
    command
}

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

/// At least one: an expiry of zero would delete the session. At most what the server's clock can carry.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    const MOST: u64 = 1 << 50;
    u64::try_from(duration.as_millis()).unwrap_or(MOST).clamp(1, MOST)
}
