//! The backup acknowledges what its disk then does not take: nothing is served from half of it, and nobody is told that all is there.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::common::place::{output, told};
use crate::common::small_disk::SmallDisk;
use crate::common::two::{Machine, Two};
use crate::common::{make_program, passed_over, until, until_some};
use crate::turns::done;

/// Nobody in particular: root is refused nothing.
const USER: u32 = 65534;

/// A shop whose backup has acknowledged a second order in two files, and cannot write one of them, for that folder became somebody else's;
/// and whose main has died since.
fn shop(test: &str) -> Option<(Two, PathBuf)> {
    let (mut two, folder) = refusing(test)?;
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    Some((two, folder))
}

/// The same, before that.
fn refusing(test: &str) -> Option<(Two, PathBuf)> {
    if !rustix::process::geteuid().is_root() {
        passed_over(test, "only root can run as another user");
        return None;
    }
    let mut two = Two::new();
    two.run_as(USER);
    two.init();
    two.set_pos();
    for folder in ["ORDERS", "STOCK"] {
        fs::create_dir(two.data.join(folder)).unwrap();
        chown(two.data.join(folder), Some(USER), Some(USER)).unwrap();
    }
    sold(&two, 1);
    two.meet();
    two.until_same("the first copy");
    two.until(Machine::Backup, "it has caught up", |status| status["mirror"]["caught_up"] == true);
    let folder = two.mirror().join("STOCK");
    chown(&folder, Some(0), Some(0)).unwrap();
    chown(folder.join("COFFEE.DAT"), Some(0), Some(0)).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(folder.join("COFFEE.DAT"), fs::Permissions::from_mode(0o444)).unwrap();
    sold(&two, 2);
    two.until(Machine::Backup, "its disk refuses it", |status| status["alarms"].to_string().contains("MIR-102"));
    Some((two, folder))
}

/// Gives the folder back.
fn allow(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    for path in [&folder.join("COFFEE.DAT"), folder] {
        chown(path, Some(USER), Some(USER)).unwrap();
    }
}

/// So many orders in either file, which the main sees together.
fn sold(two: &Two, orders: u32) {
    let main = two.is_started(Machine::Main).then(|| Pid::from_raw(i32::try_from(two.number(Machine::Main)).unwrap()));
    let tell = |signal| main.flatten().into_iter().for_each(|main| kill_process(main, signal).unwrap());
    tell(Signal::STOP);
    for name in ["ORDERS/ORDER.QUE", "STOCK/COFFEE.DAT"] {
        let path = two.data.join(name);
        let _ = fs::remove_file(&path);
        fs::write(&path, "coffee\n".repeat(orders as usize)).unwrap();
        chown(&path, Some(USER), Some(USER)).unwrap();
    }
    tell(Signal::CONT);
}

/// Orders in either file of the mirror.
fn held(two: &Two) -> [usize; 2] {
    let count = |name: &str| fs::read_to_string(two.mirror().join(name)).unwrap().lines().count();
    ["ORDERS/ORDER.QUE", "STOCK/COFFEE.DAT"].map(count)
}

/// What stands against a start.
fn refused(two: &Two) -> String {
    let said = output(&mut two.espejo(Machine::Backup, &["promote", "--yes"]));
    assert_eq!(said.status.code(), Some(3), "{}", told(&said));
    told(&said)
}

/// Found by reading: what was acknowledged went without a word, and the POS server began with half of it.
#[test]
fn what_is_acknowledged_and_not_in_place_is_said_before_a_start_and_waited_for() {
    let test = "what_is_acknowledged_and_not_in_place_is_said_before_a_start_and_waited_for";
    let Some((two, folder)) = shop(test) else { return };
    assert!(refused(&two).contains("acknowledged last may not be in place"));
    let refused = two.status(Machine::Backup).unwrap();
    assert_eq!(refused["duty"], "mirroring", "{refused}");
    // The copy is as old as what is in place.
    let sold_at = fs::metadata(two.data.join("STOCK/COFFEE.DAT")).unwrap().modified().unwrap();
    let as_of: Timestamp = refused["mirror"]["as_of"].as_str().unwrap().parse().unwrap();
    assert!(as_of < Timestamp::try_from(sold_at).unwrap(), "{refused}");
    allow(&folder);
    two.until(Machine::Backup, "it is applied", |status| !status["alarms"].to_string().contains("MIR-102"));
    done(&two, Machine::Backup, &["promote", "--yes"]);
    assert_eq!(held(&two), [2, 2]);
}

#[test]
fn who_takes_less_starts_from_the_last_whole_state() {
    let Some((mut two, _)) = shop("who_takes_less_starts_from_the_last_whole_state") else { return };
    assert!(refused(&two).contains("--accept-loss"));
    // A service that begins with that can be started from all the same.
    two.stop(Machine::Backup);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "its disk still refuses it", |status| {
        status["alarms"].to_string().contains("MIR-102") && status["peer"]["state"] != "healthy"
    });
    assert!(refused(&two).contains("--accept-loss"));
    done(&two, Machine::Backup, &["promote", "--yes", "--accept-loss"]);
    assert_eq!(held(&two), [1, 1], "not half of an order");
    let status: Value = two.status(Machine::Backup).unwrap();
    assert_eq!((&status["duty"], &status["server"]), (&"serving".into(), &"ready".into()), "{status}");
    let kept = output(&mut two.espejo(Machine::Backup, &["rescue", "list"]));
    assert!(told(&kept).contains("unapplied-2-1"), "{}", told(&kept));
}

/// Found by reading: behind what could not be applied the next link was answered by nobody, and the copy could not be taken anew.
#[test]
fn behind_what_cannot_be_applied_the_copy_goes_on_and_can_be_taken_anew() {
    let test = "behind_what_cannot_be_applied_the_copy_goes_on_and_can_be_taken_anew";
    let Some((two, folder)) = refusing(test) else { return };
    let main = Pid::from_raw(i32::try_from(two.number(Machine::Main)).unwrap()).unwrap();
    let is = |state: &'static str| move |status: &Value| status["peer"]["state"] == state;
    kill_process(main, Signal::STOP).unwrap();
    two.until(Machine::Backup, "the line is given up", is("lost"));
    kill_process(main, Signal::CONT).unwrap();
    let seq = |status: &Value| status["mirror"]["position"]["seq"].as_u64().unwrap();
    let before = seq(&two.until(Machine::Backup, "they talk again", is("healthy")));
    sold(&two, 3);
    two.until(Machine::Backup, "it is acknowledged on the next line", |status| seq(status) > before);
    // A comparison waits behind it, and must not keep anybody from that.
    let mut compared = two.espejo(Machine::Backup, &["verify"]).spawn().unwrap();
    two.until(Machine::Backup, "both are to be compared", |status| status["operation"]["kind"] == "verify");
    let mut anew = two.espejo(Machine::Backup, &["reseed", "--yes"]).spawn().unwrap();
    assert_eq!(compared.wait().unwrap().code(), Some(1));
    two.until(Machine::Backup, "it is taken anew", |status| status["mirror"]["as_of"].is_null());
    let refused = output(&mut two.espejo(Machine::Backup, &["verify"]));
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
    allow(&folder);
    two.until_same("it is whole");
    assert!(anew.wait().unwrap().success());
    done(&two, Machine::Backup, &["verify"]);
    assert_eq!(held(&two), [3, 3]);
    two.until(Machine::Backup, "all is well", |status| !status["alarms"].to_string().contains("MIR-102"));
}

/// Found by reading: what a change had taken away, and what could not be put back, was deleted with all else that led back.
#[test]
fn what_can_neither_be_applied_nor_undone_is_set_aside_when_the_copy_is_taken_anew() {
    let test = "what_can_neither_be_applied_nor_undone_is_set_aside_when_the_copy_is_taken_anew";
    if !rustix::process::geteuid().is_root() {
        return passed_over(test, "only root can run as another user");
    }
    let mut two = Two::new();
    let Some(disk) = SmallDisk::over(&two.home(Machine::Backup), "64m", test) else { return };
    chown(disk.path(), Some(USER), Some(USER)).unwrap();
    two.run_as(USER);
    two.init();
    for folder in ["ORDERS", "STOCK"] {
        fs::create_dir(two.data.join(folder)).unwrap();
        chown(two.data.join(folder), Some(USER), Some(USER)).unwrap();
    }
    // So much that only what is added is written to it.
    sold(&two, 150_000);
    two.meet();
    two.until_same("the first copy");
    two.until(Machine::Backup, "it has caught up", |status| status["mirror"]["caught_up"] == true);
    two.kill(Machine::Backup);
    // Names go first. From then on there is no room, and nothing can be put back.
    let orders = two.mirror().join("ORDERS");
    let [stops, filler, goes_on] = ["stops", "filler", "goes-on"].map(|name| two.path().join(name));
    disk.filler(&filler);
    make_program(&stops, &format!("#!/bin/sh\n{}\nuntil [ -e {} ]; do :; done\n", filler.display(), goes_on.display()));
    two.around(Machine::Backup, "FAILPOINTS", &format!("apply.names-placed=return({})", stops.display()));
    two.start(Machine::Backup);
    two.until(Machine::Backup, "they talk", |status| status["peer"]["state"] == "healthy");
    let main = Pid::from_raw(i32::try_from(two.number(Machine::Main)).unwrap()).unwrap();
    kill_process(main, Signal::STOP).unwrap();
    fs::remove_file(two.data.join("ORDERS/ORDER.QUE")).unwrap();
    let mut stock = fs::File::options().append(true).open(two.data.join("STOCK/COFFEE.DAT")).unwrap();
    stock.write_all(&b"tea\n".repeat(1000)).unwrap();
    kill_process(main, Signal::CONT).unwrap();
    until("it is full", || SmallDisk::filled(&filler).exists());
    chown(&orders, Some(0), Some(0)).unwrap();
    fs::write(goes_on, "").unwrap();
    let is_refused =
        |status: &Value| ["MIR-101", "MIR-102"].iter().any(|code| status["alarms"].to_string().contains(code));
    two.until(Machine::Backup, "it does not fit, or cannot be put back", is_refused);
    disk.clear();
    two.until(Machine::Backup, "its disk refuses it", |status| status["alarms"].to_string().contains("MIR-102"));
    assert!(!orders.join("ORDER.QUE").exists(), "it cannot be put back");
    let mut anew = two.espejo(Machine::Backup, &["reseed", "--yes"]).spawn().unwrap();
    two.until(Machine::Backup, "it is taken anew", |status| status["mirror"]["as_of"].is_null());
    chown(&orders, Some(USER), Some(USER)).unwrap();
    assert!(anew.wait().unwrap().success());
    two.until_same("it is whole");
    let listed = output(&mut two.espejo(Machine::Backup, &["rescue", "list"]));
    assert!(told(&listed).contains("half-applied"), "{}", told(&listed));
    let mut all = fs::read_dir(two.home(Machine::Backup).join(".RUNDIR.espejo/rescue")).unwrap();
    let kept = all.find_map(|entry| fs::read_to_string(entry.unwrap().path().join("ORDERS/ORDER.QUE")).ok());
    assert_eq!(kept.unwrap().lines().count(), 150_000);
    until("the diary has it", || {
        told(&output(&mut two.espejo(Machine::Backup, &["history", "--events"]))).contains("half-applied")
    });
}

/// Found by reading: a dataset that had stopped was served though a crash had left it in the middle of a change.
#[test]
fn what_a_crash_left_half_applied_is_never_served_also_where_its_dataset_has_stopped() {
    let test = "what_a_crash_left_half_applied_is_never_served_also_where_its_dataset_has_stopped";
    if !rustix::process::geteuid().is_root() {
        return passed_over(test, "only root can run as another user");
    }
    let mut two = Two::new();
    two.run_as(USER);
    two.init();
    two.set_pos();
    let (images, copy) = (two.path().join("images"), two.home(Machine::Backup).join("IMAGES"));
    let logo = |letter: &str| format!("{}{}", letter.repeat(16_384), "espejo".repeat(20_000));
    fs::create_dir(&images).unwrap();
    fs::write(images.join("logo"), logo("a")).unwrap();
    fs::write(two.data.join("POS-Q.Seq"), "1\n").unwrap();
    for path in [&images, &images.join("logo"), &two.data.join("POS-Q.Seq")] {
        chown(path, Some(USER), Some(USER)).unwrap();
    }
    let store = two.home(Machine::Main).join("store.toml");
    let text = fs::read_to_string(&store).unwrap();
    let more = format!("\n[[dataset]]\nname = \"images\"\nmain = \"{}\"\nbackup = \"IMAGES\"\n", images.display());
    fs::write(&store, text + &more).unwrap();
    two.meet();
    two.until_same("the first copy");
    let held = || fs::read_to_string(copy.join("logo")).unwrap_or_default();
    until("the images are mirrored", || held() == logo("a"));
    two.until(Machine::Backup, "it has caught up", |status| status["mirror"]["caught_up"] == true);
    two.kill(Machine::Backup);
    two.around(Machine::Backup, "FAILPOINTS", "apply.one-edited=return");
    two.start(Machine::Backup);
    two.until(Machine::Backup, "they talk", |status| status["peer"]["state"] == "healthy");
    fs::write(images.join("logo"), logo("b")).unwrap();
    two.until_killed(Machine::Backup);
    assert_eq!(held(), logo("b"), "the change stands there, and does not count yet");
    two.around(Machine::Backup, "FAILPOINTS", "");
    two.cut_power(Machine::Main);
    chown(copy.join("logo"), Some(0), Some(0)).unwrap();
    fs::set_permissions(copy.join("logo"), fs::Permissions::from_mode(0o444)).unwrap();
    two.start(Machine::Backup);
    two.until(Machine::Backup, "the images have stopped", |status| status["alarms"].to_string().contains("MIR-105"));
    assert!(refused(&two).contains("images"));
    let said = output(&mut two.espejo(Machine::Backup, &["promote", "--yes", "--accept-loss"]));
    assert_eq!(said.status.code(), Some(1), "{}", told(&said));
    assert!(told(&said).contains("images"), "{}", told(&said));
    assert_eq!(two.status(Machine::Backup).unwrap()["duty"], "mirroring");
    chown(copy.join("logo"), Some(USER), Some(USER)).unwrap();
    fs::set_permissions(copy.join("logo"), fs::Permissions::from_mode(0o644)).unwrap();
    // While the images are being opened once more, nobody knows yet whether there is a copy of them.
    let started = until_some("a start is possible", || {
        let said = output(&mut two.espejo(Machine::Backup, &["promote", "--yes", "--accept-loss"]));
        Some(said).filter(|said| said.status.code() != Some(3))
    });
    assert_eq!(started.status.code(), Some(0), "{}", told(&started));
    let served = held();
    assert!(served == logo("a") || served == logo("b"), "one or the other");
}
