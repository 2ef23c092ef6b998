//! The link between the contestants and Redis.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Loopback,
    /// Through [`serve()`].
    Slow,
}

/// Each way.
const DELAY: Duration = Duration::from_millis(1);
const CHUNK: usize = 64 * 1024;

impl Link {
    pub(crate) const ALL: [Self; 2] = [Self::Loopback, Self::Slow];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Slow => "1ms",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|link| link.name() == name)
    }
}

/// Passes connections on to the server, with a delay each way. Prints the address first.
///
/// Each direction of a connection has two threads, because the timers of tokio are no finer than
/// the delay. Data that comes during the delay waits for its own time, so the throughput is not
/// limited.
pub(crate) fn serve(server: &str) -> Result<(), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?);
    for client in listener.incoming() {
        join(client?, TcpStream::connect(server)?)?;
    }
    Ok(())
}

fn join(client: TcpStream, server: TcpStream) -> io::Result<()> {
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    pass_on(client.try_clone()?, server.try_clone()?);
    pass_on(server, client);
    Ok(())
}

fn pass_on(from: TcpStream, to: TcpStream) {
    let (sender, receiver) = mpsc::channel();
    // An error is the end of the connection.
    thread::spawn(move || receive(from, &sender).unwrap_or_default());
    thread::spawn(move || deliver(&receiver, to).unwrap_or_default());
}

struct Chunk {
    due: Instant,
    bytes: Vec<u8>,
}

fn receive(mut from: TcpStream, chunks: &Sender<Chunk>) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let length = from.read(&mut buffer)?;
        let chunk = Chunk { due: Instant::now() + DELAY, bytes: buffer[..length].to_vec() };
        if length == 0 || chunks.send(chunk).is_err() {
            return Ok(());
        }
    }
}

fn deliver(chunks: &Receiver<Chunk>, mut to: TcpStream) -> io::Result<()> {
    for chunk in chunks {
        thread::sleep(chunk.due.saturating_duration_since(Instant::now()));
        to.write_all(&chunk.bytes)?;
    }
    to.shutdown(Shutdown::Write)
}
