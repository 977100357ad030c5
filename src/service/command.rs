//! What can be asked of the service: by the screen, by a verb, over the control socket.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::refusal::WhyNot;
use super::role::Role;
use super::status::Status;
use crate::pair::Node;

/// What can be asked of the service. On the control socket: one JSON object a line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "command")]
pub enum Command {
    /// Say how it stands, once.
    Status,
    /// Say how it stands, now and after every change, until the line is closed.
    Watch,
    /// Say what who asks may do.
    Who,
    /// Let who asks do what this PIN opens, on this connection.
    Pin {
        /// As it was typed.
        pin: String,
    },
    /// Compare every byte of both sides; joins the comparison that runs.
    Verify {
        /// Who asks.
        by: String,
    },
    /// Start the POS server on a copy of the mirror, to see that it starts; joins the drill that runs.
    Drill {
        /// Who asks.
        by: String,
    },
    /// Throw the copy away and take it anew.
    Reseed {
        /// Who asks.
        by: String,
    },
    /// Delete the earlier states of the copy on this machine.
    ForgetHistory {
        /// Who asks.
        by: String,
    },
    /// Go on without what a database of this machine alone holds, which cannot be set aside.
    GiveUpAside {
        /// The dataset.
        name: String,
        /// Who asks.
        by: String,
    },
    /// Start the backup server: this machine serves from now on.
    Promote {
        /// Who asks.
        by: String,
        /// Nobody can tell whether the main is dead, and a person says that it is.
        yes: bool,
        /// An old copy is good enough, and a question need not be answered.
        accept_loss: bool,
        /// The support has looked: what the terminals say locks nothing.
        #[serde(default)]
        unlock: bool,
        /// Why, in the words of who asks.
        reason: Option<String>,
        /// Where numbers go on, behind which one, by their names.
        #[serde(default)]
        numbers: Vec<(String, u64)>,
        /// From an earlier state of the copy.
        #[serde(default)]
        as_of: Option<Timestamp>,
    },
    /// The numbers that must not repeat were set by hand: the POS server may start.
    NumbersSet {
        /// Who says so.
        by: String,
    },
    /// Return to the other machine: it serves from now on.
    Return {
        /// Who asks.
        by: String,
        /// Why, in the words of who asks.
        reason: Option<String>,
    },
    /// Take a dataset up again that has stopped, on either machine.
    Copy {
        /// Its name.
        name: String,
        /// Who asks.
        by: String,
    },
    /// Change to the backup: it serves from now on, and nothing is lost.
    Switch {
        /// Who asks.
        by: String,
        /// Why, in the words of who asks.
        reason: Option<String>,
    },
    /// Adopt the backup that serves as the main, for good.
    Adopt {
        /// Who asks.
        by: String,
        /// Why, in the words of who asks.
        reason: Option<String>,
    },
    /// Go on as the server, though nobody could confirm that.
    Start {
        /// Who asks.
        by: String,
    },
    /// Cancel the return that runs.
    Cancel {
        /// Who asks.
        by: String,
    },
    /// Answer a question.
    Answer {
        /// Its number.
        question: u64,
        /// Whether the change is to be taken over into the mirror.
        accept: bool,
        /// Who answers.
        by: String,
    },
    /// Examine this machine, or the other one.
    Check {
        /// The other one.
        far: bool,
    },
    /// Let another machine join: give a code for it.
    Invite {
        /// What it is to be: its home role.
        #[serde(default = "backup")]
        role: Node,
        /// Who asks.
        by: String,
    },
    /// Let a terminal join: give a code for it.
    InviteTerminal {
        /// What it is called.
        name: String,
        /// Who asks.
        by: String,
    },
    /// Have the people at all terminals read this.
    Message {
        /// The text.
        text: String,
        /// Who asks.
        by: String,
    },
    /// Forget the machine or terminal that has joined.
    Revoke {
        /// Its name, or its home role.
        name: String,
        /// Who asks.
        by: String,
    },
    /// Call nobody, and do nothing by itself, for so long; or again.
    Maintenance {
        /// For so many seconds; none: it ends now.
        seconds: Option<u64>,
        /// Who asks.
        by: String,
    },
    /// Silence the alarm until something else is wrong.
    Mute {
        /// Who asks.
        by: String,
    },
    /// End the service in order.
    Stop {
        /// Who asks.
        by: String,
    },
}

impl Command {
    /// Whether only the machine that serves can do it: another one asks that one.
    #[must_use]
    pub fn is_for_server(&self) -> bool {
        matches!(self, Self::Return { .. } | Self::Switch { .. } | Self::Adopt { .. } | Self::Cancel { .. })
    }
}

fn backup() -> Node {
    Node::Backup
}

/// What the service answers. On the control socket: one JSON object a line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reply")]
pub enum Reply {
    /// How it stands.
    Status(Box<Status>),
    /// The operation with this number runs, or runs already: its end is seen in the status.
    Running {
        /// Its number.
        operation: u64,
    },
    /// What was examined, and found.
    Checked {
        /// In the order of the machine that was examined.
        findings: Vec<Finding>,
    },
    /// A machine that knows this code may join.
    Code {
        /// The code.
        code: String,
        /// The address that it is to be said to.
        address: String,
        /// Seconds for which it is good.
        seconds: u64,
    },
    /// Who asks may do this.
    Who {
        /// The role.
        role: Role,
    },
    /// It is done.
    Done,
    /// It is not done; every reason.
    Refused {
        /// Why not.
        why: Vec<WhyNot>,
    },
}
