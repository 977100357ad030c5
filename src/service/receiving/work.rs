//! What the applier is given to do, and what it has done.

use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::answering::Asking;
use crate::disk::DiskError;
use crate::disk::apply::private::Opens;
use crate::disk::duplicate::Duplicate;
use crate::disk::journal::redo::Stored;
use crate::link::frame::Start;
use crate::replica::sealed::Sealed;
use crate::replica::{Begin, End, Part, Position, Proof, RelPath, Time};
use crate::service::haste::Haste;

/// Why a mirror could not be kept to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failed {
    /// Why.
    pub why: String,
    /// It is one step of its source all the same: only what was acknowledged last is in the redo alone.
    pub is_whole: bool,
}

impl From<String> for Failed {
    fn from(why: String) -> Self {
        Self { why, is_whole: false }
    }
}

/// What the applier is to do.
#[derive(Debug)]
pub(super) enum Work {
    /// Say on this link what the mirror holds, unless the other side knows that.
    Welcome { protocol: u32, epoch: u64, knows: Vec<Position>, dataset: String, out: mpsc::Sender<Sealed> },
    /// Take in a piece of the start state.
    Start(Start),
    /// Forget a first copy that will not come to its end.
    Abandon,
    /// Apply a generation.
    Step(Stored),
    /// Take in a part of a first copy.
    Build(Part),
    /// Give up a first copy, and say what came of it.
    GiveUp,
    /// Say what stands under these names.
    Look(Vec<RelPath>),
    /// Compare every byte with the index.
    Check { number: u64, haste: Haste },
    /// Look whether this database opens.
    Open { number: u64, file: RelPath },
    /// Copy the mirror for a drill.
    Duplicate,
    /// Copy what has changed of it since.
    DuplicateRest(Duplicate),
    /// Keep the state as it is: what comes next changes so many of a hundred bytes, or only is not steady.
    Pin { percent: Option<u64> },
    /// The oldest state may be wanted back.
    PinOldest,
    /// Another dataset keeps its state of then.
    KeepFor { dataset: String, from: Time },
    /// Both sides were the same then, byte for byte: seconds since 1970; none where they differ. Whether each database opens as well.
    Compared { same: Option<i64>, is_opened: bool },
    /// Forget what the mirror was: a first copy is to come.
    Reseed,
    /// Show that something can be made durable beside the mirror.
    Canary {
        /// The source's clock.
        at: Time,
        /// Nothing was to be sent then.
        level: bool,
    },
    /// Say whether the whole is this.
    Digest { digest: Proof },
    /// Say to the other side whether the whole is this.
    Last { digest: Proof },
    /// Answer this from now on.
    Asks(Asking),
    /// Drop the oldest steps back, and say whether there were any.
    DropHistory(std_mpsc::Sender<Result<bool, DiskError>>),
    /// Drop all steps back.
    ForgetHistory,
    /// End when all before is done.
    Stop,
}

/// What the applier has done.
#[derive(Debug)]
pub(super) enum Done {
    /// It has taken work; there is room for more.
    Taken,
    /// A generation of so many bytes of redo.
    Applied { bytes: u64 },
    /// So many files were not what they should have been: all is to be compared soon.
    Doubtful { files: u64 },
    /// The copy is taken anew: what it was is forgotten.
    Reseeded,
    /// All that waited, so many bytes of redo, is given up: the copy is taken anew from here.
    GivenUp { bytes: u64, position: Position },
    /// A first copy.
    Built { end: End, begin: Begin, took: Duration },
    /// A first copy could not be taken in; it comes again.
    BuildRefused,
    /// So much is compared.
    Checking { number: u64, files: u64, bytes: u64, strange: u64 },
    /// All is compared, or, where something could not be read, as much as could be.
    Checked { number: u64, databases: Vec<RelPath>, failed: bool },
    /// Whether a database opens.
    Opened { number: u64, file: RelPath, opens: Opens },
    /// Most of the mirror is copied for a drill, or could not be.
    Duplicated(Box<Result<Duplicate, DiskError>>),
    /// Whether the whole is what was asked.
    Digest { agrees: bool },
}
