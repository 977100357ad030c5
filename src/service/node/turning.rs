//! Changes of server: what a person may ask for, and what each step of it calls for.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::alone::Lasting;
use super::isolated::Isolation;
use super::job::Job;
use super::keeping::Unsaved;
use super::{Machine, MachineError, numbers};
use crate::os::{ground, point};
use crate::pair::{Duty, Epoch, Event, Other};
use crate::service::command::{Command, Reply};
use crate::service::news::News;
use crate::service::plan::Consent;
use crate::service::refusal::WhyNot;
use crate::service::sending::last;
use crate::service::status::{Operation, OperationKind, PeerState, Server, Step};

/// So long the POS server may take to stop at the most: it has a limit of its own.
const STOPPING: Duration = Duration::from_secs(600);

/// So long it may take to bring the other machine level while the POS server stands still.
pub(super) const STANDSTILL: Duration = Duration::from_secs(30);

/// So long the POS server waits until most terminals know of its epoch.
const STORING: Duration = Duration::from_secs(2);

/// So long the POS server waits after a power cut until this machine and the mirror are compared.
const COMPARING: Duration = Duration::from_secs(10);

/// The change of server that is under way, as far as the core does not know of it.
#[derive(Debug, Default)]
pub(super) struct Turning {
    /// What a person asked for, as a stored job.
    pub(super) job: Job,
    /// From what it starts.
    pub(super) from: Beginning,
    /// The epoch that was given to this machine, until its POS server answers.
    pub(super) took: Option<Epoch>,
    /// The POS server stands still to give its place away.
    pub(super) freezing: Option<Freezing>,
    /// The POS server is to be started when the copy is in step.
    pub(super) starting: Option<Starting>,
    /// It is to be started when most terminals know of its epoch.
    pub(super) storing: Option<Starting>,
    /// The machine was switched off, or fell, without having been ended in order.
    pub(super) was_cut: bool,
    /// The epoch whose server is followed as soon as the POS server of this machine has stopped.
    follows: Option<Epoch>,
    /// The core was told that the other machine is not heard in the morning.
    pub(super) unheard: bool,
    /// It serves, and may be alone.
    pub(super) isolation: Isolation,
    /// Since when the terminals say that the main is down, where it may start by itself.
    pub(super) down: Lasting,
    /// Since when it could give the main its place by itself.
    pub(super) well: Lasting,
    /// This machine was the server until now, and has opened no mirror since.
    pub(super) served: bool,
}

/// From what a person has the backup start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beginning {
    /// An earlier state of the copy.
    pub(super) as_of: Option<Timestamp>,
    /// A dataset may lack what it acknowledged last: the person was told.
    pub(super) takes_less: bool,
}

/// The POS server stands still, or is about to, to give its place away.
#[derive(Clone, Copy, Debug)]
pub(super) struct Freezing {
    /// It stands still.
    stands: bool,
    /// Until when that is borne.
    until: Instant,
}

/// The POS server is to be started when something is so, or then at the latest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Starting {
    epoch: Epoch,
    until: Instant,
}

impl Turning {
    /// Whether the POS server stands still, or is about to.
    pub(super) fn is_freezing(&self) -> bool {
        self.freezing.is_some()
    }

    /// Whether it does.
    pub(super) fn stands_still(&self) -> bool {
        self.freezing.is_some_and(|freezing| freezing.stands)
    }
}

impl Machine {
    /// Does what a person asks for, if it may be done now.
    pub(super) async fn turn_over(
        &mut self,
        command: Command,
        answer: oneshot::Sender<Reply>,
    ) -> Result<(), MachineError> {
        if command.is_for_server() && self.pair.duty() != Duty::Serving && self.session.is_some() {
            self.ask_other(command, answer);
            return Ok(());
        }
        let (mut goes_on, mut from) = (vec![], Beginning::default());
        let (kind, by, given, reason) = match command {
            Command::Promote { by, yes, accept_loss, unlock, reason, numbers, as_of } => {
                from = Beginning { as_of, takes_less: accept_loss };
                let are_given = numbers::are_given(&self.status().counters, &numbers);
                goes_on = numbers;
                let given = Consent::all_of([yes, accept_loss, unlock && yes, are_given]);
                (OperationKind::Promote, by, given, reason)
            }
            Command::Start { by } => (OperationKind::Start, by, vec![Consent::Yes], None),
            Command::Cancel { by } => {
                let _ = answer.send(self.cancel(by).await?);
                return Ok(());
            }
            Command::Return { by, reason } => (OperationKind::Return, by, vec![], reason),
            Command::Switch { by, reason } => (OperationKind::Switch, by, vec![], reason),
            Command::Adopt { by, reason } => (OperationKind::Adopt, by, vec![], reason),
            _ => return Ok(()),
        };
        // Who presses a second time joins what runs; one that was interrupted waits for nobody but this person.
        let waits = matches!(kind, OperationKind::Start | OperationKind::Promote) && self.pair.is_resuming();
        let is_joined = |running: &&Operation| running.kind == kind && !waits;
        if let Some(running) = self.turning.job.running().filter(is_joined) {
            let _ = answer.send(Reply::Running { operation: running.id });
            return Ok(());
        }
        let mut why = self.plan(kind).against(&given);
        why.extend(self.why_not_behind(&goes_on));
        if !why.is_empty() {
            // A question that was not answered yet is no refusal.
            if why.iter().any(|why| matches!(why.consent(), None | Some(Consent::Unlock))) {
                self.keeper.refused(kind, &by, &why, ground::now()).await;
            }
            let _ = answer.send(Reply::Refused { why });
            return Ok(());
        }
        let other = match self.heart.state(Instant::now()) {
            PeerState::Healthy | PeerState::Late => Other::Failing,
            PeerState::Lost | PeerState::Unknown => Other::Silent,
        };
        if kind == OperationKind::Promote
            && let Err(error) = self.want_numbers(goes_on, &by)
        {
            let _ = answer.send(Reply::Refused { why: vec![WhyNot::System { error: error.to_string() }] });
            return Ok(());
        }
        self.turning.from = from;
        let reply = self.begin_job(kind, &by, reason).await;
        let _ = answer.send(reply);
        match kind {
            OperationKind::Promote => self.step(Event::Promote(other)).await,
            OperationKind::Start => self.step(Event::Start).await,
            // Its first steps are done while this machine serves on.
            OperationKind::Return | OperationKind::Switch => self.go_on().await,
            // The service begins again by it: who asked is to have its answer before.
            OperationKind::Adopt | OperationKind::Verify | OperationKind::Reseed | OperationKind::Drill => Ok(()),
        }
    }

    /// Listens to the server; opens the mirrors where this machine has none yet.
    pub(super) fn follow(&mut self, epoch: Epoch) -> Result<(), MachineError> {
        // What a program still writes is not to be mirrored over.
        if self.program.as_mut().is_some_and(|program| program.stop_if_wanted() || program.stands != Server::Stopped) {
            self.turning.follows = Some(epoch);
            return Ok(());
        }
        self.forget_numbers();
        point!("turn.follow");
        if self.lanes.is_empty() {
            self.receive(&self.pair.record().clone())?;
            // Each mirror needs a way of its own again.
            self.hang_up();
        }
        self.lanes.iter_mut().for_each(|lane| lane.follow(epoch));
        point!("turn.follows");
        Ok(())
    }

    /// Starts the POS server; after a power cut only when this machine and the mirror are compared. A program that does not
    /// make sure of what it writes may have come back with less than the mirror holds.
    pub(super) async fn start_program(&mut self, epoch: Epoch) {
        if self.turning.storing.is_none() && !self.is_stored(epoch) {
            self.turning.storing = Some(Starting { epoch, until: Instant::now() + STORING });
            return;
        }
        self.turning.storing = None;
        if !self.may_start() {
            return;
        }
        // Its ports are this machine's own as a till until then.
        self.own_till.free().await;
        let Some(program) = &mut self.program else { return };
        if std::mem::take(&mut self.turning.was_cut) && self.member.other.is_some() {
            self.order_all(last::Order::Last);
            self.turning.starting = Some(Starting { epoch, until: Instant::now() + COMPARING });
        } else {
            program.start(epoch);
        }
    }

    /// Whether the data are what the POS server is to begin with: no number and no database waits for being set.
    pub(super) fn may_start(&self) -> bool {
        self.numbers.failed.is_none() && !self.dumps.is_waited_for()
    }

    /// The terminals tell something: the POS server may have waited for that.
    pub(super) async fn stored(&mut self) -> Result<(), MachineError> {
        if let Some(storing) = self.turning.storing
            && (self.is_stored(storing.epoch) || Instant::now() >= storing.until)
        {
            self.start_program(storing.epoch).await;
            self.go_on().await?;
        }
        Ok(())
    }

    /// The POS server that waited for the copy to be in step waits no more.
    async fn go_on_to_start(&mut self) {
        let are_compared = || self.lanes.iter().all(|lane| lane.sent.compared);
        if let Some(starting) = self.turning.starting
            && (are_compared() || Instant::now() >= starting.until)
        {
            self.turning.starting = None;
            // What was not compared by then would begin anew with each sale.
            self.order_all(last::Order::GoOn);
            self.start_program(starting.epoch).await;
        }
    }

    /// The POS server is stopped, if one runs; what there is then is all.
    pub(super) async fn freeze(&mut self) {
        (self.turning.starting, self.turning.storing) = (None, None);
        self.turning.isolation = Isolation::default();
        self.order_all(last::Order::GoOn);
        point!("turn.freeze");
        // One that is being stopped already is waited for.
        let runs =
            self.program.as_mut().is_some_and(|program| program.stop_if_wanted() || program.stands != Server::Stopped);
        self.turning.freezing = Some(Freezing { stands: false, until: Instant::now() + STOPPING });
        if !runs {
            self.stands_still().await;
        }
    }

    /// The POS server has stopped, or it may not be: then nothing is given.
    pub(super) async fn has_stopped(&mut self, kept: bool) -> Result<(), MachineError> {
        match self.turning.freezing {
            None | Some(Freezing { stands: true, .. }) => Ok(()),
            Some(_) if kept => {
                self.turning.job.ending = Some(WhyNot::StopRefused);
                self.step(Event::NotLevel).await
            }
            Some(_) => {
                self.stands_still().await;
                Ok(())
            }
        }
    }

    async fn stands_still(&mut self) {
        self.turning.freezing = Some(Freezing { stands: true, until: Instant::now() + STANDSTILL });
        point!("turn.stands-still");
        self.passed(Step::Pause).await;
        if !self.numbers_go_along().await {
            // Nothing is given away.
            self.turning.freezing = Some(Freezing { stands: true, until: Instant::now() });
            return;
        }
        match self.dump_once_more() {
            Some(longer) => {
                let until = Instant::now() + STANDSTILL + longer;
                self.turning.freezing = Some(Freezing { stands: true, until });
            }
            None => self.all_is_written(),
        }
    }

    /// Nothing is written any more, and all databases are dumped: all is sent.
    pub(super) fn all_is_written(&mut self) {
        self.lanes.iter_mut().for_each(|lane| (lane.sent.all, lane.sent.level) = (false, None));
        self.order_all(last::Order::Last);
    }

    fn order_all(&self, order: last::Order) {
        for lane in &self.lanes {
            let _ = lane.source.send(order);
        }
    }

    /// The POS server goes on.
    pub(super) async fn unfreeze(&mut self) {
        self.turning.freezing = None;
        self.dump_on();
        self.order_all(last::Order::GoOn);
        self.start_program(self.pair.record().epoch).await;
        let limit_ms = u64::try_from(STANDSTILL.as_millis()).unwrap_or(u64::MAX);
        let why = self.turning.job.ending.take().unwrap_or(WhyNot::NotLevel { limit_ms });
        self.end_job(Err(why)).await;
    }

    /// A source says how far it is: it may be that nothing is left to be sent.
    pub(super) async fn sent(&mut self, lane: usize, news: &News) -> Result<(), MachineError> {
        let Some(lane) = self.lanes.iter_mut().find(|known| known.number == lane) else { return Ok(()) };
        match news {
            News::AllSent => lane.sent.all = true,
            // One that was asked for before may come late: it says nothing of what was written since.
            News::Level { seq } => (lane.sent.level, lane.sent.compared) = (lane.sent.all.then_some(*seq), true),
            News::NotLevel => lane.sent.compared = true,
            _ => return Ok(()),
        }
        self.go_on_to_start().await;
        if matches!(news, News::NotLevel) {
            return self.step(Event::NotLevel).await;
        }
        if self.turning.freezing.is_some_and(|freezing| freezing.stands) {
            if self.lanes.iter().all(|lane| lane.sent.all) {
                self.passed(Step::LastChanges).await;
            }
            let level: Option<u64> = self.lanes.iter().map(|lane| lane.sent.level).sum();
            if let Some(seq) = level {
                self.turning.freezing = None;
                point!("turn.level");
                self.passed(Step::Compare).await;
                return self.step(Event::Level { seq }).await;
            }
        }
        Ok(())
    }

    /// What time alone calls for.
    pub(super) async fn wait_over(&mut self) -> Result<(), MachineError> {
        if let Some(epoch) = self.turning.follows.take() {
            self.follow(epoch)?;
        }
        if self.unsaved.as_ref().is_some_and(Unsaved::is_due) {
            self.save_again().await?;
        }
        self.stored().await?;
        self.go_on_to_start().await;
        self.hand_back().await?;
        if self.turning.freezing.as_ref().is_some_and(|freezing| Instant::now() >= freezing.until) {
            self.step(Event::NotLevel).await?;
        }
        self.resume_if_sure().await?;
        let whole = !self.lanes.is_empty() && self.lanes.iter().all(|lane| lane.book.is_whole());
        let strays = self.pair.record().strays && self.pair.duty() == Duty::Mirroring;
        if strays && whole && self.dumps_are_aside().await {
            self.all_is_found().await;
            self.step(Event::Gathered).await?;
        }
        self.note_receipts();
        self.leave_nobody_behind().await;
        self.pass_on().await;
        self.tell_devices();
        self.promote_alone().await?;
        self.return_alone().await?;
        self.go_on().await
    }
}
