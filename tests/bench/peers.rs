//! What the program is measured beside: rsync, and a bare copy through a connection.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::shop::{Ends, Scratch};

/// An rsync that copies to one place.
pub struct Rsync {
    dest: OsString,
    fsyncs: bool,
    _daemon: Option<Ends>,
}

impl Rsync {
    /// What rsync says of itself, if it is there.
    pub fn version() -> Option<String> {
        let out = Command::new("rsync").arg("--version").output().ok().filter(|out| out.status.success())?;
        Some(String::from_utf8_lossy(&out.stdout).lines().next().unwrap_or_default().to_owned())
    }

    /// One that copies into another folder, by itself.
    pub fn here(scratch: &Scratch) -> Option<Self> {
        Self::to(scratch.folder("theirs").into(), None)
    }

    /// One that copies to its daemon on loopback.
    pub fn daemon(scratch: &Scratch) -> Option<Self> {
        Self::version()?;
        let (folder, config) = (scratch.folder("theirs"), scratch.path().join("rsyncd.conf"));
        let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
        let own = format!("uid = {}\ngid = {}\n", uid.as_raw(), gid.as_raw());
        let module = format!("[theirs]\npath = {}\nread only = no\nuse chroot = no\n{own}", folder.display());
        fs::write(&config, module).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut daemon = Command::new("rsync");
        daemon.args(["--daemon", "--no-detach", "--address=127.0.0.1", &format!("--port={port}")]);
        daemon.arg("--config").arg(config).stdin(Stdio::null());
        let daemon = Ends(daemon.spawn().unwrap());
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "the daemon of rsync does not answer");
            std::thread::park_timeout(Duration::from_millis(10));
        }
        Self::to(format!("rsync://127.0.0.1:{port}/theirs/").into(), Some(daemon))
    }

    fn to(dest: OsString, daemon: Option<Ends>) -> Option<Self> {
        Self::version()?;
        let help = Command::new("rsync").arg("--help").output().unwrap();
        let fsyncs = String::from_utf8_lossy(&help.stdout).contains("--fsync");
        Some(Self { dest, fsyncs, _daemon: daemon })
    }

    /// How long it takes. A version that knows no `--fsync` does without.
    pub fn rsync(&self, flags: &[&str], source: &Path) -> Duration {
        let flags = flags.iter().filter(|flag| self.fsyncs || **flag != "--fsync");
        let mut rsync = Command::new("rsync");
        rsync.args(flags).arg(source.join("")).arg(&self.dest).stdout(Stdio::null());
        let began = Instant::now();
        assert!(rsync.status().unwrap().success());
        began.elapsed()
    }
}

/// Bytes that a bare copy moves at once.
const PIECE: usize = 256 * 1024;

/// How long a file takes through a bare connection on loopback: one thread reads it and writes to the connection, another
/// reads from there, writes the copy and has it made durable.
pub fn bare_tcp(source: &Path, dest: &Path) -> Duration {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (from, to) = (File::open(source).unwrap(), File::create(dest).unwrap());
    let began = Instant::now();
    // Closed at its end, or the other side would wait for more.
    let sender = std::thread::spawn(move || drop(pass_on(from, TcpStream::connect(address).unwrap())));
    let to = pass_on(listener.accept().unwrap().0, to);
    to.sync_all().unwrap();
    sender.join().unwrap();
    began.elapsed()
}

fn pass_on<T: Write>(mut from: impl Read, mut to: T) -> T {
    let mut piece = vec![0; PIECE];
    loop {
        match from.read(&mut piece).unwrap() {
            0 => return to,
            count => to.write_all(&piece[..count]).unwrap(),
        }
    }
}
