//! A drill: the POS server is started on a copy of the mirror, in a process of its own, and taken down. It spends no licence day and
//! touches no dataset; whatever is more urgent ends it.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::Machine;
use crate::disk::{DiskError, duplicate};
use crate::os::ground::{self, spawn};
use crate::pair::Duty;
use crate::service::command::Reply;
use crate::service::drilled::Drilled;
use crate::service::receiving::Order;
use crate::service::refusal::{NoDrill, WhyNot};
use crate::service::rehearsal::{self, Rehearsal, Told};
use crate::service::status::{Doubt, Operation, OperationKind, OperationState, Status, Step, Trouble};

/// The time between two looks at what is left of one.
const LOOK: Duration = Duration::from_millis(50);

/// The drills of this machine.
#[derive(Debug, Default)]
pub(super) struct Drills {
    running: Option<Running>,
    /// Datasets that are being copied, for the one that runs or for one that is over.
    copying: BTreeSet<String>,
    /// Removes what the one before has left.
    clearing: Option<JoinHandle<()>>,
    /// The one that ended last, and how.
    last: Option<Drilled>,
    over: Option<Operation>,
}

#[derive(Debug)]
struct Running {
    operation: Operation,
    /// Its copies are made, or were.
    is_copying: bool,
    /// The rehearsal.
    task: Option<JoinHandle<Result<Rehearsed, WhyNot>>>,
}

/// What came of a rehearsal that went well.
#[derive(Clone, Copy, Debug)]
struct Rehearsed {
    ready_ms: u64,
    sold: bool,
}

impl Drills {
    pub(super) fn load(home: &Path) -> Self {
        Self { last: Drilled::load(home), ..Self::default() }
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
        if let Some(why) = self.against_drill() {
            let why = vec![why];
            self.keeper.refused(OperationKind::Drill, by, &why, ground::now()).await;
            return Reply::Refused { why };
        }
        let mut operation = Operation::begun(self.keeper.next_id(), OperationKind::Drill, by, ground::now());
        operation.node = Some(self.member.node);
        let id = operation.id;
        tracing::info!(by, "a drill begins");
        self.keeper.follow(&operation, self.member.node).await;
        self.drills.running = Some(Running { operation, is_copying: false, task: None });
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
                self.drills.copying.insert(lane.name.clone());
                let _ = lane.orders.send(Order::Duplicate);
            }
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
            () => None,
        }
    }

    /// A dataset is copied for the drill, or could not be.
    pub(super) async fn duplicated(&mut self, dataset: &str, copied: Result<(), DiskError>) {
        self.drills.copying.remove(dataset);
        // It was for one that is over.
        if !self.drills.running.as_ref().is_some_and(|running| running.is_copying) {
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
        self.copy_for_drill();
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

    /// The mirror begins: whoever copied for a drill is gone.
    pub(super) fn forget_drill(&mut self) {
        self.drills.copying.clear();
        self.clean_up_after_drill();
    }

    /// Removes what a drill leaves, where anything of one is left, and as soon as its POS server is gone.
    fn clean_up_after_drill(&mut self) {
        let folders: Vec<PathBuf> =
            self.store.datasets.iter().map(|dataset| self.folder(&self.store, &dataset.name)).collect();
        let place = rehearsal::place(&self.home);
        if !ground::is_simulated() {
            let (home, before) = (self.home.clone(), self.drills.clearing.take());
            self.drills.clearing = Some(spawn(async move {
                if let Some(before) = before {
                    let _ = before.await;
                }
                let _output = ended(&home).await;
                let _ = ground::aside(move || {
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
        let last = self.drills.last.as_ref().filter(|_| self.pair.duty() != Duty::Serving)?;
        let ago = now.duration_since(last.at).unsigned_abs();
        let doubt = match &last.why_not {
            Some(why) => Doubt::DrillFailed { at: last.at, why: why.clone() },
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

/// Waits until nothing of a rehearsal runs, not of one either that a service before this one began: what each prints goes into one
/// file, which is locked as long as anybody has it open.
async fn ended(home: &Path) -> io::Result<File> {
    let folder = home.join("log");
    std::fs::create_dir_all(&folder)?;
    let output = File::options().create(true).append(true).open(folder.join("drill.log"))?;
    loop {
        match output.try_lock() {
            Err(TryLockError::WouldBlock) => sleep(LOOK).await,
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) => return Ok(output),
        }
    }
}

/// Holds a rehearsal apart from the rest of the machine; where that is not possible and not needed, beside it. Where nobody waits for that
/// any more, it may take `ending` to end what was begun.
async fn hold(
    mut rehearsal: Rehearsal,
    (only_apart, sells): (bool, bool),
    ending: Duration,
) -> Result<Rehearsed, WhyNot> {
    let system = |error: io::Error| WhyNot::System { error: error.to_string() };
    std::fs::create_dir_all(&rehearsal.place).map_err(system)?;
    let output = ended(&rehearsal.home).await.map_err(system)?;
    output.set_len(0).map_err(system)?;
    let begun = match begin(&rehearsal, ending, &output).await {
        Err(_) if !only_apart => {
            rehearsal.apart = false;
            begin(&rehearsal, ending, &output).await
        }
        begun => begun,
    };
    let (mut process, mut lines) = begun.map_err(|error| {
        tracing::warn!(%error, "the drill cannot be held apart");
        WhyNot::Drill(NoDrill::NotApart)
    })?;
    let mut came = Rehearsed { ready_ms: 0, sold: false };
    let mut is_ready = false;
    while let Some(told) = next(&mut lines).await.map_err(system)? {
        match told {
            Told::Begun => {}
            Told::Ready { took_ms } => (came.ready_ms, is_ready) = (took_ms, true),
            Told::Sold => came.sold = true,
            Told::Failed { why } => return Err(why),
        }
    }
    process.ended().await;
    if is_ready && came.sold == sells { Ok(came) } else { Err(WhyNot::ServerDown { why: None }) }
}

/// The process of a rehearsal. Where nobody waits for it any more it ends what it began, and then itself; a kill would leave that.
struct Process {
    child: Option<Child>,
    ending: Duration,
}

impl Process {
    async fn ended(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = timeout(Duration::from_secs(1), child.wait()).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // By that it is told.
        drop(child.stdin.take());
        let ending = self.ending;
        spawn(async move {
            if timeout(ending, child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
        });
    }
}

/// Begins the process, and waits until it could begin.
async fn begin(
    rehearsal: &Rehearsal,
    ending: Duration,
    output: &File,
) -> io::Result<(Process, Lines<BufReader<ChildStdout>>)> {
    let mut command = rehearsal.command();
    command.stderr(output.try_clone()?);
    let mut child = Command::from(command).spawn()?;
    let out = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let process = Process { child: Some(child), ending };
    let mut lines = BufReader::new(out).lines();
    match next(&mut lines).await? {
        Some(Told::Begun) => Ok((process, lines)),
        _ => Err(io::Error::other("the process did not begin")),
    }
}

async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> io::Result<Option<Told>> {
    let Some(line) = lines.next_line().await? else { return Ok(None) };
    Ok(Some(serde_json::from_str(&line)?))
}
