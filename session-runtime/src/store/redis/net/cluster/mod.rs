//! Sessions on a Redis Cluster: which master has a slot, and what to do when a node says that it has not.

mod redirect;
mod slot_map;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use self::redirect::{Detour, Patience};
use self::slot_map::{Map, Node, Range, ranges_in};
use crate::background;
use crate::id::slot::slot_of;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::command::command_of;
use crate::store::redis::net::connect_options::{Address, Dial, write_list};
use crate::store::redis::net::connection::Server;
use crate::store::redis::net::link::Fault;
use crate::store::redis::net::node_connections::{Lane, Lanes};
use crate::store::redis::net::request::Exchange;
use crate::store::{ConnectionState, SessionKey};

/// The masters of a cluster and their slots.
///
/// The client's own cluster connection is not used: it has no deadline, and sends writes again whose fate is not known. A session lives in one
/// slot, so what is left to do is little: to know which master has it, to follow redirections, each of which proves that nothing was carried
/// out, and to learn the slots anew when there is reason to. Replicas are never asked for sessions.
#[derive(Clone)]
pub(crate) struct Cluster {
    shared: Arc<Shared>,
}

struct Shared {
    dial: Dial,
    seeds: Vec<Address>,
    /// Makes the connections to a node.
    lanes: Box<MakeLanes>,
    map: RwLock<Map>,
    /// Whether a task learns the slots, and whether it has to once more.
    learning: AtomicU8,
    /// The latest question for the slots was in vain.
    in_trouble: AtomicBool,
    /// Where the next question begins: a node that does not know better must not be the one that is always asked.
    turn: AtomicUsize,
}

type MakeLanes = dyn Fn(&Address) -> Result<Lanes, Cause> + Send + Sync;

const IDLE: u8 = 0;
const RUNS: u8 = 1;
const RUNS_AGAIN: u8 = 2;

/// The slots are not asked for more often.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(100);
/// How many nodes are asked for the slots side by side.
const ASKED_AT_ONCE: usize = 3;
/// What they are given to answer: others may know better.
const LONGEST_ANSWER: Duration = Duration::from_millis(500);

impl Cluster {
    /// A cluster whose slots are not known yet.
    pub(crate) fn new(
        dial: Dial,
        seeds: Vec<Address>,
        lanes: impl Fn(&Address) -> Result<Lanes, Cause> + Send + Sync + 'static,
    ) -> Self {
        let (map, lanes) = (RwLock::default(), Box::new(lanes));
        let (learning, in_trouble, turn) =
            (AtomicU8::new(IDLE), AtomicBool::default(), AtomicUsize::default());
        Self { shared: Arc::new(Shared { dial, seeds, lanes, map, learning, in_trouble, turn }) }
    }

    /// The same cluster by other connections, whose slots are not known yet. What nobody waits for goes by the connections of this one.
    pub(crate) fn anew(&self) -> Self {
        let this = Arc::clone(&self.shared);
        let lanes = move |address: &Address| {
            let node = this.node_at(address)?;
            this.write_map().add(&node);
            Ok(node.lanes.anew())
        };
        Self::new(self.shared.dial.clone(), self.shared.seeds.clone(), lanes)
    }

    /// Learns the slots and connects to all masters. Tells what they said of themselves.
    pub(crate) async fn connect(&self) -> Result<Vec<Arc<Server>>, Cause> {
        self.shared.learn().await?;
        let mut connecting = JoinSet::new();
        for node in self.nodes() {
            connecting.spawn(async move { node.lanes.connect().await });
        }
        let mut servers = Vec::new();
        while let Some(connected) = connecting.join_next().await {
            servers.push(connected.unwrap_or(Err(Cause::Lost))?);
        }
        Ok(servers)
    }

    /// The same in a task of its own. A master that is away is tried again and again; where no slots can be learnt, that is left to the first
    /// operation.
    pub(crate) fn connect_soon(&self, deadline: Instant) {
        let cluster = self.clone();
        tokio::spawn(async move {
            if cluster.know(deadline).await.is_ok() {
                cluster.nodes().iter().for_each(|node| node.lanes.connect_soon());
            }
        });
    }

    /// Every master that is known.
    pub(crate) fn nodes(&self) -> Vec<Arc<Node>> {
        self.shared.read_map().nodes().cloned().collect()
    }

    /// The master of the key's slot, if it is known.
    pub(crate) fn node_of(&self, key: &SessionKey) -> Option<Arc<Node>> {
        self.shared.read_map().node_of(slot_of(key)).cloned()
    }

    pub(crate) fn connection_state(&self) -> ConnectionState {
        let map = self.shared.read_map();
        let worst = map.nodes().map(|node| node.lanes.connection_state()).max();
        worst.unwrap_or(ConnectionState::Connecting)
    }

    /// Sends what is to be sent to the master of the key's slot, wherever that is by now. An error reply is a reply.
    pub(crate) async fn exchange<E: Exchange>(
        &self,
        key: &SessionKey,
        lane: Lane,
        exchange: &E,
        deadline: Instant,
    ) -> Result<E::Reply, Fault> {
        let slot = slot_of(key);
        let (mut asking, mut patience) = (None, Patience::until(deadline));
        loop {
            let node = asking.clone().or_else(|| self.shared.read_map().node_of(slot).cloned());
            let Some(node) = node else {
                self.learn_soon();
                if patience.wait().await {
                    continue;
                }
                return Err(Fault::NotSent(Cause::Server(Code::ClusterDown)));
            };
            let link = node.lanes.of(key, lane);
            let exchanged = link.exchange(exchange, asking.is_some(), deadline).await;
            let reply = match exchanged {
                Ok(reply) => reply,
                Err(fault) => {
                    // If the node is away, another one may have its slots soon; one that is a replica now has a master.
                    self.learn_soon();
                    asking = None;
                    if is_replica(&fault) && patience.wait().await {
                        continue;
                    }
                    return Err(fault);
                }
            };
            let goes_on = match Detour::of(E::replies(&reply), &node.address) {
                None => return Ok(reply),
                Some(Detour::Ask(address)) => {
                    let node = self.shared.node_at(&address).map_err(Fault::NotSent)?;
                    // It may have no slots yet: others will be sent there too.
                    self.shared.write_map().add(&node);
                    asking = Some(node);
                    patience.detour().await
                }
                Some(Detour::Moved(address)) => {
                    asking = None;
                    let node = self.shared.node_at(&address).map_err(Fault::NotSent)?;
                    self.shared.write_map().moved(slot, &node);
                    self.learn_soon();
                    patience.detour().await
                }
                Some(Detour::Later) => {
                    asking = None;
                    self.learn_soon();
                    patience.wait().await
                }
            };
            if !goes_on {
                return Ok(reply);
            }
        }
    }

    /// Learns the slots, if nothing is known of them.
    pub(crate) async fn know(&self, deadline: Instant) -> Result<(), Cause> {
        if self.shared.read_map().nodes().next().is_some() {
            return Ok(());
        }
        let learnt = timeout_at(deadline, self.shared.learn()).await;
        learnt.unwrap_or(Err(Cause::NoClusterNode))
    }

    /// In the background, one at a time: a caller's runtime may be parked while others wait. What is asked for meanwhile is learnt after it: the answers on their way may be out of date.
    pub(crate) fn learn_soon(&self) {
        // In one step: a task that ends meanwhile must not leave behind a state in which nobody runs and nobody begins.
        let asked = |state| Some(if state == IDLE { RUNS } else { RUNS_AGAIN });
        let before = self.shared.learning.fetch_update(Ordering::AcqRel, Ordering::Acquire, asked);
        if before == Ok(IDLE) {
            let learner = Learner { shared: Arc::downgrade(&self.shared), done: false };
            background::spawn(learner.run());
        }
    }
}

/// As `the cluster of h1:1, h2:2`, the nodes that the URL names.
/// The node does not take what it was asked, and nothing was sent: it is the replica of another one now.
fn is_replica(fault: &Fault) -> bool {
    matches!(fault, Fault::NotSent(Cause::Server(code)) if code.tells_of_another_master())
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the cluster of ")?;
        write_list(&self.shared.seeds, f)
    }
}

/// The task that learns the slots. Whichever way it ends, there can be another one.
struct Learner {
    shared: Weak<Shared>,
    done: bool,
}

impl Learner {
    async fn run(mut self) {
        while let Some(shared) = self.shared.upgrade() {
            shared.learning.store(RUNS, Ordering::Release);
            shared.tell(shared.learn().await);
            drop(shared);
            sleep(BETWEEN_QUESTIONS).await;
            let Some(shared) = self.shared.upgrade() else { return };
            let ended = shared.learning.compare_exchange(RUNS, IDLE, Ordering::AcqRel, Ordering::Acquire);
            self.done = ended.is_ok();
            if self.done {
                return;
            }
        }
    }
}

impl Drop for Learner {
    fn drop(&mut self) {
        if let (false, Some(shared)) = (self.done, self.shared.upgrade()) {
            shared.learning.store(IDLE, Ordering::Release);
        }
    }
}

impl Shared {
    /// The first failure of several in a row is told.
    fn tell(&self, learnt: Result<(), Cause>) {
        let was_in_trouble = self.in_trouble.swap(learnt.is_err(), Ordering::Relaxed);
        if let (Err(cause), false) = (learnt, was_in_trouble) {
            tracing::error!(%cause, "the slots of the session store's cluster could not be learnt, trying again and again");
        }
    }

    async fn learn(&self) -> Result<(), Cause> {
        let mut failure = Cause::NoClusterNode;
        for addresses in self.all_addresses().chunks(ASKED_AT_ONCE) {
            match self.first_answer(addresses).await {
                Ok(ranges) => return self.install(ranges),
                Err(cause) => failure = cause,
            }
        }
        Err(failure)
    }

    /// Masters first, each time another one, then the nodes of the URL.
    fn all_addresses(&self) -> Vec<Address> {
        let mut addresses: Vec<_> = self.read_map().nodes().map(|node| node.address.clone()).collect();
        if !addresses.is_empty() {
            let first = self.turn.fetch_add(1, Ordering::Relaxed) % addresses.len();
            addresses.rotate_left(first);
        }
        for seed in &self.seeds {
            if !addresses.contains(seed) {
                addresses.push(seed.clone());
            }
        }
        addresses
    }

    async fn first_answer(&self, addresses: &[Address]) -> Result<Vec<Range>, Cause> {
        let mut asked = JoinSet::new();
        for address in addresses {
            let (dial, address) = (self.dial.clone(), address.clone());
            asked.spawn(async move {
                let question = command_of(&["CLUSTER", "SLOTS"]);
                let reply = timeout(LONGEST_ANSWER, dial.ask(&address, &question)).await;
                let silent =
                    |_| Cause::Unreachable { address: address.to_string(), reason: "no answer in time" };
                ranges_in(reply.map_err(silent)??, &address)
            });
        }
        let mut failure = Cause::NoClusterNode;
        while let Some(answer) = asked.join_next().await {
            match answer.unwrap_or(Err(Cause::Lost)) {
                Ok(ranges) => return Ok(ranges),
                Err(cause) => failure = cause,
            }
        }
        Err(failure)
    }

    /// Nodes that are known keep their connections.
    fn install(&self, ranges: Vec<Range>) -> Result<(), Cause> {
        let mut map = Map::default();
        for range in ranges {
            let node = match map.node_at(&range.master) {
                Some(node) => Arc::clone(node),
                None => self.node_at(&range.master)?,
            };
            map.assign(&range, &node);
        }
        *self.write_map() = map;
        Ok(())
    }

    /// The node there, with the connections that it has, or with new ones.
    fn node_at(&self, address: &Address) -> Result<Arc<Node>, Cause> {
        if let Some(node) = self.read_map().node_at(address) {
            return Ok(Arc::clone(node));
        }
        Ok(Arc::new(Node { address: address.clone(), lanes: (self.lanes)(address)? }))
    }

    fn read_map(&self) -> std::sync::RwLockReadGuard<'_, Map> {
        self.map.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_map(&self) -> std::sync::RwLockWriteGuard<'_, Map> {
        self.map.write().unwrap_or_else(PoisonError::into_inner)
    }
}
