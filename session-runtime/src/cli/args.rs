//! The options of the program. The doc comments are its help.

use std::num::NonZero;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use super::connection::StoreArgs;
use super::selection::Selection;

/// Lists, shows, counts and ends the sessions of an application, and checks the servers that keep
/// them.
#[derive(Parser)]
#[command(name = "sessionctl", version, max_term_width = 100, after_long_help = EXIT_CODES)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) store: StoreArgs,

    /// Print JSON in place of text
    #[arg(long, global = true)]
    pub(super) json: bool,

    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused, or a check found a problem
  2  wrong options, or a question without an answer
  3  the store is unavailable
  4  no such session

sessionctl never uses KEYS. A walk over all sessions is a SCAN in small steps, and prolongs no \
session.";

#[derive(Subcommand)]
pub(super) enum Command {
    /// List live sessions, without their values
    List(ListArgs),
    /// Count live sessions
    Count(CountArgs),
    /// Show how many sessions the store keeps, of which age, and in how many bytes
    Stats(StatsArgs),
    /// Check the servers as an application does at the start, and tell all that is wrong
    Check,
    /// Print sessions as they are created, rotated, renewed and ended, until interrupted
    Watch(WatchArgs),
    /// Make or check secrets and encryption keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Print the completions of a shell
    Completion { shell: Shell },
    /// Print the manual page
    Man,
}

#[derive(clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) selection: Selection,

    /// List at most this many sessions
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,

    #[command(flatten)]
    pub(super) pace: PaceArgs,
}

#[derive(clap::Args)]
pub(super) struct CountArgs {
    #[command(flatten)]
    pub(super) selection: Selection,

    #[command(flatten)]
    pub(super) pace: PaceArgs,
}

#[derive(clap::Args)]
pub(super) struct StatsArgs {
    #[command(flatten)]
    pub(super) pace: PaceArgs,
}

#[derive(clap::Args)]
pub(super) struct WatchArgs {
    /// Stop after this many events
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<u64>,
}

#[derive(clap::Args)]
pub(super) struct PaceArgs {
    /// Look at no more than this many sessions per second. Without it, a walk is as fast as the
    /// store answers
    #[arg(long, value_name = "N")]
    pub(super) rate: Option<NonZero<u32>>,
}

#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// Print a new random secret, for SESSION_SECRET or SESSION_ENCRYPTION_KEYS
    New,
    /// Check the secrets in SESSION_SECRET and SESSION_ENCRYPTION_KEYS, without printing them
    Check,
}
