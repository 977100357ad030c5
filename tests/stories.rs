//! Stories of the two machines: what happens, line by line, and below each line what the machine does then. They stand in
//! `tests/stories` for people to read; here they are played on the real core. To write down anew what the machines do, once
//! it was looked at: `ESPEJO_STORIES=write`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use espejo::pair::{Action, Duty, Event, Node, Other, Pair, Record, story};

/// One machine: what it thinks, what it is about to save, what is on its disk.
struct Machine {
    pair: Pair,
    saving: Option<Record>,
    disk: Option<Record>,
    /// An image of its disk.
    image: Option<Record>,
}

struct World([Machine; 2]);

impl World {
    fn new() -> Self {
        Self([Node::Main, Node::Backup].map(|node| Machine {
            pair: Pair::new(node),
            saving: None,
            disk: None,
            image: None,
        }))
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
            ["is", "photographed"] => {
                machine.image = machine.disk.clone();
                return vec![];
            }
            ["gets", "its", "photograph", "back"] => {
                machine.disk = machine.image.clone();
                return vec![];
            }
            // What it wanted to save is lost, or may be on its disk all the same: either way it reads again what is there.
            ["cannot", "save"] => {
                (machine.pair, machine.saving) = (Pair::new(node), None);
                return vec![];
            }
            ["cannot", "tell", "whether", "it", "has", "saved"] => {
                machine.disk = machine.saving.take();
                machine.pair = Pair::new(node);
                return vec![];
            }
            ["begins", "and", "its", "POS", "server", "never", "stopped"] => {
                Event::Began { record: machine.disk.clone(), sure: true }
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
            ["hears", "goodbye"] => Event::Goodbye { epoch: machine.pair.record().epoch },
            ["hears", "goodbye", "of", "who", "knows", _] => Event::Goodbye { epoch: number(5) },
            ["has", "waited"] => Event::Unheard,
            ["is", "vouched", "for"] => Event::Vouched,
            ["is", "told", "to", "promote"] => Event::Promote(Other::Silent),
            ["is", "told", "to", "promote", "while", "the", "other", "is", "heard"] => Event::Promote(Other::Failing),
            ["is", "told", "to", "start"] => Event::Start,
            ["is", "told", "to", "return"] => Event::Return,
            ["is", "drained", "to", _] => Event::Drained { seq: number(3) },
            ["cannot", "close", "its", "mirror"] => Event::NotDrained,
            ["is", "level", "at", _] => Event::Level { seq: number(3) },
            ["is", "not", "level"] => Event::NotLevel,
            ["has", "gathered"] => Event::Gathered,
            ["is", "given", _, "after", _] => Event::Granted { to: number(2) },
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

/// Plays a story. Returns it with what the machines do now.
fn played(name: &str, story: &str) -> String {
    let (mut world, mut out) = (World::new(), String::new());
    for line in story.lines().filter(|line| !line.starts_with("    ")) {
        writeln!(out, "{line}").unwrap();
        let Some((who, what)) = line.split_once(' ').filter(|_| !line.starts_with('#')) else { continue };
        let who = ["main", "backup"].iter().position(|known| *known == who).expect("main or backup");
        for action in world.play(who, what) {
            writeln!(out, "    {}", story::told(&action)).unwrap();
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
    assert!(stories.len() >= 20, "{stories:?}");
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
