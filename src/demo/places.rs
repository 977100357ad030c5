//! Where all of it is: addresses of loopback alone, so that the practice shop is in nobody's way and nobody comes in.
//!
//! Each machine has two: the one by which the others know it, where its cable begins, and the one at which it listens behind that. Their
//! ports are the same.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::SystemTime;

use super::random::Random;
use crate::pair::Node;

/// The terminals, beside the two machines.
pub const TILLS: [&str; 4] = ["CAJA-1", "CAJA-2", "CAJA-4", "CAJA-5"];

/// The ports of the practice shop. None is used twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Places {
    /// Where the two machines talk.
    pub machine: u16,
    /// Where the terminals talk to them.
    pub notice: u16,
    /// The POS server's.
    pub pos: u16,
    /// The same in a drill.
    pub drill: u16,
    /// That of the POS server on each terminal, then on the main and on the backup while they are only tills.
    pub here: [u16; TILLS.len() + 2],
}

impl Places {
    /// Some that are free.
    pub fn find() -> io::Result<Self> {
        let [machine, notice, pos, drill, here @ ..] = free_ports::<{ TILLS.len() + 6 }>()?;
        Ok(Self { machine, notice, pos, drill, here })
    }

    /// By which address the others know a machine.
    #[must_use]
    pub fn known(node: Node) -> IpAddr {
        Ipv4Addr::new(127, 0, 0, last(node)).into()
    }

    /// At which it listens.
    #[must_use]
    pub fn listens(node: Node) -> IpAddr {
        Ipv4Addr::new(127, 0, 1, last(node)).into()
    }

    /// The machine's address, as it is set.
    #[must_use]
    pub fn address(&self, node: Node) -> String {
        SocketAddr::new(Self::known(node), self.machine).to_string()
    }

    /// Where a terminal takes its cashier in.
    #[must_use]
    pub fn till(&self, till: usize) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.here[till]).into()
    }

    /// The port of the POS server on a machine, while it is only a till.
    #[must_use]
    pub fn own_till(&self, node: Node) -> u16 {
        self.here[TILLS.len() + usize::from(node == Node::Backup)]
    }
}

fn last(node: Node) -> u8 {
    if node == Node::Main { 2 } else { 3 }
}

/// Ports that no system gives away by itself: what is free here now is not taken by the next connection of another program.
const PORTS: std::ops::RangeInclusive<u16> = 10_240..=32_000;
/// Ports that are tried at the most.
const TRIES: usize = 1000;

/// Ports of this machine that nobody has, neither for connections nor for datagrams.
fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let mut random =
        Random::new(u64::try_from(now % u128::from(u64::MAX)).unwrap_or(0) ^ u64::from(std::process::id()));
    let mut held = vec![];
    for _ in 0..TRIES {
        let port = random.between((*PORTS.start()).into(), (*PORTS.end()).into());
        let at = (Ipv4Addr::UNSPECIFIED, u16::try_from(port).unwrap_or(*PORTS.start()));
        if let (Ok(tcp), Ok(udp)) = (std::net::TcpListener::bind(at), std::net::UdpSocket::bind(at)) {
            held.push((at.1, tcp, udp));
        }
        if held.len() == N {
            break;
        }
    }
    let ports: Vec<u16> = held.into_iter().map(|(port, ..)| port).collect();
    ports.try_into().map_err(|_| io::ErrorKind::AddrInUse.into())
}
