//! A file that only grows, record by record: what of it is whole, and what of it must be read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Range;

use super::look::{Item, Missed, Seen, Still};
use super::rules::{Number, Records, Sure};
use super::tree::{Kept, Known, Tree};
use crate::disk::read::read_full;
use crate::disk::stamp::Stamp;
use crate::replica::{BLOCK, Body, RelPath, Sum, blocks, grade};

/// A queue: where its last whole record ends, and the blocks that are read.
pub(super) struct Queue {
    pub(super) end: u64,
    pub(super) ranges: Vec<Range<u64>>,
    /// Blocks before this one that are not in the ranges are as they were.
    pub(super) from: u64,
}

/// Bytes of a queue up to which its whole prefix is read at each growth; of a longer one it is read within a minute.
pub const SHORT_QUEUE: u64 = 4 * 1024 * 1024;

/// Bytes that are read at once where records are walked through.
const PIECE: usize = 64 * 1024;

/// How the end of a queue is found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finding<'f> {
    pub(super) records: Records,
    pub(super) sure: Sure,
    pub(super) stamp: &'f Stamp,
    /// What the mirror holds of it.
    pub(super) held: Option<&'f Known>,
    /// All of it is read, also if it is long.
    pub(super) whole: bool,
}

impl Finding<'_> {
    /// Finds the commit point of `file`; none when it is no queue: a file whose name alone suggests that it is one must end in a whole
    /// line, and a known one may have grown by half a line but never be cut.
    pub(super) fn queue(self, file: &File, still: Still) -> Result<Option<Queue>, Missed> {
        let size = self.stamp.size;
        if size == 0 {
            return Ok(None);
        }
        let known = self.held.filter(|known| known.kept == Kept::Queue && known.stamp.inode == self.stamp.inode);
        let known = match known.map(|known| (known, known.body.size())) {
            // It may have been cut off and written anew, and be longer than before: then nothing of it is known.
            Some((known, end)) if end <= size => {
                // What is counted in the first block changes that with each record.
                let first = u64::from(self.count() == Some(0) && end >= 2 * BLOCK as u64);
                Some(if is_alike(file, &known.body, first, end)? { end } else { 0 })
            }
            Some((_, end)) => Some(end).filter(|_| self.sure == Sure::Guessed),
            None => None,
        };
        let is_long = size > SHORT_QUEUE && !self.whole;
        // What is read as a whole may be written anew behind its first block: that a record ends where one did is not known then.
        let mut begun = known.filter(|_| is_long).unwrap_or(0);
        let end = match self.records {
            Records::Lines => lines(file, size, (known, begun), self.sure)?,
            Records::Fixed(fixed) => Some(size / fixed * fixed),
            Records::Prefix(number) => Some(walked(file, size, begun, number)?),
            Records::Counted { at, first, fixed } => match counted(file, (at, first, fixed))? {
                end if end <= size => {
                    // Where there are fewer it was begun anew.
                    begun = if end < begun { 0 } else { begun };
                    Some(end)
                }
                // It counts a record that is not there yet. Where it never holds still it is a file like any other.
                _ if still == Still::NeedNot => None,
                _ => return Err(Missed::Moved),
            },
        };
        let Some(end) = end else { return Ok(None) };
        let from = begun.min(end) / BLOCK as u64;
        let mut ranges = vec![from..blocks::count(end)];
        if let Records::Counted { at, .. } = self.records
            && at / (BLOCK as u64) < from
        {
            // The count itself is no record, and is written over each time.
            let block = at / BLOCK as u64;
            ranges.insert(0, block..((at + 3) / BLOCK as u64 + 1).min(from));
        }
        Ok(Some(Queue { end, ranges, from }))
    }

    /// The block in which its records are counted.
    pub(super) fn count(self) -> Option<u64> {
        match self.records {
            Records::Counted { at, .. } => Some(at / BLOCK as u64),
            Records::Lines | Records::Fixed(_) | Records::Prefix(_) => None,
        }
    }

    /// Whether the queue still ends where it was found to: a count may have gone up while the records were read.
    pub(super) fn still_ends(self, file: &File, end: u64) -> io::Result<bool> {
        match self.records {
            Records::Counted { at, first, fixed } => Ok(counted(file, (at, first, fixed))? == end),
            Records::Lines | Records::Fixed(_) | Records::Prefix(_) => Ok(true),
        }
    }
}

/// Whether the block `number` of `file` is what the mirror holds of it, of `end` bytes in all.
fn is_alike(file: &File, held: &Body, number: u64, end: u64) -> io::Result<bool> {
    let Body::File { blocks, .. } = held else { return Ok(false) };
    let at = number * BLOCK as u64;
    let mut bytes = vec![0; usize::try_from(end - at).map_or(BLOCK, |rest| rest.min(BLOCK))];
    let got = read_full(file, &mut bytes, at)?;
    Ok(got == bytes.len() && blocks.get(number) == Sum::of(&bytes).as_ref())
}

/// Where the last whole line ends; one ends at `begun`. A file that is only guessed to be a queue is none any more where a known line
/// of it is gone.
fn lines(file: &File, size: u64, (known, begun): (Option<u64>, u64), sure: Sure) -> io::Result<Option<u64>> {
    let least = match (known, sure) {
        (Some(end), _) if end <= size => begun,
        (Some(_), _) => return Ok(None),
        (None, Sure::Said) => 0,
        (None, Sure::Guessed) => size - 1,
    };
    let is_one = |end: u64| sure == Sure::Said || known.is_some_and(|known| known <= end);
    let mut end = size;
    while end > least {
        let from = end.saturating_sub(PIECE as u64).max(least);
        let mut tail = vec![0; usize::try_from(end - from).map_err(io::Error::other)?];
        if read_full(file, &mut tail, from)? < tail.len() {
            return Ok(None);
        }
        let line_end = grade::last_line_end(&tail) as u64;
        if line_end > 0 {
            return Ok(Some(from + line_end).filter(|end| known.is_none() || is_one(*end)));
        }
        end = from;
    }
    // What holds no line is a file like any other, unless somebody said what it is.
    Ok(Some(least).filter(|end| is_one(*end) && (*end > 0 || sure == Sure::Said)))
}

/// Where the last whole record ends, from one to the next: each begins with the length of the rest. Where that is nothing, or more than
/// there is, nothing whole follows.
fn walked(file: &File, size: u64, from: u64, number: Number) -> io::Result<u64> {
    let mut at = from;
    let mut piece: (u64, Vec<u8>) = (from, vec![]);
    loop {
        let head = |piece: &(u64, Vec<u8>)| {
            let behind = usize::try_from(at.checked_sub(piece.0)?).ok()?;
            number.read(piece.1.get(behind..)?)
        };
        if head(&piece).is_none() {
            let mut bytes = vec![0; PIECE];
            let got = read_full(file, &mut bytes, at)?;
            bytes.truncate(got);
            piece = (at, bytes);
        }
        let Some(length) = head(&piece) else { return Ok(at) };
        let end = at + number.bytes as u64 + length;
        if length == 0 || end > size {
            return Ok(at);
        }
        at = end;
    }
}

/// Where the last record ends that is counted in the file.
fn counted(file: &File, (at, first, fixed): (u64, u64, u64)) -> io::Result<u64> {
    let mut count = [0; 4];
    if read_full(file, &mut count, at)? < count.len() {
        return Ok(u64::MAX);
    }
    Ok(first + u64::from(u32::from_le_bytes(count)) * fixed)
}

/// Whether a file that nobody knows is a queue all of whose records are whole.
pub(super) fn is_whole_queue(file: &File, queue: Option<(Records, Sure)>, stamp: &Stamp) -> bool {
    queue.is_some_and(|(records, sure)| {
        let finding = Finding { records, sure, stamp, held: None, whole: true };
        matches!(finding.queue(file, Still::NeedNot), Ok(Some(queue)) if queue.end == stamp.size)
    })
}

/// Whether nothing happened but that `queue` grew.
pub(super) fn only_grew(queue: &RelPath, items: &BTreeMap<RelPath, Item>, tree: &Tree) -> bool {
    items.len() == 1
        && match (items.get(queue).map(|item| &item.seen), tree.get(queue)) {
            (Some(Seen::File(seen)), Some(Known { body: Body::File { .. }, kept: Kept::Queue, .. })) => {
                seen.base.as_ref() == Some(queue) && seen.added_to.is_some()
            }
            _ => false,
        }
}
