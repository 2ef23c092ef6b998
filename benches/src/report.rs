//! The results, as written to JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::stats::Spread;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Name and version, such as `Redis 8.0.0`.
    pub(crate) redis: String,
    pub(crate) processors: usize,
    pub(crate) rounds: usize,
    /// Duration of each contestant's turn in a round.
    pub(crate) slice_millis: u64,
    /// Contestants that are left out, with the reason.
    pub(crate) left_out: Vec<String>,
    pub(crate) scenarios: Vec<Measured>,
}

/// A scenario.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) title: String,
    /// Name of the link to Redis. Empty in old files.
    #[serde(default)]
    pub(crate) link: String,
    pub(crate) connections: usize,
    pub(crate) rows: Vec<Row>,
}

/// A contestant in a scenario.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) contestant: String,
    /// Measured without the layer.
    pub(crate) is_bare: bool,
    /// Requests per second in each round.
    pub(crate) rates: Vec<f64>,
    /// CPU time of the web server for a request, in microseconds, in each round.
    pub(crate) server_micros: Vec<f64>,
    /// CPU time of Redis for a request, in microseconds, in each round.
    pub(crate) redis_micros: Vec<f64>,
    /// Share of the reads that needed no read in Redis, in each round. Only for contestants whose
    /// reads can be told apart.
    #[serde(default)]
    pub(crate) hits: Vec<f64>,
    /// Share of the reads after which the server tells of changes, in each round.
    #[serde(default)]
    pub(crate) tracked: Vec<f64>,
    /// In microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Number of commands that Redis executes for a request, by name. Includes the commands inside
    /// scripts and transactions.
    pub(crate) commands: BTreeMap<String, f64>,
    /// Bytes that Redis receives and sends for a request.
    pub(crate) bytes_in: f64,
    pub(crate) bytes_out: f64,
}

impl Measured {
    /// Returns the row of a contestant, with the layer or without.
    pub(crate) fn row(&self, contestant: &str, is_bare: bool) -> Option<&Row> {
        self.rows.iter().find(|row| row.contestant == contestant && row.is_bare == is_bare)
    }
}

impl Row {
    pub(crate) fn label(&self) -> String {
        format!("{}{}", self.contestant, if self.is_bare { ", without the layer" } else { "" })
    }

    /// Returns the ratio of this row's rate to another row's rate, from the rates of each round.
    pub(crate) fn ratio_to(&self, other: &Self) -> Option<Spread> {
        Spread::from_values(self.rates.iter().zip(&other.rates).map(|(ours, theirs)| ours / theirs))
    }
}
