//! Keys in, screen out: the stage, the keymap and the burst in one, without a terminal and without a clock.

use std::time::Duration;

use crokey::KeyCombination;
use crossterm::event::{Event, KeyEventKind, MouseButton, MouseEventKind};
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Options;
use super::burst::{Burst, Deciding};
use super::keymap::types_a_character;
use super::screens;
use super::stage::{Effect, Message, Stage};
use super::view::Scene;
use super::widgets::Drawn;

/// Now, as the screen needs it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time since the screen began: runs evenly, whatever is done to the clock.
    pub since: Duration,
    /// The clock.
    pub at: Timestamp,
}

/// A stage with what lies between it and a terminal.
pub struct Face<S> {
    stage: S,
    burst: Burst,
    drawn: Drawn,
}

impl<S: Stage> Face<S> {
    /// A face for `stage`.
    #[must_use]
    pub fn new(stage: S) -> Self {
        Self { stage, burst: Burst::default(), drawn: Drawn::default() }
    }

    /// The stage.
    #[must_use]
    pub fn stage(&self) -> &S {
        &self.stage
    }

    /// Takes in what the terminal says.
    pub fn take(&mut self, now: Moment, options: &Options, event: &Event) -> Vec<Effect<S::End>> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                let deciding = if self.stage.types() { Deciding::Enter } else { Deciding::DigitsAndEnter };
                let known = self.burst.press(now.since, KeyCombination::from(*key), deciding);
                self.keys(now, options, known)
            }
            Event::Mouse(mouse) if mouse.kind == MouseEventKind::Down(MouseButton::Left) => {
                let press = self.drawn.press(mouse.column, mouse.row);
                press.map_or_else(Vec::new, |press| self.tell(now, Message::Click(press)))
            }
            Event::Paste(text) => self.tell(now, Message::Paste(text.clone())),
            _ => vec![],
        }
    }

    /// When [`Face::expire`] is to be called.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.burst.due()
    }

    /// Lets keys through that were held until it was known that a hand pressed them.
    pub fn expire(&mut self, now: Moment, options: &Options) -> Vec<Effect<S::End>> {
        let known = self.burst.expire(now.since);
        self.keys(now, options, known)
    }

    /// Takes a message in that comes from elsewhere.
    pub fn tell(&mut self, now: Moment, message: Message) -> Vec<Effect<S::End>> {
        self.stage.update(now.at, message)
    }

    /// Draws what is to be seen, and keeps in mind where it can be clicked.
    pub fn draw(&mut self, now: Moment, scene: &Scene, options: &Options, area: Rect, buf: &mut Buffer) -> &Drawn {
        self.drawn = screens::draw(scene, options.look, area, buf);
        let (page, last) = self.drawn.room;
        // Nothing follows from it: it is only kept for the next movement.
        self.stage.update(now.at, Message::Drawn { page, last });
        &self.drawn
    }

    fn keys(&mut self, now: Moment, options: &Options, keys: Vec<KeyCombination>) -> Vec<Effect<S::End>> {
        let mut effects = vec![];
        for key in keys {
            // Each key means what it means after the one before it.
            if let Some(message) = message(options, &self.stage, key) {
                effects.extend(self.stage.update(now.at, message));
            }
        }
        effects
    }
}

/// What a key is to a stage: an intent, or text where text is typed.
fn message(options: &Options, stage: &impl Stage, key: KeyCombination) -> Option<Message> {
    let is_text = stage.types() && types_a_character(key);
    let scopes = [Some(stage.scope()), stage.beside()];
    let mut meant = scopes.into_iter().flatten().filter_map(|scope| options.keymap.intent(scope, key));
    if let Some(intent) = meant.next().filter(|_| !is_text) {
        return Some(Message::Want(intent));
    }
    if !stage.types() {
        return None;
    }
    let event: crossterm::event::KeyEvent = key.into();
    tui_input::backend::crossterm::to_input_request(&Event::Key(event)).map(Message::Edit)
}
