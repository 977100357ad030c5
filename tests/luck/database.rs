//! Databases of `SQLite`, written by a program of the shop in another process, and captured as one commit left them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use espejo::disk::capture::candidates::Dirty;
use espejo::disk::capture::guard::Consent;
use espejo::disk::capture::rules::{As, Rule, Rules};
use espejo::disk::capture::settle::Moves;
use espejo::disk::capture::{Options, Outcome, Source};
use espejo::disk::hold::{Holder, NotHeld};
use espejo::replica::{Grade, Kind};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::common::{needs, place::Place};
use crate::copied::Copied;
use crate::source::dirty;

/// The shop's program.
pub struct Shop {
    child: Child,
    ask: ChildStdin,
    said: BufReader<ChildStdout>,
    folder: PathBuf,
}

impl Shop {
    pub fn open(place: &Place) -> Self {
        let mut python = Command::new("python3");
        python.arg("-c").arg(include_str!("writer.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().unwrap();
        let (ask, said) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, ask, said, folder: place.source.clone() }
    }

    /// Tells the connection `who` something; returns what it says.
    pub fn tell(&mut self, who: &str, what: &str) -> Value {
        let what = match what.strip_prefix("open ") {
            Some(name) => format!("open {}", self.folder.join(name).display()),
            None => what.to_owned(),
        };
        writeln!(self.ask, "{}", json!([who, what])).unwrap();
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// The same for the first connection, where it must work.
    pub fn does(&mut self, what: &str) {
        let said = self.tell("shop", what);
        assert!(!said.as_str().is_some_and(|said| said.starts_with("error")), "{what}: {said}");
    }

    /// Opens `shop.db` with two tables whose sums are the same after each commit.
    pub fn begins(place: &Place, pragmas: &[&str]) -> Self {
        let mut shop = Self::open(place);
        shop.does("open shop.db");
        for pragma in pragmas {
            shop.does(pragma);
        }
        shop.does("CREATE TABLE sales (number INTEGER PRIMARY KEY, cents INTEGER, what TEXT)");
        shop.does("CREATE TABLE cash (number INTEGER PRIMARY KEY, cents INTEGER, what TEXT)");
        shop
    }

    /// Sells something for each of `numbers`, in one commit each.
    pub fn sells(&mut self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            self.does("BEGIN IMMEDIATE");
            for table in ["sales", "cash"] {
                self.does(&format!("INSERT INTO {table} VALUES ({number}, {number}, hex(zeroblob(300)))"));
            }
            self.does("COMMIT");
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is mirrored, and the mirror.
pub struct Mirrored<'p> {
    place: &'p Place,
    pub source: Source,
    pub copy: Copied,
    /// What is to be looked at again.
    again: Dirty,
}

impl<'p> Mirrored<'p> {
    pub fn begin(place: &'p Place) -> Self {
        Self::with(place, Rules::default())
    }

    fn with(place: &'p Place, rules: Rules) -> Self {
        let options = Options {
            empty_patience: Duration::from_secs(2),
            patience: Duration::from_secs(3),
            consent: Consent::Always,
            own: place.path().to_owned(),
            rules,
            quiet: None,
            holder: Some(env!("CARGO_BIN_EXE_espejo").into()),
        };
        let source = Source::open(&place.source, options).unwrap();
        let mut mirrored = Self { place, source, copy: Copied::default(), again: Dirty::default() };
        mirrored.goes(Dirty { everything: true, ..Dirty::default() });
        mirrored
    }

    /// What changed goes over. Returns whether anything did.
    pub fn goes(&mut self, dirty: Dirty) -> bool {
        self.goes_while(dirty, &mut Dirty::default)
    }

    /// The same; `meanwhile` is what happens, and is heard, at each wait.
    pub fn goes_while(&mut self, mut dirty: Dirty, meanwhile: &mut dyn FnMut() -> Dirty) -> bool {
        let mut wait = |gap| {
            std::thread::park_timeout(gap);
            Some(meanwhile())
        };
        dirty.join(std::mem::take(&mut self.again));
        match self.source.capture(dirty, Moves::Follow, &mut wait).unwrap() {
            Outcome::Captured(captured) => {
                self.again = captured.dirty.clone();
                self.copy.take(&captured);
                self.source.commit(captured);
                true
            }
            Outcome::Nothing => false,
            other => panic!("{other:?}"),
        }
    }

    /// What is to be looked at again is, until there is no such thing.
    pub fn settles(&mut self) {
        while !self.again.is_empty() {
            self.goes(Dirty::default());
        }
    }

    pub fn follows(&mut self) -> bool {
        self.goes(dirty(&["shop.db", "shop.db-wal", "shop.db-journal"]))
    }

    /// The database in the mirror, opened as its program would.
    pub fn opens(&self) -> Connection {
        let folder = self.place.path().join("opened");
        self.copy.write(&folder);
        Connection::open(folder.join("shop.db")).unwrap()
    }

    /// The last sale in the mirror, which must be a state of one commit.
    pub fn last(&self) -> i64 {
        let database = self.opens();
        let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
        let row = |table: &str| -> (i64, i64, i64) {
            let sql = format!("SELECT count(*), coalesce(sum(cents), 0), coalesce(max(number), -1) FROM {table}");
            database.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
        };
        let (sales, cash) = (row("sales"), row("cash"));
        assert_eq!(sales, cash, "a state that no commit left");
        assert_eq!(sales.0, sales.2 + 1, "sales in the middle are missing");
        sales.2
    }
}

pub const WAL: &str = "PRAGMA journal_mode = WAL";
pub const BY_HAND: &str = "PRAGMA wal_autocheckpoint = 0";

#[test]
fn with_a_log_each_generation_is_one_commit_and_little_is_read() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &[WAL, BY_HAND]);
    shop.sells(0..2000);
    let mut mirror = Mirrored::begin(&place);
    assert_eq!(mirror.last(), 1999);
    shop.tell("shop", "PRAGMA wal_checkpoint(PASSIVE)");
    mirror.follows();
    for number in 2000..2010 {
        shop.sells(number..number + 1);
        assert!(mirror.follows());
        assert_eq!(mirror.last(), i64::try_from(number).unwrap());
        assert!(mirror.copy.came < 100_000, "{} bytes for one sale", mirror.copy.came);
    }
    assert_eq!(mirror.source.grade(), Grade::Exact);
    assert_eq!(mirror.source.kinds(), [Kind::Sqlite]);
    assert!(!mirror.copy.names().iter().any(|name| name.ends_with("-shm")), "{:?}", mirror.copy.names());
    assert!(!mirror.follows(), "nothing has changed");
}

#[test]
fn what_is_not_committed_does_not_go() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &[WAL, BY_HAND, "PRAGMA cache_size = 2"]);
    shop.sells(0..10);
    let mut mirror = Mirrored::begin(&place);
    shop.does("BEGIN IMMEDIATE");
    for number in 10..400 {
        shop.does(&format!("INSERT INTO sales VALUES ({number}, {number}, hex(zeroblob(300)))"));
    }
    // Pages that find no room in memory stand in the log before the commit.
    assert!(!mirror.follows());
    assert_eq!(mirror.last(), 9);
    shop.does("ROLLBACK");
    shop.sells(10..12);
    assert!(mirror.follows());
    assert_eq!(mirror.last(), 11);
}

#[test]
fn a_database_without_a_log_goes_when_nobody_writes() {
    needs!("python3");
    for mode in ["DELETE", "TRUNCATE", "PERSIST"] {
        let place = Place::new();
        let mut shop = Shop::begins(&place, &[&format!("PRAGMA journal_mode = {mode}")]);
        shop.sells(0..50);
        let mut mirror = Mirrored::begin(&place);
        assert_eq!(mirror.last(), 49, "{mode}");
        shop.sells(50..55);
        assert!(mirror.follows());
        assert_eq!(mirror.last(), 54, "{mode}");
        assert_eq!(mirror.source.grade(), Grade::Exact, "{mode}");
        assert_eq!(mirror.copy.names(), ["shop.db"], "{mode}: a journal that is of no use");
    }
}

#[test]
fn a_transaction_that_goes_on_and_on_keeps_nobody_from_the_last_commit() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &["PRAGMA journal_mode = DELETE", "PRAGMA cache_size = 2"]);
    shop.sells(0..50);
    let mut mirror = Mirrored::begin(&place);
    shop.does("BEGIN IMMEDIATE");
    for number in 50..400 {
        shop.does(&format!("INSERT INTO sales VALUES ({number}, {number}, hex(zeroblob(300)))"));
    }
    mirror.follows();
    assert_eq!(mirror.last(), 49);
    // Its program dies in it: what it leaves is undone by whoever opens it.
    drop(shop);
    mirror.follows();
    assert_eq!(mirror.last(), 49);
}

/// With its journal in its own memory nobody else can undo what it has written by then.
#[test]
fn a_transaction_whose_journal_is_on_no_disk_is_never_said_to_be_a_commit() {
    needs!("python3");
    for mode in ["PRAGMA journal_mode = MEMORY", "PRAGMA journal_mode = OFF"] {
        let place = Place::new();
        let mut shop = Shop::begins(&place, &[mode, "PRAGMA cache_size = 2"]);
        shop.sells(0..50);
        let mut mirror = Mirrored::begin(&place);
        assert_eq!((mirror.last(), mirror.source.grade()), (49, Grade::Exact));
        shop.does("BEGIN IMMEDIATE");
        for number in 50..400 {
            shop.does(&format!("INSERT INTO sales VALUES ({number}, {number}, hex(zeroblob(300)))"));
        }
        mirror.follows();
        assert!(
            mirror.source.grade() != Grade::Exact && !mirror.source.plain().is_empty(),
            "{mode}: it is in the middle"
        );
        for number in 50..400 {
            shop.does(&format!("INSERT INTO cash VALUES ({number}, {number}, hex(zeroblob(300)))"));
        }
        shop.does("COMMIT");
        mirror.follows();
        mirror.settles();
        assert_eq!((mirror.last(), mirror.source.grade()), (399, Grade::Exact), "{mode}");
        assert!(mirror.source.plain().is_empty(), "{mode}: {:?}", mirror.source.plain());
    }
}

#[test]
fn vacuum_large_pages_and_another_database_in_its_place() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &["PRAGMA page_size = 65536", WAL, BY_HAND]);
    shop.sells(0..300);
    let mut mirror = Mirrored::begin(&place);
    shop.does("VACUUM");
    mirror.follows();
    assert_eq!(mirror.last(), 299);
    shop.does("PRAGMA wal_checkpoint(TRUNCATE)");
    shop.does("PRAGMA journal_mode = DELETE");
    shop.does("PRAGMA page_size = 1024");
    shop.does("VACUUM");
    shop.sells(300..310);
    mirror.follows();
    assert_eq!(mirror.last(), 309);
    shop.does(WAL);
    shop.sells(310..320);
    mirror.follows();
    assert_eq!(mirror.last(), 319);
    shop.does("close");
    // Restored from elsewhere.
    let (now, other) = (place.source.join("shop.db"), place.source.join("other.db"));
    shop.does("open other.db");
    for table in ["sales", "cash"] {
        shop.does(&format!("CREATE TABLE {table} (number INTEGER PRIMARY KEY, cents INTEGER, what TEXT)"));
    }
    shop.sells(0..7);
    shop.does("close");
    fs::rename(other, now).unwrap();
    mirror.goes(dirty(&["shop.db", "shop.db-wal", "shop.db-journal", "other.db", "other.db-journal"]));
    assert_eq!(mirror.last(), 6);
}

#[test]
fn what_cannot_be_read_as_a_database_is_captured_as_a_file_and_said() {
    needs!("python3");
    let place = Place::new();
    fs::write(place.source.join("shop.db"), vec![0x5a; 8192]).unwrap();
    let said = |path: &[u8]| if path == b"shop.db" { Rule::Said(As::Sqlite) } else { Rule::Unsaid };
    let mut mirror = Mirrored::with(&place, Rules::new(said));
    assert_eq!(mirror.copy.names(), ["shop.db"]);
    assert_eq!(mirror.source.grade(), Grade::Steady);
    let why: Vec<_> = mirror.source.plain().values().cloned().collect();
    assert_eq!(why, ["file is not a database"]);
    fs::remove_file(place.source.join("shop.db")).unwrap();
    let mut shop = Shop::begins(&place, &[WAL, "PRAGMA locking_mode = EXCLUSIVE"]);
    shop.sells(0..10);
    mirror.follows();
    assert_eq!(mirror.last(), 9);
    assert_eq!(mirror.source.grade(), Grade::Exact, "its program holds it alone, but no lock is needed");
    assert!(mirror.source.plain().is_empty());
}

#[test]
fn a_database_that_is_gone_is_not_said_to_be_captured_as_a_file() {
    let place = Place::new();
    for number in 0..20 {
        fs::write(place.source.join(format!("RECEIPT.{number}")), "paid").unwrap();
    }
    fs::write(place.source.join("shop.db"), vec![0x5a; 8192]).unwrap();
    let said = |path: &[u8]| if path == b"shop.db" { Rule::Said(As::Sqlite) } else { Rule::Unsaid };
    let mut mirror = Mirrored::with(&place, Rules::new(said));
    assert_eq!(mirror.source.plain().len(), 1);
    fs::remove_file(place.source.join("shop.db")).unwrap();
    mirror.goes(dirty(&["shop.db"]));
    assert!(mirror.source.plain().is_empty());
}

#[test]
fn what_is_called_a_file_is_captured_as_one() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &[WAL]);
    shop.sells(0..10);
    let said = |path: &[u8]| if path == b"shop.db" { Rule::Said(As::Files) } else { Rule::Unsaid };
    let mirror = Mirrored::with(&place, Rules::new(said));
    assert_eq!(mirror.source.grade(), Grade::Steady);
    assert!(mirror.copy.names().contains(&"shop.db-shm".to_owned()));
}

/// Rule (b): the locks of a process go when it closes the file anywhere; those of another one stay.
#[test]
fn what_is_held_stays_held_whatever_this_process_opens_and_closes() {
    needs!("python3");
    let place = Place::new();
    let mut shop = Shop::begins(&place, &[WAL, BY_HAND, "PRAGMA busy_timeout = 0"]);
    shop.sells(0..10);
    let mut holder = Holder::new(Some(env!("CARGO_BIN_EXE_espejo").into()));
    let path = place.source.join("shop.db");
    holder.read(&path).unwrap();
    shop.sells(10..11);
    for name in ["shop.db", "shop.db-wal", "shop.db-shm"] {
        drop(File::open(place.source.join(name)).unwrap());
    }
    let busy = |shop: &mut Shop| shop.tell("shop", "PRAGMA wal_checkpoint(TRUNCATE)")[0][0].as_i64();
    assert_eq!(busy(&mut shop), Some(1), "a log that is read cannot be cut off");
    assert!(holder.release(&path), "nobody waits for who reads a log, however long");
    assert_eq!(busy(&mut shop), Some(0));
    let nobody = Holder::new(None).read(&path).unwrap_err();
    assert!(matches!(nobody, NotHeld::Nobody(_)), "{nobody:?}");
}
