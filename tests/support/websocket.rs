//! A client of WebSockets.

use std::future::pending;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message, http};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A connection of a client.
#[derive(Debug)]
pub struct Connection(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Connection {
    /// Connects, and also returns the response headers.
    pub async fn open(base: &str, path: &str, cookie: &str) -> (Self, http::HeaderMap) {
        let (stream, response) = connect_async(request(base, path, cookie)).await.unwrap();
        (Self(stream), response.headers().clone())
    }

    /// Tries to connect, and returns the status of the refusal.
    pub async fn refused(base: &str, path: &str, cookie: &str) -> u16 {
        match connect_async(request(base, path, cookie)).await {
            Err(Error::Http(response)) => response.status().as_u16(),
            other => panic!("no refusal: {other:?}"),
        }
    }

    /// Tries to connect without a cookie. A refusal is an error, with its status.
    pub async fn attempt(base: &str, path: &str) -> Result<Self, u16> {
        match connect_async(request(base, path, "")).await {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(other) => panic!("no refusal: {other:?}"),
        }
    }

    /// Sends a message, and returns the next.
    pub async fn say(&mut self, text: &str) -> String {
        self.0.send(Message::text(text)).await.unwrap();
        self.hear().await
    }

    /// Returns the next message.
    pub async fn hear(&mut self) -> String {
        self.next().await.into_text().unwrap().as_str().to_owned()
    }

    /// Waits until the server closes the connection, and returns the code.
    pub async fn close_code(&mut self) -> u16 {
        match self.next().await {
            Message::Close(Some(frame)) => frame.code.into(),
            other => panic!("no code: {other:?}"),
        }
    }

    /// Sends without pause until the server closes the connection, and returns the code. There is
    /// none after a reset.
    pub async fn close_code_while_sending(self) -> Option<u16> {
        let (mut sink, mut stream) = self.0.split();
        let send = async {
            while sink.send(Message::text("x".repeat(1000))).await.is_ok() {}
            // The reader finds the reason.
            pending().await
        };
        let read = async {
            while let Some(Ok(message)) = stream.next().await {
                if let Message::Close(frame) = message {
                    return frame.map(|frame| frame.code.into());
                }
            }
            None
        };
        let code = async {
            tokio::select! { code = read => code, () = send => None }
        };
        timeout(Duration::from_secs(20), code).await.expect("a closed connection")
    }

    async fn next(&mut self) -> Message {
        let message = timeout(Duration::from_secs(20), self.0.next()).await;
        message.expect("a message").expect("an open connection").unwrap()
    }
}

fn request(base: &str, path: &str, cookie: &str) -> http::Request<()> {
    let mut request =
        format!("{}{path}", base.replace("http", "ws")).into_client_request().unwrap();
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    request
}
