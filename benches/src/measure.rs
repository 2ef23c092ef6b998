//! The comparison: every contestant in every scenario, in rounds. Contestants take turns, so that
//! other load on the machine affects all of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::Failure;
use crate::check::check;
use crate::child::{Server, SlowLink, processor_micros};
use crate::crowd::Crowd;
use crate::link::Link;
use crate::load::{self, Jar, Met, Requests, Until, Visitor};
use crate::redis_server::{Counters, RedisServer, Side};
use crate::report::{Measured, Report, Row};
use crate::scenario::{Cookie, Entrants, Scenario, Selection, Set};
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
    _link: Option<SlowLink>,
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
    const NEAR: Self = Self { rounds: 13, slice: Duration::from_millis(250) };
    const NEAR_QUICK: Self = Self { rounds: 3, slice: Duration::from_millis(150) };

    fn of(selection: &Selection) -> Self {
        match (selection.set, selection.is_quick) {
            (Set::Usual, false) => Self::FULL,
            (Set::Usual, true) => Self::QUICK,
            (Set::Near, false) => Self::NEAR,
            (Set::Near, true) => Self::NEAR_QUICK,
        }
    }
}

/// Compares all contestants.
///
/// # Errors
///
/// Fails if any step fails, or if a response is not a success.
pub(crate) fn compare(selection: &Selection, links: &[Link]) -> Result<Report, Failure> {
    let plan = Plan::of(selection);
    let (mut redis, mut left_out, mut scenarios) = (String::new(), Vec::new(), Vec::new());
    for &link in links {
        let mut world = World::new(&selection.contestants(), link)?;
        for scenario in selection.scenarios() {
            let (title, connections, link) = (scenario.title, scenario.connections, link.name());
            eprintln!("{title}, {connections} connections, {link}");
            let rows = world.measure(&scenario, plan)?;
            let (title, link) = (title.to_owned(), link.to_owned());
            scenarios.push(Measured { title, link, connections, rows });
        }
        (redis, left_out) = (world.redis.version.clone(), world.left_out);
    }
    Ok(Report {
        redis,
        processors: thread::available_parallelism()?.get(),
        rounds: plan.rounds,
        slice_millis: u64::try_from(plan.slice.as_millis())?,
        left_out,
        scenarios,
    })
}

/// A contestant in a scenario.
struct Lane {
    address: SocketAddr,
    process_id: u32,
    /// A jar for each connection.
    jars: Vec<Jar>,
    requests: Requests,
    latencies: Vec<f64>,
    /// The contestant reads fields with `HGET` and `HMGET`, and sends no such command otherwise.
    has_plain_reads: bool,
    row: Row,
}

impl World {
    /// Starts all processes, and checks that every contestant works.
    pub(crate) fn new(contestants: &[Contestant], link: Link) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let mut redis = RedisServer::start()?;
        let slow = (link == Link::Slow).then(|| SlowLink::start(&redis.address)).transpose()?;
        let address = slow.as_ref().map_or(&redis.address, |link| &link.address).clone();
        let supports_field_expiry = redis.supports_field_expiry()?;
        let (mut servers, mut left_out) = (Vec::new(), Vec::new());
        for &contestant in contestants {
            if contestant.needs_field_expiry() && !supports_field_expiry {
                let (name, version) = (contestant.name(), &redis.version);
                left_out.push(format!("{name} needs HEXPIRE, which {version} does not have"));
                continue;
            }
            let server = Server::start(contestant, &address)?;
            runtime.block_on(check(contestant, server.pages))?;
            servers.push(server);
        }
        Ok(Self { redis, servers, left_out, runtime, _link: slow })
    }

    fn measure(&mut self, scenario: &Scenario, plan: Plan) -> Result<Vec<Row>, Failure> {
        self.redis.flush()?;
        let mut lanes = Vec::new();
        for at in 0..self.servers.len() {
            let contestant = self.servers[at].contestant;
            if scenario.entrants == Entrants::WithoutPeers && !contestant.has_all_pages() {
                continue;
            }
            lanes.push(self.lane(at, scenario, false)?);
            if scenario.has_bare && contestant.has_layer() {
                lanes.push(self.lane(at, scenario, true)?);
            }
        }
        for lane in &mut lanes {
            self.count(lane)?;
        }
        for round in 0..plan.rounds {
            // The first turn changes with each round.
            for turn in 0..lanes.len() {
                let at = (round + turn) % lanes.len();
                self.time(&mut lanes[at], scenario, plan.slice)?;
            }
        }
        Ok(lanes.into_iter().map(Lane::into_row).collect())
    }

    fn lane(&self, at: usize, scenario: &Scenario, is_bare: bool) -> Result<Lane, Failure> {
        let server = &self.servers[at];
        let seeds = async {
            let mut jars = Vec::with_capacity(scenario.connections);
            for _ in 0..scenario.connections {
                jars.push(seed(server.pages, scenario.seed).await?);
            }
            let crowd = match scenario.cookie {
                Cookie::OfCrowd => {
                    let pages = [scenario.path, "/write"];
                    Some(Arc::new(Crowd::create(server.pages, scenario.seed, pages).await?))
                }
                _ => None,
            };
            Ok::<_, Failure>((jars, crowd))
        };
        let (jars, crowd) = self.runtime.block_on(seeds)?;
        Ok(Lane {
            address: if is_bare { server.bare } else { server.pages },
            process_id: server.process_id(),
            jars,
            requests: Requests { path: scenario.path, cookie: scenario.cookie, crowd },
            latencies: Vec::new(),
            has_plain_reads: server.contestant.stores_plain_fields(),
            row: Row::new(server.contestant, is_bare),
        })
    }

    /// Counts the work of Redis for a request. This is also the warm-up.
    fn count(&mut self, lane: &mut Lane) -> Result<(), Failure> {
        let (counters, requests) = self.counted(lane)?;
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
    fn counted(&mut self, lane: &mut Lane) -> Result<(Counters, usize), Failure> {
        const EACH: usize = 20;
        let requests = &lane.requests;
        let gathered = load::gather(lane.address, &lane.jars, requests);
        let mut visitors = self.runtime.block_on(gathered)?;
        if requests.crowd.is_some() {
            visitors = self.visit(visitors, requests, FIRST_WARM_UP)?.0;
        }
        let before = self.redis.counters(Side::Before)?;
        let ran = load::run(visitors, requests, Until::Requests(EACH));
        let (visitors, met) = self.runtime.block_on(ran)?;
        let after = self.redis.counters(Side::After)?;
        lane.jars = jars_of(&visitors);
        Ok((after.since(&before), met.latencies.len()))
    }

    fn time(
        &mut self,
        lane: &mut Lane,
        scenario: &Scenario,
        slice: Duration,
    ) -> Result<(), Failure> {
        let mut timed =
            self.timed(lane.address, lane.process_id, &mut lane.jars, &lane.requests, slice)?;
        let requests = timed.met.latencies.len() as f64;
        lane.row.rates.push(requests / timed.met.elapsed.as_secs_f64());
        lane.row.server_micros.push(timed.server_micros / requests);
        lane.row.redis_micros.push(timed.redis_micros / requests);
        let reads = timed.met.reads * scenario.reads;
        if lane.has_plain_reads && reads > 0 {
            let each_read = |names| timed.counters.calls(names) as f64 / reads as f64;
            lane.row.hits.push(1.0 - each_read(&["hget", "hmget"]));
            lane.row.tracked.push(each_read(&["client|caching"]));
        }
        lane.latencies.append(&mut timed.met.latencies);
        Ok(())
    }

    /// Runs visitors with these cookies for this time. A crowd runs twice, first as a warm-up.
    pub(crate) fn timed(
        &mut self,
        address: SocketAddr,
        process_id: u32,
        jars: &mut Vec<Jar>,
        requests: &Requests,
        slice: Duration,
    ) -> Result<Timed, Failure> {
        let mut visitors = self.runtime.block_on(load::gather(address, jars, requests))?;
        if requests.crowd.is_some() {
            visitors = self.visit(visitors, requests, slice)?.0;
        }
        let counters = self.redis.counters(Side::Before)?;
        let micros = |world: &Self| {
            Ok::<_, Failure>([
                processor_micros(process_id)?,
                processor_micros(world.redis.process_id)?,
            ])
        };
        let before = micros(self)?;
        let (visitors, met) = self.visit(visitors, requests, slice)?;
        let after = micros(self)?;
        *jars = jars_of(&visitors);
        Ok(Timed {
            met,
            server_micros: after[0] - before[0],
            redis_micros: after[1] - before[1],
            counters: self.redis.counters(Side::After)?.since(&counters),
        })
    }

    fn visit(
        &self,
        visitors: Vec<Visitor>,
        requests: &Requests,
        time: Duration,
    ) -> Result<(Vec<Visitor>, Met), Failure> {
        self.runtime.block_on(load::run(visitors, requests, Until::Time(Instant::now() + time)))
    }
}

/// Cost of the requests.
pub(crate) struct Timed {
    pub(crate) met: Met,
    /// CPU time.
    pub(crate) server_micros: f64,
    pub(crate) redis_micros: f64,
    pub(crate) counters: Counters,
}

/// Duration of the first visits of a crowd, which fill near caches.
const FIRST_WARM_UP: Duration = Duration::from_secs(1);

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
            hits: Vec::new(),
            tracked: Vec::new(),
            p50: 0.0,
            p99: 0.0,
            commands: Default::default(),
            bytes_in: 0.0,
            bytes_out: 0.0,
        }
    }
}
