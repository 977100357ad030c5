//! What can lie on the screen of a service.

use super::confirm::Confirm;
use super::intent::Scope;
use super::turn::Home;

/// What lies on the screen. The home screen is always the lowest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layer {
    /// The home screen.
    Home,
    /// The page about the copy, from this line on.
    Copy {
        /// The first line that is seen, from 0.
        top: usize,
    },
    /// The page of the operations, from this line on.
    History {
        /// The first line that is seen, from 0.
        top: usize,
    },
    /// The page of the POS terminals, from this line on.
    Terminals {
        /// The first line that is seen, from 0.
        top: usize,
    },
    /// The help for a place, from this line on.
    Help {
        /// The place.
        of: Scope,
        /// The first line that is seen, from 0.
        top: usize,
    },
    /// Asks whether the service is to end with the screen.
    Quit {
        /// The button in focus: 0 stays, 1 leaves.
        focus: usize,
    },
    /// Shows a question of the service.
    Question {
        /// Its number.
        id: u64,
        /// The button in focus: 0 keeps the mirror, 1 takes the change over.
        focus: usize,
    },
    /// Asks once more before a change of server.
    Confirm(Confirm),
}

impl Layer {
    /// Where its keys mean something, where `home` is what the home screen is about.
    #[must_use]
    pub fn scope(self, home: Home) -> Scope {
        match self {
            Self::Home => home.scope(),
            Self::Copy { .. } => Scope::Copy,
            Self::History { .. } => Scope::History,
            Self::Terminals { .. } => Scope::Terminals,
            Self::Help { .. } => Scope::Help,
            Self::Quit { .. } | Self::Question { .. } | Self::Confirm(_) => Scope::Confirm,
        }
    }

    /// Whether it lies over a page and leaves it seen.
    #[must_use]
    pub fn is_dialog(self) -> bool {
        matches!(self, Self::Quit { .. } | Self::Question { .. } | Self::Confirm(_))
    }
}
