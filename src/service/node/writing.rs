//! Writes where a number goes on: into a file, into a database, or by a program of the shop's.

use std::ffi::OsString;
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
            let changed = database.and_then(|database| {
                database.execute_batch(&sql)?;
                database.query_row("SELECT total_changes()", [], |row| row.get::<_, u64>(0))
            });
            match changed {
                Ok(0) => Err(format!("{file}: no row was changed")),
                Ok(_) => Ok(()),
                Err(error) => Err(format!("{file}: {error}")),
            }
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

/// Writes a file anew, wholly or not at all, with the owner and the rights that it had. What is left of a try that was killed goes
/// with the next one, which the start of the server makes as soon as it goes on.
fn anew(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
    let beside = beside(path).ok_or(io::ErrorKind::NotFound)?;
    let before = fs::metadata(path)?;
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let renamed = fill(&beside, bytes, &before).and_then(|()| fs::rename(&beside, path));
    if renamed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    renamed?;
    fs::File::open(folder)?.sync_all()
}

/// Where a file is written before it takes its name.
fn beside(path: &Path) -> Option<PathBuf> {
    let mut name = OsString::from(".");
    name.push(path.file_name()?);
    name.push(".espejo-new");
    Some(path.with_file_name(name))
}

fn fill(beside: &Path, bytes: &[u8], like: &fs::Metadata) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
    let mut new = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(beside)?;
    new.write_all(bytes)?;
    // Only one user may give files away; the others own what they mirror. A change of owner may take rights away: they come last.
    let _ = fchown(&new, Some(like.uid()), Some(like.gid()));
    new.set_permissions(fs::Permissions::from_mode(like.mode()))?;
    new.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_a_killed_try_left_goes_with_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("POS-Q.Seq");
        fs::write(&path, "1041\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        fs::write(beside(&path).unwrap(), "109").unwrap();
        anew(&path, b"1091\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1091\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_changes_no_row_of_a_database_has_set_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let database = rusqlite::Connection::open(folder.path().join("shop.db")).unwrap();
        database.execute_batch("CREATE TABLE next (name TEXT, number INTEGER)").unwrap();
        let folders = [("pos".to_owned(), folder.path().to_owned())];
        let file = DataFile { dataset: "pos".to_owned(), path: "shop.db".to_owned() };
        let sql = "UPDATE next SET number = {value} WHERE name = 'receipt'".to_owned();
        let write = CounterWrite::Sql { file, sql };
        assert!(write_number(&folders, &write, "1092").unwrap_err().contains("no row was changed"));
        database.execute_batch("INSERT INTO next VALUES ('receipt', 1042)").unwrap();
        write_number(&folders, &write, "1092").unwrap();
        let number: u64 = database.query_row("SELECT number FROM next", [], |row| row.get(0)).unwrap();
        assert_eq!(number, 1092);
    }

    #[test]
    fn a_file_that_is_not_there_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        assert!(anew(&folder.path().join("POS-Q.Seq"), b"1091\n").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
