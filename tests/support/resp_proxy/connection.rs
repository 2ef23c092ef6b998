//! The two directions of a connection.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use super::frame::{self, Frame, Kind};
use super::hold::POLL;
use super::{Direction, Network, lock};

#[derive(Debug)]
pub(super) struct Connection {
    client: TcpStream,
    server: TcpStream,
    closed: Arc<AtomicBool>,
}

/// One direction. A thread reads and another writes, so that delays do not add up.
struct Line {
    number: usize,
    direction: Direction,
    network: Arc<Network>,
    closed: Arc<AtomicBool>,
    /// The commands without an answer.
    asked: Arc<Mutex<VecDeque<Vec<String>>>>,
}

impl Connection {
    pub(super) fn start(client: TcpStream, server: TcpStream, network: &Arc<Network>) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
        }
        let (number, asked) = (NEXT.fetch_add(1, Ordering::Relaxed), Arc::default());
        let connection = Self { client, server, closed: Arc::default() };
        for direction in [Direction::Requests, Direction::Replies] {
            let (from, to) = match direction {
                Direction::Requests => (&connection.client, &connection.server),
                Direction::Replies => (&connection.server, &connection.client),
            };
            let line = Arc::new(Line {
                number,
                direction,
                network: Arc::clone(network),
                closed: Arc::clone(&connection.closed),
                asked: Arc::clone(&asked),
            });
            line.start(from, to);
        }
        connection
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}

impl Line {
    fn start(self: Arc<Self>, from: &TcpStream, to: &TcpStream) {
        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        let (sends, receives) = channel();
        let reading = Arc::clone(&self);
        thread::spawn(move || reading.read(from, &sends));
        thread::spawn(move || self.write(to, &receives));
    }

    fn read(&self, mut from: TcpStream, on: &Sender<(Instant, Frame)>) {
        let (mut chunk, mut bytes) = (vec![0; 16 * 1024], Vec::new());
        let mut last_due = Instant::now();
        while let Ok(length @ 1..) = from.read(&mut chunk) {
            bytes.extend_from_slice(&chunk[..length]);
            last_due = last_due.max(self.network.due());
            while let Some(frame) = frame::take(&mut bytes) {
                if on.send((last_due, self.frame(frame))).is_err() {
                    return;
                }
            }
        }
    }

    fn frame(&self, bytes: Vec<u8>) -> Frame {
        match self.direction {
            Direction::Requests => {
                let command = frame::words(&bytes);
                lock(&self.asked).push_back(command.clone());
                Frame { kind: Kind::Request, command, bytes }
            }
            Direction::Replies if bytes[0] == b'>' => {
                let command = vec![String::from_utf8_lossy(&bytes).into_owned()];
                Frame { kind: Kind::Push, command, bytes }
            }
            Direction::Replies => {
                let command = lock(&self.asked).pop_front().unwrap_or_default();
                Frame { kind: Kind::Reply, command, bytes }
            }
        }
    }

    /// Writes messages that may go on together in one piece.
    fn write(&self, mut to: TcpStream, frames: &Receiver<(Instant, Frame)>) {
        let mut ready = Vec::new();
        loop {
            let (due, frame) = match frames.try_recv() {
                Ok(frame) => frame,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    flush(&mut to, &mut ready);
                    let Ok(frame) = frames.recv() else { break };
                    frame
                }
            };
            let hold = self.network.hold_of(self.number, &frame);
            let waits = || {
                Instant::now() < due
                    || self.network.is_stalled(self.direction)
                    || hold.as_ref().is_some_and(|hold| hold.is_closed())
            };
            while waits() && !self.closed.load(Ordering::Relaxed) {
                flush(&mut to, &mut ready);
                thread::sleep(due.saturating_duration_since(Instant::now()).max(POLL));
            }
            if frame.kind != Kind::Push || !self.network.swallows_pushes() {
                ready.extend(frame.bytes);
            }
        }
        flush(&mut to, &mut ready);
        let _ = to.shutdown(Shutdown::Both);
    }
}

/// An error is an end of the connection, which the reader notices.
fn flush(to: &mut TcpStream, ready: &mut Vec<u8>) {
    let _ = to.write_all(ready);
    ready.clear();
}
