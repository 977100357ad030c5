//! Answers questions about the data in a folder in which nobody writes: a number in a file, the records of a queue, what a database says.
//!
//! Nothing in the folder is changed. What the files hold is in no error.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

use regex::bytes::Regex;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::capture::rules::Records;
use super::capture::sqlite::names;
use super::database;
use super::read::read_full;
use super::root::on_disk;
use super::scratch;
use crate::replica::RelPath;

/// A question with a number as its answer.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What it is called.
    pub name: String,
    /// The file.
    pub file: RelPath,
    /// Where in it.
    pub by: By,
}

/// Where in a file a number stands.
#[derive(Clone, Debug)]
pub enum By {
    /// The first group of the first match.
    Pattern(Regex),
    /// This field, from 1, of a queue's last records: the highest counts.
    Field(usize),
    /// What a statement answers.
    Sql(String),
    /// How many whole records a queue holds.
    Records(Records),
    /// When the file was last changed, in milliseconds since 1970.
    Changed,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The file cannot be read, or is too long for what is asked.
    #[error("{0}")]
    Io(String),
    /// The database does not answer.
    #[error("the database says: {0}")]
    Database(String),
    /// Nothing there is what was asked for.
    #[error("nothing there matches")]
    Nothing,
    /// There is something else than a whole number that is not below zero.
    #[error("what stands there is no whole number")]
    NoNumber,
}

/// Bytes of a file in which a pattern is looked for.
const MOST: u64 = 4 << 20;

/// Bytes at the end of a queue in which records are looked at.
const TAIL: u64 = 64 * 1024;

impl Ask {
    /// Answers it, in `folder`. What has to be copied before it can be read is copied into `home`.
    pub fn answer(&self, folder: &Path, scratch: &Path) -> Result<u64, NoAnswer> {
        let path = on_disk(folder, &self.file);
        match &self.by {
            By::Pattern(pattern) => {
                let bytes = read(&path, 0, MOST)?;
                let found = pattern.captures(&bytes).and_then(|found| found.get(1)).ok_or(NoAnswer::Nothing)?;
                number(found.as_bytes())
            }
            By::Field(field) => last_field(&path, *field),
            By::Records(records) => Ok(count(&path, *records)?),
            By::Changed => {
                let since = fs::metadata(&path)?.modified()?.duration_since(SystemTime::UNIX_EPOCH);
                since.ok().and_then(|since| u64::try_from(since.as_millis()).ok()).ok_or(NoAnswer::NoNumber)
            }
            By::Sql(sql) => Database::open(folder, &self.file, scratch)?.number(sql),
        }
    }
}

fn read(path: &Path, from: u64, most: u64) -> Result<Vec<u8>, NoAnswer> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = vec![];
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn number(digits: &[u8]) -> Result<u64, NoAnswer> {
    str::from_utf8(digits).ok().and_then(|digits| digits.trim().parse().ok()).ok_or(NoAnswer::NoNumber)
}

/// The highest number in a field of the last records: not every till writes them in their order.
fn last_field(path: &Path, field: usize) -> Result<u64, NoAnswer> {
    let size = fs::metadata(path)?.len();
    let from = size.saturating_sub(TAIL);
    let bytes = read(path, from, TAIL)?;
    // What begins before the end that was read is no whole record.
    let skip = if from == 0 { 0 } else { bytes.iter().position(|byte| *byte == b'\n').ok_or(NoAnswer::Nothing)? };
    let mut best = Err(NoAnswer::Nothing);
    for line in bytes[skip..].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let Some(separator) = line.iter().find(|byte| b";\t|,".contains(byte)) else { continue };
        let Some(text) = line.split(|byte| byte == separator).nth(field.saturating_sub(1)) else { continue };
        // "CAJA-1-1042" is number 1042.
        let end = text.iter().rposition(u8::is_ascii_digit).map_or(0, |at| at + 1);
        let begin = text[..end].iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |at| at + 1);
        best = match (best, number(&text[begin..end])) {
            (Ok(best), Ok(now)) => Ok(u64::max(best, now)),
            (Ok(best), Err(_)) => Ok(best),
            (Err(_), now) => now,
        };
    }
    best
}

/// How many whole records stand in a queue.
fn count(path: &Path, records: Records) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    match records {
        Records::Fixed(fixed) => Ok(size / fixed),
        Records::Lines => {
            let (mut bytes, mut count) = (vec![0; 256 * 1024], 0);
            loop {
                match file.read(&mut bytes)? {
                    0 => return Ok(count),
                    got => count += bytes[..got].split(|byte| *byte == b'\n').count() as u64 - 1,
                }
            }
        }
        Records::Prefix(number) => {
            let (mut at, mut count, mut head) = (0, 0, [0; 4]);
            let width = number.bytes.min(head.len());
            while at < size && read_full(&file, &mut head[..width], at)? == width {
                let Some(length) = number.read(&head[..width]).filter(|length| *length > 0) else { break };
                at += width as u64 + length;
                count += u64::from(at <= size);
            }
            Ok(count)
        }
        Records::Counted { at, .. } => {
            let mut count = [0; 4];
            let whole = read_full(&file, &mut count, at)? == count.len();
            whole.then(|| u64::from(u32::from_le_bytes(count))).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
        }
    }
}

/// A database that nobody has open.
pub struct Database {
    open: Connection,
    /// Where it was copied to, since it cannot be read as it stands.
    _copied: Option<tempfile::TempDir>,
}

impl Database {
    /// Opens it to be read, and changes nothing: neither is its log put into it nor an index of that made beside it. One with a journal that
    /// would have to be undone first is copied into `scratch`.
    pub fn open(folder: &Path, file: &RelPath, home: &Path) -> Result<Self, NoAnswer> {
        let mut path = on_disk(folder, file);
        let journal = on_disk(folder, &names::journal(file));
        let mut copied = None;
        fs::metadata(&path)?;
        if fs::metadata(&journal).is_ok_and(|journal| journal.len() > 0) {
            let place = scratch::folder(home, database::bytes(folder, file))?;
            (path, copied) = (database::copy(folder, file, place.path())?, Some(place));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = Connection::open_with_flags(path, flags)?;
        open.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        // Held by one alone from the beginning, the index of the log is made in memory.
        open.execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON;")?;
        Ok(Self { open, _copied: copied })
    }

    /// What `sql` answers: the first column of its first row.
    pub fn number(&self, sql: &str) -> Result<u64, NoAnswer> {
        let mut statement = self.open.prepare(sql)?;
        let mut rows = statement.query([])?;
        let row = rows.next()?.ok_or(NoAnswer::Nothing)?;
        match row.get_ref(0)? {
            ValueRef::Integer(number) => u64::try_from(number).map_err(|_| NoAnswer::NoNumber),
            ValueRef::Text(text) => number(text),
            ValueRef::Null => Err(NoAnswer::Nothing),
            ValueRef::Real(_) | ValueRef::Blob(_) => Err(NoAnswer::NoNumber),
        }
    }
}

impl From<io::Error> for NoAnswer {
    fn from(error: io::Error) -> Self {
        Self::Io(error.to_string())
    }
}

impl From<rusqlite::Error> for NoAnswer {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(folder: &Path, file: &str, by: By) -> Result<u64, NoAnswer> {
        let file = RelPath::new(file.as_bytes()).unwrap();
        Ask { name: "receipt".to_owned(), file, by }.answer(folder, folder)
    }

    #[test]
    fn numbers_in_files() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        put("POS-Q.Seq", "next=0001042\n");
        put("ORDER.QUE", "CAJA-1;CAJA-1-1040;9\nCAJA-2;CAJA-2-1042;350\nCAJA-1;CAJA-1-1041;7\n");
        put("EMPTY", "");
        let pattern = |text: &str| By::Pattern(Regex::new(text).unwrap());
        assert_eq!(ask(folder.path(), "POS-Q.Seq", pattern("(\\d+)")), Ok(1042));
        assert_eq!(ask(folder.path(), "POS-Q.Seq", pattern("^(\\w+)=")), Err(NoAnswer::NoNumber));
        assert_eq!(ask(folder.path(), "EMPTY", pattern("(\\d+)")), Err(NoAnswer::Nothing));
        assert_eq!(ask(folder.path(), "ORDER.QUE", By::Field(2)), Ok(1042), "the highest, not the last");
        assert_eq!(ask(folder.path(), "ORDER.QUE", By::Field(9)), Err(NoAnswer::Nothing));
        assert!(matches!(ask(folder.path(), "NONE", By::Field(1)), Err(NoAnswer::Io(_))));
        put("ORDER.QUE", &format!("{}\n{}", "1;1\n".repeat(50_000), "1;2\n"));
        assert_eq!(ask(folder.path(), "ORDER.QUE", By::Field(2)), Ok(2), "of a long one the end");
    }

    #[test]
    fn a_database_is_read_and_nothing_beside_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Connection::open(folder.path().join("live.db")).unwrap();
        let sql = "PRAGMA journal_mode = WAL; CREATE TABLE sales (number INTEGER, who TEXT); INSERT INTO sales VALUES (7, 'T2')";
        writer.execute_batch(sql).unwrap();
        let dir = folder.path().join("mirror");
        fs::create_dir(&dir).unwrap();
        for end in ["", "-wal"] {
            fs::copy(folder.path().join(format!("live.db{end}")), dir.join(format!("shop.db{end}"))).unwrap();
        }
        let state = || {
            let each = fs::read_dir(&dir).unwrap().map(Result::unwrap);
            let mut all: Vec<_> = each.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect();
            all.sort();
            all
        };
        let before = state();
        let sql = |sql: &str| ask(&dir, "shop.db", By::Sql(sql.to_owned()));
        assert_eq!(sql("SELECT max(number) FROM sales"), Ok(7));
        assert_eq!(sql("SELECT who FROM sales"), Err(NoAnswer::NoNumber));
        assert_eq!(sql("SELECT -1"), Err(NoAnswer::NoNumber));
        assert_eq!(sql("SELECT number FROM sales WHERE number > 7"), Err(NoAnswer::Nothing));
        assert!(matches!(sql("SELECT nothing FROM nowhere"), Err(NoAnswer::Database(_))));
        assert!(matches!(sql("DELETE FROM sales"), Err(NoAnswer::Database(_) | NoAnswer::Nothing)));
        assert_eq!(before, state());
        assert_eq!(before.len(), 2);
    }
}
