//! Faults of a single server and of the network before the server.

use std::process::Command;
use std::time::Instant;

use session_tests::load::{Load, Report};
use session_tests::proxy::Proxy;
use session_tests::server::RedisServer;

use super::{DEADLINE, VISITORS, alone, assert_served_again, assert_sound, sessions};

const SAVED_AT_ONCE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_fails() {
    let _alone = alone().await;
    let server = RedisServer::start();
    let load = Load::start(&sessions(&server.url()).await, VISITORS).await;
    load.served(50).await;
    let report = end(load, "nothing", &server, None).await;
    assert_eq!(report.failed(), 0);
}

/// Every write was on disk before the acknowledgement.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_killed_and_started_again() {
    let _alone = alone().await;
    let mut server = RedisServer::start_with(&SAVED_AT_ONCE);
    let load = Load::start(&sessions(&server.url()).await, VISITORS).await;
    server.kill();
    load.failed(20).await;
    server.restart();
    let back = Instant::now();
    load.served(20).await;
    end(load, "killed and started again, every write on disk", &server, Some(back)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_freezes_and_goes_on() {
    let _alone = alone().await;
    let server = RedisServer::start();
    let load = Load::start(&sessions(&server.url()).await, VISITORS).await;
    server.pause();
    load.failed(10).await;
    server.resume();
    let back = Instant::now();
    load.served(20).await;
    end(load, "frozen and continued", &server, Some(back)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_falls_into_a_black_hole() {
    let _alone = alone().await;
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let load = Load::start(&sessions(&proxy.url()).await, VISITORS).await;
    proxy.black_hole();
    load.failed(10).await;
    proxy.clear_up();
    let back = Instant::now();
    load.served(20).await;
    end(load, "connections black-holed", &server, Some(back)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_cut_at_random_bytes() {
    let _alone = alone().await;
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let load = Load::start(&sessions(&proxy.url()).await, VISITORS).await;
    for cut in 0..40 {
        proxy.break_after(97 * cut % 1009);
        load.served(1).await;
    }
    let back = Instant::now();
    load.served(20).await;
    end(load, "connections cut at 40 random bytes", &server, Some(back)).await;
}

/// The proxy forwards the requests and drops the replies.
#[tokio::test(flavor = "multi_thread")]
async fn replies_are_dropped_after_execution() {
    let _alone = alone().await;
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let load = Load::start(&sessions(&proxy.url()).await, VISITORS).await;
    for _ in 0..20 {
        proxy.break_after(0);
        load.served(2).await;
    }
    let back = Instant::now();
    load.served(20).await;
    let report = end(load, "replies dropped after execution", &server, Some(back)).await;
    assert!(report.failed() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_are_flushed() {
    let _alone = alone().await;
    let server = RedisServer::start();
    let load = Load::start(&sessions(&server.url()).await, VISITORS).await;
    for _ in 0..20 {
        let _: String = server.cli(&["SCRIPT", "FLUSH"]);
        load.served(2).await;
    }
    let report = end(load, "scripts flushed 20 times", &server, None).await;
    assert_eq!(report.failed(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_full() {
    let _alone = alone().await;
    let server = RedisServer::start_with(&["--maxmemory-policy", "noeviction"]);
    let load = Load::start(&sessions(&server.url()).await, VISITORS).await;
    let _: String = server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    load.failed(10).await;
    let _: String = server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    let back = Instant::now();
    load.served(20).await;
    end(load, "memory full", &server, Some(back)).await;
}

/// A limit on the file size simulates a full disk. The server cannot tell the difference.
#[tokio::test(flavor = "multi_thread")]
async fn the_disk_is_full() {
    let _alone = alone().await;
    let server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "everysec"]);
    let load = Load::start(&sessions(&server.url()).await, VISITORS).await;
    limit_files(&server, "4096:unlimited");
    load.failed(10).await;
    limit_files(&server, "unlimited");
    // The server retries the write every second.
    load.served(20).await;
    end(load, "disk full for the append-only file", &server, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_changes() {
    let _alone = alone().await;
    let server = RedisServer::start();
    let load = Load::start(&sessions(&server.url()).await, VISITORS).await;
    let mut administrator = server.connection();
    let mut ask =
        |words: &[&str]| redis::cmd(words[0]).arg(&words[1..]).exec(&mut administrator).unwrap();
    ask(&["ACL", "SETUSER", "default", "resetpass", ">another"]);
    ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    load.failed(10).await;
    ask(&["ACL", "SETUSER", "default", "nopass"]);
    let back = Instant::now();
    load.served(20).await;
    end(load, "password changed, and changed back", &server, Some(back)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_is_taken_away() {
    let _alone = alone().await;
    let server = RedisServer::start();
    let load = Load::start(&sessions(&server.url()).await, VISITORS).await;
    for permission in ["hset", "pexpire", "evalsha"] {
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("-{permission}")]);
        load.failed(5).await;
        let _: String = server.cli(&["ACL", "SETUSER", "default", &format!("+{permission}")]);
    }
    let back = Instant::now();
    load.served(20).await;
    end(load, "permissions taken away", &server, Some(back)).await;
}

/// As at the end of a planned failover, but for longer than the deadline.
#[tokio::test(flavor = "multi_thread")]
async fn writes_are_paused() {
    let _alone = alone().await;
    let server = RedisServer::start();
    let load = Load::start(&sessions(&server.url()).await, VISITORS).await;
    let _: String = server.cli(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    load.failed(2).await;
    let _: String = server.cli(&["CLIENT", "UNPAUSE"]);
    let back = Instant::now();
    load.served(20).await;
    end(load, "writes paused", &server, Some(back)).await;
}

/// No acknowledged write may be lost, because the server kept running or had all writes on disk.
async fn end(load: Load, fault: &str, server: &RedisServer, back: Option<Instant>) -> Report {
    let report = load.stop().await;
    report.print(fault, DEADLINE, back);
    assert_sound(&report, &[server]);
    assert_eq!(report.lost(), 0, "acknowledged writes are missing");
    if let Some(back) = back {
        assert_served_again(&report, back);
    }
    report
}

fn limit_files(server: &RedisServer, limit: &str) {
    let info: String = server.cli(&["INFO", "server"]);
    let id = info.lines().find_map(|line| line.strip_prefix("process_id:")).unwrap();
    let status =
        Command::new("prlimit").args(["--pid", id, &format!("--fsize={limit}")]).status().unwrap();
    assert!(status.success());
}
