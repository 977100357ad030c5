//! Queues, which grow line by line: what of them is read, and when.

use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use espejo::disk::capture::candidates::Dirty;
use espejo::disk::capture::rules::{As, Number, Records, Rule, Rules};
use espejo::disk::capture::settle::Moves;
use espejo::disk::capture::{Captured, Outcome, Source};
use espejo::replica::Grade;
use tokio::time::Instant;

use crate::common::place::Place;
use crate::source::{captures, captures_while, dirty, files, known, known_by, known_for, known_within, said};

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

/// A dataset of one queue whose records end as `records` says.
fn told(place: &Place, records: Records, bytes: &[u8]) -> (Source, File) {
    fs::write(place.source.join("ORDERS.DAT"), bytes).unwrap();
    let rules = Rules::new(move |path| match path {
        b"ORDERS.DAT" => Rule::Said(As::Queue(records)),
        _ => Rule::Unsaid,
    });
    let source = known_by(place, Duration::from_secs(2), rules);
    (source, File::options().read(true).write(true).open(place.source.join("ORDERS.DAT")).unwrap())
}

/// What goes over now; nothing where nothing does.
fn goes(source: &mut Source) -> Option<Vec<u8>> {
    match captures_while(source, dirty(&["ORDERS.DAT"]), Some(&[]), || ()) {
        Outcome::Captured(captured) => {
            let came = said(&captured).remove("ORDERS.DAT").unwrap();
            source.commit(captured);
            came
        }
        Outcome::Nothing => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn records_of_one_length_go_whole() {
    let place = Place::new();
    let (mut source, queue) = told(&place, Records::Fixed(8), b"order 01order 02ord");
    assert_eq!(source.tree().bytes(), 16);
    queue.write_all_at(b"order 03or", 16).unwrap();
    assert_eq!(goes(&mut source).as_deref(), Some(&b"order 03"[..]));
    queue.write_all_at(b"order 04", 24).unwrap();
    assert_eq!(goes(&mut source).as_deref(), Some(&b"order 04"[..]));
    // Never whole: it never goes, however long it stands there.
    queue.write_all_at(b"ord", 32).unwrap();
    assert_eq!(goes(&mut source), None);
    assert!(source.overdue(Instant::now() + LATER).unsure.is_empty());
    // A void of what was shipped keeps the length.
    queue.write_all_at(b"VOIDED", 8).unwrap();
    assert!(goes(&mut source).is_some_and(|bytes| bytes.starts_with(b"order 01VOIDED02")));
    assert_eq!(source.grade(), Grade::Exact);
}

#[test]
fn records_that_begin_with_their_length_go_whole() {
    let number = Number { bytes: 4, low_first: true };
    let record = |text: &[u8]| [&u32::try_from(text.len()).unwrap().to_le_bytes(), text].concat();
    let place = Place::new();
    let first = [record(b"one"), record(b"second"), b"\x05\0\0\0th".to_vec()].concat();
    let (mut source, queue) = told(&place, Records::Prefix(number), &first);
    assert_eq!(source.tree().bytes(), 17);
    queue.write_all_at(b"ird", 23).unwrap();
    assert_eq!(goes(&mut source), Some(record(b"third")));
    // Room that was made beforehand holds nothing yet.
    queue.set_len(100_000).unwrap();
    assert_eq!(goes(&mut source), None);
    queue.write_all_at(&record(b"4"), 26).unwrap();
    assert_eq!(goes(&mut source), Some(record(b"4")));
    let many: Vec<u8> = (0..40_000u32).flat_map(|order| record(order.to_string().as_bytes())).collect();
    queue.write_all_at(&many, 31).unwrap();
    assert!(goes(&mut source).is_some());
    assert_eq!(source.tree().bytes(), 31 + many.len() as u64);
}

#[test]
fn records_that_are_counted_go_when_they_are() {
    let head = |count: u32| [&b"DATA"[..], &count.to_le_bytes(), &[0; 8]].concat();
    let place = Place::new();
    let records = Records::Counted { at: 4, first: 16, fixed: 4 };
    let (mut source, queue) = told(&place, records, &[&head(2)[..], b"ONE.TWO.THR"].concat());
    assert_eq!(source.tree().bytes(), 24);
    queue.write_all_at(b"THR.", 24).unwrap();
    assert_eq!(goes(&mut source), None, "it is not counted yet");
    queue.write_all_at(&head(3), 0).unwrap();
    assert_eq!(goes(&mut source).unwrap(), [&head(3)[..], b"ONE.TWO.THR."].concat());
    // Counted first, written then: a state that its program would not have left.
    queue.write_all_at(&head(4), 0).unwrap();
    let mut late = Some(());
    let outcome = captures_while(&mut source, dirty(&["ORDERS.DAT"]), Some(&["ORDERS.DAT"]), || {
        late.take().unwrap();
        queue.write_all_at(b"FOUR", 28).unwrap();
    });
    let Outcome::Captured(captured) = outcome else { panic!("{outcome:?}") };
    assert!(said(&captured)["ORDERS.DAT"].as_ref().unwrap().ends_with(b"FOUR"));
    source.commit(captured);
    assert_eq!(source.grade(), Grade::Exact);
}

#[test]
fn a_long_queue_that_counts_sends_its_count_and_its_end() {
    let place = Place::new();
    let head = |count: u32| [&count.to_le_bytes()[..], &[0; 12]].concat();
    let many: Vec<u8> = (0..400_000u32).flat_map(|order| format!("order {order:09}\n").into_bytes()).collect();
    let records = Records::Counted { at: 0, first: 16, fixed: 16 };
    let (mut source, queue) = told(&place, records, &[&head(400_000)[..], &many].concat());
    queue.write_all_at(b"order 000400000\n", 16 + many.len() as u64).unwrap();
    queue.write_all_at(&head(400_001), 0).unwrap();
    let came = goes(&mut source).unwrap();
    assert!(came.starts_with(&head(400_001)) && came.ends_with(b"order 000400000\n") && came.len() < 40_000);
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

/// The file is copied, cut to nothing, and written on: as tools do that keep logs, and some POS programs at the end of the day.
#[test]
fn a_queue_that_is_copied_and_cut_off_begins_anew_whatever_its_records_are() {
    let number = Number { bytes: 2, low_first: false };
    let head = |count: u32| [&count.to_le_bytes()[..], b"...."].concat();
    // Before, after, and how much of what came after is whole.
    let kinds: [(Records, Vec<u8>, Vec<u8>, usize); 4] = [
        (Records::Lines, b"1;tea\n2;rum\n".to_vec(), b"3;milk and honey\n4;ca".to_vec(), 17),
        (Records::Fixed(4), b"tea.rum.".to_vec(), b"milkca".to_vec(), 4),
        (Records::Prefix(number), b"\0\x03tea\0\x03rum".to_vec(), b"\0\x04milk\0\x04ca".to_vec(), 6),
        (
            Records::Counted { at: 0, first: 8, fixed: 4 },
            [&head(2)[..], b"tea.rum."].concat(),
            [&head(1)[..], b"milkca"].concat(),
            12,
        ),
    ];
    for (records, before, after, whole) in kinds {
        // Seen when all is over, and while it goes on.
        for is_seen in [false, true] {
            let place = Place::new();
            let (mut source, queue) = told(&place, records, &before);
            fs::write(place.source.join("ORDERS.OLD"), &before).unwrap();
            queue.set_len(0).unwrap();
            if is_seen {
                let outcome = captures_while(&mut source, dirty(&["ORDERS.OLD"]), Some(&[]), || ());
                let Outcome::Captured(captured) = outcome else { panic!("{records:?}: {outcome:?}") };
                source.commit(captured);
            }
            queue.write_all_at(&after, 0).unwrap();
            let outcome = captures_while(&mut source, dirty(&["ORDERS.DAT", "ORDERS.OLD"]), Some(&[]), || ());
            let Outcome::Captured(captured) = outcome else { panic!("{records:?}: {outcome:?}") };
            source.commit(captured);
            let size = |name: &str| {
                let known = source.tree().get(&espejo::replica::RelPath::new(name.as_bytes()).unwrap());
                known.map(|known| known.body.size())
            };
            let sizes = (size("ORDERS.DAT"), size("ORDERS.OLD"));
            assert_eq!(sizes, (Some(whole as u64), Some(before.len() as u64)), "{records:?} {is_seen}");
            // What was torn goes when it is whole, and the rest is not sent again.
            queue.write_all_at(b"ke\n", after.len() as u64).unwrap();
            if let Records::Counted { .. } = records {
                queue.write_all_at(&head(2), 0).unwrap();
            }
            let came = goes(&mut source).unwrap();
            assert!(came.windows(4).any(|bytes| bytes == b"cake"), "{records:?}: {came:?}");
            assert_eq!(source.grade(), Grade::Steady, "the old one is a file like any other");
        }
    }
}
