//! The program as it runs: a group of processes that this program started, or a unit of the system.

use std::os::unix::process::CommandExt;
use std::process::Stdio;

use rustix::process::Signal as Sign;

use super::record::{self, Mark, Record};
use super::unit::{self, Activity};
use super::{Setup, Why};
use crate::config::server::{Signal, Start};
use crate::os;

/// The program as it runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// The leader of a group of processes.
    Group(Mark),
    /// A unit of the system.
    Unit(String),
}

/// Whether it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    /// It does.
    Lives,
    /// It has ended, with this code where it is known. Of its group something may be left.
    Ended(Option<i32>),
}

impl Body {
    /// Starts it. It is on record before this returns.
    pub fn start(setup: &Setup, output: std::fs::File) -> Result<Self, Why> {
        let command = match &setup.server.start {
            Start::Unit(unit) => {
                unit::refuse_enabled(unit.as_str())?;
                unit::start(unit.as_str())?;
                return Ok(Self::Unit(unit.as_str().to_owned()));
            }
            Start::Command(command) => command,
        };
        let cannot =
            |error: std::io::Error| Why::CannotStart { what: command.program().to_owned(), error: error.to_string() };
        let mut filled = setup.command(command);
        filled.env(record::VARIABLE, &setup.home);
        let errors = output.try_clone().map_err(cannot)?;
        // A group of its own: what is sent to this program, such as Ctrl-C, is not for it.
        let child =
            filled.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0).spawn().map_err(cannot)?;
        os::point!("turn.program-begun");
        let pid = i32::try_from(child.id()).unwrap_or_default();
        // One that has ended already is there until it is asked for.
        let mark = Mark::of(pid).unwrap_or(Mark { pid, started: 0 });
        if let Err(error) = Record::new(mark, setup).save(&setup.home) {
            os::signal_group(pid, Sign::KILL);
            return Err(cannot(error));
        }
        Ok(Self::Group(mark))
    }

    /// What runs of it since before, whoever started it; none where nothing does.
    #[must_use]
    pub fn found(setup: &Setup) -> Option<(Self, bool)> {
        match &setup.server.start {
            Start::Unit(unit) if unit::activity(unit.as_str()) == Activity::Active => {
                Some((Self::Unit(unit.as_str().to_owned()), true))
            }
            Start::Unit(_) | Start::Command(_) => {
                let record = Record::load(&setup.home).or_else(|| Record::lost(&setup.home))?;
                let is_whole = record.is_of(setup) && record.mark.lives();
                Some((Self::Group(record.mark), is_whole))
            }
        }
    }

    /// Whether it runs. How it ended is asked with [`Body::life`].
    #[must_use]
    pub fn lives(&self) -> bool {
        match self {
            Self::Group(mark) => mark.lives(),
            Self::Unit(unit) => unit::activity(unit) == Activity::Active,
        }
    }

    /// Whether it runs. How it ended is told once.
    #[must_use]
    pub fn life(&self) -> Life {
        match self {
            Self::Group(mark) => match os::ended(mark.pid) {
                Some(code) => Life::Ended(Some(code)),
                None if mark.lives() => Life::Lives,
                None => Life::Ended(None),
            },
            Self::Unit(unit) => match unit::activity(unit) {
                Activity::Active => Life::Lives,
                Activity::Inactive => Life::Ended(None),
            },
        }
    }

    /// Whether nothing of it runs any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        match self {
            Self::Group(mark) => {
                let _ = os::ended(mark.pid);
                mark.group().is_empty()
            }
            Self::Unit(unit) => unit::activity(unit) == Activity::Inactive,
        }
    }

    /// Asks it to end.
    pub fn ask_to_end(&self, signal: Signal) {
        match self {
            Self::Group(mark) => {
                os::signal_group(mark.pid, sign(signal));
                // One that was held goes on, or it would never hear.
                os::signal_group(mark.pid, Sign::CONT);
            }
            Self::Unit(unit) => {
                if let Err(why) = unit::stop(unit) {
                    tracing::warn!(%why, "the POS server's unit could not be stopped");
                }
            }
        }
    }

    /// Ends all of it at once.
    pub fn kill(&self) {
        match self {
            Self::Group(mark) => os::signal_group(mark.pid, Sign::KILL),
            Self::Unit(unit) => unit::kill(unit),
        }
    }
}

fn sign(signal: Signal) -> Sign {
    match signal {
        Signal::Term => Sign::TERM,
        Signal::Int => Sign::INT,
        Signal::Quit => Sign::QUIT,
        Signal::Hup => Sign::HUP,
        Signal::Usr1 => Sign::USR1,
        Signal::Usr2 => Sign::USR2,
        Signal::Kill => Sign::KILL,
    }
}
