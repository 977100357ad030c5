//! Homes, signals, answers.

use std::fs;

use rustix::process::Signal;

use crate::common::place::{Place, output, told};

#[test]
fn nobody_mirrors_into_a_mirror_that_another_writes() {
    let place = Place::new();
    fs::write(place.source.join("file"), "x").unwrap();
    let running = place.start(&[]).caught_up();
    let mut second = std::process::Command::new(env!("CARGO_BIN_EXE_espejo"));
    second.args(["--lang", "en", "mirror", "--once"]).arg(&place.source).arg(&place.dest);
    let refused = output(second.env("ESPEJO_HOME", place.path().join("another home")));
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another espejo"), "{}", told(&refused));
    running.stop();
}

#[test]
fn a_home_has_one_service() {
    let place = Place::new();
    let running = place.start(&[]).caught_up();
    let elsewhere = place.path().join("elsewhere");
    let refused = output(place.espejo(&["mirror", "--once"]).arg(&place.source).arg(&elsewhere));
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--home"), "{}", told(&refused));
    assert!(!elsewhere.exists());
    running.stop();
}

#[test]
fn without_a_service_status_and_verify_say_so() {
    let place = Place::new();
    for verb in ["status", "verify"] {
        let answer = output(&mut place.espejo(&[verb]));
        assert_eq!(answer.status.code(), Some(4), "{}", told(&answer));
        assert!(String::from_utf8_lossy(&answer.stderr).contains("espejo mirror"), "{}", told(&answer));
    }
    // Also where one has ended, and has left its socket.
    place.start(&[]).caught_up().kill();
    let answer = output(&mut place.espejo(&["status"]));
    assert_eq!(answer.status.code(), Some(4), "{}", told(&answer));
}

#[test]
fn each_signal_that_asks_for_the_end_ends_it_in_order() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let place = Place::new();
        fs::write(place.source.join("file"), "x").unwrap();
        let running = place.start(&[]).caught_up();
        place.until_same("before");
        running.signal(signal);
        let printed = running.printed();
        assert_eq!(running.ended().code(), Some(0), "{signal:?}: {printed}");
        let (_, found) = place.open();
        assert!(found.redone == 0 && found.strange.is_empty(), "nothing is left to put in order: {found:?}");
    }
}
