//! Compares every byte of the source with what the mirror is known to hold, a stretch at a time so that changes do not wait.

use std::io;

use super::Source;
use super::candidates::Dirty;
use crate::disk::read::{now_holes, scan, stored};
use crate::disk::stamp::Stamp;
use crate::replica::{Body, RelPath, blocks};

/// Names that are compared at a stretch.
const NAMES: usize = 500;

/// How far a comparison is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    path: RelPath,
    block: u64,
}

/// What a stretch of a comparison found.
#[derive(Debug, Default)]
pub struct Proven {
    /// Where to go on; none at the end.
    pub next: Option<Cursor>,
    /// Files that were compared to their end.
    pub files: u64,
    /// Bytes that were compared.
    pub bytes: u64,
    /// Files that are not what they were captured as, although nothing showed it.
    pub differed: Vec<RelPath>,
    /// Names that have changed since they were captured: they are looked at as ever.
    pub dirty: Dirty,
}

impl Cursor {
    /// The beginning.
    #[must_use]
    pub fn start() -> Self {
        Self { path: RelPath::root(), block: 0 }
    }
}

impl Source {
    /// Compares the next stretch: so many blocks, if it is not names that end it.
    #[must_use]
    pub fn prove(&self, from: &Cursor, stretch: u64) -> Proven {
        let mut proven = Proven::default();
        self.root.forget();
        let mut room = stretch;
        let mut block = from.block;
        for (path, known) in self.tree.from(&from.path).take(NAMES) {
            if room == 0 {
                proven.next = Some(Cursor { path: path.clone(), block: 0 });
                return proven;
            }
            let Body::File { size, .. } = &known.body else { continue };
            let count = blocks::count(*size);
            let thin = known.stamp.thinness();
            let end = count.min(block.saturating_add(room.saturating_mul(thin)));
            match self.prove_file(path, block, end) {
                Ok(Agrees::Yes(bytes)) => proven.bytes += bytes,
                Ok(Agrees::No) => {
                    proven.differed.push(path.clone());
                    proven.dirty.unsure.insert(path.clone());
                }
                Ok(Agrees::Moved) => {
                    proven.dirty.paths.insert(path.clone());
                }
                // Its stamp may be what it was: only who reads it knows that it cannot be read, and nobody that it agrees. That is said once.
                Err(_) => {
                    if !self.unreadable.contains_key(path) {
                        proven.differed.push(path.clone());
                    }
                    proven.dirty.paths.insert(path.clone());
                    proven.dirty.unsure.insert(path.clone());
                }
            }
            room = room.saturating_sub((end - block) / thin);
            if end < count {
                proven.next = Some(Cursor { path: path.clone(), block: end });
                return proven;
            }
            proven.files += 1;
            block = 0;
        }
        proven.next = self.tree.from(&from.path).nth(NAMES).map(|(path, _)| Cursor { path: path.clone(), block: 0 });
        proven
    }

    fn prove_file(&self, path: &RelPath, from: u64, end: u64) -> io::Result<Agrees> {
        let Some(known) = self.tree.get(path) else { return Ok(Agrees::Moved) };
        let Body::File { size, blocks: sums } = &known.body else { return Ok(Agrees::Moved) };
        let file = self.root.open_file(path)?;
        let stat = || rustix::fs::fstat(&file).map(Stamp::from).map_err(io::Error::from);
        if !stat()?.is_same(&known.stamp) {
            return Ok(Agrees::Moved);
        }
        let mut ranges = stored(&file, *size, known.stamp.is_sparse())?;
        let mut agrees = now_holes(sums, &ranges, blocks::count(*size)).next().is_none();
        ranges.retain_mut(|range| {
            (range.start, range.end) = (range.start.max(from), range.end.min(end));
            range.start < range.end
        });
        let differs = |index: u64, bytes: &[u8]| {
            let same = match sums.get(index) {
                Some(sum) => sum.proof == blocks::prove(bytes),
                None => blocks::is_zero(bytes),
            };
            (!same).then_some(())
        };
        let bytes = scan(&file, *size, &ranges, &differs, &mut |_, ()| {
            agrees = false;
            io::Result::Ok(())
        })?;
        if !stat()?.is_same(&known.stamp) {
            return Ok(Agrees::Moved);
        }
        Ok(if agrees { Agrees::Yes(bytes) } else { Agrees::No })
    }
}

enum Agrees {
    Yes(u64),
    No,
    Moved,
}
