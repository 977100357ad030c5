//! Homes, signals, answers.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use espejo::service::control::socket_path;
use rustix::process::Signal;

use crate::common::place::{Place, output, told};
use crate::common::random::Random;

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

#[test]
fn behind_grows_while_a_generation_travels_on_a_slow_line() {
    let place = Place::new();
    fs::write(place.source.join("file"), "x").unwrap();
    let running = place.start(&["--max-rate", "300kB"]).caught_up();
    place.until_same("before");
    let before = place.until_status("nothing is behind", |status| status["mirror"]["behind_ms"] == 0);
    let seq = &before["mirror"]["position"];
    fs::write(place.source.join("file"), Random::new(5).bytes(1_200_000)).unwrap();
    let seen = std::cell::RefCell::new(vec![]);
    place.until_status("it is durable", |status| {
        let is_durable = status["mirror"]["position"] != *seq;
        let behind = status["mirror"]["behind_ms"].as_u64().unwrap();
        if !is_durable && (behind > 0 || !seen.borrow().is_empty()) {
            seen.borrow_mut().push(behind);
        }
        is_durable
    });
    let seen = seen.into_inner();
    assert!(seen.is_sorted() && seen.last().is_some_and(|last| *last > 2000), "four seconds on the line: {seen:?}");
    place.until_status("nothing is behind any more", |status| status["mirror"]["behind_ms"] == 0);
    running.stop();
}

#[test]
fn garbage_on_the_control_socket_is_refused_and_the_service_goes_on() {
    let place = Place::new();
    fs::write(place.source.join("file"), "x").unwrap();
    let running = place.start(&[]).caught_up();
    let too_long = [vec![b'{'; 200_000], vec![b'\n']].concat();
    for garbage in [&b"garbage\n"[..], b"{\"command\":\"none\"}\n", b"{\"command\":\"answer\"}\n", b"\n", &too_long] {
        let mut line = String::new();
        let mut socket = UnixStream::connect(socket_path(&place.home)).unwrap();
        socket.write_all(garbage).unwrap();
        BufReader::new(socket).read_line(&mut line).unwrap();
        assert!(line.contains("refused") && line.contains("no-command"), "{line}");
    }
    // What is no text at all, what is cut short, and who hangs up at once.
    for cut in [&[0xff, 0xfe, b'\n'][..], b"{\"command\":", b""] {
        UnixStream::connect(socket_path(&place.home)).unwrap().write_all(cut).unwrap();
    }
    fs::write(place.source.join("file"), "goes on").unwrap();
    place.until_same("it goes on");
    assert_eq!(place.verify().status.code(), Some(0));
    running.stop();
}
