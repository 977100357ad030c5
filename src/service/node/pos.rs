//! The POS server program of this machine: what it is told, and what is known of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::isolated::Isolation;
use super::{Left, Machine, MachineError};
use crate::config::address::Address;
use crate::config::probe::Probe;
use crate::config::server::Server as Set;
use crate::config::store::Store;
use crate::os::{ground, point};
use crate::pair::{Duty, Epoch, Node};
use crate::server::able::Hindered;
use crate::server::keeps::{Keeping, Keeps};
use crate::server::{self, Occasion, Order, Setup, stray};
use crate::service::finding::Hindrance;
use crate::service::member::{role, role_name};
use crate::service::pos::{Down, Pos, Stray};
use crate::service::status::{Server, Trouble};

/// Between two looks whether the program could be started, and which version it is.
const LOOK: Duration = Duration::from_secs(30);

/// The POS server program of this machine.
pub struct Program {
    keeper: Box<dyn Keeps>,
    /// What is set for it.
    pub setup: Setup,
    /// How it stands.
    pub stands: Server,
    since: Timestamp,
    down: Option<Down>,
    lines: Vec<String>,
    stray: Option<Stray>,
    /// It is to run.
    wanted: bool,
    /// It may not be started: the days of the licence are over.
    pub held: bool,
    looked: watch::Receiver<Looked>,
    occasion: Occasion,
}

/// What is found by looking at the program from time to time, where nothing waits for that.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Looked {
    /// What would be started, and what stands in the way.
    hindered: Option<(String, Hindrance)>,
    version: Option<String>,
}

/// What is set for the POS server program of a machine, if anything is.
#[must_use]
pub fn set(store: &Store, node: Node) -> Option<&Set> {
    let servers = store.servers.as_ref()?;
    Some(if node == Node::Main { &servers.main } else { &servers.backup })
}

impl Program {
    /// Has it kept by `keeping`, where one is set. What happens goes to `tell`.
    pub fn begin(
        keeping: &dyn Keeping,
        (node, set): (Node, &Set),
        store: &Store,
        home: &Path,
        folder: impl Fn(&str) -> std::path::PathBuf,
        tell: mpsc::UnboundedSender<server::News>,
    ) -> std::io::Result<Self> {
        let folders = store.datasets.iter().map(|dataset| (dataset.name.clone(), folder(&dataset.name))).collect();
        // Where terminals are served, this machine may pass on what comes to that port.
        let port = set.ready.probe.as_ref().and_then(Probe::address).map(Address::port);
        let passed_on = store.terminals.as_ref().is_some_and(|set| port.is_some_and(|port| set.ports.contains(&port)));
        let setup = Setup {
            server: set.clone(),
            folders,
            hooks: store.hooks.clone(),
            store: store.name.clone(),
            node: role_name(role(store, node)).to_owned(),
            home: home.to_owned(),
            port_is_its_own: !passed_on,
        };
        let tell = move |news| drop(tell.send(news));
        let keeper = keeping.begin(setup.clone(), Box::new(tell))?;
        let (since, stands) = (ground::now(), Server::Stopped);
        let looked = look(setup.clone());
        Ok(Self {
            keeper,
            setup,
            stands,
            since,
            down: None,
            lines: vec![],
            stray: None,
            wanted: false,
            held: false,
            looked,
            occasion: Occasion::default(),
        })
    }

    /// Whether it is to run.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// It is to run from now on, unless it is held.
    pub fn start(&mut self, epoch: Epoch) {
        if self.held {
            return;
        }
        // One that runs, since it could not be stopped, has nothing new to say.
        if !self.wanted {
            self.stand(Server::Starting);
        }
        self.wanted = true;
        self.stray = None;
        self.occasion.epoch = epoch;
        self.keeper.say(Order::Start(self.occasion));
    }

    /// It is to be stopped.
    pub fn stop(&mut self) {
        self.wanted = false;
        self.keeper.say(Order::Stop(self.occasion));
    }

    /// It runs, started by an earlier service of this home, and is to be stopped.
    pub fn stop_found(&mut self) {
        self.stand(Server::Ready);
        self.stop();
    }

    /// It is to be stopped, if it is to run. Returns whether it was.
    pub fn stop_if_wanted(&mut self) -> bool {
        let was = self.wanted;
        if was {
            self.stop();
        }
        was
    }

    /// Takes in what happened to it.
    pub fn take(&mut self, news: server::News) {
        match news {
            server::News::Starting => self.stand(Server::Starting),
            server::News::Ready { .. } => {
                (self.down, self.lines) = (None, vec![]);
                self.stand(Server::Ready);
            }
            server::News::Failing(why) => {
                self.down = Some(why.into());
                self.stand(Server::Failing);
            }
            server::News::Stopped { why, lines } => {
                self.lines = if why.is_some() { lines } else { vec![] };
                self.down = why.map(Down::from);
                self.stand(Server::Stopped);
            }
            server::News::Kept(_) => self.wanted = true,
            server::News::Strays(found) => self.stray = found.map(strayed),
        }
    }

    fn stand(&mut self, stands: Server) {
        if self.stands != stands {
            (self.stands, self.since) = (stands, ground::now());
        }
    }

    /// What is done with it from now on is for this change of server, or for none.
    pub fn is_for(&mut self, operation: Option<u64>) {
        self.occasion.operation = operation;
    }

    /// What stands in the way of starting it here, if anything does.
    #[must_use]
    pub fn hindered(&self) -> Option<(String, Hindrance)> {
        self.looked.borrow().hindered.clone()
    }

    /// The version that it says.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        self.looked.borrow().version.clone()
    }

    /// Whether it has another version than when this was asked last.
    pub fn has_another_version(&mut self) -> bool {
        self.looked.has_changed().unwrap_or(false) && {
            self.looked.mark_unchanged();
            true
        }
    }

    /// Why it does not answer, where it should.
    #[must_use]
    pub fn why_down(&self) -> Option<&Down> {
        self.down.as_ref().filter(|_| self.wanted)
    }

    /// It is known to run where it should not.
    #[must_use]
    pub fn is_stray(&self) -> bool {
        self.stray.is_some()
    }

    /// What screens hear of it.
    #[must_use]
    pub fn told(&self) -> Pos {
        Pos { since: self.since, lines: self.lines.clone() }
    }

    /// What is wrong with it.
    pub fn troubles(&self, duty: Duty) -> impl Iterator<Item = Trouble> {
        let down = self.down.clone().filter(|_| self.wanted);
        let down = down.map(|why| Trouble::ServerDown { here: true, why: Some(why) });
        let found = self.stray.clone().filter(|_| duty != Duty::Serving);
        down.into_iter().chain(found.map(|found| Trouble::ServerStray { found }))
    }
}

impl Machine {
    /// Something happened to the POS server. Returns how the service ends, where it waited for that.
    pub(super) async fn served(&mut self, news: server::News) -> Result<Option<Left>, MachineError> {
        // What may not be stopped goes on without this service, and is taken over by the next one.
        let is_kept = matches!(news, server::News::Kept(_));
        let has_stopped = matches!(news, server::News::Stopped { .. });
        let Some(program) = self.program.as_mut() else { return Ok(None) };
        let before = program.stands;
        program.take(news);
        point!("turn.program-one-change");
        let is_over = is_kept || has_stopped && !program.wanted;
        if is_kept {
            self.turning.isolation = Isolation::default();
        }
        if is_over {
            self.has_stopped(is_kept).await?;
        }
        let Some(program) = &self.program else { return Ok(None) };
        if program.stands != before {
            self.say_here();
        }
        self.publish_soon();
        Ok(self.leaving.filter(|_| is_over))
    }

    /// The service is to end. Where the POS server has to be stopped first, it ends when that has: all that the program still
    /// writes is mirrored meanwhile.
    pub(super) fn leave(&mut self, left: Left) -> Option<Left> {
        if self.leaving.is_some() {
            self.leaving = Some(left);
            return None;
        }
        let Some(program) = self.program.as_mut().filter(|program| program.wanted) else { return Some(left) };
        self.leaving = Some(left);
        program.stop();
        self.publish_soon();
        None
    }

    /// The service is to begin again with `store`: the POS server goes on, unless something else is set for it.
    pub(super) fn leave_for(&mut self, store: &Store) -> Option<Left> {
        let node = self.member.node;
        let is_same = set(store, node) == set(&self.store, node);
        if is_same { Some(Left::Reconfigured) } else { self.leave(Left::Reconfigured) }
    }

    /// Whether anything runs of the POS server that an earlier service of this home has started; and if so, whether that is all of
    /// it.
    pub(super) async fn found(&self) -> Option<bool> {
        let program = self.program.as_ref()?;
        let (setup, keeping) = (program.setup.clone(), Arc::clone(&self.keeping));
        ground::aside(move || keeping.found(&setup)).await.unwrap_or(None)
    }

    /// How the POS server of this machine stands.
    pub(super) fn server_stands(&self) -> Server {
        self.program.as_ref().map_or(Server::Stopped, |program| program.stands)
    }
}

/// Looks at the program now, and from time to time.
fn look(setup: Setup) -> watch::Receiver<Looked> {
    let (tell, looked) = watch::channel(Looked::default());
    ground::spawn(async move {
        let setup = Arc::new(setup);
        while !tell.is_closed() {
            let setup = Arc::clone(&setup);
            let look = ground::aside(move || {
                let (what, why) = setup.hindered();
                Looked { hindered: why.map(|why| (what, why.into())), version: setup.version() }
            });
            if let Ok(found) = look.await {
                tell.send_if_modified(|known| std::mem::replace(known, found.clone()) != found);
            }
            tokio::select! {
                biased;
                () = tell.closed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    });
    looked
}

impl From<Hindered> for Hindrance {
    fn from(why: Hindered) -> Self {
        match why {
            Hindered::NotThere => Self::NotThere,
            Hindered::NotExecutable => Self::NotExecutable,
            Hindered::EnabledAtBoot => Self::EnabledAtBoot,
            Hindered::NoSystemd => Self::NoSystemd,
        }
    }
}

fn strayed(found: stray::Stray) -> Stray {
    match found {
        stray::Stray::Process(pid) => Stray::Process { pid },
        stray::Stray::Unit(unit) => Stray::Unit { unit },
        stray::Stray::Port(address) => Stray::Port { address },
    }
}
