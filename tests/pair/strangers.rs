//! Who is turned away: with a wrong code, with a code that was used, with another key, with garbage.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use crate::common::is_full;
use crate::common::place::{output, told};
use crate::common::random::Random;
use crate::common::two::{Machine, Two};

#[test]
fn three_wrong_codes_and_the_right_one_is_good_no_more() {
    let mut two = Two::new();
    two.init();
    two.start(Machine::Main);
    let code = two.invite();
    for _ in 0..3 {
        let refused = two.join("AAA-AAA");
        assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
    }
    let refused = two.join(&code);
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("invite"), "{}", told(&refused));
    let code = two.invite();
    assert!(two.join(&code).status.success(), "a new code is good");
    let again = output(&mut two.espejo(Machine::Backup, &["join", &code, &two.address(Machine::Main)]));
    assert_eq!(again.status.code(), Some(3), "this home has joined: {}", told(&again));
    fs::remove_dir_all(two.home(Machine::Backup)).unwrap();
    let again = two.join(&code);
    assert_eq!(again.status.code(), Some(3), "the code was used: {}", told(&again));
}

#[test]
fn the_backup_of_another_store_is_turned_away() {
    let mut two = Two::joined();
    fs::write(two.data.join("file"), "x").unwrap();
    two.until_same("before");
    two.kill(Machine::Main);
    // Another main at the same address: same names, another key.
    let home = two.home(Machine::Main);
    fs::rename(&home, two.path().join("the real main")).unwrap();
    two.init();
    two.start(Machine::Main);
    fs::write(two.data.join("file"), "not for this backup").unwrap();
    let status = two.until(Machine::Backup, "it is said", |status| status["alarms"][0]["why"]["is"] == "other-machine");
    assert_eq!(status["peer"]["state"], "lost", "{status}");
    assert_eq!(fs::read_to_string(two.mirror().join("file")).unwrap(), "x");
    two.kill(Machine::Main);
    fs::remove_dir_all(&home).unwrap();
    fs::rename(two.path().join("the real main"), &home).unwrap();
    two.start(Machine::Main);
    two.until_same("the real one is followed");
}

#[test]
fn a_backup_with_another_key_is_turned_away() {
    let mut two = Two::joined();
    fs::write(two.data.join("file"), "x").unwrap();
    two.until_same("before");
    two.kill(Machine::Backup);
    fs::remove_file(two.home(Machine::Backup).join("identity.pem")).unwrap();
    two.start(Machine::Backup);
    fs::write(two.data.join("file"), "not for this backup").unwrap();
    two.until(Machine::Backup, "it is said", |status| status["alarms"][0]["why"]["is"] == "turned-away");
    assert_eq!(fs::read_to_string(two.mirror().join("file")).unwrap(), "x");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let mut two = Two::new();
    two.init();
    two.start(Machine::Main);
    two.invite();
    fs::create_dir(two.path().join("other")).unwrap();
    for file in ["store.toml", "node.json", "identity.pem"] {
        fs::copy(two.home(Machine::Main).join(file), two.path().join("other").join(file)).unwrap();
    }
    let mut second = std::process::Command::new(env!("CARGO_BIN_EXE_espejo"));
    let refused = output(second.args(["--lang", "en", "run"]).env("ESPEJO_HOME", two.path().join("other")));
    assert_eq!(refused.status.code(), Some(2), "{}", told(&refused));
    assert!(String::from_utf8_lossy(&refused.stderr).contains(&two.address(Machine::Main)), "{}", told(&refused));
}

#[test]
fn garbage_and_callers_that_say_nothing_disturb_no_one() {
    let two = Two::joined();
    fs::write(two.data.join("file"), "x").unwrap();
    two.until_same("before");
    let megabytes = if is_full() { 1024 } else { 8 };
    let mut random = Random::new(1);
    let garbage = random.bytes(1 << 20);
    let silent: Vec<TcpStream> = (0..if is_full() { 1000 } else { 300 })
        .filter_map(|number| {
            let machine = if number % 2 == 0 { Machine::Main } else { Machine::Backup };
            TcpStream::connect(two.address(machine)).ok()
        })
        .collect();
    for machine in [Machine::Main, Machine::Backup] {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        for chunk in garbage.chunks(1000) {
            let _ = udp.send_to(chunk, two.address(machine));
        }
        let mut tcp = TcpStream::connect(two.address(machine)).unwrap();
        tcp.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        // It is hung up on at once: the rest goes nowhere.
        for _ in 0..megabytes {
            if tcp.write_all(&garbage).is_err() {
                break;
            }
        }
        let mut rest = vec![];
        let _ = tcp.set_read_timeout(Some(Duration::from_secs(5)));
        let _ = tcp.read_to_end(&mut rest);
    }
    fs::write(two.data.join("file"), "all the same").unwrap();
    two.until_same("meanwhile");
    let status = two.status(Machine::Backup).unwrap();
    assert_eq!(status["peer"]["state"], "healthy", "{status}");
    drop(silent);
}
