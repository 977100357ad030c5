//! The files of a database, by their names: itself, its log, its journal, and the index of the log, which is never mirrored.

use crate::replica::RelPath;

/// What is behind the name of a database in those of its other files.
const BEHIND: [&[u8]; 3] = [b"-wal", b"-journal", b"-shm"];

/// The database of which `path` would be one of the other files.
#[must_use]
pub fn owner(path: &RelPath) -> Option<RelPath> {
    let base = BEHIND.iter().find_map(|end| path.as_bytes().strip_suffix(*end))?;
    RelPath::new(base).ok().filter(|base| !base.is_root() && base.parent() == path.parent())
}

/// Whether `path` is the database, or one of its other files.
#[must_use]
pub fn belongs(path: &RelPath, database: &RelPath) -> bool {
    path == database || owner(path).as_ref() == Some(database)
}

/// The name of its write-ahead log.
#[must_use]
pub fn log(database: &RelPath) -> RelPath {
    with(database, BEHIND[0])
}

/// The name of its rollback journal.
#[must_use]
pub fn journal(database: &RelPath) -> RelPath {
    with(database, BEHIND[1])
}

/// The name of the index of its log.
#[must_use]
pub fn index(database: &RelPath) -> RelPath {
    with(database, BEHIND[2])
}

fn with(database: &RelPath, end: &[u8]) -> RelPath {
    let name = [database.as_bytes(), end].concat();
    // A name that is longer than a name may be is no file's.
    RelPath::new(&name).unwrap_or_else(|_| database.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beside_a_database() {
        let path = |name: &str| RelPath::new(name.as_bytes()).unwrap();
        let shop = path("data/shop.db");
        for beside in [log(&shop), journal(&shop), index(&shop)] {
            assert_eq!(owner(&beside), Some(shop.clone()), "{beside}");
        }
        assert_eq!(owner(&shop), None);
        assert_eq!((owner(&path("-wal")), owner(&path("data/-shm"))), (None, None));
    }
}
