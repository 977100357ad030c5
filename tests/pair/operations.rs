//! Changes of server as jobs: read before, joined, cancelled, taken up again, and what becomes of them where things go wrong.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::common::place::{output, told};
use crate::common::two::{Machine, RUNS, Two};
use crate::common::{tree, until};
use crate::turns::{asked, done, refused, shop, with_pos};

/// The operation of this kind that a machine knows of last.
fn last(two: &Two, machine: Machine, kind: &str) -> Option<Value> {
    let said = output(&mut two.espejo(machine, &["history", "--json"]));
    let history: Value = serde_json::from_slice(&said.stdout).ok()?;
    history["operations"].as_array()?.iter().rfind(|one| one["kind"] == kind).cloned()
}

/// A shop whose backup serves, and whose main is back and level.
fn backup_serves(mut two: Two) -> Two {
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    two.start(Machine::Main);
    two.until(Machine::Main, "the main follows", |status| status["duty"] == "mirroring" && status["epoch"] == 2);
    until("the main is level", || tree::are_same(&two.mirror(), &two.data));
    two.until(Machine::Main, "it is whole", |status| status["mirror"]["as_of"].is_string());
    two
}

/// The change that runs is a return, and it is at this step: what ran before it stays in the status until it begins.
fn returns_at(status: &Value, step: u64) -> bool {
    let operation = &status["operation"];
    operation["kind"] == "return" && operation["state"] == "running" && operation["step"] == step
}

/// A POS server that takes its time to end.
const SLOW: &str = "command = [\"sh\", \"-c\", \"trap '' TERM; while :; do tail -f /dev/null; done\"]\n\
    stop = { signal = \"TERM\", timeout = \"3s\" }";

#[test]
fn a_plan_is_read_and_nothing_is_done() {
    let mut two = shop();
    let plan = asked(&two, Machine::Backup, &["promote", "--plan"]);
    assert!(plan.status.code() == Some(3) && told(&plan).contains("is well"), "{}", told(&plan));
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    let plan = asked(&two, Machine::Backup, &["promote", "--yes", "--plan", "--json"]);
    assert_eq!(plan.status.code(), Some(0), "{}", told(&plan));
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!(plan["steps"], serde_json::json!(["close-mirror", "take-epoch", "start-server"]));
    assert!(plan["loss"]["as_of"].is_string() && plan["loss"]["behind_at_least"] == true, "{plan}");
    assert!(plan["licence_ends_at"].is_string(), "{plan}");
    let checks = plan["checks"].as_array().unwrap();
    let against: Vec<&Value> = checks.iter().filter(|check| !check["why"].is_null()).collect();
    assert!(checks.len() >= 9 && against.len() == 1 && against[0]["check"] == "verdict", "{checks:?}");
    assert_eq!(two.status(Machine::Backup).unwrap()["epoch"], 1, "nothing was done");
    assert!(last(&two, Machine::Backup, "promote").is_none(), "a plan is no operation");
}

#[test]
fn without_a_pos_server_program_nothing_is_started() {
    let mut two = with_pos("");
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    refused(&two, Machine::Backup, &["promote", "--yes"], "[server]");
    let known = last(&two, Machine::Backup, "promote").unwrap();
    assert_eq!((&known["state"], &known["why_not"]), (&"refused".into(), &serde_json::json!(["no-server"])));
}

#[test]
fn every_step_is_in_the_diary_of_both_and_a_second_press_joins() {
    let two = backup_serves(with_pos(SLOW));
    let mut first = two.espejo(Machine::Backup, &["return", "--reason", "repaired"]);
    let first = first.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    two.until(Machine::Backup, "it runs", |status| status["operation"]["state"] == "running");
    let second = asked(&two, Machine::Main, &["return"]);
    let first = first.wait_with_output().unwrap();
    for said in [&first, &second] {
        assert_eq!(said.status.code(), Some(0), "{}", told(said));
        assert!(told(said).contains("7 of 7") && told(said).contains("server again"), "{}", told(said));
    }
    two.until(Machine::Main, "the main serves", |status| status["duty"] == "serving" && status["epoch"] == 3);
    for machine in [Machine::Main, Machine::Backup] {
        until("both know how it ended", || {
            last(&two, machine, "return").is_some_and(|known| known["state"] == "done" && known["reason"] == "repaired")
        });
        let known = last(&two, machine, "return").unwrap();
        assert_eq!(known["steps_at"].as_array().unwrap().len(), 7, "{known}");
        let promoted = last(&two, machine, "promote").unwrap();
        assert_eq!((&promoted["state"], &promoted["node"]), (&"done".into(), &"backup".into()), "{promoted}");
    }
}

#[test]
fn a_return_is_cancelled_and_the_shop_goes_on() {
    let two = backup_serves(with_pos(SLOW));
    refused(&two, Machine::Main, &["return", "--cancel"], "Nothing runs");
    let mut returning = two.espejo(Machine::Main, &["return"]);
    let returning = returning.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    two.until(Machine::Backup, "the POS server is to stop", |status| {
        returns_at(status, 4) && status["operation"]["can_cancel"] == true
    });
    done(&two, Machine::Main, &["return", "--cancel"]);
    let said = returning.wait_with_output().unwrap();
    assert!(said.status.code() == Some(1) && told(&said).contains("Cancelled by"), "{}", told(&said));
    let status = two.until(Machine::Backup, "it serves on", |status| status["server"] == "ready");
    assert_eq!((&status["duty"], &status["epoch"]), (&"serving".into(), &2.into()), "{status}");
    done(&two, Machine::Backup, &["return"]);
}

#[test]
fn the_service_dies_while_the_pos_server_stops_and_the_return_goes_on() {
    let mut two = backup_serves(with_pos(SLOW));
    let mut returning = two.espejo(Machine::Backup, &["return"]);
    let mut returning = returning.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    two.until(Machine::Backup, "the POS server is to stop", |status| returns_at(status, 4));
    two.kill(Machine::Backup);
    returning.wait().unwrap();
    two.start(Machine::Backup);
    two.until(Machine::Main, "the main serves", |status| status["duty"] == "serving" && status["epoch"] == 3);
    until("it ended well", || last(&two, Machine::Backup, "return").is_some_and(|known| known["state"] == "done"));
}

#[test]
fn a_main_whose_pos_server_does_not_start_gives_its_place_back() {
    let two = backup_serves(with_pos(
        "command = [\"false\"]\nready = { command = [\"true\"], timeout = \"1s\" }\n\
        [server.backup]\ncommand = [\"tail\", \"-f\", \"/dev/null\"]",
    ));
    fs::write(two.mirror().join("ORDER.QUE"), "1;coffee\n2;milk\n").unwrap();
    let said = asked(&two, Machine::Main, &["return"]);
    assert!(said.status.code() == Some(1) && told(&said).contains("given the place back"), "{}", told(&said));
    let status = two.until(Machine::Backup, "the backup serves again", |status| status["server"] == "ready");
    assert_eq!((&status["duty"], &status["epoch"]), (&"serving".into(), &4.into()), "{status}");
    two.until(Machine::Main, "the main follows again", |status| status["duty"] == "mirroring" && status["epoch"] == 4);
    assert_eq!(fs::read_to_string(two.mirror().join("ORDER.QUE")).unwrap(), "1;coffee\n2;milk\n");
}

#[test]
fn a_main_whose_pos_server_has_died_is_followed_by_the_backup_without_a_doubt() {
    let mut two = Two::new();
    let flag = two.path().join("may-run");
    fs::write(&flag, "").unwrap();
    two.init();
    let command = format!("test -e {} && exec tail -f /dev/null", flag.display());
    two.set(
        "server",
        &format!(
            "command = [\"sh\", \"-c\", \"{command}\"]\n[server.backup]\ncommand = [\"tail\", \"-f\", \"/dev/null\"]"
        ),
    );
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    two.meet();
    two.until_same("the shop");
    two.until(Machine::Backup, "the copy is whole", |status| status["mirror"]["as_of"].is_string());
    fs::remove_file(&flag).unwrap();
    two.kill_pos(Machine::Main);
    two.until(Machine::Backup, "that is seen", |status| status["verdict"] == "server-stopped");
    // The machine itself answers: nobody needs to be asked whether it is dead.
    done(&two, Machine::Backup, &["promote"]);
    let status = two.until(Machine::Backup, "it serves", |status| status["server"] == "ready");
    assert_eq!((&status["duty"], &status["epoch"]), (&"serving".into(), &2.into()));
    two.until(Machine::Main, "the main follows", |status| status["duty"] == "mirroring" && status["epoch"] == 2);
    let rescue = two.path().join(".pos.espejo/rescue");
    assert!(!rescue.exists() || fs::read_dir(rescue).unwrap().next().is_none(), "it held nothing of its own");
}

#[test]
fn after_a_power_cut_what_the_mirror_alone_holds_is_set_aside_before_the_shop_opens() {
    let mut two = shop();
    let orders = two.data.join("ORDER.QUE");
    let before = fs::metadata(&orders).unwrap().modified().unwrap();
    fs::write(&orders, "1;coffee\n2;tea\n").unwrap();
    two.until_same("the second order");
    two.cut_power(Machine::Main);
    // It was in the memory of the main, and never on its disk.
    fs::write(&orders, "1;coffee\n").unwrap();
    fs::File::options().append(true).open(&orders).unwrap().set_modified(before).unwrap();
    fs::write(two.home(Machine::Main).join("running"), "another run of the machine").unwrap();
    two.start(Machine::Main);
    let rescue = two.home(Machine::Backup).join(".RUNDIR.espejo/rescue");
    two.until(Machine::Main, "the shop opens", |status| status["server"] == "ready");
    let aside = fs::read_dir(&rescue).unwrap().next().expect("something is set aside").unwrap().path();
    assert_eq!(fs::read_to_string(aside.join("ORDER.QUE")).unwrap(), "1;coffee\n2;tea\n");
}

#[test]
fn the_shops_own_programs_hear_for_which_change_of_server_they_are_run() {
    let list = tempfile::NamedTempFile::new().unwrap();
    let script =
        format!("echo $ESPEJO_EVENT $ESPEJO_NODE $ESPEJO_EPOCH [$ESPEJO_OPERATION] >>{}", list.path().display());
    let hook = |name: &str| format!("{name} = [\"sh\", \"-c\", \"{script}\"]\n");
    let two = with_pos(&format!("{RUNS}\n[hooks]\n{}{}", hook("before_serve"), hook("after_stop")));
    let two = backup_serves(two);
    done(&two, Machine::Backup, &["return"]);
    let said = fs::read_to_string(list.path()).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    let wanted =
        ["before_serve main 1 []", "before_serve backup 2 [2]", "after_stop backup 2 [4]", "before_serve main 3 [4]"];
    assert_eq!(lines, wanted);
}

#[test]
fn a_pos_server_of_the_past_that_outlived_its_service_is_stopped() {
    let mut two = with_pos(SLOW);
    let pos = |two: &Two| espejo::server::record::Record::load(&two.home(Machine::Main)).map(|record| record.mark);
    // The main's service is gone, and its POS server sells on, when the backup is started.
    two.kill(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    let left = pos(&two).filter(espejo::server::record::Mark::lives).expect("it runs");
    // The service comes back, hears of it, saves that, and crashes before the POS server has ended.
    two.around(Machine::Main, "FAILPOINTS", "turn.saved=return");
    two.start(Machine::Main);
    two.until_killed(Machine::Main);
    assert!(left.lives(), "it takes its time to end");
    two.around(Machine::Main, "FAILPOINTS", "");
    two.start(Machine::Main);
    until("it is stopped", || !left.lives());
    two.until(Machine::Main, "the main follows", |status| {
        status["duty"] == "mirroring" && status["epoch"] == 2 && status["mirror"]["as_of"].is_string()
    });
    until("the main holds what the backup sells", || tree::are_same(&two.mirror(), &two.data));
}
