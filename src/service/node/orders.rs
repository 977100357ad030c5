//! What people and scripts ask for.

use std::collections::HashMap;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::Machine;
use super::note::Note;
use super::standing::QUESTIONS;
use crate::os::ground;
use crate::pair::Duty;
use crate::service::command::{Command, Reply};
use crate::service::event::What;
use crate::service::keeper::INTERRUPTED;
use crate::service::receiving::Order;
use crate::service::refusal::WhyNot;
use crate::service::status::{Ask, OperationKind};

/// What was asked of the other machine and is not answered yet.
#[derive(Debug, Default)]
pub(super) struct AskedOther {
    /// The number of the last question.
    number: u64,
    pub(super) answers: HashMap<u64, oneshot::Sender<Reply>>,
}

impl Machine {
    pub(super) async fn asked(&mut self, command: Command, answer: oneshot::Sender<Reply>) {
        let for_mirror = matches!(
            command,
            Command::Verify { .. } | Command::Reseed { .. } | Command::Answer { .. } | Command::Drill { .. }
        );
        let command = match command {
            Command::Check { far: false } => return self.examine(move |reply| drop(answer.send(reply))).await,
            Command::Check { far: true } => Command::Check { far: false },
            command if for_mirror && self.pair.duty() == Duty::Serving => command,
            Command::Copy { name, by } if !self.has_stalled(&name) && self.session.is_some() => {
                Command::Copy { name, by }
            }
            Command::GiveUpAside { name, by } if !self.waits_for_aside(&name) && self.session.is_some() => {
                Command::GiveUpAside { name, by }
            }
            command => {
                let _ = answer.send(self.command(command).await);
                return;
            }
        };
        self.ask_other(command, answer);
    }

    /// Asks the other machine, which alone can do that.
    pub(super) fn ask_other(&mut self, command: Command, answer: oneshot::Sender<Reply>) {
        let why = match &self.session {
            None => WhyNot::Unheard,
            Some(session) if !session.knows(&command) => WhyNot::OtherOlder,
            Some(session) => {
                self.asked.number += 1;
                session.say(Note::Ask { number: self.asked.number, command });
                self.asked.answers.insert(self.asked.number, answer);
                return;
            }
        };
        let _ = answer.send(Reply::Refused { why: vec![why] });
    }

    pub(super) async fn command(&mut self, command: Command) -> Reply {
        let now = ground::now();
        match command {
            Command::Status | Command::Watch | Command::Who | Command::Pin { .. } => {
                Reply::Status(Box::new(self.status()))
            }
            // What ends the service or turns it over is taken before, and so is what takes a while.
            Command::Stop { .. }
            | Command::Promote { .. }
            | Command::Return { .. }
            | Command::Switch { .. }
            | Command::Adopt { .. }
            | Command::Start { .. }
            | Command::Cancel { .. }
            | Command::Check { .. } => Reply::Done,
            Command::Invite { role, by } => self.invite(role, &by),
            Command::InviteTerminal { name, by } => self.invite_terminal(&name, &by),
            Command::Message { text, by } => self.write_to_terminals(text, by),
            Command::Revoke { name, by } => self.revoke(&name, &by),
            Command::Mute { by } => self.mute(&by),
            Command::Maintenance { seconds, by } => self.maintain(seconds.map(std::time::Duration::from_secs), &by),
            Command::NumbersSet { by } => self.numbers_set(&by).await,
            Command::Copy { name, by } => self.take_up_now(&name, &by),
            Command::Verify { by } => {
                let comparing = self.lanes.iter().find(|lane| lane.book.operations.is_comparing());
                if let Some(running) = comparing.and_then(|lane| lane.book.operations.last()) {
                    return Reply::Running { operation: running.id };
                }
                // What is being taken anew is none yet.
                let is_whole = self.status().mirror.as_of.is_some()
                    && !self.lanes.iter().any(|lane| lane.book.operations.runs(OperationKind::Reseed));
                let why = (!is_whole).then_some(WhyNot::NoCopy);
                self.begin_operation((OperationKind::Verify, Order::Compare), why, &by, now).await
            }
            Command::Drill { by } => self.drill(&by).await,
            Command::GiveUpAside { name, by } => self.give_up_aside(&name, &by),
            Command::ForgetHistory { by } => self.forget_history(&by).await,
            Command::Reseed { by } => self.reseed(&by, now).await,
            Command::Answer { question, accept, by } => {
                tracing::info!(question, accept, by, "a question was answered");
                let lane = usize::try_from(question / QUESTIONS).ok().and_then(|at| self.lanes.get_mut(at));
                let asked = lane.and_then(|lane| Some((lane.book.answered(question % QUESTIONS, accept, now)?, lane)));
                let Some((ask, lane)) = asked else {
                    return Reply::Refused { why: vec![WhyNot::NotAsked { question }] };
                };
                if accept {
                    let _ = lane.orders.send(match ask {
                        Ask::Removals { .. } => Order::AcceptRemovals,
                        Ask::Emptied { .. } => Order::AcceptEmptied,
                        Ask::Older { .. } => Order::AcceptOlder,
                    });
                }
                self.done(&by, What::Answered { question: ask, accepted: Some(accept) });
                Reply::Done
            }
        }
    }

    /// Has the copy thrown away and taken anew: what stands there is kept where it is the same, and else set aside.
    async fn reseed(&mut self, by: &str, now: Timestamp) -> Reply {
        let status = self.status();
        // One that waits behind what cannot be applied never ends by itself.
        let compares = |lane: &super::Lane| lane.book.operations.is_comparing() && lane.book.unapplied().is_none();
        let why = match () {
            () if self.session.is_none() => Some(WhyNot::AllThereIs),
            () if status.mirror.as_of.is_none() => Some(WhyNot::NoCopy),
            () if self.lanes.iter().any(compares) => Some(WhyNot::Comparing),
            () => None,
        };
        if why.is_none() && self.lanes.iter().any(|lane| lane.book.operations.is_comparing()) {
            self.lanes.iter_mut().for_each(|lane| lane.book.operations.fail(INTERRUPTED, now));
            self.keep().await;
        }
        self.begin_operation((OperationKind::Reseed, Order::Reseed), why, by, now).await
    }

    /// Begins an operation with every dataset, once that is in the diary; or says why not.
    async fn begin_operation(
        &mut self,
        (kind, order): (OperationKind, Order),
        why: Option<WhyNot>,
        by: &str,
        now: Timestamp,
    ) -> Reply {
        if let Some(why) = why {
            let why = vec![why];
            self.keeper.refused(kind, by, &why, now).await;
            return Reply::Refused { why };
        }
        tracing::info!(?kind, by, "an operation begins");
        let operation = self.keeper.next_id();
        // A comparison reads both sides.
        let times = if order == Order::Compare { 2 } else { 1 };
        for lane in &mut self.lanes {
            let bytes = times * lane.book.bytes();
            lane.book.operations.begin(operation, kind, by, bytes, now);
            if let Some(stalled) = lane.stalled.as_ref().filter(|_| !lane.goes()) {
                // Nobody is there to do it.
                lane.book.operations.fail(&stalled.why, now);
            }
        }
        self.keep().await;
        for lane in &self.lanes {
            let _ = lane.orders.send(order.clone());
        }
        Reply::Running { operation }
    }
}
