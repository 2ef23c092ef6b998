//! How commands are put together.

use redis::Cmd;

pub(super) fn command_of(words: &[&str]) -> Cmd {
    begin_command(words, Capacity::default())
}

/// How much is still to be added to a command.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Capacity {
    pub(super) words: usize,
    pub(super) bytes: usize,
}

/// A command's first words, with room for more.
pub(super) fn begin_command(words: &[&str], capacity: Capacity) -> Cmd {
    let bytes: usize = words.iter().map(|word| word.len()).sum();
    let mut command = Cmd::with_capacity(words.len() + capacity.words, bytes + capacity.bytes);
    for word in words {
        command.arg(word);
    }
    command
}
