//! The main mirrors its own damage, and the backup starts from what there was before.

use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;

use crate::common::place::{output, told};
use crate::common::random::Random;
use crate::common::two::{Machine, Two};
use crate::common::until;
use crate::turns::done;

fn alarmed(status: &Value, code: &str) -> bool {
    status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == code)
}

fn states(two: &Two) -> Vec<Timestamp> {
    let listed = output(&mut two.espejo(Machine::Backup, &["history", "--copies", "--json"]));
    assert_eq!(listed.status.code(), Some(0), "{}", told(&listed));
    let all: Value = serde_json::from_slice(&listed.stdout).unwrap();
    all[0]["states"].as_array().unwrap().iter().map(|one| one["at"].as_str().unwrap().parse().unwrap()).collect()
}

fn rescued(two: &Two) -> Vec<PathBuf> {
    let rescue = two.home(Machine::Backup).join(".RUNDIR.espejo/rescue");
    fs::read_dir(rescue).map_or_else(|_| vec![], |all| all.map(|one| one.unwrap().path()).collect())
}

fn lose_the_main(two: &mut Two) {
    two.kill(Machine::Main);
    two.kill_pos(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
}

#[test]
fn what_malware_did_to_the_main_is_said_and_the_backup_starts_from_before() {
    let mut two = Two::new();
    two.init();
    two.set_pos();
    let mut random = Random::new(7);
    let mut noise = |len: usize| (0..len).map(|_| u8::try_from(random.below(256)).unwrap()).collect::<Vec<u8>>();
    let names: Vec<String> = (0..8).map(|number| format!("POS-{number}.DAT")).collect();
    for name in &names {
        fs::write(two.data.join(name), noise(1 << 20)).unwrap();
    }
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    two.meet();
    two.until_same("the first copy");
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n").unwrap();
    two.until_same("a sale");
    let calm = two.until(Machine::Backup, "nothing is wrong", |status| status["mirror"]["caught_up"] == true);
    assert!(!alarmed(&calm, "MIR-208"), "a first copy and a sale are nothing to wonder at: {calm}");
    let before = two.quiet();
    let good = crate::common::tree::tree(&two.mirror());
    for name in &names {
        fs::write(two.data.join(name), noise(1 << 20)).unwrap();
    }
    fs::write(two.data.join("READ ME TO GET YOUR DATA BACK"), "pay").unwrap();
    two.until_same("the damage is mirrored, as all is");
    two.until(Machine::Backup, "it is said", |status| alarmed(status, "MIR-208"));
    two.stop(Machine::Backup);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it is still said", |status| {
        alarmed(status, "MIR-208") && status["peer"]["state"] == "healthy"
    });
    lose_the_main(&mut two);
    let at = before.to_string();
    let planned = output(&mut two.espejo(Machine::Backup, &["promote", "--yes", "--as-of", &at, "--plan"]));
    assert!(told(&planned).contains("stepped back"), "{}", told(&planned));
    done(&two, Machine::Backup, &["promote", "--yes", "--as-of", &at]);
    let now = crate::common::tree::tree(&two.mirror());
    assert_eq!(crate::common::tree::differences(&good, &now), Vec::<String>::new());
    let aside = rescued(&two).pop().expect("what was there is set aside");
    assert!(aside.join("READ ME TO GET YOUR DATA BACK").exists() && aside.join("POS-7.DAT").exists());
    until("the diary has it", || {
        told(&output(&mut two.espejo(Machine::Backup, &["history", "--events"]))).contains("stepped back")
    });
    // The main comes back with its damage, and gets what the backup holds.
    two.start(Machine::Main);
    let is_same = || {
        let of = |folder: PathBuf| fs::read(folder.join("POS-3.DAT")).ok();
        of(two.data.clone()) == of(two.mirror())
    };
    until("the main is a copy of the backup", is_same);
}

#[test]
fn what_a_person_says_was_meant_is_said_no_more_and_can_be_gone_back_to() {
    let mut two = Two::new();
    two.init();
    let written = |salt: u64| {
        let mut random = Random::new(salt);
        (0..8 << 20).map(|_| u8::try_from(random.below(256)).unwrap()).collect::<Vec<u8>>()
    };
    fs::write(two.data.join("POS.DAT"), written(1)).unwrap();
    two.meet();
    two.until_same("the first copy");
    two.until(Machine::Backup, "it has caught up", |status| status["mirror"]["caught_up"] == true);
    done(&two, Machine::Main, &["maintenance", "on", "--for", "1h"]);
    let before = states(&two).len();
    fs::write(two.data.join("POS.DAT"), written(2)).unwrap();
    two.until_same("an update is mirrored");
    for machine in [Machine::Backup, Machine::Main] {
        two.until(machine, "it is said", |status| alarmed(status, "MIR-208"));
    }
    let ended = output(&mut two.espejo(Machine::Main, &["maintenance", "off"]));
    assert!(told(&ended).contains("It was meant that"), "{}", told(&ended));
    let calm = |status: &Value| !alarmed(status, "MIR-208") && status["peer"]["state"] == "healthy";
    for machine in [Machine::Backup, Machine::Main] {
        two.until(machine, "it was meant", calm);
    }
    // Another maintenance does not take that back, nor does a new start of the service.
    done(&two, Machine::Backup, &["maintenance", "on", "--for", "1h"]);
    two.stop(Machine::Backup);
    two.start(Machine::Backup);
    let again = two.until(Machine::Backup, "it is still meant", |status| {
        status["mirror"]["caught_up"] == true && status["maintenance"] == true && status["peer"]["state"] == "healthy"
    });
    assert!(!alarmed(&again, "MIR-208"), "{again}");
    assert!(states(&two).len() > before, "the state before is kept");
    // What comes after that was not: also where maintenance ends by itself.
    done(&two, Machine::Backup, &["maintenance", "on", "--for", "1s"]);
    two.until(Machine::Backup, "it ends by itself", |status| status["maintenance"] == false);
    fs::write(two.data.join("POS.DAT"), written(3)).unwrap();
    two.until(Machine::Backup, "the next is said", |status| alarmed(status, "MIR-208"));
    two.stop(Machine::Backup);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "by the next service, too", |status| {
        alarmed(status, "MIR-208") && status["peer"]["state"] == "healthy"
    });
}

/// Found by reading: the other dataset went on to forget, and all go back together or none. A dump that is another one is no damage.
#[test]
fn what_is_kept_of_one_dataset_is_kept_of_all() {
    let mut two = Two::new();
    two.init();
    two.set_pos();
    two.set("mirror", "history = \"5s\"");
    let [images, dumped] = ["images", "dumped"].map(|name| two.path().join(name));
    fs::create_dir(&images).unwrap();
    let written = |salt: u64| {
        let mut random = Random::new(salt);
        (0..8 << 20).map(|_| u8::try_from(random.below(256)).unwrap()).collect::<Vec<u8>>()
    };
    fs::write(&dumped, written(1)).unwrap();
    let more = format!(
        "\n[[dataset]]\nname = \"images\"\nmain = \"{}\"\nbackup = \"IMAGES\"\n\
        [[dataset]]\nname = \"books\"\nkind = \"dump\"\ndump = [\"cat\", \"{}\"]\nrestore = [\"cat\"]\nevery = \"1s\"\n",
        images.display(),
        dumped.display()
    );
    let path = two.home(Machine::Main).join("store.toml");
    fs::write(&path, fs::read_to_string(&path).unwrap() + &more).unwrap();
    let home = two.home(Machine::Backup);
    let is = |name: &str, salt| fs::read(home.join(name)).is_ok_and(|there| there == written(salt));
    fs::write(images.join("cake.jpg"), written(2)).unwrap();
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    two.meet();
    until("the image is there", || is("IMAGES/cake.jpg", 2));
    two.until_same("and the orders");
    until("and the dump", || is("RUNDIR-books/books.dump", 1));
    fs::write(&dumped, written(3)).unwrap();
    until("the next dump is there", || is("RUNDIR-books/books.dump", 3));
    let calm = two.until(Machine::Backup, "all are level", |status| status["mirror"]["caught_up"] == true);
    assert!(!alarmed(&calm, "MIR-208"), "{calm}");
    let before = two.quiet();
    fs::write(images.join("cake.jpg"), written(4)).unwrap();
    two.until(Machine::Backup, "much has changed", |status| alarmed(status, "MIR-208"));
    let mut sales = "1;coffee\n".to_owned();
    until("what is not kept is long gone", || {
        sales += "2;tea\n";
        fs::write(two.data.join("ORDER.QUE"), &sales).unwrap();
        Timestamp::now().duration_since(before).as_secs() > 20
    });
    two.until_same("all that was sold");
    lose_the_main(&mut two);
    done(&two, Machine::Backup, &["promote", "--yes", "--accept-loss", "--as-of", &before.to_string()]);
    assert!(is("IMAGES/cake.jpg", 2));
    assert_eq!(fs::read_to_string(two.mirror().join("ORDER.QUE")).unwrap(), "1;coffee\n");
}

#[test]
fn a_start_from_an_earlier_state_that_dies_midway_leaves_no_dataset_behind() {
    let mut two = Two::new();
    two.init();
    two.set_pos();
    let images = two.path().join("images");
    fs::create_dir(&images).unwrap();
    let more = format!("\n[[dataset]]\nname = \"images\"\nmain = \"{}\"\nbackup = \"IMAGES\"\n", images.display());
    let path = two.home(Machine::Main).join("store.toml");
    fs::write(&path, fs::read_to_string(&path).unwrap() + &more).unwrap();
    let copied = two.home(Machine::Backup).join("IMAGES/cake.jpg");
    let is = |path: &PathBuf, what: &str| fs::read_to_string(path).is_ok_and(|there| there == what);
    let write = |two: &Two, what: &str| {
        fs::write(two.data.join("ORDER.QUE"), what).unwrap();
        fs::write(images.join("cake.jpg"), what).unwrap();
        two.until_same("the orders");
        until("the image is there", || is(&copied, what));
    };
    fs::write(images.join("cake.jpg"), "").unwrap();
    two.meet();
    write(&two, "1;coffee\n");
    until("what was sold is a state", || !states(&two).is_empty());
    let before = two.quiet();
    write(&two, "1;coffee\n2;tea\n");
    // The first dataset is stepped back, the second one not yet.
    two.around(Machine::Backup, "FAILPOINTS", "back.begun=1*off->return");
    two.stop(Machine::Backup);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "both are there", |status| status["mirror"]["caught_up"] == true);
    // What each dataset found is one answer.
    let verified = output(&mut two.espejo(Machine::Backup, &["verify", "--json"]));
    let json: Value = serde_json::from_slice(&verified.stdout).unwrap_or_else(|_| panic!("{}", told(&verified)));
    assert_eq!((&json["files"], &json["bytes"]), (&2.into(), &30.into()), "{json}");
    lose_the_main(&mut two);
    let _ = output(&mut two.espejo(Machine::Backup, &["promote", "--yes", "--as-of", &before.to_string()]));
    two.until_killed(Machine::Backup);
    let halves = [is(&two.mirror().join("ORDER.QUE"), "1;coffee\n"), is(&copied, "1;coffee\n")];
    assert_eq!(halves, [true, false], "it died between the two");
    two.nothing_around(Machine::Backup);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it is there again", |status| status["duty"] == "waiting");
    assert!(is(&two.mirror().join("ORDER.QUE"), "1;coffee\n") && is(&copied, "1;coffee\n"), "both are of one time");
    let history = output(&mut two.espejo(Machine::Backup, &["history", "--events"]));
    assert!(told(&history).contains("stepped back"), "{}", told(&history));
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] != "healthy");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    assert!(is(&two.mirror().join("ORDER.QUE"), "1;coffee\n") && is(&copied, "1;coffee\n"), "they still are");
    let aside = rescued(&two);
    assert!(aside.iter().any(|aside| is(&aside.join("ORDER.QUE"), "1;coffee\n2;tea\n")), "{aside:?}");
}

#[test]
fn a_time_of_which_nothing_is_kept_is_refused_and_nothing_changes() {
    let mut two = Two::new();
    two.init();
    two.set_pos();
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    two.meet();
    two.until_same("the first copy");
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n").unwrap();
    two.until_same("a sale");
    until("two states are kept", || states(&two).len() == 2);
    let all = states(&two);
    assert!(all[0] > all[1], "the newest first: {all:?}");
    let bad = output(&mut two.espejo(Machine::Backup, &["promote", "--yes", "--as-of", "half past nine"]));
    assert_eq!(bad.status.code(), Some(2), "{}", told(&bad));
    lose_the_main(&mut two);
    let planned = output(&mut two.espejo(Machine::Backup, &["promote", "--as-of", "2020-01-01 12:00", "--plan"]));
    assert_eq!(planned.status.code(), Some(3), "{}", told(&planned));
    assert!(told(&planned).contains("history --copies"), "{}", told(&planned));
    let refused = output(&mut two.espejo(Machine::Backup, &["promote", "--yes", "--as-of", "2020-01-01 12:00"]));
    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    assert!(told(&refused).contains("history --copies"), "{}", told(&refused));
    two.until(Machine::Backup, "it mirrors on", |status| status["duty"] == "mirroring" && status["epoch"] == 1);
    assert_eq!(fs::read_to_string(two.mirror().join("ORDER.QUE")).unwrap(), "1;coffee\n2;tea\n");
    done(&two, Machine::Backup, &["promote", "--yes", "--as-of", &all[1].to_string()]);
    assert_eq!(fs::read_to_string(two.mirror().join("ORDER.QUE")).unwrap(), "1;coffee\n");
    let aside = rescued(&two).pop().unwrap();
    assert_eq!(fs::read_to_string(aside.join("ORDER.QUE")).unwrap(), "1;coffee\n2;tea\n");
}

#[test]
fn what_an_earlier_state_lacks_is_said_before_it_is_chosen() {
    let mut two = Two::new();
    two.init();
    two.set("mirror", "interval = \"300ms\"");
    two.set_pos();
    let path = two.home(Machine::Main).join("store.toml");
    let count = "[[dataset.count]]\nlabel = \"orders\"\nby = { records = \"ORDER.QUE\" }\n";
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text + count).unwrap();
    let queue = two.data.join("ORDER.QUE");
    let sell = |all: u32| {
        let orders: Vec<String> = (1..=all).map(|number| format!("{number};coffee\n")).collect();
        fs::write(&queue, orders.concat()).unwrap();
    };
    sell(2);
    two.meet();
    let plan = |status: &Value| {
        status["plans"].as_array().unwrap().iter().find(|plan| plan["kind"] == "promote").cloned().unwrap_or_default()
    };
    let counted = |two: &Two, orders: u32| {
        two.until(Machine::Backup, "they are counted", |status| plan(status)["lacks"][0]["held"] == orders);
    };
    counted(&two, 2);
    let then = two.quiet();
    sell(7);
    counted(&two, 7);
    two.until(Machine::Backup, "the states are known", |status| plan(status)["earlier"].is_array());
    lose_the_main(&mut two);
    let at = then.to_string();
    let planned = |more: &[&str]| {
        let args = [&["promote", "--yes", "--accept-loss", "--as-of", &at, "--plan"], more].concat();
        let planned = output(&mut two.espejo(Machine::Backup, &args));
        assert_eq!(planned.status.code(), Some(0), "{}", told(&planned));
        planned
    };
    let json: Value = serde_json::from_slice(&planned(&["--json"]).stdout).unwrap();
    assert_eq!(json["loss"]["as_of"], at, "{json}");
    let since = Timestamp::now().duration_since(then).as_millis();
    assert!(json["loss"]["behind_ms"].as_i64().is_some_and(|ms| ms > 0 && i128::from(ms) <= since), "{json}");
    assert_eq!(json["lacks"][0]["held"], 2, "{json}");
    let told = told(&planned(&[]));
    assert!(told.contains("orders: 2 in the copy") && told.contains("set aside first"), "{told}");
}

/// Found by use: who had looked into a database of the mirror stepped it back to a mixture of what stood there and what was sold.
#[test]
fn what_somebody_else_changed_in_the_mirror_is_never_mixed_with_an_earlier_state() {
    let mut two = Two::new();
    two.init();
    two.set_pos();
    let prices = |two: &Two, price: &str| {
        fs::write(two.data.join("PRICES"), format!("{price}\n").repeat(20_000)).unwrap();
    };
    prices(&two, "coffee 2.40");
    two.meet();
    two.until_same("the first copy");
    two.until(Machine::Backup, "it has caught up", |status| status["mirror"]["caught_up"] == true);
    prices(&two, "coffee 2.50");
    two.until_same("a price");
    let before = two.quiet();
    prices(&two, "coffee 2.60");
    two.until_same("a price");
    let since = two.quiet();
    prices(&two, "coffee 2.70");
    two.until_same("a price");
    lose_the_main(&mut two);
    let in_mirror = two.mirror().join("PRICES");
    let mut text = fs::read_to_string(&in_mirror).unwrap();
    text.replace_range(..12, "tea    1.50\n");
    fs::write(&in_mirror, &text).unwrap();
    for at in [before, before, since] {
        let said = output(&mut two.espejo(Machine::Backup, &["promote", "--yes", "--as-of", &at.to_string()]));
        assert_eq!(said.status.code(), Some(1), "{}", told(&said));
        assert!(told(&said).contains("PRICES: it was changed on this machine"), "{}", told(&said));
        // Also when it was found in a life before.
        two.stop(Machine::Backup);
        two.start(Machine::Backup);
        two.until(Machine::Backup, "it can start", |status| {
            status["mirror"]["as_of"].is_string() && status["can_take_over"]["yes"] == true
        });
    }
    assert_eq!(fs::read_to_string(&in_mirror).unwrap(), text);
    done(&two, Machine::Backup, &["promote", "--yes", "--accept-loss"]);
}

/// Found by reading: what the main had put right stepped back to what somebody else had written.
#[test]
fn what_was_put_right_is_never_stepped_back_to_what_somebody_else_wrote() {
    let mut two = Two::new();
    two.init();
    two.set_pos();
    let prices = |price: &str| format!("{price}\n").repeat(20_000);
    fs::write(two.data.join("PRICES"), prices("coffee 2.40")).unwrap();
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    two.meet();
    two.until_same("the first copy");
    two.until(Machine::Backup, "it is proven", |status| status["mirror"]["verified_at"].is_string());
    two.kill(Machine::Backup);
    fs::write(two.mirror().join("PRICES"), prices("tea    1.50")).unwrap();
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n").unwrap();
    let foreign = Timestamp::now();
    two.start(Machine::Backup);
    two.until_same("it is put right");
    two.until(Machine::Backup, "it is proven again", |status| status["mirror"]["verified_at"].is_string());
    let right = two.quiet();
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n3;milk\n").unwrap();
    two.until_same("a sale");
    lose_the_main(&mut two);
    let promote =
        |at: Timestamp| output(&mut two.espejo(Machine::Backup, &["promote", "--yes", "--as-of", &at.to_string()]));
    let said = promote(foreign);
    assert_eq!(said.status.code(), Some(1), "{}", told(&said));
    assert!(told(&said).contains("PRICES: it was changed on this machine"), "{}", told(&said));
    until("it can be asked again", || {
        let plan = output(&mut two.espejo(Machine::Backup, &["promote", "--yes", "--plan"]));
        plan.status.success()
    });
    let said = promote(right);
    assert!(said.status.success(), "{}", told(&said));
    assert_eq!(fs::read_to_string(two.mirror().join("PRICES")).unwrap(), prices("coffee 2.40"));
    assert_eq!(fs::read_to_string(two.mirror().join("ORDER.QUE")).unwrap(), "1;coffee\n2;tea\n");
}
