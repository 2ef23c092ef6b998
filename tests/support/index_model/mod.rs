//! A random model of the two steps by which a Redis Cluster keeps the lists of sessions.
//!
//! The lists of two users and their sessions are on different nodes. The clocks of the nodes and
//! clients differ, and a failover changes a clock. Each script is one step on one node. Clients
//! take the same steps as the code of the library, and any of them may be killed between two steps.
//! Commands and replies are lost, and a command may be carried out long after its client has given
//! up.
//!
//! A fault leaves out one rule of the protocol. The model must notice each fault.
//!
//! Two rules do not hold after a failover that turns a clock back. A login may then overlook an end
//! since its checkpoint, and a limit of sessions may be exceeded. A creation without an entry has
//! no time limit, so the model loses such a command after a minute.

mod command;
mod fault;
mod lists;
mod network;
mod operation;
mod rules;
mod schedule;
mod search;
mod sessions;
mod steps;
mod world;

pub use fault::Fault;

use self::schedule::Schedule;
use crate::model::{Broken, Choices};

/// Runs a random schedule.
///
/// # Errors
///
/// Returns the violated rule. With `records`, also the steps before.
pub fn run(choices: &mut Choices, fault: Option<Fault>, records: bool) -> Result<(), Broken> {
    let mut schedule = Schedule::new(choices, fault, records);
    let result = schedule.run(choices);
    result.map_err(|what| {
        let steps = schedule.world.borrow_mut().steps.take().unwrap_or_default();
        Broken { what, steps }
    })
}
