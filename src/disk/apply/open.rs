//! Opens a mirror, and puts in order what a crash left.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use super::history::empty_stash;
use super::survey::Belief;
use super::{Mirror, Phase, journal_folder};
use crate::disk::capture::now_as_time;
use crate::disk::error::{At, DiskError, Hope};
use crate::disk::journal::gathering::Gathering;
use crate::disk::journal::index::{Form, Index, State};
use crate::disk::journal::records::Reader;
use crate::disk::journal::redo::{self, Stored};
use crate::disk::journal::undo::{Limits, Undo, is_removed};
use crate::disk::point;
use crate::disk::root::Root;
use crate::replica::{RelPath, Time};

/// A lock that is held for so long is somebody's.
const STARTING: Duration = Duration::from_secs(1);

/// Between two tries to have it.
const AGAIN: Duration = Duration::from_millis(10);

/// How a mirror is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opening {
    /// What becomes of data that are in the folder and not ours.
    pub others: Others,
    /// How much of the way back is kept.
    pub history: Limits,
}

/// What becomes of data that are in the folder and not ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Others {
    /// The folder is not taken.
    Refuse,
    /// What the source has too is kept, the rest is set aside.
    Adopt,
    /// The same, also where it was a mirror before: it was served from since, and may hold what nobody else does. That is set
    /// aside once, before the server is followed: see [`super::gather`].
    SetAside {
        /// The last epoch in which it was served from.
        served: u64,
    },
    /// It was served from until its place was given away, and the other side holds all that it holds. Where it was a mirror
    /// before, it goes on as that; else what differs all the same is set aside, as above.
    Given {
        /// The last epoch in which it was served from.
        served: u64,
    },
}

/// Why a folder cannot be a mirror.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There are other data in it.
    #[error("{}: there are other data in this folder", .0.display())]
    OtherData(PathBuf),
    /// Another process has it.
    #[error("{}: another espejo writes this mirror", .0.display())]
    Busy(PathBuf),
    /// It is the root of a disk, so that nothing can be kept beside it.
    #[error("{}: this is where a disk begins, so that the journal cannot be kept beside it on the same disk", .0.display())]
    DiskRoot(PathBuf),
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// What was found when a mirror was opened.
#[derive(Debug, Default)]
pub struct Found {
    /// Generations that were acknowledged and are applied now.
    pub redone: u64,
    /// Generations that were acknowledged and cannot be applied yet: the mirror is as it was before them.
    pub unapplied: Vec<Stored>,
    /// Names that were not as they had been left.
    pub strange: Vec<RelPath>,
    /// Of these the ones that were known before not to be what was written.
    pub rotten: Vec<RelPath>,
    /// Files that were there already when a first copy begins or goes on.
    pub files: u64,
}

impl Mirror {
    /// Opens the mirror at `dest`, making what is missing. `epoch`: a journal of an earlier one is not applied.
    pub fn open(dest: &Path, opening: Opening, epoch: u64) -> Result<(Self, Found), OpenError> {
        fs::create_dir_all(dest).at("making", dest)?;
        let journal = journal_folder(dest);
        // A folder that is not ours is left without a trace.
        if opening.others == Others::Refuse && !journal.exists() && !is_empty(dest)? {
            return Err(OpenError::OtherData(dest.to_owned()));
        }
        let lock = lock(&journal)?;
        let root = Root::open(dest).at("opening", dest)?;
        let stash_path = journal.join("stash");
        fs::create_dir_all(&stash_path).at("making", &stash_path)?;
        let stash = Root::open(&stash_path).at("opening", &stash_path)?;
        if root.device().at("looking at", dest)? != stash.device().at("looking at", &stash_path)? {
            return Err(OpenError::DiskRoot(dest.to_owned()));
        }
        let index = Index::open(&journal.join("index.db"))?;
        let undo = Undo::open(&journal.join("undo"), &journal.join("stash"), opening.history)?;
        let state = index.state()?;
        let mut mirror =
            Self { dest: root, journal, stash, index, undo, state, half_kept: None, gathering: None, _lock: lock };
        let found = mirror.put_in_order(opening, epoch)?;
        if let (Others::SetAside { served } | Others::Given { served }, false) =
            (opening.others, mirror.state.form == Form::Committed)
        {
            // It begins anew, and no step back is left.
            mirror.index.set_served(served)?;
        }
        Ok((mirror, found))
    }

    /// Puts the mirror at `dest`, which nobody has open, in order. That this cannot be done is an error where the mirror is known to be in
    /// the middle of a generation.
    pub fn mend(dest: &Path, opening: Opening, epoch: u64) -> Result<(), OpenError> {
        match Self::open(dest, opening, epoch) {
            Err(error) if is_half_applied(dest, opening.history).unwrap_or(false) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn put_in_order(&mut self, opening: Opening, epoch: u64) -> Result<Found, OpenError> {
        // Of what a server left nothing is of a generation, until that is set aside.
        let gathers = match opening.others {
            Others::SetAside { served } => {
                !self.index.gathering()?.is_some_and(|noted| noted.served == served && noted.over)
            }
            Others::Given { .. } | Others::Adopt | Others::Refuse => false,
        };
        if self.state.form == Form::Committed && !gathers {
            // Also where a crash left nothing in the folder, since all of it was about to be replaced.
            self.undo_half_done()?;
        }
        let empty = is_empty(self.dest.path())?;
        self.begin_gathering(opening.others, empty)?;
        match self.state.form {
            // Somebody has emptied the mirror, or another disk is there: nothing of what is known is true any more.
            Form::Committed if empty && self.index.totals()?.0 > 0 => {
                self.begin_anew(Form::Building)?;
                Ok(Found::default())
            }
            Form::Committed if self.gathering.is_some() => {
                self.begin_anew(Form::Adopting)?;
                self.look_over()
            }
            Form::Committed => {
                let (redone, unapplied) = self.recover(epoch)?;
                let began = self.begin_epoch(opening.others)?;
                let mut strange = self.survey(Belief::Stamps)?;
                if let Some(served) = began {
                    // What differs was written by our own POS server, and no step back leads across that.
                    self.index.forget_disturbed()?;
                    self.date()?;
                    self.index.set_served(served)?;
                }
                let rotten = self.index.rotten()?;
                // What was found in a life before this one is not what was written yet.
                strange.extend(rotten.iter().filter(|path| !strange.contains(path)).cloned().collect::<Vec<_>>());
                Ok(Found { redone, unapplied, strange, rotten, files: 0 })
            }
            Form::Fresh if empty => {
                self.begin_anew(Form::Building)?;
                Ok(Found::default())
            }
            Form::Fresh if opening.others == Others::Refuse => Err(OpenError::OtherData(self.dest.path().to_owned())),
            Form::Fresh => {
                self.begin_anew(Form::Adopting)?;
                self.look_over()
            }
            Form::Building | Form::Adopting => {
                self.begin_anew(if self.gathering.is_some() { Form::Adopting } else { self.state.form })?;
                self.look_over()
            }
        }
    }

    /// Where a POS server has written here since, the steps back lead to nothing that ever was: none of them leads across an epoch.
    /// Returns which epoch it served in, where that is new.
    fn begin_epoch(&mut self, others: Others) -> Result<Option<u64>, DiskError> {
        match others {
            Others::Given { served } if self.index.served()? != Some(served) => {
                self.forget_history()?;
                Ok(Some(served))
            }
            _ => Ok(None),
        }
    }

    /// What was served from here is of the time when somebody wrote to it last, and not of that when it was a mirror.
    fn date(&mut self) -> Result<(), DiskError> {
        let (now, mut last) = (now_as_time(), self.state.as_of);
        let mut after: Option<RelPath> = None;
        loop {
            let page = self.index.after(after.as_ref(), 500)?;
            let Some((_, path, _)) = page.last() else { break };
            after = Some(path.clone());
            let times = page.iter().map(|(.., entry)| entry.meta.mtime);
            last = times.filter(|time| *time <= now).fold(last, Time::max);
        }
        let state = State { as_of: last, ..self.state };
        self.index.begin()?;
        self.index.set_state(&state)?;
        self.index.commit()?;
        self.state = state;
        Ok(())
    }

    /// Notes that what this machine alone holds is to be set aside, if it is and was not yet. An empty folder holds nothing.
    fn begin_gathering(&mut self, others: Others, empty: bool) -> Result<(), DiskError> {
        let served = match others {
            Others::SetAside { served } => served,
            Others::Given { served } if self.state.form != Form::Committed => served,
            Others::Given { .. } | Others::Adopt | Others::Refuse => return Ok(()),
        };
        let noted = self.index.gathering()?.filter(|noted| noted.served == served);
        let began = noted.map_or_else(|| now_as_time().seconds, |noted| noted.began);
        let over = noted.is_some_and(|noted| noted.over) || empty;
        let gathering = Gathering { served, began, over };
        if noted != Some(gathering) {
            self.index.begin()?;
            self.index.set_gathering(gathering)?;
            self.index.commit()?;
        }
        self.gathering = (!over).then_some(gathering);
        Ok(())
    }

    /// Finds out what is there of a copy that is in pieces.
    fn look_over(&mut self) -> Result<Found, OpenError> {
        self.survey(Belief::Nothing)?;
        Ok(Found { files: self.index.totals()?.0, ..Found::default() })
    }

    /// Forgets what the mirror was: a first copy is to come.
    fn begin_anew(&mut self, form: Form) -> Result<(), DiskError> {
        // The history goes on from where it was: a position is never used for two states.
        let state = State { position: self.state.position, form, ..State::default() };
        self.index.begin()?;
        let cleared = self.index.clear().and_then(|()| self.index.set_state(&state)).and_then(|()| self.index.commit());
        if let Err(error) = cleared {
            self.index.roll_back()?;
            return Err(error);
        }
        // From here on nothing of it counts, whatever of a generation is half done: the ways back are of no use.
        self.state = state;
        if let Err(error) = self.drop_ways_back() {
            tracing::warn!(%error, "what led back could not be removed yet");
        }
        Ok(())
    }

    /// Removes what leads back from a copy that is taken anew, before anything of that comes; but what could not be put back is set aside.
    pub(super) fn drop_ways_back(&mut self) -> Result<(), DiskError> {
        if let Err(error) = empty_stash(self.stash.path(), self.state.position.seq) {
            tracing::warn!(%error, "no room is made yet");
        }
        self.keep_half_applied()?;
        self.undo.forget_from(0)?;
        match fs::remove_dir_all(self.stash.path()) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            removed => removed.at("removing", self.stash.path())?,
        }
        fs::create_dir_all(self.stash.path()).at("making", self.stash.path())?;
        self.stash = Root::open(self.stash.path()).at("opening", self.stash.path())?;
        Ok(())
    }

    /// Forgets a first copy that failed, and finds out what came of it.
    pub fn look_again(&mut self) -> Result<(), DiskError> {
        self.begin_anew(self.state.form)?;
        self.survey(Belief::Nothing)?;
        Ok(())
    }

    /// Forgets what the mirror was: a first copy is to come, which keeps what it finds to be the same and sets aside the rest.
    /// Returns how many files it will find.
    pub fn reseed(&mut self) -> Result<u64, DiskError> {
        self.begin_anew(Form::Adopting)?;
        self.survey(Belief::Nothing)?;
        Ok(self.index.totals()?.0)
    }

    /// Undoes what a failure left half applied.
    pub fn undo_failed(&mut self) -> Result<(), DiskError> {
        self.undo_half_applied()
    }

    /// Undoes what was half done.
    fn undo_half_done(&mut self) -> Result<(), DiskError> {
        match self.state.stepping_back {
            Some(seq) if self.state.position.seq == seq => self.step_back().map(drop),
            Some(_) => Ok(()),
            None => self.undo_half_applied(),
        }
    }

    /// Applies what was acknowledged. Returns how many generations that were, and those that cannot be
    /// applied now: the disk refuses them.
    fn recover(&mut self, epoch: u64) -> Result<(u64, Vec<Stored>), DiskError> {
        let path = self.redo_path();
        if !path.exists() {
            return Ok((0, vec![]));
        }
        let mut todo: Vec<Stored> = redo::recover(&path, self.state.position, epoch)?;
        let reader = Reader::open(&path)?;
        let mut redone = 0;
        while let Some(stored) = todo.get(redone) {
            if let Err(error) = self.redo(stored, &reader)? {
                tracing::error!(%error, seq = stored.end.position.seq, "what was acknowledged cannot be applied");
                break;
            }
            redone += 1;
            point!("recover.redone");
        }
        Ok((redone as u64, todo.split_off(redone)))
    }

    /// Applies what was acknowledged, or undoes that, where the disk refuses it. Where there is no room for it, ways back make room.
    fn redo(&mut self, stored: &Stored, reader: &Reader) -> Result<Result<(), DiskError>, DiskError> {
        while let Err(error) = self.apply(stored, reader) {
            self.undo_half_applied()?;
            if error.hope() != Hope::Room || self.drop_history()?.is_none() {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }
}

/// Whether a crash left the mirror at `dest` in the middle of a generation, or of a step back.
fn is_half_applied(dest: &Path, history: Limits) -> Result<bool, DiskError> {
    let journal = journal_folder(dest);
    let Some(index) = Index::left(&journal.join("index.db"))? else { return Ok(false) };
    let state = index.state()?;
    let undo = Undo::open(&journal.join("undo"), &journal.join("stash"), history)?;
    let next = state.position.seq + 1;
    let left = [Phase::Taking, Phase::Placing].map(|phase| Mirror::stash_name(next, phase).shown().into_owned());
    let is_left = left.iter().any(|name| !is_removed(&journal.join("stash").join(name)));
    let is_half = || Ok(state.stepping_back.is_some() || is_left || undo.read(next)?.is_some());
    if state.form == Form::Committed { is_half() } else { Ok(false) }
}

fn lock(journal: &Path) -> Result<File, OpenError> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(journal).at("making", journal)?;
    let path = journal.join("lock");
    let lock = File::options().create(true).truncate(false).write(true).open(&path).at("opening", &path)?;
    let since = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            // A program that somebody is just starting has a copy of each lock until it runs, whoever has given that up meanwhile.
            Err(TryLockError::WouldBlock) if since.elapsed() < STARTING => park_timeout(AGAIN),
            Err(TryLockError::WouldBlock) => return Err(OpenError::Busy(journal.to_owned())),
            Err(TryLockError::Error(source)) => {
                return Err(DiskError::Io { doing: "locking", path, source }.into());
            }
        }
    }
}

fn is_empty(folder: &Path) -> Result<bool, DiskError> {
    Ok(fs::read_dir(folder).at("listing", folder)?.next().is_none())
}
