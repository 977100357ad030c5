//! What comes to a stage and what goes from it.

use std::sync::Arc;

use jiff::{Timestamp, Zoned};
use tui_input::InputRequest;

use super::Options;
use super::intent::{Intent, Scope};
use super::strip::Strip;
use super::view::Scene;
use super::widgets::Press;
use crate::service::{Command, Status};

/// What can come to a stage.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    /// A key was pressed that means this here.
    Want(Intent),
    /// Something was clicked.
    Click(Press),
    /// Text is typed, where it can be.
    Edit(InputRequest),
    /// Text was pasted.
    Paste(String),
    /// The service says how it stands.
    Heard(Arc<Status>),
    /// What lies below the screen is so now.
    Strip(Arc<Strip>),
    /// It was drawn: lines that a screenful has, and the highest line that can be the first.
    Drawn {
        /// Lines that a screenful has.
        page: usize,
        /// The highest line that can be the first.
        last: usize,
    },
}

/// What a stage calls for; carried out in order.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect<E> {
    /// Ask this of the service.
    Send(Command),
    /// Cause this in the practice shop.
    Cause(Intent),
    /// Draw every cell anew.
    Redraw,
    /// Leave the screen.
    End(E),
}

/// Something that has the whole terminal.
pub trait Stage {
    /// How it can end.
    type End;

    /// Where its keys mean something.
    fn scope(&self) -> Scope;

    /// Whether a character that is typed is text.
    fn types(&self) -> bool {
        self.scope() == Scope::Form
    }

    /// Whether the bell rings.
    fn rings(&self, _now: Timestamp) -> bool {
        false
    }

    /// Where else a key may mean something, that means nothing there.
    fn beside(&self) -> Option<Scope> {
        None
    }

    /// Takes one message in. The same state, time and message always give the same effects.
    fn update(&mut self, now: Timestamp, message: Message) -> Vec<Effect<Self::End>>;

    /// All that is to be seen, in words.
    fn scene(&self, options: &Options, now: &Zoned) -> Scene;

    /// How it ends when the system ends the program.
    fn cut_off(&self) -> Self::End;
}

/// The first line that is seen after a movement: `page` lines are a screenful, `last` is the highest that can be the first.
#[must_use]
pub(crate) fn scrolled(top: usize, intent: Intent, page: usize, last: usize) -> usize {
    let at = top.min(last);
    let to = match intent {
        Intent::Up => at.saturating_sub(1),
        Intent::Down => at + 1,
        Intent::PageUp => at.saturating_sub(page),
        Intent::PageDown => at + page,
        Intent::Bottom => last,
        _ => 0,
    };
    to.min(last)
}
