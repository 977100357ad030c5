//! The screen of a service: its small state, and what each message makes of it.

use std::sync::Arc;

use jiff::{Timestamp, Zoned};

use super::able::{self, Comparing};
use super::intent::{Intent, Scope};
use super::stage::{Effect, Message, Stage, scrolled};
use super::strip::Strip;
use super::view::{self, Scene};
use super::widgets::Press;
use super::{Left, Options, Place};
use crate::service::{Command, Status};

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
}

impl Layer {
    /// Where its keys mean something.
    #[must_use]
    pub fn scope(self) -> Scope {
        match self {
            Self::Home => Scope::Mirror,
            Self::Copy { .. } => Scope::Copy,
            Self::History { .. } => Scope::History,
            Self::Help { .. } => Scope::Help,
            Self::Quit { .. } | Self::Question { .. } => Scope::Confirm,
        }
    }

    /// Whether it lies over a page and leaves it seen.
    #[must_use]
    pub fn is_dialog(self) -> bool {
        self.scope() == Scope::Confirm
    }
}

/// How many buttons a dialog has.
const BUTTONS: usize = 2;

/// The screen of a service.
#[derive(Clone, Debug)]
pub struct App {
    place: Place,
    by: String,
    layers: Vec<Layer>,
    room: (usize, usize),
    status: Option<Arc<Status>>,
    asked_to_compare: Option<Timestamp>,
    /// Where the service is that of a practice shop.
    strip: Option<Arc<Strip>>,
}

impl App {
    /// The home screen, before anything was heard. `by` is who sits before it, for the diary.
    #[must_use]
    pub fn new(place: Place, by: String) -> Self {
        let (layers, room) = (vec![Layer::Home], (1, 0));
        Self { place, by, layers, room, status: None, asked_to_compare: None, strip: None }
    }

    /// What lies on the screen, the lowest first.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// How the service stood when it was last heard.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        self.status.as_deref()
    }

    /// What the screen is to the service.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// What lies below the screen, where the service is that of a practice shop.
    #[must_use]
    pub fn strip(&self) -> Option<&Strip> {
        self.strip.as_deref()
    }

    /// Whether every byte can be compared now.
    #[must_use]
    pub fn comparing(&self, now: Timestamp) -> Comparing<'_> {
        able::comparing(self.status(), self.place, self.asked_to_compare, now)
    }

    fn top(&self) -> Layer {
        self.layers.last().copied().unwrap_or(Layer::Home)
    }

    fn want(&mut self, now: Timestamp, intent: Intent) -> Vec<Effect<Left>> {
        match intent {
            Intent::Leave => return self.leave(),
            Intent::Redraw => return vec![Effect::Redraw],
            Intent::Press => return self.press(None),
            Intent::Compare => return self.compare(now),
            Intent::Help => {
                if !matches!(self.top(), Layer::Help { .. }) {
                    self.layers.push(Layer::Help { of: self.top().scope(), top: 0 });
                }
            }
            Intent::PageCopy => self.layers.push(Layer::Copy { top: 0 }),
            Intent::PageHistory => self.layers.push(Layer::History { top: 0 }),
            Intent::Answer => {
                if let Some(question) = able::question(self.status(), self.place) {
                    let id = question.id;
                    self.layers.push(Layer::Question { id, focus: 0 });
                }
            }
            Intent::Up | Intent::Down | Intent::PageUp | Intent::PageDown | Intent::Top | Intent::Bottom => {
                self.scroll(intent);
            }
            Intent::Next | Intent::Previous => self.turn(),
            Intent::MirrorAFolder => {}
            Intent::Power | Intent::Cable | Intent::Break | Intent::Freeze | Intent::DaysPass => {
                return vec![Effect::Cause(intent)];
            }
        }
        vec![]
    }

    /// Out of what lies on top; from the home screen, out.
    fn leave(&mut self) -> Vec<Effect<Left>> {
        if self.layers.len() > 1 {
            self.layers.pop();
            return vec![];
        }
        match self.place {
            Place::Attached | Place::WatchOnly => vec![Effect::End(Left::Out)],
            Place::Embedded => {
                self.layers.push(Layer::Quit { focus: 0 });
                vec![]
            }
        }
    }

    fn compare(&mut self, now: Timestamp) -> Vec<Effect<Left>> {
        if !matches!(self.comparing(now), Comparing::Possible(_)) {
            return vec![];
        }
        self.asked_to_compare = Some(now);
        vec![Effect::Send(Command::Verify { by: self.by.clone() })]
    }

    /// Presses a dialog's button: the one in focus, or the one that was clicked.
    fn press(&mut self, clicked: Option<usize>) -> Vec<Effect<Left>> {
        let effects = match self.top() {
            Layer::Quit { focus } => match clicked.unwrap_or(focus) {
                0 => vec![],
                _ => vec![Effect::End(Left::Quit)],
            },
            Layer::Question { id, focus } => {
                let accept = clicked.unwrap_or(focus) == 1;
                vec![Effect::Send(Command::Answer { question: id, accept, by: self.by.clone() })]
            }
            Layer::Home | Layer::Copy { .. } | Layer::History { .. } | Layer::Help { .. } => return vec![],
        };
        self.layers.pop();
        effects
    }

    /// The other button: there are two.
    fn turn(&mut self) {
        if let Some(Layer::Quit { focus } | Layer::Question { focus, .. }) = self.layers.last_mut() {
            *focus = (*focus + 1) % BUTTONS;
        }
    }

    fn scroll(&mut self, intent: Intent) {
        let (page, last) = self.room;
        if let Some(Layer::Copy { top } | Layer::History { top } | Layer::Help { top, .. }) = self.layers.last_mut() {
            *top = scrolled(*top, intent, page, last);
        }
    }

    /// A question that nobody asks any more is not shown any more.
    fn heard(&mut self, status: Arc<Status>) {
        self.layers.retain(|layer| match layer {
            Layer::Question { id, .. } => status.questions.iter().any(|question| question.id == *id),
            _ => true,
        });
        self.status = Some(status);
    }
}

impl Stage for App {
    type End = Left;

    fn scope(&self) -> Scope {
        self.top().scope()
    }

    fn beside(&self) -> Option<Scope> {
        self.strip.as_ref().map(|_| Scope::Demo)
    }

    fn update(&mut self, now: Timestamp, message: Message) -> Vec<Effect<Left>> {
        match message {
            Message::Want(intent) | Message::Click(Press::Want(intent)) => self.want(now, intent),
            Message::Click(Press::At(button)) => self.press(Some(button)),
            Message::Heard(status) => {
                self.heard(status);
                vec![]
            }
            Message::Strip(strip) => {
                self.strip = Some(strip);
                vec![]
            }
            Message::Drawn { page, last } => {
                self.room = (page, last);
                vec![]
            }
            Message::Edit(_) | Message::Paste(_) => vec![],
        }
    }

    fn scene(&self, options: &Options, now: &Zoned) -> Scene {
        view::service(self, options, now)
    }

    fn cut_off(&self) -> Left {
        match self.place {
            Place::Embedded => Left::Quit,
            Place::Attached | Place::WatchOnly => Left::Out,
        }
    }
}
