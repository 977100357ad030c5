//! The states that the mirror can be stepped back to, one for each generation of the last while.

use std::collections::BTreeSet;
use std::fs;

use super::aside::SetAside;
use super::{Mirror, journal_folder};
use crate::disk::error::{At, DiskError};
use crate::disk::journal::states::{Generation, Pinned};
use crate::disk::root::Root;
use crate::os::ground;
use crate::replica::{RelPath, Time};

/// For so long a state is kept that somebody may want back, in seconds: a day.
const PINNED: i64 = 86_400;

/// A state that is kept may cost so many times the room that history may take.
const PINNED_TIMES: u64 = 4;

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
        fs::create_dir_all(&to).at("making", &to)?;
        let aside = Root::open(&to).at("opening", &to)?;
        let mut files: Vec<RelPath> = vec![];
        for path in touched {
            if self.copy_aside(&path, &aside, &to)? {
                files.push(path);
            }
        }
        aside.sync_all().at("making durable", &to)?;
        Ok(Some(SetAside { files, to }))
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
        let (now, first) = (self.state.position.seq, self.history().map(|(first, _)| first));
        let is_there =
            |kept: &Pinned| kept.seq == now || kept.seq < now && first.is_some_and(|first| first <= kept.seq + 1);
        let before = self.pinned()?.filter(|kept| kept.percent.is_some()).filter(is_there);
        if before.is_some() && percent.is_none() {
            return Ok(());
        }
        let seq = before.map_or(now, |kept| kept.seq);
        self.index.set_pinned(Pinned { seq, since: ground::now().as_second(), percent })
    }

    /// The state that is kept.
    pub fn pinned(&self) -> Result<Option<Pinned>, DiskError> {
        let now = ground::now().as_second();
        // What a clock that was ahead has said may be of any time.
        Ok(self.index.pinned()?.filter(|kept| (0..PINNED).contains(&(now - kept.since))))
    }

    /// Drops the oldest steps back where they are too old or take too much room, but none that leads to a state that is kept. Returns
    /// how many generations can be stepped back then; none where nothing was dropped.
    pub(super) fn drop_what_is_over(&mut self) -> Result<Option<u64>, DiskError> {
        if !self.undo.is_over() {
            return Ok(None);
        }
        let leads_there =
            self.pinned()?.is_some_and(|pinned| self.undo.oldest_last().is_some_and(|last| last > pinned.seq));
        if leads_there && self.undo.bytes() <= self.undo.most_bytes().saturating_mul(PINNED_TIMES) {
            return Ok(None);
        }
        self.drop_history()
    }
}
