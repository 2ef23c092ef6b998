//! Builds commands.

use redis::Cmd;

pub(crate) fn command_of(words: &[&str]) -> Cmd {
    begin_command(words, Capacity::default())
}

/// Returns the pattern of all names that begin with this prefix. Glob characters in the prefix are
/// plain text.
pub(crate) fn pattern_of(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 1);
    for c in prefix.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('*');
    pattern
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_no_pattern() {
        assert_eq!(pattern_of(""), "*");
        assert_eq!(pattern_of("app:"), "app:*");
        assert_eq!(pattern_of("a*b?[c]\\^-d"), "a\\*b\\?\\[c\\]\\\\^-d*");
    }
}
