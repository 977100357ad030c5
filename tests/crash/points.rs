//! Every fail point that stands in the sources, each armed in a story that reaches it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::place::{Place, told, was_killed};
use crate::common::tree::{Tree, assert_same, differences, tree};
use crate::common::{is_full, place};
use crate::story;

/// Where the program tells the process of its own that it is to take a step back in.
const STEP_BACK: &str = "ESPEJO_TEST_STEP_BACK";

/// Places at which a first crash leaves something to put in order.
const FIRST: [&str; 4] = ["redo.durable", "apply.names-taken", "apply.names-placed", "apply.meta-given"];

/// Points that are passed more than once in a generation.
fn is_repeated(point: &str) -> bool {
    point.contains("one-") || matches!(point, "redo.appended" | "build.put" | "build.data")
}

/// All points that stand in the sources, so that none can be forgotten.
pub fn points() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let text = fs::read_to_string(entry.path()).unwrap();
            let names = text.split("point!(\"").skip(1).filter_map(|rest| rest.split('"').next());
            found.extend(names.map(ToOwned::to_owned));
        }
    }
    assert!(found.len() > 20, "{found:?}");
    found
}

/// A mirror that is complete, and a source that has gone on since.
struct Stage {
    ready: Place,
    before: Tree,
    after: Tree,
}

impl Stage {
    fn set() -> Self {
        let ready = Place::new();
        story::before(&ready.source);
        ready.must_copy(&[], "the first copy");
        let before = tree(&ready.source);
        story::change(&ready.source);
        let after = tree(&ready.source);
        assert!(!differences(&before, &after).is_empty());
        Self { ready, before, after }
    }

    /// Makes sure of all that is promised after a crash. `kept`: the generation was acknowledged.
    fn check(&self, place: &Place, when: &str, kept: Kept, way_back: WayBack) {
        let (mut mirror, _) = place.open();
        let now = tree(&place.dest);
        let is_after = now == self.after;
        match kept {
            Kept::May if !is_after => assert_same(&self.before, &now, when),
            Kept::Must | Kept::May => assert_same(&self.after, &now, when),
            Kept::Undone => assert_same(&self.before, &now, when),
        }
        if is_after && way_back == WayBack::Taken {
            assert!(mirror.step_back().unwrap(), "{when}: there is no way back");
            assert_same(&self.before, &tree(&place.dest), &format!("{when}, one step back"));
        }
        drop(mirror);
        place.must_copy(&["--accept-removals"], &format!("{when}, and on"));
    }
}

/// Whether the generation must be there after a crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kept {
    May,
    Must,
    Undone,
}

/// Whether a step back is taken, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum WayBack {
    Taken,
    NotTaken,
}

/// The points that `which` chooses, each as often as it is passed: every time, or the first few.
fn times(which: impl Fn(&str) -> bool) -> Vec<(String, u32)> {
    let chosen: Vec<String> = points().into_iter().filter(|point| which(point)).collect();
    assert!(!chosen.is_empty());
    let often = |point: &String| if is_repeated(point) { vec![0, 1, 4, 11] } else { vec![0] };
    chosen
        .into_iter()
        .flat_map(|point| often(&point).into_iter().map(move |n| (point.clone(), n)).collect::<Vec<_>>())
        .collect()
}

/// How a point is armed so that it stops the program when it is passed after so many times.
pub fn armed(point: &str, passed: u32) -> String {
    set(point, passed, "return")
}

/// The same with something else that happens there, once.
pub fn set(point: &str, passed: u32, happens: &str) -> String {
    format!("{point}={passed}*off->1*{happens}")
}

fn is_of_a_step(point: &str) -> bool {
    !["build.", "gather.", "recover.", "back.", "save.", "turn.", "adopt.", "numbers."]
        .iter()
        .any(|family| point.starts_with(family))
}

#[test]
fn stopped_dead_anywhere_in_a_generation_the_mirror_is_whole() {
    let stage = Stage::set();
    let rates: &[&[&str]] = &[&[], &["--max-rate", "11.5MB"], &["--max-rate", "200kB"]];
    let rates = if is_full() { rates } else { &rates[..2] };
    for (number, (point, passed)) in times(is_of_a_step).into_iter().enumerate() {
        for (turn, rate) in rates.iter().enumerate().filter(|(turn, _)| is_full() || number % 2 == *turn) {
            let place = Place::copy_of(&stage.ready);
            let when = format!("stopped at {point} after {passed} times, {rate:?}");
            let died = place.dies_at(&armed(&point, passed), rate);
            assert!(died || passed > 4, "{when}: no generation gets there");
            let kept = if point.starts_with("redo.") && point != "redo.durable" { Kept::May } else { Kept::Must };
            let way_back = if (number / 2 + turn) % 2 == 0 { WayBack::Taken } else { WayBack::NotTaken };
            stage.check(&place, &when, kept, way_back);
        }
    }
}

#[test]
fn stopped_dead_again_while_it_puts_things_in_order_the_mirror_is_whole() {
    let stage = Stage::set();
    let others = ["build.", "gather.", "redo.", "ack.", "save.", "turn.", "adopt.", "numbers."];
    let in_recovery = |point: &str| !others.iter().any(|family| point.starts_with(family));
    let mut reached = BTreeSet::new();
    for first in FIRST {
        let crashed = Place::copy_of(&stage.ready);
        assert!(crashed.dies_at(&armed(first, 0), &[]));
        for (point, passed) in times(in_recovery) {
            // How a generation is applied does not depend on what was put in order before: once is enough.
            if is_of_a_step(&point) && first != FIRST[0] && !is_full() {
                continue;
            }
            let place = Place::copy_of(&crashed);
            let when = format!("stopped at {first}, then at {point} after {passed} times");
            if place.dies_at(&armed(&point, passed), &[]) {
                reached.insert(point);
                stage.check(&place, &when, Kept::Must, WayBack::Taken);
            }
        }
    }
    let of_a_step_back = ["back.begun", "back.files-undone", "back.noted"];
    let expected = points().into_iter().filter(|point| in_recovery(point) && !of_a_step_back.contains(&point.as_str()));
    assert_eq!(reached, expected.collect(), "every point is reached");
}

#[test]
fn stopped_dead_anywhere_in_a_first_copy_it_goes_on_with_it() {
    let fresh = Place::new();
    story::before(&fresh.source);
    for (point, passed) in times(|point| point.starts_with("build.")) {
        let place = Place::copy_of(&fresh);
        let when = format!("stopped at {point} after {passed} times");
        let died = place.dies_at(&armed(&point, passed), &[]);
        assert!(died || passed > 4, "{when}: no first copy gets there");
        place.must_copy(&[], &when);
    }
}

/// Takes a step back in a process of its own, which may be stopped dead. Returns whether it was.
fn dies_stepping_back(place: &Place, point: &str) -> bool {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "points::a_step_back_in_a_process_of_its_own", "--nocapture"])
        .env(STEP_BACK, place.path())
        .env("FAILPOINTS", point)
        .output()
        .unwrap();
    assert!(was_killed(output.status) || output.status.success(), "{point}: {}", told(&output));
    was_killed(output.status)
}

#[test]
fn a_step_back_in_a_process_of_its_own() {
    // Only with a mirror to do it to: `stopped_dead_anywhere_in_a_step_back` begins this test as a process.
    let Some(path) = std::env::var_os(STEP_BACK) else { return };
    let _points = fail::FailScenario::setup();
    let (mut mirror, _) = place::open(&Path::new(&path).join("mirror"));
    assert!(mirror.step_back().unwrap());
}

#[test]
fn stopped_dead_anywhere_in_a_step_back_it_is_finished() {
    let stage = Stage::set();
    let gone_on = Place::copy_of(&stage.ready);
    gone_on.must_copy(&["--accept-removals"], "the second generation");
    let mut reached = BTreeSet::new();
    for (point, passed) in times(|point| point.starts_with("back.")) {
        let place = Place::copy_of(&gone_on);
        let when = format!("stopped at {point} after {passed} times in a step back");
        if !dies_stepping_back(&place, &armed(&point, passed)) {
            continue;
        }
        reached.insert(point.clone());
        // It is finished by the next start, which may be stopped, too.
        let again = Place::copy_of(&place);
        stage.check(&place, &when, Kept::Undone, WayBack::NotTaken);
        if again.dies_at(&armed(&point, passed), &[]) {
            stage.check(&again, &format!("{when}, twice"), Kept::Undone, WayBack::NotTaken);
        }
    }
    let all: BTreeSet<String> = points().into_iter().filter(|point| point.starts_with("back.")).collect();
    assert_eq!(reached, all, "every point of a step back is reached");
}

#[test]
fn every_point_belongs_to_a_story() {
    // A new family of points needs a story that gets there: `recover.` is told in the second crash, `gather.`, `save.` and `turn.` in
    // files of their own, `adopt.` and `numbers.` with two machines, the others by name.
    let families: BTreeSet<String> = points().iter().map(|point| point.split('.').next().unwrap().to_owned()).collect();
    let told = [
        "ack", "adopt", "apply", "back", "build", "gather", "index", "numbers", "recover", "redo", "save", "turn",
        "undo",
    ];
    assert_eq!(families.iter().map(String::as_str).collect::<Vec<_>>(), told);
}
