//! One connection between the two machines.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::net::{Moment, Net, at};

/// Bytes that may be under way in one direction.
const FULL: usize = 256 * 1024;

/// A connection: what is under way in each direction, by the machine that it comes from.
#[derive(Default)]
pub struct Pipe {
    sides: [Side; 2],
    /// It was given up: nobody hears anything on it.
    broken: bool,
}

#[derive(Default)]
struct Side {
    /// Each piece, and when it comes.
    under_way: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    /// Nothing more is sent, as the other side hears then.
    ended: Option<Instant>,
    /// The machine fell: it says nothing, not even that.
    fallen: Option<Instant>,
    /// Who waits for something to come from here.
    reader: Option<Waker>,
    /// Who waits until there is room for more.
    writer: Option<Waker>,
}

impl Pipe {
    pub fn wake(&mut self) {
        for side in &mut self.sides {
            side.reader.take().into_iter().chain(side.writer.take()).for_each(Waker::wake);
        }
    }

    pub fn break_off(&mut self) {
        self.broken = true;
        self.wake();
    }

    /// Whether one side has fallen so long ago that the other one notices.
    pub fn is_unheard(&self, now: Instant, patience: Duration) -> bool {
        self.sides.iter().filter_map(|side| side.fallen).any(|since| now.duration_since(since) >= patience)
    }

    /// The machine that fell has power again, and knows nothing of it.
    pub fn forget(&mut self, host: usize) {
        if self.sides[host].fallen.is_some() {
            self.break_off();
        }
    }

    pub fn is_over(&self) -> bool {
        self.broken || self.sides.iter().all(|side| side.ended.is_some() || side.fallen.is_some())
    }
}

/// One end of it.
pub struct End {
    net: Net,
    pipe: Arc<Mutex<Pipe>>,
    host: usize,
    next: Option<Moment>,
}

impl End {
    pub fn new(net: Net, pipe: Arc<Mutex<Pipe>>, host: usize) -> Self {
        Self { net, pipe, host, next: None }
    }
}

impl AsyncRead for End {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let end = self.get_mut();
        let from = 1 - end.host;
        let goes = end.net.state().goes(from);
        let mut pipe = end.pipe.lock().unwrap();
        if pipe.broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let side = &mut pipe.sides[from];
        side.reader = Some(context.waker().clone());
        if !goes {
            return Poll::Pending;
        }
        let now = Instant::now();
        let due = side.under_way.front().map(|(due, _)| *due).or(side.ended);
        match due {
            None => Poll::Pending,
            Some(due) if due > now => {
                let moment = end.next.insert(at(due));
                match moment.as_mut().poll(context) {
                    Poll::Ready(_) => {
                        context.waker().wake_by_ref();
                        Poll::Pending
                    }
                    Poll::Pending => Poll::Pending,
                }
            }
            Some(_) => {
                if let Some((_, piece)) = side.under_way.front_mut() {
                    let length = piece.len().min(into.remaining());
                    into.put_slice(&piece[..length]);
                    piece.drain(..length);
                    side.bytes -= length;
                    if piece.is_empty() {
                        side.under_way.pop_front();
                    }
                    side.writer.take().into_iter().for_each(Waker::wake);
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let end = self.get_mut();
        let delay = end.net.state().delay(end.host);
        let mut pipe = end.pipe.lock().unwrap();
        let gone = pipe.sides[1 - end.host].ended.is_some_and(|at| Instant::now() >= at);
        if pipe.broken || gone {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let side = &mut pipe.sides[end.host];
        if side.bytes >= FULL {
            side.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        // What was sent later does not come sooner.
        let last = side.under_way.back().map(|(due, _)| *due);
        let due = last.max(Some(Instant::now() + delay)).unwrap_or_else(Instant::now);
        side.bytes += bytes.len();
        side.under_way.push_back((due, bytes.to_vec()));
        side.reader.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().over();
        Poll::Ready(Ok(()))
    }
}

impl End {
    /// Nothing more comes from this end; a machine without power does not even say that.
    fn over(&mut self) {
        let (up, delay) = {
            let mut state = self.net.state();
            (state.up[self.host], state.delay(self.host))
        };
        let mut pipe = self.pipe.lock().unwrap();
        let side = &mut pipe.sides[self.host];
        let now = Instant::now();
        if up {
            let last = side.under_way.back().map(|(due, _)| *due);
            side.ended.get_or_insert(last.max(Some(now + delay)).unwrap_or(now));
        } else {
            side.fallen.get_or_insert(now);
        }
        pipe.wake();
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.over();
    }
}
