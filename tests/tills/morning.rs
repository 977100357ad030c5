//! The morning after a power cut: a machine that was the server asks the terminals whether it still is.

use crate::common::two::Machine;
use crate::floor::{Floor, done};

#[test]
fn most_of_the_terminals_vouch_for_a_main_that_comes_back_alone_and_few_do_not() {
    let Some(mut floor) = Floor::open("morning", 3) else { return };
    // Three that have been there all the time.
    for machine in [Machine::Main, Machine::Backup] {
        floor.two.cut_power(machine);
    }
    floor.cable("b", "down");
    floor.two.start(Machine::Main);
    let status = floor.two.until(Machine::Main, "they vouch for it", |status| status["server"] == "ready");
    assert_eq!(status["epoch"], 1, "{status}");
    // Two that were off meanwhile: nobody knows what they have missed.
    floor.kill(1);
    floor.kill(2);
    floor.two.cut_power(Machine::Main);
    floor.start(1);
    floor.start(2);
    floor.two.start(Machine::Main);
    floor.two.until(Machine::Main, "one of three says nothing", |status| {
        assert!(status["duty"] == "waiting" && status["server"] == "stopped", "{status}");
        // The silence is ten seconds old then: longer than it waits for terminals.
        status["terminals"].as_array().unwrap().iter().all(|till| till["is_here"] == true)
            && status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == "MIR-301")
    });
    done(&floor, Machine::Main, &["start", "--yes"]);
    floor.until_all_work(Machine::Main, "main", "the shop is open");
    floor.buy();
    floor.close();
    floor.accounted(Machine::Main, "the next morning");
}

#[test]
fn terminals_that_know_of_another_server_tell_a_main_that_comes_back_alone() {
    let Some(mut floor) = Floor::open("morning_known", 3) else { return };
    floor.two.cut_power(Machine::Main);
    floor.cable("m", "down");
    floor.until_verdict(Machine::Backup, "main-down", "the power is cut");
    done(&floor, Machine::Backup, &["promote", "--yes"]);
    floor.until_all_work(Machine::Backup, "backup", "promoted");
    floor.two.cut_power(Machine::Backup);
    floor.cable("b", "down");
    floor.cable("m", "up");
    floor.two.start(Machine::Main);
    let status = floor.two.until(Machine::Main, "it is told", |status| status["epoch"] == 2);
    assert!(status["server"] == "stopped" && status["duty"] != "serving", "{status}");
    floor.cable("b", "up");
    floor.two.start(Machine::Backup);
    floor.until_all_work(Machine::Backup, "backup", "the backup is back");
    floor.buy();
    floor.close();
    floor.accounted(Machine::Backup, "the next morning");
}
