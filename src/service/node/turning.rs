//! Changes of server: what a person may ask for, and what each step of it calls for.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::note::Note;
use super::pos::Program;
use super::{Machine, MachineError};
use crate::pair::{Duty, Epoch, Event, Node};
use crate::service::command::{Command, Reply};
use crate::service::receiving::Order;
use crate::service::refusal::WhyNot;
use crate::service::status::{PeerState, Server, Status};

/// So long the POS server may take to stop at the most: it has a limit of its own.
const STOPPING: Duration = Duration::from_secs(600);

/// The POS server stands still, or is about to, to give its place away.
#[derive(Clone, Copy, Debug)]
pub(super) struct Freezing {
    /// Since when it stands still.
    since: Option<Timestamp>,
    /// Until when that is borne.
    until: Instant,
}

/// So long the other machine is waited for in the morning, where it ended in order in the evening.
const MORNING: Duration = Duration::from_secs(10);

/// So long it may take to bring the other machine level while the POS server stands still.
const STANDSTILL: Duration = Duration::from_secs(30);

impl Machine {
    /// Does what a person asks for, if it may be done now.
    pub(super) async fn turn_over(
        &mut self,
        command: Command,
        answer: oneshot::Sender<Reply>,
    ) -> Result<(), MachineError> {
        if let Command::Return { .. } = command
            && self.pair.duty() != Duty::Serving
            && let Some(session) = &self.session
        {
            self.asked += 1;
            session.say(Note::Ask { number: self.asked, command });
            self.answers.insert(self.asked, answer);
            return Ok(());
        }
        let (why, event) = match &command {
            Command::Promote { yes, accept_loss, .. } => (self.against_promote(*yes, *accept_loss), Event::Promote),
            Command::Start { .. } => (self.against_start(), Event::Start),
            _ => (self.against_return(), Event::Return),
        };
        if !why.is_empty() {
            let _ = answer.send(Reply::Refused { why });
            return Ok(());
        }
        tracing::warn!(?command, "a change of server begins");
        let _ = answer.send(Reply::Done);
        self.step(event).await
    }

    /// Every reason against starting the server on this machine.
    fn against_promote(&mut self, yes: bool, accept_loss: bool) -> Vec<WhyNot> {
        let status = self.status();
        let mut why = vec![];
        if self.pair.duty() == Duty::Serving {
            return vec![WhyNot::ServesAlready];
        }
        if self.pair.is_resuming() {
            return vec![WhyNot::WasServer];
        }
        if matches!(status.peer.state, PeerState::Healthy | PeerState::Late) {
            why.push(WhyNot::OtherHealthy);
        }
        if status.mirror.as_of.is_none() {
            why.push(WhyNot::NoCopy);
        }
        why.extend(self.days.as_ref().and_then(|days| days.may_start().err()));
        let limit_ms = u64::try_from(self.store.mirror.max_age.as_millis()).unwrap_or(u64::MAX);
        if status.mirror.behind_ms > limit_ms && !accept_loss {
            why.push(WhyNot::CopyOld { age_ms: status.mirror.behind_ms, limit_ms });
        }
        if !status.questions.is_empty() && !accept_loss {
            why.push(WhyNot::QuestionOpen);
        }
        if why.is_empty() && !yes {
            // Two machines cannot tell a dead one from a cut cable.
            why.push(WhyNot::NobodyKnows);
        }
        why
    }

    fn against_start(&self) -> Vec<WhyNot> {
        match self.pair.duty() {
            Duty::Serving => vec![WhyNot::ServesAlready],
            _ if !self.pair.is_resuming() => vec![WhyNot::WasNoServer],
            _ => vec![],
        }
    }

    /// Every reason against giving the place of the server to the other machine.
    fn against_return(&mut self) -> Vec<WhyNot> {
        let status = self.status();
        if self.pair.duty() != Duty::Serving {
            return vec![WhyNot::ServesNot];
        }
        if self.member.node == Node::Main {
            return vec![WhyNot::MainServes];
        }
        let mut why = vec![];
        if self.session.is_none() || status.peer.state == PeerState::Lost {
            why.push(WhyNot::Unheard);
        }
        if self.their_status.as_ref().is_none_or(|theirs| theirs.mirror.as_of.is_none()) {
            why.push(WhyNot::NoCopy);
        }
        if !status.questions.is_empty() {
            why.push(WhyNot::QuestionOpen);
        }
        why
    }

    /// Listens to the server; opens the mirrors where this machine has none yet.
    pub(super) fn follow(&mut self, epoch: Epoch) -> Result<(), MachineError> {
        // What a program still writes is not to be mirrored over.
        if self.program.as_mut().is_some_and(|program| program.stop_if_wanted() || program.stands != Server::Stopped) {
            self.follows = Some(epoch);
            return Ok(());
        }
        if self.lanes.is_empty() {
            self.receive(epoch)?;
            // Each mirror needs a way of its own again.
            self.hang_up();
        }
        for lane in &self.lanes {
            let _ = lane.orders.send(Order::Follow { epoch });
        }
        Ok(())
    }

    /// Receives nothing more, and applies what was acknowledged.
    pub(super) async fn drain(&mut self) -> Result<Event, MachineError> {
        let seq = self.status().mirror.position.seq;
        self.end_lanes().await?;
        Ok(Event::Drained { seq })
    }

    /// Ends what is sent or received, and waits for that.
    pub(super) async fn end_lanes(&mut self) -> Result<(), MachineError> {
        self.hang_up();
        let (lanes, mut failed) = (std::mem::take(&mut self.lanes), None);
        self.freezing = None;
        for lane in lanes {
            let dataset = lane.name.clone();
            let ended = tokio::task::spawn_blocking(move || lane.end()).await.map_err(std::io::Error::other)?;
            if let Err(why) = ended {
                failed = Some(MachineError::Dataset { dataset, why });
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// The POS server is stopped, if one runs; what the mirror holds later than that is all there is.
    pub(super) fn freeze(&mut self) {
        let runs = self.program.as_mut().is_some_and(Program::stop_if_wanted);
        let since = (!runs).then(Timestamp::now);
        self.freezing = Some(Freezing { since, until: Instant::now() + if runs { STOPPING } else { STANDSTILL } });
    }

    /// The POS server has stopped, or it may not be: then nothing is given.
    pub(super) fn has_stopped(&mut self, kept: bool) {
        if let Some(freezing) = &mut self.freezing {
            let until = Instant::now() + if kept { Duration::ZERO } else { STANDSTILL };
            *freezing = Freezing { since: (!kept).then(Timestamp::now), until };
        }
    }

    /// The POS server goes on.
    pub(super) fn unfreeze(&mut self) {
        self.freezing = None;
        let epoch = self.pair.record().epoch;
        if let Some(program) = &mut self.program {
            program.start(epoch);
        }
    }

    /// The mirror says how it stands: it may be level with a server that stands still.
    pub(super) async fn is_level(&mut self, status: &Status) -> Result<(), MachineError> {
        let Some(since) = self.freezing.as_ref().and_then(|freezing| freezing.since) else { return Ok(()) };
        let level = status.mirror.as_of.is_some_and(|as_of| as_of > since) && status.mirror.behind_ms == 0;
        if !level {
            return Ok(());
        }
        self.freezing = None;
        self.step(Event::Level { seq: status.mirror.position.seq }).await
    }

    /// Says to the other machine that it is to serve.
    pub(super) fn grant(&self, to: Epoch, at: u64) {
        if let Some(session) = &self.session {
            session.say(Note::Grant { to, at });
        }
    }

    /// What time alone calls for.
    pub(super) async fn wait_over(&mut self) -> Result<(), MachineError> {
        if let Some(epoch) = self.follows.take() {
            self.follow(epoch)?;
        }
        if self.freezing.as_ref().is_some_and(|freezing| Instant::now() >= freezing.until) {
            self.freezing = None;
            self.step(Event::NotLevel).await?;
        }
        if self.pair.is_resuming() && !self.unheard && self.began.elapsed() >= MORNING {
            self.unheard = true;
            self.step(Event::Unheard).await?;
        }
        let whole = !self.lanes.is_empty() && self.lanes.iter().all(|lane| lane.book.is_whole());
        if self.pair.record().strays && self.pair.duty() == Duty::Mirroring && whole {
            self.step(Event::Gathered).await?;
        }
        Ok(())
    }
}
