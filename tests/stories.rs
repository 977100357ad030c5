//! Stories of the two machines: what happens, line by line, and below each line what the machine does then. They stand in
//! `tests/stories` for people to read; here they are played on the real core. To write down anew what the machines do, once
//! it was looked at: `ESPEJO_STORIES=write`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use espejo::pair::{Action, Claim, Duty, Event, Node, Other, Pair, Record};

/// One machine: what it thinks, what it is about to save, what is on its disk.
struct Machine {
    pair: Pair,
    saving: Option<Record>,
    disk: Option<Record>,
}

struct World([Machine; 2]);

impl World {
    fn new() -> Self {
        Self([Node::Main, Node::Backup].map(|node| Machine { pair: Pair::new(node), saving: None, disk: None }))
    }

    /// What `who` does when this happens to it.
    fn play(&mut self, who: usize, what: &str) -> Vec<Action> {
        let machine = &mut self.0[who];
        let node = [Node::Main, Node::Backup][who];
        let words: Vec<&str> = what.split_whitespace().collect();
        let number = |at: usize| words[at].trim_end_matches(',').parse().unwrap();
        let event = match words.as_slice() {
            ["dies"] => {
                machine.pair = Pair::new(node);
                machine.saving = None;
                return vec![];
            }
            ["begins"] => Event::Began { record: machine.disk.clone(), sure: false },
            ["begins", "alone"] => Event::Began { record: machine.disk.clone(), sure: true },
            ["has", "saved"] => {
                machine.disk = Some(machine.saving.take().expect("it is saving"));
                Event::Saved
            }
            ["hears", "the", "server", "of", _, "after", _] => {
                Event::ServerHeard { epoch: number(4), start: number(6) }
            }
            ["hears", "that", "the", "other", "knows", _] => Event::PeerHeard { epoch: number(5), start: 0 },
            ["hears", "goodbye"] => Event::Goodbye,
            ["has", "waited"] => Event::Unheard,
            ["is", "told", "to", "promote"] => Event::Promote(Other::Silent),
            ["is", "told", "to", "promote", "while", "the", "other", "is", "heard"] => Event::Promote(Other::Failing),
            ["is", "told", "to", "start"] => Event::Start,
            ["is", "told", "to", "return"] => Event::Return,
            ["is", "drained", "to", _] => Event::Drained { seq: number(3) },
            ["is", "level", "at", _] => Event::Level { seq: number(3) },
            ["is", "not", "level"] => Event::NotLevel,
            ["has", "gathered"] => Event::Gathered,
            ["is", "given", _, "after", _] => Event::Granted { to: number(2), at: number(4) },
            _ => panic!("nothing that can happen: {what}"),
        };
        let actions = machine.pair.step(event);
        for action in &actions {
            if let Action::Save(record) = action {
                machine.saving = Some(record.clone());
            }
        }
        actions
    }

    /// Never two servers in one epoch.
    fn is_sound(&self) -> bool {
        let serving = |machine: &Machine| machine.pair.duty() == Duty::Serving;
        let [main, backup] = &self.0;
        let epochs = [main, backup].map(|machine| machine.pair.record().epoch);
        !(serving(main) && serving(backup) && epochs[0] == epochs[1])
            && [main, backup]
                .into_iter()
                .zip([Node::Main, Node::Backup])
                .all(|(machine, node)| !serving(machine) || Node::of_epoch(machine.pair.record().epoch) == node)
    }
}

/// What a machine does, for people.
fn told(action: &Action) -> String {
    match action {
        Action::Save(record) => {
            let claim = match &record.claim {
                Claim::Idle => "follows in".to_owned(),
                Claim::Serving => "serves in".to_owned(),
                Claim::Given { to, at } => format!("gave {to} away after {at} in"),
            };
            let goodbye = if record.goodbye { ", the other said goodbye" } else { "" };
            let strays = if record.strays { ", may hold strays" } else { "" };
            format!("saves: {claim} {}{goodbye}{strays}", record.epoch)
        }
        Action::Serve(epoch) => format!("serves in {epoch}"),
        Action::Follow(epoch) => format!("follows in {epoch}"),
        Action::Drain => "closes its mirror".to_owned(),
        Action::Freeze => "stops its POS server and sends what is left".to_owned(),
        Action::Unfreeze => "starts its POS server again".to_owned(),
        Action::Retire => "serves no more".to_owned(),
        Action::Grant { to, at } => format!("says to the other: serve in {to} after {at}"),
        Action::Refuse { theirs, ours } => format!("refuses epoch {theirs}, having seen {ours}"),
        Action::Deny(why) => format!("does not: {why:?}"),
    }
}

/// Plays a story. Returns it with what the machines do now.
fn played(name: &str, story: &str) -> String {
    let (mut world, mut out) = (World::new(), String::new());
    for line in story.lines().filter(|line| !line.starts_with("    ")) {
        writeln!(out, "{line}").unwrap();
        let Some((who, what)) = line.split_once(' ').filter(|_| !line.starts_with('#')) else { continue };
        let who = ["main", "backup"].iter().position(|known| *known == who).expect("main or backup");
        for action in world.play(who, what) {
            writeln!(out, "    {}", told(&action)).unwrap();
        }
        assert!(world.is_sound(), "{name}: two servers after: {line}");
    }
    out
}

#[test]
fn every_story_goes_as_it_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories");
    let mut stories: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    stories.sort();
    assert!(stories.len() >= 10, "{stories:?}");
    for path in stories {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let story = fs::read_to_string(&path).unwrap();
        let played = played(&name, &story);
        if std::env::var_os("ESPEJO_STORIES").is_some_and(|what| what == "write") {
            fs::write(&path, &played).unwrap();
            continue;
        }
        assert_eq!(story, played, "{name}");
    }
}
