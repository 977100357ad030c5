//! What a database alone held that can never be read any more: a person gives it up, and the shop goes on without.

use std::fs;
use std::process::Output;

use crate::common::place::{output, told};
use crate::common::two::{Machine, Two};
use crate::dumps::{Cluster, alarmed, shop, until_dumped, until_possible};
use crate::turns::done;

/// The main dies, the backup is promoted, and what the main alone holds can never be dumped: a table of it is gone from its disk. It can
/// be written on, as a restore does.
fn lose(two: &mut Two, main: &Cluster) {
    until_dumped(two, "the sale is in the mirror");
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(two, Machine::Backup, &["promote", "--yes"]);
    main.ask("shop", "create table lost (what text)");
    fs::remove_file(main.place.join("data").join(main.ask("shop", "select pg_relation_filepath('lost')"))).unwrap();
    two.start(Machine::Main);
    two.until(Machine::Backup, "it is said", |status| alarmed(status, "DMP-103"));
}

/// The backup dies, too, and the main takes over again, in vain.
fn take_over_in_vain(two: &mut Two) {
    two.until(Machine::Main, "it has a copy", |status| status["mirror"]["caught_up"] == true);
    two.cut_power(Machine::Backup);
    two.until(Machine::Main, "the backup is missed", |status| status["peer"]["state"] == "lost");
    let failed = output(&mut two.espejo(Machine::Main, &["promote", "--yes", "--accept-loss"]));
    assert_eq!(failed.status.code(), Some(1), "{}", told(&failed));
    assert!(told(&failed).contains("espejo rescue give-up books"), "{}", told(&failed));
}

fn give_up(two: &Two, machine: Machine, name: &str) -> Output {
    output(&mut two.espejo(machine, &["rescue", "give-up", name, "--yes"]))
}

#[test]
fn what_a_broken_database_alone_held_is_given_up_by_a_person_and_holds_up_nothing_then() {
    let test = "what_a_broken_database_alone_held_is_given_up_by_a_person_and_holds_up_nothing_then";
    let Some((mut two, main, backup)) = shop(test, "", "1s") else { return };
    main.sell("coffee");
    let early = give_up(&two, Machine::Main, "books");
    assert_eq!(early.status.code(), Some(3), "{}", told(&early));
    assert!(told(&early).contains("Nothing of books waits"), "{}", told(&early));
    lose(&mut two, &main);
    backup.sell("milk");
    assert_eq!(give_up(&two, Machine::Main, "pos").status.code(), Some(3));
    // While the other machine serves: then its place can be given back. Either machine is asked.
    let said = output(&mut two.espejo(Machine::Backup, &["return", "--yes"]));
    assert_eq!(said.status.code(), Some(3), "{}", told(&said));
    let said = give_up(&two, Machine::Backup, "books");
    assert_eq!(said.status.code(), Some(0), "{}", told(&said));
    until_possible(&two, Machine::Backup, "return");
    main.ask("shop", "drop table if exists lost");
    done(&two, Machine::Backup, &["return", "--yes"]);
    assert_eq!(main.sales(), "coffee milk");
    let diary = output(&mut two.espejo(Machine::Main, &["history", "--events"]));
    assert!(told(&diary).contains("could not be set aside, and is given up"), "{}", told(&diary));
    // While it takes over again: then its POS server starts.
    main.sell("rum");
    lose(&mut two, &main);
    take_over_in_vain(&mut two);
    assert_eq!(give_up(&two, Machine::Main, "books").status.code(), Some(0));
    two.until(Machine::Main, "the POS server starts", |status| status["server"] == "ready");
    assert_eq!(main.sales(), "coffee milk rum");
}

#[test]
fn what_was_given_up_is_not_asked_for_again_when_the_place_comes_back() {
    let test = "what_was_given_up_is_not_asked_for_again_when_the_place_comes_back";
    let Some((mut two, main, backup)) = shop(test, "", "1s") else { return };
    main.sell("coffee");
    lose(&mut two, &main);
    take_over_in_vain(&mut two);
    // Its POS server does not start: the backup is promoted in its place once more.
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it has a copy", |status| {
        status["duty"] == "mirroring" && status["mirror"]["caught_up"] == true
    });
    two.kill(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes", "--accept-loss"]);
    backup.sell("milk");
    two.start(Machine::Main);
    two.until(Machine::Main, "it follows", |status| status["duty"] == "mirroring" && alarmed(status, "DMP-103"));
    assert_eq!(give_up(&two, Machine::Main, "books").status.code(), Some(0));
    until_possible(&two, Machine::Backup, "return");
    done(&two, Machine::Backup, &["return", "--yes"]);
    assert_eq!(main.sales(), "coffee milk");
}
