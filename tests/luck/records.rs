//! What of a queue is whole, whatever its records are; and a queue that is cut off, or tidied up in its place.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use espejo::disk::capture::rules::{As, Number, Records, Rule, Rules};
use espejo::disk::capture::{Outcome, Source};
use espejo::replica::Grade;
use tokio::time::Instant;

use crate::common::place::Place;
use crate::source::{captures, captures_while, dirty, known_by, said};

/// Longer than all that was put off may take.
const LATER: Duration = Duration::from_secs(120);

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
    let captured = captures(&mut source, dirty(&["ORDERS.DAT"]));
    assert!(captured.read < 100_000, "only the count and the end are read: {} bytes", captured.read);
    let came = said(&captured).remove("ORDERS.DAT").flatten().unwrap();
    assert!(came.starts_with(&head(400_001)) && came.ends_with(b"order 000400000\n") && came.len() < 40_000);
    assert_eq!(source.grade_with(&captured), Grade::Exact);
}

#[test]
fn a_void_in_a_long_queue_with_room_made_beforehand_is_noticed_without_another_record() {
    let place = Place::new();
    let many: Vec<u8> = (0..400_000u32).flat_map(|order| format!("\0\x0forder {order:09}").into_bytes()).collect();
    let room = vec![0; 1 << 20];
    let records = Records::Prefix(Number { bytes: 2, low_first: false });
    let (mut source, queue) = told(&place, records, &[&many[..], &room].concat());
    assert_eq!(source.tree().bytes(), many.len() as u64);
    queue.write_all_at(b"VOIDED 00010000", 17 * 10_000 + 2).unwrap();
    assert_eq!(goes(&mut source), None, "its end is as it was");
    let overdue = source.overdue(Instant::now() + LATER);
    let came = said(&captures(&mut source, overdue)).remove("ORDERS.DAT").flatten().unwrap();
    assert!(came.windows(6).any(|found| found == b"VOIDED"), "{} bytes", came.len());
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

/// How a record is written.
type Made<'m> = &'m dyn Fn(&str) -> Vec<u8>;

/// Its old records are thrown out of the middle and others moved up, all in its place, and it has grown beyond its old end when that is
/// seen: no record ends any more where one did.
#[test]
fn a_queue_that_is_tidied_up_in_its_place_ends_where_a_record_of_it_does() {
    let number = Number { bytes: 4, low_first: true };
    let record = |text: &str| [&u32::try_from(text.len()).unwrap().to_le_bytes(), text.as_bytes()].concat();
    let line = |text: &str| format!("{text}\n").into_bytes();
    let old = (0..2000).map(|order| format!("order {order:06}"));
    // The first blocks are as they were.
    let new = (0..1800).map(|order| format!("order {order:06}")).chain(["x".repeat(9000)]);
    let each: [(Records, Made<'_>, &[u8]); 2] =
        [(Records::Prefix(number), &record, b"\xff\0\0\0half"), (Records::Lines, &line, b"half")];
    for (records, made, half) in each {
        let place = Place::new();
        let all = |texts: &mut dyn Iterator<Item = String>| texts.flat_map(|text| made(&text)).collect::<Vec<u8>>();
        let (before, after) = (all(&mut old.clone()), all(&mut new.clone()));
        let (mut source, queue) = told(&place, records, &before);
        assert!(
            source.tree().bytes() == before.len() as u64
                && after.len() > before.len()
                && before[..16384] == after[..16384]
        );
        queue.write_all_at(&[&after[..], half].concat(), 0).unwrap();
        let came = goes(&mut source).unwrap();
        assert_eq!(source.tree().bytes(), after.len() as u64, "{records:?}");
        assert!(after.ends_with(&came), "{records:?}: the blocks that are others now");
    }
}
