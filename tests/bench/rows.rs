//! The rows of the table.

use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use espejo::disk::capture::candidates::Dirty;
use espejo::disk::capture::guard::Consent;
use espejo::disk::capture::outgoing::{self, Outgoing};
use espejo::disk::capture::rules::Rules;
use espejo::disk::capture::settle::Moves;
use espejo::disk::capture::{Options, Outcome, Source};
use espejo::replica::Position;

use super::shop::{GIB, Mirroring, Random, Scratch, big_file, median, small_files, sync};
use super::ways::Way;

/// One row: what was done, what it took here and there, and what is to be reached.
pub struct Row {
    pub work: String,
    pub ours: Measure,
    pub theirs: Option<Measure>,
    pub reach: &'static str,
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
            Self::Time(time) if time.as_micros() < 500 => format!("{:.0} us", time.as_secs_f64() * 1e6),
            Self::Time(time) if time.as_millis() < 1000 => format!("{:.2} ms", time.as_secs_f64() * 1e3),
            Self::Time(time) => format!("{:.2} s", time.as_secs_f64()),
            Self::MiB(number) if *number < 1.0 => format!("{:.1} KiB", number * 1024.0),
            Self::MiB(number) => format!("{number:.1} MiB"),
            Self::Percent(number) => format!("{number:.3} %"),
        };
        f.pad(&text)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let theirs = self.theirs.map_or_else(|| "-".to_owned(), |theirs| theirs.to_string());
        let ratio = self.theirs.map(|theirs| theirs.number() / self.ours.number());
        let ratio = ratio.map_or_else(String::new, |ratio| match ratio {
            ..1.0 => format!("{ratio:.2} x"),
            _ => format!("{ratio:.1} x"),
        });
        write!(f, "{:<82} {:>12} {:>12} {:>8} {:>10}", self.work, self.ours, theirs, ratio, self.reach)
    }
}

pub fn first_copy(way: &Way) -> Vec<Row> {
    let scratch = Scratch::new("first");
    let source = scratch.folder("source");
    big_file(&source.join("big"), GIB);
    small_files(&source, 20_000, 1024..40 * 1024);
    sync();
    let theirs = way.peer(&scratch).map(|peer| Measure::Time(peer.rsync(&["-a", "--fsync"], &source)));
    sync();
    let mut mirror = way.mirror(&scratch, &source);
    mirror.wait_generation();
    let ours = Measure::Time(mirror.began.elapsed());
    way.saw(&mirror);
    vec![Row { work: "first copy, 1 GiB + 20,000 files, fsync on".into(), ours, theirs, reach: "1 x" }]
}

pub fn changed_pages(way: &Way) -> Vec<Row> {
    let scratch = Scratch::new("pages");
    let source = scratch.folder("source");
    let big = source.join("big");
    big_file(&big, GIB);
    let peer = way.peer(&scratch);
    if let Some(peer) = &peer {
        peer.rsync(&["-a"], &source);
    }
    let mut mirror = way.mirror(&scratch, &source);
    mirror.wait_generation();
    let mut random = Random(7);
    let rows = [("0.01 %", 26, "8 x"), ("1 %", 2621, "4 x")].map(|(name, pages, reach)| {
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
            theirs.extend(
                peer.as_ref().map(|peer| peer.rsync(&["-a", "--inplace", "--no-whole-file", "--fsync"], &source)),
            );
        }
        let work = format!("1 GiB file, {name} of its pages changed: change -> durable");
        let theirs = peer.is_some().then(|| Measure::Time(median(&mut theirs)));
        Row { work, ours: Measure::Time(median(&mut ours)), theirs, reach }
    });
    way.saw(&mirror);
    rows.into()
}

pub fn appends(way: &Way) -> Vec<Row> {
    let scratch = Scratch::new("append");
    let source = scratch.folder("source");
    fs::write(source.join("ORDER.QUE"), "first\n").unwrap();
    let mut mirror = way.mirror(&scratch, &source);
    mirror.wait_generation();
    mirror.settle();
    let mut queue = Queue::open(&source);
    let mut times: Vec<_> = (0..1000).map(|_| queue.append(&mut mirror)).collect();
    times.sort_unstable();
    way.saw(&mirror);
    let row = |work: &str, at: usize, reach| {
        let ours = Measure::Time(times[at]);
        Row { work: format!("200-byte record appended and fsynced -> durable: {work}"), ours, theirs: None, reach }
    };
    vec![row("median", 500, "5 ms"), row("99th percentile", 990, "25 ms")]
}

/// A queue to which records are appended.
pub struct Queue(File, u64);

impl Queue {
    pub fn open(folder: &Path) -> Self {
        Self(File::options().append(true).open(folder.join("ORDER.QUE")).unwrap(), 0)
    }

    /// Appends a record. Returns how long it took from then until it was durable in the mirror.
    pub fn append(&mut self, mirror: &mut Mirroring) -> Duration {
        self.1 += 1;
        // One write: half a record would not be shipped.
        self.0.write_all(format!("{:0199}\n", self.1).as_bytes()).unwrap();
        self.0.sync_data().unwrap();
        let began = Instant::now();
        mirror.wait_generation();
        began.elapsed()
    }
}

pub fn rescan(way: &Way) -> Vec<Row> {
    let scratch = Scratch::new("rescan");
    let source = scratch.folder("source");
    small_files(&source, 100_000, 10..200);
    let theirs = way.peer(&scratch).map(|peer| {
        peer.rsync(&["-a"], &source);
        let mut times: Vec<_> = (0..5).map(|_| peer.rsync(&["-a", "--dry-run"], &source)).collect();
        Measure::Time(median(&mut times))
    });
    let options = Options {
        empty_patience: Duration::from_secs(2),
        patience: Duration::from_secs(3),
        consent: Consent::Ask,
        own: scratch.folder("spool"),
        rules: Rules::default(),
        quiet: None,
        holder: None,
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
    vec![Row { work: "100,000 files, none changed: one full rescan".into(), ours, theirs, reach: "1 x" }]
}

pub fn memory(way: &Way) -> Vec<Row> {
    let scratch = Scratch::new("memory");
    let source = scratch.folder("source");
    small_files(&source, 100_000, 10..200);
    big_file(&source.join("big"), GIB);
    let mut mirror = way.mirror(&scratch, &source);
    mirror.wait_generation();
    mirror.settle();
    let file = File::options().write(true).open(source.join("big")).unwrap();
    for page in 0..1000 {
        file.write_all_at(&[1; 4096], page * 4096 * 200).unwrap();
    }
    mirror.wait_generation();
    mirror.settle();
    way.saw(&mirror);
    let row = |(process, peak)| Row {
        work: format!("memory of {process}, 1 GiB file + 100,000 files and all of the above (peak)"),
        ours: Measure::MiB(peak),
        theirs: None,
        reach: "96 MiB",
    };
    way.peaks().into_iter().map(row).collect()
}

pub fn idle(way: &Way) -> Vec<Row> {
    let scratch = Scratch::new("idle");
    let source = scratch.folder("source");
    small_files(&source, 10_000, 10..200);
    let mut mirror = way.mirror(&scratch, &source);
    mirror.wait_generation();
    // The first proof of the day is no part of this.
    mirror.wait_proven();
    mirror.settle();
    let (began, before) = (Instant::now(), mirror.processor_time());
    mirror.quiet(Duration::from_secs(30));
    let share = mirror.processor_time().abs_diff(before).as_secs_f64() / began.elapsed().as_secs_f64();
    let ours = Measure::Percent(share * 100.0);
    vec![Row { work: "nothing changes, 10,000 files: of a core".into(), ours, theirs: None, reach: "0.3 %" }]
}

pub fn start(way: &Way) -> Vec<Row> {
    let scratch = Scratch::new("start");
    let source = scratch.folder("source");
    small_files(&source, 1000, 10..200);
    let mut mirror = way.mirror(&scratch, &source);
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
