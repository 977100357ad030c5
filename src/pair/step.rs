//! One event in, actions out. The same state and event always give the same actions.

use super::duty::{Duty, Epoch, Node};
use super::event::{Action, Event, Other, Why};
use super::record::{Claim, Record};

/// Who serves, as one node knows it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Pair {
    record: Record,
    duty: Duty,
    /// Nothing may be done on the strength of the record before it is on disk.
    saving: bool,
    turn: Turn,
}

/// A change of server that is under way on this node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Turn {
    /// None is.
    None,
    /// The node was the server, and has not heard yet whether it is still.
    Resuming,
    /// It closes its mirror, to serve in its own next epoch.
    Promoting(Other),
    /// It closes its mirror, to serve in this epoch, which was given to it.
    Taking(Epoch),
    /// It stops its POS server and sends what is left.
    Giving,
}

impl Pair {
    /// A node that has not begun.
    #[must_use]
    pub fn new(node: Node) -> Self {
        Self { record: Record::first(node), duty: Duty::Waiting, saving: false, turn: Turn::None }
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

    /// Whether the node was the server, and waits to hear whether it is still.
    #[must_use]
    pub fn is_resuming(&self) -> bool {
        self.turn == Turn::Resuming
    }

    /// Whether a change of server is under way on this node.
    #[must_use]
    pub fn is_turning(&self) -> bool {
        self.saving || matches!(self.turn, Turn::Promoting(_) | Turn::Taking(_) | Turn::Giving)
    }

    /// What the node is told where the next step of its own could not be saved: it goes on from here as if it had not tried.
    #[must_use]
    pub fn untaken(&self) -> Option<Event> {
        match self.turn {
            Turn::Giving => Some(Event::NotLevel),
            Turn::Promoting(_) | Turn::Taking(_) => Some(Event::NotDrained),
            Turn::None | Turn::Resuming => None,
        }
    }

    /// Takes one event and returns the actions that it calls for, in the order in which they must take effect.
    pub fn step(&mut self, event: Event) -> Vec<Action> {
        match event {
            // A node without a record has seen nothing: it saves its first one before it does anything.
            Event::Began { record: None, .. } => self.save(Record::first(self.record.node)),
            Event::Began { record: Some(record), sure } => self.began(record, sure),
            // What was saved may be acted on: the holder of the epoch serves, the other one follows it.
            Event::Saved => self.saved(),
            // A server of the past is refused, whatever it sends.
            Event::ServerHeard { epoch, .. } if epoch < self.record.epoch => {
                vec![Action::Refuse { theirs: epoch, ours: self.record.epoch }]
            }
            // A server of a higher epoch is followed, once that epoch is saved.
            Event::ServerHeard { epoch, start } if epoch > self.record.epoch => self.surpassed(epoch, start),
            // The holder of the epoch is followed. It lives: what was begun because it was silent is not gone on with.
            Event::ServerHeard { .. } => self.follow(),
            // Whoever has seen a higher epoch shows it: this node's own is over.
            Event::PeerHeard { epoch, start } if epoch > self.record.epoch => self.surpassed(epoch, start),
            Event::PeerHeard { epoch, .. } => self.peer_heard(epoch),
            // Who ends in order has seen all that this node has: in the morning it need not be waited for.
            // Where it has seen more, this node's epoch is over, and its evening says nothing of the morning here.
            Event::Goodbye { epoch } if epoch > self.record.epoch || self.record.goodbye => vec![],
            Event::Goodbye { .. } => self.note(self.record.with_goodbye(true)),
            // The other node ended in order before this one did, so that it cannot have taken a higher epoch since.
            Event::Unheard if self.turn == Turn::Resuming && self.record.goodbye => self.serve(),
            // Nobody can have begun to serve without one of them knowing of it.
            Event::Vouched if self.turn == Turn::Resuming => self.serve(),
            Event::Promote(other) => self.promote(other),
            Event::Start => self.start(),
            Event::Return => self.give(),
            Event::Drained { seq } => self.drained(seq),
            Event::NotDrained => self.not_drained(),
            Event::Level { seq } => self.level(seq),
            // The server goes on as it was.
            Event::NotLevel if self.turn == Turn::Giving => {
                self.turn = Turn::None;
                vec![Action::Unfreeze]
            }
            Event::Gathered if self.record.strays && !self.saving => self.note(self.record.gathered()),
            // It comes too late to mean anything.
            Event::Unheard | Event::Vouched | Event::NotLevel | Event::Gathered => vec![],
            Event::Granted { to } => self.granted(to),
        }
    }

    fn began(&mut self, record: Record, sure: bool) -> Vec<Action> {
        self.record = record;
        match self.record.claim {
            // Nobody else can have taken its place.
            Claim::Serving if sure => self.serve(),
            // It was the server when it ended; another may have become it since.
            Claim::Serving => {
                self.turn = Turn::Resuming;
                vec![]
            }
            // It waits to hear the server.
            Claim::Idle | Claim::Given { .. } => vec![],
        }
    }

    fn saved(&mut self) -> Vec<Action> {
        self.saving = false;
        match self.record.claim {
            _ if self.turn == Turn::Resuming || self.duty == Duty::Serving && self.record.is_serving() => vec![],
            Claim::Serving => self.serve(),
            Claim::Idle => self.follow(),
            // It is said before anything is put away: the shop stands still.
            Claim::Given { to, at } => vec![Action::Grant { to, at }, Action::Retire],
        }
    }

    /// Another node holds a higher epoch: whatever this one did or was about to do is over.
    fn surpassed(&mut self, epoch: Epoch, start: u64) -> Vec<Action> {
        let retires = self.duty == Duty::Serving;
        self.turn = Turn::None;
        let record = self.record.following(epoch, start).with_goodbye(false);
        let mut actions: Vec<Action> = retires.then_some(Action::Retire).into_iter().collect();
        actions.extend(self.save(record));
        actions
    }

    fn peer_heard(&mut self, epoch: Epoch) -> Vec<Action> {
        let mut actions = vec![];
        if self.record.goodbye {
            actions = self.note(self.record.with_goodbye(false));
        }
        match self.record.claim {
            // It has seen this node's own epoch, and no higher one: this one is the server still. Who has not seen that yet may
            // be the server of an older one: it is shown this one, and is heard again.
            Claim::Serving if self.turn == Turn::Resuming && epoch == self.record.epoch => {
                // What is being saved says nothing of who serves.
                self.saving = false;
                actions.extend(self.serve());
            }
            // It has not taken what it was given: it is told again.
            Claim::Given { to, at } => actions.push(Action::Grant { to, at }),
            Claim::Serving | Claim::Idle => {}
        }
        actions
    }

    fn promote(&mut self, other: Other) -> Vec<Action> {
        match (self.duty, self.turn) {
            (Duty::Serving, _) => vec![Action::Deny(Why::Serves)],
            (Duty::Mirroring | Duty::Waiting, Turn::None) if !self.saving => {
                self.turn = Turn::Promoting(other);
                self.duty = Duty::Waiting;
                vec![Action::Drain]
            }
            (Duty::Mirroring | Duty::Waiting, _) => vec![Action::Deny(Why::Busy)],
        }
    }

    fn start(&mut self) -> Vec<Action> {
        match (self.turn, self.duty) {
            (Turn::Resuming, Duty::Serving | Duty::Mirroring | Duty::Waiting) => {
                // A person may be wrong: with a new epoch at least the two never hold the same one.
                let seq = self.record.starts.last().map_or(0, |start| start.seq);
                let epoch = self.record.node.next_epoch(self.record.epoch);
                self.turn = Turn::None;
                self.save(self.record.serving(epoch, seq))
            }
            (Turn::None | Turn::Promoting(_) | Turn::Taking(_) | Turn::Giving, Duty::Serving) => {
                vec![Action::Deny(Why::Serves)]
            }
            (Turn::None | Turn::Promoting(_) | Turn::Taking(_) | Turn::Giving, Duty::Mirroring | Duty::Waiting) => {
                vec![Action::Deny(Why::NotTheHolder)]
            }
        }
    }

    fn give(&mut self) -> Vec<Action> {
        match (self.duty, self.turn) {
            (Duty::Serving, Turn::None) => {
                self.turn = Turn::Giving;
                vec![Action::Freeze]
            }
            (Duty::Serving, _) => vec![Action::Deny(Why::Busy)],
            (Duty::Mirroring | Duty::Waiting, _) => vec![Action::Deny(Why::ServesNot)],
        }
    }

    fn drained(&mut self, seq: u64) -> Vec<Action> {
        let epoch = match self.turn {
            Turn::Promoting(_) => self.record.node.next_epoch(self.record.epoch),
            Turn::Taking(epoch) => epoch,
            // It was heard meanwhile that another one serves.
            Turn::None | Turn::Resuming | Turn::Giving => return vec![],
        };
        self.turn = Turn::None;
        let seq = match self.record.claim {
            // It has no mirror any more: what it gave away was all that there is.
            Claim::Given { at, .. } => seq.max(at),
            Claim::Idle | Claim::Serving => seq,
        };
        self.save(self.record.serving(epoch, seq))
    }

    /// Nothing is taken on the strength of a mirror that may lack something: it is opened again.
    fn not_drained(&mut self) -> Vec<Action> {
        match self.turn {
            Turn::Promoting(_) | Turn::Taking(_) => {
                self.turn = Turn::None;
                self.follow()
            }
            Turn::None | Turn::Resuming | Turn::Giving => vec![],
        }
    }

    fn level(&mut self, seq: u64) -> Vec<Action> {
        if self.turn != Turn::Giving {
            return vec![];
        }
        self.turn = Turn::None;
        self.save(self.record.given(seq))
    }

    fn granted(&mut self, to: Epoch) -> Vec<Action> {
        let is_new = to > self.record.epoch && Node::of_epoch(to) == self.record.node;
        if !is_new || self.saving || self.turn != Turn::None || self.duty == Duty::Serving {
            return vec![];
        }
        self.turn = Turn::Taking(to);
        self.duty = Duty::Waiting;
        vec![Action::Drain]
    }

    /// Saves a record that changes who serves.
    fn save(&mut self, record: Record) -> Vec<Action> {
        self.record = record;
        self.duty = Duty::Waiting;
        self.saving = true;
        vec![Action::Save(self.record.clone())]
    }

    /// Saves a record that changes nothing of that.
    fn note(&mut self, record: Record) -> Vec<Action> {
        self.record = record;
        vec![Action::Save(self.record.clone())]
    }

    fn serve(&mut self) -> Vec<Action> {
        if self.saving || !self.record.is_serving() || self.duty == Duty::Serving {
            return vec![];
        }
        (self.duty, self.turn) = (Duty::Serving, Turn::None);
        vec![Action::Serve(self.record.epoch)]
    }

    fn follow(&mut self) -> Vec<Action> {
        if self.turn == Turn::Promoting(Other::Silent) {
            // The mirror is being closed: it is opened again.
            self.turn = Turn::None;
            self.duty = Duty::Mirroring;
            return vec![Action::Deny(Why::ServerLives), Action::Follow(self.record.epoch)];
        }
        let busy = self.saving || self.turn != Turn::None;
        if busy || self.record.claim != Claim::Idle || self.duty == Duty::Mirroring {
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

    fn began(record: &Record) -> Event {
        Event::Began { record: Some(record.clone()), sure: false }
    }

    const NEW: Event = Event::Began { record: None, sure: true };

    #[test]
    fn a_new_backup_saves_before_it_follows() {
        let mut pair = Pair::new(Node::Backup);
        let first = Record::first(Node::Backup);
        assert_eq!(pair.step(NEW), [Action::Save(first)]);
        assert_eq!(pair.step(heard(1)), [], "heard before the record was on disk");
        assert_eq!(pair.step(Event::Saved), [Action::Follow(1)]);
        assert_eq!((pair.step(heard(1)), pair.duty()), (vec![], Duty::Mirroring));
    }

    #[test]
    fn a_new_main_saves_before_it_serves_and_alone_it_serves_again_after_a_restart() {
        let mut pair = Pair::new(Node::Main);
        let first = Record::first(Node::Main);
        assert_eq!(pair.step(NEW), [Action::Save(first.clone())]);
        assert_eq!(pair.duty(), Duty::Waiting);
        assert_eq!((pair.step(Event::Saved), pair.duty()), (vec![Action::Serve(1)], Duty::Serving));
        let mut pair = Pair::new(Node::Main);
        let again = Event::Began { record: Some(first), sure: true };
        assert_eq!((pair.step(again), pair.duty()), (vec![Action::Serve(1)], Duty::Serving));
        let stolen = Record { claim: Claim::Serving, ..Record::first(Node::Backup) };
        let mut pair = Pair::new(Node::Backup);
        let stolen = Event::Began { record: Some(stolen), sure: true };
        assert_eq!(pair.step(stolen), [], "the epoch is the other machine's");
    }

    #[test]
    fn the_past_is_refused_and_the_future_is_saved_first() {
        let mut pair = Pair::new(Node::Backup);
        let saved = Record::first(Node::Backup).following(4, 10);
        assert_eq!(pair.step(began(&saved)), []);
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
