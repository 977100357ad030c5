//! Sets aside what a machine holds since it was the server itself, before it follows another one.
//!
//! It is compared with the start state: what the other machine held when it began to serve. What is equal to that is only old.
//! All else is set aside and listed, durably, before anything of it is replaced. What the server never had is moved, which takes
//! no room; of the rest a copy is made, so that no more than what differs has to come from the server.
//!
//! Whatever is killed, it is begun anew and comes to the same: the index says when it is over, once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::aside::{SPARE, make_above};
use super::{Mirror, content, journal_folder};
use crate::disk::capture::sqlite::{begins_like_one, names};
use crate::disk::error::{At, DiskError};
use crate::disk::journal::gathering::Gathering;
use crate::disk::journal::index::{Form, State};
use crate::disk::lone::{Against, List, Listed, count_records};
use crate::disk::point;
use crate::disk::read::read_full;
use crate::disk::root::Root;
use crate::disk::stamp::{Shape, Stamp};
use crate::replica::{BLOCK, Blocks, Body, RelPath, Sum, blocks};

/// Entries that are looked at together.
const NAMES: u32 = 500;

/// What is found to differ, while it is compared.
#[derive(Debug, Default)]
pub struct Gather {
    /// Names of the start state.
    told: BTreeSet<RelPath>,
    lone: BTreeMap<RelPath, Listed>,
}

/// What was set aside, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gathered {
    /// The list of it.
    pub list: List,
    /// The folder.
    pub to: PathBuf,
}

/// How a file comes to be set aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    Copy,
    Move,
}

impl Mirror {
    /// What is noted, while something is still to be set aside.
    #[must_use]
    pub fn gathering(&self) -> Option<Gathering> {
        self.gathering
    }

    /// Compares what stands under `path` with what stood there in the start state.
    pub fn compare_start(&self, gather: &mut Gather, path: RelPath, start: &Body) -> Result<(), DiskError> {
        let listed = |bytes, same_bytes, exact, records| Listed {
            file: path.to_string(),
            bytes,
            there_bytes: Some(start.size()),
            same_bytes,
            exact,
            records,
        };
        let lone = match (self.content(&path)?, start) {
            (Some(Body::File { size, blocks }), Body::File { size: then, blocks: old }) => {
                if size == *then && blocks == *old {
                    None
                } else {
                    let open = || self.dest.open_own(&path).within("reading", self.dest.path(), &path);
                    let (same, exact) =
                        common(&open()?, (size, &blocks), (*then, old)).within("reading", self.dest.path(), &path)?;
                    let grown = exact && same == *then;
                    let count = || count_records(&path, open()?, same).within("reading", self.dest.path(), &path);
                    let records = if grown { count()? } else { None };
                    Some(listed(Some(size), same, exact, records))
                }
            }
            (Some(Body::Symlink { target }), Body::Symlink { target: then }) if target == *then => None,
            (None | Some(Body::Dir), _) => Some(listed(None, 0, true, None)),
            (Some(other), _) => Some(listed(Some(other.size()), 0, false, None)),
        };
        gather.lone.extend(lone.map(|lone| (path.clone(), lone)));
        gather.told.insert(path);
        Ok(())
    }

    /// Adds what stands here and was not in the start state, which has been told to its end.
    pub fn compare_rest(&self, gather: &mut Gather) -> Result<(), DiskError> {
        let mut after: Option<RelPath> = None;
        loop {
            let page = self.index.after(after.as_ref(), NAMES)?;
            let Some((_, last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for (_, path, _) in page.into_iter().filter(|(_, path, _)| !gather.told.contains(path)) {
                let Some(body) = self.content(&path)?.filter(|body| *body != Body::Dir) else { continue };
                if self.is_log_index(&path).within("reading", self.dest.path(), &path)? {
                    // Whoever opens the database makes it anew: nothing of the shop is in it.
                    continue;
                }
                let mut records = None;
                if body.is_file() {
                    let file = self.dest.open_own(&path).within("reading", self.dest.path(), &path)?;
                    records = count_records(&path, file, 0).within("reading", self.dest.path(), &path)?;
                }
                let (file, bytes) = (path.to_string(), Some(body.size()));
                let lone = Listed { file, bytes, there_bytes: None, same_bytes: 0, exact: true, records };
                gather.lone.insert(path, lone);
            }
        }
    }

    /// Whether it is the index of a database's log.
    fn is_log_index(&self, path: &RelPath) -> io::Result<bool> {
        let Some(database) = names::owner(path).filter(|database| names::index(database) == *path) else {
            return Ok(false);
        };
        let is_file = self.dest.stat(&database)?.is_some_and(|stamp| stamp.shape == Shape::File);
        Ok(is_file && begins_like_one(&self.dest.open_own(&database)?))
    }

    /// What the index says of the content under `path`: of another name of a file, that of the file.
    fn content(&self, path: &RelPath) -> Result<Option<Body>, DiskError> {
        let Some((mut id, mut entry)) = self.index.get(path)? else { return Ok(None) };
        if let Body::Link { to } = &entry.body {
            let Some(file) = self.index.get(to)? else { return Ok(None) };
            (id, entry) = file;
        }
        Ok(Some(match entry.body {
            Body::File { size, .. } => Body::File { size, blocks: self.index.sums(id)? },
            other => other,
        }))
    }

    /// Sets aside what was found, and notes that nothing more is to be. Without enough room nothing is touched. Returns what was
    /// set aside, and where, if anything was.
    pub fn gather(&mut self, gather: &Gather, dataset: &str, against: Against) -> Result<Option<Gathered>, DiskError> {
        let Some(gathering) = self.gathering else { return Ok(None) };
        let at = Timestamp::from_second(gathering.began).unwrap_or_default();
        let name = format!("{}-{}", gathering.served, at.strftime("%Y%m%d-%H%M%S"));
        let to = journal_folder(self.dest.path()).join("rescue").join(name);
        let mut list = List { dataset: dataset.to_owned(), epoch: gathering.served, at, against, files: vec![] };
        let mut kept = vec![];
        if !gather.lone.is_empty() || to.exists() {
            fs::create_dir_all(&to).at("making", &to)?;
            let aside = Root::open(&to).at("opening", &to)?;
            let todo = self.todo(gather)?;
            self.has_room(&todo, &aside)?;
            list.files = listed(gather, &to);
            list.save(&to)?;
            point!("gather.listed");
            for (path, how, stamp) in todo {
                self.keep_one(&path, how, &stamp, &aside)?;
                kept.push((path, how));
                point!("gather.one-kept");
            }
            aside.sync_all().at("making durable", &to)?;
        }
        point!("gather.kept");
        self.gathered(gathering, &kept)?;
        point!("gather.over");
        Ok((!list.files.is_empty()).then_some(Gathered { list, to }))
    }

    /// What is to be done with what was found; of what is not here any more, nothing.
    fn todo(&self, gather: &Gather) -> Result<Vec<(RelPath, How, Stamp)>, DiskError> {
        let mut todo = vec![];
        for path in self.whole_databases(gather.lone.keys().cloned())? {
            let Some(stamp) = self.dest.stat(&path).within("looking at", self.dest.path(), &path)? else { continue };
            let is_there = gather.lone.get(&path).is_none_or(|lone| lone.there_bytes.is_some());
            match stamp.shape {
                Shape::Dir => {}
                Shape::File if is_there => todo.push((path, How::Copy, stamp)),
                Shape::File | Shape::Symlink | Shape::Special => todo.push((path, How::Move, stamp)),
            }
        }
        // A log is known by its database: it is copied while that stands here, also when a crash makes this begin again.
        todo.sort_by_key(|(_, how, _)| *how == How::Move);
        Ok(todo)
    }

    fn has_room(&self, todo: &[(RelPath, How, Stamp)], aside: &Root) -> Result<(), DiskError> {
        let mut needed = SPARE;
        for (path, _, stamp) in todo.iter().filter(|(_, how, _)| *how == How::Copy) {
            if !is_kept(aside, path, stamp)? {
                needed = needed.saturating_add(stamp.size.min(stamp.stored));
            }
        }
        let path = self.dest.path().to_owned();
        let free = self.dest.free().at("looking for room in", &path)?;
        if free < needed { Err(DiskError::NoRoom { path, needed, free }) } else { Ok(()) }
    }

    fn keep_one(&self, path: &RelPath, how: How, stamp: &Stamp, aside: &Root) -> Result<(), DiskError> {
        if how == How::Copy && is_kept(aside, path, stamp)? {
            return Ok(());
        }
        make_above(aside, path)?;
        let name = free_name(aside, path)?;
        if how == How::Move {
            return self.dest.rename(path, aside, &name).within("setting aside", self.dest.path(), path);
        }
        // It takes its name complete: what has one there is not copied again.
        let new = RelPath::root().join(b"aside");
        if self.stash.stat(&new).within("looking at", self.stash.path(), &new)?.is_some() {
            self.stash.unlink(&new).within("removing", self.stash.path(), &new)?;
        }
        let (from, copy) = (self.dest.open_own(path), self.stash.create(&new));
        let from = from.within("reading", self.dest.path(), path)?;
        let copied = copy.and_then(|copy| {
            copy.set_len(stamp.size)?;
            content::copy(&from, &copy, stamp.size, &|_| false)?;
            self.stash.set_meta(&new, &stamp.meta, Shape::File)?;
            copy.sync_all()?;
            self.stash.rename(&new, aside, &name)
        });
        copied.within("setting aside", self.dest.path(), path)
    }

    /// Notes that all is set aside: what stands here may be replaced.
    fn gathered(&mut self, gathering: Gathering, kept: &[(RelPath, How)]) -> Result<(), DiskError> {
        self.index.begin()?;
        for (path, _) in kept.iter().filter(|(_, how)| *how == How::Move) {
            self.index.remove(path)?;
        }
        let state = State { form: Form::Building, ..self.state };
        self.index.set_state(&state)?;
        self.index.set_gathering(Gathering { over: true, ..gathering })?;
        self.index.commit()?;
        (self.state, self.gathering) = (state, None);
        Ok(())
    }
}

/// Whether what has the name `path` in `aside` is the copy of the file of which `stamp` was taken.
fn is_kept(aside: &Root, path: &RelPath, stamp: &Stamp) -> Result<bool, DiskError> {
    let there = aside.stat(path).within("looking at", aside.path(), path)?;
    Ok(there.is_some_and(|there| {
        there.shape == stamp.shape && there.size == stamp.size && there.meta.mtime == stamp.meta.mtime
    }))
}

/// `path`, or where something else was set aside under that name before, one like it.
pub(super) fn free_name(aside: &Root, path: &RelPath) -> Result<RelPath, DiskError> {
    let mut name = path.clone();
    let mut number = 1;
    while aside.stat(&name).within("looking at", aside.path(), &name)?.is_some() {
        number += 1;
        let own = path.split().map_or(&b""[..], |(_, own)| own);
        name = path.parent().join(&[own, format!(".{number}").as_bytes()].concat());
    }
    Ok(name)
}

/// All that is set aside in `to` or will be: what was moved there before a crash is found nowhere else.
fn listed(gather: &Gather, to: &Path) -> Vec<Listed> {
    let mut all: BTreeMap<String, Listed> = gather.lone.values().map(|one| (one.file.clone(), one.clone())).collect();
    // One that cannot be read any more is made anew; the files are there all the same.
    let before = List::of(to).ok().flatten().map(|list| list.files);
    for before in before.unwrap_or_default() {
        let is_here = all.get(&before.file).is_some_and(|one| one.bytes.is_some());
        if !is_here && before.bytes.is_some() && to.join(&before.file).symlink_metadata().is_ok() {
            all.insert(before.file.clone(), before);
        }
    }
    all.into_values().collect()
}

/// So many bytes from the beginning on two files have in common, as far as their sums tell; and whether that is exact. `file` is
/// the one of `ours`.
fn common(file: &File, ours: (u64, &Blocks), theirs: (u64, &Blocks)) -> io::Result<(u64, bool)> {
    let end = ours.0.min(theirs.0);
    let (mut one, mut other) = (ours.1.iter(), theirs.1.iter());
    let first = loop {
        match (one.next(), other.next()) {
            (Some(a), Some(b)) if a == b => {}
            (None, None) => return Ok((end, true)),
            (a, b) => break a.into_iter().chain(b).map(|(number, _)| number).min().unwrap_or(0),
        }
    };
    let at = first.saturating_mul(BLOCK as u64);
    if at >= end {
        return Ok((end, true));
    }
    // The other one ends in this block, and ours goes on: what stands before that end can be proven.
    if theirs.0 < ours.0 && blocks::count(theirs.0) == first + 1 {
        let mut bytes = vec![0; usize::try_from(theirs.0 - at).unwrap_or(BLOCK)];
        let got = read_full(file, &mut bytes, at)?;
        if got == bytes.len() && Sum::of(&bytes).as_ref() == theirs.1.get(first) {
            return Ok((theirs.0, true));
        }
    }
    Ok((at, false))
}
