//! A Redis Cluster: the master of each slot, and redirections between nodes.

mod redirect;
mod slot_map;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use self::redirect::{Redirect, RetryBudget};
use self::slot_map::{Node, Range, SlotMap, ranges_in};
use crate::background;
use crate::id::slot::{StoredKey, slot_of};
use crate::store::ConnectionState;
use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::near::NearCell;
use crate::store::redis::net::address::{Address, write_list};
use crate::store::redis::net::connect_options::ConnectOptions;
use crate::store::redis::net::listeners::Listeners;
use crate::store::redis::net::node_connections::{NodeConnections, Route};
use crate::store::redis::net::request::{Exchange, Request, RequestError};
use crate::store::redis::protocol::command::command_of;

/// The masters of a cluster and their slots.
///
/// The client's own cluster connection is not used. It has no deadline, and sends writes again even
/// if the first outcome is unknown.
///
/// A session lives in a single slot, so little is left to do. The cluster finds the master of the
/// slot, follows redirections, and asks for the slots again if necessary. A redirection proves that
/// nothing was carried out. Replicas are never asked for sessions.
#[derive(Clone)]
pub(crate) struct Cluster {
    shared: Arc<Shared>,
}

struct Shared {
    options: ConnectOptions,
    seeds: Vec<Address>,
    /// Creates the connections to a node.
    make_connections: Box<MakeConnections>,
    /// The near cache, whose values of a moved slot cease to count.
    near: Arc<NearCell>,
    map: RwLock<SlotMap>,
    /// The state of the task that asks for the slots: idle, running, or running with another round
    /// requested.
    refreshing: AtomicU8,
    /// The latest attempt to get the slots failed.
    is_failing: AtomicBool,
    /// The node to start with at the next attempt. Each attempt starts with another node, because
    /// the previous node may be out of date.
    next_start: AtomicUsize,
}

type MakeConnections = dyn Fn(&Address) -> Result<NodeConnections, Cause> + Send + Sync;

const IDLE: u8 = 0;
const RUNNING: u8 = 1;
const RUN_AGAIN: u8 = 2;

/// The shortest time between two attempts to get the slots.
const REFRESH_INTERVAL: Duration = Duration::from_millis(100);
/// The number of nodes that are asked for the slots concurrently.
const NODES_AT_ONCE: usize = 3;
/// The time that a node has to answer. Other nodes may know better.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);

impl Cluster {
    /// Creates a cluster whose slots are not known yet.
    pub(crate) fn new(
        options: ConnectOptions,
        seeds: Vec<Address>,
        near: Arc<NearCell>,
        make_connections: impl Fn(&Address) -> Result<NodeConnections, Cause> + Send + Sync + 'static,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                options,
                seeds,
                make_connections: Box::new(make_connections),
                near,
                map: RwLock::default(),
                refreshing: AtomicU8::new(IDLE),
                is_failing: AtomicBool::default(),
                next_start: AtomicUsize::default(),
            }),
        }
    }

    /// Returns the same cluster with separate connections, which tell changes to these listeners.
    /// The slots are not known yet. The background connections are shared.
    pub(crate) fn fork(&self, listeners: &Listeners) -> Self {
        let (this, listeners) = (Arc::clone(&self.shared), listeners.clone());
        let near = Arc::clone(&listeners.near);
        let fork_connections = move |address: &Address| {
            let node = this.node_at(address)?;
            this.write_map().add(&node);
            Ok(node.connections.fork(&listeners))
        };
        let (options, seeds) = (self.shared.options.clone(), self.shared.seeds.clone());
        Self::new(options, seeds, near, fork_connections)
    }

    /// Asks for the slots and connects to all masters.
    pub(crate) async fn connect(&self) -> Result<(), Cause> {
        self.shared.refresh_slots().await?;
        let mut connecting = JoinSet::new();
        for node in self.nodes() {
            connecting.spawn(async move { node.connections.connect().await });
        }
        while let Some(connected) = connecting.join_next().await {
            connected.unwrap_or(Err(Cause::Lost))?;
        }
        Ok(())
    }

    /// Connects to all masters in a separate task. A master that is away is tried again and again.
    /// If no node returns the slots, the first operation asks for the slots again.
    pub(crate) fn connect_soon(&self, deadline: Instant) {
        let cluster = self.clone();
        tokio::spawn(async move {
            if cluster.ensure_slots_known(deadline).await.is_ok() {
                cluster.nodes().iter().for_each(|node| node.connections.connect_soon());
            }
        });
    }

    /// Returns all known masters.
    pub(crate) fn nodes(&self) -> Vec<Arc<Node>> {
        self.shared.read_map().nodes().cloned().collect()
    }

    /// Returns the master of the key's slot, if known.
    pub(crate) fn node_of(&self, key: &impl StoredKey) -> Option<Arc<Node>> {
        self.shared.read_map().node_of(slot_of(key)).cloned()
    }

    pub(crate) fn connection_state(&self) -> ConnectionState {
        let map = self.shared.read_map();
        let worst = map.nodes().map(|node| node.connections.connection_state()).max();
        worst.unwrap_or(ConnectionState::Connecting)
    }

    /// Sends a request to the current master of the key's slot. Error replies are returned as
    /// replies.
    pub(crate) async fn send<R: Request>(
        &self,
        key: &impl StoredKey,
        route: Route,
        request: &R,
        deadline: Instant,
    ) -> Result<Exchange<R::Reply>, RequestError> {
        let slot = slot_of(key);
        let (mut asking, mut budget) = (None, RetryBudget::with_deadline(deadline));
        loop {
            let node = asking.clone().or_else(|| self.shared.read_map().node_of(slot).cloned());
            let Some(node) = node else {
                self.refresh_slots_soon();
                if budget.pause().await {
                    continue;
                }
                return Err(RequestError::NotSent(Cause::Server(Code::ClusterDown)));
            };
            let link = node.connections.link(key, route);
            let sent = link.send(request, asking.is_some(), deadline).await;
            let exchange = match sent {
                Ok(exchange) => exchange,
                Err(error) => {
                    // If the node is away, another node may soon take over the slots. If the node
                    // is a replica now, there is another master.
                    self.refresh_slots_soon();
                    asking = None;
                    if is_replica(&error) && budget.pause().await {
                        continue;
                    }
                    return Err(error);
                }
            };
            let replies = R::deciding_replies(&exchange.reply);
            let goes_on = match Redirect::in_replies(replies, &node.address) {
                None => return Ok(exchange),
                Some(Redirect::Ask(address)) => {
                    let node = self.shared.node_at(&address).map_err(RequestError::NotSent)?;
                    // The node may have no slots yet, but further requests will be redirected there
                    // too.
                    self.shared.write_map().add(&node);
                    asking = Some(node);
                    budget.follow().await
                }
                Some(Redirect::Moved(address)) => {
                    asking = None;
                    let node = self.shared.node_at(&address).map_err(RequestError::NotSent)?;
                    self.shared.write_map().reassign(slot, &node);
                    self.refresh_slots_soon();
                    budget.follow().await
                }
                Some(Redirect::Retry) => {
                    asking = None;
                    self.refresh_slots_soon();
                    budget.pause().await
                }
            };
            if !goes_on {
                return Ok(exchange);
            }
        }
    }

    /// Asks for the slots if none are known.
    pub(crate) async fn ensure_slots_known(&self, deadline: Instant) -> Result<(), Cause> {
        if self.shared.read_map().nodes().next().is_some() {
            return Ok(());
        }
        self.refresh_slots(deadline).await
    }

    /// Asks for the slots, even if they are known.
    pub(crate) async fn refresh_slots(&self, deadline: Instant) -> Result<(), Cause> {
        let refreshed = timeout_at(deadline, self.shared.refresh_slots()).await;
        refreshed.unwrap_or(Err(Cause::NoClusterNode))
    }

    /// Starts a background task that asks for the slots. The caller's runtime may be parked while
    /// other runtimes wait, so the task runs elsewhere. If the task is already running, it asks
    /// again afterwards, because answers on their way may be out of date.
    pub(crate) fn refresh_slots_soon(&self) {
        // One atomic step. If the task ends in the meantime, the state must not say that a task is
        // running.
        let next = |state| Some(if state == IDLE { RUNNING } else { RUN_AGAIN });
        let before = self.shared.refreshing.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
        if before == Ok(IDLE) {
            let refresh = SlotRefresh { shared: Arc::downgrade(&self.shared), done: false };
            background::spawn(refresh.run());
        }
    }
}

/// Returns whether the node refused the request because it is a replica now. Nothing was sent.
fn is_replica(error: &RequestError) -> bool {
    matches!(error, RequestError::NotSent(Cause::Server(code)) if code.is_not_master())
}

/// Writes the nodes that the URL names, as `the cluster of h1:1, h2:2`.
impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the cluster of ")?;
        write_list(&self.shared.seeds, f)
    }
}

/// The task that asks for the slots. However the task ends, another task can be started.
struct SlotRefresh {
    shared: Weak<Shared>,
    done: bool,
}

impl SlotRefresh {
    async fn run(mut self) {
        while let Some(shared) = self.shared.upgrade() {
            shared.refreshing.store(RUNNING, Ordering::Release);
            shared.log_outcome(shared.refresh_slots().await);
            drop(shared);
            sleep(REFRESH_INTERVAL).await;
            let Some(shared) = self.shared.upgrade() else { return };
            let ended = shared.refreshing.compare_exchange(
                RUNNING,
                IDLE,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            self.done = ended.is_ok();
            if self.done {
                return;
            }
        }
    }
}

impl Drop for SlotRefresh {
    fn drop(&mut self) {
        if let (false, Some(shared)) = (self.done, self.shared.upgrade()) {
            shared.refreshing.store(IDLE, Ordering::Release);
        }
    }
}

impl Shared {
    /// Logs only the first of several failures in a row.
    fn log_outcome(&self, refreshed: Result<(), Cause>) {
        let was_failing = self.is_failing.swap(refreshed.is_err(), Ordering::Relaxed);
        if let (Err(cause), false) = (refreshed, was_failing) {
            tracing::error!(%cause, "could not read the slots of the session store's cluster, \
                                     retrying");
        }
    }

    async fn refresh_slots(&self) -> Result<(), Cause> {
        let mut failure = Cause::NoClusterNode;
        for addresses in self.all_addresses().chunks(NODES_AT_ONCE) {
            match self.first_answer(addresses).await {
                Ok(ranges) => return self.install(ranges),
                Err(cause) => failure = cause,
            }
        }
        Err(failure)
    }

    /// Returns the masters, starting with another master each time, and then the nodes of the URL.
    fn all_addresses(&self) -> Vec<Address> {
        let mut addresses: Vec<_> =
            self.read_map().nodes().map(|node| node.address.clone()).collect();
        if !addresses.is_empty() {
            let first = self.next_start.fetch_add(1, Ordering::Relaxed) % addresses.len();
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
        let mut queries = JoinSet::new();
        for address in addresses {
            let (options, address) = (self.options.clone(), address.clone());
            queries.spawn(async move {
                let command = command_of(&["CLUSTER", "SLOTS"]);
                let reply = timeout(ANSWER_TIMEOUT, options.query(&address, &command)).await;
                let silent = |_| Cause::Unreachable {
                    address: address.to_string(),
                    reason: "no reply in time",
                };
                ranges_in(reply.map_err(silent)??, &address)
            });
        }
        let mut failure = Cause::NoClusterNode;
        while let Some(answer) = queries.join_next().await {
            match answer.unwrap_or(Err(Cause::Lost)) {
                Ok(ranges) => return Ok(ranges),
                Err(cause) => failure = cause,
            }
        }
        Err(failure)
    }

    /// Installs new slots. Known nodes keep their connections.
    fn install(&self, ranges: Vec<Range>) -> Result<(), Cause> {
        let mut map = SlotMap::default();
        for range in ranges {
            let node = match map.node_at(&range.master) {
                Some(node) => Arc::clone(node),
                None => self.node_at(&range.master)?,
            };
            map.assign(&range, &node);
        }
        let moved = std::mem::replace(&mut *self.write_map(), map);
        if let Some(near) = self.near.get()
            && let Some(moved) = moved.moved_to(&self.read_map())
        {
            near.void_slots(|slot| moved[usize::from(slot)]);
        }
        Ok(())
    }

    /// Returns the node at an address, with existing connections or with new connections.
    fn node_at(&self, address: &Address) -> Result<Arc<Node>, Cause> {
        if let Some(node) = self.read_map().node_at(address) {
            return Ok(Arc::clone(node));
        }
        Ok(Arc::new(Node {
            address: address.clone(),
            connections: (self.make_connections)(address)?,
        }))
    }

    fn read_map(&self) -> std::sync::RwLockReadGuard<'_, SlotMap> {
        self.map.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_map(&self) -> std::sync::RwLockWriteGuard<'_, SlotMap> {
        self.map.write().unwrap_or_else(PoisonError::into_inner)
    }
}
