//! What the terminals see, and what this machine says to them.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::joining::Pass;
use super::note::Note;
use super::{Machine, MachineError, meet};
use crate::config::address::Address;
use crate::config::machine::Machine as Set;
use crate::config::store::Store;
use crate::link::identity::MachineId;
use crate::link::proof::Proof;
use crate::link::tls::Tls;
use crate::os::ground;
use crate::pair::{Duty, Epoch, Node};
use crate::service::command::Reply;
use crate::service::event::Noted;
use crate::service::member::role;
use crate::service::refusal::WhyNot;
use crate::service::status::{PeerState, Server, Terminal, Verdict};
use crate::service::terminals::desk::Desk;
use crate::service::terminals::registry::{Entry, Registry};
use crate::service::terminals::visit::Saying;
use crate::service::terminals::witness::{Count, Witness, count};
use crate::terminal::speech::{Here, Machines, Message};

/// The terminals of a store.
pub(super) struct Tills {
    /// Those that have joined.
    pub(super) registry: Registry,
    /// Where they come in, if the store has any.
    desk: Option<Desk>,
    /// What the people at them are to read.
    message: Option<Message>,
}

impl Tills {
    /// Those that the home knows. Where the store has any, they may come to the machine that is set as `own` from now on.
    pub(super) fn open(home: &Path, (store, own): (&Store, &Set), tls: &Tls, shown: mpsc::Sender<Proof>) -> Self {
        let registry = Registry::load(home);
        let port = store.terminals.as_ref().map(|terminals| terminals.notice_port);
        let address = port.and_then(|port| Address::new(&meet::listens_on(&own.address), port));
        let joined = registry.joined().cloned().collect();
        let desk = address.map(|address| Desk::open(address, tls.clone(), joined, shown));
        Self { registry, desk, message: None }
    }

    /// Waits until they tell something else; for ever where there are none.
    pub(super) async fn changed(&mut self) {
        match &mut self.desk {
            Some(desk) => desk.changed().await,
            None => std::future::pending().await,
        }
    }

    /// They may not come any more.
    pub(super) async fn close(&mut self) {
        if let Some(desk) = self.desk.take() {
            desk.close().await;
        }
    }
}

impl Machine {
    /// Says to the terminals how this machine stands.
    pub(super) fn tell_terminals(&self) {
        let Some(desk) = &self.tills.desk else { return };
        let record = self.pair.record();
        let serves = self.pair.duty() == Duty::Serving;
        let stands = self.program.as_ref().map_or(Server::Ready, |program| program.stands);
        let here = Here {
            epoch: record.epoch,
            proof: self.proofs.of(record.epoch).cloned(),
            serves,
            ready: serves && stands == Server::Ready,
            frozen: self.turning.is_freezing(),
            hears_other: self.heart.is_heard(Instant::now()),
            echo: 0,
            revision: self.revision.number,
        };
        let configured = serves.then(|| (self.revision.clone(), self.machines()));
        desk.say(Saying { here, configured, message: self.tills.message.clone() });
    }

    fn machines(&self) -> Machines {
        let (own, other) = (Some(self.tls.id()), self.member.other);
        match self.member.node {
            Node::Main => Machines { main: own, backup: other },
            Node::Backup => Machines { main: other, backup: own },
        }
    }

    /// What a terminal called `name` receives when it joins.
    pub(super) fn pass(&self, name: &str) -> Option<Pass> {
        Some(Pass {
            terminal: name.to_owned(),
            store: self.member.store?,
            machines: self.machines(),
            revision: self.revision.clone(),
            proof: self.proofs.of(self.pair.record().epoch).cloned(),
        })
    }

    /// A terminal carries the proof of an epoch that this machine has not seen.
    pub(super) async fn shown(&mut self, proof: Proof) -> Result<(), MachineError> {
        // One terminal that knows no more confirms nothing: it may have slept through the change that matters.
        if proof.epoch <= self.pair.record().epoch {
            return Ok(());
        }
        if let Err(why) = self.proofs.believe((proof.epoch, proof.start), Some(proof.clone()), self.member.other) {
            tracing::debug!(epoch = proof.epoch, %why, "a terminal carries a proof that is none");
            return Ok(());
        }
        self.peer_heard((proof.epoch, proof.start), Some(proof)).await
    }

    /// A terminal has joined, or may not come in any more, here or there.
    pub(super) fn know_terminals(&mut self) {
        if let Some(desk) = &self.tills.desk {
            desk.admit(self.tills.registry.joined().cloned().collect());
        }
        if let Some(session) = &self.session {
            session.say(Note::Terminals { entries: self.tills.registry.entries().to_vec() });
        }
        self.publish_soon();
    }

    /// The people at all terminals are to read `text`.
    pub(super) fn write_to_terminals(&mut self, text: String, by: String) -> Reply {
        if self.tills.desk.is_none() {
            return Reply::Refused { why: vec![WhyNot::NoTerminals] };
        }
        // Each is shown once, whichever machine says it: its number is the time.
        let number = u64::try_from(ground::now().as_millisecond()).unwrap_or_default();
        self.noted(&by, Noted::MessageSent { text: text.clone() });
        self.tills.message = Some(Message { number, text, by });
        self.tell_terminals();
        Reply::Done
    }

    /// The other machine says which terminals have joined.
    pub(super) fn merge_terminals(&mut self, theirs: &[Entry]) {
        match self.tills.registry.merge(theirs) {
            // What it does not know yet it is told by that, too.
            Ok(true) => self.know_terminals(),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the list of terminals cannot be saved"),
        }
    }

    /// Those of the terminals that may come in which have told anything.
    pub(super) fn witnesses(&self) -> Vec<Arc<Witness>> {
        let seen = self.tills.desk.as_ref().map(Desk::seen);
        let all = seen.iter().flat_map(|seen| seen.iter());
        all.filter(|one| self.tills.registry.with_key(one.id).is_some()).cloned().collect()
    }

    /// What the terminals say of the other machine, where that is silent here.
    pub(super) fn count(&self) -> Option<Count> {
        let now = Instant::now();
        let silent = match self.heart.state(now) {
            PeerState::Lost => self.heart.silent(now)?,
            // Since this service began.
            PeerState::Unknown => self.heart.age(now),
            PeerState::Healthy | PeerState::Late => return None,
        };
        Some(count(&self.witnesses(), self.member.node.other(), silent, now))
    }

    /// The verdict about the other machine, where the terminals have one.
    pub(super) fn witnessed(&self) -> Option<Verdict> {
        self.count().map(|count| count.verdict())
    }

    /// Whether so many of the terminals that are heard know of `epoch` that no majority can be found that does not.
    pub(super) fn is_stored(&self, epoch: Epoch) -> bool {
        let now = Instant::now();
        let all = self.tills.registry.joined().count();
        let witnesses = self.witnesses();
        let knows = witnesses.iter().filter(|one| one.is_fresh(now) && one.vote.stored >= epoch).count();
        knows * 2 > all || witnesses.iter().all(|one| !one.is_fresh(now) || one.vote.stored >= epoch)
    }

    /// How each terminal stands; those that are missing first.
    pub(super) fn terminals_stand(&self) -> Vec<Terminal> {
        let now = Instant::now();
        let witnesses = self.witnesses();
        let find = |id: MachineId| witnesses.iter().find(|one| one.id == id);
        let mut all: Vec<Terminal> = self
            .tills
            .registry
            .joined()
            .map(|entry| stands(&self.store, &entry.name, find(entry.id).map(Arc::as_ref), now))
            .collect();
        all.sort_by_cached_key(|one| (one.is_here, natural(&one.name)));
        all
    }
}

/// As people order names: CAJA-9 before CAJA-10.
fn natural(name: &str) -> (String, u64, String) {
    let text = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name[text.len()..].parse().unwrap_or(0);
    (text.to_lowercase(), number, name.to_owned())
}

fn stands(store: &Store, name: &str, witness: Option<&Witness>, now: Instant) -> Terminal {
    let millis = |at: Instant| u64::try_from(now.saturating_duration_since(at).as_millis()).unwrap_or(u64::MAX);
    let fresh = witness.filter(|one| one.is_fresh(now));
    let vote = fresh.map(|one| &one.vote);
    let reaches =
        [Node::Main, Node::Backup].into_iter().filter(|node| fresh.is_some_and(|one| one.reaches(*node, now)));
    let uses = vote.map(|vote| Node::of_epoch(vote.epoch.max(1)));
    let sight = uses.and_then(|uses| vote.map(|vote| vote.of(uses)));
    let receipt = witness.and_then(|one| one.vote.receipt.as_ref());
    let mut reaches: Vec<Node> = reaches.map(|node| role(store, node)).collect();
    reaches.sort_by_key(|node| *node == Node::Backup);
    Terminal {
        name: name.to_owned(),
        reaches,
        uses: uses.map(|node| role(store, node)),
        heard_ago_ms: witness.map(|one| millis(one.heard_at)),
        is_here: fresh.is_some(),
        works: sight.is_some_and(|sight| sight.answered_ago_ms.is_some_and(|ago| ago < WORKS_MS)),
        round_trip_us: sight.and_then(|sight| sight.round_trip_us),
        epoch: witness.map(|one| one.vote.epoch),
        connections: vote.map(|vote| vote.connections),
        took_ms: vote.and_then(|vote| vote.took_ms),
        receipt: receipt.map(|last| last.number.clone()),
        receipt_at: receipt.and_then(|last| jiff::Timestamp::from_millisecond(last.at_ms).ok()),
        shut: vote.iter().flat_map(|vote| vote.shut.iter()).map(|shut| shut.port).collect(),
        version: witness.map(|one| one.vote.version.clone()).filter(|version| !version.is_empty()),
    }
}

/// A POS server that a terminal saw answer within so long is one that it works with: where all is well it looks every 5 s.
const WORKS_MS: u64 = 12_000;
