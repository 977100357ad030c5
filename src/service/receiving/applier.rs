//! Writes the mirror, on a thread of its own: generations in their order, then whatever was asked, a stretch at a time.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::answering::{Answering, Asking};
use super::building::{BuildStage, Pause};
use super::checking::Checking;
use super::failed::trouble;
use super::gathering::Gathers;
use super::work::{Done, Failed, Work};
use crate::disk::apply::aside::SetAside;
use crate::disk::apply::{Applied, Mirror};
use crate::disk::journal::index::Form;
use crate::disk::journal::records::Reader;
use crate::disk::journal::redo::Stored;
use crate::disk::{DiskError, Hope};
use crate::link::frame::{PROTOCOL, ToSource};
use crate::link::wire::push;
use crate::os::ground::{Worker, is_simulated};
use crate::replica::sealed::Sealed;
use crate::replica::{RelPath, Time};
use crate::service::news::News;

/// Time between two tries of what failed.
const RETRY: Duration = Duration::from_secs(1);

/// Time between two looks for steps back that are too old.
const TIDY: Duration = Duration::from_secs(10);

/// Parts of a first copy that may wait.
const WAITING: usize = 16;

/// The applier, for who gives it work.
#[derive(Debug)]
pub(super) struct Applier {
    work: mpsc::UnboundedSender<Work>,
    waiting: usize,
    /// What it has done.
    pub(super) done: mpsc::UnboundedReceiver<Done>,
    worker: Option<Worker<Option<Failed>>>,
}

impl Applier {
    /// Starts it with an opened mirror.
    pub(super) fn start(
        mirror: Mirror,
        redo: Reader,
        strange: bool,
        news: mpsc::UnboundedSender<News>,
    ) -> io::Result<Self> {
        let (work, todo) = mpsc::unbounded_channel();
        let (tell, done) = mpsc::unbounded_channel();
        let hands = Hands {
            mirror,
            redo,
            out: None,
            strange,
            foreign: false,
            news,
            done: tell,
            build: BuildStage::None,
            pause: None,
            gathers: None,
            check: None,
            answering: Answering::default(),
            tidy_at: Instant::now() + TIDY,
            choked: false,
            epoch: 0,
            protocol: PROTOCOL,
        };
        let worker = Worker::begin("apply", hands.run(todo))?;
        Ok(Self { work, waiting: 0, done, worker: Some(worker) })
    }

    /// Gives it work.
    pub(super) fn work(&mut self, work: Work) {
        if matches!(work, Work::Build(_) | Work::Start(_)) {
            self.waiting += 1;
        }
        let _ = self.work.send(work);
    }

    /// It is to answer this.
    pub(super) fn asking(&self, asks: Asking) {
        let _ = self.work.send(Work::Asks(asks));
    }

    /// Whether so much waits that no more should come.
    pub(super) fn is_busy(&self) -> bool {
        self.waiting > WAITING
    }

    /// It has taken a part of a first copy.
    pub(super) fn taken(&mut self) {
        self.waiting -= 1;
    }

    /// Has the oldest steps back dropped. Returns whether there were any.
    pub(super) fn drop_history(&self) -> Result<bool, DiskError> {
        if is_simulated() {
            // It gets to that only when nobody waits for it.
            return Ok(false);
        }
        let (answer, answered) = std_mpsc::channel();
        let _ = self.work.send(Work::DropHistory(answer));
        answered.recv().unwrap_or(Ok(false))
    }

    /// Waits for its end. Returns why it failed, if it did.
    pub(super) async fn end(&mut self) -> Option<Failed> {
        self.worker.take()?.end().await.unwrap_or_else(|_| Some("the mirror's writer has crashed".to_owned().into()))
    }
}

pub(super) struct Hands {
    pub(super) mirror: Mirror,
    redo: Reader,
    pub(super) out: Option<mpsc::Sender<Sealed>>,
    /// The mirror was not as it had been left, and the other side has not been told all of it anew since.
    pub(super) strange: bool,
    /// A generation found something foreign since the last comparison began, which is no proof then.
    pub(super) foreign: bool,
    news: mpsc::UnboundedSender<News>,
    pub(super) done: mpsc::UnboundedSender<Done>,
    pub(super) build: BuildStage,
    /// The first copy failed: when it is asked for again.
    pub(super) pause: Option<Pause>,
    /// What this machine alone holds is being set aside.
    pub(super) gathers: Option<Gathers>,
    pub(super) check: Option<Checking>,
    /// What the data are asked.
    pub(super) answering: Answering,
    /// When steps back that are too old are looked for.
    tidy_at: Instant,
    /// The last canary could not be made durable.
    choked: bool,
    /// The epoch in force.
    pub(super) epoch: u64,
    /// The version of what is said on the link.
    pub(super) protocol: u32,
}

impl Hands {
    async fn run(mut self, mut todo: mpsc::UnboundedReceiver<Work>) -> Option<Failed> {
        let mut queue: VecDeque<Work> = VecDeque::new();
        loop {
            self.end_pause();
            self.go_on_gathering();
            self.answer();
            self.tidy();
            let work = match queue.pop_front() {
                Some(work) => work,
                None => match self.idle(&mut todo).await {
                    Some(work) => work,
                    None => continue,
                },
            };
            match work {
                Work::Stop => return None,
                Work::Step(stored) => {
                    if let Err(why) = self.step(&stored, &mut todo, &mut queue).await {
                        return Some(why);
                    }
                }
                Work::Build(part) => {
                    let _ = self.done.send(Done::Taken);
                    self.build(part);
                }
                Work::Start(start) => {
                    let _ = self.done.send(Done::Taken);
                    self.started(start);
                }
                Work::Welcome { protocol, epoch, knows, dataset, out } => {
                    (self.protocol, self.epoch, self.out) = (protocol, epoch, Some(out));
                    // While a first copy waits to be asked for again, it is.
                    if self.pause.is_none() && !self.begins_to_gather(dataset) {
                        self.welcome(&knows);
                    }
                }
                Work::Abandon => self.build_abandoned(),
                Work::GiveUp => self.build_given_up(),
                Work::Look(paths) => self.observe(&paths),
                Work::Check { number, haste } => {
                    let is_whole = self.mirror.state().form == Form::Committed;
                    self.foreign = false;
                    self.check = is_whole.then(|| Checking::begin(number, haste));
                }
                Work::Open { number, file } => self.open_database(number, file),
                Work::Duplicate => self.duplicate(),
                Work::DuplicateRest(copy) => self.duplicate_rest(copy),
                Work::Pin { percent } => self.pin(percent),
                Work::PinOldest => self.pin_oldest(),
                Work::KeepFor { dataset, from } => self.keep_for(&dataset, from),
                Work::Compared { same, is_opened } => self.compared(same, is_opened),
                Work::Reseed => drop(self.reseed()),
                Work::Canary { at, level } => self.canary(at, level),
                Work::Last { digest } => {
                    let agrees = self.mirror.digest().is_ok_and(|own| own == digest);
                    self.say(&ToSource::ComparedLast { agrees });
                }
                Work::Digest { digest } => {
                    let agrees = self.mirror.digest().is_ok_and(|own| own == digest);
                    let _ = self.done.send(Done::Digest { agrees });
                }
                Work::Asks(asks) => self.answering = Answering::of(asks),
                Work::DropHistory(answer) => drop(answer.send(self.drop_history())),
                Work::ForgetHistory => self.forget_history(),
            }
        }
    }

    /// Waits for work, and compares between; none where something else is due.
    async fn idle(&mut self, todo: &mut mpsc::UnboundedReceiver<Work>) -> Option<Work> {
        let retry = (self.pause.is_some() || self.waits_to_gather()).then(|| Instant::now() + RETRY);
        let check = self.check.as_ref().map(|check| check.not_before);
        let tidy = (!is_simulated()).then_some(self.tidy_at);
        let Some(due) = [retry, check, self.answering.due(), tidy].into_iter().flatten().min() else {
            return Some(todo.recv().await.unwrap_or(Work::Stop));
        };
        if let Ok(work) = timeout_at(due, todo.recv()).await {
            return Some(work.unwrap_or(Work::Stop));
        }
        self.check_stretch();
        tokio::task::yield_now().await;
        None
    }

    /// Applies a generation, however often it takes. Fails when the end comes before: it is in the redo only, and the mirror is as it was
    /// before it.
    async fn step(
        &mut self,
        stored: &Stored,
        todo: &mut mpsc::UnboundedReceiver<Work>,
        queue: &mut VecDeque<Work>,
    ) -> Result<(), Failed> {
        let mut troubled = false;
        loop {
            // What was half applied is undone before it is tried again, or else the way back would lead to it.
            let undone = if troubled { self.mirror.undo_failed() } else { Ok(()) };
            self.tell_aside(None);
            let tried = match undone {
                Ok(()) => self.mirror.apply(stored, &self.redo),
                Err(error) => Err(error),
            };
            let why = match tried {
                Ok(Applied { strange, history_left, set_aside }) => {
                    if troubled {
                        self.tell(News::Trouble(None));
                        self.tell(News::Unapplied(None));
                    }
                    if let Some(left) = history_left {
                        self.tell(News::HistoryDropped(left));
                    }
                    self.tell_aside(set_aside);
                    let _ = self.done.send(Done::Applied { bytes: stored.to - stored.from });
                    self.answering.changed();
                    if !strange.is_empty() {
                        self.foreign = true;
                        let files = strange.len() as u64;
                        self.strange(&strange.into_iter().collect::<Vec<_>>());
                        let _ = self.done.send(Done::Doubtful { files });
                    }
                    return Ok(());
                }
                Err(error) => {
                    tracing::warn!(%error, seq = stored.end.position.seq, "a generation could not be applied; trying again");
                    troubled = true;
                    self.tell(News::Trouble(Some(trouble(&error, self.mirror.dest()))));
                    if error.hope() == Hope::Room {
                        let _ = self.drop_history();
                    }
                    self.tell(News::Unapplied(Some((error.to_string(), self.mirror.as_of()))));
                    error.to_string()
                }
            };
            let until = Instant::now() + RETRY;
            while let Ok(work) = timeout_at(until, todo.recv()).await {
                match work.unwrap_or(Work::Stop) {
                    Work::Stop => {
                        let undone = self.mirror.undo_failed();
                        self.tell_aside(None);
                        undone.map_err(|error| error.to_string())?;
                        return Err(Failed { why, is_whole: true });
                    }
                    Work::Reseed if self.reseed_instead(stored, queue) => return Ok(()),
                    Work::Reseed => {}
                    other => {
                        let waits = self.beside(other, stored, queue);
                        queue.extend(waits);
                    }
                }
            }
        }
    }

    /// Steps back go when they are old, also where nothing comes that would be one.
    fn tidy(&mut self) {
        if Instant::now() < self.tidy_at || is_simulated() {
            return;
        }
        self.tidy_at = Instant::now() + TIDY;
        loop {
            match self.mirror.drop_what_is_over() {
                Ok(None) => return,
                Ok(Some(left)) => self.tell(News::HistoryDropped(left)),
                Err(error) => return tracing::warn!(%error, "old steps back could not be dropped"),
            }
        }
    }

    /// Drops all steps back, as a person wants it.
    pub(super) fn forget_history(&mut self) {
        match self.mirror.forget_history() {
            Ok(_) => self.tell(News::HistoryDropped(0)),
            Err(error) => tracing::error!(%error, "the steps back could not be dropped"),
        }
    }

    pub(super) fn drop_history(&mut self) -> Result<bool, DiskError> {
        let left = self.mirror.drop_history()?;
        if let Some(left) = left {
            self.tell(News::HistoryDropped(left));
        }
        Ok(left.is_some())
    }

    pub(super) fn strange(&mut self, paths: &[RelPath]) {
        self.strange = true;
        self.tell(News::Strange(paths.iter().map(ToString::to_string).collect()));
        self.observe(paths);
    }

    /// The canary has come so far: it is to be made durable, as a change would be.
    fn canary(&mut self, at: Time, level: bool) {
        match self.mirror.canary(level.then_some(at)) {
            Ok(()) => {
                if std::mem::take(&mut self.choked) {
                    self.tell(News::Trouble(None));
                }
                self.tell(News::Canary { at, level });
            }
            Err(error) => {
                tracing::warn!(%error, "the canary could not be made durable");
                self.choked = true;
                self.tell(News::Trouble(Some(trouble(&error, self.mirror.dest()))));
            }
        }
    }

    /// What was set aside, and what could not be put back and is now.
    pub(super) fn tell_aside(&mut self, aside: Option<SetAside>) {
        for SetAside { files, to } in aside.into_iter().chain(self.mirror.take_half_kept()) {
            self.tell(News::SetAside { files: files.iter().map(ToString::to_string).collect(), to });
        }
    }

    pub(super) fn tell(&self, news: News) {
        let _ = self.news.send(news);
    }

    pub(super) fn say(&self, frame: &ToSource) {
        match frame.encode() {
            // Where the link is gone, the half that gives the work notices it.
            Ok(bytes) => drop(self.out.as_ref().map(|out| push(out, bytes.into()))),
            Err(bad) => tracing::warn!(%bad, "a frame could not be made"),
        }
    }
}
