//! What a server was asked, word by word.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};

use redis::{Client, cmd};

/// The commands that a server carries out while this listens (`MONITOR`). What a script calls is among them.
#[derive(Debug)]
pub struct Monitor {
    lines: BufReader<TcpStream>,
    port: u16,
}

impl Monitor {
    pub(super) fn begin(port: u16) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(b"MONITOR\r\n").unwrap();
        let mut lines = BufReader::new(stream);
        assert_eq!(line(&mut lines), "+OK");
        Self { lines, port }
    }

    /// Ends it, and gives the commands in the order in which they were carried out: one text each, words in the server's quotes, as
    /// `"HGET" "app:sessions:{…" "count"`, with `lua ` before those that a script called.
    pub fn finish(mut self) -> Vec<String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mark = format!("end-of-monitor-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut connection = Client::open(("127.0.0.1", self.port)).unwrap().get_connection().unwrap();
        let _: String = cmd("ECHO").arg(&mark).query(&mut connection).unwrap();
        let mut commands = Vec::new();
        loop {
            let line = line(&mut self.lines);
            if line.contains(&mark) {
                // The mark's own connection greets before it.
                commands.retain(|command: &String| !command.starts_with("\"CLIENT\" \"SETINFO\""));
                return commands;
            }
            commands.push(command(&line));
        }
    }
}

fn line(lines: &mut impl BufRead) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// `+1700000000.123456 [0 127.0.0.1:50000] "HGET" …`, or `[0 lua]` in place of the address.
fn command(line: &str) -> String {
    let (origin, command) = line.split_once("] ").unwrap_or(("", line));
    if origin.ends_with(" lua") { format!("lua {command}") } else { command.to_owned() }
}
