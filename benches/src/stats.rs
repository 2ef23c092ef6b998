//! Statistics over several rounds.

use serde::{Deserialize, Serialize};

/// A median with quartiles.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// Returns `None` without values.
    pub(crate) fn from_values(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |quarter| values.get(values.len().checked_sub(1)? * quarter / 4).copied();
        Some(Self { low: at(1)?, median: at(2)?, high: at(3)? })
    }

    /// Returns text such as `0.98 (0.97–1.01)`.
    pub(crate) fn text(&self) -> String {
        format!("{:.2} ({:.2}–{:.2})", self.median, self.low, self.high)
    }
}

/// Returns the value that this share of the sorted values does not exceed, and 0 without values.
pub(crate) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1) as f64;
    sorted.get((last * share).round() as usize).copied().unwrap_or_default()
}
