//! Who is turned away: with a wrong code, with a code that was used, with another key; and a port that somebody has.

use std::fs;
use std::net::{TcpListener, UdpSocket};

use crate::common::place::{output, told};
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
    // Another program's, for connections or for datagrams alone.
    two.stop(Machine::Main);
    let address = two.address(Machine::Main);
    let is_named = |taken: &str| {
        let refused = output(&mut two.espejo(Machine::Main, &["run"]));
        assert_eq!(refused.status.code(), Some(2), "{taken}: {}", told(&refused));
        assert!(String::from_utf8_lossy(&refused.stderr).contains(&address), "{taken}: {}", told(&refused));
    };
    let other = TcpListener::bind(&address).unwrap();
    is_named("connections");
    drop(other);
    let other = UdpSocket::bind(&address).unwrap();
    is_named("datagrams");
    drop(other);
    two.start(Machine::Main);
    two.invite();
}
