//! What is done beside a generation that cannot be applied: the next line is answered, and the copy can be taken anew.

use std::collections::VecDeque;

use super::applier::Hands;
use super::work::{Done, Work};
use crate::disk::journal::redo::Stored;
use crate::replica::End;
use crate::service::news::News;

impl Hands {
    /// Does what can be done beside a generation that cannot be applied; what cannot waits.
    pub(super) fn beside(&mut self, work: Work, stored: &Stored, queue: &mut VecDeque<Work>) -> Option<Work> {
        match work {
            Work::DropHistory(answer) => drop(answer.send(self.drop_history())),
            // The way back from what is half applied would go with it.
            Work::ForgetHistory if self.mirror.undo_failed().is_ok() => self.forget_history(),
            Work::Welcome { protocol, epoch, knows, dataset, out } => {
                let last =
                    queue.iter().rev().find_map(|work| if let Work::Step(step) = work { Some(step) } else { None });
                let End { position, grade, .. } = last.unwrap_or(stored).end;
                if self.strange || !knows.contains(&position) {
                    return Some(Work::Welcome { protocol, epoch, knows, dataset, out });
                }
                // It need not be told what stands in the mirror, and goes on. What was asked on the line before is answered by nobody.
                queue.retain(|work| !matches!(work, Work::Look(_) | Work::Last { .. }));
                (self.protocol, self.epoch, self.out) = (protocol, epoch, Some(out));
                self.say_known(position, grade);
            }
            other => return Some(other),
        }
        None
    }

    /// The copy is taken anew while this generation, and what waits behind it, cannot be applied: it comes with all the rest. Returns
    /// whether that is so.
    pub(super) fn reseed_instead(&mut self, stored: &Stored, queue: &mut VecDeque<Work>) -> bool {
        if let Err(error) = self.mirror.undo_failed() {
            tracing::warn!(%error, "what is half applied cannot be undone; the copy is taken anew all the same");
        }
        if !self.reseed() {
            return false;
        }
        let mut bytes = stored.to - stored.from;
        queue.retain(|work| match work {
            Work::Step(step) => {
                bytes += step.to - step.from;
                false
            }
            _ => true,
        });
        let position = self.mirror.state().position;
        let _ = self.done.send(Done::GivenUp { bytes, position });
        self.tell(News::Trouble(None));
        self.tell(News::Unapplied(None));
        true
    }
}
