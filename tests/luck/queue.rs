//! Queues, which grow line by line: what of them is read, and when.

use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use espejo::disk::capture::{Captured, Outcome, Source};
use tokio::time::Instant;

use crate::common::place::Place;
use crate::source::{captures, captures_while, dirty, files, known, known_for, said};

/// Longer than all that was put off may take.
const LATER: Duration = Duration::from_secs(120);

/// A queue of more than 4 MiB that the mirror holds, and that grew since it was read whole.
fn long_queue(place: &Place) -> (Source, File) {
    let line = |number: u32| format!("{number:07};receipt;of a long day in a shop with a queue that grows and grows\n");
    fs::write(place.source.join("ORDERS.QUE"), (0..90_000).map(line).collect::<String>()).unwrap();
    let source = known(place);
    let file = File::options().append(true).open(place.source.join("ORDERS.QUE")).unwrap();
    assert!(file.metadata().unwrap().len() > 5 * 1024 * 1024);
    (source, file)
}

/// Whether `captured` carries "VOIDED" in the queue.
fn is_voided(captured: &Captured) -> bool {
    said(captured)
        .get("ORDERS.QUE")
        .and_then(Option::as_ref)
        .is_some_and(|bytes| bytes.windows(7).any(|found| found == b"VOIDED;"))
}

fn void(place: &Place) {
    let queue = File::options().write(true).open(place.source.join("ORDERS.QUE")).unwrap();
    queue.write_all_at(b"VOIDED;", 1000).unwrap();
}

#[test]
fn of_a_long_queue_the_end_goes_at_once_and_an_edit_of_the_rest_within_two_minutes() {
    let place = Place::new();
    let (mut source, mut queue) = long_queue(&place);
    queue.write_all(b"0090000;receipt\n").unwrap();
    let end = captures(&mut source, dirty(&["ORDERS.QUE"]));
    let bytes: usize = said(&end).values().flatten().map(Vec::len).sum();
    assert!(end.read < 100_000 && bytes < 100_000, "only the end is read: {} bytes, {bytes} sent", end.read);
    source.commit(end);
    void(&place);
    queue.write_all(b"0090001;receipt\n").unwrap();
    let end = captures(&mut source, dirty(&["ORDERS.QUE"]));
    assert!(!is_voided(&end), "the end goes first");
    source.commit(end);
    assert!(source.overdue(Instant::now()).is_empty(), "not at once: reading has its price");
    let overdue = source.overdue(Instant::now() + LATER);
    assert!(is_voided(&captures(&mut source, overdue)));
}

#[test]
fn an_edit_of_a_long_queue_that_keeps_its_size_arrives_within_two_minutes() {
    let place = Place::new();
    let (mut source, _queue) = long_queue(&place);
    void(&place);
    if let Outcome::Captured(captured) = captures_while(&mut source, dirty(&["ORDERS.QUE"]), Some(&[]), || ()) {
        source.commit(captured);
    }
    let overdue = source.overdue(Instant::now() + LATER);
    assert!(is_voided(&captures(&mut source, overdue)));
}

#[test]
fn an_edit_of_a_long_queue_that_keeps_its_size_and_its_time_arrives_within_two_minutes() {
    let place = Place::new();
    let (mut source, queue) = long_queue(&place);
    let time = queue.metadata().unwrap().modified().unwrap();
    void(&place);
    queue.set_times(FileTimes::new().set_modified(time)).unwrap();
    if let Outcome::Captured(captured) = captures_while(&mut source, dirty(&["ORDERS.QUE"]), Some(&[]), || ()) {
        source.commit(captured);
    }
    let overdue = source.overdue(Instant::now() + LATER);
    assert!(is_voided(&captures(&mut source, overdue)));
}

/// A queue of two records that the mirror holds.
fn short_queue(place: &Place) -> (Source, File) {
    fs::write(place.source.join("ORDERS.QUE"), "1;first\n2;second\n").unwrap();
    let source = known(place);
    (source, File::options().append(true).open(place.source.join("ORDERS.QUE")).unwrap())
}

#[test]
fn a_record_that_is_half_written_waits_for_its_end() {
    let place = Place::new();
    let (mut source, mut queue) = short_queue(&place);
    queue.write_all(b"3;thi").unwrap();
    let outcome = captures_while(&mut source, dirty(&["ORDERS.QUE"]), Some(&[]), || ());
    assert!(matches!(outcome, Outcome::Nothing), "{outcome:?}");
    queue.write_all(b"rd\n4;fo").unwrap();
    let captured = captures(&mut source, dirty(&["ORDERS.QUE"]));
    assert_eq!(said(&captured), files(&[("ORDERS.QUE", Some("3;third\n"))]));
    source.commit(captured);
    // Nobody ends it: it is no queue of lines, and all of it is to be there.
    let overdue = source.overdue(Instant::now() + LATER);
    assert_eq!(said(&captures(&mut source, overdue)), files(&[("ORDERS.QUE", Some("4;fo"))]));
}

#[test]
fn what_was_held_back_since_it_was_empty_is_set_aside_first_whoever_goes_on_with_it() {
    for (name, again) in [("ORDERS.QUE", Some("3\n")), ("ORDERS.QUE", None), ("stock", Some("3"))] {
        let place = Place::new();
        let file = place.source.join(name);
        fs::write(&file, "1\n2\n").unwrap();
        let mut source = known_for(&place, Duration::ZERO);
        fs::write(&file, "").unwrap();
        let outcome = captures_while(&mut source, dirty(&[name]), Some(&[]), || {});
        assert!(matches!(outcome, Outcome::Nothing), "it is held back: {outcome:?}");
        match again {
            // Its program begins anew.
            Some(text) => fs::write(&file, text).unwrap(),
            None => source.guard().accept_emptied(),
        }
        let captured = captures(&mut source, dirty(&[name]));
        assert!(captured.aside, "{name}, {again:?}");
        source.commit(captured);
        // Once it was taken over, it is a file like any other.
        fs::write(&file, "3\n4\n").unwrap();
        assert!(again.is_none() || !captures(&mut source, dirty(&[name])).aside, "{name}, {again:?}, and on");
    }
}

#[test]
fn a_queue_that_lost_what_the_mirror_has_is_set_aside_first_whatever_its_time_says() {
    for (text, is_cut) in [("1\n", true), ("1\n3\n4\n", true), ("1\n2\n3\n", false)] {
        let place = Place::new();
        let queue = place.source.join("ORDERS.QUE");
        fs::write(&queue, "1\n2\n").unwrap();
        let mut source = known(&place);
        // The machine fell: the time of the last write is on disk, and what was written is not.
        source.guard().begin_anew();
        fs::write(&queue, text).unwrap();
        assert_eq!(captures(&mut source, dirty(&["ORDERS.QUE"])).aside, is_cut, "{text:?}");
    }
}
