//! Faults of a single server and of the network to it, under load.

use std::time::Duration;

use redis::cmd;
use session_tests::near_history::History;
use session_tests::random::Random;
use session_tests::resp_proxy::{Direction, RespProxy};
use session_tests::server::{Make, RedisServer};
use tokio::time::sleep;

use super::load::Load;
use super::{MAX_AGE, MAX_STALENESS, alone};

/// The hits for which a test waits before and after a fault.
const HITS: u64 = 500;
const OPERATIONS: u64 = 1_000;

/// A server, and a network to it for each store.
struct World {
    servers: [RedisServer; 1],
    networks: [RespProxy; 3],
    random: Random,
    seed: u64,
}

impl World {
    fn start(server: RedisServer) -> Self {
        let seed = Random::seed();
        let mut random = Random::new(seed);
        let networks = [(); 3].map(|()| RespProxy::start(server.port(), random.fork()));
        Self { servers: [server], networks, random, seed }
    }

    async fn load(&self) -> Load {
        let urls = self.urls();
        let urls = urls.each_ref().map(String::as_str);
        let load = Load::start(urls, &self.server().url(), self.seed).await;
        load.hits(&self.servers, HITS).await;
        load
    }

    fn urls(&self) -> [String; 3] {
        self.networks.each_ref().map(RespProxy::url)
    }

    fn server(&self) -> &RedisServer {
        &self.servers[0]
    }

    fn any_network(&mut self) -> &RespProxy {
        let number = self.random.within(0..3);
        &self.networks[usize::try_from(number).unwrap()]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_fails() {
    let _alone = alone().await;
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let world = World::start(server);
        let load = world.load().await;
        load.served(2 * OPERATIONS).await;
        load.hits(&world.servers, HITS).await;
        assert_eq!(load.failed(), 0);
        load.assert_legal(History::default()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_delayed() {
    let _alone = alone().await;
    let world = World::start(RedisServer::start());
    let load = world.load().await;
    for most in [5, 30, 2] {
        for network in &world.networks {
            network.delay_up_to(Duration::from_millis(most));
        }
        // On a busy machine, few values last until the next read.
        load.hits(&world.servers, HITS / 5).await;
        load.served(OPERATIONS).await;
    }
    assert_eq!(load.failed(), 0);
    load.assert_legal(History::default()).await;
}

/// Each direction of each store stands still for up to three times the staleness.
#[tokio::test(flavor = "multi_thread")]
async fn directions_are_stalled() {
    let _alone = alone().await;
    let mut world = World::start(RedisServer::start());
    let load = world.load().await;
    for network in &world.networks {
        network.delay_up_to(Duration::from_millis(5));
    }
    for round in 0..5 {
        let direction = [Direction::Requests, Direction::Replies][round % 2];
        let time = world.random.up_to(3 * MAX_STALENESS);
        world.any_network().stall(direction, time);
        let pause = world.random.up_to(time);
        sleep(pause).await;
        load.served(OPERATIONS / 2).await;
    }
    load.hits(&world.servers, HITS).await;
    load.assert_legal(History::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_cut() {
    let _alone = alone().await;
    let mut world = World::start(RedisServer::start());
    let load = world.load().await;
    for network in &world.networks {
        network.delay_up_to(Duration::from_millis(10));
    }
    for _ in 0..6 {
        world.any_network().cut();
        load.served(OPERATIONS / 2).await;
    }
    load.hits(&world.servers, HITS).await;
    load.assert_legal(History::default()).await;
}

/// The server closes the connections, while the network still delivers what was sent before.
#[tokio::test(flavor = "multi_thread")]
async fn the_server_closes_connections() {
    let _alone = alone().await;
    let mut world = World::start(RedisServer::start());
    let load = world.load().await;
    for _ in 0..3 {
        let time = world.random.up_to(2 * MAX_STALENESS);
        world.any_network().stall(Direction::Replies, time);
        let _: i64 = world.server().cli(&["CLIENT", "KILL", "TYPE", "normal"]);
        load.served(OPERATIONS).await;
    }
    load.hits(&world.servers, HITS).await;
    load.assert_legal(History::default()).await;
}

/// Only `max_age` limits the age of reads.
#[tokio::test(flavor = "multi_thread")]
async fn pushes_are_swallowed() {
    let _alone = alone().await;
    let world = World::start(RedisServer::start());
    for network in &world.networks {
        network.swallow_pushes(true);
    }
    let urls = world.urls();
    let urls = urls.each_ref().map(String::as_str);
    let load = Load::start_without_news(urls, &world.server().url(), world.seed).await;
    load.hits(&world.servers, 2 * HITS).await;
    sleep(2 * MAX_AGE).await;
    load.hits(&world.servers, HITS).await;
    assert_eq!(load.failed(), 0);
    load.assert_legal(History::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_freezes_and_goes_on() {
    let _alone = alone().await;
    let world = World::start(RedisServer::start());
    let load = world.load().await;
    for factor in [1, 3, 10] {
        world.server().pause();
        sleep(factor * MAX_STALENESS).await;
        world.server().resume();
        load.hits(&world.servers, HITS).await;
    }
    load.assert_legal(History::default()).await;
}

/// The server loses all sessions.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_killed_and_started_again() {
    let _alone = alone().await;
    let mut world = World::start(RedisServer::start());
    let load = world.load().await;
    load.rest().await;
    let mut lost = load.lose_all(|| world.servers[0].kill());
    sleep(MAX_STALENESS).await;
    world.servers[0].restart();
    load.go_on();
    load.hits(&world.servers, HITS).await;
    load.rest().await;
    lost.append(load.lose_all(|| world.servers[0].restart()));
    load.go_on();
    load.hits(&world.servers, HITS).await;
    load.assert_legal(lost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_flushed() {
    let _alone = alone().await;
    for make in [Make::Usual, Make::Redis8, Make::Valkey9] {
        let Some(server) = RedisServer::start_make(make) else { continue };
        let world = World::start(server);
        let load = world.load().await;
        world.networks[0].delay_up_to(Duration::from_millis(20));
        let mut lost = History::default();
        let mut connection = world.server().connection();
        for _ in 0..3 {
            load.rest().await;
            lost.append(load.lose_all(|| cmd("FLUSHALL").exec(&mut connection).unwrap()));
            load.go_on();
            load.hits(&world.servers, HITS).await;
        }
        load.assert_legal(lost).await;
    }
}
