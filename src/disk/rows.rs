//! The rows of a database that was set aside and that another state of it lacks.
//!
//! Both are copied before they are opened, with their logs and journals: opening a database may change it.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OpenFlags};

use super::capture::sqlite::begins_like_one;
use super::database;
use super::root::on_disk;
use crate::replica::RelPath;

/// Rows of one table that are shown, at the most.
pub const SHOWN: usize = 10_000;

/// The same where they are written into files.
pub const WRITTEN: usize = 1_000_000;

/// Rows of a table that the other state lacks.
#[derive(Clone, PartialEq, Debug)]
pub struct Rows {
    /// The table.
    pub table: String,
    /// The columns of its key; empty where it has none.
    pub key: Vec<String>,
    /// All its columns.
    pub columns: Vec<String>,
    /// The rows, in their order, as many as were wanted at the most.
    pub rows: Vec<Vec<Value>>,
    /// There are more.
    pub more: bool,
}

/// Why rows cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum NoRows {
    /// The system refused something.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The database does not answer.
    #[error("the database says: {0}")]
    Database(#[from] rusqlite::Error),
}

/// The rows of the database `path` in the first folder that the one in the second lacks, by table, `most` of each; none where it is no
/// database.
pub fn lacking(
    (aside, mirror): (&Path, &Path),
    path: &RelPath,
    scratch: &Path,
    most: usize,
) -> Result<Option<Vec<Rows>>, NoRows> {
    let file = on_disk(aside, path);
    if !fs::symlink_metadata(&file)?.is_file() || !begins_like_one(&fs::File::open(&file)?) {
        return Ok(None);
    }
    let place = tempfile::Builder::new().prefix("rows-").tempdir_in(scratch)?;
    let copied = |folder: &Path, name: &str| {
        let to = place.path().join(name);
        fs::create_dir(&to).and_then(|()| database::copy(folder, path, &to))
    };
    let held = copied(aside, "held")?;
    let open = Connection::open_with_flags(held, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let other = copied(mirror, "other")?;
    let is_there = other.exists();
    if is_there {
        open.execute(
            "ATTACH ?1 AS other",
            [other.as_os_str().as_bytes()].map(|path| String::from_utf8_lossy(path).into_owned()),
        )?;
    }
    let mut all = vec![];
    for table in tables(&open)? {
        let rows = of_table(&open, &table, is_there, most)?;
        if !rows.rows.is_empty() {
            all.push(rows);
        }
    }
    Ok(Some(all))
}

fn tables(open: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    open.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn of_table(open: &Connection, table: &str, is_there: bool, most: usize) -> rusqlite::Result<Rows> {
    let mut info = open.prepare("SELECT name, pk FROM pragma_table_info(?1, 'main') ORDER BY cid")?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
    let all: Vec<(String, i64)> = info.query_map([table], read)?.collect::<rusqlite::Result<_>>()?;
    let mut key: Vec<(i64, String)> =
        all.iter().filter(|(_, pk)| *pk > 0).map(|(name, pk)| (*pk, name.clone())).collect();
    key.sort();
    let columns: Vec<String> = all.into_iter().map(|(name, _)| name).collect();
    let list = columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let table_name = quoted(table);
    // Where the other state has no such table, or other columns, it lacks all of it.
    let both = format!("SELECT {list} FROM main.{table_name} EXCEPT SELECT {list} FROM other.{table_name} ORDER BY 1");
    let mut statement = match is_there.then(|| open.prepare(&both)) {
        Some(Ok(statement)) => statement,
        _ => open.prepare(&format!("SELECT {list} FROM main.{table_name}"))?,
    };
    let (mut found, mut rows, mut more) = (statement.query([])?, vec![], false);
    while let Some(row) = found.next()? {
        if rows.len() == most {
            more = true;
            break;
        }
        rows.push((0..columns.len()).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?);
    }
    Ok(Rows { table: table.to_owned(), key: key.into_iter().map(|(_, name)| name).collect(), columns, rows, more })
}

/// A value as people read it.
#[must_use]
pub fn text(value: &Value) -> String {
    match ValueRef::from(value) {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")),
    }
}

/// Rows as CSV (RFC 4180), the names of the columns first.
#[must_use]
pub fn csv(rows: &Rows) -> String {
    let field = |text: &str| {
        if text.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    };
    let line = |fields: Vec<String>| fields.join(",") + "\r\n";
    let head = line(rows.columns.iter().map(|name| field(name)).collect());
    let body = rows.rows.iter().map(|row| line(row.iter().map(|value| field(&text(value))).collect()));
    std::iter::once(head).chain(body).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_that_another_state_lacks_stand_in_the_log_too() {
        let place = tempfile::tempdir().unwrap();
        let (aside, mirror) = (place.path().join("aside"), place.path().join("mirror"));
        fs::create_dir_all(&aside).unwrap();
        fs::create_dir_all(&mirror).unwrap();
        let path = RelPath::root().join(b"shop.db");
        let open = Connection::open(aside.join("shop.db")).unwrap();
        let made = "PRAGMA journal_mode = WAL; CREATE TABLE sales (number INTEGER PRIMARY KEY, what TEXT, price REAL);
            CREATE TABLE \"odd, \"\"name\" (a); INSERT INTO sales VALUES (1, 'coffee', 2.5);";
        open.execute_batch(made).unwrap();
        open.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        fs::copy(aside.join("shop.db"), mirror.join("shop.db")).unwrap();
        open.execute_batch(
            "INSERT INTO sales VALUES (2, 'tea, green \"cup\"', NULL); INSERT INTO \"odd, \"\"name\" VALUES (x'00ff');",
        )
        .unwrap();
        // It dies with its log.
        let died = place.path().join("died");
        fs::create_dir(&died).unwrap();
        for name in ["shop.db", "shop.db-wal"] {
            fs::copy(aside.join(name), died.join(name)).unwrap();
        }
        let before = fs::read(died.join("shop.db-wal")).unwrap();
        let rows = lacking((&died, &mirror), &path, place.path(), SHOWN).unwrap().unwrap();
        assert_eq!(rows.iter().map(|rows| rows.table.as_str()).collect::<Vec<_>>(), ["odd, \"name", "sales"]);
        assert_eq!(
            (rows[1].key.as_slice(), rows[1].rows.len(), rows[1].more),
            (["number".to_owned()].as_slice(), 1, false)
        );
        assert_eq!(csv(&rows[1]), "number,what,price\r\n2,\"tea, green \"\"cup\"\"\",\r\n");
        assert_eq!(csv(&rows[0]), "a\r\n00ff\r\n");
        assert_eq!(fs::read(died.join("shop.db-wal")).unwrap(), before, "nothing of it is changed");
        let alone = lacking((&died, &place.path().join("nowhere")), &path, place.path(), SHOWN).unwrap().unwrap();
        assert_eq!((alone[1].rows.len(), alone[1].more), (2, false), "without another state all are lacking");
        let one = lacking((&died, &place.path().join("nowhere")), &path, place.path(), 1).unwrap().unwrap();
        assert_eq!((one[1].rows.len(), one[1].more), (1, true), "no more than is wanted");
        fs::write(died.join("POS-R"), "no database").unwrap();
        assert!(lacking((&died, &mirror), &RelPath::root().join(b"POS-R"), place.path(), SHOWN).unwrap().is_none());
    }
}
