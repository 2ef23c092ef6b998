//! The report as tables.

use std::fmt::Write;

use crate::report::{Measured, Report, Row};
use crate::server::Contestant;
use crate::stats::Spread;

/// A column of the table of everything. A column without any text is left out.
struct Column {
    title: &'static str,
    is_number: bool,
    text: fn(&Measured, &Row) -> String,
}

const COLUMNS: [Column; 18] = [
    Column::text("scenario", |measured, _| measured.title.clone()),
    Column::text("link", |measured, _| measured.link.clone()),
    Column::number("connections", |measured, _| measured.connections.to_string()),
    Column::text("server", |_, row| row.label()),
    Column::number("requests/s", |_, row| rounded(median(&row.rates), 0)),
    Column::number("to by hand", |measured, row| {
        ratio(row, measured.row(Contestant::ByHand.name(), false))
    }),
    Column::number("to by hand, guarded", |measured, row| {
        ratio(row, measured.row(Contestant::ByHandGuarded.name(), false))
    }),
    Column::number("to by hand, near cache", |measured, row| {
        ratio(row, measured.row(Contestant::ByHandNear.name(), false))
    }),
    Column::number("to its own without the layer", |measured, row| {
        ratio(row, measured.row(&row.contestant, true))
    }),
    Column::number("to its own without the near cache", |measured, row| {
        let without = Contestant::named(&row.contestant).and_then(Contestant::without_near_cache);
        ratio(row, without.and_then(|without| measured.row(without.name(), false)))
    }),
    Column::number("hits", |_, row| of_near_cache(row, &row.hits)),
    Column::number("tracked", |_, row| of_near_cache(row, &row.tracked)),
    Column::number("server µs", |_, row| rounded(median(&row.server_micros), 1)),
    Column::number("Redis µs", |_, row| rounded(median(&row.redis_micros), 1)),
    Column::number("commands", |_, row| {
        rounded(row.commands.values().fold(0.0, |sum, calls| sum + calls), 2)
    }),
    Column::number("bytes to Redis, from Redis", |_, row| {
        format!("{:.0}, {:.0}", row.bytes_in, row.bytes_out)
    }),
    Column::number("p50 µs", |_, row| rounded(row.p50, 0)),
    Column::number("p99 µs", |_, row| rounded(row.p99, 0)),
];

/// Returns a table of everything in Markdown.
pub(crate) fn markdown(report: &Report) -> String {
    let mut text = format!(
        "{}, {} processors; medians (quartiles) of {} rounds of {} ms; ratios of requests a \
         second, within a round\n\n",
        report.redis, report.processors, report.rounds, report.slice_millis
    );
    for reason in &report.left_out {
        let _ = writeln!(text, "Left out: {reason}.\n");
    }
    let rows = || {
        report
            .scenarios
            .iter()
            .flat_map(|measured| measured.rows.iter().map(move |row| (measured, row)))
    };
    let mut columns = Vec::from(COLUMNS);
    columns.retain(|column| rows().any(|(measured, row)| !(column.text)(measured, row).is_empty()));
    push_line(&mut text, columns.iter().map(|column| column.title.to_owned()));
    let rules = columns.iter().map(|column| if column.is_number { "---:" } else { "---" });
    push_line(&mut text, rules.map(str::to_owned));
    for (measured, row) in rows() {
        push_line(&mut text, columns.iter().map(|column| (column.text)(measured, row)));
    }
    text
}

/// Returns short tables in Markdown for each link: the ratios to by hand, and the latencies.
pub(crate) fn summary(report: &Report) -> String {
    let mut text = String::new();
    let mut links: Vec<_> = report.scenarios.iter().map(|measured| &measured.link).collect();
    links.dedup();
    for link in links {
        let scenarios: Vec<_> =
            report.scenarios.iter().filter(|measured| measured.link == *link).collect();
        let _ = writeln!(text, "{link}, requests per second relative to by hand:\n");
        push_summary(&mut text, &scenarios, |measured, row| {
            let base = measured.row(Contestant::ByHand.name(), false);
            let ratio = base.and_then(|base| row.ratio_to(base));
            ratio.map_or_else(String::new, |ratio| rounded(ratio.median, 2))
        });
        let _ = writeln!(text, "{link}, p50 and p99 in milliseconds:\n");
        push_summary(&mut text, &scenarios, |_, row| {
            format!("{:.2}, {:.2}", row.p50 / 1000.0, row.p99 / 1000.0)
        });
    }
    text
}

/// Adds a table with a line for each contestant, and a column for each scenario.
fn push_summary(
    text: &mut String,
    scenarios: &[&Measured],
    cell: impl Fn(&Measured, &Row) -> String,
) {
    let titles = scenarios
        .iter()
        .map(|measured| format!("{}, {} connections", measured.title, measured.connections));
    push_line(text, [String::new()].into_iter().chain(titles));
    let rules = scenarios.iter().map(|_| "---:".to_owned());
    push_line(text, ["---".to_owned()].into_iter().chain(rules));
    for contestant in Contestant::ALL.map(Contestant::name) {
        let rows: Vec<_> =
            scenarios.iter().map(|measured| measured.row(contestant, false)).collect();
        if rows.iter().any(Option::is_some) {
            let cells = scenarios
                .iter()
                .zip(rows)
                .map(|(measured, row)| row.map_or_else(String::new, |row| cell(measured, row)));
            push_line(text, [contestant.to_owned()].into_iter().chain(cells));
        }
    }
    text.push('\n');
}

fn push_line(text: &mut String, cells: impl Iterator<Item = String>) {
    for cell in cells {
        let _ = write!(text, "| {cell} ");
    }
    text.push_str("|\n");
}

impl Column {
    const fn text(title: &'static str, text: fn(&Measured, &Row) -> String) -> Self {
        Self { title, is_number: false, text }
    }

    const fn number(title: &'static str, text: fn(&Measured, &Row) -> String) -> Self {
        Self { title, is_number: true, text }
    }
}

/// Returns nothing for the base itself.
fn ratio(row: &Row, base: Option<&Row>) -> String {
    let base = base.filter(|base| base.label() != row.label());
    let ratio = base.and_then(|base| row.ratio_to(base));
    ratio.map_or_else(String::new, |ratio| ratio.text())
}

/// Returns the share if the contestant has a near cache.
fn of_near_cache(row: &Row, shares: &[f64]) -> String {
    let contestant = Contestant::named(&row.contestant);
    let is_near = contestant.and_then(Contestant::without_near_cache).is_some();
    if is_near && !shares.is_empty() { rounded(median(shares), 3) } else { String::new() }
}

fn median(values: &[f64]) -> f64 {
    Spread::from_values(values.iter().copied()).map_or(f64::NAN, |spread| spread.median)
}

fn rounded(number: f64, decimals: usize) -> String {
    format!("{number:.decimals$}")
}
