//! A machine that serves and is alone. Where the store says so its POS server stops after a while: everybody else may be on the other
//! side of a cut, with another server.

use tokio::time::Instant;

use super::Machine;
use super::alone::Lasting;
use super::pos::Program;
use crate::pair::Duty;
use crate::service::status::Trouble;

/// What is known of it.
#[derive(Debug, Default)]
pub(super) struct Isolation {
    /// Since when it is alone.
    lasts: Lasting,
    /// Its POS server is stopped for that.
    has_stopped: bool,
    /// It has heard somebody since it serves: who begins alone, by somebody's word, is not stopped again.
    had_company: bool,
}

impl Machine {
    /// Stops the POS server where it has been alone for so long as that is borne; and starts it again when somebody who has seen no
    /// higher epoch is heard.
    pub(super) async fn leave_nobody_behind(&mut self) {
        let Some(limit) = self.store.terminals.as_ref().and_then(|terminals| terminals.isolated_stop) else {
            return;
        };
        let now = Instant::now();
        if self.turning.is_freezing() {
            return;
        }
        let serves = self.pair.duty() == Duty::Serving && self.member.other.is_some();
        let hears = self.hears_anybody(now);
        let isolation = &mut self.turning.isolation;
        isolation.had_company |= serves && hears;
        // An evening is no cut: the other machine has said goodbye. And what a person began is not undone while it runs.
        let is_meant = self.pair.record().goodbye || self.turning.job.running().is_some();
        let is_alone = serves && !hears && isolation.had_company && !is_meant;
        let is_long = self.turning.isolation.lasts.is(is_alone, now).is_some_and(|long| long >= limit);
        if is_long && self.program.as_mut().is_some_and(Program::stop_if_wanted) {
            self.turning.isolation.has_stopped = true;
        }
        if self.turning.isolation.has_stopped && hears && self.is_confirmed(now) {
            self.turning.isolation.has_stopped = false;
            if serves {
                self.start_program(self.pair.record().epoch).await;
            }
        }
    }

    fn hears_anybody(&self, now: Instant) -> bool {
        self.session.is_some() || self.heart.is_heard(now) || self.witnesses().iter().any(|one| one.is_fresh(now))
    }

    /// Somebody is heard who has seen no higher epoch than this machine's own.
    fn is_confirmed(&self, now: Instant) -> bool {
        let epoch = self.pair.record().epoch;
        let agrees = self.witnesses().iter().any(|one| one.is_fresh(now) && one.vote.epoch <= epoch);
        agrees || self.session.as_ref().is_some_and(|session| session.has_said)
    }

    /// What is wrong with what is around both machines, and with this one as a till.
    pub(super) fn till_troubles(&self) -> impl Iterator<Item = Trouble> {
        let alone = self.turning.isolation.has_stopped.then_some(Trouble::StoppedAlone);
        // Where the program itself is known to run, its port says nothing more.
        let is_known = self.program.as_ref().is_some_and(Program::is_stray);
        let port = self.own_till.trouble(Instant::now()).filter(|_| !is_known);
        alone.into_iter().chain(port).chain(self.device_trouble())
    }
}
