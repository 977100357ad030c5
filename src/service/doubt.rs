//! What makes a copy doubtful that is all that it should be by what was sent: whether it would be of use is another question.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::refusal::WhyNot;

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
        /// Since when. In an alarm it stands beside the time of that, which has this name.
        #[serde(rename = "unsteady_since", alias = "since")]
        since: Timestamp,
    },
    /// A database could not be read back from its dump: the POS server waits for that.
    NotRestored {
        /// The dataset.
        dataset: String,
        /// Why.
        why: String,
    },
    /// Databases are being read back from their dumps, for a while now: the POS server waits for that.
    Restoring {
        /// So many minutes.
        minutes: u64,
    },
    /// A database cannot be dumped: the mirror has an older dump.
    NotDumped {
        /// The dataset.
        dataset: String,
        /// Why.
        why: String,
    },
    /// What a database alone held, since this machine lost its place, cannot be set aside, and is not overwritten before.
    NotAside {
        /// The dataset.
        dataset: String,
        /// Why.
        why: String,
    },
    /// The POS server did not start in the last drill.
    DrillFailed {
        /// When. In an event it stands beside the time of that, which has this name.
        #[serde(rename = "drilled_at", alias = "at")]
        at: Timestamp,
        /// Why.
        why: WhyNot,
    },
    /// The last drill was long ago.
    DrillOld {
        /// So many days.
        days: u64,
    },
    /// There was no room to look whether databases open: the copy is not proven.
    Unopened {
        /// The dataset.
        dataset: String,
        /// How many.
        databases: u64,
    },
    /// The copy was proven long ago, and not since.
    ProofOld {
        /// The dataset.
        dataset: String,
        /// So many days.
        days: u64,
    },
    /// A generation changed more than a shop does: perhaps it was not the shop.
    MuchChanged {
        /// The dataset.
        dataset: String,
        /// Blocks that changed, of a hundred.
        percent: u64,
        /// When. In an event it stands beside the time of that, which has this name.
        #[serde(rename = "changed_at", alias = "at")]
        at: Timestamp,
    },
}

impl Doubt {
    /// Whether it is worth a notice only.
    #[must_use]
    pub fn is_hint(&self) -> bool {
        matches!(self, Self::DrillOld { .. } | Self::Unopened { .. } | Self::ProofOld { .. } | Self::Restoring { .. })
    }

    /// The dataset, where it is told for each one.
    #[must_use]
    pub fn dataset(&self) -> Option<&str> {
        match self {
            Self::Unsteady { dataset, .. }
            | Self::NotRestored { dataset, .. }
            | Self::NotDumped { dataset, .. }
            | Self::NotAside { dataset, .. }
            | Self::Unopened { dataset, .. }
            | Self::ProofOld { dataset, .. }
            | Self::MuchChanged { dataset, .. } => Some(dataset),
            Self::Database { .. }
            | Self::Rotten { .. }
            | Self::Restoring { .. }
            | Self::DrillFailed { .. }
            | Self::DrillOld { .. } => None,
        }
    }

    /// Why the server cannot change while that is so; none where it can.
    #[must_use]
    pub fn why_not(&self) -> Option<WhyNot> {
        match self.clone() {
            Self::NotRestored { dataset: name, why } => Some(WhyNot::NotRestored { name, why }),
            Self::NotDumped { dataset: name, why } => Some(WhyNot::NotDumped { name, why }),
            Self::NotAside { dataset: name, why } => Some(WhyNot::NotAside { name, why }),
            _ => None,
        }
    }

    /// The short code for the support desk.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rotten { .. } => "MIR-107",
            Self::Database { .. } => "MIR-206",
            Self::Unsteady { .. } => "MIR-207",
            Self::MuchChanged { .. } => "MIR-208",
            Self::Unopened { .. } => "MIR-209",
            Self::ProofOld { .. } => "MIR-210",
            Self::DrillFailed { .. } => "DRL-101",
            Self::DrillOld { .. } => "DRL-102",
            Self::NotRestored { .. } => "DMP-101",
            Self::NotDumped { .. } => "DMP-102",
            Self::NotAside { .. } => "DMP-103",
            Self::Restoring { .. } => "DMP-104",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::event::{Event, What};
    use crate::service::trouble::{Alarm, Trouble};

    /// Found by an alarm that called people and that no screen showed: it and its doubt had a field of one name.
    #[test]
    fn an_alarm_and_an_event_of_any_doubt_are_read_as_they_were_written() {
        let [since, at] = [1, 2].map(|second| Timestamp::from_second(second).unwrap());
        let [dataset, why] = ["pos", "broken"].map(str::to_owned);
        for doubt in [
            Doubt::Database { file: "shop.db".to_owned(), why: why.clone(), more: 2 },
            Doubt::Rotten { files: 3, first: "ORDER.QUE".to_owned() },
            Doubt::Unsteady { dataset: dataset.clone(), since },
            Doubt::NotRestored { dataset: dataset.clone(), why: why.clone() },
            Doubt::NotDumped { dataset: dataset.clone(), why: why.clone() },
            Doubt::NotAside { dataset: dataset.clone(), why },
            Doubt::DrillFailed { at, why: WhyNot::NoCopy },
            Doubt::DrillOld { days: 31 },
            Doubt::Restoring { minutes: 2 },
            Doubt::Unopened { dataset: dataset.clone(), databases: 2 },
            Doubt::ProofOld { dataset: dataset.clone(), days: 3 },
            Doubt::MuchChanged { dataset, percent: 80, at },
        ] {
            let trouble = Trouble::Doubt(doubt.clone());
            let alarm = Alarm { code: doubt.code().to_owned(), trouble: trouble.clone(), since: at };
            let said = serde_json::to_string(&alarm).unwrap();
            assert_eq!(serde_json::from_str::<Alarm>(&said).unwrap(), alarm, "{said}");
            for what in [What::Trouble(trouble.clone()), What::Mended(trouble)] {
                let event = Event { at, what };
                let said = serde_json::to_string(&event).unwrap();
                assert_eq!(serde_json::from_str::<Event>(&said).unwrap(), event, "{said}");
            }
        }
    }
}
