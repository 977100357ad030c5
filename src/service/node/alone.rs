//! What this machine does with nobody asking for it, where the store says so: the backup starts when the terminals say that the main
//! is down, and gives the main its place again.
//!
//! Only what a start of the backup has changed is changed back. Whoever changed the server on purpose, or saw a return fail, is not
//! overruled: the newest change of server in the diary says which it was. In maintenance nothing is done alone.

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Machine, MachineError};
use crate::config::change::Mode;
use crate::os::ground;
use crate::pair::{Duty, Node};
use crate::service::command::Command;
use crate::service::status::{Operation, OperationKind, OperationState, Verdict};

/// Who asks, where nobody does.
const NOBODY: &str = "espejo (auto)";
/// So many terminals must bear witness before the backup starts by itself.
const WITNESSES: usize = 3;

impl Machine {
    /// Gives the main its place, where that has been possible for as long as it is to be.
    pub(super) async fn return_alone(&mut self) -> Result<(), MachineError> {
        if !self.may_return_alone() {
            self.turning.well_since = None;
            return Ok(());
        }
        let since = *self.turning.well_since.get_or_insert_with(Instant::now);
        if since.elapsed() < self.store.returning.after {
            return Ok(());
        }
        self.turning.well_since = None;
        // What stands against it after all is in the diary: that is the newest entry then, and a person is to look.
        let command = Command::Return { by: NOBODY.to_owned(), reason: None };
        self.turn_over(command, oneshot::channel().0).await
    }

    /// In how many milliseconds that will be, where it is waited for.
    pub(super) fn returns_in_ms(&self) -> Option<u64> {
        let left = self.store.returning.after.saturating_sub(self.turning.well_since?.elapsed());
        u64::try_from(left.as_millis()).ok()
    }

    /// Starts the backup, where the terminals have said for as long as it is to be that the main is down.
    pub(super) async fn promote_alone(&mut self) -> Result<(), MachineError> {
        if !self.may_promote_alone() {
            self.turning.down_since = None;
            return Ok(());
        }
        let since = *self.turning.down_since.get_or_insert_with(Instant::now);
        if since.elapsed() < self.store.promote.after {
            return Ok(());
        }
        self.turning.down_since = None;
        let (by, yes, accept_loss, unlock) = (NOBODY.to_owned(), false, false, false);
        let command = Command::Promote { by, yes, accept_loss, unlock, reason: None };
        self.turn_over(command, oneshot::channel().0).await
    }

    /// In how many milliseconds that will be, where it is waited for.
    pub(super) fn starts_in_ms(&self) -> Option<u64> {
        let left = self.store.promote.after.saturating_sub(self.turning.down_since?.elapsed());
        u64::try_from(left.as_millis()).ok()
    }

    fn may_promote_alone(&self) -> bool {
        let is_set = self.store.promote.mode == Mode::Auto;
        if !is_set || self.role() != Node::Backup || self.pair.duty() == Duty::Serving {
            return false;
        }
        let is_free = self.turning.job.running().is_none() && self.maintained(ground::now()).is_none();
        let are_enough =
            self.count().is_some_and(|count| count.all >= WITNESSES && count.verdict() == Verdict::MainDown);
        let published = self.publish.borrow();
        let plan =
            published.as_ref().and_then(|status| status.plans.iter().find(|plan| plan.kind == OperationKind::Promote));
        // What a person would be asked is answered by nobody.
        is_free && are_enough && plan.is_some_and(|plan| plan.against(&[]).is_empty())
    }

    fn may_return_alone(&self) -> bool {
        let is_set = self.store.returning.mode == Mode::Auto;
        if !is_set || self.role() != Node::Backup || self.pair.duty() != Duty::Serving {
            return false;
        }
        let is_free = self.turning.job.running().is_none() && self.maintained(ground::now()).is_none();
        let is_whole =
            self.their_status.as_ref().is_some_and(|theirs| theirs.mirror.as_of.is_some() && theirs.mirror.caught_up);
        let published = self.publish.borrow();
        let plan =
            published.as_ref().and_then(|status| status.plans.iter().find(|plan| plan.kind == OperationKind::Return));
        is_free
            && is_whole
            && self.keeper.history().iter().rfind(|one| has_turned(one)).is_some_and(is_start)
            && plan.is_some_and(|plan| plan.against(&[]).is_empty())
    }
}

/// Whether it is a change of server, and not one that was only asked for; or a return that this machine asked for alone.
fn has_turned(operation: &Operation) -> bool {
    operation.kind.is_turn() && (operation.state != OperationState::Refused || operation.by == NOBODY)
}

/// Whether the server was started by it without having been given the place.
fn is_start(operation: &Operation) -> bool {
    matches!(operation.kind, OperationKind::Promote | OperationKind::Start)
}
