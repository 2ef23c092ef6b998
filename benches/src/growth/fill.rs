//! Creates sessions of a given size.

use std::collections::BTreeSet;
use std::fmt;

use crate::Failure;
use crate::load::{Jar, Visitor};
use crate::measure::{World, seed};
use crate::redis_server::RedisServer;
use crate::scenario::Cookie;

/// Content of a session beside the count: the number of fields, and the bytes of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    more_fields: usize,
    bytes: usize,
}

/// Number of fields that a single command sets.
const AT_ONCE: usize = 1000;

impl Size {
    /// A session of `fields` fields, including the count. The other fields have 20 bytes.
    pub(super) const fn of_fields(fields: usize) -> Self {
        Self { more_fields: fields - 1, bytes: 20 }
    }

    /// A session with the count and a field of `bytes` bytes.
    pub(super) const fn of_bytes(bytes: usize) -> Self {
        Self { more_fields: 1, bytes }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { more_fields: 0, .. } => f.write_str("one field"),
            Self { more_fields: 1, bytes } => write!(f, "{bytes} bytes"),
            Self { more_fields, .. } => write!(f, "{} fields", more_fields + 1),
        }
    }
}

/// Creates a session of this size with a contestant.
pub(super) fn begin(world: &mut World, at: usize, size: Size) -> Result<Jar, Failure> {
    let (contestant, pages) = (world.servers[at].contestant, world.servers[at].pages);
    let before = keys(&mut world.redis)?;
    let jar = world.runtime.block_on(seed(pages, "/seed/one"))?;
    if size.more_fields == 0 {
        return Ok(jar);
    }
    if contestant.stores_plain_fields() {
        let key = keys(&mut world.redis)?.difference(&before).next().cloned();
        fill(&mut world.redis, &key.ok_or("creating a session added no key")?, size)?;
        return Ok(jar);
    }
    world.runtime.block_on(async {
        let mut visitor = Visitor::connect(pages, jar).await?;
        visitor.ask(&format!("/grow/{}/{}", size.more_fields, size.bytes), Cookie::Own).await?;
        Ok(visitor.jar().clone())
    })
}

/// Returns all keys in Redis.
pub(super) fn keys(redis: &mut RedisServer) -> Result<BTreeSet<String>, Failure> {
    Ok(redis::cmd("KEYS").arg("*").query(redis.connection())?)
}

fn fill(redis: &mut RedisServer, key: &str, size: Size) -> Result<(), Failure> {
    let value = "x".repeat(size.bytes);
    for from in (0..size.more_fields).step_by(AT_ONCE) {
        let mut command = redis::cmd("HSET");
        command.arg(key);
        for field in from..size.more_fields.min(from + AT_ONCE) {
            command.arg(format!("field {field}")).arg(&value);
        }
        command.exec(redis.connection())?;
    }
    Ok(())
}
