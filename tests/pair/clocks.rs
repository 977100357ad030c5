//! Clocks: a day apart. What is mirrored and who is missed does not follow them; an examination names the difference.

use std::fs;
use std::path::Path;

use crate::common::passed_over;
use crate::common::place::{output, told};
use crate::common::two::{Machine, Two, verified};

/// Where the library lies that shows a program another time.
const LIBRARY: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
];

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[test]
fn clocks_a_day_apart_change_nothing_and_are_named() {
    let Some(library) = LIBRARY.into_iter().find(|library| Path::new(library).exists()) else {
        passed_over("clocks_a_day_apart_change_nothing_and_are_named", "there is no libfaketime");
        return;
    };
    for (offset, ahead_ms) in [("-1d", -DAY_MS), ("+1d", DAY_MS)] {
        let mut two = Two::new();
        // The clock on the wall alone: time goes on as before, and files keep the times that the system gives them.
        for (name, value) in [
            ("LD_PRELOAD", library),
            ("FAKETIME", offset),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ] {
            two.around(Machine::Backup, name, value);
        }
        fs::write(two.data.join("POS-Q.Seq"), "1044\n").unwrap();
        two.init();
        two.meet();
        two.until_same("the first copy");
        for number in 1045..1060 {
            fs::write(two.data.join("POS-Q.Seq"), format!("{number}\n")).unwrap();
            two.until_same("a change");
        }
        verified(&two, offset);
        for machine in [Machine::Main, Machine::Backup] {
            let status = two.until(machine, "the other one is heard", |status| {
                status["peer"]["state"] == "healthy" && status["mirror"]["behind_ms"] == 0
            });
            assert_eq!((&status["verdict"], &status["alarms"]), (&"healthy".into(), &serde_json::json!([])));
            assert!(status["mirror"]["last_change_ago_ms"].as_u64().unwrap() < 600_000, "{status}");
            if machine == Machine::Backup {
                assert_eq!(status["can_take_over"]["yes"], true, "{status}");
            }
        }
        assert_eq!([Machine::Main, Machine::Backup].map(|machine| two.logged(machine, "CopyOld")), [0, 0]);
        named(&two, ahead_ms);
        who_is_killed_is_missed(&mut two);
    }
}

/// The examination says how far the clocks are apart, to people and to scripts.
fn named(two: &Two, ahead_ms: i64) {
    let said = output(&mut two.espejo(Machine::Main, &["check"]));
    assert_eq!(said.status.code(), Some(1), "{}", told(&said));
    // A thousandth of a second more or less.
    let apart = ["the clocks are 1 d 0 h apart", "the clocks are 23 h 59 min apart"];
    assert!(apart.iter().any(|apart| told(&said).contains(apart)), "{}", told(&said));
    let said = output(&mut two.espejo(Machine::Main, &["check", "--json"]));
    let found: Vec<serde_json::Value> = serde_json::from_slice(&said.stdout).unwrap();
    for (node, ahead_ms) in [("main", ahead_ms), ("backup", -ahead_ms)] {
        let clocks = found.iter().find(|finding| finding["check"] == "clocks" && finding["node"] == node);
        let said = clocks.unwrap()["ahead_ms"].as_i64().unwrap();
        assert!((said - ahead_ms).abs() < 60_000, "{node}: {said} is not about {ahead_ms}");
    }
}

fn who_is_killed_is_missed(two: &mut Two) {
    two.kill(Machine::Main);
    let missed = |status: &serde_json::Value| status["peer"]["state"] == "lost";
    let status = two.until(Machine::Backup, "it is missed", missed);
    assert!(status["mirror"]["behind_ms"].as_u64().unwrap() < 600_000, "not a day: {status}");
    two.start(Machine::Main);
    fs::write(two.data.join("POS-Q.Seq"), "after").unwrap();
    two.until_same("after");
}
