//! A drill: the POS server is started on a copy of the mirror, in a process of its own, and taken down. It spends no licence day and
//! touches no dataset; whatever is more urgent ends it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::Machine;
use super::lanes::Lane;
use super::rehearsing::{Rehearsed, end_left, ended, hold};
use crate::disk::{DiskError, duplicate};
use crate::link::identity::Identity;
use crate::os::ground::{self, spawn};
use crate::pair::Duty;
use crate::service::command::Reply;
use crate::service::drilled::Drilled;
use crate::service::receiving::Order;
use crate::service::refusal::{NoDrill, WhyNot};
use crate::service::rehearsal::{self, Rehearsal};
use crate::service::status::{Doubt, Operation, OperationKind, OperationState, Status, Step, Trouble};

/// What is waited for beyond what the one before may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The drills of this machine.
#[derive(Debug, Default)]
pub(super) struct Drills {
    running: Option<Running>,
    /// The lanes of the datasets that are being copied, for the one that runs or for one that is over.
    copying: BTreeSet<usize>,
    /// Removes what the one before has left.
    clearing: Option<JoinHandle<()>>,
    /// The one that ended last, and how.
    last: Option<Drilled>,
    /// When this machine was set up.
    set_up: Option<Timestamp>,
    over: Option<Operation>,
}

#[derive(Debug)]
struct Running {
    operation: Operation,
    since: Instant,
    /// Its copies are made, or were.
    is_copying: bool,
    /// The rehearsal.
    task: Option<JoinHandle<Result<Rehearsed, WhyNot>>>,
}

impl Drills {
    pub(super) fn load(home: &Path) -> Self {
        let set_up = Identity::made_at(home).filter(|_| !ground::is_simulated());
        Self { last: Drilled::load(home), set_up, ..Self::default() }
    }

    /// Nothing is left of any.
    fn is_clear(&self) -> bool {
        self.copying.is_empty() && self.clearing.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// The one that runs, or ran last in this service.
    pub(super) fn shown(&self) -> Option<&Operation> {
        self.running.as_ref().map(|running| &running.operation).or(self.over.as_ref())
    }
}

impl Machine {
    /// Begins a drill, or joins the one that runs.
    pub(super) async fn drill(&mut self, by: &str) -> Reply {
        if let Some(running) = &self.drills.running {
            return Reply::Running { operation: running.operation.id };
        }
        let against = match self.against_drill() {
            // What the one before has left takes room, and goes first.
            None if self.drills.is_clear() => self.no_room_to_drill().await,
            against => against,
        };
        if let Some(why) = against {
            let why = vec![why];
            self.keeper.refused(OperationKind::Drill, by, &why, ground::now()).await;
            return Reply::Refused { why };
        }
        let mut operation = Operation::begun(self.keeper.next_id(), OperationKind::Drill, by, ground::now());
        operation.node = Some(self.member.node);
        let id = operation.id;
        tracing::info!(by, "a drill begins");
        self.keeper.follow(&operation, self.member.node).await;
        self.drills.running = Some(Running { operation, since: Instant::now(), is_copying: false, task: None });
        self.copy_for_drill();
        self.publish_soon();
        Reply::Running { operation: id }
    }

    /// Has the mirror copied for the drill, as soon as nothing is left of the one before.
    fn copy_for_drill(&mut self) {
        if !self.drills.is_clear() {
            return;
        }
        if let Some(running) = self.drills.running.as_mut().filter(|running| !running.is_copying) {
            running.is_copying = true;
            for lane in &self.lanes {
                self.drills.copying.insert(lane.number);
                let _ = lane.orders.send(Order::Duplicate);
            }
        }
    }

    /// Why the copies have no room, if they have not: all of them at once.
    async fn no_room_to_drill(&self) -> Option<WhyNot> {
        let of = |lane: &Lane| (self.folder(&self.store, &lane.name), lane.book.bytes());
        let mirrors: Vec<(PathBuf, u64)> = self.lanes.iter().map(of).collect();
        match ground::aside(move || duplicate::has_room(&mirrors)).await {
            Ok(Err(DiskError::NoRoom { free, needed, .. })) => {
                Some(WhyNot::NoRoom { free_bytes: free, needed_bytes: needed })
            }
            // Whatever else it is is seen when they are made.
            _ => None,
        }
    }

    fn against_drill(&mut self) -> Option<WhyNot> {
        let set = rehearsal::server(&self.store, self.member.node);
        match () {
            () if self.pair.duty() != Duty::Mirroring => Some(WhyNot::Drill(NoDrill::OnlyMirror)),
            () if self.turning.job.running().is_some() => Some(WhyNot::TurnsAlready),
            () if self.status().mirror.as_of.is_none() => Some(WhyNot::NoCopy),
            () if self.store.servers.is_none() => Some(WhyNot::NoServer),
            () if set.is_none() => Some(WhyNot::Drill(NoDrill::NotApart)),
            () => self.stopped_dataset(|_| true),
        }
    }

    /// Why one of these datasets is not mirrored any more, if one is not.
    fn stopped_dataset(&self, is_of: impl Fn(usize) -> bool) -> Option<WhyNot> {
        self.lanes.iter().filter(|lane| is_of(lane.number)).find_map(|lane| {
            let why = lane.stalled.as_ref()?.why.clone();
            Some(WhyNot::DatasetStopped { name: lane.name.clone(), why })
        })
    }

    /// The dataset of a lane is copied for the drill, or could not be.
    pub(super) async fn duplicated(&mut self, lane: usize, copied: Result<(), DiskError>) {
        self.drills.copying.remove(&lane);
        if !self.drills.running.as_ref().is_some_and(|running| running.is_copying) {
            // It was for one that is over, and may have come behind what removed its copies.
            if self.drills.copying.is_empty() {
                self.clean_up_after_drill();
            }
            return;
        }
        match copied {
            Err(DiskError::NoRoom { free, needed, .. }) => {
                self.end_drill(Err(WhyNot::NoRoom { free_bytes: free, needed_bytes: needed })).await;
            }
            Err(error) => self.end_drill(Err(WhyNot::System { error: error.to_string() })).await,
            Ok(()) if self.drills.copying.is_empty() => self.rehearse().await,
            Ok(()) => {}
        }
    }

    async fn rehearse(&mut self) {
        let Some((server, only_apart)) = rehearsal::server(&self.store, self.member.node) else {
            return self.end_drill(Err(WhyNot::Drill(NoDrill::NotApart))).await;
        };
        let copy = |name: &String| (name.clone(), duplicate::place(&self.folder(&self.store, name)));
        let copies = self.lanes.iter().map(|lane| copy(&lane.name)).collect();
        let rehearsal = Rehearsal { home: self.home.clone(), place: rehearsal::place(&self.home), copies, apart: true };
        let (limit, ending) = (rehearsal::longest(&self.store, &server), rehearsal::ending(&self.store, &server));
        let sells = self.store.drill.sale.is_some();
        self.drill_passed(Step::CopyMirror).await;
        if let Some(running) = &mut self.drills.running {
            running.task = Some(spawn(async move {
                timeout(limit, hold(rehearsal, (only_apart, sells), ending))
                    .await
                    .unwrap_or(Err(WhyNot::ServerDown { why: None }))
            }));
        }
    }

    /// Looks how far the drill is.
    pub(super) async fn drill_goes_on(&mut self) {
        self.copies_go_on().await;
        let ended = |running: &Running| running.task.as_ref().is_some_and(JoinHandle::is_finished);
        if !self.drills.running.as_ref().is_some_and(ended) {
            return;
        }
        let Some(task) = self.drills.running.as_mut().and_then(|running| running.task.take()) else { return };
        let came = task.await.unwrap_or_else(|error| Err(WhyNot::System { error: error.to_string() }));
        if came.is_ok() {
            self.drill_passed(Step::StartTraining).await;
        }
        self.end_drill(came).await;
    }

    /// Begins the copies as soon as nothing is in the way, and notices what never will be there.
    async fn copies_go_on(&mut self) {
        let copying = std::mem::take(&mut self.drills.copying);
        let (goes, lost): (BTreeSet<usize>, BTreeSet<usize>) =
            copying.into_iter().partition(|number| self.lanes.iter().any(|lane| lane.number == *number && lane.goes()));
        self.drills.copying = goes;
        self.copy_for_drill();
        if !lost.is_empty() && self.drills.running.is_none() {
            // It may have been begun behind what removed its copies.
            self.clean_up_after_drill();
        }
        let Some(running) = &self.drills.running else { return };
        if running.is_copying {
            if !lost.is_empty() && running.task.is_none() {
                let why = self.stopped_dataset(|number| lost.contains(&number));
                self.end_drill(Err(why.unwrap_or(WhyNot::Drill(NoDrill::GivenUp)))).await;
            }
        } else if let Some((server, _)) = rehearsal::server(&self.store, self.member.node)
            && running.since.elapsed() > rehearsal::ending(&self.store, &server) + PATIENCE
        {
            // Of the one before something does not end.
            self.end_drill(Err(WhyNot::Busy { kind: OperationKind::Drill })).await;
        }
    }

    async fn drill_passed(&mut self, step: Step) {
        if let Some(running) = &mut self.drills.running
            && running.operation.passed(step, ground::now())
        {
            self.keeper.follow(&running.operation, self.member.node).await;
            self.publish_soon();
        }
    }

    /// Something more urgent is to be done: the drill is over.
    pub(super) async fn give_up_drill(&mut self) {
        if self.drills.running.is_some() {
            self.end_drill(Err(WhyNot::Drill(NoDrill::GivenUp))).await;
        }
    }

    async fn end_drill(&mut self, came: Result<Rehearsed, WhyNot>) {
        let Some(Running { mut operation, task, .. }) = self.drills.running.take() else { return };
        if let Some(task) = task {
            // Its process ends what it began.
            task.abort();
        }
        self.clean_up_after_drill();
        let now = ground::now();
        let given_up = matches!(came, Err(WhyNot::Drill(NoDrill::GivenUp)));
        let mut drilled = Drilled { at: now, ready_ms: None, sold: false, why_not: None };
        match came {
            Ok(Rehearsed { ready_ms, sold }) => {
                operation.passed(Step::CleanUp, now);
                operation.end(OperationState::Done, now);
                (drilled.ready_ms, drilled.sold) = (Some(ready_ms), sold);
                operation.ready_ms = Some(ready_ms);
            }
            Err(why) => {
                operation.fail(&why.stored(), now);
                drilled.why_not = Some(why);
            }
        }
        tracing::info!(?drilled, "a drill has ended");
        self.keeper.follow(&operation, self.member.node).await;
        self.drills.over = Some(operation);
        // One that was given up proves nothing, for or against.
        if !given_up {
            if let Err(error) = drilled.save(&self.home) {
                tracing::warn!(%error, "it could not be kept how the drill ended");
            }
            self.drills.last = Some(drilled);
        }
        self.publish_soon();
    }

    /// Removes what a drill leaves, where anything of one is left, and as soon as its POS server is gone.
    pub(super) fn clean_up_after_drill(&mut self) {
        let folders: Vec<PathBuf> =
            self.store.datasets.iter().map(|dataset| self.folder(&self.store, &dataset.name)).collect();
        let place = rehearsal::place(&self.home);
        if !ground::is_simulated() {
            let (home, before) = (self.home.clone(), self.drills.clearing.take());
            let copy = |(name, folder): (String, PathBuf)| (name, duplicate::place(&folder));
            let (store, copies) = (self.store.clone(), self.data_folders().into_iter().map(copy).collect::<Vec<_>>());
            self.drills.clearing = Some(spawn(async move {
                if let Some(before) = before {
                    let _ = before.await;
                }
                let _output = ended(&home).await;
                let _ = ground::aside(move || {
                    end_left(&place);
                    if rehearsal::read_back(&place).exists() {
                        // Its process was killed before it could.
                        let _ = rehearsal::clean(&copies, &store);
                    }
                    for folder in folders {
                        if let Err(error) = duplicate::remove(&folder) {
                            tracing::warn!(%error, folder = %folder.display(), "the copy of a drill could not be removed");
                        }
                    }
                    let _ = std::fs::remove_dir_all(place);
                })
                .await;
            }));
        }
    }

    /// What is wrong with the last drill.
    pub(super) fn drill_trouble(&self, now: Timestamp) -> Option<Trouble> {
        if self.pair.duty() == Duty::Serving {
            return None;
        }
        // Where none was held, though one can be, nobody knows more than on the first day.
        let set_up = || self.drills.set_up.filter(|_| rehearsal::server(&self.store, self.member.node).is_some());
        let at = self.drills.last.as_ref().map_or_else(set_up, |last| Some(last.at))?;
        let ago = now.duration_since(at).unsigned_abs();
        let doubt = match self.drills.last.as_ref().and_then(|last| last.why_not.as_ref()) {
            Some(why) => Doubt::DrillFailed { at, why: why.clone() },
            None if ago > self.store.drill.every => Doubt::DrillOld { days: ago.as_secs() / 86_400 },
            None => return None,
        };
        Some(Trouble::Doubt(doubt))
    }

    pub(super) fn tell_drills(&self, status: &mut Status) {
        if self.pair.duty() == Duty::Serving {
            return;
        }
        status.drilled.clone_from(&self.drills.last);
        if let Some(shown) = self.drills.shown()
            && status.operation.as_ref().is_none_or(|known| super::publishing::is_newer(shown, known))
        {
            status.operation = Some(shown.clone());
        }
    }
}
