//! Stories of the core once more, with two real services and a cable between them: the hand-over is lost in the network, twice; both
//! machines die, and either comes back first; the main is heard again while the backup is being started.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::common::network::Network;
use crate::common::place::{output, told};
use crate::common::tree;
use crate::common::two::{Machine, RUNS, Two};
use crate::common::{make_program, until};
use crate::turns::done;

/// A shop with a copy that is whole, over a cable.
fn shop(network: &Network) -> Two {
    let mut two = network.two("interval = \"300ms\"");
    two.set("server", RUNS);
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    two.meet();
    whole(&two);
    two
}

fn whole(two: &Two) {
    two.until(Machine::Backup, "the copy is whole", |status| {
        status["duty"] == "mirroring" && status["mirror"]["as_of"].is_string() && status["peer"]["server"] == "ready"
    });
}

/// A program that does this with the cable, and counts how often it has.
fn hand(two: &Two, network: &Network, state: &str) -> (PathBuf, impl Fn() -> usize + use<>) {
    let (program, count) = (two.path().join(format!("cable-{state}")), two.path().join(format!("cable-{state}.count")));
    let text = format!("#!/bin/sh\nip -n {} link set cable {state}\necho >>{}\n", network.spaces[0], count.display());
    make_program(&program, &text);
    (program, move || fs::read_to_string(&count).unwrap_or_default().lines().count())
}

/// Begins a machine again so that this happens at a point.
fn arm(two: &mut Two, machine: Machine, what: &str) {
    two.stop(machine);
    two.around(machine, "FAILPOINTS", what);
    two.start(machine);
    whole(two);
}

fn serves(two: &Two, machine: Machine) -> bool {
    two.status(machine).is_some_and(|status| status["duty"] == "serving")
}

fn follows(two: &Two, follower: Machine) {
    let (data, mirror) = (two.data.clone(), two.mirror());
    two.until(follower, "it follows", |status| status["duty"] == "mirroring" && status["mirror"]["as_of"].is_string());
    until("both hold the same", || tree::are_same(&data, &mirror));
}

#[test]
fn a_hand_over_that_is_lost_in_the_network_twice_is_completed() {
    let Some(network) = Network::new("a_hand_over_that_is_lost_in_the_network_twice_is_completed") else { return };
    let mut two = shop(&network);
    let (pull, pulled) = hand(&two, &network, "down");
    arm(&mut two, Machine::Main, &format!("turn.grant=2*return({})", pull.display()));
    until("nothing stands against it", || {
        output(&mut two.espejo(Machine::Main, &["switch", "--plan"])).status.success()
    });
    let mut verb = two.espejo(Machine::Main, &["switch", "--yes"]);
    let pressed = std::thread::spawn(move || output(&mut verb));
    for times in 1..=2 {
        until("the hand-over is lost", || pulled() == times);
        two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
        assert!(!serves(&two, Machine::Main) && !serves(&two, Machine::Backup), "nobody serves meanwhile");
        network.cable("up");
    }
    let said = pressed.join().unwrap();
    assert_eq!(said.status.code(), Some(0), "{}", told(&said));
    assert!(serves(&two, Machine::Backup) && !serves(&two, Machine::Main));
    fs::write(two.mirror().join("ORDER.QUE"), "1;coffee\n2;milk\n").unwrap();
    follows(&two, Machine::Main);
}

#[test]
fn when_both_have_died_the_one_that_served_last_serves_whichever_comes_back_first() {
    let Some(network) = Network::new("when_both_have_died_the_one_that_served_last_serves_whichever_comes_back_first")
    else {
        return;
    };
    let mut two = shop(&network);
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    for (first, then) in [(Machine::Main, Machine::Backup), (Machine::Backup, Machine::Main)] {
        fs::write(two.mirror().join("ORDER.QUE"), format!("1;coffee\n2;of the backup, before {first:?}\n")).unwrap();
        for machine in [Machine::Main, Machine::Backup] {
            if two.is_started(machine) {
                two.cut_power(machine);
            }
        }
        two.start(first);
        let waits = |status: &Value| status["duty"] != "serving" && status["peer"]["state"] != "healthy";
        two.until(first, "it waits", |status| waits(status) && status["alarms"][0]["trouble"] == "silent");
        two.start(then);
        two.until(Machine::Backup, "the backup serves", |status| status["duty"] == "serving" && status["epoch"] == 2);
        follows(&two, Machine::Main);
        let sold = fs::read_to_string(two.data.join("ORDER.QUE")).unwrap();
        assert!(sold.contains(&format!("before {first:?}")), "{sold}");
    }
}

#[test]
fn a_main_that_is_heard_again_while_the_backup_is_started_leaves_one_server_and_every_order() {
    let Some(network) =
        Network::new("a_main_that_is_heard_again_while_the_backup_is_started_leaves_one_server_and_every_order")
    else {
        return;
    };
    for point in ["turn.drain", "turn.drained", "turn.proven", "turn.saved"] {
        let mut two = shop(&network);
        let (plug, plugged) = hand(&two, &network, "up");
        arm(&mut two, Machine::Backup, &format!("{point}=1*return({})", plug.display()));
        network.cable("down");
        two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
        fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea, of the main alone\n").unwrap();
        let said = output(&mut two.espejo(Machine::Backup, &["promote", "--yes"]));
        assert!(plugged() == 1 && matches!(said.status.code(), Some(0 | 1)), "{point}: {}", told(&said));
        let server = crate::common::until_some(&format!("{point}: one serves, the other one follows"), || {
            let duties =
                [Machine::Main, Machine::Backup].map(|one| two.status(one).unwrap_or_default()["duty"].clone());
            match duties.each_ref().map(|duty| duty.as_str().unwrap_or_default()) {
                ["serving", "mirroring"] => Some(Machine::Main),
                ["mirroring", "serving"] => Some(Machine::Backup),
                _ => None,
            }
        });
        // Whoever waits for the start is told the truth.
        assert_eq!(said.status.success(), server == Machine::Backup, "{point}: {}", told(&said));
        follows(&two, if server == Machine::Main { Machine::Backup } else { Machine::Main });
        let kept = fs::read_dir(two.path().join(".pos.espejo/rescue")).into_iter().flatten();
        let mut kept = kept.filter_map(|one| fs::read_to_string(one.unwrap().path().join("ORDER.QUE")).ok());
        let there = fs::read_to_string(two.data.join("ORDER.QUE")).unwrap();
        assert!(there.contains("of the main alone") || kept.any(|text| text.contains("of the main alone")), "{point}");
    }
}
