//! A planned change to the backup: nothing is lost, and everything comes back.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::common::place::told;
use crate::common::two::{Machine, RUNS};
use crate::common::{make_program, needs, passed_over, tree, until};
use crate::turns::{asked, done, refused, shop, with_pos};

#[test]
fn the_place_goes_to_the_backup_and_comes_back_and_nothing_is_lost() {
    let two = shop();
    let plan = asked(&two, Machine::Backup, &["switch", "--plan", "--json"]);
    assert_eq!(plan.status.code(), Some(0), "{}", told(&plan));
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert!(plan["loss"].is_null() && plan["licence_ends_at"].is_string(), "{plan}");
    let steps = ["other-level", "pause", "last-changes", "compare", "hand-over"];
    assert_eq!(plan["steps"], serde_json::json!(steps));
    two.until_it_may(Machine::Main, "switch");
    // Sold at the last moment.
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n").unwrap();
    done(&two, Machine::Main, &["switch", "--reason", "an update"]);
    assert_eq!(fs::read_to_string(two.mirror().join("ORDER.QUE")).unwrap(), "1;coffee\n2;tea\n");
    let status = two.until(Machine::Backup, "the backup serves", |status| status["server"] == "ready");
    assert_eq!((&status["duty"], &status["epoch"]), (&"serving".into(), &2.into()), "{status}");
    assert_eq!(status["licence"]["state"], "running", "{status}");
    two.until(Machine::Main, "the main mirrors", |status| status["duty"] == "mirroring" && status["epoch"] == 2);
    refused(&two, Machine::Main, &["switch"], "server already");
    fs::write(two.mirror().join("ORDER.QUE"), "1;coffee\n2;tea\n3;beer\n").unwrap();
    until("the main holds it", || tree::are_same(&two.data, &two.mirror()));
    let rescue = two.path().join(".pos.espejo/rescue");
    assert!(!rescue.exists(), "nothing was there to be set aside");
    done(&two, Machine::Backup, &["return"]);
    two.until(Machine::Main, "the main serves", |status| status["duty"] == "serving" && status["epoch"] == 3);
    two.until(Machine::Backup, "no day runs", |status| status["licence"]["state"] == "ready");
    let known: Value = serde_json::from_slice(&asked(&two, Machine::Backup, &["history", "--json"]).stdout).unwrap();
    let mut known = known["operations"].as_array().unwrap().iter();
    assert!(known.any(|one| one["kind"] == "switch" && one["state"] == "done" && one["reason"] == "an update"));
}

#[test]
fn the_place_goes_over_where_not_everything_can_be_watched() {
    let mut two = shop();
    let limited = "unshare --user --map-root-user sh -c 'echo 8 > /proc/sys/user/max_inotify_watches";
    if !Command::new("sh").args(["-c", &format!("{limited}'")]).output().is_ok_and(|output| output.status.success()) {
        return passed_over(
            "the_place_goes_over_where_not_everything_can_be_watched",
            "nobody can be given few watches here: there are no user namespaces, or no unshare",
        );
    }
    let (known, few) = (two.espejo(Machine::Main, &[]), two.path().join("few-watches"));
    let script = format!("#!/bin/sh\nexec {limited} && exec \"$0\" \"$@\"' {} \"$@\"\n", known.get_program().display());
    make_program(&few, &script);
    let folder = |number: u32| two.data.join(format!("folder {number}"));
    (0..20).for_each(|number| fs::create_dir(folder(number)).unwrap());
    two.stop(Machine::Main);
    two.install(Machine::Main, &few);
    two.start(Machine::Main);
    let is_said = |status: &Value| status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == "MIR-204");
    two.until(Machine::Main, "it is said", is_said);
    two.until_it_may(Machine::Main, "switch");
    (0..20).for_each(|number| fs::write(two.data.join(format!("folder {number}/file")), "sold").unwrap());
    done(&two, Machine::Main, &["switch"]);
    let last = two.mirror().join("folder 19/file");
    assert_eq!(fs::read_to_string(last).unwrap(), "sold", "also what nobody told of");
}

#[test]
fn what_the_pos_server_writes_through_memory_as_it_ends_goes_over() {
    needs!("python3");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pair/mapper.py");
    let server = format!(
        "command = [\"python3\", \"{}\", \"{{data}}\"]\nready = {{ command = [\"true\"], timeout = \"30s\" }}",
        script.display()
    );
    let two = with_pos(&server);
    let stored = |at: usize, what: &str| {
        fs::read(two.mirror().join("MAPPED.DAT")).is_ok_and(|bytes| bytes[at..].starts_with(what.as_bytes()))
    };
    until("it is mirrored", || stored(0, "first"));
    let pid: i32 = fs::read_to_string(two.path().join("mapper.pid")).unwrap().parse().unwrap();
    rustix::process::kill_process(Pid::from_raw(pid).unwrap(), Signal::USR1).unwrap();
    until("so is what shows in no stamp", || stored(50, "second"));
    two.until_it_may(Machine::Main, "switch");
    done(&two, Machine::Main, &["switch"]);
    assert!(stored(100, "last"));
}

#[test]
fn what_stands_against_it_is_said_and_the_main_serves_on() {
    let mut two = shop();
    two.stop(Machine::Backup);
    two.until(Machine::Main, "the backup is missed", |status| status["peer"]["state"] == "lost");
    refused(&two, Machine::Main, &["switch"], "not heard");
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it is back", |status| status["duty"] == "mirroring");
    two.until(Machine::Backup, "the copy is whole", |status| status["mirror"]["as_of"].is_string());
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    refused(&two, Machine::Backup, &["switch"], "not heard");
    assert_eq!(two.status(Machine::Backup).unwrap()["epoch"], 1);
}

#[test]
fn a_backup_whose_pos_server_does_not_start_gives_its_place_back() {
    let failing = "command = [\"false\"]\nready = { command = [\"true\"], timeout = \"1s\" }";
    let two = with_pos(&format!("{RUNS}\n[server.backup]\n{failing}"));
    two.until_it_may(Machine::Main, "switch");
    let said = asked(&two, Machine::Main, &["switch"]);
    assert!(said.status.code() == Some(1) && told(&said).contains("given the place back"), "{}", told(&said));
    let status = two.until(Machine::Main, "the main serves again", |status| status["server"] == "ready");
    assert_eq!((&status["duty"], &status["epoch"]), (&"serving".into(), &3.into()), "{status}");
    two.until(Machine::Backup, "the backup follows again", |status| {
        status["duty"] == "mirroring" && status["epoch"] == 3
    });
    assert!(tree::are_same(&two.data, &two.mirror()));
}
