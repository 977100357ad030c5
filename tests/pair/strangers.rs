//! Who is turned away: with a wrong code, with a code that was used, with another key; and a port that somebody has.

use std::fs;
use std::net::{TcpListener, UdpSocket};

use serde_json::Value;

use crate::common::place::{output, told};
use crate::common::two::{Machine, Two, free_port};
use crate::common::until;

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
fn a_copy_of_the_backups_disk_is_turned_away_and_can_be_no_server() {
    let mut two = crate::turns::shop();
    fs::write(two.data.join("file"), "x").unwrap();
    two.until_same("before");
    // Its disk is copied while it is switched off; then both are there.
    two.stop(Machine::Backup);
    let copied = two.path().join("copied");
    let copy = std::process::Command::new("cp").arg("-a").arg(two.home(Machine::Backup)).arg(&copied).status();
    assert!(copy.unwrap().success());
    two.start(Machine::Backup);
    // It itself says so: the main may not have missed it yet.
    two.until(Machine::Backup, "it is the one that is there", |status| status["peer"]["state"] == "healthy");
    let address = format!("127.0.0.1:{}", free_port());
    let espejo = |args: &[&str]| {
        let mut espejo = std::process::Command::new(env!("CARGO_BIN_EXE_espejo"));
        espejo.args(["--lang", "en"]).args(args).env("ESPEJO_HOME", &copied).env("ESPEJO_LISTEN", &address);
        espejo
    };
    let mut twin = Killed(espejo(&["run"]).spawn().unwrap());
    let status = || serde_json::from_slice::<Value>(&output(&mut espejo(&["status", "--json"])).stdout).ok();
    until("the copy is told", || status().is_some_and(|status| status["peer"]["unmet"]["is"] == "twin"));
    two.until(Machine::Main, "the main says so", |status| {
        status["alarms"]
            .as_array()
            .unwrap()
            .iter()
            .any(|alarm| alarm["code"] == "MIR-307" && alarm["from"] == "127.0.0.1")
    });
    // The real one goes on all the time.
    fs::write(two.data.join("file"), "for the real one").unwrap();
    two.until_same("the real one goes on");
    assert_eq!(fs::read_to_string(copied.join("RUNDIR/file")).unwrap(), "x");
    // Nor does it become the server when the main is gone, and when it begins again meanwhile.
    two.cut_power(Machine::Main);
    for _ in 0..2 {
        until("it cannot be the server", || {
            let said = output(&mut espejo(&["promote", "--yes", "--accept-loss"]));
            said.status.code() == Some(3) && told(&said).contains("two servers")
        });
        drop(twin);
        twin = Killed(espejo(&["run"]).spawn().unwrap());
    }
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    crate::turns::done(&two, Machine::Backup, &["promote", "--yes"]);
}

/// A process that ends with the test.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
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
