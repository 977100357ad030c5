//! All that a screen shows, in words: plain values made of the status, the stage's small state and now. What is drawn is
//! compared with what was drawn before by these values. No lock, channel or clock here or below.
//!
//! - [`alarm`]: the home screen while the server is missed
//! - [`serving`]: the home screen of the backup while it is the server
//! - [`turning`]: the home screen while a change of server runs
//! - [`tills`]: the POS terminals, in a line
//! - [`turns`]: what can be done about who serves
//! - [`confirm`](mod@confirm): the question before that
//! - [`answer`]: could this copy take over now, and what stands in the way
//! - [`licence`]: the backup licence
//! - [`machines`]: the two machines of a store, and the heartbeat
//! - [`mirror`]: the home screen of a mirror
//! - [`copying`]: what is copied now, the datasets, the events
//! - [`copy`]: the page with everything about the copy
//! - [`history`]: the page of the operations
//! - [`terminals`]: the page of the POS terminals
//! - [`help`]: the keys of a place, and what the words mean
//! - [`ask`]: the dialogs
//! - [`strip`]: what lies below the screen of a practice shop
//! - [`welcome`]: the first page and its form

pub mod alarm;
pub mod answer;
pub mod ask;
pub mod confirm;
pub mod copy;
pub mod copying;
pub mod help;
pub mod history;
pub mod licence;
pub mod machines;
pub mod mirror;
pub mod serving;
pub mod strip;
pub mod terminals;
pub mod tills;
pub mod turning;
pub mod turns;
pub mod welcome;

use jiff::Zoned;

use super::app::App;
use super::first::{First, Sheet};
use super::intent::{Intent, Scope};
use super::layer::Layer;
use super::stage::Stage;
use super::turn::{self, Home};
use super::widgets::boxed::Dialog;
use super::widgets::frame::{Air, Frame, Hint};
use super::widgets::scroll::More;
use super::{Options, Place};
use crate::service::status::Support;
use crate::words::answer::{Stance, stance};
use crate::words::{Words, figures};

/// Everything on the terminal.
#[derive(Clone, PartialEq, Debug)]
pub struct Scene {
    /// What stands around the page.
    pub frame: Frame,
    /// The page.
    pub page: Page,
    /// What lies over it.
    pub dialog: Option<Dialog>,
    /// What lies below it all, where the service is that of a practice shop.
    pub strip: Option<strip::StripView>,
}

/// A page.
#[derive(Clone, PartialEq, Debug)]
pub enum Page {
    /// The home screen of a mirror.
    Mirror(Box<mirror::MirrorView>),
    /// The home screen while the server is missed.
    Alarm(Box<alarm::AlarmView>),
    /// The home screen of the backup while it is the server.
    Serving(Box<serving::ServingView>),
    /// The home screen while a change of server runs.
    Turning(Box<turning::TurningView>),
    /// Everything about the copy.
    Copy(copy::CopyView),
    /// The operations.
    History(history::HistoryView),
    /// The POS terminals.
    Terminals(Box<terminals::TerminalsView>),
    /// The help.
    Help(help::HelpView),
    /// The first page.
    Welcome(welcome::WelcomeView),
    /// The form of the first page.
    Form(welcome::FormView),
}

/// What every view is made with.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// The language.
    pub words: &'a Words,
    /// The keys, and all else that was chosen at the start.
    pub options: &'a Options,
    /// The time, in the zone of who looks.
    pub now: &'a Zoned,
}

impl More {
    fn of(seen: &Seen<'_>, scope: Scope) -> Self {
        let hints = [(Intent::PageDown, "hint-more"), (Intent::PageUp, "hint-less")];
        let hints = hints.into_iter().filter_map(|(intent, label)| seen.hint(scope, intent, label)).collect();
        Self { hints, lines: seen.words.say("lines") }
    }
}

impl Seen<'_> {
    /// The keys of `intent` at `scope`, with what they do in a word.
    fn hint(&self, scope: Scope, intent: Intent, label: &str) -> Option<Hint> {
        let keys = self.options.keymap.hint(scope, intent)?;
        Some(Hint { keys, label: self.words.say(label), intent })
    }

    fn clock(&self) -> String {
        figures::clock(self.words, self.now)
    }
}

/// The screen of a service.
#[must_use]
pub fn service(app: &App, options: &Options, now: &Zoned) -> Scene {
    let seen = Seen { words: &options.words, options, now };
    let page = app.layers().iter().rev().copied().find(|layer| !layer.is_dialog()).unwrap_or(Layer::Home);
    let hints = hints(&seen, app, page);
    let support = support(&seen, app);
    let frame = Frame { title: title(&seen, app), clock: seen.clock(), air: air(app), hints, support };
    let dialog = app.layers().last().and_then(|layer| match layer {
        Layer::Quit { focus } => Some(ask::quit(&seen, app.status(), *focus)),
        Layer::Question { id, focus } => ask::question(&seen, app.status(), *id, *focus),
        Layer::Confirm(asked) => confirm::confirm(&seen, app, asked),
        Layer::Home | Layer::Copy { .. } | Layer::History { .. } | Layer::Terminals { .. } | Layer::Help { .. } => None,
    });
    let page = match page {
        Layer::Copy { top } => Page::Copy(copy::copy(&seen, app, top)),
        Layer::History { top } => Page::History(history::history(&seen, app, top)),
        Layer::Terminals { top } => Page::Terminals(Box::new(terminals::terminals(&seen, app, top))),
        Layer::Help { of, top } => Page::Help(help::help(&seen, of, top)),
        Layer::Home | Layer::Quit { .. } | Layer::Question { .. } | Layer::Confirm(_) => home(&seen, app),
    };
    let strip = app.strip().map(|strip| strip::strip(&seen, strip));
    Scene { frame, page, dialog, strip }
}

/// The home screen, as it is about what matters now.
fn home(seen: &Seen<'_>, app: &App) -> Page {
    let mirror = || Page::Mirror(Box::new(mirror::mirror(seen, app)));
    let Some(status) = app.status() else { return mirror() };
    match Home::of(status) {
        Home::Mirror => mirror(),
        Home::Serving => Page::Serving(Box::new(serving::serving(seen, app, status))),
        Home::Alarm => turn::start_plan(status)
            .map_or_else(mirror, |plan| Page::Alarm(Box::new(alarm::alarm(seen, app, status, plan)))),
        Home::Turning => turn::running(status)
            .map_or_else(mirror, |running| Page::Turning(Box::new(turning::turning(seen, app, status, running)))),
    }
}

/// The first page.
#[must_use]
pub fn first_page(first: &First, options: &Options, now: &Zoned) -> Scene {
    let seen = Seen { words: &options.words, options, now };
    let (page, scope, out) = match first.sheet() {
        Sheet::Welcome => (Page::Welcome(welcome::welcome(&seen)), Scope::First, "hint-out"),
        Sheet::Form => (Page::Form(welcome::form(&seen, first)), Scope::Form, "hint-back"),
        Sheet::Help { of, top } => (Page::Help(help::help(&seen, of, top)), Scope::Help, "hint-back"),
    };
    let help = seen.hint(scope, Intent::Help, "hint-help").filter(|_| scope != Scope::Help);
    let next = seen.hint(scope, Intent::Next, "hint-next");
    let hints = [help, next, seen.hint(scope, Intent::Leave, out)].into_iter().flatten().collect();
    let title = options.words.say("head-first");
    let frame = Frame { title, clock: seen.clock(), air: Air::Calm, hints, support: vec![] };
    Scene { frame, page, dialog: None, strip: None }
}

fn title(seen: &Seen<'_>, app: &App) -> String {
    let words = seen.words;
    let Some(status) = app.status() else { return words.say("head-waiting") };
    let title = match &status.folders {
        Some(folders) => words.with(
            "head-mirror",
            &[("store", status.store.as_str().into()), ("source", folders.source.as_str().into())],
        ),
        None => machines::title(words, status).unwrap_or_else(|| status.store.clone()),
    };
    match app.place() {
        Place::WatchOnly => words.with("head-watching", &[("title", title.into())]),
        Place::Embedded | Place::Attached => title,
    }
}

/// Whom to ask, the longest way to say it first.
fn support(seen: &Seen<'_>, app: &App) -> Vec<String> {
    let Some(Support { name, telephone }) = app.status().and_then(|status| status.support.clone()) else {
        return vec![];
    };
    let Some(telephone) = telephone else { return name.into_iter().collect() };
    let named = name.map(|name| format!("{name} {telephone}"));
    let desk = seen.words.with("support-desk", &[("telephone", telephone.as_str().into())]);
    named.into_iter().chain([desk, telephone]).collect()
}

/// Something is wrong when an alarm says so that is more than a hint, or a question waits; and where nothing may be switched
/// off, since the backup is the server or a change of server runs.
fn air(app: &App) -> Air {
    let wrong = app.status().is_some_and(|status| {
        !status.questions.is_empty()
            || status.alarms.iter().any(|alarm| !alarm.trouble.is_hint())
            || matches!(stance(status), Stance::ServesBare | Stance::Waits)
            || app.home() == Home::Turning
    });
    if wrong { Air::Alarm } else { Air::Calm }
}

fn hints(seen: &Seen<'_>, app: &App, page: Layer) -> Vec<Hint> {
    let scope = app.scope();
    let out = if scope.is_home() { "hint-out" } else { "hint-back" };
    let help = seen.hint(scope, Intent::Help, "hint-help").filter(|_| scope != Scope::Help);
    let copy = seen.hint(scope, Intent::PageCopy, "hint-copy").filter(|_| matches!(page, Layer::Home));
    let history = seen.hint(scope, Intent::PageHistory, "hint-history").filter(|_| matches!(page, Layer::Home));
    let any = app.status().is_some_and(|status| !status.terminals.is_empty() || !status.devices.is_empty());
    let terminals = seen.hint(scope, Intent::PageTerminals, "hint-terminals").filter(|_| any && page == Layer::Home);
    let mute = seen.hint(scope, Intent::Mute, "hint-mute").filter(|_| app.can_mute());
    [mute, help, copy, terminals, history, seen.hint(scope, Intent::Leave, out)].into_iter().flatten().collect()
}
