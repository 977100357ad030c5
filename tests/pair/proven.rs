//! Nobody asks for it, and the copy is proven all the same: every byte of both sides, and that its databases open.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{FileExt, PermissionsExt, chown};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::common::place::{output, told};
use crate::common::small_disk::SmallDisk;
use crate::common::two::{Machine, Two};
use crate::common::{passed_over, until};

/// So little is left on a disk that no database is opened there, and enough to mirror on.
const LEFT: u64 = 6 << 20;

fn proven(status: &Value) -> Option<String> {
    status["mirror"]["verified_at"].as_str().map(str::to_owned)
}

/// Changes a byte of a file, as a disk does: nothing shows it.
fn flip(path: &Path, at: u64) {
    let before: SystemTime = fs::metadata(path).unwrap().modified().unwrap();
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[!byte[0]], at).unwrap();
    file.set_modified(before).unwrap();
}

/// A day passes for what the backup knows of its proof.
fn a_day_passes(two: &Two) {
    let index = two.home(Machine::Backup).join(".RUNDIR.espejo/index.db");
    let open = Connection::open(index).unwrap();
    assert_eq!(open.execute("UPDATE proven SET seconds = seconds - 90000", []), Ok(1));
}

fn alarmed<'s>(status: &'s Value, code: &str) -> Option<&'s Value> {
    status["alarms"].as_array().unwrap().iter().find(|alarm| alarm["code"] == code)
}

#[test]
fn it_is_proven_by_itself_once_a_day_and_that_is_known_after_a_restart() {
    let mut two = Two::joined();
    fs::write(two.data.join("PRICES"), "coffee 2.50").unwrap();
    two.until_same("before");
    let first = proven(&two.until(Machine::Backup, "it is proven", |status| proven(status).is_some()));
    two.stop(Machine::Backup);
    two.start(Machine::Backup);
    let again = two.until(Machine::Backup, "it is known", |status| proven(status).is_some());
    assert_eq!(proven(&again).map(|at| at[..19].to_owned()), first.as_ref().map(|at| at[..19].to_owned()));
    two.stop(Machine::Backup);
    a_day_passes(&two);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it is proven again", |status| proven(status) > first);
}

/// Closes the shop however a test ends.
struct Closes<'c>(&'c AtomicBool);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Found by reading: what the mirror said of itself was never believed beside what was always on its way.
#[test]
fn what_its_disk_damaged_is_copied_again_while_the_shop_never_pauses() {
    let two = Two::joined();
    fs::write(two.data.join("PRICES"), "coffee 2.50\n".repeat(4000)).unwrap();
    two.until_same("before");
    two.until(Machine::Backup, "it is proven", |status| proven(status).is_some());
    let closes = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (queue, closes) = (two.data.join("ORDER.QUE"), &closes);
        let _closes = Closes(closes);
        scope.spawn(move || {
            let mut queue = File::create(queue).unwrap();
            while !closes.load(Ordering::Relaxed) {
                queue.write_all(b"1;coffee\n").unwrap();
                std::thread::yield_now();
            }
        });
        two.until(Machine::Backup, "the shop sells", |status| status["mirror"]["position"]["seq"].as_u64() > Some(20));
        flip(&two.mirror().join("PRICES"), 20_000);
        let _found = output(&mut two.espejo(Machine::Backup, &["verify"]));
        let read = |folder: &Path| fs::read(folder.join("PRICES")).unwrap();
        until("it is copied again", || read(&two.data) == read(&two.mirror()));
    });
}

#[test]
fn what_its_disk_damaged_is_said_where_the_main_is_away_and_copied_again_when_it_is_back() {
    let mut two = Two::joined();
    fs::write(two.data.join("PRICES"), "coffee 2.50\n".repeat(4000)).unwrap();
    two.until_same("before");
    two.until(Machine::Backup, "it is proven", |status| proven(status).is_some());
    two.kill(Machine::Main);
    two.stop(Machine::Backup);
    a_day_passes(&two);
    flip(&two.mirror().join("PRICES"), 20_000);
    two.start(Machine::Backup);
    let said = two.until(Machine::Backup, "it is said", |status| alarmed(status, "MIR-107").is_some());
    let alarm = alarmed(&said, "MIR-107").unwrap();
    assert_eq!((&alarm["files"], &alarm["first"]), (&json!(1), &json!("PRICES")), "{said}");
    let plan = said["plans"].as_array().unwrap().iter().find(|plan| plan["kind"] == "promote").unwrap();
    let check = plan["checks"].as_array().unwrap().iter().find(|check| check["check"] == "proven").unwrap();
    assert_eq!(check["why"]["is"], "copy-differs", "nothing begins by itself with damaged files: {said}");
    let old = proven(&said);
    // A night does not make it good: nothing is proven, and it is said from the first moment on.
    two.stop(Machine::Backup);
    two.start(Machine::Backup);
    let again = two.until(Machine::Backup, "it is still said", |status| alarmed(status, "MIR-107").is_some());
    assert_eq!(proven(&again), None, "{again}");
    two.start(Machine::Main);
    two.until_same("it was copied again");
    two.until(Machine::Backup, "and that is proven", |status| {
        alarmed(status, "MIR-107").is_none() && proven(status) > old
    });
}

#[test]
fn a_database_that_is_damaged_on_the_main_is_said_however_well_it_is_copied() {
    let mut two = Two::joined();
    let path = two.data.join("shop.db");
    let open = Connection::open(&path).unwrap();
    open.execute_batch("CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT)").unwrap();
    for _ in 0..500 {
        open.execute("INSERT INTO orders (what) VALUES ('a coffee and a tea')", []).unwrap();
    }
    drop(open);
    two.until_same("a database");
    two.until(Machine::Backup, "it is proven", |status| proven(status).is_some());
    // A comparison has found something before, and what it found was put right.
    flip(&two.mirror().join("shop.db"), 9000);
    let rotten = output(&mut two.espejo(Machine::Backup, &["verify"]));
    assert_eq!(rotten.status.code(), Some(1), "{}", told(&rotten));
    two.until_same("it was put right");
    let whole = output(&mut two.espejo(Machine::Backup, &["verify"]));
    assert_eq!(whole.status.code(), Some(0), "{}", told(&whole));
    File::options().write(true).open(&path).unwrap().write_all_at(&[0xff; 64], 8192).unwrap();
    two.until_same("the damage is copied as all is");
    let verified = output(&mut two.espejo(Machine::Backup, &["verify"]));
    assert_eq!(verified.status.code(), Some(0), "both sides are the same: {}", told(&verified));
    let said = two.until(Machine::Backup, "it is said", |status| alarmed(status, "MIR-206").is_some());
    assert_eq!(alarmed(&said, "MIR-206").unwrap()["file"], "shop.db", "{said}");
    // Also after a night: it is looked at again as soon as both are there.
    two.stop(Machine::Backup);
    two.start(Machine::Backup);
    let said = two.until(Machine::Backup, "it is said again", |status| alarmed(status, "MIR-206").is_some());
    let plan = said["plans"].as_array().unwrap().iter().find(|plan| plan["kind"] == "promote").unwrap();
    let check = plan["checks"].as_array().unwrap().iter().find(|check| check["check"] == "proven").unwrap();
    assert_eq!(check["why"], Value::Null, "what was put right is right: {said}");
    assert!(!two.home(Machine::Backup).join(".RUNDIR.espejo/private").exists(), "nothing is left of the copy");
}

#[test]
fn a_copy_that_cannot_be_read_is_not_proven() {
    let test = "a_copy_that_cannot_be_read_is_not_proven";
    if !rustix::process::geteuid().is_root() {
        return passed_over(test, "only root can give a file to another");
    }
    let mut two = Two::new();
    two.run_as(65534);
    two.init();
    fs::write(two.data.join("PRICES"), "coffee 2.50").unwrap();
    chown(two.data.join("PRICES"), Some(65534), Some(65534)).unwrap();
    two.meet();
    two.until_same("before");
    let first = proven(&two.until(Machine::Backup, "it is proven", |status| proven(status).is_some()));
    let copied = two.mirror().join("PRICES");
    chown(&copied, Some(0), Some(0)).unwrap();
    fs::set_permissions(&copied, Permissions::from_mode(0o600)).unwrap();
    let said = output(&mut two.espejo(Machine::Backup, &["verify"]));
    assert_eq!(said.status.code(), Some(1), "{}", told(&said));
    let now = two.until(Machine::Backup, "it is said", |status| alarmed(status, "MIR-102").is_some());
    assert_eq!(proven(&now), first, "nothing was proven: {now}");
    chown(&copied, Some(65534), Some(65534)).unwrap();
    two.until(Machine::Backup, "it is proven when it can be", |status| {
        alarmed(status, "MIR-102").is_none() && proven(status) > first
    });
}

#[test]
fn that_the_copy_differed_is_over_when_it_was_proven_since() {
    let two = Two::joined();
    fs::write(two.data.join("PRICES"), "coffee 2.50\n".repeat(4000)).unwrap();
    two.until_same("before");
    let first = proven(&two.until(Machine::Backup, "it is proven", |status| proven(status).is_some()));
    flip(&two.mirror().join("PRICES"), 20_000);
    let said = output(&mut two.espejo(Machine::Backup, &["verify"]));
    assert_eq!(said.status.code(), Some(1), "{}", told(&said));
    let check = |status: &Value| {
        let plan = status["plans"].as_array().unwrap().iter().find(|plan| plan["kind"] == "switch").unwrap().clone();
        let checks = plan["checks"].as_array().unwrap();
        checks.iter().find(|check| check["check"] == "proven").unwrap()["why"].clone()
    };
    let said = two.until(Machine::Backup, "it stands against a change", |status| check(status).is_object());
    assert_eq!(proven(&said), first, "{said}");
    two.until(Machine::Backup, "until it is proven by itself", |status| {
        check(status).is_null() && proven(status) > first
    });
}

#[test]
fn what_nobody_had_room_to_open_is_not_proven_and_an_old_proof_is_told() {
    let mut two = Two::new();
    let test = "what_nobody_had_room_to_open_is_not_proven_and_an_old_proof_is_told";
    let home = two.home(Machine::Backup);
    let Some(disk) = SmallDisk::over(&home, "128m", test) else { return };
    two.init();
    let database = Connection::open(two.data.join("shop.db")).unwrap();
    database.execute_batch("CREATE TABLE orders (what BLOB); INSERT INTO orders VALUES (zeroblob(16))").unwrap();
    drop(database);
    two.meet();
    two.until_same("the first copy");
    let first = proven(&two.until(Machine::Backup, "it is proven", |status| proven(status).is_some()));
    two.stop(Machine::Backup);
    // Three days, and next to no room: more than there must be anyway, and less than a database takes.
    let index = Connection::open(home.join(".RUNDIR.espejo/index.db")).unwrap();
    assert_eq!(index.execute("UPDATE proven SET seconds = seconds - 270000", []), Ok(1));
    drop(index);
    let others = File::create(home.join("others")).unwrap();
    let free = rustix::fs::statvfs(&home).unwrap();
    rustix::fs::fallocate(&others, rustix::fs::FallocateFlags::empty(), 0, (free.f_bavail * free.f_frsize) - LEFT)
        .unwrap();
    two.start(Machine::Backup);
    let said = two.until(Machine::Backup, "it is said", |status| {
        alarmed(status, "MIR-209").is_some() && alarmed(status, "MIR-210").is_some()
    });
    assert!(proven(&said) < first, "it is not proven anew: {said}");
    drop(others);
    fs::remove_file(home.join("others")).unwrap();
    crate::common::two::verified(&two, "with room");
    two.until(Machine::Backup, "it is proven again", |status| {
        proven(status) > first && alarmed(status, "MIR-209").is_none() && alarmed(status, "MIR-210").is_none()
    });
    drop(two);
    drop(disk);
}
