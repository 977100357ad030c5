//! What the copy lacks, as far as that is known, before the backup is started from it.

use std::fs;

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
