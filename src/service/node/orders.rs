//! What people and scripts ask for.

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::Machine;
use super::note::Note;
use super::standing::QUESTIONS;
use crate::pair::Duty;
use crate::service::command::{Command, Reply};
use crate::service::receiving::Order;
use crate::service::refusal::WhyNot;
use crate::service::status::{Ask, OperationKind};

impl Machine {
    pub(super) async fn asked(&mut self, command: Command, answer: oneshot::Sender<Reply>) {
        let for_mirror = matches!(command, Command::Verify { .. } | Command::Reseed { .. } | Command::Answer { .. });
        let command = match command {
            Command::Check { far: true } => Command::Check { far: false },
            command if for_mirror && self.pair.duty() == Duty::Serving => command,
            command => {
                let _ = answer.send(self.command(command).await);
                return;
            }
        };
        let Some(session) = &self.session else {
            let _ = answer.send(Reply::Refused { why: vec![WhyNot::Unheard] });
            return;
        };
        self.asked += 1;
        session.say(Note::Ask { number: self.asked, command });
        self.answers.insert(self.asked, answer);
    }

    pub(super) async fn command(&mut self, command: Command) -> Reply {
        let now = Timestamp::now();
        match command {
            Command::Status | Command::Watch => Reply::Status(Box::new(self.status())),
            // What ends the service or turns it over is taken before.
            Command::Stop { .. } | Command::Promote { .. } | Command::Return { .. } | Command::Start { .. } => {
                Reply::Done
            }
            Command::Check { .. } => Reply::Checked { findings: self.check().await },
            Command::Invite { by } => self.invite(&by),
            Command::Revoke { name, by } => self.revoke(&name, &by),
            Command::Verify { by } => {
                let status = self.status();
                if status.mirror.as_of.is_none() {
                    return Reply::Refused { why: vec![WhyNot::NoCopy] };
                }
                let mut operation = 0;
                for lane in &mut self.lanes {
                    if !lane.book.operations.is_comparing() {
                        let bytes: u64 = lane.book.bytes();
                        lane.book.operations.begin(OperationKind::Verify, &by, 2 * bytes, now);
                        let _ = lane.orders.send(Order::Compare);
                    }
                    operation = lane.book.operations.last().map_or(0, |operation| operation.id);
                }
                Reply::Running { operation }
            }
            Command::Reseed { by } => self.reseed(&by, now),
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
                Reply::Done
            }
        }
    }

    /// Has the copy thrown away and taken anew: what stands there is kept where it is the same, and else set aside.
    fn reseed(&mut self, by: &str, now: Timestamp) -> Reply {
        let status = self.status();
        let why = match () {
            () if self.session.is_none() => WhyNot::AllThereIs,
            () if status.mirror.as_of.is_none() => WhyNot::NoCopy,
            () if self.lanes.iter().any(|lane| lane.book.operations.is_comparing()) => WhyNot::Comparing,
            () => {
                tracing::warn!(by, "the copy is thrown away and taken anew");
                let mut operation = 0;
                for lane in &mut self.lanes {
                    let bytes = lane.book.bytes();
                    operation = lane.book.operations.begin(OperationKind::Reseed, by, bytes, now);
                    let _ = lane.orders.send(Order::Reseed);
                }
                return Reply::Running { operation };
            }
        };
        Reply::Refused { why: vec![why] }
    }
}
