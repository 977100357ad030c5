//! What a person may do: roles, and which one each command needs.

use serde::{Deserialize, Serialize};

use super::command::Command;

/// What a person may do; each may do what those before it may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sees everything.
    Viewer,
    /// Acts: starts, returns, compares, answers, mutes.
    Operator,
    /// Changes who belongs to the store, throws copies away, and opens what is locked.
    Support,
}

impl Role {
    /// Its name, as it is set and told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Support => "support",
        }
    }
}

impl Command {
    /// The role that may ask for it.
    #[must_use]
    pub fn needs(&self) -> Role {
        match self {
            Self::Status | Self::Watch | Self::Who | Self::Pin { .. } | Self::Check { .. } => Role::Viewer,
            Self::Promote { unlock: true, .. }
            | Self::Adopt { .. }
            | Self::Reseed { .. }
            | Self::ForgetHistory { .. }
            | Self::GiveUpAside { .. }
            | Self::Invite { .. }
            | Self::InviteTerminal { .. }
            | Self::Revoke { .. }
            | Self::Stop { .. } => Role::Support,
            Self::Verify { .. }
            | Self::Drill { .. }
            | Self::Promote { .. }
            | Self::Return { .. }
            | Self::Switch { .. }
            | Self::Start { .. }
            | Self::Cancel { .. }
            | Self::Copy { .. }
            | Self::NumbersSet { .. }
            | Self::Answer { .. }
            | Self::Maintenance { .. }
            | Self::Message { .. }
            | Self::Mute { .. } => Role::Operator,
        }
    }

    /// Who asks, as the record will have it; none where it leaves no trace.
    pub fn by_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Status | Self::Watch | Self::Who | Self::Pin { .. } | Self::Check { .. } => None,
            Self::Verify { by }
            | Self::Drill { by }
            | Self::Promote { by, .. }
            | Self::Return { by, .. }
            | Self::Switch { by, .. }
            | Self::Adopt { by, .. }
            | Self::Start { by }
            | Self::Cancel { by }
            | Self::Copy { by, .. }
            | Self::NumbersSet { by }
            | Self::Answer { by, .. }
            | Self::Maintenance { by, .. }
            | Self::Mute { by }
            | Self::Reseed { by }
            | Self::ForgetHistory { by }
            | Self::GiveUpAside { by, .. }
            | Self::Invite { by, .. }
            | Self::InviteTerminal { by, .. }
            | Self::Message { by, .. }
            | Self::Revoke { by, .. }
            | Self::Stop { by } => Some(by),
        }
    }
}
