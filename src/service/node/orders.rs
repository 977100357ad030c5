//! What people and scripts ask for.

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::Machine;
use super::note::Note;
use super::standing::QUESTIONS;
use crate::pair::Duty;
use crate::service::command::{Command, Reply};
use crate::service::receiving::Order;
use crate::service::status::Ask;

impl Machine {
    pub(super) async fn asked(&mut self, command: Command, answer: oneshot::Sender<Reply>) {
        let for_mirror = matches!(command, Command::Verify { .. } | Command::Answer { .. });
        let command = match command {
            Command::Check { far: true } => Command::Check { far: false },
            command if for_mirror && self.pair.duty() == Duty::Serving => command,
            command => {
                let _ = answer.send(self.command(command).await);
                return;
            }
        };
        let Some(session) = &self.session else {
            let _ = answer.send(Reply::Refused { why: vec!["the other machine is not heard".to_owned()] });
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
            Command::Stop { .. } => Reply::Done,
            Command::Check { .. } => Reply::Checked { findings: self.check().await },
            Command::Invite { by } => self.invite(&by),
            Command::Revoke { name, by } => self.revoke(&name, &by),
            Command::Verify { by } => {
                let status = self.status();
                if status.mirror.as_of.is_none() {
                    return Reply::Refused { why: vec!["there is no complete copy yet".to_owned()] };
                }
                let mut operation = 0;
                for lane in &mut self.lanes {
                    if !lane.book.operations.is_comparing() {
                        let bytes: u64 = lane.book.bytes();
                        lane.book.operations.begin_comparison(&by, 2 * bytes, now);
                        let _ = lane.orders.send(Order::Compare);
                    }
                    operation = lane.book.operations.last().map_or(0, |operation| operation.id);
                }
                Reply::Running { operation }
            }
            Command::Answer { question, accept, by } => {
                tracing::info!(question, accept, by, "a question was answered");
                let lane = usize::try_from(question / QUESTIONS).ok().and_then(|at| self.lanes.get_mut(at));
                let asked = lane.and_then(|lane| Some((lane.book.answered(question % QUESTIONS, accept, now)?, lane)));
                let Some((ask, lane)) = asked else {
                    return Reply::Refused { why: vec![format!("question {question} is not asked any more")] };
                };
                if accept {
                    let _ = lane.orders.send(match ask {
                        Ask::Removals { .. } => Order::AcceptRemovals,
                        Ask::Emptied { .. } => Order::AcceptEmptied,
                    });
                }
                Reply::Done
            }
        }
    }
}
