//! The shop's program that is told of events: by two real services, of which one is killed meanwhile.

use std::fs;

use serde_json::Value;

use crate::common::place::{output, told};
use crate::common::two::{Machine, Two};
use crate::common::until;

/// What the program of a machine was told, in order; a line that is not whole yet is left out.
fn heard(two: &Two, node: &str) -> Vec<Value> {
    let text = fs::read_to_string(two.path().join(format!("told-{node}"))).unwrap_or_default();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn words(heard: &[Value]) -> Vec<&str> {
    heard.iter().map(|one| one["event"].as_str().unwrap()).collect()
}

#[test]
fn what_happens_is_told_until_it_is_taken_whoever_is_killed_meanwhile() {
    let mut two = Two::new();
    two.init();
    let folder = two.path().display().to_string();
    // On the backup it takes nothing before there is a file that says so.
    let script = format!(
        "test $ESPEJO_NODE = main || test -e {folder}/well || exit 7; test -n \"$ESPEJO_STORE\" && cat >> {folder}/told-$ESPEJO_NODE"
    );
    two.set("hooks", &format!("event = [\"sh\", \"-c\", {}]", serde_json::json!(script)));
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    two.set_pos();
    two.meet();
    two.until_same("before");
    two.until(Machine::Backup, "it is a copy", |status| status["mirror"]["as_of"].is_string());
    until("the main's program is told", || {
        let heard = heard(&two, "main");
        let words = words(&heard);
        words.starts_with(&["service-began", "duty"]) && ["invited", "joined"].iter().all(|word| words.contains(word))
    });
    let verified = output(&mut two.espejo(Machine::Backup, &["verify"]));
    assert_eq!(verified.status.code(), Some(0), "{}", told(&verified));
    two.kill(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["alarms"][0]["code"] == "MIR-301");
    // What is to be told is kept a little after it is shown.
    until("that is kept for its program", || {
        let queue = fs::read(two.home(Machine::Backup).join("events.queue")).unwrap_or_default();
        String::from_utf8_lossy(&queue).contains("silent")
    });
    two.kill(Machine::Backup);
    assert_eq!(heard(&two, "backup").len(), 0);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "the main is missed", |status| status["alarms"][0]["code"] == "MIR-301");
    fs::write(two.path().join("well"), "").unwrap();
    let promoted = output(&mut two.espejo(Machine::Backup, &["promote", "--yes"]));
    assert_eq!(promoted.status.code(), Some(0), "{}", told(&promoted));
    until("the backup's program is told that it serves", || words(&heard(&two, "backup")).contains(&"licence-began"));
    let heard = heard(&two, "backup");
    let numbers: Vec<u64> = heard.iter().map(|one| one["number"].as_u64().unwrap()).collect();
    assert!(numbers.windows(2).all(|two| two[0] <= two[1]) && numbers[0] == 1, "in order: {numbers:?}");
    let words = words(&heard);
    let mut rest = words.iter();
    let wanted = [
        "service-began",
        "operation-began",
        "operation-done",
        "alarm",
        "service-began",
        "alarm",
        "epoch",
        "duty",
        "licence-began",
    ];
    for wanted in wanted {
        assert!(rest.any(|word| *word == wanted), "{wanted}: {words:?}");
    }
    let epoch = heard.iter().find(|one| one["event"] == "epoch").unwrap();
    assert_eq!((&epoch["epoch"], &epoch["detail"]["holder"]), (&2.into(), &"backup".into()), "{epoch}");
}
