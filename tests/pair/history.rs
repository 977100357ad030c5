//! The diary of the two machines: what was done, by whom, and how it ended, whatever was killed meanwhile; and what can be done
//! with what was set aside.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use espejo::service::control::socket_path;
use serde_json::{Value, json};

use crate::common::place::{output, told};
use crate::common::two::{Machine, Two};
use crate::common::until_some;
use crate::images;

/// What `espejo VERB --json` says.
fn said(two: &Two, machine: Machine, args: &[&str]) -> Value {
    let said = output(&mut two.espejo(machine, args));
    assert_eq!(said.status.code(), Some(0), "{args:?}: {}", told(&said));
    serde_json::from_slice(&said.stdout).unwrap()
}

fn operations(two: &Two, machine: Machine) -> Vec<Value> {
    said(two, machine, &["history", "--json"])["operations"].as_array().unwrap().clone()
}

/// Waits until the last operation in the diary of a machine stands so.
fn until_last(two: &Two, machine: Machine, kind: &str, state: &str) -> Value {
    until_some(&format!("{machine:?}: {kind} is {state}"), || {
        operations(two, machine).pop().filter(|last| last["kind"] == kind && last["state"] == state)
    })
}

/// Has an operation begun, and waits for nothing.
fn begin(two: &Two, machine: Machine, command: &str) {
    let mut line = UnixStream::connect(socket_path(&two.home(machine))).unwrap();
    writeln!(line, "{}", json!({ "command": command, "by": "ana (console)" })).unwrap();
    let mut reply = String::new();
    BufReader::new(line).read_line(&mut reply).unwrap();
    assert!(reply.contains("running"), "{reply}");
}

/// Two machines with so many files of 16 MiB that reading them takes a moment.
fn large(files: usize) -> Two {
    let two = Two::joined();
    for number in 0..files {
        let line = format!("{number};a coffee, a tea, and a cake\n");
        fs::write(two.data.join(format!("file {number}")), line.repeat((16 << 20) / line.len())).unwrap();
    }
    two.until_same("before");
    two.until(Machine::Backup, "it is a copy", |status| status["mirror"]["as_of"].is_string());
    two
}

#[test]
fn the_diary_says_who_did_what_and_how_it_ended() {
    let mut two = Two::new();
    two.init();
    let none = output(&mut two.espejo(Machine::Main, &["history"]));
    assert_eq!(none.status.code(), Some(4), "{}", told(&none));
    fs::write(two.data.join("POS-Q.Seq"), "1044\n").unwrap();
    two.meet();
    two.until_same("the first copy");
    two.until(Machine::Backup, "it is a copy", |status| status["mirror"]["as_of"].is_string());
    let empty = output(&mut two.espejo(Machine::Backup, &["history"]));
    assert!(empty.status.success() && told(&empty).contains("No operation yet"), "{}", told(&empty));
    for args in [&["verify"][..], &["reseed", "--yes"], &["verify"]] {
        let done = output(&mut two.espejo(Machine::Main, args));
        assert_eq!(done.status.code(), Some(0), "{args:?}: {}", told(&done));
    }
    let ran = operations(&two, Machine::Backup);
    let kinds: Vec<_> = ran.iter().map(|one| (one["id"].as_u64().unwrap(), one["kind"].as_str().unwrap())).collect();
    assert_eq!(kinds, [(2, "verify"), (4, "reseed"), (6, "verify")]);
    for one in &ran {
        assert_eq!((&one["state"], &one["node"]), (&json!("done"), &json!("backup")), "{one}");
        assert!(one["ended_at"].as_str() >= one["started_at"].as_str() && one["by"].as_str().is_some(), "{one}");
    }
    // The machine that serves has heard of it, and both say it in their status.
    until_last(&two, Machine::Main, "verify", "done");
    two.until(Machine::Backup, "the status has it", |status| status["history"].as_array().unwrap().len() == 3);
    two.kill(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    let refused = output(&mut two.espejo(Machine::Backup, &["reseed", "--yes"]));
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
    two.stop(Machine::Backup);
    let read = output(&mut two.espejo(Machine::Backup, &["history"]));
    let lines = String::from_utf8_lossy(&read.stdout).into_owned();
    assert!(read.status.success() && lines.lines().count() == 5, "{}", told(&read));
    assert!(lines.contains("Take the copy anew: refused") && lines.contains("this copy is all there is"), "{lines}");
    let events = said(&two, Machine::Backup, &["history", "--events", "--json"]);
    let all = events["events"].to_string();
    for what in ["began", "ended", "silent", "joined"] {
        assert!(all.contains(what), "{what}: {all}");
    }
    let printed = output(&mut two.espejo(Machine::Main, &["history", "--events"]));
    for what in ["A machine has joined", "A code was given", "Espejo 0.1.0 began"] {
        assert!(told(&printed).contains(what), "{what}: {}", told(&printed));
    }
    // Numbers go on.
    two.start(Machine::Main);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "they talk", |status| status["peer"]["state"] == "healthy");
    crate::common::two::verified(&two, "after a restart");
    assert_eq!(operations(&two, Machine::Backup).pop().unwrap()["id"], 10);
    // What somebody does on one machine is in the diary of the other one, too.
    two.invite();
    let events = || told(&output(&mut two.espejo(Machine::Backup, &["history", "--events"])));
    crate::common::until("the other diary has it", || events().contains("A code was given"));
}

#[test]
fn a_diary_that_somebody_has_changed_is_told_and_one_that_is_damaged_stops_nobody() {
    let mut two = Two::joined();
    fs::write(two.data.join("file"), "x").unwrap();
    two.until_same("before");
    two.until(Machine::Backup, "it is a copy", |status| status["mirror"]["as_of"].is_string());
    crate::common::two::verified(&two, "before");
    two.stop(Machine::Backup);
    let path = two.home(Machine::Backup).join("diary.db");
    // Who closes it last brings all of it into the one file.
    drop(espejo::diary::Store::open(&path).unwrap());
    let whole = fs::read(&path).unwrap();
    let at = whole.windows(6).position(|bytes| bytes == b"verify").unwrap();
    let mut changed = whole.clone();
    changed[at..at + 6].copy_from_slice(b"reseed");
    fs::write(&path, &changed).unwrap();
    let told_of = output(&mut two.espejo(Machine::Backup, &["history"]));
    assert_eq!(told_of.status.code(), Some(1), "{}", told(&told_of));
    assert!(told(&told_of).contains("of the diary is not as it was written"), "{}", told(&told_of));
    fs::write(&path, b"the disk had other plans\n".repeat(500)).unwrap();
    two.start(Machine::Backup);
    let status = two.until(Machine::Backup, "it is said", |status| {
        let events = status["events"].as_array().unwrap();
        events.iter().any(|event| event["noted"] == "diary-damaged")
    });
    fs::write(two.data.join("file"), "it mirrors all the same").unwrap();
    two.until_same("after");
    assert!(status["history"].as_array().unwrap().is_empty(), "{status}");
    let names = fs::read_dir(two.home(Machine::Backup)).unwrap();
    let names = names.map(|name| name.unwrap().file_name().into_string().unwrap());
    let is_kept =
        |name: &String| name.contains("diary.db.damaged-2") && !name.ends_with("-wal") && !name.ends_with("-shm");
    assert_eq!(names.filter(is_kept).count(), 1);
    crate::common::two::verified(&two, "after");
    assert_eq!(operations(&two, Machine::Backup).len(), 1);
}

#[test]
fn a_comparison_whose_service_was_killed_begins_again() {
    let mut two = large(8);
    begin(&two, Machine::Backup, "verify");
    two.kill(Machine::Backup);
    let before = operations(&two, Machine::Backup).pop().unwrap();
    assert_eq!((&before["kind"], &before["by"]), (&json!("verify"), &json!("ana (console)")));
    let was_running = before["state"] == "running";
    two.start(Machine::Backup);
    let after = until_last(&two, Machine::Backup, "verify", "done");
    assert_eq!((&after["id"], &after["started_at"]), (&before["id"], &before["started_at"]), "the same one");
    if !was_running {
        println!("it was done before the service was killed: nothing of this was tested");
    }
}

#[test]
fn a_reseed_whose_service_was_killed_goes_on_to_its_end() {
    for wait in [false, true] {
        let mut two = large(4);
        begin(&two, Machine::Main, "reseed");
        if wait {
            two.until(Machine::Backup, "it is thrown away", |status| {
                let operation = &status["operation"];
                operation["kind"] == "reseed" && (operation["step"] == 2 || operation["state"] != "running")
            });
        }
        two.kill(Machine::Backup);
        let before = operations(&two, Machine::Backup).pop().unwrap();
        assert_eq!(before["kind"], "reseed", "it is written before anything is done");
        two.start(Machine::Backup);
        let after = until_some("it has ended", || {
            operations(&two, Machine::Backup).pop().filter(|last| last["state"] != "running")
        });
        let never_begun = after["state"] == "failed" && after["why_not"] == json!(["interrupted"]);
        assert!(after["state"] == "done" || (!wait && never_begun), "{before}\n{after}");
        assert_eq!(after["started_at"], before["started_at"]);
        two.until_same("in the end");
        crate::common::two::verified(&two, "in the end");
    }
}

#[test]
fn what_was_set_aside_is_listed_shown_copied_and_deleted() {
    let (mut two, kept) = images::a_day();
    assert_eq!(said(&two, Machine::Backup, &["rescue", "list", "--json"]), json!([]));
    two.stop(Machine::Main);
    images::image(&kept, &two.data);
    two.start(Machine::Main);
    let asked = two.until(Machine::Backup, "it is asked", |status| status["questions"][0]["ask"] == "older");
    images::accept(&two, Machine::Backup, &asked["questions"][0]);
    two.until_same("after the answer");
    let list = said(&two, Machine::Backup, &["rescue", "list", "--json"]);
    assert_eq!((list.as_array().unwrap().len(), &list[0]["files"]), (1, &json!(3)), "{list}");
    let name = list[0]["name"].as_str().unwrap();
    let shown = said(&two, Machine::Backup, &["rescue", "show", name, "--json"]);
    let file = |name: &str| shown["files"].as_array().unwrap().iter().find(|one| one["file"] == name).unwrap().clone();
    assert_eq!((&file("ORDER.QUE")["now"], &file("ORDER.QUE")["differs_at"]), (&json!("differs"), &json!(9)));
    assert_eq!(file("ORDER.QUE")["lines"], json!([2]), "the record that the mirror lacks");
    assert_eq!(file("order 2")["now"], "nothing");
    let plain = output(&mut two.espejo(Machine::Backup, &["rescue", "show", name]));
    assert!(told(&plain).contains("lacks record 2") && !told(&plain).contains("tea"), "{}", told(&plain));
    let records = output(&mut two.espejo(Machine::Backup, &["rescue", "show", name, "--records"]));
    assert!(told(&records).contains("2;tea"), "{}", told(&records));
    for machine in [Machine::Main, Machine::Backup] {
        assert_eq!(two.logged(machine, "2;tea"), 0, "what was sold is in no log");
    }
    let to = two.path().join("stick");
    let export = |code| {
        let done = output(two.espejo(Machine::Backup, &["rescue", "export", name]).arg(&to));
        assert_eq!(done.status.code(), Some(code), "{}", told(&done));
    };
    export(0);
    assert_eq!(fs::read_to_string(to.join("ORDER.QUE")).unwrap(), "1;coffee\n2;tea\n");
    let csv = fs::read_to_string(to.join("records/ORDER.QUE.csv")).unwrap();
    assert_eq!(csv.split("\r\n").collect::<Vec<_>>(), ["number,record", "2,2;tea", ""]);
    export(3);
    for (args, code) in [
        (&["rescue", "delete", "no such"][..], 3),
        (&["rescue", "delete", "../rescue", "--yes"], 3),
        (&["rescue", "delete", name], 3),
        (&["rescue", "delete", name, "--yes"], 0),
        (&["rescue", "show", name], 3),
    ] {
        let done = output(&mut two.espejo(Machine::Backup, args));
        assert_eq!(done.status.code(), Some(code), "{args:?}: {}", told(&done));
    }
    assert_eq!(said(&two, Machine::Backup, &["rescue", "list", "--json"]), json!([]));
    let diary = output(&mut two.espejo(Machine::Backup, &["history", "--events"]));
    for what in [
        "older files are taken over; what only the mirror held is set aside. (a test)",
        "3 files were set aside to",
        "looked into, record by record",
        "What was set aside was copied to",
        "is being deleted",
        "What was set aside is deleted",
    ] {
        assert!(diary.status.success() && told(&diary).contains(what), "{what}: {}", told(&diary));
    }
    assert!(!told(&diary).contains("tea"), "contents are never in the diary");
}

#[test]
fn a_row_that_somebody_changed_is_named() {
    let mut two = Two::joined();
    two.until(Machine::Backup, "the copy is whole", |status| status["mirror"]["as_of"].is_string());
    assert_eq!(output(&mut two.espejo(Machine::Backup, &["verify"])).status.code(), Some(0));
    for machine in [Machine::Main, Machine::Backup] {
        let checked = output(&mut two.espejo(machine, &["history", "--check"]));
        assert!(checked.status.success() && told(&checked).contains("as it was written"), "{}", told(&checked));
        assert!(said(&two, machine, &["history", "--check", "--json"])["chain"]["rows"].as_u64().unwrap() > 0);
    }
    two.stop(Machine::Backup);
    let diary = rusqlite::Connection::open(two.home(Machine::Backup).join("diary.db")).unwrap();
    diary.execute_batch("DROP TRIGGER no_change; UPDATE row SET who = 'nobody' WHERE number = 1").unwrap();
    drop(diary);
    let checked = output(&mut two.espejo(Machine::Backup, &["history", "--check"]));
    assert!(checked.status.code() == Some(1) && told(&checked).contains("Row 1 of"), "{}", told(&checked));
}
