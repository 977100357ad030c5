//! The agent of a POS terminal: selects, takes in what comes, and lets follow what follows from it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::known::Known;
use super::line::{self, Calling, Heard, Lost};
use super::news::{News, Server};
use super::outside::Outside;
use super::proxy::{Port, Proxy, Target};
use super::speech::{Here, Machines, Receipt, Said, Shut, Sight, Vote};
use super::way::{FRESH, Gate, Way};
use crate::config::address::Address;
use crate::config::machine::Machine;
use crate::config::revision::Revision;
use crate::config::store::Store;
use crate::config::terminal::Terminal;
use crate::link::identity::Identity;
use crate::link::tls::Tls;
use crate::os::ground::{now, save};
use crate::pair::Node;

/// Time between two looks at what time alone changes.
const LOOK: Duration = Duration::from_millis(250);
/// Time between two votes where nothing changes.
const VOTE: Duration = Duration::from_secs(1);
/// So long a sight of the POS server is as good as new.
const SEEN: Duration = Duration::from_secs(3);
/// Between two tries of the POS port where all is well: a POS server need not be bothered more often.
const CALM: Duration = Duration::from_secs(5);
/// The same where the two machines do not hear each other, or this one does not hear whoever serves.
const ALERT: Duration = Duration::from_secs(1);
/// A POS server that owes an answer for so long does not answer, though its port opens.
const OWED: Duration = Duration::from_secs(10);
/// So long it is tried whether the POS port opens.
const TRYING: Duration = Duration::from_secs(2);

const NODES: [Node; 2] = [Node::Main, Node::Backup];

/// Why an agent ended.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Its key cannot be used.
    #[error("{0}")]
    Key(String),
}

/// The agent of a POS terminal.
pub struct Agent {
    home: PathBuf,
    known: Known,
    set: Terminal,
    store: Store,
    tls: Tls,
    run: u64,
    began: Instant,
    way: Way,
    lines: Vec<JoinHandle<()>>,
    proxies: Vec<Proxy>,
    outside: Outside,
    target: watch::Sender<Target>,
    vote: watch::Sender<Vote>,
    voted_at: Option<Instant>,
    sights: [Seen; 2],
    /// When the server changed last, until it is at work.
    changed_at: Option<Instant>,
    took: Option<Duration>,
    tried_at: Option<Instant>,
    /// What people were told last of who serves.
    told: Option<News>,
    /// What else they were told, as long as it is so.
    wrong: Vec<News>,
    shut: Vec<Shut>,
    receipt: Option<Receipt>,
    messages: u64,
    unsaved: bool,
    news: mpsc::UnboundedSender<News>,
    heard: mpsc::Sender<Heard>,
    tell: Tellers,
}

/// What is given to whoever works for the agent.
#[derive(Clone)]
struct Tellers {
    opened: mpsc::UnboundedSender<(u64, bool)>,
    done: mpsc::UnboundedSender<Server>,
    receipts: mpsc::UnboundedSender<Receipt>,
}

/// What was seen of one machine.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    heard_at: Option<Instant>,
    /// When it has last heard this terminal.
    echoed_at: Option<Instant>,
    round_trip: Option<Duration>,
    answered_at: Option<Instant>,
}

impl Agent {
    /// Runs the agent of `home` until its future is dropped. `store` is the configuration that it knew last.
    pub async fn run(
        home: &Path,
        known: Known,
        set: Terminal,
        store: Store,
        identity: &Identity,
        news: mpsc::UnboundedSender<News>,
    ) -> Result<(), AgentError> {
        let tls = Tls::new(identity).map_err(|error| AgentError::Key(error.to_string()))?;
        let (heard, mut hears) = mpsc::channel(line::WAITING);
        let (opened, mut opens) = mpsc::unbounded_channel();
        let (done, mut all_done) = mpsc::unbounded_channel();
        let (receipts, mut receipt) = mpsc::unbounded_channel();
        let way = Way::new(known.epoch());
        let target = Target { epoch: way.epoch(), host: String::new(), gate: Gate::Held };
        let mut agent = Self {
            home: home.to_owned(),
            run: u64::from(std::process::id()) << 32 | u64::from(now().subsec_nanosecond().unsigned_abs()),
            began: Instant::now(),
            known,
            set,
            store,
            tls,
            way,
            lines: vec![],
            proxies: vec![],
            outside: Outside::default(),
            target: watch::Sender::new(target),
            vote: watch::Sender::default(),
            voted_at: None,
            sights: [Seen::default(); 2],
            changed_at: None,
            took: None,
            tried_at: None,
            told: None,
            wrong: vec![],
            shut: vec![],
            receipt: None,
            messages: 0,
            unsaved: false,
            news,
            heard,
            tell: Tellers { opened, done, receipts },
        };
        agent.look();
        agent.begin_proxies().await;
        agent.begin_lines();
        agent.outside.begin(&agent.set, &agent.tell.receipts);
        agent.tell_outside();
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                Some(heard) = hears.recv() => agent.hear(heard).await,
                Some((epoch, opens)) = opens.recv() => agent.tried(epoch, opens),
                Some(server) = all_done.recv() => agent.told_outside(&server),
                Some(last) = receipt.recv() => agent.receipt = Some(last),
            }
            agent.look();
        }
    }

    async fn hear(&mut self, heard: Heard) {
        let now = Instant::now();
        match heard {
            Heard::Said(node, said, way) => {
                let seen = &mut self.sights[node as usize];
                seen.heard_at = Some(now);
                if let Some(way) = way {
                    (seen.round_trip, seen.echoed_at) = (Some(way), Some(now));
                }
                self.said(node, *said).await;
            }
            Heard::Lost(node, lost) => {
                self.way.lose(node);
                let name = self.machine(node).name.clone();
                match lost {
                    Lost::Silent(why) => tracing::debug!(name, why, "there is no connection"),
                    Lost::OtherMachine => self.tell(News::OtherMachine { name }),
                    Lost::TurnedAway(why) => self.tell(News::TurnedAway { name, why }),
                }
            }
        }
    }

    async fn said(&mut self, node: Node, said: Said) {
        match said {
            Said::Here(here) => self.here(node, here),
            // Only who is obeyed may say who else is to be listened to.
            Said::Configured { revision, machines } if node == self.way.server() && self.is_obeyed(node) => {
                self.configured(revision, machines).await;
            }
            Said::Message(message) if message.number > self.messages => {
                self.messages = message.number;
                let _ = self.news.send(News::Message(message));
            }
            Said::Configured { .. } | Said::Message(_) | Said::Revoked | Said::Unknown => {}
        }
    }

    fn is_obeyed(&self, node: Node) -> bool {
        self.way.fresh(node, Instant::now()).is_some_and(|here| here.serves && here.epoch == self.way.epoch())
    }

    fn here(&mut self, node: Node, here: Here) {
        if let Some(proof) = here.proof.clone().filter(|proof| proof.epoch > self.way.epoch()) {
            match self.known.verify(&proof) {
                Ok(()) => {
                    self.known.proof = Some(proof.clone());
                    // It is obeyed only when it is on disk: after a restart no older one is.
                    self.save();
                    self.way.proven(proof.epoch);
                    (self.changed_at, self.took) = (Some(Instant::now()), None);
                    self.sights.iter_mut().for_each(|seen| seen.answered_at = None);
                    self.proxies.iter().for_each(|proxy| proxy.flow.forget());
                    tracing::info!(epoch = proof.epoch, "the server has changed");
                    self.way.hear(node, here, Instant::now());
                    self.tell_outside();
                    self.vote_soon();
                    return;
                }
                Err(error) => tracing::warn!(epoch = proof.epoch, %error, "a proof of an epoch is none"),
            }
        }
        self.way.hear(node, here, Instant::now());
        let Machine { name, .. } = if node == Node::Main { &self.store.main } else { &self.store.backup };
        self.wrong.retain(|news| news.of_machine() != Some(name));
    }

    /// The store's configuration, or the key of one of its machines, is another one.
    async fn configured(&mut self, revision: Revision, machines: Machines) {
        let is_known = |node| machines.of(node).or(self.known.machines.of(node)) == self.known.machines.of(node);
        let are_known = NODES.into_iter().all(is_known);
        if revision.number == self.known.revision && are_known {
            return;
        }
        let Ok(store) = revision.store() else { return self.tell(News::BadConfiguration) };
        if let Err(error) = save(&self.home.join("store.toml"), revision.text.as_bytes()) {
            return self.tell(News::Unsaved { why: error.to_string() });
        }
        let [main, backup] = NODES.map(|node| machines.of(node).or(self.known.machines.of(node)));
        self.known.machines = Machines { main, backup };
        self.known.revision = revision.number;
        self.save();
        let before = std::mem::replace(&mut self.store, store);
        let moved = [&self.store, &before].map(|store| (store.main.address.clone(), store.backup.address.clone()));
        let terminals = self.store.terminals != before.terminals;
        if terminals {
            self.begin_proxies().await;
        }
        if terminals || !are_known || moved[0] != moved[1] {
            self.begin_lines();
            self.tell_outside();
        }
    }

    fn save(&mut self) {
        let saved = self.known.save(&self.home);
        self.unsaved = saved.is_err();
        if let Err(error) = saved {
            tracing::error!(%error, "what is known cannot be saved");
            self.tell(News::Unsaved { why: error.to_string() });
        }
    }

    fn begin_lines(&mut self) {
        self.lines.drain(..).for_each(|line| line.abort());
        self.way.lose(Node::Main);
        self.way.lose(Node::Backup);
        let Some(port) = self.store.terminals.as_ref().map(|terminals| terminals.notice_port) else { return };
        for node in NODES {
            let Some(machine) = self.known.machines.of(node) else { continue };
            let Some(address) = Address::new(self.machine(node).address.host(), port) else { continue };
            let calling = Calling { tls: self.tls.clone(), run: self.run, node, address, machine };
            self.lines.push(line::begin(calling, self.vote.subscribe(), self.heard.clone()));
        }
    }

    async fn begin_proxies(&mut self) {
        for proxy in self.proxies.drain(..) {
            proxy.end().await;
        }
        let Some(terminals) = &self.store.terminals else { return };
        for there in &terminals.ports {
            let own = self.set.ports.iter().find(|(server, _)| server == there);
            let port = Port { here: own.map_or(*there, |(_, here)| *here), there: *there };
            self.proxies.push(Proxy::begin(port, self.target.subscribe(), terminals.hold));
        }
    }

    /// What follows from all that is known now.
    fn look(&mut self) {
        let now = Instant::now();
        let gate = self.way.gate(now);
        let target = Target { epoch: self.way.epoch(), host: self.host(), gate };
        self.target.send_if_modified(|known| std::mem::replace(known, target.clone()) != target);
        self.try_port(now);
        let server = self.way.server() as usize;
        let answered = self.proxies.iter().filter_map(|proxy| proxy.flow.answered_at()).max();
        self.sights[server].answered_at = self.sights[server].answered_at.max(answered);
        if let Some(at) = self.changed_at.filter(|_| self.sights[server].answered_at.is_some()) {
            (self.took, self.changed_at) = (Some(now.saturating_duration_since(at)), None);
            self.vote_soon();
        }
        self.tell_people(gate, now);
        if self.voted_at.is_none_or(|at| now.duration_since(at) >= VOTE) {
            self.voted_at = Some(now);
            if self.unsaved {
                self.save();
            }
            let vote = self.vote(now);
            self.vote.send_replace(vote);
        }
    }

    fn vote_soon(&mut self) {
        self.voted_at = None;
    }

    fn vote(&self, now: Instant) -> Vote {
        let ago = |at: Instant| u64::try_from(now.saturating_duration_since(at).as_millis()).unwrap_or(u64::MAX);
        let sight = |node: Node| {
            let seen = &self.sights[node as usize];
            let here = self.way.fresh(node, now);
            let echoed = seen.echoed_at.is_some_and(|at| now.saturating_duration_since(at) < FRESH);
            Sight {
                reached: here.is_some() && echoed,
                heard_ago_ms: seen.heard_at.map(ago),
                round_trip_us: seen.round_trip.map(|way| u64::try_from(way.as_micros()).unwrap_or(u64::MAX)),
                epoch: here.map(|here| here.epoch),
                answered_ago_ms: seen.answered_at.map(ago),
            }
        };
        let took_ms = self.took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        Vote {
            number: 0,
            epoch: self.way.epoch(),
            proof: self.known.proof.clone(),
            main: sight(Node::Main),
            backup: sight(Node::Backup),
            connections: self.proxies.iter().map(|proxy| proxy.flow.open() as u64).sum(),
            took_ms,
            receipt: self.receipt.clone(),
            shut: self.shut.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: self.known.revision,
            clock_ms: crate::os::ground::now().as_millisecond(),
        }
    }

    /// Tries whether the POS server's port opens, where nothing that goes through it shows that it answers.
    fn try_port(&mut self, now: Instant) {
        let Some(port) = self.proxies.first().map(|proxy| proxy.port.there) else { return };
        let server = self.way.server();
        let is_seen = |at: Instant| now.saturating_duration_since(at) < SEEN;
        let flows = || self.proxies.iter().any(|proxy| proxy.flow.answered_at().is_some_and(is_seen));
        let hears = |node| self.way.fresh(node, now).is_some_and(|here| here.hears_other);
        let pause = if hears(server) && hears(server.other()) && self.changed_at.is_none() { CALM } else { ALERT };
        let is_late = self.tried_at.is_none_or(|at| now.saturating_duration_since(at) >= pause);
        // Who has just changed is tried as soon as it says that it is ready.
        let is_first = self.changed_at.is_some() && self.way.is_ready(now);
        if self.way.gate(now) == Gate::Held || flows() || !(is_late || is_first) {
            return;
        }
        self.tried_at = Some(now);
        let (epoch, host, opened) = (self.way.epoch(), self.host(), self.tell.opened.clone());
        tokio::spawn(async move {
            let opens = timeout(TRYING, TcpStream::connect((host.as_str(), port))).await;
            let _ = opened.send((epoch, opens.is_ok_and(|opened| opened.is_ok())));
        });
    }

    fn tried(&mut self, epoch: u64, opens: bool) {
        let now = Instant::now();
        let is_owing = |at: Instant| now.saturating_duration_since(at) >= OWED;
        let owes = self.proxies.iter().any(|proxy| proxy.flow.asked_at().is_some_and(is_owing));
        if epoch == self.way.epoch() && opens && !owes {
            self.sights[self.way.server() as usize].answered_at = Some(now);
        }
    }

    /// People hear once of each thing.
    fn tell_people(&mut self, gate: Gate, now: Instant) {
        self.shut = vec![];
        for proxy in &self.proxies {
            let port = proxy.port.here;
            self.shut.extend(proxy.shut().map(|why| Shut { port, why }));
        }
        let name = self.machine(self.way.server()).name.clone();
        let seen = self.sights[self.way.server() as usize].answered_at;
        let news = match gate {
            Gate::Held => News::Waits { name },
            Gate::Open if self.way.is_ready(now) || seen.is_some_and(|at| now.duration_since(at) < CALM * 2) => {
                News::Works { name }
            }
            // It has not been looked for long enough to say so.
            Gate::Open if self.told.is_none() && now.duration_since(self.began) < FRESH => return,
            Gate::Open => News::Unreached { name },
        };
        if self.told.as_ref() != Some(&news) {
            self.told = Some(news.clone());
            let _ = self.news.send(news);
        }
        let shut = self.shut.clone();
        self.wrong
            .retain(|news| !matches!(news, News::Shut { port, .. } if shut.iter().all(|shut| shut.port != *port)));
        for Shut { port, why } in shut {
            self.tell(News::Shut { port, why });
        }
    }

    /// Something is wrong: that is said once for as long as it is so.
    fn tell(&mut self, news: News) {
        if !self.wrong.contains(&news) {
            self.wrong.push(news.clone());
            let _ = self.news.send(news);
        }
    }

    fn tell_outside(&mut self) {
        let server = Server {
            epoch: self.way.epoch(),
            address: self.host(),
            name: self.machine(self.way.server()).name.clone(),
            store: self.store.name.clone(),
        };
        let is_told = self.known.told == server.told();
        self.outside.change(&self.home, &self.set, (server, is_told), self.tell.done.clone());
    }

    fn told_outside(&mut self, server: &Server) {
        self.known.told = server.told();
        self.save();
    }

    fn machine(&self, node: Node) -> &Machine {
        match node {
            Node::Main => &self.store.main,
            Node::Backup => &self.store.backup,
        }
    }

    fn host(&self) -> String {
        self.machine(self.way.server()).address.host().to_owned()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.lines.iter().for_each(JoinHandle::abort);
    }
}
