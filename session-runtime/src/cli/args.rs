//! The options of the program. The doc comments are its help.

use std::num::NonZero;
use std::str::FromStr;

use clap::{ArgGroup, Parser, Subcommand};
use clap_complete::Shell;

use super::connection::StoreArgs;
use super::selection::Selection;
use super::tag::{CreatedAt, Tag};

/// Lists, shows, counts, watches and ends the sessions of an application, measures them, checks the
/// servers that keep them, and makes keys.
#[derive(Parser)]
#[command(name = "sessionctl", version, max_term_width = 100, after_long_help = MORE)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) store: StoreArgs,

    /// Print JSON in place of text
    #[arg(long, global = true, display_order = 102)]
    pub(super) json: bool,

    #[command(subcommand)]
    pub(super) command: Command,
}

const MORE: &str = "\
Environment:
  SESSION_REDIS            the store, unless --store is given
  SESSION_REDIS_PREFIX     the prefix, unless --prefix is given
  SESSION_EXPIRE           idle timeout of the application in seconds, for LAST USED
  SESSION_ENCRYPTION_KEYS  keys of encrypted fields, for --by and --values
  SESSION_SECRET           these keys, if the application has no others
  SESSION_TIMEOUT_MS       deadline of a round trip
  NO_COLOR                 no colours

Exit codes:
  0  done
  1  refused, or a check found a problem
  2  wrong options or settings, or a question without an answer
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
    /// Show a session and its fields
    #[command(after_help = tag_help("show"))]
    Show(ShowArgs),
    /// End a session, or all sessions with a value
    #[command(after_help = tag_help("end"))]
    End(EndArgs),
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
    /// Print the manual page of the program or of a command, as in `sessionctl man key new`
    Man { command: Vec<String> },
}

#[derive(clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) selection: Selection,

    /// List at most this many sessions
    #[arg(long, value_name = "N", value_parser = one_or_more::<NonZero<usize>>)]
    pub(super) limit: Option<NonZero<usize>>,

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

fn tag_help(command: &str) -> String {
    format!(
        "A tag is searched among all keys of the store, so this takes as long as `count`. Write \
         `--` before a tag that looks like an option: sessionctl {command} -- -hello12"
    )
}

#[derive(clap::Args)]
pub(super) struct ShowArgs {
    /// Tag of the session, as log lines and `list` show it
    #[arg(allow_hyphen_values = true)]
    pub(super) tag: Tag,

    /// Show only the session created at this time, if several have the tag
    #[arg(long, value_name = "TIME")]
    pub(super) created: Option<CreatedAt>,

    /// Show the values too. Encrypted values need a key in SESSION_ENCRYPTION_KEYS or
    /// SESSION_SECRET
    #[arg(long)]
    pub(super) values: bool,

    #[command(flatten)]
    pub(super) pace: PaceArgs,
}

#[derive(clap::Args)]
#[command(group = ArgGroup::new("which").args(["tag", "by"]).required(true))]
pub(super) struct EndArgs {
    /// Tag of the session, as log lines and `list` show it
    #[arg(allow_hyphen_values = true)]
    pub(super) tag: Option<Tag>,

    /// End the session created at this time, if several have the tag
    #[arg(long, value_name = "TIME", conflicts_with = "by")]
    pub(super) created: Option<CreatedAt>,

    #[command(flatten)]
    pub(super) selection: Selection,

    /// End several sessions without a question
    #[arg(long)]
    pub(super) yes: bool,

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
    #[arg(long, value_name = "N", value_parser = one_or_more::<NonZero<u64>>)]
    pub(super) limit: Option<NonZero<u64>>,
}

#[derive(clap::Args)]
pub(super) struct PaceArgs {
    /// Look at no more than about this many keys per second. Without it, a walk is as fast as the
    /// store answers
    #[arg(long, value_name = "N", value_parser = one_or_more::<NonZero<u32>>)]
    pub(super) rate: Option<NonZero<u32>>,
}

#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// Print a new random secret, for SESSION_SECRET or SESSION_ENCRYPTION_KEYS
    New,
    /// Check the secrets in SESSION_SECRET and SESSION_ENCRYPTION_KEYS, without printing them
    Check,
}

fn one_or_more<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "must be a whole number, 1 or more")
}

impl Command {
    /// Returns the permissions that a Redis user needs for the command.
    pub(super) fn permissions(&self) -> &'static str {
        const WALK: &str = "+scan +info +hmget +pttl";
        const INDEX: &str = "+time +zrange +hmget +pttl";
        match self {
            Self::List(ListArgs { selection, .. }) | Self::Count(CountArgs { selection, .. }) => {
                if selection.by.is_some() {
                    INDEX
                } else {
                    WALK
                }
            }
            Self::Show(_) => "+scan +info +hmget +pttl +hexists +hget +hscan",
            Self::End(EndArgs { tag: Some(_), .. }) => {
                "+scan +info +hmget +pttl +hexists +eval +evalsha +exists +get +time +set +unlink \
                 +pexpire +zrem"
            }
            Self::End(_) => {
                "+time +zrange +hmget +pttl +eval +evalsha +exists +get +set +unlink +pexpire \
                 +zadd +zrem +zremrangebyscore +hget"
            }
            Self::Stats(_) => "+scan +info +getrange +pttl, and +memory|usage for the bytes",
            Self::Watch(_) => "+client|tracking +getrange +time",
            Self::Check | Self::Key(_) | Self::Completion { .. } | Self::Man { .. } => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_options_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_tag_may_begin_with_a_hyphen() {
        for words in [
            &["show", "-aB3_xyz"][..],
            &["show", "--aB3_xy", "--values"],
            &["show", "--values", "--", "-hB3_xyz"],
        ] {
            let args = Args::try_parse_from([&["sessionctl"], words].concat()).unwrap();
            let Command::Show(ShowArgs { tag, values, .. }) = args.command else { panic!() };
            assert!(words.contains(&tag.as_str()));
            assert_eq!(values, words.contains(&"--values"));
        }
    }
}
