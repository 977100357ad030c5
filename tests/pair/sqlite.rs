//! A shop whose data are a database of `SQLite`: the main dies in the middle of selling, the backup sells on, and gives the place back.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rusqlite::Connection;
use serde_json::Value;

use crate::common::two::{Machine, RUNS, Two};
use crate::common::{needs, until};
use crate::turns::{asked, done};

/// Sells once for each line, in one commit, and says so.
const SELLS: &str = "import sqlite3,sys\n\
    db=sqlite3.connect(sys.argv[1],isolation_level=None)\n\
    db.execute('PRAGMA journal_mode=WAL')\n\
    db.execute('CREATE TABLE IF NOT EXISTS sales (number INTEGER PRIMARY KEY, who TEXT)')\n\
    for line in sys.stdin:\n\
    \x20db.execute('INSERT INTO sales (who) VALUES (?)',(line.strip(),))\n\
    \x20print('sold',flush=True)\n";

/// The shop's program on a machine. It ends as a machine does that loses its power.
struct Sells(Child);

impl Sells {
    fn begin(folder: &Path) -> Self {
        let mut python = Command::new("python3");
        python.args(["-c", SELLS]).arg(folder.join("shop.db"));
        Self(python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the tests need python3"))
    }

    fn sells(&mut self, who: &str, times: usize) {
        let mut said = BufReader::new(self.0.stdout.as_mut().unwrap());
        for _ in 0..times {
            writeln!(self.0.stdin.as_mut().unwrap(), "{who}").unwrap();
            let mut line = String::new();
            said.read_line(&mut line).unwrap();
            assert_eq!(line, "sold\n");
        }
    }
}

impl Drop for Sells {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sales of each machine in a copy of the database.
fn sales(folder: &Path) -> (i64, i64) {
    let place = tempfile::tempdir().unwrap();
    for name in ["shop.db", "shop.db-wal"] {
        let _ = std::fs::copy(folder.join(name), place.path().join(name));
    }
    let Ok(open) = Connection::open(place.path().join("shop.db")) else { return (-1, -1) };
    let of = |who: &str| {
        let sql = format!("SELECT count(*) FROM sales WHERE who = '{who}'");
        open.query_row(&sql, [], |row| row.get(0)).unwrap_or(-1)
    };
    (of("main"), of("backup"))
}

/// The only thing that is set aside on a machine, and the rows that it alone holds.
fn aside(two: &Two, machine: Machine) -> (String, Value) {
    let listed = asked(two, machine, &["rescue", "list", "--json"]);
    let all: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
    let name = all[0]["name"].as_str().unwrap();
    let shown = asked(two, machine, &["rescue", "show", name, "--records", "--json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let rows = shown["files"].as_array().unwrap().iter().find_map(|file| file.get("rows").cloned());
    (name.to_owned(), rows.unwrap_or_else(|| panic!("{shown}")))
}

/// A shop that has sold so often, and its mirror.
fn sold(times: u8) -> (Two, Sells) {
    let mut two = Two::new();
    two.init();
    two.set("mirror", "interval = \"300ms\"");
    two.set("server", RUNS);
    let mut shop = Sells::begin(&two.data);
    shop.sells("main", times.into());
    two.meet();
    until("the first copy", || sales(&two.mirror()) == (times.into(), 0));
    (two, shop)
}

#[test]
fn a_database_goes_over_and_back_and_no_sale_that_was_acknowledged_is_missing() {
    needs!("python3");
    let (mut two, mut shop) = sold(20);
    shop.sells("main", 30);
    until("each sale is in the mirror", || sales(&two.mirror()) == (50, 0));
    let status = two.until(Machine::Backup, "it is exact", |status| status["mirror"]["grade"] == "exact");
    assert_eq!(status["datasets"][0]["kinds"], serde_json::json!(["sqlite"]), "{status}");
    drop(shop);
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    let mut shop = Sells::begin(&two.mirror());
    shop.sells("backup", 10);
    two.start(Machine::Main);
    until("the main has what the backup sold", || sales(&two.data) == (50, 10));
    shop.sells("backup", 5);
    until("and what it sold since", || sales(&two.data) == (50, 15));
    drop(shop);
    done(&two, Machine::Main, &["return"]);
    let mut shop = Sells::begin(&two.data);
    shop.sells("main", 7);
    until("the backup follows", || sales(&two.mirror()) == (57, 15));
    drop(shop);
    // Nothing of the shop is in the index of a log, and nothing was lost: nothing is set aside.
    let rescue = two.path().join(".pos.espejo/rescue");
    let asides = std::fs::read_dir(rescue).map_or(0, Iterator::count);
    assert_eq!(asides, 0, "something was set aside");
}

#[test]
fn the_sales_that_the_main_alone_held_are_listed_row_by_row_when_it_is_back() {
    needs!("python3");
    let mut two = Two::new();
    two.init();
    two.set("server", RUNS);
    let mut shop = Sells::begin(&two.data);
    shop.sells("main", 20);
    two.meet();
    until("the first copy", || sales(&two.mirror()) == (20, 0));
    // The backup is away, and the main sells on: then it dies, and the backup comes back alone.
    two.kill(Machine::Backup);
    shop.sells("main", 3);
    drop(shop);
    two.cut_power(Machine::Main);
    two.start(Machine::Backup);
    until("the backup serves", || {
        asked(&two, Machine::Backup, &["promote", "--yes", "--accept-loss"]);
        two.status(Machine::Backup).is_some_and(|status| status["duty"] == "serving")
    });
    let mut shop = Sells::begin(&two.mirror());
    shop.sells("backup", 5);
    two.start(Machine::Main);
    until("the main has what the backup holds", || sales(&two.data) == (20, 5));
    drop(shop);
    let (name, rows) = aside(&two, Machine::Main);
    assert_eq!(
        (&rows[0]["table"], &rows[0]["count"], &rows[0]["key"][0]),
        (&"sales".into(), &3.into(), &"number".into())
    );
    let to = two.path().join("stick");
    done(&two, Machine::Main, &["rescue", "export", &name, to.to_str().unwrap()]);
    let csv = std::fs::read_to_string(to.join("records/shop.db.sales.csv")).unwrap();
    assert_eq!(csv, "number,who\r\n21,main\r\n22,main\r\n23,main\r\n");
    assert!(to.join("records/records.json").exists() && to.join("shop.db").exists() && to.join("shop.db-wal").exists());
}

#[test]
fn sales_that_a_power_cut_took_from_the_log_of_the_main_are_set_aside_with_their_database() {
    needs!("python3");
    let mut two = Two::new();
    two.init();
    two.set("server", RUNS);
    let mut shop = Sells::begin(&two.data);
    shop.sells("main", 20);
    two.meet();
    until("the first copy", || sales(&two.mirror()) == (20, 0));
    drop(shop);
    two.cut_power(Machine::Main);
    let log = two.data.join("shop.db-wal");
    std::fs::File::options().write(true).open(log).unwrap().set_len(0).unwrap();
    two.start(Machine::Main);
    until("the mirror is what the main is", || !two.mirror().join("shop.db-wal").exists());
    let (_, rows) = aside(&two, Machine::Backup);
    assert_eq!((&rows[0]["table"], &rows[0]["count"]), (&"sales".into(), &20.into()), "{rows}");
}

#[test]
fn sales_of_which_a_start_from_an_earlier_state_knows_nothing_are_listed_row_by_row() {
    needs!("python3");
    let (mut two, mut shop) = sold(5);
    let then = two.quiet().to_string();
    // They stand in the log alone.
    shop.sells("main", 3);
    until("each sale is in the mirror", || sales(&two.mirror()) == (8, 0));
    drop(shop);
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes", "--accept-loss", "--as-of", &then]);
    assert_eq!(sales(&two.mirror()), (5, 0));
    let (_, rows) = aside(&two, Machine::Backup);
    assert_eq!((&rows[0]["table"], &rows[0]["count"]), (&"sales".into(), &3.into()), "{rows}");
}
