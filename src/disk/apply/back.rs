//! Undoes a generation: one that a crash left half applied, or the last one that was.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::FileExt;

use super::aside::{SetAside, make_above};
use super::gather::free_name;
use super::{Mirror, Phase};
use crate::disk::error::{At, DiskError};
use crate::disk::journal::index::State;
use crate::disk::journal::undo::{Back, WayBack};
use crate::disk::point;
use crate::disk::root::{Root, says_absent};
use crate::disk::stamp::Shape;
use crate::os::ground;
use crate::replica::{Meta, RelPath};

/// The names in a way back.
#[derive(Default)]
struct Names {
    taken: Vec<(u32, RelPath, Option<RelPath>)>,
    links: BTreeMap<RelPath, RelPath>,
    made: Vec<(RelPath, bool)>,
    removed: Vec<RelPath>,
    edited: Vec<RelPath>,
    state: State,
}

impl Mirror {
    /// Steps the mirror back to the generation before its last one. Returns whether there was a way back.
    pub fn step_back(&mut self) -> Result<bool, DiskError> {
        let seq = self.state.position.seq;
        let Some(way) = self.undo.read(seq)? else { return Ok(false) };
        // From here on it must be finished, whatever comes.
        self.index.begin()?;
        self.state.stepping_back = Some(seq);
        self.index.set_state(&self.state)?;
        self.index.commit()?;
        // What the redo still holds was applied: it must not come again.
        let redo = self.redo_path();
        if redo.exists() {
            std::fs::File::options().write(true).open(&redo).and_then(|file| file.set_len(0)).at("cutting", &redo)?;
        }
        point!("back.begun");
        let names = self.undo_files(seq, &way)?;
        point!("back.files-undone");
        self.index.begin()?;
        let touched = names.taken.iter().flat_map(|(_, from, next)| std::iter::once(from).chain(next));
        let touched = touched.chain(names.made.iter().map(|(path, _)| path)).chain(&names.removed).chain(&names.edited);
        for path in touched {
            self.observe(path, names.links.get(path))?;
        }
        let state = State { form: self.state.form, ..names.state };
        self.index.set_state(&state)?;
        self.index.commit()?;
        self.state = state;
        point!("back.noted");
        self.undo.forget_from(seq)?;
        Ok(true)
    }

    /// Names of what generation `seq` has changed, before it and after; none where there is no way back from it.
    pub(super) fn touched_by(&self, seq: u64) -> Result<Option<Vec<RelPath>>, DiskError> {
        let Some(way) = self.undo.read(seq)? else { return Ok(None) };
        let Names { taken, made, edited, .. } = read_names(&way)?;
        let taken = taken.into_iter().flat_map(|(_, from, next)| std::iter::once(from).chain(next));
        Ok(Some(taken.chain(made.into_iter().map(|(path, _)| path)).chain(edited).collect()))
    }

    /// Undoes what a crash left half applied of the generation after the last one.
    pub(super) fn undo_half_applied(&mut self) -> Result<(), DiskError> {
        let seq = self.state.position.seq + 1;
        if let Some(way) = self.undo.read(seq)? {
            self.undo_files(seq, &way)?;
            point!("recover.undone");
        } else {
            // Somebody has removed the way back. The next try is not to find what this one has left.
            self.keep_half_applied()?;
        }
        self.undo.forget_from(seq)
    }

    /// Puts the files back as they were before generation `seq`, however much of it was done, or of this. Done twice it is
    /// done once.
    fn undo_files(&mut self, seq: u64, way: &WayBack) -> Result<Names, DiskError> {
        let names = read_names(way)?;
        self.dest.forget();
        self.stash.forget();
        let (taking, placing) = (Self::stash_name(seq, Phase::Taking), Self::stash_name(seq, Phase::Placing));
        let stat = |name: &RelPath| self.stash.stat(name).within("looking at", self.stash.path(), name);
        if stat(&placing)?.is_some() {
            self.unplace(seq, &names)?;
            point!("back.unplaced");
            self.stash.rename(&placing, &self.stash, &taking).within("moving", self.stash.path(), &placing)?;
        }
        if stat(&taking)?.is_some() {
            self.untake(seq, &names)?;
            point!("back.untaken");
            let folder = self.stash.path().join(taking.shown().as_ref());
            std::fs::remove_dir_all(&folder).at("removing", &folder)?;
            // The generation may be applied again: its folder is another one then.
            self.stash.forget();
        }
        self.restore_content(way)?;
        self.dest.sync_all().within("making durable", self.dest.path(), &RelPath::root())?;
        Ok(names)
    }

    /// Takes the new names away: what was moved goes back to the stash, what is new goes.
    fn unplace(&self, seq: u64, names: &Names) -> Result<(), DiskError> {
        for (number, _, next) in &names.taken {
            let Some(next) = next else { continue };
            let name = Self::in_stash(seq, Phase::Placing, &number.to_string());
            if self.stash.stat(&name).within("looking at", self.stash.path(), &name)?.is_none() {
                let moved = self.dest.rename(next, &self.stash, &name);
                unless_absent(moved).within("moving", self.dest.path(), next)?;
            }
        }
        for (path, dir) in names.made.iter().rev() {
            let gone = if *dir { self.dest.rmdir(path) } else { self.dest.unlink(path) };
            match gone {
                // What a stranger put in there stays: it hides nothing that is put back.
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                // The file was not given its name yet: the folder that stood here still does.
                Err(error) if error.kind() == io::ErrorKind::IsADirectory => {}
                gone => unless_absent(gone).within("removing", self.dest.path(), path)?,
            }
        }
        Ok(())
    }

    /// Gives the old names again.
    fn untake(&self, seq: u64, names: &Names) -> Result<(), DiskError> {
        for path in &names.removed {
            match self.dest.mkdir(path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made.within("making", self.dest.path(), path)?,
            }
        }
        for (number, from, _) in &names.taken {
            let name = Self::in_stash(seq, Phase::Taking, &number.to_string());
            let moved = self.stash.rename(&name, &self.dest, from);
            unless_absent(moved).within("moving", self.dest.path(), from)?;
            point!("back.one-untaken");
        }
        Ok(())
    }

    fn has_meta(&self, path: &RelPath, meta: &Meta) -> bool {
        self.dest.stat(path).is_ok_and(|stamp| stamp.is_some_and(|stamp| stamp.meta == *meta))
    }

    /// Puts back what stood in files that were changed in place, then modes, owners and times.
    fn restore_content(&self, way: &WayBack) -> Result<(), DiskError> {
        let mut open: Option<Restored> = None;
        way.each(|back, data| {
            match (&back, &open) {
                (Back::Edited { path, size }, _) => {
                    // A file that a stranger took away has nothing to be put back: the survey finds that it is missing.
                    open = match self.dest.open_to_write(path) {
                        Err(error) if says_absent(&error) => None,
                        // That may be why nothing of it was applied.
                        Err(error) if is_refused(&error) => {
                            let file = self.dest.open_own(path).within("reading", self.dest.path(), path)?;
                            Some(Restored { path: path.clone(), file, refused: error.raw_os_error() })
                        }
                        file => {
                            let file = file.within("opening", self.dest.path(), path)?;
                            Some(Restored { path: path.clone(), file, refused: None })
                        }
                    };
                    if let Some(open) = &open {
                        open.set_len(*size).within("writing", self.dest.path(), path)?;
                    }
                }
                (Back::Old { offset }, Some(open)) => {
                    open.write(&data, *offset).within("writing", self.dest.path(), &open.path)?;
                }
                (Back::OldZeros { offset, len }, Some(open)) => {
                    let zeros = vec![0; usize::try_from(*len).unwrap_or(0)];
                    open.write(&zeros, *offset).within("writing", self.dest.path(), &open.path)?;
                }
                _ => {}
            }
            Ok(())
        })?;
        way.each(|back, _| match back {
            Back::Meta { path, meta, symlink } => {
                let shape = if symlink { Shape::Symlink } else { Shape::File };
                let set = match self.dest.set_meta(&path, &meta, shape) {
                    // It was never changed then.
                    Err(error) if is_refused(&error) && self.has_meta(&path, &meta) => Ok(()),
                    set => set,
                };
                unless_absent(set).within("setting mode and time of", self.dest.path(), &path)
            }
            _ => Ok(()),
        })
    }
}

/// A file in which is put back what stood there.
struct Restored {
    path: RelPath,
    file: std::fs::File,
    /// It cannot be written: all of it must stand there.
    refused: Option<i32>,
}

impl Restored {
    fn set_len(&self, size: u64) -> io::Result<()> {
        match self.refused {
            None => self.file.set_len(size),
            Some(_) if self.file.metadata()?.len() == size => Ok(()),
            Some(errno) => Err(io::Error::from_raw_os_error(errno)),
        }
    }

    fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let Some(errno) = self.refused else { return self.file.write_all_at(bytes, offset) };
        let mut there = vec![0; bytes.len()];
        self.file.read_exact_at(&mut there, offset)?;
        if there == bytes { Ok(()) } else { Err(io::Error::from_raw_os_error(errno)) }
    }
}

/// Whether a file may not be written: whatever was to be done there was not.
fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

fn unless_absent(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if says_absent(&error) => Ok(()),
        done => done,
    }
}

impl Mirror {
    /// Sets aside what the next generation has taken away and what can not be put back any more: it is nowhere else. Where nobody knows
    /// what it was called either, it keeps its numbers.
    pub(super) fn keep_half_applied(&mut self) -> Result<(), DiskError> {
        let seq = self.state.position.seq + 1;
        self.stash.forget();
        let mut folders = vec![];
        for name in [Phase::Taking, Phase::Placing].map(|phase| Self::stash_name(seq, phase)) {
            if self.stash.stat(&name).within("looking at", self.stash.path(), &name)?.is_some() {
                folders.push(name);
            }
        }
        if folders.is_empty() {
            return Ok(());
        }
        let way = self.undo.read(seq).and_then(|way| way.as_ref().map(read_names).transpose());
        let taken = way.inspect_err(|error| tracing::warn!(%error, "the way back cannot be read")).ok().flatten();
        let taken = taken.map(|names| names.taken);
        let stamp = ground::now().strftime("%Y%m%d-%H%M%S-half-applied").to_string();
        let to = self.journal.join("rescue").join(stamp);
        std::fs::create_dir_all(&to).at("making", &to)?;
        let (aside, mut files) = (Root::open(&to).at("opening", &to)?, vec![]);
        for folder in folders {
            let each =
                taken.iter().flatten().map(|(number, from, _)| (folder.join(number.to_string().as_bytes()), from));
            let known = each.filter(|(name, _)| self.stash.stat(name).is_ok_and(|found| found.is_some()));
            for (name, from) in known.collect::<Vec<_>>() {
                make_above(&aside, from)?;
                let kept = free_name(&aside, from)?;
                self.stash.rename(&name, &aside, &kept).within("setting aside", self.stash.path(), &name)?;
                files.push(kept);
            }
            if taken.is_none() {
                let kept = free_name(&aside, &folder)?;
                self.stash.rename(&folder, &aside, &kept).within("setting aside", self.stash.path(), &folder)?;
                files.push(kept);
            }
        }
        aside.sync_all().within("making durable", &to, &RelPath::root())?;
        if files.is_empty() {
            return std::fs::remove_dir(&to).at("removing", &to);
        }
        tracing::warn!(to = %to.display(), "what could not be put back is set aside");
        self.half_kept = Some(SetAside { files, to });
        Ok(())
    }

    /// What could not be put back and was set aside since this was asked last.
    pub fn take_half_kept(&mut self) -> Option<SetAside> {
        self.half_kept.take()
    }
}

fn read_names(way: &WayBack) -> Result<Names, DiskError> {
    let mut names = Names::default();
    way.each(|back, _| {
        match back {
            Back::Begin { position, as_of, grade, .. } => {
                names.state = State { position, as_of, grade, ..State::default() };
            }
            Back::Taken { number, from, next, link } => {
                names.links.extend(link.map(|to| (from.clone(), to)));
                names.taken.push((number, from, next));
            }
            Back::Made { path, dir } => names.made.push((path, dir)),
            Back::Removed { path } => names.removed.push(path),
            Back::Edited { path, .. } | Back::Meta { path, .. } => names.edited.push(path),
            Back::Old { .. } | Back::OldZeros { .. } | Back::End { .. } => {}
        }
        Ok(())
    })?;
    Ok(names)
}
