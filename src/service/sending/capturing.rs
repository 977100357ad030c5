//! One generation: captured, and sent.

use std::time::Duration;

use tokio::time::Instant;

use super::tell::{Behind, send_part};
use super::{Ended, Flight, RESCAN_SHARE, RETRY, Sending};
use crate::disk::capture::outgoing::{self, Outgoing, Stopped};
use crate::disk::capture::settle::Moves;
use crate::disk::capture::{Captured, LITTLE, Outcome, Stop};
use crate::replica::{End, Part, RelPath};

/// What was looked at for so long was no little work.
const LONG: Duration = Duration::from_millis(100);

/// Files that are named in a question, at the most.
const NAMED: usize = 100;

impl Sending {
    pub(super) fn capture(&mut self) -> Result<(), Ended> {
        let began = Instant::now();
        self.tell_behind()?;
        let mut dirty = std::mem::take(&mut self.dirty);
        // Who writes through memory is heard by nobody: what belongs to this change may stand there already.
        let is_little = self.source.is_little(&dirty) && !self.is_mapped();
        if !is_little {
            dirty.unsure.extend(self.mapped.iter().cloned());
        }
        let closed: Vec<RelPath> = self.source.unreadable().keys().cloned().collect();
        let (everything, doubtful, moved) = (dirty.everything, dirty.unsure.clone(), &mut self.moved);
        let outcome = self.source.capture(dirty, Moves::Follow, &mut |gap| moved.wait(gap));
        let spent = began.elapsed();
        // Also where nothing came of it.
        let (read, worked) = self.source.worked();
        // Of what could not be read to its end nobody knows how much was. What waits for nobody makes no debt either, however slow the
        // machine: all else would wait for that.
        if if is_little { read > LITTLE } else { read > 1024 * 1024 || worked > LONG } {
            self.budget.spend(worked, Instant::now());
        }
        if everything && self.told.rescans_ms.is_some() {
            // A slow disk is not looked through all the time.
            self.next_rescan = Instant::now() + self.rescan.max(spent * RESCAN_SHARE);
        }
        match outcome {
            Ok(outcome) => {
                if self.told.error.take().is_some() || self.watched != self.source.inode() {
                    self.begin_to_watch();
                    self.dirty.everything = true;
                }
                for opened in closed.iter().filter(|path| !self.source.unreadable().contains_key(path)) {
                    self.dirty.everything |= self.moved.also(opened);
                }
                self.outcome(outcome, spent)
            }
            Err(error) => {
                self.told.error = Some(error.to_string());
                self.dirty.everything = true;
                self.dirty.unsure.extend(doubtful);
                self.not_before = Instant::now() + RETRY;
                self.tell()
            }
        }
    }

    fn outcome(&mut self, outcome: Outcome, spent: Duration) -> Result<(), Ended> {
        if !matches!(outcome, Outcome::Stopped { .. } | Outcome::Wait { .. }) {
            self.told.removals = None;
            self.told.older.clear();
        }
        match outcome {
            Outcome::Nothing => {}
            Outcome::Wait { until, dirty } => {
                self.dirty.join(dirty);
                self.not_before = until;
            }
            Outcome::Stopped { why, dirty } => {
                match why {
                    Stop::Removals(removals) => self.told.removals = Some((removals.gone, removals.of)),
                    Stop::Older(files) => self.told.older = files.iter().take(NAMED).map(ToString::to_string).collect(),
                }
                self.dirty.join(dirty);
                self.not_before = Instant::now() + self.settings.interval;
            }
            Outcome::Captured(captured) => {
                self.dirty.join(captured.dirty.clone());
                if !captured.is_empty() {
                    self.send(captured, Instant::now().checked_sub(spent).unwrap_or_else(Instant::now))?;
                }
            }
        }
        self.tell()
    }

    fn send(&mut self, captured: Captured, began: Instant) -> Result<(), Ended> {
        match self.say_captured(&captured, began) {
            Ok(end) => {
                self.flight = Some(Flight { end, captured: Some(captured), began });
                Ok(())
            }
            Err(ended) => {
                // It did not travel to its end: what it held is looked at again.
                self.dirty.join(captured.again());
                Err(ended)
            }
        }
    }

    fn say_captured(&mut self, captured: &Captured, began: Instant) -> Result<End, Ended> {
        let grade = self.source.grade_with(captured);
        let begin = outgoing::step(self.settings.epoch, self.position, captured);
        let since = self.behind.map_or(began, |behind| behind.since);
        self.say_behind(Some(Behind { since, bytes: begin.bytes, files: u64::from(begin.files) }))?;
        let Some(link) = self.port.out().cloned() else { return Err(Ended::Closed) };
        let mut out = |part: Part| send_part(&link, &part);
        let sent = Outgoing::begin(begin, &mut out).and_then(|mut out| {
            out.captured(captured)?;
            out.end(grade)
        });
        sent.map_err(|stopped| match stopped {
            Stopped::Closed | Stopped::Refused => Ended::Closed,
            Stopped::Spool(error) => Ended::System(error),
        })
    }
}
