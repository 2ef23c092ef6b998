//! Duration of session operations, beside the same operations by hand.
//!
//! ```sh
//! cargo run --release -p session-perf --features by-hand --example operation_times -- [--quick] [FILTER]
//! ```
//!
//! The operations of a group are measured in turn, in rounds, and compared within a round. Other
//! load on the machine then affects all operations. Criterion would measure one operation after
//! another. The program starts its own `redis-server` or `valkey-server`.

#![allow(clippy::unwrap_used, reason = "a failure ends the measurement")]

mod by_hand;
mod cookies;
mod group;
mod memory;
mod server;
mod values;
mod visitor;
mod world;

use std::time::Duration;

use group::{Case, Group, Nanoseconds};
use world::World;

fn main() {
    let (options, filters): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let plan = match &options[..] {
        [] => Plan::FULL,
        [option] if option == "--quick" => Plan::QUICK,
        _ => panic!("operation_times [--quick] [FILTER]"),
    };
    println!(
        "medians, with the quartiles, of {} rounds of about {:?}; microseconds\n",
        plan.rounds, plan.slice
    );
    let heads = ["time", "ours / this", "on the processor", "ours / this"];
    println!(
        "| {:48} | {:>26} | {:>20} | {:>26} | {:>20} |",
        "operation", heads[0], heads[1], heads[2], heads[3]
    );
    println!("| {:-<48} | {:->26} | {:->20} | {:->26} | {:->20} |", "", ":", ":", ":", ":");
    let world = World::new();
    for mut group in world.groups() {
        if filters.iter().all(|filter| group.title.contains(filter)) {
            let measured = plan.measure(&mut group);
            print_group(&group, &measured);
        }
    }
}

struct Plan {
    rounds: usize,
    /// Time for which an operation is repeated in a round.
    slice: Duration,
}

/// Times of an operation in each round.
type Rounds = Vec<Nanoseconds>;

impl Plan {
    const FULL: Self = Self { rounds: 40, slice: Duration::from_millis(15) };
    const QUICK: Self = Self { rounds: 10, slice: Duration::from_millis(4) };
    /// Maximum number of repetitions, because inputs are created in advance.
    const MOST_TIMES: u32 = 20_000;

    fn measure(&self, group: &mut Group) -> Vec<Rounds> {
        let times: Vec<_> = group.cases.iter_mut().map(|case| self.times(case)).collect();
        let mut measured = vec![Vec::with_capacity(self.rounds); times.len()];
        for round in 0..self.rounds {
            // The first turn changes with each round.
            for turn in 0..times.len() {
                let at = (round + turn) % times.len();
                measured[at].push(group.cases[at].run(times[at]));
            }
        }
        measured
    }

    /// Returns the number of repetitions that fill a slice. This is also the warm-up.
    fn times(&self, case: &mut Case) -> u32 {
        let mut times = 1;
        while times < Self::MOST_TIMES {
            let [took, _] = case.run(times);
            if took * f64::from(times) >= self.slice.as_nanos() as f64 {
                return times;
            }
            times *= 2;
        }
        Self::MOST_TIMES
    }
}

fn print_group(group: &Group, measured: &[Rounds]) {
    let ours = &measured[0];
    for (at, (case, this)) in group.cases.iter().zip(measured).enumerate() {
        let name = if at == 0 { group.title.clone() } else { format!("  beside: {}", case.name) };
        let [time, processor] = [0, 1].map(|gauge| {
            let times = this.iter().map(|round| round[gauge] / 1000.0);
            let ratios = ours.iter().zip(this).map(|(ours, this)| ours[gauge] / this[gauge]);
            let ratio = if at == 0 { String::new() } else { with_quartiles(ratios) };
            format!("{:>26} | {ratio:>20}", with_quartiles(times))
        });
        println!("| {name:48} | {time} | {processor} |");
    }
}

fn with_quartiles(values: impl Iterator<Item = f64>) -> String {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    let [low, median, high] = [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4]);
    format!("{median:.3} ({low:.3}–{high:.3})")
}
