//! The first copy: everything is read once and goes straight out, without a spool. It is not one instant; what moved
//! meanwhile is captured behind it, and only then the generation ends.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;

use bytes::Bytes;

use super::candidates::Dirty;
use super::look::is_calm;
use super::outgoing::{CHUNK, Outgoing, Stopped};
use super::queue::is_whole_queue;
use super::rules::Sure;
use super::sqlite::{self, names};
use super::tree::{Kept, Known};
use super::{Source, SourceError};
use crate::disk::read::{Stride, bytes_of, now_holes, read_full, stored, stretches};
use crate::disk::round::{ROOM, Round};
use crate::disk::stamp::{Shape, Stamp};
use crate::disk::walk::{Found, walk};
use crate::replica::{BLOCK, Blocks, Body, RelPath, Sum, blocks, part::Content};

/// Why a first copy could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The way.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Why a file could not be streamed.
enum FileBroken {
    Read,
    Stopped(Stopped),
}

impl From<io::Error> for FileBroken {
    fn from(_: io::Error) -> Self {
        Self::Read
    }
}

impl Source {
    /// Says everything that differs from what the mirror holds, but for links and names of one file: those are left, with all
    /// that moved meanwhile, to the pass behind. Returns what that has to look at.
    pub fn stream(&mut self, out: &mut Outgoing<'_>) -> Result<Dirty, Broken> {
        let mut again = Dirty { everything: true, ..Dirty::default() };
        let mark = self.tree.begin_walk();
        let (mut dirs, mut files, mut closed) = (vec![], vec![], BTreeSet::new());
        let walked = walk(&self.root, &RelPath::root(), &|path| self.exclude.takes(path), &mut |found| match found {
            Found::Entry(path, stamp) => {
                self.tree.saw(&path, mark);
                match stamp.shape {
                    Shape::Dir => dirs.push((path, stamp)),
                    // What `stat` says is asked again when its turn comes: it would take more room than the name.
                    Shape::File if stamp.links == 1 => files.push(path),
                    Shape::File | Shape::Symlink | Shape::Special => {}
                }
            }
            Found::Unreadable(path, _) => closed.extend([path.parent(), path]),
            Found::Loop(path) => closed.extend([path]),
        });
        walked.map_err(|error| self.gone(error))?;
        // A folder that cannot be listed hides what is not gone.
        if closed.is_empty() {
            self.stream_gone(mark, out)?;
        }
        for (path, stamp) in dirs.into_iter().filter(|(path, _)| path.is_root() || !closed.contains(path)) {
            self.stream_dir(&path, stamp, out)?;
        }
        files.sort_unstable();
        let round = Round::default();
        for path in files {
            let stamp = self.root.stat(&path).ok().flatten();
            let Some(stamp) = stamp.filter(|stamp| stamp.shape == Shape::File && stamp.links == 1) else { continue };
            let is_database = |path: &RelPath| sqlite::is_database(&self.root, &self.rules, path).unwrap_or(false);
            if names::owner(&path).is_some_and(|base| is_database(&base)) {
                // It belongs to one state with the database, which nobody knows before that is looked at as a whole.
                again.paths.insert(path);
                continue;
            }
            let is_said_queue = matches!(self.rules.queue(&path), Some((_, Sure::Said)));
            if !is_calm(&stamp) || is_said_queue || is_database(&path) {
                // Whoever writes within the tick of its stamp does not show in it; half a record or a commit must not stay.
                again.unsure.insert(path.clone());
            }
            match self.stream_file(&path, stamp, &round, out) {
                // Whatever it was: the pass behind meets it again, and reports it.
                Ok(()) | Err(FileBroken::Read) => {}
                Err(FileBroken::Stopped(stopped)) => return Err(stopped.into()),
            }
        }
        Ok(again)
    }

    fn stream_gone(&mut self, mark: u32, out: &mut Outgoing<'_>) -> Result<(), Stopped> {
        let gone: Vec<RelPath> =
            self.tree.iter().filter(|(_, known)| known.seen != mark).map(|(path, _)| path.clone()).collect();
        for path in gone.iter().rev() {
            out.gone(path)?;
            self.tree.remove(path);
        }
        Ok(())
    }

    fn stream_dir(&mut self, path: &RelPath, stamp: Stamp, out: &mut Outgoing<'_>) -> Result<(), Stopped> {
        let held = self.tree.get(path);
        if held.is_none_or(|known| known.body != Body::Dir || known.stamp.meta != stamp.meta) {
            out.put(path, stamp.meta, Content::Dir)?;
        }
        self.tree.insert(
            path.clone(),
            Known { stamp, body: Body::Dir, kept: Kept::Whole, young: false, seen: self.tree.mark() },
        );
        Ok(())
    }

    /// Streams one file. Where it did not hold still, its stamp shows it to the pass behind.
    fn stream_file(
        &mut self,
        path: &RelPath,
        stamp: Stamp,
        round: &Round,
        out: &mut Outgoing<'_>,
    ) -> Result<(), FileBroken> {
        let file = self.root.open_file(path)?;
        let was_file = self.tree.get(path).is_some_and(|known| known.body.is_file());
        let known = self.tree.take_blocks(path);
        let ranges = stored(&file, stamp.size, stamp.is_sparse())?;
        // What the mirror holds of an interrupted copy need not come again; a file it does not hold is sent as it is read.
        let bytes = if known.is_empty() { ranges.iter().map(|r| (r.end - r.start) * BLOCK as u64).sum() } else { 0 };
        let base = was_file.then(|| path.clone());
        let content = Content::File { size: stamp.size, base, bytes: stamp.size.min(bytes) };
        out.put(path, stamp.meta, content).map_err(FileBroken::Stopped)?;
        // What was said must be known as said, even where the file could not be read to its end.
        let (blocks, result) = send_blocks(&file, &stamp, &ranges, &known, round, out);
        let body = Body::File { size: stamp.size, blocks };
        let is_queue = is_whole_queue(&file, self.rules.queue(path), &stamp);
        // What could not be read to its end is looked at again, though its stamp stays, and all of it.
        let young = result.is_err();
        let kept = if is_queue && !young { Kept::Queue } else { Kept::Whole };
        self.tree.insert(path.clone(), Known { stamp, body, kept, young, seen: self.tree.mark() });
        result
    }
}

/// How a file is read while it is sent: all that is read waits in memory to be sent.
const STREAM: Stride = Stride { stretch: 16, ahead: 8 };

/// What of a stretch the mirror does not hold.
#[derive(Default)]
struct News {
    /// Neighbouring blocks with content: where they begin, their sums, their bytes.
    runs: Vec<(u64, Vec<Sum>, Bytes)>,
    /// Blocks that are zeros.
    zeros: Vec<u64>,
}

impl News {
    /// What of the blocks from `first` on is not as `known`.
    fn of(first: u64, bytes: &Bytes, known: &Blocks) -> Self {
        let mut news = Self::default();
        let mut run: Option<(u64, Vec<Sum>)> = None;
        let at =
            |index: u64| usize::try_from(index - first).unwrap_or(usize::MAX).saturating_mul(BLOCK).min(bytes.len());
        let end = |run: &mut Option<(u64, Vec<Sum>)>, runs: &mut Vec<_>| {
            if let Some((from, sums)) = run.take() {
                let bytes = bytes.slice(at(from)..at(from + sums.len() as u64));
                runs.push((from, sums, bytes));
            }
        };
        for (index, block) in (first..).zip(bytes.chunks(BLOCK)) {
            match Sum::of(block) {
                Some(sum) if known.get(index) != Some(&sum) => run.get_or_insert_with(|| (index, vec![])).1.push(sum),
                sum => {
                    end(&mut run, &mut news.runs);
                    if sum.is_none() && known.get(index).is_some() {
                        news.zeros.push(index);
                    }
                }
            }
        }
        end(&mut run, &mut news.runs);
        news
    }
}

fn send_blocks(
    file: &std::fs::File,
    stamp: &Stamp,
    ranges: &[Range<u64>],
    known: &Blocks,
    round: &Round,
    out: &mut Outgoing<'_>,
) -> (Blocks, Result<(), FileBroken>) {
    let count = blocks::count(stamp.size);
    let mut blocks = known.clone();
    blocks.truncate(count);
    let mut zeros: Vec<u64> = now_holes(known, ranges, count).collect();
    let look = |range: Range<u64>| {
        let (from, wanted) = bytes_of(&range, stamp.size)?;
        // What was just read is in the cache of who hashes it.
        let bytes = round.fill(wanted, |room| read_full(file, room, from))?;
        Ok((bytes.len() as u64, News::of(range.start, &bytes, known)))
    };
    let result = stretches(ranges, STREAM, &look, &mut |news: News| {
        zeros.extend(&news.zeros);
        for (first, sums, bytes) in news.runs {
            for (index, sum) in (first..).zip(&sums) {
                blocks.set(index, Some(*sum));
            }
            out.data(first * BLOCK as u64, &sums, bytes).map_err(FileBroken::Stopped)?;
        }
        Ok(())
    });
    let result = result.and_then(|_| {
        zeros.sort_unstable();
        for &index in &zeros {
            blocks.set(index, None);
        }
        out.zeros(&zeros).map_err(FileBroken::Stopped)
    });
    blocks.shrink();
    (blocks, result)
}

// A stretch is read into one buffer, and sent as one piece at the most.
const _: () = assert!(STREAM.stretch * BLOCK <= ROOM && ROOM <= CHUNK);
