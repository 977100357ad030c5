//! The first page of an empty home: what this is, and a form that names two folders.

use jiff::{Timestamp, Zoned};
use tui_input::Input;

use super::Options;
use super::intent::{Intent, Scope};
use super::stage::{Effect, Message, Stage, scrolled};
use super::view::{self, Scene};
use super::widgets::Press;

/// What was chosen on the first page: mirror this folder into that one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chosen {
    /// The folder that is to be mirrored, as it was typed.
    pub source: String,
    /// Where the mirror is to be, as it was typed.
    pub dest: String,
}

/// What lies on the screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sheet {
    /// What this is, and what can be done.
    Welcome,
    /// The form.
    Form,
    /// The help for a place, from this line on.
    Help {
        /// The place.
        of: Scope,
        /// The first line that is seen, from 0.
        top: usize,
    },
}

/// What of the form is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    /// One folder, or both, have no name.
    Names,
    /// Both are the same.
    Difference,
}

/// Fields and buttons of the form, in the order of the focus.
pub const SOURCE: usize = 0;
/// The second field.
pub const DEST: usize = 1;
/// The button that begins.
pub const BEGIN: usize = 2;
/// The button that leads back.
pub const BACK: usize = 3;

/// The first page.
#[derive(Clone, Debug)]
pub struct First {
    sheets: Vec<Sheet>,
    fields: [Input; 2],
    focus: usize,
    missing: Option<Missing>,
    room: (usize, usize),
}

impl Default for First {
    fn default() -> Self {
        let fields = [Input::default(), Input::default()];
        Self { sheets: vec![Sheet::Welcome], fields, focus: SOURCE, missing: None, room: (1, 0) }
    }
}

impl First {
    /// What is seen.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        self.sheets.last().copied().unwrap_or(Sheet::Welcome)
    }

    /// The fields: source and destination.
    #[must_use]
    pub fn fields(&self) -> &[Input; 2] {
        &self.fields
    }

    /// The field or button in focus.
    #[must_use]
    pub fn focus(&self) -> usize {
        self.focus
    }

    /// What was missing when it was to begin.
    #[must_use]
    pub fn missing(&self) -> Option<Missing> {
        self.missing
    }

    fn want(&mut self, intent: Intent) -> Vec<Effect<Option<Chosen>>> {
        match intent {
            Intent::Leave => return self.leave(),
            Intent::Redraw => return vec![Effect::Redraw],
            Intent::Press => return self.press(self.focus),
            Intent::Help => {
                if !matches!(self.sheet(), Sheet::Help { .. }) {
                    self.sheets.push(Sheet::Help { of: self.scope(), top: 0 });
                }
            }
            Intent::MirrorAFolder => self.sheets.push(Sheet::Form),
            Intent::Next => self.focus = (self.focus + 1) % (BACK + 1),
            Intent::Previous => self.focus = (self.focus + BACK) % (BACK + 1),
            Intent::Up | Intent::Down | Intent::PageUp | Intent::PageDown | Intent::Top | Intent::Bottom => {
                self.scroll(intent);
            }
            Intent::PageCopy
            | Intent::PageHistory
            | Intent::PageTerminals
            | Intent::Answer
            | Intent::Compare
            | Intent::Drill
            | Intent::Earlier
            | Intent::Later
            | Intent::StartServer
            | Intent::ReturnToMain
            | Intent::ChangeToBackup
            | Intent::CancelReturn
            | Intent::NotYet
            | Intent::Mute
            | Intent::Power
            | Intent::Cable
            | Intent::OwnCable
            | Intent::Break
            | Intent::Freeze
            | Intent::FillDisk
            | Intent::DaysPass
            | Intent::Lesson => {}
        }
        vec![]
    }

    fn leave(&mut self) -> Vec<Effect<Option<Chosen>>> {
        if self.sheets.len() > 1 {
            self.sheets.pop();
            return vec![];
        }
        vec![Effect::End(None)]
    }

    /// Enter in a field goes on to what comes next.
    fn press(&mut self, at: usize) -> Vec<Effect<Option<Chosen>>> {
        match at {
            SOURCE | DEST => self.focus = at + 1,
            BEGIN => return self.begin(),
            _ => return self.leave(),
        }
        vec![]
    }

    fn begin(&mut self) -> Vec<Effect<Option<Chosen>>> {
        let [source, dest] = self.fields.each_ref().map(|field| field.value().trim().to_owned());
        self.missing = match (source.is_empty() || dest.is_empty(), source == dest) {
            (true, _) => Some(Missing::Names),
            (false, true) => Some(Missing::Difference),
            (false, false) => return vec![Effect::End(Some(Chosen { source, dest }))],
        };
        self.focus = if source.is_empty() { SOURCE } else { DEST };
        vec![]
    }

    fn edit(&mut self, change: impl Fn(&mut Input)) {
        if self.sheet() == Sheet::Form
            && let Some(field) = self.fields.get_mut(self.focus)
        {
            change(field);
            self.missing = None;
        }
    }

    fn scroll(&mut self, intent: Intent) {
        let (page, last) = self.room;
        if let Some(Sheet::Help { top, .. }) = self.sheets.last_mut() {
            *top = scrolled(*top, intent, page, last);
        }
    }
}

impl Stage for First {
    type End = Option<Chosen>;

    fn scope(&self) -> Scope {
        match self.sheet() {
            Sheet::Welcome => Scope::First,
            Sheet::Form => Scope::Form,
            Sheet::Help { .. } => Scope::Help,
        }
    }

    fn update(&mut self, _now: Timestamp, message: Message) -> Vec<Effect<Self::End>> {
        match message {
            Message::Want(intent) | Message::Click(Press::Want(intent)) => return self.want(intent),
            // A field that is clicked is entered, a button is pressed.
            Message::Click(Press::At(field @ (SOURCE | DEST))) => self.focus = field,
            Message::Click(Press::At(button)) => return self.press(button),
            Message::Edit(request) => self.edit(|field| {
                field.handle(request);
            }),
            // A path that was copied often ends in a line's end.
            Message::Paste(text) => self.edit(|field| {
                for c in text.trim_end().chars().filter(|c| !c.is_control()) {
                    field.handle(tui_input::InputRequest::InsertChar(c));
                }
            }),
            Message::Drawn { page, last } => self.room = (page, last),
            Message::Heard(_) | Message::Strip(_) => {}
        }
        vec![]
    }

    fn scene(&self, options: &Options, now: &Zoned) -> Scene {
        view::first_page(self, options, now)
    }

    fn cut_off(&self) -> Self::End {
        None
    }
}
