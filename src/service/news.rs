//! What the halves of the copy tell the service.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::status::Trouble;
use crate::disk::DiskError;
use crate::link::Told;
use crate::replica::{Begin, End, Position, Time};

/// What happened in the copy.
#[derive(Debug)]
pub enum News {
    /// The mirror was opened.
    Opened {
        /// How far it is.
        at: Standing,
        /// Acknowledged generations that were applied now.
        redone: u64,
        /// Names that were not as they had been left.
        strange: Vec<String>,
        /// Of these the ones that were known before not to be what was written.
        rotten: Vec<String>,
        /// Files that a first copy finds.
        found: u64,
    },
    /// The serving side said its first sentence on a new link.
    Heard {
        /// The epoch that it serves in.
        epoch: u64,
        /// Generations before that epoch.
        start: u64,
    },
    /// How the source is.
    Told(Told),
    /// How far the mirror is behind.
    Behind {
        /// Age of the oldest change that is not durable.
        age: Option<Duration>,
        /// Bytes of it, as far as known.
        bytes: u64,
        /// Files of it, as far as known.
        files: u64,
    },
    /// A canary came the whole way.
    Canary {
        /// The source's clock when it set out.
        at: crate::replica::Time,
        /// The mirror holds all that the source held then.
        level: bool,
    },
    /// The copy could not be thrown away to be taken anew, for this reason; it is as it was.
    NotReseeded(String),
    /// A first copy begins, or goes on.
    FirstCopy,
    /// A generation begins to come.
    Coming(Begin),
    /// A file of it is coming.
    File(Passing),
    /// A generation is durable.
    Durable {
        /// What it ended with.
        end: End,
        /// When it was taken, and how it came.
        begin: Begin,
        /// From its first part until it was durable.
        took: Duration,
    },
    /// A generation that could not be taken is given up; it comes again.
    GivenUp,
    /// Names that were not as they had been left. They are copied again.
    Strange(Vec<String>),
    /// Files in which this disk has not kept what was written.
    Rotten(Vec<String>),
    /// What was set aside, and where.
    SetAside {
        /// Names.
        files: Vec<String>,
        /// The folder.
        to: PathBuf,
    },
    /// Generations that can be stepped back were dropped; so many are left.
    HistoryDropped(u64),
    /// What the mirror answers to what it is asked, by name.
    Answers(Vec<(String, Result<u64, String>)>),
    /// The mirror's own trouble; none: it is over.
    Trouble(Option<Trouble>),
    /// A comparison of every byte goes on: files and bytes that were compared, both sides together.
    Comparing {
        /// Files.
        files: u64,
        /// Bytes.
        bytes: u64,
    },
    /// A comparison of every byte is done.
    Compared {
        /// Files in the mirror.
        files: u64,
        /// Bytes in them.
        bytes: u64,
        /// Files that differed, on either side.
        differed: u64,
        /// Somebody asked for it.
        asked: bool,
        /// Both sides are the same, and it was looked whether all databases open.
        proven: bool,
        /// They are not, and nobody knows why.
        wrong: bool,
    },
    /// A generation changed so many of a hundred bytes.
    MuchChanged {
        /// How many.
        percent: u64,
    },
    /// What was acknowledged cannot be applied, why, and what time the mirror is of; or it is applied by now.
    Unapplied(Option<(String, Time)>),
    /// The state of then is kept, and all since then with it.
    Kept {
        /// When that was.
        from: Time,
    },
    /// A person says that what was changed until then was meant.
    Meant(Timestamp),
    /// The mirror is copied for a drill, or could not be.
    Duplicated(Result<(), DiskError>),
    /// Databases that do not open, though both sides are the same, and why: those of the source do not either.
    Broken {
        /// Their names, each with the reason.
        databases: Vec<(String, String)>,
        /// For so many others there was no room to look whether they open.
        unopened: u64,
    },
    /// Databases that are captured as plain files, with the reason.
    Plain(Vec<(String, String)>),
    /// All that was changed last has gone to the mirror, which compares.
    AllSent,
    /// Nothing is written any more, and the mirror holds all that there is.
    Level {
        /// The number of the last generation.
        seq: u64,
    },
    /// It does not, or something in it waits for a person.
    NotLevel,
    /// The link is closed: nothing comes any more.
    Closed,
    /// The mirror has ended, in order or for this reason.
    Ended(Option<String>),
}

impl News {
    /// Whether it shows that a half does what it is for; that it could be opened does not.
    #[must_use]
    pub fn is_progress(&self) -> bool {
        matches!(self, Self::Canary { .. } | Self::Durable { .. } | Self::Behind { age: None, .. })
    }

    /// Whether it shows that the way works on which changes come.
    #[must_use]
    pub fn is_sign(&self) -> bool {
        matches!(
            self,
            Self::Canary { .. } | Self::Coming(_) | Self::File(_) | Self::Durable { .. } | Self::Heard { .. }
        )
    }
}

/// How far a mirror is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing {
    /// The last generation.
    pub position: Position,
    /// Whether the files can be used.
    pub usable: bool,
    /// How sure the last generation is.
    pub grade: crate::replica::Grade,
    /// When it was taken at its source.
    pub as_of: crate::replica::Time,
    /// When both sides were the same byte for byte: seconds since 1970.
    pub same: Option<i64>,
    /// What was found since that makes that no proof any more.
    pub doubted: Option<crate::disk::journal::noted::Doubted>,
    /// So many of a hundred bytes changed at once within the last day, and when: seconds since 1970.
    pub much: Option<(u64, i64)>,
}

/// A file on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passing {
    /// Its ordinal in the generation, from 1.
    pub number: u32,
    /// Its name as people may read it.
    pub file: String,
    /// Bytes that came.
    pub done: u64,
    /// Bytes that will have come.
    pub total: u64,
    /// Files in the generation; 0 when that is not known.
    pub files: u32,
}
