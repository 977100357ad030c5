//! How a person is called, and whom that person can call.

use super::command::Command;
use super::fault::Wanted;
use super::reading::{Item, Table};

/// How the screen comes forward on a till that shows its POS program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alarm {
    /// Brings the screen forward; `None`: it does not.
    pub show: Option<Command>,
    /// What is heard; the bell where nothing else is said.
    pub sound: Sound,
}

/// What is heard until it is muted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sound {
    /// Nothing.
    None,
    /// The bell of the terminal.
    Bell,
    /// What this program plays.
    Command(Command),
}

/// Whom to ask; on every screen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Support {
    /// What they are called.
    pub name: Option<String>,
    /// How they are reached.
    pub telephone: Option<String>,
}

impl Alarm {
    pub(super) fn read(table: &Table<'_>) -> Self {
        Self {
            show: table.get("show").and_then(|item| Command::read(&item)),
            sound: table.get("sound").and_then(|item| Sound::read(&item)).unwrap_or(Sound::Bell),
        }
    }
}

impl Sound {
    fn read(item: &Item<'_>) -> Option<Self> {
        match item.value().as_bool() {
            Some(true) => Some(Self::Bell),
            Some(false) => Some(Self::None),
            None if item.value().is_array() => Command::read(item).map(Self::Command),
            None => item.other_than(Wanted::Sound),
        }
    }
}

impl Support {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let text = |key| table.get(key).and_then(|item| item.name());
        Self { name: text("name"), telephone: text("telephone") }
    }
}
