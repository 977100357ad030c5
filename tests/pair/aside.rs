//! The main comes back after the backup has served: what it alone holds is set aside, and nothing that is only old.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::common::place::{output, told};
use crate::common::small_disk::SmallDisk;
use crate::common::tree::{self, tree};
use crate::common::two::{Machine, Two};
use crate::common::{is_full, until};

/// A shop with a copy that is whole.
fn shop() -> Two {
    let mut two = Two::new();
    open(&mut two);
    two
}

fn open(two: &mut Two) {
    two.init();
    two.set("mirror", "interval = \"300ms\"");
    two.set_pos();
    for (name, content) in [
        ("ORDER.QUE", "1;coffee\n"),
        ("POS-Q.Seq", "1"),
        ("PRICES", "coffee 2.50"),
        ("POS-R", "one table"),
        ("receipt", "of old"),
        ("note", "to be thrown away"),
        ("stays", "as it is"),
    ] {
        fs::write(two.data.join(name), content).unwrap();
    }
    two.meet();
    copied(two, "the shop");
}

fn copied(two: &Two, when: &str) {
    two.until_same(when);
    two.until(Machine::Backup, "the copy is whole", |status| status["mirror"]["as_of"].is_string());
}

fn done(two: &Two, machine: Machine, verb: &[&str]) {
    let said = output(&mut two.espejo(machine, verb));
    assert_eq!(said.status.code(), Some(0), "{verb:?}: {}", told(&said));
}

/// The main dies with three orders that never reached the mirror, and more; the backup serves, and goes on.
fn outage(two: &mut Two) {
    two.kill(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    let at = |name: &str| two.data.join(name);
    let orders = fs::read_to_string(at("ORDER.QUE")).unwrap();
    fs::write(at("ORDER.QUE"), orders + "2;tea\n3;cake\n4;milk, cold\n").unwrap();
    fs::write(at("POS-R"), "two tables").unwrap();
    fs::create_dir_all(at("slips")).unwrap();
    fs::write(at("slips/4"), "milk, cold").unwrap();
    let _ = fs::remove_file(at("note"));
    done(two, Machine::Backup, &["promote", "--yes", "--reason", "a test"]);
    two.until(Machine::Backup, "it serves", |status| status["duty"] == "serving");
    let at = |name: &str| two.mirror().join(name);
    let orders = fs::read_to_string(at("ORDER.QUE")).unwrap();
    fs::write(at("ORDER.QUE"), orders + "2;beer\n").unwrap();
    fs::write(at("POS-Q.Seq"), "2").unwrap();
    fs::write(at("PRICES"), "coffee 2.60").unwrap();
    let _ = fs::remove_file(at("receipt"));
}

/// The main is there again, and holds what the backup holds.
fn back(two: &mut Two) {
    two.start(Machine::Main);
    settled(two);
}

fn settled(two: &Two) {
    two.until(Machine::Main, "the main follows", |status| status["duty"] == "mirroring");
    until("the main holds what the backup holds", || tree::are_same(&two.mirror(), &two.data));
    two.until(Machine::Backup, "the main is level", |status| status["mirror"]["as_of"].is_string());
}

/// What `espejo VERB --json` says on the main.
fn said(two: &Two, args: &[&str]) -> Value {
    let said = output(&mut two.espejo(Machine::Main, args));
    assert_eq!(said.status.code(), Some(0), "{args:?}: {}", told(&said));
    serde_json::from_slice(&said.stdout).unwrap()
}

fn rescues(two: &Two) -> Vec<Value> {
    said(two, &["rescue", "list", "--json"]).as_array().unwrap().clone()
}

/// Makes sure that a rescue of the main holds what it alone held, and no more.
fn check(two: &Two, rescue: &Value, orders: &str, when: &str) {
    let folder = PathBuf::from(rescue["folder"].as_str().unwrap());
    let names: Vec<String> = tree(&folder).keys().map(|path| String::from_utf8_lossy(path).into_owned()).collect();
    assert_eq!(names, ["", "ORDER.QUE", "POS-R", "slips", "slips/4"], "{when}");
    assert_eq!(fs::read_to_string(folder.join("ORDER.QUE")).unwrap(), format!("{orders}2;tea\n3;cake\n4;milk, cold\n"));
    assert_eq!(fs::read_to_string(folder.join("POS-R")).unwrap(), "two tables", "{when}");
    assert_eq!(fs::read_to_string(folder.join("slips/4")).unwrap(), "milk, cold", "{when}");
    let shown = said(two, &["rescue", "show", rescue["name"].as_str().unwrap(), "--records", "--json"]);
    assert_eq!(shown["against"], "start", "{when}");
    let file = |name: &str| shown["files"].as_array().unwrap().iter().find(|one| one["file"] == name).cloned();
    let queue = file("ORDER.QUE").unwrap();
    assert_eq!(
        (&queue["alone"], &queue["records"], &queue["differs_at"], &queue["there_bytes"]),
        (&json!(3), &json!(["2;tea", "3;cake", "4;milk, cold"]), &json!(orders.len()), &json!(orders.len())),
        "{when}: {queue}"
    );
    assert_eq!(file("POS-R").unwrap()["there_bytes"], 9, "{when}");
    assert_eq!(file("slips/4").unwrap()["there_bytes"], Value::Null, "{when}");
}

#[test]
fn the_rescue_holds_what_the_main_alone_held_and_nothing_that_is_only_old() {
    let mut two = shop();
    outage(&mut two);
    back(&mut two);
    let all = rescues(&two);
    assert_eq!((all.len(), &all[0]["epoch"], &all[0]["files"]), (1, &json!(1), &json!(3)), "{all:?}");
    check(&two, &all[0], "1;coffee\n", "the first time");
    let name = all[0]["name"].as_str().unwrap();
    let shown = said(&two, &["rescue", "show", name, "--json"]);
    let note = shown["files"].as_array().unwrap().iter().find(|one| one["file"] == "note").unwrap();
    assert_eq!((&note["bytes"], &note["there_bytes"]), (&Value::Null, &json!(17)), "what was deleted is listed");
    assert!(!shown.to_string().contains("cake"), "records are shown only where that is asked for: {shown}");
    assert!(!two.data.join("receipt").exists(), "what the backup deleted is gone");
    let plain = output(&mut two.espejo(Machine::Main, &["rescue", "show", name]));
    for line in [
        "Compared with what the other machine held when it began to serve",
        "ORDER.QUE, 35 B: the other machine had 9 B; the same up to byte 9",
        "3 records that this machine alone held",
        "POS-R, 10 B: the other machine had 9 B; differs from the mirror at byte 0",
        "slips/4, 10 B: this machine alone had it",
        "note: not here any more; the other machine had 17 B",
    ] {
        assert!(told(&plain).contains(line), "{line}: {}", told(&plain));
    }
    let kept: Value =
        serde_json::from_slice(&fs::read(two.path().join(format!(".pos.espejo/rescue/{name}.json"))).unwrap()).unwrap();
    assert_eq!((&kept["dataset"], &kept["files"].as_array().unwrap().len()), (&json!("pos"), &4), "{kept}");

    // Once: neither a restart nor the way back sets anything aside again.
    two.kill(Machine::Main);
    fs::write(two.mirror().join("PRICES"), "coffee 2.70").unwrap();
    back(&mut two);
    check(&two, &rescues(&two)[0], "1;coffee\n", "after a restart");
    done(&two, Machine::Main, &["return", "--reason", "repaired"]);
    two.until(Machine::Main, "the main serves", |status| status["duty"] == "serving");
    two.until(Machine::Backup, "the backup follows", |status| status["duty"] == "mirroring");
    copied(&two, "as on the first day");
    assert_eq!(rescues(&two).len(), 1);
    assert!(
        !two.home(Machine::Backup).join(".RUNDIR.espejo/rescue").exists(),
        "who gave its place holds nothing alone"
    );

    fs::write(two.data.join("POS-R"), "one table").unwrap();
    fs::remove_dir_all(two.data.join("slips")).unwrap_or_default();
    copied(&two, "before the second time");
    let orders = fs::read_to_string(two.data.join("ORDER.QUE")).unwrap();
    outage(&mut two);
    back(&mut two);
    let all = rescues(&two);
    assert_eq!((all.len(), &all[1]["epoch"]), (2, &json!(3)), "{all:?}");
    check(&two, &all[1], &orders, "the second time");
}

#[test]
fn killed_on_the_way_back_it_sets_the_same_aside_once() {
    let points = [
        "gather.listed",
        "gather.one-kept",
        "gather.kept",
        "gather.over",
        "build.put",
        "build.written",
        "build.durable",
        "build.committed",
    ];
    for (number, point) in points.iter().enumerate().filter(|(number, _)| is_full() || number % 3 == 1) {
        let mut two = shop();
        outage(&mut two);
        two.around(Machine::Main, "FAILPOINTS", &format!("{point}=return"));
        two.start(Machine::Main);
        two.until_killed(Machine::Main);
        if number % 2 == 0 {
            // Whatever the backup sells meanwhile: it is compared with what it began with.
            fs::write(two.mirror().join("stays"), "no more").unwrap();
        }
        two.around(Machine::Main, "FAILPOINTS", "");
        back(&mut two);
        let all = rescues(&two);
        assert_eq!(all.len(), 1, "killed at {point}: {all:?}");
        check(&two, &all[0], "1;coffee\n", point);
    }
}

#[test]
fn a_server_that_a_person_started_again_still_knows_what_it_had_of_the_main() {
    let mut two = shop();
    outage(&mut two);
    for epoch in [4, 6] {
        two.stop(Machine::Backup);
        two.start(Machine::Backup);
        two.until(Machine::Backup, "it waits to hear the main", |status| status["duty"] == "waiting");
        done(&two, Machine::Backup, &["start", "--yes"]);
        two.until(Machine::Backup, "it serves", |status| status["duty"] == "serving" && status["epoch"] == epoch);
    }
    back(&mut two);
    let all = rescues(&two);
    assert_eq!(all.len(), 1, "{all:?}");
    check(&two, &all[0], "1;coffee\n", "after two mornings");
}

#[test]
fn where_nobody_knows_the_start_state_all_that_differs_is_set_aside() {
    let mut two = shop();
    outage(&mut two);
    two.kill(Machine::Backup);
    fs::remove_file(two.home(Machine::Backup).join(".RUNDIR.espejo/index.db")).unwrap();
    two.start(Machine::Backup);
    back(&mut two);
    let all = rescues(&two);
    assert_eq!((all.len(), &all[0]["against"]), (1, &json!("now")), "{all:?}");
    let kept = tree(&PathBuf::from(all[0]["folder"].as_str().unwrap()));
    let names: Vec<_> = kept.keys().map(|path| String::from_utf8_lossy(path).into_owned()).collect();
    assert_eq!(names, ["", "ORDER.QUE", "POS-Q.Seq", "POS-R", "PRICES", "receipt", "slips", "slips/4"]);
}

#[test]
fn without_room_for_what_is_set_aside_nothing_is_replaced() {
    let test = "without_room_for_what_is_set_aside_nothing_is_replaced";
    let mut two = Two::new();
    let Some(_disk) = SmallDisk::over(two.path(), "96m", test) else { return };
    fs::create_dir(&two.data).unwrap();
    open(&mut two);
    let large = |letter: u8| vec![letter; 12 << 20];
    fs::write(two.data.join("POS-R"), large(b'a')).unwrap();
    copied(&two, "the large one");
    outage(&mut two);
    fs::write(two.data.join("POS-R"), large(b'b')).unwrap();
    let filled = two.path().join("others");
    let disk = rustix::fs::statvfs(two.path()).unwrap();
    let all_but_a_little = disk.f_bavail * disk.f_frsize - (6 << 20);
    fs::write(&filled, vec![1; usize::try_from(all_but_a_little).unwrap()]).unwrap();
    let before = tree(&two.data);
    two.start(Machine::Main);
    let full = |status: &Value| status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == "MIR-104");
    two.until(Machine::Main, "it says that there is no room", full);
    assert_eq!(before, tree(&two.data), "nothing is replaced");
    fs::remove_file(&filled).unwrap();
    settled(&two);
    two.until(Machine::Main, "it is mended", |status| !full(status));
    let folder = PathBuf::from(rescues(&two)[0]["folder"].as_str().unwrap());
    assert!(fs::read(folder.join("POS-R")).unwrap() == large(b'b'));
}
