//! The two machines are updated one after the other: the build before this one, with a protocol of its own, and this one go on
//! together, the shop sells meanwhile, and the way back is open, too.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::place::{output, told};
use crate::common::shop::{BOTH, Shop};
use crate::common::two::{Machine, Two, verified};
use crate::common::{needs, passed_over, tree, until};
use crate::turns::done;

/// Names the program of the version before, where it was built already.
const OLDER: &str = "ESPEJO_OLDER";

/// The program of the version before: built from the project's own history, where that is here.
fn older(test: &str) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(OLDER) {
        return Some(named.into());
    }
    // The folder of the folder in which the program lies.
    let target = Path::new(env!("CARGO_BIN_EXE_espejo")).ancestors().nth(2).unwrap();
    let mut build = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/older"));
    let built = build.env("CARGO_TARGET_DIR", target).stderr(Stdio::piped()).output();
    let path = built.ok().filter(|built| built.status.success()).map(|built| String::from_utf8(built.stdout).unwrap());
    if path.is_none() {
        passed_over(test, "no history of the project from which the version before could be built");
    }
    path.map(|path| PathBuf::from(path.trim_end()))
}

/// Two machines with these programs, joined by a code, and the one mirrors the other.
fn mirrored(programs: [&Path; 2]) -> Two {
    let mut two = Two::new();
    for (machine, program) in BOTH.into_iter().zip(programs) {
        two.install(machine, program);
    }
    two.init();
    std::fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    // Of such a one the version before knows nothing but that it is a file.
    let database = rusqlite::Connection::open(two.data.join("shop.db")).unwrap();
    database.execute_batch("CREATE TABLE sales (number INTEGER)").unwrap();
    drop(database);
    two.meet();
    two.until_same("the first copy");
    two
}

/// The machines run different versions, and that is said.
fn has_told(status: &Value) -> bool {
    let alarms = status["alarms"].as_array().unwrap();
    alarms.iter().any(|alarm| alarm["trouble"] == "versions" && alarm["theirs"] == "0.0.4")
}

/// They talk, every byte is equal, and a change goes over, whoever of the two is started again.
fn goes_on(two: &mut Two) {
    for machine in BOTH {
        two.until(machine, "the other is heard", |status| status["peer"]["state"] == "healthy");
        verified(two, &format!("before {machine:?} is started again"));
        two.stop(machine);
        two.start(machine);
        std::fs::write(two.data.join(format!("{machine:?}")), "after").unwrap();
        two.until_same("after a restart");
        two.until(machine, "nothing is wrong but the versions", |status| {
            let alarms = status["alarms"].as_array().unwrap();
            status["peer"]["state"] == "healthy" && alarms.iter().all(|alarm| alarm["trouble"] == "versions")
        });
    }
}

#[test]
fn a_main_of_the_version_before_is_mirrored() {
    let Some(older) = older("a_main_of_the_version_before_is_mirrored") else { return };
    let newer = PathBuf::from(env!("CARGO_BIN_EXE_espejo"));
    let mut two = mirrored([&older, &newer]);
    two.until(Machine::Backup, "the versions are told", has_told);
    until("it is logged", || two.logged(Machine::Backup, "protocol=4") > 0);
    goes_on(&mut two);
}

#[test]
fn a_backup_of_the_version_before_mirrors() {
    let Some(older) = older("a_backup_of_the_version_before_mirrors") else { return };
    let newer = PathBuf::from(env!("CARGO_BIN_EXE_espejo"));
    let mut two = mirrored([&newer, &older]);
    two.until(Machine::Main, "the versions are told", has_told);
    until("it is logged", || two.logged(Machine::Main, "protocol=4") > 0);
    goes_on(&mut two);
}

/// Installs `program` on both machines in the order of the README: the backup, the change to it, the main, the change back.
fn update(shop: &mut Shop, program: &Path) {
    let restart = |shop: &mut Shop, machine| {
        shop.two.stop(machine);
        shop.two.install(machine, program);
        shop.two.start(machine);
    };
    restart(shop, Machine::Backup);
    shop.until_whole();
    until("the change can be made", || BOTH.into_iter().all(|machine| espejo(shop, machine, &["switch", "--plan"])));
    done(&shop.two, Machine::Backup, &["switch", "--yes"]);
    shop.two.until(Machine::Main, "the main mirrors", |status| status["duty"] == "mirroring");
    restart(shop, Machine::Main);
    shop.two.until(Machine::Main, "the copy is whole", |status| {
        status["duty"] == "mirroring" && status["mirror"]["as_of"].is_string()
    });
    shop.until_sold();
    assert_eq!(shop.serving(), [Machine::Backup]);
    until("the change back can be made", || espejo(shop, Machine::Backup, &["return", "--plan"]));
    done(&shop.two, Machine::Main, &["return", "--yes"]);
    shop.until_whole();
    shop.until_sold();
    assert_eq!(shop.serving(), [Machine::Main]);
}

/// Whether a verb ends well.
fn espejo(shop: &Shop, machine: Machine, verb: &[&str]) -> bool {
    output(&mut shop.two.espejo(machine, verb)).status.success()
}

#[test]
fn a_shop_is_updated_one_machine_after_the_other_and_back_and_sells_meanwhile() {
    needs!("python3");
    let test = "a_shop_is_updated_one_machine_after_the_other_and_back_and_sells_meanwhile";
    let Some(older) = older(test) else { return };
    let newer = PathBuf::from(env!("CARGO_BIN_EXE_espejo"));
    let mut two = Two::new();
    for machine in BOTH {
        two.install(machine, &older);
    }
    let mut shop = Shop::at(two).open();
    for program in [&newer, &older] {
        update(&mut shop, program);
        let status =
            shop.two.until(Machine::Backup, "both have it", |status| status["alarms"] == serde_json::json!([]));
        assert_eq!(status["history"].as_array().unwrap().len(), if *program == newer { 2 } else { 4 }, "{status}");
    }
    shop.close();
    until("both hold the same", || tree::are_same(&shop.two.data, &shop.two.mirror()));
    assert_eq!(shop.accounted(Machine::Main, "in the end"), 0, "nothing was set aside");
    shop.was_one("in the end");
    for machine in BOTH {
        let checked = output(&mut shop.two.espejo(machine, &["history", "--check", "--json"]));
        let said: Value = serde_json::from_slice(&checked.stdout).unwrap();
        assert!(checked.status.success() && said["chain"]["rows"].as_u64() > Some(0), "{}", told(&checked));
    }
    verified(&shop.two, "in the end");
}
