//! Numbers that never repeat: the backup goes on where the main cannot have been, whatever is killed meanwhile.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::place::told;
use crate::common::random::{Random, seed};
use crate::common::two::{Machine, RUNS, Two};
use crate::common::{is_full, until};
use crate::turns::{asked, done, refused};

const READ: &str = "name = \"receipt\"\nread = { file = \"POS-Q.Seq\", pattern = \"(\\\\d+)\" }\n";

/// Two machines with a counter, of which this is set; the mirror has the number 1042.
pub fn shop(counter: &str) -> Two {
    let mut two = Two::new();
    two.init();
    two.set("mirror", "interval = \"300ms\"");
    two.set("server", RUNS);
    two.set("[counter]", &format!("{READ}{counter}"));
    fs::write(two.data.join("POS-Q.Seq"), "1042\n").unwrap();
    two.meet();
    two.until_same("the shop");
    let is_read = |status: &Value| status["counters"][0]["last"] == 1042 && status["mirror"]["as_of"].is_string();
    two.until(Machine::Backup, "the number is read", is_read);
    two
}

/// The main dies, with numbers that the mirror never saw.
pub fn dies(two: &mut Two) {
    two.cut_power(Machine::Main);
    fs::write(two.data.join("POS-Q.Seq"), "1045\n").unwrap();
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
}

pub fn number(two: &Two) -> String {
    fs::read_to_string(two.mirror().join("POS-Q.Seq")).unwrap()
}

/// The backup serves, whatever it was in when its service was killed: a person presses what is offered.
pub fn serves(two: &Two) {
    until("the backup serves", || {
        let status = two.status(Machine::Backup).unwrap_or_default();
        if status["duty"] == "serving" && status["server"] == "ready" {
            return true;
        }
        for verb in ["promote", "start"] {
            asked(two, Machine::Backup, &[verb, "--yes"]);
        }
        false
    });
}

pub fn counters(two: &Two) -> Value {
    let said = asked(two, Machine::Backup, &["counters", "--json"]);
    serde_json::from_slice(&said.stdout).unwrap_or_else(|error| panic!("{error}: {}", told(&said)))
}

pub const GAP: &str = "on_start = { gap = 50 }\nwrite = { file = \"POS-Q.Seq\", format = \"{value}\\n\" }";

#[test]
fn the_backup_goes_on_behind_a_gap_and_says_which_numbers_may_be_missing() {
    let mut two = shop(GAP);
    dies(&mut two);
    let plan = told(&asked(&two, Machine::Backup, &["promote", "--plan"]));
    assert!(plan.contains("receipt: the last one in the copy is 1042, it goes on behind 1092; 1043 to 1092"), "{plan}");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    assert_eq!(number(&two), "1092\n");
    let set = &counters(&two)["numbered"];
    assert_eq!((&set[0]["last"], &set[0]["suspect"]), (&json!(1042), &json!([1043, 1092])), "{set}");
    let page = told(&asked(&two, Machine::Backup, &["counters", "--certificate"]));
    assert!(page.contains("1043 to 1092 may have been given out"), "{page}");
    let diary = told(&asked(&two, Machine::Backup, &["history", "--events"]));
    assert!(diary.contains("receipt goes on behind 1092"), "{diary}");
    // The shop goes on; so does the service, and nothing is set again.
    fs::write(two.mirror().join("POS-Q.Seq"), "1093\n").unwrap();
    two.kill(Machine::Backup);
    two.start(Machine::Backup);
    serves(&two);
    assert_eq!(number(&two), "1093\n");
    assert_eq!(counters(&two)["numbered"].as_array().unwrap().len(), 1);
    // A planned change loses nothing, and so no number is left out.
    two.start(Machine::Main);
    two.until(Machine::Backup, "the main is level", |status| status["mirror"]["as_of"].is_string());
    two.until(Machine::Main, "it hears of that while the backup serves", |status| status["numbered"][0]["epoch"] == 2);
    let page = told(&asked(&two, Machine::Main, &["counters", "--certificate"]));
    assert!(page.contains("1043 to 1092 may have been given out") || page.contains("1043 to 1045"), "{page}");
    // The main comes back with what it had given out.
    let reported = |status: &Value| status["numbered"][0]["found"] == 1045;
    two.until(Machine::Backup, "what became of the numbers is known", reported);
    done(&two, Machine::Main, &["return"]);
    two.until(Machine::Main, "on both machines", reported);
    let said = told(&asked(&two, Machine::Main, &["counters", "--certificate"]));
    assert!(said.contains("1043 to 1045: the other machine had given them out"), "{said}");
    assert!(said.contains("1046 to 1092: never given out") && !said.contains("TWICE"), "{said}");
    two.until(Machine::Backup, "it follows", |status| status["duty"] == "mirroring");
    two.until_same("the main has it");
    two.until_it_may(Machine::Main, "switch");
    done(&two, Machine::Backup, &["switch", "--yes"]);
    assert_eq!(number(&two), "1093\n");
    // It is known also where the other machine is away since this one was switched on.
    for machine in [Machine::Backup, Machine::Main] {
        two.stop(machine);
    }
    two.start(Machine::Main);
    two.until(Machine::Main, "it is there", |status| status["duty"].is_string());
    let said = told(&asked(&two, Machine::Main, &["counters", "--certificate"]));
    assert!(said.contains("1046 to 1092: never given out"), "{said}");
}

#[test]
fn no_machine_denies_what_the_other_one_would_know() {
    let mut two = shop(GAP);
    two.until(Machine::Main, "they talk", |status| status["peer"]["state"] == "healthy");
    let said = asked(&two, Machine::Main, &["counters", "--certificate"]);
    assert!(said.status.success() && told(&said).contains("No numbers were left out"), "{}", told(&said));
    two.stop(Machine::Backup);
    two.until(Machine::Main, "the backup is away", |status| status["peer"]["state"] != "healthy");
    let said = asked(&two, Machine::Main, &["counters", "--certificate"]);
    assert_eq!(said.status.code(), Some(3), "{}", told(&said));
    assert!(told(&said).contains("keeps this record"), "{}", told(&said));
}

#[test]
fn what_was_to_be_set_for_a_start_that_came_to_nothing_is_not_set_by_another_one() {
    let mut two =
        shop("on_start = \"ask\"\nwrite = { command = [\"sh\", \"-c\", \"echo $0 > {data}/POS-Q.Seq\", \"{value}\"] }");
    dies(&mut two);
    let press = ["promote", "--yes", "--counter", "receipt=1092", "--as-of", "2020-01-01 12:00"];
    let said = asked(&two, Machine::Backup, &press);
    assert_eq!(said.status.code(), Some(1), "{}", told(&said));
    two.start(Machine::Main);
    two.until(Machine::Main, "it serves again", |status| {
        if status["duty"] == "waiting" {
            asked(&two, Machine::Main, &["start", "--yes"]);
        }
        status["server"] == "ready" && status["peer"]["state"] == "healthy"
    });
    // The shop sells for weeks.
    fs::write(two.data.join("POS-Q.Seq"), "5000\n").unwrap();
    two.until_same("the main has gone on");
    two.until(Machine::Main, "it could give its place", |status| {
        let plans = status["plans"].as_array().unwrap();
        let switch = plans.iter().find(|plan| plan["kind"] == "switch").unwrap();
        switch["checks"].as_array().unwrap().iter().all(|check| check["why"].is_null())
    });
    done(&two, Machine::Main, &["switch", "--yes"]);
    assert_eq!(number(&two), "5000\n");
    assert_eq!(counters(&two)["numbered"], json!([]));
}

#[test]
fn what_was_given_out_after_an_earlier_state_may_have_been_given_out() {
    let mut two = shop(GAP);
    let at = two.until(Machine::Backup, "it is a state", |status| status["mirror"]["as_of"].is_string());
    let at = at["mirror"]["as_of"].as_str().unwrap().to_owned();
    fs::write(two.data.join("POS-Q.Seq"), "1050\n").unwrap();
    two.until(Machine::Backup, "eight more are given", |status| status["counters"][0]["last"] == 1050);
    dies(&mut two);
    done(&two, Machine::Backup, &["promote", "--yes", "--as-of", &at]);
    let set = &counters(&two)["numbered"][0];
    assert_eq!(number(&two), "1100\n", "behind all that was ever read");
    assert_eq!((&set["last"], &set["suspect"]), (&json!(1042), &json!([1043, 1100])), "{set}");
}

#[test]
fn a_person_is_asked_where_it_goes_on() {
    let mut two =
        shop("on_start = \"ask\"\nwrite = { command = [\"sh\", \"-c\", \"echo $0 > {data}/POS-Q.Seq\", \"{value}\"] }");
    dies(&mut two);
    refused(&two, Machine::Backup, &["promote", "--yes"], "--counter receipt=1092");
    for (given, why) in [("receipt=104", "1042 was given out already"), ("recipt=1100", "No number is called recipt")] {
        refused(&two, Machine::Backup, &["promote", "--yes", "--counter", given], why);
        refused(&two, Machine::Backup, &["promote", "--plan", "--yes", "--counter", given], why);
    }
    let twice = ["promote", "--plan", "--yes", "--counter", "receipt=1045", "--counter", "receipt=1046"];
    assert_eq!(asked(&two, Machine::Backup, &twice).status.code(), Some(2));
    let plan = asked(&two, Machine::Backup, &["promote", "--plan", "--yes", "--counter", "receipt=1045"]);
    assert!(plan.status.success() && told(&plan).contains("goes on behind 1045"), "{}", told(&plan));
    done(&two, Machine::Backup, &["promote", "--yes", "--counter", "receipt=1045"]);
    assert_eq!(number(&two), "1045\n");
    let set = &counters(&two)["numbered"][0];
    assert!(set["by"].is_string() && set["suspect"] == json!([1043, 1045]), "{set}");
}

#[test]
fn a_number_that_cannot_be_set_holds_the_pos_server_until_a_person_has() {
    let mut two = shop("on_start = { gap = 50 }\nwrite = { command = [\"false\", \"{value}\"] }");
    dies(&mut two);
    let said = asked(&two, Machine::Backup, &["promote", "--yes"]);
    assert!(said.status.code() == Some(1) && told(&said).contains("espejo counters --set"), "{}", told(&said));
    let status = two.until(Machine::Backup, "it has the place", |status| status["duty"] == "serving");
    assert_eq!(status["server"], "stopped", "{status}");
    // Nor does it start by itself later.
    two.kill(Machine::Backup);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it waits", |status| status["duty"] == "waiting");
    let said = asked(&two, Machine::Backup, &["start", "--yes"]);
    assert!(said.status.code() == Some(1) && told(&said).contains("espejo counters --set"), "{}", told(&said));
    let status = two.until(Machine::Backup, "it has tried again", |status| status["duty"] == "serving");
    assert_eq!((&status["server"], number(&two).as_str()), (&"stopped".into(), "1042\n"), "{status}");
    fs::write(two.mirror().join("POS-Q.Seq"), "1092\n").unwrap();
    done(&two, Machine::Backup, &["counters", "--set"]);
    two.until(Machine::Backup, "it is started", |status| status["server"] == "ready");
    refused(&two, Machine::Backup, &["counters", "--set"], "No number waits");
}

#[test]
fn by_hand_is_only_what_could_not_be_set() {
    let mut two = shop(
        "on_start = { gap = 50 }\nwrite = { command = [\"false\", \"{value}\"] }\n[[counter]]\nname = \"folio\"\n\
         read = { file = \"FOLIO\", pattern = \"(\\\\d+)\" }\non_start = { gap = 50 }\n\
         write = { file = \"FOLIO\", format = \"{value}\\n\" }",
    );
    fs::write(two.data.join("FOLIO"), "7\n").unwrap();
    two.until(Machine::Backup, "both are read", |status| status["counters"][1]["last"] == 7);
    dies(&mut two);
    assert_eq!(asked(&two, Machine::Backup, &["promote", "--yes"]).status.code(), Some(1));
    fs::write(two.mirror().join("POS-Q.Seq"), "1092\n").unwrap();
    done(&two, Machine::Backup, &["counters", "--set"]);
    two.until(Machine::Backup, "it is started", |status| status["server"] == "ready");
    let folio = fs::read_to_string(two.mirror().join("FOLIO")).unwrap();
    assert_eq!((number(&two).as_str(), folio.as_str()), ("1092\n", "57\n"));
    let set = &counters(&two)["numbered"];
    assert!(set[0]["by"].is_string() && set[1]["by"].is_null() && set[1]["suspect"] == json!([8, 57]), "{set}");
}

/// The POS server of the backup never started: the dead main had given numbers, and is the next that gives any.
#[test]
fn a_backup_whose_numbers_are_not_set_sets_them_before_it_gives_its_place_away() {
    let broken = tempfile::NamedTempFile::new().unwrap();
    let write = format!("test ! -e {} && echo $0 > {{data}}/POS-Q.Seq", broken.path().display());
    let mut two = shop(&format!(
        "on_start = {{ gap = 50 }}\nwrite = {{ command = [\"sh\", \"-c\", \"{write}\", \"{{value}}\"] }}"
    ));
    dies(&mut two);
    assert_eq!(asked(&two, Machine::Backup, &["promote", "--yes"]).status.code(), Some(1));
    two.start(Machine::Main);
    let possible = || asked(&two, Machine::Backup, &["return", "--plan"]).status.success();
    until("a return is possible", possible);
    let said = asked(&two, Machine::Backup, &["return", "--yes"]);
    assert!(said.status.code() == Some(1) && told(&said).contains("receipt could not be set"), "{}", told(&said));
    let status = two.until(Machine::Backup, "it has its place still", |status| status["duty"] == "serving");
    assert_eq!((&status["server"], number(&two).as_str()), (&"stopped".into(), "1042\n"), "{status}");
    drop(broken);
    until("a return is possible", possible);
    done(&two, Machine::Backup, &["return", "--yes"]);
    assert_eq!(fs::read_to_string(two.data.join("POS-Q.Seq")).unwrap(), "1092\n");
    let set = counters(&two)["numbered"][0].clone();
    assert_eq!(set["suspect"], json!([1043, 1092]), "{set}");
}

#[test]
fn what_cannot_be_read_any_more_is_known_from_before_and_what_never_could_is_asked_about() {
    let mut two = shop(GAP);
    fs::write(two.data.join("POS-Q.Seq"), "lost\n").unwrap();
    let is_said = |status: &Value| status["counters"][0]["error"].is_string();
    let status = two.until(Machine::Backup, "it cannot be read", is_said);
    assert_eq!(status["counters"][0]["last"], 1042, "{status}");
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    // A restart of the service forgets nothing.
    two.kill(Machine::Backup);
    two.start(Machine::Backup);
    let status = two.until(Machine::Backup, "it was asked again", is_said);
    assert_eq!(status["counters"][0]["last"], 1042, "{status}");
    // Without what was kept nobody remembers it.
    two.kill(Machine::Backup);
    fs::remove_file(two.home(Machine::Backup).join("readings.json")).unwrap();
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it was asked", is_said);
    refused(&two, Machine::Backup, &["promote", "--yes"], "the last one in the copy is unknown");
    done(&two, Machine::Backup, &["promote", "--yes", "--counter", "receipt=2000"]);
    assert_eq!(number(&two), "2000\n");
}

#[test]
fn what_was_set_and_cannot_be_read_any_more_is_worked_out_anew_where_the_pos_server_does_not_run() {
    let mut two = shop(GAP);
    dies(&mut two);
    done(&two, Machine::Backup, &["promote", "--yes"]);
    fs::write(two.mirror().join("POS-Q.Seq"), "1093\n").unwrap();
    let kept = two.home(Machine::Backup).join("numbers.json");
    let noted = |two: &Two| {
        let diary = told(&asked(two, Machine::Backup, &["history", "--events"]));
        diary.matches("numbers.json.unreadable-").count()
    };
    two.kill(Machine::Backup);
    fs::write(&kept, "{\"wan").unwrap();
    two.start(Machine::Backup);
    serves(&two);
    assert_eq!(number(&two), "1093\n", "never beneath a POS server that runs");
    assert_eq!((noted(&two), &counters(&two)["numbered"]), (1, &json!([])));
    two.cut_power(Machine::Backup);
    fs::write(&kept, "").unwrap();
    two.start(Machine::Backup);
    serves(&two);
    assert_eq!(number(&two), "1143\n");
    assert_eq!((noted(&two), &counters(&two)["numbered"][0]["suspect"]), (2, &json!([1094, 1143])));
}

#[test]
fn no_number_is_given_twice_whenever_the_backup_is_killed() {
    let mut random = Random::new(seed());
    let kills = if is_full() { 200 } else { 20 };
    let mut two = shop(GAP);
    let mut given = vec![];
    for kill in 0..kills {
        // The main sells, and its last receipts are in no mirror.
        let last: u64 = fs::read_to_string(two.data.join("POS-Q.Seq")).unwrap().trim().parse().unwrap();
        given.extend(last + 1..=last + 3);
        two.cut_power(Machine::Main);
        fs::write(two.data.join("POS-Q.Seq"), format!("{}\n", last + 3)).unwrap();
        two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
        let mut promote = two.espejo(Machine::Backup, &["promote", "--yes"]);
        let mut promoting = promote.spawn().unwrap();
        std::thread::park_timeout(Duration::from_millis(random.below(120)));
        two.kill(Machine::Backup);
        promoting.wait().unwrap();
        two.start(Machine::Backup);
        serves(&two);
        // It sells.
        let first: u64 = number(&two).trim().parse().unwrap();
        given.extend(first + 1..=first + 2);
        fs::write(two.mirror().join("POS-Q.Seq"), format!("{}\n", first + 2)).unwrap();
        let sets = counters(&two)["numbered"].as_array().unwrap().len();
        assert_eq!(sets, kill + 1, "kill {kill}: each start sets the number once");
        two.start(Machine::Main);
        two.until(Machine::Backup, "the main is level", |status| status["mirror"]["as_of"].is_string());
        done(&two, Machine::Main, &["return"]);
        two.until(Machine::Backup, "it follows", |status| {
            status["duty"] == "mirroring" && status["counters"][0]["last"] == first + 2
        });
        until("the main has it", || {
            fs::read_to_string(two.data.join("POS-Q.Seq")).is_ok_and(|text| text.trim() == (first + 2).to_string())
        });
    }
    let all = given.len();
    given.sort_unstable();
    given.dedup();
    assert_eq!(all, given.len(), "numbers were given twice");
}

#[test]
fn what_may_be_missing_is_said_in_the_words_of_the_shop() {
    let mut two = Two::new();
    two.init();
    two.set("mirror", "interval = \"300ms\"");
    two.set("server", RUNS);
    let path = two.home(Machine::Main).join("store.toml");
    let text = fs::read_to_string(&path).unwrap();
    let count = "[[dataset.count]]\nlabel = \"orders\"\nby = { records = \"ORDER.QUE\" }\n[[dataset.count]]\nlabel = \"lines\"\n\
        by = { file = \"shop.db\", sql = \"SELECT count(*) FROM lines\" }\n";
    fs::write(&path, text + count).unwrap();
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n3;mi").unwrap();
    let open = rusqlite::Connection::open(two.data.join("shop.db")).unwrap();
    open.execute_batch("CREATE TABLE lines (a); INSERT INTO lines VALUES (1), (2), (3), (4);").unwrap();
    two.meet();
    let counted = |status: &Value| {
        let plan = status["plans"].as_array().unwrap().iter().find(|plan| plan["kind"] == "promote").cloned();
        let lacks = plan.map(|plan| plan["lacks"].clone()).unwrap_or_default();
        (lacks[0]["held"].clone(), lacks[1]["held"].clone())
    };
    // A queue of which half a record stands there is counted without it.
    two.until(Machine::Backup, "both are counted", |status| counted(status) == (json!(2), json!(4)));
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    let plan = told(&asked(&two, Machine::Backup, &["promote", "--plan"]));
    assert!(plan.contains("orders: 2 in the copy") && plan.contains("lines: 4 in the copy"), "{plan}");
}
