//! The screen of a service: its small state, and what each message makes of it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, Zoned};
use tui_input::InputRequest;

use super::able::{self, Comparing, Drilling};
use super::confirm::{Confirm, Pressed};
use super::intent::{Intent, Scope};
use super::layer::Layer;
use super::stage::{Effect, Message, Stage, scrolled};
use super::strip::Strip;
use super::turn::{self, Home, Turn, Which};
use super::view::{self, Scene};
use super::widgets::Press;
use super::{Left, Options, Place};
use crate::service::status::{Consent, OperationKind, Plan};
use crate::service::{Command, Status};

/// A short break heals within so long: until then an alarm can wait.
pub const SHORT_BREAK: SignedDuration = SignedDuration::from_secs(30);

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
    asked_to_turn: Option<(Which, Timestamp)>,
    waits_until: Option<Timestamp>,
    /// Where the service is that of a practice shop.
    strip: Option<Arc<Strip>>,
}

impl App {
    /// The home screen, before anything was heard. `by` is who sits before it, for the diary.
    #[must_use]
    pub fn new(place: Place, by: String) -> Self {
        let (layers, room) = (vec![Layer::Home], (1, 0));
        Self {
            place,
            by,
            layers,
            room,
            status: None,
            asked_to_compare: None,
            asked_to_turn: None,
            waits_until: None,
            strip: None,
        }
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

    /// What the home screen is about.
    #[must_use]
    pub fn home(&self) -> Home {
        self.status().map_or(Home::Mirror, Home::of)
    }

    /// Whether a change of server can be asked for now.
    #[must_use]
    pub fn turn(&self, which: Which, now: Timestamp) -> Turn<'_> {
        self.status().map_or(Turn::Unknown, |status| which.stands(status, self.place, self.asked_to_turn, now))
    }

    /// Who sits before the screen.
    #[must_use]
    pub fn by(&self) -> &str {
        &self.by
    }

    /// Whether a person is called, and can silence that from here.
    #[must_use]
    pub fn can_mute(&self) -> bool {
        self.place != Place::WatchOnly && self.status().is_some_and(|status| status.call.calls)
    }

    /// How long an alarm still waits, since a person has said so; none where it does not.
    #[must_use]
    pub fn waits(&self, now: Timestamp) -> Option<SignedDuration> {
        self.waits_until.map(|until| until.duration_since(now)).filter(SignedDuration::is_positive)
    }

    fn top(&self) -> Layer {
        self.layers.last().copied().unwrap_or(Layer::Home)
    }

    fn want(&mut self, now: Timestamp, intent: Intent) -> Vec<Effect<Left>> {
        match intent {
            Intent::Leave => return self.leave(),
            Intent::Redraw => return vec![Effect::Redraw],
            Intent::Press => return self.press(now, None),
            Intent::Compare => return self.compare(now),
            Intent::Drill if able::drilling(self.status(), self.place) == Drilling::Possible => {
                return vec![Effect::Send(Command::Drill { by: self.by.clone() })];
            }
            Intent::Help => {
                if !matches!(self.top(), Layer::Help { .. }) {
                    self.layers.push(Layer::Help { of: self.scope(), top: 0 });
                }
            }
            Intent::PageCopy => self.layers.push(Layer::Copy { top: 0 }),
            Intent::PageHistory => self.layers.push(Layer::History { top: 0 }),
            Intent::PageTerminals => self.layers.push(Layer::Terminals { top: 0 }),
            Intent::Answer => {
                if let Some(question) = able::question(self.status(), self.place) {
                    let id = question.id;
                    self.layers.push(Layer::Question { id, focus: 0 });
                }
            }
            Intent::Up | Intent::Down | Intent::PageUp | Intent::PageDown | Intent::Top | Intent::Bottom => {
                self.scroll(intent);
            }
            Intent::Mute if self.can_mute() => return vec![Effect::Send(Command::Mute { by: self.by.clone() })],
            Intent::Next | Intent::Previous => self.move_focus(intent),
            Intent::Earlier | Intent::Later => self.choose_state(intent),
            Intent::StartServer => self.confirm(now, Which::Start),
            Intent::ReturnToMain => self.confirm(now, Which::Return),
            Intent::ChangeToBackup => self.confirm(now, Which::Switch),
            Intent::CancelReturn => self.confirm(now, Which::Cancel),
            Intent::NotYet => {
                if self.home() == Home::Alarm && self.waits(now).is_none() {
                    self.waits_until = Some(now + SHORT_BREAK);
                }
            }
            Intent::Mute | Intent::MirrorAFolder | Intent::Drill => {}
            Intent::Power
            | Intent::Cable
            | Intent::OwnCable
            | Intent::Break
            | Intent::Freeze
            | Intent::FillDisk
            | Intent::DaysPass
            | Intent::Lesson => {
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

    /// Asks once more before a change of server, where it can be asked for.
    fn confirm(&mut self, now: Timestamp, which: Which) {
        if let Some(asks) = self.asks(now, which) {
            self.layers.push(Layer::Confirm(Confirm::new(which, &asks, now)));
        }
    }

    /// What a person consents to with a change of server; none where it cannot be asked for now.
    fn asks(&self, now: Timestamp, which: Which) -> Option<Vec<Consent>> {
        match self.turn(which, now) {
            Turn::Offered(plan) => Some(plan.asks()),
            Turn::Cancellable(_) => Some(vec![]),
            _ => None,
        }
    }

    /// What a change of server that was confirmed asks of the service.
    fn command(&self, confirm: &Confirm) -> Command {
        let by = self.by.clone();
        let starts = self.status().and_then(turn::start_plan).map(|plan| plan.kind);
        match confirm.which {
            Which::Start if starts == Some(OperationKind::Start) => Command::Start { by },
            Which::Start => Command::Promote {
                by,
                yes: confirm.sum.is_some(),
                accept_loss: confirm.loses,
                unlock: false,
                reason: None,
                as_of: confirm.as_of,
                numbers: self.status().and_then(turn::start_plan).map(Plan::proposed).unwrap_or_default(),
            },
            Which::Return => Command::Return { by, reason: None },
            Which::Switch => Command::Switch { by, reason: None },
            Which::Cancel => Command::Cancel { by },
        }
    }

    /// Presses a dialog's button: the one in focus, or the one that was clicked.
    fn press(&mut self, now: Timestamp, clicked: Option<usize>) -> Vec<Effect<Left>> {
        let effects = match self.top() {
            Layer::Quit { focus } => match clicked.unwrap_or(focus) {
                0 => vec![],
                _ => vec![Effect::End(Left::Quit)],
            },
            Layer::Question { id, focus } => {
                let accept = clicked.unwrap_or(focus) == 1;
                vec![Effect::Send(Command::Answer { question: id, accept, by: self.by.clone() })]
            }
            Layer::Confirm(mut confirm) => match confirm.press(clicked, now) {
                Pressed::Close => vec![],
                Pressed::Stay => {
                    self.layers.pop();
                    self.layers.push(Layer::Confirm(confirm));
                    return vec![];
                }
                Pressed::Go => {
                    self.asked_to_turn = Some((confirm.which, now));
                    vec![Effect::Send(self.command(&confirm))]
                }
            },
            Layer::Home | Layer::Copy { .. } | Layer::History { .. } | Layer::Terminals { .. } | Layer::Help { .. } => {
                return vec![];
            }
        };
        self.layers.pop();
        effects
    }

    /// To another button; where there are two, to the other one.
    fn move_focus(&mut self, intent: Intent) {
        match self.layers.last_mut() {
            Some(Layer::Quit { focus } | Layer::Question { focus, .. }) => *focus = (*focus + 1) % BUTTONS,
            Some(Layer::Confirm(confirm)) if intent == Intent::Next => confirm.next(),
            Some(Layer::Confirm(confirm)) => confirm.previous(),
            _ => {}
        }
    }

    /// The start is made from an earlier state of the copy, or from a later one; from the last one at the end.
    fn choose_state(&mut self, intent: Intent) {
        let states = self.status().filter(|status| turn::promotes(status)).map(|status| status.states.clone());
        if let (Some(Layer::Confirm(confirm)), Some(states)) = (self.layers.last_mut(), states)
            && confirm.which == Which::Start
        {
            confirm.choose(&states, intent == Intent::Earlier);
        }
    }

    fn edit(&mut self, request: InputRequest) {
        if let Some(Layer::Confirm(confirm)) = self.layers.last_mut() {
            match request {
                InputRequest::InsertChar(c) => confirm.type_in(c),
                InputRequest::DeletePrevChar => confirm.erase(),
                _ => {}
            }
        }
    }

    fn scroll(&mut self, intent: Intent) {
        let (page, last) = self.room;
        if let Some(Layer::Copy { top } | Layer::History { top } | Layer::Terminals { top } | Layer::Help { top, .. }) =
            self.layers.last_mut()
        {
            *top = scrolled(*top, intent, page, last);
        }
    }

    /// A question that nobody asks any more is not shown any more, and what was agreed to is what is asked now.
    fn heard(&mut self, now: Timestamp, status: Arc<Status>) {
        self.status = Some(status);
        let layers = std::mem::take(&mut self.layers);
        self.layers = layers.into_iter().filter_map(|layer| self.still(now, layer)).collect();
        if self.home() != Home::Alarm {
            self.waits_until = None;
        }
    }

    /// What becomes of a layer by what was heard.
    fn still(&self, now: Timestamp, layer: Layer) -> Option<Layer> {
        match layer {
            Layer::Question { id, .. } => {
                let is_asked = self.status()?.questions.iter().any(|question| question.id == id);
                is_asked.then_some(layer)
            }
            Layer::Confirm(confirm) => {
                let asks = self.asks(now, confirm.which)?;
                Some(Layer::Confirm(if confirm.differs(&asks) {
                    Confirm { as_of: confirm.as_of, ..Confirm::new(confirm.which, &asks, now) }
                } else {
                    confirm
                }))
            }
            Layer::Home
            | Layer::Copy { .. }
            | Layer::History { .. }
            | Layer::Terminals { .. }
            | Layer::Help { .. }
            | Layer::Quit { .. } => Some(layer),
        }
    }
}

impl Stage for App {
    type End = Left;

    fn scope(&self) -> Scope {
        self.top().scope(self.home())
    }

    fn types(&self) -> bool {
        matches!(self.top(), Layer::Confirm(Confirm { sum: Some(_), .. }))
    }

    /// While an alarm waits, somebody has heard it; and who only watches could not silence it.
    fn rings(&self, now: Timestamp) -> bool {
        let bell = self.status().is_some_and(|status| status.call.bell);
        bell && self.place != Place::WatchOnly && self.waits(now).is_none()
    }

    fn beside(&self) -> Option<Scope> {
        self.strip.as_ref().map(|_| Scope::Demo)
    }

    fn update(&mut self, now: Timestamp, message: Message) -> Vec<Effect<Left>> {
        match message {
            Message::Want(intent) | Message::Click(Press::Want(intent)) => self.want(now, intent),
            Message::Click(Press::At(button)) => self.press(now, Some(button)),
            Message::Heard(status) => {
                self.heard(now, status);
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
            Message::Edit(request) => {
                self.edit(request);
                vec![]
            }
            Message::Paste(_) => vec![],
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
