//! An epoch counts only with the signature of the machine that took it.

use std::fs;
use std::path::PathBuf;

use espejo::service::home::{load_record, save_record};
use serde_json::{Value, json};

use crate::common::place::{output, told};
use crate::common::two::{Machine, Two};
use crate::common::until;

fn proofs(two: &Two, machine: Machine) -> PathBuf {
    two.home(machine).join("proofs.json")
}

/// The epochs of which a machine has a proof.
fn proven(two: &Two, machine: Machine) -> Vec<u64> {
    let all: Value = serde_json::from_slice(&fs::read(proofs(two, machine)).unwrap()).unwrap();
    all.as_array().unwrap().iter().map(|proof| proof["epoch"].as_u64().unwrap()).collect()
}

fn doubts(status: &Value) -> bool {
    status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == "MIR-306")
}

#[test]
fn an_epoch_that_is_not_proven_is_refused_and_changes_nothing() {
    let mut two = Two::joined();
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    two.until_same("before");
    assert_eq!(proven(&two, Machine::Main), [1]);
    two.stop(Machine::Backup);
    let home = two.home(Machine::Backup);
    let saved = load_record(&home).unwrap().unwrap();
    // Its files say that it has seen the epoch of another server; nobody has signed that.
    save_record(&home, &saved.following(3, 7)).unwrap();
    two.start(Machine::Backup);
    let status = two.until(Machine::Main, "it is not believed", doubts);
    assert_eq!((&status["duty"], &status["epoch"]), (&json!("serving"), &json!(1)), "{status}");
    assert_eq!(load_record(&two.home(Machine::Main)).unwrap().unwrap().epoch, 1);
    until("it is logged", || two.logged(Machine::Main, "does not prove") > 0);
    two.stop(Machine::Backup);
    save_record(&home, &saved).unwrap();
    two.start(Machine::Backup);
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n").unwrap();
    two.until_same("it is mended");
    two.until(Machine::Main, "the alarm is over", |status| !doubts(status));
}

#[test]
fn homes_from_before_there_were_proofs_go_on_and_change_their_server() {
    let mut two = Two::new();
    two.init();
    two.set_pos();
    two.meet();
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    two.until_same("before");
    two.until(Machine::Backup, "the copy is whole", |status| status["mirror"]["as_of"].is_string());
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    let promoted = output(&mut two.espejo(Machine::Backup, &["promote", "--yes"]));
    assert_eq!(promoted.status.code(), Some(0), "{}", told(&promoted));
    two.until(Machine::Backup, "it serves", |status| status["duty"] == "serving");
    assert!(proven(&two, Machine::Backup).contains(&2));
    two.cut_power(Machine::Backup);
    for machine in [Machine::Main, Machine::Backup] {
        let _ = fs::remove_file(proofs(&two, machine));
        let path = two.home(machine).join("node.json");
        let mut node: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert!(node.as_object_mut().unwrap().remove("store").unwrap().is_string());
        fs::write(&path, node.to_string()).unwrap();
    }
    two.start(Machine::Backup);
    two.start(Machine::Main);
    let follows = |status: &Value| status["duty"] == "mirroring" && status["epoch"] == 2;
    two.until(Machine::Main, "it has seen the proof", follows);
    assert!(proven(&two, Machine::Main).contains(&2) && proven(&two, Machine::Backup).contains(&2));
    two.until(Machine::Backup, "the main is level", |status| {
        status["mirror"]["as_of"].is_string() && status["peer"]["state"] == "healthy"
    });
    let returned = output(&mut two.espejo(Machine::Backup, &["return"]));
    assert_eq!(returned.status.code(), Some(0), "{}", told(&returned));
    two.until(Machine::Main, "it serves", |status| status["duty"] == "serving" && status["epoch"] == 3);
    two.until(Machine::Backup, "the backup follows", |status| status["duty"] == "mirroring" && status["epoch"] == 3);
    assert!(proven(&two, Machine::Backup).ends_with(&[2, 3]));
    two.until(Machine::Main, "nobody doubts", |status| !doubts(status));
}
