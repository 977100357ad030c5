//! The record of who serves is torn, empty, gone, another machine's, or of no time: whoever begins with that serves only when the
//! other machine or a person says so, and holds back nothing that is to be set aside.

use std::fs;

use espejo::service::home::record_path;
use serde_json::{Value, json};

use crate::common::two::{Machine, Two};
use crate::common::{tree, until};
use crate::turns::{done, refused, shop};

/// What becomes of the record of a machine.
const DAMAGES: [&str; 5] = ["torn", "empty", "gone", "the other's", "of no time"];

fn damage(two: &Two, machine: Machine, how: &str) {
    let path = record_path(&two.home(machine));
    let whole = fs::read(&path).unwrap();
    let set = |name: &str, value: Value| {
        let mut record: Value = serde_json::from_slice(&whole).unwrap();
        record[name] = value;
        fs::write(&path, record.to_string()).unwrap();
    };
    match how {
        "torn" => fs::write(&path, &whole[..whole.len() / 2]).unwrap(),
        "empty" => fs::write(&path, "").unwrap(),
        "gone" => fs::remove_file(&path).unwrap(),
        "the other's" => set("node", json!(if machine == Machine::Main { "backup" } else { "main" })),
        "of no time" => set("epoch", json!(u64::MAX)),
        other => panic!("{other}"),
    }
}

#[test]
fn a_main_without_its_record_serves_when_the_backup_knows_of_no_other_server() {
    for how in DAMAGES {
        let mut two = shop();
        two.cut_power(Machine::Main);
        two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
        damage(&two, Machine::Main, how);
        two.start(Machine::Main);
        let serves = |status: &Value| status["duty"] == "serving" && status["server"] == "ready";
        let status = two.until(Machine::Main, &format!("{how}: it serves"), serves);
        assert_eq!(status["epoch"], 1, "{how}: {status}");
        let mut events = status["events"].as_array().unwrap().iter();
        assert!(events.any(|event| event["noted"] == "record-lost"), "{how}: {status}");
        fs::write(two.data.join("POS-Q.Seq"), "2").unwrap();
        two.until_same(how);
    }
}

#[test]
fn a_main_without_its_record_follows_the_backup_that_serves_and_what_it_alone_held_is_set_aside() {
    for how in DAMAGES {
        let mut two = shop();
        two.cut_power(Machine::Main);
        two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
        fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea, of the main alone\n").unwrap();
        done(&two, Machine::Backup, &["promote", "--yes"]);
        fs::write(two.mirror().join("ORDER.QUE"), "1;coffee\n2;milk\n").unwrap();
        damage(&two, Machine::Main, how);
        two.start(Machine::Main);
        let follows = |status: &Value| status["duty"] == "mirroring" && status["epoch"] == 2;
        two.until(Machine::Main, &format!("{how}: it follows"), follows);
        until("it holds what the backup holds", || tree::are_same(&two.mirror(), &two.data));
        let rescue = two.path().join(".pos.espejo/rescue");
        let mut asides = fs::read_dir(&rescue).unwrap().map(|entry| entry.unwrap().path());
        let aside = asides.find(|path| path.is_dir()).unwrap_or_else(|| panic!("{how}: nothing is set aside"));
        assert!(fs::read_to_string(aside.join("ORDER.QUE")).unwrap().contains("of the main alone"), "{how}");
    }
}

#[test]
fn a_backup_that_served_alone_and_lost_its_record_goes_on_by_the_word_of_a_person() {
    for how in DAMAGES {
        let mut two = shop();
        two.cut_power(Machine::Main);
        two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
        done(&two, Machine::Backup, &["promote", "--yes"]);
        fs::write(two.mirror().join("ORDER.QUE"), "1;coffee\n2;milk\n").unwrap();
        two.cut_power(Machine::Backup);
        damage(&two, Machine::Backup, how);
        two.start(Machine::Backup);
        two.until(Machine::Backup, &format!("{how}: it waits"), |status| {
            status["duty"] == "waiting"
                && status["plans"].as_array().is_some_and(|all| all.iter().any(|one| one["kind"] == "start"))
        });
        done(&two, Machine::Backup, &["start", "--yes"]);
        let status = two.until(Machine::Backup, "it serves", |status| status["duty"] == "serving");
        assert_eq!(status["epoch"], 4, "{how}: {status}");
        // The main comes back, and follows what was sold meanwhile.
        two.start(Machine::Main);
        two.until(Machine::Main, "it follows", |status| status["duty"] == "mirroring" && status["epoch"] == 4);
        until("it holds what the backup holds", || tree::are_same(&two.mirror(), &two.data));
        assert_eq!(fs::read_to_string(two.data.join("ORDER.QUE")).unwrap(), "1;coffee\n2;milk\n", "{how}");
    }
}

#[test]
fn where_neither_machine_serves_what_is_asked_of_the_server_is_refused_and_either_can_be_started() {
    let mut two = shop();
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    two.cut_power(Machine::Backup);
    let path = record_path(&two.home(Machine::Backup));
    let mut record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    record["claim"] = json!("idle");
    fs::write(&path, record.to_string()).unwrap();
    two.start(Machine::Main);
    two.start(Machine::Backup);
    for machine in [Machine::Main, Machine::Backup] {
        two.until(machine, "they talk", |status| status["peer"]["state"] == "healthy" && status["duty"] != "serving");
    }
    for machine in [Machine::Main, Machine::Backup] {
        refused(&two, machine, &["return", "--yes"], "not the server");
    }
    // Either of them may be made the server by a person: there is always a way on.
    two.until(Machine::Backup, "the server is missed", |status| status["verdict"] == "server-stopped");
    done(&two, Machine::Backup, &["promote", "--yes", "--accept-loss"]);
    let status = two.until(Machine::Backup, "it serves", |status| status["duty"] == "serving");
    assert_eq!(status["epoch"], 4, "{status}");
    two.until(Machine::Main, "the other one follows", |status| status["duty"] == "mirroring" && status["epoch"] == 4);
    until("it holds what the server holds", || tree::are_same(&two.mirror(), &two.data));
}
