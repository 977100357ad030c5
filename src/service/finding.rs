//! What an examination of a machine finds: rights, room, names, connections, clocks, versions.

use serde::{Deserialize, Serialize};

use super::unmet::Unmet;
use crate::pair::Node;

/// One thing that was examined.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// On which machine.
    pub node: Node,
    /// What, and what was found.
    #[serde(flatten)]
    pub found: Found,
}

/// What was examined, and what was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "check")]
pub enum Found {
    /// Can the folder of a dataset be listed?
    Folder {
        /// The dataset's name.
        dataset: String,
        /// Where it lies.
        folder: String,
        /// What the system said against it.
        error: Option<String>,
    },
    /// Can every file in it be read?
    Rights {
        /// Files that cannot.
        unreadable: u64,
        /// The first of them.
        first: Option<String>,
    },
    /// Is there room for what must be kept?
    Room {
        /// Bytes that are free.
        free_bytes: u64,
        /// Bytes that should be.
        needed_bytes: u64,
    },
    /// Does the other machine's name lead to an address?
    Name {
        /// The name and port.
        address: String,
        /// Why not.
        error: Option<String>,
    },
    /// Do the two services talk?
    Connection {
        /// The other machine's name and port.
        address: String,
        /// They do.
        talks: bool,
        /// Why not, where that is known.
        why: Option<Unmet>,
    },
    /// Do heartbeats come, which go another way than the rest?
    Heartbeat {
        /// The port that they come to.
        port: u16,
        /// They come.
        comes: bool,
    },
    /// How far are the two clocks apart?
    Clocks {
        /// Milliseconds that the other one is ahead; none where it is not known.
        ahead_ms: Option<i64>,
    },
    /// Do both machines run the same version?
    Versions {
        /// The version here.
        ours: String,
        /// The version there; none where it is not known.
        theirs: Option<String>,
    },
    /// Does the POS server keep its data where it is mirrored?
    Server {
        /// What its command names that lies in no dataset.
        outside: Vec<String>,
    },
    /// Is a device reached that both machines must reach?
    Device {
        /// What it is called.
        name: String,
        /// Its name and port.
        address: String,
        /// Why not.
        error: Option<String>,
    },
    /// Can the POS server be started, and does nothing else start it?
    Start {
        /// The program or unit.
        what: String,
        /// What stands in the way.
        why: Option<Hindrance>,
    },
}

/// Why the POS server cannot be started, or not by this program alone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Hindrance {
    /// The program is not there.
    NotThere,
    /// It may not be executed.
    NotExecutable,
    /// The system starts the unit when the machine starts.
    EnabledAtBoot,
    /// There is no systemd.
    NoSystemd,
}

/// So far apart two clocks may be, in milliseconds.
pub const CLOCKS_MS: u64 = 2_000;

impl Found {
    /// Whether it is as it should be.
    #[must_use]
    pub fn is_well(&self) -> bool {
        match self {
            Self::Folder { error, .. } | Self::Name { error, .. } | Self::Device { error, .. } => error.is_none(),
            Self::Room { free_bytes, needed_bytes } => free_bytes >= needed_bytes,
            Self::Rights { unreadable, .. } => *unreadable == 0,
            Self::Connection { talks, .. } => *talks,
            Self::Heartbeat { comes, .. } => *comes,
            Self::Clocks { ahead_ms } => ahead_ms.is_none_or(|ahead| ahead.unsigned_abs() <= CLOCKS_MS),
            Self::Versions { ours, theirs } => theirs.as_ref().is_none_or(|theirs| theirs == ours),
            Self::Server { outside } => outside.is_empty(),
            Self::Start { why, .. } => why.is_none(),
        }
    }
}
