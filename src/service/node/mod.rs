//! The service of one of the two machines of a store: it mirrors, or is mirrored, over the network.
//!
//! It selects (waits for one `Input`), notes it, performs what follows, publishes how it stands. It never waits for a disk
//! or for the network; what may take long runs elsewhere and comes back as an input.
//!
//! - [`meet`]: connections between the two machines
//! - `check`: examines this machine
//! - [`session`]: what belongs to one meeting
//! - [`note`]: what the two services say to each other
//! - [`heart`]: the heartbeat
//! - [`joining`]: another machine joins
//! - [`lanes`]: one dataset on its way
//! - [`standing`]: how the machine stands
//! - `keeping`: what goes into the diary
//! - `inputs`, `talk`, `orders`, `inviting`: what each thing that can happen calls for

mod check;
pub mod heart;
mod inputs;
mod inviting;
pub mod joining;
mod keeping;
pub mod lanes;
pub mod meet;
pub mod note;
mod orders;
pub mod session;
pub mod standing;
mod talk;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::command::Reply;
use super::engine::Asked;
use super::home::load_record;
use super::keeper::Keeper;
use super::member::{Member, MemberError};
use super::news::News;
use super::status::{Server, Status};
use super::unmet::Unmet;
use crate::config::revision::Revision;
use crate::config::store::Store;
use crate::link::identity::{Identity, IdentityError, MachineId};
use crate::link::join::JoinError;
use crate::link::pace::Pace;
use crate::link::pulse;
use crate::link::tls::{Secure, Tls};
use crate::pair::{Claim, Duty, Event, Node, Pair, Record};
use heart::{BEAT, Heart};
use joining::Invite;
use lanes::Lane;
use meet::{Again, Calling, Met};
use note::Note;
use session::Session;
use standing::{Known, Standing};

/// How often at the most a new status is published.
const PUBLISH: Duration = Duration::from_millis(100);
/// How often one is published where nothing happens.
const REST: Duration = Duration::from_secs(1);

/// The service of a machine.
pub struct Machine {
    home: PathBuf,
    member: Member,
    store: Store,
    revision: Revision,
    tls: Tls,
    pair: Pair,
    lanes: Vec<Lane>,
    heart: Heart,
    standing: Standing,
    keeper: Keeper,
    session: Option<Session>,
    /// Since when the two do not talk any more.
    apart: Option<Instant>,
    /// Tells who calls that it is time to: see [`meet::keep_calling`].
    again: Option<mpsc::UnboundedSender<Again>>,
    /// Who may come in.
    other: watch::Sender<Option<MachineId>>,
    /// Where the other machine's heart is.
    their_heart: Option<SocketAddr>,
    udp: UdpSocket,
    /// How fast all datasets together may be sent.
    pace: Option<Pace>,
    invite: Option<Invite>,
    theirs: Option<(Duty, Server, String)>,
    /// The other machine's clock less this one's, in milliseconds.
    clock_off_ms: Option<i64>,
    their_status: Option<Box<Status>>,
    unmet: Option<Unmet>,
    asked: u64,
    answers: HashMap<u64, oneshot::Sender<Reply>>,
    publish: watch::Sender<Option<Arc<Status>>>,
    due: Instant,
    /// When the other machine was last told how the mirror stands.
    told_at: Option<Instant>,
    tell: Tellers,
    /// What takes and makes connections.
    work: Vec<JoinHandle<()>>,
}

/// What is given to whoever works for the service, to say what came of it.
#[derive(Clone)]
struct Tellers {
    news: mpsc::UnboundedSender<(usize, News)>,
    met: mpsc::Sender<Met>,
    notes: mpsc::Sender<(u64, Option<Note>)>,
    joined: mpsc::Sender<Result<(Secure, MachineId), JoinError>>,
}

/// Where all that comes in.
struct Inbox {
    news: mpsc::UnboundedReceiver<(usize, News)>,
    met: mpsc::Receiver<Met>,
    notes: mpsc::Receiver<(u64, Option<Note>)>,
    joined: mpsc::Receiver<Result<(Secure, MachineId), JoinError>>,
}

/// What can wake the service.
enum Input {
    Asked(Asked),
    News(usize, News),
    Met(Met),
    Note(u64, Option<Note>),
    Joined(Result<(Secure, MachineId), JoinError>),
    Datagram(Vec<u8>),
    Beat,
    Stop,
}

/// How the service ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// It was asked to.
    Stopped,
    /// Another configuration counts now: it is to begin again.
    Reconfigured,
}

/// Why a machine cannot run.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// What the home knows.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// Its identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Its address.
    #[error("{address}: {error}")]
    Address {
        /// The address.
        address: String,
        /// What the system said.
        error: io::Error,
    },
    /// A dataset.
    #[error("{dataset}: {why}")]
    Dataset {
        /// Its name.
        dataset: String,
        /// Why.
        why: String,
    },
    /// The system.
    #[error("{0}")]
    System(#[from] io::Error),
}

impl Machine {
    /// Runs the machine of `home` until it is asked to end.
    pub async fn run(
        home: &Path,
        publish: watch::Sender<Option<Arc<Status>>>,
        asked: &mut mpsc::UnboundedReceiver<Asked>,
    ) -> Result<Left, MachineError> {
        let (mut machine, mut inbox) = Self::begin(home, publish).await?;
        let record = load_record(home)?;
        let known = record.clone().unwrap_or_else(|| Record::first(machine.member.node));
        if known.claim == Claim::Idle {
            machine.receive(known.epoch)?;
        }
        machine.resume().await;
        machine.step(Event::Began(record)).await?;
        let left = machine.turn(&mut inbox, asked).await;
        machine.end(left).await
    }

    async fn begin(home: &Path, publish: watch::Sender<Option<Arc<Status>>>) -> Result<(Self, Inbox), MachineError> {
        let mut member = Member::load(home)?;
        let (store, revision) = member.revise(home)?;
        let identity = Identity::load_or_make(home)?;
        let tls = Tls::new(&identity).map_err(io::Error::other)?;
        let is_main = member.node == Node::Main;
        let (own, far) = if is_main { (&store.main, &store.backup) } else { (&store.backup, &store.main) };
        let at = |error| MachineError::Address { address: own.address.to_string(), error };
        let address = meet::resolve(&own.address).await.map_err(at)?;
        let listener = TcpListener::bind(address).await.map_err(at)?;
        let udp = UdpSocket::bind(address).await.map_err(at)?;
        let keeper = Keeper::open(home, member.node).await;
        let (tell, inbox) = channels();
        let (other, others) = watch::channel(member.other);
        let mut work = vec![tokio::spawn(meet::accept(listener, tls.clone(), others, tell.met.clone()))];
        let again = member.other.filter(|_| !is_main).map(|other| {
            let (again, over) = mpsc::unbounded_channel();
            let datasets = inputs::mirrored(&store).map(|dataset| dataset.name.clone()).collect();
            let calling = Calling { tls: tls.clone(), address: far.address.clone(), other, datasets };
            work.push(tokio::spawn(meet::keep_calling(calling, over, tell.met.clone())));
            again
        });
        let machine = Self {
            home: home.to_owned(),
            pair: Pair::new(member.node),
            heart: Heart::new(is_main, Instant::now()),
            member,
            pace: store.mirror.max_rate.map(Pace::new),
            store,
            revision,
            tls,
            lanes: vec![],
            standing: Standing::default(),
            keeper,
            session: None,
            apart: None,
            again,
            other,
            their_heart: None,
            udp,
            invite: None,
            theirs: None,
            clock_off_ms: None,
            their_status: None,
            unmet: None,
            asked: 0,
            answers: HashMap::new(),
            publish,
            due: Instant::now(),
            told_at: None,
            tell,
            work,
        };
        Ok((machine, inbox))
    }

    async fn turn(
        &mut self,
        inbox: &mut Inbox,
        asked: &mut mpsc::UnboundedReceiver<Asked>,
    ) -> Result<Left, MachineError> {
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut datagram = [0; pulse::LENGTH + 1];
        loop {
            let input = tokio::select! {
                biased;
                _ = beats.tick() => Input::Beat,
                asked = asked.recv() => asked.map_or(Input::Stop, Input::Asked),
                Some((session, note)) = inbox.notes.recv() => Input::Note(session, note),
                Some((lane, news)) = inbox.news.recv() => Input::News(lane, news),
                Some(met) = inbox.met.recv() => Input::Met(met),
                Some(joined) = inbox.joined.recv() => Input::Joined(joined),
                received = self.udp.recv_from(&mut datagram) => match received {
                    Ok((length, _)) => Input::Datagram(datagram[..length].to_vec()),
                    // What could not be delivered before comes back as an error: it is nothing new.
                    Err(_) => continue,
                },
            };
            if let Some(left) = self.take(input).await? {
                return Ok(left);
            }
            if Instant::now() >= self.due {
                self.publish_now();
            }
        }
    }

    fn publish_soon(&mut self) {
        self.due = self.due.min(Instant::now() + PUBLISH);
    }

    fn publish_now(&mut self) {
        self.due = Instant::now() + REST;
        for what in self.keeper.noticed() {
            self.standing.noted(what, Timestamp::now());
        }
        let status = self.status();
        if self.pair.duty() != Duty::Serving
            && let Some(session) = &self.session
        {
            // Each keeps a diary of its own: on a slow line there is room for better things.
            session.stand(Status { history: vec![], ..status.clone() });
        }
        self.publish.send_replace(Some(Arc::new(status)));
    }

    /// How it stands.
    fn status(&mut self) -> Status {
        let now = Timestamp::now();
        let mut books = self.lanes.iter_mut().map(|lane| lane.book.status(&self.pair, now)).enumerate();
        let own = books.next().map(|(_, first)| {
            books.fold(first, |mut all, (number, next)| {
                standing::join(&mut all, next, number as u64);
                all
            })
        });
        let theirs = self.their_status.as_deref().filter(|_| self.pair.duty() == Duty::Serving);
        let blank =
            || super::book::Book::new(&self.store.name, super::status::Folders::default()).status(&self.pair, now);
        let mut status = theirs.cloned().or(own).unwrap_or_else(blank);
        let known = Known {
            store: &self.store,
            pair: &self.pair,
            heart: &self.heart,
            theirs: self.theirs.clone(),
            unmet: self.why_unmet(),
            apart: self.apart,
            home: &self.home,
        };
        for what in self.standing.complete(&mut status, &known, now) {
            tracing::info!(event = ?what);
            self.keeper.event("", &what);
        }
        status.history = self.keeper.history();
        status
    }

    /// Why the two do not talk, where that is known.
    fn why_unmet(&self) -> Option<Unmet> {
        if self.member.other.is_none() { Some(Unmet::NobodyJoined) } else { self.unmet.clone() }
    }

    /// Ends all that works for it.
    async fn end(mut self, left: Result<Left, MachineError>) -> Result<Left, MachineError> {
        self.session = None;
        // Its address is free again only when they are gone.
        for work in self.work.drain(..) {
            work.abort();
            let _ = work.await;
        }
        let mut result = left;
        for lane in self.lanes.drain(..) {
            let dataset = lane.name.clone();
            if let Err(why) = lane.end() {
                result = Err(MachineError::Dataset { dataset, why });
            }
        }
        result
    }
}

fn channels() -> (Tellers, Inbox) {
    let (news, news_in) = mpsc::unbounded_channel();
    let (met, met_in) = mpsc::channel(16);
    let (notes, notes_in) = mpsc::channel(note::WAITING);
    let (joined, joined_in) = mpsc::channel(4);
    (Tellers { news, met, notes, joined }, Inbox { news: news_in, met: met_in, notes: notes_in, joined: joined_in })
}
