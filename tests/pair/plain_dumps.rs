//! Bad luck of a database that is dumped by plain commands: no room for the dump, and a drill that is killed while it reads one back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;

use espejo::os;
use rustix::process::{Pid, Signal, kill_process};

use super::drill::{programs, running_with};
use super::dumps::{alarmed, until_dumped};
use super::turns::done;
use crate::common::small_disk::SmallDisk;
use crate::common::two::{Machine, RUNS, Two};
use crate::common::until;

/// It is read back in no time.
const READ_BACK: &str = "restore = [\"true\"]\n";

/// Two machines of which the second dataset is a dump: whatever a file holds, which is returned. It has these further keys.
fn shop(two: &mut Two, more: &str) -> PathBuf {
    two.set("server", RUNS);
    let (path, books) = (two.home(Machine::Main).join("store.toml"), two.path().join("books"));
    let dump = format!("every = \"1s\"\ndump = [\"cat\", \"{}\"]\n{more}", books.display());
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, format!("{text}\n[[dataset]]\nname = \"books\"\nkind = \"dump\"\n{dump}")).unwrap();
    fs::write(&books, "one").unwrap();
    two.meet();
    until_dumped(two, "it is in the mirror");
    books
}

#[test]
fn a_dump_for_which_there_is_no_room_leaves_the_last_one_and_room_for_the_shop() {
    let test = "a_dump_for_which_there_is_no_room_leaves_the_last_one_and_room_for_the_shop";
    let mut two = Two::new();
    let Some(disk) = SmallDisk::over(&two.home(Machine::Main), "160m", test) else { return };
    two.init();
    let books = shop(&mut two, READ_BACK);
    // Long before all of it is written there would be less left than the shop's programs need.
    let large = two.path().join("large");
    fs::File::create(&large).unwrap().set_len(150 << 20).unwrap();
    fs::rename(large, &books).unwrap();
    let said = two.until(Machine::Main, "there is no room for it", |status| alarmed(status, "DMP-102"));
    assert!(said["alarms"].to_string().contains("too little room"), "{said}");
    until("what was written of it is gone", || os::room(disk.path()).unwrap().free > 128 << 20);
    fs::write(two.data.join("order"), "tea").unwrap();
    two.until_same("all else goes on");
    assert_eq!(fs::read_to_string(two.home(Machine::Backup).join("RUNDIR-books/books.dump")).unwrap(), "one");
    fs::write(&books, "two").unwrap();
    until_dumped(&two, "the next one comes as soon as there is room");
    two.until(Machine::Main, "it is over", |status| !alarmed(status, "DMP-102"));
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap_or_default().lines().count()
}

#[test]
fn what_a_drill_reads_back_goes_also_where_it_is_killed_meanwhile() {
    let mut two = Two::new();
    two.init();
    // It is held beside all else: where it is set apart, everything that it began ends with it.
    two.set("drill", "command = [\"tail\", \"-f\", \"/dev/null\"]\nready = { command = [\"true\"] }");
    two.around(Machine::Backup, "PATH", &programs(&two));
    let [began, may_end, ended] = ["began", "may-end", "ended"].map(|name| two.path().join(name));
    let drill = format!("echo >> {0}; test -e {1} || exec tail -f {0}", began.display(), may_end.display());
    let end = format!("echo $ESPEJO_TRAINING >> {}", ended.display());
    shop(
        &mut two,
        &format!("{READ_BACK}drill = [\"sh\", \"-c\", \"{drill}\"]\ndrill_end = [\"sh\", \"-c\", \"{end}\"]\n"),
    );
    let begin = |two: &Two, times| {
        let drill = two.espejo(Machine::Backup, &["drill"]).spawn().unwrap();
        until("it is being read back", || lines(&began) == times);
        drill
    };
    let is_over = |two: &Two, mut drill: Child, times| {
        assert_ne!(drill.wait().unwrap().code(), Some(0));
        until("nothing is left of it", || {
            lines(&ended) == times
                && running_with(&began).is_empty()
                && !two.home(Machine::Backup).join("drill").exists()
        });
    };
    let drill = begin(&two, 1);
    assert_eq!(lines(&ended), 0, "nothing was to be removed before");
    two.kill(Machine::Backup);
    two.start(Machine::Backup);
    is_over(&two, drill, 1);
    two.until(Machine::Backup, "it mirrors", |status| {
        status["peer"]["state"] == "healthy" && status["mirror"]["as_of"].is_string()
    });
    // The process of the drill itself is killed, and cannot end what it has begun.
    let drill = begin(&two, 2);
    let held = running_with(&two.home(Machine::Backup).join("drill"));
    assert_eq!(held.len(), 1);
    kill_process(Pid::from_raw(held[0]).unwrap(), Signal::KILL).unwrap();
    is_over(&two, drill, 2);
    until_dumped(&two, "the mirror goes on");
    fs::write(may_end, "").unwrap();
    done(&two, Machine::Backup, &["drill"]);
    assert_eq!((lines(&began), lines(&ended)), (3, 3));
}

#[test]
fn what_still_reads_a_dump_back_for_a_killed_service_ends_before_the_next_one_does() {
    let mut two = Two::new();
    two.init();
    let [began, may_end] = ["began", "may-end"].map(|name| two.path().join(name));
    let restore = format!("echo >> {0}; test -e {1} || exec tail -f {0}", began.display(), may_end.display());
    shop(&mut two, &format!("restore = [\"sh\", \"-c\", \"{restore}\"]\n"));
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    let mut promote = two.espejo(Machine::Backup, &["promote", "--yes", "--accept-loss"]).spawn().unwrap();
    until("it is being read back", || lines(&began) == 1);
    two.kill(Machine::Backup);
    assert_ne!(promote.wait().unwrap().code(), Some(0));
    assert_eq!(running_with(&began).len(), 1, "nobody has ended it");
    fs::write(may_end, "").unwrap();
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it asks whether it still serves", |status| status["duty"].is_string());
    done(&two, Machine::Backup, &["start", "--yes"]);
    two.until(Machine::Backup, "the POS server runs", |status| status["server"] == "ready");
    assert_eq!((running_with(&began), lines(&began)), (vec![], 2));
}
