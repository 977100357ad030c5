//! The backup acknowledges what its disk then does not take: nothing is served from half of it, and nobody is told that all is there.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;

use serde_json::Value;

use crate::common::passed_over;
use crate::common::place::{output, told};
use crate::common::two::{Machine, Two};
use crate::turns::done;

/// Nobody in particular: root is refused nothing.
const USER: u32 = 65534;

/// A shop whose backup has acknowledged a second order in two files, and cannot write one of them, for that folder became somebody else's.
fn shop(test: &str) -> Option<(Two, PathBuf)> {
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
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    Some((two, folder))
}

/// So many orders in either file.
fn sold(two: &Two, orders: u32) {
    for name in ["ORDERS/ORDER.QUE", "STOCK/COFFEE.DAT"] {
        let path = two.data.join(name);
        let _ = fs::remove_file(&path);
        fs::write(&path, "coffee\n".repeat(orders as usize)).unwrap();
        chown(&path, Some(USER), Some(USER)).unwrap();
    }
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
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    for path in [folder.join("COFFEE.DAT"), folder] {
        chown(path, Some(USER), Some(USER)).unwrap();
    }
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
