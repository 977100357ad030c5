//! One dataset on its way: a half of the copy, which works on threads of its own, and the book that is kept of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::disk::apply::open::Opening;
use crate::link::port::Port;
use crate::link::wire::End;
use crate::os::ground::{Worker, spawn};
use crate::pair::Epoch;
use crate::service::book::Book;
use crate::service::news::News;
use crate::service::receiving::{self, Asking, Failed, Order, Orders, Receiving};
use crate::service::sending::{self, Sending, last};

/// The first time until a dataset that stopped by itself is taken up again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest.
const LAST_PAUSE: Duration = Duration::from_secs(300);
/// So long one that was taken up again must go until it counts as mirrored, where it says nothing of that.
const SETTLED: Duration = Duration::from_secs(3);

/// A dataset on its way.
pub struct Lane {
    /// Its name.
    pub name: String,
    /// What its news bear; no two lanes have the same.
    pub number: usize,
    /// What is known of its copy, where it is received here.
    pub book: Book,
    /// Where its links go.
    pub links: mpsc::UnboundedSender<End>,
    /// What its mirror is asked; nobody takes it where the dataset is sent.
    pub orders: mpsc::UnboundedSender<Order>,
    /// What its source is asked; nobody takes it where the dataset is received.
    pub source: mpsc::UnboundedSender<last::Order>,
    /// How far its source is.
    pub sent: Sent,
    /// Its folder was served from until now: that files in it are not as the mirror left them is as it should be.
    pub served: bool,
    /// It stopped by itself, while others go on, and does not work yet since it was taken up again.
    pub stalled: Option<Stalled>,
    work: Work,
    /// The epoch whose server it takes from.
    follows: Option<Epoch>,
    /// When it was begun, or taken up again.
    since: Instant,
    pause: Duration,
    /// What its mirror said before it ended.
    last_words: Option<String>,
    /// It could be opened.
    opened: Arc<AtomicBool>,
    worker: Option<Worker<Result<(), Failed>>>,
}

/// A dataset that stopped by itself.
#[derive(Clone, Debug)]
pub struct Stalled {
    /// Why.
    pub why: String,
    /// When it is taken up again.
    pub again_at: Instant,
}

/// What is done with a dataset.
#[derive(Clone)]
pub enum Work {
    /// It is sent. When something in it moved last is told there.
    Send(Box<sending::Settings>, watch::Sender<Instant>),
    /// It is received.
    Receive(Receipt),
}

/// How far a source is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sent {
    /// All that was changed last has gone to the mirror.
    pub all: bool,
    /// Both copies were compared since it began.
    pub compared: bool,
    /// The number of the last generation, where the mirror has compared and holds the same.
    pub level: Option<u64>,
}

/// What a mirror is made with.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Its folder.
    pub dest: PathBuf,
    /// How it is opened.
    pub opening: Opening,
    /// The epoch that was seen.
    pub epoch: Epoch,
    /// What it is asked.
    pub asks: Asking,
    /// A generation that changes so many of a hundred bytes is doubtful.
    pub suspicious: u64,
}

impl Lane {
    /// Begins `work` with the dataset `name`. What happens to it is told with `number`.
    pub fn begin(
        name: &str,
        work: Work,
        book: Book,
        number: usize,
        tell: mpsc::UnboundedSender<(usize, News)>,
    ) -> std::io::Result<Self> {
        let Ends { links, orders, source, opened, worker } = work.begin(name, number, tell)?;
        Ok(Self {
            name: name.to_owned(),
            number,
            book,
            links,
            orders,
            source,
            sent: Sent::default(),
            served: false,
            stalled: None,
            work,
            follows: None,
            since: Instant::now(),
            pause: FIRST_PAUSE,
            last_words: None,
            opened,
            worker: Some(worker),
        })
    }

    /// It is about to end by itself, for this reason.
    pub fn says(&mut self, why: Option<String>) {
        self.last_words = why;
    }

    /// Takes what comes from the server of `epoch`.
    pub fn follow(&mut self, epoch: Epoch) {
        if let Work::Receive(receipt) = &mut self.work {
            receipt.epoch = receipt.epoch.max(epoch);
        }
        self.follows = Some(epoch);
        let _ = self.orders.send(Order::Follow { epoch });
    }

    /// It does what it should.
    pub fn works(&mut self) {
        (self.pause, self.stalled) = (FIRST_PAUSE, None);
    }

    /// Whether somebody works on it.
    #[must_use]
    pub fn goes(&self) -> bool {
        self.worker.is_some()
    }

    /// Whether it could be opened.
    #[must_use]
    pub fn was_opened(&self) -> bool {
        self.opened.load(Ordering::Relaxed)
    }

    /// Whether somebody has worked on it for a while.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.goes() && self.since.elapsed() >= SETTLED
    }

    /// Whether it has stopped, and its time to be taken up again has come.
    #[must_use]
    pub fn is_due(&self) -> bool {
        !self.goes() && self.stalled.as_ref().is_some_and(|stalled| Instant::now() >= stalled.again_at)
    }

    /// Whether it has ended by itself since that was asked last. Then it waits to be taken up again.
    pub async fn has_stalled(&mut self) -> bool {
        let Some(worker) = self.worker.take_if(|worker| worker.is_finished()) else {
            // Where it has nothing to do, nothing shows that it could.
            if self.is_settled() {
                self.stalled = None;
            }
            return false;
        };
        let said = self.last_words.take();
        let why = ended(worker)
            .await
            .err()
            .map(|failed| failed.why)
            .or(said)
            .unwrap_or_else(|| "it is not mirrored any more".to_owned());
        self.stalled = Some(Stalled { why, again_at: Instant::now() + self.pause });
        self.pause = (self.pause * 2).min(LAST_PAUSE);
        true
    }

    /// Takes it up again.
    pub fn begin_again(&mut self, number: usize, tell: mpsc::UnboundedSender<(usize, News)>) -> std::io::Result<()> {
        let Ends { links, orders, source, opened, worker } = self.work.begin(&self.name, number, tell)?;
        self.opened = opened;
        (self.links, self.orders, self.source, self.worker) = (links, orders, source, Some(worker));
        (self.number, self.sent, self.since) = (number, Sent::default(), Instant::now());
        if let Some(epoch) = self.follows {
            self.follow(epoch);
        }
        Ok(())
    }

    /// Has it end, and waits for that. Returns why it failed, if it did.
    pub async fn end(self) -> Result<(), Failed> {
        let _ = self.orders.send(Order::Stop);
        drop(self.links);
        match self.worker {
            Some(worker) => ended(worker).await,
            None => Ok(()),
        }
    }
}

/// What who works on a dataset is reached by.
struct Ends {
    links: mpsc::UnboundedSender<End>,
    orders: mpsc::UnboundedSender<Order>,
    source: mpsc::UnboundedSender<last::Order>,
    opened: Arc<AtomicBool>,
    worker: Worker<Result<(), Failed>>,
}

impl Work {
    fn begin(&self, name: &str, number: usize, tell: mpsc::UnboundedSender<(usize, News)>) -> std::io::Result<Ends> {
        let (links, port) = mpsc::unbounded_channel();
        let (orders, taken) = mpsc::unbounded_channel();
        let (source, asked) = mpsc::unbounded_channel();
        let (port, news) = (Port::new(port), passed_on(number, tell));
        let opened = Arc::new(AtomicBool::new(false));
        let goes = Arc::clone(&opened);
        let worker = match self.clone() {
            Self::Send(settings, stirred) => Worker::begin(&format!("source {name}"), async move {
                let half = Sending::open(*settings, port, asked, news).map_err(|error| error.to_string())?;
                goes.store(true, Ordering::Relaxed);
                match half.stirring(stirred).run().await {
                    // It was to end, and another server was on the line in its last moment: that one is followed now.
                    Ok(()) | Err(sending::Ended::Strange(_)) => Ok(()),
                    Err(error) => Err(error.to_string().into()),
                }
            }),
            Self::Receive(receipt) => {
                Worker::begin(&format!("mirror {name}"), mirror(receipt, port, taken, (news, goes)))
            }
        }?;
        Ok(Ends { links, orders, source, opened, worker })
    }
}

/// Keeps the mirror of a dataset until it is asked to end, or cannot go on.
async fn mirror(
    receipt: Receipt,
    port: Port,
    orders: mpsc::UnboundedReceiver<Order>,
    (news, goes): (mpsc::UnboundedSender<News>, Arc<AtomicBool>),
) -> Result<(), Failed> {
    let Receipt { dest, opening, epoch, asks, suspicious } = receipt;
    let mut orders = Orders::new(orders);
    let opened = receiving::opening::open(&dest, opening, epoch, &mut orders, &news).await;
    let Some(opened) = opened.map_err(|error| error.to_string())? else {
        return Err("there was no room to open the mirror".to_owned().into());
    };
    let half = Receiving::begin(opened, epoch, port, orders, news).map_err(|error| error.to_string())?;
    goes.store(true, Ordering::Relaxed);
    half.asking(asks).suspecting(suspicious).run().await
}

async fn ended(worker: Worker<Result<(), Failed>>) -> Result<(), Failed> {
    worker.end().await.unwrap_or_else(|crashed| Err(crashed.to_string().into()))
}

/// What is told there goes on to `tell`, with `number`.
fn passed_on(number: usize, tell: mpsc::UnboundedSender<(usize, News)>) -> mpsc::UnboundedSender<News> {
    let (news, mut told) = mpsc::unbounded_channel();
    spawn(async move {
        while let Some(news) = told.recv().await {
            if tell.send((number, news)).is_err() {
                return;
            }
        }
    });
    news
}
