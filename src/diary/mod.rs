//! The lasting record of a machine: one small database in its home, to which rows are added and in which none is changed.
//!
//! Each row carries the hash of the row before, so that what was changed, taken out or put in afterwards is found. What a row
//! says is JSON that only who writes and reads it understands: names of files may stand in it, contents never. May name nothing
//! of ours; it knows no screen, no duty and no copy.
//!
//! - [`chain`]: the hash of a row, and whether all of them belong together
//! - [`store`]: the file
//! - [`writer`]: the thread that writes it; a file that is damaged is set aside, and a new one begun

pub mod chain;
pub mod store;
pub mod writer;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;

pub use chain::{Chain, Gap};
pub use store::Store;
pub use writer::{Diary, Noticed};

/// Something to be written.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// When it was.
    pub at: Timestamp,
    /// Who did it; empty where nobody did.
    pub by: String,
    /// The job of which this is a change, by a name of its own; none for an event.
    pub job: Option<String>,
    /// What it was.
    pub body: Value,
}

/// What was written.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// Its number, from 1.
    pub number: u64,
    /// When it was.
    pub at: Timestamp,
    /// Who did it; empty where nobody did.
    pub by: String,
    /// What it is.
    pub kind: Kind,
    /// What it was; null where it cannot be read.
    pub body: Value,
}

/// What a row is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A change of a job. It is kept for ever.
    Job,
    /// An event.
    Event,
    /// Old events were taken out: how many, and where.
    Pruned,
}

/// How much is kept of the events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Days.
    pub days: i64,
    /// Rows of all kinds.
    pub rows: u64,
}

/// What a machine keeps.
pub const BOUNDS: Bounds = Bounds { days: 400, rows: 1_000_000 };

/// The diary in `home`.
#[must_use]
pub fn diary_path(home: &Path) -> PathBuf {
    home.join("diary.db")
}

/// Why the diary cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct DiaryError {
    /// The file.
    pub path: PathBuf,
    /// What the database said.
    pub source: rusqlite::Error,
}

impl DiaryError {
    /// Whether the file is no diary, or not any more.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, TypeMismatch};
        let code = self.source.sqlite_error_code();
        matches!(code, Some(DatabaseCorrupt | NotADatabase | TypeMismatch)) || self.is_another_shape()
    }

    /// Whether it is a database without the tables of a diary.
    fn is_another_shape(&self) -> bool {
        let text = self.source.to_string();
        ["no such table", "no such column", "has no column"].iter().any(|said| text.contains(said))
    }
}
