//! Keeps beside the mirror what a generation takes away or overwrites, where the mirror may hold what its source has lost.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::plan::{How, Plan};
use super::{Mirror, content, journal_folder, redo_in};
use crate::disk::capture::sqlite::{begins_like_one, names};
use crate::disk::error::{At, DiskError};
use crate::disk::journal::index::Index;
use crate::disk::journal::redo::{self, UNAPPLIED};
use crate::disk::root::Root;
use crate::disk::stamp::Shape;
use crate::replica::{RelPath, Time};

/// Bytes that must stay free beside what is set aside.
pub(super) const SPARE: u64 = 1024 * 1024;

/// What was set aside, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetAside {
    /// Names.
    pub files: Vec<RelPath>,
    /// The folder.
    pub to: PathBuf,
}

impl Mirror {
    /// Copies what `plan` takes away or overwrites to a folder of its own, and makes that durable. Where it is done again, after
    /// a crash, the same comes to the same place.
    pub(super) fn keep_aside(&self, plan: &Plan) -> Result<SetAside, DiskError> {
        let to = journal_folder(self.dest.path()).join("rescue").join(name(plan));
        let lost = plan.taken.iter().filter(|(_, taken)| taken.next.is_none()).map(|(path, _)| path.clone());
        let edited = plan.puts.values().filter_map(|planned| match &planned.how {
            How::Edit { at, .. } => Some(at.clone()),
            _ => None,
        });
        // What is applied then is written to the mirror, and what stood there to the steps back; and so is what is acknowledged behind it.
        let applied = plan.stored.to.saturating_sub(plan.stored.from).saturating_add(UNAPPLIED).saturating_mul(2);
        self.copy_all_aside(lost.chain(edited).collect(), to, applied)
    }

    /// Copies the files at `paths` to the folder `to`, and makes that durable: with a file of a database all of them, where there is room
    /// for that and for `more`.
    pub(super) fn copy_all_aside(
        &self,
        paths: BTreeSet<RelPath>,
        to: PathBuf,
        more: u64,
    ) -> Result<SetAside, DiskError> {
        let whole = self.whole_databases(paths.iter().cloned())?;
        let free = || self.dest.free().at("looking for room in", self.dest.path());
        let paths = if self.needed(&whole, &to)?.saturating_add(more) <= free()? {
            whole
        } else {
            if let Ok(aside) = Root::open(&to) {
                // There was more room at an earlier try.
                for path in whole.difference(&paths) {
                    let _ = aside.unlink(path);
                }
            }
            let (needed, free) = (self.needed(&paths, &to)?, free()?);
            if free < needed {
                return Err(DiskError::NoRoom { path: self.dest.path().to_owned(), needed, free });
            }
            tracing::warn!("of databases only what changes is set aside: there is no room for all of them");
            paths
        };
        fs::create_dir_all(&to).at("making", &to)?;
        let aside = Root::open(&to).at("opening", &to)?;
        let mut files = vec![];
        for path in paths {
            if self.copy_aside(&path, &aside, &to)? {
                files.push(path);
            }
        }
        aside.sync_all().at("making durable", &to)?;
        Ok(SetAside { files, to })
    }

    /// Room that copies of these files may take, and some to go on with. What stands in `to` since an earlier try goes first.
    fn needed(&self, paths: &BTreeSet<RelPath>, to: &std::path::Path) -> Result<u64, DiskError> {
        let aside = Root::open(to).ok();
        let mut needed = SPARE;
        for path in paths {
            let stamp = self.dest.stat(path).within("looking at", self.dest.path(), path)?;
            let is_file = stamp.filter(|stamp| stamp.shape == Shape::File);
            let before = aside.as_ref().and_then(|aside| aside.stat(path).ok().flatten());
            let bytes = is_file.map_or(0, |stamp| stamp.size.min(stamp.stored));
            needed = needed.saturating_add(bytes.saturating_sub(before.map_or(0, |before| before.stored)));
        }
        Ok(needed)
    }

    /// The files at `paths`, and with a file of a database all of them: it is of use with its log and its journal only, and they with it.
    pub(super) fn whole_databases(
        &self,
        paths: impl IntoIterator<Item = RelPath>,
    ) -> Result<BTreeSet<RelPath>, DiskError> {
        let mut all = BTreeSet::new();
        for path in paths {
            let database = names::owner(&path).unwrap_or_else(|| path.clone());
            let stamp = self.dest.stat(&database).within("looking at", self.dest.path(), &database)?;
            if stamp.is_some_and(|stamp| stamp.shape == Shape::File)
                && begins_like_one(&self.dest.open_own(&database).within("reading", self.dest.path(), &database)?)
            {
                all.extend([names::log(&database), names::journal(&database), database]);
            }
            all.insert(path);
        }
        Ok(all)
    }

    /// Copies one file. Returns whether it is one.
    fn copy_aside(&self, path: &RelPath, aside: &Root, to: &std::path::Path) -> Result<bool, DiskError> {
        let Some(stamp) = self.dest.stat(path).within("looking at", self.dest.path(), path)? else { return Ok(false) };
        if stamp.shape != Shape::File {
            return Ok(false);
        }
        make_above(aside, path)?;
        let file = self.dest.open_file(path).within("reading", self.dest.path(), path)?;
        if aside.stat(path).within("looking at", to, path)?.is_some() {
            aside.unlink(path).within("removing", to, path)?;
        }
        let copy: File = aside.create(path).within("making", to, path)?;
        copy.set_len(stamp.size).within("making", to, path)?;
        if rustix::fs::ioctl_ficlone(&copy, &file).is_err() {
            content::copy(&file, &copy, stamp.size, &|_| false).within("setting aside", to, path)?;
        }
        aside.set_meta(path, &stamp.meta, Shape::File).within("setting mode and time of", to, path)?;
        Ok(true)
    }
}

/// Moves what the mirror at `dest`, to which nothing comes any more, has acknowledged and could not apply to what is set aside. Returns
/// where it is, if there is any.
pub fn keep_unapplied(dest: &Path) -> Result<Option<SetAside>, DiskError> {
    let journal = journal_folder(dest);
    let redo = redo_in(&journal);
    let Some(index) = Index::left(&journal.join("index.db"))?.filter(|_| redo.exists()) else { return Ok(None) };
    let left = redo::recover(&redo, index.state()?.position, 0)?;
    let Some(last) = left.last() else { return Ok(None) };
    let rescue = journal.join("rescue");
    let mut number = 1;
    let name = |number: u64| rescue.join(format!("unapplied-{}-{number}", last.end.position.seq));
    while name(number).exists() {
        number += 1;
    }
    let to = name(number);
    fs::create_dir_all(&to).at("making", &to)?;
    // There may be no room for a copy.
    if let Err(error) = fs::rename(&redo, to.join("redo")) {
        let _ = fs::remove_dir(&to);
        return Err(error).at("moving", &redo);
    }
    // It is there, whatever becomes of that.
    if let Err(error) = File::open(&to).and_then(|folder| folder.sync_all()) {
        tracing::warn!(%error, to = %to.display(), "what was set aside could not be made durable");
    }
    Ok(Some(SetAside { files: vec![RelPath::root().join(b"redo")], to }))
}

/// Makes the folders above `path`.
pub(super) fn make_above(aside: &Root, path: &RelPath) -> Result<(), DiskError> {
    let above: Vec<RelPath> = path.ancestors().filter(|folder| !folder.is_root()).collect();
    for folder in above.iter().rev() {
        match aside.mkdir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => made.within("making", aside.path(), folder)?,
        }
    }
    Ok(())
}

/// What people find it by: when it was found out, and the number of the generation.
fn name(plan: &Plan) -> String {
    let Time { seconds, .. } = plan.stored.begin.taken_at;
    let at = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    format!("{}-{}", at.strftime("%Y%m%d-%H%M%S"), plan.stored.end.position.seq)
}
