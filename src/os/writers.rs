//! Who has files of a folder open to write them, and whether they are in the middle of something.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// So long those are known who write in a folder: to look for them takes some milliseconds.
const KNOWN: Duration = Duration::from_secs(5);

/// What somebody does just now.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Doing {
    /// It waits for something to come: it has paused by itself.
    Rests,
    /// It works, or waits for its turn to.
    Runs,
    /// It waits for a disk, or a lock in the kernel, in the middle of something.
    Stuck,
}

/// Those who write in a folder.
#[derive(Debug)]
pub struct Writers {
    folder: PathBuf,
    known: Vec<u32>,
    looked: Option<Instant>,
}

impl Writers {
    /// Those who write in `folder`.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        Self { folder, known: vec![], looked: None }
    }

    /// What the busiest of them does just now. Who writes from another machine, or without rights that this process could look at,
    /// rests as far as is known here; so does who has no file open.
    pub fn doing(&mut self) -> Doing {
        if super::ground::is_simulated() {
            return Doing::Rests;
        }
        if self.looked.is_none_or(|at| at.elapsed() >= KNOWN) {
            (self.known, self.looked) = (writers(&self.folder), Some(Instant::now()));
        }
        self.known.iter().map(|pid| doing(*pid)).max().unwrap_or(Doing::Rests)
    }
}

/// The processes that have a file below `folder` open to write it.
fn writers(folder: &Path) -> Vec<u32> {
    let mut prefix = folder.as_os_str().as_bytes().to_vec();
    prefix.push(b'/');
    let processes = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let numbers = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    numbers.filter(|pid| writes(*pid, &prefix)).collect()
}

fn writes(pid: u32, prefix: &[u8]) -> bool {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().filter_map(Result::ok);
    open.into_iter().any(|file| {
        let is_below = fs::read_link(file.path()).is_ok_and(|path| path.as_os_str().as_bytes().starts_with(prefix));
        is_below && is_to_write(pid, &file.file_name().to_string_lossy())
    })
}

fn is_to_write(pid: u32, number: &str) -> bool {
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| u32::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
    flags.is_some_and(|flags| flags & 3 != 0)
}

/// What the busiest thread of a process does.
fn doing(pid: u32) -> Doing {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().filter_map(Result::ok);
    let stat = threads.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
    stat.map(|stat| state(&stat)).max().unwrap_or(Doing::Rests)
}

/// What a line of `stat` says; the name in it may hold anything.
fn state(stat: &str) -> Doing {
    match stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next()) {
        Some('R') => Doing::Runs,
        Some('D') => Doing::Stuck,
        _ => Doing::Rests,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_a_file_open_to_write_it_is_found_and_who_reads_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (path, own) = (folder.path().join("a"), std::process::id());
        assert_eq!(writers(folder.path()), [] as [u32; 0]);
        let written = fs::File::create(&path).unwrap();
        // What another test begins has a copy of it until it runs.
        let is_left = |found: &[u32]| (0..10_000).any(|_| writers(folder.path()) == found);
        assert!(is_left(&[own]));
        // Other tests are threads of the same process, and one may wait for a disk.
        assert!(Writers::of(folder.path()).doing() >= Doing::Runs, "who asks works");
        drop(written);
        let _read = fs::File::open(&path).unwrap();
        assert!(is_left(&[]));
    }

    #[test]
    fn what_a_thread_does_is_read_behind_its_name() {
        assert_eq!(state("7 (a) R b) S 1 2"), Doing::Rests);
        assert_eq!((state("7 (pos) R 1"), state("7 (pos) D 1"), state("")), (Doing::Runs, Doing::Stuck, Doing::Rests));
        assert!(Doing::Stuck > Doing::Runs && Doing::Runs > Doing::Rests);
    }
}
