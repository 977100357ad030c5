//! Data to measure with, and the program as a process.

use std::any::Any;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

pub const GIB: u64 = 1 << 30;

const PROGRAM: &str = env!("CARGO_BIN_EXE_espejo");

/// Numbers that look random and are the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).take(count).collect()
    }
}

/// A folder that goes when it is dropped.
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    pub fn new(name: &str) -> Self {
        Self(tempfile::Builder::new().prefix(&format!("espejo-{name}-")).tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(&path).unwrap();
        path
    }
}

pub fn big_file(path: &Path, size: u64) {
    let mut file = File::create(path).unwrap();
    let mut random = Random(1);
    for _ in 0..size / (1 << 20) {
        file.write_all(&random.bytes(1 << 20)).unwrap();
    }
}

pub fn small_files(folder: &Path, count: u64, sizes: Range<u64>) {
    let mut random = Random(2);
    for number in 0..count {
        let inside = folder.join(format!("{:03}", number / 250));
        if number % 250 == 0 {
            fs::create_dir_all(&inside).unwrap();
        }
        let size = sizes.start + random.below(sizes.end - sizes.start);
        fs::write(inside.join(format!("{number:06}")), random.bytes(usize::try_from(size).unwrap())).unwrap();
    }
}

pub fn sync() {
    rustix::fs::sync();
}

pub fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The program while it mirrors: one process, or one on each machine.
pub struct Mirroring {
    /// When the mirror was started; what it takes to set it up is not measured.
    pub began: Instant,
    /// Who runs, and its number.
    pub processes: Vec<(&'static str, u32)>,
    /// Lines that tell of generations, and others.
    pub lines: Receiver<String>,
    /// What such a line holds.
    pub marks: &'static [&'static str],
    pub home: PathBuf,
    /// What ends the processes.
    pub _running: Box<dyn Any>,
}

impl Mirroring {
    /// Mirrors one folder into another, without a screen.
    pub fn start(scratch: &Scratch, source: &Path) -> Self {
        let home = scratch.folder("home");
        let began = Instant::now();
        let mut child = Command::new(PROGRAM)
            .arg("--home")
            .arg(&home)
            .args(["--lang", "en", "mirror"])
            .args([source, &scratch.path().join("ours")])
            .arg("--no-screen")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let processes = vec![("the process", child.id())];
        Self { began, processes, lines, marks: &[" copied", " removed"], home, _running: Box::new(Ends(child)) }
    }

    /// Waits until a generation is durable.
    pub fn wait_generation(&mut self) {
        self.wait_for(Duration::from_secs(600)).expect("no generation came");
    }

    /// Waits so long for a generation to be durable.
    pub fn wait_for(&mut self, time: Duration) -> Option<()> {
        let end = Instant::now() + time;
        loop {
            let line = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())).ok()?;
            if self.marks.iter().any(|mark| line.contains(mark)) {
                return Some(());
            }
        }
    }

    /// Waits until every byte of it was compared.
    pub fn wait_proven(&self) {
        let end = Instant::now() + Duration::from_secs(600);
        while !self.is_proven() {
            assert!(Instant::now() < end, "it was never compared");
            std::thread::park_timeout(Duration::from_millis(500));
        }
    }

    fn is_proven(&self) -> bool {
        let mut status = Command::new(PROGRAM);
        status.arg("--home").arg(&self.home).args(["status", "--json"]);
        let said = status.output().unwrap().stdout;
        let status: serde_json::Value = serde_json::from_slice(&said).unwrap_or_default();
        status["mirror"]["verified_at"].is_string()
    }

    /// Waits until nothing happens any more.
    pub fn settle(&mut self) {
        while self.lines.recv_timeout(Duration::from_millis(500)).is_ok() {}
    }

    /// Waits for so long, in which nothing may happen.
    pub fn quiet(&mut self, time: Duration) {
        assert!(self.lines.recv_timeout(time).is_err(), "something changed");
    }

    /// The most memory that each process has had.
    pub fn peaks_mib(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.processes.iter().map(|(who, number)| {
            let status = fs::read_to_string(format!("/proc/{number}/status")).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
            (*who, line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0)
        })
    }

    /// Processor time of all of it.
    pub fn processor_time(&self) -> Duration {
        let ticks = self.processes.iter().map(|(_, number)| {
            let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap();
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
            fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
        });
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    /// How long `espejo status` takes.
    pub fn status(&self) -> Duration {
        let began = Instant::now();
        let done = Command::new(PROGRAM).arg("--home").arg(&self.home).arg("status").stdout(Stdio::null()).status();
        assert_ne!(done.unwrap().code(), Some(4));
        began.elapsed()
    }

    /// How long the screen takes to show itself.
    pub fn first_frame(&self) -> Duration {
        let size = PtySize { rows: 24, cols: 80, ..PtySize::default() };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(["--lang", "en", "--home"]);
        command.arg(&self.home);
        command.env("TERM", "xterm-256color");
        let began = Instant::now();
        let mut child = pty.slave.spawn_command(command).unwrap();
        let mut screen = vt100::Parser::new(24, 80, 0);
        let mut out = pty.master.try_clone_reader().unwrap();
        let mut bytes = [0; 16 * 1024];
        while !screen.screen().contents().contains("take over") {
            let count = out.read(&mut bytes).unwrap();
            screen.process(&bytes[..count]);
        }
        let took = began.elapsed();
        child.kill().unwrap();
        child.wait().unwrap();
        took
    }
}

/// A process that ends when it is dropped.
pub struct Ends(pub Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
