//! When the system tells of less than it should.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown};
use std::process::Command;

use espejo::disk::root::Root;
use espejo::replica::RelPath;
use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::common::edits::make_deep;
use crate::common::place::Place;
use crate::common::{passed_over, until};

/// `espejo mirror` where the system grants so many watches and no more; none where this machine cannot be told so.
fn with_watches(place: &Place, watches: u32, test: &str) -> Option<Command> {
    let limit = format!("echo {watches} > /proc/sys/user/max_inotify_watches");
    let limited = |then: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "sh", "-c", &format!("{limit} && {then}")]);
        command
    };
    if !limited("true").output().is_ok_and(|output| output.status.success()) {
        passed_over(test, "nobody can be given few watches here: there are no user namespaces, or no unshare");
        return None;
    }
    let mirror = place.mirror(&["--no-screen"]);
    let mut command = limited("exec \"$0\" \"$@\"");
    command.arg(mirror.get_program()).args(mirror.get_args());
    for (name, value) in mirror.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Some(command)
}

/// The inodes that a process watches.
fn watched(pid: Pid) -> BTreeSet<u64> {
    let infos = fs::read_dir(format!("/proc/{}/fdinfo", pid.as_raw_nonzero())).unwrap();
    let texts: String = infos.filter_map(|info| fs::read_to_string(info.unwrap().path()).ok()).collect();
    let inode = |line: &str| u64::from_str_radix(line.split("ino:").nth(1)?.split(' ').next()?, 16).ok();
    texts.lines().filter(|line| line.starts_with("inotify ")).filter_map(inode).collect()
}

fn times_said(status: &Value) -> usize {
    let said = |event: &&Value| event["what"] == "trouble" && event["trouble"] == "watch-limit";
    status["events"].as_array().unwrap().iter().filter(said).count()
}

#[test]
fn beyond_the_limit_of_watches_it_is_said_once_and_what_nobody_watches_arrives_by_rescans() {
    let place = Place::new();
    let folder = |number: u32| place.source.join(format!("folder {number}"));
    for number in 0..20 {
        fs::create_dir(folder(number)).unwrap();
        fs::write(folder(number).join("file"), "before").unwrap();
    }
    let test = "beyond_the_limit_of_watches_it_is_said_once_and_what_nobody_watches_arrives_by_rescans";
    let Some(mut command) = with_watches(&place, 8, test) else { return };
    let running = place.start_with(&mut command).caught_up();
    place.until_same("before");
    let status = place.until_status("it is said", |status| status["alarms"][0]["code"] == "MIR-204");
    assert_eq!(status["alarms"][0]["rescan_ms"], 30_000, "closer together than ten minutes: {status}");
    assert_eq!(status["can_take_over"]["yes"], true, "it is worth a notice only: {status}");
    // Most of them are watched by nobody, also those that come now.
    for number in 0..25 {
        if number >= 20 {
            fs::create_dir(folder(number)).unwrap();
        }
        fs::write(folder(number).join("file"), format!("after, in {number}")).unwrap();
    }
    place.until_same("by a rescan");
    // A change that nobody hears of, and no other beside it.
    let watched = watched(running.pid());
    let unheard = (0..20).map(folder).find(|folder| !watched.contains(&folder.metadata().unwrap().ino())).unwrap();
    fs::write(unheard.join("file"), "again").unwrap();
    place.until_same("by the rescan alone");
    let status = place.status().unwrap();
    assert_eq!(times_said(&status), 1, "{status}");
    running.stop();
}

#[test]
fn a_watch_that_hears_all_again_ends_what_was_said_of_the_limit() {
    let place = Place::new();
    let folder = |number: u32| place.source.join(format!("folder {number}"));
    (0..30).for_each(|number| fs::create_dir(folder(number)).unwrap());
    fs::write(place.source.join("file"), "before").unwrap();
    let test = "a_watch_that_hears_all_again_ends_what_was_said_of_the_limit";
    let Some(mut command) = with_watches(&place, 16, test) else { return };
    let running = place.start_with(&mut command).caught_up();
    let alarms = |code: &'static str| move |status: &Value| status["alarms"][0]["code"] == code;
    place.until_status("it is said", alarms("MIR-204"));
    // Away, as a disk is that is taken out; it comes back with fewer folders, and a new watch begins.
    let away = place.path().join("away");
    fs::rename(&place.source, &away).unwrap();
    place.until_status("it is missed", alarms("MIR-201"));
    (5..30).for_each(|number| fs::remove_dir(away.join(format!("folder {number}"))).unwrap());
    fs::rename(&away, &place.source).unwrap();
    place.until_status("all is well", |status| status["alarms"] == serde_json::json!([]));
    fs::write(place.source.join("file"), "after").unwrap();
    place.until_same("what the new watch hears");
    running.stop();
}

#[test]
fn where_only_a_look_tells_a_file_that_may_not_be_read_keeps_nothing_behind() {
    let place = Place::new();
    for number in 0..20 {
        fs::create_dir(place.source.join(format!("folder {number}"))).unwrap();
    }
    let test = "where_only_a_look_tells_a_file_that_may_not_be_read_keeps_nothing_behind";
    if !rustix::process::geteuid().is_root() {
        return passed_over(test, "only root can have a file that it may not read in a user namespace");
    }
    let Some(mut command) = with_watches(&place, 8, test) else { return };
    let (closed, open) = (place.source.join("closed"), place.source.join("open"));
    fs::write(&closed, "of a user whom the namespace does not know").unwrap();
    chown(&closed, Some(65_534), Some(65_534)).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o600)).unwrap();
    fs::write(&open, "before").unwrap();
    let running = place.start_with(&mut command).caught_up();
    place.until_status("it is named", |status| status["datasets"][0]["unreadable"][0] == "closed");
    fs::write(&open, "after").unwrap();
    until("others go on", || fs::read(place.dest.join("open")).is_ok_and(|now| now == b"after"));
    place.until_status("nothing is behind", |status| status["mirror"]["behind_ms"] == 0);
    running.stop();
}

#[test]
fn more_than_the_system_keeps_for_us_means_a_look_at_everything() {
    let place = Place::new();
    let at = |name: &str| place.source.join(name);
    fs::create_dir(at("folder")).unwrap();
    for name in ["a", "b", "folder/last"] {
        fs::write(at(name), "before").unwrap();
    }
    let running = place.start(&[]).caught_up();
    place.until_same("before");
    let most = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let most: u32 = most.trim().parse().unwrap();
    if most > 200_000 {
        let test = "more_than_the_system_keeps_for_us_means_a_look_at_everything";
        return passed_over(test, "the system keeps so much that nothing is ever lost");
    }
    running.signal(Signal::STOP);
    let files = ["a", "b"].map(|name| File::options().write(true).open(at(name)).unwrap());
    for number in 0..most {
        for file in &files {
            file.write_all_at(&number.to_le_bytes(), 0).unwrap();
        }
    }
    // Nobody is told of this one any more.
    fs::write(at("folder/last"), "after").unwrap();
    running.signal(Signal::CONT);
    place.until_same("after");
    running.stop();
}

#[test]
fn what_happens_deeper_than_the_system_can_name_arrives_too() {
    let place = Place::new();
    make_deep(&place.source);
    let running = place.start(&["--accept-removals"]).caught_up();
    place.until_same("before");
    let root = Root::open(&place.source).unwrap();
    let deepest = (0..22).fold(RelPath::root(), |folder, number| folder.join(format!("{number:-<200}").as_bytes()));
    let (file, new) = (deepest.join(b"the deepest.DAT"), deepest.join(b"new"));
    root.open_to_write(&file).unwrap().write_all_at(b"sold", 0).unwrap();
    place.until_same("changed");
    root.mkdir(&new).unwrap();
    root.create(&new.join(b"file")).unwrap().write_all_at(b"came", 0).unwrap();
    place.until_same("came");
    root.unlink(&file).unwrap();
    place.until_same("went");
    running.stop();
}
