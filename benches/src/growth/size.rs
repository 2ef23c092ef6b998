//! Cost of a read and a write in sessions of several sizes.

use std::time::Duration;

use serde::Serialize;

use super::fill::{self, Size};
use crate::Failure;
use crate::load::{Jar, Requests};
use crate::measure::World;
use crate::redis_server::Counters;
use crate::scenario::Cookie;
use crate::server::Contestant;
use crate::stats::Spread;

/// A contestant's page on sessions of the same size.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(super) page: &'static str,
    pub(super) size: String,
    pub(super) contestant: &'static str,
    /// Requests per second in each round.
    pub(super) rates: Vec<f64>,
    /// CPU time of the web server and of Redis for a request, in microseconds, in each round.
    pub(super) server_micros: Vec<f64>,
    pub(super) redis_micros: Vec<f64>,
    /// Time in the commands of a request, as reported by Redis, without the network.
    pub(super) command_micros: f64,
}

/// Sizes with more and more fields, and with larger and larger fields. The smallest comes first.
const BY_FIELDS: [Size; 5] = [
    Size::of_fields(1),
    Size::of_fields(10),
    Size::of_fields(100),
    Size::of_fields(1000),
    Size::of_fields(10_000),
];
const BY_BYTES: [Size; 5] = [
    Size::of_bytes(10),
    Size::of_bytes(1024),
    Size::of_bytes(16 * 1024),
    Size::of_bytes(128 * 1024),
    Size::of_bytes(1024 * 1024),
];
const PAGES: [&str; 2] = ["/read", "/write"];
const CONNECTIONS: usize = 4;

/// Measures each page in rounds, with all contestants and sizes in turn.
pub(super) fn measure(world: &mut World, is_quick: bool) -> Result<Vec<Row>, Failure> {
    let (rounds, slice) = if is_quick { (5, 80) } else { (9, 150) };
    let mut rows = Vec::new();
    for sizes in [BY_FIELDS, BY_BYTES] {
        let sizes = if is_quick { vec![sizes[0], sizes[2], sizes[4]] } else { sizes.to_vec() };
        for page in PAGES {
            eprintln!("{page}, {} to {}", sizes[0], sizes[sizes.len() - 1]);
            rows.extend(compare(world, page, &sizes, rounds, Duration::from_millis(slice))?);
        }
    }
    Ok(rows)
}

/// A contestant's sessions of the same size.
struct Lane {
    at: usize,
    jars: Vec<Jar>,
    micros: u64,
    requests: usize,
    row: Row,
}

fn compare(
    world: &mut World,
    page: &'static str,
    sizes: &[Size],
    rounds: usize,
    slice: Duration,
) -> Result<Vec<Row>, Failure> {
    world.redis.flush()?;
    let mut lanes = Vec::new();
    for &size in sizes {
        for at in 0..world.servers.len() {
            lanes.push(Lane::new(world, at, page, size)?);
        }
    }
    for round in 0..rounds {
        for turn in 0..lanes.len() {
            let at = (round + turn) % lanes.len();
            lanes[at].time(world, slice)?;
        }
    }
    Ok(lanes.into_iter().map(Lane::into_row).collect())
}

impl Lane {
    fn new(world: &mut World, at: usize, page: &'static str, size: Size) -> Result<Self, Failure> {
        let jars =
            (0..CONNECTIONS).map(|_| fill::begin(world, at, size)).collect::<Result<_, _>>()?;
        let row = Row {
            page,
            size: size.to_string(),
            contestant: world.servers[at].contestant.name(),
            rates: Vec::new(),
            server_micros: Vec::new(),
            redis_micros: Vec::new(),
            command_micros: 0.0,
        };
        Ok(Self { at, jars, micros: 0, requests: 0, row })
    }

    fn time(&mut self, world: &mut World, slice: Duration) -> Result<(), Failure> {
        let server = &world.servers[self.at];
        let (pages, process_id) = (server.pages, server.process_id());
        let visit = Requests { path: self.row.page, cookie: Cookie::Own, crowd: None };
        let timed = world.timed(pages, process_id, &mut self.jars, &visit, slice)?;
        let requests = timed.met.latencies.len();
        self.row.rates.push(requests as f64 / timed.met.elapsed.as_secs_f64());
        self.row.server_micros.push(timed.server_micros / requests as f64);
        self.row.redis_micros.push(timed.redis_micros / requests as f64);
        self.micros += micros(&timed.counters);
        self.requests += requests;
        Ok(())
    }

    fn into_row(mut self) -> Row {
        self.row.command_micros = self.micros as f64 / self.requests as f64;
        self.row
    }
}

/// Returns the time of the commands. A script or a transaction counts as a whole, so the inner
/// commands are left out.
fn micros(counters: &Counters) -> u64 {
    const CALLED: [&str; 8] =
        ["exists", "expireat", "hdel", "hexists", "hexpire", "hset", "pexpire", "set"];
    let calls_others = ["evalsha", "exec"].iter().any(|name| counters.commands.contains_key(*name));
    let counts = |name: &str| !(calls_others && CALLED.contains(&name));
    counters.commands.iter().filter(|(name, _)| counts(name)).map(|(_, (_, micros))| micros).sum()
}

impl Row {
    /// Returns the row of the same page and contestant with the smallest session. `None` for that
    /// row.
    pub(super) fn smallest<'a>(&self, all: &'a [Self]) -> Option<&'a Self> {
        let [fields, bytes] = [BY_FIELDS, BY_BYTES].map(|sizes| sizes[0].to_string());
        let smallest = if self.size.ends_with("bytes") { bytes } else { fields };
        let is_same = |row: &&Self| row.page == self.page && row.contestant == self.contestant;
        all.iter().filter(is_same).find(|row| row.size == smallest && row.size != self.size)
    }

    /// Returns the row of the same page and size by hand. `None` if this row is by hand.
    pub(super) fn by_hand<'a>(&self, all: &'a [Self]) -> Option<&'a Self> {
        let by_hand = Contestant::ByHand.name();
        let is_same = |row: &&Self| row.page == self.page && row.size == self.size;
        all.iter()
            .filter(is_same)
            .find(|row| row.contestant == by_hand && self.contestant != by_hand)
    }

    /// Returns the ratio of this row's rate to another row's rate, from the rates of each round.
    pub(super) fn ratio_to(&self, other: &Self) -> Option<Spread> {
        Spread::from_values(self.rates.iter().zip(&other.rates).map(|(this, other)| this / other))
    }
}
