//! The options on the command line.

use std::path::PathBuf;

use crate::Failure;
use crate::link::Link;
use crate::scenario::{Selection, Set};
use crate::server::Contestant;

const USAGE: &str = "usage:
  session-benches [--near] [--quick] [--only TEXT] [--link loopback | --link 1ms] [--json FILE] [--svg FILE]
                                                         compares all libraries, prints a table; --near: near caches, over both links;
                                                         --only: the scenarios with TEXT in their title; --link: the way to Redis
  session-benches growth [--quick] [--json FILE]         measures how costs grow with the size and the number of sessions
  session-benches plot JSON SVG                          draws the results of the first command
  session-benches serve NAME HOST:PORT                   serves one library until the input ends; the first two commands start this command
  session-benches delay HOST:PORT                        passes connections on to Redis with a delay; the first command starts this command";

pub(crate) struct Options {
    pub(crate) command: Command,
}

pub(crate) enum Command {
    Compare { selection: Selection, links: Vec<Link>, json: Option<PathBuf>, svg: Option<PathBuf> },
    Growth { is_quick: bool, json: Option<PathBuf> },
    Plot { json: PathBuf, svg: PathBuf },
    Serve { contestant: Contestant, redis: String },
    Delay { redis: String },
}

impl Options {
    /// # Errors
    ///
    /// Fails for any other arguments, with the usage as the message.
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let (mut words, mut json, mut svg) = (Vec::new(), None, None);
        let (mut is_quick, mut set, mut only, mut link) = (false, Set::Usual, None, None);
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => is_quick = true,
                "--near" => set = Set::Near,
                "--link" => {
                    let name = arguments.next().ok_or(USAGE)?;
                    link = Some(Link::named(&name).ok_or(USAGE)?);
                }
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
                let links = match (link, set) {
                    (Some(link), _) => vec![link],
                    (None, Set::Usual) => vec![Link::Loopback],
                    (None, Set::Near) => Link::ALL.to_vec(),
                };
                Command::Compare { selection: Selection { set, is_quick, only }, links, json, svg }
            }
            _ if set == Set::Near || only.is_some() || link.is_some() => return Err(USAGE.into()),
            ["growth"] if svg.is_none() => Command::Growth { is_quick, json },
            ["plot", json, svg] => Command::Plot { json: json.into(), svg: svg.into() },
            ["serve", name, redis] => Command::Serve {
                contestant: Contestant::named(name).ok_or(USAGE)?,
                redis: redis.to_owned(),
            },
            ["delay", redis] => Command::Delay { redis: redis.to_owned() },
            _ => return Err(USAGE.into()),
        };
        Ok(Self { command })
    }
}
