//! The POS server program, as screens, scripts and the other machine hear of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::server::Why;

/// The POS server program of this machine, beside how it stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pos {
    /// Since when it stands as it does.
    pub since: Timestamp,
    /// The last lines that it printed, where it does not do as it should.
    pub lines: Vec<String>,
}

/// Why the POS server program does not answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Down {
    /// It has ended by itself.
    Ended {
        /// With this code, as a shell says it; none where that is not known.
        code: Option<i32>,
    },
    /// It was not ready in time.
    NotReady {
        /// Milliseconds that it had.
        after_ms: u64,
    },
    /// It runs and does not answer.
    NoAnswer,
    /// It cannot be started.
    CannotStart {
        /// The program or unit.
        what: String,
        /// What the system said.
        error: String,
    },
    /// Something else starts its unit when the machine starts.
    EnabledAtBoot {
        /// Which unit.
        unit: String,
    },
    /// A hook refuses it.
    Vetoed {
        /// Which one.
        hook: String,
    },
    /// Its unit cannot be started where there is no systemd.
    NoSystemd {
        /// Which unit.
        unit: String,
    },
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

impl Down {
    /// Whether starting it again cannot help before somebody has done something.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::NotReady { .. }
            | Self::CannotStart { .. }
            | Self::EnabledAtBoot { .. }
            | Self::Vetoed { .. }
            | Self::NoSystemd { .. } => true,
            Self::Ended { .. } | Self::NoAnswer | Self::Other => false,
        }
    }
}

impl From<Why> for Down {
    fn from(why: Why) -> Self {
        match why {
            Why::Ended { code } => Self::Ended { code },
            Why::NotReady { after } => {
                Self::NotReady { after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX) }
            }
            Why::NoAnswer => Self::NoAnswer,
            Why::CannotStart { what, error } => Self::CannotStart { what, error },
            Why::EnabledAtBoot { unit } => Self::EnabledAtBoot { unit },
            Why::Vetoed { hook } => Self::Vetoed { hook: hook.to_owned() },
            Why::NoSystemd { unit } => Self::NoSystemd { unit },
        }
    }
}

/// The POS server program where it should not run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Stray {
    /// A process that this program started once.
    Process {
        /// Its number.
        pid: i32,
    },
    /// The unit.
    Unit {
        /// Its name.
        unit: String,
    },
    /// Someone answers where the program would.
    Port {
        /// There.
        address: String,
    },
}
