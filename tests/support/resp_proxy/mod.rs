//! A network between a store and its server that understands RESP: it delays, stalls and holds
//! single messages. Like TCP, it never changes the order of a direction.

mod connection;
mod frame;
mod hold;

pub use frame::Message;
pub(crate) use frame::length as frame_length;
pub use hold::Hold;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use self::connection::Connection;
use self::frame::Frame;
use crate::random::Random;

/// Forwards connections to a server on this machine. The proxy ends when this value is dropped.
#[derive(Debug)]
pub struct RespProxy {
    port: u16,
    network: Arc<Network>,
}

/// A direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Requests,
    /// From the server.
    Replies,
}

#[derive(Debug)]
struct Network {
    open: AtomicBool,
    weather: Mutex<Weather>,
    holds: Mutex<Vec<Hold>>,
    connections: Mutex<Vec<Connection>>,
    random: Mutex<Random>,
}

#[derive(Debug, Default)]
struct Weather {
    /// The longest delay of a message.
    delay: Duration,
    /// The ends of the stalls of both directions.
    stalls: [Option<Instant>; 2],
    swallows_pushes: bool,
}

impl RespProxy {
    /// Starts a proxy for the server on this port. The random numbers decide on delays.
    pub fn start(server: u16, random: Random) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let network = Arc::new(Network {
            open: AtomicBool::new(true),
            weather: Mutex::default(),
            holds: Mutex::default(),
            connections: Mutex::default(),
            random: Mutex::new(random),
        });
        let accepting = Arc::clone(&network);
        thread::spawn(move || {
            for client in listener.incoming() {
                if !accepting.open.load(Ordering::Relaxed) {
                    return;
                }
                accepting.accept(client.unwrap(), server);
            }
        });
        Self { port, network }
    }

    /// Returns `redis://127.0.0.1:PORT` with the proxy's port.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Delays each message by a random time of up to `most`.
    pub fn delay_up_to(&self, most: Duration) {
        self.weather().delay = most;
    }

    /// Stops this direction of all connections for a while.
    pub fn stall(&self, direction: Direction, time: Duration) {
        self.weather().stalls[direction as usize] = Some(Instant::now() + time);
    }

    /// Drops the pushes of the server, or no longer.
    pub fn swallow_pushes(&self, swallows: bool) {
        self.weather().swallows_pushes = swallows;
    }

    /// Closes the existing connections.
    pub fn cut(&self) {
        for connection in lock(&self.network.connections).drain(..) {
            connection.close();
        }
    }

    /// Holds the next message that is selected, and all messages behind it in the same direction of
    /// the connection. Dropping the hold releases the messages.
    pub fn hold(&self, selects: impl Fn(&Message<'_>) -> bool + Send + Sync + 'static) -> Hold {
        self.add(Hold::new(selects, false))
    }

    /// Notes the next message that is selected, and lets it pass.
    pub fn note(&self, selects: impl Fn(&Message<'_>) -> bool + Send + Sync + 'static) -> Hold {
        self.add(Hold::new(selects, true))
    }

    fn add(&self, hold: Hold) -> Hold {
        lock(&self.network.holds).push(hold.other());
        hold
    }

    fn weather(&self) -> MutexGuard<'_, Weather> {
        lock(&self.network.weather)
    }
}

impl Drop for RespProxy {
    fn drop(&mut self) {
        self.network.open.store(false, Ordering::Relaxed);
        self.cut();
        // Wakes the thread that accepts connections.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Network {
    fn accept(self: &Arc<Self>, client: TcpStream, server: u16) {
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) else {
            // The server's port is closed. The client sees a closed connection.
            return;
        };
        let mut connections = lock(&self.connections);
        connections.push(Connection::start(client, server, self));
    }

    /// Returns the moment at which a message that has just arrived may go on.
    fn due(&self) -> Instant {
        let most = lock(&self.weather).delay;
        Instant::now() + lock(&self.random).up_to(most)
    }

    fn is_stalled(&self, direction: Direction) -> bool {
        lock(&self.weather).stalls[direction as usize].is_some_and(|end| Instant::now() < end)
    }

    fn swallows_pushes(&self) -> bool {
        lock(&self.weather).swallows_pushes
    }

    /// Returns the first hold that selects the message. A hold selects one message.
    fn hold_of(&self, connection: usize, frame: &Frame) -> Option<Hold> {
        let mut holds = lock(&self.holds);
        holds.retain(|hold| !hold.is_over());
        let message = Message { connection, frame };
        let selected = holds.iter().position(|hold| hold.selects(&message))?;
        let hold = holds.remove(selected);
        hold.reach(connection);
        Some(hold)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
