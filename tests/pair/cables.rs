//! Cables: pulled for a while, pulled at random. Each test makes its own network, in namespaces that go with it.

use std::fs;
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use crate::common::edits::Editor;
use crate::common::is_full;
use crate::common::network::Network;
use crate::common::random::{Random, seed};
use crate::common::two::{Machine, verified};

#[test]
fn a_cable_pulled_during_a_first_copy_and_after_it() {
    let Some(network) = Network::new("a_cable_pulled_during_a_first_copy_and_after_it") else { return };
    let mut two = network.two("max_rate = \"4MB\"");
    let mut random = Random::new(seed());
    for number in 0..if is_full() { 60 } else { 12 } {
        fs::write(two.data.join(format!("file {number}")), random.bytes(1_000_000)).unwrap();
    }
    two.meet();
    // As long as a person needs to put it in again; longer than a connection bears, when all is asked for.
    for seconds in if is_full() { vec![1, 10, 600] } else { vec![1, 4] } {
        let copies = |status: &serde_json::Value| {
            status["mirror"]["phase"] == "first-copy" && status["mirror"]["copying"]["done_bytes"] != 0
        };
        two.until(Machine::Backup, "the first copy goes on", copies);
        network.cable("down");
        park_timeout(Duration::from_secs(seconds));
        network.cable("up");
        two.until(Machine::Backup, "the main is heard again", |status| status["peer"]["state"] == "healthy");
    }
    two.until_same("the first copy");
    for seconds in if is_full() { vec![1, 10, 600] } else { vec![3] } {
        network.cable("down");
        fs::write(two.data.join("file 3"), format!("changed while it was out for {seconds} s")).unwrap();
        two.until(Machine::Backup, "it is missed", |status| status["peer"]["state"] == "lost");
        park_timeout(Duration::from_secs(seconds));
        network.cable("up");
        two.until_same("after the cable is in again");
    }
    verified(&two, "in the end");
}

#[test]
fn a_cable_pulled_at_random_while_the_shop_sells() {
    let Some(network) = Network::new("a_cable_pulled_at_random_while_the_shop_sells") else { return };
    let seed = seed();
    let mut random = Random::new(seed);
    let mut two = network.two("");
    let mut editor = Editor::new(&two.data, random.clone());
    (0..40).for_each(|_| editor.append_or_write());
    two.meet();
    two.until_same("before");
    let end = Instant::now() + Duration::from_secs(if is_full() { 300 } else { 12 });
    while Instant::now() < end {
        network.cable("down");
        for _ in 0..random.below(20) {
            editor.append_or_write();
            park_timeout(Duration::from_millis(random.below(150)));
        }
        network.cable("up");
        for _ in 0..random.below(20) {
            editor.append_or_write();
            park_timeout(Duration::from_millis(random.below(150)));
        }
    }
    two.until_same(&format!("seed {seed}"));
    verified(&two, &format!("seed {seed}"));
}

#[test]
fn what_gets_shorter_takes_less_of_a_slow_line() {
    let Some(network) = Network::new("what_gets_shorter_takes_less_of_a_slow_line") else { return };
    let mut two = network.two("max_rate = \"2MB\"");
    let orders: Vec<String> = (0..200_000).map(|number| format!("{number};coffee;2.50;table 7\n")).collect();
    let orders = orders.concat();
    fs::write(two.data.join("ORDER.OLD"), &orders).unwrap();
    two.meet();
    two.until_same("the first copy");
    verified(&two, "in the end");
    let sent = network.sent(Machine::Main);
    let whole = orders.len() as u64;
    assert!(sent < whole / 2, "{sent} bytes went over the line for {whole}");
}
