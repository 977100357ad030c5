//! The connection of one terminal, from its greeting to its end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::registry::Entry;
use crate::config::revision::Revision;
use crate::link::greeting::{Answer, Greeting, Purpose, Refusal};
use crate::link::identity::MachineId;
use crate::link::speech::{hear, say};
use crate::link::tls::{Secure, Tls};
use crate::os::ground::spawn;
use crate::os::net::Stream;
use crate::pair::Epoch;
use crate::terminal::speech::{Here, Machines, Message, Said, Told, Vote, hear_told};

/// Time for a terminal to prove who it is and say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);
/// A terminal tells something once a second: who is silent for so long is gone.
const SILENT: Duration = Duration::from_secs(5);
/// So long nothing that was sent is acknowledged before a connection is given up.
const UNHEARD: u32 = 5_000;
/// Sentences that wait to be taken in.
const WAITING: usize = 16;

/// What this machine says to all terminals.
#[derive(Clone, PartialEq, Debug)]
pub struct Saying {
    /// How it stands, with the proof of its epoch.
    pub here: Here,
    /// The configuration, where it serves.
    pub configured: Option<(Revision, Machines)>,
    /// What people are to read.
    pub message: Option<Message>,
}

/// What a visit tells the desk.
pub enum News {
    /// A terminal wants to come in; the answer says whether it may.
    Arrived {
        /// Who.
        entry: Entry,
        /// Which start of its agent.
        run: u64,
        /// Which visit.
        visit: u64,
        /// Why not, or nothing.
        answer: oneshot::Sender<Option<Refusal>>,
    },
    /// In this visit it tells what it sees.
    Voted(MachineId, u64, Box<Vote>),
    /// That visit is over.
    Gone(MachineId, u64),
}

/// What a visit is given.
#[derive(Clone)]
pub struct Given {
    /// In whose name this machine speaks.
    pub tls: Tls,
    /// Who may come in.
    pub joined: watch::Receiver<Arc<Vec<Entry>>>,
    /// What is to be said.
    pub saying: watch::Receiver<Arc<Saying>>,
    /// Where its news go.
    pub news: mpsc::Sender<News>,
}

/// Takes a connection, with a number of its own, until it ends. From when on it is one of a terminal that may come in, `is_in` says so.
pub async fn take(stream: Stream, visit: u64, mut given: Given, is_in: &AtomicBool) -> io::Result<()> {
    let greeted = timeout(PATIENCE, greet(stream, visit, &mut given)).await;
    let Some((secure, entry)) = greeted.map_err(|_| io::ErrorKind::TimedOut)?? else { return Ok(()) };
    is_in.store(true, Ordering::Relaxed);
    let (id, news) = (entry.id, given.news.clone());
    let ended = talk(secure, (id, visit), given).await;
    let _ = news.send(News::Gone(id, visit)).await;
    ended
}

async fn greet(stream: Stream, visit: u64, given: &mut Given) -> io::Result<Option<(Secure, Entry)>> {
    stream.tend(UNHEARD)?;
    let mut secure = given.tls.accepted(stream).await?;
    let peer = secure.peer;
    let entry = given.joined.borrow().iter().find(|entry| entry.id == peer).cloned();
    let greeting: Greeting = hear(&mut secure.stream).await?;
    let refused = match (greeting.spoken(), &greeting.purpose, &entry) {
        (None, ..) => Some(Refusal::Protocol),
        (_, _, None) => Some(Refusal::Stranger),
        (Some(spoken), Purpose::Terminal { run }, Some(entry)) => {
            secure.spoken = spoken;
            let (answer, answered) = oneshot::channel();
            let arrived = News::Arrived { entry: entry.clone(), run: *run, visit, answer };
            given.news.send(arrived).await.map_err(|_| io::ErrorKind::BrokenPipe)?;
            answered.await.map_err(|_| io::ErrorKind::BrokenPipe)?
        }
        (Some(_), Purpose::Join | Purpose::Control { .. } | Purpose::Dataset { .. }, Some(_)) => Some(Refusal::NoPlace),
    };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let answer = match refused {
        None => Answer::Welcome { version, protocol: Some(secure.spoken) },
        Some(why) => Answer::Refused { why, version, protocol: None },
    };
    say(&mut secure.stream, &answer).await?;
    Ok(match (refused, greeting.purpose, entry) {
        (None, Purpose::Terminal { .. }, Some(entry)) => Some((secure, entry)),
        _ => None,
    })
}

async fn talk(secure: Secure, (id, visit): (MachineId, u64), mut given: Given) -> io::Result<()> {
    let (mut from, mut to) = tokio::io::split(secure.stream);
    let (tell, mut told) = mpsc::channel(WAITING);
    let reading = spawn(async move {
        while let Ok(said) = hear_told(&mut from).await {
            if tell.send(said).await.is_err() {
                return;
            }
        }
    });
    let _reading = Aborts(reading.abort_handle());
    let (mut echo, mut theirs) = (0, Epoch::MAX);
    let mut configured = None;
    let mut message = given.saying.borrow().message.as_ref().map_or(0, |message| message.number);
    given.saying.mark_changed();
    loop {
        let saying = tokio::select! {
            told = timeout(SILENT, told.recv()) => {
                match told.map_err(|_| io::ErrorKind::TimedOut)?.ok_or(io::ErrorKind::UnexpectedEof)? {
                    Told::Vote(mut vote) => {
                        vote.be_brief();
                        (echo, theirs) = (vote.number, vote.epoch);
                        let voted = News::Voted(id, visit, vote);
                        given.news.send(voted).await.map_err(|_| io::ErrorKind::BrokenPipe)?;
                    }
                    Told::Unknown => {}
                }
                Arc::clone(&given.saying.borrow())
            }
            changed = given.saying.changed() => {
                changed.map_err(|_| io::ErrorKind::BrokenPipe)?;
                Arc::clone(&given.saying.borrow_and_update())
            }
        };
        if given.joined.borrow().iter().all(|entry| entry.id != id) {
            // It calls again, and is turned away.
            return Ok(());
        }
        let mut here = Here { echo, ..saying.here.clone() };
        // Until it has told which epoch it has seen, it may have seen none.
        here.proof = here.proof.filter(|proof| theirs == Epoch::MAX || proof.epoch > theirs);
        say(&mut to, &Said::Here(here)).await?;
        if let Some((revision, machines)) = saying.configured.as_ref().filter(|now| configured.as_ref() != Some(*now)) {
            configured.clone_from(&saying.configured);
            say(&mut to, &Said::Configured { revision: revision.clone(), machines: *machines }).await?;
        }
        if let Some(news) = saying.message.as_ref().filter(|news| news.number > message) {
            message = news.number;
            say(&mut to, &Said::Message(news.clone())).await?;
        }
    }
}

/// Ends a task when it goes.
struct Aborts(tokio::task::AbortHandle);

impl Drop for Aborts {
    fn drop(&mut self) {
        self.0.abort();
    }
}
