//! A drill: the POS server is started on a copy of the mirror, and nothing else notices.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::{env, fs};

use serde_json::{Value, json};

use crate::common::place::{output, told};
use crate::common::two::{Machine, Two, free_port};
use crate::common::{needs, passed_over, tree::tree, until, until_some};
use crate::turns::done;

const POS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pair/drill.py");

/// A sale over the network: ends with 0 where it was possible.
const SALE: &str = "import socket,sys\n\
    line = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)\n\
    line.sendall(b'SELL\\n')\n\
    sys.exit(0 if line.recv(100) == b'SOLD\\n' else 3)\n";

fn is_allowed(test: &str) -> bool {
    let allowed = rustix::process::geteuid().is_root();
    if !allowed {
        passed_over(test, "the POS server is set apart as root");
    }
    allowed
}

/// Two machines with a POS server that only the backup would start; and where it says how it was.
fn shop(mode: &str, more: &str) -> (Two, u16, PathBuf) {
    let mut two = Two::new();
    two.init();
    let (port, said) = (free_port(), two.path().join("said"));
    let sale = SALE.replace('\\', "\\\\").replace('\n', "\\n");
    let set = format!(
        "command = [\"tail\", \"-f\", \"/dev/null\"]\n[server.backup]\ncommand = [\"python3\", \"{POS}\", \"{{data}}\", \"{port}\", \
         \"{}\", \"{mode}\"]\nready = {{ tcp = \"127.0.0.1:{port}\", send = \"PING\\n\", expect = \"PONG\"{more} }}\n\
         [drill]\nsale = [\"python3\", \"-c\", \"{sale}\", \"{port}\"]\n",
        said.display()
    );
    two.set("server", &set);
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    two.meet();
    two.until_same("the mirror");
    two.until(Machine::Backup, "it is a copy", |status| status["mirror"]["as_of"].is_string());
    (two, port, said)
}

fn copies(two: &Two) -> [PathBuf; 2] {
    let journal = two.home(Machine::Backup).join(".RUNDIR.espejo");
    [journal.join("drill"), journal.join("drill.gone")]
}

/// The processes that run with this file among their arguments.
pub fn running_with(file: &Path) -> Vec<i32> {
    let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let name = file.to_str().unwrap();
    let runs_with = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(name)
    };
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(runs_with).collect()
}

fn runs_with(file: &Path) -> bool {
    !running_with(file).is_empty()
}

fn nothing_is_left(two: &Two, said: &Path) {
    until("nothing is left of the drill", || {
        copies(two).iter().all(|copy| !copy.exists())
            && !two.home(Machine::Backup).join("drill").exists()
            && !runs_with(said)
    });
}

fn until_it_mirrors(two: &Two) {
    two.until(Machine::Backup, "it mirrors", |status| {
        status["duty"] == "mirroring" && status["peer"]["state"] == "healthy" && status["mirror"]["as_of"].is_string()
    });
}

fn drilled(two: &Two) -> Value {
    two.status(Machine::Backup).unwrap()["drilled"].clone()
}

#[test]
fn the_pos_server_is_started_on_a_copy_with_its_own_command_and_nobody_notices() {
    needs!("python3");
    if !is_allowed("the_pos_server_is_started_on_a_copy_with_its_own_command_and_nobody_notices") {
        return;
    }
    let (two, port, said) = shop("sells", "");
    // Its port belongs to somebody else here.
    let other = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let (before, days) = (tree(&two.mirror()), two.status(Machine::Backup).unwrap()["licence"].clone());
    let held = output(&mut two.espejo(Machine::Main, &["drill", "--json"]));
    assert_eq!(held.status.code(), Some(0), "{}", told(&held));
    let ended: Value = serde_json::from_slice(&held.stdout).unwrap();
    assert!(ended["state"] == "done" && ended["ready_ms"].is_u64() && ended["steps_at"].as_array().unwrap().len() == 3);
    let began = fs::read_to_string(&said).unwrap();
    assert_eq!(
        began,
        format!("1 {} 1\n", two.mirror().display()),
        "for training, at its own folder, with a network of its own"
    );
    nothing_is_left(&two, &said);
    assert_eq!(tree(&two.mirror()), before, "the mirror is as it was");
    let status = two.status(Machine::Backup).unwrap();
    assert_eq!(status["licence"], days);
    assert_eq!((&status["drilled"]["sold"], &status["drilled"]["why_not"]), (&json!(true), &Value::Null), "{status}");
    assert!(!two.home(Machine::Main).join("drill.json").exists());
    drop(other);
    let history = output(&mut two.espejo(Machine::Backup, &["history"]));
    assert!(String::from_utf8_lossy(&history.stdout).contains("Drill"), "{}", told(&history));
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n").unwrap();
    two.until_same("and the mirror goes on");
}

#[test]
fn a_drill_that_is_older_than_a_month_is_a_hint_and_no_alarm() {
    let mut two = Two::joined();
    let hinted = |status: &Value| status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == "DRL-102");
    for (days, expected) in [(29, false), (31, true)] {
        two.until(Machine::Backup, "it is a copy", |status| status["mirror"]["as_of"].is_string());
        two.stop(Machine::Backup);
        let at = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
        let last = json!({ "at": at.to_string(), "ready_ms": 1200, "sold": true, "why_not": null });
        fs::write(two.home(Machine::Backup).join("drill.json"), last.to_string()).unwrap();
        two.start(Machine::Backup);
        let well = |status: &Value| status["drilled"]["ready_ms"] == 1200 && status["mirror"]["as_of"].is_string();
        let status = two.until(Machine::Backup, "the last one is known", |status| {
            well(status) && status["peer"]["state"] == "healthy" && hinted(status) == expected
        });
        assert_eq!(status["can_take_over"]["yes"], true, "a hint keeps nobody from starting: {status}");
    }
    let said = output(&mut two.espejo(Machine::Backup, &["status"]));
    assert_eq!(said.status.code(), Some(10), "less than well, and no alarm: {}", told(&said));
    assert!(told(&said).contains("For 31 days no drill"), "{}", told(&said));
}

#[test]
fn where_none_was_ever_held_that_is_a_hint_after_a_month_too() {
    let mut two = Two::new();
    two.init();
    two.set_pos();
    two.meet();
    let hinted = |status: &Value| status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == "DRL-102");
    let new = two.until(Machine::Backup, "it is a copy", |status| status["mirror"]["as_of"].is_string());
    assert!(!hinted(&new), "{new}");
    two.stop(Machine::Backup);
    let home = two.home(Machine::Backup);
    let key = fs::read_dir(&home)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| fs::read_to_string(path).is_ok_and(|text| text.contains("PRIVATE KEY")));
    let month_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(31 * 86_400);
    fs::File::options().write(true).open(key.unwrap()).unwrap().set_modified(month_ago).unwrap();
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it is said", hinted);
}

#[test]
fn what_fails_in_a_drill_is_said_until_one_goes_well() {
    needs!("python3");
    if !is_allowed("what_fails_in_a_drill_is_said_until_one_goes_well") {
        return;
    }
    let (mut two, _, said) = shop("closed", "");
    let failed = output(&mut two.espejo(Machine::Backup, &["drill"]));
    assert_eq!(failed.status.code(), Some(1), "{}", told(&failed));
    assert!(told(&failed).contains("sale"), "{}", told(&failed));
    let alarmed = |status: &Value| status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == "DRL-101");
    two.until(Machine::Backup, "it is an alarm", alarmed);
    nothing_is_left(&two, &said);
    two.stop(Machine::Backup);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it is still known", alarmed);
    two.stop(Machine::Main);
    let path = two.home(Machine::Main).join("store.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"closed\"", "\"sells\"")).unwrap();
    two.start(Machine::Main);
    until("a drill goes well", || output(&mut two.espejo(Machine::Backup, &["drill"])).status.code() == Some(0));
    two.until(Machine::Backup, "the alarm is over", |status| !alarmed(status));
}

#[test]
fn a_drill_is_given_up_where_the_server_is_needed() {
    needs!("python3");
    if !is_allowed("a_drill_is_given_up_where_the_server_is_needed") {
        return;
    }
    let (mut two, _, said) = shop("never", ", timeout = \"300s\"");
    let mut drill = two.espejo(Machine::Backup, &["drill"]).spawn().unwrap();
    until("it has begun", || runs_with(&said));
    two.kill(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    // Of the real POS server nothing is expected here: it never answers.
    let plan = output(&mut two.espejo(Machine::Backup, &["promote", "--plan"]));
    assert!(!told(&plan).contains("ill"), "a drill stands in nobody's way: {}", told(&plan));
    let mut promote = two.espejo(Machine::Backup, &["promote", "--yes", "--accept-loss"]).spawn().unwrap();
    two.until(Machine::Backup, "it serves", |status| status["duty"] == "serving");
    assert_eq!(drill.wait().unwrap().code(), Some(1), "the drill was given up");
    until("nothing is left of its copy", || copies(&two).iter().all(|copy| !copy.exists()));
    assert_eq!(drilled(&two), Value::Null, "it proves nothing");
    let began = fs::read_to_string(&said).unwrap();
    assert!(began.lines().next().unwrap().starts_with("1 "), "{began}");
    until("the real one is started", || fs::read_to_string(&said).unwrap().contains("no training"));
    promote.kill().unwrap();
    promote.wait().unwrap();
    two.stop(Machine::Backup);
}

/// A folder with all programs of this machine but the one that sets a process apart.
pub fn programs(two: &Two) -> String {
    let folder = two.path().join("programs");
    fs::create_dir(&folder).unwrap();
    let path = env::var_os("PATH").unwrap();
    let all = env::split_paths(&path).filter_map(|one| fs::read_dir(one).ok());
    for program in all.flatten().map(|one| one.unwrap().path()).filter(|path| !path.ends_with("unshare")) {
        // The first of a name is the one that counts.
        let _ = symlink(&program, folder.join(program.file_name().unwrap()));
    }
    folder.to_str().unwrap().to_owned()
}

/// A shop in which a drill cannot be set apart, and has a command and a port of its own; and where that says how it was.
fn shop_beside(mode: &str) -> (Two, u16, PathBuf) {
    let mut two = Two::new();
    two.init();
    let (port, said) = (free_port(), two.path().join("said in a drill"));
    let set = format!(
        "command = [\"tail\", \"-f\", \"/dev/null\"]\nready = {{ command = [\"tail\", \"--version\"] }}\n\
         stop = {{ signal = \"TERM\", timeout = \"300s\" }}\n\
         [drill]\ncommand = [\"python3\", \"{POS}\", \"{{data}}\", \"{port}\", \"{}\", \"{mode}\"]\n\
         ready = {{ tcp = \"127.0.0.1:{port}\", send = \"PING\\n\", expect = \"PONG\", timeout = \"300s\" }}\n",
        said.display()
    );
    two.set("server", &set);
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    let programs = programs(&two);
    two.around(Machine::Backup, "PATH", &programs);
    two.meet();
    two.until_same("the mirror");
    two.until(Machine::Backup, "it is a copy", |status| status["mirror"]["as_of"].is_string());
    (two, port, said)
}

#[test]
fn where_it_cannot_be_set_apart_a_drill_has_a_command_and_a_port_of_its_own() {
    needs!("python3");
    let (two, port, said) = shop_beside("sells");
    let before = tree(&two.mirror());
    let held = output(&mut two.espejo(Machine::Backup, &["drill"]));
    assert_eq!(held.status.code(), Some(0), "{}", told(&held));
    let began = fs::read_to_string(&said).unwrap();
    assert!(began.starts_with(&format!("1 {} ", copies(&two)[0].display())), "for training, on the copy: {began}");
    nothing_is_left(&two, &said);
    assert_eq!(tree(&two.mirror()), before, "the mirror is as it was");
    drop(TcpListener::bind(("127.0.0.1", port)).unwrap());
}

#[test]
fn whatever_ends_a_drill_that_is_not_apart_its_pos_server_ends_too() {
    needs!("python3");
    let (mut two, _, said) = shop_beside("never");
    let begin = |two: &Two| {
        let drill = two.espejo(Machine::Backup, &["drill"]).spawn().unwrap();
        until("it has begun", || runs_with(&said));
        drill
    };
    let over = |mut drill: Child| {
        until("its POS server is gone", || !runs_with(&said));
        assert_ne!(drill.wait().unwrap().code(), Some(0));
    };
    let drill = begin(&two);
    two.stop(Machine::Backup);
    over(drill);
    two.start(Machine::Backup);
    until_it_mirrors(&two);
    let drill = begin(&two);
    two.kill(Machine::Backup);
    over(drill);
    two.start(Machine::Backup);
    until_it_mirrors(&two);
    let drill = begin(&two);
    two.kill(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes", "--accept-loss"]);
    over(drill);
    nothing_is_left(&two, &said);
}

#[test]
fn a_drill_waits_until_nothing_is_left_of_the_one_before() {
    needs!("python3");
    let (mut two, _, said) = shop_beside("slow");
    let mut drill = two.espejo(Machine::Backup, &["drill"]).spawn().unwrap();
    let go = said.with_extension("go");
    until("it has begun", || go.exists());
    two.kill(Machine::Backup);
    assert_ne!(drill.wait().unwrap().code(), Some(0));
    two.start(Machine::Backup);
    until_it_mirrors(&two);
    let mut drill = two.espejo(Machine::Backup, &["drill"]).spawn().unwrap();
    two.until(Machine::Backup, "the next one has begun", |status| status["operation"]["kind"] == "drill");
    // That takes longer than a POS server to be started.
    done(&two, Machine::Main, &["verify"]);
    let started = || fs::read_to_string(&said).unwrap().lines().count();
    assert!(runs_with(&said) && started() == 1, "the first one runs, and no other was started");
    let queue = fs::read_to_string(copies(&two)[0].join("ORDER.QUE")).unwrap();
    assert!(queue.ends_with("opened\n"), "it has its copy still: {queue}");
    fs::write(go, "").unwrap();
    assert_eq!((drill.wait().unwrap().code(), started()), (Some(0), 2));
    nothing_is_left(&two, &said);
}

#[test]
fn a_planned_change_ends_a_drill_and_the_next_one_is_another() {
    needs!("python3");
    let (two, _, said) = shop_beside("never");
    let begin = |times| {
        let drill = two.espejo(Machine::Backup, &["drill"]).spawn().unwrap();
        until("it has begun", || fs::read_to_string(&said).is_ok_and(|began| began.lines().count() == times));
        drill
    };
    let mut drill = begin(1);
    two.until_it_may(Machine::Main, "switch");
    done(&two, Machine::Main, &["switch"]);
    let ended = until_some("it is given up", || drill.try_wait().unwrap());
    assert_eq!(ended.code(), Some(1));
    nothing_is_left(&two, &said);
    until("it can be given back", || output(&mut two.espejo(Machine::Backup, &["return", "--plan"])).status.success());
    done(&two, Machine::Backup, &["return"]);
    until_it_mirrors(&two);
    let mut drill = begin(2);
    drill.kill().unwrap();
    drill.wait().unwrap();
}

#[test]
fn a_drill_for_which_there_is_no_room_or_no_way_is_refused() {
    needs!("python3");
    let (two, ..) = shop("sells", "");
    let huge = fs::File::create(two.data.join("huge")).unwrap();
    huge.set_len(1 << 42).unwrap();
    two.until_same("a file with little in it");
    // It is refused before anything is copied.
    let refused = output(&mut two.espejo(Machine::Backup, &["drill"]));
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
    assert!(told(&refused).contains("free on the disk"), "{}", told(&refused));
    assert!(copies(&two).iter().all(|copy| !copy.exists()));
    let refused = {
        let two = Two::joined();
        two.until(Machine::Backup, "it is a copy", |status| status["mirror"]["as_of"].is_string());
        output(&mut two.espejo(Machine::Backup, &["drill"]))
    };
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
}
