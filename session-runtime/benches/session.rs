//! How long the operations of a session take, beside the same by hand.
//!
//! ```sh
//! cargo bench -p session-runtime --bench session -- [--quick] [FILTER]
//! ```
//!
//! The operations of one group are measured in turn, round by round, and compared within a round: what disturbs the machine disturbs them
//! alike. Criterion measures one after another. Needs a `redis-server` or `valkey-server`, which it starts for itself.

#![allow(clippy::unwrap_used, reason = "a failure ends the benchmark")]

mod support;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use support::{Case, Group, Options, World};

fn main() {
    let options = Options::read();
    let world = World::new();
    let groups = world.groups(&options);
    if options.is_smoke_test {
        return support::smoke_test(groups);
    }
    let plan = if options.is_quick { Plan::QUICK } else { Plan::FULL };
    println!("medians, with the quartiles, of {} rounds of at least {:?} each\n", plan.rounds, plan.slice);
    println!("| {:48} | {:>25} | {:>20} |", "operation", "time", "ours / this");
    println!("| {:-<48} | {:->25} | {:->20} |", "", ":", ":");
    for mut group in groups {
        let measured = plan.measure(&mut group);
        print_group(&group, &measured);
    }
}

struct Plan {
    rounds: usize,
    /// How long one operation is repeated in one round.
    slice: Duration,
}

impl Plan {
    const FULL: Self = Self { rounds: 40, slice: Duration::from_millis(15) };
    const QUICK: Self = Self { rounds: 10, slice: Duration::from_millis(4) };
    /// Inputs are made in advance, for so many repetitions at most.
    const MOST_TIMES: u32 = 20_000;

    /// Nanoseconds of each operation, by case and round.
    fn measure(&self, group: &mut Group) -> Vec<Vec<f64>> {
        let times: Vec<_> = group.cases.iter_mut().map(|case| self.times(case)).collect();
        let mut measured = vec![Vec::with_capacity(self.rounds); times.len()];
        for round in 0..self.rounds {
            // Nobody always comes first.
            for turn in 0..times.len() {
                let at = (round + turn) % times.len();
                let nanoseconds = group.cases[at].run(times[at], nanoseconds);
                measured[at].push(nanoseconds as f64 / f64::from(times[at]));
            }
        }
        measured
    }

    /// How many repetitions fill a slice. Warms up meanwhile.
    fn times(&self, case: &mut Case) -> u32 {
        let mut times = 1;
        while times < Self::MOST_TIMES && u128::from(case.run(times, nanoseconds)) < self.slice.as_nanos() {
            times *= 2;
        }
        times.min(Self::MOST_TIMES)
    }
}

/// Since the first call.
fn nanoseconds() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap()
}

fn print_group(group: &Group, measured: &[Vec<f64>]) {
    let ours = &measured[0];
    for (at, (case, this)) in group.cases.iter().zip(measured).enumerate() {
        let (name, ratio) = if at == 0 {
            (group.title.clone(), String::new())
        } else {
            let ratios = ours.iter().zip(this).map(|(ours, this)| ours / this);
            let [low, median, high] = quartiles(ratios.collect());
            (format!("  beside: {}", case.name), format!("{median:.3} ({low:.3}–{high:.3})"))
        };
        let [low, median, high] = quartiles(this.clone()).map(|nanoseconds| nanoseconds / 1000.0);
        let time = format!("{median:.3} µs ({low:.3}–{high:.3})");
        println!("| {name:48} | {time:>25} | {ratio:>20} |");
    }
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}
