//! A code is given, and a machine that knows it comes in.

use tokio::time::Instant;

use super::heart::Heart;
use super::joining::{self, GOOD, Given, Guest, Handover, Invite, Joined};
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
        self.open_to(Guest::Machine, by)
    }

    /// Gives a code with which a terminal called `name` joins.
    pub(super) fn invite_terminal(&mut self, name: &str, by: &str) -> Reply {
        let refused = |why| Reply::Refused { why: vec![why] };
        let name = name.trim();
        let machines = [&self.store.main.name, &self.store.backup.name];
        let is_taken = machines.iter().any(|machine| machine.to_lowercase() == name.to_lowercase());
        if self.store.terminals.is_none() {
            return refused(WhyNot::NoTerminals);
        }
        if name.is_empty() || name.chars().any(char::is_control) || is_taken || ["main", "backup"].contains(&name) {
            return refused(WhyNot::NoTerminalName { name: name.to_owned() });
        }
        if self.tills.registry.called(name).is_some() {
            return refused(WhyNot::TerminalThere { name: name.to_owned() });
        }
        if self.member.store.is_none() {
            return refused(WhyNot::NobodyJoined);
        }
        self.open_to(Guest::Terminal(name.to_owned()), by)
    }

    fn open_to(&mut self, guest: Guest, by: &str) -> Reply {
        match Code::random() {
            Ok(code) => {
                tracing::info!(by, ?guest, "somebody was invited");
                self.done(
                    by,
                    What::Noted(match &guest {
                        Guest::Machine => Noted::Invited,
                        Guest::Terminal(name) => Noted::TerminalInvited { name: name.clone() },
                    }),
                );
                let text = code.to_string();
                self.invite = Some(Invite::new(guest, code, Instant::now()));
                let address = self.set_as(self.member.node).address.to_string();
                Reply::Code { code: text, address, seconds: GOOD.as_secs() }
            }
            Err(error) => Reply::Refused { why: vec![WhyNot::System { error: error.to_string() }] },
        }
    }

    /// Forgets the machine that has joined: from now on it is turned away.
    pub(super) fn revoke(&mut self, name: &str, by: &str) -> Reply {
        let refused = |why| Reply::Refused { why: vec![why] };
        if let Some(entry) = self.tills.registry.called(name).cloned() {
            if let Err(error) = self.tills.registry.revoke(entry.id) {
                return refused(WhyNot::System { error: error.to_string() });
            }
            tracing::info!(by, name, "a terminal may not come in any more");
            self.done(by, What::Noted(Noted::Revoked { machine: entry.name }));
            self.know_terminals();
            return Reply::Done;
        }
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
        let guess = self.invite.as_mut().and_then(|invite| invite.guess(Instant::now()));
        let given = guess.and_then(|(guest, code)| Some((self.given(&guest)?, (guest, code))));
        let Some((given, guess)) = given else {
            spawn(joining::turn_away(secure));
            return;
        };
        let (own, tell) = (self.tls.id(), self.tell.joined.clone());
        spawn(async move {
            let _ = tell.send(joining::let_in(secure, own, guess, given).await).await;
        });
    }

    /// What a guest receives.
    fn given(&self, guest: &Guest) -> Option<Given> {
        match guest {
            Guest::Terminal(name) => Some(Given::Terminal(Box::new(self.pass(name)?))),
            Guest::Machine => {
                let record = self.pair.record().newcomer();
                let (revision, store) = (self.revision.clone(), self.member.store);
                let handover = Handover { node: record.node, revision, store, record: Some(record) };
                Some(Given::Machine(Box::new(handover)))
            }
        }
    }

    /// A terminal has joined as `name`: it comes in, if nobody else has meanwhile, and that can be written down. Who is not welcomed
    /// has not joined.
    fn terminal_joined(&mut self, secure: Secure, peer: MachineId, name: String) {
        let is_open = self.invite.as_ref().is_some_and(|invite| invite.is_for(&Guest::Terminal(name.clone())));
        if !is_open || self.tills.registry.called(&name).is_some() {
            tracing::warn!(name, "a second terminal wanted to join with one code");
            return;
        }
        if let Err(error) = self.tills.registry.admit(&name, peer) {
            tracing::error!(%error, name, "that a terminal has joined cannot be written down");
            return;
        }
        self.invite = None;
        self.know_terminals();
        tracing::info!(name, %peer, "a terminal has joined");
        self.done("", What::Noted(Noted::TerminalJoined { name }));
        spawn(joining::welcome(secure));
    }

    pub(super) fn joined(&mut self, joined: Result<Joined, JoinError>) -> Result<Option<Left>, MachineError> {
        match joined {
            Ok(Joined { secure, peer, guest: Guest::Terminal(name) }) => self.terminal_joined(secure, peer, name),
            Ok(Joined { secure, peer: other, guest: Guest::Machine }) => {
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
