//! How one POS terminal stands, as people and scripts read it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::pair::Node;

/// One POS terminal.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Terminal {
    /// Its name.
    pub name: String,
    /// The machines that it reaches.
    pub reaches: Vec<Node>,
    /// The machine that it works with.
    pub uses: Option<Node>,
    /// How long ago it was heard.
    pub heard_ago_ms: Option<u64>,
    /// It is heard now.
    #[serde(default)]
    pub is_here: bool,
    /// It has just seen the POS server answer that it works with.
    #[serde(default)]
    pub works: bool,
    /// Microseconds from it to the machine that it works with, and back.
    #[serde(default)]
    pub round_trip_us: Option<u64>,
    /// The highest epoch that it has seen.
    #[serde(default)]
    pub epoch: Option<u64>,
    /// Connections of POS programs that are open on it.
    #[serde(default)]
    pub connections: Option<u64>,
    /// Milliseconds from the last change of server until it was at work again.
    #[serde(default)]
    pub took_ms: Option<u64>,
    /// The last receipt that it saw confirmed, where it can tell.
    #[serde(default)]
    pub receipt: Option<String>,
    /// When it saw that first, by its own clock.
    #[serde(default)]
    pub receipt_at: Option<Timestamp>,
    /// Ports at which it cannot listen.
    #[serde(default)]
    pub shut: Vec<u16>,
    /// The version of its program.
    #[serde(default)]
    pub version: Option<String>,
}

impl Terminal {
    /// The number of the last receipt that it saw confirmed, where that is one.
    #[must_use]
    pub fn receipt_number(&self) -> Option<u64> {
        self.receipt.as_ref()?.trim().parse().ok()
    }
}
