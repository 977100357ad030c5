//! What can happen to a node, and what it is to do.

use super::duty::Epoch;
use super::record::Record;

/// What can happen to a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// The node began.
    Began {
        /// Its saved record, if it has one.
        record: Option<Record>,
        /// Nobody can have taken its place meanwhile: no other node has ever joined it, or its POS server never stopped.
        sure: bool,
    },
    /// The record of the last [`Action::Save`] is on disk.
    Saved,
    /// The serving side was heard, with its epoch and the number of the last generation before that epoch.
    ServerHeard {
        /// The epoch that it serves in.
        epoch: Epoch,
        /// Generations before that epoch.
        start: u64,
    },
    /// The other node was heard, with the highest epoch that it has seen.
    PeerHeard {
        /// That epoch.
        epoch: Epoch,
        /// Generations before it.
        start: u64,
    },
    /// The other node says that it ends in order.
    Goodbye {
        /// The highest epoch that it has seen.
        epoch: Epoch,
    },
    /// It was waited long enough for the other node to be heard.
    Unheard,
    /// Most of the terminals are heard, have heard this node serve in its epoch, and have seen no higher one since. Nobody begins to serve
    /// before most of them know of its epoch, unless they cannot be told: those that were there would know.
    Vouched,
    /// A person says: this node is to be the server, whatever became of the other one.
    Promote(Other),
    /// A person says: this node is to go on as the server that it was, though nobody could confirm that.
    Start,
    /// A person says: the other node is to be the server again.
    Return,
    /// Nothing is received any more; all that was acknowledged is in the mirror, up to this generation.
    Drained {
        /// Its number.
        seq: u64,
    },
    /// The mirror could not be closed: something that was acknowledged may not be in it.
    NotDrained,
    /// The POS server has stopped, and the other node holds all that there is, up to this generation.
    Level {
        /// Its number.
        seq: u64,
    },
    /// The other node could not be brought level: nothing is given.
    NotLevel,
    /// What this node alone held is set aside, and its mirror is whole.
    Gathered,
    /// The other node gives its place to this one, which holds all that there is.
    Granted {
        /// The epoch in which this one is to serve.
        to: Epoch,
    },
}

/// How the other node is when this one is to take its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Other {
    /// It is not heard. Where it is heard meanwhile, nothing is taken.
    Silent,
    /// It is heard, and its POS server does not answer.
    Failing,
}

/// What a node is to do, in the order in which it must take effect.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Save this record; nothing after it may happen before [`Event::Saved`].
    Save(Record),
    /// Serve in this epoch, which is this node's own.
    Serve(Epoch),
    /// Receive the mirror from the holder of this epoch.
    Follow(Epoch),
    /// Receive nothing more, and apply what was acknowledged; then [`Event::Drained`], or [`Event::NotDrained`].
    Drain,
    /// Stop the POS server, then send all that there is; then [`Event::Level`].
    Freeze,
    /// Go on as the server: nothing was given.
    Unfreeze,
    /// Serve no more: another node does.
    Retire,
    /// Say to the other node that it is to serve.
    Grant {
        /// In this epoch.
        to: Epoch,
        /// After this generation.
        at: u64,
    },
    /// Do not listen to a server of the past.
    Refuse {
        /// Its epoch.
        theirs: Epoch,
        /// The one that this node has seen.
        ours: Epoch,
    },
    /// Say why what a person asked for is not done.
    Deny(Why),
}

/// Why something that a person asked for is not done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Why {
    /// The node serves already.
    Serves,
    /// The node does not serve.
    ServesNot,
    /// Something of that kind runs.
    Busy,
    /// There is nothing to start: the other node holds the epoch.
    NotTheHolder,
    /// The server was heard meanwhile: it lives.
    ServerLives,
}
