//! What the mirror says of single names: it is believed where nothing has been sent since. Else the mirror is asked again, and waited for:
//! a shop may never pause by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::last::Last;
use super::{Ended, RETRY, Sending};
use crate::link::frame::Say;
use crate::replica::{Entry, Position, RelPath};

/// What is waited for an answer, at the most, however long it is: the sums of a big database are many.
const LONGEST: Duration = Duration::from_secs(10);

/// Names in one question.
const ONE: usize = 100;

/// An answer that came too late is asked for again after so many times as long.
const REST: u32 = 10;

/// Names that are in doubt, and the question that is out.
#[derive(Debug, Default)]
pub(super) struct Truth {
    look: BTreeSet<RelPath>,
    /// What was said of single names, until it is said when that holds.
    said: Vec<(RelPath, Option<Entry>)>,
    /// What was asked and is not answered yet.
    asked: Option<Asked>,
    /// Nothing is asked before.
    not_before: Option<Instant>,
}

/// Questions that are out.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// Since when.
    at: Instant,
    /// Until when nothing is captured.
    until: Instant,
    /// How many.
    left: usize,
}

impl Truth {
    /// The link is gone.
    pub(super) fn unlink(&mut self) {
        self.said.clear();
        self.asked = None;
    }

    /// Until when nothing is to be captured.
    #[must_use]
    pub(super) fn until(&self) -> Option<Instant> {
        self.asked.map(|asked| asked.until)
    }

    /// Whether something is in doubt that an answer may still tell.
    #[must_use]
    pub(super) fn is_open(&self) -> bool {
        !self.look.is_empty() || self.until().is_some_and(|until| Instant::now() < until)
    }

    /// More of the answer has come.
    pub(super) fn goes_on(&mut self) {
        if let Some(Asked { at, until, .. }) = &mut self.asked {
            *until = (*until).max(Instant::now() + RETRY).min(*at + LONGEST);
        }
    }

    /// So it is said of one name.
    pub(super) fn say(&mut self, path: RelPath, entry: Option<Entry>) {
        self.said.push((path, entry));
    }
}

impl Sending {
    /// What was said of single names is true at `position`.
    pub(super) fn observed(&mut self, position: Position) {
        let now = Instant::now();
        let asked = self.truth.asked;
        // Until the last of them is answered nothing is captured.
        self.truth.asked =
            asked.map(|asked| Asked { left: asked.left.saturating_sub(1), ..asked }).filter(|asked| asked.left > 0);
        let still_true = self.flight.is_none() && position == self.position;
        if !still_true {
            self.truth.not_before = asked.map(|asked| now + (now - asked.at).min(LONGEST) * REST);
        }
        for (path, entry) in std::mem::take(&mut self.truth.said) {
            if still_true {
                self.source.learn(path.clone(), entry);
                // Size and time may be right and the content not.
                self.dirty.unsure.insert(path.clone());
                self.dirty.paths.insert(path);
            } else {
                self.truth.look.insert(path);
            }
        }
        self.not_before = now;
    }

    /// Asks again for what could not be believed.
    pub(super) fn ask_truth(&mut self) -> Result<(), Ended> {
        let now = Instant::now();
        let Truth { look, asked, not_before, .. } = &mut self.truth;
        // Who stands still for a hand-over waits for nothing else.
        let rests = self.last == Last::No && not_before.is_some_and(|at| now < at);
        if look.is_empty() || rests {
            return Ok(());
        }
        let paths: Vec<RelPath> = std::mem::take(look).into_iter().collect();
        let questions = paths.chunks(ONE);
        // Those that are out still are answered before.
        let left = questions.len() + asked.map_or(0, |asked| asked.left);
        *asked = Some(Asked { at: now, until: now + RETRY, left });
        questions.into_iter().try_for_each(|paths| self.say(Say::Look(paths.to_vec())))
    }
}
