//! A copy of a database for the program alone: it is opened there, and whatever that does to it is no matter.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::Mirror;
use crate::disk::database;
use crate::disk::error::{At, DiskError};
use crate::replica::RelPath;

/// Room that is left beside a copy.
const ROOM: u64 = 64 << 20;

/// A copy of a database.
#[derive(Debug)]
pub struct Private {
    folder: PathBuf,
}

/// Whether a database opens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Opens {
    /// It does, and `PRAGMA quick_check` finds nothing.
    Yes,
    /// What stands against it.
    No(String),
    /// There was no room to look.
    NoRoom,
}

impl Mirror {
    /// Copies the database `file`, its log and its journal to beside the mirror, sharing the blocks where the file system can; none where
    /// there is no room for it. No generation is applied meanwhile.
    pub fn private(&self, file: &RelPath) -> Result<Option<Private>, DiskError> {
        let folder = self.journal.join("private");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).at("making", &folder)?;
        let private = Private { folder };
        let mut needed = ROOM;
        for (path, _) in database::files(file) {
            needed += self.index.get(&path)?.map_or(0, |(_, entry)| entry.body.size());
        }
        if self.dest.free().at("looking at", self.dest.path())? < needed {
            return Ok(None);
        }
        database::copy(self.dest.path(), file, &private.folder).within("copying", self.dest.path(), file)?;
        Ok(Some(private))
    }
}

impl Private {
    /// Whether the database opens.
    #[must_use]
    pub fn check(self) -> Opens {
        match quick_check(&self.folder.join("db")) {
            Ok(None) => Opens::Yes,
            Ok(Some(found)) => Opens::No(found),
            Err(error) => Opens::No(error.to_string()),
        }
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The first thing that `PRAGMA quick_check` finds.
fn quick_check(path: &Path) -> rusqlite::Result<Option<String>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = Connection::open_with_flags(path, flags)?;
    let found: String = open.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    // Where it stands is the first line, what is wrong there the last.
    let said = found.lines().last().unwrap_or_default().trim().to_owned();
    Ok((found != "ok").then_some(said))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    fn checked(spoil: impl FnOnce(&Path)) -> Opens {
        let folder = tempfile::tempdir().unwrap().keep();
        let path = folder.join("db");
        let open = Connection::open(&path).unwrap();
        open.execute_batch("CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT)").unwrap();
        for _ in 0..500 {
            open.execute("INSERT INTO orders (what) VALUES ('a coffee and a tea')", []).unwrap();
        }
        drop(open);
        spoil(&path);
        let opens = Private { folder: folder.clone() }.check();
        assert!(!folder.exists(), "nothing is left");
        opens
    }

    #[test]
    fn a_damaged_database_is_told_from_a_whole_one() {
        assert_eq!(checked(|_| {}), Opens::Yes);
        let spoiled = checked(|path| {
            fs::File::options().write(true).open(path).unwrap().write_all_at(&[0xff; 64], 8192).unwrap();
        });
        assert!(matches!(&spoiled, Opens::No(why) if !why.contains("coffee")), "{spoiled:?}");
        let cut = checked(|path| fs::File::options().write(true).open(path).unwrap().set_len(4096).unwrap());
        assert!(matches!(cut, Opens::No(_)), "{cut:?}");
    }
}
