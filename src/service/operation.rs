//! An operation: a stored job with steps, that goes on whatever becomes of who asked for it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::pair::Node;

/// Who asks for what is done by itself.
pub const NOBODY: &str = "espejo (auto)";

/// A stored job with steps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Operation {
    /// Its number in the diary.
    pub id: u64,
    /// What it is.
    pub kind: OperationKind,
    /// How it stands.
    pub state: OperationState,
    /// The step that runs, from 1.
    pub step: u32,
    /// How many steps it has; 0 when that is not known yet.
    pub steps: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// Who asked for it.
    pub by: String,
    /// Why, in the words of who asked.
    pub reason: Option<String>,
    /// Why it was refused or failed.
    pub why_not: Vec<String>,
    /// Bytes compared or moved so far.
    pub done_bytes: u64,
    /// Bytes to compare or move.
    pub total_bytes: u64,
    /// When it ended.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// The machine that does it, where that is known.
    #[serde(default)]
    pub node: Option<Node>,
    /// When each step that is done ended, the first step first.
    #[serde(default)]
    pub steps_at: Vec<Timestamp>,
    /// How long the POS server may stand still for it, where that is limited.
    #[serde(default)]
    pub limit_ms: Option<u64>,
    /// It can be cancelled still.
    #[serde(default)]
    pub can_cancel: bool,
    /// How long the POS server took until it answered, where that was a drill.
    #[serde(default)]
    pub ready_ms: Option<u64>,
}

/// What an operation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationKind {
    /// Compare every byte of both sides.
    Verify,
    /// Throw the copy away and take it anew.
    Reseed,
    /// Start the backup server.
    Promote,
    /// Return to the main server.
    Return,
    /// Change to the backup server, as planned: nothing is lost.
    Switch,
    /// Go on as the server, after a cold start that nobody could confirm.
    Start,
    /// Adopt the backup that serves as the main, for good: the other machine becomes the backup.
    Adopt,
    /// Start the POS server on a copy of the mirror, and take it down.
    Drill,
}

/// How an operation stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationState {
    /// It goes on, whatever becomes of who asked.
    Running,
    /// It did what it should.
    Done,
    /// It was not begun, for every reason in `why_not`.
    Refused,
    /// It could not be ended; `why_not` says what to do.
    Failed,
}

impl OperationKind {
    /// Whether the machine that serves gives its place away, and sends all that there is before.
    #[must_use]
    pub fn gives(self) -> bool {
        matches!(self, Self::Return | Self::Switch)
    }

    /// The machine that becomes the server by it, where that is always the same.
    #[must_use]
    pub fn taker(self) -> Option<Node> {
        match self {
            Self::Promote | Self::Switch => Some(Node::Backup),
            Self::Return => Some(Node::Main),
            Self::Start | Self::Adopt | Self::Verify | Self::Reseed | Self::Drill => None,
        }
    }
}

impl Operation {
    /// Whether it was begun by itself: nobody has read then how it ended.
    #[must_use]
    pub fn is_by_itself(&self) -> bool {
        self.by == NOBODY
    }

    /// One that begins now.
    #[must_use]
    pub fn begun(id: u64, kind: OperationKind, by: &str, now: Timestamp) -> Self {
        Self {
            id,
            kind,
            state: OperationState::Running,
            step: 1,
            steps: match kind {
                OperationKind::Verify => 1,
                // Thrown away; taken anew.
                OperationKind::Reseed => 2,
                turn => u32::try_from(turn.steps().len()).unwrap_or(0),
            },
            started_at: now,
            by: by.to_owned(),
            reason: None,
            why_not: vec![],
            done_bytes: 0,
            total_bytes: 0,
            ended_at: None,
            node: None,
            steps_at: vec![],
            limit_ms: None,
            can_cancel: false,
            ready_ms: None,
        }
    }

    /// It cannot be ended any more.
    pub fn fail(&mut self, why: &str, now: Timestamp) {
        self.why_not.push(why.to_owned());
        self.end(OperationState::Failed, now);
    }

    pub(super) fn end(&mut self, state: OperationState, now: Timestamp) {
        (self.state, self.ended_at) = (state, Some(now));
        if state == OperationState::Done {
            (self.step, self.done_bytes) = (self.steps, self.total_bytes);
        }
    }

    /// Joins how it stands with another dataset: it has ended when it has with all.
    pub fn join(&mut self, theirs: &Self) {
        self.done_bytes += theirs.done_bytes;
        self.total_bytes += theirs.total_bytes;
        self.why_not.extend(theirs.why_not.iter().cloned());
        self.step = self.step.min(theirs.step);
        self.ended_at = self.ended_at.zip(theirs.ended_at).map(|(a, b)| a.max(b));
        self.state = match (self.state, theirs.state) {
            (OperationState::Running, _) | (_, OperationState::Running) => OperationState::Running,
            (OperationState::Failed, _) | (_, OperationState::Failed) => OperationState::Failed,
            (OperationState::Refused, _) | (_, OperationState::Refused) => OperationState::Refused,
            (OperationState::Done, OperationState::Done) => OperationState::Done,
        };
    }
}
