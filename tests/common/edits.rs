//! Random trees and what programs do to them: each edit is one that a program of a shop, or a person, could make.

use std::os::unix::fs::FileExt;
use std::path::Path;

use espejo::disk::root::Root;
use espejo::disk::stamp::{Shape, Stamp};
use espejo::disk::walk::{Found, walk};
use espejo::replica::{Meta, RelPath, Time};
use rustix::fs::FallocateFlags;

use super::random::Random;

/// Names that a tree may have at the most.
const MOST: usize = 120;

/// Edits a folder at random.
pub struct Editor {
    root: Root,
    pub random: Random,
    /// Whether files that grow by whole lines are edited, too: the program takes each line as it comes.
    pub queues: bool,
    /// Bytes of a large file.
    pub large: u64,
}

impl Editor {
    /// Edits the folder at `path`.
    pub fn new(path: &Path, random: Random) -> Self {
        Self { root: Root::open(path).unwrap(), random, queues: true, large: 600_000 }
    }

    /// Makes so many edits.
    pub fn edit(&mut self, times: usize) {
        for _ in 0..times {
            self.one();
        }
    }

    /// Makes one edit that takes nothing away.
    pub fn append_or_write(&mut self) {
        let names = self.names();
        match self.random.below(4) {
            0 => self.new_file(&names),
            1 => self.append(&names),
            2 => self.write_in_place(&names),
            _ => self.grow_queue(),
        }
    }

    /// Adds whole lines to one of two logs.
    pub fn grow_queue(&mut self) {
        let path = name(if self.random.once_in(2) { b"ORDERS.QUE" } else { b"DAY.LOG" });
        let file = match self.stat(&path) {
            None => self.root.create(&path).unwrap(),
            Some(stamp) if stamp.shape == Shape::File => self.root.open_to_write(&path).unwrap(),
            Some(_) => return,
        };
        let count = self.random.below(40) + 1;
        let lines: Vec<String> = (0..count).map(|n| format!("{n};{};receipt\n", self.random.next())).collect();
        let lines = lines.concat();
        file.write_all_at(lines.as_bytes(), file.metadata().unwrap().len()).unwrap();
    }

    fn one(&mut self) {
        let names = self.names();
        match self.random.below(24) {
            0..=4 if names.len() < MOST => self.new_file(&names),
            5 if names.len() < MOST => self.new_folder(&names),
            6 if names.len() < MOST => self.new_symlink(&names),
            7 if names.len() < MOST => self.new_link(&names),
            0..=9 => self.write_in_place(&names),
            11 => self.cut(&names),
            12 => self.punch(&names),
            13 | 14 => self.rename(&names),
            15 => self.swap(&names),
            16 => self.rotate(),
            17 => self.replace(&names),
            18 => self.other_shape(&names),
            19 if self.random.once_in(2) => self.remove(&names),
            20 => self.new_mode(&names),
            21 => self.new_time(&names),
            22 | 23 if self.queues => self.grow_queue(),
            _ => self.append(&names),
        }
    }

    fn names(&self) -> Vec<(RelPath, Stamp)> {
        let mut names = vec![];
        walk(&self.root, &RelPath::root(), &|_| true, &mut |found| {
            if let Found::Entry(path, stamp) = found {
                names.push((path, stamp));
            }
        })
        .unwrap();
        names
    }

    fn stat(&self, path: &RelPath) -> Option<Stamp> {
        self.root.forget();
        self.root.stat(path).unwrap()
    }

    fn pick(&mut self, names: &[(RelPath, Stamp)], which: impl Fn(&RelPath, &Stamp) -> bool) -> Option<RelPath> {
        let fit: Vec<&RelPath> =
            names.iter().filter(|(path, stamp)| which(path, stamp)).map(|(path, _)| path).collect();
        (!fit.is_empty()).then(|| fit[self.random.index(fit.len())].clone())
    }

    /// A file that is no queue: those only grow.
    fn file(&mut self, names: &[(RelPath, Stamp)]) -> Option<RelPath> {
        self.pick(names, |path, stamp| stamp.shape == Shape::File && !is_queue(path))
    }

    fn folder(&mut self, names: &[(RelPath, Stamp)]) -> RelPath {
        // One that is deeper than the system can name at once is a folder like any other.
        self.pick(names, |_, stamp| stamp.shape == Shape::Dir).unwrap()
    }

    /// A name that is free.
    fn free_name(&mut self, names: &[(RelPath, Stamp)]) -> RelPath {
        let folder = self.folder(names);
        loop {
            let number = self.random.below(100_000);
            let name: Vec<u8> = match self.random.below(8) {
                0 => format!("two\nlines {number}").into_bytes(),
                1 => [&number.to_string().into_bytes()[..], &[0xff, 0xfe, b'\\', 0x80]].concat(),
                2 => format!("{number:_<255}").into_bytes(),
                3 => format!("Año {number} *?\"'.dbf").into_bytes(),
                4 => format!(".{number}").into_bytes(),
                _ => format!("POS-{number}.DAT").into_bytes(),
            };
            let path = folder.join(&name);
            if self.stat(&path).is_none() {
                return path;
            }
        }
    }

    fn size(&mut self) -> u64 {
        match self.random.below(6) {
            0 => 0,
            1 => self.random.below(100),
            2 | 3 => self.random.below(20_000),
            4 => self.random.below(200_000),
            _ => self.random.below(self.large),
        }
    }

    fn new_file(&mut self, names: &[(RelPath, Stamp)]) {
        let path = self.free_name(names);
        let size = self.size();
        let file = self.root.create(&path).unwrap();
        if self.random.once_in(5) {
            // Most of it is a hole.
            file.set_len(size * 3).unwrap();
            let bytes = self.random.bytes(usize::try_from(size / 8).unwrap());
            file.write_all_at(&bytes, size).unwrap();
        } else {
            file.write_all_at(&self.random.bytes(usize::try_from(size).unwrap()), 0).unwrap();
        }
    }

    fn new_folder(&mut self, names: &[(RelPath, Stamp)]) {
        let path = self.free_name(names);
        self.root.mkdir(&path).unwrap();
        if self.random.once_in(3) {
            let mut below = path;
            for _ in 0..self.random.below(4) {
                below = below.join(b"deeper");
                self.root.mkdir(&below).unwrap();
            }
            self.root.create(&below.join(b"last")).unwrap().write_all_at(b"the last\n", 0).unwrap();
        }
    }

    fn new_symlink(&mut self, names: &[(RelPath, Stamp)]) {
        let path = self.free_name(names);
        let target = format!("../nowhere {}", self.random.below(1000));
        self.root.symlink(target.as_bytes(), &path).unwrap();
    }

    fn new_link(&mut self, names: &[(RelPath, Stamp)]) {
        let Some(to) = self.file(names) else { return };
        let path = self.free_name(names);
        self.root.link(&to, &path).unwrap();
    }

    fn write_in_place(&mut self, names: &[(RelPath, Stamp)]) {
        let Some(path) = self.file(names) else { return };
        let file = self.root.open_to_write(&path).unwrap();
        let len = file.metadata().unwrap().len();
        for _ in 0..=self.random.below(3) {
            let at = self.random.below(len + 1);
            let most = if self.random.once_in(6) { len + 1 } else { 300 };
            let count = usize::try_from(self.random.below(most.min(self.large))).unwrap();
            file.write_all_at(&self.random.bytes(count), at).unwrap();
        }
    }

    fn append(&mut self, names: &[(RelPath, Stamp)]) {
        let Some(path) = self.file(names) else { return };
        let file = self.root.open_to_write(&path).unwrap();
        let count = usize::try_from(self.random.below(5000)).unwrap();
        file.write_all_at(&self.random.bytes(count), file.metadata().unwrap().len()).unwrap();
    }

    fn cut(&mut self, names: &[(RelPath, Stamp)]) {
        let Some(path) = self.file(names) else { return };
        let file = self.root.open_to_write(&path).unwrap();
        let len = file.metadata().unwrap().len();
        // Shorter, or longer by a hole.
        file.set_len(self.random.below(len + len / 4 + 1)).unwrap();
    }

    fn punch(&mut self, names: &[(RelPath, Stamp)]) {
        let Some(path) = self.file(names) else { return };
        let file = self.root.open_to_write(&path).unwrap();
        let len = file.metadata().unwrap().len();
        if len > 0 {
            let at = self.random.below(len);
            let count = self.random.below(len - at) + 1;
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            // A disk that cannot make holes gets zeros by other ways.
            let _ = rustix::fs::fallocate(&file, flags, at, count);
        }
    }

    fn rename(&mut self, names: &[(RelPath, Stamp)]) {
        let Some(from) = self.pick(names, |path, _| !path.is_root() && !is_queue(path)) else { return };
        let outside: Vec<_> = names.iter().filter(|(path, _)| !path.is_within(&from)).cloned().collect();
        let to = match self.file(&outside) {
            // Over what stands there.
            Some(over) if self.random.once_in(3) && self.stat(&from).unwrap().shape != Shape::Dir => over,
            _ => self.free_name(&outside),
        };
        self.root.rename(&from, &self.root, &to).unwrap();
    }

    fn swap(&mut self, names: &[(RelPath, Stamp)]) {
        let (Some(a), Some(b)) = (self.file(names), self.file(names)) else { return };
        if a == b {
            return;
        }
        let between = self.free_name(names);
        for (from, to) in [(&a, &between), (&b, &a), (&between, &b)] {
            self.root.rename(from, &self.root, to).unwrap();
        }
        // Two names of one file: the rename has left both.
        if self.stat(&between).is_some() {
            self.root.unlink(&between).unwrap();
        }
    }

    /// What a program does with its old logs.
    fn rotate(&mut self) {
        let old = |number: u32| name(format!("old.{number}").as_bytes());
        for number in (0..4).rev() {
            if self.stat(&old(number)).is_some_and(|stamp| stamp.shape != Shape::Dir)
                && self.stat(&old(number + 1)).is_none_or(|stamp| stamp.shape != Shape::Dir)
            {
                self.root.rename(&old(number), &self.root, &old(number + 1)).unwrap();
            }
        }
        if self.stat(&old(0)).is_none() {
            let bytes = self.random.bytes(30_000);
            self.root.create(&old(0)).unwrap().write_all_at(&bytes, 0).unwrap();
        }
    }

    /// Writes a file anew beside itself, and renames.
    fn replace(&mut self, names: &[(RelPath, Stamp)]) {
        let Some(path) = self.file(names) else { return };
        let beside = self.free_name(names);
        let size = usize::try_from(self.size()).unwrap();
        self.root.create(&beside).unwrap().write_all_at(&self.random.bytes(size), 0).unwrap();
        self.root.rename(&beside, &self.root, &path).unwrap();
    }

    /// A file becomes a folder, a folder a file, either a link.
    fn other_shape(&mut self, names: &[(RelPath, Stamp)]) {
        let Some(path) = self.pick(names, |path, _| !path.is_root() && !is_queue(path)) else { return };
        let was = self.stat(&path).unwrap().shape;
        if was == Shape::Dir && names.iter().filter(|(name, _)| name.is_within(&path)).count() > 8 {
            return;
        }
        self.remove_all(&path);
        match (was, self.random.below(3)) {
            (Shape::Dir, 0) | (_, 1) => self.root.symlink(b"elsewhere", &path).unwrap(),
            (Shape::Dir, _) => self.root.create(&path).unwrap().write_all_at(b"a file now", 0).unwrap(),
            _ => {
                self.root.mkdir(&path).unwrap();
                self.root.create(&path.join(b"inside")).unwrap().write_all_at(b"in a folder now", 0).unwrap();
            }
        }
    }

    fn remove(&mut self, names: &[(RelPath, Stamp)]) {
        let Some(path) = self.pick(names, |path, _| !path.is_root()) else { return };
        if names.iter().filter(|(name, _)| name.is_within(&path)).count() <= 12 {
            self.remove_all(&path);
        }
    }

    fn remove_all(&self, path: &RelPath) {
        let mut found = vec![];
        walk(&self.root, path, &|_| true, &mut |name| {
            if let Found::Entry(path, stamp) = name {
                found.push((path, stamp.shape));
            }
        })
        .unwrap();
        self.root.forget();
        // What is in a folder has a longer name than the folder.
        found.sort_by_key(|(path, _)| std::cmp::Reverse(path.as_bytes().len()));
        for (path, shape) in &found {
            if *shape == Shape::Dir { self.root.rmdir(path) } else { self.root.unlink(path) }.unwrap();
        }
    }

    fn new_mode(&mut self, names: &[(RelPath, Stamp)]) {
        let Some(path) = self.pick(names, |_, stamp| stamp.shape != Shape::Symlink) else { return };
        let stamp = self.stat(&path).unwrap();
        let modes = [0o644, 0o600, 0o755, 0o640, 0o444, 0o2755, 0o1777];
        let mode = modes[self.random.index(modes.len())] | if stamp.shape == Shape::Dir { 0o700 } else { 0 };
        self.root.set_meta(&path, &Meta { mode, ..stamp.meta }, stamp.shape).unwrap();
    }

    /// Also long before 1970, and back in time.
    fn new_time(&mut self, names: &[(RelPath, Stamp)]) {
        let Some(path) = self.pick(names, |_, _| true) else { return };
        let stamp = self.stat(&path).unwrap();
        let seconds = i64::try_from(self.random.below(4_000_000_000)).unwrap() - 1_500_000_000;
        let nanos = u32::try_from(self.random.below(1_000_000_000)).unwrap();
        let mtime = Time { seconds, nanos };
        self.root.set_meta(&path, &Meta { mtime, ..stamp.meta }, stamp.shape).unwrap();
    }
}

/// Makes folders within folders until their path is longer than the system takes at once, and a file in the last of them.
pub fn make_deep(folder: &Path) {
    let root = Root::open(folder).unwrap();
    let mut path = RelPath::root();
    for number in 0..22 {
        path = path.join(format!("{number:-<200}").as_bytes());
        root.mkdir(&path).unwrap();
    }
    let last = path.join(b"the deepest.DAT");
    assert!(last.as_bytes().len() > 4096);
    root.create(&last).unwrap().write_all_at(b"deep down", 0).unwrap();
}

fn name(bytes: &[u8]) -> RelPath {
    RelPath::new(bytes).unwrap()
}

fn is_queue(path: &RelPath) -> bool {
    path.as_bytes().ends_with(b".QUE") || path.as_bytes().ends_with(b".LOG")
}
