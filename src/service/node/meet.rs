//! Connections between the two machines: made by the one that was set up as backup, taken by the one that was set up as main.
//! Whoever is not the machine that was joined is turned away before anything that it says is read.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;

use super::MachineError;
use crate::config::address::Address;
use crate::link::frame::{OLDEST, PROTOCOL};
use crate::link::greeting::{Answer, Greeting, Purpose, Refusal};
use crate::link::identity::MachineId;
use crate::link::speech::{hear, say};
use crate::link::tls::{Secure, Tls};
use crate::os::ground::{self, spawn};
use crate::os::net::{self, Datagrams, Listener, Stream};
use crate::service::unmet::{Older, Unmet};

/// Handshakes at once.
const HANDSHAKES: usize = 256;
/// Time for a connection to prove who it is and say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time for a connection to be made.
const DIALLING: Duration = Duration::from_secs(3);
/// How long a machine that has no place for a dataset now is given to have one.
const PLACE: Duration = Duration::from_millis(500);
/// The first time between two tries to connect; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest.
const LAST_PAUSE: Duration = Duration::from_secs(2);
/// So long nothing that was sent is acknowledged before a connection is given up.
const UNHEARD: u32 = 8_000;
/// Time between two tries to take a connection, where the system has no room for one.
const RETRY: Duration = Duration::from_millis(200);

/// What comes of connections.
pub enum Met {
    /// Somebody who knows the code wants to join, or says so.
    Joining(Secure),
    /// The two services can talk.
    Control {
        /// The number of the session.
        session: u64,
        /// The connection.
        secure: Secure,
    },
    /// A dataset has a way.
    Dataset {
        /// The session that it belongs to.
        session: u64,
        /// Its name.
        name: String,
        /// The connection.
        secure: Secure,
    },
    /// No connection could be made.
    Failed(Unmet),
}

/// This program's version, for people.
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Names where the service listens, where what comes to its address is passed on to it: by a forwarded port, by a relay.
pub const LISTEN: &str = "ESPEJO_LISTEN";

/// Where the machine at `address` listens.
async fn listens_at(address: &Address) -> io::Result<SocketAddr> {
    match std::env::var(LISTEN) {
        Ok(named) => {
            named.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("{LISTEN}={named}")))
        }
        Err(_) => resolve(address).await,
    }
}

/// At which address of this machine what is meant for `address` arrives.
#[must_use]
pub fn listens_on(address: &Address) -> String {
    let named = std::env::var(LISTEN).ok().and_then(|named| named.parse::<SocketAddr>().ok());
    named.map_or_else(|| address.host().to_owned(), |named| named.ip().to_string())
}

/// Where `address` is.
pub async fn resolve(address: &Address) -> io::Result<SocketAddr> {
    let mut found = tokio::net::lookup_host((address.host(), address.port())).await?;
    found.next().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such address"))
}

/// Takes the address for itself, for connections and for datagrams.
pub async fn listen(address: &Address) -> Result<(Listener, Datagrams), MachineError> {
    let listen = async { net::listen(listens_at(address).await?).await };
    listen.await.map_err(|error| MachineError::Address { address: address.to_string(), error })
}

/// Takes connections until nobody wants them any more. Where too many have not proven yet who they are, the oldest of them
/// goes: who knows what to say takes a moment for it, and no crowd that says nothing keeps it out.
pub async fn accept(
    mut listener: Listener,
    tls: Tls,
    other: watch::Receiver<Option<MachineId>>,
    met: mpsc::Sender<Met>,
) {
    let mut visits: VecDeque<AbortHandle> = VecDeque::with_capacity(HANDSHAKES);
    loop {
        let Ok(stream) = listener.accept().await else {
            tokio::time::sleep(RETRY).await;
            continue;
        };
        if met.is_closed() {
            return;
        }
        if visits.len() == HANDSHAKES {
            visits.retain(|visit| !visit.is_finished());
        }
        if visits.len() == HANDSHAKES
            && let Some(oldest) = visits.pop_front()
        {
            oldest.abort();
        }
        let (tls, other, met) = (tls.clone(), other.clone(), met.clone());
        let visit = spawn(async move {
            if let Ok(Ok(Some(visit))) = timeout(PATIENCE, visit(stream, &tls, &other)).await {
                let _ = met.send(visit).await;
            }
        });
        visits.push_back(visit.abort_handle());
    }
}

async fn visit(stream: Stream, tls: &Tls, other: &watch::Receiver<Option<MachineId>>) -> io::Result<Option<Met>> {
    stream.tend(UNHEARD)?;
    let mut secure = tls.accepted(stream).await?;
    let greeting: Greeting = hear(&mut secure.stream).await?;
    let known = *other.borrow() == Some(secure.peer);
    let Some(spoken) = greeting.spoken() else {
        answer(&mut secure, Some(Refusal::Protocol)).await?;
        let why = apart(greeting.version, Some(greeting.protocol));
        return Ok(known.then_some(Met::Failed(why)));
    };
    secure.spoken = spoken;
    if !known && greeting.purpose != Purpose::Join {
        answer(&mut secure, Some(Refusal::Stranger)).await?;
        return Ok(None);
    }
    Ok(Some(match greeting.purpose {
        // They have a port of their own.
        Purpose::Terminal { .. } => {
            answer(&mut secure, Some(Refusal::NoPlace)).await?;
            return Ok(None);
        }
        Purpose::Join => Met::Joining(secure),
        Purpose::Control { session } => Met::Control { session, secure },
        Purpose::Dataset { session, name } => Met::Dataset { session, name, secure },
    }))
}

/// Welcomes, or turns away, who was let in.
pub async fn answer(secure: &mut Secure, refused: Option<Refusal>) -> io::Result<()> {
    let answer = match refused {
        None => Answer::Welcome { version: version(), protocol: Some(secure.spoken) },
        Some(why) => Answer::Refused { why, version: version(), protocol: Some(PROTOCOL) },
    };
    say(&mut secure.stream, &answer).await
}

/// The two machines speak no version that both know.
fn apart(theirs: String, protocol: Option<u32>) -> Unmet {
    let older = protocol.map(|protocol| if protocol < PROTOCOL { Older::Other } else { Older::This });
    Unmet::Versions { ours: version(), theirs, older }
}

/// Makes one connection to `other` at `address`, for `purpose`, in the highest version that both speak.
pub async fn call(tls: &Tls, address: &Address, other: Option<MachineId>, purpose: Purpose) -> Result<Secure, Unmet> {
    match greet(tls, address, other, purpose.clone(), PROTOCOL).await {
        // Protocol 3 takes no other greeting than its own.
        Err(Unmet::Versions { .. }) => greet(tls, address, other, purpose, OLDEST).await,
        answered => answered,
    }
}

/// Makes one connection, in the version `protocol` or in an older one that is spoken here.
async fn greet(
    tls: &Tls,
    address: &Address,
    other: Option<MachineId>,
    purpose: Purpose,
    protocol: u32,
) -> Result<Secure, Unmet> {
    let name = address.to_string();
    let broke = |error: io::Error| Unmet::of(&name, &error);
    let late = |_| broke(io::ErrorKind::TimedOut.into());
    let nowhere = |_| Unmet::NoAddress { address: name.clone() };
    let stream = timeout(DIALLING, async {
        let found = resolve(address).await.map_err(nowhere)?;
        net::connect(found).await.map_err(broke)
    });
    let stream = stream.await.map_err(late)??;
    stream.tend(UNHEARD).map_err(broke)?;
    timeout(PATIENCE, async {
        let mut secure = tls.dialled(stream).await.map_err(broke)?;
        if other.is_some_and(|other| other != secure.peer) {
            return Err(Unmet::OtherMachine { address: name.clone() });
        }
        let greeting = Greeting { protocol, oldest: Some(OLDEST), version: version(), purpose };
        say(&mut secure.stream, &greeting).await.map_err(broke)?;
        match hear(&mut secure.stream).await.map_err(broke)? {
            Answer::Welcome { protocol: chosen, .. } => {
                secure.spoken = chosen.unwrap_or(protocol);
                Ok(secure)
            }
            Answer::Refused { why, version: theirs, protocol } => Err(match why {
                Refusal::Protocol => apart(theirs, protocol),
                Refusal::Stranger => Unmet::TurnedAway { address: name.clone() },
                Refusal::Twin => Unmet::Twin { address: name.clone() },
                Refusal::NoCode => Unmet::NoCode,
                Refusal::NoPlace => Unmet::NoPlace,
                Refusal::Other => Unmet::Other,
            }),
        }
    })
    .await
    .map_err(late)?
}

/// Whom to call.
#[derive(Clone)]
pub struct Calling {
    /// In whose name.
    pub tls: Tls,
    /// Where the other machine is.
    pub address: Address,
    /// Which one it is.
    pub other: MachineId,
    /// The datasets.
    pub datasets: Vec<String>,
}

/// What is said to who calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// The session of this number is over.
    Over(u64),
    /// The other machine is heard again: a call that waits for its time need not.
    Heard,
}

/// Begins to call, again and again, on a task of its own. Returns how that is told to go on, and the task.
#[must_use]
pub fn begin_to_call(calling: Calling, met: &mpsc::Sender<Met>) -> (mpsc::UnboundedSender<Again>, JoinHandle<()>) {
    let (again, over) = mpsc::unbounded_channel();
    (again, spawn(keep_calling(calling, over, met.clone())))
}

/// Connects, again and again.
pub async fn keep_calling(calling: Calling, mut again: mpsc::UnboundedReceiver<Again>, met: mpsc::Sender<Met>) {
    let mut pause = FIRST_PAUSE;
    for session in 1u64.. {
        // Numbers of two lives of this process must differ.
        let session = session << 32 | u64::from(ground::process());
        match connect(&calling, session, &met).await {
            Ok(whole) => {
                pause = FIRST_PAUSE;
                let over = async { while again.recv().await.is_some_and(|again| again != Again::Over(session)) {} };
                match whole {
                    Whole::Yes => over.await,
                    // It is there, and only changes what it does: what the two say to each other has its time to be said.
                    Whole::NoPlace => drop(timeout(PLACE, over).await),
                }
            }
            Err(why) => {
                if met.send(Met::Failed(why)).await.is_err() {
                    return;
                }
                let heard = async { while again.recv().await.is_some_and(|again| again != Again::Heard) {} };
                pause = match timeout(pause, heard).await {
                    Ok(()) => FIRST_PAUSE,
                    Err(_) => (pause * 2).min(LAST_PAUSE),
                };
            }
        }
        if met.is_closed() || again.is_closed() {
            return;
        }
    }
}

/// Whether there is a way for each dataset.
enum Whole {
    Yes,
    /// The other machine has no place for one now.
    NoPlace,
}

async fn connect(calling: &Calling, session: u64, met: &mpsc::Sender<Met>) -> Result<Whole, Unmet> {
    let Calling { tls, address, other, datasets } = calling;
    // The service ends, and hears no reason any more.
    let gone = |_| Unmet::Other;
    let secure = call(tls, address, Some(*other), Purpose::Control { session }).await?;
    // One session, one version.
    let spoken = secure.spoken;
    met.send(Met::Control { session, secure }).await.map_err(gone)?;
    for name in datasets {
        let purpose = Purpose::Dataset { session, name: name.clone() };
        let secure = match greet(tls, address, Some(*other), purpose, spoken).await {
            Err(Unmet::NoPlace) => return Ok(Whole::NoPlace),
            secure => secure?,
        };
        met.send(Met::Dataset { session, name: name.clone(), secure }).await.map_err(gone)?;
    }
    Ok(Whole::Yes)
}
