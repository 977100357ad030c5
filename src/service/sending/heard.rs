//! What the mirror says to the serving half.

use tokio::time::Instant;

use super::tell::Behind;
use super::{Ended, Flight, RETRY, Sending};
use crate::disk::capture::candidates::Trust;
use crate::link::Welcome;
use crate::link::frame::{Holding, ToSource};
use crate::replica::{Blocks, Body, Entry, Meta, Position, RelPath, Sum};
use crate::service::haste::Haste;

/// How far the half is in learning what the mirror holds.
#[derive(Debug, Default)]
pub(super) struct Learning {
    stage: Stage,
    open: Option<(RelPath, Meta, Holding, Blocks)>,
    /// What the mirror holds was known, and what was sent since.
    known: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Stage {
    #[default]
    NotWelcome,
    Listening {
        committed: bool,
        /// Nothing new will be said.
        known: bool,
    },
    FirstCopy,
    Done,
}

impl Learning {
    /// Whether all is known, and changes can be sent.
    #[must_use]
    pub(super) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// Whether all is known, and a first copy must be made.
    #[must_use]
    pub(super) fn is_first_copy(&self) -> bool {
        self.stage == Stage::FirstCopy
    }

    /// The link is gone. What is known stays known.
    pub(super) fn unlink(&mut self) {
        self.known |= self.stage == Stage::Done;
        self.stage = Stage::NotWelcome;
        self.open = None;
    }

    /// Whether all was known when the last link went.
    #[must_use]
    pub(super) fn knows_all(&self) -> bool {
        self.known
    }

    /// The mirror is to say anew what it holds.
    pub(super) fn begin_again(&mut self) {
        self.stage = Stage::NotWelcome;
    }

    /// The first copy was sent.
    pub(super) fn first_copy_sent(&mut self) {
        self.stage = Stage::Done;
    }
}

impl Sending {
    /// Takes in a frame.
    pub(super) fn heard(&mut self, frame: &bytes::Bytes) -> Result<(), Ended> {
        let frame = ToSource::decode(frame).map_err(|bad| Ended::Strange(bad.to_string()))?;
        if matches!(frame, ToSource::Holds { .. } | ToSource::Sums { .. } | ToSource::HoldsNot(_)) {
            self.truth.goes_on();
        }
        match frame {
            ToSource::Welcome(welcome) => self.welcome(&welcome)?,
            ToSource::Holds { path, meta, what } => {
                self.close();
                self.learning.open = Some((path, meta, what, Blocks::default()));
            }
            ToSource::Sums { first, sums } => self.sums(first, sums),
            ToSource::HoldsNot(path) => {
                self.close();
                self.truth.say(path, None);
            }
            ToSource::ThatIsAll => {
                self.that_is_all();
                self.tell()?;
            }
            ToSource::Observed(position) => {
                self.close();
                self.observed(position);
            }
            ToSource::Ack(position) => self.acknowledged(position)?,
            ToSource::Refused { seq } => self.refused(seq),
            ToSource::TellStart { served } => self.tell_start(served)?,
            ToSource::Prove => self.begin_comparing(Haste::AtOnce),
            ToSource::Unsteady => self.source.learn_unsteady(),
            ToSource::Scrub => self.begin_comparing(Haste::Beside),
            ToSource::ComparedLast { agrees } => self.compared_last(agrees),
            ToSource::AcceptRemovals => {
                self.source.guard().accept_removals();
                self.not_before = Instant::now();
            }
            ToSource::AcceptOlder => {
                self.source.guard().accept_older();
                self.not_before = Instant::now();
            }
            ToSource::AcceptEmptied => {
                let meant: Vec<RelPath> = self.source.guard().emptied().cloned().collect();
                self.source.guard().accept_emptied();
                self.dirty.paths.extend(meant);
                self.not_before = Instant::now();
            }
        }
        Ok(())
    }

    fn welcome(&mut self, welcome: &Welcome) -> Result<(), Ended> {
        let spoken = self.port.spoken();
        if welcome.protocol != spoken {
            let what = format!("it speaks version {}, this side version {spoken}", welcome.protocol);
            return Err(Ended::Strange(what));
        }
        if welcome.epoch > self.settings.epoch {
            let what = format!("it has seen epoch {}, this side serves in {}", welcome.epoch, self.settings.epoch);
            return Err(Ended::Strange(what));
        }
        let unanswered = self.unanswered.take();
        let known = welcome.known && self.learning.known;
        if known {
            self.arrived_or_not(unanswered, welcome.position)?;
        } else {
            if let Some(Flight { captured: Some(captured), .. }) = unanswered {
                self.dirty.join(captured.again());
            }
            self.source.unlearn(if welcome.committed { Trust::Stamps } else { Trust::Nothing });
        }
        self.position = welcome.position;
        self.learning.known = false;
        self.learning.stage = Stage::Listening { committed: welcome.committed, known };
        Ok(())
    }

    /// The mirror is at `position`: so what was on its way when the link went has arrived, or it has not and is sent again.
    fn arrived_or_not(&mut self, unanswered: Option<Flight>, position: Position) -> Result<(), Ended> {
        match unanswered {
            Some(Flight { end, captured: Some(captured), .. }) if end.position == position => {
                self.source.commit(captured);
                Ok(())
            }
            _ if position != self.position => {
                Err(Ended::Strange(format!("it is at {position}, which this side was not asked to know")))
            }
            Some(Flight { captured: Some(captured), .. }) => {
                self.dirty.join(captured.again());
                Ok(())
            }
            Some(Flight { captured: None, .. }) | None => Ok(()),
        }
    }

    fn sums(&mut self, first: u64, sums: Vec<Sum>) {
        if let Some((.., blocks)) = &mut self.learning.open {
            for (number, sum) in (first..).zip(sums) {
                blocks.set(number, Some(sum));
            }
        }
    }

    /// Takes in the entry that was being said.
    fn close(&mut self) {
        let Some((path, meta, what, mut blocks)) = self.learning.open.take() else { return };
        blocks.shrink();
        let body = match what {
            Holding::File(size) => Body::File { size, blocks },
            Holding::Dir => Body::Dir,
            Holding::Symlink(target) => Body::Symlink { target: target.into() },
            Holding::Link(to) => Body::Link { to },
        };
        let entry = Entry { meta, body };
        if matches!(self.learning.stage, Stage::Listening { .. }) {
            self.source.learn(path, Some(entry));
        } else {
            self.truth.say(path, Some(entry));
        }
    }

    fn that_is_all(&mut self) {
        self.close();
        if let Stage::Listening { committed, known } = self.learning.stage {
            self.learning.stage = if committed { Stage::Done } else { Stage::FirstCopy };
            self.dirty.everything |= !known;
            self.not_before = Instant::now();
        }
    }

    fn acknowledged(&mut self, position: Position) -> Result<(), Ended> {
        let Some(flight) = self.flight.take_if(|flight| flight.end.position == position) else {
            return Err(Ended::Strange(format!("it acknowledges {position}, which was not sent")));
        };
        self.position = position;
        if let Some(comparison) = &mut self.comparison {
            comparison.acknowledged();
        }
        if let Some(captured) = flight.captured {
            self.source.commit(captured);
        }
        // What is still dirty has changed since this was taken.
        self.behind = self.behind.map(|_| Behind { since: flight.began, bytes: 0, files: 0 });
        self.tell()
    }

    fn refused(&mut self, seq: u64) {
        let Some(flight) = self.flight.take_if(|flight| flight.end.position.seq == seq) else { return };
        match flight.captured {
            Some(captured) => self.dirty.join(captured.again()),
            None => self.learning.begin_again(),
        }
        self.not_before = Instant::now() + RETRY;
    }
}
