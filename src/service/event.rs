//! What happened: the lines of the screen's list and of a run without a screen.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::status::{Ask, Trouble};
use crate::pair::{Duty, Epoch, Node};
use crate::replica::Grade;

/// Something that happened, and when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What can happen to a copy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum What {
    /// The mirror was opened; a journal that an interruption left was put in order.
    Opened {
        /// Generations that were finished now.
        redone: u64,
    },
    /// A first copy began, or goes on after an interruption.
    FirstCopy {
        /// Files that were there already.
        found: u64,
    },
    /// A generation is durable in the mirror.
    Generation {
        /// Its number.
        seq: u64,
        /// Files in it that changed.
        files: u64,
        /// Names in it that went.
        gone: u64,
        /// Bytes that travelled.
        bytes: u64,
        /// How sure it is.
        grade: Grade,
        /// From the look at the source until it was durable.
        took_ms: u64,
    },
    /// Every byte of both sides was compared.
    Verified {
        /// Files that were compared.
        files: u64,
        /// Bytes in them.
        bytes: u64,
        /// Files that differed, and are copied again.
        differed: u64,
    },
    /// A file of the mirror was not as it was left; it is copied again.
    Strange {
        /// Its name.
        file: String,
    },
    /// A file was put beside the mirror, since it is to be replaced and the other side does not hold it.
    SetAside {
        /// Its name.
        file: String,
        /// The folder where it is now.
        to: String,
    },
    /// Something is wrong.
    Trouble(Trouble),
    /// It is not wrong any more.
    Mended(Trouble),
    /// A person is asked.
    Asked(Ask),
    /// The question was answered, or has answered itself.
    Answered {
        /// What was asked.
        question: Ask,
        /// Whether the change was accepted; none when it took itself back.
        accepted: Option<bool>,
    },
    /// Something is there that is no file, folder or link, and is not copied.
    Special {
        /// Its name.
        file: String,
    },
    /// Something that is for the diary.
    Noted(Noted),
    /// Old steps back were dropped to make room.
    HistoryDropped {
        /// How many generations can be stepped back now.
        left: u64,
    },
    /// Something about the backup licence.
    Licence(LicenceNews),
}

/// What can happen to the backup licence.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum LicenceNews {
    /// Its days begin to run.
    Began,
    /// They do not run any more.
    Ended,
    /// So much is left, and no more.
    Left {
        /// Milliseconds.
        left_ms: u64,
    },
    /// They are over, and so the POS server is stopped.
    Stopped,
    /// The wall clock was set while they ran. The count does not follow it.
    ClockSet {
        /// By so many milliseconds; less than 0 is back.
        by_ms: i64,
    },
}

/// What happens to the service itself, and what people do with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "noted")]
pub enum Noted {
    /// The service began.
    Began {
        /// Its version.
        version: String,
    },
    /// It ended in order.
    Ended,
    /// Another epoch is in force.
    Epoch {
        /// Which.
        epoch: Epoch,
        /// Whose it is.
        holder: Node,
    },
    /// This machine does something else now.
    Duty {
        /// What.
        duty: Duty,
    },
    /// A code was given with which a machine may join.
    Invited,
    /// A code was given with which a terminal may join.
    TerminalInvited {
        /// What it is called.
        name: String,
    },
    /// A terminal has joined.
    TerminalJoined {
        /// What it is called.
        name: String,
    },
    /// The people at the terminals were written to.
    MessageSent {
        /// The text.
        text: String,
    },
    /// A machine has joined.
    Joined {
        /// What is known of it: its name, or its identity.
        machine: String,
    },
    /// Somebody has heard the alarm, and muted it.
    Muted,
    /// Nobody is called until then.
    MaintenanceBegan {
        /// When it ends by itself.
        until: Timestamp,
    },
    /// People are called again.
    MaintenanceEnded,
    /// A machine that had joined was forgotten.
    Revoked {
        /// Its name.
        machine: String,
    },
    /// Another configuration counts.
    Configured {
        /// Its number.
        revision: u64,
    },
    /// Files were set aside.
    Kept {
        /// How many.
        files: u64,
        /// The folder where they are.
        to: String,
    },
    /// The copy was stepped back before the backup started from it.
    SteppedBack {
        /// To what it was then.
        to: Timestamp,
    },
    /// A person has the earlier states of the copy deleted.
    HistoryForgotten,
    /// A person goes on without what a database of this machine alone held.
    GivenUp {
        /// The dataset.
        name: String,
    },
    /// A number that must never be given twice goes on elsewhere.
    Numbered {
        /// What it is called.
        name: String,
        /// The last one in the mirror.
        last: Option<u64>,
        /// Where it goes on.
        next: String,
        /// The first of those that may have been given out and are not in the mirror, and the last, where that is known.
        suspect: Option<(u64, Option<u64>)>,
    },
    /// What was set aside was looked into, record by record.
    RescueRead {
        /// Its name.
        name: String,
    },
    /// What was set aside was copied elsewhere.
    RescueExported {
        /// Its name.
        name: String,
        /// Where to.
        to: String,
    },
    /// What was set aside is about to be removed.
    RescueDeleting {
        /// Its name.
        name: String,
        /// Files in it.
        files: u64,
        /// Bytes in them.
        bytes: u64,
    },
    /// It is removed.
    RescueDeleted {
        /// Its name.
        name: String,
    },
    /// The record of who serves could not be gone on with; the proofs of epochs tell what is known.
    RecordLost {
        /// Where it is kept; nothing where it was gone.
        kept: String,
    },
    /// What was set of the numbers that must not repeat could not be read.
    NumbersLost {
        /// Where it is kept.
        kept: String,
    },
    /// The diary was damaged; a new one has begun.
    DiaryDamaged {
        /// Where the damaged one is.
        kept: String,
    },
    /// The diary cannot be written.
    DiaryFails {
        /// Why.
        error: String,
    },
    /// It can be written again.
    DiaryWorks,
}
