//! The main has its place again by itself, where the store says so: never against what a person wanted.

use std::fs;

use serde_json::Value;

use crate::common::two::{Machine, RUNS, Two};
use crate::common::{tree, until};
use crate::turns::{asked, done, with_pos};

/// A shop that returns by itself when the main has been well for a moment.
fn shop(server: &str) -> Two {
    with_pos(&format!("{server}\n[return]\nmode = \"auto\"\nafter = \"300ms\""))
}

/// The main dies, and the backup serves.
fn main_dies(two: &mut Two) {
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(two, Machine::Backup, &["promote", "--yes"]);
    fs::write(two.mirror().join("ORDER.QUE"), "1;coffee\n2;milk\n").unwrap();
}

/// The changes of server that a machine knows of, the newest last.
fn turns(two: &Two, machine: Machine) -> Vec<Value> {
    let known: Value = serde_json::from_slice(&asked(two, machine, &["history", "--json"]).stdout).unwrap();
    known["operations"].as_array().unwrap().clone()
}

#[test]
fn it_returns_when_the_main_is_well_again_and_not_in_maintenance() {
    let mut two = shop(RUNS);
    main_dies(&mut two);
    done(&two, Machine::Backup, &["maintenance", "on"]);
    two.start(Machine::Main);
    two.until(Machine::Backup, "the main is level", |status| status["mirror"]["as_of"].is_string());
    until("the main holds everything", || tree::are_same(&two.mirror(), &two.data));
    let status = two.until(Machine::Backup, "a return is possible", |status| {
        let plans = status["plans"].as_array().unwrap();
        let plan = plans.iter().find(|plan| plan["kind"] == "return").unwrap();
        plan["checks"].as_array().unwrap().iter().all(|check| check["why"].is_null())
    });
    assert!(status["duty"] == "serving" && status["returns_in_ms"].is_null(), "{status}");
    done(&two, Machine::Main, &["maintenance", "off"]);
    two.until(Machine::Main, "the main serves", |status| status["server"] == "ready" && status["epoch"] == 3);
    assert_eq!(fs::read_to_string(two.data.join("ORDER.QUE")).unwrap(), "1;coffee\n2;milk\n");
    let last = turns(&two, Machine::Backup).pop().unwrap();
    assert_eq!((&last["kind"], &last["by"]), (&"return".into(), &"espejo (auto)".into()), "{last}");
}

#[test]
fn what_a_person_has_changed_is_not_changed_back() {
    let two = shop(RUNS);
    two.until_it_may(Machine::Main, "switch");
    done(&two, Machine::Main, &["switch"]);
    two.until(Machine::Backup, "the main is level", |status| status["mirror"]["as_of"].is_string());
    // Long enough for it to be tried: signs of the copy come three times a second at the most.
    let mut last = two.until(Machine::Backup, "it serves", |status| status["server"] == "ready");
    for _ in 0..5 {
        let is_later = |status: &Value| status["mirror"]["as_of"] != last["mirror"]["as_of"];
        last =
            two.until(Machine::Backup, "it serves on", |status| status["returns_in_ms"].is_null() && is_later(status));
    }
    assert_eq!((&last["duty"], &last["epoch"]), (&"serving".into(), &2.into()), "{last}");
    assert_eq!(turns(&two, Machine::Backup).pop().unwrap()["kind"], "switch");
}

#[test]
fn a_main_that_cannot_serve_is_tried_once() {
    // It fails from the second start on.
    let once = "command = [\"sh\", \"-c\", \"test -e {data}/broken && exit 1; exec tail -f /dev/null\"]\n\
        ready = { command = [\"true\"], timeout = \"1s\" }\n[server.backup]\n";
    let mut two = shop(&format!("{once}{RUNS}"));
    main_dies(&mut two);
    fs::write(two.mirror().join("broken"), "").unwrap();
    two.start(Machine::Main);
    let status = two.until(Machine::Backup, "it serves again", |status| {
        status["epoch"] == 4 && status["server"] == "ready" && status["operation"]["state"] == "failed"
    });
    assert_eq!((&status["operation"]["kind"], &status["duty"]), (&"return".into(), &"serving".into()), "{status}");
    two.until(Machine::Main, "the main follows again", |status| {
        status["duty"] == "mirroring" && status["epoch"] == 4 && status["mirror"]["as_of"].is_string()
    });
    let told = two.until(Machine::Backup, "the main is level", |status| status["mirror"]["as_of"].is_string());
    assert!(told["returns_in_ms"].is_null(), "a person is to look: {told}");
    let returns = turns(&two, Machine::Backup).iter().filter(|one| one["kind"] == "return").count();
    assert_eq!(returns, 1);
}
