//! The start from an earlier state of the copy: for the day when the main has mirrored its own damage. What the mirror holds is set aside
//! before anything of it is stepped back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::Machine;
use crate::config::dataset::Dataset;
use crate::disk::DiskError;
use crate::disk::apply::aside::{self, SetAside};
use crate::disk::apply::open::{OpenError, Opening, Others};
use crate::disk::apply::{Mirror, journal_folder};
use crate::disk::journal::index::Index;
use crate::disk::journal::undo::Limits;
use crate::os::ground::{self, spawn};
use crate::pair::{Duty, Epoch};
use crate::replica::Time;
use crate::service::event::{Noted, What};
use crate::service::home::save;
use crate::service::refusal::WhyNot;
use crate::service::status::Status;

/// Between two looks at which states there are.
const LOOK: Duration = Duration::from_secs(10);

/// So many minutes before the last state are those that a person chooses among.
const MINUTES: [i64; 12] = [1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 120, 240];

/// A state that the mirror can be stepped back to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reached {
    /// The mirror holds what its source held then.
    pub(super) at: Timestamp,
    /// The next one is of then.
    pub(super) until: Timestamp,
}

/// The states that the mirror can be stepped back to, as far as a person chooses among them.
#[derive(Debug, Default)]
pub(super) struct States {
    known: Vec<Reached>,
    reading: Option<JoinHandle<Vec<Reached>>>,
    read_at: Option<Instant>,
    /// A step back came to nothing half way: these datasets are perhaps of two times, until the server has brought each of them level.
    half_back: BTreeSet<String>,
}

impl States {
    /// They, the newest first.
    pub(super) fn known(&self) -> &[Reached] {
        &self.known
    }
}

impl Machine {
    /// Looks from time to time which states there are.
    pub(super) async fn states_go_on(&mut self) {
        if self.pair.duty() == Duty::Serving || ground::is_simulated() {
            self.states = States::default();
            return;
        }
        if let Some(read) = self.states.reading.take_if(|reading| reading.is_finished()) {
            self.states.known = read.await.unwrap_or_default();
        }
        let is_due = self.states.read_at.is_none_or(|at| at.elapsed() >= LOOK) && self.states.reading.is_none();
        if !is_due {
            return;
        }
        let of = |dataset: &Dataset| self.folder(&self.store, &dataset.name);
        let folders: Vec<PathBuf> = self.store.datasets.iter().map(of).collect();
        self.states.read_at = Some(Instant::now());
        let chosen = move || chosen(&together(folders.iter().map(|folder| states_of(folder)).collect()));
        self.states.reading = Some(spawn(async move { ground::aside(chosen).await.unwrap_or_default() }));
    }

    pub(super) fn tell_states(&self, status: &mut Status) {
        status.states = self.states.known.iter().map(|state| state.at).collect();
    }

    /// Steps every dataset back to what it was at `time`: all of them, or, where one cannot be, none. The mirrors are closed. Returns how
    /// many generations there are then.
    pub(super) async fn back_to(&mut self, time: Timestamp) -> Result<u64, WhyNot> {
        let (closed, wish) = (self.closed_mirrors(self.pair.record().epoch), wish_path(&self.home));
        let stamp = ground::now().strftime("%Y%m%d-%H%M%S").to_string();
        let at = Time::from(time);
        // What was begun is finished: some datasets are of that time already.
        let is_begun = self.half_back() == Some(time);
        let stepped = ground::aside(move || {
            let mut mirrors = closed.open().map_err(refused)?;
            let leads_back = |mirror: &Mirror| {
                if is_begun { mirror.generation_of(at).map(drop) } else { mirror.leads_back(at) }
            };
            mirrors.iter().try_for_each(leads_back).map_err(no_way)?;
            let mut asides = set_aside(&mirrors, at, &stamp)?;
            // From here on it must be finished, whatever comes: some datasets of another time than the rest are no state of the shop.
            save(&wish, &serde_json::to_vec(&time).map_err(system)?).map_err(system)?;
            asides.extend(closed.unapplied()?);
            let back = |mirrors: &mut [Mirror]| mirrors.iter_mut().try_for_each(|mirror| mirror.back_to(at));
            let stepped = back(&mut mirrors).or_else(|_| back(&mut mirrors));
            // Else the next start finishes it, or the server does away with it where it brings each dataset level.
            stepped.map_err(no_way)?;
            ground::remove(&wish).map_err(system)?;
            Ok((asides, mirrors.iter().map(|mirror| mirror.state().position.seq).sum()))
        });
        let stepped = stepped.await.unwrap_or_else(|error| Err(system(error)));
        if stepped.is_err() && wish_path(&self.home).exists() {
            self.is_half_back();
        }
        let (asides, seq) = stepped?;
        self.stepped_back(asides, time);
        Ok(seq)
    }

    fn stepped_back(&mut self, asides: Vec<Option<SetAside>>, to: Timestamp) {
        for aside in asides.into_iter().flatten() {
            let kept = Noted::Kept { files: aside.files.len() as u64, to: aside.to.display().to_string() };
            self.done("", What::Noted(kept));
        }
        self.done("", What::Noted(Noted::SteppedBack { to }));
        self.numbers.stepped_back(to, ground::now(), &self.home);
    }

    /// Finishes what a crash has interrupted: all datasets are stepped back to the time that was asked for. No mirror is open yet.
    pub(super) async fn back_at_last(&mut self, epoch: Epoch) {
        let wish = wish_path(&self.home);
        let Ok(bytes) = std::fs::read(&wish) else { return };
        let mut is_over = true;
        if let Ok(time) = serde_json::from_slice::<Timestamp>(&bytes) {
            let (closed, at) = (self.closed_mirrors(epoch), Time::from(time));
            let stamp = ground::now().strftime("%Y%m%d-%H%M%S").to_string();
            let stepped = ground::aside(move || {
                let mut mirrors = closed.open().map_err(refused)?;
                let mut asides = set_aside(&mirrors, at, &stamp)?;
                asides.extend(closed.unapplied()?);
                mirrors.iter_mut().try_for_each(|mirror| mirror.back_to(at)).map_err(no_way)?;
                Ok(asides)
            });
            match stepped.await.unwrap_or_else(|error| Err(system(error))) {
                Ok(asides) => self.stepped_back(asides, time),
                Err(why) => {
                    tracing::error!(?why, %time, "the step back that was interrupted could not be finished");
                    is_over = false;
                    self.is_half_back();
                }
            }
        }
        if is_over {
            self.no_step_back_waits();
        }
    }

    /// To what time all is still to be stepped back, before anything is served from it: some datasets are, perhaps, and others not.
    pub(super) fn half_back(&self) -> Option<Timestamp> {
        if self.states.half_back.is_empty() {
            return None;
        }
        serde_json::from_slice(&std::fs::read(wish_path(&self.home)).ok()?).ok()
    }

    fn is_half_back(&mut self) {
        self.states.half_back = self.store.datasets.iter().map(|one| one.name.clone()).collect();
    }

    /// A dataset is what the server has: with the last of them no step back waits any more.
    pub(super) fn is_level_again(&mut self, name: &str) {
        if self.states.half_back.remove(name) && self.states.half_back.is_empty() {
            self.no_step_back_waits();
        }
    }

    fn no_step_back_waits(&mut self) {
        if let Err(error) = ground::remove(&wish_path(&self.home)) {
            tracing::error!(%error, "that no step back waits any more could not be noted");
        }
    }

    fn closed_mirrors(&self, epoch: Epoch) -> Closed {
        let folder = |dataset: &Dataset| self.folder(&self.store, &dataset.name);
        Closed { folders: self.store.datasets.iter().map(folder).collect(), opening: self.closed(), epoch }
    }

    /// How a mirror is opened that nobody has open.
    pub(super) fn closed(&self) -> Opening {
        let mirror = &self.store.mirror;
        Opening { others: Others::Refuse, history: Limits { age: mirror.history, bytes: mirror.history_bytes } }
    }
}

/// The mirrors of all datasets, which nobody has open.
struct Closed {
    folders: Vec<PathBuf>,
    opening: Opening,
    epoch: Epoch,
}

impl Closed {
    fn open(&self) -> Result<Vec<Mirror>, OpenError> {
        self.folders.iter().map(|folder| Ok(Mirror::open(folder, self.opening, self.epoch)?.0)).collect()
    }

    /// Sets aside what could not be applied: a step back forgets it.
    fn unapplied(&self) -> Result<Vec<Option<SetAside>>, WhyNot> {
        self.folders.iter().map(|folder| aside::keep_unapplied(folder).map_err(no_way)).collect()
    }
}

/// Sets aside what a step back to `at` would change.
fn set_aside(mirrors: &[Mirror], at: Time, stamp: &str) -> Result<Vec<Option<SetAside>>, WhyNot> {
    mirrors.iter().map(|mirror| mirror.set_aside_since(at, stamp).map_err(no_way)).collect()
}

/// Where is kept to what time all is being stepped back.
fn wish_path(home: &Path) -> PathBuf {
    home.join("back-to.json")
}

fn system(error: impl std::fmt::Display) -> WhyNot {
    WhyNot::System { error: error.to_string() }
}

fn refused(error: OpenError) -> WhyNot {
    match error {
        OpenError::Disk(error) => no_way(error),
        other => system(other),
    }
}

fn no_way(error: DiskError) -> WhyNot {
    match error {
        DiskError::TooLongAgo { oldest } => WhyNot::TooLongAgo { oldest: oldest.and_then(Time::timestamp) },
        error => system(error),
    }
}

/// All states of the mirror at `dest`, the oldest first.
fn states_of(dest: &Path) -> Vec<Timestamp> {
    let index = Index::left(&journal_folder(dest).join("index.db")).ok().flatten();
    let all = index.and_then(|index| index.generations().ok()).unwrap_or_default().into_iter();
    all.filter_map(|one| one.as_of.timestamp()).collect()
}

/// The states of some datasets that all of them can be stepped back to, the oldest first.
fn together(all: Vec<Vec<Timestamp>>) -> Vec<Timestamp> {
    let oldest: Option<Vec<Timestamp>> = all.iter().map(|states| states.first().copied()).collect();
    let Some(first) = oldest.and_then(|oldest| oldest.into_iter().max()) else { return vec![] };
    let mut times: Vec<Timestamp> = all.into_iter().flatten().filter(|at| *at >= first).collect();
    times.sort_unstable();
    times.dedup();
    times
}

/// Of all states, the oldest first, those that a person chooses among: the newest first, without the last of all.
fn chosen(all: &[Timestamp]) -> Vec<Reached> {
    let Some(last) = all.last() else { return vec![] };
    let before: Vec<Reached> = all.windows(2).map(|two| Reached { at: two[0], until: two[1] }).collect();
    let of = |minutes: &i64| {
        let then = last.checked_sub(jiff::SignedDuration::from_mins(*minutes)).ok()?;
        before.iter().rfind(|state| state.at <= then).copied()
    };
    // The one before the last may be the only one that is good.
    let mut some: Vec<Reached> = before.last().copied().into_iter().chain(MINUTES.iter().filter_map(of)).collect();
    some.extend(before.first());
    some.dedup();
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_dataset_has_lost_is_offered_for_none() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        assert_eq!(together(vec![vec![at(1)], vec![at(5), at(9)]]), [at(5), at(9)]);
        assert_eq!(together(vec![vec![at(1), at(7)], vec![at(5), at(9)]]), [at(5), at(7), at(9)]);
        assert_eq!(together(vec![vec![], vec![at(5)]]), []);
    }

    #[test]
    fn a_person_chooses_among_a_few_states() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let all: Vec<Timestamp> = (0..=4000).step_by(2).map(at).collect();
        let some: Vec<Timestamp> = chosen(&all).iter().map(|state| state.at).collect();
        assert_eq!(some[..4], [at(3998), at(3940), at(3880), at(3820)]);
        assert_eq!((some.last(), some.len()), (Some(&at(0)), 12));
        assert_eq!(chosen(&all[..1]), []);
        assert_eq!(chosen(&all[..2]), [Reached { at: at(0), until: at(2) }]);
        assert_eq!(chosen(&[]), []);
    }
}
