//! The copy is thrown away and taken anew.

use std::fs;

use crate::common::place::{output, told};
use crate::common::two::{Machine, Two};
use crate::turns::done;

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
    let anew = output(&mut two.espejo(Machine::Main, &["reseed", "--yes"]));
    assert_eq!(anew.status.code(), Some(0), "{}", told(&anew));
    two.until_same("after");
    let rescue = two.home(Machine::Backup).join(".RUNDIR.espejo/rescue");
    let aside = fs::read_dir(&rescue).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::read_to_string(aside.join("only here")).unwrap(), "a sale");
    assert_eq!(fs::read_to_string(aside.join("file 7")).unwrap(), "8\n".repeat(5000));
    assert_eq!(fs::read_dir(&aside).unwrap().count(), 2, "what was the same stayed");
    assert!(told(&anew).contains("only here"), "{}", told(&anew));
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

/// Found by reading: somebody who had removed what leads back, to make room, kept every first copy from coming.
#[test]
fn what_leads_back_may_be_gone_when_the_copy_is_taken_anew() {
    let two = Two::joined();
    fs::write(two.data.join("file"), "x").unwrap();
    two.until_same("the first copy");
    two.until(Machine::Backup, "it is a copy", |status| status["mirror"]["as_of"].is_string());
    fs::write(two.data.join("file"), "y").unwrap();
    two.until_same("with a way back");
    two.until(Machine::Backup, "all is there", |status| status["mirror"]["caught_up"] == true);
    let journal = two.home(Machine::Backup).join(".RUNDIR.espejo");
    let ways_back =
        || fs::read_dir(journal.join("undo")).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    assert!(!ways_back().is_empty());
    // All of it, and the next change has a way back again; then that, too.
    fs::remove_dir_all(journal.join("undo")).unwrap();
    fs::write(two.data.join("file"), "z").unwrap();
    two.until_same("it goes on");
    assert_eq!(ways_back().len(), 1);
    for path in ways_back() {
        fs::remove_file(path).unwrap();
    }
    fs::remove_dir_all(journal.join("stash")).unwrap();
    done(&two, Machine::Backup, &["reseed", "--yes"]);
    two.until_same("after");
    fs::rename(two.data.join("file"), two.data.join("renamed")).unwrap();
    two.until_same("in the end");
    assert!(!ways_back().is_empty(), "with a way back");
}
