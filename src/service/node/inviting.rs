//! A code is given, and a machine that knows it comes in.

use tokio::time::Instant;

use super::heart::Heart;
use super::joining::{self, GOOD, Handover, Invite};
use super::{Left, Machine, MachineError};
use crate::config::machine::Machine as Set;
use crate::link::identity::MachineId;
use crate::link::join::{Code, JoinError};
use crate::link::tls::Secure;
use crate::os::ground::spawn;
use crate::pair::{Duty, Node};
use crate::service::command::Reply;
use crate::service::event::{Noted, What};
use crate::service::member::role_name;
use crate::service::refusal::WhyNot;

impl Machine {
    /// Gives a code with which a machine joins as the one that this is not.
    pub(super) fn invite(&mut self, role: Node, by: &str) -> Reply {
        let refused = |why| Reply::Refused { why: vec![why] };
        match (role, self.role(), self.pair.duty()) {
            (Node::Backup, Node::Main, _) | (Node::Main, Node::Backup, Duty::Serving) => {}
            (Node::Backup, ..) => return refused(WhyNot::OnlyMain),
            (Node::Main, ..) => return refused(WhyNot::OnlyInPlaceOfMain),
        }
        match Code::random() {
            Ok(code) => {
                tracing::info!(by, "a machine was invited");
                self.done(by, What::Noted(Noted::Invited));
                let text = code.to_string();
                self.invite = Some(Invite::new(code, Instant::now()));
                let address = self.set_as(self.member.node).address.to_string();
                Reply::Code { code: text, address, seconds: GOOD.as_secs() }
            }
            Err(error) => refused(WhyNot::System { error: error.to_string() }),
        }
    }

    /// Forgets the machine that has joined: from now on it is turned away.
    pub(super) fn revoke(&mut self, name: &str, by: &str) -> Reply {
        let refused = |why| Reply::Refused { why: vec![why] };
        if self.role() == Node::Backup && self.pair.duty() != Duty::Serving {
            return refused(WhyNot::OnlyMain);
        }
        let known = self.set_as(self.member.node.other()).name.clone();
        if name != role_name(self.role().other()) && name != known {
            return refused(WhyNot::NoSuchMachine { name: name.to_owned(), backup: known });
        }
        let Some(other) = self.member.other.take() else {
            return refused(WhyNot::NobodyJoined);
        };
        if let Err(error) = self.member.save(&self.home) {
            self.member.other = Some(other);
            return refused(WhyNot::System { error: error.to_string() });
        }
        tracing::info!(by, %other, "the machine that had joined is forgotten");
        self.done(by, What::Noted(Noted::Revoked { machine: known }));
        self.invite = None;
        self.know();
        (self.theirs, self.their_status, self.clock_off_ms) = (None, None, None);
        self.publish_soon();
        Reply::Done
    }

    /// What is set for the machine that was set up as `node`.
    fn set_as(&self, node: Node) -> &Set {
        match node {
            Node::Main => &self.store.main,
            Node::Backup => &self.store.backup,
        }
    }

    /// The other machine is another one than before, or none any more: whoever it was is turned away, and called no more.
    fn know(&mut self) {
        self.other.send_replace(self.member.other);
        self.hang_up();
        self.heart = Heart::new(self.member.node == Node::Main, Instant::now());
        self.begin_calling();
    }

    pub(super) fn joining(&mut self, secure: Secure) {
        let Some(code) = self.invite.as_mut().and_then(|invite| invite.guess(Instant::now())) else {
            spawn(joining::turn_away(secure));
            return;
        };
        let record = self.pair.record().newcomer();
        let (revision, store) = (self.revision.clone(), self.member.store);
        let handover = Handover { node: record.node, revision, store, record: Some(record) };
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
                self.know();
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
