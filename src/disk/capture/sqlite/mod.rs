//! A database of `SQLite`: captured as one commit left it, while its program goes on.
//!
//! With a write-ahead log: whatever is in the database and was not there when the log was begun is in the log, too. So the log is read,
//! then what differs in the database, then the log to its end. What has gone into the database meanwhile stands in the log up to
//! there, and whoever opens both takes it from the log. No lock is needed for that; if the log was begun anew meanwhile it is looked
//! again. Of the database only the pages are read that stood in the log, and only when it was changed.
//!
//! Without a log the database is read while nobody writes it. Where somebody always does, a read transaction holds it: one without a log
//! for [`HOLD_MAX`] at the most, for then its writers wait.
//!
//! - [`names`]: the files of a database
//! - [`log`]: what of its log is committed
//! - `locks`: whether somebody writes it

mod locks;
pub mod log;
pub mod names;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::time::Duration;

use rustix::fs::fstat;
use tokio::time::Instant;

use super::compare::{Scope, compare};
use super::look::{FileSeen, Item, Missed, Seen, Still, is_calm};
use super::rules::{As, Rule, Rules};
use super::settle::Settle;
use super::tree::{Kept, Known};
use crate::disk::hold::{HOLD_MAX, NotHeld};
use crate::disk::read::{read_full, stored};
use crate::disk::root::{Root, on_disk};
use crate::disk::stamp::{Shape, Stamp};
use crate::replica::{BLOCK, RelPath, blocks};
use log::{Log, Since};

/// How long is read what nobody waits for.
const AT_LEISURE: Duration = Duration::from_secs(3600);

/// Looks that are tried before a lock is taken that its program notices.
const OPTIMISTIC: u32 = 3;

/// Looks that are tried before a database that is busy is captured like any other file.
const BUSY: u32 = 8;

/// Where it says how it is written and read: both are 2 where it has a log.
const FORMATS: u64 = 18;

/// What a database begins with.
pub const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// What a look at a database found.
pub(super) struct Looked {
    /// Each of its files.
    pub(super) items: Vec<(RelPath, Item)>,
    /// Bytes that were read.
    pub(super) read: u64,
}

/// The roles of its files: under which name the mirror holds what each is compared with.
pub(super) struct Bases {
    pub(super) database: Option<RelPath>,
    pub(super) log: Option<RelPath>,
}

/// What of a database has to be read.
enum Todo {
    All,
    Pages(BTreeSet<u32>),
}

impl Settle<'_> {
    /// The database to which `path` belongs, or that it is.
    pub(super) fn database_of(&self, path: &RelPath) -> io::Result<Option<RelPath>> {
        for name in names::owner(path).into_iter().chain([path.clone()]) {
            if is_database(self.search.root, self.rules, &name)? {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// Looks at a database in the `round`-th round of looks. None where it has to be captured like any other file.
    pub(super) fn look_at_database(
        &mut self,
        path: &RelPath,
        bases: &Bases,
        (round, still): (u32, Still),
    ) -> Result<Option<Looked>, Missed> {
        let root = self.search.root;
        let file = root.open_file(path)?;
        if !begins_like_one(&file) {
            // Encrypted, perhaps.
            self.plain.insert(path.clone(), "file is not a database".to_owned());
            return Ok(None);
        }
        let on_disk = on_disk(self.search.root.path(), path);
        if still == Still::Must && round < OPTIMISTIC || !self.holder.may_read(&on_disk) {
            // It was held in vain not long ago, and is to be taken all the same.
            let is_over = still == Still::NeedNot && self.holder.can_hold();
            let has_log = self.has_log(path)?;
            if !has_log && self.has_hot_journal(path)? {
                // A transaction that is not at its end is waited for, or taken as it stands: with the journal it can be undone.
                return Ok(if is_over { self.is_plain(path, &NotHeld::Over) } else { None });
            }
            if !has_log && self.is_written_at_once(path, &file)? {
                let why = if is_over { &NotHeld::Over } else { &NotHeld::Busy };
                return if still == Still::NeedNot { Ok(self.is_plain(path, why)) } else { Err(Missed::Moved) };
            }
            return match self.with_log_or_without(has_log, path, &file, bases, None) {
                Err(Missed::Moved) if is_over => Ok(self.is_plain(path, &NotHeld::Over)),
                looked => self.is_one(path, looked),
            };
        }
        let looked = match self.holder.read(&on_disk) {
            Ok(held) if held.inode != stamp_of(&file)?.inode => Err(Missed::Moved),
            Ok(held) => {
                let until = Instant::now() + if held.is_waited_for { HOLD_MAX } else { AT_LEISURE };
                self.with_log_or_without(self.has_log(path)?, path, &file, bases, Some(until))
            }
            Err(NotHeld::Busy) if still == Still::Must && round < BUSY => return Err(Missed::Moved),
            Err(why) => return Ok(self.is_plain(path, &why)),
        };
        match self.holder.release(&on_disk) {
            true => self.is_one(path, looked),
            // Whoever writes has gone on meanwhile.
            false if still == Still::Must => Err(Missed::Moved),
            false => Ok(self.is_plain(path, &NotHeld::Over)),
        }
    }

    /// It is captured as a database, if that was done.
    fn is_one(&mut self, path: &RelPath, looked: Result<Looked, Missed>) -> Result<Option<Looked>, Missed> {
        let looked = looked?;
        self.plain.remove(path);
        Ok(Some(looked))
    }

    /// It is captured like any other file.
    fn is_plain(&mut self, path: &RelPath, why: &NotHeld) -> Option<Looked> {
        self.plain.insert(path.clone(), why.to_string());
        None
    }

    fn with_log_or_without(
        &mut self,
        has_log: bool,
        path: &RelPath,
        file: &File,
        bases: &Bases,
        held: Option<Instant>,
    ) -> Result<Looked, Missed> {
        if has_log { self.with_log(path, file, bases) } else { self.without_log(path, file, bases, held) }
    }

    /// Whether anything may stand in the log of a database.
    fn has_log(&self, path: &RelPath) -> io::Result<bool> {
        Ok(self.search.root.stat(&names::log(path))?.is_some_and(|stamp| stamp.size > 0))
    }

    /// A database in whose log something may be committed.
    fn with_log(&mut self, path: &RelPath, file: &File, bases: &Bases) -> Result<Looked, Missed> {
        let log_name = names::log(path);
        let (root, tree) = (self.search.root, &*self.search.tree);
        let log_file = root.open_file(&log_name)?;
        let (stamp, log_stamp) = (stamp_of(file)?, stamp_of(&log_file)?);
        let held = bases.database.as_ref().and_then(|base| tree.get(base));
        let held_log = bases.log.as_ref().and_then(|base| tree.get(base));
        let known = held_log.and_then(|held| match &held.kept {
            Kept::Log(log) => Some(&**log),
            _ => None,
        });
        let Some(first) = Log::read(&log_file, (log_stamp.inode, log_stamp.size), known)? else {
            // Nobody has begun to write in it: as if it were not there.
            return self.without_log(path, file, bases, None);
        };
        let since = known.map(|known| known.since(&log_file, &first)).transpose()?;
        let is_own = bases.database.as_ref() == Some(path) && !self.unsure.contains(path);
        let todo = match held.filter(|held| is_own && held.kept == Kept::Database && held.stamp.inode == stamp.inode) {
            Some(held) => what_to_read(held, &stamp, &first, since.as_ref()),
            None => Todo::All,
        };
        let scope = match todo {
            Todo::All => Scope { ranges: stored(file, stamp.size, stamp.is_sparse())?, holes_from: 0 },
            Todo::Pages(pages) => Scope {
                ranges: blocks_of_pages(&pages, first.page(), stamp.size, held.map_or(0, |held| held.body.size())),
                holes_from: u64::MAX,
            },
        };
        let mut seen =
            FileSeen { size: stamp.size, kept: Kept::Database, calm: is_calm(&stamp), ..FileSeen::default() };
        seen.alone = true;
        let mut read = compare(file, (&stamp, Still::NeedNot), &mut seen, &scope, held, self.spool, None)?;
        seen.base.clone_from(&bases.database);
        // What came into the database up to here stands in the log up to there.
        let log_stamp = stamp_of(&log_file)?;
        let now = Log::read(&log_file, (log_stamp.inode, log_stamp.size), Some(&first))?;
        let now = now.filter(|now| now.is_after(&first)).ok_or(Missed::Moved)?;
        let from = match (known, since) {
            (Some(known), Some(Since::Grew)) => known.end() / BLOCK as u64,
            _ => 0,
        };
        let scope = Scope { ranges: vec![from..blocks::count(now.end())], holes_from: from };
        let mut log_seen = FileSeen { size: now.end(), calm: is_calm(&log_stamp), ..FileSeen::default() };
        read += compare(&log_file, (&log_stamp, Still::NeedNot), &mut log_seen, &scope, held_log, self.spool, None)?;
        let stands = now.is_in(&log_file)?
            && stamp_of(file)?.size >= stamp.size
            && self.still_is(path, &stamp)?
            && self.still_is(&log_name, &log_stamp)?;
        if !stands {
            return Err(Missed::Moved);
        }
        log_seen.base.clone_from(&bases.log);
        log_seen.kept = Kept::Log(Box::new(now));
        let mut items = gone(&[names::journal(path), names::index(path)]);
        items.push((path.clone(), Item { stamp: Some(stamp), seen: Seen::File(seen) }));
        items.push((log_name, Item { stamp: Some(log_stamp), seen: Seen::File(log_seen) }));
        Ok(Looked { items, read })
    }

    /// A database whose state is in it alone, as long as nobody writes; where that is held, until then at the most, if anybody waits for that.
    fn without_log(
        &mut self,
        path: &RelPath,
        file: &File,
        bases: &Bases,
        held: Option<Instant>,
    ) -> Result<Looked, Missed> {
        let stamp = stamp_of(file)?;
        let still = if held.is_some() { Still::NeedNot } else { Still::Must };
        let scope = Scope { ranges: stored(file, stamp.size, stamp.is_sparse())?, holes_from: 0 };
        let base = bases.database.as_ref().and_then(|base| self.search.tree.get(base));
        let mut seen =
            FileSeen { size: stamp.size, kept: Kept::Database, calm: is_calm(&stamp), ..FileSeen::default() };
        let read = compare(file, (&stamp, still), &mut seen, &scope, base, self.spool, held)?;
        seen.base.clone_from(&bases.database);
        seen.alone = held.is_some() || seen.calm;
        // Whoever has begun to write shows in the journal before, and in the log instead.
        let has_begun = held.is_none()
            && (self.has_hot_journal(path)? || self.is_written_at_once(path, file)? || self.has_committed_log(path)?);
        if has_begun || !self.still_is(path, &stamp)? {
            return Err(Missed::Moved);
        }
        let mut items = gone(&[names::journal(path), names::log(path), names::index(path)]);
        items.push((path.clone(), Item { stamp: Some(stamp), seen: Seen::File(seen) }));
        Ok(Looked { items, read })
    }

    /// Whether there is a log in which somebody has begun to write.
    fn has_committed_log(&self, path: &RelPath) -> Result<bool, Missed> {
        if !self.has_log(path)? {
            return Ok(false);
        }
        let file = self.search.root.open_file(&names::log(path))?;
        let stamp = stamp_of(&file)?;
        Ok(Log::read(&file, (stamp.inode, stamp.size), None)?.is_some())
    }

    /// Whether a database that was looked at holds still: nothing has been committed since.
    pub(super) fn database_agrees(&self, path: &RelPath, log: Option<(&Log, &Stamp)>) -> Result<Option<bool>, Missed> {
        let Some((log, stamp)) = log else {
            let file = self.search.root.open_file(path)?;
            let has_begun = self.has_hot_journal(path)? || self.is_written_at_once(path, &file)?;
            return Ok(has_begun.then_some(false));
        };
        let name = names::log(path);
        if !self.still_is(&name, stamp)? {
            return Ok(Some(false));
        }
        let file = self.search.root.open_file(&name)?;
        let size = stamp_of(&file)?.size;
        let now = Log::read(&file, (stamp.inode, size), Some(log))?;
        Ok(Some(now.is_some_and(|now| now.end() == log.end() && log.is_in(&file).unwrap_or(false))))
    }

    /// Whether a transaction is under way that would be undone with the journal, or one was when its program died.
    fn has_hot_journal(&self, path: &RelPath) -> io::Result<bool> {
        let name = names::journal(path);
        let Some(stamp) = self.search.root.stat(&name)?.filter(|stamp| stamp.shape == Shape::File) else {
            return Ok(false);
        };
        let mut head = [0; 8];
        let read = self.search.root.open_file(&name).and_then(|file| read_full(&file, &mut head, 0));
        // One that has gone meanwhile was there.
        Ok(stamp.size > 0 && read.is_ok_and(|got| got > 0 && head != [0; 8]))
    }

    /// Whether pages of a transaction are written that keeps no journal on the disk (`journal_mode = MEMORY`, or `OFF`): nobody else can
    /// tell what of them is committed, nor undo them. A program that always keeps others away has a journal, be it an empty one, or a log.
    fn is_written_at_once(&self, path: &RelPath, file: &File) -> io::Result<bool> {
        let mut formats = [0; 2];
        let has_log = read_full(file, &mut formats, FORMATS)? == formats.len() && formats == [2, 2];
        Ok(!has_log && self.search.root.stat(&names::journal(path))?.is_none() && locks::is_locked(file))
    }

    /// Whether the same file still stands under the name.
    fn still_is(&self, path: &RelPath, stamp: &Stamp) -> io::Result<bool> {
        self.search.root.forget();
        Ok(self.search.root.stat(path)?.is_some_and(|now| now.inode == stamp.inode))
    }
}

/// Whether a database stands at `path`: by what was said, or by what it begins with.
pub(super) fn is_database(root: &Root, rules: &Rules, path: &RelPath) -> io::Result<bool> {
    let is_said = match rules.of(path) {
        Rule::Said(As::Sqlite) => true,
        Rule::Unsaid => false,
        Rule::LeftOut | Rule::Said(_) => return Ok(false),
    };
    let Some(stamp) = root.stat(path)?.filter(|stamp| stamp.shape == Shape::File && stamp.links == 1) else {
        return Ok(false);
    };
    if is_said || stamp.size == 0 || !stamp.size.is_multiple_of(512) {
        return Ok(is_said && stamp.size > 0);
    }
    // One that cannot be read is met again as any other file, and reported.
    Ok(root.open_file(path).is_ok_and(|file| begins_like_one(&file)))
}

/// Whether a file begins as a database does.
#[must_use]
pub fn begins_like_one(file: &File) -> bool {
    let mut head = [0; 16];
    read_full(file, &mut head, 0).is_ok_and(|got| got == head.len() && head == *MAGIC)
}

/// What of a database that is held can differ, given what became of its log.
fn what_to_read(held: &Known, stamp: &Stamp, now: &Log, since: Option<&Since>) -> Todo {
    let untouched = !held.young && held.stamp.is_same(stamp);
    match since {
        None | Some(Since::Grew) if untouched => Todo::Pages(BTreeSet::new()),
        // What had gone into the database from a log that nobody has read is known to nobody.
        None | Some(Since::Unknown) => Todo::All,
        Some(Since::Grew) => Todo::Pages(now.pages().clone()),
        // All that had stood in it is in the database now.
        Some(Since::Anew(pages)) => Todo::Pages(pages.union(now.pages()).copied().collect()),
    }
}

/// The blocks of a database of `size` bytes in which `pages` lie, and those that differ since it was `was` bytes long.
fn blocks_of_pages(pages: &BTreeSet<u32>, page: u64, size: u64, was: u64) -> Vec<Range<u64>> {
    let count = blocks::count(size);
    let of_page = |number: &u32| {
        let from = u64::from(number.saturating_sub(1)) * page;
        from / BLOCK as u64..blocks::count(from + page).min(count)
    };
    let end = (was != size).then(|| was.min(size) / BLOCK as u64..count);
    let mut all: Vec<Range<u64>> = pages.iter().map(of_page).chain(end).filter(|range| !range.is_empty()).collect();
    all.sort_unstable_by_key(|range| range.start);
    let mut ranges: Vec<Range<u64>> = vec![];
    for range in all {
        match ranges.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => ranges.push(range),
        }
    }
    ranges
}

fn gone(names: &[RelPath]) -> Vec<(RelPath, Item)> {
    names.iter().map(|name| (name.clone(), Item { stamp: None, seen: Seen::Gone })).collect()
}

fn stamp_of(file: &File) -> io::Result<Stamp> {
    Ok(Stamp::from(fstat(file).map_err(io::Error::from)?))
}
