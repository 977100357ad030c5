//! Writes the mirror: generations through the journal, a first copy straight.
//!
//! Whatever is killed whenever, the mirror is after recovery as some generation left it: the redo holds what is to come, the
//! undo what was, both durable before the first change in place, and the index is written last.
//!
//! - [`plan`]: what a generation will do, before anything is done
//! - [`step`]: does it
//! - [`aside`]: keeps beside the mirror what it takes away or overwrites
//! - [`gather`]: sets aside what this machine alone holds since it was the server
//! - [`back`]: undoes it
//! - [`history`]: the states that it can be stepped back to
//! - [`build`]: the first copy
//! - [`private`]: a copy of a database for the program alone
//! - [`survey`]: compares the mirror with its index
//! - [`content`]: writes what changes in a file
//! - [`direct`]: writes a large new file
//! - [`open`]: opens a mirror, and puts in order what a crash left

pub mod aside;
pub mod back;
pub mod build;
pub mod content;
pub mod direct;
pub mod gather;
pub mod history;
pub mod open;
pub mod plan;
pub mod private;
pub mod step;
pub mod survey;

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::error::{At, DiskError};
use super::journal::gathering::Gathering;
use super::journal::index::{Index, State};
use super::journal::undo::Undo;
use super::root::Root;
use crate::replica::{RelPath, Time};

/// Bytes of the canary: a generation, seconds, nanoseconds, and the spaces between.
const CANARY: u64 = 52;

/// A mirror: a folder, and what is kept beside it. One process has it at a time.
#[derive(Debug)]
pub struct Mirror {
    dest: Root,
    journal: PathBuf,
    stash: Root,
    index: Index,
    undo: Undo,
    state: State,
    /// What could not be put back and is set aside, until that is told.
    half_kept: Option<aside::SetAside>,
    /// What this machine alone holds is still to be set aside.
    gathering: Option<Gathering>,
    _lock: std::fs::File,
}

/// What came of a generation.
#[derive(Debug, Default)]
pub struct Applied {
    /// Names that were not as they had been left: they are in the index as they are now.
    pub strange: BTreeSet<RelPath>,
    /// Generations that can be stepped back, where that has become fewer.
    pub history_left: Option<u64>,
    /// What was set aside before, where the source asked for that.
    pub set_aside: Option<aside::SetAside>,
}

impl Mirror {
    /// How far it is.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What stands in it.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The folder.
    #[must_use]
    pub fn dest(&self) -> &Root {
        &self.dest
    }

    /// The generations that can be stepped back, first and last.
    #[must_use]
    pub fn history(&self) -> Option<(u64, u64)> {
        self.undo.range()
    }

    /// Where the redo is.
    #[must_use]
    pub fn redo_path(&self) -> PathBuf {
        redo_in(&self.journal)
    }

    /// Drops the oldest steps back, to make room or because they are too old. Returns how many generations can be stepped
    /// back then; none where nothing was dropped.
    pub fn drop_history(&mut self) -> Result<Option<u64>, DiskError> {
        // A generation that is half applied is undone first.
        if self.undo.oldest_last().is_some_and(|last| last > self.state.position.seq) {
            return Ok(None);
        }
        let Some(last) = self.undo.drop_oldest()? else { return Ok(None) };
        self.index.forget_generations(last)?;
        history::empty_stash(self.stash.path(), last)?;
        Ok(Some(self.undo.range().map_or(0, |(first, last)| last + 1 - first)))
    }

    /// Makes a line durable where the journal is: what shows that a change could be. Where nothing was to be sent at a time, it says that
    /// the mirror is of that time.
    pub fn canary(&self, level: Option<Time>) -> Result<(), DiskError> {
        let path = self.journal.join("canary");
        let seq = self.state.position.seq;
        let line = level.map(|Time { seconds, nanos }| format!("{seq:020} {seconds:020} {nanos:09}\n"));
        let write = || {
            let file = std::fs::File::options().create(true).truncate(false).write(true).open(&path)?;
            match &line {
                Some(line) => file.write_all_at(line.as_bytes(), 0)?,
                None => file.write_all_at(b"\n", CANARY - 1)?,
            }
            file.sync_data()
        };
        write().at("writing", &path)
    }

    /// What time the mirror is of: that of its last generation, or a later one at which a canary found nothing new.
    #[must_use]
    pub fn as_of(&self) -> Time {
        let State { position, as_of, .. } = self.state;
        let line = std::fs::read_to_string(self.journal.join("canary")).unwrap_or_default();
        let numbers: Vec<i64> = line.split_whitespace().map_while(|word| word.parse().ok()).collect();
        match numbers[..] {
            [seq, seconds, nanos] if seq.cast_unsigned() == position.seq => {
                as_of.max(Time { seconds, nanos: u32::try_from(nanos).unwrap_or(0) })
            }
            _ => as_of,
        }
    }

    fn stash_name(seq: u64, phase: Phase) -> RelPath {
        let name = match phase {
            Phase::Taking => format!("{seq}.going"),
            Phase::Placing => seq.to_string(),
        };
        RelPath::root().join(name.as_bytes())
    }

    fn in_stash(seq: u64, phase: Phase, name: &str) -> RelPath {
        Self::stash_name(seq, phase).join(name.as_bytes())
    }
}

/// How far the names of a generation are. The stash folder's own name tells, so that one rename divides the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Names are being taken away: what is not in the stash is still at its old name.
    Taking,
    /// Names are being given: what is not in the stash any more is at its new name.
    Placing,
}

/// Where the redo is, in the folder beside a mirror.
fn redo_in(journal: &Path) -> PathBuf {
    journal.join("redo")
}

/// Where everything that belongs to the mirror at `dest` is kept: a hidden folder beside it.
#[must_use]
pub fn journal_folder(dest: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(dest.file_name().unwrap_or_default());
    name.push(".espejo");
    dest.with_file_name(name)
}
