//! The states that the mirror can be stepped back to, one for each generation of the last while.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::aside::SetAside;
use super::plan::{How, Plan};
use super::{Mirror, journal_folder};
use crate::disk::error::{At, DiskError};
use crate::disk::journal::index::Index;
use crate::disk::journal::states::{Disturbed, Generation, Pinned};
use crate::os::ground;
use crate::replica::{RelPath, Time};

/// For so long a state is kept that somebody may want back, in seconds: a day.
const PINNED: i64 = 86_400;

/// A state that is kept may cost so many times the room that history may take.
const PINNED_TIMES: u64 = 4;

/// The name of no dataset: what a mirror keeps for itself.
const OWN: &str = "";

impl Mirror {
    /// The states that it can be stepped back to, the oldest first, and as it is now.
    pub fn generations(&self) -> Result<Vec<Generation>, DiskError> {
        let now = self.state.position.seq;
        let first = self.history().map_or(now, |(first, _)| first.saturating_sub(1));
        Ok(self.index.generations()?.into_iter().filter(|one| (first..=now).contains(&one.seq)).collect())
    }

    /// The state of `time`: the last one that was taken before it, or then; an error where there is none.
    pub fn generation_of(&self, time: Time) -> Result<Generation, DiskError> {
        let all = self.generations()?;
        let found = all.iter().rfind(|one| one.as_of <= time).copied();
        found.ok_or(DiskError::TooLongAgo { oldest: all.first().map(|one| one.as_of) })
    }

    /// An error where a step back to the state of `time` would mix what stood in a file then with what somebody else wrote to it since.
    pub fn leads_back(&self, time: Time) -> Result<(), DiskError> {
        let target = self.generation_of(time)?.seq;
        let disturbed: BTreeMap<RelPath, u64> = self
            .index
            .disturbed()?
            .into_iter()
            .map(|one| (one.path, one.seq))
            .filter(|(_, seq)| target < *seq)
            .collect();
        let last = disturbed.values().max().map_or(target, |seq| self.state.position.seq.min(*seq));
        for step in target + 1..=last {
            let touched = self.touched_by(step)?.unwrap_or_default();
            let mixes = |path: &RelPath| disturbed.get(path).is_some_and(|seq| step <= *seq);
            if let Some(path) = touched.into_iter().find(mixes) {
                return Err(DiskError::Disturbed { path });
            }
        }
        Ok(())
    }

    /// Notes what a generation has done with files that somebody else had changed: these, and those of before that it writes to. Its way
    /// back leads to what was foreign, until a file comes whole, or a comparison has found all to be the same.
    pub(super) fn note_disturbed(&self, plan: &Plan, strange: &BTreeSet<RelPath>) -> Result<(), DiskError> {
        let seq = plan.stored.end.position.seq;
        for path in strange {
            self.index.set_disturbed(path, seq, true)?;
        }
        for Disturbed { path, .. } in self.index.disturbed()?.into_iter().filter(|one| one.is_open) {
            let (taken, put) = (plan.taken.get(&path), plan.puts.get(&path).map(|planned| &planned.how));
            if taken.is_some() || put.is_some() || plan.gone.contains(&path) {
                let may_be_left = matches!(put, Some(How::Edit { .. } | How::Fresh { from: Some(_), .. }));
                self.index.set_disturbed(&path, seq, may_be_left || strange.contains(&path))?;
            }
            if let Some(next) = taken.and_then(|taken| taken.next.as_ref()) {
                self.index.set_disturbed(next, seq, true)?;
            }
        }
        Ok(())
    }

    /// Sets aside what is there now and would change by a step back to the state of `time`, under the name `stamp`.
    pub fn set_aside_since(&self, time: Time, stamp: &str) -> Result<Option<SetAside>, DiskError> {
        let target = self.generation_of(time)?.seq;
        if target == self.state.position.seq {
            return Ok(None);
        }
        let mut touched = BTreeSet::new();
        for seq in target + 1..=self.state.position.seq {
            touched.extend(self.touched_by(seq)?.ok_or(DiskError::TooLongAgo { oldest: None })?);
        }
        let to = journal_folder(self.dest.path()).join("rescue").join(format!("{stamp}-{target}"));
        self.copy_all_aside(touched, to, 0).map(Some)
    }

    /// Steps back to the state of `time`. Whatever comes in between, doing it again goes on with it.
    pub fn back_to(&mut self, time: Time) -> Result<(), DiskError> {
        let target = self.generation_of(time)?.seq;
        while self.state.position.seq > target {
            if !self.step_back()? {
                return Err(DiskError::TooLongAgo { oldest: Some(self.state.as_of) });
            }
        }
        Ok(())
    }

    /// The state as it is now is kept for a day, however old history may be: what comes next changes so many of a hundred bytes, or only
    /// is not steady. The last steady one gives way to any other. Where much changed before, within that day, the state before that is
    /// kept on, and all since then with it.
    pub fn pin(&self, percent: Option<u64>) -> Result<(), DiskError> {
        let now = self.state.position.seq;
        let before = self.pinned()?.filter(|kept| kept.percent.is_some() && self.is_there(kept.seq));
        if before.is_some() && percent.is_none() {
            return Ok(());
        }
        let seq = before.map_or(now, |kept| kept.seq);
        self.index.set_pinned(Pinned { seq, since: ground::now().as_second(), percent })
    }

    /// The oldest state there is is kept for a day from now on, and all since then with it: something is wrong, and nobody knows since when.
    pub fn pin_oldest(&self) -> Result<(), DiskError> {
        self.keep_for(OWN, Time::default())
    }

    /// The state of `time` is kept for a day from now on, and all since then with it, or all there are: another dataset keeps its state of
    /// then, and all go back together.
    pub fn keep_for(&self, dataset: &str, time: Time) -> Result<(), DiskError> {
        let all = self.generations()?;
        let of_then = all.iter().rfind(|one| one.as_of <= time).or(all.first());
        let seq = of_then.map_or(self.state.position.seq, |one| one.seq);
        self.index.keep_for(dataset, seq, ground::now().as_second())
    }

    /// The time of the oldest state that is kept because of what happened in this dataset.
    pub fn kept_from(&self) -> Result<Option<Time>, DiskError> {
        let pinned = self.pinned()?.map(|kept| kept.seq);
        let oldest = self.kept()?.into_iter().filter(|(dataset, _)| dataset == OWN).map(|(_, seq)| seq);
        let first = oldest.chain(pinned).filter(|seq| self.is_there(*seq)).min();
        let all = self.generations()?;
        Ok(first.and_then(|first| all.iter().find(|one| one.seq >= first)).map(|one| one.as_of))
    }

    /// The state before something doubtful, which is kept.
    pub fn pinned(&self) -> Result<Option<Pinned>, DiskError> {
        Ok(self.index.pinned()?.filter(|kept| is_of_today(kept.since)))
    }

    fn kept(&self) -> Result<Vec<(String, u64)>, DiskError> {
        let kept = self.index.kept_for()?.into_iter().filter(|(.., since)| is_of_today(*since));
        Ok(kept.map(|(dataset, seq, _)| (dataset, seq)).collect())
    }

    /// Whether the mirror can be stepped back to the state `seq`, or is in it.
    fn is_there(&self, seq: u64) -> bool {
        let (now, first) = (self.state.position.seq, self.history().map(|(first, _)| first));
        seq == now || seq < now && first.is_some_and(|first| first <= seq + 1)
    }

    /// Drops all steps back: what stood here before can be had by nobody any more. Returns whether there were any.
    pub fn forget_history(&mut self) -> Result<bool, DiskError> {
        let (was, now) = (self.history().is_some(), self.state.position.seq);
        self.undo.forget_from(0)?;
        self.index.forget_pinned()?;
        self.index.forget_generations(now)?;
        empty_stash(self.stash.path(), now)?;
        Ok(was)
    }

    /// Drops the oldest steps back where they are too old or take too much room, but none that leads to a state that is kept. Returns
    /// how many generations can be stepped back then; none where nothing was dropped.
    pub fn drop_what_is_over(&mut self) -> Result<Option<u64>, DiskError> {
        if !self.undo.is_over() {
            return Ok(None);
        }
        let kept = self.kept()?.into_iter().map(|(_, seq)| seq).chain(self.pinned()?.map(|pinned| pinned.seq)).min();
        let leads_there = kept.zip(self.undo.oldest_last()).is_some_and(|(kept, last)| last > kept);
        if leads_there && self.undo.bytes() <= self.undo.most_bytes().saturating_mul(PINNED_TIMES) {
            return Ok(None);
        }
        self.drop_history()
    }
}

/// Whether what is kept since that second is kept still. What a clock that was ahead has said may be of any time.
fn is_of_today(since: i64) -> bool {
    (0..PINNED).contains(&(ground::now().as_second() - since))
}

/// Removes what the steps back up to the one from generation `last` would need.
pub(super) fn empty_stash(stash: &Path, last: u64) -> Result<(), DiskError> {
    let entries = match fs::read_dir(stash) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        listed => listed.at("listing", stash)?,
    };
    for entry in entries.filter_map(Result::ok) {
        let seq: Option<u64> = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if seq.is_some_and(|seq| seq <= last) {
            fs::remove_dir_all(entry.path()).at("removing", &entry.path())?;
        }
    }
    Ok(())
}

/// Drops all steps back of the mirror that was at `dest` and serves now, where the newest is older than `age`: nobody steps a server
/// back. Returns whether there were any.
pub fn forget_left(dest: &Path, age: Duration) -> Result<bool, DiskError> {
    let journal = journal_folder(dest);
    let (folder, stash) = (journal.join("undo"), journal.join("stash"));
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(false) };
    let paths: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    let is_old = |path: &PathBuf| {
        let written = fs::metadata(path).and_then(|meta| meta.modified()).ok();
        // A clock that was ahead has dated them later than now.
        age.is_zero() || written.and_then(|written| written.elapsed().ok()).is_some_and(|old| old >= age)
    };
    if paths.is_empty() || !paths.iter().all(is_old) {
        return Ok(false);
    }
    // What cannot be reached any more is not offered either.
    if let Some(index) = Index::left(&journal.join("index.db"))? {
        index.forget_left()?;
    }
    for path in &paths {
        fs::remove_file(path).at("removing", path)?;
    }
    if stash.exists() {
        empty_stash(&stash, u64::MAX)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_mirror_goes_when_the_newest_of_it_is_old() {
        let place = tempfile::tempdir().unwrap();
        let dest = place.path().join("DATA");
        let journal = journal_folder(&dest);
        fs::create_dir_all(journal.join("stash/7")).unwrap();
        fs::create_dir_all(journal.join("undo")).unwrap();
        let write = |name: &str, age: Duration| {
            let file = fs::File::create(journal.join("undo").join(name)).unwrap();
            file.set_modified(std::time::SystemTime::now() - age).unwrap();
        };
        let hour = Duration::from_secs(3600);
        write("00000000000000000001", hour * 3);
        write("00000000000000000007", hour / 2);
        assert!(!forget_left(&dest, hour).unwrap(), "half an hour is not old");
        write("00000000000000000007", hour * 2);
        assert!(forget_left(&dest, hour).unwrap());
        let left = |folder: &str| fs::read_dir(journal.join(folder)).unwrap().count();
        assert_eq!((left("undo"), left("stash")), (0, 0));
        assert!(!forget_left(&dest, hour).unwrap(), "nothing is left to go");
        let ahead = fs::File::create(journal.join("undo/00000000000000000009")).unwrap();
        ahead.set_modified(std::time::SystemTime::now() + hour).unwrap();
        assert!(!forget_left(&dest, hour).unwrap(), "nobody knows how old that is");
        assert!(forget_left(&dest, Duration::ZERO).unwrap(), "a person wants all of it gone");
    }
}
