//! A file inside a dataset, and how Espejo captures it where it is told to.

use std::fmt;

use super::fault::{FaultKind, Wanted};
use super::glob::{Glob, within};
use super::reading::{Item, Table};

/// A file inside a dataset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataFile {
    /// The name of the dataset.
    pub dataset: String,
    /// The path from the dataset's folder, with `/` between names; it leads nowhere else.
    pub path: String,
}

/// A `[[dataset.file]]`: what is said of files instead of being found by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileRule {
    /// Which files are meant.
    pub matches: Glob,
    /// How they are captured; found by itself when it is `None`.
    pub kind: Option<FileKind>,
    /// What is held while such a file is captured, where the POS program honours it.
    pub lock: Option<Lock>,
}

/// How a file is captured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// It grows at the end, by whole records.
    Queue(Record),
    /// A database of `SQLite`.
    Sqlite,
    /// Any other.
    Files,
}

/// Where the records of a queue end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Record {
    /// Each ends in a newline.
    Line,
    /// All have this length in bytes, at least 1.
    Fixed(u32),
    /// Each begins with the length of the rest.
    Prefix(Prefix),
    /// A count of records stands in the header, four bytes with the low one first, and all have one length.
    CountAt {
        /// Where the count stands, in bytes from the beginning of the file.
        at: u32,
        /// Where the first record begins, in bytes from the beginning of the file.
        first: u32,
        /// The length of a record in bytes, at least 1.
        fixed: u32,
    },
}

/// A whole number as it stands in a file: bits, and whether its low byte comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prefix {
    /// 16 bits, low byte first.
    U16Le,
    /// 16 bits, high byte first.
    U16Be,
    /// 32 bits, low byte first.
    U32Le,
    /// 32 bits, high byte first.
    U32Be,
}

/// A lock of the system on a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lock {
    /// `flock`.
    Flock,
    /// `fcntl`.
    Fcntl,
}

impl fmt::Display for DataFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.dataset, self.path)
    }
}

impl FileKind {
    /// The word for it in `store.toml`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Queue(_) => "queue",
            Self::Sqlite => "sqlite",
            Self::Files => "files",
        }
    }

    fn read(item: &Item<'_>) -> Option<Self> {
        if item.value().as_str() == Some("dump") {
            return item.wrong(FaultKind::KindOfDataset);
        }
        item.one_of(&[("queue", Self::Queue(Record::Line)), ("sqlite", Self::Sqlite), ("files", Self::Files)])
    }
}

impl FileRule {
    pub(super) fn read<'r>(table: &Table<'r>) -> Option<(Item<'r>, Self)> {
        let item = table.need("match");
        let matches = item.as_ref().and_then(Glob::read);
        let (kind, lock) = (table.get("kind"), table.get("lock"));
        let record = table.get("record");
        if kind.is_none() && lock.is_none() && record.is_none() {
            table.fault(FaultKind::NoneOf(&["kind", "lock"]));
        }
        let word = kind.as_ref().and_then(FileKind::read);
        let rule = lock.as_ref().and_then(|lock| lock.one_of(&[("flock", Lock::Flock), ("fcntl", Lock::Fcntl)]));
        if let (Some(lock), Some(FileKind::Sqlite)) = (&lock, word) {
            // Its own locks are taken; another would drop them.
            lock.fault(FaultKind::NotBeside("kind = \"sqlite\""));
        }
        let read = record.as_ref().and_then(Record::read);
        let is_other = kind.is_none() || matches!(word, Some(FileKind::Sqlite | FileKind::Files));
        if let (Some(record), true) = (&record, is_other) {
            record.fault(FaultKind::Needs("kind = \"queue\""));
        }
        let kind = match (word, read) {
            (Some(FileKind::Queue(_)), Some(record)) => Some(FileKind::Queue(record)),
            (word, _) => word,
        };
        Some((item?, Self { matches: matches?, kind, lock: rule }))
    }
}

impl Record {
    fn read(item: &Item<'_>) -> Option<Self> {
        if !item.is_table() {
            return match item.text_or(Wanted::Record)? {
                "line" => Some(Self::Line),
                _ => item.other_than(Wanted::Record),
            };
        }
        let table = item.table()?;
        let length = |item: &Item<'_>| item.small_number(1..=1 << 30);
        let fixed = table.get("fixed");
        if let Some(at) = table.get("count_at") {
            let at_byte = at.small_number(0..=1 << 20);
            for other in table.present(&["prefix"]) {
                other.fault(FaultKind::NotBeside("count_at"));
            }
            let header = table.get("header");
            // Without a word the records follow the count, which takes four bytes.
            let first = header.map_or(at_byte.map(|at| at + 4), |header| header.small_number(0..=1 << 20));
            let fixed = length(&fixed.or_else(|| table.need("fixed"))?);
            return Some(Self::CountAt { at: at_byte?, first: first?, fixed: fixed? });
        }
        let prefixes =
            [("u16le", Prefix::U16Le), ("u16be", Prefix::U16Be), ("u32le", Prefix::U32Le), ("u32be", Prefix::U32Be)];
        match table.only(&["fixed", "prefix"])? {
            ("fixed", item) => length(&item).map(Self::Fixed),
            (_, item) => item.one_of(&prefixes).map(Self::Prefix),
        }
    }
}

/// The path at `item` of a file inside a dataset, whose folder on the main is `main`.
pub(super) fn path_inside(item: &Item<'_>, text: &str, main: Option<&str>) -> Option<String> {
    let is_name = |name: &str| !name.is_empty() && name != "." && name != ".." && !name.contains(char::is_control);
    if text.split('/').all(is_name) {
        return Some(text.to_owned());
    }
    let bare = main.and_then(|main| within(text, main)).or_else(|| text.strip_prefix("./").map(str::to_owned));
    item.wrong(FaultKind::NotInside { near: bare.filter(|bare| bare.split('/').all(is_name)) })
}
