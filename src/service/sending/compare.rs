//! Comparing every byte of the source with what the mirror is taken to hold.

use super::{Ended, Sending};
use crate::disk::capture::candidates::Dirty;
use crate::disk::capture::prove::Cursor;
use crate::link::frame::Say;

/// A comparison that goes on.
#[derive(Debug)]
pub(super) struct Comparison {
    /// Where it goes on; none when all is read and only the proof is left.
    cursor: Option<Cursor>,
    files: u64,
    bytes: u64,
    differed: u64,
    /// Generations that were acknowledged since all was read.
    acknowledged: u32,
}

/// Generations after which what was found is in the mirror, also where more moves all the time.
const ENOUGH: u32 = 2;

impl Comparison {
    /// Whether something can be done for it now, given whether anything is still to be captured.
    #[must_use]
    pub(super) fn can_go_on(&self, dirty: &Dirty) -> bool {
        // What was found must be in the mirror before the proof is said.
        self.cursor.is_some() || dirty.is_empty() || self.acknowledged >= ENOUGH
    }

    /// A generation was acknowledged.
    pub(super) fn acknowledged(&mut self) {
        self.acknowledged += u32::from(self.cursor.is_none());
    }
}

impl Sending {
    /// Begins a comparison, or begins the one that goes on anew.
    pub(super) fn begin_comparing(&mut self) {
        self.comparison =
            Some(Comparison { cursor: Some(Cursor::start()), files: 0, bytes: 0, differed: 0, acknowledged: 0 });
    }

    /// Compares the next stretch. At the end, when nothing is under way, the proof is said: it holds at that position.
    pub(super) fn go_on_comparing(&mut self) -> Result<(), Ended> {
        if !self.is_ready() {
            return Ok(());
        }
        let Some(mut comparison) = self.comparison.take_if(|comparison| comparison.can_go_on(&self.dirty)) else {
            return Ok(());
        };
        if let Some(cursor) = comparison.cursor.take() {
            let proven = self.source.prove(&cursor);
            comparison.files += proven.files;
            comparison.bytes += proven.bytes;
            comparison.differed += proven.differed.len() as u64;
            comparison.cursor = proven.next;
            self.dirty.join(proven.dirty);
            let Comparison { files, bytes, .. } = comparison;
            self.comparison = Some(comparison);
            return self.say(Say::Proving { files, bytes });
        }
        let Comparison { files, bytes, differed, .. } = comparison;
        self.say(Say::Proved { files, bytes, differed, position: self.position, digest: self.digest() })
    }
}
