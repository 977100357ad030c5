//! The file of the diary.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};
use serde_json::Value;

use super::chain::{Pruned, Raw, Walk};
use super::{Bounds, Chain, DiaryError, Entry, Kind, Row};

/// So long is waited for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);
/// Up to so many bytes the whole file is looked at when it is opened.
const LOOKED_AT: u64 = 32 << 20;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS row (
        number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL, job TEXT,
        body TEXT NOT NULL, before BLOB NOT NULL, sum BLOB NOT NULL);
    CREATE INDEX IF NOT EXISTS job ON row (job) WHERE job IS NOT NULL;
    CREATE TRIGGER IF NOT EXISTS no_change BEFORE UPDATE ON row
        BEGIN SELECT RAISE(ABORT, 'a row of the diary is never changed'); END;
    CREATE TRIGGER IF NOT EXISTS no_removal BEFORE DELETE ON row WHEN old.job IS NOT NULL
        BEGIN SELECT RAISE(ABORT, 'a job of the diary is never removed'); END;";

const COLUMNS: &str = "number, at_ms, who, kind, job, body, before, sum";

/// The file.
#[derive(Debug)]
pub struct Store {
    db: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the diary at `path`, or begins one.
    pub fn open(path: &Path) -> Result<Self, DiaryError> {
        let db = Connection::open(path).map_err(|source| DiaryError { path: path.to_owned(), source })?;
        let store = Self { db, path: path.to_owned() };
        store.at(store.db.busy_timeout(PATIENCE))?;
        // FULL: what is written is on disk before anybody acts on it.
        store.at(store.db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"))?;
        store.at(store.db.execute_batch(SCHEMA))?;
        if std::fs::metadata(path).is_ok_and(|meta| meta.len() <= LOOKED_AT) {
            let said: String = store.at(store.db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)))?;
            if said != "ok" {
                let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
                return store.at(Err(rusqlite::Error::SqliteFailure(code, Some(said))));
            }
        }
        Ok(store)
    }

    /// Opens the diary at `path` to be read. None where there is none.
    pub fn read(path: &Path) -> Result<Option<Self>, DiaryError> {
        if !path.exists() {
            return Ok(None);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = Connection::open_with_flags(path, flags);
        let db = open.map_err(|source| DiaryError { path: path.to_owned(), source })?;
        let store = Self { db, path: path.to_owned() };
        store.at(store.db.busy_timeout(PATIENCE))?;
        Ok(Some(store))
    }

    fn at<T>(&self, result: rusqlite::Result<T>) -> Result<T, DiaryError> {
        result.map_err(|source| DiaryError { path: self.path.clone(), source })
    }

    /// Adds entries, durably: all of them, or none.
    pub fn append(&mut self, entries: &[Entry]) -> Result<(), DiaryError> {
        let result = append(&mut self.db, entries);
        self.at(result)
    }

    /// Takes out what is beyond the bounds, and says so in a row. Returns how many rows that were.
    pub fn prune(&mut self, bounds: Bounds, now: Timestamp) -> Result<u64, DiaryError> {
        let result = prune(&mut self.db, bounds, now);
        self.at(result)
    }

    /// Looks at every row: whether it is as it was written, and whether any lacks.
    pub fn verify_chain(&self) -> Result<Chain, DiaryError> {
        self.at(walk(&self.db)).map(Walk::end)
    }

    /// What each of the last `most` jobs was last, the newest last.
    pub fn jobs(&self, most: u32) -> Result<Vec<Value>, DiaryError> {
        let sql = "SELECT row.body FROM row JOIN
            (SELECT min(number) AS first, max(number) AS last FROM row WHERE job IS NOT NULL GROUP BY job
            ORDER BY first DESC LIMIT ?1) AS job ON row.number = job.last ORDER BY job.first";
        let rows = self.db.prepare(sql).and_then(|mut statement| {
            statement.query_map([most], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()
        });
        Ok(self.at(rows)?.iter().filter_map(|body| serde_json::from_str(body).ok()).collect())
    }

    /// Every row, the oldest first.
    pub fn rows(&self, mut visit: impl FnMut(Row)) -> Result<(), DiaryError> {
        self.at(each(&self.db, |raw| visit(row(raw))))
    }
}

fn row(raw: &Raw) -> Row {
    Row {
        number: raw.number.cast_unsigned(),
        at: Timestamp::from_millisecond(raw.at_ms).unwrap_or_default(),
        by: String::from_utf8_lossy(&raw.by).into_owned(),
        kind: match (&*raw.kind, &raw.job) {
            (b"pruned", _) => Kind::Pruned,
            (_, Some(_)) => Kind::Job,
            (_, None) => Kind::Event,
        },
        body: serde_json::from_slice(&raw.body).unwrap_or_default(),
    }
}

fn each(db: &Connection, mut visit: impl FnMut(&Raw)) -> rusqlite::Result<()> {
    let mut statement = db.prepare(&format!("SELECT {COLUMNS} FROM row ORDER BY number"))?;
    let mut rows = statement.query([])?;
    // Whatever somebody has written there is looked at as it stands, also where it is of another type.
    let bytes = |row: &rusqlite::Row<'_>, at: usize| -> rusqlite::Result<Option<Vec<u8>>> {
        use rusqlite::types::ValueRef::{Blob, Integer, Null, Real, Text};
        Ok(match row.get_ref(at)? {
            Null => None,
            Integer(number) => Some(number.to_string().into_bytes()),
            Real(number) => Some(number.to_string().into_bytes()),
            Text(bytes) | Blob(bytes) => Some(bytes.to_vec()),
        })
    };
    while let Some(row) = rows.next()? {
        let some = |at| Ok::<_, rusqlite::Error>(bytes(row, at)?.unwrap_or_default());
        visit(&Raw {
            number: row.get(0)?,
            at_ms: row.get(1)?,
            by: some(2)?,
            kind: some(3)?,
            job: bytes(row, 4)?,
            body: some(5)?,
            before: some(6)?,
            sum: some(7)?,
        });
    }
    Ok(())
}

fn walk(db: &Connection) -> rusqlite::Result<Walk> {
    let mut walk = Walk::default();
    each(db, |raw| walk.step(raw))?;
    Ok(walk)
}

/// The number and the hash of the last row.
fn last(db: &Connection) -> rusqlite::Result<(i64, Vec<u8>)> {
    let sql = "SELECT number, sum FROM row ORDER BY number DESC LIMIT 1";
    let found = db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.unwrap_or((0, vec![0; 32])))
}

fn add(db: &Connection, entry: &Entry, kind: &str) -> rusqlite::Result<()> {
    let (number, before) = last(db)?;
    let mut raw = Raw {
        number: number + 1,
        at_ms: entry.at.as_millisecond(),
        by: entry.by.clone().into_bytes(),
        kind: kind.as_bytes().to_vec(),
        job: entry.job.clone().map(String::into_bytes),
        body: entry.body.to_string().into_bytes(),
        before,
        sum: vec![],
    };
    raw.sum = raw.hash().to_vec();
    let body = entry.body.to_string();
    let values = params![raw.number, raw.at_ms, entry.by, kind, entry.job, body, raw.before, raw.sum];
    db.execute(&format!("INSERT INTO row ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"), values).map(drop)
}

fn append(db: &mut Connection, entries: &[Entry]) -> rusqlite::Result<()> {
    // Another process may write, too: what is last is looked up with the right to write.
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for entry in entries {
        add(&change, entry, if entry.job.is_some() { "job" } else { "event" })?;
    }
    change.commit()
}

fn prune(db: &mut Connection, bounds: Bounds, now: Timestamp) -> rusqlite::Result<u64> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let oldest_ms = now.as_millisecond() - bounds.days * 24 * 60 * 60 * 1000;
    // The last row stays: with it the chain goes on.
    let (last, _) = last(&change)?;
    let old = "DELETE FROM row WHERE job IS NULL AND kind <> 'pruned' AND at_ms < ?1 AND number < ?2";
    let mut gone = change.execute(old, params![oldest_ms, last])? as u64;
    let rows: u64 = change.query_row("SELECT count(*) FROM row", [], |row| row.get(0)).map(i64::cast_unsigned)?;
    if rows > bounds.rows {
        // Some more than must be, so that it is not done again at once.
        let over = rows - bounds.rows + bounds.rows / 10;
        let first = "DELETE FROM row WHERE number IN (SELECT number FROM row WHERE job IS NULL AND kind <> 'pruned'
            AND number < ?2 ORDER BY number LIMIT ?1)";
        gone += change.execute(first, params![over.cast_signed(), last])? as u64;
    }
    if gone > 0 {
        // The row that is written now says all that they say.
        change.execute("DELETE FROM row WHERE kind = 'pruned' AND number < ?1", [last])?;
        let pruned = Pruned { rows: gone, gaps: walk(&change)?.gaps() };
        let body = serde_json::to_value(pruned).unwrap_or_default();
        add(&change, &Entry { at: now, by: String::new(), job: None, body }, "pruned")?;
    }
    change.commit()?;
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diary::BOUNDS;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + day * 86_400).unwrap()
    }

    fn event(day: i64, what: &str) -> Entry {
        Entry { at: at(day), by: "ana".to_owned(), job: None, body: json!({ "what": what }) }
    }

    fn job(day: i64, id: u64, state: &str) -> Entry {
        Entry { job: Some(format!("backup-{id}")), body: json!({ "id": id, "state": state }), ..event(day, "") }
    }

    fn begun() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("diary.db")).unwrap();
        (folder, store)
    }

    #[test]
    fn what_is_written_is_read_by_another_and_goes_on_after_a_restart() {
        let (folder, mut store) = begun();
        let path = folder.path().join("diary.db");
        store.append(&[event(0, "began"), job(0, 1, "running"), job(1, 2, "running")]).unwrap();
        let read = Store::read(&path).unwrap().unwrap();
        assert_eq!(read.jobs(50).unwrap().len(), 2);
        drop(store);
        let mut store = Store::open(&path).unwrap();
        store.append(&[job(2, 1, "done")]).unwrap();
        let mut rows = vec![];
        read.rows(|row| rows.push((row.number, row.kind, row.by))).unwrap();
        let ana = || "ana".to_owned();
        assert_eq!(
            rows,
            [(1, Kind::Event, ana()), (2, Kind::Job, ana()), (3, Kind::Job, ana()), (4, Kind::Job, ana())]
        );
        assert_eq!(read.jobs(50).unwrap(), [json!({"id": 1, "state": "done"}), json!({"id": 2, "state": "running"})]);
        assert_eq!(read.jobs(1).unwrap(), [json!({"id": 2, "state": "running"})]);
        assert_eq!(read.verify_chain().unwrap(), Chain { rows: 4, broken_at: None });
        assert!(Store::read(&folder.path().join("none")).unwrap().is_none());
    }

    #[test]
    fn a_row_cannot_be_changed_and_a_job_cannot_be_removed() {
        let (_folder, mut store) = begun();
        store.append(&[event(0, "began"), job(0, 1, "done")]).unwrap();
        assert!(store.db.execute("UPDATE row SET who = 'eve'", []).is_err());
        assert!(store.db.execute("DELETE FROM row WHERE number = 2", []).is_err());
    }

    #[test]
    fn every_flipped_byte_of_a_row_is_found() {
        let (_folder, mut store) = begun();
        store.append(&[event(0, "began"), job(0, 1, "running"), event(1, "ended")]).unwrap();
        store.db.execute_batch("DROP TRIGGER no_change").unwrap();
        let mut tried = 0;
        for column in ["number", "at_ms", "who", "kind", "job", "body", "before", "sum"] {
            let number = matches!(column, "number" | "at_ms");
            let read = format!("SELECT CAST({column} AS BLOB) FROM row WHERE number = 2");
            let value: Vec<u8> = if number {
                let read = format!("SELECT {column} FROM row WHERE number = 2");
                store.db.query_row(&read, [], |row| row.get::<_, i64>(0)).unwrap().to_le_bytes().to_vec()
            } else {
                store.db.query_row(&read, [], |row| row.get(0)).unwrap()
            };
            for (at, bit) in (0..value.len()).flat_map(|at| [1u8, 0x80].map(|bit| (at, bit))) {
                let mut flipped = value.clone();
                flipped[at] ^= bit;
                store.db.execute_batch("SAVEPOINT before").unwrap();
                let set = if number {
                    let flipped = i64::from_le_bytes(flipped.try_into().unwrap());
                    store.db.execute(&format!("UPDATE OR IGNORE row SET {column} = ?1 WHERE number = 2"), [flipped])
                } else if matches!(column, "before" | "sum") {
                    store.db.execute(&format!("UPDATE row SET {column} = ?1 WHERE number = 2"), [flipped])
                } else {
                    store.db.execute(&format!("UPDATE row SET {column} = CAST(?1 AS TEXT) WHERE number = 2"), [flipped])
                };
                // A number that another row has cannot be given to it.
                if set.unwrap() == 1 {
                    tried += 1;
                    let found = store.verify_chain().unwrap().broken_at;
                    assert!(found.is_some(), "{column}, byte {at}, bit {bit:x}");
                    assert!(number || found == Some(2), "{column}, byte {at}: {found:?}");
                }
                store.db.execute_batch("ROLLBACK TO before; RELEASE before").unwrap();
            }
        }
        assert!(tried > 150, "{tried}");
        assert_eq!(store.verify_chain().unwrap().broken_at, None);
    }

    #[test]
    fn a_row_that_was_taken_out_or_put_in_is_found() {
        let (_folder, mut store) = begun();
        store.append(&[event(0, "a"), event(1, "b"), event(2, "c"), event(3, "d")]).unwrap();
        for (sql, found) in [
            ("DELETE FROM row WHERE number = 1", 2),
            ("DELETE FROM row WHERE number = 3", 4),
            ("INSERT INTO row SELECT 5, at_ms, who, kind, job, body, before, sum FROM row WHERE number = 4", 5),
        ] {
            store.db.execute_batch(&format!("SAVEPOINT before; {sql}")).unwrap();
            assert_eq!(store.verify_chain().unwrap().broken_at, Some(found), "{sql}");
            store.db.execute_batch("ROLLBACK TO before; RELEASE before").unwrap();
        }
    }

    #[test]
    fn old_events_go_jobs_stay_and_the_chain_holds() {
        let (_folder, mut store) = begun();
        for day in 0..30 {
            store.append(&[event(day, "alarm"), event(day, "over")]).unwrap();
            if day % 7 == 3 {
                store.append(&[job(day, day.cast_unsigned(), "done")]).unwrap();
            }
        }
        assert_eq!(store.prune(BOUNDS, at(400)).unwrap(), 0, "nothing is too old");
        for (day, gone) in [(405, 10), (410, 11), (1000, 41)] {
            store.append(&[event(day - 400, "later")]).unwrap();
            assert_eq!(store.prune(BOUNDS, at(day)).unwrap(), gone, "on day {day}");
            assert_eq!(store.verify_chain().unwrap().broken_at, None, "on day {day}");
        }
        assert_eq!(store.jobs(50).unwrap().len(), 4);
        // What somebody else takes out is found all the same.
        store.db.execute_batch("DELETE FROM row WHERE kind = 'event'").unwrap();
        assert!(store.verify_chain().unwrap().broken_at.is_some());
    }

    #[test]
    fn too_many_rows_lose_the_oldest_events() {
        let (_folder, mut store) = begun();
        let bounds = Bounds { days: 400, rows: 50 };
        for number in 0..12 {
            store.append(&(0..10).map(|_| event(number, "x")).collect::<Vec<_>>()).unwrap();
            store.prune(bounds, at(number)).unwrap();
            let chain = store.verify_chain().unwrap();
            assert!(chain.rows <= 51 && chain.broken_at.is_none(), "{chain:?}");
        }
    }
}
