//! One dataset on its way: a half of the copy on threads of its own, and the book that is kept of it.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::{mpsc, watch};

use crate::disk::apply::open::Opening;
use crate::link::port::Port;
use crate::link::wire::End;
use crate::pair::Epoch;
use crate::service::book::Book;
use crate::service::news::News;
use crate::service::receiving::{self, Order, Receiving};
use crate::service::sending::{self, Sending, last};

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
    thread: JoinHandle<Result<(), String>>,
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
}

impl Lane {
    /// Begins to send a dataset. What happens to it is told with `number`; when something in it moved last, to `stirred`.
    pub fn send(
        settings: sending::Settings,
        book: Book,
        number: usize,
        tell: mpsc::UnboundedSender<(usize, News)>,
        stirred: watch::Sender<Instant>,
    ) -> std::io::Result<Self> {
        let (links, port) = mpsc::unbounded_channel();
        let (orders, _) = mpsc::unbounded_channel();
        let (source, asked) = mpsc::unbounded_channel();
        let news = passed_on(number, tell);
        let name = settings.dataset.clone();
        let thread = std::thread::Builder::new().name(format!("source {name}")).spawn(move || {
            let half = Sending::open(settings, Port::new(port), asked, news).map_err(|error| error.to_string())?;
            half.stirring(stirred).run().map_err(|error| error.to_string())
        })?;
        Ok(Self { name, number, book, links, orders, source, sent: Sent::default(), served: false, thread })
    }

    /// Begins to receive a dataset. What happens to it is told with `number`.
    pub fn receive(
        name: &str,
        receipt: Receipt,
        book: Book,
        number: usize,
        tell: mpsc::UnboundedSender<(usize, News)>,
    ) -> std::io::Result<Self> {
        let (links, port) = mpsc::unbounded_channel();
        let (orders, mut taken) = mpsc::unbounded_channel();
        let (source, _) = mpsc::unbounded_channel();
        let news = passed_on(number, tell);
        let thread = std::thread::Builder::new().name(format!("mirror {name}")).spawn(move || {
            let Receipt { dest, opening, epoch } = receipt;
            let begun = receiving::opening::open(&dest, opening, epoch, &mut taken, &news).and_then(|mirror| {
                let begin =
                    |(mirror, strange)| Receiving::begin(mirror, strange, epoch, Port::new(port), taken, news.clone());
                Ok(mirror.map(begin).transpose()?)
            });
            match begun {
                Ok(Some(half)) => {
                    half.run();
                    Ok(())
                }
                nothing => {
                    let _ = news.send(News::Ended(None));
                    nothing.map(|_| ()).map_err(|error| error.to_string())
                }
            }
        })?;
        let (name, sent) = (name.to_owned(), Sent::default());
        Ok(Self { name, number, book, links, orders, source, sent, served: false, thread })
    }

    /// Whether it has ended by itself.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Has it end, and waits for that. Returns why it failed, if it did.
    pub fn end(self) -> Result<(), String> {
        let _ = self.orders.send(Order::Stop);
        drop(self.links);
        self.thread.join().unwrap_or_else(|_| Err("a part of the program has crashed".to_owned()))
    }
}

/// What is told there goes on to `tell`, with `number`.
fn passed_on(number: usize, tell: mpsc::UnboundedSender<(usize, News)>) -> mpsc::UnboundedSender<News> {
    let (news, mut told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(news) = told.recv().await {
            if tell.send((number, news)).is_err() {
                return;
            }
        }
    });
    news
}
