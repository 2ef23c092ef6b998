//! Call counts of a server's commands.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::ops::Sub;

/// Number of calls of each command, by lower-case name (`"hget"`, `"client|setinfo"`). Includes the
/// commands in scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandCounts(BTreeMap<String, u64>);

impl CommandCounts {
    /// Returns the number of calls of a command.
    pub fn calls(&self, command: &str) -> u64 {
        self.0.get(command).copied().unwrap_or(0)
    }

    /// Returns all commands with their number of calls, ordered by name. Leaves out the tests' own
    /// `INFO`, and the commands of replicas.
    pub fn all(&self) -> Vec<(&str, u64)> {
        self.0.iter().map(|(name, calls)| (name.as_str(), *calls)).collect()
    }

    /// Parses the section `commandstats` of `INFO`.
    pub(super) fn parse(info: &str) -> Self {
        let entry = |line: &str| {
            let (name, numbers) = line.trim().strip_prefix("cmdstat_")?.split_once(':')?;
            let calls = numbers.strip_prefix("calls=")?.split(',').next()?;
            (!OF_OTHERS.contains(&name)).then(|| (name.to_owned(), calls.parse().unwrap()))
        };
        Self(info.lines().filter_map(entry).collect())
    }
}

/// Returns the time that the server spent on a command so far, in microseconds. The source is the
/// section `commandstats` of `INFO`: `cmdstat_hget:calls=20000,usec=9000,usec_per_call=0.45,…`.
/// Returns 0 for a command that was never called.
pub(super) fn micros(info: &str, command: &str) -> u64 {
    let of_command = |line: &str| {
        let numbers = line.strip_prefix("cmdstat_")?.strip_prefix(command)?.strip_prefix(':')?;
        numbers.split(',').find_map(|number| number.strip_prefix("usec=")).map(str::to_owned)
    };
    info.lines().find_map(of_command).map_or(0, |micros| micros.parse().unwrap())
}

/// Commands of the query itself, and regular commands of replicas and sentinels.
const OF_OTHERS: [&str; 9] = [
    "info",
    "client|setinfo",
    "hello",
    "monitor",
    "replconf",
    "psync",
    "publish",
    "subscribe",
    "client|setname",
];

/// Returns the calls since `before`.
impl Sub for CommandCounts {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        let since = |(name, calls): (String, u64)| {
            let calls = calls - before.calls(&name);
            (calls > 0).then_some((name, calls))
        };
        Self(self.0.into_iter().filter_map(since).collect())
    }
}

/// Returns the calls on several servers.
impl Sum for CommandCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        let mut sum = BTreeMap::new();
        for (name, calls) in counts.flat_map(|counts| counts.0) {
            *sum.entry(name).or_default() += calls;
        }
        Self(sum)
    }
}
