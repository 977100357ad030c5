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
use crate::pair::{Duty, Epoch, Event};
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
    /// Which one could not be read back, why, and when that is tried again.
    failed: Option<(String, String, Instant)>,
    /// Nothing is written any more: each is dumped once more before all is sent.
    ending: bool,
    aside: Option<Aside>,
}

#[derive(Debug)]
struct Restoring {
    epoch: Epoch,
    task: JoinHandle<Result<(), (String, String)>>,
}

/// What this machine alone held is being set aside, or could not be: then it is tried again.
#[derive(Debug)]
enum Aside {
    /// Where it is then, as far as it was not there before.
    Runs(JoinHandle<Result<Vec<PathBuf>, (String, String)>>),
    Failed {
        name: String,
        why: String,
        again: Instant,
    },
}

/// What is kept in the home.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Saved {
    /// The epoch that began with a mirror, and all was read back for it.
    restored: Option<Epoch>,
}

fn path(home: &Path) -> PathBuf {
    home.join("dumps.json")
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
        (self.dumps.failed, self.dumps.aside) = (None, None);
        let task = ground::spawn(async move {
            for dumped in all {
                let name = dumped.name.clone();
                tracing::warn!(dataset = name, "a database is read back from its dump");
                match ground::aside(move || dumped.read_back()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(why)) => return Err((name, why)),
                    Err(error) => return Err((name, error.to_string())),
                }
            }
            Ok(())
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
        if let Some((.., again)) = &self.dumps.failed
            && Instant::now() >= *again
        {
            let epoch = self.pair.record().epoch;
            self.restore_dumps(epoch);
        }
        if let Some(Restoring { epoch, task }) = self.dumps.restoring.take_if(|one| one.task.is_finished()) {
            let came = task.await.unwrap_or_else(|error| Err((String::new(), error.to_string())));
            match came.and_then(|()| self.note_restored()) {
                Ok(()) => {
                    self.restore_dumps(epoch);
                    self.ready_to_start(epoch).await;
                }
                Err((name, why)) => {
                    tracing::error!(name, why, "a database could not be read back: the POS server is not started");
                    self.dumps.failed = Some((name.clone(), why.clone(), Instant::now() + AGAIN));
                    self.end_job(Err(WhyNot::NotRestored { name, why })).await;
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

    fn note_restored(&mut self) -> Result<(), (String, String)> {
        let saved = Saved { restored: self.pair.record().took_over() };
        let bytes = serde_json::to_vec_pretty(&saved).map_err(std::io::Error::from);
        let kept = bytes.and_then(|bytes| save(&path(&self.home), &bytes));
        kept.map_err(|error| (String::new(), error.to_string()))?;
        self.dumps.saved = saved;
        Ok(())
    }

    /// This machine lost its place without giving it: what its databases alone hold is set aside, while the other one serves. Returns
    /// whether that is done; it can be given its place back only then.
    pub(super) async fn dumps_are_aside(&mut self) -> bool {
        let (all, served) = (self.dumped(), self.pair.record().served());
        match self.dumps.aside.take() {
            _ if all.is_empty() => return true,
            Some(Aside::Runs(task)) if task.is_finished() => {
                match task.await.unwrap_or_else(|error| Err((String::new(), error.to_string()))) {
                    Ok(asides) => {
                        for to in asides {
                            self.done("", What::Noted(Noted::Kept { files: 1, to: to.display().to_string() }));
                        }
                        return true;
                    }
                    Err((name, why)) => {
                        tracing::error!(name, why, "what a database alone holds could not be set aside");
                        self.dumps.aside = Some(Aside::Failed { name, why, again: Instant::now() + AGAIN });
                    }
                }
            }
            Some(Aside::Failed { name, why, again }) if Instant::now() < again => {
                self.dumps.aside = Some(Aside::Failed { name, why, again });
            }
            Some(runs @ Aside::Runs(_)) => self.dumps.aside = Some(runs),
            None | Some(Aside::Failed { .. }) => {
                self.dumps.aside = Some(Aside::Runs(ground::spawn(async move {
                    let mut asides = vec![];
                    for dumped in all {
                        let name = dumped.name.clone();
                        match ground::aside(move || dumped.set_aside(served)).await {
                            Ok(Ok(aside)) => asides.extend(aside),
                            Ok(Err(why)) => return Err((name, why)),
                            Err(error) => return Err((name, error.to_string())),
                        }
                    }
                    Ok(asides)
                })));
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
        let back = self
            .dumps
            .failed
            .iter()
            .map(|(dataset, why, _)| Doubt::NotRestored { dataset: dataset.clone(), why: why.clone() });
        let aside = match &self.dumps.aside {
            Some(Aside::Failed { name, why, .. }) => Some(Doubt::NotDumped { dataset: name.clone(), why: why.clone() }),
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
