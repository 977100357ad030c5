//! The network between the two machines: connections that wait while a cable is cut, and break when that takes too long;
//! datagrams that come, or do not.

use std::collections::VecDeque;
use std::future::{Pending, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use espejo::os::net::{Lines, Listens, Stream};
use tokio::time::{Instant, Timeout, timeout_at};

use super::pipe::{End, Pipe};
use crate::common::random::Random;

/// So long nothing that was sent is acknowledged before a connection is given up.
const UNHEARD: Duration = Duration::from_secs(8);

/// A moment that is waited for.
pub type Moment = Pin<Box<Timeout<Pending<()>>>>;

/// That moment.
pub fn at(moment: Instant) -> Moment {
    Box::pin(timeout_at(moment, pending()))
}

/// The network, shared by all that is on it.
#[derive(Clone)]
pub struct Net(Arc<Mutex<State>>);

/// What goes from one machine to the other.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Nothing comes through, since then.
    pub cut: Option<Instant>,
    /// How long it takes, in milliseconds: at least, and how much more at the most.
    pub delay_ms: (u64, u64),
    /// Of a hundred datagrams so many are lost.
    pub lost: u64,
}

pub struct State {
    pub random: Random,
    /// By the machine that it comes from.
    pub ways: [Way; 2],
    /// Machines that have power.
    pub up: [bool; 2],
    listening: Vec<Listening>,
    pipes: Vec<Arc<Mutex<Pipe>>>,
}

/// An address at which a machine listens.
struct Listening {
    address: SocketAddr,
    host: usize,
    calls: Arc<Mutex<Calls>>,
    datagrams: Arc<Mutex<Letters>>,
}

#[derive(Default)]
struct Calls {
    waiting: VecDeque<End>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Letters {
    waiting: VecDeque<(Instant, Vec<u8>)>,
    waker: Option<Waker>,
}

impl Net {
    pub fn new(random: Random) -> Self {
        let way = Way { cut: None, delay_ms: (1, 2), lost: 0 };
        let state = State { random, ways: [way; 2], up: [false; 2], listening: vec![], pipes: vec![] };
        Self(Arc::new(Mutex::new(state)))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The machine `host` listens at `address`.
    pub fn listen(&self, host: usize, address: SocketAddr) -> (Box<dyn Listens>, Box<dyn Lines>) {
        let (calls, datagrams) = (Arc::<Mutex<Calls>>::default(), Arc::<Mutex<Letters>>::default());
        let mut state = self.state();
        let before = state.remove(host);
        state.listening.push(Listening { address, host, calls: Arc::clone(&calls), datagrams: Arc::clone(&datagrams) });
        drop(state);
        drop(before);
        (Box::new(Ear { calls }), Box::new(Mail { net: self.clone(), host, letters: datagrams, next: None }))
    }

    /// The service of `host` is gone: nobody listens there any more.
    pub fn deafen(&self, host: usize) {
        let before = self.state().remove(host);
        drop(before);
    }

    /// The machine `from` calls `to`.
    pub async fn call(self, from: usize, to: SocketAddr) -> io::Result<Stream> {
        let delay = self.state().delay(from);
        let _ = at(Instant::now() + delay).await;
        let answered = self.state().answer(&self, from, to);
        let back = self.state().delay(1 - from);
        match answered {
            Some(answer) => {
                let _ = at(Instant::now() + back).await;
                answer.map(|end| Stream::Simulated(Box::new(end)))
            }
            // Nothing comes back: who called gives it up in time.
            None => pending().await,
        }
    }

    /// Breaks what nobody acknowledges.
    pub fn look(&self) {
        let state = self.state();
        let now = Instant::now();
        let cut = state.ways.iter().filter_map(|way| way.cut).any(|since| now.duration_since(since) >= UNHEARD);
        for pipe in &state.pipes {
            let mut pipe = pipe.lock().unwrap();
            if cut || pipe.is_unheard(now, UNHEARD) {
                pipe.break_off();
            }
        }
    }

    /// What a machine without power had is unknown to it when it has power again: who sends something on it is told so.
    pub fn power(&self, host: usize, up: bool) {
        let mut state = self.state();
        state.up[host] = up;
        if up {
            state.pipes.iter().for_each(|pipe| pipe.lock().unwrap().forget(host));
        }
        let before = state.remove(host);
        drop(state);
        drop(before);
        self.wake();
    }

    /// Changes the ways; whatever waited for that goes on.
    pub fn change(&self, what: impl FnOnce(&mut [Way; 2])) {
        what(&mut self.state().ways);
        self.wake();
    }

    fn wake(&self) {
        let mut state = self.state();
        state.pipes.retain(|pipe| !pipe.lock().unwrap().is_over());
        state.pipes.iter().for_each(|pipe| pipe.lock().unwrap().wake());
    }
}

impl State {
    /// Where a machine listened. What waits there is not to be dropped while the network is held.
    fn remove(&mut self, host: usize) -> Vec<Listening> {
        self.listening.extract_if(.., |known| known.host == host).collect()
    }

    /// How long it takes from there.
    pub fn delay(&mut self, from: usize) -> Duration {
        let (least, more) = self.ways[from].delay_ms;
        Duration::from_millis(least + self.random.below(more + 1))
    }

    /// Whether something comes through from there.
    pub fn goes(&self, from: usize) -> bool {
        self.ways[from].cut.is_none() && self.up[0] && self.up[1]
    }

    fn answer(&mut self, net: &Net, from: usize, to: SocketAddr) -> Option<io::Result<End>> {
        if !self.goes(from) || !self.goes(1 - from) {
            return None;
        }
        let Some(listening) = self.listening.iter().find(|known| known.address == to) else {
            return Some(Err(io::ErrorKind::ConnectionRefused.into()));
        };
        let pipe = Arc::new(Mutex::new(Pipe::default()));
        self.pipes.push(Arc::clone(&pipe));
        let end = |host| End::new(net.clone(), Arc::clone(&pipe), host);
        let mut calls = listening.calls.lock().unwrap();
        calls.waiting.push_back(end(1 - from));
        if let Some(waker) = calls.waker.take() {
            waker.wake();
        }
        Some(Ok(end(from)))
    }
}

/// Where connections come in.
struct Ear {
    calls: Arc<Mutex<Calls>>,
}

impl Listens for Ear {
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        let mut calls = self.calls.lock().unwrap();
        if let Some(end) = calls.waiting.pop_front() {
            return Poll::Ready(Ok(Stream::Simulated(Box::new(end))));
        }
        calls.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

/// Where datagrams go out and come in.
struct Mail {
    net: Net,
    host: usize,
    letters: Arc<Mutex<Letters>>,
    next: Option<Moment>,
}

impl Lines for Mail {
    fn poll_receive(&mut self, context: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut letters = self.letters.lock().unwrap();
        letters.waker = Some(context.waker().clone());
        let Some((due, _)) = letters.waiting.front() else { return Poll::Pending };
        if *due > Instant::now() {
            let moment = self.next.insert(at(*due));
            return match moment.as_mut().poll(context) {
                Poll::Ready(_) => {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                Poll::Pending => Poll::Pending,
            };
        }
        let (_, letter) = letters.waiting.pop_front().unwrap_or((Instant::now(), vec![]));
        let length = letter.len().min(bytes.len());
        bytes[..length].copy_from_slice(&letter[..length]);
        Poll::Ready(Ok(length))
    }

    fn send(&self, bytes: &[u8], to: SocketAddr) {
        let mut state = self.net.state();
        let lost = state.ways[self.host].lost;
        let is_lost = state.random.below(100) < lost || !state.goes(self.host);
        let due = Instant::now() + state.delay(self.host);
        let Some(listening) = state.listening.iter().find(|known| known.address == to && !is_lost) else { return };
        let mut letters = listening.datagrams.lock().unwrap();
        let at = letters.waiting.partition_point(|(known, _)| *known <= due);
        letters.waiting.insert(at, (due, bytes.to_vec()));
        if let Some(waker) = letters.waker.take() {
            waker.wake();
        }
    }
}
