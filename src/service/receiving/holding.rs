//! What the mirror says that it holds.

use super::applier::Hands;
use crate::disk::journal::index::{Form, State};
use crate::link::Welcome;
use crate::link::frame::{Holding, ToSource};
use crate::replica::{Body, Entry, Grade, Position, RelPath};

/// Sums in one frame.
const SUMS: usize = 4096;

/// Since which protocol the source is told that the mirror holds what never held still.
const SINCE: u32 = 5;

impl Hands {
    /// Says what the mirror holds; where the other side `knows` the position, no more than that.
    pub(super) fn welcome(&mut self, knows: &[Position]) {
        let State { position, form, grade, .. } = *self.mirror.state();
        let committed = form == Form::Committed;
        if committed && !self.strange && knows.contains(&position) {
            return self.say_known(position, grade);
        }
        self.begin_welcome(position, grade, (committed, false));
        self.strange = false;
        let mut after: Option<RelPath> = None;
        while let Ok(page) = self.mirror.index().after(after.as_ref(), 500) {
            let Some((_, last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (id, path, entry) in page {
                self.holds(Some(id), &path, &entry);
            }
        }
        self.say(&ToSource::ThatIsAll);
    }

    /// Says that it holds what the other side knows that it does.
    pub(super) fn say_known(&self, position: Position, grade: Grade) {
        self.begin_welcome(position, grade, (true, true));
        self.say(&ToSource::ThatIsAll);
    }

    fn begin_welcome(&self, position: Position, grade: Grade, (committed, known): (bool, bool)) {
        let Self { protocol, epoch, .. } = *self;
        self.say(&ToSource::Welcome(Welcome { protocol, epoch, position, committed, known }));
        if grade == Grade::Unsteady && protocol >= SINCE {
            self.say(&ToSource::Unsteady);
        }
    }

    fn holds(&self, id: Option<i64>, path: &RelPath, entry: &Entry) {
        let what = Holding::of(&entry.body);
        self.say(&ToSource::Holds { path: path.clone(), meta: entry.meta, what });
        let (Some(id), Body::File { .. }) = (id, &entry.body) else { return };
        let Ok(blocks) = self.mirror.index().sums(id) else { return };
        let mut run: Option<(u64, Vec<_>)> = None;
        for (number, sum) in blocks.iter() {
            let joins = |(first, sums): &(u64, Vec<_>)| first + sums.len() as u64 == number && sums.len() < SUMS;
            if !run.as_ref().is_some_and(joins)
                && let Some((first, sums)) = run.take()
            {
                self.say(&ToSource::Sums { first, sums });
            }
            run.get_or_insert_with(|| (number, vec![])).1.push(*sum);
        }
        if let Some((first, sums)) = run {
            self.say(&ToSource::Sums { first, sums });
        }
    }

    /// Says what stands under `paths`, and at which position that holds.
    pub(super) fn observe(&self, paths: &[RelPath]) {
        for path in paths {
            match self.mirror.index().get(path) {
                Ok(Some((id, entry))) => self.holds(Some(id), path, &entry),
                Ok(None) => self.say(&ToSource::HoldsNot(path.clone())),
                Err(error) => tracing::warn!(%error, "the index cannot be read"),
            }
        }
        self.say(&ToSource::Observed(self.mirror.state().position));
    }
}
