//! Applies a generation, effect by effect. Between any two of them a crash may come; `crash.rs` in the tests makes it come.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;

use super::content::{self, NewSum};
use super::plan::{Changes, How, Plan, body, read_data};
use super::{Applied, Mirror, Phase};
use crate::disk::error::{At, DiskError};
use crate::disk::journal::index::{Form, State};
use crate::disk::journal::records::Reader;
use crate::disk::journal::redo::Stored;
use crate::disk::journal::undo::Back;
use crate::disk::point;
use crate::disk::read::{read_full, stored};
use crate::disk::stamp::Shape;
use crate::replica::part::Mode;
use crate::replica::{BLOCK, RelPath, Sum, blocks};

/// Files and folders up to which each is made durable by itself; more of them are, with all else on the disk, at once.
const FEW: usize = 48;

/// Bytes that are saved at once.
const SAVE: u64 = 256 * 1024;

/// The sums that the files of a generation have afterwards.
type Sums = BTreeMap<RelPath, Vec<NewSum>>;

impl Mirror {
    /// Applies the generation `stored`, wholly or, after a crash, not at all.
    pub fn apply(&mut self, stored: &Stored, redo: &Reader) -> Result<Applied, DiskError> {
        if crate::os::is_said_full() {
            return Err(DiskError::NoRoom {
                path: self.dest.path().to_owned(),
                needed: stored.to - stored.from,
                free: 0,
            });
        }
        let plan = Plan::make(stored, redo, &self.dest, &self.index)?;
        point!("apply.planned");
        let set_aside = (stored.begin.mode == Mode::Aside).then(|| self.keep_aside(&plan)).transpose()?;
        point!("apply.set-aside");
        self.save_undo(&plan)?;
        point!("undo.durable");
        let mut applied = Applied { strange: plan.strange.clone(), history_left: None, set_aside };
        let mut sums = Sums::new();
        if plan.changes_names() {
            self.make_stash(&plan)?;
            point!("apply.stash-made");
            self.fill_fresh(&plan, redo, &mut sums, &mut applied)?;
            point!("apply.fresh-written");
            self.take_names(&plan)?;
            point!("apply.names-taken");
            self.place_names(&plan)?;
            point!("apply.names-placed");
        }
        self.edit(&plan, redo, &mut sums, &mut applied)?;
        point!("apply.edited");
        self.give_meta(&plan)?;
        point!("apply.meta-given");
        self.make_durable(&plan)?;
        point!("apply.durable");
        self.note(&plan, &sums, &mut applied)?;
        point!("index.committed");
        // It counts by now: history that cannot be dropped is no reason to apply it again.
        loop {
            match self.drop_what_is_over() {
                Ok(None) => break,
                Ok(left) => applied.history_left = left,
                Err(error) => {
                    tracing::warn!(%error, "old steps back could not be dropped");
                    break;
                }
            }
        }
        Ok(applied)
    }

    /// Writes the way back and makes it durable.
    fn save_undo(&mut self, plan: &Plan) -> Result<(), DiskError> {
        let seq = plan.stored.end.position.seq;
        self.undo.begin(seq)?;
        let State { position, as_of, grade, .. } = self.state;
        self.undo.add(&Back::Begin { seq, position, as_of, grade }, &[])?;
        for (from, taken) in &plan.taken {
            let link = match self.index.get(from)?.map(|(_, entry)| entry.body) {
                Some(crate::replica::Body::Link { to }) => Some(to),
                _ => None,
            };
            let (number, next) = (taken.number, taken.next.clone());
            self.undo.add(&Back::Taken { number, from: from.clone(), next, link }, &[])?;
        }
        for path in &plan.removed {
            self.undo.add(&Back::Removed { path: path.clone() }, &[])?;
            self.save_meta(path)?;
        }
        for folder in plan.touched_folders() {
            self.save_meta(&folder)?;
        }
        for (path, planned) in &plan.puts {
            match &planned.how {
                How::Dir => self.undo.add(&Back::Made { path: path.clone(), dir: true }, &[])?,
                How::Symlink(_) | How::Link(_) | How::Fresh { .. } => {
                    self.undo.add(&Back::Made { path: path.clone(), dir: false }, &[])?;
                }
                How::SameDir | How::SameSymlink(_) => self.save_meta(path)?,
                How::Edit { at, old, size, changes } => self.save_content(at, *old, *size, changes)?,
            }
        }
        let stashed = plan.taken.values().filter(|taken| taken.next.is_none()).map(|taken| taken.bytes).sum();
        point!("undo.written");
        self.undo.end(seq, stashed)
    }

    fn save_meta(&mut self, path: &RelPath) -> Result<(), DiskError> {
        let Some(stamp) = self.dest.stat(path).within("looking at", self.dest.path(), path)? else { return Ok(()) };
        let symlink = stamp.shape == Shape::Symlink;
        self.undo.add(&Back::Meta { path: path.clone(), meta: stamp.meta, symlink }, &[])
    }

    /// Saves what stands in a file where it will be changed or cut off.
    fn save_content(&mut self, path: &RelPath, old: u64, size: u64, changes: &Changes) -> Result<(), DiskError> {
        self.save_meta(path)?;
        self.undo.add(&Back::Edited { path: path.clone(), size: old }, &[])?;
        let file = self.dest.open_own(path).within("reading", self.dest.path(), path)?;
        for piece in &changes.data {
            self.save_bytes(path, &file, piece.offset, old.min(piece.offset + piece.len))?;
        }
        // Of what is cut off or becomes zeros only what is stored needs to be saved: the rest is zeros when the file has its
        // length again.
        let zeros = changes.zeros.iter().map(|(first, count)| *first..first.saturating_add(*count));
        let ranges: Vec<_> = zeros.chain(std::iter::once(size / BLOCK as u64..u64::MAX)).collect();
        if size < old || !changes.zeros.is_empty() {
            let stored = stored(&file, old, true).within("reading", self.dest.path(), path)?;
            for part in stored.iter().flat_map(|s| ranges.iter().map(move |r| s.start.max(r.start)..s.end.min(r.end))) {
                let (from, end) = (part.start.saturating_mul(BLOCK as u64), part.end.saturating_mul(BLOCK as u64));
                self.save_bytes(path, &file, from, end.min(old))?;
            }
        }
        Ok(())
    }

    fn save_bytes(&mut self, path: &RelPath, file: &File, mut from: u64, end: u64) -> Result<(), DiskError> {
        while from < end {
            let mut bytes = vec![0; usize::try_from((end - from).min(SAVE)).unwrap_or(0)];
            let got = read_full(file, &mut bytes, from).within("reading", self.dest.path(), path)?;
            if got == 0 {
                break;
            }
            if blocks::is_zero(&bytes[..got]) {
                self.undo.add(&Back::OldZeros { offset: from, len: got as u64 }, &[])?;
            } else {
                self.undo.add(&Back::Old { offset: from }, &bytes[..got])?;
            }
            from += got as u64;
        }
        Ok(())
    }

    fn make_stash(&self, plan: &Plan) -> Result<(), DiskError> {
        let folder = Self::stash_name(plan.stored.end.position.seq, Phase::Taking);
        self.stash.mkdir(&folder).within("making", self.stash.path(), &folder)
    }

    /// Writes new files in the stash, so that they take their names complete.
    fn fill_fresh(&self, plan: &Plan, redo: &Reader, sums: &mut Sums, applied: &mut Applied) -> Result<(), DiskError> {
        let seq = plan.stored.end.position.seq;
        for (path, planned) in &plan.puts {
            let How::Fresh { number, from, size, changes } = &planned.how else { continue };
            let name = Self::in_stash(seq, Phase::Taking, &format!("new-{number}"));
            let file = self.stash.create(&name).within("making", self.stash.path(), &name)?;
            if let Some(from) = from {
                let old = self.dest.open_own(from).within("reading", self.dest.path(), from)?;
                let changed: BTreeSet<u64> = changes
                    .data
                    .iter()
                    .flat_map(|piece| piece.offset.div_ceil(BLOCK as u64)..blocks::count(piece.offset + piece.len))
                    .collect();
                let len = file_len(&old).within("reading", self.dest.path(), from)?.min(*size);
                content::copy(&old, &file, len, &|number| changed.contains(&number)).within(
                    "writing",
                    self.stash.path(),
                    &name,
                )?;
            }
            let new = self.write_changes(&file, path, *size, changes, redo, applied)?;
            sums.insert(path.clone(), new);
        }
        Ok(())
    }

    fn write_changes(
        &self,
        file: &File,
        path: &RelPath,
        size: u64,
        changes: &Changes,
        redo: &Reader,
        applied: &mut Applied,
    ) -> Result<Vec<NewSum>, DiskError> {
        let within = |result: io::Result<()>| result.within("writing", self.dest.path(), path);
        within(file.set_len(size))?;
        let mut sums = vec![];
        for piece in &changes.data {
            let data = read_data(redo, piece.at)?;
            let proven = content::write(file, &data, &mut sums).within("writing", self.dest.path(), path)?;
            if !proven {
                applied.strange.insert(path.clone());
            }
        }
        for &(first, count) in &changes.zeros {
            within(content::write_zeros(file, size, first, count))?;
        }
        Ok(sums)
    }

    /// Takes away what leaves its name, then says so by one rename.
    fn take_names(&self, plan: &Plan) -> Result<(), DiskError> {
        let seq = plan.stored.end.position.seq;
        for (from, taken) in &plan.taken {
            let to = Self::in_stash(seq, Phase::Taking, &taken.number.to_string());
            self.dest.rename(from, &self.stash, &to).within("moving", self.dest.path(), from)?;
            point!("apply.one-taken");
        }
        let (taking, placing) = (Self::stash_name(seq, Phase::Taking), Self::stash_name(seq, Phase::Placing));
        self.stash.rename(&taking, &self.stash, &placing).within("moving", self.stash.path(), &taking)?;
        self.stash.sync_dir(&RelPath::root()).within("making durable", self.stash.path(), &RelPath::root())
    }

    /// Gives the new names.
    fn place_names(&self, plan: &Plan) -> Result<(), DiskError> {
        let seq = plan.stored.end.position.seq;
        for path in plan.removed.iter().rev() {
            match self.dest.rmdir(path) {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                    // A stranger put something in there: it is kept, with its folder.
                    let name = format!("left-{}", plan.removed.iter().position(|other| other == path).unwrap_or(0));
                    let to = Self::in_stash(seq, Phase::Placing, &name);
                    self.dest.rename(path, &self.stash, &to).within("moving", self.dest.path(), path)?;
                }
                done => done.within("removing", self.dest.path(), path)?,
            }
        }
        for (path, planned) in &plan.puts {
            let placed = match &planned.how {
                How::Dir => self.dest.mkdir(path),
                How::Symlink(target) => self.dest.symlink(target, path),
                How::Fresh { number, .. } => {
                    let name = Self::in_stash(seq, Phase::Placing, &format!("new-{number}"));
                    self.stash.rename(&name, &self.dest, path)
                }
                How::Edit { at, .. } if at != path => match plan.taken.get(at) {
                    Some(taken) => {
                        let name = Self::in_stash(seq, Phase::Placing, &taken.number.to_string());
                        self.stash.rename(&name, &self.dest, path)
                    }
                    None => Ok(()),
                },
                _ => Ok(()),
            };
            placed.within("making", self.dest.path(), path)?;
            point!("apply.one-placed");
        }
        for (path, planned) in &plan.puts {
            if let How::Link(to) = &planned.how {
                self.dest.link(to, path).within("making", self.dest.path(), path)?;
            }
        }
        Ok(())
    }

    fn edit(&self, plan: &Plan, redo: &Reader, sums: &mut Sums, applied: &mut Applied) -> Result<(), DiskError> {
        for (path, planned) in &plan.puts {
            let How::Edit { size, changes, .. } = &planned.how else { continue };
            let file = self.dest.open_to_write(path).within("opening", self.dest.path(), path)?;
            let new = self.write_changes(&file, path, *size, changes, redo, applied)?;
            sums.insert(path.clone(), new);
            point!("apply.one-edited");
        }
        Ok(())
    }

    fn give_meta(&self, plan: &Plan) -> Result<(), DiskError> {
        for (path, planned) in plan.puts.iter().filter(|(_, planned)| !matches!(planned.how, How::Link(_))) {
            let shape = match planned.how {
                How::Symlink(_) | How::SameSymlink(_) => Shape::Symlink,
                _ => Shape::File,
            };
            self.dest.set_meta(path, &planned.meta, shape).within(
                "setting mode and time of",
                self.dest.path(),
                path,
            )?;
        }
        for folder in plan.touched_folders().iter().filter(|folder| !plan.puts.contains_key(folder)) {
            if let Some((_, entry)) = self.index.get(folder)? {
                let set = self.dest.set_meta(folder, &entry.meta, Shape::Dir);
                set.within("setting mode and time of", self.dest.path(), folder)?;
            }
        }
        Ok(())
    }

    fn make_durable(&self, plan: &Plan) -> Result<(), DiskError> {
        let folders = plan.touched_folders();
        let root = RelPath::root();
        if plan.puts.len() + folders.len() > FEW {
            return self.dest.sync_all().within("making durable", self.dest.path(), &root);
        }
        for (path, planned) in &plan.puts {
            match planned.how {
                How::Edit { .. } | How::Fresh { .. } => {
                    let file = self.dest.open_own(path).within("opening", self.dest.path(), path)?;
                    file.sync_all().within("making durable", self.dest.path(), path)?;
                }
                How::Dir | How::SameDir => {
                    self.dest.sync_dir(path).within("making durable", self.dest.path(), path)?;
                }
                How::SameSymlink(_) | How::Symlink(_) | How::Link(_) => {}
            }
        }
        for folder in &folders {
            self.dest.sync_dir(folder).within("making durable", self.dest.path(), folder)?;
        }
        Ok(())
    }

    /// Notes in the index what stands in the mirror now.
    fn note(&mut self, plan: &Plan, sums: &Sums, applied: &mut Applied) -> Result<(), DiskError> {
        self.index.begin()?;
        let mut moved = BTreeMap::new();
        for (from, taken) in &plan.taken {
            if let (Some(next), Some((id, _))) = (&taken.next, self.index.get(from)?) {
                self.index.set_aside(id)?;
                moved.insert(next.clone(), id);
            }
        }
        for path in &plan.gone {
            self.index.remove(path)?;
        }
        for (path, planned) in &plan.puts {
            match &planned.how {
                How::Edit { at, .. } if at == path => {}
                How::Fresh { from: Some(_), .. } => {}
                _ => self.index.remove(path)?,
            }
            if let Some(id) = moved.get(path) {
                self.index.rename(*id, path)?;
            }
        }
        for (path, planned) in &plan.puts {
            let id = self.index.put(path, &planned.meta, &body(planned))?;
            if let How::Edit { size, changes, .. } | How::Fresh { size, changes, .. } = &planned.how {
                self.index.truncate(id, blocks::count(*size))?;
                let new = sums.get(path).into_iter().flatten().copied();
                self.index.set_sums(id, new)?;
                let zeros = changes.zeros.iter().flat_map(|(first, count)| *first..first.saturating_add(*count));
                self.index.set_sums(id, zeros.take_while(|n| *n < blocks::count(*size)).map(|n| (n, None::<Sum>)))?;
            }
        }
        for path in &self.index.rotten()? {
            // What changes a part of a file may leave what is rotten in the rest: that is known by a comparison of all.
            let is_new = match plan.puts.get(path).map(|planned| &planned.how) {
                Some(How::Fresh { from, .. }) => from.is_none(),
                Some(_) => false,
                None => self.index.get(path)?.is_none(),
            };
            if let Some(next) = plan.taken.get(path).and_then(|taken| taken.next.as_ref()) {
                self.index.set_rotten(next)?;
            }
            if is_new {
                self.index.mended(path)?;
            }
        }
        for path in &applied.strange {
            self.observe(path, None)?;
        }
        self.note_disturbed(plan, &applied.strange)?;
        let (begin, end) = (&plan.stored.begin, &plan.stored.end);
        let (position, as_of, grade) = (end.position, begin.taken_at, end.grade);
        let state = State { position, form: Form::Committed, stepping_back: None, as_of, grade };
        self.index.set_state(&state)?;
        point!("index.written");
        self.index.commit()?;
        self.state = state;
        Ok(())
    }
}

fn file_len(file: &File) -> io::Result<u64> {
    Ok(file.metadata()?.len())
}
