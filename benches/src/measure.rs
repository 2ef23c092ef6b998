//! The comparison: every contestant in every scenario, in rounds. Contestants take turns, so that
//! other load on the machine affects all of them.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::Failure;
use crate::check::check;
use crate::child::{Server, processor_micros};
use crate::load::{self, Jar, Met, Until, Visitor};
use crate::redis_server::{Counters, RedisServer, Side};
use crate::report::{Measured, Report, Row};
use crate::scenario::{Cookie, Scenario, Scenarios};
use crate::server::Contestant;
use crate::stats::percentile;

/// Redis, the contestants on this server, and the runtime of the load generator.
pub(crate) struct World {
    pub(crate) redis: RedisServer,
    pub(crate) servers: Vec<Server>,
    /// Contestants that are left out, with the reason.
    pub(crate) left_out: Vec<String>,
    /// Runtime of the load generator. A single thread uses at most one processor.
    pub(crate) runtime: Runtime,
}

/// Number of rounds and length of each measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// Duration of each contestant's turn in a round.
    pub(crate) slice: Duration,
}

impl Plan {
    const FULL: Self = Self { rounds: 21, slice: Duration::from_millis(300) };
    const QUICK: Self = Self { rounds: 9, slice: Duration::from_millis(150) };
}

/// Compares all contestants.
///
/// # Errors
///
/// Fails if any step fails, or if a response is not a success.
pub(crate) fn compare(of: &Scenarios) -> Result<Report, Failure> {
    let plan = if *of == Scenarios::Quick { Plan::QUICK } else { Plan::FULL };
    let mut world = World::new()?;
    let mut scenarios = Vec::new();
    for scenario in of.list() {
        eprintln!("{}, {} connections", scenario.title, scenario.connections);
        scenarios.push(world.measure(&scenario, plan)?);
    }
    Ok(Report {
        redis: world.redis.version.clone(),
        processors: thread::available_parallelism()?.get(),
        rounds: plan.rounds,
        slice_millis: u64::try_from(plan.slice.as_millis())?,
        left_out: world.left_out,
        scenarios,
    })
}

/// A contestant in a scenario.
struct Lane {
    address: SocketAddr,
    process_id: u32,
    /// A jar for each connection.
    jars: Vec<Jar>,
    latencies: Vec<f64>,
    row: Row,
}

impl World {
    /// Starts all processes, and checks that every contestant works.
    pub(crate) fn new() -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let mut redis = RedisServer::start()?;
        let supports_field_expiry = redis.supports_field_expiry()?;
        let (mut servers, mut left_out) = (Vec::new(), Vec::new());
        for contestant in Contestant::ALL {
            if contestant.needs_field_expiry() && !supports_field_expiry {
                let (name, version) = (contestant.name(), &redis.version);
                left_out.push(format!("{name} needs HEXPIRE, which {version} does not have"));
                continue;
            }
            let server = Server::start(contestant, &redis.address)?;
            runtime.block_on(check(contestant.name(), server.pages))?;
            servers.push(server);
        }
        Ok(Self { redis, servers, left_out, runtime })
    }

    fn measure(&mut self, scenario: &Scenario, plan: Plan) -> Result<Measured, Failure> {
        self.redis.flush()?;
        let mut lanes = Vec::new();
        for at in 0..self.servers.len() {
            if scenario.needs_list && !self.servers[at].contestant.lists_sessions() {
                continue;
            }
            lanes.push(self.lane(at, scenario, false)?);
            if scenario.has_bare && self.servers[at].contestant.has_layer() {
                lanes.push(self.lane(at, scenario, true)?);
            }
        }
        for lane in &mut lanes {
            self.count(lane, scenario)?;
        }
        for round in 0..plan.rounds {
            // The first turn changes with each round.
            for turn in 0..lanes.len() {
                let at = (round + turn) % lanes.len();
                self.time(&mut lanes[at], scenario, plan.slice)?;
            }
        }
        let rows = lanes.into_iter().map(Lane::into_row).collect();
        Ok(Measured { title: scenario.title.to_owned(), connections: scenario.connections, rows })
    }

    fn lane(&self, at: usize, scenario: &Scenario, is_bare: bool) -> Result<Lane, Failure> {
        let server = &self.servers[at];
        let seeds = async {
            let mut jars = Vec::with_capacity(scenario.connections);
            for _ in 0..scenario.connections {
                jars.push(seed(server.pages, scenario.seed).await?);
            }
            Ok::<_, Failure>(jars)
        };
        Ok(Lane {
            address: if is_bare { server.bare } else { server.pages },
            process_id: server.process_id(),
            jars: self.runtime.block_on(seeds)?,
            latencies: Vec::new(),
            row: Row::new(server.contestant, is_bare),
        })
    }

    /// Counts the work of Redis for a request. This is also the warm-up.
    fn count(&mut self, lane: &mut Lane, scenario: &Scenario) -> Result<(), Failure> {
        let (counters, requests) =
            self.counted(lane.address, &mut lane.jars, scenario.path, scenario.cookie)?;
        let each = |total: u64| total as f64 / requests as f64;
        lane.row.commands = counters
            .commands
            .iter()
            .map(|(name, (calls, _))| (name.clone(), each(*calls)))
            .collect();
        (lane.row.bytes_in, lane.row.bytes_out) =
            (each(counters.bytes_in), each(counters.bytes_out));
        Ok(())
    }

    /// Returns the work of Redis for this number of requests.
    pub(crate) fn counted(
        &mut self,
        address: SocketAddr,
        jars: &mut Vec<Jar>,
        path: &'static str,
        cookie: Cookie,
    ) -> Result<(Counters, usize), Failure> {
        const EACH: usize = 20;
        let visitors = self.runtime.block_on(load::gather(address, jars, path, cookie))?;
        let before = self.redis.counters(Side::Before)?;
        let ran = load::run(visitors, path, cookie, Until::Requests(EACH));
        let (visitors, met) = self.runtime.block_on(ran)?;
        let after = self.redis.counters(Side::After)?;
        *jars = jars_of(&visitors);
        Ok((after.since(&before), met.latencies.len()))
    }

    fn time(
        &mut self,
        lane: &mut Lane,
        scenario: &Scenario,
        slice: Duration,
    ) -> Result<(), Failure> {
        let (path, cookie) = (scenario.path, scenario.cookie);
        let mut timed =
            self.timed(lane.address, lane.process_id, &mut lane.jars, (path, cookie), slice)?;
        let requests = timed.met.latencies.len() as f64;
        lane.row.rates.push(requests / timed.met.elapsed.as_secs_f64());
        lane.row.server_micros.push(timed.server_micros / requests);
        lane.row.redis_micros.push(timed.redis_micros / requests);
        lane.latencies.append(&mut timed.met.latencies);
        Ok(())
    }

    /// Runs visitors with these cookies for this time.
    pub(crate) fn timed(
        &mut self,
        address: SocketAddr,
        process_id: u32,
        jars: &mut Vec<Jar>,
        (path, cookie): (&'static str, Cookie),
        slice: Duration,
    ) -> Result<Timed, Failure> {
        let visitors = self.runtime.block_on(load::gather(address, jars, path, cookie))?;
        let micros = || {
            Ok::<_, Failure>([
                processor_micros(process_id)?,
                processor_micros(self.redis.process_id)?,
            ])
        };
        let before = micros()?;
        let ran = load::run(visitors, path, cookie, Until::Time(Instant::now() + slice));
        let (visitors, met) = self.runtime.block_on(ran)?;
        let after = micros()?;
        *jars = jars_of(&visitors);
        Ok(Timed { met, server_micros: after[0] - before[0], redis_micros: after[1] - before[1] })
    }
}

/// Cost of the requests.
pub(crate) struct Timed {
    pub(crate) met: Met,
    /// CPU time.
    pub(crate) server_micros: f64,
    pub(crate) redis_micros: f64,
}

/// Creates a session, and returns the cookies.
pub(crate) async fn seed(pages: SocketAddr, path: &str) -> Result<Jar, Failure> {
    let mut visitor = Visitor::connect(pages, Jar::default()).await?;
    visitor.ask(path, Cookie::Own).await?;
    Ok(visitor.jar().clone())
}

fn jars_of(visitors: &[Visitor]) -> Vec<Jar> {
    visitors.iter().map(|visitor| visitor.jar().clone()).collect()
}

impl Lane {
    fn into_row(mut self) -> Row {
        self.latencies.sort_by(f64::total_cmp);
        self.row.p50 = percentile(&self.latencies, 0.50);
        self.row.p99 = percentile(&self.latencies, 0.99);
        self.row
    }
}

impl Row {
    fn new(contestant: Contestant, is_bare: bool) -> Self {
        Self {
            contestant: contestant.name().to_owned(),
            is_bare,
            rates: Vec::new(),
            server_micros: Vec::new(),
            redis_micros: Vec::new(),
            p50: 0.0,
            p99: 0.0,
            commands: Default::default(),
            bytes_in: 0.0,
            bytes_out: 0.0,
        }
    }
}
