//! What can be wrong with a copy, and what can be asked about it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::doubt::Doubt;
use super::pos::{Down, Stray};
use super::unmet::Unmet;
use crate::pair::Epoch;

/// Something that is wrong and that a person should know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Alarm {
    /// A short code for the support desk: `MIR-203`.
    pub code: String,
    /// What it is.
    #[serde(flatten)]
    pub trouble: Trouble,
    /// Since when.
    pub since: Timestamp,
}

/// What can be wrong with a copy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "trouble")]
pub enum Trouble {
    /// No room on the mirror's disk.
    DiskFull {
        /// Bytes that are missing there, as far as that is known.
        needed_bytes: u64,
        /// Bytes that are free there.
        free_bytes: u64,
    },
    /// No room to set aside what this machine alone holds, since it was the server: it follows nobody before.
    NoRoomAside {
        /// Bytes that are needed.
        needed_bytes: u64,
        /// Bytes that are free.
        free_bytes: u64,
    },
    /// The mirror's disk does not do what it is told.
    MirrorFails {
        /// What the system said.
        error: String,
    },
    /// A dataset is not mirrored any more, while others go on.
    DatasetStopped {
        /// Its name.
        dataset: String,
        /// Why.
        why: String,
        /// How many others.
        more: u64,
    },
    /// That another machine is the server cannot be saved: this one follows nobody before.
    RecordUnsaved {
        /// What the system said.
        error: String,
    },
    /// The folder that is mirrored is not there, or cannot be listed.
    SourceGone {
        /// What the system said.
        error: String,
    },
    /// A question waits for an answer, and nothing is copied meanwhile.
    Held {
        /// How many files are held back.
        files: u64,
    },
    /// Files that cannot be read.
    Unreadable {
        /// How many.
        files: u64,
        /// The first of them.
        first: String,
    },
    /// The other machine is not heard.
    Silent {
        /// Why no connection could be made to it, if one was tried.
        why: Option<Unmet>,
    },
    /// The other machine is heard, and nothing gets through to it.
    Unanswered {
        /// Why no connection could be made to it, if one was tried.
        why: Option<Unmet>,
    },
    /// The copy is older than it may be.
    CopyOld {
        /// Its age in milliseconds.
        age_ms: u64,
        /// The most that it may be.
        limit_ms: u64,
    },
    /// The machines hear each other, and nothing comes the way that changes go.
    MirrorStopped {
        /// For so long, in milliseconds.
        for_ms: u64,
    },
    /// The two machines run different versions of this program.
    Versions {
        /// The version here.
        ours: String,
        /// The version there.
        theirs: String,
    },
    /// Little room is left on the disk that holds what is this program's.
    DiskLow {
        /// Bytes that are free there.
        free_bytes: u64,
    },
    /// The limit of watches is reached: changes are found by rescans.
    WatchLimit {
        /// Milliseconds between rescans.
        rescan_ms: u64,
    },
    /// The folder lies on another machine, of whose changes the system tells nothing: they are found by rescans.
    Unwatched {
        /// Milliseconds between rescans.
        rescan_ms: u64,
    },
    /// The POS server program runs on a machine that does not serve.
    ServerStray {
        /// How that is known.
        found: Stray,
    },
    /// The POS server program of the machine that serves does not answer.
    ServerDown {
        /// It is this machine.
        here: bool,
        /// Why, where that is known.
        why: Option<Down>,
    },
    /// The other machine says that an epoch is in force, and cannot prove it.
    EpochUnproven {
        /// Which.
        epoch: Epoch,
    },
    /// A second machine has the key of the other one, and was turned away.
    KeyTwice {
        /// Its address.
        from: String,
    },
    /// This machine serves, and is alone: its POS server is stopped.
    StoppedAlone,
    /// The hook `resume` fails: the shop's program may stand still.
    StandsStill,
    /// Devices that both machines must reach are not reached.
    DevicesMissed {
        /// From the main: their names.
        main: Vec<String>,
        /// From the backup.
        backup: Vec<String>,
    },
    /// The shop's program does not take the events that it is to be told.
    EventsWait {
        /// How many wait.
        waiting: u64,
        /// For so long, in milliseconds.
        for_ms: u64,
    },
    /// The copy may be worth less than it looks.
    Doubt(Doubt),
    /// Something about the backup licence.
    Licence(LicenceTrouble),
}

/// What can be wrong with the backup licence.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum LicenceTrouble {
    /// The backup serves, and its days are over.
    Over {
        /// Whether a vendor's licence would be needed for another start.
        vendor: bool,
    },
    /// The backup serves, and its days are soon over.
    Ends {
        /// Milliseconds that are left.
        left_ms: u64,
    },
    /// The backup serves, and its days are soon over; some time after that its POS server is stopped.
    Stops {
        /// Milliseconds that are left.
        left_ms: u64,
        /// Milliseconds until it is stopped at the latest.
        stop_ms: u64,
    },
    /// The backup serves, its days are over, and its POS server is stopped at the next quiet moment.
    OverStops {
        /// Milliseconds until it is stopped at the latest.
        stop_ms: u64,
    },
    /// Its days are over, and its POS server is stopped.
    Stopped,
    /// The backup does not serve, and its days are used up.
    Used {
        /// Whether a vendor's licence would be needed for a start.
        vendor: bool,
    },
    /// A vendor is named, and no licence is installed.
    Missing,
    /// What is installed does not hold here.
    Unfit,
    /// Nobody knows how many days were used.
    LedgerLost,
}

impl Trouble {
    /// Not everything is watched: all is looked at every `rescan_ms`.
    #[must_use]
    pub fn unwatched(rescan_ms: u64, is_remote: bool) -> Self {
        if is_remote { Self::Unwatched { rescan_ms } } else { Self::WatchLimit { rescan_ms } }
    }

    /// The dataset, where it is told for each one.
    #[must_use]
    pub fn dataset(&self) -> Option<&str> {
        match self {
            Self::Doubt(doubt) => doubt.dataset(),
            _ => None,
        }
    }

    /// The short code for the support desk.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::DiskFull { .. } => "MIR-101",
            Self::MirrorFails { .. } => "MIR-102",
            Self::DiskLow { .. } => "MIR-103",
            Self::NoRoomAside { .. } => "MIR-104",
            Self::DatasetStopped { .. } => "MIR-105",
            Self::RecordUnsaved { .. } => "MIR-106",
            Self::SourceGone { .. } => "MIR-201",
            Self::Held { .. } => "MIR-202",
            Self::Unreadable { .. } => "MIR-203",
            Self::WatchLimit { .. } => "MIR-204",
            Self::Unwatched { .. } => "MIR-205",
            Self::Silent { .. } => "MIR-301",
            Self::CopyOld { .. } => "MIR-302",
            Self::Versions { .. } => "MIR-303",
            Self::Unanswered { .. } => "MIR-304",
            Self::MirrorStopped { .. } => "MIR-305",
            Self::ServerStray { .. } => "MIR-401",
            Self::ServerDown { .. } => "MIR-402",
            Self::EpochUnproven { .. } => "MIR-306",
            Self::KeyTwice { .. } => "MIR-307",
            Self::StoppedAlone => "MIR-403",
            Self::StandsStill => "MIR-404",
            Self::DevicesMissed { .. } => "DEV-101",
            Self::EventsWait { .. } => "EVT-101",
            Self::Doubt(doubt) => doubt.code(),
            Self::Licence(licence) => licence.code(),
        }
    }

    /// Whether it is worth a notice only: the copy goes on as before.
    #[must_use]
    pub fn is_hint(&self) -> bool {
        match self {
            Self::WatchLimit { .. }
            | Self::Unwatched { .. }
            | Self::DiskLow { .. }
            | Self::Versions { .. }
            | Self::DevicesMissed { .. }
            | Self::EventsWait { .. } => true,
            Self::Licence(licence) => licence.is_hint(),
            Self::Doubt(doubt) => doubt.is_hint(),
            _ => false,
        }
    }
}

impl LicenceTrouble {
    fn is_hint(self) -> bool {
        !matches!(self, Self::Over { .. } | Self::OverStops { .. } | Self::Stopped)
    }

    fn code(self) -> &'static str {
        match self {
            // That the days end, or have, is one thing, whatever follows from it.
            Self::Over { .. } | Self::OverStops { .. } => "LIC-101",
            Self::Ends { .. } | Self::Stops { .. } => "LIC-102",
            Self::Used { .. } => "LIC-103",
            Self::Missing => "LIC-104",
            Self::Unfit => "LIC-105",
            Self::Stopped => "LIC-106",
            Self::LedgerLost => "LIC-201",
        }
    }
}

/// Something that only a person can decide.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Question {
    /// What the answer names it by.
    pub id: u64,
    /// What is asked.
    #[serde(flatten)]
    pub ask: Ask,
    /// Since when.
    pub since: Timestamp,
}

/// What can be asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "ask")]
pub enum Ask {
    /// More than half of the files are gone at once. Are they to go from the mirror, too?
    Removals {
        /// How many are gone.
        gone: u64,
        /// Of how many.
        of: u64,
    },
    /// Files are older by far than the mirror has them. Is the older state to be taken over? What only the mirror holds is set
    /// aside then.
    Older {
        /// Names of some of them.
        files: Vec<String>,
    },
    /// Files that had content are empty now. Are they to be empty in the mirror, too?
    Emptied {
        /// Their names.
        files: Vec<String>,
    },
}
