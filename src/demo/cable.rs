//! The cables of the two machines, each of which ends at the shop's switch: what anybody sends to a machine goes through here, and can be
//! cut. Where it is cut nothing comes through and nobody is told so, as with a real one.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::places::Places;
use crate::pair::Node;

/// Bytes that are passed on at once.
const PIECE: usize = 64 * 1024;

/// How long is tried to reach who is behind it: a machine that was just switched on does not listen yet.
const PATIENCE: Duration = Duration::from_secs(5);
/// The time between two tries.
const AGAIN: Duration = Duration::from_millis(30);

/// Who talks on a way: that decides which cables it needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Between {
    /// The two machines.
    Machines,
    /// The terminals and one of them.
    TillsAnd(Node),
}

/// What can keep anything from coming through: of the main and of the backup.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct State {
    /// Its cable is out.
    is_out: [bool; 2],
    /// It has no power: it says nothing at all, not even that it is gone.
    is_dark: [bool; 2],
}

impl State {
    fn is_through(self, between: Between) -> bool {
        let reaches = |node: Node| !self.is_out[place(node)] && !self.is_dark[place(node)];
        match between {
            Between::Machines => reaches(Node::Main) && reaches(Node::Backup),
            Between::TillsAnd(node) => reaches(node),
        }
    }
}

fn place(node: Node) -> usize {
    usize::from(node == Node::Backup)
}

/// Both cables. They go when this is dropped.
#[derive(Debug)]
pub struct Cables {
    state: watch::Sender<State>,
    _ways: JoinSet<()>,
    breaks: [Option<JoinHandle<()>>; 2],
}

impl Cables {
    /// Lays them.
    pub async fn lay(places: &Places) -> io::Result<Self> {
        let (state, stands) = watch::channel(State::default());
        let mut ways = JoinSet::new();
        for node in [Node::Main, Node::Backup] {
            let at = |port| (SocketAddr::new(Places::known(node), port), SocketAddr::new(Places::listens(node), port));
            let (known, listens) = at(places.machine);
            ways.spawn(datagrams(UdpSocket::bind(known).await?, listens, stands.clone()));
            let tills = Between::TillsAnd(node);
            for (port, between) in [(places.machine, Between::Machines), (places.notice, tills), (places.pos, tills)] {
                let (known, listens) = at(port);
                ways.spawn(connections(TcpListener::bind(known).await?, listens, (stands.clone(), between)));
            }
        }
        Ok(Self { state, _ways: ways, breaks: [None, None] })
    }

    /// Whether that of a machine is in.
    #[must_use]
    pub fn is_in(&self, node: Node) -> bool {
        !self.state.borrow().is_out[place(node)]
    }

    /// A machine has power, or not.
    pub fn set_power(&self, node: Node, is_on: bool) {
        self.state.send_modify(|state| state.is_dark[place(node)] = !is_on);
    }

    /// Pulls that of a machine, or puts it in.
    pub fn put_in(&mut self, node: Node, is_in: bool) {
        if let Some(before) = self.breaks[place(node)].take() {
            before.abort();
        }
        self.state.send_modify(|state| state.is_out[place(node)] = !is_in);
    }

    /// Pulls it for so long.
    pub fn pull_for(&mut self, node: Node, time: Duration) {
        self.put_in(node, false);
        let state = self.state.clone();
        self.breaks[place(node)] = Some(tokio::spawn(async move {
            sleep(time).await;
            state.send_modify(|state| state.is_out[place(node)] = false);
        }));
    }
}

/// Passes datagrams on; what comes while it is cut is lost.
async fn datagrams(from: UdpSocket, to: SocketAddr, stands: watch::Receiver<State>) {
    let Ok(out) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await else { return };
    let mut datagram = vec![0; PIECE];
    loop {
        // Nobody listens there just now: it is lost as well.
        let Ok((length, _)) = from.recv_from(&mut datagram).await else { continue };
        if stands.borrow().is_through(Between::Machines) {
            let _ = out.send_to(&datagram[..length], to).await;
        }
    }
}

/// Connections that may wait to be taken.
const WAITING: i32 = 1024;

/// Passes connections on; while it is cut, none is made: whoever calls hears nothing at all.
async fn connections(from: TcpListener, to: SocketAddr, (mut stands, between): (watch::Receiver<State>, Between)) {
    let (mut all, given) = (JoinSet::new(), (stands.clone(), between));
    loop {
        let came = tokio::select! {
            biased;
            // Whether there still is a cable at all shows below.
            _ = stands.wait_for(|state| !state.is_through(between)) => None,
            came = from.accept() => Some(came),
        };
        while all.try_join_next().is_some() {}
        if let Some(came) = came {
            if let Ok((near, _)) = came {
                all.spawn(joined(near, to, given.clone()));
            }
            continue;
        }
        let plug = plug(&from).await;
        if stands.wait_for(|state| state.is_through(between)).await.is_err() {
            return;
        }
        let plugs: Vec<_> = plug.iter().filter_map(|plug| plug.local_addr().ok()).collect();
        drop(plug);
        let _ = rustix::net::listen(&from, WAITING);
        // What was let in for that has nothing to say.
        while let Ok(Ok((near, who))) = timeout(Duration::ZERO, from.accept()).await {
            if !plugs.contains(&who) {
                all.spawn(joined(near, to, given.clone()));
            }
        }
    }
}

/// Has the system drop what calls at a listener: nobody but this waits there to be taken, and there is room for no other.
async fn plug(listener: &TcpListener) -> Option<TcpStream> {
    rustix::net::listen(listener, 0).ok()?;
    let at = listener.local_addr().ok()?;
    // It may be full already.
    timeout(AGAIN, TcpStream::connect(at)).await.ok()?.ok()
}

/// Joins a connection to who is behind, until one of both ends it.
async fn joined(near: TcpStream, to: SocketAddr, (mut stands, between): (watch::Receiver<State>, Between)) {
    // It may have come just before.
    if stands.wait_for(|state| state.is_through(between)).await.is_err() {
        return;
    }
    let Ok(far) = timeout(PATIENCE, reach(to)).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    let there = pass(near_in, far_out, (stands.clone(), between));
    let back = pass(far_in, near_out, (stands, between));
    // Where one way ends, so does the other.
    tokio::select! {
        _ = there => {}
        _ = back => {}
    }
}

/// A connection to who is behind it, as soon as somebody listens there.
async fn reach(to: SocketAddr) -> TcpStream {
    loop {
        match TcpStream::connect(to).await {
            Ok(stream) => return stream,
            Err(_) => sleep(AGAIN).await,
        }
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    (mut stands, between): (watch::Receiver<State>, Between),
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        // A machine that is gone is like one that has hung up.
        let length = from.read(&mut piece).await.unwrap_or(0);
        // That it has ended is not told through a cable that is cut, either.
        if stands.wait_for(|state| state.is_through(between)).await.is_err() || length == 0 {
            return Ok(());
        }
        to.write_all(&piece[..length]).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who listens behind a cable.
    async fn behind(node: Node, port: u16) -> TcpListener {
        TcpListener::bind(SocketAddr::new(Places::listens(node), port)).await.unwrap()
    }

    #[tokio::test]
    async fn nothing_comes_through_while_it_is_cut_and_no_byte_is_lost_of_a_connection() {
        let places = Places::find().unwrap();
        let main = behind(Node::Main, places.machine).await;
        let udp = UdpSocket::bind(main.local_addr().unwrap()).await.unwrap();
        let mut cables = Cables::lay(&places).await.unwrap();
        let known = SocketAddr::new(Places::known(Node::Main), places.machine);
        let mut near = TcpStream::connect(known).await.unwrap();
        let (mut far, _) = main.accept().await.unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut said = [0; 6];
        near.write_all(b"before").await.unwrap();
        far.read_exact(&mut said).await.unwrap();
        // Whichever of the two is pulled.
        cables.put_in(Node::Backup, false);
        near.write_all(b"midway").await.unwrap();
        sender.send_to(b"lost", known).await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(200), far.read_exact(&mut said)).await.is_err());
        cables.pull_for(Node::Backup, Duration::from_millis(1));
        // Each in its turn: the first that arrives was sent afterwards.
        far.read_exact(&mut said).await.unwrap();
        assert_eq!((&said, cables.is_in(Node::Backup)), (b"midway", true));
        sender.send_to(b"after", known).await.unwrap();
        let length = udp.recv(&mut said).await.unwrap();
        assert_eq!(&said[..length], b"after");
    }

    #[tokio::test]
    async fn a_terminal_reaches_each_machine_by_the_cable_of_that_one_alone() {
        let places = Places::find().unwrap();
        let (main, backup) = (behind(Node::Main, places.pos).await, behind(Node::Backup, places.pos).await);
        let mut cables = Cables::lay(&places).await.unwrap();
        let known = |node| SocketAddr::new(Places::known(node), places.pos);
        cables.put_in(Node::Backup, false);
        let _line = TcpStream::connect(known(Node::Main)).await.unwrap();
        main.accept().await.unwrap();
        let mut calling = Box::pin(TcpStream::connect(known(Node::Backup)));
        let waits = tokio::time::timeout(Duration::from_millis(200), &mut calling).await;
        assert!(waits.is_err(), "nobody answers, and nobody says so");
        cables.put_in(Node::Backup, true);
        let _line = calling.await.unwrap();
        backup.accept().await.unwrap();
    }
}
