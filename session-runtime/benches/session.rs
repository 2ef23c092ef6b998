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

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use support::{Case, Group, Options, World};

fn main() {
    let options = Options::read();
    let world = World::new();
    let groups = world.groups(&options);
    if options.is_smoke_test {
        return support::smoke_test(groups);
    }
    let plan = if options.is_quick { Plan::QUICK } else { Plan::FULL };
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

/// Of one operation, round by round: nanoseconds by the clock, and on the processor.
type Rounds = Vec<[f64; 2]>;

impl Plan {
    const FULL: Self = Self { rounds: 40, slice: Duration::from_millis(15) };
    const QUICK: Self = Self { rounds: 10, slice: Duration::from_millis(4) };
    /// Inputs are made in advance, for so many repetitions at most.
    const MOST_TIMES: u32 = 20_000;

    fn measure(&self, group: &mut Group) -> Vec<Rounds> {
        let times: Vec<_> = group.cases.iter_mut().map(|case| self.times(case)).collect();
        let mut measured = vec![Vec::with_capacity(self.rounds); times.len()];
        for round in 0..self.rounds {
            // Nobody always comes first.
            for turn in 0..times.len() {
                let at = (round + turn) % times.len();
                measured[at].push(group.cases[at].run(times[at], nanoseconds));
            }
        }
        measured
    }

    /// How many repetitions fill a slice. Warms up meanwhile.
    fn times(&self, case: &mut Case) -> u32 {
        let mut times = 1;
        while times < Self::MOST_TIMES {
            let [took, _] = case.run(times, nanoseconds);
            if took * f64::from(times) >= self.slice.as_nanos() as f64 {
                return times;
            }
            times *= 2;
        }
        Self::MOST_TIMES
    }
}

/// By the clock, and of this thread on the processor: that is without the wait for the server, and for others on a busy machine.
fn nanoseconds() -> [u64; 2] {
    [ClockId::Monotonic, ClockId::ThreadCPUTime].map(|clock| {
        let now = clock_gettime(clock);
        u64::try_from(now.tv_sec * 1_000_000_000 + now.tv_nsec).unwrap()
    })
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
