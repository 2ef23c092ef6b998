//! The master that sentinels name.

use std::fmt;
use std::time::Duration;

use redis::{Cmd, Value};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::store::redis::cause::{Cause, Code};
use crate::store::redis::net::address::{Address, write_list};
use crate::store::redis::net::connect_options::ConnectOptions;
use crate::store::redis::net::connection::LiveConnection;
use crate::store::redis::net::generation::Generation;
use crate::store::redis::net::listeners::Listeners;
use crate::store::redis::protocol::command::command_of;

/// The sentinels that watch one master and the master's replicas.
///
/// All sentinels are asked concurrently, each time a connection is opened. A sentinel that is cut
/// off may name a former master, so the majority decides. Without a majority, all named servers are
/// tried concurrently. In any case, the server itself must confirm that it is a master.
pub(crate) struct Sentinels {
    pub(crate) addresses: Vec<Address>,
    pub(crate) master_name: String,
    pub(crate) sentinel_options: ConnectOptions,
    pub(crate) master_options: ConnectOptions,
}

/// The time to wait for further sentinels after the first answer. Dead sentinels must not delay a
/// failover.
const STRAGGLER_GRACE: Duration = Duration::from_millis(200);

impl Sentinels {
    pub(crate) async fn open_master(
        &self,
        scripts: &'static [&'static str],
        generation: Generation,
        listeners: Option<&Listeners>,
    ) -> Result<LiveConnection, Cause> {
        let mut opening = JoinSet::new();
        for address in self.master_candidates().await? {
            let connector = self.master_options.connector_to(&address)?;
            let listeners = listeners.cloned();
            opening.spawn(async move {
                LiveConnection::open(&connector, scripts, generation, listeners.as_ref()).await
            });
        }
        let mut failure = Cause::NoSentinel;
        while let Some(opened) = opening.join_next().await {
            match opened.unwrap_or(Err(Cause::Lost)) {
                Ok(connection) => return Ok(connection),
                Err(cause) => failure = cause,
            }
        }
        Err(failure)
    }

    /// Returns the master named by the majority of the sentinels. Without a majority, returns all
    /// named servers.
    async fn master_candidates(&self) -> Result<Vec<Address>, Cause> {
        let mut answers = self.ask_all();
        let mut votes = Votes::default();
        let mut deadline = None;
        loop {
            let answer = match deadline {
                None => answers.join_next().await,
                Some(deadline) => timeout_at(deadline, answers.join_next()).await.unwrap_or(None),
            };
            match answer {
                None => break,
                Some(Ok(Ok(named))) => votes.count(named),
                Some(Ok(Err(cause))) => {
                    votes.failure = Some(cause);
                    continue;
                }
                Some(Err(_)) => continue,
            }
            deadline = deadline.or_else(|| Some(Instant::now() + STRAGGLER_GRACE));
            if votes.has_majority_of(self.addresses.len()) {
                break;
            }
        }
        votes.into_candidates(self.addresses.len())
    }

    fn ask_all(&self) -> JoinSet<Result<Option<Address>, Cause>> {
        let mut answers = JoinSet::new();
        for address in &self.addresses {
            let (options, address) = (self.sentinel_options.clone(), address.clone());
            let question = question(&self.master_name);
            answers.spawn(async move {
                let answer = options.query(&address, &question).await.and_then(master_in);
                answer.map_err(|cause| explain_login(cause, &address))
            });
        }
        answers
    }
}

/// Writes a text such as `mymaster of the sentinels h1:26379, h2:26379`.
impl fmt::Display for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of the sentinels ", self.master_name)?;
        write_list(&self.addresses, f)
    }
}

fn question(master_name: &str) -> Cmd {
    command_of(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", master_name])
}

/// Reads a sentinel's reply. Returns `None` if the sentinel does not watch a master of this name.
fn master_in(reply: Value) -> Result<Option<Address>, Cause> {
    match Code::in_reply(&reply) {
        // The server does not know the command.
        Some(Code::Other) => return Err(Cause::NotSentinel),
        Some(code) => return Err(Cause::Server(code)),
        None => {}
    }
    let named: Option<(String, u16)> =
        redis::from_redis_value(reply).map_err(|_| Cause::Unexpected)?;
    Ok(named.map(|(host, port)| Address { host, port }))
}

/// Distinguishes errors in the sentinels' login from errors in the master's login.
fn explain_login(cause: Cause, address: &Address) -> Cause {
    let reason = match cause {
        Cause::Server(Code::NoAuth) => {
            "the sentinel requires a password: set `sentinel_pass=…` in the URL"
        }
        Cause::Server(Code::WrongPassword) => {
            "the sentinel refused the user or the password: check `sentinel_user=…` and \
             `sentinel_pass=…` in the URL"
        }
        Cause::Server(Code::NoPermission) => {
            "the user of the sentinel lacks the permission +sentinel|get-master-addr-by-name"
        }
        cause => return cause,
    };
    Cause::Misconfigured { address: address.to_string(), reason: reason.into() }
}

/// The number of votes for each master.
#[derive(Default)]
struct Votes {
    masters: Vec<(Address, usize)>,
    without: usize,
    /// The reason why a sentinel did not answer.
    failure: Option<Cause>,
}

impl Votes {
    fn count(&mut self, named: Option<Address>) {
        let Some(named) = named else {
            self.without += 1;
            return;
        };
        match self.masters.iter_mut().find(|(master, _)| *master == named) {
            Some((_, votes)) => *votes += 1,
            None => self.masters.push((named, 1)),
        }
    }

    fn has_majority_of(&self, sentinels: usize) -> bool {
        self.masters.iter().any(|(_, votes)| votes * 2 > sentinels)
    }

    fn into_candidates(mut self, sentinels: usize) -> Result<Vec<Address>, Cause> {
        if self.masters.is_empty() {
            return Err(match self.failure {
                _ if self.without > 0 => Cause::UnknownMaster,
                Some(cause) => cause,
                None => Cause::NoSentinel,
            });
        }
        if self.has_majority_of(sentinels) {
            self.masters.retain(|(_, votes)| votes * 2 > sentinels);
        }
        Ok(self.masters.into_iter().map(|(master, _)| master).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_master_of_most_sentinels_counts() {
        let votes = |ports: &[u16]| {
            let mut votes = Votes::default();
            ports.iter().for_each(|port| votes.count(Some(address(*port))));
            votes.into_candidates(3).unwrap()
        };
        assert_eq!(votes(&[1, 2, 2]), [address(2)]);
        assert_eq!(votes(&[1, 2]), [address(1), address(2)]);
    }

    #[test]
    fn half_of_the_sentinels_are_no_majority() {
        let mut votes = Votes::default();
        votes.count(Some(address(1)));
        assert!(!votes.has_majority_of(2) && votes.has_majority_of(1));
    }

    #[test]
    fn an_unknown_master_is_distinguished_from_unavailable_sentinels() {
        let mut votes = Votes::default();
        assert!(matches!(Votes::default().into_candidates(1), Err(Cause::NoSentinel)));
        votes.count(None);
        assert!(matches!(votes.into_candidates(1), Err(Cause::UnknownMaster)));
    }

    fn address(port: u16) -> Address {
        Address { host: "h".into(), port }
    }
}
