//! The way back: each step gives, byte for byte, the generation before.

use crate::common::edits::Editor;
use crate::common::place::Place;
use crate::common::random::{Random, seed};
use crate::common::tree::{assert_same, tree};
use crate::story;

#[test]
fn each_step_back_is_the_generation_before_byte_for_byte() {
    let seed = seed();
    let place = Place::new();
    story::before(&place.source);
    place.must_copy(&[], "the first copy");
    let mut generations = vec![tree(&place.source)];
    let mut editor = Editor::new(&place.source, Random::new(seed));
    for number in 0..10 {
        if number == 0 {
            story::change(&place.source);
        } else {
            editor.edit(12);
        }
        place.must_copy(&["--accept-removals"], &format!("generation {number}"));
        generations.push(tree(&place.source));
    }
    // An edit may have changed nothing that can be seen: then there was no generation.
    generations.dedup();
    let (mut mirror, found) = place.open();
    assert!(found.strange.is_empty() && found.redone == 0, "{found:?}");
    let last = generations.pop().unwrap();
    assert_same(&last, &tree(&place.dest), "the last generation");
    for (number, generation) in generations.iter().enumerate().rev() {
        let seq = mirror.state().position.seq;
        assert!(mirror.step_back().unwrap(), "no way back to {number}");
        assert_same(generation, &tree(&place.dest), &format!("back to generation {number}"));
        assert_eq!(mirror.state().position.seq, seq - 1);
        assert_eq!(mirror.state().position.seq, number as u64 + 1);
    }
    assert!(!mirror.step_back().unwrap(), "there is nothing before the first copy");
    drop(mirror);
    place.must_copy(&["--accept-removals"], "all the way on again");
}
