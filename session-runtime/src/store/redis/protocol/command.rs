//! Builds commands.

use redis::Cmd;

pub(crate) fn command_of(words: &[&str]) -> Cmd {
    begin_command(words, Capacity::default())
}

/// The number of words and bytes that are still to be added to a command.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Capacity {
    pub(crate) words: usize,
    pub(crate) bytes: usize,
}

/// Starts a command with these words, with capacity for more.
pub(crate) fn begin_command(words: &[&str], capacity: Capacity) -> Cmd {
    let bytes: usize = words.iter().map(|word| word.len()).sum();
    let mut command = Cmd::with_capacity(words.len() + capacity.words, bytes + capacity.bytes);
    for word in words {
        command.arg(word);
    }
    command
}
