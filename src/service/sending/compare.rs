//! Comparing every byte of the source with what the mirror is taken to hold.

use tokio::time::Instant;

use super::{Ended, Sending};
use crate::disk::capture::candidates::Dirty;
use crate::disk::capture::prove::Cursor;
use crate::link::frame::Say;
use crate::service::haste::Haste;

/// A comparison that goes on.
#[derive(Debug)]
pub(super) struct Comparison {
    /// Where it goes on; none when all is read and only the proof is left.
    cursor: Option<Cursor>,
    haste: Haste,
    /// It goes on then.
    not_before: Instant,
    files: u64,
    bytes: u64,
    differed: u64,
    /// Generations that were acknowledged since all was read.
    acknowledged: u32,
}

/// Generations after which what was found is in the mirror, also where more moves all the time.
const ENOUGH: u32 = 2;

impl Comparison {
    /// When something can be done for it, given whether anything is still to be captured.
    #[must_use]
    pub(super) fn goes_on(&self, dirty: &Dirty) -> Option<Instant> {
        // What was found must be in the mirror before the proof is said.
        let can = self.cursor.is_some() || dirty.is_empty() || self.acknowledged >= ENOUGH;
        can.then_some(self.not_before)
    }

    /// A generation was acknowledged.
    pub(super) fn acknowledged(&mut self) {
        self.acknowledged += u32::from(self.cursor.is_none());
    }
}

impl Sending {
    /// Begins a comparison, or begins the one that goes on anew.
    pub(super) fn begin_comparing(&mut self, haste: Haste) {
        // What is not known is compared with nothing.
        self.dirty.everything = true;
        let (cursor, not_before) = (Some(Cursor::start()), Instant::now());
        self.comparison =
            Some(Comparison { cursor, haste, not_before, files: 0, bytes: 0, differed: 0, acknowledged: 0 });
    }

    /// Compares the next stretch. At the end, when nothing is under way, the proof is said: it holds at that position.
    pub(super) fn go_on_comparing(&mut self) -> Result<(), Ended> {
        if !self.is_ready() {
            return Ok(());
        }
        let began = Instant::now();
        let is_due = |comparison: &mut Comparison| comparison.goes_on(&self.dirty).is_some_and(|at| at <= began);
        let Some(mut comparison) = self.comparison.take_if(is_due) else {
            return Ok(());
        };
        if let Some(cursor) = comparison.cursor.take() {
            let proven = self.source.prove(&cursor, comparison.haste.stretch());
            comparison.files += proven.files;
            comparison.bytes += proven.bytes;
            comparison.differed += proven.differed.len() as u64;
            comparison.cursor = proven.next;
            self.dirty.join(proven.dirty);
            comparison.not_before = Instant::now() + comparison.haste.rest(began.elapsed());
            let Comparison { files, bytes, .. } = comparison;
            self.comparison = Some(comparison);
            return self.say(Say::Proving { files, bytes });
        }
        let Comparison { files, bytes, differed, .. } = comparison;
        self.say(Say::Proved { files, bytes, differed, position: self.position, digest: self.digest() })
    }
}
