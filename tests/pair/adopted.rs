//! The backup that serves becomes the main for good; and a new machine takes the place of a main that is gone.

use std::fs;

use serde_json::Value;

use crate::common::place::{output, told};
use crate::common::two::{Machine, Two};
use crate::common::{tree, until};
use crate::turns::{asked, done, refused, shop};

/// The process of the POS server of a machine.
fn pos(two: &Two, machine: Machine) -> i32 {
    let record = espejo::server::record::Record::load(&two.home(machine)).expect("a POS server runs");
    record.mark.pid
}

/// A shop whose backup serves, since its main has died.
fn main_is_dead() -> Two {
    let mut two = shop();
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    two.until(Machine::Backup, "the backup serves", |status| status["server"] == "ready");
    two
}

#[test]
fn the_backup_that_serves_becomes_the_main_and_the_shop_sells_on() {
    let two = shop();
    refused(&two, Machine::Backup, &["adopt"], "nothing to adopt");
    two.until_it_may(Machine::Main, "switch");
    done(&two, Machine::Main, &["switch"]);
    two.until(Machine::Main, "the main follows", |status| status["mirror"]["as_of"].is_string());
    two.until(Machine::Backup, "it serves", |status| {
        status["server"] == "ready" && status["peer"]["duty"] == "mirroring"
    });
    let (before, text) =
        (pos(&two, Machine::Backup), fs::read_to_string(two.home(Machine::Main).join("store.toml")).unwrap());

    let plan = asked(&two, Machine::Main, &["adopt", "--plan", "--json"]);
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert!(plan["steps"] == serde_json::json!(["name-main"]) && plan["loss"].is_null(), "{plan}");
    done(&two, Machine::Main, &["adopt", "--reason", "it is the better machine"]);
    let now =
        two.until(Machine::Backup, "it is the main", |status| status["node"] == "main" && status["server"] == "ready");
    assert_eq!((&now["duty"], &now["epoch"], &now["holder"]), (&"serving".into(), &2.into(), &"main".into()), "{now}");
    assert_eq!(pos(&two, Machine::Backup), before, "its POS server ran on");
    let other = two.until(Machine::Main, "the other one is the backup", |status| {
        status["node"] == "backup" && status["duty"] == "mirroring" && status["mirror"]["as_of"].is_string()
    });
    assert_eq!(other["holder"], "main", "{other}");
    // The days of the backup licence belong to the other machine now, and none runs.
    assert_eq!(other["licence"]["state"], "ready", "{other}");
    for machine in [Machine::Main, Machine::Backup] {
        let now = fs::read_to_string(two.home(machine).join("store.toml")).unwrap();
        let others = |line: &&str| !line.starts_with("home = \"backup\"");
        assert!(
            now.lines().filter(others).eq(text.lines()) && now != text,
            "{machine:?}: nothing else has changed: {now}"
        );
        assert_eq!(fs::read_to_string(two.home(machine).join("store.toml.before")).unwrap(), text);
    }
    let known: Value = serde_json::from_slice(&asked(&two, Machine::Main, &["history", "--json"]).stdout).unwrap();
    let mut known = known["operations"].as_array().unwrap().iter();
    assert!(known.any(|one| one["kind"] == "adopt" && one["state"] == "done"), "both know of it");

    // What was the main takes over now, and gives back.
    fs::write(two.mirror().join("ORDER.QUE"), "1;coffee\n2;milk\n").unwrap();
    until("the new backup holds it", || tree::are_same(&two.data, &two.mirror()));
    refused(&two, Machine::Main, &["return"], "main is the server");
    two.until_it_may(Machine::Backup, "switch");
    done(&two, Machine::Main, &["switch"]);
    let serving = two.until(Machine::Main, "it serves as the backup", |status| status["server"] == "ready");
    assert_eq!((&serving["node"], &serving["epoch"]), (&"backup".into(), &3.into()), "{serving}");
    assert_eq!(serving["licence"]["state"], "running", "{serving}");
    two.until(Machine::Backup, "the main is level", |status| status["mirror"]["as_of"].is_string());
    done(&two, Machine::Backup, &["return"]);
    two.until(Machine::Backup, "the main serves", |status| status["duty"] == "serving" && status["epoch"] == 4);
}

#[test]
fn a_main_that_was_away_when_the_other_one_was_adopted_comes_back_as_the_backup() {
    let mut two = main_is_dead();
    done(&two, Machine::Backup, &["adopt"]);
    two.until(Machine::Backup, "it is the main", |status| status["node"] == "main" && status["server"] == "ready");
    // Somebody has edited the old one's settings meanwhile, twice: it does not know that it is the backup.
    for edit in ["# once\n", "# twice\n"] {
        let path = two.home(Machine::Main).join("store.toml");
        fs::write(&path, format!("{edit}{}", fs::read_to_string(&path).unwrap())).unwrap();
        two.start(Machine::Main);
        two.until(Machine::Main, "it begins", |status| status["duty"] != "serving");
        if edit == "# once\n" {
            two.kill(Machine::Main);
        }
    }
    let other = two.until(Machine::Main, "it is the backup", |status| {
        status["node"] == "backup" && status["duty"] == "mirroring" && status["mirror"]["as_of"].is_string()
    });
    assert_eq!((&other["epoch"], &other["licence"]["state"]), (&2.into(), &"ready".into()), "{other}");
    // When it dies, or the new main does, all is as with any other pair.
    two.cut_power(Machine::Backup);
    two.until(Machine::Main, "the new main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Main, &["promote", "--yes"]);
    let serving = two.until(Machine::Main, "it serves as the backup", |status| status["server"] == "ready");
    assert_eq!((&serving["node"], &serving["epoch"]), (&"backup".into(), &3.into()), "{serving}");
}

#[test]
fn an_adoption_that_is_cut_off_goes_on_and_the_roles_are_told_by_both() {
    let mut two = main_is_dead();
    two.around(Machine::Backup, "FAILPOINTS", "adopt.named=return");
    two.kill(Machine::Backup);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it serves on", |status| status["server"] == "ready");
    let _ = asked(&two, Machine::Backup, &["adopt"]);
    two.until_killed(Machine::Backup);
    two.around(Machine::Backup, "FAILPOINTS", "");
    two.start(Machine::Backup);
    let now =
        two.until(Machine::Backup, "it is the main", |status| status["node"] == "main" && status["server"] == "ready");
    assert_eq!((&now["epoch"], &now["operation"]["state"]), (&2.into(), &"done".into()), "{now}");
}

#[test]
fn a_new_machine_takes_the_place_of_the_main_and_receives_everything() {
    let mut two = main_is_dead();
    fs::write(two.mirror().join("ORDER.QUE"), "1;coffee\n2;milk\n").unwrap();
    refused(&two, Machine::Backup, &["invite", "backup"], "only the main");
    // The old machine is scrap: another one has its address, and nothing else.
    fs::remove_dir_all(two.home(Machine::Main)).unwrap();
    fs::remove_dir_all(&two.data).unwrap();
    let said = asked(&two, Machine::Backup, &["invite", "main"]);
    assert!(said.status.success(), "{}", told(&said));
    let code = String::from_utf8(said.stdout).unwrap().split_whitespace().next().unwrap().to_owned();
    let address = two.address(Machine::Backup);
    let joined = output(&mut two.espejo(Machine::Main, &["join", &code, &address]));
    assert!(joined.status.success(), "{}", told(&joined));
    two.start(Machine::Main);
    let new = two.until(Machine::Main, "it holds everything", |status| {
        status["duty"] == "mirroring" && status["mirror"]["as_of"].is_string()
    });
    assert_eq!((&new["node"], &new["epoch"]), (&"main".into(), &2.into()), "{new}");
    until("it is level", || tree::are_same(&two.data, &two.mirror()));
    two.until(Machine::Backup, "the shop sells on", |status| status["server"] == "ready" && status["epoch"] == 2);
    refused(&two, Machine::Main, &["promote", "--yes"], "is well");
    done(&two, Machine::Backup, &["return"]);
    let serving = two.until(Machine::Main, "the new main serves", |status| status["server"] == "ready");
    assert_eq!((&serving["node"], &serving["epoch"]), (&"main".into(), &3.into()), "{serving}");
    two.until(Machine::Backup, "the backup follows", |status| status["duty"] == "mirroring" && status["epoch"] == 3);
}

#[test]
fn nobody_but_the_backup_that_serves_invites_a_main_and_no_home_of_another_part_joins() {
    let mut two = shop();
    refused(&two, Machine::Main, &["invite", "main"], "in its place");
    refused(&two, Machine::Backup, &["invite", "main"], "in its place");
    two.stop(Machine::Backup);
    let code = two.invite();
    let address = two.address(Machine::Main);
    two.cut_power(Machine::Main);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] != "healthy");
    done(&two, Machine::Backup, &["promote", "--yes", "--accept-loss"]);
    let said = asked(&two, Machine::Backup, &["invite", "main"]);
    let code = String::from_utf8(said.stdout).unwrap().split_whitespace().next().map_or(code, ToOwned::to_owned);
    let _ = address;
    // Another home that is the backup of this store already.
    let other = two.path().join("third");
    fs::create_dir(&other).unwrap();
    for name in ["node.json", "store.toml"] {
        fs::copy(two.home(Machine::Backup).join(name), other.join(name)).unwrap();
    }
    let mut join = two.espejo(Machine::Main, &["join", &code, &two.address(Machine::Backup)]);
    let refused = output(join.arg("--home").arg(&other));
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
}
