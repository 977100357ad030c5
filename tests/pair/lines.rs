//! Lines: lossy, slow, damaging, narrow, one way only, silent. Each test makes its own; see `wire.py`.

use std::fs;
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use crate::common::network::Network;
use crate::common::random::Random;
use crate::common::two::{Machine, Two, verified};
use crate::common::{is_full, until};

const BOTH: [Machine; 2] = [Machine::Main, Machine::Backup];

fn is_healthy(status: &Value) -> bool {
    status["peer"]["state"] == "healthy"
}

fn is_lost(status: &Value) -> bool {
    status["peer"]["state"] == "lost"
}

#[test]
fn on_a_bad_line_nobody_is_missed_and_all_arrives() {
    let test = "on_a_bad_line_nobody_is_missed_and_all_arrives";
    let Some(mut network) = Network::with_line(test, "delay=1") else { return };
    let mut two = network.two("");
    fs::write(two.data.join("POS-Q.Seq"), "1044\n").unwrap();
    two.meet();
    two.until_same("before");
    for machine in BOTH {
        two.until(machine, "the other one is heard", is_healthy);
    }
    // The two learn of each other while they begin: an alarm then is none.
    let alarms = |two: &Two| BOTH.map(|machine| two.logged(machine, "Silent"));
    let before = alarms(&two);
    network.line("delay=200 jitter=100 loss=20");
    let end = Instant::now() + Duration::from_secs(if is_full() { 600 } else { 8 });
    let (mut number, mut late, mut oldest) = (1044, 0, 0);
    while Instant::now() < end {
        number += 1;
        fs::write(two.data.join("POS-Q.Seq"), format!("{number}\n")).unwrap();
        for machine in BOTH {
            let status = two.status(machine).unwrap();
            assert!(!is_lost(&status), "no false alarm: {status}");
            late += u32::from(status["peer"]["state"] == "late");
            oldest = oldest.max(status["mirror"]["behind_ms"].as_u64().unwrap());
        }
        park_timeout(Duration::from_millis(300));
    }
    assert_eq!(alarms(&two), before, "no false alarm");
    let sessions = two.logged(Machine::Main, "the two machines talk");
    eprintln!("up to {number}, late {late} times, at the most {oldest} ms behind, {sessions} sessions");
    let mirrored = || fs::read_to_string(two.mirror().join("POS-Q.Seq")).is_ok_and(|number| number != "1044\n");
    until("something arrives over it", mirrored);
    network.line("delay=1");
    two.until_same("all arrives");
}

#[test]
fn damage_disorder_and_small_packets_are_no_matter() {
    let test = "damage_disorder_and_small_packets_are_no_matter";
    // What a checksum does not find ends a connection: few of those.
    let how = "delay=5 damage=1 swap=0.1 early=25";
    let Some(network) = Network::with_line(test, how) else { return };
    network.longest_packet(576);
    let mut two = network.two("");
    let mut random = Random::new(9);
    let files = if is_full() { 60 } else { 5 };
    for number in 0..files {
        fs::write(two.data.join(format!("file {number}")), random.bytes(300_000)).unwrap();
    }
    // A person whose join was cut short asks for another code.
    two.start(Machine::Main);
    until("it joins", || two.join(&two.invite()).status.success());
    two.start(Machine::Backup);
    two.until_same("the first copy");
    for number in 0..files {
        fs::write(two.data.join(format!("file {number}")), random.bytes(100_000)).unwrap();
        two.until_same("a change");
    }
    verified(&two, "in the end");
}

#[test]
fn a_line_that_carries_one_way_only_is_told_on_both_sides() {
    let test = "a_line_that_carries_one_way_only_is_told_on_both_sides";
    let Some(mut network) = Network::with_line(test, "delay=1") else { return };
    let mut two = network.two("");
    two.meet();
    two.until_same("before");
    // Who hears nothing misses the other one; who is heard nowhere cannot get anything across, and says that, too.
    for (deaf, silent) in [("near", "far.loss=100"), ("far", "near.loss=100")] {
        network.line(silent);
        let (hears_nothing, hears) =
            if deaf == "near" { (Machine::Main, Machine::Backup) } else { (Machine::Backup, Machine::Main) };
        fs::write(two.data.join("POS-Q.Seq"), deaf).unwrap();
        for (machine, code) in [(hears_nothing, "MIR-301"), (hears, "MIR-304")] {
            two.until(machine, code, |status| status["alarms"][0]["code"] == code);
        }
        assert!(is_lost(&two.status(hears_nothing).unwrap()));
        network.line("delay=1");
        two.until_same("both ways again");
        for machine in BOTH {
            two.until(machine, "all is well", |status| is_healthy(status) && status["alarms"] == serde_json::json!([]));
        }
    }
}

#[test]
fn silence_is_noticed_within_three_seconds() {
    let test = "silence_is_noticed_within_three_seconds";
    let Some(mut network) = Network::with_line(test, "delay=1") else { return };
    let mut two = network.two("");
    two.meet();
    two.until_same("before");
    for machine in BOTH {
        two.until(machine, "the other one is heard", is_healthy);
    }
    let said = |machine| two.logged(machine, "Trouble(Silent");
    let before = BOTH.map(said);
    // Nothing at either end of the line tells that it carries nothing any more; and nobody asks how it stands.
    network.line("loss=100");
    until("both say it by themselves", || BOTH.iter().zip(before).all(|(&machine, before)| said(machine) > before));
    for machine in BOTH {
        let status = two.status(machine).unwrap();
        let after = missed_after(&status);
        // On a machine that is busy with other tests: half a second more.
        assert!(is_lost(&status) && (2000..3500).contains(&after), "within three seconds, not {after} ms: {status}");
    }
    network.line("delay=1");
    for machine in BOTH {
        two.until(machine, "it is heard again", is_healthy);
    }
    fs::write(two.data.join("POS-Q.Seq"), "after").unwrap();
    two.until_same("after");
}

#[test]
fn who_stood_still_does_not_take_that_for_silence_of_the_other() {
    let two = Two::joined();
    two.until_same("before");
    for machine in BOTH {
        two.until(machine, "the other one is heard", is_healthy);
    }
    let missed = |two: &Two| two.logged(Machine::Main, "Trouble(Silent");
    let before = missed(&two);
    let number = two.number(Machine::Main);
    let pid = rustix::process::Pid::from_raw(i32::try_from(number).unwrap()).unwrap();
    for round in 0..3 {
        rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
        two.until(Machine::Backup, "it is missed", is_lost);
        rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
        two.until(Machine::Backup, "it is heard again", is_healthy);
        let status = two.until(Machine::Main, "it hears", is_healthy);
        assert_eq!(missed(&two), before, "round {round}: {status}");
    }
    two.until_same("after");
}

/// How long after the other one was heard last it was missed, in milliseconds: however long ago that was when this was asked.
fn missed_after(status: &Value) -> i64 {
    let time = |at: &Value| at.as_str().unwrap().parse::<Timestamp>().unwrap().as_millisecond();
    let alarms = status["alarms"].as_array().unwrap();
    let missed = alarms.iter().find(|alarm| alarm["code"] == "MIR-301").unwrap();
    let heard = time(&status["at"]) - status["peer"]["heard_ago_ms"].as_i64().unwrap();
    time(&missed["since"]) - heard
}

#[test]
fn who_is_killed_is_missed_within_a_second() {
    let mut two = Two::joined();
    two.until_same("before");
    for (victim, witness) in [(Machine::Main, Machine::Backup), (Machine::Backup, Machine::Main)] {
        two.until(witness, "the other one is heard", is_healthy);
        two.kill(victim);
        let status = two.until(witness, "it is missed", is_lost);
        // Without the hint that the connection is gone it would be 2.5 s.
        let after = missed_after(&status);
        assert!(after < 1500, "after {after} ms: {status}");
        two.start(victim);
        two.until_same("after it came back");
    }
}
