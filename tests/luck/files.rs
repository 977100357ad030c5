//! What programs and people do to files while they are mirrored.

use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use espejo::service;
use rustix::process::Signal;

use crate::common::place::{Place, told};
use crate::common::tree::{assert_same, tree};
use crate::common::{passed_over, until};

const ACCEPT: &[&str] = &["--accept-removals"];

#[test]
fn a_file_becomes_a_folder_and_a_file_again() {
    let place = Place::new();
    let path = place.source.join("turns");
    fs::write(&path, "a file").unwrap();
    fs::write(place.source.join("other"), "other").unwrap();
    let running = place.start(ACCEPT).caught_up();
    for turn in 0..3 {
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), format!("turn {turn}")).unwrap();
        place.until_same("a folder");
        fs::remove_dir_all(&path).unwrap();
        fs::write(&path, format!("a file, turn {turn}")).unwrap();
        place.until_same("a file");
    }
    running.stop();
}

#[test]
fn files_cut_renamed_and_swapped_while_they_are_read_end_the_same() {
    let place = Place::new();
    let at = |name: &str| place.source.join(name);
    for name in ["a", "b", "c"] {
        fs::write(at(name), name.repeat(3_000_000)).unwrap();
    }
    // Slow enough that all of this happens while they travel.
    let running = place.start(&["--accept-removals", "--max-rate", "5MB"]);
    for turn in 0..20u8 {
        File::options().write(true).open(at("a")).unwrap().set_len(1_000_000 + u64::from(turn)).unwrap();
        fs::rename(at("a"), at("between")).unwrap();
        fs::rename(at("b"), at("a")).unwrap();
        fs::rename(at("between"), at("b")).unwrap();
        fs::rename(at("c"), at("d")).unwrap();
        fs::rename(at("d"), at("c")).unwrap();
        File::options().write(true).open(at("c")).unwrap().write_all_at(&[turn; 5000], 2_000_000).unwrap();
        std::thread::park_timeout(Duration::from_millis(50));
    }
    place.until_same("it came to rest");
    running.stop();
}

#[test]
fn what_is_written_through_a_map_arrives() {
    let place = Place::new();
    fs::write(place.source.join("mapped"), vec![1; 100_000]).unwrap();
    let script = "import mmap,sys\nf=open(sys.argv[1],'r+b')\nm=mmap.mmap(f.fileno(),0)\nprint('ready',flush=True)\n\
                  sys.stdin.readline()\nm[50000:50005]=b'store'\nprint('done',flush=True)\nsys.stdin.readline()\n";
    let spawned = Command::new("python3")
        .args(["-c", script])
        .arg(place.source.join("mapped"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = spawned else {
        return passed_over("what_is_written_through_a_map_arrives", "there is no python3 to map a file with");
    };
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(python.stdout.take().unwrap()));
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    let running = place.start(&[]).caught_up();
    place.until_same("before");
    // No event, no new time: only the content changes.
    python.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "done");
    until("the store arrives", || fs::read(place.dest.join("mapped")).is_ok_and(|now| &now[50000..50005] == b"store"));
    drop(python.stdin.take());
    python.wait().unwrap();
    place.until_same("after");
    running.stop();
}

#[test]
fn a_hole_of_a_tebibyte_stays_a_hole() {
    let place = Place::new();
    let path = place.source.join("huge");
    let file = File::create(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    file.write_all_at(b"in the middle", 1 << 39).unwrap();
    // Every byte is compared once here; what follows is compared by the test.
    place.must_copy(&[], "the first copy");
    let running = place.start(&[]).caught_up();
    file.write_all_at(b"at the end", (1 << 40) - 10).unwrap();
    place.until_same("the next");
    file.set_len(1 << 30).unwrap();
    place.until_same("cut");
    file.set_len(1 << 40).unwrap();
    place.until_same("and long again");
    running.stop();
    let stored = std::os::unix::fs::MetadataExt::blocks(&fs::metadata(place.dest.join("huge")).unwrap()) * 512;
    assert!(stored < 10_000_000, "{stored} bytes are stored");
}

#[test]
fn an_emptied_source_is_asked_about_and_nothing_goes_until_it_is_meant() {
    let place = Place::new();
    for number in 0..10 {
        fs::write(place.source.join(format!("file {number}")), "of the shop").unwrap();
    }
    let running = place.start(&[]).caught_up();
    place.until_same("before");
    let before = tree(&place.dest);
    // All of them before it looks: what goes bit by bit, it can take over up to a half.
    running.signal(Signal::STOP);
    for number in 0..9 {
        fs::remove_file(place.source.join(format!("file {number}"))).unwrap();
    }
    running.signal(Signal::CONT);
    let status = place.until_status("it asks", |status| status["questions"][0]["ask"] == "removals");
    assert_eq!(status["questions"][0]["of"], 10, "{status}");
    assert_same(&before, &tree(&place.dest), "while it asks");
    running.stop();
    let refused = place.once(&[]);
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
    assert_same(&before, &tree(&place.dest), "after a run without an answer");
    place.must_copy(&["--accept-removals"], "meant");
}

#[test]
fn an_emptied_source_that_is_meant_goes_with_all_that_changed_meanwhile() {
    let place = Place::new();
    for number in 0..10 {
        fs::write(place.source.join(format!("file {number}")), "of the shop").unwrap();
    }
    let running = place.start(&[]).caught_up();
    place.until_same("before");
    running.signal(Signal::STOP);
    for number in 0..9 {
        fs::remove_file(place.source.join(format!("file {number}"))).unwrap();
    }
    fs::write(place.source.join("file 9"), "sold").unwrap();
    running.signal(Signal::CONT);
    let status = place.until_status("it asks", |status| status["questions"][0]["ask"] == "removals");
    let question = status["questions"][0]["id"].as_u64().unwrap();
    let answer = service::Command::Answer { question, accept: true, by: "a test".to_owned() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let reply = runtime.block_on(async {
        let mut client = service::control::Client::connect(&place.home).unwrap().unwrap();
        client.ask(&answer).await.unwrap()
    });
    assert_eq!(reply, service::Reply::Done);
    place.until_same("meant");
    place.until_status("nothing is asked any more", |status| status["questions"] == serde_json::json!([]));
    running.stop();
}

#[test]
fn a_file_that_became_empty_is_held_back_and_shown_until_it_has_content_again() {
    let place = Place::new();
    let path = place.source.join("POS-Q.Seq");
    fs::write(&path, "0000417\n").unwrap();
    let running = place.start(&[]).caught_up();
    place.until_same("before");
    File::create(&path).unwrap();
    let status = place.until_status("it is shown", |status| status["questions"][0]["ask"] == "emptied");
    assert_eq!(status["questions"][0]["files"][0], "POS-Q.Seq", "{status}");
    assert_eq!(fs::read(place.dest.join("POS-Q.Seq")).unwrap(), b"0000417\n");
    fs::write(place.source.join("another"), "goes on meanwhile").unwrap();
    until("others go on", || place.dest.join("another").exists());
    assert_eq!(fs::read(place.dest.join("POS-Q.Seq")).unwrap(), b"0000417\n");
    fs::write(&path, "0000418\n").unwrap();
    place.until_same("with content again");
    place.until_status("nothing is asked any more", |status| status["questions"] == serde_json::json!([]));
    running.stop();
}

#[test]
fn a_clock_set_back_hides_no_change() {
    let place = Place::new();
    let path = place.source.join("file");
    fs::write(&path, "first").unwrap();
    let running = place.start(&[]).caught_up();
    for (text, seconds) in [("again", 86_400 * 365), ("third", 86_400), ("forth", 1)] {
        fs::write(&path, text).unwrap();
        let past = UNIX_EPOCH + Duration::from_secs(seconds);
        File::options().write(true).open(&path).unwrap().set_times(FileTimes::new().set_modified(past)).unwrap();
        place.until_same(text);
    }
    running.stop();
    // And unseen, with the size and the time that it had.
    let past = UNIX_EPOCH + Duration::from_secs(1);
    fs::write(&path, "fifth").unwrap();
    File::options().write(true).open(&path).unwrap().set_times(FileTimes::new().set_modified(past)).unwrap();
    place.must_copy(&[], "unseen");
}

#[test]
fn what_is_no_file_folder_or_link_is_reported_and_not_copied() {
    let place = Place::new();
    fs::write(place.source.join("file"), "x").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(place.source.join("socket")).unwrap();
    let running = place.start(&[]).caught_up();
    let status = place.until_status("it is reported", |status| status["datasets"][0]["special"][0] == "socket");
    assert_eq!(status["datasets"][0]["unreadable"], serde_json::json!([]));
    assert!(place.dest.join("file").exists() && !place.dest.join("socket").exists());
    running.stop();
}

#[test]
fn a_source_that_vanishes_takes_nothing_from_the_mirror_and_goes_on_when_it_is_back() {
    let place = Place::new();
    fs::write(place.source.join("file"), "x").unwrap();
    let running = place.start(&[]).caught_up();
    place.until_same("before");
    let before = tree(&place.dest);
    let away = place.path().join("away");
    fs::rename(&place.source, &away).unwrap();
    place.until_status("it is said", |status| status["alarms"][0]["trouble"] == "source-gone");
    assert_same(&before, &tree(&place.dest), "while it is away");
    fs::rename(&away, &place.source).unwrap();
    place.until_status("it is back", |status| status["alarms"] == serde_json::json!([]));
    fs::write(place.source.join("file"), "and on").unwrap();
    place.until_same("back");
    running.stop();
}
