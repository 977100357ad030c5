//! The server changes, and every till is at work again by itself.

use std::fs;

use rustix::process::Signal;

use crate::common::two::Machine;
use crate::floor::{Floor, done, until_file};

#[test]
fn eight_tills_sell_through_a_switch_a_return_and_a_power_cut() {
    let Some(mut floor) = Floor::open("eight_tills", 8) else { return };
    floor.buy();
    floor.two.until_it_may(Machine::Main, "switch");
    done(&floor, Machine::Main, &["switch", "--yes"]);
    floor.until_all_sell("switched");
    floor.until_all_work(Machine::Backup, "backup", "switched");
    floor.two.until(Machine::Main, "the main mirrors", |status| status["duty"] == "mirroring");
    floor.until_return_possible();
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
    floor.two.until_it_may(Machine::Main, "switch");
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

#[test]
fn the_backup_starts_by_itself_when_three_terminals_say_so_and_never_where_a_cable_is_cut() {
    let Some(mut floor) = Floor::open_with("by_itself", 3, |set| set + "[promote]\nmode = \"auto\"\nafter = \"2s\"\n")
    else {
        return;
    };
    // Its own cable: nobody reaches it, and it waits however long that takes.
    floor.cable("b", "down");
    floor.until_verdict(Machine::Backup, "isolated", "its own cable");
    floor.two.until(Machine::Backup, "it has been alone for longer than it would wait", |status| {
        assert!(status["starts_in_ms"].is_null() && status["duty"] != "serving", "{status}");
        status["peer"]["heard_ago_ms"].as_u64().is_some_and(|ago| ago > 6_000)
    });
    floor.cable("b", "up");
    floor.until_verdict(Machine::Backup, "healthy", "the cable is back");
    floor.until_all_work(Machine::Backup, "main", "the cable is back");
    // In maintenance nothing is done by itself.
    done(&floor, Machine::Backup, &["maintenance", "on"]);
    floor.two.cut_power(Machine::Main);
    floor.cable("m", "down");
    floor.until_verdict(Machine::Backup, "main-down", "the main dies in maintenance");
    floor.two.until(Machine::Backup, "it waits in maintenance", |status| {
        assert!(status["duty"] != "serving", "{status}");
        status["peer"]["heard_ago_ms"].as_u64().is_some_and(|ago| ago > 8_000)
    });
    done(&floor, Machine::Backup, &["maintenance", "off"]);
    floor.two.until(Machine::Backup, "it says when it starts", |status| status["starts_in_ms"].is_u64());
    let status = floor.until_all_work(Machine::Backup, "backup", "it has started by itself");
    assert_eq!(status["operation"]["by"], "espejo (auto)", "{status}");
}

#[test]
fn a_pos_server_that_accepts_and_never_answers_is_not_seen_to_answer() {
    // Its own machine, too, looks only whether the port opens.
    let port = |set: String| set.replace(", send = \"PING\\n\", expect = \"PONG\"", "");
    let Some(mut floor) = Floor::open_with("never_answers", 3, port) else { return };
    floor.buy();
    let record = espejo::server::record::Record::load(&floor.two.home(Machine::Main)).unwrap();
    espejo::os::signal_group(record.mark.pid, Signal::STOP);
    floor.two.until(Machine::Main, "no till works", |status| {
        status["terminals"].as_array().unwrap().iter().all(|till| till["works"] == false && till["is_here"] == true)
    });
    espejo::os::signal_group(record.mark.pid, Signal::CONT);
    floor.until_all_work(Machine::Main, "main", "it answers again");
    floor.close();
    floor.accounted(Machine::Main, "it answers again");
}
