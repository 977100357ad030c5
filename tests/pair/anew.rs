//! The copy is thrown away and taken anew.

use std::fs;

use crate::common::place::{output, told};
use crate::common::two::{Machine, Two};

#[test]
fn a_copy_is_taken_anew_and_what_it_alone_held_is_set_aside() {
    let two = Two::joined();
    for number in 0..20 {
        fs::write(two.data.join(format!("file {number}")), format!("{number}\n").repeat(5000)).unwrap();
    }
    two.until_same("before");
    two.until(Machine::Backup, "it is a copy", |status| status["mirror"]["as_of"].is_string());
    let asked = output(&mut two.espejo(Machine::Backup, &["reseed"]));
    assert_eq!(asked.status.code(), Some(3), "nobody is there to be asked: {}", told(&asked));
    // Changed behind everybody's back, with the stamp kept: only a look at every byte finds it.
    let spoiled = two.mirror().join("file 7");
    let meant = fs::metadata(&spoiled).unwrap().modified().unwrap();
    fs::write(&spoiled, "8\n".repeat(5000)).unwrap();
    fs::File::options().write(true).open(&spoiled).unwrap().set_modified(meant).unwrap();
    fs::write(two.mirror().join("only here"), "a sale").unwrap();
    let done = output(&mut two.espejo(Machine::Main, &["reseed", "--yes"]));
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    two.until_same("after");
    let rescue = two.home(Machine::Backup).join(".RUNDIR.espejo/rescue");
    let aside = fs::read_dir(&rescue).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::read_to_string(aside.join("only here")).unwrap(), "a sale");
    assert_eq!(fs::read_to_string(aside.join("file 7")).unwrap(), "8\n".repeat(5000));
    assert_eq!(fs::read_dir(&aside).unwrap().count(), 2, "what was the same stayed");
    assert!(told(&done).contains("only here"), "{}", told(&done));
    fs::write(two.data.join("file 3"), "and it goes on").unwrap();
    two.until_same("in the end");
    let verified = output(&mut two.espejo(Machine::Backup, &["verify"]));
    assert_eq!(verified.status.code(), Some(0), "{}", told(&verified));
}

#[test]
fn what_cannot_be_taken_anew_is_kept() {
    let mut two = Two::joined();
    fs::write(two.data.join("file"), "x").unwrap();
    two.until_same("before");
    two.kill(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    let refused = output(&mut two.espejo(Machine::Backup, &["reseed", "--yes"]));
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
    assert_eq!(fs::read_to_string(two.mirror().join("file")).unwrap(), "x");
    two.until(Machine::Backup, "it is a copy still", |status| status["mirror"]["as_of"].is_string());
}
