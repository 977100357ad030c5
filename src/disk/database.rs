//! A database, copied with all that belongs to it: opening one may change it, and of the copy that is no matter.

use std::io;
use std::path::{Path, PathBuf};

use super::capture::sqlite::names;
use super::root::on_disk;
use crate::replica::RelPath;

/// The files of a database, and what each is called in a copy.
#[must_use]
pub fn files(database: &RelPath) -> [(RelPath, &'static str); 3] {
    [(database.clone(), "db"), (names::log(database), "db-wal"), (names::journal(database), "db-journal")]
}

/// Copies the database of `folder`, its log and its journal into the folder `to`, sharing blocks where the file system does that by itself.
/// Returns where it is then; nothing is there where there is no such database. Nobody writes it meanwhile.
pub fn copy(folder: &Path, database: &RelPath, to: &Path) -> io::Result<PathBuf> {
    for (path, name) in files(database) {
        let from = on_disk(folder, &path);
        if std::fs::symlink_metadata(&from).is_ok_and(|meta| meta.is_file()) {
            std::fs::copy(&from, to.join(name))?;
        }
    }
    Ok(to.join("db"))
}
