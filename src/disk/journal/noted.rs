//! What is noted of a mirror beside what stands in it: which files are not what was written, and until when it was served from.

use rusqlite::OptionalExtension;

use super::index::Index;
use crate::disk::error::DiskError;
use crate::replica::RelPath;

/// Why a proof is none any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doubted {
    /// Bytes of the two sides differ, or did when they were looked at last.
    Differs,
    /// A database in it does not open, or was not opened.
    Unopened,
}

impl Index {
    /// The files that are not what was written, as far as nothing has put them right since.
    pub fn rotten(&self) -> Result<Vec<RelPath>, DiskError> {
        let read = || {
            let mut all = self.db.prepare_cached("SELECT path FROM rotten")?;
            let paths = all.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
            paths.collect::<rusqlite::Result<Vec<_>>>()
        };
        Ok(self.at(read())?.iter().filter_map(|path| RelPath::new(path).ok()).collect())
    }

    /// When the mirror and its source were the same, byte for byte: seconds since 1970; none where that was never so.
    pub fn same(&self) -> Result<Option<i64>, DiskError> {
        self.at(self.db.query_row("SELECT seconds FROM proven", [], |row| row.get(0)).optional())
    }

    /// What was found since that makes that no proof any more.
    pub fn doubted(&self) -> Result<Option<Doubted>, DiskError> {
        let differs = self.db.query_row("SELECT differs FROM doubted", [], |row| row.get(0)).optional();
        Ok(self.at(differs)?.map(|differs| if differs { Doubted::Differs } else { Doubted::Unopened }))
    }

    /// Notes that they were the same then: nothing in it is rotten, and it is proven if nothing else makes it doubtful.
    pub fn set_same(&self, seconds: i64, is_opened: bool) -> Result<(), DiskError> {
        self.run("DELETE FROM rotten", [])?;
        self.run("UPDATE disturbed SET open = 0", [])?;
        self.run("DELETE FROM doubted", [])?;
        self.run("INSERT OR REPLACE INTO proven VALUES (1, ?1)", [seconds])?;
        if is_opened { Ok(()) } else { self.run("INSERT INTO doubted VALUES (1, 0)", []).map(drop) }
    }

    /// Notes that they differ.
    pub fn set_differs(&self) -> Result<(), DiskError> {
        self.run("INSERT OR REPLACE INTO doubted VALUES (1, 1)", []).map(drop)
    }

    /// Notes that a file is not what was written: nothing is proven any more.
    pub fn set_rotten(&self, path: &RelPath) -> Result<(), DiskError> {
        self.set_differs()?;
        self.run("INSERT OR IGNORE INTO rotten VALUES (?1)", [path.as_bytes()]).map(drop)
    }

    /// Notes that it was put right, or is there no more.
    pub fn mended(&self, path: &RelPath) -> Result<(), DiskError> {
        self.run("DELETE FROM rotten WHERE path = ?1", [path.as_bytes()]).map(drop)
    }

    /// The last epoch in which a POS server wrote here, as far as the steps back from before it are dropped.
    pub fn served(&self) -> Result<Option<u64>, DiskError> {
        let read = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0).map(i64::cast_unsigned);
        self.at(self.db.query_row("SELECT epoch FROM served", [], read).optional())
    }

    /// Notes that they are.
    pub fn set_served(&self, epoch: u64) -> Result<(), DiskError> {
        self.run("INSERT OR REPLACE INTO served VALUES (1, ?1)", [epoch.cast_signed()]).map(drop)
    }
}
