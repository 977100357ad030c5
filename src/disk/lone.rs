//! The list of what one side alone held: beside the folder in which that was set aside, for people and for programs.
//!
//! It says names, sizes and how much of each file is the same; never what stands in a file.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::{At, DiskError};
use crate::replica::{Kind, RelPath};

/// What one side alone held, of one dataset.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct List {
    /// The dataset.
    pub dataset: String,
    /// The epoch in which the machine that held it was the server.
    pub epoch: u64,
    /// When it began to be set aside.
    pub at: Timestamp,
    /// What it was compared with.
    pub against: Against,
    /// Each name, in order.
    pub files: Vec<Listed>,
}

/// What was compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// What the other machine held when it began to serve.
    Start,
    /// What it held when this one came back: nobody knows the start state.
    Now,
}

/// One name of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Listed {
    /// The name, as people may read it.
    pub file: String,
    /// Bytes here; none where nothing stood here any more.
    pub bytes: Option<u64>,
    /// Bytes there; none where nothing stood there.
    pub there_bytes: Option<u64>,
    /// So many bytes from the beginning on are known to be the same.
    pub same_bytes: u64,
    /// The next one differs, or one of the two ends there; else that is somewhere in the 16 KiB behind.
    pub exact: bool,
    /// Of a queue, the records that this side alone held: all behind the bytes that are the same. None where more than its end
    /// differs.
    pub records: Option<u64>,
}

impl List {
    /// The list of what was set aside in `folder`, if there is one.
    pub fn of(folder: &Path) -> Result<Option<Self>, DiskError> {
        let path = path(folder);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.at("reading", &path)?,
        };
        Ok(Some(serde_json::from_slice(&bytes).map_err(io::Error::from).at("reading", &path)?))
    }

    /// Saves it as the list of what is set aside in `folder`.
    pub fn save(&self, folder: &Path) -> Result<(), DiskError> {
        let path = path(folder);
        let bytes = serde_json::to_vec_pretty(self).map_err(io::Error::from).at("writing", &path)?;
        crate::os::ground::save(&path, &bytes).at("writing", &path)
    }
}

/// Where the list of what was set aside in `folder` is: beside it, so that no file in there can have its name.
#[must_use]
pub fn path(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".json");
    folder.with_file_name(name)
}

/// The records of a queue that begin at `from` or later. What is before is not read.
pub fn records(mut file: File, from: u64) -> io::Result<impl Iterator<Item = io::Result<Vec<u8>>>> {
    file.seek(SeekFrom::Start(from))?;
    Ok(BufReader::new(file).split(b'\n'))
}

/// How many records `file` has from byte `from` on; none where its name says that it is no queue.
pub fn count_records(path: &RelPath, file: File, from: u64) -> io::Result<Option<u64>> {
    if Kind::by_name(path.as_bytes()) != Kind::Queue {
        return Ok(None);
    }
    records(file, from)?.try_fold(0, |count, record| record.map(|_| count + 1)).map(Some)
}
