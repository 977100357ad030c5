//! The server changes, and every till is at work again by itself.

use std::fs;

use rustix::process::Signal;

use crate::common::two::Machine;
use crate::floor::{Floor, done, until_file};

#[test]
fn eight_tills_sell_through_a_switch_a_return_and_a_power_cut() {
    let Some(mut floor) = Floor::open("eight_tills", 8) else { return };
    floor.buy();
    done(&floor, Machine::Main, &["switch", "--yes"]);
    floor.until_all_sell("switched");
    floor.until_all_work(Machine::Backup, "backup", "switched");
    floor.two.until(Machine::Main, "the main mirrors", |status| status["duty"] == "mirroring");
    floor.two.until(Machine::Backup, "the copy is whole", |status| {
        status["plans"].as_array().unwrap().iter().any(|plan| {
            plan["kind"] == "return" && plan["checks"].as_array().unwrap().iter().all(|check| check["why"].is_null())
        })
    });
    done(&floor, Machine::Backup, &["return", "--yes"]);
    floor.until_all_sell("returned");
    floor.until_all_work(Machine::Main, "main", "returned");
    let path = floor.home(1).join("server.txt");
    until_file(&path, "programs may look who serves", |text| text.starts_with("10.78.0.1\n"));
    floor.print_pauses("switch and return");
    floor.close();
    floor.accounted(Machine::Main, "switch and return");
    // The power of the main fails.
    floor.two.until_same("before the power cut");
    floor.two.cut_power(Machine::Main);
    floor.cable("m", "down");
    let status = floor.until_verdict(Machine::Backup, "main-down", "the power is cut");
    assert_eq!(status["peer"]["state"], "lost");
    done(&floor, Machine::Backup, &["promote", "--yes"]);
    let status = floor.until_all_work(Machine::Backup, "backup", "promoted");
    for till in status["terminals"].as_array().unwrap() {
        println!("{} was at work again after {} ms", till["name"], till["took_ms"]);
        assert_eq!(till["epoch"], 4, "{till}");
    }
    floor.buy();
    floor.close();
    floor.accounted(Machine::Backup, "after the power cut");
    until_file(&path, "programs may look who serves", |text| text.starts_with("10.78.0.2\n"));
    assert!(fs::metadata(&path).is_ok());
}

#[test]
fn a_till_that_was_off_or_stood_still_through_a_change_learns_all_at_its_next_contact() {
    let Some(mut floor) = Floor::open("was_off", 2) else { return };
    floor.kill(1);
    floor.signal(2, Signal::STOP);
    floor.two.until(Machine::Main, "both are missed", |status| {
        status["terminals"].as_array().unwrap().iter().all(|till| till["is_here"] == false)
    });
    done(&floor, Machine::Main, &["switch", "--yes"]);
    floor.two.until(Machine::Backup, "it serves", |status| status["duty"] == "serving" && status["server"] == "ready");
    floor.start(1);
    floor.signal(2, Signal::CONT);
    let status = floor.until_all_work(Machine::Backup, "backup", "both are back");
    assert!(status["terminals"].as_array().unwrap().iter().all(|till| till["epoch"] == 2), "{status}");
    floor.buy();
    floor.close();
    floor.accounted(Machine::Backup, "both sold");
}
