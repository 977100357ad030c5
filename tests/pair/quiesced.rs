//! A shop's program that never holds still by itself, and does when it is asked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::common::place::{output, told};
use crate::common::two::{Machine, Two};
use crate::common::{until, until_some};
use crate::turns::done;

/// Writes a number into two files all the time, one after the other; while there is a file `pause` it stands still between, and says so.
struct Writer {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    fn begin(data: PathBuf, place: PathBuf) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&ends);
        let thread = std::thread::spawn(move || {
            let mut number = 0_u64;
            while !ended.load(Ordering::Relaxed) {
                if place.join("pause").exists() {
                    fs::write(place.join("paused"), "").unwrap();
                } else {
                    let _ = fs::remove_file(place.join("paused"));
                    number += 1;
                    fs::write(data.join("STOCK.DAT"), number.to_string()).unwrap();
                    std::thread::park_timeout(Duration::from_millis(3));
                    fs::write(data.join("CASH.DAT"), number.to_string()).unwrap();
                }
                std::thread::park_timeout(Duration::from_millis(3));
            }
        });
        Self { ends, thread: Some(thread) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn both(folder: &Path) -> Option<(String, String)> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    Some((read("STOCK.DAT")?, read("CASH.DAT")?))
}

/// Whether a machine says that the data never hold still.
fn is_called_for(status: &Value) -> bool {
    status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == "MIR-207")
}

/// The steady states that the backup can be stepped back to, the newest first.
fn steady_states(two: &Two) -> Vec<String> {
    let listed = output(&mut two.espejo(Machine::Backup, &["history", "--copies", "--json"]));
    assert_eq!(listed.status.code(), Some(0), "{}", told(&listed));
    let all: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let states = all[0]["states"].as_array().unwrap().iter();
    states.filter(|one| one["grade"] == "steady").map(|one| one["at"].as_str().unwrap().to_owned()).collect()
}

fn hooks(place: &Path, quiesce: &str) -> String {
    let pause = place.join("pause").display().to_string();
    let paused = place.join("paused").display().to_string();
    let quiesce = quiesce.replace("PAUSED", &paused).replace("PAUSE", &pause);
    format!("quiesce = [\"sh\", \"-c\", \"{quiesce}\"]\nresume = [\"rm\", \"-f\", \"{pause}\"]\nlimit = \"2s\"")
}

#[test]
fn what_never_holds_still_is_captured_while_it_is_asked_to() {
    let mut two = Two::new();
    two.init();
    let place = two.path().join("place");
    fs::create_dir(&place).unwrap();
    two.set("hooks", &hooks(&place, "touch PAUSE; while [ ! -e PAUSED ]; do :; done"));
    fs::write(two.data.join("STOCK.DAT"), "0").unwrap();
    fs::write(two.data.join("CASH.DAT"), "0").unwrap();
    let writer = Writer::begin(two.data.clone(), place.clone());
    two.meet();
    // A later state than that of the first copy: one that the two files left together.
    let steady = |status: &serde_json::Value| {
        status["mirror"]["position"]["seq"].as_u64() > Some(1) && status["datasets"][0]["grade"] == "steady"
    };
    two.until(Machine::Backup, "a steady generation", steady);
    let first = both(&two.mirror()).unwrap();
    assert_eq!(first.0, first.1, "both files are of one instant");
    until("and another one", || both(&two.mirror()).is_some_and(|now| now != first && now.0 == now.1));
    assert_eq!(two.status(Machine::Backup).unwrap()["datasets"][0]["grade"], "steady");
    drop(writer);
    until("it goes on", || !place.join("pause").exists());
}

#[test]
fn a_hook_that_hangs_is_ended_and_what_moves_is_mirrored_all_the_same() {
    let mut two = Two::new();
    two.init();
    let place = two.path().join("place");
    fs::create_dir(&place).unwrap();
    two.set("hooks", &hooks(&place, "exec tail -f /dev/null"));
    fs::write(two.data.join("STOCK.DAT"), "0").unwrap();
    let writer = Writer::begin(two.data.clone(), place);
    two.meet();
    two.until(Machine::Backup, "it is mirrored, and said", |status| {
        status["datasets"][0]["grade"] == "unsteady" && status["datasets"][0]["unsteady_since"].is_string()
    });
    drop(writer);
    two.until_same("when it stands still by itself");
}

#[test]
fn what_stands_as_it_was_copied_is_no_longer_unsteady_when_the_service_of_the_main_begins_again() {
    let mut two = Two::new();
    two.init();
    let place = two.path().join("place");
    fs::create_dir(&place).unwrap();
    for name in ["STOCK.DAT", "CASH.DAT"] {
        fs::write(two.data.join(name), "0").unwrap();
    }
    let writer = Writer::begin(two.data.clone(), place);
    two.meet();
    let is_unsteady = |status: &Value| status["datasets"][0]["unsteady_since"].is_string();
    two.until(Machine::Backup, "it is unsteady", is_unsteady);
    two.kill(Machine::Main);
    drop(writer);
    let unsteady = two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    assert!(is_unsteady(&unsteady), "{unsteady}");
    // It holds still as the copy has it: nothing needs to be sent.
    let copied = Command::new("cp").arg("-a").arg(two.mirror().join(".")).arg(&two.data).status().unwrap();
    assert!(copied.success());
    two.start(Machine::Main);
    let steady = two.until(Machine::Backup, "it is steady", |status| !is_unsteady(status));
    assert_eq!(steady["datasets"][0]["grade"], "steady", "{steady}");
}

#[test]
fn what_never_holds_still_for_long_calls_a_person_and_the_last_steady_state_is_kept() {
    let mut two = Two::new();
    two.init();
    two.set_pos();
    // So short that nothing of the time before would be left, if it were not kept.
    two.set("mirror", "interval = \"300ms\"\nsteady_alarm = \"1s\"\nhistory = \"1s\"");
    for name in ["STOCK.DAT", "CASH.DAT"] {
        fs::write(two.data.join(name), "0").unwrap();
    }
    two.meet();
    two.until_same("the first copy");
    let calm = two.until(Machine::Backup, "it is steady", |status| {
        status["datasets"][0]["grade"] == "steady" && status["mirror"]["caught_up"] == true
    });
    assert!(!is_called_for(&calm), "{calm}");
    let writer = Writer::begin(two.data.clone(), two.path().join("nobody asks it to pause"));
    let called = two.until(Machine::Backup, "a person is called", is_called_for);
    two.until(Machine::Main, "there, too", is_called_for);
    let since = called["mirror"]["position"]["seq"].as_u64().unwrap();
    two.until(Machine::Backup, "it is mirrored all the same, and still said", |status| {
        is_called_for(status) && status["mirror"]["position"]["seq"].as_u64() > Some(since + 2)
    });
    // Where the writer was kept from running for an instant, one more is, until it is as old as history.
    let steady = until_some("the last steady state is kept, and no other", || {
        Some(steady_states(&two)).filter(|steady| steady.len() == 1)
    });
    drop(writer);
    for machine in [Machine::Backup, Machine::Main] {
        two.until(machine, "it ends when they hold still", |status| {
            !is_called_for(status) && status["datasets"][0]["grade"] == "steady"
        });
    }
    two.until_same("when it stands still by itself");
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes", "--as-of", &steady[0]]);
    // Where the computer is so busy that the writer stood still for a moment, that is the last steady state.
    let began = calm["mirror"]["as_of"].as_str() == Some(&steady[0]);
    let now = both(&two.mirror());
    assert!(!began || now == Some(("0".to_owned(), "0".to_owned())), "as before it began: {now:?}");
    assert_ne!(now, both(&two.data), "it is not as it was in the end");
}

#[test]
fn what_its_program_locks_while_it_writes_is_captured_under_that_lock() {
    let mut two = Two::new();
    two.init();
    let path = two.home(Machine::Main).join("store.toml");
    let rule = "[[dataset.file]]\nmatch = \"STOCK.DAT\"\nlock = \"flock\"\n";
    fs::write(&path, fs::read_to_string(&path).unwrap() + rule).unwrap();
    fs::write(two.data.join("STOCK.DAT"), "0").unwrap();
    fs::write(two.data.join("CASH.DAT"), "0").unwrap();
    let (data, ends) = (two.data.clone(), Arc::new(AtomicBool::new(false)));
    let ended = Arc::clone(&ends);
    // Between two sales it never pauses for as long as two looks take.
    let writes = move || {
        let lock = fs::File::open(data.join("STOCK.DAT")).unwrap();
        for number in 1_u64.. {
            if ended.load(Ordering::Relaxed) {
                return;
            }
            lock.lock().unwrap();
            fs::write(data.join("STOCK.DAT"), number.to_string()).unwrap();
            std::thread::park_timeout(Duration::from_millis(15));
            fs::write(data.join("CASH.DAT"), number.to_string()).unwrap();
            lock.unlock().unwrap();
            std::thread::park_timeout(Duration::from_millis(4));
        }
    };
    let writer = Writer { ends, thread: Some(std::thread::spawn(writes)) };
    two.meet();
    let steady = |status: &serde_json::Value| {
        status["mirror"]["position"]["seq"].as_u64() > Some(1) && status["datasets"][0]["grade"] == "steady"
    };
    two.until(Machine::Backup, "a steady generation", steady);
    let mut seen = std::collections::BTreeSet::new();
    until("several of them, each of one instant", || {
        let now = both(&two.mirror());
        if let Some((stock, cash)) = now.filter(|(stock, cash)| stock == cash && stock != "0") {
            seen.insert((stock, cash));
        }
        seen.len() >= 3
    });
    two.until(Machine::Backup, "still steady", steady);
    drop(writer);
    two.until_same("at the end");
}

#[test]
fn whoever_was_asked_to_stand_still_is_asked_to_go_on_until_it_does() {
    let mut two = Two::new();
    two.init();
    let place = two.path().join("place");
    fs::create_dir(&place).unwrap();
    let quiesce = hooks(&place, "touch PAUSE; while [ ! -e PAUSED ]; do :; done");
    let at = |name: &str| place.join(name);
    let [go, pause, tried] = ["go", "pause", "tried"].map(|name| at(name).display().to_string());
    let resume = format!("resume = [\"sh\", \"-c\", \"touch {tried}; test -e {go} && rm -f {pause}\"]");
    let known = format!("resume = [\"rm\", \"-f\", \"{pause}\"]");
    assert!(quiesce.contains(&known), "{quiesce}");
    two.set("hooks", &quiesce.replace(&known, &resume));
    fs::write(two.data.join("STOCK.DAT"), "0").unwrap();
    fs::write(two.data.join("CASH.DAT"), "0").unwrap();
    let writer = Writer::begin(two.data.clone(), place.clone());
    two.meet();
    until("it was asked to go on, and does not", || at("tried").exists());
    assert!(at("pause").exists());
    let called = |status: &Value| status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == "MIR-404");
    two.until(Machine::Main, "it is said", called);
    fs::write(at("go"), "").unwrap();
    until("it is asked again", || !at("pause").exists());
    two.until(Machine::Main, "it is over", |status| !called(status));
    // And so it is where the service is killed in between.
    until("it goes on", || !at("paused").exists());
    fs::remove_file(at("go")).unwrap();
    until("it stands still again", || at("paused").exists());
    two.kill(Machine::Main);
    fs::write(at("go"), "").unwrap();
    two.start(Machine::Main);
    until("the next service has it go on", || !at("pause").exists());
    drop(writer);
}
