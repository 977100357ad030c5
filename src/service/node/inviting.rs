//! A code is given, and a machine that knows it comes in.

use tokio::time::Instant;

use super::heart::Heart;
use super::joining::{self, GOOD, Handover, Invite};
use super::{Left, Machine, MachineError};
use crate::link::identity::MachineId;
use crate::link::join::{Code, JoinError};
use crate::link::tls::Secure;
use crate::os::ground::spawn;
use crate::pair::Node;
use crate::service::command::Reply;
use crate::service::event::Noted;
use crate::service::refusal::WhyNot;

impl Machine {
    pub(super) fn invite(&mut self, by: &str) -> Reply {
        if self.member.node != Node::Main {
            return Reply::Refused { why: vec![WhyNot::OnlyMain] };
        }
        match Code::random() {
            Ok(code) => {
                tracing::info!(by, "a machine was invited");
                self.noted(by, Noted::Invited);
                let text = code.to_string();
                self.invite = Some(Invite::new(code, Instant::now()));
                Reply::Code { code: text, address: self.store.main.address.to_string(), seconds: GOOD.as_secs() }
            }
            Err(error) => Reply::Refused { why: vec![WhyNot::System { error: error.to_string() }] },
        }
    }

    /// Forgets the machine that has joined: from now on it is turned away.
    pub(super) fn revoke(&mut self, name: &str, by: &str) -> Reply {
        let refused = |why| Reply::Refused { why: vec![why] };
        if self.member.node != Node::Main {
            return refused(WhyNot::OnlyMain);
        }
        let backup = &self.store.backup.name;
        if name != "backup" && name != backup {
            return refused(WhyNot::NoSuchMachine { name: name.to_owned(), backup: backup.clone() });
        }
        let Some(other) = self.member.other.take() else {
            return refused(WhyNot::NobodyJoined);
        };
        if let Err(error) = self.member.save(&self.home) {
            self.member.other = Some(other);
            return refused(WhyNot::System { error: error.to_string() });
        }
        tracing::info!(by, %other, "the machine that had joined is forgotten");
        self.noted(by, Noted::Revoked { machine: self.store.backup.name.clone() });
        self.invite = None;
        self.other.send_replace(None);
        self.hang_up();
        self.heart = Heart::new(true, Instant::now());
        (self.theirs, self.their_status, self.clock_off_ms) = (None, None, None);
        self.publish_soon();
        Reply::Done
    }

    pub(super) fn joining(&mut self, secure: Secure) {
        let Some(code) = self.invite.as_mut().and_then(|invite| invite.guess(Instant::now())) else {
            spawn(joining::turn_away(secure));
            return;
        };
        let handover = Handover { node: Node::Backup, revision: self.revision.clone() };
        let (own, tell) = (self.tls.id(), self.tell.joined.clone());
        spawn(async move {
            let _ = tell.send(joining::let_in(secure, own, code, handover).await).await;
        });
    }

    pub(super) fn joined(
        &mut self,
        joined: Result<(Secure, MachineId), JoinError>,
    ) -> Result<Option<Left>, MachineError> {
        match joined {
            Ok((secure, other)) => {
                self.invite = None;
                self.member.other = Some(other);
                self.member.save(&self.home)?;
                self.other.send_replace(Some(other));
                self.hang_up();
                tracing::info!(%other, "a machine has joined");
                self.noted("", Noted::Joined { machine: other.to_string() });
                spawn(joining::welcome(secure));
            }
            Err(JoinError::WrongCode) => tracing::warn!("a machine wanted to join with a wrong code"),
            Err(JoinError::Io(error)) => {
                tracing::info!(%error, "a machine that wanted to join broke off");
                if let Some(invite) = &mut self.invite {
                    invite.give_back();
                }
            }
        }
        self.publish_soon();
        Ok(None)
    }
}
