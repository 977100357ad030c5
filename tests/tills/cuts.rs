//! Every cable is pulled in turn, and both machines must come to the verdict that the table says: who stands elsewhere tells a dead
//! machine from a cut cable.

use crate::common::is_full;
use crate::common::two::Machine;
use crate::floor::{Floor, done, refused};

/// A cable, what the backup says then, and what becomes of its start.
const CABLES: [(&str, &str, Start); 4] = [
    // Nobody reaches the main any more, and all reach the backup.
    ("m", "main-down", Start::Offered),
    // The backup reaches nobody.
    ("b", "isolated", Start::Locked("cut off")),
    // Half of the tills stand on its side, and half is no majority: a person must look.
    ("trunk", "unknown", Start::Asks),
    // A till is missing, and everything else is well.
    ("t1", "healthy", Start::Locked("is well")),
];

/// What becomes of the start of the backup.
#[derive(Clone, Copy)]
enum Start {
    /// It is offered.
    Offered,
    /// A person must say that the main is dead.
    Asks,
    /// It is locked, whatever a person says; these words say why.
    Locked(&'static str),
}

/// What the plan of the backup's start says of the main.
fn check(floor: &Floor, start: Start, when: &str) {
    match start {
        Start::Offered => {
            let plan = done(floor, Machine::Backup, &["promote", "--plan", "--json"]);
            let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
            let checks = plan["checks"].as_array().unwrap();
            let verdict = checks.iter().find(|check| check["check"] == "verdict").unwrap();
            assert!(verdict["why"].is_null(), "{when}: {plan}");
        }
        Start::Asks => {
            let said = refused(floor, Machine::Backup, &["promote"]);
            assert!(said.contains("Nobody can tell"), "{when}: {said}");
        }
        Start::Locked(why) => {
            let said = refused(floor, Machine::Backup, &["promote", "--yes", "--accept-loss"]);
            assert!(said.contains(why), "{when}: {said}");
        }
    }
}

#[test]
fn each_cable_that_is_pulled_has_its_verdict_and_the_way_back() {
    let Some(floor) = Floor::open("each_cable", 8) else { return };
    for (cable, verdict, start) in CABLES {
        floor.cable(cable, "down");
        floor.until_verdict(Machine::Backup, verdict, cable);
        if cable == "t1" {
            let one_is_missing = |status: &serde_json::Value| {
                let first = &status["terminals"][0];
                first["name"] == "CAJA-1" && first["is_here"] == false && status["terminals"][1]["is_here"] == true
            };
            floor.two.until(Machine::Backup, "the missing one stands first", one_is_missing);
        }
        check(&floor, start, cable);
        floor.cable(cable, "up");
        floor.until_verdict(Machine::Backup, "healthy", &format!("{cable} is back"));
        floor.until_all_work(Machine::Backup, "main", &format!("{cable} is back"));
    }
}

#[test]
fn each_pair_of_cables_that_is_pulled_has_its_verdict() {
    if !is_full() {
        return;
    }
    let Some(floor) = Floor::open("each_pair", 8) else { return };
    let cables = ["m", "b", "trunk", "t1", "t2"];
    for (at, one) in cables.iter().enumerate() {
        for other in &cables[at + 1..] {
            let both = [*one, *other];
            let verdict = match both {
                // Whoever cannot be reached knows nothing.
                _ if both.contains(&"b") => "isolated",
                _ if both.contains(&"m") && both.contains(&"trunk") => "unknown",
                _ if both.contains(&"m") => "main-down",
                _ if both.contains(&"trunk") => "unknown",
                _ => "healthy",
            };
            for cable in both {
                floor.cable(cable, "down");
            }
            floor.until_verdict(Machine::Backup, verdict, &format!("{both:?}"));
            for cable in both {
                floor.cable(cable, "up");
            }
            floor.until_verdict(Machine::Backup, "healthy", &format!("{both:?} are back"));
            floor.until_all_work(Machine::Backup, "main", &format!("{both:?} are back"));
        }
    }
}
