//! Growth of the costs, with the size of a session and with the number of sessions.

mod fill;
mod memory;
mod number;
mod size;

use std::fmt::Write;

use serde::Serialize;

use crate::Failure;
use crate::link::Link;
use crate::measure::World;
use crate::server::Contestant;
use crate::stats::Spread;

/// The results of `growth`.
#[derive(Debug, Serialize)]
pub(crate) struct Growth {
    redis: String,
    /// Contestants that are left out, with the reason.
    left_out: Vec<String>,
    sizes: Vec<size::Row>,
    memory: Vec<memory::Row>,
    numbers: Vec<number::Row>,
}

/// Measures everything.
///
/// # Errors
///
/// Fails if any step fails, or if a response is not a success.
pub(crate) fn measure(is_quick: bool) -> Result<Growth, Failure> {
    let mut world = World::new(&Contestant::usual(), Link::Loopback)?;
    let sizes = size::measure(&mut world, is_quick)?;
    let memory = memory::measure(&mut world)?;
    let (redis, left_out) = (world.redis.version.clone(), world.left_out.clone());
    drop(world);
    Ok(Growth { redis, left_out, sizes, memory, numbers: number::measure(is_quick)? })
}

impl Growth {
    /// Returns three tables in Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "{}; medians (quartiles), ratios of requests a second within a round\n\n",
            self.redis
        );
        for reason in &self.left_out {
            let _ = writeln!(text, "Left out: {reason}.\n");
        }
        text.push_str(
            "| page | session | server | requests/s | to its smallest session | to by hand | \
             server µs | Redis µs | Redis µs in commands |\n",
        );
        text.push_str("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
        for row in &self.sizes {
            let ratio = |other: Option<&size::Row>| {
                let ratio = other.and_then(|other| row.ratio_to(other));
                ratio.map_or_else(String::new, |ratio| ratio.text())
            };
            let (smallest, by_hand) =
                (ratio(row.smallest(&self.sizes)), ratio(row.by_hand(&self.sizes)));
            let median = |values: &[f64]| {
                Spread::from_values(values.iter().copied()).map_or(f64::NAN, |spread| spread.median)
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.0} | {smallest} | {by_hand} | {:.1} | {:.1} | {:.2} |",
                row.page,
                row.size,
                row.contestant,
                median(&row.rates),
                median(&row.server_micros),
                median(&row.redis_micros),
                row.command_micros,
            );
        }
        text.push_str(
            "\n| server | fields of 20 bytes | bytes in Redis |\n| --- | ---: | ---: |\n",
        );
        for row in &self.memory {
            let _ = writeln!(text, "| {} | {} | {} |", row.contestant, row.fields, row.bytes);
        }
        text.push_str(
            "\n| live sessions | µs in HGET | µs in PEXPIRE | Redis µs a read | bytes a session \
             |\n",
        );
        text.push_str("| ---: | ---: | ---: | ---: | ---: |\n");
        for row in &self.numbers {
            let _ = writeln!(
                text,
                "| {} | {:.2} | {:.2} | {:.2} | {:.0} |",
                row.sessions, row.hget_micros, row.pexpire_micros, row.redis_micros, row.bytes_each
            );
        }
        text
    }
}
