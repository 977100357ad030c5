//! Every cable is pulled in turn, and both machines must come to the verdict that the table says: who stands elsewhere tells a dead
//! machine from a cut cable.

use crate::common::two::Machine;
use crate::common::{is_full, passed_over, until};
use crate::floor::{Floor, done, refused};

/// A cable; what the main says of the backup then, and the backup of the main; and what becomes of the backup's start.
const CABLES: [(&str, [&str; 2], Start); 4] = [
    // Nobody reaches the main any more, and all reach the backup.
    ("m", ["isolated", "main-down"], Start::Offered),
    // The backup reaches nobody: it is as good as down, seen from the main.
    ("b", ["main-down", "isolated"], Start::Locked("cut off")),
    // Half of the tills stand on its side, and half is no majority: a person must look.
    ("trunk", ["unknown", "unknown"], Start::Asks),
    // A till is missing, and everything else is well.
    ("t1", ["healthy", "healthy"], Start::Locked("is well")),
];

/// Waits until the main and the backup have these verdicts.
fn judged(floor: &Floor, [main, backup]: [&str; 2], when: &str) {
    floor.until_verdict(Machine::Main, main, when);
    floor.until_verdict(Machine::Backup, backup, when);
}

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
    for (cable, verdicts, start) in CABLES {
        floor.cable(cable, "down");
        judged(&floor, verdicts, cable);
        if cable == "t1" {
            let one_is_missing = |status: &serde_json::Value| {
                let first = &status["terminals"][0];
                first["name"] == "CAJA-1" && first["is_here"] == false && status["terminals"][1]["is_here"] == true
            };
            floor.two.until(Machine::Backup, "the missing one stands first", one_is_missing);
        }
        check(&floor, start, cable);
        floor.cable(cable, "up");
        judged(&floor, ["healthy"; 2], &format!("{cable} is back"));
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
            let judge = |own: &str, other: &str| match both {
                // Whoever cannot be reached knows nothing.
                _ if both.contains(&own) => "isolated",
                _ if both.contains(&other) && both.contains(&"trunk") => "unknown",
                _ if both.contains(&other) => "main-down",
                _ if both.contains(&"trunk") => "unknown",
                _ => "healthy",
            };
            let verdicts = [judge("m", "b"), judge("b", "m")];
            for cable in both {
                floor.cable(cable, "down");
            }
            judged(&floor, verdicts, &format!("{both:?}"));
            for cable in both {
                floor.cable(cable, "up");
            }
            judged(&floor, ["healthy"; 2], &format!("{both:?} are back"));
            floor.until_all_work(Machine::Backup, "main", &format!("{both:?} are back"));
        }
    }
}

#[test]
fn a_machine_that_one_terminal_alone_does_not_reach_is_not_down() {
    let Some(floor) = Floor::open("one_alone", 3) else { return };
    let alone = |status: &serde_json::Value| {
        let all = status["terminals"].as_array().unwrap();
        let till = |name: &str| all.iter().find(|till| till["name"] == name).unwrap().clone();
        assert_eq!(status["verdict"], "healthy", "{status}");
        till("CAJA-1")["reaches"] == serde_json::json!(["backup"])
            && till("CAJA-3")["reaches"].as_array().unwrap().len() == 2
    };
    // What it says is lost; then what is said to it.
    for (who, hole) in [("t1", "10.78.0.1/32"), ("m", "10.78.0.11/32")] {
        let route = |what: &str| {
            let done = floor.at(who, "ip").args(["route", what, "blackhole", hole]).status().unwrap();
            assert!(done.success(), "{what} {hole}");
        };
        route("add");
        floor.two.until(Machine::Backup, "it misses the main", alone);
        until("its people are told", || floor.printed(1).trim_end().ends_with("keep every paper receipt."));
        route("del");
        floor.until_all_work(Machine::Backup, "main", "the way is free again");
        floor.until_all_work(Machine::Main, "main", "the way is free again");
        until("its people are told", || floor.printed(1).trim_end().ends_with("Work goes on."));
    }
}

#[test]
fn a_terminal_whose_clock_is_a_day_off_works_and_bears_witness() {
    if std::process::Command::new("faketime").arg("--version").output().is_err() {
        return passed_over("clock_off", "faketime is missing (Debian: apt-get install faketime)");
    }
    let Some(mut floor) = Floor::open("clock_off", 3) else { return };
    floor.kill(2);
    floor.start_at(2, "+1d");
    floor.until_all_work(Machine::Main, "main", "a day ahead");
    done(&floor, Machine::Main, &["message", "from the main"]);
    until("it is read", || floor.printed(2).contains("from the main"));
    floor.buy();
    floor.two.cut_power(Machine::Main);
    floor.cable("m", "down");
    floor.until_verdict(Machine::Backup, "main-down", "all three say so");
    done(&floor, Machine::Backup, &["promote", "--yes"]);
    floor.until_all_work(Machine::Backup, "backup", "promoted");
    floor.until_all_sell("promoted");
    floor.close();
}
