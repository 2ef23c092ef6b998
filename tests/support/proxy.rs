//! A network between a store and its server that fails on demand.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::resp_proxy::frame_length;

/// Forwards connections to a server on this machine, until the test causes a failure. The proxy
/// ends when this value is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    network: Arc<Mutex<Network>>,
    sent: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Network {
    open: bool,
    to_come: Weather,
    connections: Vec<Connection>,
}

#[derive(Debug)]
struct Connection {
    client: TcpStream,
    server: TcpStream,
    weather: Arc<Mutex<Weather>>,
}

/// The treatment of a connection's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Weather {
    Fair,
    /// Nothing arrives in either direction, without an error.
    BlackHole,
    /// Requests arrive. The connection breaks after this number of further reply bytes.
    BreaksAfter(usize),
    /// The connection breaks after this number of further request bytes.
    BreaksInRequestAfter(usize),
    /// Requests arrive. In replies, the second text replaces the first, which has the same length
    /// and must arrive in one piece.
    Replaces(&'static [u8], &'static [u8]),
    /// Requests arrive. Replies of RESP3 arrive without pushes. The bytes are the start of a reply
    /// or push whose end is still to come.
    SwallowsPushes(Vec<u8>),
}

impl Proxy {
    /// Starts a proxy for the server on this port.
    pub fn start(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let network = Arc::new(Mutex::new(Network {
            open: true,
            to_come: Weather::Fair,
            connections: Vec::new(),
        }));
        let sent = Arc::default();
        thread::spawn({
            let (network, sent) = (Arc::clone(&network), Arc::clone(&sent));
            move || {
                for client in listener.incoming() {
                    if !lock(&network).open {
                        return;
                    }
                    accept(client.unwrap(), server, &network, &sent);
                }
            }
        });
        Self { port, network, sent }
    }

    /// Returns `redis://127.0.0.1:PORT` with the proxy's port.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns the number of pieces in which the requests arrived. A short write is one piece. Two
    /// consecutive writes may also be one piece.
    pub fn pieces_sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// Stops all traffic on existing connections without closing them. New connections still work.
    pub fn black_hole_existing(&self) {
        self.set_existing(Weather::BlackHole);
    }

    /// Like [`black_hole_existing`](Self::black_hole_existing), and for new connections too.
    pub fn black_hole(&self) {
        lock(&self.network).to_come = Weather::BlackHole;
        self.black_hole_existing();
    }

    /// Lets new connections work again. Connections in a black hole stay there.
    pub fn clear_up(&self) {
        lock(&self.network).to_come = Weather::Fair;
    }

    /// Replaces the first text with the second in the replies of new connections. Both texts have
    /// the same length.
    pub fn replace(&self, text: &'static [u8], by: &'static [u8]) {
        assert_eq!(text.len(), by.len());
        lock(&self.network).to_come = Weather::Replaces(text, by);
    }

    /// Drops the pushes of RESP3 on new connections. Replies arrive.
    pub fn swallow_pushes(&self) {
        lock(&self.network).to_come = Weather::SwallowsPushes(Vec::new());
    }

    /// Forwards requests, and closes the existing connections after this number of reply bytes.
    /// With 0, the next request is executed, but its reply is lost.
    pub fn break_after(&self, bytes: usize) {
        self.set_existing(Weather::BreaksAfter(bytes));
    }

    /// Closes the existing connections after this number of further request bytes. The other bytes
    /// never arrive. If a request ends before, the next request breaks the connection.
    pub fn break_in_request_after(&self, bytes: usize) {
        self.set_existing(Weather::BreaksInRequestAfter(bytes));
    }

    /// Closes the existing connections.
    pub fn cut(&self) {
        for connection in lock(&self.network).connections.drain(..) {
            connection.close();
        }
    }

    fn set_existing(&self, weather: Weather) {
        for connection in &lock(&self.network).connections {
            *lock(&connection.weather) = weather.clone();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        lock(&self.network).open = false;
        self.cut();
        // Wakes the thread that accepts connections.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Connection {
    fn close(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}

fn accept(client: TcpStream, server: u16, network: &Mutex<Network>, sent: &Arc<AtomicUsize>) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) else {
        // The server's port is closed. The client sees a closed connection.
        return;
    };
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let mut network = lock(network);
    let weather = Arc::new(Mutex::new(network.to_come.clone()));
    let sent = Arc::clone(sent);
    pass_on(&client, &server, Arc::clone(&weather), move |weather, bytes| {
        sent.fetch_add(1, Ordering::Relaxed);
        request_fate(weather, bytes)
    });
    pass_on(&server, &client, Arc::clone(&weather), reply_fate);
    network.connections.push(Connection { client, server, weather });
}

enum Fate {
    Arrives,
    Breaks,
}

/// Leaves the bytes that arrive.
fn request_fate(weather: &mut Weather, bytes: &mut Vec<u8>) -> Fate {
    match weather {
        Weather::BreaksInRequestAfter(left) => fate_within(left, bytes),
        _ => Fate::Arrives,
    }
}

/// Leaves the bytes that arrive.
fn reply_fate(weather: &mut Weather, bytes: &mut Vec<u8>) -> Fate {
    match weather {
        Weather::BreaksAfter(left) => return fate_within(left, bytes),
        Weather::Replaces(text, by) => {
            for at in 0..(bytes.len() + 1).saturating_sub(text.len()) {
                let place = &mut bytes[at..at + text.len()];
                if place == *text {
                    place.copy_from_slice(by);
                }
            }
        }
        Weather::SwallowsPushes(begun) => {
            begun.append(bytes);
            *bytes = without_pushes(begun);
        }
        _ => {}
    }
    Fate::Arrives
}

/// Takes all complete replies and pushes of RESP3, and returns the replies.
fn without_pushes(begun: &mut Vec<u8>) -> Vec<u8> {
    let mut replies = Vec::new();
    while let Some(length) = frame_length(begun) {
        let frame: Vec<_> = begun.drain(..length).collect();
        if !frame.starts_with(b">") {
            replies.extend(frame);
        }
    }
    replies
}

/// Counts these bytes against the bytes that may still pass.
fn fate_within(left: &mut usize, bytes: &mut Vec<u8>) -> Fate {
    match left.checked_sub(bytes.len()) {
        Some(rest) => {
            *left = rest;
            Fate::Arrives
        }
        None => {
            bytes.truncate(*left);
            Fate::Breaks
        }
    }
}

fn pass_on(
    from: &TcpStream,
    to: &TcpStream,
    weather: Arc<Mutex<Weather>>,
    fate: impl Fn(&mut Weather, &mut Vec<u8>) -> Fate + Send + 'static,
) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let mut bytes = buffer[..length].to_vec();
            let fate = {
                let mut weather = lock(&weather);
                if *weather == Weather::BlackHole {
                    continue;
                }
                fate(&mut weather, &mut bytes)
            };
            if to.write_all(&bytes).is_err() || matches!(fate, Fate::Breaks) {
                break;
            }
        }
        // In a black hole, not even the end of a connection arrives.
        if *lock(&weather) != Weather::BlackHole {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        }
    });
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
