//! What this machine does with nobody asking for it, where the store says so: the backup starts when the terminals say that the main
//! is down, and gives the main its place again.
//!
//! Only what a start of the backup has changed is changed back. Whoever changed the server on purpose, or saw a return fail, is not
//! overruled: the newest change of server in the diary says which it was. In maintenance nothing is done alone.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Machine, MachineError};
use crate::config::change::Mode;
use crate::os::ground;
use crate::pair::{Duty, Node};
use crate::service::command::Command;
use crate::service::operation::NOBODY;
use crate::service::status::{Operation, OperationKind, OperationState, Verdict};
use crate::service::unmet::Unmet;

/// So many terminals must bear witness before the backup starts by itself.
const WITNESSES: usize = 3;

/// Longer between two looks it is not known what was.
const GAP: Duration = Duration::from_secs(1);

/// Since when something is so, as far as it was looked at all the time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lasting(Option<(Instant, Instant)>);

impl Lasting {
    /// It is so now, or not. Returns for how long it has been.
    pub(super) fn is(&mut self, so: bool, now: Instant) -> Option<Duration> {
        let known = self.0.filter(|(_, looked_at)| now.saturating_duration_since(*looked_at) < GAP);
        self.0 = so.then(|| (known.map_or(now, |(since, _)| since), now));
        self.0.map(|(since, _)| now.saturating_duration_since(since))
    }

    /// In how many milliseconds it will have been so for `long`, where it is so.
    fn left_ms(&self, long: Duration) -> Option<u64> {
        let (since, _) = self.0?;
        u64::try_from(long.saturating_sub(since.elapsed()).as_millis()).ok()
    }
}

impl Machine {
    /// Why the two do not talk, where that is known.
    pub(super) fn why_unmet(&self) -> Option<Unmet> {
        if self.member.other.is_none() { Some(Unmet::NobodyJoined) } else { self.unmet.clone() }
    }

    /// Gives the main its place, where that has been possible for as long as it is to be.
    pub(super) async fn return_alone(&mut self) -> Result<(), MachineError> {
        let may = self.may_return_alone();
        if self.turning.well.is(may, Instant::now()).is_none_or(|long| long < self.store.returning.after) {
            return Ok(());
        }
        self.turning.well = Lasting::default();
        // What stands against it after all is in the diary: that is the newest entry then, and a person is to look.
        let command = Command::Return { by: NOBODY.to_owned(), reason: None };
        self.turn_over(command, oneshot::channel().0).await
    }

    /// In how many milliseconds that will be, where it is waited for.
    pub(super) fn returns_in_ms(&self) -> Option<u64> {
        self.turning.well.left_ms(self.store.returning.after)
    }

    /// Starts the backup, where the terminals have said for as long as it is to be that the main is down.
    pub(super) async fn promote_alone(&mut self) -> Result<(), MachineError> {
        let may = self.may_promote_alone();
        if self.turning.down.is(may, Instant::now()).is_none_or(|long| long < self.store.promote.after) {
            return Ok(());
        }
        self.turning.down = Lasting::default();
        let (by, yes, accept_loss, unlock) = (NOBODY.to_owned(), false, false, false);
        let command = Command::Promote { by, yes, accept_loss, unlock, reason: None, numbers: vec![], as_of: None };
        self.turn_over(command, oneshot::channel().0).await
    }

    /// In how many milliseconds that will be, where it is waited for.
    pub(super) fn starts_in_ms(&self) -> Option<u64> {
        self.turning.down.left_ms(self.store.promote.after)
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
    operation.kind.is_turn() && (operation.state != OperationState::Refused || operation.is_by_itself())
}

/// Whether the server was started by it without having been given the place.
fn is_start(operation: &Operation) -> bool {
    matches!(operation.kind, OperationKind::Promote | OperationKind::Start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_looked_at_for_a_while_has_not_lasted() {
        let (mut lasting, begun) = (Lasting::default(), Instant::now());
        let at = |ms| begun + Duration::from_millis(ms);
        assert_eq!(lasting.is(false, begun), None);
        assert_eq!(lasting.is(true, at(200)), Some(Duration::ZERO));
        assert_eq!(lasting.is(true, at(900)), Some(Duration::from_millis(700)));
        assert_eq!(lasting.is(true, at(40_000)), Some(Duration::ZERO), "this machine stood still");
        assert_eq!(lasting.is(true, at(40_500)), Some(Duration::from_millis(500)));
        assert_eq!((lasting.is(false, at(40_600)), lasting.left_ms(Duration::ZERO)), (None, None));
    }
}
