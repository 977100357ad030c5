//! The states of the mirror that were, and the one that is kept.

use rusqlite::{OptionalExtension, Row, params};

use super::index::{GRADES, Index};
use crate::disk::error::DiskError;
use crate::replica::{Grade, RelPath, Time};

/// A state of the mirror that was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Generation {
    /// Its number.
    pub seq: u64,
    /// When it was taken at its source.
    pub as_of: Time,
    /// How sure it is.
    pub grade: Grade,
}

/// A state that is kept, however old history may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pinned {
    /// Its number.
    pub seq: u64,
    /// Since when: seconds since 1970.
    pub since: i64,
    /// Why: so many of a hundred bytes changed after it. None where it is only the last one that was steady.
    pub percent: Option<u64>,
}

/// A file that somebody else has changed, or its disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disturbed {
    /// Its name.
    pub path: RelPath,
    /// The last state in which it was so, or was written to since.
    pub seq: u64,
    /// Nothing has proven since that it is right again.
    pub is_open: bool,
}

impl Index {
    /// All states that are noted, the oldest first.
    pub fn generations(&self) -> Result<Vec<Generation>, DiskError> {
        let sql = "SELECT seq, seconds, nanos, grade FROM generation ORDER BY seq";
        let rows = self.db.prepare_cached(sql).and_then(|mut statement| {
            let read = |row: &Row<'_>| {
                Ok(Generation {
                    seq: row.get::<_, i64>(0)?.cast_unsigned(),
                    as_of: Time { seconds: row.get(1)?, nanos: row.get(2)? },
                    grade: GRADES[row.get::<_, usize>(3)?.min(3)],
                })
            };
            statement.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>()
        });
        self.at(rows)
    }

    /// States before this one cannot be stepped back to any more.
    pub fn forget_generations(&self, before: u64) -> Result<(), DiskError> {
        self.run("DELETE FROM disturbed WHERE seq <= ?1 AND open = 0", [before.cast_signed()])?;
        self.run("DELETE FROM generation WHERE seq < ?1", [before.cast_signed()]).map(drop)
    }

    /// Notes that in the state `seq` a file is not what was written, and whether it may still be so: a step back from there would mix
    /// the two.
    pub fn set_disturbed(&self, path: &RelPath, seq: u64, is_open: bool) -> Result<(), DiskError> {
        let values = params![path.as_bytes(), seq.cast_signed(), is_open];
        self.run("INSERT OR REPLACE INTO disturbed VALUES (?1, ?2, ?3)", values).map(drop)
    }

    /// Forgets that of all files.
    pub fn forget_disturbed(&self) -> Result<(), DiskError> {
        self.run("DELETE FROM disturbed", []).map(drop)
    }

    /// The files of which that is noted.
    pub fn disturbed(&self) -> Result<Vec<Disturbed>, DiskError> {
        let rows = self.db.prepare_cached("SELECT path, seq, open FROM disturbed").and_then(|mut statement| {
            let read =
                |row: &Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?.cast_unsigned(), row.get(2)?));
            statement.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>()
        });
        let named = |(path, seq, is_open): (Vec<u8>, u64, bool)| {
            Some(Disturbed { path: RelPath::new(&path).ok()?, seq, is_open })
        };
        Ok(self.at(rows)?.into_iter().filter_map(named).collect())
    }

    /// The state that is kept.
    pub fn pinned(&self) -> Result<Option<Pinned>, DiskError> {
        let read = |row: &Row<'_>| {
            let percent = row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned);
            Ok(Pinned { seq: row.get::<_, i64>(0)?.cast_unsigned(), since: row.get(1)?, percent })
        };
        self.at(self.db.query_row("SELECT seq, since, percent FROM kept_state", [], read).optional())
    }

    /// Forgets all states but the last, of an index that was only opened to be read.
    pub fn forget_left(&self) -> Result<(), DiskError> {
        let sql = "PRAGMA query_only = OFF; BEGIN IMMEDIATE; DELETE FROM kept_state; DELETE FROM kept_for;
            DELETE FROM generation WHERE seq < (SELECT MAX(seq) FROM generation); COMMIT; PRAGMA query_only = ON;";
        self.at(self.db.execute_batch(sql))
    }

    /// Keeps no state.
    pub fn forget_pinned(&self) -> Result<(), DiskError> {
        self.run("DELETE FROM kept_for", [])?;
        self.run("DELETE FROM kept_state", []).map(drop)
    }

    /// Keeps this state, and no other.
    pub fn set_pinned(&self, pinned: Pinned) -> Result<(), DiskError> {
        let values = params![pinned.seq.cast_signed(), pinned.since, pinned.percent.map(u64::cast_signed)];
        self.run("INSERT OR REPLACE INTO kept_state VALUES (1, ?1, ?2, ?3)", values).map(drop)
    }

    /// The states that are kept for datasets, each with the name of that one and since when, in seconds since 1970.
    pub fn kept_for(&self) -> Result<Vec<(String, u64, i64)>, DiskError> {
        let rows = self.db.prepare_cached("SELECT dataset, seq, since FROM kept_for").and_then(|mut statement| {
            let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned(), row.get(2)?));
            statement.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>()
        });
        self.at(rows)
    }

    /// Keeps this state for a dataset, and no other for that one.
    pub fn keep_for(&self, dataset: &str, seq: u64, since: i64) -> Result<(), DiskError> {
        let values = params![dataset, seq.cast_signed(), since];
        self.run("INSERT OR REPLACE INTO kept_for VALUES (?1, ?2, ?3)", values).map(drop)
    }
}
