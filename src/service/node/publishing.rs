//! How the machine stands is told: to screens and scripts here, to the other machine, to the terminals.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::standing::Known;
use super::{Machine, keeping, stalling, stillness};
use crate::os::ground;
use crate::pair::Duty;
use crate::service::book::Book;
use crate::service::member::role;
use crate::service::status::{Call, Folders, Operation, OperationState, Status};

/// How often at the most a new status is published.
const PUBLISH: Duration = Duration::from_millis(100);
/// How often one is published where nothing happens.
const REST: Duration = Duration::from_secs(1);

impl Machine {
    pub(super) fn publish_soon(&mut self) {
        self.due = self.due.min(Instant::now() + PUBLISH);
    }

    pub(super) fn publish_now(&mut self) {
        self.due = Instant::now() + REST;
        for what in self.keeper.noticed() {
            self.standing.noted(what, ground::now());
        }
        let status = self.status();
        self.tell_terminals();
        if self.pair.duty() != Duty::Serving
            && let Some(session) = &self.session
        {
            // Each keeps a diary of its own: on a slow line there is room for better things. Of two that ran at once one alone is shown.
            let history = self.keeper.ended(ground::now()).cloned().collect();
            session.stand(Status { history, ..status.clone() });
        }
        self.publish.send_replace(Some(Arc::new(status)));
    }

    /// How it stands.
    pub(super) fn status(&mut self) -> Status {
        self.listen();
        let now = ground::now();
        let own = self.datasets_stand(now);
        let theirs = self.their_status.as_deref().filter(|_| self.pair.duty() == Duty::Serving);
        let blank = || Book::new(&self.store.name, Folders::default()).status(&self.pair, now);
        let mut status = theirs.cloned().or(own).unwrap_or_else(blank);
        if let Some(days) = &mut self.days {
            days.complete(&mut status);
            days.news().iter().for_each(|what| self.keeper.event("", what));
        }
        self.far.weigh(self.is_without_server(), Instant::now());
        let stalled = self.stalled();
        let known = Known {
            store: &self.store,
            pair: &self.pair,
            heart: &self.heart,
            theirs: self.theirs.clone(),
            unmet: self.why_unmet(),
            apart: self.apart,
            has_twin: self.has_twin,
            program: self.program.as_ref(),
            far: self.far,
            witnessed: self.witnessed(),
            home: &self.home,
            others: keeping::troubles(&self.keeper, &self.proofs, self.unsaved.as_ref())
                .into_iter()
                .chain(self.twin.trouble())
                .chain(stalling::trouble(&stalled))
                .chain(self.till_troubles())
                .chain(stillness::trouble(&self.home).filter(|_| self.pair.duty() == Duty::Serving))
                .chain(self.drill_trouble(now))
                .chain(self.dump_troubles())
                .collect(),
        };
        for what in self.standing.complete(&mut status, &known, now) {
            tracing::info!(event = ?what);
            self.keeper.event("", &what);
        }
        status.stalled.extend(stalled);
        status.alarms.sort_by_key(|alarm| alarm.trouble.is_hint());
        self.tell_operations(&mut status);
        self.tell_drills(&mut status);
        self.tell_states(&mut status);
        self.tell_dumps(&mut status);
        // The diary keeps them by what a machine was set up as: that stays.
        for kept in status.operation.iter_mut().chain(&mut status.history) {
            kept.node = kept.node.map(|node| role(&self.store, node));
        }
        (status.terminals, status.devices) = (self.terminals_stand(), self.devices_stand());
        status.plans = self.plans(&status);
        status.maintained = self.maintained(now).cloned();
        status.maintenance = status.maintained.is_some();
        status.returns_in_ms = self.returns_in_ms();
        self.tell_numbers(&mut status);
        status.starts_in_ms = self.starts_in_ms();
        status.call = Call::default();
        if let Some(caller) = &mut self.caller {
            caller.complete(&mut status);
        }
        status
    }

    /// What the status says of operations: the last ones of this machine's diary, and the one that runs or ran last on either.
    fn tell_operations(&self, status: &mut Status) {
        status.history = self.keeper.history().to_vec();
        // What a machine said of an operation before it fell silent may be over since.
        let is_over = |known: &Operation| {
            self.keeper.history().iter().any(|kept| kept.id == known.id && kept.state != OperationState::Running)
        };
        status.operation.take_if(|known| known.state == OperationState::Running && is_over(known));
        if let Some(shown) = self.turning.job.shown(self.heart.is_heard(Instant::now()))
            && status.operation.as_ref().is_none_or(|known| is_newer(shown, known))
        {
            status.operation = Some(shown.clone());
        }
    }
}

/// Whether an operation is to be shown rather than another one: it runs, or began later.
pub(super) fn is_newer(this: &Operation, other: &Operation) -> bool {
    let weight = |one: &Operation| (one.state == OperationState::Running, one.started_at);
    weight(this) > weight(other)
}
