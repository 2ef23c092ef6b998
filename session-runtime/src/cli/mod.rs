//! The program `sessionctl`, which operators run beside the application.
//!
//! - `args.rs` declares the options, which are also the help, the completions and the manual page.
//! - Each command has a file. A command gets a [`Sessions`](crate::Sessions) and an [`Output`].
//! - `output/` writes text or JSON. `safe.rs` makes stored text safe for a terminal.
//! - `failure.rs` has the errors and the exit codes.

mod args;
mod check;
mod connection;
mod count;
mod end;
mod failure;
mod key;
mod list;
mod manual;
mod message;
mod output;
mod progress;
mod safe;
mod secret;
mod seen;
mod selection;
mod show;
mod stats;
mod tag;
mod time;
mod walk;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::args::{Args, Command};
use self::failure::Failure;
use self::output::Output;
use crate::session::untyped;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let args = Args::parse();
    // The results of a check are the warnings.
    if !matches!(args.command, Command::Check) {
        show_warnings();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(run(args));
            // The end of the runtime would close connections that background work still uses, and
            // warn of it.
            std::mem::forget(runtime);
            result
        }
        Err(error) => Err(Failure::Runtime(error)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

async fn run(args: Args) -> Result<(), Failure> {
    let Args { store, json, command } = args;
    let output = &mut Output::new(json);
    let needs = command.permissions();
    let result = match command {
        Command::List(list) => list::run(store.open().await?, list, output).await,
        Command::Count(count) => count::run(store.open().await?, count, output).await,
        Command::Show(show) => show::run(store.open().await?, show, output).await,
        Command::End(end) => end::run(store.open().await?, end, output).await,
        Command::Stats(stats) => stats::run(store.open().await?, stats, output).await,
        Command::Check => check::run(store, output).await,
        Command::Watch(watch) => watch::run(store.open().await?, watch, output).await,
        Command::Key(command) => key::run(command, output),
        Command::Completion { shell } => manual::completion(shell, output),
        Command::Man { command } => manual::page(&command, output),
    };
    result.map_err(|failure| failure.needing(needs))
}

/// Shows the warnings of the library, such as a lost connection. Standard output is for results.
fn show_warnings() {
    // Only the application knows its lifetimes.
    const LIFETIMES: &str = "session_runtime::request::unknown_lifetimes";
    let is_shown =
        |event: &Metadata<'_>| *event.level() <= LevelFilter::WARN && event.target() != LIFETIMES;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let lines = lines.without_time().with_target(false).with_filter(filter_fn(is_shown));
    tracing_subscriber::registry().with(lines).init();
}
