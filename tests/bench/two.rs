//! Two machines on loopback, and what can only be measured there.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use espejo::service::control::socket_path;
use serde_json::Value;

use super::common::two::{Machine, Two};
use super::common::until_some;
use super::peers::bare_tcp;
use super::rows::{Measure, Queue, Row};
use super::shop::{GIB, Mirroring, Scratch, big_file, median, sync};
use super::ways::Way;

/// Time between two looks at a log.
const LOOK: Duration = Duration::from_micros(100);
/// Time between two questions to a service.
const ASK: Duration = Duration::from_millis(5);
/// Time between two records.
const PAUSE: Duration = Duration::from_millis(10);
/// Time between two heartbeats.
const BEAT: Duration = Duration::from_millis(200);

/// What a log says of a generation that is durable.
const GENERATION: &[&str] = &["event=Generation"];
const OF_HOT: &[&str] = &["dataset=\"hot\" event=Generation"];
const OF_BULK: &str = "dataset=\"bulk\" event=Generation";

/// Mirrors `source` from one machine to the other.
pub fn mirror(_: &Scratch, source: &Path) -> Mirroring {
    let mut two = Two::new();
    source.clone_into(&mut two.data);
    two.init();
    two.introduce();
    begin(two, GENERATION)
}

/// Starts the backup of two that know each other. A generation is known to be durable by its line in the backup's log, which
/// is written after it was made durable.
fn begin(mut two: Two, marks: &'static [&'static str]) -> Mirroring {
    let began = Instant::now();
    two.start(Machine::Backup);
    let home = two.home(Machine::Backup);
    let lines = follow(home.join("log"));
    let processes = [("the main", Machine::Main), ("the backup", Machine::Backup)];
    let processes = processes.map(|(who, machine)| (who, two.number(machine))).into();
    Mirroring { began, processes, lines, marks, home, _running: Box::new(two) }
}

/// The lines of a log as they come.
fn follow(folder: PathBuf) -> Receiver<String> {
    let (tell, lines) = channel();
    std::thread::spawn(move || {
        // Beside it lies what the POS server says in a drill.
        let is_log =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"espejo."));
        let find = || fs::read_dir(&folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).find(is_log);
        let mut log = BufReader::new(File::open(until_some("a log", find)).unwrap());
        let mut line = String::new();
        // Its folder goes when the measuring is over.
        while folder.exists() {
            match log.read_line(&mut line) {
                Ok(_) if line.ends_with('\n') => drop(tell.send(std::mem::take(&mut line))),
                _ => std::thread::park_timeout(LOOK),
            }
        }
    });
    lines
}

/// One large file for the first time, beside a bare copy of the same file through TCP.
pub fn bulk(way: &Way) -> Vec<Row> {
    let (mut ours, mut theirs) = (vec![], vec![]);
    for _ in 0..3 {
        let scratch = Scratch::new("bulk");
        let source = scratch.folder("source");
        big_file(&source.join("big"), GIB);
        sync();
        theirs.push(bare_tcp(&source.join("big"), &scratch.path().join("theirs")));
        sync();
        let mut mirror = way.mirror(&scratch, &source);
        mirror.wait_generation();
        ours.push(mirror.began.elapsed());
        way.saw(&mirror);
    }
    let (ours, theirs) = (Measure::Time(median(&mut ours)), Some(Measure::Time(median(&mut theirs))));
    vec![Row { work: "first copy, one file of 1 GiB, beside a bare TCP copy".into(), ours, theirs, reach: "0.6 x" }]
}

/// Records of a small dataset, and heartbeats, while another dataset is copied for the first time.
pub fn hot(way: &Way) -> Vec<Row> {
    let scratch = Scratch::new("hot");
    let (hot, bulk) = (scratch.folder("hot"), scratch.folder("bulk"));
    fs::write(hot.join("ORDER.QUE"), "first\n").unwrap();
    big_file(&bulk.join("big"), 2 * GIB);
    sync();
    let mut two = Two::new();
    two.data.clone_from(&hot);
    two.init();
    let settings = two.home(Machine::Main).join("store.toml");
    let text = fs::read_to_string(&settings).unwrap().replace("name = \"pos\"", "name = \"hot\"");
    let more = format!("\n[[dataset]]\nname = \"bulk\"\nmain = \"{}\"\nbackup = \"BULK\"\n", bulk.display());
    fs::write(&settings, text + &more).unwrap();
    two.introduce();
    let homes = [Machine::Main, Machine::Backup].map(|machine| two.home(machine));
    let mut mirror = begin(two, OF_HOT);
    let log = follow(mirror.home.join("log"));
    mirror.wait_generation();
    let hearts = homes.map(Heart::listen);
    let mut queue = Queue::open(&hot);
    let mut times = vec![];
    while !log.try_iter().any(|line| line.contains(OF_BULK)) {
        times.push(queue.append(&mut mirror));
        std::thread::park_timeout(PAUSE);
    }
    let [main, backup] = hearts.map(Heart::end);
    way.saw(&mirror);
    times.sort_unstable();
    let row = |work: &str, time, reach| {
        let work = format!("during a first copy of 2 GiB elsewhere: {work}");
        Row { work, ours: Measure::Time(time), theirs: None, reach }
    };
    let late = backup.silence.saturating_sub(BEAT);
    vec![
        row("record -> durable, median", times[times.len() / 2], ""),
        row("record -> durable, the longest", times[times.len() - 1], "250 ms"),
        row("the latest heartbeat", late, "100 ms"),
        row("heartbeat and back, the longest", main.round_trip.max(backup.round_trip), "100 ms"),
    ]
}

/// What a service says of heartbeats, asked again and again.
struct Heart {
    over: Arc<AtomicBool>,
    asks: JoinHandle<Heard>,
}

/// The longest that was seen.
#[derive(Default)]
struct Heard {
    /// Time without hearing the other machine.
    silence: Duration,
    /// Time there and back.
    round_trip: Duration,
}

impl Heart {
    /// Begins to ask the service of `home`.
    fn listen(home: PathBuf) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let asks = std::thread::spawn(move || {
            let mut service = BufReader::new(UnixStream::connect(socket_path(&home)).unwrap());
            let mut heard = Heard::default();
            while !ends.load(Ordering::Relaxed) {
                service.get_mut().write_all(b"{\"command\":\"status\"}\n").unwrap();
                let mut line = String::new();
                service.read_line(&mut line).unwrap();
                let status: Value = serde_json::from_str(&line).unwrap();
                let ms = |what: &str| Duration::from_millis(status["peer"][what].as_u64().unwrap_or(0));
                heard.silence = heard.silence.max(ms("heard_ago_ms"));
                heard.round_trip = heard.round_trip.max(ms("round_trip_ms"));
                std::thread::park_timeout(ASK);
            }
            heard
        });
        Self { over, asks }
    }

    fn end(self) -> Heard {
        self.over.store(true, Ordering::Relaxed);
        self.asks.join().unwrap()
    }
}
