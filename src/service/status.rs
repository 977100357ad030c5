//! How it stands: the one value that every screen, script and remote reader gets.
//!
//! It is `espejo status --json` to the letter of the outer contract. Durations are milliseconds in fields that end in `_ms`,
//! sizes are bytes in fields that end in `_bytes`, instants are UTC. What the contract does not name comes at the end.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use super::call::Call;
pub use super::device::Device;
pub use super::doubt::Doubt;
pub use super::drilled::Drilled;
use super::event::Event;
use super::known;
pub use super::numbering::{CounterStatus, Found, Next, Numbered};
pub use super::operation::{Operation, OperationKind, OperationState};
pub use super::plan::{Check, Checked, Consent, Lack, Loss, Plan, Step};
pub use super::pos::{Down, Pos, Stray};
pub use super::terminals::terminal::Terminal;
pub use super::trouble::{Alarm, Ask, LicenceTrouble, Question, Trouble};
pub use super::unmet::{Older, Unmet};
use crate::pair::{Duty, Epoch, Node};
use crate::replica::{Grade, Kind, Position};

/// How it stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The store's name; for a mirror without a store, the name of the folder.
    pub store: String,
    /// Which machine this is, by its home role.
    pub node: Node,
    /// The version of the program that says this.
    pub version: String,
    /// When this was said.
    pub at: Timestamp,
    /// What this machine does now.
    pub duty: Duty,
    /// The epoch that is in force.
    pub epoch: Epoch,
    /// The machine that took that epoch.
    pub holder: Node,
    /// The other machine.
    pub peer: Peer,
    /// The POS server program on this machine.
    pub server: Server,
    /// The copy.
    pub mirror: Mirror,
    /// Each dataset of the copy.
    pub datasets: Vec<Dataset>,
    /// What is known of the main.
    pub verdict: Verdict,
    /// Whether this machine could take over now.
    pub can_take_over: TakeOver,
    /// The backup licence.
    pub licence: Licence,
    /// The POS terminals.
    pub terminals: Vec<Terminal>,
    /// The operation that runs or ran last.
    #[serde(deserialize_with = "known::one")]
    pub operation: Option<Operation>,
    /// No alarms, nothing automatic.
    pub maintenance: bool,
    /// What is wrong, the worst first.
    #[serde(deserialize_with = "known::all")]
    pub alarms: Vec<Alarm>,
    /// What waits for a person's answer.
    #[serde(deserialize_with = "known::all")]
    pub questions: Vec<Question>,
    /// The two folders, where one process mirrors one into the other.
    pub folders: Option<Folders>,
    /// The names of the two machines of a store.
    #[serde(default)]
    pub machines: Option<Machines>,
    /// Whom to ask.
    #[serde(default)]
    pub support: Option<Support>,
    /// What happened last, the newest last; at most [`EVENTS`].
    #[serde(deserialize_with = "known::all")]
    pub events: Vec<Event>,
    /// More of the POS server program on this machine; none where none is set.
    #[serde(default)]
    pub pos: Option<Pos>,
    /// Whether a person is called to this machine.
    #[serde(default)]
    pub call: Call,
    /// The last operations that this machine knows of, the newest last; at most [`HISTORY`].
    #[serde(default, deserialize_with = "known::all")]
    pub history: Vec<Operation>,
    /// What this machine alone holds is not set aside yet, though another one has taken its place.
    #[serde(default)]
    pub strays: bool,
    /// What each change of server that concerns this machine would do now; empty where one process mirrors one folder.
    #[serde(default, deserialize_with = "known::all")]
    pub plans: Vec<Plan>,
    /// The maintenance that is under way; none where none is.
    #[serde(default)]
    pub maintained: Option<Maintenance>,
    /// In how many milliseconds this machine gives the main its place by itself, where it is about to.
    #[serde(default)]
    pub returns_in_ms: Option<u64>,
    /// In how many milliseconds the backup starts by itself, where that is waited for.
    #[serde(default)]
    pub starts_in_ms: Option<u64>,
    /// What both machines must reach.
    #[serde(default)]
    pub devices: Vec<Device>,
    /// Datasets that have stopped by themselves, on either machine, while others go on.
    #[serde(default)]
    pub stalled: Vec<Stalled>,
    /// Numbers that must never be given twice, as the mirror of this machine has them.
    #[serde(default, deserialize_with = "known::all")]
    pub counters: Vec<CounterStatus>,
    /// Those that were set as this machine started as the backup, the newest last.
    #[serde(default, deserialize_with = "known::all")]
    pub numbered: Vec<Numbered>,
    /// How far numbers went that must not repeat, on a machine that was the server and came back.
    #[serde(default)]
    pub found: Vec<Found>,
    /// Earlier states of the copy that a start can be made from, some of them, the newest first.
    #[serde(default)]
    pub states: Vec<Timestamp>,
    /// How the last drill ended.
    #[serde(default)]
    pub drilled: Option<Drilled>,
}

/// Until when nobody is called, and nothing is done by itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Maintenance {
    /// Until then.
    pub until: Timestamp,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// When a person last ended one: what was changed until then was meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meant: Option<Timestamp>,
}

/// A dataset that has stopped by itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stalled {
    /// Its name.
    pub dataset: String,
    /// The machine on which it has stopped.
    pub node: Node,
    /// Why.
    pub why: String,
}

/// How many events a [`Status`] carries at the most.
pub const EVENTS: usize = 50;

/// How many operations a [`Status`] carries at the most.
pub const HISTORY: usize = 50;

/// The names of the two machines of a store, by their home roles.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Machines {
    /// The one that serves on ordinary days.
    pub main: String,
    /// The one that keeps the mirror.
    pub backup: String,
}

/// Whom to ask, on every screen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Support {
    /// What they are called.
    pub name: Option<String>,
    /// How they are reached.
    pub telephone: Option<String>,
}

/// The two folders of `espejo mirror`, as people read them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Folders {
    /// What is mirrored.
    pub source: String,
    /// Where the mirror is.
    pub dest: String,
}

/// The other machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Peer {
    /// Whether it is heard.
    pub state: PeerState,
    /// How long ago it was heard.
    pub heard_ago_ms: Option<u64>,
    /// The time to it and back.
    pub round_trip_ms: Option<u64>,
    /// What it does now.
    pub duty: Option<Duty>,
    /// Its POS server program.
    pub server: Option<Server>,
    /// Why the two do not talk, where that is known and they do not.
    #[serde(default)]
    pub unmet: Option<Unmet>,
    #[serde(default)]
    /// Of a hundred heartbeats in the last minute, how many were lost.
    pub loss_percent: u8,
    #[serde(default)]
    /// Heartbeats that were heard in each of the last seconds, the oldest first; empty where there are none.
    pub history: Vec<u8>,
}

/// Whether the other machine is heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeerState {
    /// As often as it should be.
    Healthy,
    /// Later than it should be.
    Late,
    /// Not any more.
    Lost,
    /// Never yet.
    Unknown,
}

/// The POS server program of one machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Server {
    /// It does not run.
    Stopped,
    /// It was started and does not answer yet.
    Starting,
    /// It answers.
    Ready,
    /// It runs and does not answer.
    Failing,
}

/// The copy.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Mirror {
    /// The last generation that is durable here.
    pub position: Position,
    /// Age of the oldest change that is not durable here.
    pub behind_ms: u64,
    /// Bytes of the changes that are known and not durable here.
    pub behind_bytes: u64,
    /// Files that they are in.
    #[serde(default)]
    pub behind_files: u64,
    /// The sender is not heard: `behind_ms` is the least that it can be.
    pub behind_at_least: bool,
    /// How sure the last generation is; none before the first.
    pub grade: Option<Grade>,
    /// What is being copied.
    pub copying: Option<Copying>,
    /// Age of the last sign that the whole way works: once a cycle a canary goes the way that changes go.
    #[serde(default)]
    pub sign_ago_ms: Option<u64>,
    /// Age of the last change that came.
    pub last_change_ago_ms: Option<u64>,
    /// When every byte of both sides was last compared and found equal.
    pub verified_at: Option<Timestamp>,
    /// The mirror holds what its source held then, by the source's clock.
    pub as_of: Option<Timestamp>,
    /// What the copy does now.
    pub phase: Phase,
    /// It has had everything that there was when the service began.
    pub caught_up: bool,
}

/// What the copy does now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The two halves are getting to know each other; a journal may be put in order.
    #[default]
    Opening,
    /// The first copy: there is nothing yet that could be used.
    FirstCopy,
    /// Following: each change as it comes.
    Following,
    /// Comparing every byte of both sides.
    Verifying,
    /// Cannot go on by itself: an alarm or a question says why.
    Stopped,
}

/// The file that is being copied: `05 POS-Q.Seq`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Copying {
    /// The ordinal of the file within the generation, from 1.
    pub number: u32,
    /// Its name within the dataset, as people may read it.
    pub file: String,
    /// Bytes of it that came.
    pub done_bytes: u64,
    /// Bytes of it that will have come.
    pub total_bytes: u64,
    /// Files in the generation; 0 while a first copy does not know yet.
    pub files: u32,
}

/// One dataset of the copy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// The kinds of the files in it.
    pub kinds: Vec<Kind>,
    /// How sure its last generation is; none before the first.
    pub grade: Option<Grade>,
    /// Files in it.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// When something in it last changed here.
    pub changed_at: Option<Timestamp>,
    /// Files that could not be read at the last capture, by name.
    pub unreadable: Vec<String>,
    /// What is there and is not copied, since it is no file, folder or link.
    pub special: Vec<String>,
    /// Something in it never held still for long enough, since then.
    pub unsteady_since: Option<Timestamp>,
    /// Databases in it that can only be captured as plain files.
    #[serde(default)]
    pub plain: Vec<String>,
    /// Of a database that is mirrored by dumps: when the one in the mirror was begun.
    #[serde(default)]
    pub dumped_at: Option<Timestamp>,
}

/// What is known of the main.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is heard and its POS server is ready.
    Healthy,
    /// The machine answers, its POS server does not.
    ServerStopped,
    /// Nobody reaches it.
    MainDown,
    /// Only this machine does not reach it.
    OnlyThisLink,
    /// This machine reaches nobody.
    Isolated,
    /// Nobody can tell.
    Unknown,
}

/// Whether this machine could take over now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TakeOver {
    /// Whether it could.
    pub yes: bool,
    /// Since when the answer is the same.
    pub since: Timestamp,
    /// What stands against it.
    pub reasons: Vec<Reason>,
}

/// One thing that stands against taking over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reason {
    /// What was examined, as a word that stays the same in all versions.
    pub check: String,
    /// What was found.
    pub value: String,
    /// What it would have to be.
    pub limit: String,
    /// What to do, as a word that stays the same in all versions.
    #[serde(rename = "do")]
    pub remedy: String,
}

/// The backup licence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Licence {
    /// How it stands.
    pub state: LicenceState,
    /// What is left of it.
    pub remaining_ms: u64,
    /// When it ends or has ended, while the backup serves.
    pub ends_at: Option<Timestamp>,
    /// What there was of it when nothing was used; none where there is none.
    #[serde(default)]
    pub whole_ms: Option<u64>,
}

/// How the backup licence stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LicenceState {
    /// There is none.
    Missing,
    /// It begins when the backup starts.
    Ready,
    /// The backup serves on it.
    Running,
    /// It is used up.
    Expired,
}
