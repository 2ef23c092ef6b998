//! Many sessions that are visited by a Zipf distribution: the second session half as often as the
//! first, the third a third as often.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinSet;

use crate::Failure;
use crate::load::{Jar, Visitor};
use crate::scenario::Cookie;

/// The requests of a crowd, in an order that is the same for all contestants.
#[derive(Debug)]
pub(crate) struct Crowd {
    /// The requests of each session: a read and a write.
    requests: Vec<[Vec<u8>; 2]>,
    order: Vec<Visit>,
    next: AtomicUsize,
}

#[derive(Debug, Clone, Copy)]
struct Visit {
    session: usize,
    writes: bool,
}

const SESSIONS: usize = 10_000;
const VISITS: usize = 1 << 18;
/// Share of the writes.
const WRITES: f64 = 0.1;
/// Number of connections that create the sessions.
const CREATORS: usize = 64;

impl Crowd {
    /// Creates the sessions.
    pub(crate) async fn create(
        pages: SocketAddr,
        seed: &'static str,
        [read, write]: [&'static str; 2],
    ) -> Result<Self, Failure> {
        let mut tasks = JoinSet::new();
        for creator in 0..CREATORS {
            let share = SESSIONS / CREATORS + usize::from(creator < SESSIONS % CREATORS);
            tasks.spawn(create(pages, seed, share));
        }
        let mut requests = Vec::with_capacity(SESSIONS);
        while let Some(jars) = tasks.join_next().await {
            let request = |jar: Jar| [read, write].map(|path| jar.request(path, Cookie::Own));
            requests.extend(jars??.into_iter().map(request));
        }
        Ok(Self { requests, order: order(), next: AtomicUsize::new(0) })
    }

    /// Returns the next request, and whether it reads.
    pub(crate) fn next(&self) -> (&[u8], bool) {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.order.len();
        let Visit { session, writes } = self.order[at];
        (&self.requests[session][usize::from(writes)], !writes)
    }
}

async fn create(
    pages: SocketAddr,
    seed: &'static str,
    sessions: usize,
) -> Result<Vec<Jar>, Failure> {
    let mut visitor = Visitor::connect(pages, Jar::default()).await?;
    visitor.create(seed, sessions).await
}

fn order() -> Vec<Visit> {
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=SESSIONS)
        .map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        })
        .collect();
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let visits = (0..VISITS).map(|_| {
        let at = numbers.next() * sum;
        let session = sums.partition_point(|end| *end <= at).min(SESSIONS - 1);
        Visit { session, writes: numbers.next() < WRITES }
    });
    visits.collect()
}

/// A xorshift generator, so that all runs have the same order.
struct Numbers(u64);

impl Numbers {
    /// Returns a number of at least 0 and less than 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}
