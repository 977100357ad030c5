//! Generations that are acknowledged and not yet applied.
//!
//! One file, written from its beginning and begun anew whenever all in it is applied, so that it mostly overwrites itself.
//! What stands behind its end is of the past: each generation names the one before it, and its end carries the checksum of
//! the whole history, so that the past is never taken for the present.

use std::path::Path;

use super::records::{Reader, Records};
use crate::disk::error::DiskError;
use crate::replica::part::{End, Part};
use crate::replica::position::Rolling;
use crate::replica::{Begin, Position};

/// Bytes of acknowledged generations that may wait to be applied. Beyond them nothing more is acknowledged.
pub const UNAPPLIED: u64 = 64 * 1024 * 1024;

/// Bytes of the file that are kept when it begins anew.
const KEEP: u64 = 4 * 1024 * 1024;

/// The redo of a mirror, for who writes it.
#[derive(Debug)]
pub struct Redo {
    records: Records,
    /// Where the generation that is being written began.
    began: u64,
}

/// A generation in the redo.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// Where its first record stands.
    pub from: u64,
    /// Where its last record ends.
    pub to: u64,
    /// What it began with.
    pub begin: Begin,
    /// What it ended with.
    pub end: End,
}

impl Redo {
    /// Opens the redo at `path`; writing goes on at `end`, in bytes.
    pub fn open(path: &Path, end: u64) -> Result<Self, DiskError> {
        Ok(Self { records: Records::open(path, end)?, began: end })
    }

    /// Another handle for reading.
    pub fn reader(&self) -> Result<Reader, DiskError> {
        self.records.reader()
    }

    /// Bytes that are in it.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.records.end()
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins a generation.
    pub fn begin(&mut self) {
        self.began = self.records.end();
    }

    /// Adds a part of it, as it travelled.
    pub fn append(&mut self, part: &[u8]) -> Result<(), DiskError> {
        self.records.append(part)
    }

    /// Makes it durable. Returns where it stands.
    pub fn commit(&mut self, begin: Begin, end: End) -> Result<Stored, DiskError> {
        self.records.sync()?;
        Ok(Stored { from: self.began, to: self.records.end(), begin, end })
    }

    /// Forgets the generation that is being written.
    pub fn give_up(&mut self) -> Result<(), DiskError> {
        self.records.cut(self.began)
    }

    /// Everything in it is applied: it begins anew.
    pub fn rewind(&mut self) -> Result<(), DiskError> {
        self.began = 0;
        self.records.rewind(KEEP)
    }
}

/// The generations in the redo at `path` that lead on from `position`, as far as they are complete and of no epoch before
/// `epoch`.
pub fn recover(path: &Path, position: Position, epoch: u64) -> Result<Vec<Stored>, DiskError> {
    let reader = Reader::open(path)?;
    let mut found: Vec<Stored> = vec![];
    let mut at = 0;
    while let Some(stored) = read_generation(&reader, at)? {
        at = stored.to;
        // What is applied already may still stand before what is not.
        let after = found.last().map_or(position, |last| last.end.position);
        if stored.begin.parent == after && stored.begin.epoch >= epoch {
            found.push(stored);
        } else if stored.end.position.seq > after.seq {
            break;
        }
    }
    Ok(found)
}

/// The complete generation that begins at `from`, if there is one.
fn read_generation(reader: &Reader, from: u64) -> Result<Option<Stored>, DiskError> {
    let mut at = from;
    let mut open: Option<(Begin, Rolling)> = None;
    while let Some((bytes, next)) = reader.read(at)? {
        at = next;
        let Ok(part) = Part::decode(&bytes) else { return Ok(None) };
        match (part, &mut open) {
            (Part::Begin(begin), None) => {
                let mut rolling = begin.parent.checksum.roll();
                Part::Begin(begin.clone()).feed(&mut rolling)?;
                open = Some((begin, rolling));
            }
            (Part::End(end), Some((begin, rolling))) => {
                let position = Position { seq: begin.parent.seq + 1, checksum: rolling.end() };
                let complete = position == end.position;
                return Ok(complete.then(|| Stored { from, to: at, begin: begin.clone(), end }));
            }
            (Part::Begin(_), Some(_)) | (_, None) => return Ok(None),
            (part, Some((_, rolling))) => part.feed(rolling)?,
        }
    }
    Ok(None)
}
