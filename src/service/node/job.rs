//! The change of server that runs, or ran last: a stored job, whose steps are marked as they are done. Nothing is done for it
//! before the diary has it; who asked for it may be gone long since.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::note::Note;
use super::{Machine, MachineError};
use crate::os::{ground, point};
use crate::pair::{Claim, Duty, Event, Node};
use crate::service::command::Reply;
use crate::service::keeper::INTERRUPTED;
use crate::service::refusal::WhyNot;
use crate::service::status::{Operation, OperationKind, OperationState, PeerState, Server, Step};

/// So long the other machine may be silent while everything is copied back to it.
const SILENCE: Duration = Duration::from_secs(60);

/// Where no more than so many bytes are known to be missing, the terminals may wait for the rest. Its age says nothing: files that
/// never hold still are copied late, however few they are.
const NEARLY_BYTES: u64 = 16 << 20;

/// A change of server that ended so long ago is told to a machine that is met anew.
const TOLD_AGAIN: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// The change of server of this machine that runs, or ran last, and that of the other one.
#[derive(Debug, Default)]
pub(super) struct Job {
    own: Option<Operation>,
    theirs: Option<Operation>,
    /// Why what runs comes to another end than it should.
    pub(super) ending: Option<WhyNot>,
    /// Until when its POS server may take to answer, or the other machine to be heard.
    until: Option<Instant>,
}

impl Job {
    /// The one of this machine, while it runs.
    pub(super) fn running(&self) -> Option<&Operation> {
        self.own.as_ref().filter(|own| own.state == OperationState::Running)
    }

    /// The one that runs on either machine; else the one that began last. Of a machine that is not heard nobody knows whether
    /// anything runs there still.
    pub(super) fn shown(&self, is_heard: bool) -> Option<&Operation> {
        let known = |theirs: &&Operation| is_heard || theirs.state != OperationState::Running;
        let both = [self.own.as_ref(), self.theirs.as_ref().filter(known)];
        let runs = |one: &&Operation| one.state == OperationState::Running;
        both.into_iter().flatten().max_by_key(|one| (runs(one), one.started_at))
    }

    /// The POS server has its whole time to begin to answer.
    pub(super) fn wait_anew(&mut self) {
        self.until = None;
    }

    /// It ran when the service ended, and goes on.
    pub(super) fn resume(&mut self, operation: &Operation) {
        self.own = Some(operation.clone());
    }

    /// The other machine tells of its own.
    pub(super) fn hear(&mut self, operation: Operation) {
        self.theirs = Some(operation);
    }

    /// Whether `step` is the one that is to be done now.
    fn is_at(&self, step: Step) -> bool {
        self.running().is_some_and(|own| own.at() == Some(step))
    }
}

impl Operation {
    /// The step that runs.
    #[must_use]
    pub fn at(&self) -> Option<Step> {
        self.kind.steps().get(usize::try_from(self.step).ok()?.checked_sub(1)?).copied()
    }

    /// `step` is done, and all before it.
    pub(super) fn passed(&mut self, step: Step, now: Timestamp) -> bool {
        let Some(done) = self.kind.steps().iter().position(|known| *known == step) else { return false };
        if self.state != OperationState::Running || self.steps_at.len() > done {
            return false;
        }
        self.steps_at.resize(done + 1, now);
        self.step = u32::try_from(done + 2).unwrap_or(self.steps).min(self.steps);
        true
    }
}

impl Machine {
    /// Begins a change of server, once it is in the diary.
    pub(super) async fn begin_job(&mut self, kind: OperationKind, by: &str, reason: Option<String>) -> Reply {
        self.interrupt_job().await;
        self.give_up_drill().await;
        let mut own = Operation::begun(self.keeper.next_id(), kind, by, ground::now());
        own.reason = reason;
        own.node = Some(self.member.node);
        if kind.gives() {
            own.limit_ms = Some(self.hold_ms());
        }
        let operation = own.id;
        tracing::warn!(?kind, by, "a change of server begins");
        self.turning.job = Job { own: Some(own), theirs: self.turning.job.theirs.take(), ending: None, until: None };
        self.keep_job().await;
        Reply::Running { operation }
    }

    /// What ran when the service ended, and did not go on, goes on no more.
    async fn interrupt_job(&mut self) {
        let Some(own) = self.turning.job.own.as_mut().filter(|own| own.state == OperationState::Running) else {
            return;
        };
        own.fail(INTERRUPTED, ground::now());
        self.keep_job().await;
    }

    /// A step of the change of server that runs is done, if it has such a step.
    pub(super) async fn passed(&mut self, step: Step) {
        if self.turning.job.own.as_mut().is_some_and(|own| own.passed(step, ground::now())) {
            self.keep_job().await;
        }
    }

    /// The change of server that runs has come to its end, if one runs.
    pub(super) async fn end_job(&mut self, end: Result<(), WhyNot>) {
        let Some(own) = self.turning.job.own.as_mut().filter(|own| own.state == OperationState::Running) else {
            return;
        };
        let now = ground::now();
        match end {
            Ok(()) => {
                let all = own.kind.steps().len();
                own.steps_at.resize(all, now);
                own.end(OperationState::Done, now);
            }
            Err(why) => own.fail(&why.stored(), now),
        }
        self.turning.job.ending = None;
        self.keep_job().await;
    }

    async fn keep_job(&mut self) {
        let has_given = matches!(self.pair.record().claim, Claim::Given { .. });
        self.name_job();
        let Some(own) = &mut self.turning.job.own else { return };
        let before_that = own.at().is_some_and(|step| step != Step::HandOver) && !has_given;
        own.can_cancel = own.kind.gives() && own.state == OperationState::Running && before_that;
        let own = own.clone();
        point!("turn.job-one-unwritten");
        self.keeper.follow(&own, self.member.node).await;
        point!("turn.job-one-written");
        if let Some(session) = &self.session {
            session.say(Note::Operation(Box::new(own)));
        }
        self.publish_soon();
    }

    /// The shop's own programs are told for which change of server they are run.
    pub(super) fn name_job(&mut self) {
        let shown = self.turning.job.shown(true).filter(|shown| shown.state == OperationState::Running);
        let operation = shown.map(|shown| shown.id);
        if let Some(program) = &mut self.program {
            program.is_for(operation);
        }
    }

    /// Tells the machine that was met of the changes of server that run here, or ended not long ago: it may not have heard their ends.
    pub(super) fn say_job(&self) {
        let Some(session) = &self.session else { return };
        let own = self.turning.job.own.as_ref();
        let before = self.keeper.turns().filter(|known| own.is_none_or(|own| own.id != known.id));
        let is_recent =
            |one: &&Operation| one.ended_at.is_none_or(|ended| ground::now().duration_since(ended) < TOLD_AGAIN);
        for operation in before.chain(own).filter(is_recent) {
            session.say(Note::Operation(Box::new(operation.clone())));
        }
    }

    /// What ran when the service ended is taken up again: what it had reached shows in what this machine is.
    pub(super) async fn resume_job(&mut self, operation: Operation, claim: &Claim) {
        self.turning.job.resume(&operation);
        if matches!(operation.kind, OperationKind::Promote | OperationKind::Start) && *claim != Claim::Serving {
            // Nothing was taken yet that could be gone on with: a person looks again, and presses again.
            return self.interrupt_job().await;
        }
        if operation.kind.gives()
            && let Some(own) = &mut self.turning.job.own
            && *claim == Claim::Serving
        {
            // It serves on: all that led to the hand-over is done once more.
            (own.step, own.steps_at) = (1, vec![]);
        }
        self.keep_job().await;
    }

    /// Does what is next of the change of server that runs.
    pub(super) async fn go_on(&mut self) -> Result<(), MachineError> {
        let Some(kind) = self.turning.job.running().map(|own| own.kind) else { return Ok(()) };
        match kind {
            OperationKind::Promote | OperationKind::Start => self.go_on_starting().await,
            OperationKind::Return | OperationKind::Switch if self.turning.job.is_at(Step::HandOver) => {
                self.go_on_handing_over().await;
            }
            OperationKind::Return | OperationKind::Switch => return self.go_on_copying_back().await,
            OperationKind::Adopt => return self.go_on_adopting().await,
            OperationKind::Verify | OperationKind::Reseed | OperationKind::Drill => {}
        }
        Ok(())
    }

    /// This machine has become the server, or not: its POS server is to answer.
    async fn go_on_starting(&mut self) {
        if self.pair.duty() != Duty::Serving {
            if !self.pair.is_turning() && !self.pair.is_resuming() {
                self.end_job(Err(WhyNot::ServerLives)).await;
            }
            return;
        }
        let end = self.has_started();
        if end.is_some() {
            self.end_job(end.unwrap_or(Ok(()))).await;
        }
    }

    /// Whether the POS server of this machine has begun to answer, or will not.
    pub(super) fn has_started(&mut self) -> Option<Result<(), WhyNot>> {
        // One that the licence holds is not started: the data are served all the same.
        let Some(program) = self.program.as_ref().filter(|program| !program.held) else { return Some(Ok(())) };
        if program.stands == Server::Ready {
            return Some(Ok(()));
        }
        let until = *self.turning.job.until.get_or_insert_with(|| Instant::now() + program.setup.server.ready.timeout);
        let why = program.why_down().filter(|why| why.is_final() || Instant::now() >= until)?;
        Some(Err(WhyNot::ServerDown { why: Some(why.clone()) }))
    }

    /// The other machine is to be given everything while this one serves; then the terminals wait.
    async fn go_on_copying_back(&mut self) -> Result<(), MachineError> {
        if self.pair.duty() != Duty::Serving {
            if self.pair.duty() == Duty::Mirroring {
                self.end_job(Err(WhyNot::ServesNot)).await;
            }
            return Ok(());
        }
        let is_there =
            self.session.is_some() && self.theirs.as_ref().is_some_and(|(duty, ..)| *duty == Duty::Mirroring);
        if !is_there {
            let until = *self.turning.job.until.get_or_insert_with(|| Instant::now() + SILENCE);
            if Instant::now() >= until {
                self.end_job(Err(WhyNot::Unheard)).await;
            }
            return Ok(());
        }
        self.turning.job.until = None;
        let Some(theirs) = &self.their_status else { return Ok(()) };
        let copied =
            theirs.mirror.as_of.is_some() && theirs.mirror.caught_up && theirs.mirror.behind_bytes < NEARLY_BYTES;
        let (gathered, is_asked) = (!theirs.strays, !theirs.questions.is_empty());
        self.passed(Step::OtherWaits).await;
        if gathered {
            self.passed(Step::SetAside).await;
        }
        if gathered && copied && !is_asked && !self.pair.is_turning() {
            self.passed(Step::CopyBack).await;
            self.passed(Step::OtherLevel).await;
            return self.step(Event::Return).await;
        }
        Ok(())
    }

    /// The place is given away: the other machine's POS server is to answer, or that machine gives the place back.
    async fn go_on_handing_over(&mut self) {
        if self.pair.duty() == Duty::Serving {
            return self.end_job(Err(WhyNot::HandedBack)).await;
        }
        let other = self.member.node.other();
        let is_theirs = Node::of_epoch(self.pair.record().epoch) == other;
        let answers = |server: Server| server == Server::Ready || self.program.is_none();
        let serves = self.theirs.as_ref().is_some_and(|(duty, server, _)| *duty == Duty::Serving && answers(*server));
        if is_theirs && serves && self.heart.state(Instant::now()) != PeerState::Lost {
            if let Some(days) = &mut self.days {
                days.returned().await;
            }
            point!("turn.day-ended");
            self.end_job(Ok(())).await;
        }
    }

    /// Cancels the change of server by which this machine gives its place away.
    pub(super) async fn cancel(&mut self, by: String) -> Result<Reply, MachineError> {
        let refused = |why| Ok(Reply::Refused { why: vec![why] });
        let Some(running) = self.turning.job.running().filter(|own| own.kind.gives()) else {
            return refused(WhyNot::NothingRuns);
        };
        if !running.can_cancel {
            return refused(WhyNot::TooLate);
        }
        tracing::warn!(by, "the return is cancelled");
        if self.pair.is_turning() {
            self.turning.job.ending = Some(WhyNot::Cancelled { by });
            self.step(Event::NotLevel).await?;
        } else {
            self.end_job(Err(WhyNot::Cancelled { by })).await;
        }
        Ok(Reply::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_step_is_done_once_and_with_all_before_it() {
        let mut own = Operation::begun(7, OperationKind::Return, "ana", at(1));
        assert_eq!((own.at(), own.steps), (Some(Step::OtherWaits), 7));
        assert!(own.passed(Step::OtherWaits, at(2)) && !own.passed(Step::OtherWaits, at(3)));
        assert_eq!((own.at(), own.steps_at.as_slice()), (Some(Step::SetAside), [at(2)].as_slice()));
        assert!(own.passed(Step::Pause, at(5)) && !own.passed(Step::CopyBack, at(6)));
        assert_eq!((own.at(), own.steps_at.len()), (Some(Step::LastChanges), 4));
        assert!(!own.passed(Step::TakeEpoch, at(7)), "it has no such step");
        assert!(own.passed(Step::HandOver, at(8)));
        assert_eq!((own.at(), own.step), (Some(Step::HandOver), 7));
    }

    #[test]
    fn what_runs_is_shown_before_what_is_over() {
        let begun = |id, second| Operation::begun(id, OperationKind::Promote, "ana", at(second));
        let mut job = Job::default();
        assert!(job.shown(true).is_none());
        job.resume(&begun(1, 10));
        let mut over = begun(2, 20);
        over.end(OperationState::Done, at(30));
        job.hear(over.clone());
        assert_eq!(job.shown(true).map(|shown| shown.id), Some(1));
        job.resume(&Operation { started_at: at(5), ..over });
        assert_eq!(job.shown(true).map(|shown| shown.started_at), Some(at(20)), "the last one");
        let mut job = Job::default();
        job.hear(begun(3, 40));
        assert!(job.shown(true).is_some() && job.shown(false).is_none(), "whoever did that is gone");
    }
}
