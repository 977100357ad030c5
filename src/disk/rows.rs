//! The rows of a database that was set aside and that another state of it lacks.
//!
//! Both are copied before they are opened, with their logs and journals: opening a database may change it, and somebody may sell with it.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OpenFlags};

use super::capture::sqlite::begins_like_one;
use super::database;
use super::root::on_disk;
use super::scratch;
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
    /// Why the rest cannot be read, where it cannot.
    pub error: Option<String>,
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
    home: &Path,
    most: usize,
) -> Result<Option<Vec<Rows>>, NoRows> {
    let file = on_disk(aside, path);
    if !fs::symlink_metadata(&file)?.is_file() || !begins_like_one(&fs::File::open(&file)?) {
        return Ok(None);
    }
    let place = scratch::folder(home, database::bytes(aside, path) + database::bytes(mirror, path))?;
    let copied = |folder: &Path, name: &str| {
        let to = place.path().join(name);
        fs::create_dir(&to).and_then(|()| database::copy_live(folder, path, &to))
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
        let rows = of_table(&open, table, is_there, most);
        if !rows.rows.is_empty() || rows.error.is_some() {
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

/// The rows of a table that the other state lacks. Where that has no such table, or other columns, it lacks all of them.
fn of_table(open: &Connection, table: String, is_there: bool, most: usize) -> Rows {
    let mut rows = Rows { table, key: vec![], columns: vec![], rows: vec![], more: false, error: None };
    let read = name_columns(open, &mut rows).and_then(|()| {
        let lacking = is_there.then(|| open.prepare(&select(&rows, true))).and_then(Result::ok);
        let mut statement = lacking.map_or_else(|| open.prepare(&select(&rows, false)), Ok)?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            if rows.rows.len() == most {
                rows.more = true;
                break;
            }
            rows.rows.push((0..rows.columns.len()).map(|at| value(row, at)).collect::<rusqlite::Result<_>>()?);
        }
        Ok(())
    });
    rows.error = read.err().map(|error| error.to_string());
    rows
}

/// A value as it stands there; of a text in no UTF-8 what can be read.
fn value(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Value> {
    Ok(match row.get_ref(at)? {
        ValueRef::Text(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        other => other.into(),
    })
}

fn name_columns(open: &Connection, rows: &mut Rows) -> rusqlite::Result<()> {
    let mut info = open.prepare("SELECT name, pk FROM pragma_table_info(?1, 'main') ORDER BY cid")?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
    let all: Vec<(String, i64)> = info.query_map([&rows.table], read)?.collect::<rusqlite::Result<_>>()?;
    let mut key: Vec<(i64, String)> =
        all.iter().filter(|(_, pk)| *pk > 0).map(|(name, pk)| (*pk, name.clone())).collect();
    key.sort();
    rows.key = key.into_iter().map(|(_, name)| name).collect();
    rows.columns = all.into_iter().map(|(name, _)| name).collect();
    Ok(())
}

/// Of equal rows each one counts, and what only looks alike by the rules of a column is not equal.
fn select(rows: &Rows, lacking: bool) -> String {
    let exact: Vec<String> = rows.columns.iter().map(|name| format!("{} COLLATE BINARY", quoted(name))).collect();
    let named = exact.iter().enumerate().map(|(at, column)| format!("{column} AS c{at}"));
    let (named, alike) = (named.collect::<Vec<_>>().join(", "), exact.join(", "));
    let names = (0..rows.columns.len()).map(|at| format!("c{at}")).collect::<Vec<_>>().join(", ");
    let table = quoted(&rows.table);
    let of =
        |state: &str| format!("SELECT {named}, row_number() OVER (PARTITION BY {alike}) AS which FROM {state}.{table}");
    let without = if lacking { format!(" EXCEPT {}", of("other")) } else { String::new() };
    format!("SELECT {names} FROM ({}{without}) ORDER BY {names}", of("main"))
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

    /// Found by reading: a shop that writes its own code page ended the listing, and all that came after it.
    #[test]
    fn a_text_that_is_no_utf_8_is_listed() {
        let place = tempfile::tempdir().unwrap();
        let path = RelPath::new(b"shop.db").unwrap();
        for (folder, more) in [("aside", "INSERT INTO sales VALUES (2, CAST(x'6361F161' AS TEXT))"), ("mirror", "")] {
            fs::create_dir(place.path().join(folder)).unwrap();
            let open = Connection::open(place.path().join(folder).join("shop.db")).unwrap();
            let made =
                "CREATE TABLE sales (number INTEGER PRIMARY KEY, what TEXT); INSERT INTO sales VALUES (1, 'tea');";
            open.execute_batch(&format!("{made}{more}")).unwrap();
        }
        let folders = (place.path().join("aside"), place.path().join("mirror"));
        let rows = lacking((&folders.0, &folders.1), &path, place.path(), SHOWN).unwrap().unwrap();
        assert_eq!(csv(&rows[0]), "number,what\r\n2,ca\u{fffd}a\r\n");
    }

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

    #[test]
    fn each_of_equal_rows_counts_and_what_cannot_be_read_hides_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let path = RelPath::root().join(b"shop.db");
        for (folder, more) in [("mirror", ""), ("aside", "INSERT INTO lines VALUES (7, 'tea'), (7, 'TEA');")] {
            fs::create_dir(place.path().join(folder)).unwrap();
            let open = Connection::open(place.path().join(folder).join("shop.db")).unwrap();
            let made = "CREATE TABLE broken (a); INSERT INTO broken VALUES (1);
                CREATE TABLE lines (sale INTEGER, what TEXT COLLATE NOCASE);
                INSERT INTO lines VALUES (7, 'tea'), (8, 'cake');";
            open.execute_batch(&format!("{made}{more}")).unwrap();
            // What stands there is no page of a table any more.
            let sql =
                "SELECT (SELECT rootpage FROM sqlite_schema WHERE name = 'broken'), (SELECT * FROM pragma_page_size)";
            let (page, size): (u64, u64) = open.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            drop(open);
            let file = fs::File::options().write(true).open(place.path().join(folder).join("shop.db")).unwrap();
            std::os::unix::fs::FileExt::write_all_at(&file, &[0xff; 64], (page - 1) * size).unwrap();
        }
        let folders = (place.path().join("aside"), place.path().join("mirror"));
        let rows = lacking((&folders.0, &folders.1), &path, place.path(), SHOWN).unwrap().unwrap();
        assert_eq!(rows.iter().map(|rows| rows.table.as_str()).collect::<Vec<_>>(), ["broken", "lines"]);
        assert!(rows[0].error.is_some() && rows[1].error.is_none(), "{rows:?}");
        assert_eq!(csv(&rows[1]), "sale,what\r\n7,TEA\r\n7,tea\r\n");
    }
}
