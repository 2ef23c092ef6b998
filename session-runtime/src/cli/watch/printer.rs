//! The thread that writes the lines of a watch.
//!
//! A reader may stop, such as a terminal after Ctrl-S. Meanwhile the connections are still read,
//! because the server would keep all news that is not.

use std::io::{self, Write as _};
use std::thread;
use std::time::Duration;

use anstream::stderr;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::event::Event;
use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// The largest number of lines that wait for the reader.
const QUEUE: usize = 1_000;
/// The time in which the reader has to make room for a line.
const PATIENCE: Duration = Duration::from_secs(5);

/// The sending end of the lines.
pub(super) struct Printer {
    lines: Sender<Line>,
    written: oneshot::Receiver<Result<(), Failure>>,
}

enum Line {
    Event(Event),
    /// A text for the standard error.
    Note(String),
}

impl Printer {
    pub(super) fn start(is_json: bool) -> Result<Self, Failure> {
        let (lines, received) = channel(QUEUE);
        let (done, written) = oneshot::channel();
        let write = move || drop(done.send(write_all(received, &mut Output::new(is_json))));
        thread::Builder::new().spawn(write)?;
        Ok(Self { lines, written })
    }

    pub(super) async fn event(&mut self, event: Event) -> Result<(), Failure> {
        self.send(Line::Event(event)).await
    }

    pub(super) async fn note(&mut self, text: impl Into<String>) -> Result<(), Failure> {
        self.send(Line::Note(text.into())).await
    }

    /// Fails if the reader has left, which otherwise only the next line would show.
    pub(super) fn check_reader(&self) -> Result<(), Failure> {
        match is_reader_gone() {
            true => Err(io::Error::from(io::ErrorKind::BrokenPipe).into()),
            false => Ok(()),
        }
    }

    /// Waits until all lines are written.
    pub(super) async fn finish(self) -> Result<(), Failure> {
        let Self { lines, written } = self;
        drop(lines);
        written.await.unwrap_or(Ok(()))
    }

    async fn send(&mut self, line: Line) -> Result<(), Failure> {
        match timeout(PATIENCE, self.lines.send(line)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => (&mut self.written).await.unwrap_or(Ok(())),
            Err(_) => Err(Failure::SlowReader),
        }
    }
}

fn write_all(mut lines: Receiver<Line>, output: &mut Output) -> Result<(), Failure> {
    while let Some(line) = lines.blocking_recv() {
        match line {
            Line::Event(event) => output.result(&event, &event)?,
            // Without a reader of the messages, the events still have one.
            Line::Note(text) => drop(writeln!(stderr(), "{text}")),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_reader_gone() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdout = io::stdout();
    let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
    poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok()
        && asked[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

#[cfg(not(unix))]
fn is_reader_gone() -> bool {
    false
}
