//! What befalls the mirror.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use crate::common::place::{Place, told};
use crate::common::random::Random;
use crate::common::small_disk::SmallDisk;
use crate::common::{tree, until};

fn disk_is_full(place: &Place) {
    let status = place.until_status("it is said", |status| status["alarms"][0]["trouble"] == "disk-full");
    assert_eq!(status["alarms"][0]["code"], "MIR-101", "{status}");
}

#[test]
fn a_full_disk_stops_no_one_and_it_goes_on_when_there_is_room() {
    let mut place = Place::new();
    let disk = place.path().join("disk");
    let Some(disk) = SmallDisk::over(&disk, "24m", "a_full_disk_stops_no_one_and_it_goes_on_when_there_is_room") else {
        return;
    };
    place.dest = disk.path().join("mirror");
    let mut random = Random::new(1);
    fs::write(place.source.join("first"), random.bytes(1_000_000)).unwrap();
    let running = place.start(&[]).caught_up();
    place.until_same("before");
    let before = tree::tree(&place.dest);
    let fill = disk.path().join("others");
    fs::write(&fill, random.bytes(12_000_000)).unwrap();
    let more = random.bytes(4_000_000);
    // It comes whole: an empty file that is still being written would find room.
    fs::write(place.path().join("more"), &more).unwrap();
    fs::rename(place.path().join("more"), place.source.join("more")).unwrap();
    disk_is_full(&place);
    assert_eq!(tree::tree(&place.dest), before, "what there was is whole");
    assert_eq!(fs::read(place.source.join("more")).unwrap(), more, "the source is as it was");
    fs::remove_file(&fill).unwrap();
    place.until_same("by itself, with room");
    place.until_status("all is well again", |status| status["alarms"] == serde_json::json!([]));
    running.stop();
    drop(disk);
}

#[test]
fn a_disk_that_is_full_during_a_first_copy_is_said_and_it_goes_on_when_there_is_room() {
    let mut place = Place::new();
    let disk = place.path().join("disk");
    let test = "a_disk_that_is_full_during_a_first_copy_is_said_and_it_goes_on_when_there_is_room";
    let Some(disk) = SmallDisk::over(&disk, "24m", test) else { return };
    place.dest = disk.path().join("mirror");
    let mut random = Random::new(2);
    let fill = disk.path().join("others");
    fs::write(&fill, random.bytes(20_000_000)).unwrap();
    for number in 0..8 {
        fs::write(place.source.join(format!("file {number}")), random.bytes(1_000_000)).unwrap();
    }
    let before = tree::tree(&place.source);
    let running = place.start(&[]);
    disk_is_full(&place);
    assert_eq!(tree::tree(&place.source), before, "the source is as it was");
    fs::remove_file(&fill).unwrap();
    place.until_same("by itself, with room");
    place.until_status("all is well again", |status| status["alarms"] == serde_json::json!([]));
    running.stop();
    drop(disk);
}

#[test]
fn what_was_acknowledged_waits_for_room_also_after_a_restart() {
    let mut place = Place::new();
    let disk = place.path().join("disk");
    let test = "what_was_acknowledged_waits_for_room_also_after_a_restart";
    let Some(disk) = SmallDisk::over(&disk, "32m", test) else { return };
    place.dest = disk.path().join("mirror");
    let mut random = Random::new(3);
    fs::write(place.source.join("first"), random.bytes(1_000_000)).unwrap();
    place.must_copy(&[], "before");
    fs::write(place.source.join("more"), random.bytes(4_000_000)).unwrap();
    assert!(place.dies_at("redo.durable=return", &[]), "acknowledged, not applied");
    let fill = disk.path().join("others");
    let mut file = File::create(&fill).unwrap();
    while std::io::Write::write_all(&mut file, &[7; 8192]).is_ok() {}
    drop(file);
    let running = place.start(&[]);
    disk_is_full(&place);
    fs::remove_file(&fill).unwrap();
    place.until_same("by itself, with room");
    place.until_status("all is well again", |status| status["alarms"] == serde_json::json!([]));
    running.stop();
    drop(disk);
}

#[test]
fn what_a_stranger_did_to_the_mirror_is_noticed_repaired_and_said() {
    let place = Place::new();
    for name in ["changed", "removed", "kept"] {
        fs::write(place.source.join(name), name.repeat(5000)).unwrap();
    }
    let running = place.start(&[]).caught_up();
    place.until_same("before");
    // What is compared after a first copy would find it before it is asked.
    place.until_status("it is compared", |status| status["mirror"]["verified_at"].is_string());
    fs::write(place.dest.join("changed"), "not by us").unwrap();
    fs::remove_file(place.dest.join("removed")).unwrap();
    fs::write(place.dest.join("added"), "not by us").unwrap();
    let verified = place.verify();
    assert_eq!(verified.status.code(), Some(1), "{}", told(&verified));
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    for name in ["changed", "removed", "added"] {
        assert!(said.contains(name), "{said}");
    }
    place.until_same("repaired");
    let verified = place.verify();
    assert_eq!(verified.status.code(), Some(0), "{}", told(&verified));
    running.stop();
}

#[test]
fn bytes_that_turned_behind_their_time_are_found_by_verify() {
    let place = Place::new();
    let path = place.dest.join("file");
    fs::write(place.source.join("file"), "as it was written".repeat(9000)).unwrap();
    let running = place.start(&[]).caught_up();
    place.until_same("before");
    // What is compared after a first copy would find it before it is asked.
    place.until_status("it is compared", |status| status["mirror"]["verified_at"].is_string());
    // The size and the time stay, as when a disk turns a bit.
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"X", 70_000).unwrap();
    file.set_times(fs::FileTimes::new().set_modified(time)).unwrap();
    let verified = place.verify();
    assert_eq!(verified.status.code(), Some(1), "{}", told(&verified));
    place.until_same("repaired");
    assert_eq!(place.verify().status.code(), Some(0));
    running.stop();
}

#[test]
fn a_mirror_that_was_thrown_away_is_taken_anew() {
    let place = Place::new();
    fs::write(place.source.join("file"), "x").unwrap();
    place.must_copy(&[], "the first copy");
    fs::remove_dir_all(&place.dest).unwrap();
    let again = place.once(&["--accept-removals"]);
    assert!(again.status.success(), "{}", told(&again));
    until("it is back", || tree::are_same(&place.source, &place.dest));
}

#[test]
fn a_source_that_goes_away_during_the_first_copy_is_waited_for() {
    let place = Place::new();
    fs::write(place.source.join("large"), vec![7; 6_000_000]).unwrap();
    fs::write(place.source.join("small"), "of the shop").unwrap();
    let running = place.start(&["--max-rate", "3MB"]);
    place.until_status("it is copying", |status| status["mirror"]["copying"]["file"] == "large");
    let away = place.path().join("away");
    fs::rename(&place.source, &away).unwrap();
    place.until_status("it is missed", |status| status["alarms"][0]["code"] == "MIR-201");
    fs::rename(&away, &place.source).unwrap();
    place.until_same("it is back");
    place.until_status("nothing is wrong any more", |status| status["alarms"] == serde_json::json!([]));
    fs::write(place.source.join("small"), "watched again").unwrap();
    place.until_same("and watched again");
    running.stop();
}

#[test]
fn what_was_there_before_stays_set_aside_when_the_source_changes_meanwhile() {
    let place = Place::new();
    fs::create_dir_all(&place.dest).unwrap();
    fs::write(place.dest.join("a"), "of a stranger").unwrap();
    fs::write(place.source.join("a"), "ours").unwrap();
    fs::write(place.source.join("large"), vec![7; 3_000_000]).unwrap();
    let running = place.start(&["--adopt-dest", "--max-rate", "2MB"]);
    place.until_status("the first is through", |status| status["mirror"]["copying"]["file"] == "large");
    fs::write(place.source.join("a"), "ours, changed").unwrap();
    place.until_same("the copy");
    let rescue = fs::read_dir(place.journal().join("rescue")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::read(rescue.join("a")).unwrap(), b"of a stranger");
    running.stop();
}

#[test]
fn what_rots_with_the_right_size_and_time_is_mended_by_one_comparison() {
    let place = Place::new();
    fs::write(place.source.join("POS-R"), "1234567890").unwrap();
    place.must_copy(&[], "the first copy");
    let running = place.start(&[]).caught_up();
    let file = File::options().write(true).open(place.dest.join("POS-R")).unwrap();
    let time = file.metadata().unwrap().modified().unwrap();
    file.write_all_at(b"rot", 3).unwrap();
    file.set_modified(time).unwrap();
    assert_eq!(place.verify().status.code(), Some(1));
    place.until_same("mended");
    assert_eq!(place.verify().status.code(), Some(0));
    running.stop();
}
