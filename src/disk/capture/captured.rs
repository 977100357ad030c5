//! What was captured, and what becomes of it when the mirror has it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::Source;
use super::candidates::Dirty;
use super::look::{Item, Seen};
use super::tree::{Kept, Known};
use crate::disk::spool::Spool;
use crate::replica::{Body, RelPath, Time};

/// The difference between the source and what the mirror holds, at one instant.
#[derive(Debug)]
pub struct Captured {
    pub(super) items: BTreeMap<RelPath, Item>,
    /// Of these, what no stamp may have shown.
    pub(super) doubtful: BTreeSet<RelPath>,
    pub(super) spool: Spool,
    /// Something in it is older than the mirror has it: what that holds is to be set aside.
    pub aside: bool,
    /// When it was taken.
    pub taken_at: Time,
    /// What moved on meanwhile: for the next capture.
    pub dirty: Dirty,
    /// Bytes that were read for it.
    pub read: u64,
    /// Something in it never held still.
    pub(super) unsteady: bool,
    /// It says, perhaps with nothing else, that the mirror holds one instant now: before it did not.
    pub(super) resolves: bool,
}

/// After so long the whole of a queue is read again of which only the end was.
const REREAD: Duration = Duration::from_secs(60);

impl Source {
    /// The mirror has made `captured` durable: it is what the mirror holds now.
    pub fn commit(&mut self, captured: Captured) {
        self.unsteady = captured.unsteady;
        self.guard.done(&captured.items, &self.tree, Instant::now());
        let bases: BTreeMap<RelPath, _> = captured
            .items
            .iter()
            .filter_map(|(path, item)| match &item.seen {
                Seen::File(file) => {
                    Some((path.clone(), file.base.as_ref().map(|base| self.tree.take_blocks(base)).unwrap_or_default()))
                }
                _ => None,
            })
            .collect();
        let mut bases = bases.into_iter();
        let now = Instant::now();
        for (path, item) in captured.items {
            let Some(stamp) = item.stamp else {
                self.tree.remove(&path);
                continue;
            };
            let young = item.is_young();
            let mut kept = Kept::Whole;
            let body = match item.seen {
                Seen::Gone => {
                    self.tree.remove(&path);
                    continue;
                }
                Seen::Dir => Body::Dir,
                Seen::Symlink(target) => Body::Symlink { target: target.into() },
                Seen::Link(to) => Body::Link { to },
                Seen::File(file) => {
                    // Both are in the order of the names.
                    let base = bases.next().map(|(_, blocks)| blocks).unwrap_or_default();
                    kept = file.kept.clone();
                    if file.tail_only {
                        self.unread.entry(path.clone()).or_insert_with(when_reread);
                    }
                    if kept == Kept::Queue && file.size < stamp.size && self.rules.is_guess(&path) {
                        self.torn.insert(path.clone(), now);
                    } else {
                        self.torn.remove(&path);
                    }
                    Body::File { size: file.size, blocks: file.blocks_from(base) }
                }
            };
            self.tree.insert(path, Known { stamp, body, kept, young, seen: self.tree.mark() });
        }
    }
}

impl Captured {
    /// Names to look at again, when the mirror could not take this.
    #[must_use]
    pub fn again(&self) -> Dirty {
        let mut dirty = self.dirty.clone();
        dirty.paths.extend(self.items.keys().cloned());
        dirty.unsure.extend(self.doubtful.iter().cloned());
        // Without a name nothing would have it said again.
        dirty.everything |= self.items.is_empty();
        dirty
    }

    /// Whether there is nothing to ship: something moved all the time.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && !self.resolves
    }
}

/// Whether nothing is new but a record or a commit that is not whole yet: it is waited for.
pub(super) fn is_half_a_record(path: &RelPath, item: &Item, held: Option<&Known>) -> bool {
    let (Seen::File(seen), Some(stamp), Some(held)) = (&item.seen, item.stamp, held) else { return false };
    let grows = matches!((&seen.kept, &held.kept), (Kept::Queue, Kept::Queue) | (Kept::Log(_), Kept::Log(_)));
    grows
        && seen.base.as_ref() == Some(path)
        && seen.runs.is_empty()
        && seen.zeros.is_empty()
        && seen.size == held.body.size()
        && (seen.size < stamp.size || seen.kept != Kept::Queue)
}

/// Whether an item is anything new to the mirror.
pub(super) fn is_change(path: &RelPath, item: &Item, held: Option<&Known>) -> bool {
    let Some(held) = held else { return !matches!(item.seen, Seen::Gone) };
    let meta = item.stamp.is_some_and(|stamp| stamp.meta == held.stamp.meta);
    let same = match (&item.seen, &held.body) {
        (Seen::Dir, Body::Dir) => true,
        (Seen::Symlink(now), Body::Symlink { target }) => **now == **target,
        (Seen::Link(now), Body::Link { to }) => now == to,
        (Seen::File(seen), Body::File { size, .. }) => seen.is_held(path, *size),
        _ => false,
    };
    !(same && meta)
}

/// Whether it is a long queue of which only the end was read.
pub(super) fn is_half_read(item: &Item) -> bool {
    matches!(&item.seen, Seen::File(seen) if seen.tail_only)
}

/// When what was read of only in part is read whole.
pub(super) fn when_reread() -> Instant {
    Instant::now() + REREAD
}
