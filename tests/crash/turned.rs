//! A machine is stopped dead at each step of each change of server, and begins again; or its disk is full from there on. There are
//! never two servers, in the end there is one, with a second press at the most; no confirmed sale is lost; and what was begun has its
//! end in both diaries.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::common::random::{Random, seed};
use crate::common::shop::BOTH;
use crate::common::{is_full, needs};
use crate::points::points;
use crate::rounds::{Fate, Round, rounds};
use crate::stage::Stage;

/// So many shops at once.
const SHOPS: usize = 3;

/// One in so many of them, by chance.
fn some(mut rounds: Vec<Round>, one_in: usize, random: &mut Random) -> Vec<Round> {
    for at in (1..rounds.len()).rev() {
        rounds.swap(at, random.index(at + 1));
    }
    rounds.truncate(rounds.len().div_ceil(one_in));
    rounds
}

/// Plays all of them, in some shops at once.
fn play(rounds: Vec<Round>, stage: impl Fn() -> Option<Stage> + Sync, seed: u64) {
    let (count, left) = (rounds.len(), Mutex::new(rounds));
    std::thread::scope(|scope| {
        for _ in 0..SHOPS {
            scope.spawn(|| {
                let Some(mut stage) = stage() else { return };
                let next = || left.lock().unwrap().pop();
                while let Some(round) = next() {
                    stage.play(&round);
                }
            });
        }
    });
    eprintln!("{count} rounds, seed {seed}");
}

#[test]
fn stopped_dead_at_any_step_of_a_change_of_server_there_is_one_server_and_every_sale() {
    needs!("python3");
    let seed = seed();
    let mut random = Random::new(seed);
    let mut left = rounds();
    for round in &mut left {
        if random.once_in(3) {
            *round = round.with(Fate::Power);
        }
    }
    if !is_full() {
        left = some(left, 3, &mut random);
    }
    play(left, || Some(Stage::set()), seed);
}

#[test]
fn with_a_full_disk_from_any_step_of_a_change_of_server_on_there_is_one_server_and_every_sale() {
    needs!("python3");
    let seed = seed();
    let mut random = Random::new(seed);
    let mut left = vec![];
    for round in rounds() {
        left.extend(BOTH.map(|machine| round.with(Fate::Full(machine))));
    }
    if !is_full() {
        left = some(left, 10, &mut random);
    }
    let test = "with_a_full_disk_from_any_step_of_a_change_of_server_on_there_is_one_server_and_every_sale";
    play(left, || Stage::on_small_disks(test), seed);
}

#[test]
fn every_point_of_a_change_of_server_is_in_the_table() {
    let families = ["adopt.", "save.", "turn."];
    let all: BTreeSet<String> =
        points().into_iter().filter(|point| families.iter().any(|family| point.starts_with(family))).collect();
    let known: BTreeSet<String> = rounds().into_iter().map(|round| round.point).collect();
    assert_eq!(known, all);
}
