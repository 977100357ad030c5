//! Finds what of a file differs from what the mirror holds, and keeps it.

use std::fs::File;
use std::io;
use std::ops::Range;

use bytes::Bytes;
use tokio::time::Instant;

use super::look::{FileSeen, Missed, Run, Still, same};
use super::tree::Known;
use crate::disk::read::{now_holes, scan};
use crate::disk::spool::Spool;
use crate::disk::stamp::Stamp;
use crate::replica::{BLOCK, Blocks, Body, Sum, blocks, part::MAX_DATA};

/// Joins neighbouring blocks to runs of up to [`MAX_DATA`].
struct Gather<'s> {
    spool: &'s mut Spool,
    open: Option<(u64, Vec<Sum>, Vec<u8>)>,
}

impl Gather<'_> {
    fn add(&mut self, runs: &mut Vec<Run>, offset: u64, sum: Sum, bytes: &[u8]) -> io::Result<()> {
        let joins = |(from, _, held): &(u64, Vec<Sum>, Vec<u8>)| {
            from + held.len() as u64 == offset
                && held.len() + bytes.len() <= MAX_DATA
                && offset.is_multiple_of(BLOCK as u64)
        };
        if !self.open.as_ref().is_some_and(joins) {
            self.close(runs)?;
        }
        let (_, sums, held) = self.open.get_or_insert_with(|| (offset, vec![], vec![]));
        sums.push(sum);
        held.extend_from_slice(bytes);
        Ok(())
    }

    fn close(&mut self, runs: &mut Vec<Run>) -> io::Result<()> {
        if let Some((offset, sums, bytes)) = self.open.take() {
            runs.push(Run { offset, sums, piece: self.spool.keep(&bytes)? });
        }
        Ok(())
    }
}

/// Blocks that are read before it is looked whether the file still is what it was.
const BETWEEN: usize = 1024;

/// What of a file is read.
pub(super) struct Scope {
    /// These blocks.
    pub(super) ranges: Vec<Range<u64>>,
    /// What is not in them from this block on is known to be zeros.
    pub(super) holes_from: u64,
}

/// Compares what `scope` names of `file` with what is `held`, and keeps what differs; before `until`, if that is said.
pub(super) fn compare(
    file: &File,
    (stamp, still): (&Stamp, Still),
    seen: &mut FileSeen,
    scope: &Scope,
    held: Option<&Known>,
    spool: &mut Spool,
    until: Option<Instant>,
) -> Result<u64, Missed> {
    let mut gather = Gather { spool, open: None };
    let empty = Blocks::default();
    let (known, old_size) = blocks_of(held).unwrap_or((&empty, 0));
    let (count, Scope { ranges, holes_from }) = (blocks::count(seen.size), scope);
    let judge =
        |index: u64, bytes: &[u8]| judge(known.get(index), bytes, old_size.saturating_sub(index * BLOCK as u64));
    let mut take = |index: u64, change| match change {
        Change::Zeros => {
            seen.zeros.push(index);
            Ok(())
        }
        Change::Bytes { sum, skip, bytes } => {
            gather.add(&mut seen.runs, index * BLOCK as u64 + skip, sum, &bytes).map_err(Missed::Spool)
        }
    };
    let mut read = 0;
    for range in ranges {
        for from in (range.start..range.end).step_by(BETWEEN) {
            let part = from..range.end.min(from + BETWEEN as u64);
            read += scan(file, seen.size, &[part], &judge, &mut take)?;
            // Whoever writes on need not be read to the end.
            same(file, stamp, still)?;
            if until.is_some_and(|until| Instant::now() > until) {
                return Err(Missed::Moved);
            }
        }
    }
    gather.close(&mut seen.runs).map_err(Missed::Spool)?;
    // What lies in a hole now and held something before.
    seen.zeros.extend(now_holes(known, ranges, count).filter(|index| index >= holes_from));
    seen.zeros.sort_unstable();
    Ok(read)
}

pub(super) fn blocks_of(held: Option<&Known>) -> Option<(&Blocks, u64)> {
    match &held?.body {
        Body::File { size, blocks } => Some((blocks, *size)),
        Body::Dir | Body::Symlink { .. } | Body::Link { .. } => None,
    }
}

enum Change {
    Zeros,
    Bytes { sum: Sum, skip: u64, bytes: Bytes },
}

/// Compares a block with what is known of it. `old_len` is where the file ended before, counted from this block: where it
/// only grew, only what is new travels.
fn judge(known: Option<&Sum>, bytes: &[u8], old_len: u64) -> Option<Change> {
    if blocks::is_zero(bytes) {
        return known.map(|_| Change::Zeros);
    }
    let find = blocks::find(bytes);
    if known.is_some_and(|known| known.find == find) {
        return None;
    }
    let sum = Sum { find, proof: blocks::prove(bytes) };
    let kept = usize::try_from(old_len).ok().filter(|&old| old > 0 && old < bytes.len() && old < BLOCK);
    let skip = kept.filter(|&old| known.is_some_and(|known| known.find == blocks::find(&bytes[..old]))).unwrap_or(0);
    Some(Change::Bytes { sum, skip: skip as u64, bytes: Bytes::copy_from_slice(&bytes[skip..]) })
}
