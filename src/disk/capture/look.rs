//! One look at what changed, and the second one that must agree with it.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use rustix::fs::fstat;

use super::compare::{Scope, blocks_of, compare};
use super::queue::{Finding, Queue};
use super::rules::{Records, Sure};
use super::tree::{Kept, Tree};
use crate::disk::read::{scan, stored};
use crate::disk::root::{Root, says_absent};
use crate::disk::spool::{Piece, Spool};
use crate::disk::stamp::{Shape, Stamp};
use crate::replica::{BLOCK, Blocks, RelPath, Sum, blocks};

/// What a look found under a name, as it differs from what the mirror holds.
#[derive(Debug)]
pub struct Item {
    /// What `stat` said; none when nothing is there.
    pub stamp: Option<Stamp>,
    /// What is there.
    pub seen: Seen,
}

/// What is there.
#[derive(Debug)]
pub enum Seen {
    /// Nothing, any more.
    Gone,
    /// A folder.
    Dir,
    /// A symbolic link, and where it points.
    Symlink(Vec<u8>),
    /// Another name of this file.
    Link(RelPath),
    /// A file.
    File(FileSeen),
}

/// What a look found in a file.
#[derive(Debug, Default)]
pub struct FileSeen {
    /// The name under which the mirror holds the bytes that it is compared with.
    pub base: Option<RelPath>,
    /// Its length in bytes; of a queue or a log, up to the end of the last whole record or commit.
    pub size: u64,
    /// What of it that is.
    pub kept: Kept,
    /// It is a database, in a state that holds whatever moved meanwhile.
    pub alone: bool,
    /// It is a queue of which the mirror has so many bytes, to which records were added, and of which nothing else has changed, as far as
    /// it was read.
    pub added_to: Option<u64>,
    /// It is a long queue of which only the end was read.
    pub tail_only: bool,
    /// When the look began, its last change was longer ago than any clock ticks: whoever writes from then on, shows.
    pub calm: bool,
    /// Blocks with content that differ, in order.
    pub runs: Vec<Run>,
    /// Blocks that are all zeros now, in order.
    pub zeros: Vec<u64>,
}

/// Some neighbouring bytes that differ.
#[derive(Debug)]
pub struct Run {
    /// Where they begin in the file: at a block, or where a queue ended before.
    pub offset: u64,
    /// The sums of the blocks that they touch.
    pub sums: Vec<Sum>,
    /// The bytes.
    pub piece: Piece,
}

/// How a look at a file can end without anything to ship.
#[derive(Debug)]
pub enum Missed {
    /// It is not what it was a moment ago: look again.
    Moved,
    /// It cannot be read.
    Unreadable(io::Error),
    /// What was read cannot be kept, since this machine's own disk has no room for it.
    Spool(io::Error),
}

impl Item {
    /// Whether a later write may not show in what `stat` says.
    #[must_use]
    pub fn is_young(&self) -> bool {
        self.stamp.is_some_and(|stamp| self.seen.is_young(&stamp))
    }
}

impl Seen {
    /// What of a file was captured.
    #[must_use]
    pub fn kept(&self) -> Kept {
        match self {
            Self::File(file) => file.kept.clone(),
            _ => Kept::Whole,
        }
    }

    /// Whether it was looked at once, or last, within the tick of the clock that stamped it: a later write may not show.
    fn is_young(&self, stamp: &Stamp) -> bool {
        let Self::File(file) = self else { return false };
        !file.calm && (file.kept != Kept::Whole || is_coarse(stamp))
    }
}

impl Run {
    fn first(&self) -> u64 {
        self.offset / BLOCK as u64
    }
}

impl FileSeen {
    /// Whether it was read as a queue, so that its whole prefix is what its program left.
    #[must_use]
    pub fn is_queue(&self) -> bool {
        self.kept == Kept::Queue
    }

    /// Whether it is what the mirror has under the name `path`, of `size` bytes.
    #[must_use]
    pub fn is_held(&self, path: &RelPath, size: u64) -> bool {
        self.base.as_ref() == Some(path) && self.size == size && self.runs.is_empty() && self.zeros.is_empty()
    }

    /// Whether it holds all that it held when it was `known` bytes long, and more.
    #[must_use]
    pub fn grew(&self, known: u64) -> bool {
        self.grew_but(known, None)
    }

    /// The same, but for what stands in the block `but`.
    fn grew_but(&self, known: u64, but: Option<u64>) -> bool {
        let is_behind = |at: u64| at >= known;
        let begins = |run: &Run| if but == Some(run.first()) { (run.first() + 1) * BLOCK as u64 } else { run.offset };
        let is_in_one = |run: &Run| but == Some(run.first()) && run.sums.len() == 1;
        self.size >= known
            && self.runs.iter().all(|run| is_in_one(run) || is_behind(begins(run)))
            && self.zeros.iter().all(|block| is_behind(block * BLOCK as u64))
    }

    /// Bytes that will travel.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.runs.iter().map(|run| run.piece.len() as u64).sum()
    }

    /// What block `index` is, given what the base has there; none for zeros.
    fn sum_over<'b>(&'b self, index: u64, base: &'b Blocks) -> Option<&'b Sum> {
        let after = self.runs.partition_point(|run| run.first() <= index);
        let run = after.checked_sub(1).map(|at| &self.runs[at]);
        if let Some(sum) = run.and_then(|run| run.sums.get(usize::try_from(index - run.first()).ok()?)) {
            return Some(sum);
        }
        if self.zeros.binary_search(&index).is_ok() { None } else { base.get(index) }
    }

    /// The sums of the whole file, made from those of its base.
    #[must_use]
    pub fn blocks_from(&self, mut base: Blocks) -> Blocks {
        base.truncate(blocks::count(self.size));
        for run in &self.runs {
            for (index, sum) in (run.first()..).zip(&run.sums) {
                base.set(index, Some(*sum));
            }
        }
        for &index in &self.zeros {
            base.set(index, None);
        }
        base
    }
}

/// How still a file must hold while it is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Still {
    /// Nothing may move.
    Must,
    /// It may grow: what stood before is one instant all the same.
    MayGrow,
    /// It never does: what there is, is taken.
    NeedNot,
}

/// How much of a long queue is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    /// What came since it was read last.
    Tail,
    /// All of it: what was shipped may have been edited.
    Whole,
}

/// How a file is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct How {
    /// How still it must hold.
    pub still: Still,
    /// How much of it is read, if it is a long queue.
    pub reading: Reading,
    /// How its records end, if it is one.
    pub queue: Option<(Records, Sure)>,
}

/// Looks at the file `path`, opened as `file`, which `stamp` was just said of, and keeps in the spool what differs from `base` in `tree`.
/// Returns that, and the bytes that had to be read.
pub fn first_look(
    file: &File,
    path: &RelPath,
    stamp: &Stamp,
    tree: &Tree,
    base: Option<RelPath>,
    spool: &mut Spool,
    how: How,
) -> Result<(FileSeen, u64), Missed> {
    let still = how.still;
    let held = base.as_ref().and_then(|base| tree.get(base));
    let (own, whole) = (held.filter(|_| base.as_ref() == Some(path)), how.reading == Reading::Whole);
    let finding = how.queue.map(|(records, sure)| Finding { records, sure, stamp, held: own, whole });
    let queue = finding.map(|finding| finding.queue(file, still)).transpose()?.flatten();
    let still = if queue.is_some() && still == Still::Must { Still::MayGrow } else { still };
    same(file, stamp, still)?;
    let mut seen = FileSeen { size: stamp.size, calm: is_calm(stamp), ..FileSeen::default() };
    let scope = match queue {
        Some(Queue { end, ranges, from }) => {
            (seen.size, seen.kept, seen.tail_only) = (end, Kept::Queue, from > 0);
            Scope { ranges, holes_from: from }
        }
        None => Scope { ranges: stored(file, stamp.size, stamp.is_sparse())?, holes_from: 0 },
    };
    let read = compare(file, (stamp, still), &mut seen, &scope, held, spool, None)?;
    if seen.is_queue() && !finding.is_some_and(|finding| finding.still_ends(file, seen.size).unwrap_or(false)) {
        return Err(Missed::Moved);
    }
    let count = finding.and_then(Finding::count);
    let known = own.filter(|_| seen.is_queue()).map(|own| own.body.size());
    seen.added_to = known.filter(|known| seen.grew_but(*known, count));
    seen.base = base;
    same(file, stamp, still)?;
    Ok((seen, read))
}

/// Whether a second look at the file finds exactly what the first one did. Also returns the bytes that had to be read.
pub fn second_look(
    root: &Root,
    path: &RelPath,
    stamp: &Stamp,
    seen: &FileSeen,
    tree: &Tree,
    still: Still,
) -> Result<(bool, u64), Missed> {
    let file = root.open_file(path)?;
    same(&file, stamp, still)?;
    let empty = Blocks::default();
    let (known, _) = blocks_of(seen.base.as_ref().and_then(|base| tree.get(base))).unwrap_or((&empty, 0));
    let ranges = stored(&file, seen.size, stamp.is_sparse())?;
    let differs = |index: u64, bytes: &[u8]| {
        let agrees = match seen.sum_over(index, known) {
            Some(sum) => sum.find == blocks::find(bytes),
            None => blocks::is_zero(bytes),
        };
        (!agrees).then_some(())
    };
    let mut agrees = seen.runs.iter().all(|run| inside(&ranges, run.first()));
    let read = scan(&file, seen.size, &ranges, &differs, &mut |_, ()| {
        agrees = false;
        Result::<(), Missed>::Ok(())
    })?;
    same(&file, stamp, still)?;
    Ok((agrees, read))
}

fn inside(ranges: &[Range<u64>], index: u64) -> bool {
    let after = ranges.partition_point(|range| range.end <= index);
    ranges.get(after).is_some_and(|range| range.contains(&index))
}

/// Longer than any clock that stamps files ticks (at 100 Hz: 10 ms), and no shorter than two looks lie apart.
pub(super) const TICK: Duration = Duration::from_millis(12);

/// The same where files are stamped with whole seconds: `ext3`, and `ext4` with small inodes. FAT knows every second one only.
const COARSE_TICK: Duration = Duration::from_secs(2);

/// Bytes from which on a file that nobody can have written unseen is read once, not twice.
pub(super) const BIG: u64 = 4 * 1024 * 1024;

/// How long ago the file was last changed; none where its clock is not ours.
pub(super) fn age(stamp: &Stamp) -> Option<Duration> {
    let changed = Duration::new(u64::try_from(stamp.ctime.seconds).ok()?, stamp.ctime.nanos);
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.checked_sub(changed)
}

/// Whether its last change is longer ago than the clock ticks.
pub(super) fn is_calm(stamp: &Stamp) -> bool {
    age(stamp).is_some_and(|age| age >= tick(stamp))
}

/// How far the clock that stamped it may be behind.
pub(super) fn tick(stamp: &Stamp) -> Duration {
    if is_coarse(stamp) { COARSE_TICK } else { TICK }
}

fn is_coarse(stamp: &Stamp) -> bool {
    stamp.ctime.nanos == 0
}

/// Whether `stat` alone still says of the file what it said before the first look.
pub(super) fn is_untouched(root: &Root, path: &RelPath, stamp: &Stamp) -> io::Result<bool> {
    Ok(root.stat(path)?.is_some_and(|now| now.is_same(stamp)))
}

pub(super) fn same(file: &File, stamp: &Stamp, still: Still) -> Result<(), Missed> {
    let now = Stamp::from(fstat(file).map_err(io::Error::from)?);
    let holds = match still {
        Still::Must => now.is_same(stamp),
        Still::MayGrow => now.inode == stamp.inode && now.size >= stamp.size,
        Still::NeedNot => true,
    };
    if now.shape == Shape::File && holds { Ok(()) } else { Err(Missed::Moved) }
}

impl From<io::Error> for Missed {
    fn from(error: io::Error) -> Self {
        if says_absent(&error) { Self::Moved } else { Self::Unreadable(error) }
    }
}
