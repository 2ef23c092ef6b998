//! A closer look at an address that no connection came about with, when a program starts.

use std::time::Duration;

use redis::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::store::redis::cause::Cause;

/// How long a server is given to speak unasked, and how long to answer.
const LONGEST_WORDS: Duration = Duration::from_millis(250);
/// The longest, of the protected mode, has some 900 bytes.
const MOST_WORDS: usize = 4096;

/// A better word for why nobody could be connected to. The client does not pass on why a server closes a
/// connection at once, and a server without TLS waits for the end of what it takes for a command.
pub(crate) async fn look_closer(cause: Cause, speaks_tls: bool) -> Cause {
    let Cause::Unreachable { address, reason } = &cause else { return cause };
    let words = first_words(address).await.unwrap_or_default();
    let closer = match words.first() {
        Some(b'-') => refusal_in(&words, address),
        None if !speaks_tls && *reason == Cause::CLOSED => Some(Cause::Unreachable {
            address: address.clone(),
            reason: "the connection was closed, as by a server that speaks TLS, whose URL is rediss://",
        }),
        _ => None,
    };
    if closer.is_none() && speaks_tls && matches!(words.first(), Some(b'+' | b'-')) {
        return Cause::without_tls(address);
    }
    closer.unwrap_or(cause)
}

/// The server's reasons for not letting anybody in; other errors are answers to our question.
fn refusal_in(words: &[u8], address: &str) -> Option<Cause> {
    match redis::parse_redis_value(words).ok()? {
        Value::ServerError(error) => match Cause::of_greeting(&error, address) {
            Cause::Server(_) => None,
            refusal => Some(refusal),
        },
        _ => None,
    }
}

/// As the cause tells the address: `host:port`, or the path of a socket. Of a master that sentinels name, it is no address.
async fn first_words(address: &str) -> Option<Vec<u8>> {
    if address.contains(" of the sentinels ") {
        return None;
    }
    #[cfg(unix)]
    if address.starts_with('/') {
        return words_on(tokio::net::UnixStream::connect(address).await.ok()?).await;
    }
    let connected = timeout(LONGEST_WORDS, TcpStream::connect(address)).await;
    words_on(connected.ok()?.ok()?).await
}

/// Words that come unasked are read first: a server that closes at once would take them back if it were asked.
async fn words_on(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<Vec<u8>> {
    let mut words = vec![0; MOST_WORDS];
    let length = match timeout(LONGEST_WORDS, stream.read(&mut words)).await {
        Ok(read) => read.ok()?,
        Err(_) => {
            stream.write_all(b"PING\r\n").await.ok()?;
            timeout(LONGEST_WORDS, stream.read(&mut words)).await.ok()?.ok()?
        }
    };
    words.truncate(length);
    Some(words)
}
