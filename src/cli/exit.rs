//! How the program ends: what it prints last, and its exit code, as in the outer contract.

use std::process::ExitCode;

use crate::disk::apply::open::OpenError;
use crate::link::identity::IdentityError;
use crate::service::engine::EngineError;
use crate::service::home::HomeError;
use crate::service::member::MemberError;
use crate::service::node::MachineError;

/// How a verb ended well, or as well as it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Done, or all well.
    Done,
    /// `status`: degraded.
    Degraded,
    /// `status`: alarm.
    Alarm,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Degraded => 10,
            Exit::Alarm => 20,
        })
    }
}

/// Why a verb was not done. Its lines are what the operator reads.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    lines: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Failed,
    Usage,
    Refused,
    NoService,
    /// Nobody reads what is printed any more: there is nothing to say, and no one to say it to.
    BrokenPipe,
}

impl Failure {
    /// It was tried and did not work.
    pub fn failed(why: impl Into<String>) -> Self {
        Self { kind: Kind::Failed, lines: vec![why.into()] }
    }

    /// What was typed or configured is wrong.
    pub fn usage(why: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, lines: vec![why.into()] }
    }

    /// What was configured is wrong in each of these ways.
    #[must_use]
    pub fn usages(why: Vec<String>) -> Self {
        Self { kind: Kind::Usage, lines: why }
    }

    /// It was not done, for each of these reasons.
    #[must_use]
    pub fn refused(why: Vec<String>) -> Self {
        Self { kind: Kind::Refused, lines: why }
    }

    /// No service runs at this home.
    pub fn no_service(why: impl Into<String>) -> Self {
        Self { kind: Kind::NoService, lines: vec![why.into()] }
    }

    /// Prints it, and gives the exit code.
    #[must_use]
    pub fn tell(&self) -> ExitCode {
        for line in &self.lines {
            eprintln!("espejo: {line}");
        }
        ExitCode::from(match self.kind {
            Kind::BrokenPipe => 0,
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Refused => 3,
            Kind::NoService => 4,
        })
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self { kind: Kind::BrokenPipe, lines: vec![] };
        }
        Self::failed(error.to_string())
    }
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        match error {
            HomeError::Busy(_) => {
                Self::refused(vec![format!("{error}; stop it, or name another home with --home DIR")])
            }
            HomeError::Io { .. } => Self::failed(error.to_string()),
        }
    }
}

impl From<MemberError> for Failure {
    fn from(error: MemberError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<MachineError> for Failure {
    fn from(error: MachineError) -> Self {
        match error {
            MachineError::Address { .. } => Self::usage(format!(
                "{error}; is another program using it, and is it this machine's own? See store.toml"
            )),
            MachineError::Member(_)
            | MachineError::Identity(_)
            | MachineError::Dataset { .. }
            | MachineError::System(_) => Self::failed(error.to_string()),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let what = error.to_string();
        match error {
            EngineError::Open(OpenError::OtherData(_)) => Self::refused(vec![format!(
                "{what}; to make it the mirror all the same, add --adopt-dest: what the source has too is kept, the rest \
                 is set aside"
            )]),
            EngineError::Open(OpenError::Busy(_)) => Self::refused(vec![what]),
            EngineError::Open(OpenError::DiskRoot(_)) => {
                Self::refused(vec![format!("{what}; name a folder in it instead")])
            }
            EngineError::Open(OpenError::Disk(_))
            | EngineError::Sending(_)
            | EngineError::Receiving(_)
            | EngineError::System(_) => Self::failed(what),
        }
    }
}
