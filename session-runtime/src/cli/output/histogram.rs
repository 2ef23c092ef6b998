//! Spans of time in a histogram, and numbers of bytes.

use std::fmt;
use std::time::Duration;

use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};

/// The ends of the buckets in seconds. The last bucket has no end.
const ENDS: [(u64, &str); BUCKETS - 1] = [
    (60, "< 1 min"),
    (600, "< 10 min"),
    (3_600, "< 1 h"),
    (21_600, "< 6 h"),
    (86_400, "< 1 d"),
    (7 * 86_400, "< 7 d"),
    (30 * 86_400, "< 30 d"),
];
const BUCKETS: usize = 8;
const LAST: &str = "longer";
const LABEL_WIDTH: usize = 8;
/// The width of the longest bar in a narrow terminal.
const SHORTEST_BAR: usize = 8;
/// An eighth of a character to a whole.
const BLOCKS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// The number of spans of each length.
#[derive(Default)]
pub(crate) struct Histogram([u64; BUCKETS]);

#[derive(Serialize)]
struct Bucket {
    /// `None` for the last bucket.
    below_seconds: Option<u64>,
    sessions: u64,
}

impl Histogram {
    pub(crate) fn add(&mut self, span: Duration) {
        let at = ENDS.iter().position(|(end, _)| span.as_secs() < *end).unwrap_or(BUCKETS - 1);
        self.0[at] += 1;
    }

    /// Draws a bar for each bucket, in a line of its own. The longest bar fills the width.
    pub(crate) fn draw(&self, width: usize) -> String {
        let most = self.0.iter().max().copied().unwrap_or_default().max(1);
        let count_width = most.to_string().len();
        let bar_width = width.saturating_sub(LABEL_WIDTH + count_width + 4).max(SHORTEST_BAR);
        let labels = ENDS.iter().map(|(_, label)| *label).chain([LAST]);
        let lines = labels.zip(self.0).map(|(label, count)| {
            let bar = bar(count, most, bar_width);
            format!("{label:<LABEL_WIDTH$}  {count:>count_width$}  {bar}")
        });
        lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }
}

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut buckets = serializer.serialize_seq(Some(BUCKETS))?;
        let ends = ENDS.iter().map(|(end, _)| Some(*end)).chain([None]);
        for (below_seconds, sessions) in ends.zip(self.0) {
            buckets.serialize_element(&Bucket { below_seconds, sessions })?;
        }
        buckets.end()
    }
}

/// Returns a bar whose length is this part of the width. Each number but 0 is visible.
fn bar(count: u64, most: u64, width: usize) -> String {
    let width = u128::try_from(width).unwrap_or_default() * 8;
    let eighths = (u128::from(count) * width).div_ceil(u128::from(most.max(1)));
    let eighths = usize::try_from(eighths).unwrap_or_default();
    let mut bar = String::from(BLOCKS[7]).repeat(eighths / 8);
    if let Some(rest) = (eighths % 8).checked_sub(1) {
        bar.push(BLOCKS[rest]);
    }
    bar
}

/// A number of bytes, in the largest unit.
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    #[allow(clippy::cast_precision_loss, reason = "one decimal is shown")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
        if self.0 < 1_024 {
            return write!(f, "{} B", self.0);
        }
        let (mut amount, mut unit) = (self.0 as f64 / 1_024.0, 0);
        while amount >= 1_023.95 && unit + 1 < UNITS.len() {
            (amount, unit) = (amount / 1_024.0, unit + 1);
        }
        write!(f, "{amount:.1} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_span_is_in_one_bucket() {
        let mut histogram = Histogram::default();
        for seconds in [0, 59, 60, 599, 3_599, 21_600, 86_399, 604_800, 2_591_999, 2_592_000] {
            histogram.add(Duration::from_secs(seconds));
        }
        assert_eq!(histogram.0, [2, 2, 1, 0, 2, 0, 2, 1]);
        let json = serde_json::to_value(&histogram).unwrap();
        assert_eq!(json[1], serde_json::json!({ "below_seconds": 600, "sessions": 2 }));
        assert_eq!(json[7]["below_seconds"], serde_json::Value::Null);
    }

    #[test]
    fn the_longest_bar_fills_the_width() {
        assert_eq!(bar(0, 10, 5), "");
        assert_eq!(bar(10, 10, 5), "█████");
        assert_eq!(bar(5, 10, 5), "██▌");
        assert_eq!(bar(1, 1_000_000, 5), "▏");
        assert_eq!(bar(u64::MAX, u64::MAX, 2), "██");
        let mut histogram = Histogram::default();
        (0..100).for_each(|_| histogram.add(Duration::ZERO));
        for width in [0, 40, 200] {
            let drawn = histogram.draw(width);
            let widest = drawn.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= width.max(24), "{drawn}");
            assert_eq!(drawn.lines().count(), BUCKETS);
        }
    }

    #[test]
    fn bytes_have_the_largest_unit() {
        for (bytes, text) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (1_536, "1.5 KiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (u64::MAX, "16384.0 PiB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }
}
