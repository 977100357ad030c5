//! A person is called to the backup: the screen comes forward once, and an alarm is heard until it is muted.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use espejo::service::control::socket_path;
use serde_json::{Value, json};

use crate::common::two::{Machine, Two};
use crate::common::until;

/// Says a command to a service, and returns its answer.
fn say(two: &Two, machine: Machine, command: &Value) -> Value {
    let mut line = UnixStream::connect(socket_path(&two.home(machine))).unwrap();
    writeln!(line, "{command}").unwrap();
    let mut reply = String::new();
    BufReader::new(line).read_line(&mut reply).unwrap();
    serde_json::from_str(&reply).unwrap()
}

/// How often a program has run.
fn runs(two: &Two, name: &str) -> usize {
    fs::read_to_string(two.path().join(name)).unwrap_or_default().lines().count()
}

fn program(two: &Two, name: &str, more: &str) -> Value {
    json!(["sh", "-c", format!("echo $$ >> {}/{name}{more}", two.path().display())])
}

#[test]
fn the_screen_comes_forward_once_and_it_sounds_until_it_is_muted() {
    let mut two = Two::new();
    two.init();
    // What is heard would go on for ever.
    let (show, sound) = (program(&two, "shown", ""), program(&two, "heard", "; cat /dev/zero > /dev/null & wait"));
    two.set("alarm", &format!("show = {show}\nsound = {sound}"));
    two.meet();
    let well = |status: &Value| status["peer"]["state"] == "healthy" && status["alarms"] == json!([]);
    let status = two.until(Machine::Backup, "all is well", well);
    assert_eq!(status["call"], json!({ "since": null, "calls": false, "bell": false, "muted_by": null }));
    two.kill(Machine::Main);
    let called = two.until(Machine::Backup, "a person is called", |status| status["call"]["calls"] == true);
    assert!(called["call"]["bell"] == false && called["call"]["since"].is_string(), "{called}");
    until("it is shown and heard", || runs(&two, "shown") == 1 && runs(&two, "heard") == 1);
    let group: i32 = fs::read_to_string(two.path().join("heard")).unwrap().trim().parse().unwrap();
    assert!(!espejo::os::group(group).is_empty(), "it is heard still");
    let mute = json!({ "command": "mute", "by": "ana" });
    assert_eq!(say(&two, Machine::Backup, &mute), json!({ "reply": "done" }));
    two.until(Machine::Backup, "it is muted", |status| {
        status["call"]["muted_by"] == "ana" && status["call"]["calls"] == false
    });
    until("nothing is heard", || espejo::os::group(group).is_empty());
    two.start(Machine::Main);
    two.until(Machine::Backup, "all is well again", well);
    assert_eq!((runs(&two, "shown"), runs(&two, "heard")), (1, 1));
    two.kill(Machine::Main);
    until("the next alarm is another one", || runs(&two, "shown") == 2 && runs(&two, "heard") == 2);
    // It ends with the service.
    two.stop(Machine::Backup);
    let last = fs::read_to_string(two.path().join("heard")).unwrap();
    let group: i32 = last.lines().last().unwrap().parse().unwrap();
    until("nothing is heard", || espejo::os::group(group).is_empty());
}

#[test]
fn where_nothing_is_set_screens_ring_and_only_on_the_backup() {
    let mut two = Two::joined();
    let heard = |status: &Value| status["peer"]["state"] == "healthy";
    two.until(Machine::Backup, "they talk", heard);
    two.until(Machine::Main, "they talk", heard);
    two.kill(Machine::Main);
    two.until(Machine::Backup, "screens ring", |status| status["call"]["bell"] == true);
    two.start(Machine::Main);
    two.until(Machine::Backup, "no more", |status| status["call"]["calls"] == false);
    two.until(Machine::Main, "they talk", heard);
    two.kill(Machine::Backup);
    let missed = two.until(Machine::Main, "it is missed", |status| status["alarms"][0]["code"] == "MIR-301");
    assert_eq!(missed["call"]["calls"], false, "a main calls nobody: {missed}");
}
