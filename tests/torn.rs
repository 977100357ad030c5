//! Copies that open: programs of a shop write all the time, in other processes; two machines mirror them over a cable of 100 Mbit/s;
//! then the mirror is stepped back, generation by generation, and each one is opened and checked. The same checks find what is wrong with
//! plain copies.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

#[path = "torn/check.rs"]
mod check;
mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use espejo::replica::{Grade, Time};
use serde_json::Value;

use check::Bad;
use common::cloning_disk::CloningDisk;
use common::network::Network;
use common::place::{self, Place};
use common::two::Machine;
use common::{is_full, needs, until};

/// 100 Mbit/s, as far as data go: in bits and in bytes a second.
const LINE: &str = "92mbit";
const LINE_BYTES: f64 = 11.5e6;

/// A kind of program.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    check: fn(&Path) -> Bad,
    files: &'static [&'static str],
    /// Bytes of old sales.
    old: u64,
    /// Whether its program leaves whatever a reader finds: then every generation is sure.
    exact: bool,
}

const WAL: Kind =
    Kind { name: "wal", check: check::database, files: &["shop.db", "shop.db-wal"], old: 3_000_000, exact: true };
const JOURNAL: Kind = Kind { name: "journal", files: &["shop.db", "shop.db-journal"], ..WAL };
/// With a log that is begun anew with every other order.
const CHECKPOINTS: Kind = Kind { name: "checkpoints", ..WAL };
const ISAM: Kind = Kind {
    name: "isam",
    check: check::isam,
    files: &["ORDERS.DAT", "ORDERS.IDX", "ORDERS.SEQ"],
    old: 3_000_000,
    exact: false,
};
const QUEUE: Kind = Kind { name: "queue", check: check::queue, files: &["ORDER.QUE"], old: 6_000_000, exact: true };

/// With a count of its records that is stored through memory.
const MAPPED: Kind =
    Kind { name: "mapped", check: check::counted, files: &["ORDER.QUE", "ORDERS.MAP"], exact: false, ..QUEUE };

/// The shop's program at work.
struct Shop {
    child: Child,
}

impl Shop {
    fn open(kind: Kind, folder: &Path, rate: f64) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torn/writer.py");
        let mut python = Command::new("python3");
        python.arg(script).args([kind.name]).arg(folder).args([rate.to_string(), kind.old.to_string()]);
        let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("these tests need python3");
        let mut ready = [0; 6];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
        assert_eq!(&ready, b"ready\n");
        Self { child }
    }

    fn is_at_work(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// What became of the generations of one run.
#[derive(Default, Debug)]
struct Found {
    generations: usize,
    unsteady: usize,
    /// Those that were called sure, and are no state of the shop.
    bad: Vec<String>,
    /// The longest time between two that were sure, and to the first and from the last of them.
    longest: Duration,
}

/// Mirrors a shop that sells `rate` orders a second until there are so many generations, and checks each.
fn mirrored(kind: Kind, rate: f64, generations: u64) -> Option<Found> {
    let network = Network::new(kind.name)?;
    network.throttle(LINE);
    let mut two = network.two("");
    let mut shop = Shop::open(kind, &two.data, rate);
    two.meet();
    until_generation(&mut shop, generations, || two.status(Machine::Backup));
    // The mirror ends first: that the shop closes is no part of this.
    two.stop(Machine::Backup);
    drop(shop);
    Some(step_through(kind, &two.mirror()))
}

/// The same in one process, at `place`, as fast as it goes.
fn mirrored_at(place: &Place, kind: Kind, rate: f64, generations: u64) -> Found {
    let mut shop = Shop::open(kind, &place.source, rate);
    let running = place.start(&[]).caught_up();
    until_generation(&mut shop, generations, || place.status());
    running.stop();
    drop(shop);
    step_through(kind, &place.dest)
}

/// Waits until the mirror holds so many, while the shop sells.
fn until_generation(shop: &mut Shop, generations: u64, status: impl Fn() -> Option<Value>) {
    let seq = || status().and_then(|status| status["mirror"]["position"]["seq"].as_u64());
    let end = Instant::now() + Duration::from_secs(60 + 20 * generations);
    while seq().is_none_or(|seq| seq < generations) {
        assert!(shop.is_at_work(), "the shop's program has ended");
        assert!(Instant::now() < end, "{:?} of {generations} generations", seq());
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

/// Steps a mirror back, and checks each generation but the first copy.
fn step_through(kind: Kind, dest: &Path) -> Found {
    let (mut mirror, _) = place::open(dest);
    let mut found = Found::default();
    let mut later = mirror.state().as_of;
    let folder = tempfile::tempdir().unwrap();
    let opened = folder.path().join("opened");
    loop {
        let (position, grade, as_of) = (mirror.state().position, mirror.state().grade, mirror.state().as_of);
        let sure = matches!(grade, Grade::Exact | Grade::Steady);
        found.generations += 1;
        found.unsteady += usize::from(!sure);
        // What opens it must not change it.
        let _ = fs::remove_dir_all(&opened);
        copy(dest, &opened);
        if let (true, Err(why)) = (sure, (kind.check)(&opened)) {
            found.bad.push(format!("generation {}, {grade:?}: {why}", position.seq));
        }
        let is_first = position.seq <= 2 || !mirror.step_back().unwrap();
        if sure || is_first {
            let since = seconds(later) - seconds(as_of);
            found.longest = found.longest.max(Duration::from_secs_f64(since.max(0.0)));
            later = as_of;
        }
        if is_first {
            break;
        }
    }
    found
}

#[allow(clippy::cast_precision_loss)]
fn seconds(time: Time) -> f64 {
    time.seconds as f64 + f64::from(time.nanos) / 1e9
}

fn copy(from: &Path, to: &PathBuf) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn checked(kind: Kind, rate: f64, generations: u64) {
    let Some(found) = mirrored(kind, rate, generations) else { return };
    eprintln!("{} at {rate} orders a second: {found:?}", kind.name);
    assert!(found.bad.is_empty(), "{} of {} are bad: {:#?}", found.bad.len(), found.generations, found.bad);
    assert!(found.generations as u64 >= generations - 1, "{found:?}");
    if kind.exact {
        assert_eq!(found.unsteady, 0, "{found:?}");
    }
    if rate <= 5.0 {
        assert!(found.unsteady < found.generations, "nothing was checked: {found:?}");
        assert!(found.longest < Duration::from_secs(10), "starved: {found:?}");
    }
}

/// Copies the files of a shop one after the other, as fast as the line is, until a copy is bad. Returns which one it was, of so many.
fn plainly_copied(kind: Kind, rate: f64, copies: usize) -> Option<usize> {
    let place = Place::new();
    let shop = Shop::open(kind, &place.source, rate);
    let opened = place.path().join("opened");
    let bad = (1..=copies).find(|_| {
        let _ = fs::remove_dir_all(&opened);
        fs::create_dir(&opened).unwrap();
        for name in kind.files {
            let Ok(from) = fs::File::open(place.source.join(name)) else { continue };
            throttled(from, &opened.join(name));
        }
        (kind.check)(&opened).is_err()
    });
    drop(shop);
    bad
}

fn throttled(mut from: fs::File, to: &Path) {
    let mut to = fs::File::create(to).unwrap();
    let (began, mut sent, mut piece) = (Instant::now(), 0.0, vec![0; 64 * 1024]);
    loop {
        let got = std::io::Read::read(&mut from, &mut piece).unwrap();
        if got == 0 {
            return;
        }
        std::io::Write::write_all(&mut to, &piece[..got]).unwrap();
        #[allow(clippy::cast_precision_loss)]
        {
            sent += got as f64;
        }
        until("the line has taken it", || began.elapsed().as_secs_f64() >= sent / LINE_BYTES);
    }
}

/// Generations at 5, 50 and 0.2 orders a second.
fn how_many() -> [u64; 3] {
    if is_full() { [500, 500, 20] } else { [20, 100, 4] }
}

fn all_rates(kind: Kind) {
    let [calm, busy, rare] = how_many();
    checked(kind, 5.0, calm);
    checked(kind, 0.2, rare);
    checked(kind, 50.0, busy);
}

#[test]
fn a_database_with_a_log() {
    needs!("python3");
    all_rates(WAL);
}

#[test]
fn a_database_whose_log_is_begun_anew_all_the_time() {
    needs!("python3");
    let [_, busy, _] = how_many();
    checked(CHECKPOINTS, 200.0, busy);
}

#[test]
fn a_database_with_a_journal() {
    needs!("python3");
    all_rates(JOURNAL);
}

#[test]
fn three_files_with_one_count() {
    needs!("python3");
    all_rates(ISAM);
}

#[test]
fn a_queue_of_records_with_sums() {
    needs!("python3");
    all_rates(QUEUE);
}

/// Found by reading: where the queue alone was heard of, it went without what was stored beside it.
#[test]
fn a_queue_with_a_count_that_is_stored_through_memory() {
    needs!("python3");
    let [calm, _, rare] = how_many();
    checked(MAPPED, 5.0, calm);
    checked(MAPPED, 0.2, rare);
    if is_full() {
        checked(MAPPED, 50.0, 100);
    }
}

/// So large that no two looks fall between two orders: where files can share their blocks, clones do.
#[test]
fn large_files_that_move_all_the_time_are_cloned_where_that_can_be() {
    needs!("python3");
    let folder = tempfile::tempdir().unwrap();
    let test = "large_files_that_move_all_the_time_are_cloned_where_that_can_be";
    let Some(disk) = CloningDisk::over(&folder.path().join("disk"), test) else { return };
    let large = Kind { old: 250_000_000, ..ISAM };
    {
        let place = Place::within(&folder.path().join("disk"));
        let found = mirrored_at(&place, large, 25.0, 6);
        eprintln!("cloned: {found:?}");
        assert!(found.bad.is_empty() && found.generations >= 5, "{found:#?}");
        assert!(found.unsteady * 2 < found.generations, "{found:#?}");
    }
    drop(disk);
}

/// A database is no file to be cloned: what changes with it is looked at itself, also later.
#[test]
fn what_changes_beside_a_database_is_mirrored_where_files_can_be_cloned() {
    let folder = tempfile::tempdir().unwrap();
    let test = "what_changes_beside_a_database_is_mirrored_where_files_can_be_cloned";
    let Some(disk) = CloningDisk::over(&folder.path().join("disk"), test) else { return };
    {
        let place = Place::within(&folder.path().join("disk"));
        let db = rusqlite::Connection::open(place.source.join("shop.db")).unwrap();
        db.execute_batch("CREATE TABLE sales (number INTEGER)").unwrap();
        let running = place.start(&[]).caught_up();
        for number in 0..300_u32 {
            for name in ["ORDERS.DAT", "STOCK.DAT"] {
                fs::write(place.source.join(name), vec![u8::try_from(number % 251).unwrap(); 300_000]).unwrap();
                std::thread::park_timeout(Duration::from_millis(4));
            }
            db.execute("INSERT INTO sales VALUES (?1)", [number]).unwrap();
        }
        // It pauses now, and must be steady soon.
        place.until_status("it is steady", |status| {
            status["mirror"]["grade"] == "steady" && status["mirror"]["behind_ms"] == 0
        });
        running.stop();
        for name in ["ORDERS.DAT", "STOCK.DAT"] {
            assert!(fs::read(place.source.join(name)).unwrap() == fs::read(place.dest.join(name)).unwrap(), "{name}");
        }
    }
    drop(disk);
}

#[test]
fn plain_copies_are_bad() {
    needs!("python3");
    for kind in [CHECKPOINTS, JOURNAL, ISAM, QUEUE] {
        let bad = plainly_copied(kind, 50.0, 100);
        eprintln!("{} at 50 orders a second: plain copy {bad:?} is bad", kind.name);
        assert!(bad.is_some(), "{}: these checks find nothing", kind.name);
    }
}
