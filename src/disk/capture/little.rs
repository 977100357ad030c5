//! What is captured by itself and read for little: it waits for nobody.

use super::Source;
use super::candidates::Dirty;
use super::sqlite::names;
use super::tree::Kept;
use crate::replica::RelPath;

/// Bytes that are read for a few records or commits, at the most.
pub const LITTLE: u64 = 8 * 1024 * 1024;

impl Source {
    /// Whether what `dirty` names is captured by itself, and read for little: a queue, or a database with a log.
    #[must_use]
    pub fn is_little(&self, dirty: &Dirty) -> bool {
        self.one_of(dirty).is_some_and(|one| !self.heavy.contains(&one))
    }

    /// The queue, or the database with a log, to which all belongs that `dirty` names.
    pub(super) fn one_of(&self, dirty: &Dirty) -> Option<RelPath> {
        let first = dirty.paths.first().filter(|_| dirty.unsure.is_empty())?;
        let first = names::owner(first).unwrap_or_else(|| first.clone());
        let kept = |path: &RelPath| self.tree.get(path).map(|known| &known.kept);
        let has_log = || matches!(kept(&names::log(&first)), Some(Kept::Log(_)));
        let is_one = match kept(&first) {
            Some(Kept::Queue) => true,
            Some(Kept::Database) => has_log(),
            _ => false,
        };
        Some(first).filter(|first| is_one && dirty.is_only(Some(first)))
    }

    /// Of `one`, captured by itself, so much was read: what was more than a little will be again.
    pub(super) fn weighed(&mut self, one: RelPath) {
        if self.worked.0 > LITTLE {
            self.heavy.insert(one);
        } else {
            self.heavy.remove(&one);
        }
    }
}
