//! What a node is, and what it does now.

use serde::{Deserialize, Serialize};

/// Counts the changes of server. The machine that was set up as main takes odd ones, the other even ones, whatever the two have
/// become since; the higher wins.
pub type Epoch = u64;

/// One of the two machines of a store: by what it was set up as, which stays; or by its home role, where that is said.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Node {
    /// The machine that serves on ordinary days.
    Main,
    /// The machine that keeps the mirror.
    Backup,
}

impl Node {
    /// The machine that alone may take `epoch`.
    #[must_use]
    pub fn of_epoch(epoch: Epoch) -> Self {
        if epoch % 2 == 1 { Self::Main } else { Self::Backup }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Main => Self::Backup,
            Self::Backup => Self::Main,
        }
    }

    /// The first epoch after `epoch` that this node may take.
    #[must_use]
    pub fn next_epoch(self, epoch: Epoch) -> Epoch {
        if Self::of_epoch(epoch + 1) == self { epoch + 1 } else { epoch + 2 }
    }
}

/// What a node does now.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    /// Runs the POS server.
    Serving,
    /// Receives the mirror.
    Mirroring,
    /// Neither.
    Waiting,
}
