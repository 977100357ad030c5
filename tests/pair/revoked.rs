//! Who was let in, and is turned away from then on.

use std::fs;

use crate::common::place::{output, told};
use crate::common::two::{Machine, Two};

fn revoke(two: &Two, machine: Machine, name: &str) -> std::process::Output {
    output(&mut two.espejo(machine, &["invite", "--revoke", name]))
}

#[test]
fn a_backup_that_is_forgotten_is_turned_away_until_it_joins_again() {
    let mut two = Two::joined();
    fs::write(two.data.join("file"), "x").unwrap();
    two.until_same("before");
    let refused = revoke(&two, Machine::Main, "CAJA-9");
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("CAJA-9"), "{}", told(&refused));
    let open = two.invite();
    let done = revoke(&two, Machine::Main, "backup");
    assert!(done.status.success() && told(&done).contains("espejo invite backup"), "{}", told(&done));
    fs::write(two.data.join("file"), "not for this backup").unwrap();
    let is_away = |status: &serde_json::Value| status["alarms"][0]["why"]["is"] == "turned-away";
    two.until(Machine::Backup, "it is said", is_away);
    let main = two.until(Machine::Main, "it stands alone", |status| status["peer"]["unmet"]["is"] == "nobody-joined");
    assert_eq!((&main["can_take_over"]["yes"], &main["alarms"]), (&false.into(), &serde_json::json!([])));
    assert_eq!(revoke(&two, Machine::Main, "backup").status.code(), Some(3), "there is nobody to forget");
    // Also after both have begun anew.
    for machine in [Machine::Main, Machine::Backup] {
        two.kill(machine);
        two.start(machine);
    }
    two.until(Machine::Backup, "it is said again", is_away);
    assert_eq!(fs::read_to_string(two.mirror().join("file")).unwrap(), "x");
    two.stop(Machine::Backup);
    assert_eq!(two.join(&open).status.code(), Some(3), "a code that was open is good no more");
    let joined = two.join(&two.invite());
    assert!(joined.status.success(), "{}", told(&joined));
    two.start(Machine::Backup);
    two.until_same("it has joined again");
}

#[test]
fn a_backup_is_forgotten_by_its_name_and_by_its_main_alone() {
    let two = Two::joined();
    two.until_same("before");
    let refused = revoke(&two, Machine::Backup, "backup");
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
    let (name, _) = two.address(Machine::Backup).rsplit_once(':').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let done = revoke(&two, Machine::Main, &name);
    assert!(done.status.success(), "{}", told(&done));
}

#[test]
fn a_home_joins_no_other_store() {
    let mut two = Two::joined();
    fs::write(two.data.join("file"), "x").unwrap();
    two.until_same("before");
    two.stop(Machine::Backup);
    two.stop(Machine::Main);
    fs::remove_dir_all(two.home(Machine::Main)).unwrap();
    two.init();
    let path = two.home(Machine::Main).join("store.toml");
    let text = fs::read_to_string(&path).unwrap().replace("store = \"Centro\"", "store = \"Norte\"");
    fs::write(&path, text).unwrap();
    two.start(Machine::Main);
    let refused = two.join(&two.invite());
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
    assert!(told(&refused).contains("Centro") && told(&refused).contains("Norte"), "{}", told(&refused));
    let alone = two.until(Machine::Main, "nobody has joined", |status| !status["peer"]["unmet"].is_null());
    assert_eq!(alone["peer"]["unmet"]["is"], "nobody-joined");
}

#[test]
fn a_main_that_was_set_up_anew_is_joined_again_and_the_mirror_goes_on() {
    let mut two = Two::joined();
    fs::write(two.data.join("file"), "x").unwrap();
    two.until_same("before");
    two.stop(Machine::Backup);
    two.stop(Machine::Main);
    fs::remove_dir_all(two.home(Machine::Main)).unwrap();
    two.init();
    two.start(Machine::Main);
    let joined = two.join(&two.invite());
    assert!(joined.status.success(), "{}", told(&joined));
    two.start(Machine::Backup);
    fs::write(two.data.join("file"), "the new main's").unwrap();
    two.until_same("the new main is followed");
}
