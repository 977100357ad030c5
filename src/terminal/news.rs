//! What the people at a terminal, and the programs on it, are to hear.

use super::speech::Message;
use crate::link::greeting::Refusal;

/// What the people at a terminal are to hear.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// The POS server of this machine answers: work goes on.
    Works {
        /// What the machine is called.
        name: String,
    },
    /// The server is about to change, or begins: the till waits.
    Waits {
        /// Who is to serve next, as far as is known.
        name: String,
    },
    /// Whoever serves is not reached.
    Unreached {
        /// What the machine is called.
        name: String,
    },
    /// Somebody has written to the people at the terminals.
    Message(Message),
    /// A machine does not let this terminal in.
    TurnedAway {
        /// What the machine is called.
        name: String,
        /// Why.
        why: Refusal,
    },
    /// Another machine than the one that was joined is at that address.
    OtherMachine {
        /// What the machine is called.
        name: String,
    },
    /// It cannot listen at a port.
    Shut {
        /// The port.
        port: u16,
        /// What the system said.
        why: String,
    },
    /// The store's configuration that was received cannot be used: the one before counts.
    BadConfiguration,
    /// What the terminal is to know again after a restart cannot be saved.
    Unsaved {
        /// What the system said.
        why: String,
    },
}

/// Who serves, as programs and files on this machine are told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// In which epoch.
    pub epoch: u64,
    /// Where it is: a name or an address.
    pub address: String,
    /// What it is called.
    pub name: String,
    /// The store.
    pub store: String,
}

impl News {
    /// What it says of one machine holds until that one is heard.
    #[must_use]
    pub fn of_machine(&self) -> Option<&String> {
        match self {
            Self::TurnedAway { name, .. } | Self::OtherMachine { name } => Some(name),
            _ => None,
        }
    }
}

impl Server {
    /// By what is known again whether this was told.
    #[must_use]
    pub fn told(&self) -> String {
        format!("{} {}", self.epoch, self.address)
    }
}
