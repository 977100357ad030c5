//! Bytes from one connection to the other, both ways, as if there were nothing between.
//!
//! What comes is passed on before more is taken, so that who is slow slows down the other side. A connection that rests keeps no
//! room. Where much comes at once it goes through a pipe of the system, and is never copied into this program (`splice(2)`).

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

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
const PIPED: usize = 1024 * 1024;
/// So often in a row half of what could be taken came, or more, before a pipe is worth its while.
const MUCH: u32 = 4;
/// Pipes at once: each is two files.
const PIPES: usize = 64;

/// What goes through all connections of one port.
#[derive(Debug)]
pub struct Flow {
    began: Instant,
    /// Connections that are open.
    open: AtomicUsize,
    pipes: AtomicUsize,
    /// How often another server was to be asked: what an older connection still says is not of the one that is.
    server: AtomicU64,
    /// When something came from the server last, in milliseconds since the flow began, plus one; 0: never.
    answered: AtomicU64,
    /// Connections that wait for an answer; and since when there are any, in the same way.
    waiting: AtomicUsize,
    waited: AtomicU64,
}

/// Which way bytes go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    ToServer,
    ToClient,
}

/// One connection, as the flow knows it. What it waits for, it waits for no more when it goes.
struct Passage<'f> {
    flow: &'f Flow,
    server: u64,
    waits: AtomicBool,
}

impl Default for Flow {
    fn default() -> Self {
        let [server, answered, waited] = [(); 3].map(|()| AtomicU64::new(0));
        let [open, pipes, waiting] = [(); 3].map(|()| AtomicUsize::new(0));
        Self { began: Instant::now(), open, pipes, server, answered, waiting, waited }
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

    /// Since when somebody waits for an answer, and none has come to anybody.
    #[must_use]
    pub fn waits_since(&self) -> Option<Instant> {
        let since = self.instant(&self.waited).filter(|_| self.waiting.load(Ordering::Relaxed) > 0)?;
        Some(self.answered_at().map_or(since, |at| at.max(since)))
    }

    /// Another server is asked from now on.
    pub fn forget(&self) {
        self.server.fetch_add(1, Ordering::Relaxed);
        self.answered.store(0, Ordering::Relaxed);
    }

    fn instant(&self, at: &AtomicU64) -> Option<Instant> {
        let ms = at.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.began + Duration::from_millis(ms))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }
}

impl<'f> Passage<'f> {
    fn new(flow: &'f Flow) -> Self {
        flow.open.fetch_add(1, Ordering::Relaxed);
        Self { flow, server: flow.server.load(Ordering::Relaxed), waits: AtomicBool::new(false) }
    }

    fn passed(&self, way: Way) {
        let flow = self.flow;
        match way {
            Way::ToServer if !self.waits.swap(true, Ordering::Relaxed) => {
                if flow.waiting.fetch_add(1, Ordering::Relaxed) == 0 {
                    flow.waited.store(flow.now(), Ordering::Relaxed);
                }
            }
            Way::ToServer => {}
            Way::ToClient => {
                self.waits_no_more();
                if self.server == flow.server.load(Ordering::Relaxed) {
                    flow.answered.store(flow.now(), Ordering::Relaxed);
                }
            }
        }
    }

    fn waits_no_more(&self) {
        if self.waits.swap(false, Ordering::Relaxed) {
            self.flow.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        // A last word is answered by nobody.
        self.waits_no_more();
        self.flow.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Joins two connections until both sides have said all, or `until` is over. Where one breaks, or that is over first, or nobody
/// waits for this any more, both are cut.
pub async fn joined(
    client: TcpStream,
    server: TcpStream,
    flow: &Flow,
    until: impl Future<Output = bool>,
) -> io::Result<()> {
    let passage = Passage::new(flow);
    let ends = [Cut::new(&client), Cut::new(&server)];
    let there = carry(&client, &server, &passage, Way::ToServer);
    let back = carry(&server, &client, &passage, Way::ToClient);
    let ended = tokio::select! {
        ended = async { tokio::try_join!(there, back).map(|_| ()) } => ended,
        true = until => Err(io::ErrorKind::ConnectionAborted.into()),
    };
    if ended.is_ok() {
        ends.into_iter().for_each(Cut::keep);
    }
    ended
}

/// A connection that is cut when this goes, unless it is kept: whoever is on the other side sees that it broke, and not that all was
/// said.
pub struct Cut<'s>(Option<&'s TcpStream>);

impl<'s> Cut<'s> {
    /// It is to be cut.
    #[must_use]
    pub fn new(stream: &'s TcpStream) -> Self {
        Self(Some(stream))
    }

    /// It is not cut.
    pub fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Cut<'_> {
    fn drop(&mut self) {
        if let Some(stream) = self.0 {
            let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
        }
    }
}

async fn carry(from: &TcpStream, to: &TcpStream, passage: &Passage<'_>, way: Way) -> io::Result<()> {
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
                passage.passed(way);
                write(to, &room[..length]).await?;
                much = if length >= TAKEN / 2 { much + 1 } else { 0 };
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => (room, much) = (vec![], 0),
            Err(error) => return Err(error),
        }
        if much == MUCH
            && let Some(pipe) = Pipe::new(passage.flow)
        {
            drop(std::mem::take(&mut room));
            pipe.carry(from, to, passage, way).await?;
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
    flow: &'f Flow,
    out: OwnedFd,
    into: OwnedFd,
}

impl Drop for Pipe<'_> {
    fn drop(&mut self) {
        self.flow.pipes.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<'f> Pipe<'f> {
    fn new(flow: &'f Flow) -> Option<Self> {
        let (out, into) = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).ok()?;
        // Where the system allows no more, it is smaller.
        let _ = fcntl_setpipe_size(&into, PIPED);
        let before = flow.pipes.fetch_add(1, Ordering::Relaxed);
        let pipe = Self { flow, out, into };
        (before < PIPES).then_some(pipe)
    }

    /// Carries all that comes from now on.
    async fn carry(&self, from: &TcpStream, to: &TcpStream, passage: &Passage<'_>, way: Way) -> io::Result<()> {
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
            passage.passed(way);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_an_answer_waits_no_more_when_it_has_gone() {
        let flow = Flow::default();
        let (one, other) = (Passage::new(&flow), Passage::new(&flow));
        assert_eq!((flow.open(), flow.waits_since()), (2, None));
        one.passed(Way::ToServer);
        one.passed(Way::ToServer);
        other.passed(Way::ToServer);
        other.passed(Way::ToClient);
        assert!(flow.waits_since().is_some_and(|since| Some(since) == flow.answered_at()), "the server does answer");
        // Its last word needed no answer.
        drop(one);
        assert_eq!((flow.open(), flow.waits_since()), (1, None));
    }

    #[test]
    fn what_an_older_server_still_says_is_not_of_the_one_that_is_asked_now() {
        let flow = Flow::default();
        let old = Passage::new(&flow);
        flow.forget();
        old.passed(Way::ToClient);
        assert_eq!(flow.answered_at(), None);
        Passage::new(&flow).passed(Way::ToClient);
        assert!(flow.answered_at().is_some());
    }
}
