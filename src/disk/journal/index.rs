//! What stands in the mirror, name by name, with the sums of every block: one small database that a person can inspect.
//!
//! It is written last of all when a generation is applied, so its position is that of the files.

use std::ops::Range;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use super::sums::{ROW, SumRow};
use crate::disk::error::DiskError;
use crate::replica::{Blocks, Body, Checksum, Entry, Grade, Meta, Position, RelPath, Sum, Time};

/// The index of a mirror.
#[derive(Debug)]
pub struct Index {
    pub(super) db: Connection,
    path: PathBuf,
}

/// How far the mirror is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// Generations applied.
    pub position: Position,
    /// Whether the files can be used.
    pub form: Form,
    /// The generation that is being stepped back, while that is under way.
    pub stepping_back: Option<u64>,
    /// When the last generation was taken at its source.
    pub as_of: Time,
    /// How sure it is.
    pub grade: Grade,
}

/// Whether the files of a mirror can be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Form {
    /// Nothing has come yet.
    #[default]
    Fresh,
    /// A first copy is under way: they are in pieces.
    Building,
    /// They are as the last generation left them.
    Committed,
    /// A first copy is under way into a folder that held other data: what goes of them is set aside.
    Adopting,
}

const FORMS: [Form; 4] = [Form::Fresh, Form::Building, Form::Committed, Form::Adopting];

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS state (
        id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, checksum BLOB NOT NULL, form INTEGER NOT NULL,
        stepping_back INTEGER, as_of_seconds INTEGER NOT NULL, as_of_nanos INTEGER NOT NULL, grade INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS entry (
        id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL, mode INTEGER NOT NULL,
        uid INTEGER NOT NULL, gid INTEGER NOT NULL, seconds INTEGER NOT NULL, nanos INTEGER NOT NULL,
        size INTEGER NOT NULL, target BLOB);
    CREATE INDEX IF NOT EXISTS link ON entry (target) WHERE kind = 3;
    CREATE TABLE IF NOT EXISTS sums (
        entry INTEGER NOT NULL, row INTEGER NOT NULL, sums BLOB NOT NULL, PRIMARY KEY (entry, row)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS proven (id INTEGER PRIMARY KEY CHECK (id = 1), seconds INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS doubted (id INTEGER PRIMARY KEY CHECK (id = 1), differs INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS generation (
        seq INTEGER PRIMARY KEY, seconds INTEGER NOT NULL, nanos INTEGER NOT NULL, grade INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS kept_state (
        id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, since INTEGER NOT NULL, percent INTEGER);
    CREATE TABLE IF NOT EXISTS kept_for (
        dataset TEXT PRIMARY KEY, seq INTEGER NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS gathering (
        id INTEGER PRIMARY KEY CHECK (id = 1), served INTEGER NOT NULL, began INTEGER NOT NULL, over INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS rotten (path BLOB PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS disturbed (
        path BLOB PRIMARY KEY, seq INTEGER NOT NULL, open INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS served (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL);";

impl Index {
    /// Opens the index at `path`, or makes an empty one.
    pub fn open(path: &Path) -> Result<Self, DiskError> {
        let error = |source| DiskError::Index { path: path.to_owned(), source };
        let db = Connection::open(path).map_err(error)?;
        // FULL: a generation is in the index only when that is on disk, for its redo is dropped then.
        let set_up = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -4096;";
        db.execute_batch(set_up).and_then(|()| db.execute_batch(SCHEMA)).map_err(error)?;
        db.set_prepared_statement_cache_capacity(32);
        Ok(Self { db, path: path.to_owned() })
    }

    /// Opens the index at `path` as somebody left it, to read it; none where there is none.
    pub fn left(path: &Path) -> Result<Option<Self>, DiskError> {
        if !path.exists() {
            return Ok(None);
        }
        let error = |source| DiskError::Index { path: path.to_owned(), source };
        // Not read-only: what was written last may still stand beside the database.
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(error)?;
        db.execute_batch("PRAGMA query_only = ON;").map_err(error)?;
        Ok(Some(Self { db, path: path.to_owned() }))
    }

    pub(super) fn at<T>(&self, result: rusqlite::Result<T>) -> Result<T, DiskError> {
        result.map_err(|source| DiskError::Index { path: self.path.clone(), source })
    }

    pub(super) fn run(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, DiskError> {
        self.at(self.db.prepare_cached(sql).and_then(|mut statement| statement.execute(values)))
    }

    /// Begins to change: nothing of it counts before [`Index::commit`].
    pub fn begin(&self) -> Result<(), DiskError> {
        // One that was left open by a failure has not counted.
        self.roll_back()?;
        self.run("BEGIN IMMEDIATE", []).map(drop)
    }

    /// Forgets what was changed and does not count yet.
    pub fn roll_back(&self) -> Result<(), DiskError> {
        if self.db.is_autocommit() { Ok(()) } else { self.run("ROLLBACK", []).map(drop) }
    }

    /// Makes all changes since [`Index::begin`] count, durably.
    pub fn commit(&self) -> Result<(), DiskError> {
        self.run("COMMIT", []).map(drop)
    }

    /// How far the mirror is.
    pub fn state(&self) -> Result<State, DiskError> {
        let sql = "SELECT seq, checksum, form, stepping_back, as_of_seconds, as_of_nanos, grade FROM state";
        let read = |row: &Row<'_>| {
            Ok(State {
                position: Position { seq: row.get::<_, i64>(0)?.cast_unsigned(), checksum: Checksum(row.get(1)?) },
                form: FORMS[row.get::<_, usize>(2)?.min(3)],
                stepping_back: row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
                as_of: Time { seconds: row.get(4)?, nanos: row.get(5)? },
                grade: GRADES[row.get::<_, usize>(6)?.min(3)],
            })
        };
        Ok(self.at(self.db.query_row(sql, [], read).optional())?.unwrap_or_default())
    }

    /// Sets how far the mirror is.
    pub fn set_state(&self, state: &State) -> Result<(), DiskError> {
        let grade = GRADES.iter().position(|grade| *grade == state.grade);
        let values = params![
            state.position.seq.cast_signed(),
            state.position.checksum.0,
            state.form as u8,
            state.stepping_back.map(u64::cast_signed),
            state.as_of.seconds,
            state.as_of.nanos,
            grade
        ];
        self.run("INSERT OR REPLACE INTO state VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)", values)?;
        // What was stepped back is no state that was.
        let seq = state.position.seq.cast_signed();
        self.run("DELETE FROM generation WHERE seq > ?1", [seq])?;
        self.run("DELETE FROM disturbed WHERE seq > ?1 AND open = 0", [seq])?;
        self.run("UPDATE disturbed SET seq = ?1 WHERE seq > ?1", [seq])?;
        if state.form != Form::Committed || state.stepping_back.is_some() {
            return Ok(());
        }
        let values = params![seq, state.as_of.seconds, state.as_of.nanos, grade];
        self.run("INSERT OR REPLACE INTO generation VALUES (?1, ?2, ?3, ?4)", values).map(drop)
    }

    /// Forgets everything.
    pub fn clear(&self) -> Result<(), DiskError> {
        self.run("DELETE FROM sums", [])?;
        self.run("DELETE FROM entry", [])?;
        self.run("DELETE FROM proven", [])?;
        self.run("DELETE FROM doubted", [])?;
        self.run("DELETE FROM rotten", [])?;
        self.run("DELETE FROM disturbed", [])?;
        self.run("DELETE FROM generation", [])?;
        self.forget_pinned()?;
        self.run("DELETE FROM state", []).map(drop)
    }

    /// What stands under `path`. Its sums are not read.
    pub fn get(&self, path: &RelPath) -> Result<Option<(i64, Entry)>, DiskError> {
        let sql = "SELECT id, kind, mode, uid, gid, seconds, nanos, size, target FROM entry WHERE path = ?1";
        let found = self.db.prepare_cached(sql).and_then(|mut statement| {
            statement.query_row([path.as_bytes()], |row| Ok((row.get(0)?, entry(row, 1)?))).optional()
        });
        self.at(found)
    }

    /// Sets what stands under `path`; a file keeps the sums that it has there. Returns its number.
    pub fn put(&self, path: &RelPath, meta: &Meta, body: &Body) -> Result<i64, DiskError> {
        let (kind, target) = match body {
            Body::File { .. } => (0, None),
            Body::Dir => (1, None),
            Body::Symlink { target } => (2, Some(&**target)),
            Body::Link { to } => (3, Some(to.as_bytes())),
        };
        let sql = "INSERT INTO entry (path, kind, mode, uid, gid, seconds, nanos, size, target)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            ON CONFLICT (path) DO UPDATE SET (kind, mode, uid, gid, seconds, nanos, size, target)
            = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id";
        let (Meta { mode, uid, gid, mtime }, size) = (meta, body.size().cast_signed());
        let values = params![path.as_bytes(), kind, mode, uid, gid, mtime.seconds, mtime.nanos, size, target];
        let id = self.at(self.db.prepare_cached(sql).and_then(|mut put| put.query_row(values, |row| row.get(0))))?;
        if kind != 0 {
            self.run("DELETE FROM sums WHERE entry = ?1", [id])?;
        }
        Ok(id)
    }

    /// Forgets what stands under `path`.
    pub fn remove(&self, path: &RelPath) -> Result<(), DiskError> {
        self.run("DELETE FROM sums WHERE entry = (SELECT id FROM entry WHERE path = ?1)", [path.as_bytes()])?;
        self.run("DELETE FROM entry WHERE path = ?1", [path.as_bytes()]).map(drop)
    }

    /// Gives the entry `id` another name, which must be free.
    pub fn rename(&self, id: i64, to: &RelPath) -> Result<(), DiskError> {
        self.run("UPDATE entry SET path = ?2 WHERE id = ?1", params![id, to.as_bytes()]).map(drop)
    }

    /// Puts the entry `id` where no name is, until it gets its new one.
    pub fn set_aside(&self, id: i64) -> Result<(), DiskError> {
        // A path never begins with a slash, so this is nobody's.
        self.run("UPDATE entry SET path = CAST('/' || id AS BLOB) WHERE id = ?1", [id]).map(drop)
    }

    /// The other names of the file `path`.
    pub fn links_to(&self, path: &RelPath) -> Result<Vec<RelPath>, DiskError> {
        let sql = "SELECT path FROM entry WHERE kind = 3 AND target = ?1";
        let rows = self.db.prepare_cached(sql).and_then(|mut statement| {
            statement.query_map([path.as_bytes()], |row| rel_path(row, 0))?.collect::<rusqlite::Result<Vec<_>>>()
        });
        self.at(rows)
    }

    /// Forgets the sums of the entry `id` from block `count` on.
    pub fn truncate(&self, id: i64, count: u64) -> Result<(), DiskError> {
        let whole = count.div_ceil(ROW).cast_signed();
        self.run("DELETE FROM sums WHERE entry = ?1 AND row >= ?2", params![id, whole])?;
        if !count.is_multiple_of(ROW) {
            self.change_row(id, count / ROW, |row| (count % ROW..ROW).for_each(|slot| row.set(slot, None)))?;
        }
        Ok(())
    }

    /// Sets sums of the entry `id`, given in the order of their blocks.
    pub fn set_sums(&self, id: i64, sums: impl IntoIterator<Item = (u64, Option<Sum>)>) -> Result<(), DiskError> {
        let mut sums = sums.into_iter().peekable();
        while let Some(&(block, _)) = sums.peek() {
            let number = block / ROW;
            self.change_row(id, number, |row| {
                while let Some((block, sum)) = sums.next_if(|(block, _)| block / ROW == number) {
                    row.set(block % ROW, sum);
                }
            })?;
        }
        Ok(())
    }

    /// The sums of the blocks of row `number` of the entry `id`.
    pub fn row(&self, id: i64, number: u64) -> Result<SumRow, DiskError> {
        let sql = "SELECT sums FROM sums WHERE entry = ?1 AND row = ?2";
        let bytes: Option<Vec<u8>> = self.at(self.db.prepare_cached(sql).and_then(|mut statement| {
            statement.query_row(params![id, number.cast_signed()], |row| row.get(0)).optional()
        }))?;
        let Some(bytes) = bytes else { return Ok(SumRow::default()) };
        let corrupt = || DiskError::Corrupt { path: self.path.clone(), what: format!("sums of entry {id} are none") };
        SumRow::decode(&bytes).ok_or_else(corrupt)
    }

    /// The rows of sums in `range` that there are, by their numbers: of a large hole there are none.
    pub fn rows(&self, id: i64, range: Range<u64>) -> Result<Vec<(u64, SumRow)>, DiskError> {
        let sql = "SELECT row, sums FROM sums WHERE entry = ?1 AND row >= ?2 AND row < ?3 ORDER BY row";
        let rows = self.db.prepare_cached(sql).and_then(|mut statement| {
            let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, Vec<u8>>(1)?));
            let key = params![id, range.start.cast_signed(), range.end.cast_signed()];
            statement.query_map(key, read)?.collect::<rusqlite::Result<Vec<_>>>()
        });
        let corrupt = || DiskError::Corrupt { path: self.path.clone(), what: format!("sums of entry {id} are none") };
        let decode = |(number, bytes): (u64, Vec<u8>)| Ok((number, SumRow::decode(&bytes).ok_or_else(corrupt)?));
        self.at(rows)?.into_iter().map(decode).collect()
    }

    fn change_row(&self, id: i64, number: u64, change: impl FnOnce(&mut SumRow)) -> Result<(), DiskError> {
        let mut row = self.row(id, number)?;
        change(&mut row);
        let key = params![id, number.cast_signed()];
        match row.encode() {
            Some(bytes) => self.run("INSERT OR REPLACE INTO sums VALUES (?1, ?2, ?3)", params![key[0], key[1], bytes]),
            None => self.run("DELETE FROM sums WHERE entry = ?1 AND row = ?2", key),
        }
        .map(drop)
    }

    /// Up to `most` entries after `path`, in order, without their sums.
    pub fn after(&self, path: Option<&RelPath>, most: u32) -> Result<Vec<(i64, RelPath, Entry)>, DiskError> {
        let sql = "SELECT id, kind, mode, uid, gid, seconds, nanos, size, target, path FROM entry
            WHERE ?1 IS NULL OR path > ?1 ORDER BY path LIMIT ?2";
        let rows = self.db.prepare_cached(sql).and_then(|mut statement| {
            let read = |row: &Row<'_>| Ok((row.get(0)?, rel_path(row, 9)?, entry(row, 1)?));
            statement.query_map(params![path.map(RelPath::as_bytes), most], read)?.collect::<rusqlite::Result<Vec<_>>>()
        });
        self.at(rows)
    }

    /// All sums of the entry `id`.
    pub fn sums(&self, id: i64) -> Result<Blocks, DiskError> {
        let sql = "SELECT row, sums FROM sums WHERE entry = ?1 ORDER BY row";
        let rows = self.db.prepare_cached(sql).and_then(|mut statement| {
            let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, Vec<u8>>(1)?));
            statement.query_map([id], read)?.collect::<rusqlite::Result<Vec<_>>>()
        });
        let mut blocks = Blocks::default();
        for (number, bytes) in self.at(rows)? {
            for (slot, sum) in SumRow::decode(&bytes).unwrap_or_default().iter() {
                blocks.set(number * ROW + slot, Some(sum));
            }
        }
        blocks.shrink();
        Ok(blocks)
    }

    /// Files in the mirror, and bytes in them.
    pub fn totals(&self) -> Result<(u64, u64), DiskError> {
        let sql = "SELECT count(*), coalesce(sum(size), 0) FROM entry WHERE kind = 0";
        let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, i64>(1)?.cast_unsigned()));
        self.at(self.db.query_row(sql, [], read))
    }
}

pub(super) const GRADES: [Grade; 4] = [Grade::Exact, Grade::Steady, Grade::Unsteady, Grade::Incomplete];

fn entry(row: &Row<'_>, at: usize) -> rusqlite::Result<Entry> {
    let meta = Meta {
        mode: row.get(at + 1)?,
        uid: row.get(at + 2)?,
        gid: row.get(at + 3)?,
        mtime: Time { seconds: row.get(at + 4)?, nanos: row.get(at + 5)? },
    };
    let body = match row.get::<_, u8>(at)? {
        0 => Body::File { size: row.get::<_, i64>(at + 6)?.cast_unsigned(), blocks: Blocks::default() },
        1 => Body::Dir,
        2 => Body::Symlink { target: row.get::<_, Vec<u8>>(at + 7)?.into() },
        _ => Body::Link { to: rel_path(row, at + 7)? },
    };
    Ok(Entry { meta, body })
}

fn rel_path(row: &Row<'_>, at: usize) -> rusqlite::Result<RelPath> {
    let bytes: Vec<u8> = row.get(at)?;
    RelPath::new(&bytes)
        .map_err(|bad| rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Blob, Box::new(bad)))
}
