//! The mirroring half of the copy: takes generations in, makes them durable, acknowledges them. It runs on a thread of its
//! own, and blocks between what it waits for; the files are written by the [`applier`] on another, so that no acknowledgement waits for them.
//!
//! - [`applier`]: writes the mirror
//! - `answering`: what the data are asked as they change
//! - `beside`: what is done beside a generation that cannot be applied
//! - `building`: a first copy on its way in
//! - `checking`: the mirror with its index
//! - `comparing`: both sides, byte for byte
//! - `hearing`: what the serving half says
//! - `holding`: what the mirror says that it holds
//! - `gathering`: what this machine alone holds is set aside before
//! - `duplicating`: a copy of the mirror for a drill
//! - `failed`: what a failure is to a person
//! - `incoming`: one generation on its way in
//! - [`opening`]: opens the mirror
//! - [`orders`]: what it is asked
//! - `work`: what the applier is given to do, and what it has done

mod answering;
pub mod applier;
mod beside;
mod building;
mod checking;
mod comparing;
mod duplicating;
mod failed;
mod gathering;
mod hearing;
mod holding;
mod incoming;
pub mod opening;
pub mod orders;
mod work;

use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::haste::Haste;
use super::news::News;
use crate::config::mirror::SUSPICIOUS;
use crate::disk::DiskError;
use crate::disk::journal::index::Form;
use crate::disk::journal::redo::{Redo, UNAPPLIED};
use crate::link::Hello;
use crate::link::frame::{Say, ToMirror, ToSource};
use crate::link::port::{Came, Port};
use crate::link::wire::push;
use crate::os::ground;
use crate::replica::{Grade, Position};
pub use answering::Asking;
use applier::Applier;
use comparing::Comparisons;
use failed::trouble;
use incoming::{Incoming, Verdict};
use opening::Opened;
pub use orders::{Order, Orders};
pub use work::Failed;
use work::{Done, Work};

/// What can wake the half.
enum Wake {
    Order(Order),
    Done(Done),
    Link(Came),
    /// It is time to compare both sides.
    Due,
}

/// The mirroring half.
pub struct Receiving {
    port: Port,
    orders: Orders,
    news: mpsc::UnboundedSender<News>,
    applier: Applier,
    redo: Redo,
    dest: crate::disk::root::Root,
    /// The last generation that is durable.
    durable: Position,
    /// The highest epoch that was seen.
    epoch: u64,
    /// Bytes in the redo that are not applied.
    unapplied: u64,
    incoming: Incoming,
    comparisons: Comparisons,
    /// What the server said first on this link, and was not answered yet.
    hello: Option<Hello>,
    /// Its epoch is saved: it may be answered.
    following: bool,
    troubled: bool,
    /// The last generation was not steady.
    moves: bool,
    /// Bytes that the source holds.
    held: u64,
    /// A generation that changes so many of a hundred bytes is doubtful.
    suspicious: u64,
}

impl Receiving {
    /// Begins with an opened mirror.
    pub fn begin(
        opened: Opened,
        epoch: u64,
        port: Port,
        orders: Orders,
        news: mpsc::UnboundedSender<News>,
    ) -> Result<Self, DiskError> {
        let Opened { mirror, strange, unapplied } = opened;
        let last = unapplied.last();
        let durable = last.map_or(mirror.state().position, |last| last.end.position);
        let mut redo = Redo::open(&mirror.redo_path(), last.map_or(0, |last| last.to))?;
        if last.is_none() {
            // All that was in it is applied.
            redo.rewind()?;
        }
        let path = mirror.dest().path().to_owned();
        let io = |source| DiskError::Io { doing: "opening", path: path.clone(), source };
        let dest = crate::disk::root::Root::open(&path).map_err(io)?;
        let is_foreign = mirror.index().disturbed()?.iter().any(|one| one.is_open);
        let is_doubted = strange || is_foreign || mirror.index().doubted()?.is_some();
        let proven = mirror.index().same()?.filter(|_| !is_doubted);
        let moves = last.map_or(mirror.state().grade, |last| last.end.grade) == Grade::Unsteady;
        let whole = mirror.state().form == Form::Committed;
        let comparisons = if whole { Comparisons::of(proven.and_then(ago)) } else { Comparisons::default() };
        let mut applier = Applier::start(mirror, redo.reader()?, strange, news.clone()).map_err(io)?;
        let waits = unapplied.iter().map(|stored| stored.to - stored.from).sum();
        for stored in unapplied {
            let (end, begin) = (stored.end.clone(), stored.begin.clone());
            let _ = news.send(News::Durable { end, begin, took: Duration::ZERO });
            applier.work(Work::Step(stored));
        }
        Ok(Self {
            port,
            orders,
            news,
            applier,
            redo,
            dest,
            durable,
            epoch,
            unapplied: waits,
            incoming: Incoming::default(),
            comparisons,
            hello: None,
            following: false,
            troubled: false,
            moves,
            held: 0,
            suspicious: SUSPICIOUS,
        })
    }

    /// A generation that changes so many of a hundred bytes is doubtful.
    #[must_use]
    pub fn suspecting(self, suspicious: u64) -> Self {
        Self { suspicious, ..self }
    }

    /// It answers this, as its data change.
    #[must_use]
    pub fn asking(self, asks: Asking) -> Self {
        self.applier.asking(asks);
        self
    }

    /// Receives over one link after another, until none can come any more or an order ends it; what was acknowledged is
    /// applied before. Fails where that could not be done.
    pub async fn run(mut self) -> Result<(), Failed> {
        let why = self.receive().await.err();
        self.applier.work(Work::Stop);
        let failed = self.applier.end().await;
        let _ = self.news.send(News::Ended(why.or_else(|| failed.as_ref().map(|failed| failed.why.clone()))));
        failed.map_or(Ok(()), Err)
    }

    async fn receive(&mut self) -> Result<(), String> {
        loop {
            match self.turn().await {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(why) if self.port.is_last() => return Err(why),
                Err(why) => {
                    tracing::warn!(why, "the link is given up");
                    self.port.hang_up();
                    self.unlinked();
                }
            }
        }
    }

    /// Waits for one thing to happen and does what it calls for. Returns whether anything can happen again.
    async fn turn(&mut self) -> Result<bool, String> {
        match self.next().await {
            Wake::Order(Order::Stop) | Wake::Link(Came::Over) => return Ok(false),
            Wake::Order(Order::Follow { epoch }) => (self.following, self.epoch) = (true, self.epoch.max(epoch)),
            Wake::Order(order) => self.order(order)?,
            Wake::Done(done) => self.done(done)?,
            Wake::Link(Came::Link) => self.forget_link(),
            Wake::Link(Came::Frame(frame)) => self.frame(&frame)?,
            Wake::Link(Came::Gone) => self.unlinked(),
            Wake::Due => self.compare(Haste::Beside)?,
        }
        // One of a later epoch waits until that is saved.
        if self.following
            && let Some(Hello { protocol, knows, dataset, .. }) = self.hello.take_if(|hello| hello.epoch <= self.epoch)
            && let Some(out) = self.port.out().cloned()
        {
            self.applier.work(Work::Welcome { protocol, epoch: self.epoch, knows, dataset, out });
            if self.comparisons.linked() {
                self.compare(Haste::AtOnce)?;
            }
        }
        Ok(true)
    }

    fn frame(&mut self, frame: &Bytes) -> Result<(), String> {
        match ToMirror::decode(frame).map_err(|bad| bad.to_string())? {
            ToMirror::Say(Say::Hello(said)) if said.protocol != self.port.spoken() => {
                Err(format!("the main speaks version {}, this machine {}", said.protocol, self.port.spoken()))
            }
            ToMirror::Say(Say::Hello(said)) => {
                self.tell(News::Heard { epoch: said.epoch, start: said.start });
                self.hello = Some(said);
                Ok(())
            }
            ToMirror::Say(say) => self.heard(say),
            ToMirror::Part(part, sealed) => self.part(part, &sealed),
        }
    }

    fn unlinked(&mut self) {
        self.tell(News::Closed);
        self.forget_link();
    }

    /// Forgets what belonged to a link that is gone: what had not come to its end comes again.
    fn forget_link(&mut self) {
        self.hello = None;
        if self.incoming.is_open() {
            let _ = self.redo.give_up();
            self.applier.work(Work::Abandon);
            self.incoming = Incoming::default();
            self.tell(News::GivenUp);
        }
        self.comparisons.unlinked();
    }

    async fn next(&mut self) -> Wake {
        // With too much unapplied, or the applier's hands full, nothing more is taken in.
        let stalled = self.unapplied > UNAPPLIED || self.applier.is_busy();
        let due = self.comparisons.due();
        let (orders, port, applier) = (&mut self.orders, &mut self.port, &mut self.applier);
        tokio::select! {
            biased;
            order = orders.next() => Wake::Order(order),
            done = applier.done.recv() => done.map_or(Wake::Link(Came::Over), Wake::Done),
            came = port.next(!stalled) => Wake::Link(came),
            () = until(due) => Wake::Due,
        }
    }

    fn order(&mut self, order: Order) -> Result<(), String> {
        match order {
            Order::Compare if !self.comparisons.asked() => Ok(()),
            Order::Compare => self.compare(Haste::AtOnce),
            Order::Reseed => {
                // Whatever is on its way belongs to what the mirror was: the next link begins with what it is.
                self.port.hang_up();
                self.unlinked();
                self.comparisons.called_off();
                self.applier.work(Work::Reseed);
                Ok(())
            }
            Order::Duplicate => {
                self.applier.work(Work::Duplicate);
                Ok(())
            }
            Order::ForgetHistory => {
                self.applier.work(Work::ForgetHistory);
                Ok(())
            }
            Order::KeepFor { dataset, from } => {
                self.applier.work(Work::KeepFor { dataset, from });
                Ok(())
            }
            Order::AcceptRemovals => self.say(&ToSource::AcceptRemovals),
            Order::AcceptEmptied => self.say(&ToSource::AcceptEmptied),
            Order::AcceptOlder => self.say(&ToSource::AcceptOlder),
            Order::Follow { .. } | Order::Stop => Ok(()),
        }
    }

    fn done(&mut self, done: Done) -> Result<(), String> {
        match done {
            Done::Applied { bytes } => {
                self.unapplied -= bytes;
                if self.unapplied == 0 && !self.incoming.is_open() {
                    self.redo.rewind().map_err(|error| error.to_string())?;
                }
            }
            Done::Doubtful { files } => self.comparisons.doubted(files),
            Done::Reseeded => self.comparisons.thrown_away(),
            Done::GivenUp { bytes, position } => {
                self.unapplied -= bytes;
                self.durable = position;
                self.redo.rewind().map_err(|error| error.to_string())?;
            }
            Done::Built { end, begin, took } => {
                self.durable = end.position;
                self.mended();
                self.say(&ToSource::Ack(end.position))?;
                self.tell(News::Durable { end, begin, took });
                if self.comparisons.built() {
                    self.compare(Haste::AtOnce)?;
                }
            }
            Done::BuildRefused => {
                self.troubled = true;
                self.tell(News::GivenUp);
            }
            Done::Checking { number, files, bytes, strange } => {
                self.comparisons.checking(number, (files, bytes, strange));
                self.tell_comparing();
            }
            Done::Checked { number, databases, failed } => {
                self.comparisons.checked(number, databases, failed);
                self.finish_comparing();
            }
            Done::Opened { number, file, opens } => {
                self.comparisons.opened(number, &file, opens);
                self.finish_comparing();
            }
            Done::Duplicated(copy) => match *copy {
                Ok(copy) => self.applier.work(Work::DuplicateRest(copy)),
                Err(error) => self.tell(News::Duplicated(Err(error))),
            },
            Done::Digest { agrees } => {
                self.comparisons.agreed(agrees);
                self.finish_comparing();
            }
            Done::Taken => self.applier.taken(),
        }
        Ok(())
    }

    /// Something failed on the mirror's disk.
    fn trouble(&mut self, error: &DiskError) {
        self.troubled = true;
        self.tell(News::Trouble(Some(trouble(error, &self.dest))));
    }

    fn mended(&mut self) {
        if std::mem::take(&mut self.troubled) {
            self.tell(News::Trouble(None));
        }
    }

    fn tell(&self, news: News) {
        // The service is gone only when the process ends.
        let _ = self.news.send(news);
    }

    fn say(&self, frame: &ToSource) -> Result<(), String> {
        let bytes = frame.encode().map_err(|bad| bad.to_string())?;
        // Where there is no link, or one that has just gone, nobody listens: what matters is said anew to the next one. What
        // follows from what came must be done all the same.
        if let Some(out) = self.port.out() {
            let _ = push(out, bytes.into());
        }
        Ok(())
    }
}

/// How long ago that was: seconds since 1970. What a clock that was ahead has said may be of any time.
fn ago(at: i64) -> Option<Duration> {
    u64::try_from(ground::now().as_second() - at).ok().map(Duration::from_secs)
}

/// Waits until then; where there is no such time, for ever.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

/// What becomes of a part.
type Took = Result<Verdict, DiskError>;
