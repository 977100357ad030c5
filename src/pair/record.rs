//! The small record that a node saves before it acts on it.

use serde::{Deserialize, Serialize};

use super::duty::{Epoch, Node};

/// What a node must know again after a crash. It is saved whole, in a file of its own, and never edited.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Who this node is, by its home role.
    pub node: Node,
    /// The highest epoch that it has seen.
    pub epoch: Epoch,
    /// What it claims in that epoch.
    pub claim: Claim,
    /// Where each epoch began, the oldest first; at most [`STARTS`].
    pub starts: Vec<Start>,
    /// The other node has ended in order, and was not heard since.
    #[serde(default)]
    pub goodbye: bool,
    /// The node was the server until another took a higher epoch: what it alone holds is not set aside yet.
    #[serde(default)]
    pub strays: bool,
}

/// How many starts a record keeps.
pub const STARTS: usize = 64;

/// What a node claims in its epoch.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// Nothing: another holds the epoch.
    Idle,
    /// It is the server.
    Serving,
    /// It was, and has given that to the other node: it only repeats so from then on.
    Given {
        /// The epoch in which the other one is to serve.
        to: Epoch,
        /// The number of the last generation before that.
        at: u64,
    },
}

/// Where an epoch began.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
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
        Self { node, epoch: 1, claim, starts: vec![Start { epoch: 1, seq: 0 }], goodbye: false, strays: false }
    }

    /// The first record of a machine that joins this node in the place of the other one: it has seen what this node has seen, and
    /// was never the server.
    #[must_use]
    pub fn newcomer(&self) -> Self {
        let starts = self.starts.last().copied().into_iter().collect();
        Self { node: self.node.other(), claim: Claim::Idle, starts, goodbye: false, strays: false, ..self.clone() }
    }

    /// The record of a node of which nothing is left but the epochs whose proofs it has, the lowest first, with the generations
    /// before each. Where the last one is its own it was the server, and waits to hear whether it is still; else it follows, and may
    /// hold what nobody else has.
    #[must_use]
    pub fn recovered(node: Node, proven: &[(Epoch, u64)]) -> Self {
        let first = Self::first(node);
        let Some((epoch, _)) = proven.last().copied() else { return Self { strays: true, ..first } };
        let is_own = Node::of_epoch(epoch) == node;
        let claim = if is_own { Claim::Serving } else { Claim::Idle };
        let starts = proven.iter().map(|(epoch, seq)| Start { epoch: *epoch, seq: *seq }).collect();
        Self { epoch, claim, starts, strays: !is_own, ..first }
    }

    /// The same node after it was shown a higher epoch, which began after generation `seq`.
    #[must_use]
    pub fn following(&self, epoch: Epoch, seq: u64) -> Self {
        // Who gave its place away holds nothing that the other one has not.
        let strays = self.strays || self.claim == Claim::Serving;
        Self { strays, ..self.begun(epoch, seq, Claim::Idle) }
    }

    /// The same node when what it alone held is set aside, and it holds what the server holds.
    #[must_use]
    pub fn gathered(&self) -> Self {
        Self { strays: false, ..self.clone() }
    }

    /// The same node as the server of `epoch`, which is its own, from generation `seq` on.
    #[must_use]
    pub fn serving(&self, epoch: Epoch, seq: u64) -> Self {
        // What the server holds is what counts.
        Self { strays: false, ..self.begun(epoch, seq, Claim::Serving) }
    }

    /// The same node when it has given its place to the other one, after generation `at`.
    #[must_use]
    pub fn given(&self, at: u64) -> Self {
        let to = self.node.other().next_epoch(self.epoch);
        Self { claim: Claim::Given { to, at }, ..self.clone() }
    }

    /// The same node when the other one has ended in order, or is heard again.
    #[must_use]
    pub fn with_goodbye(&self, goodbye: bool) -> Self {
        Self { goodbye, ..self.clone() }
    }

    /// Whether the node is the server of its epoch.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        self.claim == Claim::Serving && Node::of_epoch(self.epoch) == self.node
    }

    /// The last epoch in which this node was the server itself; 0 where it never was.
    #[must_use]
    pub fn served(&self) -> Epoch {
        let own = self.starts.iter().rev().find(|start| Node::of_epoch(start.epoch) == self.node);
        own.map_or(0, |start| start.epoch)
    }

    /// The epoch that began with the mirror which this node had closed, if it serves since: that mirror is what it had of the other
    /// node when that one was lost. Where people started it again in later epochs of its own, nothing has changed of that.
    #[must_use]
    pub fn took_over(&self) -> Option<Epoch> {
        let taken = |two: &&[Start]| {
            Node::of_epoch(two[0].epoch) == self.node.other() && Node::of_epoch(two[1].epoch) == self.node
        };
        self.starts.windows(2).rev().find(taken).map(|two| two[1].epoch).filter(|_| self.is_serving())
    }

    fn begun(&self, epoch: Epoch, seq: u64, claim: Claim) -> Self {
        let mut starts = self.starts.clone();
        starts.push(Start { epoch, seq });
        if starts.len() > STARTS {
            starts.remove(0);
        }
        Self { node: self.node, epoch, claim, starts, goodbye: self.goodbye, strays: self.strays }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_which_epoch_began_with_the_closed_mirror() {
        let first = Record::first(Node::Main);
        assert_eq!((first.served(), first.took_over()), (1, None), "it never had a mirror");
        let lost = first.following(2, 40);
        assert_eq!((lost.served(), lost.took_over()), (1, None), "it does not serve");
        let taken = lost.serving(3, 90);
        assert_eq!((taken.served(), taken.took_over()), (3, Some(3)));
        let started = taken.serving(5, 90).serving(7, 90);
        assert_eq!((started.served(), started.took_over()), (7, Some(3)), "a person started it, twice");
        let again = started.following(8, 120).serving(9, 130);
        assert_eq!((again.served(), again.took_over()), (9, Some(9)));
        assert_eq!(Record::first(Node::Backup).served(), 0);
        let new = Record::first(Node::Backup).serving(2, 40).newcomer();
        assert_eq!((new.node, new.epoch, new.served(), new.is_serving()), (Node::Main, 2, 0, false));
    }
}
