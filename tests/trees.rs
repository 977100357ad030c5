//! Random trees under random edits: the running mirror becomes the same, byte for byte, modes and times included.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod common;

use std::fs;

use common::edits::{Editor, make_deep};
use common::is_full;
use common::place::Place;
use common::random::{Random, seed};

/// Edits in batches under the running program; after each the mirror becomes the same.
fn follows(args: &[&str], batches: usize, large: u64, edits: usize) {
    let seed = seed();
    let place = Place::new();
    make_deep(&place.source);
    let mut editor = Editor::new(&place.source, Random::new(seed));
    editor.large = large;
    editor.edit(80);
    let running = place.start(&[args, &["--accept-removals"]].concat()).caught_up();
    for batch in 0..batches {
        let count = 1 + editor.random.index(edits);
        editor.edit(count);
        place.until_same(&format!("batch {batch} of seed {seed}"));
    }
    let verified = place.verify();
    assert!(verified.status.success(), "seed {seed}: {}", common::place::told(&verified));
    running.stop();
    place.must_copy(&["--accept-removals"], &format!("after all, seed {seed}"));
}

#[test]
fn random_edits_of_a_random_tree_end_byte_identical() {
    follows(&[], if is_full() { 300 } else { 25 }, 600_000, 20);
}

#[test]
fn so_they_do_over_a_line_of_11_5_megabytes_a_second() {
    follows(&["--max-rate", "11.5MB"], if is_full() { 100 } else { 10 }, 600_000, 20);
}

#[test]
fn so_they_do_over_a_line_of_200_kilobytes_a_second() {
    follows(&["--max-rate", "200kB"], if is_full() { 60 } else { 6 }, 20_000, 8);
}

#[test]
fn a_mirror_that_was_away_catches_up_with_all_that_happened() {
    let seed = seed();
    let place = Place::new();
    let mut editor = Editor::new(&place.source, Random::new(seed));
    editor.edit(60);
    for turn in 0..if is_full() { 60 } else { 8 } {
        place.must_copy(&["--accept-removals"], &format!("turn {turn} of seed {seed}"));
        editor.edit(40);
    }
}

#[test]
fn a_path_longer_than_the_system_takes_at_once_is_copied_changed_and_removed() {
    let place = Place::new();
    make_deep(&place.source);
    place.must_copy(&[], "deep");
    let first = fs::read_dir(&place.source).unwrap().next().unwrap().unwrap().path();
    fs::rename(&first, place.source.join("renamed")).unwrap();
    fs::write(place.source.join("beside"), "x").unwrap();
    place.must_copy(&["--accept-removals"], "renamed");
    fs::remove_dir_all(place.source.join("renamed")).unwrap();
    place.must_copy(&["--accept-removals"], "removed");
}
