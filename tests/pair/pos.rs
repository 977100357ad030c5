//! A POS server program under its control: a small real one, started, asked, stopped, killed, and found where it should not be.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use espejo::os;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::common::place::{output, told};
use super::common::two::{Machine, Two, free_port};
use super::common::{make_program, needs, until, until_some};

pub const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pair/pos.py");

/// Two machines, and a POS server on the main.
struct Shop {
    /// Before the folder goes in which the list is.
    _ends: Ends,
    two: Two,
    ports: [u16; 2],
}

impl Shop {
    /// Set up and joined, with the POS server in this mode, and these settings beside.
    fn open(mode: &str, beside: &str) -> Self {
        let two = Two::new();
        two.init();
        let ports = [(); 2].map(|()| free_port());
        let starts = two.path().join("starts");
        let timeout = if mode == "never" { "700ms" } else { "50s" };
        let table = |port: u16| {
            let starts = starts.display();
            format!(
                "command = [\"python3\", \"{PROGRAM}\", \"{port}\", \"{starts}\", \"{mode}\"]\n\
                 ready = {{ tcp = \"127.0.0.1:{port}\", send = \"PING\\n\", expect = \"PONG\", timeout = \"{timeout}\" }}\n"
            )
        };
        two.set("server", &format!("{beside}\n{}[server.backup]\n{}", table(ports[0]), table(ports[1])));
        let mut shop = Self { _ends: Ends(starts), two, ports };
        shop.two.meet();
        shop
    }

    fn starts(&self) -> Vec<i32> {
        numbers(&self.two.path().join("starts"))
    }

    /// Waits until the POS server of the main is so.
    fn until(&self, stands: &str) -> Value {
        self.two.until(Machine::Main, stands, |status| status["server"] == stands)
    }

    fn answers(&self) -> bool {
        let Ok(mut line) = TcpStream::connect(("127.0.0.1", self.ports[0])) else { return false };
        line.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut answer = [0; 5];
        line.write_all(b"PING\n").is_ok() && line.read_exact(&mut answer).is_ok() && answer == *b"PONG\n"
    }
}

/// What is under its control outlives a service that is killed, as these tests end it: this ends all that is in the list.
pub struct Ends(pub PathBuf);

impl Drop for Ends {
    fn drop(&mut self) {
        for pid in numbers(&self.0) {
            os::signal_group(pid, Signal::KILL);
        }
    }
}

pub fn numbers(path: &PathBuf) -> Vec<i32> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

fn lives(pid: i32) -> bool {
    os::process(pid).is_some_and(|process| process.lives)
}

fn send(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

fn has(status: &Value, code: &str) -> bool {
    status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == code)
}

#[test]
fn it_becomes_ready_with_the_service_and_is_stopped_with_it() {
    needs!("python3");
    let mut shop = Shop::open("good", "");
    let status = shop.until("ready");
    assert!(shop.answers() && status["pos"]["since"].is_string() && !has(&status, "MIR-402"), "{status}");
    let backup = shop.two.until(Machine::Backup, "it is heard of", |status| status["peer"]["server"] == "ready");
    assert_eq!((&backup["server"], &backup["verdict"]), (&"stopped".into(), &"healthy".into()));
    assert_eq!(backup["alarms"], json!([]));
    let [pid] = shop.starts()[..] else { panic!("started once: {:?}", shop.starts()) };
    shop.two.stop(Machine::Main);
    assert!(!lives(pid) && !shop.answers(), "stopped before the service has ended");
    let log = fs::read_to_string(shop.two.home(Machine::Main).join("log/server.log")).unwrap();
    assert!(log.starts_with("POS server good\n"), "{log}");
    shop.two.start(Machine::Main);
    shop.until("ready");
    assert_eq!(shop.starts().len(), 2);
}

#[test]
fn without_one_nothing_is_said_of_it() {
    let two = Two::joined();
    let healthy = |status: &Value| status["peer"]["server"].is_string() && status["verdict"] == "healthy";
    let status = two.until(Machine::Backup, "the main is heard", healthy);
    assert_eq!((&status["server"], &status["peer"]["server"]), (&"stopped".into(), &"stopped".into()));
    assert_eq!((&status["pos"], &status["alarms"]), (&Value::Null, &json!([])));
}

#[test]
fn one_that_ends_by_itself_is_started_again() {
    needs!("python3");
    let shop = Shop::open("dies", "");
    until("it was started again", || shop.starts().len() == 2);
    let status = shop.until("ready");
    assert!(!has(&status, "MIR-402"), "{status}");
    let events = status["events"].as_array().unwrap();
    let ended = events.iter().find(|event| event["what"] == "trouble" && event["trouble"] == "server-down");
    assert_eq!(ended.unwrap()["why"], json!({ "is": "ended", "code": 3 }), "{status}");
    let backup = shop.two.until(Machine::Backup, "it is heard of", |status| status["peer"]["server"] == "ready");
    assert_eq!(backup["verdict"], "healthy", "it was back in time");
}

#[test]
fn one_that_is_never_ready_fails() {
    needs!("python3");
    let shop = Shop::open("never", "");
    let status = shop.until("failing");
    let down = |status: &Value| {
        let alarms = status["alarms"].as_array().unwrap();
        alarms.iter().find(|alarm| alarm["code"] == "MIR-402").map(|alarm| alarm["why"].clone())
    };
    assert_eq!(down(&status), Some(json!({ "is": "not-ready", "after_ms": 700 })), "{status}");
    let stopped = |status: &Value| status["verdict"] == "server-stopped" && has(status, "MIR-402");
    shop.two.until(Machine::Backup, "the backup says so", stopped);
    assert_eq!(shop.starts().len(), 1, "it runs, and is left to a person");
}

#[test]
fn one_that_cannot_be_started_says_why() {
    let two = Two::new();
    two.init();
    two.set("server", "command = [\"/nowhere/pos\"]");
    let mut two = two;
    two.meet();
    let status = two.until(Machine::Main, "it says so", |status| has(status, "MIR-402"));
    let alarm = status["alarms"].as_array().unwrap().iter().find(|alarm| alarm["code"] == "MIR-402").unwrap();
    assert_eq!((&alarm["why"]["is"], &alarm["why"]["what"]), (&"cannot-start".into(), &"/nowhere/pos".into()));
    let stopped = |status: &Value| status["verdict"] == "server-stopped" && has(status, "MIR-402");
    two.until(Machine::Backup, "the backup says so", stopped);
    let checked = output(&mut two.espejo(Machine::Main, &["check"]));
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(said.contains("[!!] Main: /nowhere/pos"), "{}", told(&checked));
}

#[test]
fn one_that_hears_nothing_is_killed_with_all_that_it_began() {
    needs!("python3");
    for mode in ["deaf", "outlived"] {
        let mut shop = Shop::open(mode, "stop = { timeout = \"300ms\" }");
        shop.until("ready");
        let child = until_some("its child", || numbers(&shop.two.path().join("starts.child")).first().copied());
        let all = [shop.starts()[0], child];
        assert!(all.into_iter().all(lives));
        shop.two.stop(Machine::Main);
        assert!(!all.into_iter().any(lives), "{mode}");
    }
}

#[test]
fn what_it_leaves_behind_is_ended_before_it_is_started_again() {
    needs!("python3");
    let shop = Shop::open("outlived", "stop = { timeout = \"300ms\" }");
    shop.until("ready");
    let child = until_some("its child", || numbers(&shop.two.path().join("starts.child")).first().copied());
    send(shop.starts()[0], Signal::KILL);
    until("it was started again", || shop.starts().len() == 2);
    assert!(!lives(child));
}

#[test]
fn it_outlives_a_service_that_is_killed_and_is_taken_over() {
    needs!("python3");
    let mut shop = Shop::open("good", "");
    shop.until("ready");
    let before = shop.starts();
    for _ in 0..2 {
        shop.two.kill(Machine::Main);
        assert!(shop.answers(), "it goes on without the service");
        shop.two.start(Machine::Main);
        shop.until("ready");
        assert_eq!(shop.starts(), before, "the same one");
    }
    shop.two.kill(Machine::Main);
    send(before[0], Signal::KILL);
    until("it has gone", || !lives(before[0]));
    shop.two.start(Machine::Main);
    until("it is started anew", || shop.starts().len() == 2);
    shop.until("ready");
    shop.two.stop(Machine::Main);
    assert!(!lives(shop.starts()[1]));
}

#[test]
fn one_that_never_came_on_record_is_ended_before_another_is_started() {
    needs!("python3");
    let mut shop = Shop::open("good", "");
    shop.until("ready");
    let before = shop.starts()[0];
    shop.two.kill(Machine::Main);
    // As after a kill between its start and its record.
    fs::remove_file(shop.two.home(Machine::Main).join("server.json")).unwrap();
    shop.two.start(Machine::Main);
    until("another is started", || shop.starts().len() == 2);
    assert!(!lives(before));
    shop.until("ready");
    assert_eq!(shop.starts().len(), 2, "at the first try");
}

#[test]
fn one_that_hangs_fails_and_the_backup_says_so() {
    needs!("python3");
    let shop = Shop::open("good", "health = { send = \"PING\\n\", expect = \"PONG\", timeout = \"1s\" }");
    shop.until("ready");
    let well = |status: &Value| status["verdict"] == "healthy" && status["peer"]["server"] == "ready";
    shop.two.until(Machine::Backup, "it is heard of", well);
    let pid = shop.starts()[0];
    let held = Instant::now();
    send(pid, Signal::STOP);
    let status = shop.until("failing");
    // A second to the next question, a second without an answer; the rest is this test's own.
    assert!(held.elapsed() < Duration::from_secs(4), "{:?}", held.elapsed());
    assert!(has(&status, "MIR-402"), "{status}");
    let stopped = |status: &Value| status["verdict"] == "server-stopped" && has(status, "MIR-402");
    let backup = shop.two.until(Machine::Backup, "the verdict", stopped);
    assert_eq!((&backup["peer"]["state"], &backup["peer"]["server"]), (&"healthy".into(), &"failing".into()));
    send(pid, Signal::CONT);
    let status = shop.until("ready");
    assert!(!has(&status, "MIR-402"), "{status}");
    shop.two.until(Machine::Backup, "all is well", |status| well(status) && status["alarms"] == json!([]));
    assert_eq!(shop.starts(), [pid]);
}

#[test]
fn one_on_the_machine_that_mirrors_is_noticed() {
    needs!("python3");
    let shop = Shop::open("good", "");
    shop.until("ready");
    let found = |is: &'static str| {
        move |status: &Value| {
            let alarms = status["alarms"].as_array().unwrap();
            alarms.iter().any(|alarm| alarm["code"] == "MIR-401" && alarm["found"]["is"] == is)
        }
    };
    let none = |status: &Value| status["alarms"] == json!([]);
    shop.two.until(Machine::Backup, "all is well", none);
    let somebody = TcpListener::bind(("127.0.0.1", shop.ports[1])).unwrap();
    shop.two.until(Machine::Backup, "who has the port is noticed", found("port"));
    shop.two.until(Machine::Main, "it is said there, too", found("port"));
    drop(somebody);
    shop.two.until(Machine::Backup, "it is over", none);
    // One that was started here once, and is on record.
    let mut left = Command::new("cat").stdin(std::process::Stdio::piped()).process_group(0).spawn().unwrap();
    let pid = i32::try_from(left.id()).unwrap();
    let record = json!({ "pid": pid, "started": os::process(pid).unwrap().started, "boot": os::boot(), "proof": "" });
    fs::write(shop.two.home(Machine::Backup).join("server.json"), record.to_string()).unwrap();
    shop.two.until(Machine::Backup, "the process is noticed", found("process"));
    left.kill().unwrap();
    left.wait().unwrap();
    shop.two.until(Machine::Backup, "it has gone", none);
}

#[test]
fn hooks_are_run_around_it_and_may_refuse() {
    needs!("python3");
    let mut two = Two::new();
    two.init();
    let (list, veto) = (two.path().join("hooks"), two.path().join("veto"));
    let script = format!(
        "echo $ESPEJO_EVENT $ESPEJO_STORE $ESPEJO_NODE $ESPEJO_EPOCH >>{}; test ! -e {}.$ESPEJO_EVENT",
        list.display(),
        veto.display()
    );
    let hook = |name: &str| format!("{name} = [\"sh\", \"-c\", \"{script}\"]\n");
    let hooks = ["before_serve", "after_serve", "before_stop", "after_stop"].map(hook).concat();
    let (port, starts) = (free_port(), two.path().join("starts"));
    let _ends = Ends(starts.clone());
    let program = format!("[\"python3\", \"{PROGRAM}\", \"{port}\", \"{}\", \"good\"]", starts.display());
    two.set("hooks", &format!("{hooks}[server]\ncommand = {program}"));
    let refuse = |event: &str| two.path().join(format!("veto.{event}"));
    let (start, stop) = (refuse("before_serve"), refuse("before_stop"));
    fs::write(&start, "").unwrap();
    two.start(Machine::Main);
    let vetoed = |status: &Value| {
        status["alarms"]
            .as_array()
            .unwrap()
            .iter()
            .any(|alarm| alarm["why"] == json!({ "is": "vetoed", "hook": "before_serve" }))
    };
    two.until(Machine::Main, "it is refused", vetoed);
    fs::remove_file(&start).unwrap();
    two.until(Machine::Main, "it is started", |status| status["server"] == "ready");
    let said = || fs::read_to_string(&list).unwrap();
    until("it is told that it is ready", || said().contains("after_serve Centro main 1\n"));
    let pid = until_some("it has begun", || numbers(&starts).first().copied());
    fs::write(&stop, "").unwrap();
    two.stop(Machine::Main);
    assert!(lives(pid) && !said().contains("after_stop"), "it may not be stopped");
    fs::remove_file(&stop).unwrap();
    two.start(Machine::Main);
    two.until(Machine::Main, "it is taken over", |status| status["server"] == "ready");
    two.stop(Machine::Main);
    assert!(!lives(pid) && said().ends_with("before_stop Centro main 1\nafter_stop Centro main 1\n"), "{}", said());
}

/// A `systemctl` that keeps a file for each unit that is active or enabled, and a list of what was asked.
const SYSTEMCTL: &str = r#"#!/bin/sh
for unit; do :; done
case "$1" in
start) touch "$0.$unit.active"; echo "start $unit" >>"$0.log" ;;
stop | kill) rm -f "$0.$unit.active"; echo "stop $unit" >>"$0.log" ;;
is-active) if [ -e "$0.$unit.active" ]; then echo active; else echo inactive; exit 3; fi ;;
is-enabled) if [ -e "$0.$unit.enabled" ]; then echo enabled; else echo disabled; exit 1; fi ;;
esac
"#;

#[test]
fn a_unit_is_started_and_stopped_with_those_beside_it_unless_the_system_starts_it() {
    let mut two = Two::new();
    two.init();
    two.set("server", "unit = \"pos.service\"\nwith = [\"lmp.service\"]");
    let folder = two.path().join("bin");
    fs::create_dir(&folder).unwrap();
    let systemctl = folder.join("systemctl");
    make_program(&systemctl, SYSTEMCTL);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    two.around(Machine::Main, "PATH", &path);
    let enabled = folder.join("systemctl.pos.service.enabled");
    fs::write(&enabled, "").unwrap();
    two.start(Machine::Main);
    let refused = |status: &Value| {
        status["server"] == "stopped"
            && status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["why"]["is"] == "enabled-at-boot")
    };
    two.until(Machine::Main, "it is refused", refused);
    let checked = output(&mut two.espejo(Machine::Main, &["check"]));
    assert!(String::from_utf8_lossy(&checked.stdout).contains("[!!] Main: pos.service"), "{}", told(&checked));
    fs::remove_file(&enabled).unwrap();
    two.until(Machine::Main, "it is started", |status| status["server"] == "ready");
    let log = || fs::read_to_string(folder.join("systemctl.log")).unwrap();
    let started = log();
    assert!(started.starts_with("start lmp.service\n") && started.ends_with("start pos.service\n"), "{started}");
    // It ends by itself.
    fs::remove_file(folder.join("systemctl.pos.service.active")).unwrap();
    two.until(Machine::Main, "it is missed", |status| status["server"] == "stopped");
    two.until(Machine::Main, "it is started again", |status| status["server"] == "ready");
    two.stop(Machine::Main);
    assert!(log().ends_with("stop pos.service\nstop lmp.service\n"), "{}", log());
}
