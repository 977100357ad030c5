//! The databases that are mirrored by dumps: written while this machine serves, read back before its POS server starts where another one
//! served before.
//!
//! In each epoch that began with a mirror each is read back once, and that is noted before the POS server starts: what was sold since is
//! never overwritten. No dump is written before: it would be one of what is about to be overwritten.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::asides::{self, Asides};
use super::{Machine, MachineError};
use crate::config::dataset::Content;
use crate::os::ground;
use crate::pair::{Duty, Epoch, Event};
use crate::replica::{Grade, Kind};
use crate::service::dumping::{self, Dumped, Dumper};
use crate::service::home::save;
use crate::service::refusal::WhyNot;
use crate::service::status::{Doubt, Status, Trouble};
use crate::service::takeover;

/// Between two tries to read one back, or to set aside what is about to be overwritten.
pub(super) const AGAIN: Duration = Duration::from_secs(10);

/// What takes longer to be read back is told: a database may wait for somebody who has it open.
const LONG: Duration = Duration::from_secs(60);

/// What the mirror answered.
type Answer = (String, Result<u64, String>);

/// What could not be done, and when that is tried again.
pub(super) type Failed = (Doubt, Instant);

/// Databases that are read, or overwritten, until this machine is gone from its place.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) gone: Arc<AtomicBool>,
    pub(super) task: JoinHandle<Came>,
}

/// Where what they alone held is now, as far as it was not there already; and whether all was done.
pub(super) type Came = (Vec<PathBuf>, Result<(), Doubt>);

/// The dumps of this machine.
#[derive(Debug, Default)]
pub(super) struct Dumps {
    pub(super) saved: Saved,
    dumpers: Vec<Dumper>,
    /// When each dump in the mirror was begun.
    begun: BTreeMap<String, Timestamp>,
    /// The time between the last two of them.
    apart_ms: BTreeMap<String, u64>,
    restoring: Option<Restoring>,
    /// What was given up when this machine served no more: its program may run for a moment yet.
    former: Option<Running>,
    /// Why they could not be read back, until they are.
    pub(super) failed: Option<Failed>,
    /// Nothing is written any more: each is dumped once more before all is sent.
    ending: bool,
    pub(super) asides: Asides,
}

#[derive(Debug)]
struct Restoring {
    epoch: Epoch,
    runs: Running,
    since: Instant,
}

impl Running {
    /// Begins it.
    pub(super) fn begin<F: Future<Output = Came> + Send + 'static>(work: impl FnOnce(Arc<AtomicBool>) -> F) -> Self {
        let gone = Arc::new(AtomicBool::new(false));
        Self { task: ground::spawn(work(Arc::clone(&gone))), gone }
    }

    /// Its program is ended.
    pub(super) fn end(&self) {
        self.gone.store(true, Ordering::Release);
    }

    /// Waits for its end.
    pub(super) async fn came(mut self) -> Came {
        (&mut self.task).await.unwrap_or_else(|error| (vec![], Err(lost(&error.into()))))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nobody waits for it: it is not to go on beside whatever begins next.
        self.end();
    }
}

/// What is kept in the home.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Saved {
    /// The epoch that began with a mirror, and all was read back for it.
    pub(super) restored: Option<Epoch>,
    /// It lost its place of this epoch, and takes over again before what its databases alone held was set aside.
    #[serde(default)]
    pub(super) owed: Option<Epoch>,
    /// What these datasets alone held from an epoch can never be set aside: a person goes on without.
    #[serde(default)]
    pub(super) given_up: BTreeMap<String, Epoch>,
}

fn path(home: &Path) -> PathBuf {
    home.join("dumps.json")
}

async fn read_all_back(all: Vec<Dumped>, gone: &Arc<AtomicBool>) -> Result<(), Doubt> {
    for dumped in all {
        let (dataset, gone) = (dumped.name.clone(), Arc::clone(gone));
        tracing::warn!(dataset, "a database is read back from its dump");
        let done = ground::aside(move || dumped.read_back(&gone)).await.unwrap_or_else(|error| Err(error.to_string()));
        done.map_err(|why| Doubt::NotRestored { dataset, why })?;
    }
    Ok(())
}

pub(super) fn lost(error: &std::io::Error) -> Doubt {
    Doubt::NotRestored { dataset: String::new(), why: error.to_string() }
}

/// A dump may take so long whatever lies between two of them.
const LONGEST_MS: u64 = 30 * 60 * 1000;

impl Dumps {
    pub(super) fn load(home: &Path) -> Self {
        // Where nobody knows, it is read back once more: only a machine whose POS server has not started yet gets there.
        let saved = fs::read(path(home)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { saved: saved.unwrap_or_default(), ..Self::default() }
    }

    /// A database that could not be dumped, and why.
    fn undumped(&self) -> Option<(String, String)> {
        self.dumpers.iter().find_map(|dumper| Some((dumper.name.clone(), dumper.stands().failed?)))
    }

    /// The mirror was asked: takes when each dump in it was begun, and gives the rest back.
    pub(super) fn take(&mut self, mut answers: Vec<Answer>) -> Vec<Answer> {
        for (name, answer) in answers.extract_if(.., |(name, _)| dumping::asked(name).is_some()) {
            let at = answer.ok().and_then(|at| Timestamp::from_millisecond(i64::try_from(at).ok()?).ok());
            if let (Some(dataset), Some(at)) = (dumping::asked(&name), at)
                && let Some(before) = self.begun.insert(dataset.to_owned(), at).filter(|before| *before < at)
            {
                let apart = u64::try_from(at.duration_since(before).as_millis()).unwrap_or(0);
                self.apart_ms.insert(dataset.to_owned(), apart);
            }
        }
        answers
    }

    /// This machine serves no more.
    pub(super) fn end(&mut self) {
        self.dumpers.clear();
        self.ending = false;
        self.failed = None;
        if let Some(Restoring { runs, .. }) = self.restoring.take() {
            runs.end();
            self.former = Some(runs);
        }
    }

    /// The service of this machine ends: nothing that writes or reads a database goes on without it.
    pub(super) async fn end_all(&mut self) {
        self.end();
        let (runs, _) = self.asides.end();
        for runs in runs.into_iter().chain(self.former.take()) {
            runs.end();
            let _ = timeout(AGAIN, runs.came()).await;
        }
    }

    /// The POS server starts when they are read back.
    pub(super) fn is_waited_for(&self) -> bool {
        self.restoring.is_some() || self.failed.is_some()
    }

    /// Whether what `name` alone held is being set aside before it is read back, as far as is known.
    pub(super) fn may_be_setting_aside(&self) -> bool {
        self.saved.owed.is_some() && self.restoring.is_some() || self.asides.runs()
    }

    /// A person has said something else meanwhile: what runs is ended, and tried again.
    pub(super) fn begin_again(&mut self) {
        self.restoring.iter().for_each(|one| one.runs.end());
        self.asides.begin_again();
        self.failed.iter_mut().for_each(|(_, again)| *again = Instant::now());
    }
}

impl Machine {
    pub(super) fn dumped(&self) -> Vec<Dumped> {
        let folder = |name: &str| self.folder(&self.store, name);
        let folders: Vec<_> = self.store.datasets.iter().map(|one| (one.name.clone(), folder(&one.name))).collect();
        let each = self.store.datasets.iter().filter_map(|dataset| {
            let Content::Dump(set) = &dataset.content else { return None };
            Some(Dumped {
                name: dataset.name.clone(),
                folder: folder(&dataset.name),
                folders: folders.clone(),
                dump: set.dump.clone(),
                restore: set.restore.clone(),
                every: set.every,
            })
        });
        each.collect()
    }

    /// A folder into which dumps are written is there before it is watched.
    pub(super) fn make_dump_folders(&self) -> std::io::Result<()> {
        self.dumped().iter().try_for_each(|dumped| fs::create_dir_all(&dumped.folder))
    }

    /// Reads the dumps back, if that is to be done before the POS server starts in `epoch`; else begins to write them. Returns whether the
    /// POS server may start: it waits for them.
    pub(super) fn restore_dumps(&mut self, epoch: Epoch) -> bool {
        let all = self.dumped();
        let took_over = self.pair.record().took_over();
        let is_to_read = took_over.is_some_and(|taken| self.dumps.saved.restored != Some(taken));
        if all.is_empty() || !is_to_read {
            if is_to_read && !ground::is_simulated() {
                // What is declared later was not there when this epoch began.
                let saved = Saved { restored: took_over, ..Saved::default() };
                self.note_dumps(saved).unwrap_or_else(|error| tracing::warn!(%error, "it cannot be noted"));
            }
            self.dumps.dumpers = all.into_iter().map(Dumper::begin).collect();
            return true;
        }
        let owed = self.dumps.saved.owed.map(|served| (self.held_alone(served), served));
        let (runs, failed) = self.dumps.asides.end();
        self.dumps.failed = self.dumps.failed.take().or(failed);
        let before: Vec<Running> = runs.into_iter().chain(self.dumps.former.take()).collect();
        let runs = Running::begin(|gone| async move {
            let mut asides = vec![];
            for task in before {
                // One reads what is about to be overwritten; of two that write none would know what it has written.
                asides.extend(task.came().await.0);
            }
            if let Some((alone, served)) = owed {
                let (kept, done) = asides::set_all_aside(alone, served, &gone).await;
                asides.extend(kept);
                if done.is_err() {
                    return (asides, done);
                }
            }
            (asides, read_all_back(all, &gone).await)
        });
        self.dumps.restoring = Some(Restoring { epoch, runs, since: Instant::now() });
        false
    }

    /// Looks how far the dumps are that are read back, or are written for the last time.
    pub(super) async fn dumps_go_on(&mut self) -> Result<(), MachineError> {
        if let Some(former) = self.dumps.former.take_if(|former| former.task.is_finished()) {
            let (asides, _) = former.came().await;
            self.tell_asides(asides);
        }
        if self.pair.duty() != Duty::Serving {
            self.dumps.end();
            return Ok(());
        }
        // While the place is being given nothing begins here.
        if self.turning.is_freezing() {
            return self.last_dumps_go_on().await;
        }
        let is_due = self.dumps.failed.as_ref().is_some_and(|(_, again)| Instant::now() >= *again);
        if is_due && self.dumps.restoring.is_none() {
            let epoch = self.pair.record().epoch;
            self.restore_dumps(epoch);
        }
        if let Some(Restoring { epoch, runs, .. }) = self.dumps.restoring.take_if(|one| one.runs.task.is_finished()) {
            let (asides, came) = runs.came().await;
            self.tell_asides(asides);
            let saved = Saved { restored: self.pair.record().took_over(), ..Saved::default() };
            match came.and_then(|()| self.note_dumps(saved).map_err(|error| lost(&error))) {
                Ok(()) => {
                    self.dumps.failed = None;
                    self.restore_dumps(epoch);
                    self.ready_to_start(epoch).await;
                }
                Err(doubt) => {
                    tracing::error!(?doubt, "a database could not be read back: the POS server is not started");
                    let why = doubt.why_not().unwrap_or(WhyNot::Other);
                    // What gives the place away is not held up by that.
                    if self.turning.job.running().is_none_or(|own| !own.kind.gives()) {
                        self.end_job(Err(why)).await;
                    }
                    self.dumps.failed = Some((doubt, Instant::now() + AGAIN));
                }
            }
            self.publish_soon();
        }
        self.last_dumps_go_on().await
    }

    /// Looks whether all is dumped for the last time.
    async fn last_dumps_go_on(&mut self) -> Result<(), MachineError> {
        if self.dumps.ending && self.dumps.dumpers.iter().all(Dumper::has_ended) {
            self.dumps.ending = false;
            if let Some((name, why)) = self.dumps.undumped() {
                // The other machine would go on without what was sold since the dump before.
                self.turning.job.ending = Some(WhyNot::NotDumped { name, why });
                return self.step(Event::NotLevel).await;
            }
            self.all_is_written();
        }
        Ok(())
    }

    pub(super) fn note_dumps(&mut self, saved: Saved) -> std::io::Result<()> {
        save(&path(&self.home), &serde_json::to_vec_pretty(&saved)?)?;
        self.dumps.saved = saved;
        Ok(())
    }

    /// Nothing is written any more: each database is dumped once more. Returns how long that may take; none where there is none.
    pub(super) fn dump_once_more(&mut self) -> Option<Duration> {
        let took = self.dumps.dumpers.iter().map(|dumper| dumper.stands().took).max()?;
        self.dumps.dumpers.iter().for_each(Dumper::end);
        self.dumps.ending = true;
        Some(took * 3 + AGAIN)
    }

    /// It is written on.
    pub(super) fn dump_on(&mut self) {
        if std::mem::take(&mut self.dumps.ending) || self.dumps.dumpers.iter().any(Dumper::has_ended) {
            self.dumps.dumpers = self.dumped().into_iter().map(Dumper::begin).collect();
        }
    }

    /// What is wrong with the dumps.
    pub(super) fn dump_troubles(&self) -> Vec<Trouble> {
        let back = self.dumps.failed.iter().chain(self.dumps.asides.failed()).map(|(doubt, _)| doubt.clone());
        let failed =
            self.dumps.dumpers.iter().filter_map(|dumper| {
                Some(Doubt::NotDumped { dataset: dumper.name.clone(), why: dumper.stands().failed? })
            });
        let since = self.dumps.restoring.as_ref().map(|one| one.since.elapsed()).filter(|since| *since >= LONG);
        let restoring = since.map(|since| Doubt::Restoring { minutes: since.as_secs() / 60 });
        back.chain(failed).chain(restoring).map(Trouble::Doubt).collect()
    }

    /// How old each dump in the mirror is, and how old it may be, both in milliseconds: `limit_ms`, or twice the time between two dumps, as it
    /// is set or as they came.
    pub(super) fn dump_ages(&self, limit_ms: u64) -> Vec<(u64, u64)> {
        let age = |dumped: &Dumped| {
            let begun = self.dumps.begun.get(&dumped.name)?;
            let age = u64::try_from(ground::now().duration_since(*begun).as_millis()).unwrap_or(0);
            let every = u64::try_from(dumped.every.as_millis()).unwrap_or(u64::MAX);
            // A night lay between some of them, too.
            let longest = every.saturating_mul(4).saturating_add(LONGEST_MS);
            let apart = every.max(self.dumps.apart_ms.get(&dumped.name).copied().unwrap_or(0).min(longest));
            Some((age, apart.saturating_mul(2).max(limit_ms)))
        };
        self.dumped().iter().filter_map(age).collect()
    }

    /// What the status says of datasets that are dumped: each is exact, as of its dump.
    pub(super) fn tell_dumps(&self, status: &mut Status) {
        for dumped in self.dumped() {
            let Some(dataset) = status.datasets.iter_mut().find(|dataset| dataset.name == dumped.name) else {
                continue;
            };
            dataset.kinds = vec![Kind::Dump];
            dataset.grade = dataset.grade.map(|_| Grade::Exact);
            if self.pair.duty() != Duty::Serving {
                dataset.dumped_at = self.dumps.begun.get(&dumped.name).copied();
                status.mirror.as_of = status.mirror.as_of.zip(dataset.dumped_at).map(|(all, dump)| all.min(dump));
            }
        }
        if self.pair.duty() != Duty::Serving {
            let limit_ms = u64::try_from(self.store.mirror.max_age.as_millis()).unwrap_or(u64::MAX);
            let old = self.dump_ages(limit_ms).into_iter().find(|(age, limit)| age > limit);
            let is_missing = self.dumped().iter().any(|dumped| !self.dumps.begun.contains_key(&dumped.name));
            takeover::without_dump(&mut status.can_take_over, is_missing, old);
        }
    }
}
