//! Takes terminals, hears and tells them.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

use super::registry::Entry;
use super::visit::{self, Given, News, Saying};
use super::witness::Witness;
use crate::config::address::Address;
use crate::link::greeting::Refusal;
use crate::link::identity::MachineId;
use crate::link::proof::Proof;
use crate::link::tls::Tls;
use crate::os::ground::spawn;
use crate::os::net;
use crate::terminal::speech::{Here, Vote};

/// Connections at once that have not proven yet that they are a terminal's. Where there are more, the oldest of them goes.
const UNPROVEN: usize = 256;
/// Between two tries to listen at a port that is taken.
const AGAIN: Duration = Duration::from_secs(1);
/// News that wait to be taken in.
const WAITING: usize = 256;

/// What all terminals told last.
pub type Picture = Arc<Vec<Arc<Witness>>>;

/// A terminal, as the desk knows it.
struct Known {
    /// Which start of its agent.
    run: u64,
    /// Its last visit: an older one says nothing any more.
    visit: u64,
    witness: Arc<Witness>,
}

/// The desk of a machine. It ends with all its connections when this goes.
#[derive(Debug)]
pub struct Desk {
    saying: watch::Sender<Arc<Saying>>,
    joined: watch::Sender<Arc<Vec<Entry>>>,
    seen: watch::Receiver<Picture>,
    work: [JoinHandle<()>; 2],
}

impl Desk {
    /// Opens it at `address` for those who have joined. Until something else is said, this machine knows nothing. The proof of an
    /// epoch above the one that it says goes to `shown`.
    #[must_use]
    pub fn open(address: Address, tls: Tls, joined: Vec<Entry>, shown: mpsc::Sender<Proof>) -> Self {
        let saying = Saying { here: Here::default(), configured: None, message: None };
        let (saying, says) = watch::channel(Arc::new(saying));
        let (joined, all) = watch::channel(Arc::new(joined));
        let (tell, news) = mpsc::channel(WAITING);
        let (picture, seen) = watch::channel(Arc::new(vec![]));
        let given = Given { tls, joined: all, saying: says.clone(), news: tell };
        let work = [spawn(accept(address, given)), spawn(keep(news, says, picture, shown))];
        Self { saying, joined, seen, work }
    }

    /// Says something else from now on.
    pub fn say(&self, saying: Saying) {
        self.saying.send_if_modified(|said| {
            let is_news = **said != saying;
            if is_news {
                *said = Arc::new(saying);
            }
            is_news
        });
    }

    /// Lets these in from now on.
    pub fn admit(&self, joined: Vec<Entry>) {
        self.joined.send_replace(Arc::new(joined));
        // Who may not be here any more hears that at once.
        self.saying.send_modify(|_| {});
    }

    /// What the terminals told last.
    #[must_use]
    pub fn seen(&self) -> Picture {
        Arc::clone(&self.seen.borrow())
    }

    /// Waits until they tell something else.
    pub async fn changed(&mut self) {
        if self.seen.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Closes it: when this returns its port is free.
    pub async fn close(mut self) {
        for work in &mut self.work {
            work.abort();
            let _ = work.await;
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.work.iter().for_each(JoinHandle::abort);
    }
}

async fn accept(address: Address, given: Given) {
    let mut listener = loop {
        let found = lookup_host((address.host(), address.port())).await.ok().and_then(|mut found| found.next());
        let at = found.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], address.port())));
        match net::listen(at).await {
            Ok((listener, _)) => break listener,
            Err(error) => tracing::warn!(%error, %address, "terminals cannot be taken at this address"),
        }
        sleep(AGAIN).await;
    };
    let mut visits = JoinSet::new();
    let mut number = 0;
    let mut unproven: VecDeque<(AbortHandle, Arc<AtomicBool>)> = VecDeque::new();
    loop {
        while visits.try_join_next().is_some() {}
        unproven.retain(|(visit, is_in)| !visit.is_finished() && !is_in.load(Ordering::Relaxed));
        if unproven.len() >= UNPROVEN
            && let Some((oldest, _)) = unproven.pop_front()
        {
            oldest.abort();
        }
        match listener.accept().await {
            Ok(stream) => {
                number += 1;
                let (given, is_in) = (given.clone(), Arc::new(AtomicBool::new(false)));
                let told = Arc::clone(&is_in);
                let visit = visits.spawn(async move { visit::take(stream, number, given, &told).await });
                unproven.push_back((visit, is_in));
            }
            Err(_) => sleep(AGAIN).await,
        }
    }
}

/// Keeps the picture of all terminals.
async fn keep(
    mut news: mpsc::Receiver<News>,
    saying: watch::Receiver<Arc<Saying>>,
    picture: watch::Sender<Picture>,
    shown: mpsc::Sender<Proof>,
) {
    let mut all: HashMap<MachineId, Known> = HashMap::new();
    while let Some(first) = news.recv().await {
        let now = Instant::now();
        // One picture of all that has come meanwhile.
        let more = std::iter::from_fn(|| news.try_recv().ok()).take(WAITING).collect::<Vec<_>>();
        for one in std::iter::once(first).chain(more) {
            match one {
                News::Arrived { entry, run, visit, answer } => {
                    let is_other = |known: &Known| known.run != run && known.witness.is_fresh(now);
                    let known = all.get(&entry.id);
                    let refused = known.is_some_and(is_other).then_some(Refusal::Twin);
                    // A call that was given up, and comes late, says nothing any more.
                    let is_late = known.is_some_and(|known| known.run == run && known.visit > visit);
                    let refused = refused.or_else(|| is_late.then_some(Refusal::NoPlace));
                    if refused.is_none() {
                        let before = all.remove(&entry.id);
                        all.insert(entry.id, arrived(before, &entry, (run, visit), now));
                    }
                    let _ = answer.send(refused);
                }
                News::Voted(id, visit, vote) => {
                    if let Some(proof) = vote.proof.as_ref().filter(|proof| proof.epoch > saying.borrow().here.epoch) {
                        let _ = shown.send(proof.clone()).await;
                    }
                    if let Some(known) = all.get_mut(&id).filter(|known| known.visit == visit) {
                        let one = Arc::make_mut(&mut known.witness);
                        (one.vote, one.heard_at, one.is_here) = (*vote, now, true);
                    }
                }
                News::Gone(id, visit) => {
                    if let Some(known) = all.get_mut(&id).filter(|known| known.visit == visit) {
                        Arc::make_mut(&mut known.witness).is_here = false;
                    }
                }
            }
        }
        let mut seen: Vec<Arc<Witness>> = all.values().map(|known| Arc::clone(&known.witness)).collect();
        seen.sort_by(|one, other| one.name.cmp(&other.name).then(one.id.cmp(&other.id)));
        picture.send_replace(Arc::new(seen));
    }
}

/// A terminal has come in: again, where it is known. Before it has told anything it has seen nothing.
fn arrived(before: Option<Known>, entry: &Entry, (run, visit): (u64, u64), now: Instant) -> Known {
    let new = || {
        let (id, name) = (entry.id, String::new());
        Arc::new(Witness { id, name, vote: Vote::default(), heard_at: now, since: now, is_here: false })
    };
    let is_same = before.as_ref().is_some_and(|known| known.run == run);
    let mut witness = before.map_or_else(new, |known| known.witness);
    let one = Arc::make_mut(&mut witness);
    one.name.clone_from(&entry.name);
    // One that only calls again is heard on.
    one.is_here &= is_same;
    Known { run, visit, witness }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::link::identity::Identity;

    struct Table {
        news: mpsc::Sender<News>,
        seen: watch::Receiver<Picture>,
    }

    impl Table {
        fn new() -> Self {
            let (news, told) = mpsc::channel(8);
            let saying = Saying { here: Here::default(), configured: None, message: None };
            let (picture, seen) = watch::channel(Picture::default());
            tokio::spawn(keep(told, watch::channel(Arc::new(saying)).1, picture, mpsc::channel(1).0));
            Self { news, seen }
        }

        async fn arrives(&self, entry: &Entry, run: u64, visit: u64) -> Option<Refusal> {
            let (answer, answered) = oneshot::channel();
            let arrived = News::Arrived { entry: entry.clone(), run, visit, answer };
            assert!(self.news.send(arrived).await.is_ok());
            answered.await.unwrap()
        }

        /// Whether it is seen as it votes then, when all that was told before is taken in, and `clock` has told so much.
        async fn votes(&mut self, entry: &Entry, visit: u64, (clock, connections): (&Entry, u64)) -> bool {
            for (who, visit) in [(entry, visit), (clock, 1)] {
                let vote = Box::new(Vote { connections, ..Vote::default() });
                assert!(self.news.send(News::Voted(who.id, visit, vote)).await.is_ok());
            }
            let is =
                |one: &Witness, who: &Entry| one.id == who.id && one.is_here && one.vote.connections == connections;
            let seen = self.seen.wait_for(|seen| seen.iter().any(|one| is(one, clock))).await.unwrap();
            seen.iter().any(|one| is(one, entry))
        }
    }

    #[tokio::test]
    async fn the_last_visit_of_a_terminal_counts_and_a_call_that_was_given_up_ends_none() {
        let mut table = Table::new();
        let [entry, clock] = ["CAJA-1", "CAJA-2"].map(|name| {
            let (name, id, at) = (name.to_owned(), Identity::make().unwrap().id(), jiff::Timestamp::now());
            Entry { name, id, at, number: 1, revoked: false }
        });
        assert_eq!(table.arrives(&clock, 1, 1).await, None);
        assert_eq!(table.arrives(&entry, 7, 6).await, None);
        assert!(table.votes(&entry, 6, (&clock, 1)).await);
        assert_eq!(table.arrives(&entry, 7, 5).await, Some(Refusal::NoPlace), "it called before, and comes later");
        assert!(table.news.send(News::Gone(entry.id, 5)).await.is_ok());
        assert!(table.votes(&entry, 6, (&clock, 2)).await);
        assert_eq!(table.arrives(&entry, 8, 9).await, Some(Refusal::Twin), "another agent with its key");
        assert_eq!(table.arrives(&entry, 7, 8).await, None, "it calls again, and is heard on");
        assert!(!table.votes(&entry, 6, (&clock, 3)).await, "that visit is over");
        assert!(table.votes(&entry, 8, (&clock, 4)).await);
    }
}
