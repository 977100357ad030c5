//! What of all that happens goes into the diary, and what it says of before a restart.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::calling::Caller;
use super::note::Note;
use super::{Machine, MachineError};
use crate::config::dataset::Dataset;
use crate::config::store::Store;
use crate::link::identity::Identity;
use crate::os::{ground, point};
use crate::pair::{Claim, Event, Node, Pair, Record};
use crate::service::event::{Noted, What};
use crate::service::home::{load_record, save_record};
use crate::service::keeper::{INTERRUPTED, Keeper};
use crate::service::member::{Member, role, role_name};
use crate::service::outbox::{Outbox, Setup};
use crate::service::proofs::Proofs;
use crate::service::receiving::Order;
use crate::service::refusal::WhyNot;
use crate::service::status::{Operation, OperationKind, Status, Trouble};

/// Between two tries to save a record.
const AGAIN: Duration = Duration::from_secs(1);

/// Begins what writes and tells of all that happens, what proves epochs, and what calls a person where it is a backup.
pub(super) async fn begin(
    home: &Path,
    member: &mut Member,
    identity: Identity,
    store: &Store,
) -> Result<(Keeper, Proofs, Option<Caller>), MachineError> {
    // What was copied to be looked at by a process that was killed.
    crate::disk::scratch::begin(home);
    let id = member.pin(home, identity.id())?;
    let proofs = Proofs::load(home, identity, member.node, id);
    let folder = |dataset: &Dataset| (dataset.name.clone(), member.folder(home, store, &dataset.name));
    let folders: Vec<_> = store.datasets.iter().map(folder).collect();
    let role = role(store, member.node);
    let caller = (role == Node::Backup).then(|| Caller::new(store.alarm.clone(), folders.clone()));
    let keeper = Keeper::open(home, (member.node, role), outbox(home, folders, role, store)?).await;
    Ok((keeper, proofs, caller))
}

/// A record that could not be saved: that another machine is the server is known, and not on disk.
pub(super) struct Unsaved {
    /// What the system said.
    error: String,
    /// It is not tried again before.
    again_at: Instant,
}

impl Unsaved {
    pub(super) fn new(error: &std::io::Error) -> Self {
        tracing::error!(%error, "the record could not be saved; trying again");
        Self { error: error.to_string(), again_at: Instant::now() + AGAIN }
    }

    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.again_at
    }
}

/// What is wrong that only they know.
pub(super) fn troubles(keeper: &Keeper, proofs: &Proofs, unsaved: Option<&Unsaved>) -> Vec<Trouble> {
    let unproven = proofs.doubted().map(|epoch| Trouble::EpochUnproven { epoch });
    let unsaved = unsaved.map(|unsaved| Trouble::RecordUnsaved { error: unsaved.error.clone() });
    unproven.into_iter().chain(keeper.trouble()).chain(unsaved).collect()
}

/// What has the shop's program told of events, where one is set.
fn outbox(
    home: &Path,
    folders: Vec<(String, PathBuf)>,
    role: Node,
    store: &Store,
) -> Result<Option<Outbox>, MachineError> {
    let Some(command) = store.hooks.event.clone() else { return Ok(None) };
    let setup = Setup { command, limit: store.hooks.limit, folders, store: store.name.clone(), node: role_name(role) };
    let epoch = load_record(home)?.map(|record| record.epoch);
    Ok(Some(Outbox::begin(home, setup, epoch)?))
}

impl Machine {
    /// Proves the epoch of the saved `record`, where it is this machine's own and was never proven.
    pub(super) async fn prove(&mut self, record: &Record) -> Result<(), MachineError> {
        let Some(proofs) = self.proofs.prove(record)? else { return Ok(()) };
        Ok(ground::aside(move || proofs.write()).await??)
    }

    /// Saves a record: the proof of its epoch before it.
    pub(super) async fn save(&mut self, record: &Record) -> std::io::Result<()> {
        let (home, proofs, record) = (self.home.clone(), self.proofs.prove(record)?, record.clone());
        let save = move || {
            proofs.map_or(Ok(()), |proofs| proofs.write())?;
            point!("turn.proven");
            save_record(&home, &record)
        };
        let saved = ground::aside(save).await.and_then(|saved| saved);
        if saved.is_err() {
            self.proofs.unsaved();
        }
        saved
    }

    /// A record could not be saved. Returns whether that was this machine's own step, which it has not taken then; else others act
    /// on it already, and it is tried again. `before`: what it was.
    pub(super) async fn not_saved(
        &mut self,
        record: &Record,
        before: Pair,
        error: std::io::Error,
    ) -> Result<bool, MachineError> {
        let is_no_step = record.claim == Claim::Idle
            || (record.epoch, &record.claim) == (before.record().epoch, &before.record().claim);
        if is_no_step {
            self.unsaved = Some(Unsaved::new(&error));
            return Ok(false);
        }
        // What is on the disk counts, whatever the system says of it.
        if !load_record(&self.home).is_ok_and(|known| known.as_ref() == Some(before.record())) {
            return Err(MachineError::Unsaved { path: self.home.clone(), error });
        }
        tracing::error!(%error, "a change of server could not be saved, and is not made");
        self.pair = before;
        self.end_job(Err(WhyNot::System { error: error.to_string() })).await;
        Ok(true)
    }

    /// Tries again to save what could not be saved.
    pub(super) async fn save_again(&mut self) -> Result<(), MachineError> {
        match self.save(&self.pair.record().clone()).await {
            Ok(()) => {
                self.unsaved = None;
                self.step(Event::Saved).await
            }
            Err(error) => {
                self.unsaved = Some(Unsaved::new(&error));
                Ok(())
            }
        }
    }

    /// What ran when the service ended goes on where this machine still receives, and else has failed.
    pub(super) async fn resume(&mut self, claim: &Claim) {
        let now = ground::now();
        let Some(mut operation) = self.keeper.interrupted(now).await else { return };
        if operation.kind.is_turn() {
            return self.resume_job(operation, claim).await;
        }
        let is_drill = operation.kind == OperationKind::Drill;
        if is_drill || self.lanes.is_empty() || operation.node != Some(self.member.node) {
            operation.fail(INTERRUPTED, now);
            self.keeper.follow(&operation, self.member.node).await;
        }
        for lane in self.lanes.iter_mut().filter(|_| !is_drill) {
            lane.book.operations.resume(&operation);
        }
    }

    /// Has it written how the operation stands, where that is something new. Nothing is said of it, and nothing done for it, before.
    pub(super) async fn keep(&mut self) {
        self.keeper.epoch(self.pair.record().epoch);
        if let Some(operation) = self.operation() {
            self.keeper.follow(&operation, self.member.node).await;
        }
    }

    /// The operation that runs or ran last here, with all datasets.
    fn operation(&self) -> Option<Operation> {
        let mut each = self.lanes.iter().filter_map(|lane| lane.book.operations.last());
        let first = each.next()?.clone();
        Some(each.fold(first, |mut all, next| {
            all.join(next);
            all
        }))
    }

    /// What came of the news of a dataset: `what` happened by it.
    pub(super) async fn heard(&mut self, lane: usize, what: &[What]) {
        if let Some(lane) = self.lanes.iter_mut().find(|known| known.number == lane)
            && lane.book.operations.begins_again()
        {
            let _ = lane.orders.send(Order::Compare);
        }
        for what in what {
            self.keeper.event("", what);
        }
        self.keep().await;
    }

    /// Something happened that only the whole machine knows, by somebody's doing.
    pub(super) fn noted(&mut self, by: &str, noted: Noted) {
        let what = What::Noted(noted);
        self.keeper.event(by, &what);
        self.standing.noted(what, ground::now());
    }

    /// Somebody has done something here that both diaries are to have.
    pub(super) fn done(&mut self, by: &str, what: What) {
        self.keeper.event(by, &what);
        if let Some(session) = &self.session {
            session.say(Note::Done { by: by.to_owned(), what: Box::new(what.clone()) });
        }
        if matches!(what, What::Noted(_)) {
            self.standing.noted(what, ground::now());
        }
    }

    /// The machine that mirrors says how it stands: what it does is in the diary here, too.
    pub(super) fn stands(&mut self, status: &Status) {
        let other = self.member.node.other();
        // Changes of server are told by themselves, by the machine that does them.
        for operation in status.history.iter().chain(&status.operation).filter(|operation| !operation.kind.is_turn()) {
            self.keeper.hear(operation, other);
        }
    }
}
