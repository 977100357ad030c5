//! `kill -9` of the real process at random times, while files are edited at random.

use std::fs;
use std::thread::park_timeout;
use std::time::Duration;

use rustix::process::Signal;

use crate::common::edits::Editor;
use crate::common::is_full;
use crate::common::place::{Place, Running};
use crate::common::random::{Random, seed};
use crate::common::tree::{Tree, differences, tree};

/// How fast the line between the halves is, in turn.
const RATES: [&[&str]; 4] = [&[], &["--max-rate", "11.5MB"], &[], &["--max-rate", "200kB"]];

/// One life of the program, up to its violent end.
struct Round {
    place: Place,
    editor: Editor,
    /// What the source was, instant by instant.
    instants: Vec<Tree>,
}

impl Round {
    fn new(random: Random) -> Self {
        let place = Place::new();
        let mut editor = Editor::new(&place.source, random);
        editor.edit(60);
        place.must_copy(&["--accept-removals"], "the first copy");
        let instants = vec![tree(&place.source)];
        Self { place, editor, instants }
    }

    /// Edits under the running program, then stops it dead.
    fn live(&mut self, number: usize) {
        let mut args = vec!["--accept-removals"];
        args.extend(RATES[number % RATES.len()]);
        let running = self.place.start(&args);
        let random = &mut self.editor.random;
        if random.once_in(3) {
            // Not even begun.
            pause(random, 300);
        } else {
            self.place.until_status("the service answers", |_| true);
        }
        for _ in 0..self.editor.random.below(12) {
            Self::edit(&mut self.editor, &mut self.instants, &self.place, &running);
            pause(&mut self.editor.random, 120);
        }
        running.kill();
    }

    /// Makes some edits that are one instant: nobody looks meanwhile.
    fn edit(editor: &mut Editor, instants: &mut Vec<Tree>, place: &Place, running: &Running<'_>) {
        running.signal(Signal::STOP);
        // A queue that grows by itself goes at once, before what comes with it: it is an instant by itself.
        if editor.random.once_in(4) {
            editor.grow_queue();
        } else {
            let times = 1 + editor.random.index(8);
            editor.edit(times);
        }
        instants.push(tree(&place.source));
        running.signal(Signal::CONT);
    }

    /// Makes sure of what is promised, takes some steps back, and goes on.
    fn recover(&mut self, when: &str) {
        let said = last_said(&fs::read_to_string(self.place.path().join("output")).unwrap());
        let (mut mirror, found) = self.place.open();
        let seq = mirror.state().position.seq;
        assert!(found.strange.is_empty(), "{when}: {found:?}");
        assert!(said.is_none_or(|said| seq >= said), "{when}: {said:?} was acknowledged, {seq} is there");
        let mut at = self.instant_of_mirror(self.instants.len() - 1, when);
        for step in 0..self.editor.random.below(4) {
            if !mirror.step_back().unwrap() {
                break;
            }
            at = self.instant_of_mirror(at, &format!("{when}, {step} steps back"));
        }
        drop(mirror);
        self.place.must_copy(&["--accept-removals"], when);
        self.instants.push(tree(&self.place.source));
        fs::remove_file(self.place.path().join("output")).unwrap();
    }

    /// Which instant the mirror holds: it must be one, and not one after `newest`.
    fn instant_of_mirror(&self, newest: usize, when: &str) -> usize {
        let now = tree(&self.place.dest);
        let found = (0..=newest).rev().find(|&at| self.instants[at] == now);
        found.unwrap_or_else(|| {
            let near = |at: &usize| differences(&self.instants[*at], &now).len();
            let nearest = (0..self.instants.len()).rev().min_by_key(near).unwrap();
            let to = |at: usize| self.instants.get(at).map(|instant| differences(instant, &now).join("\n  "));
            let (last, before, after) = (self.instants.len() - 1, to(nearest), to(nearest + 1));
            panic!("{when}: the mirror was never so.\n{nearest} of {last}: {before:#?}\nthe next: {after:#?}");
        })
    }
}

/// The last generation of which the program said that it is durable.
fn last_said(output: &str) -> Option<u64> {
    let number = |line: &str| {
        let rest = line.split("eneration ").nth(1)?;
        rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
    };
    output.lines().filter_map(number).max()
}

/// Lets some time pass, so that the end comes at any moment of a generation. Nothing depends on how long it is.
fn pause(random: &mut Random, most_ms: u64) {
    park_timeout(Duration::from_millis(random.below(most_ms)));
}

#[test]
fn killed_at_any_moment_the_mirror_is_what_a_generation_left() {
    let seed = seed();
    let rounds = if is_full() { 200 } else { 20 };
    let mut round = Round::new(Random::new(seed));
    // 200 kB a second take their time.
    round.editor.large = 60_000;
    round.editor.queues = false;
    for number in 0..rounds {
        let when = format!("round {number} of seed {seed}");
        round.live(number);
        round.recover(&when);
    }
}

#[test]
fn killed_at_any_moment_of_a_first_copy_it_goes_on_with_it() {
    let seed = seed();
    let mut random = Random::new(seed);
    let place = Place::new();
    Editor::new(&place.source, random.clone()).edit(150);
    for number in 0..if is_full() { 60 } else { 8 } {
        let running = place.start(RATES[number % RATES.len()]);
        pause(&mut random, 400);
        running.kill();
        if number % 4 == 3 {
            place.must_copy(&[], &format!("try {number} of seed {seed}"));
            for folder in [&place.dest, &place.journal()] {
                fs::remove_dir_all(folder).unwrap();
            }
        }
    }
}
