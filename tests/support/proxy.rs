//! A network between a store and its server that fails on demand.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Passes connections on to a server on this machine, until it is told to misbehave. Everything
/// ends with this value.
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

/// What happens to the bytes of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    Fair,
    /// Nothing arrives, in either direction, and nobody is told.
    BlackHole,
    /// Requests arrive; after so many more bytes of replies the connection breaks.
    BreaksAfter(usize),
    /// Requests arrive; in replies, the first text is replaced by the second, as long, where it
    /// arrives in one piece.
    Replaces(&'static [u8], &'static [u8]),
}

impl Proxy {
    /// A proxy before the server on this port.
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

    /// `redis://127.0.0.1:PORT` of the proxy.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// In how many pieces the requests arrived. What was sent in one write is one, if it is short;
    /// what was sent in two, one after the other, may be one too.
    pub fn pieces_sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// From now on the connections there are pass nothing on, and are not closed. New ones are not
    /// concerned.
    pub fn black_hole_existing(&self) {
        self.set_existing(Weather::BlackHole);
    }

    /// As [`black_hole_existing`](Self::black_hole_existing), new connections too.
    pub fn black_hole(&self) {
        lock(&self.network).to_come = Weather::BlackHole;
        self.black_hole_existing();
    }

    /// New connections pass everything on again. What fell into a black hole stays there.
    pub fn clear_up(&self) {
        lock(&self.network).to_come = Weather::Fair;
    }

    /// In the replies of new connections, the second text stands in place of the first, which is as
    /// long.
    pub fn replace(&self, text: &'static [u8], by: &'static [u8]) {
        assert_eq!(text.len(), by.len());
        lock(&self.network).to_come = Weather::Replaces(text, by);
    }

    /// Passes requests on, and closes the connections there are after this many more bytes of
    /// replies: with 0, the next request is carried out, and its reply is lost.
    pub fn break_after(&self, bytes: usize) {
        self.set_existing(Weather::BreaksAfter(bytes));
    }

    /// Closes the connections there are.
    pub fn cut(&self) {
        for connection in lock(&self.network).connections.drain(..) {
            connection.close();
        }
    }

    fn set_existing(&self, weather: Weather) {
        for connection in &lock(&self.network).connections {
            *lock(&connection.weather) = weather;
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        lock(&self.network).open = false;
        self.cut();
        // Wakes the thread that accepts.
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
        // Nothing listens there: the client is told by a closed connection.
        return;
    };
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let mut network = lock(network);
    let weather = Arc::new(Mutex::new(network.to_come));
    let sent = Arc::clone(sent);
    pass_on(&client, &server, Arc::clone(&weather), move |_, _| {
        sent.fetch_add(1, Ordering::Relaxed);
        Fate::Arrives
    });
    pass_on(&server, &client, Arc::clone(&weather), reply_fate);
    network.connections.push(Connection { client, server, weather });
}

enum Fate {
    Arrives,
    Breaks(usize),
}

fn reply_fate(weather: &mut Weather, bytes: &mut [u8]) -> Fate {
    match weather {
        Weather::BreaksAfter(left) if bytes.len() > *left => Fate::Breaks(*left),
        Weather::BreaksAfter(left) => {
            *left -= bytes.len();
            Fate::Arrives
        }
        Weather::Replaces(text, by) => {
            for at in 0..(bytes.len() + 1).saturating_sub(text.len()) {
                let place = &mut bytes[at..at + text.len()];
                if place == *text {
                    place.copy_from_slice(by);
                }
            }
            Fate::Arrives
        }
        _ => Fate::Arrives,
    }
}

fn pass_on(
    from: &TcpStream,
    to: &TcpStream,
    weather: Arc<Mutex<Weather>>,
    fate: impl Fn(&mut Weather, &mut [u8]) -> Fate + Send + 'static,
) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let fate = {
                let mut weather = lock(&weather);
                if *weather == Weather::BlackHole {
                    continue;
                }
                fate(&mut weather, &mut buffer[..length])
            };
            let (passed, broken) = match fate {
                Fate::Arrives => (length, false),
                Fate::Breaks(left) => (left, true),
            };
            if to.write_all(&buffer[..passed]).is_err() || broken {
                break;
            }
        }
        // In a black hole not even an end arrives.
        if *lock(&weather) != Weather::BlackHole {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        }
    });
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
