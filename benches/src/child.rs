//! The process of a contestant, and the CPU time of processes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::Failure;
use crate::server::Contestant;

/// A contestant's process, which serves the pages. The process ends when this value is dropped or
/// this program ends.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) contestant: Contestant,
    /// Address of all pages.
    pub(crate) pages: SocketAddr,
    /// Address of the page that ignores the session, without the layer.
    pub(crate) bare: SocketAddr,
    process: Child,
}

impl Server {
    /// Starts the process, and waits until requests are accepted.
    pub(crate) fn start(contestant: Contestant, redis: &str) -> Result<Self, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["serve", contestant.name(), redis])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let said = || format!("{} did not start", contestant.name());
        let (pages, bare) = line.trim().split_once(' ').ok_or_else(said)?;
        Ok(Self { contestant, pages: pages.parse()?, bare: bare.parse()?, process })
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the CPU time of a process so far, in microseconds. Only threads that still run count.
///
/// # Errors
///
/// Fails where the system lacks `/proc/PID/task/TID/schedstat`, which counts nanoseconds.
/// `/proc/PID/stat` only counts hundredths of a second.
pub(crate) fn processor_micros(process_id: u32) -> Result<f64, Failure> {
    let mut nanoseconds = 0_u64;
    for thread in fs::read_dir(format!("/proc/{process_id}/task"))? {
        // A thread may end during the loop.
        let Ok(numbers) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        nanoseconds += numbers.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(nanoseconds as f64 / 1000.0)
}
