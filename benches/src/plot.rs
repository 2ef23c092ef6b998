//! The report as a bar chart: each scenario has a bar for each contestant, which shows the ratio to
//! by hand.

use std::fmt::Write;

use crate::link::Link;
use crate::report::{Measured, Report, Row};
use crate::server::Contestant;
use crate::stats::Spread;

const WIDTH: f64 = 760.0;
/// Left edge of the bars.
const LEFT: f64 = 150.0;
/// Length of a bar for the ratio 1.
const UNIT: f64 = 430.0;
/// Longer bars are cut off here. Few bars are longer than 1: requests for which by hand needs a
/// second round trip, and contestants with a connection on each worker.
const MOST: f64 = 1.25;
const BAR: f64 = 14.0;
const LINE: f64 = 18.0;
const HEAD: f64 = 30.0;
const GAP: f64 = 12.0;

/// Returns an SVG document.
pub(crate) fn svg(report: &Report) -> String {
    let mut body = String::new();
    let mut y = GAP;
    for measured in report.scenarios.iter().filter(|measured| measured.connections == 16) {
        y = chart(&mut body, measured, y);
    }
    let rounds = format!(
        "{}; requests a second over those of by hand, median and quartiles of {} interleaved \
         rounds; 16 connections",
        report.redis, report.rounds
    );
    let _ = writeln!(body, r#"<text class="note" x="8" y="{:.0}">{rounds}</text>"#, y + 8.0);
    let height = y + 20.0;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0}" font-family="sans-serif" font-size="12">
<style>
svg {{ background: #fff }}
text {{ fill: #222 }}
.title {{ font-weight: bold }}
.note {{ font-size: 10px; fill: #666 }}
.hand {{ fill: #9aa5b1 }}
.ours {{ fill: #1a7f5a }}
.peer {{ fill: #c77d3c }}
line {{ stroke: #222; stroke-width: 1 }}
.limit {{ stroke: #9aa5b1; stroke-dasharray: 3 3 }}
</style>
{body}</svg>
"#
    )
}

/// Draws a scenario, and returns the top of the next scenario.
fn chart(body: &mut String, measured: &Measured, top: f64) -> f64 {
    let Some(base) = measured.row(Contestant::ByHand.name(), false) else { return top };
    let _ = writeln!(
        body,
        r#"<text class="title" x="8" y="{:.0}">{}{}</text>"#,
        top + 14.0,
        measured.title,
        if measured.link == Link::Slow.name() { ", 1 ms each way to Redis" } else { "" }
    );
    let mut y = top + HEAD - 6.0;
    for row in measured.rows.iter().filter(|row| !row.is_bare) {
        if let Some(ratio) = row.ratio_to(base) {
            bar(body, row, ratio, y);
            y += LINE;
        }
    }
    let limit = LEFT + UNIT;
    let _ = writeln!(
        body,
        r#"<line class="limit" x1="{limit}" x2="{limit}" y1="{:.0}" y2="{y:.0}"/>"#,
        top + HEAD - 8.0
    );
    y + GAP
}

fn bar(body: &mut String, row: &Row, ratio: Spread, y: f64) {
    let long = |ratio: f64| UNIT * ratio.min(MOST);
    let class = match row.contestant.as_str() {
        name if name.starts_with("by-hand") => "hand",
        name if name.starts_with("ours") => "ours",
        _ => "peer",
    };
    let (text_y, middle) = (y + BAR - 3.0, y + BAR / 2.0);
    let _ = writeln!(
        body,
        r#"<text x="{:.0}" y="{text_y:.0}" text-anchor="end">{}</text>
<rect class="{class}" x="{LEFT}" y="{y:.0}" width="{:.1}" height="{BAR}"/>
<line x1="{:.1}" x2="{:.1}" y1="{middle:.0}" y2="{middle:.0}"/>
<text x="{:.1}" y="{text_y:.0}">{:.2}</text>"#,
        LEFT - 6.0,
        row.contestant,
        long(ratio.median),
        LEFT + long(ratio.low),
        LEFT + long(ratio.high),
        LEFT + long(ratio.high.max(ratio.median)) + 6.0,
        ratio.median,
    );
}
