//! Captures one difference: what is held back is held back, and the rest is said.

use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::candidates::{Dirty, Search};
use super::captured::{is_change, is_half_a_record, is_half_read, when_reread};
use super::look::{Item, Missed, Seen};
use super::settle::{Certainty, Moves, Settle, Settled};
use super::tree::Kept;
use super::{Captured, Outcome, Source, SourceError, Stop, now_as_time};
use crate::disk::spool::Spool;
use crate::disk::stamp::Stamp;
use crate::replica::RelPath;

impl Source {
    /// Captures what `dirty` names. `wait` waits for so long and returns all that has changed until
    /// then, or none where only a look at everything tells.
    pub fn capture(
        &mut self,
        mut dirty: Dirty,
        moves: Moves,
        wait: &mut dyn FnMut(Duration) -> Option<Dirty>,
    ) -> Result<Outcome, SourceError> {
        self.worked = (0, Duration::ZERO);
        let one = self.one_of(&dirty);
        dirty.join(self.still_there()?);
        dirty.paths.extend(self.guard.emptied().cloned());
        let mut spool = Spool::new(&self.options.own);
        let taken_at = now_as_time();
        let mut settled = self.settle(&dirty, &mut spool, moves, wait)?;
        self.worked = (settled.read, settled.worked);
        if let Some(one) = one {
            self.weighed(one);
        }
        // What was heard meanwhile counts, too, where nothing is taken over now.
        dirty.join(std::mem::take(&mut settled.heard));
        if let Some(until) = settled.later {
            dirty.join(settled.dirty);
            return Ok(Outcome::Wait { until, dirty });
        }
        if let Some(until) =
            self.guard.hold_emptied(&mut settled.items, &self.tree, self.options.empty_patience, Instant::now())
        {
            dirty.join(settled.dirty);
            return Ok(Outcome::Wait { until, dirty });
        }
        let removals = self.guard.stop_removals(&settled.items, &self.tree, Instant::now());
        let older = self.guard.older(&settled.items, &self.tree, taken_at);
        if let Some(why) = removals.map(Stop::Removals).or_else(|| older.stops().map(Stop::Older)) {
            dirty.join(settled.dirty);
            return Ok(Outcome::Stopped { why, dirty });
        }
        self.note(&dirty, &mut settled);
        self.guard.misses(self.unreadable.keys().chain(&settled.dirty.unsure), &self.tree);
        let doubted = dirty.unsure;
        // What never held still was named to be looked at again, so that nothing of it is left when this says more.
        self.certainty = settled.certainty;
        let mut items = settled.items;
        items.retain(|path, item| self.is_news(path, item));
        // The mirror holds one instant after all, and does not know it.
        let resolves = self.unsteady && self.certainty != Certainty::None && settled.dirty.is_empty();
        if items.is_empty() && settled.dirty.is_empty() && !resolves {
            self.guard.looked_through();
            return Ok(Outcome::Nothing);
        }
        let Settled { dirty, .. } = settled;
        let aside = !older.files.is_empty();
        let doubtful = items.keys().filter(|path| doubted.contains(*path)).cloned().collect();
        let unsteady = self.certainty == Certainty::None;
        Ok(Outcome::Captured(Captured {
            items,
            doubtful,
            spool,
            aside,
            taken_at,
            dirty,
            read: self.worked.0,
            unsteady,
            resolves,
        }))
    }

    /// Whether an item is to go, and what of it is looked at later: half a record is waited for.
    fn is_news(&mut self, path: &RelPath, item: &Item) -> bool {
        if is_half_read(item) {
            // Also where the end is as it was: its program may have edited the rest.
            self.unread.entry(path.clone()).or_insert_with(when_reread);
        }
        if is_half_a_record(path, item, self.tree.get(path)) {
            // What is known of a log is what the mirror has of it, though no more of it is there.
            self.tree.keep(path, item.seen.kept());
            let is_as_it_was = |stamp: &Stamp| self.tree.get(path).is_some_and(|known| known.stamp.is_same(stamp));
            if let Some(stamp) = item.stamp.filter(is_as_it_was) {
                self.tree.restamp(path, stamp, item.is_young());
            }
            if !self.rules.is_guess(path) || item.seen.kept() != Kept::Queue {
                return false;
            }
            self.torn.entry(path.clone()).or_insert_with(Instant::now);
            return false;
        }
        let differs = is_change(path, item, self.tree.get(path));
        if let (false, Some(stamp)) = (differs, item.stamp) {
            self.tree.restamp(path, stamp, item.is_young());
            self.tree.keep(path, item.seen.kept());
            self.guard.looked_at(path);
        }
        differs
    }

    fn settle(
        &mut self,
        dirty: &Dirty,
        spool: &mut Spool,
        moves: Moves,
        wait: &mut dyn FnMut(Duration) -> Option<Dirty>,
    ) -> Result<Settled, SourceError> {
        let path = self.root.path().to_owned();
        let local = self.tells_of_changes() && crate::os::stamps_every_write(self.root.fd());
        let mapped = move || {
            let mapped = if local { crate::os::mapped_writable(&path) } else { crate::os::Mapped::default() };
            mapped.complete.then(|| mapped.files.iter().filter_map(|name| RelPath::new(name).ok()).collect())
        };
        let (root, exclude, trust, closed) = (&self.root, &self.exclude, self.trust, &self.unreadable);
        let search = Search { root, tree: &mut self.tree, exclude, trust, closed };
        let settle = Settle {
            search,
            rules: &self.rules,
            holder: &mut self.holder,
            plain: &mut self.plain,
            spool,
            patience: self.options.patience,
            moves,
            unsure: dirty.unsure.clone(),
            mapped: &mapped,
            cloning: &mut self.cloning,
            writers: &mut self.writers,
            quieting: &mut self.quieting,
            wait,
        };
        let settled = settle.run(dirty);
        if settled.as_ref().is_ok_and(|settled| settled.certainty == Certainty::TwoLooks) {
            self.quieting.settled();
        }
        self.quieting.end();
        self.holder.unlock();
        settled.map_err(|missed| match missed {
            Missed::Spool(error) => SourceError::Spool { path: self.options.own.clone(), error },
            Missed::Moved => self.gone(io::ErrorKind::NotFound.into()),
            Missed::Unreadable(error) => self.gone(error),
        })
    }

    /// Notes what is not mirrored, and why.
    fn note(&mut self, dirty: &Dirty, settled: &mut Settled) {
        if dirty.everything {
            self.unreadable.clear();
            self.special.clear();
        }
        let looked_at = |path: &RelPath| dirty.paths.contains(path) || settled.items.contains_key(path);
        self.unreadable.retain(|path, _| !looked_at(path));
        self.special.retain(|path| !looked_at(path));
        let is_gone = |path: &RelPath| settled.items.get(path).is_some_and(|item| matches!(item.seen, Seen::Gone));
        self.plain.retain(|path, _| !is_gone(path));
        self.unreadable.append(&mut settled.unreadable);
        self.special.append(&mut settled.special);
    }
}
