//! The service of one of the two machines of a store: it mirrors, or is mirrored, over the network.
//!
//! It selects (waits for one `Input`), notes it, performs what follows, publishes how it stands. It never waits for a disk
//! or for the network; what may take long runs elsewhere and comes back as an input.
//!
//! - [`meet`]: connections between the two machines
//! - `check`: examines this machine
//! - [`pos`]: the POS server program of this machine
//! - [`days`]: the days of the backup licence
//! - [`session`]: what belongs to one meeting
//! - [`note`]: what the two services say to each other
//! - [`heart`]: the heartbeat
//! - `inbox`: where all that can wake it comes in
//! - [`joining`]: another machine joins
//! - [`lanes`]: one dataset on its way
//! - [`standing`]: how the machine stands
//! - `keeping`: what goes into the diary
//! - `inputs`, `talk`, `orders`, `inviting`, `turning`: what each thing that can happen calls for

mod check;
pub mod days;
pub mod heart;
mod inbox;
mod inputs;
mod inviting;
pub mod joining;
mod keeping;
pub mod lanes;
pub mod meet;
pub mod note;
mod orders;
pub mod pos;
pub mod session;
pub mod standing;
mod talk;
mod turning;

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
use super::status::{Server, Status};
use super::unmet::Unmet;
use crate::config::revision::Revision;
use crate::config::store::Store;
use crate::link::identity::{Identity, IdentityError, MachineId};
use crate::link::pace::Pace;
use crate::link::pulse;
use crate::link::tls::Tls;
use crate::pair::{Claim, Duty, Epoch, Event, Node, Pair, Record};
use days::Days;
use heart::{BEAT, Heart};
use inbox::{Inbox, Input, Tellers, channels};
use joining::Invite;
use lanes::Lane;
use meet::{Again, Calling};
use pos::{Far, Program};
use session::Session;
use standing::{Known, Standing};
use turning::Freezing;

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
    /// The days of its licence, where it is a backup.
    days: Option<Days>,
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
    /// Where `[server]` is set.
    program: Option<Program>,
    /// The other machine's.
    far: Far,
    /// How the service ends as soon as the POS server has stopped.
    leaving: Option<Left>,
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
    /// Lanes that were begun.
    lanes_begun: usize,
    /// Since when the POS server stands still to give its place away, and until when it may.
    freezing: Option<Freezing>,
    /// The epoch whose server is followed as soon as the POS server of this machine has stopped.
    follows: Option<Epoch>,
    began: Instant,
    /// The core was told that the other machine is not heard in the morning.
    unheard: bool,
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
        let alone = machine.member.other.is_none();
        machine.step(Event::Began { record, alone }).await?;
        let left = machine.turn(&mut inbox, asked).await;
        machine.end(left).await
    }

    async fn begin(home: &Path, publish: watch::Sender<Option<Arc<Status>>>) -> Result<(Self, Inbox), MachineError> {
        let mut member = Member::load(home)?;
        let (store, revision) = member.revise(home)?;
        let identity = Identity::load_or_make(home)?;
        let days = Days::load(home, member.node, &store, identity.id())?;
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
        let mut machine = Self {
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
            days,
            keeper,
            session: None,
            apart: None,
            again,
            other,
            their_heart: None,
            udp,
            invite: None,
            theirs: None,
            program: None,
            far: Far::default(),
            leaving: None,
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
            lanes_begun: 0,
            freezing: None,
            follows: None,
            began: Instant::now(),
            unheard: false,
        };
        machine.keep_program()?;
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
        let mut is_let_go = false;
        loop {
            let input = tokio::select! {
                biased;
                _ = beats.tick() => Input::Beat,
                asked = asked.recv(), if !is_let_go => asked.map_or(Input::Stop, Input::Asked),
                Some((session, note)) = inbox.notes.recv() => Input::Note(session, note),
                Some((lane, news)) = inbox.news.recv() => Input::News(lane, news),
                Some(news) = inbox.served.recv() => Input::Served(news),
                Some(met) = inbox.met.recv() => Input::Met(met),
                Some(joined) = inbox.joined.recv() => Input::Joined(joined),
                received = self.udp.recv_from(&mut datagram) => match received {
                    Ok((length, _)) => Input::Datagram(datagram[..length].to_vec()),
                    // What could not be delivered before comes back as an error: it is nothing new.
                    Err(_) => continue,
                },
            };
            is_let_go |= matches!(input, Input::Stop);
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
        self.listen();
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
        if let Some(days) = &mut self.days {
            days.complete(&mut status);
        }
        let known = Known {
            store: &self.store,
            pair: &self.pair,
            heart: &self.heart,
            theirs: self.theirs.clone(),
            unmet: self.why_unmet(),
            apart: self.apart,
            program: self.program.as_ref(),
            far: self.far,
            home: &self.home,
        };
        for what in self.standing.complete(&mut status, &known, now) {
            tracing::info!(event = ?what);
            self.keeper.event("", &what);
        }
        status.alarms.sort_by_key(|alarm| alarm.trouble.is_hint());
        status.history = self.keeper.history();
        status
    }

    /// Why the two do not talk, where that is known.
    fn why_unmet(&self) -> Option<Unmet> {
        if self.member.other.is_none() { Some(Unmet::NobodyJoined) } else { self.unmet.clone() }
    }

    /// Ends all that works for it.
    async fn end(mut self, left: Result<Left, MachineError>) -> Result<Left, MachineError> {
        if let (Some(session), Ok(Left::Stopped)) = (self.session.take(), &left) {
            session.part().await;
        }
        // Its address is free again only when they are gone.
        for work in self.work.drain(..) {
            work.abort();
            let _ = work.await;
        }
        let mut result = left;
        if let Some(mut days) = self.days.take()
            && let Err(error) = days.leave().await
        {
            result = Err(error.into());
        }
        for lane in self.lanes.drain(..) {
            let dataset = lane.name.clone();
            if let Err(why) = lane.end() {
                result = Err(MachineError::Dataset { dataset, why });
            }
        }
        result
    }
}
