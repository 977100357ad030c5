//! The agent of a POS terminal: selects, takes in what comes, and lets follow what follows from it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::eyes::{CALM, Eyes, opens};
use super::known::Known;
use super::line::{self, Calling, Heard, Lost};
use super::news::{Crier, News, Server};
use super::outside::Outside;
use super::ports::Ports;
use super::proxy::Target;
use super::speech::{Here, Machines, Receipt, Said, Vote};
use super::way::{FRESH, Gate, Way};
use super::window::{self, Standing, State};
use crate::config::address::Address;
use crate::config::machine::Machine;
use crate::config::revision::Revision;
use crate::config::store::Store;
use crate::config::terminal::Terminal;
use crate::link::identity::Identity;
use crate::link::tls::Tls;
use crate::os::ground::{now, save};
use crate::pair::Node;

/// Time between two looks at what time alone changes, while the server changes.
const LOOK: Duration = Duration::from_millis(250);
/// Time between two votes where nothing changes.
const VOTE: Duration = Duration::from_secs(1);

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
    ports: Ports,
    outside: Outside,
    vote: watch::Sender<Vote>,
    voted_at: Option<Instant>,
    eyes: Eyes,
    /// When the server changed last, until it is at work.
    changed_at: Option<Instant>,
    took: Option<Duration>,
    receipt: Option<Receipt>,
    /// The last message of each machine: their clocks may differ.
    messages: [u64; 2],
    /// The highest epoch that is on disk.
    stored: u64,
    unsaved: bool,
    crier: Crier,
    window: watch::Sender<Standing>,
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
        let mut agent = Self {
            home: home.to_owned(),
            run: u64::from(std::process::id()) << 32 | u64::from(now().subsec_nanosecond().unsigned_abs()),
            began: Instant::now(),
            known,
            set,
            store,
            tls,
            stored: way.epoch(),
            way,
            lines: vec![],
            ports: Ports::default(),
            outside: Outside::default(),
            vote: watch::Sender::default(),
            voted_at: None,
            eyes: Eyes::new(Instant::now()),
            changed_at: None,
            took: None,
            receipt: None,
            messages: [0; 2],
            unsaved: false,
            crier: Crier::new(news),
            window: watch::Sender::default(),
            heard,
            tell: Tellers { opened, done, receipts },
        };
        agent.look();
        window::open(home, agent.window.subscribe());
        agent.begin_proxies().await;
        agent.begin_lines();
        agent.outside.begin(&agent.set, Some(agent.tell.receipts.clone()));
        agent.tell_outside();
        loop {
            tokio::select! {
                () = sleep_until(agent.due()) => {}
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
                self.eyes.heard(node, way, now);
                self.said(node, *said).await;
            }
            Heard::Lost(node, lost) => {
                self.way.lose(node);
                self.eyes.lost(node, now);
                let name = self.machine(node).name.clone();
                match lost {
                    Lost::Silent(why) => tracing::debug!(name, why, "there is no connection"),
                    Lost::OtherMachine => self.crier.wrong(News::OtherMachine { name }),
                    Lost::TurnedAway(why) => self.crier.wrong(News::TurnedAway { name, why }),
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
            Said::Message(message) if message.number > self.messages[node as usize] => {
                self.messages[node as usize] = message.number;
                self.crier.says(News::Message(message));
            }
            Said::Configured { .. } | Said::Message(_) | Said::Unknown => {}
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
                    // On disk first: after a restart no older one is obeyed. Where that fails it is tried again, and said.
                    self.save();
                    self.way.proven(proof.epoch);
                    (self.changed_at, self.took) = (Some(Instant::now()), None);
                    self.eyes.forget(self.ports.all());
                    tracing::info!(epoch = proof.epoch, "the server has changed");
                    self.way.hear(node, here, Instant::now());
                    // Connections go over before anything else is done.
                    self.aim(Instant::now());
                    self.tell_outside();
                    self.vote_soon();
                    return;
                }
                Err(error) => tracing::warn!(epoch = proof.epoch, %error, "a proof of an epoch is none"),
            }
        }
        self.way.hear(node, here, Instant::now());
        let Machine { name, .. } = if node == Node::Main { &self.store.main } else { &self.store.backup };
        self.crier.heard(name);
    }

    /// The store's configuration, or the key of one of its machines, is another one.
    async fn configured(&mut self, revision: Revision, machines: Machines) {
        let are_known = machines == self.known.machines;
        if revision.number == self.known.revision && are_known {
            return;
        }
        let Ok(store) = revision.store() else { return self.crier.wrong(News::BadConfiguration) };
        if let Err(error) = save(&self.home.join("store.toml"), revision.text.as_bytes()) {
            return self.crier.wrong(News::Unsaved { why: error.kind().to_string() });
        }
        // Also where one of them is forgotten: nothing that its key signs counts from then on.
        self.known.machines = machines;
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
        match saved {
            Ok(()) => {
                self.stored = self.known.epoch();
                self.crier.saved();
            }
            Err(error) => {
                tracing::error!(%error, "what is known cannot be saved");
                self.crier.wrong(News::Unsaved { why: error.kind().to_string() });
            }
        }
    }

    fn begin_lines(&mut self) {
        self.lines.drain(..).for_each(|line| line.abort());
        for node in NODES {
            self.way.lose(node);
            self.eyes.lost(node, Instant::now());
        }
        let Some(port) = self.store.terminals.as_ref().map(|terminals| terminals.notice_port) else { return };
        for node in NODES {
            let Some(machine) = self.known.machines.of(node) else { continue };
            let Some(address) = Address::new(self.machine(node).address.host(), port) else { continue };
            let calling = Calling { tls: self.tls.clone(), run: self.run, node, address, machine };
            self.lines.push(line::begin(calling, self.vote.subscribe(), self.heard.clone()));
        }
    }

    async fn begin_proxies(&mut self) {
        match &self.store.terminals {
            Some(terminals) => self.ports.listen(terminals, &self.set).await,
            None => self.ports.free().await,
        }
    }

    /// Connections go to whoever serves from now on, or wait. Returns which.
    fn aim(&self, now: Instant) -> Gate {
        let gate = self.way.gate(now);
        self.ports.aim(Target { epoch: self.way.epoch(), host: self.host(), gate });
        gate
    }

    /// What follows from all that is known now.
    fn look(&mut self) {
        let now = Instant::now();
        let gate = self.aim(now);
        self.try_port(now);
        self.eyes.look(self.way.server(), self.ports.all());
        if let Some(at) = self.changed_at.filter(|_| self.eyes.answered_at(self.way.server()).is_some()) {
            (self.took, self.changed_at) = (Some(now.saturating_duration_since(at)), None);
            self.vote_soon();
        }
        let state = self.tell_people(gate, now);
        if self.voted_at.is_none_or(|at| now.duration_since(at) >= VOTE) {
            self.voted_at = Some(now);
            if self.unsaved {
                self.save();
            }
            let vote = self.vote(now);
            self.window.send_replace(Standing::of(&self.store, &self.known, &vote, state));
            self.vote.send_replace(vote);
        }
    }

    /// When it is to look again, whatever comes: with the next vote, and sooner while the server changes.
    fn due(&self) -> Instant {
        let vote = self.voted_at.map_or_else(Instant::now, |at| at + VOTE);
        if self.changed_at.is_some() { vote.min(Instant::now() + LOOK) } else { vote }
    }

    fn vote_soon(&mut self) {
        self.voted_at = None;
    }

    fn vote(&self, now: Instant) -> Vote {
        let took_ms = self.took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        Vote {
            number: 0,
            epoch: self.way.epoch(),
            stored: self.stored,
            served: self.way.served(),
            proof: self.known.proof.clone(),
            main: self.eyes.sight(&self.way, Node::Main, now),
            backup: self.eyes.sight(&self.way, Node::Backup, now),
            connections: self.ports.connections(),
            took_ms,
            receipt: self.receipt.clone(),
            shut: self.ports.shut(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: self.known.revision,
        }
    }

    /// Tries whether the POS server's port opens, where nothing that goes through it shows that it answers.
    fn try_port(&mut self, now: Instant) {
        let Some(port) = self.ports.all().first().map(|proxy| proxy.port.there) else { return };
        let changes = self.changed_at.is_some();
        if self.eyes.is_to_try(&self.way, self.ports.all(), changes, now) {
            let (epoch, host, opened) = (self.way.epoch(), self.host(), self.tell.opened.clone());
            tokio::spawn(async move {
                let _ = opened.send((epoch, opens(&host, port).await));
            });
        }
    }

    fn tried(&mut self, epoch: u64, opens: bool) {
        let server = Some(self.way.server()).filter(|_| opens && epoch == self.way.epoch());
        self.eyes.tried(server, self.ports.all().first(), Instant::now());
    }

    /// What people are to hear of who serves, and of the ports.
    fn tell_people(&mut self, gate: Gate, now: Instant) -> State {
        self.crier.shut(&self.ports.shut());
        let name = self.machine(self.way.server()).name.clone();
        let seen = self.eyes.answered_at(self.way.server());
        let is_seen = seen.is_some_and(|at| now.duration_since(at) < CALM * 2);
        match gate {
            Gate::Held => {
                self.crier.stands(News::Waits { name });
                State::Waits
            }
            Gate::Open if self.way.is_ready(now) || is_seen => {
                self.crier.stands(News::Works { name });
                State::Works
            }
            // It has not been looked for long enough to say so.
            Gate::Open if now.duration_since(self.began) < FRESH => State::Unreached,
            Gate::Open => {
                self.crier.stands(News::Unreached { name });
                State::Unreached
            }
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
        if node == Node::Main { &self.store.main } else { &self.store.backup }
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
