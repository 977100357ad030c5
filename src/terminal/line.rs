//! The connection to one machine: made again and again. What that says is heard, and what the terminal sees is told there.

use std::io;
use std::time::Duration;

use tokio::io::{ReadHalf, WriteHalf, split};
use tokio::net::lookup_host;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::speech::{Here, Said, Told, Vote, hear_said};
use super::way::FRESH;
use crate::config::address::Address;
use crate::link::frame::{OLDEST, PROTOCOL};
use crate::link::greeting::{Answer, Greeting, Purpose, Refusal};
use crate::link::identity::MachineId;
use crate::link::speech::{hear, say};
use crate::link::tls::{Secure, Tls};
use crate::os::net;
use crate::pair::Node;

/// Time for a connection to be made, and again for both to greet each other.
const PATIENCE: Duration = Duration::from_secs(3);
/// The first time between two tries; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest: a terminal that comes back is at work again soon.
const LAST_PAUSE: Duration = Duration::from_secs(1);
/// So long nothing that was sent is acknowledged, until the connection is given up.
const UNHEARD: u32 = 4_000;
/// Sentences that wait to be taken in.
pub const WAITING: usize = 64;

/// Whom to call, and in whose name.
#[derive(Clone)]
pub struct Calling {
    /// In whose name.
    pub tls: Tls,
    /// Which start of the agent this is: of two with one key the later one is turned away.
    pub run: u64,
    /// Which machine.
    pub node: Node,
    /// Where it takes terminals.
    pub address: Address,
    /// Its key.
    pub machine: MachineId,
}

/// What comes of a line.
#[derive(Debug)]
pub enum Heard {
    /// It said something; the time there and back, where that is known by it.
    Said(Node, Box<Said>, Option<Duration>),
    /// There is no connection, or none any more.
    Lost(Node, Lost),
}

/// Why there is no connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lost {
    /// It cannot be reached, or fell silent.
    Silent(String),
    /// Another machine than the known one is at its address.
    OtherMachine,
    /// It does not let this terminal in.
    TurnedAway(Refusal),
}

/// Calls, again and again, until nobody listens any more.
#[must_use]
pub fn begin(calling: Calling, vote: watch::Receiver<Vote>, heard: mpsc::Sender<Heard>) -> JoinHandle<()> {
    tokio::spawn(keep_calling(calling, vote, heard))
}

async fn keep_calling(calling: Calling, vote: watch::Receiver<Vote>, heard: mpsc::Sender<Heard>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let lost = match connect(&calling).await {
            Ok(secure) => {
                pause = FIRST_PAUSE;
                Lost::Silent(talk(&calling, secure, vote.clone(), &heard).await.to_string())
            }
            Err(lost) => lost,
        };
        if heard.send(Heard::Lost(calling.node, lost)).await.is_err() {
            return;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

async fn connect(calling: &Calling) -> Result<Secure, Lost> {
    let broke = |error: io::Error| Lost::Silent(error.to_string());
    let late = |_| broke(io::ErrorKind::TimedOut.into());
    let stream = timeout(PATIENCE, async {
        let mut found = lookup_host((calling.address.host(), calling.address.port())).await?;
        let to = found.next().ok_or(io::ErrorKind::NotFound)?;
        net::connect(to).await
    });
    let stream = stream.await.map_err(late)?.map_err(broke)?;
    stream.tend(UNHEARD).map_err(broke)?;
    let greet = async {
        let mut secure = calling.tls.dialled(stream).await.map_err(broke)?;
        if secure.peer != calling.machine {
            return Err(Lost::OtherMachine);
        }
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let purpose = Purpose::Terminal { run: calling.run };
        let greeting = Greeting { protocol: PROTOCOL, oldest: Some(OLDEST), version, purpose };
        say(&mut secure.stream, &greeting).await.map_err(broke)?;
        match hear(&mut secure.stream).await.map_err(broke)? {
            Answer::Welcome { .. } => Ok(secure),
            Answer::Refused { why, .. } => Err(Lost::TurnedAway(why)),
        }
    };
    timeout(PATIENCE, greet).await.map_err(late)?
}

/// Talks until that is over. Returns why it is.
async fn talk(
    calling: &Calling,
    secure: Secure,
    vote: watch::Receiver<Vote>,
    heard: &mpsc::Sender<Heard>,
) -> io::Error {
    let (from, to) = split(secure.stream);
    let (sent, sent_at) = watch::channel((0, Instant::now()));
    let epoch = watch::Sender::new(0);
    tokio::select! {
        Err(error) = listen(calling.node, from, (sent_at, &epoch), heard) => error,
        Err(error) = tell(to, vote, epoch.subscribe(), sent) => error,
    }
}

async fn listen<S: tokio::io::AsyncRead>(
    node: Node,
    mut from: ReadHalf<S>,
    (sent, epoch): (watch::Receiver<(u64, Instant)>, &watch::Sender<u64>),
    heard: &mpsc::Sender<Heard>,
) -> io::Result<()> {
    loop {
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        let said = timeout(FRESH, hear_said(&mut from)).await.map_err(late)??;
        let mut way = None;
        if let Said::Here(Here { echo, epoch: theirs, .. }) = &said {
            let (number, at) = *sent.borrow();
            way = (number == *echo).then(|| at.elapsed());
            epoch.send_replace(*theirs);
        }
        heard.send(Heard::Said(node, Box::new(said), way)).await.map_err(|_| io::ErrorKind::BrokenPipe)?;
    }
}

/// Tells the vote, each time that it is a new one. The proof of its epoch goes with it where the machine has not seen that yet.
async fn tell<S: tokio::io::AsyncWrite>(
    mut to: WriteHalf<S>,
    mut vote: watch::Receiver<Vote>,
    theirs: watch::Receiver<u64>,
    sent: watch::Sender<(u64, Instant)>,
) -> io::Result<()> {
    vote.mark_changed();
    for number in 1.. {
        vote.changed().await.map_err(|_| io::ErrorKind::BrokenPipe)?;
        let mut told = vote.borrow_and_update().clone();
        told.number = number;
        if told.epoch <= *theirs.borrow() {
            told.proof = None;
        }
        sent.send_replace((number, Instant::now()));
        say(&mut to, &Told::Vote(Box::new(told))).await?;
    }
    Ok(())
}
