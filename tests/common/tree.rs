//! What stands in a folder, read with nothing of the program: to compare two folders byte for byte.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, SeekFrom, Stat};

/// What stands under one name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    pub what: What,
    /// Rights; of a symbolic link none.
    pub mode: u32,
    pub owner: (u32, u32),
    /// Seconds and nanoseconds.
    pub mtime: (i64, i64),
}

/// What it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    Dir,
    /// A file: its length, the hash of all that is not zero in it, and the first of its names if it has several.
    File {
        size: u64,
        content: String,
        first: Option<Vec<u8>>,
    },
    Symlink(Vec<u8>),
    Special,
}

/// Everything below a folder, and the folder itself under the empty name.
pub type Tree = BTreeMap<Vec<u8>, Node>;

/// Reads the folder at `path`. What changes meanwhile is an error.
pub fn read(path: &Path) -> io::Result<Tree> {
    let mut reader = Reader { tree: Tree::new(), names: BTreeMap::new() };
    let folder = fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let stat = fs::fstat(&folder)?;
    reader.add(Vec::new(), &stat, What::Dir);
    reader.folder(&folder, &[])?;
    // The first name is the first in order, not the first that was come across.
    let Reader { mut tree, names } = reader;
    for group in names.values().filter(|group| group.len() > 1) {
        let least = group.iter().min().cloned();
        for name in group {
            if let Some(Node { what: What::File { first, .. }, .. }) = tree.get_mut(name) {
                first.clone_from(&least);
            }
        }
    }
    Ok(tree)
}

/// Reads a folder that nobody writes.
pub fn tree(path: &Path) -> Tree {
    read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether both folders hold the same at this moment.
pub fn are_same(a: &Path, b: &Path) -> bool {
    matches!((read(a), read(b)), (Ok(a), Ok(b)) if a == b)
}

struct Reader {
    tree: Tree,
    names: BTreeMap<(u64, u64), Vec<Vec<u8>>>,
}

impl Reader {
    fn add(&mut self, path: Vec<u8>, stat: &Stat, what: What) {
        let mode = if matches!(what, What::Symlink(_)) { 0 } else { stat.st_mode & 0o7777 };
        // The width of these fields differs from processor to processor; every value fits.
        #[allow(clippy::unnecessary_cast, clippy::cast_possible_wrap)]
        let mtime = (stat.st_mtime as i64, stat.st_mtime_nsec as i64);
        self.tree.insert(path, Node { what, mode, owner: (stat.st_uid, stat.st_gid), mtime });
    }

    fn folder(&mut self, folder: &OwnedFd, path: &[u8]) -> io::Result<()> {
        let mut names = vec![];
        for entry in fs::Dir::read_from(folder)? {
            let name = entry?.file_name().to_owned();
            if !matches!(name.to_bytes(), b"." | b"..") {
                names.push(name);
            }
        }
        for name in names {
            let below = if path.is_empty() { name.to_bytes().to_vec() } else { [path, b"/", name.to_bytes()].concat() };
            let stat = fs::statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW)?;
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {
                    let inner = fs::openat(folder, &name, flags | OFlags::DIRECTORY, Mode::empty())?;
                    self.add(below.clone(), &stat, What::Dir);
                    self.folder(&inner, &below)?;
                }
                FileType::RegularFile => {
                    let file = File::from(fs::openat(folder, &name, flags, Mode::empty())?);
                    let size = u64::try_from(stat.st_size).unwrap();
                    let content = content(&file, size)?;
                    self.names.entry((stat.st_dev, stat.st_ino)).or_default().push(below.clone());
                    self.add(below, &stat, What::File { size, content, first: None });
                }
                FileType::Symlink => {
                    let target = fs::readlinkat(folder, &name, Vec::new())?.into_bytes();
                    self.add(below, &stat, What::Symlink(target));
                }
                _ => self.add(below, &stat, What::Special),
            }
        }
        Ok(())
    }
}

/// A hash of all that is not zero in a file, and of where it stands: holes cost nothing.
fn content(file: &File, size: u64) -> io::Result<String> {
    const CHUNK: u64 = 4096;
    let mut hash = blake3::Hasher::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut at = 0;
    while at < size {
        at = match fs::seek(file.as_fd(), SeekFrom::Data(at)) {
            Ok(data) => data / CHUNK * CHUNK,
            Err(rustix::io::Errno::NXIO) => break,
            Err(error) => return Err(error.into()),
        };
        let hole = fs::seek(file.as_fd(), SeekFrom::Hole(at))?.min(size);
        while at < hole {
            let want = usize::try_from((hole - at).next_multiple_of(CHUNK)).unwrap().min(buffer.len());
            let got = read_full(file, &mut buffer[..want], at)?;
            for (number, chunk) in buffer[..got].chunks(4096).enumerate() {
                if chunk.iter().any(|&byte| byte != 0) {
                    hash.update(&(at + number as u64 * CHUNK).to_le_bytes());
                    hash.update(chunk);
                }
            }
            at += got as u64;
            if got == 0 {
                return Ok("cut short".to_owned());
            }
        }
    }
    Ok(hash.finalize().to_hex().to_string())
}

fn read_full(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read_at(&mut buffer[got..], at + got as u64)? {
            0 => break,
            more => got += more,
        }
    }
    Ok(got)
}

/// What two trees differ in, in words for who reads a failed test.
pub fn differences(expected: &Tree, found: &Tree) -> Vec<String> {
    let names: std::collections::BTreeSet<&Vec<u8>> = expected.keys().chain(found.keys()).collect();
    let differs = |name: &&&Vec<u8>| expected.get(**name) != found.get(**name);
    let tell = |name: &Vec<u8>| {
        let shown: String = name.escape_ascii().to_string().chars().take(200).collect();
        format!("\"{shown}\": expected {:?}, found {:?}", expected.get(name), found.get(name))
    };
    names.iter().filter(differs).take(12).map(|name| tell(name)).collect()
}

/// Fails when two trees differ, and says in what.
pub fn assert_same(expected: &Tree, found: &Tree, when: &str) {
    let differ = differences(expected, found);
    assert!(differ.is_empty(), "{when}:\n  {}", differ.join("\n  "));
}
