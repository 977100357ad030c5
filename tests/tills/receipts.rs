//! What the terminals have shown was given out, whatever the copy says.

use std::fs;

use serde_json::json;

use crate::common::two::Machine;
use crate::floor::{Floor, done};

const COUNTER: &str = "[[counter]]\nname = \"receipt\"\nread = { file = \"POS-Q.Seq\", pattern = \"(\\\\d+)\" }\n\
    on_start = { gap = 2 }\nwrite = { file = \"POS-Q.Seq\", format = \"{value}\\n\" }\n";

#[test]
fn what_the_copy_lacks_is_named_with_the_receipts_that_terminals_have_shown() {
    let Some(mut floor) = Floor::open_with("receipts", 2, |set| set + COUNTER) else { return };
    let number = floor.two.data.join("POS-Q.Seq");
    fs::write(&number, "1042\n").unwrap();
    floor.two.until(Machine::Backup, "the number is in the copy", |status| status["counters"][0]["last"] == 1042);
    for till in 1..=2 {
        let last = floor.home(till).join("last");
        fs::write(&last, "receipt 1040\n").unwrap();
        floor.kill(till);
        let path = floor.home(till).join("terminal.toml");
        let look = format!("last_receipt = {{ file = \"{}\", pattern = \"receipt (\\\\d+)\" }}", last.display());
        fs::write(&path, format!("[terminal]\n{look}\n")).unwrap();
        floor.start(till);
    }
    let receipt = |status: &serde_json::Value, till: usize| status["terminals"][till - 1]["receipt"].clone();
    floor
        .two
        .until(Machine::Backup, "both are known", |status| [1, 2].iter().all(|till| receipt(status, *till) == "1040"));
    // The main gives out numbers that no copy ever sees, and dies.
    floor.cable("trunk", "down");
    floor.two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    fs::write(&number, "1048\n").unwrap();
    floor.two.cut_power(Machine::Main);
    floor.cable("m", "down");
    floor.cable("trunk", "up");
    for (till, last) in [(1, "receipt 1046\n"), (2, "receipt 1041\n")] {
        fs::write(floor.home(till).join("last"), last).unwrap();
    }
    floor.two.until(Machine::Backup, "what was shown is known", |status| receipt(status, 1) == "1046");
    floor.until_verdict(Machine::Backup, "main-down", "the power is cut");
    let plan = done(&floor, Machine::Backup, &["promote", "--plan"]);
    assert!(plan.contains("receipt: seen by terminals and not in the copy: CAJA-1 1046"), "{plan}");
    let plan: serde_json::Value =
        serde_json::from_str(&done(&floor, Machine::Backup, &["promote", "--plan", "--json"])).unwrap();
    let lacks = plan["lacks"].as_array().unwrap();
    assert_eq!(lacks.iter().map(|lack| &lack["seen"]).collect::<Vec<_>>(), [&json!(["CAJA-1 1046"])], "{plan}");
    done(&floor, Machine::Backup, &["promote", "--yes"]);
    // A gap of two would give out 1045 and 1046 again.
    let goes_on = fs::read_to_string(floor.two.mirror().join("POS-Q.Seq")).unwrap();
    assert!(goes_on.trim().parse::<u64>().unwrap() >= 1046, "{goes_on}");
}
