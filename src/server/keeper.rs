//! The thread that keeps the program: one order, one answer or one moment at a time.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::again::Again;
use super::ask::{Question, ask};
use super::body::{Body, Life};
use super::hooks::Hook;
use super::output::Output;
use super::record;
use super::stray::{self, Stray};
use super::{News, Occasion, Order, Setup, Why, unit};
use crate::config::probe::Probe;

/// Between two looks at what runs.
const LOOK: Duration = Duration::from_millis(200);
/// The same while something is about to change.
const SOON: Duration = Duration::from_millis(20);
/// Between two questions while it is ready.
const HEALTH: Duration = Duration::from_secs(1);
/// The same before, over the network; and where a program asks.
const STARTING: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(500)];
/// How long one question may take before it is ready.
const EARLY: Duration = Duration::from_secs(2);
/// Between two looks whether it runs where it should not.
const STRAYS: Duration = Duration::from_secs(2);
/// Lines that are told of what it printed.
pub const LINES: usize = 5;

/// What wakes the thread.
#[derive(Debug)]
pub enum Input {
    /// An order.
    Order(Order),
    /// A question was answered.
    Answered {
        /// Which.
        number: u64,
        /// As it should be.
        is_well: bool,
    },
}

/// What was told last of what runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Said {
    Starting,
    Ready,
    Failing,
}

/// The program while it runs.
#[derive(Debug)]
struct Running {
    body: Body,
    since: Instant,
    said: Said,
    ready_at: Option<Instant>,
    /// The question that waits for its answer.
    asked: Option<(u64, Instant)>,
    ask_at: Instant,
    /// When the first question was asked that had no good answer since the last one that had.
    unanswered: Option<Instant>,
    ending: Option<Ending>,
}

/// It is on its way out.
#[derive(Debug)]
struct Ending {
    kill_at: Instant,
    /// Why, where that was not ordered.
    why: Option<Why>,
}

/// Keeps the program.
pub struct Keeper {
    setup: Setup,
    output: Output,
    inbox: Receiver<Input>,
    answers: Sender<Input>,
    tell: Box<dyn Fn(News) + Send>,
    /// It is to run.
    wanted: bool,
    occasion: Occasion,
    running: Option<Running>,
    again: Again,
    again_at: Instant,
    number: u64,
    look_at: Instant,
    stray: Option<Stray>,
}

impl Keeper {
    /// One that has been ordered nothing yet.
    #[must_use]
    pub fn new(setup: Setup, inbox: Receiver<Input>, answers: Sender<Input>, tell: Box<dyn Fn(News) + Send>) -> Self {
        let now = Instant::now();
        Self {
            output: Output::of(&setup.home),
            setup,
            inbox,
            answers,
            tell,
            wanted: false,
            occasion: Occasion::default(),
            running: None,
            again: Again::new(),
            again_at: now,
            number: 0,
            look_at: now + HEALTH,
            stray: None,
        }
    }

    /// Keeps it until it is to be left.
    pub fn run(mut self) {
        loop {
            match self.inbox.recv_timeout(self.pause()) {
                Ok(Input::Order(Order::Start(occasion))) => self.start_ordered(occasion),
                Ok(Input::Order(Order::Stop(occasion))) => self.stop_ordered(occasion),
                Ok(Input::Order(Order::Leave)) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Input::Answered { number, is_well }) => self.answered(number, is_well),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.look();
        }
    }

    fn pause(&self) -> Duration {
        let now = Instant::now();
        match &self.running {
            // To look at a unit takes a process.
            Some(Running { body: Body::Unit(_), .. }) => LOOK,
            Some(Running { ending: Some(_), .. } | Running { said: Said::Starting, .. }) => SOON,
            Some(_) => LOOK,
            None if self.wanted => self.again_at.saturating_duration_since(now),
            None => self.look_at.saturating_duration_since(now),
        }
    }

    fn start_ordered(&mut self, occasion: Occasion) {
        self.occasion = occasion;
        if self.wanted {
            return;
        }
        self.wanted = true;
        self.strays(None);
        (self.again, self.again_at) = (Again::new(), Instant::now());
        if self.running.is_none() {
            match Body::found(&self.setup) {
                Some((body, true)) => {
                    tracing::info!(?body, "the POS server runs already: it is taken over");
                    self.began(body);
                }
                // What is left of it, or was started otherwise, has to go first.
                Some((body, false)) => {
                    self.began(body);
                    self.end(None);
                }
                None => {}
            }
        }
    }

    fn stop_ordered(&mut self, occasion: Occasion) {
        self.occasion = occasion;
        if self.wanted
            && self.running.is_some()
            && let Err(why) = self.setup.run(Hook::BeforeStop, self.occasion)
        {
            tracing::warn!(%why, "the POS server is not stopped");
            (self.tell)(News::Kept(why));
            return;
        }
        self.wanted = false;
        if self.running.is_none()
            && let Some((body, _)) = Body::found(&self.setup)
        {
            self.began(body);
        }
        if self.running.is_some() {
            self.end(None);
        } else {
            self.stopped(None);
        }
    }

    /// What is to be done now.
    fn look(&mut self) {
        let now = Instant::now();
        self.output.roll();
        let Some(running) = &mut self.running else {
            if self.wanted && now >= self.again_at {
                self.start();
            } else if !self.wanted && now >= self.look_at {
                self.look_at = now + STRAYS;
                self.strays(stray::find(&self.setup));
            }
            return;
        };
        if let Some(ending) = &mut running.ending {
            if running.body.is_gone() {
                let why = ending.why.take();
                self.gone(why);
            } else if now >= ending.kill_at {
                tracing::warn!(body = ?running.body, "the POS server does not end: it is killed");
                running.body.kill();
                // Whatever comes up meanwhile is killed, too.
                ending.kill_at = now + LOOK;
            }
            return;
        }
        // A unit is looked at when it is asked: that takes a process each time.
        let is_time = matches!(running.body, Body::Group(_)) || (running.asked.is_none() && now >= running.ask_at);
        if is_time && let Life::Ended(code) = running.body.life() {
            self.end(Some(Why::Ended { code }));
            return;
        }
        if running.asked.is_none() && now >= running.ask_at {
            self.ask(now);
        }
        self.judge(now);
    }

    fn start(&mut self) {
        let output = self.output.open();
        let units = self.setup.server.with.clone();
        let ready = self.setup.run(Hook::BeforeServe, self.occasion);
        let started =
            ready.and_then(|()| units.iter().try_for_each(|with| unit::start(with.as_str()))).and_then(|()| {
                let cannot =
                    |error: std::io::Error| Why::CannotStart { what: "server.log".into(), error: error.to_string() };
                Body::start(&self.setup, output.map_err(cannot)?)
            });
        match started {
            Ok(body) => {
                tracing::info!(?body, "the POS server was started");
                self.began(body);
            }
            Err(why) => self.fell(why, None),
        }
    }

    fn began(&mut self, body: Body) {
        let now = Instant::now();
        self.running = Some(Running {
            body,
            since: now,
            said: Said::Starting,
            ready_at: None,
            asked: None,
            ask_at: now,
            unanswered: None,
            ending: None,
        });
        if self.wanted {
            (self.tell)(News::Starting);
        }
    }

    /// Ends it: as it was ordered, or because what is left of it stands in the way.
    fn end(&mut self, why: Option<Why>) {
        let Some(running) = self.running.as_mut().filter(|running| running.ending.is_none()) else { return };
        let stop = self.setup.server.stop;
        running.body.ask_to_end(stop.signal);
        running.ending = Some(Ending { kill_at: Instant::now() + stop.timeout, why });
    }

    /// Nothing of it runs any more.
    fn gone(&mut self, why: Option<Why>) {
        let ready = self.running.take().and_then(|running| running.ready_at).map(|at| at.elapsed());
        record::forget(&self.setup.home);
        match why {
            Some(why) if self.wanted => self.fell(why, ready),
            why => {
                if !self.wanted {
                    self.setup.tell(Hook::AfterStop, self.occasion);
                }
                self.stopped(why.filter(|_| self.wanted));
            }
        }
    }

    /// It does not run though it should: it is started again after a while.
    fn fell(&mut self, why: Why, ready: Option<Duration>) {
        let wait = self.again.wait(ready);
        tracing::warn!(%why, again_in = ?wait, "the POS server does not run");
        self.again_at = Instant::now() + wait;
        self.stopped(Some(why));
    }

    fn stopped(&mut self, why: Option<Why>) {
        if !self.wanted {
            tracing::info!("the POS server is stopped");
            for with in self.setup.server.with.iter().rev() {
                if let Err(why) = unit::stop(with.as_str()) {
                    tracing::warn!(%why, "a unit could not be stopped");
                }
            }
            self.look_at = Instant::now() + HEALTH;
        }
        (self.tell)(News::Stopped { why, lines: self.output.last(LINES) });
    }

    fn ask(&mut self, now: Instant) {
        let Some(running) = &mut self.running else { return };
        let is_ready = running.said == Said::Ready || running.ready_at.is_some();
        let check = if is_ready { &self.setup.server.health } else { &self.setup.server.ready };
        self.number += 1;
        let number = self.number;
        running.asked = Some((number, now));
        let (mut question, limit) = match &check.probe {
            // It runs: no more is asked of it.
            None => {
                self.answered(number, true);
                return;
            }
            Some(Probe::Command(command)) => (Question::Program(self.setup.command(command)), check.timeout),
            Some(probe) => {
                let limit = if is_ready { check.timeout } else { check.timeout.min(EARLY) };
                (Question::Net(probe.clone()), limit)
            }
        };
        let answers = self.answers.clone();
        let asking = std::thread::Builder::new().name("pos asked".to_owned()).spawn(move || {
            let is_well = ask(&mut question, limit);
            let _ = answers.send(Input::Answered { number, is_well });
        });
        if asking.is_err() {
            self.answered(number, false);
        }
    }

    fn answered(&mut self, number: u64, is_well: bool) {
        let Some(running) = &mut self.running else { return };
        let Some((_, at)) = running.asked.take_if(|(asked, _)| *asked == number) else { return };
        let now = Instant::now();
        let is_program = matches!(self.setup.server.ready.probe, Some(Probe::Command(_)));
        let pace = if running.ready_at.is_some() { HEALTH } else { STARTING[usize::from(is_program)] };
        running.ask_at = now.max(at + pace);
        if !is_well {
            running.unanswered.get_or_insert(at);
            return;
        }
        running.unanswered = None;
        // Who answers may be another program that has the port: ours must run.
        if running.said == Said::Ready || running.ending.is_some() || !running.body.lives() {
            return;
        }
        running.said = Said::Ready;
        let is_first = running.ready_at.is_none();
        running.ready_at.get_or_insert(now);
        running.ask_at = now + HEALTH;
        let took = now.duration_since(running.since);
        tracing::info!(?took, "the POS server is ready");
        (self.tell)(News::Ready { took });
        if is_first && self.setup.hooks.after_serve.is_some() {
            // It may take its time, and the program is asked meanwhile.
            let (setup, occasion) = (self.setup.clone(), self.occasion);
            let told = move || setup.tell(Hook::AfterServe, occasion);
            let _ = std::thread::Builder::new().name("pos hook".to_owned()).spawn(told);
        }
    }

    /// Whether it has not answered for too long.
    fn judge(&mut self, now: Instant) {
        let Some(running) = &mut self.running else { return };
        let server = &self.setup.server;
        let waiting = running.asked.map(|(_, at)| at);
        let since = running.unanswered.or(waiting).unwrap_or(now);
        let why = match running.said {
            Said::Starting if now.duration_since(running.since) >= server.ready.timeout => {
                Why::NotReady { after: server.ready.timeout }
            }
            Said::Ready if now.duration_since(since) >= server.health.timeout => Why::NoAnswer,
            Said::Starting | Said::Ready | Said::Failing => return,
        };
        tracing::warn!(%why, "the POS server fails");
        running.said = Said::Failing;
        (self.tell)(News::Failing(why));
    }

    fn strays(&mut self, stray: Option<Stray>) {
        if self.stray != stray {
            tracing::info!(?stray, "the POS server where it should not run");
            self.stray.clone_from(&stray);
            (self.tell)(News::Strays(stray));
        }
    }
}
