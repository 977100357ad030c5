//! Writes where a number goes on: into a file, into a database, or by a program of the shop's.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::config::command::Command as Program;
use crate::config::counter::CounterWrite;
use crate::config::file::DataFile;
use crate::server::{ask, filled};

/// How long a program may take that sets a number.
const LIMIT: Duration = Duration::from_secs(30);

/// Has a number go on there.
pub(super) fn write_number(folders: &[(String, PathBuf)], write: &CounterWrite, value: &str) -> Result<(), String> {
    let at = |file: &DataFile| {
        let folder = folders.iter().find(|(name, _)| *name == file.dataset).map(|(_, folder)| folder);
        folder.map(|folder| folder.join(&file.path)).ok_or_else(|| format!("{file}: no such dataset"))
    };
    match write {
        CounterWrite::Format { file, format } => {
            let path = at(file)?;
            anew(&path, format.replace("{value}", value).as_bytes()).map_err(|error| format!("{file}: {error}"))
        }
        CounterWrite::Sql { file, sql } => {
            let open = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let database = rusqlite::Connection::open_with_flags(at(file)?, open);
            let sql = format!("BEGIN IMMEDIATE;\n{};\nCOMMIT;", sql.replace("{value}", value));
            database.and_then(|database| database.execute_batch(&sql)).map_err(|error| format!("{file}: {error}"))
        }
        CounterWrite::Command(command) => run(folders, command, value),
    }
}

fn run(folders: &[(String, PathBuf)], command: &Program, value: &str) -> Result<(), String> {
    let filled = filled(folders, command);
    let mut program = std::process::Command::new(filled.get_program());
    program.args(filled.get_args().map(|word| word.to_string_lossy().replace("{value}", value)));
    let what = program.get_program().to_string_lossy().into_owned();
    match ask::run(&mut program, Instant::now() + LIMIT) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("{what} ended with another code than 0, or not within {} s", LIMIT.as_secs())),
        Err(error) => Err(format!("{what}: {error}")),
    }
}

/// Writes a file anew, wholly or not at all, with the owner and the rights that it had.
fn anew(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
    let before = fs::metadata(path)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    new.as_file().set_permissions(fs::Permissions::from_mode(before.mode()))?;
    // Only one user may give files away; the others own what they mirror.
    let _ = fchown(new.as_file(), Some(before.uid()), Some(before.gid()));
    new.as_file().sync_all()?;
    new.persist(path)?;
    fs::File::open(folder)?.sync_all()
}
