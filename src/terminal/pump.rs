//! Bytes from one connection to the other, both ways, as if there were nothing between.
//!
//! What comes is passed on before more is taken, so that who is slow slows down the other side. A connection that rests keeps no
//! room. Where much comes at once it goes through a pipe of the system, and is never copied into this program (`splice(2)`).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{Shutdown, shutdown};
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::task::coop::consume_budget;
use tokio::time::Instant;

/// Bytes that are taken at once.
const TAKEN: usize = 64 * 1024;
/// Bytes in a pipe.
const PIPED: usize = 256 * 1024;
/// So often in a row as much came as could be taken, before a pipe is worth its while.
const MUCH: u32 = 4;
/// Pipes at once: each is two files.
const PIPES: usize = 64;

/// What goes through all connections of one way.
#[derive(Debug)]
pub struct Flow {
    began: Instant,
    /// Connections that are open.
    open: AtomicUsize,
    pipes: AtomicUsize,
    /// When something came from the server last, in milliseconds since the flow began, plus one; 0: never.
    answered: AtomicU64,
    /// When something was sent there last that nothing has come back for, in the same way; 0: nothing is.
    asked: AtomicU64,
}

/// Which way bytes go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    ToServer,
    ToClient,
}

impl Default for Flow {
    fn default() -> Self {
        let [answered, asked] = [(); 2].map(|()| AtomicU64::new(0));
        Self { began: Instant::now(), open: AtomicUsize::new(0), pipes: AtomicUsize::new(0), answered, asked }
    }
}

impl Flow {
    /// How many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// When something came from the server last.
    #[must_use]
    pub fn answered_at(&self) -> Option<Instant> {
        self.instant(&self.answered)
    }

    /// Since when the server owes an answer to what was sent to it, if it does.
    #[must_use]
    pub fn asked_at(&self) -> Option<Instant> {
        self.instant(&self.asked)
    }

    /// Another server is asked from now on.
    pub fn forget(&self) {
        self.answered.store(0, Ordering::Relaxed);
        self.asked.store(0, Ordering::Relaxed);
    }

    fn instant(&self, at: &AtomicU64) -> Option<Instant> {
        let ms = at.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.began + std::time::Duration::from_millis(ms))
    }

    fn passed(&self, way: Way) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1;
        match way {
            Way::ToServer => drop(self.asked.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed)),
            Way::ToClient => {
                self.answered.store(now, Ordering::Relaxed);
                self.asked.store(0, Ordering::Relaxed);
            }
        }
    }
}

/// Joins two connections until both sides have said all, or `until` is over. Where one breaks, or that is over first, both are
/// cut.
pub async fn joined(
    client: TcpStream,
    server: TcpStream,
    flow: &Arc<Flow>,
    until: impl Future<Output = bool>,
) -> io::Result<()> {
    flow.open.fetch_add(1, Ordering::Relaxed);
    let _open = Counted(flow, |flow| &flow.open);
    let there = carry(&client, &server, flow, Way::ToServer);
    let back = carry(&server, &client, flow, Way::ToClient);
    let ended = tokio::select! {
        ended = async { tokio::try_join!(there, back).map(|_| ()) } => ended,
        true = until => Err(io::ErrorKind::ConnectionAborted.into()),
    };
    if ended.is_err() {
        cut(&client);
        cut(&server);
    }
    ended
}

/// Whoever is on the other side sees that the connection broke, and not that all was said.
pub fn cut(stream: &TcpStream) {
    let _ = rustix::net::sockopt::set_socket_linger(stream, Some(std::time::Duration::ZERO));
}

/// Counts down when it goes.
struct Counted<'f>(&'f Flow, fn(&Flow) -> &AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.1(self.0).fetch_sub(1, Ordering::Relaxed);
    }
}

async fn carry(from: &TcpStream, to: &TcpStream, flow: &Flow, way: Way) -> io::Result<()> {
    let (mut room, mut much) = (vec![], 0);
    loop {
        from.readable().await?;
        // However much comes on one connection: the others, and what is told to the machines, have their turn.
        consume_budget().await;
        if room.is_empty() {
            room = vec![0; TAKEN];
        }
        match from.try_read(&mut room) {
            Ok(0) => break,
            Ok(length) => {
                flow.passed(way);
                write(to, &room[..length]).await?;
                much = if length == TAKEN { much + 1 } else { 0 };
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => (room, much) = (vec![], 0),
            Err(error) => return Err(error),
        }
        if much == MUCH
            && let Some(pipe) = Pipe::new(flow)
        {
            drop(std::mem::take(&mut room));
            pipe.carry(from, to, flow, way).await?;
            break;
        }
    }
    // The other way may still have something to say.
    match shutdown(to, Shutdown::Write) {
        Ok(()) | Err(Errno::NOTCONN) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn write(to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match to.try_write(bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => to.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A pipe of the system between two connections.
struct Pipe<'f> {
    out: OwnedFd,
    into: OwnedFd,
    _counted: Counted<'f>,
}

impl<'f> Pipe<'f> {
    fn new(flow: &'f Flow) -> Option<Self> {
        if flow.pipes.fetch_add(1, Ordering::Relaxed) >= PIPES {
            flow.pipes.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let counted = Counted(flow, |flow| &flow.pipes);
        let (out, into) = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).ok()?;
        // Where the system allows no more, it is smaller.
        let _ = fcntl_setpipe_size(&into, PIPED);
        Some(Self { out, into, _counted: counted })
    }

    /// Carries all that comes from now on.
    async fn carry(&self, from: &TcpStream, to: &TcpStream, flow: &Flow, way: Way) -> io::Result<()> {
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        loop {
            from.readable().await?;
            consume_budget().await;
            let taken = from.try_io(Interest::READABLE, || {
                splice(from, None, &self.into, None, PIPED, flags).map_err(io::Error::from)
            });
            let mut held = match taken {
                Ok(0) => return Ok(()),
                Ok(held) => held,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            flow.passed(way);
            while held > 0 {
                let given = to.try_io(Interest::WRITABLE, || {
                    splice(&self.out, None, to, None, held, flags).map_err(io::Error::from)
                });
                match given {
                    Ok(given) => held -= given,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => to.writable().await?,
                    Err(error) => return Err(error),
                }
            }
        }
    }
}
