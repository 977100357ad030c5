//! A database of 1 GiB with a log, and a shop that commits fifty times a second: what each commit costs who mirrors it.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::rows::{Measure, Row};
use super::shop::{GIB, Scratch};
use super::ways::Way;

/// Commits in a second.
const RATE: u32 = 50;

/// For so long it is measured.
const TIME: Duration = Duration::from_secs(20);

/// So often the peer copies, as often as this program looks at the latest.
const EVERY: Duration = Duration::from_secs(3);

struct Shop(Child);

impl Shop {
    fn open(folder: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torn/writer.py");
        let mut python = Command::new("python3");
        python.arg(script).arg("wal").arg(folder).args([RATE.to_string(), GIB.to_string()]);
        let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = [0; 6];
        child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
        Self(child)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

pub fn commits(way: &Way) -> Vec<Row> {
    let scratch = Scratch::new("database");
    let source = scratch.folder("source");
    let _shop = Shop::open(&source);
    let theirs = way.peer(&scratch).map(|peer| {
        let copy = || peer.rsync(&["-a", "--inplace", "--no-whole-file"], &source);
        copy();
        let (before, began) = (Spent::of_children(), Instant::now());
        while began.elapsed() < TIME {
            let took = copy();
            std::thread::park_timeout(EVERY.saturating_sub(took));
        }
        Spent::of_children().since(&before, began.elapsed())
    });
    let mut mirror = way.mirror(&scratch, &source);
    mirror.wait_generation();
    // The first proof of the day reads everything, and is no part of this.
    mirror.wait_proven();
    let of_all = |mirror: &super::shop::Mirroring| Spent {
        sent: sent(),
        processor: mirror.processor_time(),
        read: mirror.processes.iter().map(|(_, number)| read_by(&number.to_string())).sum(),
    };
    let (before, began) = (of_all(&mirror), Instant::now());
    while began.elapsed() < TIME {
        let _ = mirror.wait_for(Duration::from_millis(200));
    }
    let ours = of_all(&mirror).since(&before, began.elapsed());
    way.saw(&mirror);
    let row = |work: &str, of: fn(&Each) -> Measure, reach| Row {
        work: format!("1 GiB database, 50 commits a second: {work} for each"),
        ours: of(&ours),
        theirs: theirs.as_ref().map(of),
        reach,
    };
    let sent = (ours.sent_mib > 0.0).then(|| row("sent", |each| Measure::MiB(each.sent_mib), "-"));
    let read = row("read", |each| Measure::MiB(each.read_mib), "-");
    sent.into_iter().chain([read, row("processor time", |each| Measure::Time(each.processor), "-")]).collect()
}

/// What was spent.
struct Spent {
    processor: Duration,
    read: u64,
    sent: u64,
}

/// The same for each commit.
struct Each {
    processor: Duration,
    read_mib: f64,
    sent_mib: f64,
}

impl Spent {
    /// By all that this process began and that has ended.
    fn of_children() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks = fields[13].parse::<u64>().unwrap() + fields[14].parse::<u64>().unwrap();
        Self { processor: Duration::from_millis(ticks * 10), read: read_by("self"), sent: sent() }
    }

    #[allow(clippy::cast_precision_loss)]
    fn since(&self, before: &Self, time: Duration) -> Each {
        let commits = time.as_secs_f64() * f64::from(RATE);
        Each {
            processor: self.processor.abs_diff(before.processor).div_f64(commits),
            sent_mib: (self.sent - before.sent) as f64 / commits / 1_048_576.0,
            read_mib: (self.read - before.read) as f64 / commits / 1_048_576.0,
        }
    }
}

/// Bytes that went over loopback in either direction, with all that is around them: nothing else here uses it meanwhile.
fn sent() -> u64 {
    let devices = fs::read_to_string("/proc/self/net/dev").unwrap();
    let loopback = devices.lines().find_map(|line| line.trim().strip_prefix("lo:")).unwrap();
    loopback.split_whitespace().next().unwrap().parse().unwrap()
}

/// Bytes that a process has read, and those that it began and that have ended.
fn read_by(process: &str) -> u64 {
    let io = fs::read_to_string(format!("/proc/{process}/io")).unwrap();
    io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().trim().parse().unwrap()
}
