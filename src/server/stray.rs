//! The program where it should not run: on a machine that does not serve.

use std::time::Duration;

use super::record::Record;
use super::unit::{self, Activity};
use super::{Setup, ask};
use crate::config::address::Address;
use crate::config::probe::Probe;
use crate::config::server::Start;

/// How long is waited for who may answer.
const LIMIT: Duration = Duration::from_millis(500);

/// What runs though it should not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stray {
    /// A process that this program started once.
    Process(i32),
    /// The unit.
    Unit(String),
    /// Someone answers where the program would.
    Port(String),
}

/// Whether the program runs on this machine, whoever started it.
#[must_use]
pub fn find(setup: &Setup) -> Option<Stray> {
    if let Some(record) = Record::load(&setup.home) {
        return Some(Stray::Process(record.mark.pid));
    }
    if let Start::Unit(unit) = &setup.server.start
        && unit::activity(unit.as_str()) == Activity::Active
    {
        return Some(Stray::Unit(unit.as_str().to_owned()));
    }
    let port = setup.server.ready.probe.as_ref().and_then(Probe::address).filter(|_| setup.port_is_its_own)?;
    (port.is_local() && ask::listens(port, LIMIT)).then(|| Stray::Port(Address::to_string(port)))
}
