//! Tests of the test support: servers stop, whatever happens to the test.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};

use session_tests::server::RedisServer;
use session_tests::wait_for;

#[test]
fn a_server_ends_with_its_value() {
    let server = RedisServer::start();
    let (port, directory) = (server.port(), server.directory().to_owned());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    drop(server);
    assert!(!directory.exists());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_server_ends_with_a_panic() {
    let mut port = 0;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let server = RedisServer::start();
        port = server.port();
        server.pause();
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_server_ends_with_a_test_process_that_is_killed() {
    const HOLDS: &str = "SESSION_TESTS_HOLD_A_SERVER";
    if std::env::var_os(HOLDS).is_some() {
        let server = RedisServer::start();
        println!("\nport={}\ndirectory={}", server.port(), server.directory().display());
        std::thread::park();
    }
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "server::a_server_ends_with_a_test_process_that_is_killed",
            "--nocapture",
        ])
        .env(HOLDS, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines().map(Result::unwrap);
    let port = lines
        .find_map(|line| line.strip_prefix("port=").map(|port| port.parse().unwrap()))
        .unwrap();
    let directory = lines
        .find_map(|line| line.strip_prefix("directory=").map(std::path::PathBuf::from))
        .unwrap();
    let is_up = || TcpStream::connect(("127.0.0.1", port)).is_ok();
    assert!(is_up() && directory.exists());
    holder.kill().unwrap();
    holder.wait().unwrap();
    wait_for("the server to end", || (!is_up() && !directory.exists()).then_some(()));
}

#[test]
fn a_restarted_server_has_what_was_on_disk() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let port = server.port();
    let _: String = server.cli(&["SET", "a", "1"]);
    server.kill();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    server.restart();
    assert_eq!((server.port(), server.cli::<String>(&["GET", "a"])), (port, "1".into()));
}

#[test]
fn counts_and_monitor_report_executed_commands() {
    let server = RedisServer::start();
    let before = server.counts();
    let monitor = server.monitor();
    let _: String = server.cli(&["SET", "a b", "\r\n"]);
    let _: Option<String> = server.cli(&["GET", "a b"]);
    let _: Option<String> = server.cli(&["GET", "c"]);
    assert_eq!(monitor.finish(), [r#""SET" "a b" "\r\n""#, r#""GET" "a b""#, r#""GET" "c""#]);
    let counts = server.counts() - before;
    assert_eq!((counts.calls("set"), counts.calls("get"), counts.calls("del")), (1, 2, 0));
}
