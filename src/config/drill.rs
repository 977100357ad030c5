//! The drill: whether the POS server would start on the backup.

use std::time::Duration;

use super::command::Command;
use super::fault::FaultKind;
use super::reading::Table;
use super::server::{Check, READY_TIMEOUT};

/// A drill that is older than this is worth a hint: 30 days.
pub const EVERY: Duration = Duration::from_secs(30 * 86_400);
/// How long the sale may take: 60 seconds.
pub const SALE_LIMIT: Duration = Duration::from_secs(60);

/// How a drill is held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drill {
    /// Starts the POS server on another port; `None`: as `[server]` does, which needs a system that cuts it off from the network.
    pub command: Option<Command>,
    /// When that is ready; given with `command`.
    pub ready: Option<Check>,
    /// Tries a sale: it ends with 0 where that was possible.
    pub sale: Option<Command>,
    /// How long the sale may take.
    pub sale_limit: Duration,
    /// How old a drill may be before a person is reminded.
    pub every: Duration,
}

impl Drill {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let command = table.get("command");
        let ready = table.get("ready");
        match (&command, &ready) {
            (Some(command), None) => command.fault(FaultKind::Needs("ready")),
            (None, Some(ready)) => ready.fault(FaultKind::Needs("command")),
            _ => {}
        }
        let second = Duration::from_secs(1);
        Self {
            command: command.and_then(|item| Command::read(&item)),
            ready: ready.and_then(|item| Check::read(Some(&item), READY_TIMEOUT, None)),
            sale: table.get("sale").and_then(|item| Command::read(&item)),
            sale_limit: table.span("sale_limit", SALE_LIMIT, second..=Duration::from_secs(3600)),
            every: table.span("every", EVERY, Duration::from_secs(3600)..=Duration::from_secs(3650 * 86_400)),
        }
    }
}
