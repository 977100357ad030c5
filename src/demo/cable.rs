//! The cable between the two machines: what one sends to the other's address goes through here, and can be cut. Where it is
//! cut nothing comes through and nobody is told so, as with a real one.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// Bytes that are passed on at once.
const PIECE: usize = 64 * 1024;

/// One end: the address by which a machine is known, and the one at which it listens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// Known to both machines.
    pub known: SocketAddr,
    /// Known to the cable alone.
    pub listens: SocketAddr,
}

/// How long is tried to reach who is behind it: a machine that was just switched on does not listen yet.
const PATIENCE: Duration = Duration::from_secs(5);
/// The time between two tries.
const AGAIN: Duration = Duration::from_millis(30);

/// What can keep anything from coming through.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct State {
    /// It is out.
    is_cut: bool,
    /// The machine at one of its ends has no power: it says nothing at all, not even that it is gone.
    is_dark: [bool; 2],
}

impl State {
    fn is_through(self) -> bool {
        !self.is_cut && self.is_dark == [false; 2]
    }
}

/// The cable. It goes when it is dropped.
#[derive(Debug)]
pub struct Cable {
    state: watch::Sender<State>,
    _ways: JoinSet<()>,
    break_: Option<JoinHandle<()>>,
}

impl Cable {
    /// Lays it between two ends.
    pub async fn lay(ends: [End; 2]) -> io::Result<Self> {
        let (state, stands) = watch::channel(State::default());
        let mut ways = JoinSet::new();
        for end in ends {
            let (tcp, udp) = (TcpListener::bind(end.known).await?, UdpSocket::bind(end.known).await?);
            ways.spawn(datagrams(udp, end.listens, stands.clone()));
            ways.spawn(connections(tcp, end.listens, stands.clone()));
        }
        Ok(Self { state, _ways: ways, break_: None })
    }

    /// Whether it is whole.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        !self.state.borrow().is_cut
    }

    /// The machine at one end, 0 or 1, has power, or not.
    pub fn set_power(&self, end: usize, is_on: bool) {
        self.state.send_modify(|state| state.is_dark[end] = !is_on);
    }

    /// Cuts it, or joins it.
    pub fn set_joined(&mut self, joined: bool) {
        if let Some(before) = self.break_.take() {
            before.abort();
        }
        self.state.send_modify(|state| state.is_cut = !joined);
    }

    /// Cuts it for so long.
    pub fn cut_for(&mut self, time: Duration) {
        self.set_joined(false);
        let state = self.state.clone();
        self.break_ = Some(tokio::spawn(async move {
            sleep(time).await;
            state.send_modify(|state| state.is_cut = false);
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
        if stands.borrow().is_through() {
            let _ = out.send_to(&datagram[..length], to).await;
        }
    }
}

/// Passes connections on; those that are made while it is cut wait.
async fn connections(from: TcpListener, to: SocketAddr, mut stands: watch::Receiver<State>) {
    let mut all = JoinSet::new();
    while stands.wait_for(|state| state.is_through()).await.is_ok() {
        let Ok((near, _)) = from.accept().await else { continue };
        let mut stands = stands.clone();
        all.spawn(async move {
            // It may have come just before.
            if stands.wait_for(|state| state.is_through()).await.is_err() {
                return;
            }
            let Ok(far) = timeout(PATIENCE, reach(to)).await else { return };
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            let (there, back) = (pass(near_in, far_out, stands.clone()), pass(far_in, near_out, stands));
            // Where one way ends, so does the other.
            tokio::select! {
                _ = there => {}
                _ = back => {}
            }
        });
        while all.try_join_next().is_some() {}
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

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut stands: watch::Receiver<State>) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        // A machine that is gone is like one that has hung up.
        let length = from.read(&mut piece).await.unwrap_or(0);
        // That it has ended is not told through a cable that is cut, either.
        if stands.wait_for(|state| state.is_through()).await.is_err() || length == 0 {
            return Ok(());
        }
        to.write_all(&piece[..length]).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn end() -> (End, TcpListener, UdpSocket) {
        let known = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listens = tcp.local_addr().unwrap();
        (End { known, listens }, tcp, UdpSocket::bind(listens).await.unwrap())
    }

    #[tokio::test]
    async fn nothing_comes_through_while_it_is_cut_and_no_byte_is_lost_of_a_connection() {
        let ((one, tcp, udp), (other, _, _)) = (end().await, end().await);
        let mut cable = Cable::lay([one, other]).await.unwrap();
        let mut near = TcpStream::connect(one.known).await.unwrap();
        let (mut far, _) = tcp.accept().await.unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut said = [0; 6];
        near.write_all(b"before").await.unwrap();
        far.read_exact(&mut said).await.unwrap();
        cable.set_joined(false);
        near.write_all(b"midway").await.unwrap();
        sender.send_to(b"lost", one.known).await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(200), far.read_exact(&mut said)).await.is_err());
        cable.cut_for(Duration::from_millis(1));
        // Each in its turn: the first that arrives was sent afterwards.
        far.read_exact(&mut said).await.unwrap();
        assert_eq!((&said, cable.is_joined()), (b"midway", true));
        sender.send_to(b"after", one.known).await.unwrap();
        let length = udp.recv(&mut said).await.unwrap();
        assert_eq!(&said[..length], b"after");
    }
}
