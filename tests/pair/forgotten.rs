//! Earlier states of the copy go: by time, also where nothing is sold; by a person's word; and on a machine that serves.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use espejo::disk::apply::Mirror;
use espejo::disk::apply::open::{Opening, Others};
use espejo::disk::journal::index::Index;
use espejo::disk::journal::undo::Limits;
use jiff::Timestamp;
use serde_json::Value;

use crate::common::place::{output, told};
use crate::common::random::Random;
use crate::common::small_disk::SmallDisk;
use crate::common::two::{Machine, Two};
use crate::common::{tree, until, until_some};
use crate::turns::done;

/// The states that the copy on the backup can be stepped back to.
fn states(two: &Two) -> usize {
    states_on(two, Machine::Backup)
}

fn states_on(two: &Two, machine: Machine) -> usize {
    states_at(two, machine).len()
}

/// Their times, the newest first.
fn states_at(two: &Two, machine: Machine) -> Vec<String> {
    let listed = output(&mut two.espejo(machine, &["history", "--copies", "--json"]));
    assert_eq!(listed.status.code(), Some(0), "{}", told(&listed));
    let all: Value = serde_json::from_slice(&listed.stdout).unwrap();
    all[0]["states"].as_array().unwrap().iter().map(|one| one["at"].as_str().unwrap().to_owned()).collect()
}

/// Files that steps back need, in the folder beside the mirror.
fn kept(two: &Two) -> usize {
    let journal = two.home(Machine::Backup).join(".RUNDIR.espejo");
    let count = |folder: &str| fs::read_dir(journal.join(folder)).unwrap().count();
    count("undo") + count("stash")
}

fn told_in_the_diary(two: &Two, what: &str) -> bool {
    told(&output(&mut two.espejo(Machine::Backup, &["history", "--events"]))).contains(what)
}

/// A shop that has sold twice, and had a file in whose place another one is.
fn sold(two: &Two) {
    for sales in ["1;coffee\n", "1;coffee\n2;tea\n"] {
        fs::write(two.data.join("ORDER.QUE"), sales).unwrap();
        two.until_same("a sale");
    }
    for cards in ["4111 1111", "none"] {
        fs::write(two.data.join("CARDS.NEW"), cards).unwrap();
        fs::rename(two.data.join("CARDS.NEW"), two.data.join("CARDS.DAT")).unwrap();
        two.until_same("a file");
    }
}

#[test]
fn earlier_states_go_by_time_also_in_a_shop_that_is_closed() {
    let mut two = Two::new();
    two.init();
    two.set("mirror", "history = \"5s\"");
    two.meet();
    sold(&two);
    // Nothing is sold any more.
    until("only the state as it is can be had", || states(&two) == 1 && kept(&two) == 0);
    until("the diary says so", || told_in_the_diary(&two, "Old steps back were deleted; none is left"));
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n3;milk\n").unwrap();
    two.until_same("the mirror goes on");
}

#[test]
fn earlier_states_take_no_more_room_than_they_may_and_what_is_gone_is_no_way_back() {
    const BOUND: u64 = 1 << 20;
    let mut two = Two::new();
    two.init();
    two.set("mirror", "history_bytes = \"1MiB\"");
    two.set_pos();
    let mut random = Random::new(7);
    fs::write(two.data.join("STOCK"), random.bytes(400_000)).unwrap();
    two.meet();
    two.until_same("the first copy");
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    two.until_same("a sale");
    let first = until_some("there is a state", || states_at(&two, Machine::Backup).first().cloned());
    for number in 0..12 {
        fs::write(two.data.join("STOCK"), random.bytes(400_000)).unwrap();
        two.until_same(&format!("change {number}"));
    }
    let journal = two.home(Machine::Backup).join(".RUNDIR.espejo");
    let bytes = || bytes_in(&journal.join("undo")) + bytes_in(&journal.join("stash"));
    // The steps that are in one file go together.
    until("it takes no more room than it may", || bytes() <= BOUND + BOUND / 2 && states(&two) > 1);
    let left = states_at(&two, Machine::Backup);
    assert!(left.len() < 12 && !left.contains(&first), "{left:?}");
    two.kill(Machine::Main);
    two.kill_pos(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    let refused = output(&mut two.espejo(Machine::Backup, &["promote", "--yes", "--accept-loss", "--as-of", &first]));
    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    done(&two, Machine::Backup, &["promote", "--yes", "--accept-loss", "--as-of", left.last().unwrap()]);
}

/// Bytes of all files in a folder, as far as they do not go just now.
fn bytes_in(path: &Path) -> u64 {
    match fs::read_dir(path) {
        Ok(entries) => entries.filter_map(Result::ok).map(|entry| bytes_in(&entry.path())).sum(),
        Err(_) => fs::metadata(path).map_or(0, |meta| meta.len()),
    }
}

/// Something was set aside on the backup so many days ago. Returns its name.
fn set_aside(two: &Two, days: u64) -> String {
    let name = format!("20250101-120000-{days}");
    let folder = two.home(Machine::Backup).join(".RUNDIR.espejo/rescue").join(&name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("ORDER.QUE"), "1;coffee\n").unwrap();
    let at = SystemTime::now() - Duration::from_secs(days * 86_400);
    File::open(&folder).unwrap().set_modified(at).unwrap();
    name
}

#[test]
fn what_was_set_aside_is_kept_for_as_long_as_is_said_and_the_diary_says_when_it_goes() {
    let mut two = Two::joined();
    two.until(Machine::Backup, "it is a copy", |status| status["mirror"]["as_of"].is_string());
    two.stop(Machine::Backup);
    let [old, young] = [401, 399].map(|days| set_aside(&two, days));
    // As if it had been set up before that.
    let key = File::options().write(true).open(two.home(Machine::Backup).join("identity.pem")).unwrap();
    key.set_modified(SystemTime::now() - Duration::from_secs(500 * 86_400)).unwrap();
    let timeless = set_aside(&two, 9000);
    let listed = |two: &Two| told(&output(&mut two.espejo(Machine::Backup, &["rescue", "list"])));
    assert!(listed(&two).contains(&old) && listed(&two).contains(&young), "{}", listed(&two));
    two.start(Machine::Backup);
    until("it is too old to be kept", || !listed(&two).contains(&old));
    for what in ["is being deleted", "is deleted"] {
        until("the diary says so", || told_in_the_diary(&two, &format!("What was set aside {what}: {old}")));
    }
    assert!(listed(&two).contains(&young), "{}", listed(&two));
    assert!(listed(&two).contains(&timeless), "of a time before there was a shop nobody knows how old it is");
}

#[test]
fn a_person_has_the_earlier_states_deleted_on_either_machine() {
    let mut two = Two::new();
    two.init();
    two.set_pos();
    two.meet();
    sold(&two);
    assert!(states(&two) > 2 && kept(&two) > 1);
    done(&two, Machine::Backup, &["history", "--forget"]);
    until("they are gone", || states(&two) == 1 && kept(&two) == 0);
    for what in ["The earlier states of the copy are deleted", "Old steps back were deleted; none is left"] {
        until("the diary says so", || told_in_the_diary(&two, what));
    }
    sold(&two);
    assert!(states(&two) > 2, "there is history again");
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    assert!(kept(&two) > 0, "it serves, and they are still there");
    done(&two, Machine::Backup, &["history", "--forget"]);
    until("nothing is left of them", || (states(&two), kept(&two)) == (1, 0));
    two.start(Machine::Main);
    two.until(Machine::Backup, "a return is possible", |status| {
        let plans = status["plans"].as_array().unwrap();
        let back = plans.iter().find(|plan| plan["kind"] == "return").unwrap();
        back["checks"].as_array().unwrap().iter().all(|check| check["why"].is_null())
    });
    done(&two, Machine::Backup, &["return", "--yes"]);
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n3;milk\n").unwrap();
    two.until_same("it is a mirror again");
}

/// What the backup wrote as the server stands in no step back: a way back across that would lead to a state that never was.
#[test]
fn no_state_of_before_a_change_of_server_is_kept_after_it() {
    let mut two = Two::new();
    two.init();
    two.set_pos();
    two.meet();
    sold(&two);
    assert!(states(&two) > 2 && kept(&two) > 1);
    two.until_it_may(Machine::Backup, "switch");
    done(&two, Machine::Backup, &["switch", "--yes"]);
    fs::write(two.mirror().join("ORDER.QUE"), "sold on the backup\n").unwrap();
    two.until(Machine::Main, "the main mirrors", |status| status["mirror"]["caught_up"] == true);
    done(&two, Machine::Backup, &["return", "--yes"]);
    two.until(Machine::Backup, "it mirrors", |status| {
        status["duty"] == "mirroring" && status["mirror"]["caught_up"] == true
    });
    assert!(states(&two) <= 2, "the state that it came back with, and what came since");
    let sold_at = fs::metadata(two.mirror().join("ORDER.QUE")).unwrap().modified().unwrap();
    for at in states_at(&two, Machine::Backup) {
        let at: Timestamp = at.parse().unwrap();
        assert!(at >= Timestamp::try_from(sold_at).unwrap(), "{at} is before what stands in it was sold");
    }
    // What our own POS server wrote was written by nobody else.
    let index = two.home(Machine::Backup).join(".RUNDIR.espejo/index.db");
    assert_eq!(Index::left(&index).unwrap().unwrap().disturbed().unwrap(), []);
    let said = output(&mut two.espejo(Machine::Backup, &["history", "--copies"]));
    sold(&two);
    assert!(states(&two) > 2, "there is history again: {}", told(&said));
    // And a restart does not take it.
    let (all, files) = (states(&two), kept(&two));
    two.stop(Machine::Backup);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it mirrors", |status| status["mirror"]["as_of"].is_string());
    assert!(states(&two) >= all && kept(&two) >= files);
}

/// The steps back of a machine that lost its place are all of the time since: its service may begin again.
#[test]
fn what_came_since_a_machine_lost_its_place_can_be_stepped_back_also_after_a_restart() {
    let mut two = Two::new();
    two.init();
    two.set_pos();
    two.meet();
    sold(&two);
    two.cut_power(Machine::Main);
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n3;what it alone holds\n").unwrap();
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    two.start(Machine::Main);
    two.until(Machine::Main, "it has a copy", |status| {
        status["duty"] == "mirroring" && status["strays"] == false && status["mirror"]["caught_up"] == true
    });
    for price in ["coffee 2.50", "coffee 2.60", "coffee 2.70"] {
        fs::write(two.mirror().join("PRICES"), price).unwrap();
        two.until_same("a price");
    }
    let all = states_on(&two, Machine::Main);
    assert!(all > 2, "{all}");
    two.stop(Machine::Main);
    two.start(Machine::Main);
    two.until(Machine::Main, "it mirrors again", |status| {
        status["duty"] == "mirroring" && status["mirror"]["caught_up"] == true
    });
    assert!(states_on(&two, Machine::Main) >= all);
}

/// Room is made by ways back that nobody needs; the one by which a half-applied change is undone is none of them, where no other is kept
/// either.
#[test]
fn what_finds_no_room_half_way_is_undone_also_where_no_history_is_kept() {
    let test = "what_finds_no_room_half_way_is_undone_also_where_no_history_is_kept";
    let mut two = Two::new();
    let Some(disk) = SmallDisk::over(&two.home(Machine::Backup), "64m", test) else { return };
    let filler = two.path().join("filler");
    disk.filler(&filler);
    two.init();
    two.set("mirror", "history = \"0s\"");
    let mut random = Random::new(4);
    for name in ["grows", "goes", "moves"] {
        fs::write(two.data.join(name), random.bytes(1_000_000)).unwrap();
    }
    two.meet();
    two.until_same("the first copy");
    let before = tree::tree(&two.mirror());
    // Names go first, and there is no room from then on.
    two.kill(Machine::Backup);
    two.around(Machine::Backup, "FAILPOINTS", &format!("apply.names-placed=return({})", filler.display()));
    two.start(Machine::Backup);
    two.until(Machine::Backup, "they talk", |status| status["peer"]["state"] == "healthy");
    let mut grows = File::options().append(true).open(two.data.join("grows")).unwrap();
    grows.write_all(&random.bytes(1_000_000)).unwrap();
    fs::rename(two.data.join("moves"), two.data.join("moved")).unwrap();
    until("it is tried again and again", || two.logged(Machine::Backup, "could not be applied") > 3);
    assert!(disk.is_being_filled());
    two.kill(Machine::Backup);
    let history = Limits { age: Duration::ZERO, bytes: 1 << 30 };
    let (opened, found) = Mirror::open(&two.mirror(), Opening { others: Others::Refuse, history }, 1).unwrap();
    drop(opened);
    assert!(!found.unapplied.is_empty(), "what was acknowledged is applied, and there is no room for it yet");
    assert_eq!(tree::tree(&two.mirror()), before, "what there was is whole");
    disk.clear();
    two.nothing_around(Machine::Backup);
    two.start(Machine::Backup);
    two.until_same("with room");
    two.kill(Machine::Backup);
    drop(disk);
}
