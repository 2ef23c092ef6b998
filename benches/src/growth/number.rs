//! Cost of a read for Redis among many sessions.
//!
//! The measurement sends the commands of session-runtime directly, on sessions in the same format.
//! Each read goes to another session.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis::Value;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::Failure;
use crate::child::processor_micros;
use crate::redis_server::{RedisServer, Side};

/// Reads among this number of sessions.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(super) sessions: u64,
    /// Time of a call, as reported by Redis.
    pub(super) hget_micros: f64,
    pub(super) pexpire_micros: f64,
    /// CPU time of Redis for a read with both commands. This includes the network, which pipelines
    /// share here.
    pub(super) redis_micros: f64,
    /// Growth of Redis' memory for each session, including the key table.
    pub(super) bytes_each: f64,
}

const NUMBERS: [u64; 4] = [1000, 10_000, 100_000, 1_000_000];
const READS: u64 = 100_000;
/// Number of sessions that a pipeline creates or reads.
const AT_ONCE: u64 = 100;
const IDLE: u64 = 86_400_000;

/// Starts a fresh server, so that other data does not count as memory.
pub(super) fn measure(is_quick: bool) -> Result<Vec<Row>, Failure> {
    let mut redis = RedisServer::start()?;
    let empty = redis.used_memory()?;
    let (mut rows, mut filled) = (Vec::new(), 0);
    for sessions in NUMBERS.into_iter().filter(|number| !is_quick || *number <= 100_000) {
        eprintln!("{sessions} sessions");
        fill(&mut redis, filled, sessions)?;
        filled = sessions;
        let bytes_each = redis.used_memory()?.saturating_sub(empty) as f64 / sessions as f64;
        rows.push(read(&mut redis, sessions, bytes_each)?);
    }
    Ok(rows)
}

fn fill(redis: &mut RedisServer, from: u64, to: u64) -> Result<(), Failure> {
    for first in (from..to).step_by(AT_ONCE as usize) {
        let mut pipeline = redis::pipe();
        for key in (first..to.min(first + AT_ONCE)).map(key) {
            pipeline.cmd("HSET").arg(&key).arg("").arg("").arg("count").arg(12_345).ignore();
            pipeline.cmd("PEXPIRE").arg(&key).arg(IDLE).ignore();
        }
        pipeline.exec(redis.connection())?;
    }
    Ok(())
}

fn read(redis: &mut RedisServer, sessions: u64, bytes_each: f64) -> Result<Row, Failure> {
    let (before, began_at) = (redis.counters(Side::Before)?, processor_micros(redis.process_id)?);
    for first in (0..READS).step_by(AT_ONCE as usize) {
        let mut pipeline = redis::pipe();
        for key in (first..first + AT_ONCE).map(|at| key(scattered(at) % sessions)) {
            pipeline.cmd("HGET").arg(&key).arg("count");
            pipeline.cmd("PEXPIRE").arg(&key).arg(IDLE);
        }
        let replies: Vec<Value> = pipeline.query(redis.connection())?;
        if replies.contains(&Value::Nil) {
            return Err("a session is missing".into());
        }
    }
    let (ended_at, done) =
        (processor_micros(redis.process_id)?, redis.counters(Side::After)?.since(&before));
    let each = |name: &str| {
        done.commands.get(name).map_or(0.0, |(calls, micros)| *micros as f64 / *calls as f64)
    };
    Ok(Row {
        sessions,
        hget_micros: each("hget"),
        pexpire_micros: each("pexpire"),
        redis_micros: (ended_at - began_at) / READS as f64,
        bytes_each,
    })
}

/// Returns a key with the length of a real key, in random order.
fn key(number: u64) -> String {
    let id = URL_SAFE_NO_PAD.encode(&Sha256::digest(number.to_le_bytes())[..30]);
    let (tag, rest) = id.split_at(8);
    ["app:sessions:{", tag, "}", rest].concat()
}

/// Returns the sessions in another order than the order of creation.
fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
}
