//! The small record that a node saves before it acts on it.

use serde::{Deserialize, Serialize};

use super::duty::{Epoch, Node};

/// What a node must know again after a crash. It is saved whole, in a file of its own, and never edited.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Who this node is, by its home role.
    pub node: Node,
    /// The highest epoch that it has seen.
    pub epoch: Epoch,
    /// What it claims in that epoch.
    pub claim: Claim,
    /// Where each epoch began, the oldest first; at most [`STARTS`].
    pub starts: Vec<Start>,
}

/// How many starts a record keeps.
pub const STARTS: usize = 64;

/// What a node claims in its epoch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// Nothing: another holds the epoch.
    Idle,
    /// It is the server.
    Serving,
}

/// Where an epoch began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Start {
    /// The epoch.
    pub epoch: Epoch,
    /// The number of the last generation before it.
    pub seq: u64,
}

impl Record {
    /// The record of a node that has seen nothing yet: the main holds the first epoch.
    #[must_use]
    pub fn first(node: Node) -> Self {
        let claim = if node == Node::Main { Claim::Serving } else { Claim::Idle };
        Self { node, epoch: 1, claim, starts: vec![Start { epoch: 1, seq: 0 }] }
    }

    /// The same node after it was shown a higher epoch, which began after generation `seq`.
    #[must_use]
    pub fn following(&self, epoch: Epoch, seq: u64) -> Self {
        let mut starts = self.starts.clone();
        starts.push(Start { epoch, seq });
        if starts.len() > STARTS {
            starts.remove(0);
        }
        Self { node: self.node, epoch, claim: Claim::Idle, starts }
    }
}
