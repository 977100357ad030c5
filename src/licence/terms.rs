//! How many days the backup may serve, and of what they are counted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Milliseconds of a day.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// The most days that terms can have.
pub const MOST_DAYS: u32 = 3650;

/// Of what the days are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// Of each time that the backup is started: a completed return gives them back.
    Activation,
    /// Of all times together.
    Total,
}

/// On what terms the backup may serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Terms {
    /// Days; from 1 to [`MOST_DAYS`].
    pub days: u32,
    /// Of what.
    pub per: Per,
    /// So many hours after the end the server is stopped in order, at a quiet moment; none: it is only said that they are over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_hours: Option<u32>,
}

/// Terms that are in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The name that the ledger knows it by: another licence has days of its own.
    pub id: String,
    /// The terms.
    pub terms: Terms,
    /// When a vendor issued them; none: built in, nobody has.
    pub issued: Option<Timestamp>,
}

impl Terms {
    /// All its days, in milliseconds.
    #[must_use]
    pub fn all_ms(&self) -> u64 {
        u64::from(self.days) * DAY_MS
    }

    /// Whether they can be meant.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        (1..=MOST_DAYS).contains(&self.days)
    }
}

impl Grant {
    /// What counts where no vendor is named: so many `days` an activation.
    #[must_use]
    pub fn built_in(days: u32) -> Self {
        let terms = Terms { days, per: Per::Activation, grace_hours: None };
        Self { id: "built-in".to_owned(), terms, issued: None }
    }
}
