//! The model check: the real core of two nodes, with everything that can happen to them in any order, explored state by state.
//!
//! Two crashes at any point, also between an action and the next; a network with three messages in flight that loses, doubles
//! and reorders; two terminals that carry what they have seen, and vouch for who was the server; a person who does what may be done, at any time. The states come
//! in the order of how little must happen for them, twenty times as many with `ESPEJO_FULL=1`; beside that, long ways at random.
//!
//! A session belongs to two lives: what was said to a machine that has fallen since reaches no later life of it, and what a
//! machine said before it fell reaches nobody any more once its next life has been heard.
//!
//! - `world`: the two nodes, their disks, the network, the terminals, and what a step does to them
//! - `net`: what they say to each other
//! - `steps`: what can happen
//! - `holds`: what must hold
//! - `heal`: the way on from any state
//! - `table`: what a node does in each state when each thing happens
//! - `faults`: one fault in each rule, which must be found

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]
#![allow(clippy::must_use_candidate)]

mod common;
#[path = "model/faults.rs"]
mod faults;
#[path = "model/heal.rs"]
mod heal;
#[path = "model/holds.rs"]
mod holds;
#[path = "model/net.rs"]
mod net;
#[path = "model/steps.rs"]
mod steps;
#[path = "model/table.rs"]
mod table;
#[path = "model/world.rs"]
mod world;

use std::fmt::Write;
use std::path::Path;

use common::is_full;
use common::random::{Random, seed};
use espejo::pair::{Event, Other};
use faults::Fault;
use stateright::{Checker, HasDiscoveries, Model, Property};
use steps::Step;
use world::World;

/// States that are met where not all are explored.
const SOME: usize = 4_000_000;
/// States in which a fault must be found.
const FOUND: usize = 8_000_000;

/// What is explored.
#[derive(Clone, Debug)]
pub struct Shop {
    pub fault: Option<Fault>,
    pub terminals: usize,
    pub crashes: u8,
    pub epochs: u64,
    pub sales: u32,
    /// What the nodes do is noted in the table.
    pub noted: bool,
}

/// What must hold in every state.
type Holds = fn(&Shop, &World) -> bool;

const ALWAYS: [(&str, Holds); 8] = [
    ("never two that serve in one epoch", |_, world| world.at_most_one_in_an_epoch()),
    ("who serves has saved that", |_, world| world.who_serves_has_saved_that()),
    ("never two at once, unless a person was wrong", |_, world| world.one_unless_forced()),
    ("a person's word begins an epoch", |_, world| world.a_word_begins_an_epoch()),
    ("no record goes back", |_, world| world.no_record_goes_back()),
    ("no terminal goes back", |_, world| world.no_terminal_goes_back()),
    ("no sale is overwritten unseen", |_, world| world.no_sale_is_lost()),
    ("there is a way on", heal::can_heal),
];

impl Model for Shop {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        match self.fault {
            None => vec![World::new(self.terminals), World::well(self)],
            Some(fault) if fault.is_far() => vec![World::well(self)],
            Some(_) => vec![World::new(self.terminals)],
        }
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        world.can_happen(self, steps);
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        world.after(self, &step)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all: Vec<_> = ALWAYS.iter().map(|(name, holds)| Property::always(name, *holds)).collect();
        all.push(Property::sometimes("a return is completed", |_, world: &World| world.returned()));
        all
    }
}

/// A path, as it is told.
fn told(path: impl IntoIterator<Item = (World, Option<Step>)>) -> String {
    let mut story = String::new();
    for (world, step) in path {
        writeln!(story, "    {}", world.told()).unwrap();
        if let Some(step) = step {
            writeln!(story, "{step:?}").unwrap();
        }
    }
    story
}

/// What does not hold, and how that comes; the states that were met; how deep.
type Found = (Option<(&'static str, stateright::Path<World, Step>)>, usize, usize);

fn explored(shop: Shop, states: Option<usize>) -> Found {
    let checker = shop.checker().threads(2).finish_when(HasDiscoveries::AnyFailures);
    let checker = match states {
        Some(states) => checker.target_state_count(states),
        None => checker,
    };
    let checker = checker.spawn_bfs().join();
    let failure = checker.discoveries().into_iter().find(|(name, _)| ALWAYS.iter().any(|(always, _)| always == name));
    (failure, checker.unique_state_count(), checker.max_depth())
}

#[test]
fn what_must_always_hold_holds_in_every_state() {
    let (crashes, epochs, sales) = (2, 5, 2);
    // Terminals take many states and change little: once without them it goes deeper.
    for terminals in [0, 2] {
        let shop = Shop { fault: None, terminals, crashes, epochs, sales, noted: false };
        let (failure, states, deep) = explored(shop, Some(if is_full() { 20 * SOME } else { SOME }));
        println!("{terminals} terminals: {states} different states, {deep} deep");
        if let Some((name, path)) = failure {
            panic!("not so: {name}\n{}", told(path.into_vec()));
        }
    }
}

/// So many ways of 200 steps each. Returns in how many states the main served again.
fn long_ways(seed: u64, ways: u32, noted: bool) -> u64 {
    let mut random = Random::new(seed);
    let mut returned = 0;
    for number in 0..ways {
        // Where less can go wrong, more comes to its end.
        let (terminals, crashes) = [(2, u8::MAX), (0, 1), (0, 0)][number as usize % 3];
        let shop = Shop { fault: None, terminals, crashes, epochs: u64::MAX - 2, sales: 30, noted };
        let begun = if number % 2 == 0 { World::new(shop.terminals) } else { World::well(&shop) };
        let (mut world, mut way) = (begun, vec![]);
        for _ in 0..200 {
            let mut steps = vec![];
            world.can_happen(&shop, &mut steps);
            let step = steps.swap_remove(random.index(steps.len()));
            let Some(next) = world.after(&shop, &step) else { continue };
            way.push((std::mem::replace(&mut world, next), Some(step)));
            for (name, holds) in ALWAYS.iter().filter(|_| !noted) {
                way.extend((!holds(&shop, &world)).then(|| (world.clone(), None)));
                assert!(way.last().unwrap().1.is_some(), "seed {seed}: not so: {name}\n{}", told(way));
            }
            returned += u64::from(world.returned());
        }
    }
    returned
}

#[test]
fn what_must_always_hold_holds_on_long_ways() {
    let seed = seed();
    let returned = long_ways(seed, if is_full() { 50_000 } else { 500 }, false);
    println!("{returned} states in which the main serves again");
    assert!(returned > 0, "seed {seed}");
}

#[test]
fn the_table_is_total() {
    long_ways(1, 4_000, true);
    let first = Shop { fault: None, terminals: 0, crashes: 0, epochs: 1, sales: 0, noted: true };
    World::unborn().all_begin(&first);
    let seen = table::seen();
    let mut wrong = vec![];
    for state in table::STATES {
        for event in table::EVENTS {
            match (seen.contains_key(&(state, event)), table::impossible(state, event)) {
                (false, None) => wrong.push(format!("{state}: {event}: never seen, and not declared impossible")),
                (true, Some(why)) if !table::is_own(state, event) => {
                    wrong.push(format!("{state}: {event}: seen, though {why}"));
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pair/states.md");
    if std::env::var_os("ESPEJO_STORIES").is_some_and(|what| what == "write") {
        std::fs::write(&path, table::told(&seen)).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), table::told(&seen), "write it anew: ESPEJO_STORIES=write");
}

#[test]
fn a_fault_in_each_rule_is_found() {
    for fault in Fault::ALL {
        // On a long way nothing else may happen.
        let few = u8::from(!fault.is_far());
        let shop = Shop {
            fault: Some(fault),
            terminals: fault.terminals(),
            crashes: few,
            epochs: 4,
            sales: few.into(),
            noted: false,
        };
        let (failure, states, _) = explored(shop, Some(FOUND));
        let (name, path) = failure.unwrap_or_else(|| panic!("{fault:?} is not found in {states} states"));
        println!("{fault:?}: found in {states} states, after {} steps: not so: {name}", path.into_vec().len() - 1);
    }
}

/// Found among eight million states. The backup ends in order and begins again; that the main does not count on that any more it
/// cannot note, and ends. It must not have said that it does not: the backup would be started as if the main could not begin alone.
#[test]
fn who_could_not_note_that_the_other_is_back_still_counts_on_its_evening() {
    let shop = Shop { fault: None, terminals: 0, crashes: 2, epochs: 5, sales: 2, noted: false };
    let mut world = World::well(&shop);
    let arrives = |world: &World, at: usize| Step::Arrives(world.net.iter().nth(at).unwrap().clone(), false, None);
    let promote = Step::Happens(1, Event::Promote(Other::Silent), None);
    let steps: [&dyn Fn(&World) -> Step; 11] = [
        &|_| Step::Speaks(1),
        &|_| Step::Ends(1),
        &|_| Step::Begins(1),
        &|world| arrives(world, 1),
        &|_| Step::Wears(0),
        &|world| arrives(world, 0),
        &|_| Step::Ends(0),
        &|world| arrives(world, 0),
        &|_| promote.clone(),
        &|_| Step::Begins(0),
        &|_| Step::Happens(0, Event::Unheard, None),
    ];
    for step in steps {
        let step = step(&world);
        world = world.after(&shop, &step).unwrap_or_else(|| panic!("{step:?} changes nothing: {}", world.told()));
        for (name, holds) in ALWAYS {
            assert!(holds(&shop, &world), "not so after {step:?}: {name}\n{}", world.told());
        }
    }
    assert!(world.forced, "a person was asked about that evening");
}
