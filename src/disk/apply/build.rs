//! The first copy: everything goes straight into the folder, which cannot be used before the end.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::aside::make_above;
use super::content::{self, NewSum};
use super::direct::{self, Direct};
use super::gather::free_name;
use super::{Mirror, journal_folder};
use crate::disk::error::{At, DiskError};
use crate::disk::journal::index::{Form, State};
use crate::disk::point;
use crate::disk::root::{Root, says_absent};
use crate::disk::stamp::{Shape, Stamp};
use crate::replica::part::{Content, Data, Part, Put};
use crate::replica::{Begin, Blocks, Body, End, RelPath, blocks};

/// A first copy under way.
#[derive(Debug)]
pub struct Build {
    begin: Begin,
    open: Option<Open>,
    /// Where what stood in the folder before goes, if it is to be kept.
    aside: Option<Aside>,
    /// Names that were set aside.
    pub set_aside: Vec<RelPath>,
    /// What stands there is ours by now: it is not set aside again.
    ours: BTreeSet<RelPath>,
}

#[derive(Debug)]
struct Aside {
    root: Root,
    path: PathBuf,
}

#[derive(Debug)]
struct Open {
    put: Put,
    size: u64,
    file: File,
    /// It is what stood there before, to be kept as it is, and so far nothing differs.
    kept: bool,
    /// It is large and new: what comes goes this way.
    direct: Option<Direct>,
    sums: Vec<NewSum>,
}

impl Open {
    fn write(&mut self, data: &Data) -> io::Result<bool> {
        if data.begins_inside_block() {
            // What stands there is looked at.
            self.settle()?;
        }
        match &mut self.direct {
            Some(direct) => direct.write(data.offset, &data.bytes)?,
            None => self.file.write_all_at(&data.bytes, data.offset)?,
        }
        content::note(&self.file, data, &mut self.sums)
    }

    /// Waits until all that came is in the file.
    fn settle(&mut self) -> io::Result<()> {
        self.direct.take().map_or(Ok(()), Direct::end)
    }
}

impl Build {
    /// Where what was set aside is; none where nothing is to be.
    #[must_use]
    pub fn aside(&self) -> Option<&PathBuf> {
        self.aside.as_ref().map(|aside| &aside.path)
    }
}

impl Mirror {
    /// Begins, or goes on with, a first copy. `stamp` names the folder of what is set aside.
    pub fn build(&mut self, begin: Begin, stamp: &str) -> Result<Build, DiskError> {
        if self.state.form != Form::Committed {
            // Where that failed when the copy was begun anew: no way back leads from here to what was.
            self.drop_ways_back()?;
        }
        let aside = match self.state.form {
            Form::Adopting => {
                let path = journal_folder(self.dest.path()).join("rescue").join(stamp);
                std::fs::create_dir_all(&path).at("making", &path)?;
                Some(Aside { root: Root::open(&path).at("opening", &path)?, path })
            }
            _ => None,
        };
        self.index.begin()?;
        Ok(Build { begin, open: None, aside, set_aside: vec![], ours: BTreeSet::new() })
    }

    /// Takes in a part of a first copy.
    pub fn build_part(&mut self, build: &mut Build, part: Part) -> Result<(), DiskError> {
        match part {
            Part::Begin(_) | Part::End(_) => {}
            Part::Gone(path) => {
                self.close_file(build)?;
                self.build_clear(build, &path)?;
                self.index.remove(&path)?;
            }
            Part::Put(put) => {
                self.close_file(build)?;
                self.build_put(build, put)?;
                point!("build.put");
            }
            Part::Data(data) => {
                self.build_divide(build)?;
                let open = build.open.as_mut().ok_or_else(|| protocol("data of no file"))?;
                open.write(&data).within("writing", self.dest.path(), &open.put.path)?;
                point!("build.data");
            }
            Part::Zero { first, count } => {
                self.build_divide(build)?;
                let open = build.open.as_mut().ok_or_else(|| protocol("zeros of no file"))?;
                let zeros = open.settle().and_then(|()| content::write_zeros(&open.file, open.size, first, count));
                zeros.within("writing", self.dest.path(), &open.put.path)?;
                let end = blocks::count(open.size).min(first.saturating_add(count));
                open.sums.extend((first..end).map(|number| (number, None)));
            }
        }
        Ok(())
    }

    /// Makes whatever stands at `path` go, or be set aside.
    fn build_clear(&mut self, build: &mut Build, path: &RelPath) -> Result<(), DiskError> {
        let stamp = self.dest.stat(path).within("looking at", self.dest.path(), path)?;
        let aside = build.aside.as_ref().filter(|_| !build.ours.contains(path));
        match (stamp.map(|stamp| stamp.shape), aside) {
            (None, _) => Ok(()),
            (Some(Shape::Dir), _) => self.dest.rmdir(path).within("removing", self.dest.path(), path),
            (Some(_), None) => self.dest.unlink(path).within("removing", self.dest.path(), path),
            (Some(_), Some(aside)) => {
                self.set_aside(aside, path)?;
                build.set_aside.push(path.clone());
                Ok(())
            }
        }
    }

    /// Moves what stands at `path` to what is set aside. Returns its name there: an earlier try of the same second may have one.
    fn set_aside(&self, aside: &Aside, path: &RelPath) -> Result<RelPath, DiskError> {
        make_above(&aside.root, path)?;
        let name = free_name(&aside.root, path)?;
        self.dest.rename(path, &aside.root, &name).within("setting aside", self.dest.path(), path)?;
        Ok(name)
    }

    fn build_put(&mut self, build: &mut Build, put: Put) -> Result<(), DiskError> {
        self.build_place(build, &put)?;
        if build.aside.is_some() {
            build.ours.insert(put.path);
        }
        Ok(())
    }

    fn build_place(&mut self, build: &mut Build, put: &Put) -> Result<(), DiskError> {
        let Put { path, meta, content, .. } = put;
        let stamp = self.dest.stat(path).within("looking at", self.dest.path(), path)?;
        let (here, is_linked) = (stamp.map(|stamp| stamp.shape), stamp.is_some_and(|stamp| stamp.links > 1));
        let body = match content {
            Content::Dir => {
                if here != Some(Shape::Dir) {
                    self.build_clear(build, path)?;
                    self.dest.mkdir(path).within("making", self.dest.path(), path)?;
                }
                Body::Dir
            }
            Content::Symlink { target } => {
                self.build_clear(build, path)?;
                self.dest.symlink(target, path).within("making", self.dest.path(), path)?;
                let set = self.dest.set_meta(path, meta, Shape::Symlink);
                set.within("setting time of", self.dest.path(), path)?;
                Body::Symlink { target: target.clone().into() }
            }
            Content::Link { to } => {
                self.build_clear(build, path)?;
                self.dest.link(to, path).within("making", self.dest.path(), path)?;
                Body::Link { to: to.clone() }
            }
            Content::File { size, base, bytes } => {
                let (size, is_large) = (*size, *size >= direct::LARGE && bytes == size);
                let keeps = here == Some(Shape::File) && base.as_ref() == Some(path);
                let kept = keeps && build.aside.is_some() && !build.ours.contains(path);
                let file = if keeps && is_linked {
                    // Its other names are other files by now, perhaps.
                    self.unlinked(path)?
                } else if keeps {
                    self.dest.open_to_write(path).within("opening", self.dest.path(), path)?
                } else {
                    self.build_clear(build, path)?;
                    self.index.remove(path)?;
                    self.dest.create(path).within("making", self.dest.path(), path)?
                };
                let direct = if is_large && !keeps { self.directly(path, &file, size)? } else { None };
                let len = file.metadata().within("looking at", self.dest.path(), path)?.len();
                build.open = Some(Open { put: put.clone(), size, file, kept, direct, sums: vec![] });
                if len != size {
                    self.build_divide(build)?;
                    let file = build.open.as_ref().map(|open| &open.file);
                    file.map_or(Ok(()), |file| file.set_len(size)).within("making", self.dest.path(), path)?;
                }
                return Ok(());
            }
        };
        self.index.put(path, meta, &body).map(drop)
    }

    /// A file of its own in the place of one that has other names: with what stands in that, and as it stands there.
    fn unlinked(&self, path: &RelPath) -> Result<File, DiskError> {
        let old = self.dest.open_own(path).within("reading", self.dest.path(), path)?;
        let stamp = rustix::fs::fstat(&old).map(Stamp::from).map_err(io::Error::from);
        let stamp = stamp.within("reading", self.dest.path(), path)?;
        let name = RelPath::root().join(b"unlinked");
        if self.stash.stat(&name).within("looking at", self.stash.path(), &name)?.is_some() {
            self.stash.unlink(&name).within("removing", self.stash.path(), &name)?;
        }
        let new = self.stash.create(&name).within("making", self.stash.path(), &name)?;
        content::copy(&old, &new, stamp.size, &|_| false).within("writing", self.stash.path(), &name)?;
        self.stash.set_meta(&name, &stamp.meta, Shape::File).within(
            "setting mode and time of",
            self.stash.path(),
            &name,
        )?;
        self.stash.rename(&name, &self.dest, path).within("moving", self.dest.path(), path)?;
        Ok(new)
    }

    fn directly(&self, path: &RelPath, file: &File, size: u64) -> Result<Option<Direct>, DiskError> {
        let begun = self.dest.open_to_write(path).and_then(|other| Direct::begin(file, other, size));
        begun.within("making", self.dest.path(), path)
    }

    /// What stood there before differs: it is kept aside, and what is the same goes on in a file of ours.
    fn build_divide(&mut self, build: &mut Build) -> Result<(), DiskError> {
        let (Some(open), Some(aside)) = (build.open.as_mut().filter(|open| open.kept), &build.aside) else {
            return Ok(());
        };
        let path = open.put.path.clone();
        let name = self.set_aside(aside, &path)?;
        build.set_aside.push(path.clone());
        let old = aside.root.open_file(&name).within("reading", &aside.path, &name)?;
        let new = self.dest.create(&path).within("making", self.dest.path(), &path)?;
        let len = old.metadata().within("reading", &aside.path, &path)?.len();
        content::copy(&old, &new, len, &|_| false).within("writing", self.dest.path(), &path)?;
        (open.file, open.kept) = (new, false);
        Ok(())
    }

    fn close_file(&mut self, build: &mut Build) -> Result<(), DiskError> {
        let Some(mut open) = build.open.take() else { return Ok(()) };
        open.settle().within("writing", self.dest.path(), &open.put.path)?;
        let Open { put, size, mut sums, .. } = open;
        self.dest.set_meta(&put.path, &put.meta, Shape::File).within(
            "setting mode and time of",
            self.dest.path(),
            &put.path,
        )?;
        let id = self.index.put(&put.path, &put.meta, &Body::File { size, blocks: Blocks::default() })?;
        self.index.truncate(id, blocks::count(size))?;
        sums.sort_by_key(|(number, _)| *number);
        self.index.set_sums(id, sums)
    }

    /// Ends a first copy: everything is made durable, then it counts.
    pub fn build_end(&mut self, mut build: Build, end: &End) -> Result<(), DiskError> {
        self.close_file(&mut build)?;
        self.give_folders_meta()?;
        point!("build.written");
        self.dest.sync_all().at("making durable", self.dest.path())?;
        point!("build.durable");
        let (position, as_of, grade) = (end.position, build.begin.taken_at, end.grade);
        let state = State { position, form: Form::Committed, stepping_back: None, as_of, grade };
        self.index.set_state(&state)?;
        self.index.commit()?;
        self.state = state;
        point!("build.committed");
        Ok(())
    }

    /// What was made in them has changed their times.
    fn give_folders_meta(&self) -> Result<(), DiskError> {
        let mut after: Option<RelPath> = None;
        loop {
            let page = self.index.after(after.as_ref(), 500)?;
            let Some((_, last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for (_, path, entry) in page.iter().filter(|(_, _, entry)| entry.body == Body::Dir) {
                match self.dest.set_meta(path, &entry.meta, Shape::Dir) {
                    Err(error) if says_absent(&error) => {}
                    set => set.within("setting mode and time of", self.dest.path(), path)?,
                }
            }
        }
    }
}

fn protocol(what: &str) -> DiskError {
    DiskError::Protocol { seq: 1, what: what.to_owned() }
}
