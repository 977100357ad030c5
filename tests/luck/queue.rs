//! Queues, which grow line by line: what of them is read, and when.

use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use espejo::disk::capture::candidates::Dirty;
use espejo::disk::capture::settle::Moves;
use espejo::disk::capture::{Captured, Outcome, Source};
use espejo::replica::Grade;
use tokio::time::Instant;

use crate::common::place::Place;
use crate::source::{captures, captures_while, dirty, files, known, known_for, known_within, said};

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

#[test]
fn an_edit_that_did_not_reach_the_mirror_is_not_forgotten() {
    let place = Place::new();
    let (mut source, mut queue) = long_queue(&place);
    queue.write_all(b"0090000;receipt\n").unwrap();
    let end = captures(&mut source, dirty(&["ORDERS.QUE"]));
    source.commit(end);
    void(&place);
    queue.write_all(b"0090001;receipt\n").unwrap();
    let end = captures(&mut source, dirty(&["ORDERS.QUE"]));
    source.commit(end);
    let overdue = source.overdue(Instant::now() + LATER);
    let captured = captures(&mut source, overdue);
    assert!(is_voided(&captured));
    // The link was cut before it was acknowledged.
    assert!(is_voided(&captures(&mut source, captured.again())));
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
    queue.write_all_at(b"VOIDED;", 100_000).unwrap();
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
fn a_queue_that_ended_in_half_a_line_at_all_looks_but_the_last_is_sure_from_then_on() {
    // One of these is the moment in which patience is over, and what moves is taken as it is.
    let is_unsteady = |moment: usize, beside: bool| {
        let place = Place::new();
        if beside {
            fs::write(place.source.join("STOCK.DAT"), "1").unwrap();
        }
        let mut source = known_within(&place, Duration::ZERO);
        let mut queue = File::create(place.source.join("ORDERS.QUE")).unwrap();
        queue.write_all(b"1;fir").unwrap();
        let mut number = 0;
        let mut writes = |_| {
            number += 1;
            if number > moment {
                return Some(Dirty::default());
            }
            queue.write_all(if number == moment { b"t\n" } else { b"s" }).unwrap();
            Some(dirty(&["ORDERS.QUE"]))
        };
        let outcome = source.capture(dirty(&["ORDERS.QUE"]), Moves::Follow, &mut writes).unwrap();
        let Outcome::Captured(captured) = outcome else { panic!("{outcome:?}") };
        let grade = source.grade_with(&captured);
        source.commit(captured);
        for line in ["t\n", "3;third\n"] {
            queue.write_all(line.as_bytes()).unwrap();
            let captured = captures(&mut source, dirty(&["ORDERS.QUE"]));
            if line == "3;third\n" {
                let sure = if beside { Grade::Steady } else { Grade::Exact };
                assert_eq!(source.grade_with(&captured), sure, "{moment}");
            }
            source.commit(captured);
        }
        grade == Grade::Unsteady
    };
    for beside in [false, true] {
        assert!((1..100).filter(|moment| is_unsteady(*moment, beside)).count() > 0);
    }
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

#[test]
fn a_file_that_was_taken_for_a_queue_and_holds_no_line_is_a_file_like_any_other() {
    let place = Place::new();
    fs::write(place.source.join("STATUS.LOG"), "OK\n").unwrap();
    let mut source = known(&place);
    let file = File::options().write(true).open(place.source.join("STATUS.LOG")).unwrap();
    file.write_all_at(b"RUNNING", 0).unwrap();
    let captured = captures(&mut source, dirty(&["STATUS.LOG"]));
    assert_eq!(said(&captured), files(&[("STATUS.LOG", Some("RUNNING"))]));
}

#[test]
fn the_queue_of_yesterday_takes_its_name_along_and_that_of_today_begins() {
    let place = Place::new();
    let (mut source, _queue) = short_queue(&place);
    let at = |name: &str| place.source.join(name);
    fs::rename(at("ORDERS.QUE"), at("ORDERS.1")).unwrap();
    fs::write(at("ORDERS.QUE"), "1;new day\n").unwrap();
    let captured = captures(&mut source, dirty(&["ORDERS.QUE", "ORDERS.1"]));
    assert_eq!(said(&captured), files(&[("ORDERS.1", Some("")), ("ORDERS.QUE", Some("1;new day\n"))]));
    source.commit(captured);
    // Copied and cut off.
    fs::copy(at("ORDERS.QUE"), at("ORDERS.2")).unwrap();
    File::options().write(true).open(at("ORDERS.QUE")).unwrap().set_len(0).unwrap();
    fs::write(at("ORDERS.QUE"), "2;another day\n3;and on\n").unwrap();
    let captured = captures(&mut source, dirty(&["ORDERS.QUE", "ORDERS.2"]));
    let whole = [("ORDERS.2", Some("1;new day\n")), ("ORDERS.QUE", Some("2;another day\n3;and on\n"))];
    assert_eq!(said(&captured), files(&whole));
}
