//! The way back: each step gives, byte for byte, the generation before.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use espejo::disk::DiskError;
use espejo::disk::apply::journal_folder;

use crate::common::edits::Editor;
use crate::common::place::Place;
use crate::common::random::{Random, seed};
use crate::common::tree::{assert_same, tree};
use crate::points::armed;
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

/// Found by reading: while the only file is replaced the folder is empty, and a crash then was taken for a folder that somebody emptied.
#[test]
fn a_dataset_of_one_file_outlives_a_crash_while_that_is_replaced() {
    let mut died = 0;
    for point in ["apply.one-taken", "apply.names-taken", "apply.names-placed", "back.unplaced"] {
        let place = Place::new();
        let dump = |salt: u8| vec![salt; 200_000];
        fs::write(place.source.join("books.dump"), dump(1)).unwrap();
        place.must_copy(&[], "the first copy");
        fs::write(place.source.join("books.dump"), dump(2)).unwrap();
        if point == "back.unplaced" {
            assert!(place.dies_at(&armed("apply.names-placed", 0), &[]));
        }
        // That of a step back is passed where what a crash has left is undone.
        died += u32::from(place.dies_at(&armed(point, 0), &[]));
        let (mut mirror, _) = place.open();
        assert!(fs::read(place.dest.join("books.dump")).unwrap() == dump(2), "{point}: what was acknowledged is there");
        assert!(mirror.step_back().unwrap());
        assert!(fs::read(place.dest.join("books.dump")).unwrap() == dump(1), "{point}: and what it replaced");
    }
    assert_eq!(died, 4, "the crash never came");
}

#[test]
fn a_state_of_which_the_way_back_was_dropped_is_refused_and_nothing_changes() {
    let place = Place::new();
    story::before(&place.source);
    place.must_copy(&[], "the first copy");
    story::change(&place.source);
    place.must_copy(&["--accept-removals"], "a change");
    let before = tree(&place.dest);
    // Undo so old is not added to.
    let undo = journal_folder(&place.dest).join("undo");
    let old = SystemTime::now() - Duration::from_secs(600);
    for segment in fs::read_dir(undo).unwrap() {
        File::options().write(true).open(segment.unwrap().path()).unwrap().set_modified(old).unwrap();
    }
    fs::write(place.source.join("later"), "a sale").unwrap();
    place.must_copy(&[], "a sale");
    let (mut mirror, _) = place.open();
    let (now, states) = (tree(&place.dest), mirror.generations().unwrap());
    let [first, second, last] = states[..] else { panic!("{states:?}") };
    // History was over its bound after somebody had looked at what there is.
    assert_eq!(mirror.drop_history().unwrap(), Some(1));
    let refused = mirror.set_aside_since(first.as_of, "aside");
    assert!(matches!(&refused, Err(DiskError::TooLongAgo { oldest: Some(at) }) if *at == second.as_of), "{refused:?}");
    let refused = mirror.back_to(first.as_of);
    assert!(matches!(&refused, Err(DiskError::TooLongAgo { oldest: Some(at) }) if *at == second.as_of), "{refused:?}");
    assert_same(&now, &tree(&place.dest), "nothing was stepped back");
    assert_eq!(mirror.state().position.seq, last.seq);
    let aside = mirror.set_aside_since(second.as_of, "aside").unwrap().unwrap();
    mirror.back_to(second.as_of).unwrap();
    mirror.back_to(second.as_of).unwrap();
    assert_same(&before, &tree(&place.dest), "what is kept is there");
    assert_eq!(fs::read_to_string(aside.to.join("later")).unwrap(), "a sale");
    drop(mirror);
    place.must_copy(&[], "all the way on again");
}

#[test]
fn a_state_that_is_kept_outlives_its_history_and_a_second_one_does_not_give_it_up() {
    let ways = |is_kept: bool| {
        let place = Place::new();
        fs::write(place.source.join("orders"), "1").unwrap();
        place.must_copy(&[], "the first copy");
        let (mirror, _) = place.open();
        let first = mirror.state().position.seq;
        if is_kept {
            mirror.pin(Some(80)).unwrap();
            mirror.pin(None).unwrap();
        }
        drop(mirror);
        for number in 2..7 {
            // Each step back is older than history may be when the next one comes.
            fs::write(place.source.join("orders"), number.to_string()).unwrap();
            place.must_copy(&[], &format!("order {number}"));
            for segment in fs::read_dir(journal_folder(&place.dest).join("undo")).unwrap() {
                let old = SystemTime::now() - Duration::from_secs(2 * 3600);
                File::options().write(true).open(segment.unwrap().path()).unwrap().set_modified(old).unwrap();
            }
        }
        let (mirror, _) = place.open();
        if is_kept {
            mirror.pin(Some(90)).unwrap();
            let kept = mirror.pinned().unwrap().unwrap();
            assert_eq!((kept.seq, kept.percent), (first, Some(90)), "both are kept, from now on");
        }
        mirror.generations().unwrap().first().unwrap().seq == first
    };
    assert!(!ways(false), "history goes where nothing is kept");
    assert!(ways(true));
}
