//! The exact commands that servers execute.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU32, Ordering};

use redis::{Client, Connection, cmd};

use super::RedisServer;

/// Records the commands that servers execute (`MONITOR`). Includes the commands in scripts, but not
/// the commands of sentinels.
#[derive(Debug)]
pub struct Monitor {
    listeners: Vec<Listener>,
}

#[derive(Debug)]
struct Listener {
    lines: BufReader<UnixStream>,
    url: String,
}

/// `+1700000000.123456 [0 127.0.0.1:50000] "HGET" …`, or `[0 lua]` in place of the address.
struct Line {
    time: String,
    origin: String,
    command: String,
}

impl Monitor {
    /// Records the commands of all these servers.
    pub(crate) fn begin(servers: &[&RedisServer]) -> Self {
        Self { listeners: servers.iter().map(|server| Listener::begin(server)).collect() }
    }

    /// Stops the recording, and returns the commands in the order of execution. Each command is a
    /// text with the server's quotes, such as `"HGET" "app:sessions:{…" "count"`. Commands in
    /// scripts start with `lua `.
    pub fn finish(self) -> Vec<String> {
        let mut lines: Vec<Line> = self.listeners.into_iter().flat_map(Listener::finish).collect();
        // The sort is stable, so commands of a server within a microsecond keep their order.
        lines.sort_by(|one, other| one.time.cmp(&other.time));
        lines.into_iter().map(Line::into_command).collect()
    }
}

impl Listener {
    fn begin(server: &RedisServer) -> Self {
        let mut stream = UnixStream::connect(server.socket()).unwrap();
        stream.write_all(b"MONITOR\r\n").unwrap();
        let mut lines = BufReader::new(stream);
        assert_eq!(read_line(&mut lines), "+OK");
        Self { lines, url: server.unix_url() }
    }

    fn finish(mut self) -> Vec<Line> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mark = format!("end-of-monitor-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut connection = Client::open(self.url.as_str()).unwrap().get_connection().unwrap();
        let _: String = cmd("ECHO").arg(&mark).query(&mut connection).unwrap();
        let mut heard = Vec::new();
        loop {
            let line = read_line(&mut self.lines);
            if line.contains(&mark) {
                break;
            }
            heard.push(Line::parse(&line));
        }
        let sentinels = sentinels(&mut connection);
        heard.retain(|line| !sentinels.contains(&line.origin) && !line.greets());
        heard
    }
}

impl Line {
    fn parse(line: &str) -> Self {
        let (head, command) = line.split_once("] ").unwrap_or(("", line));
        let (time, origin) = head.split_once(" [").unwrap_or_default();
        let origin = origin.split_once(' ').map_or(origin, |(_database, origin)| origin);
        Self { time: time.to_owned(), origin: origin.to_owned(), command: command.to_owned() }
    }

    /// The connection that ends the recording also sends this.
    fn greets(&self) -> bool {
        self.command.starts_with("\"CLIENT\" \"SETINFO\"")
    }

    fn into_command(self) -> String {
        if self.origin == "lua" { format!("lua {}", self.command) } else { self.command }
    }
}

fn read_line(lines: &mut impl BufRead) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// Returns the addresses of the sentinels' connections, from `id=3 addr=127.0.0.1:50000 laddr=…
/// fd=8 name=sentinel-…`.
fn sentinels(connection: &mut Connection) -> Vec<String> {
    let clients: String = cmd("CLIENT").arg("LIST").query(connection).unwrap();
    let of_sentinel = |client: &str| {
        let property = |name| client.split(' ').find_map(|property| property.strip_prefix(name));
        property("name=")?.starts_with("sentinel-").then(|| property("addr=").map(str::to_owned))?
    };
    clients.lines().filter_map(of_sentinel).collect()
}
