//! The baseline: a table in a file, which counts are held against.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::io::{self, Write as _};

use crate::ALL;

/// What is counted per operation: a column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gauge {
    /// Allocations and reallocations.
    Allocations,
    /// Instructions of the processor, as callgrind counts them.
    Instructions,
}

/// How much more is a failure, and how much less asks for the baseline to be lowered.
const TOLERANCE: f64 = 0.03;

/// What the operations took when the baseline was written.
#[derive(Debug)]
pub struct Baseline {
    /// What compiled them then, as `rustc --version` tells.
    pub rustc: String,
    rows: Vec<Row>,
}

/// An operation, and what it took of each gauge: no number where it is not gated.
type Row = (String, [Option<f64>; 2]);

impl Baseline {
    /// Reads the file. There is a row for each operation that is counted, also where the file has none.
    pub fn read() -> Self {
        let text = fs::read_to_string(path()).unwrap();
        let mut lines = text.lines();
        let rustc = lines.next().unwrap().to_owned();
        let read: Vec<_> = lines.skip(1).map(row).collect();
        let rows = ALL.map(|counted| {
            let columns = read.iter().find(|row| row.0 == counted.name).map(|row| row.1);
            (counted.name.to_owned(), columns.unwrap_or_default())
        });
        Self { rustc, rows: rows.into() }
    }

    /// Writes the file, with these counts in place of what it had of this gauge.
    pub fn rewrite(mut self, gauge: Gauge, counts: &[(&str, f64)]) {
        for (name, columns) in &mut self.rows {
            columns[gauge as usize] = counts.iter().find(|count| count.0 == name).map(|count| count.1);
        }
        fs::write(path(), self.to_string()).unwrap();
    }

    /// Prints how the counts compare, and where the baseline is to be lowered.
    ///
    /// # Errors
    ///
    /// What is more than 3 % above the baseline, or missing there, a line each.
    pub fn hold(&self, gauge: Gauge, counts: &[(&str, f64)]) -> Result<(), String> {
        // `eprintln!` would not do: the harness keeps to itself what a test prints as long as it passes.
        let mut unharnessed = io::stderr();
        let mut failures = Vec::new();
        for &(name, new) in counts {
            let Some(old) = self.columns(name).and_then(|columns| columns[gauge as usize]) else {
                failures.push(format!("{name}: {} {}, none in the baseline", gauge.show(new), gauge.name()));
                continue;
            };
            let line = format!("{name}: {} {}, were {}", gauge.show(new), gauge.name(), gauge.show(old));
            println!("{line}");
            if new > old * (1.0 + TOLERANCE) {
                failures.push(line);
            } else if new < old * (1.0 - TOLERANCE) {
                writeln!(unharnessed, "{line}: lower the baseline, by `tests/counts/run --rewrite`").unwrap();
            }
        }
        if failures.is_empty() {
            return Ok(());
        }
        Err(format!("more than 3 % worse than tests/counts/baseline.txt:\n{}", failures.join("\n")))
    }

    fn columns(&self, name: &str) -> Option<[Option<f64>; 2]> {
        self.rows.iter().find(|row| row.0 == name).map(|row| row.1)
    }
}

impl Display for Baseline {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.rustc)?;
        writeln!(out, "{:32} {:>12} {:>13}", "operation", "allocations", "instructions")?;
        for (name, [allocations, instructions]) in &self.rows {
            let allocations = Gauge::Allocations.show_any(*allocations);
            let instructions = Gauge::Instructions.show_any(*instructions);
            writeln!(out, "{name:32} {allocations:>12} {instructions:>13}")?;
        }
        Ok(())
    }
}

impl Gauge {
    fn name(self) -> &'static str {
        match self {
            Self::Allocations => "allocations",
            Self::Instructions => "instructions",
        }
    }

    fn show(self, count: f64) -> String {
        match self {
            Self::Allocations => format!("{count:.2}"),
            Self::Instructions => format!("{count:.0}"),
        }
    }

    fn show_any(self, count: Option<f64>) -> String {
        count.map_or_else(|| "-".to_owned(), |count| self.show(count))
    }
}

/// The name has spaces, the two numbers at the end have none.
fn row(line: &str) -> Row {
    let mut words: Vec<_> = line.split_whitespace().collect();
    let counts = words.split_off(words.len() - 2);
    (words.join(" "), [counts[0].parse().ok(), counts[1].parse().ok()])
}

/// Where the baseline is.
fn path() -> String {
    format!("{}/baseline.txt", env!("CARGO_MANIFEST_DIR"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(new: f64) -> Result<(), String> {
        let rows = vec![("get".to_owned(), [None, Some(1000.0)])];
        Baseline { rustc: String::new(), rows }.hold(Gauge::Instructions, &[("get", new)])
    }

    #[test]
    fn more_than_three_percent_above_fails_and_names_both_numbers() {
        assert_eq!(hold(1030.0), Ok(()));
        assert_eq!(hold(900.0), Ok(()));
        assert!(hold(1031.0).unwrap_err().ends_with("\nget: 1031 instructions, were 1000"));
    }

    #[test]
    fn what_the_baseline_lacks_fails() {
        let baseline = Baseline { rustc: String::new(), rows: Vec::new() };
        let error = baseline.hold(Gauge::Allocations, &[("set", 2.0)]).unwrap_err();
        assert!(error.ends_with("\nset: 2.00 allocations, none in the baseline"));
    }
}
