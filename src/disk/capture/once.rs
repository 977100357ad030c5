//! What is read once, not twice: a big file that nobody can write unseen. Whoever writes it meanwhile shows in its stamp.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::look::{BIG, FileSeen, Seen, TICK, age, tick};
use super::settle::{Names, Settle, Settled};
use super::tree::Kept;
use crate::disk::stamp::{Shape, Stamp};
use crate::replica::RelPath;

/// Time in which a program that changes several places of a file goes on to the next one.
const BREATH: Duration = Duration::from_millis(2);

impl Settle<'_> {
    /// What is left of the time between two looks. What is read once, and only that, is looked at for as long as it is read:
    /// whoever began to write before that has come to the end meanwhile, and was heard.
    pub(super) fn left(
        &self,
        gap: Duration,
        looked: Instant,
        done: &Settled,
        unmapped: &BTreeSet<RelPath>,
    ) -> Duration {
        let mut left = gap.saturating_sub(looked.elapsed());
        for (path, item) in &done.items {
            match (&item.seen, item.stamp) {
                (Seen::File(seen), Some(stamp))
                    if !seen.kept.is_sure() && unmapped.contains(path) && self.shows(seen, &stamp) =>
                {
                    left = left.max((tick(&stamp) + gap).saturating_sub(age(&stamp).unwrap_or_default()));
                }
                _ => return gap,
            }
        }
        if done.items.is_empty() { gap } else { left }
    }

    /// Whether a write since the file was looked at shows in its stamp.
    pub(super) fn shows(&self, seen: &FileSeen, stamp: &Stamp) -> bool {
        seen.calm || self.search.root.stamps_finely(stamp)
    }

    /// Before big files in `todo` are read, takes in all that the watch has to say: what was written before need not be read
    /// twice. Waits until their last change is longer ago than the clock ticks, if that is soon; where each write shows, only who
    /// is at it just now is waited for.
    pub(super) fn wait_for_calm(
        &mut self,
        names: &mut Names,
        todo: &mut BTreeSet<RelPath>,
        done: &mut Settled,
    ) -> io::Result<()> {
        let calm_in = |path: &RelPath| {
            let stamp = names.get(path).copied().flatten().filter(|stamp| stamp.size > BIG)?;
            if self.is_by_commit(path) {
                return None;
            }
            let enough = if self.search.root.stamps_finely(&stamp) { BREATH } else { TICK };
            let is_young = age(&stamp).is_some_and(|age| age < enough);
            Some(if is_young { enough } else { Duration::ZERO })
        };
        if let Some(calm_in) = todo.iter().filter_map(calm_in).max()
            && let Some(since) = self.heard_within(calm_in)
        {
            todo.extend(self.merge(&since, names, done)?);
        }
        Ok(())
    }

    /// Whether it is part of a database, which is captured as a commit left it.
    fn is_by_commit(&self, path: &RelPath) -> bool {
        let held = self.search.tree.get(path);
        held.is_some_and(|held| matches!(held.kept, Kept::Database | Kept::Log(_)))
    }

    /// The big files that nobody can write unseen now, but for those that were not among `before`, if any were.
    pub(super) fn unmapped(&self, names: &Names, before: &BTreeSet<RelPath>) -> BTreeSet<RelPath> {
        let big = |(path, stamp): (&RelPath, &Option<Stamp>)| {
            let is_one = |stamp: &Stamp| stamp.shape == Shape::File && stamp.size > BIG && !self.is_by_commit(path);
            stamp.as_ref().is_some_and(is_one).then(|| path.clone())
        };
        let mut big: BTreeSet<RelPath> = names.iter().filter_map(big).collect();
        big.retain(|path| before.is_empty() || before.contains(path));
        if big.is_empty() {
            return big;
        }
        match (self.mapped)() {
            Some(mapped) => big.difference(&mapped).cloned().collect(),
            None => BTreeSet::new(),
        }
    }
}
