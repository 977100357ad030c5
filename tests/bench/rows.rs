//! The rows of the table.

use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use espejo::disk::capture::candidates::Dirty;
use espejo::disk::capture::exclude::LeaveOut;
use espejo::disk::capture::guard::Consent;
use espejo::disk::capture::outgoing::{self, Outgoing};
use espejo::disk::capture::settle::Moves;
use espejo::disk::capture::{Options, Outcome, Source};
use espejo::replica::Position;

use super::shop::{GIB, Mirroring, Random, Scratch, big_file, median, rsync, small_files, sync};

/// One row: what was done, what it took here and there, and what is to be reached.
pub struct Row {
    work: String,
    ours: Measure,
    theirs: Option<Measure>,
    reach: &'static str,
}

#[derive(Clone, Copy)]
pub enum Measure {
    Time(Duration),
    MiB(f64),
    Percent(f64),
}

impl Measure {
    fn number(self) -> f64 {
        match self {
            Self::Time(time) => time.as_secs_f64(),
            Self::MiB(number) | Self::Percent(number) => number,
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Time(time) if time.as_millis() < 1000 => format!("{:.2} ms", time.as_secs_f64() * 1e3),
            Self::Time(time) => format!("{:.2} s", time.as_secs_f64()),
            Self::MiB(number) => format!("{number:.1} MiB"),
            Self::Percent(number) => format!("{number:.3} %"),
        };
        f.pad(&text)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let theirs = self.theirs.map_or_else(|| "-".to_owned(), |theirs| theirs.to_string());
        let ratio =
            self.theirs.map_or_else(String::new, |theirs| format!("{:.1} x", theirs.number() / self.ours.number()));
        write!(f, "{:<66} {:>12} {:>12} {:>8} {:>16}", self.work, self.ours, theirs, ratio, self.reach)
    }
}

pub fn first_copy(with_rsync: bool) -> Vec<Row> {
    let scratch = Scratch::new("first");
    let source = scratch.folder("source");
    big_file(&source.join("big"), GIB);
    small_files(&source, 20_000, 1024..40 * 1024);
    sync();
    let theirs = with_rsync.then(|| {
        let dest = scratch.folder("theirs");
        Measure::Time(rsync(&["-a", "--fsync"], &source, &dest))
    });
    sync();
    let began = Instant::now();
    let mut mirror = Mirroring::start(&scratch, &source, &[]);
    mirror.wait_generation();
    let ours = Measure::Time(began.elapsed());
    vec![Row { work: "first copy, 1 GiB + 20,000 files, fsync on".into(), ours, theirs, reach: "1 x" }]
}

pub fn changed_pages(with_rsync: bool) -> Vec<Row> {
    let scratch = Scratch::new("pages");
    let source = scratch.folder("source");
    let big = source.join("big");
    big_file(&big, GIB);
    let dest = scratch.folder("theirs");
    if with_rsync {
        rsync(&["-a"], &source, &dest);
    }
    let mut mirror = Mirroring::start(&scratch, &source, &[]);
    mirror.wait_generation();
    let mut random = Random(7);
    [("0.01 %", 26, "8 x"), ("1 %", 2621, "4 x")]
        .into_iter()
        .map(|(name, pages, reach)| {
            let (mut ours, mut theirs) = (vec![], vec![]);
            for _ in 0..3 {
                sync();
                let file = File::options().write(true).open(&big).unwrap();
                for _ in 0..pages {
                    let page = random.below(GIB / 4096);
                    file.write_all_at(&random.bytes(4096), page * 4096).unwrap();
                }
                drop(file);
                let began = Instant::now();
                mirror.wait_generation();
                ours.push(began.elapsed());
                mirror.settle();
                if with_rsync {
                    theirs.push(rsync(&["-a", "--inplace", "--no-whole-file", "--fsync"], &source, &dest));
                }
            }
            let work = format!("1 GiB file, {name} of its pages changed: change -> durable");
            let theirs = with_rsync.then(|| Measure::Time(median(&mut theirs)));
            Row { work, ours: Measure::Time(median(&mut ours)), theirs, reach }
        })
        .collect()
}

pub fn appends(_: bool) -> Vec<Row> {
    let scratch = Scratch::new("append");
    let source = scratch.folder("source");
    fs::write(source.join("ORDER.QUE"), "first\n").unwrap();
    let mut mirror = Mirroring::start(&scratch, &source, &[]);
    mirror.wait_generation();
    mirror.settle();
    let mut queue = File::options().append(true).open(source.join("ORDER.QUE")).unwrap();
    let mut times = vec![];
    for number in 0..1000 {
        // One write: half a record would not be shipped.
        queue.write_all(format!("{number:0199}\n").as_bytes()).unwrap();
        queue.sync_data().unwrap();
        let began = Instant::now();
        mirror.wait_generation();
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let row = |work: &str, at: usize, reach| {
        let ours = Measure::Time(times[at]);
        Row { work: format!("200-byte record appended and fsynced -> durable: {work}"), ours, theirs: None, reach }
    };
    vec![row("median", 500, "5 ms"), row("99th percentile", 990, "25 ms")]
}

pub fn rescan_and_memory(with_rsync: bool) -> Vec<Row> {
    let scratch = Scratch::new("rescan");
    let source = scratch.folder("source");
    small_files(&source, 100_000, 10..200);
    let dest = scratch.folder("theirs");
    let theirs = with_rsync.then(|| {
        rsync(&["-a"], &source, &dest);
        let mut times: Vec<_> = (0..5).map(|_| rsync(&["-a", "--dry-run"], &source, &dest)).collect();
        Measure::Time(median(&mut times))
    });
    let options = Options {
        empty_patience: Duration::from_secs(2),
        patience: Duration::from_secs(3),
        consent: Consent::Ask,
        own: scratch.folder("spool"),
        leave_out: LeaveOut::default(),
    };
    let mut held = Source::open(&source, options).unwrap();
    let mut into_nothing = |_| Ok(());
    let mut out = Outgoing::begin(outgoing::build(1, Position::default()), &mut into_nothing).unwrap();
    held.stream(&mut out).unwrap();
    let mut times: Vec<_> = (0..5)
        .map(|_| {
            let everything = Dirty { everything: true, ..Dirty::default() };
            let began = Instant::now();
            let outcome = held.capture(everything, Moves::Follow, &mut |_| Some(Dirty::default())).unwrap();
            assert!(matches!(outcome, Outcome::Nothing));
            began.elapsed()
        })
        .collect();
    let ours = Measure::Time(median(&mut times));
    drop(held);
    let rescan = Row { work: "100,000 files, none changed: one full rescan".into(), ours, theirs, reach: "1 x" };

    big_file(&source.join("big"), GIB);
    let mut mirror = Mirroring::start(&scratch, &source, &["--interval", "1s"]);
    mirror.wait_generation();
    mirror.settle();
    let file = File::options().write(true).open(source.join("big")).unwrap();
    for page in 0..1000 {
        file.write_all_at(&[1; 4096], page * 4096 * 200).unwrap();
    }
    mirror.wait_generation();
    mirror.settle();
    let ours = Measure::MiB(mirror.peak_mib());
    let memory = Row { work: "memory, 1 GiB file + 100,000 files (peak)".into(), ours, theirs: None, reach: "96 MiB" };
    vec![rescan, memory]
}

pub fn idle(_: bool) -> Vec<Row> {
    let scratch = Scratch::new("idle");
    let source = scratch.folder("source");
    small_files(&source, 10_000, 10..200);
    let mut mirror = Mirroring::start(&scratch, &source, &[]);
    mirror.wait_generation();
    mirror.settle();
    let (began, before) = (Instant::now(), mirror.processor_time());
    mirror.quiet(Duration::from_secs(30));
    let share = mirror.processor_time().abs_diff(before).as_secs_f64() / began.elapsed().as_secs_f64();
    let ours = Measure::Percent(share * 100.0);
    vec![Row { work: "nothing changes, 10,000 files: of a core".into(), ours, theirs: None, reach: "0.3 %" }]
}

pub fn start(_: bool) -> Vec<Row> {
    let scratch = Scratch::new("start");
    let source = scratch.folder("source");
    small_files(&source, 1000, 10..200);
    let mut mirror = Mirroring::start(&scratch, &source, &[]);
    mirror.wait_generation();
    let mut times: Vec<_> = (0..20).map(|_| mirror.status()).collect();
    let status = Row {
        work: "espejo status, from start to end".into(),
        ours: Measure::Time(median(&mut times)),
        theirs: None,
        reach: "50 ms",
    };
    let mut times: Vec<_> = (0..10).map(|_| mirror.first_frame()).collect();
    let frame = Row {
        work: "the screen, from start to its first frame".into(),
        ours: Measure::Time(median(&mut times)),
        theirs: None,
        reach: "50 ms",
    };
    vec![frame, status]
}
