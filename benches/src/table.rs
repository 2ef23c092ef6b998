//! The report as a single table.

use std::fmt::Write;

use crate::report::{Measured, Report, Row};
use crate::server::Contestant;
use crate::stats::Spread;

/// Returns the table in Markdown.
pub(crate) fn markdown(report: &Report) -> String {
    let mut text = format!(
        "{}, {} processors; medians (quartiles) of {} rounds of {} ms; ratios of requests a \
         second, within a round\n\n",
        report.redis, report.processors, report.rounds, report.slice_millis
    );
    for reason in &report.left_out {
        let _ = writeln!(text, "Left out: {reason}.\n");
    }
    text.push_str(
        "| scenario | connections | server | requests/s | to by hand | to by hand, guarded | to \
         its own without the layer | server µs | Redis µs | commands | bytes to Redis | bytes \
         from | p50 µs | p99 µs |\n",
    );
    text.push_str(
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: \
         | ---: |\n",
    );
    for measured in &report.scenarios {
        for row in &measured.rows {
            text.push_str(&line(measured, row));
        }
    }
    text
}

fn line(measured: &Measured, row: &Row) -> String {
    let ratio = |base: Option<&Row>| {
        let ratio =
            base.filter(|base| base.label() != row.label()).and_then(|base| row.ratio_to(base));
        ratio.map_or_else(String::new, |ratio| ratio.text())
    };
    let [plain, guarded] = [Contestant::ByHand, Contestant::ByHandGuarded]
        .map(|base| measured.row(base.name(), false));
    let median = |values: &[f64]| {
        Spread::from_values(values.iter().copied()).map_or(f64::NAN, |spread| spread.median)
    };
    format!(
        "| {} | {} | {} | {:.0} | {} | {} | {} | {:.1} | {:.1} | {:.2} | {:.0} | {:.0} | {:.0} | \
         {:.0} |\n",
        measured.title,
        measured.connections,
        row.label(),
        median(&row.rates),
        ratio(plain),
        ratio(guarded),
        ratio(measured.row(&row.contestant, true)),
        median(&row.server_micros),
        median(&row.redis_micros),
        row.commands.values().fold(0.0, |sum, calls| sum + calls),
        row.bytes_in,
        row.bytes_out,
        row.p50,
        row.p99,
    )
}
