//! How sure it is that what the mirror holds of a dataset is one instant.

use super::Source;
use super::captured::Captured;
use super::look::{Item, Seen};
use super::settle::Certainty;
use crate::replica::{Grade, Kind};

impl Source {
    /// How sure the whole dataset is: as sure as what was captured last of all that is neither queue nor database.
    #[must_use]
    pub fn grade(&self) -> Grade {
        if !self.unreadable.is_empty() {
            return Grade::Incomplete;
        }
        if self.certainty == Certainty::None || self.guard.emptied().next().is_some() {
            return Grade::Unsteady;
        }
        if self.tree.unsure() == 0 { Grade::Exact } else { Grade::Steady }
    }

    /// How sure the whole dataset will be with `captured`.
    #[must_use]
    pub fn grade_with(&self, captured: &Captured) -> Grade {
        let is_sure = |item: &Item| !matches!(&item.seen, Seen::File(file) if !file.kept.is_sure());
        match self.grade() {
            Grade::Exact if !captured.items.values().all(is_sure) => Grade::Steady,
            grade => grade,
        }
    }

    /// The kinds of the files in the dataset.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        let tree = &self.tree;
        let kinds =
            [(Kind::Queue, tree.queues() > 0), (Kind::Sqlite, tree.databases() > 0), (Kind::Files, tree.unsure() > 0)];
        kinds.into_iter().filter(|(_, any)| *any).map(|(kind, _)| kind).collect()
    }
}
