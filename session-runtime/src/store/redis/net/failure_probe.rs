//! Finds the reason for a failed connection when a program starts, by contacting the address
//! directly.

use std::time::Duration;

use redis::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::store::redis::cause::Cause;

/// The time for a server to send text first, and again the time to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(250);
/// The longest answer, about the protected mode, has some 900 bytes.
const MAX_ANSWER: usize = 4096;

/// Finds a better cause for a failure to connect. The client does not report why a server closes a
/// connection at once. A server without TLS reads the TLS handshake as a command, and waits for the
/// end of the command.
pub(crate) async fn probe_connect_failure(cause: Cause, speaks_tls: bool) -> Cause {
    let Cause::Unreachable { address, reason } = &cause else { return cause };
    let answer = first_bytes(address).await.unwrap_or_default();
    let refined = match answer.first() {
        Some(b'-') => refusal_in(&answer, address),
        None if !speaks_tls && *reason == Cause::CLOSED => Some(Cause::Unreachable {
            address: address.clone(),
            reason: "the connection was closed: if the server uses TLS, its URL must start with \
                     rediss://",
        }),
        _ => None,
    };
    if refined.is_none() && speaks_tls && matches!(answer.first(), Some(b'+' | b'-')) {
        return Cause::without_tls(address);
    }
    refined.unwrap_or(cause)
}

/// Returns the server's reason for refusing connections. Other errors are replies to the `PING`.
fn refusal_in(answer: &[u8], address: &str) -> Option<Cause> {
    match redis::parse_redis_value(answer).ok()? {
        Value::ServerError(error) => match Cause::from_handshake(&error, address) {
            Cause::Server(_) => None,
            refusal => Some(refusal),
        },
        _ => None,
    }
}

/// Reads the first bytes from an address as a cause names it: `host:port`, or the path of a socket.
/// For the master of sentinels, that text is not an address.
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

/// Waits for text before sending anything. If a command were sent first, the text of a server that
/// closes at once would be lost.
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
