//! The messages of a connection that speaks RESP.

use std::str;

/// A message on its way.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// The command that is requested or answered.
    pub(super) command: Vec<String>,
    pub(super) bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Reply,
    Push,
}

/// A message that a test selects.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The number of the connection, in the order of their starts.
    pub connection: usize,
    pub(super) frame: &'a Frame,
}

impl Message<'_> {
    /// Returns whether this requests a command. The name may have several words.
    pub fn requests(&self, command: &str) -> bool {
        self.frame.kind == Kind::Request && self.names(command)
    }

    /// Returns whether this is the reply to a command. The name may have several words.
    pub fn answers(&self, command: &str) -> bool {
        self.frame.kind == Kind::Reply && self.names(command)
    }

    /// Returns whether the server sends this without a request.
    pub fn is_push(&self) -> bool {
        self.frame.kind == Kind::Push
    }

    /// Returns whether one of the requested or answered command's words contains the text.
    pub fn mentions(&self, text: &str) -> bool {
        self.frame.command.iter().any(|word| word.contains(text))
    }

    fn names(&self, command: &str) -> bool {
        let mut words = self.frame.command.iter();
        command
            .split(' ')
            .all(|name| words.next().is_some_and(|word| word.eq_ignore_ascii_case(name)))
    }
}

/// Takes the first complete value from the bytes.
pub(super) fn take(bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    let length = length(bytes)?;
    let rest = bytes.split_off(length);
    Some(std::mem::replace(bytes, rest))
}

/// Returns the words of a request, which is an array of texts.
pub(super) fn words(request: &[u8]) -> Vec<String> {
    let mut parts = request.split(|byte| *byte == b'\n').skip(1);
    let mut words = Vec::new();
    // Values with line breaks give other words, which no test looks for.
    while let (Some(_), Some(word)) = (parts.next(), parts.next()) {
        words.push(String::from_utf8_lossy(word).trim_end().to_owned());
    }
    words
}

/// Returns the length of the first value of RESP3 with all parts, if it is complete.
pub(crate) fn length(bytes: &[u8]) -> Option<usize> {
    let line = bytes.windows(2).position(|end| end == b"\r\n")?;
    let count = || str::from_utf8(&bytes[1..line]).unwrap().parse::<i64>().unwrap();
    let (payload, values) = match bytes[0] {
        // A length of -1 stands for null.
        b'$' | b'!' | b'=' if count() >= 0 => (usize::try_from(count()).unwrap() + 2, 0),
        b'*' | b'~' | b'>' => (0, count().max(0)),
        b'%' => (0, 2 * count()),
        // A value follows its attributes.
        b'|' => (0, 2 * count() + 1),
        _ => (0, 0),
    };
    let mut length = line + 2 + payload;
    for _ in 0..values {
        length += self::length(bytes.get(length..)?)?;
    }
    (length <= bytes.len()).then_some(length)
}
