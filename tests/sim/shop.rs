//! The store: two machines with their whole services, the network between them, and what was sold.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use espejo::config::revision::Revision;
use espejo::link::identity::{self, Identity, MachineId};
use espejo::os::ground::{Ground, on};
use espejo::pair::Node;
use espejo::server::keeps::Keeping;
use espejo::service::engine::Asked;
use espejo::service::member::{Member, store_path};
use espejo::service::node::{Left, Machine, MachineError, Programs};
use espejo::service::{Command, Status};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::ground::Host;
use super::net::{Net, at};
use super::pos::Pos;
use super::story::tell;
use crate::common::random::Random;

pub const NODES: [Node; 2] = [Node::Main, Node::Backup];
pub const NAMES: [&str; 2] = ["main", "backup"];

/// Between two looks whether all is as it must be.
const STEP: Duration = Duration::from_millis(50);
/// So long a service that has failed waits until it is begun again.
const AGAIN: Duration = Duration::from_secs(1);

/// The store.
pub struct Shop {
    pub net: Net,
    pub nodes: [Computer; 2],
    pub random: Random,
    /// Each sale that was confirmed: on which machine, in which epoch.
    pub sold: BTreeMap<u64, (usize, u64)>,
    /// Sales that a disk had not when the power was cut.
    pub unsynced: BTreeSet<u64>,
    /// Sales that a mirror was seen to hold.
    pub mirrored: BTreeSet<u64>,
    pub next_sale: Instant,
    pub dir: TempDir,
}

/// One machine with what is on it.
pub struct Computer {
    pub host: Host,
    pub pos: Pos,
    pub home: PathBuf,
    pub data: PathBuf,
    /// It has power, and its service is begun again whenever it ends by itself.
    pub is_on: bool,
    pub ask: mpsc::UnboundedSender<Asked>,
    pub status: watch::Receiver<Option<Arc<Status>>>,
    pub seen: super::holds::Seen,
}

impl Shop {
    /// Two machines that have joined, and are switched off.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let dir = tempfile::Builder::new().prefix("espejo-sim-").tempdir_in(memory()).unwrap();
        let net = Net::new(Random::new(random.next()));
        let text = text(&dir.path().join("pos"));
        let nodes = [0, 1].map(|number| {
            let home = dir.path().join(NAMES[number]);
            set_up(number, &home, &text);
            let data = if number == 0 { dir.path().join("pos") } else { home.join("RUNDIR") };
            let (ask, status) = (mpsc::unbounded_channel().0, watch::channel(None).1);
            let host = Host::new(number, net.clone(), Random::new(random.next()));
            let pos = Pos::new(data.clone(), Random::new(random.next()));
            Computer { host, pos, home, data, is_on: false, ask, status, seen: super::holds::Seen::default() }
        });
        fs::create_dir(&nodes[0].data).unwrap();
        Self {
            net,
            nodes,
            random,
            sold: BTreeMap::new(),
            unsynced: BTreeSet::new(),
            mirrored: BTreeSet::new(),
            next_sale: Instant::now(),
            dir,
        }
    }

    /// Switches a machine on; or its service, where the machine is on.
    pub async fn start(&mut self, who: usize, boots: bool) {
        let node = &mut self.nodes[who];
        node.host.is_still().await;
        if boots {
            node.host.boot();
        }
        node.host.state().lives += 1;
        let (ask, asked) = mpsc::unbounded_channel();
        let (publish, status) = watch::channel(None);
        let keeping: Arc<dyn Keeping> = Arc::new(node.pos.clone());
        let ground: Arc<dyn Ground> = Arc::new(node.host.clone());
        let task = tokio::spawn(on(ground, live(who, node.home.clone(), keeping, publish, asked)));
        node.host.begun(task.abort_handle());
        (node.is_on, node.ask, node.status) = (true, ask, status);
    }

    /// The power of a machine is cut.
    pub async fn fall(&mut self, who: usize) {
        self.nodes[who].host.fall();
        self.fallen(who).await;
    }

    pub async fn fallen(&mut self, who: usize) {
        let node = &mut self.nodes[who];
        node.is_on = false;
        node.host.state().has_fallen = false;
        node.host.is_still().await;
        self.net.deafen(who);
        let lost = self.nodes[who].pos.fall();
        tell(format!("{}: the power is cut; {} sales were not on disk", NAMES[who], lost.len()));
        self.unsynced.extend(lost);
    }

    /// The service of a machine is stopped dead, and begun again; with its POS server, or without it.
    pub async fn crash(&mut self, who: usize, with_pos: bool) {
        self.nodes[who].host.abort();
        self.nodes[who].host.is_still().await;
        self.net.deafen(who);
        if with_pos {
            self.nodes[who].pos.state().runs = None;
        }
        self.start(who, false).await;
    }

    /// Asks the service of a machine, and does not wait for an answer.
    pub fn ask(&mut self, who: usize, command: Command) {
        tell(format!("{}: asked to {command:?}", NAMES[who]));
        let (answer, answered) = oneshot::channel();
        let _ = self.nodes[who].ask.send((command, answer));
        tokio::spawn(async move {
            if let Ok(reply) = answered.await {
                tell(format!("{}: answers {reply:?}", NAMES[who]));
            }
        });
    }

    /// How a machine stands, where its service says so.
    pub fn status(&self, who: usize) -> Option<Arc<Status>> {
        self.nodes[who].status.borrow().clone().filter(|_| self.nodes[who].is_on)
    }

    /// Time passes; the shop sells, and all is looked at.
    pub async fn pass(&mut self, time: Duration) -> Result<(), String> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let _ = at(end.min(Instant::now() + STEP)).await;
            self.net.look();
            for who in [0, 1] {
                if self.nodes[who].host.state().has_fallen {
                    self.fallen(who).await;
                }
            }
            self.sell();
            self.check()?;
        }
        Ok(())
    }

    fn sell(&mut self) {
        if Instant::now() < self.next_sale {
            return;
        }
        self.next_sale = Instant::now() + Duration::from_millis(500 + self.random.below(3000));
        for who in [0, 1] {
            if let Some(epoch) = self.nodes[who].pos.sells() {
                let sale = self.sold.len() as u64 + 1;
                self.nodes[who].pos.sell(sale);
                self.sold.insert(sale, (who, epoch));
            }
        }
    }
}

impl Computer {
    /// Its disk has room, its clock is right, its POS server answers.
    pub fn mend(&self) {
        self.host.mend();
        self.pos.state().sick = false;
    }
}

/// The service of a machine, begun again as the program and the system do.
async fn live(
    who: usize,
    home: PathBuf,
    keeping: Arc<dyn Keeping>,
    publish: watch::Sender<Option<Arc<Status>>>,
    mut asked: mpsc::UnboundedReceiver<Asked>,
) {
    let (mut before, mut programs) = (None, Programs::default());
    loop {
        match Box::pin(Machine::run(
            &home,
            before.take(),
            &mut programs,
            Arc::clone(&keeping),
            publish.clone(),
            &mut asked,
        ))
        .await
        {
            Ok(Left::Stopped) => {
                publish.send_replace(None);
                return tell(format!("{}: its service has ended in order", NAMES[who]));
            }
            Ok(left @ (Left::Reconfigured | Left::Adopted)) => before = Some(left),
            Err(error) => {
                publish.send_replace(None);
                let what =
                    if matches!(error, MachineError::Unsaved { .. }) { "cannot save its record" } else { "fails" };
                tell(format!("{}: its service {what}: {error}", NAMES[who]));
                let _ = at(Instant::now() + AGAIN).await;
            }
        }
    }
}

/// A folder in memory, where there is one: what is made durable there takes no time.
fn memory() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

fn text(data: &Path) -> String {
    format!(
        "store = \"Centro\"\n[main]\naddress = \"10.0.0.1:7410\"\n[backup]\naddress = \"10.0.0.2:7410\"\n\
        [[dataset]]\nname = \"pos\"\nmain = \"{}\"\n[mirror]\ninterval = \"1s\"\n[server]\ncommand = [\"true\"]\n",
        data.display()
    )
}

/// What a machine knows when it has joined the other one.
fn set_up(number: usize, home: &Path, text: &str) {
    static IDENTITIES: OnceLock<[(Vec<u8>, MachineId); 2]> = OnceLock::new();
    let known = IDENTITIES.get_or_init(|| {
        [0, 1].map(|_| {
            let dir = tempfile::tempdir().unwrap();
            let id = Identity::load_or_make(dir.path()).unwrap().id();
            (fs::read(identity::path(dir.path())).unwrap(), id)
        })
    });
    fs::create_dir(home).unwrap();
    fs::write(identity::path(home), &known[number].0).unwrap();
    fs::write(store_path(home), text).unwrap();
    let revision = Revision { number: 1, text: text.to_owned() };
    Member::new(NODES[number], Some(known[1 - number].1), None, &revision).save(home).unwrap();
}
