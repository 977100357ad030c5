//! The databases that are mirrored by dumps: written while this machine serves, read back before its POS server starts where another one
//! served before.
//!
//! In each epoch that began with a mirror each is read back once, and that is noted before the POS server starts: what was sold since is
//! never overwritten. No dump is written before: it would be one of what is about to be overwritten.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Machine, MachineError};
use crate::config::dataset::Content;
use crate::os::ground;
use crate::pair::{Duty, Epoch, Event, Record};
use crate::replica::{Grade, Kind};
use crate::service::dumping::{self, Dumped, Dumper};
use crate::service::event::{Noted, What};
use crate::service::home::save;
use crate::service::refusal::WhyNot;
use crate::service::status::{Doubt, Status, Trouble};

/// Between two tries to read one back.
const AGAIN: Duration = Duration::from_secs(10);

/// What the mirror answered.
type Answer = (String, Result<u64, String>);

/// The dumps of this machine.
#[derive(Debug, Default)]
pub(super) struct Dumps {
    saved: Saved,
    dumpers: Vec<Dumper>,
    /// When each dump in the mirror was begun.
    begun: BTreeMap<String, Timestamp>,
    restoring: Option<Restoring>,
    /// Why they could not be read back, and when that is tried again.
    failed: Option<(Doubt, Instant)>,
    /// Nothing is written any more: each is dumped once more before all is sent.
    ending: bool,
    aside: Option<Aside>,
}

#[derive(Debug)]
struct Restoring {
    epoch: Epoch,
    /// What was set aside before, as far as it was not there already.
    task: JoinHandle<Result<Vec<PathBuf>, Doubt>>,
}

/// What this machine alone held is being set aside, or could not be: then it is tried again.
#[derive(Debug)]
enum Aside {
    /// Where it is then, as far as it was not there before.
    Runs(JoinHandle<Result<Vec<PathBuf>, Doubt>>),
    Failed {
        doubt: Doubt,
        again: Instant,
    },
}

/// What is kept in the home.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Saved {
    /// The epoch that began with a mirror, and all was read back for it.
    restored: Option<Epoch>,
    /// It lost its place of this epoch, and takes over again before what its databases alone held was set aside.
    #[serde(default)]
    owed: Option<Epoch>,
}

fn path(home: &Path) -> PathBuf {
    home.join("dumps.json")
}

/// Sets aside what the databases hold from epoch `served`. Returns where it is, as far as it was not there before.
async fn set_all_aside(all: Vec<Dumped>, served: Epoch) -> Result<Vec<PathBuf>, Doubt> {
    let mut asides = vec![];
    for dumped in all {
        let dataset = dumped.name.clone();
        let done = ground::aside(move || dumped.set_aside(served)).await.unwrap_or_else(|error| Err(error.to_string()));
        asides.extend(done.map_err(|why| Doubt::NotDumped { dataset, why })?);
    }
    Ok(asides)
}

async fn read_all_back(all: Vec<Dumped>) -> Result<(), Doubt> {
    for dumped in all {
        let dataset = dumped.name.clone();
        tracing::warn!(dataset, "a database is read back from its dump");
        let done = ground::aside(move || dumped.read_back()).await.unwrap_or_else(|error| Err(error.to_string()));
        done.map_err(|why| Doubt::NotRestored { dataset, why })?;
    }
    Ok(())
}

fn lost(error: &std::io::Error) -> Doubt {
    Doubt::NotRestored { dataset: String::new(), why: error.to_string() }
}

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
            if let (Some(dataset), Some(at)) = (dumping::asked(&name), at) {
                self.begun.insert(dataset.to_owned(), at);
            }
        }
        answers
    }

    /// This machine serves no more.
    pub(super) fn end(&mut self) {
        self.dumpers.clear();
        self.ending = false;
        self.failed = None;
        if let Some(restoring) = self.restoring.take() {
            restoring.task.abort();
        }
    }
}

impl Machine {
    fn dumped(&self) -> Vec<Dumped> {
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
        if all.is_empty() || took_over.is_none_or(|taken| self.dumps.saved.restored == Some(taken)) {
            self.dumps.dumpers = all.into_iter().map(Dumper::begin).collect();
            return true;
        }
        self.dumps.failed = None;
        let (owed, runs) = (self.dumps.saved.owed, self.dumps.aside.take());
        let task = ground::spawn(async move {
            let mut asides = vec![];
            if let Some(Aside::Runs(task)) = runs {
                // It reads what is about to be overwritten.
                asides.extend(task.await.into_iter().flatten().flatten());
            }
            if let Some(served) = owed {
                asides.extend(set_all_aside(all.clone(), served).await?);
            }
            read_all_back(all).await?;
            Ok(asides)
        });
        self.dumps.restoring = Some(Restoring { epoch, task });
        false
    }

    /// Looks how far the dumps are that are read back, or are written for the last time.
    pub(super) async fn dumps_go_on(&mut self) -> Result<(), MachineError> {
        if self.pair.duty() != Duty::Serving {
            self.dumps.end();
            return Ok(());
        }
        if self.dumps.failed.as_ref().is_some_and(|(_, again)| Instant::now() >= *again) {
            let epoch = self.pair.record().epoch;
            self.restore_dumps(epoch);
        }
        if let Some(Restoring { epoch, task }) = self.dumps.restoring.take_if(|one| one.task.is_finished()) {
            let saved = Saved { restored: self.pair.record().took_over(), owed: None };
            let came = task.await.unwrap_or_else(|error| Err(lost(&error.into())));
            let came = came.and_then(|asides| self.note_dumps(saved).map(|()| asides).map_err(|error| lost(&error)));
            match came {
                Ok(asides) => {
                    self.tell_asides(asides);
                    self.restore_dumps(epoch);
                    self.ready_to_start(epoch).await;
                }
                Err(doubt) => {
                    tracing::error!(?doubt, "a database could not be read back: the POS server is not started");
                    let why = doubt.why_not().unwrap_or(WhyNot::Other);
                    self.end_job(Err(why)).await;
                    self.dumps.failed = Some((doubt, Instant::now() + AGAIN));
                }
            }
            self.publish_soon();
        }
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

    fn note_dumps(&mut self, saved: Saved) -> std::io::Result<()> {
        save(&path(&self.home), &serde_json::to_vec_pretty(&saved)?)?;
        self.dumps.saved = saved;
        Ok(())
    }

    /// Before the record `next` is saved: where this machine takes over again before what its databases alone held is set aside, it does
    /// that first, whatever comes between.
    pub(super) fn owe_dumps(&mut self, before: &Record, next: &Record) -> std::io::Result<()> {
        let takes_over = before.strays && next.is_serving() && self.dumps.saved.owed.is_none();
        if !takes_over || self.dumped().is_empty() {
            return Ok(());
        }
        self.note_dumps(Saved { owed: Some(before.served()), ..self.dumps.saved })
    }

    fn tell_asides(&mut self, asides: Vec<PathBuf>) {
        for to in asides {
            self.done("", What::Noted(Noted::Kept { files: 1, to: to.display().to_string() }));
        }
    }

    /// This machine lost its place without giving it: what its databases alone hold is set aside, while the other one serves. Returns
    /// whether that is done; it can be given its place back only then.
    pub(super) async fn dumps_are_aside(&mut self) -> bool {
        let (all, served) = (self.dumped(), self.pair.record().served());
        match self.dumps.aside.take() {
            _ if all.is_empty() => return true,
            Some(Aside::Runs(task)) if task.is_finished() => {
                match task.await.unwrap_or_else(|error| Err(lost(&error.into()))) {
                    Ok(asides) => {
                        self.tell_asides(asides);
                        return true;
                    }
                    Err(doubt) => {
                        tracing::error!(?doubt, "what a database alone holds could not be set aside");
                        self.dumps.aside = Some(Aside::Failed { doubt, again: Instant::now() + AGAIN });
                    }
                }
            }
            Some(Aside::Failed { again, doubt }) if Instant::now() < again => {
                self.dumps.aside = Some(Aside::Failed { doubt, again });
            }
            Some(runs @ Aside::Runs(_)) => self.dumps.aside = Some(runs),
            None | Some(Aside::Failed { .. }) => {
                self.dumps.aside = Some(Aside::Runs(ground::spawn(set_all_aside(all, served))));
            }
        }
        false
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
        let back = self.dumps.failed.iter().map(|(doubt, _)| doubt.clone());
        let aside = match &self.dumps.aside {
            Some(Aside::Failed { doubt, .. }) => Some(doubt.clone()),
            _ => None,
        };
        let failed =
            self.dumps.dumpers.iter().filter_map(|dumper| {
                Some(Doubt::NotDumped { dataset: dumper.name.clone(), why: dumper.stands().failed? })
            });
        back.chain(aside).chain(failed).map(Trouble::Doubt).collect()
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
    }
}
