//! Memory of a session in Redis.

use serde::Serialize;

use super::fill::{self, Size};
use crate::Failure;
use crate::measure::World;

/// A contestant's session with this number of fields.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(super) contestant: &'static str,
    pub(super) fields: usize,
    /// Result of `MEMORY USAGE`: the key, the value and the overhead in Redis.
    pub(super) bytes: u64,
}

const FIELDS: [usize; 3] = [1, 8, 64];

pub(super) fn measure(world: &mut World) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for at in 0..world.servers.len() {
        for fields in FIELDS {
            world.redis.flush()?;
            fill::begin(world, at, Size::of_fields(fields))?;
            let mut bytes = 0;
            for key in fill::keys(&mut world.redis)? {
                let mut command = redis::cmd("MEMORY");
                command.arg("USAGE").arg(key).arg("SAMPLES").arg(0);
                bytes += command.query::<u64>(world.redis.connection())?;
            }
            rows.push(Row { contestant: world.servers[at].contestant.name(), fields, bytes });
        }
    }
    Ok(rows)
}
