//! What was measured, as it is written to JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::stats::Spread;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// As `Redis 8.0.0`.
    pub(crate) redis: String,
    pub(crate) processors: usize,
    pub(crate) rounds: usize,
    /// How long each contestant ran in a round.
    pub(crate) slice_millis: u64,
    /// Who is not here, and why.
    pub(crate) left_out: Vec<String>,
    pub(crate) scenarios: Vec<Measured>,
}

/// One scenario.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) title: String,
    pub(crate) connections: usize,
    pub(crate) rows: Vec<Row>,
}

/// One contestant in one scenario.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) contestant: String,
    /// Without the layer.
    pub(crate) is_bare: bool,
    /// Requests a second, round by round.
    pub(crate) rates: Vec<f64>,
    /// What one request takes of the server's processor, in microseconds, round by round.
    pub(crate) server_micros: Vec<f64>,
    /// The same of Redis.
    pub(crate) redis_micros: Vec<f64>,
    /// In microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Commands that Redis carries out for one request, by name. What scripts and transactions
    /// call is among them.
    pub(crate) commands: BTreeMap<String, f64>,
    /// Bytes that Redis gets for one request, and sends.
    pub(crate) bytes_in: f64,
    pub(crate) bytes_out: f64,
}

impl Measured {
    /// The row of a contestant behind its layer, or without it.
    pub(crate) fn row(&self, contestant: &str, is_bare: bool) -> Option<&Row> {
        self.rows.iter().find(|row| row.contestant == contestant && row.is_bare == is_bare)
    }
}

impl Row {
    pub(crate) fn label(&self) -> String {
        format!("{}{}", self.contestant, if self.is_bare { ", without the layer" } else { "" })
    }

    /// This one's rate over another's, round by round.
    pub(crate) fn ratio_to(&self, other: &Self) -> Option<Spread> {
        Spread::from_values(self.rates.iter().zip(&other.rates).map(|(ours, theirs)| ours / theirs))
    }
}
