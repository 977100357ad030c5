//! The main dies, the backup serves; the main comes back, follows, and is given its place again.

use std::fs;
use std::process::Output;

use espejo::service::home::load_record;

use crate::common::place::{output, told};
use crate::common::two::{Machine, RUNS, Two};
use crate::common::{tree, until};

/// Two machines with a copy that is whole, and a POS server that only runs.
pub fn shop() -> Two {
    with_pos(RUNS)
}

/// The same, where this is set for the POS server; none where it is empty.
pub fn with_pos(server: &str) -> Two {
    let mut two = Two::new();
    two.init();
    two.set("mirror", "interval = \"300ms\"");
    if !server.is_empty() {
        two.set("server", server);
    }
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    fs::write(two.data.join("POS-Q.Seq"), "1").unwrap();
    two.meet();
    two.until_same("the shop");
    two.until(Machine::Backup, "the copy is whole", |status| status["mirror"]["as_of"].is_string());
    two
}

pub fn asked(two: &Two, machine: Machine, verb: &[&str]) -> Output {
    output(&mut two.espejo(machine, verb))
}

pub fn done(two: &Two, machine: Machine, verb: &[&str]) {
    let said = asked(two, machine, verb);
    assert_eq!(said.status.code(), Some(0), "{verb:?}: {}", told(&said));
}

pub fn refused(two: &Two, machine: Machine, verb: &[&str], why: &str) {
    let said = asked(two, machine, verb);
    assert!(said.status.code() == Some(3) && told(&said).contains(why), "{verb:?}: {}", told(&said));
}

#[test]
fn the_backup_serves_when_the_main_has_died_and_gives_back_when_it_is_back() {
    let mut two = shop();
    refused(&two, Machine::Backup, &["promote", "--yes"], "is well");
    refused(&two, Machine::Backup, &["return"], "main is the server");
    refused(&two, Machine::Main, &["return"], "main is the server");
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    refused(&two, Machine::Backup, &["promote"], "Nobody can tell");
    // A sale that never reached the mirror.
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea, of the main alone\n").unwrap();
    done(&two, Machine::Backup, &["promote", "--yes", "--reason", "a test"]);
    let serving = two.until(Machine::Backup, "it serves", |status| status["duty"] == "serving");
    assert_eq!((&serving["epoch"], &serving["holder"]), (&2.into(), &"backup".into()), "{serving}");
    two.until(Machine::Backup, "its POS server is ready", |status| status["server"] == "ready");
    let said = asked(&two, Machine::Backup, &["status"]);
    assert_eq!(said.status.code(), Some(10), "nothing stands behind it, and that is no alarm: {}", told(&said));
    assert!(
        told(&said).contains("The POS server answers") && told(&said).contains("of the backup licence are left"),
        "{}",
        told(&said)
    );
    fs::write(two.mirror().join("ORDER.QUE"), "1;coffee\n2;milk\n").unwrap();
    fs::write(two.mirror().join("POS-Q.Seq"), "2").unwrap();

    two.start(Machine::Main);
    two.until(Machine::Main, "the main follows", |status| status["duty"] == "mirroring" && status["epoch"] == 2);
    until("the main holds what the backup sold", || tree::are_same(&two.mirror(), &two.data));
    let rescue = two.path().join(".pos.espejo/rescue");
    let mut asides = fs::read_dir(&rescue).unwrap().map(|entry| entry.unwrap().path());
    let aside = asides.find(|path| path.is_dir()).expect("something is set aside");
    assert_eq!(fs::read_to_string(aside.join("ORDER.QUE")).unwrap(), "1;coffee\n2;tea, of the main alone\n");
    two.until(Machine::Backup, "the main is level", |status| status["mirror"]["as_of"].is_string());

    fs::write(two.mirror().join("ORDER.QUE"), "1;coffee\n2;milk\n3;beer\n").unwrap();
    done(&two, Machine::Main, &["return", "--reason", "repaired"]);
    let serving = two.until(Machine::Main, "the main serves", |status| status["duty"] == "serving");
    assert_eq!((&serving["epoch"], &serving["holder"]), (&3.into(), &"main".into()), "{serving}");
    two.until(Machine::Backup, "the backup follows", |status| status["duty"] == "mirroring" && status["epoch"] == 3);
    assert_eq!(fs::read_to_string(two.data.join("ORDER.QUE")).unwrap(), "1;coffee\n2;milk\n3;beer\n");
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;milk\n3;beer\n4;wine\n").unwrap();
    two.until_same("as on the first day");
    let starts = |machine| load_record(&two.home(machine)).unwrap().unwrap().starts;
    assert_eq!(starts(Machine::Main), starts(Machine::Backup), "both know where each epoch began");
}

#[test]
fn in_the_morning_the_server_goes_on_when_it_has_heard_the_other_or_a_person() {
    let mut two = shop();
    // Cut off in the night: nobody has said goodbye.
    two.cut_power(Machine::Backup);
    two.cut_power(Machine::Main);
    two.start(Machine::Main);
    two.until(Machine::Main, "it waits", |status| status["duty"] == "waiting");
    refused(&two, Machine::Main, &["promote", "--yes"], "waits to hear");
    two.start(Machine::Backup);
    let serving = two.until(Machine::Main, "it has heard", |status| status["duty"] == "serving");
    assert_eq!(serving["epoch"], 1, "the same epoch as in the evening");
    two.cut_power(Machine::Backup);
    two.cut_power(Machine::Main);
    two.start(Machine::Main);
    two.until(Machine::Main, "it waits", |status| status["duty"] == "waiting");
    done(&two, Machine::Main, &["start", "--yes"]);
    two.until(Machine::Main, "it serves in an epoch of its own", |status| status["epoch"] == 3);
    fs::write(two.data.join("POS-Q.Seq"), "2").unwrap();
    two.start(Machine::Backup);
    two.until_same("the backup follows");
    // Switched off in order: the one that is switched on first need not wait for the other.
    two.stop(Machine::Backup);
    two.stop(Machine::Main);
    two.start(Machine::Main);
    two.until(Machine::Main, "it goes on", |status| status["duty"] == "serving" && status["epoch"] == 3);
}

#[test]
fn who_said_goodbye_and_heard_nothing_since_is_asked_about_that_too() {
    let mut two = shop();
    two.stop(Machine::Backup);
    two.cut_power(Machine::Main);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "the copy is known", |status| status["mirror"]["as_of"].is_string());
    // A crash in between makes no difference.
    two.kill(Machine::Backup);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "the copy is known", |status| status["mirror"]["as_of"].is_string());
    refused(&two, Machine::Backup, &["promote"], "switched off in order");
    two.start(Machine::Main);
    two.until(Machine::Backup, "they have met", |status| status["peer"]["duty"] == "serving");
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    let said = asked(&two, Machine::Backup, &["promote"]);
    assert!(said.status.code() == Some(3) && !told(&said).contains("switched off in order"), "{}", told(&said));
    done(&two, Machine::Backup, &["promote", "--yes"]);
}
