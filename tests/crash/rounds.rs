//! What is played: a change of server, and what befalls a machine in it.

use crate::common::two::Machine;

/// The change of server, the machine to which something happens in it, the point, and how often that is passed.
const TABLE: &str = include_str!("turned.txt");

/// What is done meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Change {
    /// The backup is started, since the main has died.
    Promote,
    /// The main that had died comes back, and follows.
    Comeback,
    Switch,
    Return,
    /// The backup that serves becomes the main.
    Adopt,
}

/// What befalls a shop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// The service of the machine is stopped dead: its POS server runs on.
    Service,
    /// All of the machine is: the next begin is after a power cut.
    Power,
    /// The disk of this machine is full from now on, until somebody has looked.
    Full(Machine),
}

/// One change of server, and what happens in it.
#[derive(Clone, Debug)]
pub struct Round {
    pub change: Change,
    pub machine: Machine,
    pub point: String,
    /// How often the point is passed before, in this change.
    pub passed: u32,
    pub fate: Fate,
}

impl Change {
    fn of(name: &str) -> Self {
        match name {
            "promote" => Self::Promote,
            "comeback" => Self::Comeback,
            "switch" => Self::Switch,
            "return" => Self::Return,
            "adopt" => Self::Adopt,
            other => panic!("{other} is no change of server"),
        }
    }

    /// What is typed for it.
    pub fn verb(self) -> &'static [&'static str] {
        match self {
            Self::Promote | Self::Comeback => &["promote", "--yes", "--accept-loss"],
            Self::Switch => &["switch", "--yes"],
            Self::Return => &["return", "--yes"],
            Self::Adopt => &["adopt", "--yes"],
        }
    }

    /// The server when it is done.
    pub fn server(self) -> Machine {
        if self == Self::Return { Machine::Main } else { Machine::Backup }
    }
}

/// Every round of the table, in which the service alone falls.
pub fn rounds() -> Vec<Round> {
    let mut all = vec![];
    for line in TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let [change, machine, point, times] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let machine = if machine == "main" { Machine::Main } else { Machine::Backup };
        let (change, point) = (Change::of(change), point.to_owned());
        let times: u32 = times.parse().unwrap();
        all.extend((0..times).map(|passed| Round {
            change,
            machine,
            point: point.clone(),
            passed,
            fate: Fate::Service,
        }));
    }
    all
}

impl Round {
    /// The same, where something else befalls the shop.
    pub fn with(&self, fate: Fate) -> Self {
        Self { fate, ..self.clone() }
    }
}
