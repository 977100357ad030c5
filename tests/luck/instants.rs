//! What counts as one instant of a dataset.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use espejo::disk::capture::candidates::{Dirty, Trust};
use espejo::disk::capture::guard::Consent;
use espejo::disk::capture::rules::Rules;
use espejo::disk::capture::settle::Moves;
use espejo::disk::capture::{Captured, Options, Outcome, Source};
use espejo::os;
use espejo::replica::{Body, Grade, RelPath};

use crate::common::place::Place;
use crate::common::{passed_over, until};
use crate::source::{known, known_within, said};

/// More than is read twice.
const BIG: usize = 6 << 20;

fn name(path: &str) -> RelPath {
    RelPath::new(path.as_bytes()).unwrap()
}

fn dirty(paths: &[&str]) -> Dirty {
    Dirty { paths: paths.iter().map(|path| name(path)).collect(), ..Dirty::default() }
}

/// A dataset all of which the mirror holds.
fn held(place: &Place) -> Source {
    let options = Options {
        empty_patience: Duration::from_secs(2),
        patience: Duration::from_secs(30),
        consent: Consent::Ask,
        own: place.path().to_owned(),
        rules: Rules::default(),
        quiet: None,
        holder: None,
    };
    let mut source = Source::open(&place.source, options).unwrap();
    source.unlearn(Trust::Nothing);
    let everything = Dirty { everything: true, ..Dirty::default() };
    let captured = capture(&mut source, everything, &mut || Dirty::default()).expect("there is something");
    source.commit(captured);
    source
}

/// Captures what `dirty` names; `meanwhile` is what happens, and is heard, at each wait.
fn capture(source: &mut Source, dirty: Dirty, meanwhile: &mut dyn FnMut() -> Dirty) -> Option<Captured> {
    let mut wait = |gap| {
        std::thread::park_timeout(gap);
        Some(meanwhile())
    };
    match source.capture(dirty, Moves::Follow, &mut wait).unwrap() {
        Outcome::Captured(captured) => Some(captured),
        Outcome::Nothing => None,
        other => panic!("{other:?}"),
    }
}

fn append(path: &Path, line: &str) {
    File::options().append(true).open(path).unwrap().write_all(line.as_bytes()).unwrap();
}

fn size(source: &Source, path: &str) -> u64 {
    match &source.tree().get(&name(path)).unwrap().body {
        Body::File { size, .. } => *size,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_queue_goes_alone_only_if_nothing_else_changed_until_it_was_read() {
    let place = Place::new();
    let (queue, stock) = (place.source.join("ORDER.QUE"), place.source.join("STOCK.DBF"));
    fs::write(&queue, "1;coffee\n").unwrap();
    fs::write(&stock, "99 coffees").unwrap();
    let mut source = held(&place);
    // The stock is changed before the order is noted; the news of it comes late.
    fs::write(&stock, "98 coffees, and more").unwrap();
    append(&queue, "2;coffee\n");
    let mut late = Some(dirty(&["STOCK.DBF"]));
    let captured = capture(&mut source, dirty(&["ORDER.QUE"]), &mut || late.take().unwrap_or_default());
    source.commit(captured.unwrap());
    assert_eq!((size(&source, "ORDER.QUE"), size(&source, "STOCK.DBF")), (18, 20));
}

/// Found by a mirror that was killed at a bad moment: it had held the stock of three orders, and two of the orders.
#[test]
fn a_queue_that_grew_is_looked_at_again_with_what_moved_after_it() {
    let place = Place::new();
    let (queue, stock) = (place.source.join("ORDER.QUE"), place.source.join("STOCK.DBF"));
    fs::write(&queue, "1;coffee\n").unwrap();
    fs::write(&stock, "99 coffees").unwrap();
    let mut source = held(&place);
    append(&queue, "2;coffee\n");
    fs::write(&stock, "98 coffees, and more").unwrap();
    // While both are looked at: the order is noted, then the stock is changed.
    let mut sells = true;
    let captured = capture(&mut source, dirty(&["ORDER.QUE", "STOCK.DBF"]), &mut || {
        if !std::mem::take(&mut sells) {
            return Dirty::default();
        }
        append(&queue, "3;coffee\n");
        fs::write(&stock, "97 coffees, and more, and more").unwrap();
        dirty(&["ORDER.QUE", "STOCK.DBF"])
    });
    source.commit(captured.unwrap());
    assert_eq!((size(&source, "ORDER.QUE"), size(&source, "STOCK.DBF")), (27, 30));
}

#[test]
fn a_queue_that_grows_all_the_time_goes_at_once() {
    let place = Place::new();
    let queue = place.source.join("ORDER.QUE");
    fs::write(&queue, "1;coffee\n").unwrap();
    let mut source = held(&place);
    append(&queue, "2;coffee\n");
    let mut waits = 0;
    let captured = capture(&mut source, dirty(&["ORDER.QUE"]), &mut || {
        waits += 1;
        append(&queue, "3;coffee\n");
        dirty(&["ORDER.QUE"])
    });
    let captured = captured.unwrap();
    assert_eq!(waits, 1);
    assert!(captured.dirty.paths.contains(&name("ORDER.QUE")), "the third order is for the next capture");
    source.commit(captured);
    assert_eq!(size(&source, "ORDER.QUE"), 18);
}

#[test]
fn an_edit_within_the_tick_of_the_clock_that_stamped_a_queue_is_found_as_soon_as_it_is_heard_of() {
    let place = Place::new();
    let queue = place.source.join("ORDER.QUE");
    fs::write(&queue, "1;coffee\n").unwrap();
    let mut source = held(&place);
    let ctime = || fs::metadata(&queue).map(|meta| (meta.ctime(), meta.ctime_nsec())).unwrap();
    for number in 2..200 {
        append(&queue, &format!("{number};coffee\n"));
        let stamped = ctime();
        let captured = capture(&mut source, dirty(&["ORDER.QUE"]), &mut Dirty::default);
        source.commit(captured.unwrap());
        File::options().write(true).open(&queue).unwrap().write_all_at(b"7", 0).unwrap();
        let same_tick = ctime() == stamped;
        let captured = capture(&mut source, dirty(&["ORDER.QUE"]), &mut Dirty::default);
        source.commit(captured.expect("the edit is found"));
        if same_tick {
            return;
        }
        File::options().write(true).open(&queue).unwrap().write_all_at(b"1", 0).unwrap();
        let captured = capture(&mut source, dirty(&["ORDER.QUE"]), &mut Dirty::default);
        source.commit(captured.unwrap());
    }
    let test = "an_edit_within_the_tick_of_the_clock_that_stamped_a_queue_is_found_as_soon_as_it_is_heard_of";
    passed_over(test, "this system gives no two writes of a file that was looked at the same time");
}

#[test]
fn a_dataset_that_holds_still_is_not_waited_for() {
    let place = Place::new();
    fs::write(place.source.join("file"), "x").unwrap();
    let mut source = held(&place);
    let everything = Dirty { everything: true, ..Dirty::default() };
    let mut wait = |gap: Duration| {
        assert!(gap.is_zero(), "nothing is to be waited for");
        Some(Dirty::default())
    };
    assert!(matches!(source.capture(everything, Moves::Follow, &mut wait).unwrap(), Outcome::Nothing));
}

#[test]
fn what_comes_into_a_new_folder_before_that_is_watched_is_found() {
    let place = Place::new();
    let at = |name: &str| place.source.join(name);
    // Before everything is looked through, what was said up to then is waited for.
    for (heard, looks) in [(dirty(&["new"]), 0), (Dirty { everything: true, ..Dirty::default() }, 1)] {
        let _ = fs::remove_dir_all(at("new"));
        let mut source = known(&place);
        fs::create_dir(at("new")).unwrap();
        let mut waits = 0;
        // The folder was looked into; then a file comes, and only then the folder is watched: nobody tells of the file.
        let mut wait = |_| {
            if waits == looks {
                fs::create_dir(at("new/deep")).unwrap();
                fs::write(at("new/deep/sale"), "one coffee").unwrap();
            }
            waits += 1;
            Some(Dirty::default())
        };
        let outcome = source.capture(heard, Moves::Follow, &mut wait).unwrap();
        let Outcome::Captured(captured) = outcome else { panic!("{outcome:?}") };
        assert_eq!(said(&captured).get("new/deep/sale"), Some(&Some(b"one coffee".to_vec())));
    }
}

/// A dataset with a big file, all of which the mirror holds; none where each file is read twice.
fn held_with_a_big_file(place: &Place, test: &str) -> Option<(Source, File)> {
    let path = place.source.join("big");
    fs::write(&path, vec![7; BIG]).unwrap();
    let folder = File::open(&place.source).unwrap();
    if !os::stamps_every_write(&folder) || !os::mapped_writable(&place.source).complete {
        passed_over(test, "here each file is read twice");
        return None;
    }
    Some((held(place), File::options().write(true).open(path).unwrap()))
}

#[test]
fn what_was_said_late_is_no_reason_to_read_a_big_file_twice() {
    let place = Place::new();
    let test = "what_was_said_late_is_no_reason_to_read_a_big_file_twice";
    let Some((mut source, file)) = held_with_a_big_file(&place, test) else { return };
    for (number, calm) in [(0, false), (1, true)] {
        file.write_all_at(b"new", number * 100_000).unwrap();
        let changed = file.metadata().unwrap().modified().unwrap();
        until("it is a while ago", || !calm || changed.elapsed().unwrap() > Duration::from_millis(50));
        let mut late = Some(dirty(&["big"]));
        let captured = capture(&mut source, dirty(&["big"]), &mut || late.take().unwrap_or_default()).unwrap();
        assert_eq!(captured.read, BIG as u64, "calm: {calm}");
        source.commit(captured);
    }
}

#[test]
fn who_writes_a_big_file_after_it_was_read_once_shows_in_its_stamp() {
    let place = Place::new();
    let test = "who_writes_a_big_file_after_it_was_read_once_shows_in_its_stamp";
    let Some((mut source, file)) = held_with_a_big_file(&place, test) else { return };
    for round in 100..120u8 {
        file.write_all_at(&[round], 0).unwrap();
        // The first wait comes before it is read, the second after; nobody hears of that write.
        let mut waits = 0;
        let mut meanwhile = || {
            waits += 1;
            if waits == 2 {
                file.write_all_at(&[round, round], 1_000_000).unwrap();
            }
            Dirty::default()
        };
        let captured = capture(&mut source, dirty(&["big"]), &mut meanwhile).unwrap();
        let came = said(&captured)["big"].clone().unwrap();
        assert_eq!(came.windows(2).filter(|two| *two == [round, round]).count(), 1, "round {round}");
        source.commit(captured);
    }
}

#[test]
fn what_moved_to_the_end_and_was_one_instant_after_all_is_said_when_it_holds_still() {
    // One of these is the moment in which patience is over; the mirror gets what stands there from then on.
    let resolves = |moment: usize| {
        let place = Place::new();
        for file in ["STOCK.DAT", "CASH.DAT"] {
            fs::write(place.source.join(file), "0").unwrap();
        }
        let mut source = known_within(&place, Duration::ZERO);
        let mut number = 0;
        let mut writes = || {
            number += 1;
            if number > moment {
                return Dirty::default();
            }
            fs::write(place.source.join("STOCK.DAT"), format!("{number} sold")).unwrap();
            dirty(&["STOCK.DAT"])
        };
        fs::write(place.source.join("STOCK.DAT"), "sold").unwrap();
        let first = capture(&mut source, dirty(&["STOCK.DAT"]), &mut writes).unwrap();
        if source.grade_with(&first) != Grade::Unsteady {
            return false;
        }
        let again = first.dirty.clone();
        source.commit(first);
        let second = capture(&mut source, again, &mut Dirty::default).expect("it says at least that it is sure");
        assert!(!second.is_empty());
        assert_eq!(source.grade_with(&second), Grade::Steady);
        // The link is cut before the mirror has it: it is said again, whatever was looked at.
        let again = second.again();
        let is_news = said(&second).is_empty();
        let third = capture(&mut source, again, &mut Dirty::default).expect("it is said again");
        assert_eq!((third.is_empty(), said(&third).is_empty()), (false, is_news));
        source.commit(third);
        assert!(capture(&mut source, dirty(&["STOCK.DAT"]), &mut Dirty::default).is_none(), "and only once");
        is_news
    };
    assert!((1..40).filter(|moment| resolves(*moment)).count() > 0);
}
