//! What the copy lacks, as far as that is known, before the backup is started from it.

use std::fs;

use jiff::Timestamp;
use serde_json::Value;

use crate::common::place::told;
use crate::common::random::Random;
use crate::common::two::{Machine, Two};
use crate::turns::asked;

#[test]
fn the_files_that_were_still_to_come_are_counted_when_the_main_dies() {
    let mut two = Two::new();
    two.init();
    two.set("mirror", "max_rate = \"50kB\"");
    two.set_pos();
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    two.meet();
    two.until_same("the mirror");
    two.until(Machine::Backup, "it is level", |status| status["mirror"]["behind_files"] == 0);
    // More than goes over in any time that a test takes.
    let mut random = Random::new(7);
    let all: Vec<_> = (1..=3).map(|number| (format!("PRICES.{number}"), random.bytes(20_000_000))).collect();
    for (name, bytes) in &all {
        fs::write(two.data.join(name), bytes).unwrap();
    }
    let is_known = |status: &Value| {
        status["mirror"]["behind_files"] == 3 && status["mirror"]["behind_bytes"].as_u64() > Some(50_000_000)
    };
    two.until(Machine::Backup, "they are announced", is_known);
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    let plan = asked(&two, Machine::Backup, &["promote", "--plan"]);
    assert!(told(&plan).contains("may be missing (3 files, 57 MiB known)"), "{}", told(&plan));
    let plan = asked(&two, Machine::Backup, &["promote", "--plan", "--json"]);
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!(plan["loss"]["behind_files"], 3, "{plan}");
}

/// Found by reading: a backup that was off for hours, and came back when its main had died, said that its copy was a few seconds old.
#[test]
fn the_copy_of_a_backup_that_was_off_is_as_old_as_it_is() {
    let mut two = Two::new();
    two.init();
    two.set_pos();
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    two.meet();
    two.until_same("the mirror");
    let as_of = |status: &Value| status["mirror"]["as_of"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    let changed = as_of(&two.until(Machine::Backup, "it is a copy", |status| as_of(status).is_some()));
    let level = as_of(&two.until(Machine::Backup, "a canary says more", |status| as_of(status) > changed));
    two.stop(Machine::Backup);
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n").unwrap();
    two.cut_power(Machine::Main);
    two.start(Machine::Backup);
    let status = two.until(Machine::Backup, "it is there again", |status| as_of(status).is_some());
    assert!(as_of(&status) >= level, "what a canary said is known: {status}");
    let at: Timestamp = status["at"].as_str().unwrap().parse().unwrap();
    let age = at.duration_since(as_of(&status).unwrap()).as_millis();
    // To the tick of a clock.
    assert!(i128::from(status["mirror"]["behind_ms"].as_u64().unwrap()) + 50 >= age, "{age} ms: {status}");
    assert_eq!(status["mirror"]["behind_at_least"], true);
}
