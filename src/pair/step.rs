//! One event in, actions out. The same state and event always give the same actions.

use super::duty::{Duty, Epoch, Node};
use super::record::{Claim, Record};

/// What can happen to a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The node began; this is its saved record, if it has one.
    Began(Option<Record>),
    /// The record of the last [`Action::Save`] is on disk.
    Saved,
    /// The serving side was heard, with its epoch and the number of the last generation before that epoch.
    ServerHeard {
        /// The epoch that it serves in.
        epoch: Epoch,
        /// Generations before that epoch.
        start: u64,
    },
}

/// What a node is to do, in the order in which it must take effect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Save this record; nothing after it may happen before [`Event::Saved`].
    Save(Record),
    /// Serve in this epoch, which is this node's own.
    Serve(Epoch),
    /// Receive the mirror from the holder of this epoch.
    Follow(Epoch),
    /// Do not listen to a server of the past.
    Refuse {
        /// Its epoch.
        theirs: Epoch,
        /// The one that this node has seen.
        ours: Epoch,
    },
}

/// Who serves, as one node knows it.
#[derive(Clone, Debug)]
pub struct Pair {
    record: Record,
    duty: Duty,
    /// Nothing may be done on the strength of the record before it is on disk.
    saving: bool,
}

impl Pair {
    /// A node that has not begun.
    #[must_use]
    pub fn new(node: Node) -> Self {
        Self { record: Record::first(node), duty: Duty::Waiting, saving: false }
    }

    /// What the node does now.
    #[must_use]
    pub fn duty(&self) -> Duty {
        self.duty
    }

    /// What the node has saved, or is saving.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Takes one event and returns the actions that it calls for, in the order in which they must take effect.
    pub fn step(&mut self, event: Event) -> Vec<Action> {
        match event {
            // A node without a record has seen nothing: it saves its first one before it does anything.
            Event::Began(None) => self.save(Record::first(self.record.node)),
            // A node begins where it was: the holder of the epoch serves, the other one waits to hear it.
            Event::Began(Some(record)) => {
                self.record = record;
                self.serve()
            }
            // What was saved may be acted on: the holder of the epoch serves, the other one follows it.
            Event::Saved => {
                self.saving = false;
                match self.record.claim {
                    Claim::Serving => self.serve(),
                    Claim::Idle => self.follow(),
                }
            }
            // A server of the past is refused, whatever it sends.
            Event::ServerHeard { epoch, .. } if epoch < self.record.epoch => {
                vec![Action::Refuse { theirs: epoch, ours: self.record.epoch }]
            }
            // A server of a higher epoch is followed, once that epoch is saved.
            Event::ServerHeard { epoch, start } if epoch > self.record.epoch => {
                self.save(self.record.following(epoch, start))
            }
            // The holder of the epoch is followed.
            Event::ServerHeard { .. } => self.follow(),
        }
    }

    fn save(&mut self, record: Record) -> Vec<Action> {
        self.record = record;
        self.duty = Duty::Waiting;
        self.saving = true;
        vec![Action::Save(self.record.clone())]
    }

    fn serve(&mut self) -> Vec<Action> {
        let may = self.record.claim == Claim::Serving && Node::of_epoch(self.record.epoch) == self.record.node;
        if self.saving || !may || self.duty == Duty::Serving {
            return vec![];
        }
        self.duty = Duty::Serving;
        vec![Action::Serve(self.record.epoch)]
    }

    fn follow(&mut self) -> Vec<Action> {
        if self.saving || self.record.claim != Claim::Idle || self.duty == Duty::Mirroring {
            return vec![];
        }
        self.duty = Duty::Mirroring;
        vec![Action::Follow(self.record.epoch)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(epoch: Epoch) -> Event {
        Event::ServerHeard { epoch, start: 0 }
    }

    #[test]
    fn a_new_backup_saves_before_it_follows() {
        let mut pair = Pair::new(Node::Backup);
        let first = Record::first(Node::Backup);
        assert_eq!(pair.step(Event::Began(None)), [Action::Save(first)]);
        assert_eq!(pair.step(heard(1)), [], "heard before the record was on disk");
        assert_eq!(pair.step(Event::Saved), [Action::Follow(1)]);
        assert_eq!((pair.step(heard(1)), pair.duty()), (vec![], Duty::Mirroring));
    }

    #[test]
    fn a_new_main_saves_before_it_serves_and_serves_again_after_a_restart() {
        let mut pair = Pair::new(Node::Main);
        let first = Record::first(Node::Main);
        assert_eq!(pair.step(Event::Began(None)), [Action::Save(first.clone())]);
        assert_eq!(pair.duty(), Duty::Waiting);
        assert_eq!((pair.step(Event::Saved), pair.duty()), (vec![Action::Serve(1)], Duty::Serving));
        let mut pair = Pair::new(Node::Main);
        assert_eq!((pair.step(Event::Began(Some(first))), pair.duty()), (vec![Action::Serve(1)], Duty::Serving));
        let stolen = Record { claim: Claim::Serving, ..Record::first(Node::Backup) };
        let mut pair = Pair::new(Node::Backup);
        assert_eq!(pair.step(Event::Began(Some(stolen))), [], "the epoch is the other machine's");
    }

    #[test]
    fn the_past_is_refused_and_the_future_is_saved_first() {
        let mut pair = Pair::new(Node::Backup);
        let saved = Record::first(Node::Backup).following(4, 10);
        assert_eq!(pair.step(Event::Began(Some(saved.clone()))), []);
        assert_eq!(pair.step(heard(3)), [Action::Refuse { theirs: 3, ours: 4 }]);
        assert_eq!(pair.step(heard(4)), [Action::Follow(4)]);
        let next = saved.following(5, 0);
        assert_eq!((pair.step(heard(5)), pair.duty()), (vec![Action::Save(next)], Duty::Waiting));
        assert_eq!(pair.step(Event::Saved), [Action::Follow(5)]);
    }

    #[test]
    fn a_record_keeps_the_last_starts() {
        let record = (2..200).fold(Record::first(Node::Main), |record, epoch| record.following(epoch, epoch));
        assert_eq!((record.starts.len(), record.starts[63].epoch), (super::super::record::STARTS, 199));
    }
}
