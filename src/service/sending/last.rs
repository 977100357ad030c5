//! The POS server has stopped: what it changed last is sent, and both copies are compared, file by file and proof by proof.

use tokio::time::Instant;

use super::{Ended, Sending};
use crate::link::frame::Say;
use crate::replica::Position;
use crate::replica::entry::Digest;
use crate::service::haste::Haste;
use crate::service::news::News;

/// What the half can be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Nothing is written any more: send all that there is, and have both copies compared. [`News::Level`] is the answer, or
    /// [`News::NotLevel`].
    Last,
    /// That is not wanted any more.
    GoOn,
}

/// How far that is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Last {
    /// Nobody asked for it.
    #[default]
    No,
    /// Everything is looked at, and sent.
    Gathering,
    /// The mirror is to say whether it holds the same.
    Asked(Position),
}

impl Sending {
    pub(super) fn order(&mut self, order: Order) {
        match order {
            Order::Last => {
                self.last = Last::Gathering;
                // What was written through memory shows in no stamp.
                self.next_mapped = Instant::now();
                self.tick(self.next_mapped);
                self.look_at_all();
            }
            Order::GoOn => self.last = Last::No,
        }
    }

    /// A link has gone, or a new one has come: all is looked at once more.
    pub(super) fn last_again(&mut self) {
        self.asked_last = 0;
        if self.last != Last::No {
            self.last = Last::Gathering;
            self.look_at_all();
        }
    }

    fn look_at_all(&mut self) {
        self.dirty.everything = true;
        self.not_before = Instant::now();
    }

    /// When nothing is under way any more, the mirror is asked to compare.
    pub(super) fn go_on_last(&mut self) -> Result<(), Ended> {
        if self.last != Last::Gathering || !self.is_quiet() {
            return Ok(());
        }
        if self.holds_back() {
            self.last = Last::No;
            let _ = self.tell.send(News::NotLevel);
            return Ok(());
        }
        let _ = self.tell.send(News::AllSent);
        let (position, digest) = (self.position, self.digest());
        self.last = Last::Asked(position);
        self.asked_last += 1;
        self.say(Say::Last { position, digest })
    }

    /// The mirror says whether it holds the same.
    pub(super) fn compared_last(&mut self, agrees: bool) {
        self.asked_last = self.asked_last.saturating_sub(1);
        let Last::Asked(position) = self.last else {
            // Nobody waits for it any more, and what differs is to be found all the same.
            if !agrees {
                self.begin_comparing(Haste::AtOnce);
            }
            return;
        };
        if self.asked_last > 0 {
            // It answers what was asked before.
            return;
        }
        self.last = Last::No;
        let news = match (agrees, self.is_quiet()) {
            (true, true) => News::Level { seq: position.seq },
            // Something was written although nothing should be: that goes, too.
            (true, false) => return self.order(Order::Last),
            (false, _) => {
                // What differs is found, and sent, while the POS server goes on.
                self.begin_comparing(Haste::AtOnce);
                News::NotLevel
            }
        };
        let _ = self.tell.send(news);
    }

    /// Whether all that was heard of is in the mirror.
    fn is_quiet(&mut self) -> bool {
        // Where nothing is heard, everything was looked at.
        let _ = self.moved.catch_up();
        while let Some(moved) = self.moved.next() {
            self.moved(moved);
        }
        self.is_ready() && self.dirty.is_empty() && !self.truth.is_open()
    }

    /// One proof for everything that the mirror is taken to hold.
    pub(super) fn digest(&self) -> crate::replica::Proof {
        let mut digest = Digest::default();
        for (path, known) in self.source.tree().iter() {
            digest.add(path, &known.stamp.meta, &known.body);
        }
        digest.end()
    }
}
