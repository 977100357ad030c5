//! The shop's own programs, run when something changes.

use std::time::Duration;

use super::command::Command;
use super::fault::FaultKind;
use super::reading::Table;

/// How long a hook may run: 30 seconds.
pub const HOOK_LIMIT: Duration = Duration::from_secs(30);

/// The shop's own programs. Each may be run twice for one change, and must be harmless then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hooks {
    /// Before the POS server starts; refuses it by a code other than 0.
    pub before_serve: Option<Command>,
    /// When the POS server is ready.
    pub after_serve: Option<Command>,
    /// Before the POS server stops; refuses it by a code other than 0.
    pub before_stop: Option<Command>,
    /// When the POS server has stopped.
    pub after_stop: Option<Command>,
    /// Brings what is in memory to the files, before they are captured.
    pub quiesce: Option<Command>,
    /// Ends `quiesce`.
    pub resume: Option<Command>,
    /// For every event; kept and repeated until it ends with 0.
    pub event: Option<Command>,
    /// How long each of them may run.
    pub limit: Duration,
}

impl Hooks {
    pub(super) fn read(table: &Table<'_>) -> Self {
        if let (Some(item), None) = (table.get("resume"), table.get("quiesce")) {
            item.fault(FaultKind::Needs("quiesce"));
        }
        let command = |key| table.get(key).and_then(|item| Command::read(&item));
        Self {
            before_serve: command("before_serve"),
            after_serve: command("after_serve"),
            before_stop: command("before_stop"),
            after_stop: command("after_stop"),
            quiesce: command("quiesce"),
            resume: command("resume"),
            event: command("event"),
            limit: table.span("limit", HOOK_LIMIT, Duration::from_millis(10)..=Duration::from_secs(3600)),
        }
    }
}
