//! Why the service does not do what it was asked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::finding::Hindrance;
use super::pos::Down;
pub use super::role::Role;
use super::status::OperationKind;
use crate::pair::event::Why;

/// Why the service does not do what it was asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum WhyNot {
    /// That is for the main.
    OnlyMain,
    /// Who asks may not do that.
    NotAllowed {
        /// Who may.
        needs: Role,
    },
    /// This PIN opens nothing.
    WrongPin,
    /// One process mirrors one folder here: there is no store.
    NoStore,
    /// One process mirrors one folder here: its copy is taken anew by hand.
    ByHand,
    /// The other machine is not heard.
    Unheard,
    /// It runs an older version, which does not know this.
    OtherOlder,
    /// It was lost before it answered: whether it does it is not known.
    NoAnswer,
    /// It is not heard, and the copy here is all there is.
    AllThereIs,
    /// There is no complete copy yet.
    NoCopy,
    /// Both sides are being compared.
    Comparing,
    /// The question is not asked any more.
    NotAsked {
        /// Its number.
        question: u64,
    },
    /// No machine of the store is called so.
    NoSuchMachine {
        /// What was said.
        name: String,
        /// What the backup is called.
        backup: String,
    },
    /// No machine has joined.
    NobodyJoined,
    /// The store has no terminals.
    NoTerminals,
    /// No terminal can be called so.
    NoTerminalName {
        /// What was said.
        name: String,
    },
    /// A terminal of this name has joined already.
    TerminalThere {
        /// Its name.
        name: String,
    },
    /// Terminals have just seen the other machine's POS server answer: only this machine does not hear it.
    OnlyThisLink {
        /// How many.
        saw: u64,
        /// Of so many.
        all: u64,
    },
    /// No terminal reaches this machine: it is cut off itself.
    Isolated {
        /// How many were heard before.
        all: u64,
    },
    /// The system refused something.
    System {
        /// What it said.
        error: String,
    },
    /// This is no command.
    NoCommand {
        /// What is wrong with it.
        error: String,
    },
    /// This machine serves already.
    ServesAlready,
    /// The main is the server: there is nothing to return from.
    MainServes,
    /// The main is the server: there is nothing to adopt.
    NothingToAdopt,
    /// A main is invited by the backup that serves in its place.
    OnlyInPlaceOfMain,
    /// The backup is the server: there is nothing to change to.
    BackupServes,
    /// This machine does not serve.
    ServesNot,
    /// This machine was the server, and waits to hear whether it is still.
    WasServer,
    /// This machine was not the server last.
    WasNoServer,
    /// The other machine is well.
    OtherHealthy,
    /// The copy is older than it may be.
    CopyOld {
        /// Its age in milliseconds.
        age_ms: u64,
        /// The most that it may be.
        limit_ms: u64,
    },
    /// No state of the copy is kept that is so old.
    TooLongAgo {
        /// When the oldest one was taken, where there is one.
        oldest: Option<Timestamp>,
    },
    /// A question about the copy is not answered.
    QuestionOpen,
    /// Nobody can tell whether the other machine is dead: a person must say so.
    NobodyKnows,
    /// This machine was switched off in order and has not heard the other one since: that one may serve alone, unheard.
    Parted,
    /// Another machine has this one's key: its disk is a copy, or this one's is.
    Twin,
    /// A vendor is named, and no licence of it holds here.
    NoLicence,
    /// The days of the vendor's licence are used up.
    LicenceOver,
    /// The last comparison found that the copy differs, or the disk of this machine has damaged it.
    CopyDiffers,
    /// The copy is to be compared before: the last time it differed.
    CompareFirst,
    /// A question about the copy is to be answered before.
    QuestionFirst,
    /// A person is to say where this number goes on, which must never be given twice.
    NumberAsked {
        /// What it is called.
        name: String,
        /// The last one in the mirror, where it could be read.
        last: Option<u64>,
        /// What is proposed.
        proposed: Option<String>,
    },
    /// A number that must never be given twice could not be set: the POS server is not started before it is.
    NumberNotSet {
        /// What it is called.
        name: String,
        /// Why.
        why: String,
    },
    /// A database could not be read back from its dump: the POS server is not started before it is.
    NotRestored {
        /// The dataset.
        name: String,
        /// Why.
        why: String,
    },
    /// A database could not be dumped: what it holds would be lost.
    NotDumped {
        /// The dataset.
        name: String,
        /// Why.
        why: String,
    },
    /// What a database alone held could not be set aside: it would be lost.
    NotAside {
        /// The dataset.
        name: String,
        /// Why.
        why: String,
    },
    /// Nothing of that dataset waits to be set aside.
    NothingToGiveUp {
        /// Its name.
        name: String,
    },
    /// It cannot go on behind a number that a person gives.
    NumberGiven {
        /// What was to go on.
        name: String,
        /// Behind this one.
        number: u64,
        /// The last one that is known; none where no number is called so.
        last: Option<u64>,
    },
    /// Nothing waits for a number to be set by hand.
    NoNumberWaits,
    /// No POS server program is set.
    NoServer,
    /// The POS server program cannot be started here.
    ServerHindered {
        /// The program or unit.
        what: String,
        /// What stands in the way.
        why: Hindrance,
    },
    /// The two machines have different versions of the POS server program.
    ServerVersions {
        /// The one here.
        ours: String,
        /// The one there.
        theirs: String,
    },
    /// There is no room on the disk.
    NoRoom {
        /// Bytes that are free.
        free_bytes: u64,
        /// Bytes that should be.
        needed_bytes: u64,
    },
    /// Another operation runs.
    Busy {
        /// Which.
        kind: OperationKind,
    },
    /// A change of server is under way on this machine.
    TurnsAlready,
    /// Nothing of that kind runs.
    NothingRuns,
    /// It is too late to cancel it.
    TooLate,
    /// The other machine was heard meanwhile: it serves.
    ServerLives,
    /// The other machine could not be brought level in time: this one goes on as the server.
    NotLevel {
        /// Milliseconds that the POS server stood still for it at the most.
        limit_ms: u64,
    },
    /// A hook does not let the POS server be stopped.
    StopRefused,
    /// A dataset is not mirrored any more: its copy may lack something.
    DatasetLacks {
        /// Its name.
        name: String,
        /// Why.
        why: String,
    },
    /// A dataset is not mirrored any more: it is to be taken up again before.
    DatasetStopped {
        /// Its name.
        name: String,
        /// Why.
        why: String,
    },
    /// No dataset is called so.
    NoSuchDataset {
        /// What was said.
        name: String,
    },
    /// A dataset needs not be taken up again: it has not stopped.
    GoesOn {
        /// Its name.
        name: String,
    },
    /// The POS server did not begin to answer.
    ServerDown {
        /// Why, where that is known.
        why: Option<Down>,
    },
    /// A drill is not held, or went wrong.
    Drill(NoDrill),
    /// The other machine's POS server did not begin to answer: it has given its place back.
    HandedBack,
    /// A person has cancelled it.
    Cancelled {
        /// Who.
        by: String,
    },
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

/// Why a drill is not held, or went wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "drill")]
pub enum NoDrill {
    /// The POS server answered, and the sale that was tried was not possible.
    NoSale {
        /// What the system said, where it could not even be tried.
        error: Option<String>,
    },
    /// The POS server cannot be started apart from the network, and no other way is set.
    NotApart,
    /// A drill starts the POS server on the machine that mirrors.
    OnlyMirror,
    /// What was read back for it could not be removed.
    Left {
        /// The dataset.
        name: String,
        /// Why.
        why: String,
    },
    /// Something else is more urgent now.
    GivenUp,
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

impl WhyNot {
    /// How it is kept in the diary: a word, where that says all.
    #[must_use]
    pub fn stored(&self) -> String {
        let said = serde_json::to_value(self).unwrap_or_default();
        said.get("is")
            .filter(|_| said.as_object().is_some_and(|all| all.len() == 1))
            .map_or_else(|| said.to_string(), |is| is.as_str().unwrap_or_default().to_owned())
    }
}

impl From<Why> for WhyNot {
    fn from(why: Why) -> Self {
        match why {
            Why::Serves => Self::ServesAlready,
            Why::ServesNot => Self::ServesNot,
            Why::Busy => Self::TurnsAlready,
            Why::NotTheHolder => Self::WasNoServer,
            Why::ServerLives => Self::ServerLives,
        }
    }
}
