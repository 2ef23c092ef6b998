//! The reason why no connection came about, asked of the address itself when a program starts.

use std::time::Duration;

use redis::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::store::redis::cause::Cause;

/// How long a server is given to speak unasked, and how long to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(250);
/// The longest, of the protected mode, has some 900 bytes.
const MAX_ANSWER: usize = 4096;

/// Finds a better cause for a failure to connect. The client does not pass on why a server closes a
/// connection at once, and a server without TLS waits for the end of what it takes for a command.
pub(crate) async fn probe_connect_failure(cause: Cause, speaks_tls: bool) -> Cause {
    let Cause::Unreachable { address, reason } = &cause else { return cause };
    let answer = first_bytes(address).await.unwrap_or_default();
    let refined = match answer.first() {
        Some(b'-') => refusal_in(&answer, address),
        None if !speaks_tls && *reason == Cause::CLOSED => Some(Cause::Unreachable {
            address: address.clone(),
            reason: "the connection was closed, as by a server that speaks TLS, whose URL is \
                     rediss://",
        }),
        _ => None,
    };
    if refined.is_none() && speaks_tls && matches!(answer.first(), Some(b'+' | b'-')) {
        return Cause::without_tls(address);
    }
    refined.unwrap_or(cause)
}

/// The server's reasons for not letting anybody in; other errors are answers to our question.
fn refusal_in(answer: &[u8], address: &str) -> Option<Cause> {
    match redis::parse_redis_value(answer).ok()? {
        Value::ServerError(error) => match Cause::from_handshake(&error, address) {
            Cause::Server(_) => None,
            refusal => Some(refusal),
        },
        _ => None,
    }
}

/// As the cause tells the address: `host:port`, or the path of a socket. Of a master that sentinels
/// name, it is no address.
async fn first_bytes(address: &str) -> Option<Vec<u8>> {
    if address.contains(" of the sentinels ") {
        return None;
    }
    #[cfg(unix)]
    if address.starts_with('/') {
        return read_first_bytes(tokio::net::UnixStream::connect(address).await.ok()?).await;
    }
    let connected = timeout(ANSWER_TIMEOUT, TcpStream::connect(address)).await;
    read_first_bytes(connected.ok()?.ok()?).await
}

/// Reads the words that come unasked first: a server that closes at once would take them back if it
/// were asked.
async fn read_first_bytes(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<Vec<u8>> {
    let mut answer = vec![0; MAX_ANSWER];
    let length = match timeout(ANSWER_TIMEOUT, stream.read(&mut answer)).await {
        Ok(read) => read.ok()?,
        Err(_) => {
            stream.write_all(b"PING\r\n").await.ok()?;
            timeout(ANSWER_TIMEOUT, stream.read(&mut answer)).await.ok()?.ok()?
        }
    };
    answer.truncate(length);
    Some(answer)
}
