//! The loop between the terminal, the clock and the service.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use jiff::Zoned;
use ratatui::layout::Size;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_stream::StreamExt;

use super::app::App;
use super::bell::Bell;
use super::face::{Face, Moment};
use super::first::{Chosen, First};
use super::stage::{Effect, Message, Stage};
use super::strip::{Beside, Strip};
use super::terminal::Screen;
use super::view::Scene;
use super::{Attached, Left, Options};
use crate::service::{Command, Status};

/// The time between two drawings that nobody asked for by a key.
const CALM: Duration = Duration::from_millis(100);
/// The time between a key and what it shows, at the most.
const PROMPT: Duration = Duration::from_millis(20);

/// Shows the service until the screen is left or the service ends.
pub async fn run(attached: Attached, options: &Options) -> io::Result<Left> {
    begin(attached, None, options).await
}

/// The same for a practice shop, with a strip below the screen.
pub async fn practise(attached: Attached, beside: Beside, options: &Options) -> io::Result<Left> {
    begin(attached, Some(beside), options).await
}

async fn begin(attached: Attached, beside: Option<Beside>, options: &Options) -> io::Result<Left> {
    let Attached { mut status, commands } = attached;
    let mut app = App::new(options.place, options.by.clone());
    // What is known already is on the first frame.
    if let Some(known) = status.borrow_and_update().clone() {
        app.update(Zoned::now().timestamp(), Message::Heard(known));
    }
    let mut session = Session::begin(Face::new(app), options, Some(commands))?;
    session.beside = beside;
    session.play(Some(status)).await.map(|end| end.unwrap_or(Left::ServiceEnded))
}

/// Shows the first page of an empty home; none when it was left without a choice.
pub async fn first_page(options: &Options) -> io::Result<Option<Chosen>> {
    let mut session = Session::begin(Face::new(First::default()), options, None)?;
    session.play(None).await.map(Option::flatten)
}

/// What can come.
enum Input {
    Terminal(Option<io::Result<Event>>),
    Status(Result<(), watch::error::RecvError>),
    Strip(Arc<Strip>),
    CutOff,
    Due,
}

/// One time that the screen has the terminal.
struct Session<'o, S> {
    face: Face<S>,
    options: &'o Options,
    commands: Option<mpsc::UnboundedSender<Command>>,
    /// What lies below the screen.
    beside: Option<Beside>,
    screen: Screen,
    events: EventStream,
    cut_off: [Signal; 3],
    began: Instant,
    shown: Option<(Scene, Size)>,
    /// The next drawing; none when nothing can have changed until the clock says so.
    draw_at: Option<Instant>,
    drawn_at: Instant,
    bell: Bell,
}

impl<'o, S: Stage> Session<'o, S> {
    fn begin(
        face: Face<S>,
        options: &'o Options,
        commands: Option<mpsc::UnboundedSender<Command>>,
    ) -> io::Result<Self> {
        let cut_off = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt()];
        let [term, hup, int] = cut_off.map(signal);
        let (cut_off, screen) = ([term?, hup?, int?], Screen::take()?);
        let began = Instant::now();
        let (events, shown, draw_at, beside) = (EventStream::new(), None, Some(began), None);
        Ok(Self {
            face,
            options,
            commands,
            beside,
            screen,
            events,
            cut_off,
            began,
            shown,
            draw_at,
            drawn_at: began,
            bell: Bell::default(),
        })
    }

    /// Until it ends; none when the service ended.
    async fn play(&mut self, mut status: Option<watch::Receiver<Option<Arc<Status>>>>) -> io::Result<Option<S::End>> {
        loop {
            let due = self.settle()?;
            let input = self.next(status.as_mut(), due).await;
            let effects = match input {
                Input::Terminal(None | Some(Err(_))) | Input::CutOff => {
                    return Ok(Some(self.face.stage().cut_off()));
                }
                Input::Terminal(Some(Ok(event))) => {
                    self.draw_soon(PROMPT);
                    self.face.take(self.moment(), self.options, &event)
                }
                Input::Status(Err(_)) => return Ok(None),
                Input::Status(Ok(())) => {
                    self.draw_soon(CALM);
                    let known = status.as_mut().and_then(|status| status.borrow_and_update().clone());
                    known.map_or_else(Vec::new, |known| self.face.tell(self.moment(), Message::Heard(known)))
                }
                Input::Strip(strip) => {
                    self.draw_soon(CALM);
                    self.face.tell(self.moment(), Message::Strip(strip))
                }
                Input::Due if self.face.due().is_some_and(|held| held <= self.began.elapsed()) => {
                    self.draw_soon(PROMPT);
                    self.face.expire(self.moment(), self.options)
                }
                Input::Due => vec![],
            };
            if let Some(end) = self.perform(effects)? {
                return Ok(Some(end));
            }
        }
    }

    fn moment(&self) -> Moment {
        Moment { since: self.began.elapsed(), at: Zoned::now().timestamp() }
    }

    fn draw_soon(&mut self, gap: Duration) {
        let at = self.drawn_at + gap;
        self.draw_at = Some(self.draw_at.map_or(at, |before| before.min(at)));
    }

    /// Draws when it is time, and says when it is to be called again at the latest.
    fn settle(&mut self) -> io::Result<Instant> {
        let now = Instant::now();
        if self.draw_at.is_some_and(|at| at <= now) {
            self.draw()?;
            // The clock in the first line, and ages, change with the second.
            let clock = Zoned::now();
            let into_second = Duration::from_nanos(u64::from(clock.subsec_nanosecond().unsigned_abs()));
            self.draw_at = Some(now + Duration::from_secs(1).saturating_sub(into_second) + Duration::from_millis(1));
        }
        let moment = self.moment();
        if self.bell.strikes(moment.since, self.face.stage().rings(moment.at)) {
            self.screen.ring()?;
        }
        let bell = self.bell.due().map(|since| self.began + since);
        let held = self.face.due().map(|since| self.began + since);
        Ok([self.draw_at, held, bell].into_iter().flatten().min().unwrap_or(now + Duration::from_secs(1)))
    }

    /// Waits; changes nothing. What is due is due however busy the inbox is: `settle` comes before each wait.
    async fn next(&mut self, status: Option<&mut watch::Receiver<Option<Arc<Status>>>>, due: Instant) -> Input {
        let changed = async {
            match status {
                Some(status) => status.changed().await,
                None => std::future::pending().await,
            }
        };
        let below = async {
            if let Some(beside) = &mut self.beside
                && beside.strip.changed().await.is_ok()
            {
                return beside.strip.borrow_and_update().clone();
            }
            std::future::pending().await
        };
        let [term, hup, int] = &mut self.cut_off;
        tokio::select! {
            event = self.events.next() => Input::Terminal(event),
            changed = changed => Input::Status(changed),
            strip = below => Input::Strip(strip),
            _ = term.recv() => Input::CutOff,
            _ = hup.recv() => Input::CutOff,
            _ = int.recv() => Input::CutOff,
            () = sleep_until(due) => Input::Due,
        }
    }

    /// Draws, unless all is as it was drawn last.
    fn draw(&mut self) -> io::Result<()> {
        let (now, size) = (self.moment(), self.screen.terminal.size()?);
        self.drawn_at = Instant::now();
        let scene = self.face.stage().scene(self.options, &Zoned::now());
        if self.shown.as_ref().is_some_and(|(shown, at)| *shown == scene && *at == size) {
            return Ok(());
        }
        let (face, options) = (&mut self.face, self.options);
        self.screen.terminal.draw(|frame| {
            let area = frame.area();
            let cursor = face.draw(now, &scene, options, area, frame.buffer_mut()).cursor;
            if let Some(cursor) = cursor {
                frame.set_cursor_position(cursor);
            }
        })?;
        self.shown = Some((scene, size));
        Ok(())
    }

    fn perform(&mut self, effects: Vec<Effect<S::End>>) -> io::Result<Option<S::End>> {
        for effect in effects {
            match effect {
                // A service that is gone is seen by its status.
                Effect::Send(command) => {
                    let _ = self.commands.as_ref().map(|commands| commands.send(command));
                }
                Effect::Cause(intent) => {
                    let _ = self.beside.as_ref().map(|beside| beside.wants.send(intent));
                }
                Effect::Redraw => {
                    self.screen.terminal.clear()?;
                    self.shown = None;
                }
                Effect::End(end) => return Ok(Some(end)),
            }
        }
        Ok(None)
    }
}
