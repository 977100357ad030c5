//! Two machines: joined by a code, mirrored over the network, watched. Also where somebody else calls, or nobody answers.
//!
//! - `aside`: what the main alone held, when it comes back
//! - `adopted`: the backup becomes the main for good; a new machine in the place of the main
//! - `alone`: the main has its place again by itself
//! - `anew`: the copy is thrown away and taken anew
//! - `counters`: numbers that never repeat
//! - `numbered`: numbers wherever they are kept, and a backup that dies while it sets them
//! - `called`: a person is called to the backup
//! - `dumps`: a database that is mirrored by its dumps
//! - `plain_dumps`: bad luck of a database that is dumped by plain commands
//! - `given_up`: what can never be dumped any more
//! - `events`: the shop's program that is told what happens
//! - `declared`: a queue whose records are no lines
//! - `forgotten`: earlier states of the copy go
//! - `history`: the diary, and what was set aside
//! - `images`: an old state of one side comes back
//! - `cables`: pulled for a while, pulled at random
//! - `lacking`: what the copy lacks is counted
//! - `licence`: the backup licence, issued, installed, refused
//! - `lines`: lossy, slow, damaging, narrow, one way only, silent
//! - `roles`: who may do what
//! - `turns`: the backup serves, and gives back
//! - `rolling`: one machine is updated after the other
//! - `rounds`: the shop sells, something is cut, and every sale is there once
//! - `maintained`: nobody is called for a while
//! - `sqlite`: a shop whose data are a database of `SQLite`
//! - `stalled`: one dataset stops, and the others go on
//! - `strangers`: who is turned away
//! - `crowds`: garbage, callers that say nothing, a thousand of them
//! - `switched`: a planned change to the backup
//! - `unapplied`: the backup cannot apply what it acknowledged
//! - `versions`: who speaks another version
//! - `clocks`: a day apart
//! - `database`: the files of a real database
//! - `nights`: stories of the core with real services and a cable
//! - `operations`: changes of server as jobs, and where they go wrong
//! - `pos`: a POS server program under its control
//! - `records`: the record of who serves is torn, gone, or not its own
//! - `proofs`: an epoch counts only with the signature of who took it
//! - `readme`: set up as the README says
//! - `revoked`: who was let in, and is turned away from then on

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

#[path = "pair/adopted.rs"]
mod adopted;
#[path = "pair/alone.rs"]
mod alone;
#[path = "pair/anew.rs"]
mod anew;
#[path = "pair/as_of.rs"]
mod as_of;
#[path = "pair/aside.rs"]
mod aside;
#[path = "pair/cables.rs"]
mod cables;
#[path = "pair/called.rs"]
mod called;
#[path = "pair/clocks.rs"]
mod clocks;
mod common;
#[path = "pair/counters.rs"]
mod counters;
#[path = "pair/crowds.rs"]
mod crowds;
#[path = "pair/database.rs"]
mod database;
#[path = "pair/declared.rs"]
mod declared;
#[path = "pair/drill.rs"]
mod drill;
#[path = "pair/dumps.rs"]
mod dumps;
#[path = "pair/events.rs"]
mod events;
#[path = "pair/forgotten.rs"]
mod forgotten;
#[path = "pair/given_up.rs"]
mod given_up;
#[path = "pair/history.rs"]
mod history;
#[path = "pair/images.rs"]
mod images;
#[path = "pair/lacking.rs"]
mod lacking;
#[path = "pair/licence.rs"]
mod licence;
#[path = "pair/lines.rs"]
mod lines;
#[path = "pair/maintained.rs"]
mod maintained;
#[path = "pair/nights.rs"]
mod nights;
#[path = "pair/numbered.rs"]
mod numbered;
#[path = "pair/operations.rs"]
mod operations;
#[path = "pair/plain_dumps.rs"]
mod plain_dumps;
#[path = "pair/pos.rs"]
mod pos;
#[path = "pair/proofs.rs"]
mod proofs;
#[path = "pair/proven.rs"]
mod proven;
#[path = "pair/quiesced.rs"]
mod quiesced;
#[path = "pair/readme.rs"]
mod readme;
#[path = "pair/records.rs"]
mod records;
#[path = "pair/revoked.rs"]
mod revoked;
#[path = "pair/roles.rs"]
mod roles;
#[path = "pair/rolling.rs"]
mod rolling;
#[path = "pair/rounds.rs"]
mod rounds;
#[path = "pair/sqlite.rs"]
mod sqlite;
#[path = "pair/stalled.rs"]
mod stalled;
#[path = "pair/strangers.rs"]
mod strangers;
#[path = "pair/switched.rs"]
mod switched;
#[path = "pair/turns.rs"]
mod turns;
#[path = "pair/unapplied.rs"]
mod unapplied;
#[path = "pair/versions.rs"]
mod versions;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::edits::Editor;
use common::is_full;
use common::place::{output, told};
use common::random::{Random, seed};
use common::two::{Machine, Two};
use serde_json::{Value, json};

#[test]
fn four_commands_and_the_main_is_mirrored() {
    let mut two = Two::new();
    fs::write(two.data.join("POS-Q.Seq"), "1044\n").unwrap();
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n").unwrap();
    two.init();
    two.start(Machine::Main);
    let code = two.invite();
    let joined = two.join(&code);
    assert!(joined.status.success(), "{}", told(&joined));
    assert!(String::from_utf8_lossy(&joined.stdout).contains("espejo run"), "{}", told(&joined));
    two.start(Machine::Backup);
    two.until_same("the first copy");
    let backup = two.until(Machine::Backup, "it could take over", |status| status["can_take_over"]["yes"] == true);
    assert_eq!(
        (&backup["store"], &backup["node"], &backup["duty"], &backup["epoch"], &backup["holder"]),
        (&"Centro".into(), &"backup".into(), &"mirroring".into(), &1.into(), &"main".into())
    );
    let healthy = |status: &serde_json::Value| status["peer"]["state"] == "healthy" && status["verdict"] == "healthy";
    two.until(Machine::Backup, "the main is heard", healthy);
    let position = backup["mirror"]["position"].clone();
    let main = two.until(Machine::Main, "the main knows", |status| {
        status["mirror"]["position"] == position && status["peer"]["state"] == "healthy"
    });
    assert_eq!((&main["node"], &main["duty"]), (&"main".into(), &"serving".into()));
    fs::write(two.data.join("POS-Q.Seq"), "1045\n").unwrap();
    two.until_same("a change");
    for machine in [Machine::Main, Machine::Backup] {
        let verified = output(&mut two.espejo(machine, &["verify"]));
        assert_eq!(verified.status.code(), Some(0), "{machine:?}: {}", told(&verified));
        let status = output(&mut two.espejo(machine, &["status"]));
        assert_eq!(status.status.code(), Some(0), "{machine:?}: {}", told(&status));
    }
    two.stop(Machine::Backup);
    two.stop(Machine::Main);
}

#[test]
fn who_is_killed_is_missed_and_goes_on_where_it_was() {
    let mut two = Two::joined();
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    two.until_same("before");
    let lost =
        |status: &serde_json::Value| status["peer"]["state"] == "lost" && status["alarms"][0]["code"] == "MIR-301";
    for (victim, witness) in [(Machine::Main, Machine::Backup), (Machine::Backup, Machine::Main)] {
        two.kill(victim);
        let status = two.until(witness, "it is missed", lost);
        assert_eq!(status["mirror"]["behind_at_least"], true, "{status}");
        assert_eq!(output(&mut two.espejo(witness, &["status"])).status.code(), Some(20));
        fs::write(two.data.join(format!("{victim:?}")), "while it was away").unwrap();
        two.start(victim);
        two.until_same("after it came back");
        two.until(witness, "all is well again", |status| {
            status["peer"]["state"] == "healthy" && status["alarms"] == serde_json::json!([])
        });
    }
}

#[test]
fn killed_at_any_moment_either_side_goes_on() {
    let seed = seed();
    let mut random = Random::new(seed);
    let mut two = Two::new();
    let mut editor = Editor::new(&two.data, random.clone());
    // Before the first copy: what goes while it is made is asked about.
    editor.edit(60);
    two.init();
    two.meet();
    two.until_same("the first copy");
    for round in 0..if is_full() { 100 } else { 8 } {
        // Removals are asked about where they are many: a shop does not lose most of its files in a second.
        for _ in 0..random.below(6) {
            editor.append_or_write();
            std::thread::park_timeout(std::time::Duration::from_millis(random.below(40)));
        }
        let victim = if random.once_in(2) { Machine::Main } else { Machine::Backup };
        two.kill(victim);
        editor.append_or_write();
        two.start(victim);
        two.until_same(&format!("round {round} of seed {seed}"));
    }
    let verified = output(&mut two.espejo(Machine::Backup, &["verify"]));
    assert_eq!(verified.status.code(), Some(0), "seed {seed}: {}", told(&verified));
}

#[test]
fn both_restart_at_once_and_go_on() {
    let mut two = Two::joined();
    let both = [Machine::Main, Machine::Backup];
    for round in 0..if is_full() { 20 } else { 3 } {
        fs::write(two.data.join("POS-Q.Seq"), format!("{round} before\n")).unwrap();
        two.until_same("before");
        for machine in both {
            if round % 2 == 0 { two.kill(machine) } else { two.stop(machine) }
        }
        fs::write(two.data.join("POS-Q.Seq"), format!("{round} meanwhile\n")).unwrap();
        // Now this one is sooner, now that one.
        let first = both[round % 2];
        two.start(first);
        two.start(both[1 - round % 2]);
        two.until_same("after");
        for machine in both {
            two.until(machine, "all is well", |status| {
                status["peer"]["state"] == "healthy" && status["alarms"] == serde_json::json!([])
            });
        }
    }
}

#[test]
fn another_configuration_reaches_the_backup() {
    let mut two = Two::joined();
    two.until_same("before");
    two.stop(Machine::Main);
    let path = two.home(Machine::Main).join("store.toml");
    let text = fs::read_to_string(&path).unwrap().replace("store = \"Centro\"", "store = \"Centro Sur\"");
    fs::write(&path, text).unwrap();
    two.start(Machine::Main);
    two.until(Machine::Backup, "it has the new name", |status| status["store"] == "Centro Sur");
    fs::write(two.data.join("file"), "after").unwrap();
    two.until_same("after");
    two.stop(Machine::Main);
    fs::write(&path, "store = \"Centro\"\nstor = 7\n[main]\naddress = \"nowhere\"\n").unwrap();
    let refused = output(&mut two.espejo(Machine::Main, &["run"]));
    assert_eq!(refused.status.code(), Some(2), "{}", told(&refused));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.lines().count() >= 3 && said.contains("store.toml:2:1"), "all faults at once: {said}");
}

#[test]
fn check_examines_both_machines_and_says_what_to_mend() {
    let mut two = Two::joined();
    two.until_same("before");
    let healthy = |status: &serde_json::Value| status["peer"]["state"] == "healthy";
    two.until(Machine::Backup, "the main is heard", healthy);
    let checked = common::until_some("all is well", || {
        let checked = output(&mut two.espejo(Machine::Main, &["check"]));
        (checked.status.code() == Some(0)).then_some(checked)
    });
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    for line in [
        "Main: pos can be used",
        "Main: every file can be read",
        "Backup: the two machines talk",
        "Backup: heartbeats come",
        "the clocks agree",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    two.kill(Machine::Backup);
    fs::remove_dir_all(&two.data).unwrap();
    two.until(Machine::Main, "it is missed", |status| status["peer"]["state"] == "lost");
    let checked = output(&mut two.espejo(Machine::Main, &["check", "--json"]));
    assert_eq!(checked.status.code(), Some(1), "{}", told(&checked));
    let found: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    let of = |check: &str| found.as_array().unwrap().iter().find(|finding| finding["check"] == check).unwrap().clone();
    assert!(of("folder")["error"].is_string() && of("connection")["talks"] == false, "{found}");
}

#[test]
fn check_says_what_may_not_be_read_and_where_nothing_may_be_written() {
    let test = "check_says_what_may_not_be_read_and_where_nothing_may_be_written";
    if !rustix::process::geteuid().is_root() {
        return common::passed_over(test, "only root can give a file to another");
    }
    let mut two = Two::new();
    two.run_as(65534);
    fs::write(two.data.join("secret"), "of root").unwrap();
    fs::set_permissions(two.data.join("secret"), fs::Permissions::from_mode(0o600)).unwrap();
    two.init();
    two.meet();
    two.until(Machine::Main, "it is known", |status| status["datasets"][0]["unreadable"] == json!(["secret"]));
    std::os::unix::fs::chown(two.mirror(), Some(0), Some(0)).unwrap();
    let checked = output(&mut two.espejo(Machine::Main, &["check"]));
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(1), "{}", told(&checked));
    for line in ["[!!] Main: a file cannot be read: secret", "[!!] Backup: pos cannot be used"] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn what_is_left_out_is_not_mirrored_and_holds_nothing_up() {
    let mut two = Two::new();
    two.init();
    let path = two.home(Machine::Main).join("store.toml");
    let text = fs::read_to_string(&path).unwrap();
    let dataset = text.find("# exclude = ").unwrap();
    fs::write(&path, format!("{}exclude = [\"*.tmp\", \"spool\"]\n{}", &text[..dataset], &text[dataset..])).unwrap();
    fs::create_dir(two.data.join("spool")).unwrap();
    fs::write(two.data.join("spool/job"), "x").unwrap();
    fs::write(two.data.join("STOCK.DBF"), "99 coffees").unwrap();
    two.meet();
    let mirrored = |name: &str| fs::read_to_string(two.mirror().join(name)).ok();
    for number in 0..20 {
        fs::write(two.data.join(format!("{number}.tmp")), "not this").unwrap();
    }
    fs::write(two.data.join("STOCK.DBF"), "98 coffees").unwrap();
    common::until("the stock is mirrored", || mirrored("STOCK.DBF").is_some_and(|stock| stock == "98 coffees"));
    assert!(mirrored("spool/job").is_none() && mirrored("0.tmp").is_none());
}

#[test]
fn a_main_without_its_data_says_so_and_ends() {
    let mut two = Two::new();
    two.init();
    fs::remove_dir(&two.data).unwrap();
    let failed = output(&mut two.espejo(Machine::Main, &["run"]));
    assert_eq!(failed.status.code(), Some(1), "{}", told(&failed));
    assert!(String::from_utf8_lossy(&failed.stderr).contains(two.data.to_str().unwrap()), "{}", told(&failed));
    fs::create_dir(&two.data).unwrap();
    two.meet();
    two.until_same("with its data it runs");
}

#[test]
fn where_nothing_changes_a_canary_shows_that_all_is_there() {
    let mut two = Two::new();
    two.init();
    two.set("mirror", "interval = \"200ms\"");
    fs::write(two.data.join("file"), "x").unwrap();
    two.meet();
    two.until_same("the first copy");
    let as_of = |status: &Value| status["mirror"]["as_of"].as_str().map(str::to_owned);
    let level = two.until(Machine::Backup, "it is level", |status| status["mirror"]["behind_ms"] == 0);
    let (seq, before) = (level["mirror"]["position"]["seq"].clone(), as_of(&level));
    for machine in [Machine::Main, Machine::Backup] {
        let later = two.until(machine, "the copy is known to be whole later", |status| as_of(status) > before);
        assert!(later["mirror"]["sign_ago_ms"].is_u64(), "{later}");
        assert_eq!(later["mirror"]["position"]["seq"], seq, "nothing has changed");
    }
}
