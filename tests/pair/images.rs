//! An old state of one side comes back: restored from an image, or what a power cut left.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use espejo::service::control::socket_path;
use serde_json::{Value, json};

use crate::common::place::{output, told};
use crate::common::tree::tree;
use crate::common::two::{Machine, Two};
use crate::common::until;

const HOUR: Duration = Duration::from_secs(3600);

/// Writes a file as it was written so long ago.
fn write_ago(path: &Path, content: &str, ago: Duration) {
    fs::write(path, content).unwrap();
    File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - ago).unwrap();
}

pub fn image(of: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    assert!(Command::new("cp").arg("-a").arg(of).arg(to).status().unwrap().success());
}

/// Two machines with a day's work; and an image of the main's folder of an hour before its end.
pub fn a_day() -> (Two, PathBuf) {
    let mut two = Two::new();
    two.init();
    write_ago(&two.data.join("ORDER.QUE"), "1;coffee\n", HOUR);
    write_ago(&two.data.join("POS-Q.Seq"), "1", HOUR);
    write_ago(&two.data.join("PRICES"), "coffee 2.50", HOUR);
    let kept = two.path().join("image");
    image(&two.data, &kept);
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n").unwrap();
    fs::write(two.data.join("POS-Q.Seq"), "2").unwrap();
    fs::write(two.data.join("order 2"), "a tea").unwrap();
    two.meet();
    two.until_same("the day");
    two.until(Machine::Backup, "it is a copy", |status| status["mirror"]["as_of"].is_string());
    (two, kept)
}

/// Answers the question that is open at a machine.
pub fn accept(two: &Two, machine: Machine, question: &Value) {
    let mut line = UnixStream::connect(socket_path(&two.home(machine))).unwrap();
    writeln!(line, "{}", json!({"command": "answer", "question": question["id"], "accept": true, "by": "a test"}))
        .unwrap();
    let mut reply = String::new();
    BufReader::new(line).read_line(&mut reply).unwrap();
    assert!(reply.contains("done"), "{reply}");
}

fn rescued(two: &Two) -> Vec<PathBuf> {
    let rescue = two.home(Machine::Backup).join(".RUNDIR.espejo/rescue");
    fs::read_dir(rescue).map_or_else(|_| vec![], |all| all.map(|one| one.unwrap().path()).collect())
}

#[test]
fn a_main_from_an_old_image_is_asked_about_and_what_only_the_mirror_holds_is_set_aside() {
    let (mut two, kept) = a_day();
    two.stop(Machine::Main);
    let newest = tree(&two.mirror());
    image(&kept, &two.data);
    two.start(Machine::Main);
    for machine in [Machine::Main, Machine::Backup] {
        let asked = two.until(machine, "it is asked", |status| status["questions"][0]["ask"] == "older");
        assert_eq!(asked["questions"][0]["files"], json!(["ORDER.QUE", "POS-Q.Seq"]), "{asked}");
        assert_eq!(asked["can_take_over"]["reasons"][0]["check"], "question", "{asked}");
    }
    fs::write(two.data.join("a new sale"), "waits for the answer").unwrap();
    let asked = two.until(Machine::Backup, "it is known", |status| status["mirror"]["behind_ms"] != 0);
    assert_eq!(tree(&two.mirror()), newest, "nothing is taken over before somebody says so");
    accept(&two, Machine::Backup, &asked["questions"][0]);
    two.until_same("after the answer");
    let aside = rescued(&two).pop().expect("something is set aside");
    let held = |name: &str| fs::read_to_string(aside.join(name)).unwrap_or_default();
    assert_eq!((held("ORDER.QUE"), held("POS-Q.Seq")), ("1;coffee\n2;tea\n".to_owned(), "2".to_owned()));
    assert_eq!(held("order 2"), "a tea", "what only the mirror held is not lost");
    two.until(Machine::Backup, "it is told", |status| {
        let events = status["events"].as_array().unwrap();
        events.iter().any(|event| event["what"] == "set-aside" && event["file"] == "order 2")
    });
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n3;milk\n").unwrap();
    two.until_same("and it goes on");
}

#[test]
fn what_a_power_cut_took_from_the_main_is_set_aside_without_a_question() {
    let (mut two, _) = a_day();
    two.kill(Machine::Main);
    write_ago(&two.data.join("ORDER.QUE"), "1;coffee\n2", Duration::from_secs(20));
    two.start(Machine::Main);
    until("the mirror is as the main is", || {
        fs::read_to_string(two.mirror().join("ORDER.QUE")).unwrap() == "1;coffee\n2"
    });
    let aside = rescued(&two).pop().expect("something is set aside");
    assert_eq!(fs::read_to_string(aside.join("ORDER.QUE")).unwrap(), "1;coffee\n2;tea\n");
    assert_eq!(fs::read_dir(&aside).unwrap().count(), 1, "only what differs");
}

#[test]
fn a_file_with_a_date_that_has_not_come_is_no_proof_of_an_old_image() {
    let mut two = Two::new();
    two.init();
    let prices = two.data.join("PRICES");
    fs::write(&prices, "coffee 2.50").unwrap();
    File::options().write(true).open(&prices).unwrap().set_modified(SystemTime::now() + 1000 * HOUR).unwrap();
    two.meet();
    two.until_same("the date is kept");
    two.kill(Machine::Main);
    fs::write(&prices, "coffee 2.60").unwrap();
    two.start(Machine::Main);
    two.until_same("what was written now is newer than a date to come");
}

#[test]
fn a_mirror_from_an_old_image_gets_what_it_lacks() {
    let (mut two, _) = a_day();
    two.stop(Machine::Backup);
    let kept = two.path().join("backup image");
    image(&two.home(Machine::Backup), &kept);
    two.start(Machine::Backup);
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n3;milk\n").unwrap();
    fs::remove_file(two.data.join("order 2")).unwrap();
    two.until_same("later");
    // All of the machine is as it was, first; then its folder alone.
    for part in ["", "RUNDIR"] {
        two.stop(Machine::Backup);
        image(&kept.join(part), &two.home(Machine::Backup).join(part));
        two.start(Machine::Backup);
        two.until_same("restored");
        let status = two.until(Machine::Backup, "it is level", |status| status["mirror"]["behind_ms"] == 0);
        assert_eq!(status["questions"], json!([]), "{status}");
        let verified = output(&mut two.espejo(Machine::Backup, &["verify"]));
        assert_eq!(verified.status.code(), Some(0), "{part}: {}", told(&verified));
        fs::write(two.data.join("PRICES"), format!("coffee, {part} 2.60")).unwrap();
        two.until_same("and it goes on");
    }
}
