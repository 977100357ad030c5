//! What a generation will do to the mirror, name by name, before anything is done.
//!
//! Made from what the generation says, what the index knows and what really stands there: a mirror that a stranger has
//! touched takes the generation all the same, and what is then not as it should be is found and reported.

use std::collections::{BTreeMap, BTreeSet};

use crate::disk::error::{At, DiskError};
use crate::disk::journal::index::Index;
use crate::disk::journal::records::Reader;
use crate::disk::journal::redo::Stored;
use crate::disk::root::Root;
use crate::disk::stamp::{Shape, Stamp};
use crate::replica::part::{Content, Data, Part, Put};
use crate::replica::{BLOCK, Blocks, Body, Meta, RelPath};

/// Bytes up to which a file is changed in place however much of it changes.
const SMALL: u64 = 64 * 1024;

/// What a generation will do.
#[derive(Debug)]
pub struct Plan {
    /// The generation.
    pub stored: Stored,
    /// What leaves its name, by that name.
    pub taken: BTreeMap<RelPath, Taken>,
    /// Folders that go, each before what was in it.
    pub removed: BTreeSet<RelPath>,
    /// What stands under a name afterwards, in the order of the names.
    pub puts: BTreeMap<RelPath, Planned>,
    /// Names that are not in the index any more afterwards.
    pub gone: Vec<RelPath>,
    /// Names that are not as the index says.
    pub strange: BTreeSet<RelPath>,
}

/// What leaves its name.
#[derive(Debug)]
pub struct Taken {
    /// Its name in the stash.
    pub number: u32,
    /// Where it goes, if it stays in the mirror.
    pub next: Option<RelPath>,
    /// Bytes that it holds in the stash if it does not.
    pub bytes: u64,
}

/// What stands under a name afterwards.
#[derive(Debug)]
pub struct Planned {
    /// Mode, owner and time.
    pub meta: Meta,
    /// How it comes there.
    pub how: How,
}

/// How something comes to stand under a name.
#[derive(Debug)]
pub enum How {
    /// A folder that stands there already.
    SameDir,
    /// A new folder.
    Dir,
    /// A symbolic link that stands there already, and where it points.
    SameSymlink(Vec<u8>),
    /// A new symbolic link.
    Symlink(Vec<u8>),
    /// Another name of this file.
    Link(RelPath),
    /// The file that stood at `at`, changed in place.
    Edit {
        /// Where it stood.
        at: RelPath,
        /// How long it was, in bytes.
        old: u64,
        /// How long it is, in bytes.
        size: u64,
        /// What changes.
        changes: Changes,
    },
    /// A new file, with what does not change taken from `from`.
    Fresh {
        /// Its number among the new files.
        number: u32,
        /// The file whose bytes it begins with.
        from: Option<RelPath>,
        /// How long it is, in bytes.
        size: u64,
        /// What differs.
        changes: Changes,
    },
}

/// What changes in a file.
#[derive(Debug, Default)]
pub struct Changes {
    /// Data, in order, with where each stands in the redo.
    pub data: Vec<Piece>,
    /// Blocks that become zeros: the first, and how many.
    pub zeros: Vec<(u64, u64)>,
}

/// Data in the redo.
#[derive(Debug)]
pub struct Piece {
    /// Where in the file it goes.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
    /// Where in the redo its record stands.
    pub at: u64,
}

impl Changes {
    /// Bytes of a file of `old` bytes, which becomes `size` bytes long, that would have to be saved before.
    fn overwritten(&self, old: u64, size: u64) -> u64 {
        let data = self.data.iter().map(|piece| old.min(piece.offset + piece.len).saturating_sub(piece.offset));
        let zeros = self.zeros.iter().map(|(first, count)| {
            let from = first.saturating_mul(BLOCK as u64);
            old.min(from.saturating_add(count.saturating_mul(BLOCK as u64))).saturating_sub(from)
        });
        data.chain(zeros).sum::<u64>() + old.saturating_sub(size)
    }
}

/// Reads the data of one record of the redo.
pub fn read_data(redo: &Reader, at: u64) -> Result<Data, DiskError> {
    let what = || DiskError::Corrupt { path: redo.path().to_owned(), what: format!("no data at byte {at}") };
    let (bytes, _) = redo.read(at)?.ok_or_else(what)?;
    match Part::decode(&bytes)? {
        Part::Data(data) => Ok(data),
        _ => Err(what()),
    }
}

impl Plan {
    /// Plans the generation `stored`.
    pub fn make(stored: &Stored, redo: &Reader, dest: &Root, index: &Index) -> Result<Self, DiskError> {
        let plan = Self {
            stored: stored.clone(),
            taken: BTreeMap::new(),
            removed: BTreeSet::new(),
            puts: BTreeMap::new(),
            gone: vec![],
            strange: BTreeSet::new(),
        };
        let (gone, puts) = read_parts(stored, redo)?;
        let mut planner = Planner { plan, dest, index, fresh: 0 };
        dest.forget();
        // What moves on is taken first: whatever else happens to its name, its bytes are needed elsewhere.
        for (put, _) in &puts {
            if let Content::File { base: Some(base), .. } = &put.content
                && *base != put.path
            {
                planner.take_on(base, &put.path)?;
            }
        }
        for path in gone {
            planner.clear(&path)?;
            planner.plan.gone.push(path);
        }
        for (put, changes) in puts {
            planner.parents(&put.path)?;
            planner.put(put, changes)?;
        }
        Ok(planner.plan)
    }

    /// Whether any name comes, goes or moves.
    #[must_use]
    pub fn changes_names(&self) -> bool {
        let new = |planned: &Planned| !matches!(planned.how, How::Edit { .. } | How::SameDir | How::SameSymlink(_));
        !self.taken.is_empty() || !self.removed.is_empty() || self.puts.values().any(new)
    }

    /// The folders in which a name comes, goes or moves, as far as they stay.
    #[must_use]
    pub fn touched_folders(&self) -> BTreeSet<RelPath> {
        let new = |(path, planned): (&RelPath, &Planned)| {
            let same = matches!(planned.how, How::SameDir | How::SameSymlink(_))
                || matches!(&planned.how, How::Edit { at, .. } if at == path);
            (!same).then(|| path.parent())
        };
        let made = self.puts.iter().filter_map(new);
        let left = self.taken.keys().chain(&self.removed).map(RelPath::parent);
        made.chain(left).filter(|folder| !self.removed.contains(folder)).collect()
    }
}

type Puts = Vec<(Put, Changes)>;

fn read_parts(stored: &Stored, redo: &Reader) -> Result<(Vec<RelPath>, Puts), DiskError> {
    let (mut gone, mut puts): (Vec<RelPath>, Puts) = (vec![], vec![]);
    let protocol = |what: &str| DiskError::Protocol { seq: stored.end.position.seq, what: what.to_owned() };
    let mut at = stored.from;
    while at < stored.to {
        let Some((bytes, next)) = redo.read(at)? else { return Err(protocol("it ends before it should")) };
        match Part::decode(&bytes)? {
            Part::Begin(_) | Part::End(_) => {}
            Part::Gone(path) if path.is_root() => return Err(protocol("the folder itself is gone")),
            Part::Gone(path) => gone.push(path),
            Part::Put(put) => puts.push((put, Changes::default())),
            Part::Data(data) => {
                let (_, changes) = puts.last_mut().ok_or_else(|| protocol("data of no file"))?;
                changes.data.push(Piece { offset: data.offset, len: data.bytes.len() as u64, at });
            }
            Part::Zero { first, count } => {
                let (_, changes) = puts.last_mut().ok_or_else(|| protocol("zeros of no file"))?;
                changes.zeros.push((first, count));
            }
        }
        at = next;
    }
    Ok((gone, puts))
}

struct Planner<'p> {
    plan: Plan,
    dest: &'p Root,
    index: &'p Index,
    fresh: u32,
}

impl Planner<'_> {
    fn stat(&self, path: &RelPath) -> Result<Option<Stamp>, DiskError> {
        self.dest.stat(path).within("looking at", self.dest.path(), path)
    }

    fn take(&mut self, path: &RelPath, bytes: u64, next: Option<RelPath>) {
        let number = u32::try_from(self.plan.taken.len()).unwrap_or(u32::MAX);
        self.plan.taken.entry(path.clone()).or_insert(Taken { number, next, bytes });
    }

    fn take_on(&mut self, base: &RelPath, next: &RelPath) -> Result<(), DiskError> {
        match self.stat(base)? {
            Some(stamp) if stamp.shape == Shape::File => self.take(base, 0, Some(next.clone())),
            _ => {
                self.plan.strange.insert(base.clone());
            }
        }
        Ok(())
    }

    /// Makes `path` free, whatever stands there. Returns what that was, unless it is taken on elsewhere.
    fn clear(&mut self, path: &RelPath) -> Result<Option<Stamp>, DiskError> {
        let stamp = self.stat(path)?;
        match stamp {
            Some(stamp) if stamp.shape == Shape::Dir => {
                self.plan.removed.insert(path.clone());
            }
            Some(stamp) if !self.plan.taken.contains_key(path) => self.take(path, stamp.stored, None),
            Some(_) => return Ok(None),
            None => {}
        }
        Ok(stamp)
    }

    /// The folders above `path` stand, or are in the plan; those that a stranger took away are made again.
    fn parents(&mut self, path: &RelPath) -> Result<(), DiskError> {
        for folder in path.ancestors() {
            if self.plan.puts.contains_key(&folder) || folder.is_root() {
                break;
            }
            match self.stat(&folder)? {
                Some(stamp) if stamp.shape == Shape::Dir => break,
                _ => {
                    self.clear(&folder)?;
                    let meta = self
                        .index
                        .get(&folder)?
                        .map_or_else(|| Meta { mode: 0o755, ..Meta::default() }, |(_, entry)| entry.meta);
                    self.plan.strange.insert(folder.clone());
                    self.plan.puts.insert(folder, Planned { meta, how: How::Dir });
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, put: Put, changes: Changes) -> Result<(), DiskError> {
        let Put { path, meta, content, .. } = put;
        let how = match content {
            Content::Dir => match self.stat(&path)? {
                Some(stamp) if stamp.shape == Shape::Dir => How::SameDir,
                _ => {
                    self.clear(&path)?;
                    How::Dir
                }
            },
            Content::Symlink { target } => {
                let is_link = self.stat(&path)?.is_some_and(|stamp| stamp.shape == Shape::Symlink);
                if is_link && self.dest.read_link(&path).is_ok_and(|now| now == target) {
                    How::SameSymlink(target)
                } else {
                    self.clear(&path)?;
                    How::Symlink(target)
                }
            }
            Content::Link { to } => {
                self.clear(&path)?;
                How::Link(to)
            }
            Content::File { size, base, .. } => self.file(&path, size, base.as_ref(), changes)?,
        };
        self.plan.puts.insert(path, Planned { meta, how });
        Ok(())
    }

    fn file(&mut self, path: &RelPath, size: u64, base: Option<&RelPath>, changes: Changes) -> Result<How, DiskError> {
        let moved = base.filter(|base| *base != path && self.plan.taken.contains_key(base));
        if let Some(at) = moved.cloned() {
            self.clear(path)?;
            let old = self.stat(&at)?.map_or(0, |stamp| stamp.size);
            return Ok(How::Edit { at, old, size, changes });
        }
        let here = self.stat(path)?.filter(|stamp| stamp.shape == Shape::File && base == Some(path));
        if let Some(stamp) = here {
            let old = stamp.size;
            let saved = changes.overwritten(old, size);
            if saved <= SMALL || saved <= old / 2 || !self.index.links_to(path)?.is_empty() {
                return Ok(How::Edit { at: path.clone(), old, size, changes });
            }
        } else if base.is_some() {
            self.plan.strange.insert(path.clone());
        }
        self.clear(path)?;
        self.fresh += 1;
        Ok(How::Fresh { number: self.fresh, from: here.map(|_| path.clone()), size, changes })
    }
}

/// What the index says of a planned name, without the sums.
#[must_use]
pub fn body(planned: &Planned) -> Body {
    match &planned.how {
        How::SameDir | How::Dir => Body::Dir,
        How::SameSymlink(target) | How::Symlink(target) => Body::Symlink { target: target.clone().into() },
        How::Link(to) => Body::Link { to: to.clone() },
        How::Edit { size, .. } | How::Fresh { size, .. } => Body::File { size: *size, blocks: Blocks::default() },
    }
}
