//! The process of a contestant, and the CPU time of processes.

use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{self, Child, Command, Stdio};
use std::{fs, thread};

use crate::Failure;
use crate::server::Contestant;

/// A process of this program. The process ends when this value is dropped or this program ends.
#[derive(Debug)]
struct Process(Child);

/// A contestant's process, which serves the pages.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) contestant: Contestant,
    /// Address of all pages.
    pub(crate) pages: SocketAddr,
    /// Address of the page that ignores the session, without the layer.
    pub(crate) bare: SocketAddr,
    process: Process,
}

/// A process that delays all data to and from Redis.
#[derive(Debug)]
pub(crate) struct SlowLink {
    /// Address in place of the address of Redis.
    pub(crate) address: String,
    _process: Process,
}

impl Server {
    /// Starts the process, and waits until requests are accepted.
    pub(crate) fn start(contestant: Contestant, redis: &str) -> Result<Self, Failure> {
        let (process, line) = Process::start(["serve", contestant.name(), redis])?;
        let said = || format!("{} did not start", contestant.name());
        let (pages, bare) = line.split_once(' ').ok_or_else(said)?;
        Ok(Self { contestant, pages: pages.parse()?, bare: bare.parse()?, process })
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process.0.id()
    }
}

impl SlowLink {
    /// Starts the process, and waits until connections are accepted.
    pub(crate) fn start(redis: &str) -> Result<Self, Failure> {
        let (process, address) = Process::start(["delay", redis])?;
        Ok(Self { address, _process: process })
    }
}

impl Process {
    /// Returns the first line of the output too.
    fn start<const N: usize>(arguments: [&str; N]) -> Result<(Self, String), Failure> {
        let process = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (mut process, mut line) = (Self(process), String::new());
        if let Some(output) = process.0.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        Ok((process, line.trim().to_owned()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Makes this process end with the parent process, which holds the other end of the input.
pub(crate) fn end_with_input() {
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        process::exit(0);
    });
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
