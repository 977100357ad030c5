//! The POS terminals that the agent serves.

use std::time::Duration;

use super::fault::{FaultKind, Wanted};
use super::machine::Machines;
use super::reading::{Item, Seen, Table};
use super::server::{READY_TIMEOUT, STOP_TIMEOUT, Servers};

/// The port at which both machines take terminals where nothing else is said.
pub const NOTICE_PORT: u16 = 8009;

/// A machine that is alone is so for at least so long before its POS server may be stopped.
const LEAST_ALONE: Duration = Duration::from_secs(10);
/// And at the most.
const MOST_ALONE: Duration = Duration::from_secs(24 * 3600);

/// What the agents on the POS terminals do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terminals {
    /// The ports on each terminal that lead to the same ports of whoever serves. Without any the agent only votes and takes
    /// notices.
    pub ports: Vec<u16>,
    /// The port of both machines at which terminals tell what they see, and hear who serves.
    pub notice_port: u16,
    /// How long a terminal holds what is asked while the server changes.
    pub hold: Duration,
    /// The machine that does not serve keeps its POS ports shut for everyone.
    pub deactivate: bool,
    /// A machine that serves, and has seen neither the other one nor any terminal for so long, stops its POS server.
    pub isolated_stop: Option<Duration>,
}

impl Terminals {
    /// Reads `[terminals]`, if there is one.
    pub(super) fn read(root: &Table<'_>, machines: Option<&Machines>, servers: Option<&Servers>) -> Option<Self> {
        let table = root.section("terminals");
        let notice = table.get("notice_port");
        let (mut ports, mut seen) = (vec![], Seen::default());
        let notice_port = notice.as_ref().and_then(Item::port).unwrap_or(NOTICE_PORT);
        for item in table.get("ports").and_then(|ports| ports.items(Wanted::Numbers)).into_iter().flatten() {
            let Some(port) = item.port() else { continue };
            seen.note(&item, &port.to_string());
            // On a till that is also the backup all of them stand on one machine.
            taken(&item, port, machines);
            if port == notice_port {
                item.fault(FaultKind::PortTaken("terminals.notice_port"));
            }
            ports.push(port);
        }
        if let Some(item) = &notice {
            taken(item, notice_port, machines);
        }
        let usual = servers.map_or(STOP_TIMEOUT + READY_TIMEOUT, Servers::longest_change);
        let hold = table.span("hold", usual, Duration::ZERO..=Duration::from_secs(2 * 3600));
        let deactivate = table.get("deactivate").and_then(|item| item.yes()).unwrap_or(false);
        let isolated_stop = table.get("isolated_stop").and_then(|item| item.span(LEAST_ALONE..=MOST_ALONE));
        table.is_there().then_some(Self { ports, notice_port, hold, deactivate, isolated_stop })
    }
}

fn taken(item: &Item<'_>, port: u16, machines: Option<&Machines>) {
    let Some(machines) = machines else { return };
    for (key, machine) in [("main.address", &machines.main), ("backup.address", &machines.backup)] {
        if machine.address.port() == port {
            return item.fault(FaultKind::PortTaken(key));
        }
    }
}
