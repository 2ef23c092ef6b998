//! The options on the command line.

use std::path::PathBuf;

use crate::Failure;
use crate::scenario::Scenarios;
use crate::server::Contestant;

const USAGE: &str = "usage:
  session-benches [--quick | --only TEXT] [--json FILE] [--svg FILE]   compares all libraries, prints a table; only the scenarios with TEXT in their title
  session-benches growth [--quick] [--json FILE]         measures how costs grow with the size and the number of sessions
  session-benches plot JSON SVG                          draws the results of the first command
  session-benches serve NAME HOST:PORT                   serves one library until the input ends; the first two commands start this command";

pub(crate) struct Options {
    pub(crate) command: Command,
}

pub(crate) enum Command {
    Compare { scenarios: Scenarios, json: Option<PathBuf>, svg: Option<PathBuf> },
    Growth { is_quick: bool, json: Option<PathBuf> },
    Plot { json: PathBuf, svg: PathBuf },
    Serve { contestant: Contestant, redis: String },
}

impl Options {
    /// # Errors
    ///
    /// Fails for any other arguments, with the usage as the message.
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let (mut words, mut json, mut svg) = (Vec::new(), None, None);
        let (mut is_quick, mut only) = (false, None);
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => is_quick = true,
                "--only" => only = Some(arguments.next().ok_or(USAGE)?),
                "--json" => json = Some(arguments.next().ok_or(USAGE)?.into()),
                "--svg" => svg = Some(arguments.next().ok_or(USAGE)?.into()),
                option if option.starts_with("--") => return Err(USAGE.into()),
                _ => words.push(argument),
            }
        }
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let command = match words[..] {
            [] => {
                let scenarios = match (is_quick, only) {
                    (true, None) => Scenarios::Quick,
                    (false, None) => Scenarios::All,
                    (false, Some(text)) => Scenarios::Titled(text),
                    (true, Some(_)) => return Err(USAGE.into()),
                };
                Command::Compare { scenarios, json, svg }
            }
            ["growth"] if svg.is_none() && only.is_none() => Command::Growth { is_quick, json },
            ["plot", json, svg] => Command::Plot { json: json.into(), svg: svg.into() },
            ["serve", name, redis] => Command::Serve {
                contestant: Contestant::named(name).ok_or(USAGE)?,
                redis: redis.to_owned(),
            },
            _ => return Err(USAGE.into()),
        };
        Ok(Self { command })
    }
}
