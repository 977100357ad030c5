//! How the program ends: what it prints last, and its exit code, as in the outer contract.

use std::path::Path;
use std::process::ExitCode;

use crate::disk::apply::open::OpenError;
use crate::link::identity::IdentityError;
use crate::service::engine::EngineError;
use crate::service::home::HomeError;
use crate::service::member::MemberError;
use crate::service::node::MachineError;
use crate::service::refusal::WhyNot;
use crate::words::Words;
use crate::words::refusal::refusal;

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

/// Why a verb was not done.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    said: Said,
}

/// What the operator reads.
#[derive(Debug)]
enum Said {
    /// A line each.
    Lines(Vec<String>),
    /// What is still to be put into words.
    Cause(Box<Cause>),
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
        Self { kind: Kind::Failed, said: Said::Lines(vec![why.into()]) }
    }

    /// It was tried and did not work, and all about that is printed already.
    #[must_use]
    pub fn told_already() -> Self {
        Self { kind: Kind::Failed, said: Said::Lines(vec![]) }
    }

    /// What was typed or configured is wrong.
    pub fn usage(why: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, said: Said::Lines(vec![why.into()]) }
    }

    /// What was configured is wrong in each of these ways.
    #[must_use]
    pub fn usages(why: Vec<String>) -> Self {
        Self { kind: Kind::Usage, said: Said::Lines(why) }
    }

    /// It was not done, for each of these reasons.
    #[must_use]
    pub fn refused(why: Vec<String>) -> Self {
        Self { kind: Kind::Refused, said: Said::Lines(why) }
    }

    /// The service did not do it, for each of these reasons.
    #[must_use]
    pub fn not_done(words: &Words, why: &[WhyNot]) -> Self {
        Self::refused(why.iter().map(|why| refusal(words, why)).collect())
    }

    /// No service runs at this home.
    pub fn no_service(why: impl Into<String>) -> Self {
        Self { kind: Kind::NoService, said: Said::Lines(vec![why.into()]) }
    }

    /// Prints it, and gives the exit code.
    #[must_use]
    pub fn tell(&self, words: &Words) -> ExitCode {
        let cause = match &self.said {
            Said::Lines(_) => None,
            Said::Cause(cause) => Some(cause.tell(words)),
        };
        let lines = match &self.said {
            Said::Lines(lines) => lines.as_slice(),
            Said::Cause(_) => cause.as_slice(),
        };
        // In one piece: others may write there, too.
        let said = lines.iter().fold(String::new(), |said, line| said + "espejo: " + line + "\n");
        eprint!("{said}");
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
            return Self { kind: Kind::BrokenPipe, said: Said::Lines(vec![]) };
        }
        Self::failed(error.to_string())
    }
}

/// What the libraries below say, in the words of who reads it.
impl Failure {
    fn of(kind: Kind, cause: Cause) -> Self {
        Self { kind, said: Said::Cause(Box::new(cause)) }
    }
}

/// What went wrong below the command line.
#[derive(Debug)]
enum Cause {
    Home(HomeError),
    Member(MemberError),
    Identity(IdentityError),
    Machine(MachineError),
    Engine(EngineError),
}

impl Cause {
    /// What it is and what to do, in words where the system has none.
    fn tell(&self, words: &Words) -> String {
        let path = |key: &str, path: &Path| words.with(key, &[("path", path.display().to_string().into())]);
        match self {
            Self::Home(HomeError::Busy(home)) => path("cli-home-busy", home),
            Self::Member(MemberError::Nothing(home))
            | Self::Machine(MachineError::Member(MemberError::Nothing(home))) => path("cli-run-nothing", home),
            Self::Identity(IdentityError::Strange(file))
            | Self::Machine(MachineError::Identity(IdentityError::Strange(file))) => path("cli-identity-strange", file),
            Self::Machine(MachineError::Address { address, error }) => {
                let args = [("address", address.as_str().into()), ("error", error.to_string().into())];
                words.with("cli-run-address", &args)
            }
            Self::Engine(EngineError::Open(OpenError::OtherData(dest))) => path("cli-open-other-data", dest),
            Self::Engine(EngineError::Open(OpenError::Busy(dest))) => path("cli-open-busy", dest),
            Self::Engine(EngineError::Open(OpenError::DiskRoot(dest))) => path("cli-open-disk-root", dest),
            Self::Home(error @ HomeError::Io { .. }) => error.to_string(),
            Self::Member(error) => error.to_string(),
            Self::Identity(error) => error.to_string(),
            Self::Machine(error) => error.to_string(),
            Self::Engine(error) => error.to_string(),
        }
    }
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        let kind = if matches!(error, HomeError::Busy(_)) { Kind::Refused } else { Kind::Failed };
        Self::of(kind, Cause::Home(error))
    }
}

impl From<MemberError> for Failure {
    fn from(error: MemberError) -> Self {
        Self::of(Kind::Failed, Cause::Member(error))
    }
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Self {
        Self::of(Kind::Failed, Cause::Identity(error))
    }
}

impl From<MachineError> for Failure {
    fn from(error: MachineError) -> Self {
        let kind = if matches!(error, MachineError::Address { .. }) { Kind::Usage } else { Kind::Failed };
        Self::of(kind, Cause::Machine(error))
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let kind = match &error {
            EngineError::Open(OpenError::OtherData(_) | OpenError::Busy(_) | OpenError::DiskRoot(_)) => Kind::Refused,
            EngineError::Open(OpenError::Disk(_))
            | EngineError::Sending(_)
            | EngineError::Receiving(_)
            | EngineError::System(_) => Kind::Failed,
        };
        Self::of(kind, Cause::Engine(error))
    }
}
