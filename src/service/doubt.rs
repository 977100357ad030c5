//! What makes a copy doubtful that is all that it should be by what was sent: whether it would be of use is another question.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a copy may be worth less than it looks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Doubt {
    /// A database does not open, in the copy as in its source.
    Database {
        /// Its name.
        file: String,
        /// What stands against it.
        why: String,
        /// How many others.
        more: u64,
    },
    /// Files are not what was written, and the other machine is not there to send them again.
    Rotten {
        /// How many.
        files: u64,
        /// The first of them.
        first: String,
    },
    /// Something never holds still for long enough to be copied at one instant.
    Unsteady {
        /// The dataset.
        dataset: String,
        /// Since when.
        since: Timestamp,
    },
    /// A generation changed more than a shop does: perhaps it was not the shop.
    MuchChanged {
        /// The dataset.
        dataset: String,
        /// Blocks that changed, of a hundred.
        percent: u64,
        /// When.
        at: Timestamp,
    },
}

impl Doubt {
    /// The short code for the support desk.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rotten { .. } => "MIR-107",
            Self::Database { .. } => "MIR-206",
            Self::Unsteady { .. } => "MIR-207",
            Self::MuchChanged { .. } => "MIR-208",
        }
    }
}
