//! The service of one process that mirrors one folder into another: select, step, perform, publish.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::book::Book;
use super::command::{Command, Reply};
use super::event::What;
use super::home::{load_record, save_record};
use super::keeper::{Keeper, kept};
use super::news::{News, Passing};
use super::receiving::{self, Order, Orders, Receiving};
use super::refusal::WhyNot;
use super::sending::{self, Sending};
use super::status::{Ask, Folders, OperationKind, Status};
use crate::disk::apply::journal_folder;
use crate::disk::apply::open::{OpenError, Opening};
use crate::link::port::Port;
use crate::link::wire;
use crate::os::ground::{self, Worker};
use crate::pair::{Action, Epoch, Event, Node, Pair};

/// What is mirrored, where to, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How the source is sent.
    pub sending: sending::Settings,
    /// The mirror's folder.
    pub dest: PathBuf,
    /// How it is opened.
    pub opening: Opening,
    /// Bytes a second between the halves; none: as fast as it goes.
    pub rate: Option<u64>,
}

/// A command, and where its answer goes.
pub type Asked = (Command, oneshot::Sender<Reply>);

/// What a run without a screen prints.
#[derive(Clone, PartialEq, Debug)]
pub enum Line {
    /// A file is coming.
    File(Passing),
    /// Something happened.
    Event(What),
}

/// Why the service ended.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The mirror could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The source could not be opened, or the main half ended.
    #[error(transparent)]
    Sending(#[from] sending::Ended),
    /// The mirror's half ended.
    #[error("{0}")]
    Receiving(String),
    /// The system refused.
    #[error("{0}")]
    System(#[from] std::io::Error),
}

/// How often at the most a new status is published.
const PUBLISH: Duration = Duration::from_millis(100);

/// How often one is published while something in it grows.
const GROWING: Duration = Duration::from_secs(1);

/// The service.
pub struct Engine {
    settings: Settings,
    pair: Pair,
    book: Book,
    /// None before it runs.
    keeper: Option<Keeper>,
    publish: watch::Sender<Option<Arc<Status>>>,
    /// Every line that a run without a screen prints; none when there is a screen.
    lines: Option<mpsc::UnboundedSender<Line>>,
    orders: mpsc::UnboundedSender<Order>,
    /// When the next status is due.
    due: Option<Instant>,
    workers: Vec<Worker<Result<(), EngineError>>>,
}

/// What can wake the service.
enum Input {
    News(News),
    Asked(Asked),
    Due,
}

impl Engine {
    /// A service that is not running yet. Its status goes to `publish`.
    #[must_use]
    pub fn new(
        settings: Settings,
        publish: watch::Sender<Option<Arc<Status>>>,
        lines: Option<mpsc::UnboundedSender<Line>>,
    ) -> (Self, mpsc::UnboundedReceiver<Order>) {
        let shown = |path: &Path| path.display().to_string();
        let folders = Folders { source: shown(&settings.sending.source), dest: shown(&settings.dest) };
        let book = Book::new(&settings.sending.dataset, folders);
        let (orders, taken) = mpsc::unbounded_channel();
        let pair = Pair::new(Node::Backup);
        (Self { settings, pair, book, keeper: None, publish, lines, orders, due: None, workers: vec![] }, taken)
    }

    /// Runs until a command ends it, or something that cannot be mended.
    pub async fn run(
        mut self,
        orders: mpsc::UnboundedReceiver<Order>,
        mut asked: mpsc::UnboundedReceiver<Asked>,
    ) -> Result<(), EngineError> {
        let (tell, mut news) = mpsc::unbounded_channel();
        self.begin_diary().await;
        self.publish_now();
        let mut record = load_record(&journal_folder(&self.settings.dest))?;
        self.start(record.as_ref().map_or(1, |record| record.epoch), orders, tell)?;
        let mut commands_open = true;
        loop {
            let due = self.due;
            let input = tokio::select! {
                biased;
                () = async { tokio::time::sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => Input::Due,
                asked = asked.recv(), if commands_open => {
                    let Some(asked) = asked else {
                        commands_open = false;
                        continue;
                    };
                    Input::Asked(asked)
                },
                news = news.recv() => news.map_or(Input::News(News::Ended(None)), Input::News),
            };
            match input {
                Input::Due => self.publish_now(),
                Input::Asked((command, answer)) => {
                    let reply = self.command(command).await;
                    let _ = answer.send(reply);
                    self.publish_soon();
                }
                Input::News(News::Ended(why)) => return self.end(why).await,
                Input::News(news) => {
                    // Nothing is saved beside a folder before it is known that it may be a mirror.
                    if let News::Opened { .. } = news {
                        self.step(Event::Began { record: record.take(), sure: false }).await?;
                    }
                    self.news(news).await?;
                }
            }
        }
    }

    /// Starts the two halves.
    fn start(
        &mut self,
        epoch: Epoch,
        orders: mpsc::UnboundedReceiver<Order>,
        tell: mpsc::UnboundedSender<News>,
    ) -> Result<(), EngineError> {
        let (source_end, mirror_end) = wire::in_memory(self.settings.rate)?;
        let settings = self.settings.sending.clone();
        let (told, unasked) = (tell.clone(), mpsc::unbounded_channel().1);
        let send = async move { Ok(Sending::open(settings, Port::once(source_end), unasked, told)?.run().await?) };
        self.workers.push(Worker::begin("source", send)?);
        let (dest, opening) = (self.settings.dest.clone(), self.settings.opening);
        let receive = async move {
            let mut orders = Orders::new(orders);
            let opened = receiving::opening::open(&dest, opening, epoch, &mut orders, &tell).await;
            let begun = opened.and_then(|mirror| {
                let port = Port::once(mirror_end);
                let begin = |opened| Receiving::begin(opened, epoch, port, orders, tell.clone());
                Ok(mirror.map(begin).transpose()?)
            });
            match begun {
                // What it says at its end is heard.
                Ok(Some(half)) => drop(half.run().await),
                nothing => {
                    let _ = tell.send(News::Ended(None));
                    nothing?;
                }
            }
            Ok(())
        };
        self.workers.push(Worker::begin("mirror", receive)?);
        Ok(())
    }

    async fn news(&mut self, news: News) -> Result<(), EngineError> {
        if let News::Heard { epoch, start } = news {
            self.step(Event::ServerHeard { epoch, start }).await?;
        }
        if let (News::File(file), Some(lines)) = (&news, &self.lines) {
            let _ = lines.send(Line::File(file.clone()));
        }
        let was_closed = self.book.is_closed();
        let kept = kept(&news);
        let what = self.book.take(news, ground::now());
        if let Some(keeper) = &self.keeper {
            what.iter().chain(&kept).for_each(|what| keeper.event("", what));
        }
        if self.book.operations.begins_again() {
            let _ = self.orders.send(Order::Compare);
        }
        self.keep().await;
        for what in what {
            tracing::info!(event = ?what);
            if let Some(lines) = &self.lines {
                let _ = lines.send(Line::Event(what));
            }
        }
        if self.book.is_closed() && !was_closed {
            // The serving half lives in this process: without it there is nothing to wait for.
            let _ = self.orders.send(Order::Stop);
        }
        self.publish_soon();
        Ok(())
    }

    async fn step(&mut self, event: Event) -> Result<(), EngineError> {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for action in self.pair.step(event) {
                match action {
                    Action::Save(record) => {
                        let folder = journal_folder(&self.settings.dest);
                        ground::aside(move || save_record(&folder, &record)).await??;
                        events.push(Event::Saved);
                    }
                    // One process, one folder: nobody else could serve, and nobody asks for it.
                    Action::Serve(_)
                    | Action::Drain
                    | Action::Freeze
                    | Action::Unfreeze
                    | Action::Retire
                    | Action::Grant { .. }
                    | Action::Deny(_) => {}
                    Action::Follow(epoch) => drop(self.orders.send(Order::Follow { epoch })),
                    Action::Refuse { theirs, ours } => {
                        let why = format!("the source serves in epoch {theirs}, this mirror has seen {ours}");
                        return Err(EngineError::Receiving(why));
                    }
                }
            }
        }
        Ok(())
    }

    async fn command(&mut self, command: Command) -> Reply {
        let now = ground::now();
        match command {
            Command::Status | Command::Watch | Command::Who | Command::Pin { .. } => {
                Reply::Status(Box::new(self.status()))
            }
            Command::Verify { by } => self.verify(&by, now).await,
            Command::Answer { question, accept, by } => {
                tracing::info!(question, accept, by, "a question was answered");
                let asked = self.book.answered(question, accept, now);
                if let (Some(question), Some(keeper)) = (asked.clone(), &self.keeper) {
                    keeper.event(&by, &What::Answered { question, accepted: Some(accept) });
                }
                match asked {
                    None => Reply::Refused { why: vec![WhyNot::NotAsked { question }] },
                    Some(_) if !accept => Reply::Done,
                    Some(ask) => {
                        let order = match ask {
                            Ask::Removals { .. } => Order::AcceptRemovals,
                            Ask::Emptied { .. } => Order::AcceptEmptied,
                            Ask::Older { .. } => Order::AcceptOlder,
                        };
                        let _ = self.orders.send(order);
                        Reply::Done
                    }
                }
            }
            // Nobody is called here.
            Command::Mute { .. } => Reply::Done,
            Command::ForgetHistory { .. } => {
                let _ = self.orders.send(Order::ForgetHistory);
                Reply::Done
            }
            Command::Reseed { .. } => Reply::Refused { why: vec![WhyNot::ByHand] },
            Command::Invite { .. }
            | Command::InviteTerminal { .. }
            | Command::Message { .. }
            | Command::Revoke { .. }
            | Command::Check { .. }
            | Command::Promote { .. }
            | Command::Maintenance { .. }
            | Command::NumbersSet { .. }
            | Command::GiveUpAside { .. }
            | Command::Drill { .. }
            | Command::Copy { .. }
            | Command::Return { .. }
            | Command::Switch { .. }
            | Command::Adopt { .. }
            | Command::Start { .. }
            | Command::Cancel { .. } => Reply::Refused { why: vec![WhyNot::NoStore] },
            Command::Stop { by } => {
                tracing::info!(by, "asked to end");
                if let Some(keeper) = &self.keeper {
                    keeper.end(&by).await;
                }
                let _ = self.orders.send(Order::Stop);
                Reply::Done
            }
        }
    }

    async fn verify(&mut self, by: &str, now: Timestamp) -> Reply {
        if let Some(running) = self.book.operations.last().filter(|_| self.book.operations.is_comparing()) {
            return Reply::Running { operation: running.id };
        }
        let status = self.status();
        if status.mirror.as_of.is_none() {
            let why = vec![WhyNot::NoCopy];
            if let Some(keeper) = &mut self.keeper {
                keeper.refused(OperationKind::Verify, by, &why, now).await;
            }
            return Reply::Refused { why };
        }
        let bytes: u64 = status.datasets.iter().map(|dataset| dataset.bytes).sum();
        let operation = self.keeper.as_ref().map_or(1, Keeper::next_id);
        self.book.operations.begin(operation, OperationKind::Verify, by, 2 * bytes, now);
        self.keep().await;
        let _ = self.orders.send(Order::Compare);
        Reply::Running { operation }
    }

    /// How it stands.
    fn status(&mut self) -> Status {
        let mut status = self.book.status(&self.pair, ground::now());
        status.history = self.keeper.as_ref().map(|keeper| keeper.history().to_vec()).unwrap_or_default();
        status
    }

    /// Opens the diary. What ran when the service ended begins again.
    async fn begin_diary(&mut self) {
        let mut keeper = Keeper::open(&self.settings.sending.options.own, (Node::Backup, Node::Backup), None).await;
        if let Some(operation) = keeper.interrupted(ground::now()).await {
            self.book.operations.resume(&operation);
        }
        self.keeper = Some(keeper);
    }

    /// Has it written how the operation stands, where that is something new.
    async fn keep(&mut self) {
        if let (Some(keeper), Some(operation)) = (&mut self.keeper, self.book.operations.last()) {
            keeper.follow(operation, Node::Backup).await;
        }
    }

    fn publish_soon(&mut self) {
        let soon = Instant::now() + PUBLISH;
        self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
    }

    fn publish_now(&mut self) {
        let now = ground::now();
        for what in self.keeper.as_mut().map(Keeper::noticed).unwrap_or_default() {
            self.book.noted(what, now);
        }
        let status = self.status();
        let grows = status.mirror.behind_ms > 0 || status.mirror.copying.is_some();
        self.due = grows.then(|| Instant::now() + GROWING);
        self.publish.send_replace(Some(Arc::new(status)));
    }

    /// Waits for the halves, and finds out why they ended.
    async fn end(self, why: Option<String>) -> Result<(), EngineError> {
        let closed = self.book.is_closed();
        let mut result = why.map_or(Ok(()), |why| Err(EngineError::Receiving(why)));
        for worker in self.workers {
            match worker.end().await {
                // That the other half has gone is no reason by itself.
                Ok(Ok(()) | Err(EngineError::Sending(sending::Ended::Closed))) => {}
                Ok(Err(error)) => result = Err(error),
                Err(crashed) => result = Err(EngineError::Receiving(crashed.to_string())),
            }
        }
        match result {
            Ok(()) if closed => Err(EngineError::Receiving("the source half has ended".to_owned())),
            result => result,
        }
    }
}
