//! The practice shop: two machines, their cables, terminals with cashiers, and who remembers what was confirmed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::cable::Cables;
use super::caretaker::Caretaker;
use super::cashier::{self, Desk};
use super::incident::{Incident, Powered};
use super::machine::Machine;
use super::places::{Places, TILLS};
use super::till::Till;
use super::truth::{Truth, Witness};
use crate::pair::{Duty, Node};
use crate::service::Status;
use crate::service::status::{LicenceState, Server};
use crate::words::Words;

/// So long each step of the set-up may take, and the shop until it sells.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The practice shop. All that runs of it ends when it is dropped.
// What sells goes first, then the machines; what they stand on goes last.
#[derive(Debug)]
pub struct Shop {
    cashiers: JoinSet<()>,
    /// None while it looks.
    witness: Option<Witness>,
    /// The main.
    pub main: Machine,
    /// The backup.
    pub backup: Machine,
    /// The terminals.
    pub tills: Vec<Till>,
    /// Where all of it is.
    pub places: Places,
    cables: Cables,
    /// Milliseconds of the licence that have passed beside.
    passed_ms: u32,
    _caretaker: Caretaker,
    _folder: Option<TempDir>,
}

/// Why there is no shop.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// There is something in the folder already.
    #[error("{0}: this folder is not empty; name one that is, or a new one")]
    NotEmpty(PathBuf),
    /// A machine or a terminal did not do what it should.
    #[error("{name}: {said}")]
    Refused {
        /// Which one.
        name: &'static str,
        /// What was said.
        said: String,
    },
    /// It never came so far.
    #[error("the practice shop does not sell after {} s; its logs say more: begin again with --dir DIR, and read them there", PATIENCE.as_secs())]
    Late,
    /// The system.
    #[error("{0}")]
    System(#[from] io::Error),
}

impl Shop {
    /// Opens a shop in `dir`, which stays; without one, in a folder that goes with it. It sells when this is done, and the
    /// backup has all that was sold.
    pub async fn open(dir: Option<&Path>, seed: u64, lang: Option<&str>) -> Result<Self, ShopError> {
        let (path, folder) = place(dir)?;
        let caretaker = Caretaker::begin(&path, folder.is_some())?;
        let (places, lang) = (Places::find()?, lang.map(str::to_owned));
        let machine = |node| Machine::new(&path, node, &places, lang.clone());
        let (main, backup) = (machine(Node::Main)?, machine(Node::Backup)?);
        let tills = (0..TILLS.len()).map(|number| Till::new(&path, number, &places, lang.clone()));
        let tills = tills.collect::<io::Result<Vec<_>>>()?;
        fs::create_dir(&main.data)?;
        let cables = Cables::lay(&places).await?;
        let (tell, heard) = mpsc::unbounded_channel();
        let folders = [main.data.clone(), backup.data.clone()];
        let desk = |(number, till): (usize, &Till)| Desk {
            name: till.name,
            at: places.till(number),
            last_receipt: till.last_receipt(),
        };
        let desks = tills.iter().enumerate().map(desk).collect();
        let mut shop = Self {
            cashiers: JoinSet::new(),
            witness: Some(Witness::new(heard, folders)),
            main,
            backup,
            tills,
            places,
            cables,
            passed_ms: 0,
            _caretaker: caretaker,
            _folder: folder,
        };
        shop.set_up(&path).await?;
        shop.cashiers = cashier::sell(desks, seed, &tell);
        timeout(PATIENCE, shop.in_step()).await.map_err(|_| ShopError::Late)?;
        Ok(shop)
    }

    /// Waits until all terminals sell at the main and the backup has it.
    async fn in_step(&mut self) {
        self.until(|main, backup| {
            let sells = main.is_some_and(|main| main.server == Server::Ready && works_with(main) == TILLS.len());
            sells && backup.is_some_and(|backup| backup.duty == Duty::Mirroring && backup.can_take_over.yes)
        })
        .await;
    }

    /// Waits until both stand as `holds` wants it.
    pub async fn until(&mut self, holds: impl Fn(Option<&Status>, Option<&Status>) -> bool) {
        loop {
            let (main, backup) =
                (self.main.status.borrow_and_update().clone(), self.backup.status.borrow_and_update().clone());
            if holds(main.as_deref(), backup.as_deref()) {
                return;
            }
            // Who watches them does so as long as there is a shop.
            tokio::select! {
                Ok(()) = self.main.status.changed() => {}
                Ok(()) = self.backup.status.changed() => {}
                else => std::future::pending().await,
            }
        }
    }

    /// The machine that is `node`.
    pub fn machine(&mut self, node: Node) -> &mut Machine {
        if node == Node::Main { &mut self.main } else { &mut self.backup }
    }

    /// Whether the cable of a machine is in.
    #[must_use]
    pub fn is_joined(&self, node: Node) -> bool {
        self.cables.is_in(node)
    }

    /// Whether days of the licence run.
    #[must_use]
    pub fn days_run(&self) -> bool {
        self.backup.status.borrow().as_ref().is_some_and(|status| status.licence.state == LicenceState::Running)
    }

    /// Causes something. Returns whether there was anything to cause it to.
    pub fn cause(&mut self, incident: Incident) -> io::Result<bool> {
        match incident {
            Incident::CutPower(Powered::Machine(node)) => {
                if !self.machine(node).is_on() {
                    return Ok(false);
                }
                // Without power nobody says goodbye.
                self.cables.set_power(node, false);
                self.machine(node).cut_power();
            }
            Incident::CutPower(Powered::Till(till)) => {
                let was_on = self.tills[till].is_on();
                self.tills[till].cut_power();
                return Ok(was_on);
            }
            Incident::BringBack(Powered::Machine(node)) => {
                self.machine(node).start()?;
                self.cables.set_power(node, true);
            }
            Incident::BringBack(Powered::Till(till)) => self.tills[till].start()?,
            Incident::CutCable(node) => self.cables.put_in(node, false),
            Incident::JoinCable(node) => self.cables.put_in(node, true),
            Incident::Break(node, time) => self.cables.pull_for(node, time),
            Incident::FillDisk(node) => self.machine(node).fill_disk(true)?,
            Incident::FreeDisk(node) => self.machine(node).fill_disk(false)?,
            Incident::Freeze(node) => return Ok(self.machine(node).freeze(true)),
            Incident::Thaw(node) => return Ok(self.machine(node).freeze(false)),
            Incident::Pass(time) => {
                self.passed_ms = self.passed_ms.saturating_add(u32::try_from(time.as_millis()).unwrap_or(u32::MAX));
                fs::write(self.backup.passed(), self.passed_ms.to_string())?;
            }
        }
        Ok(true)
    }

    /// A service or an agent that has ended though nobody ended it, in words.
    pub fn crashed(&mut self, words: &Words) -> Option<String> {
        let machines = [&mut self.main, &mut self.backup].into_iter();
        let machines = machines.filter_map(|machine| Some((machine.name, machine.ended()?, machine.log())));
        let tills = self.tills.iter_mut().filter_map(|till| Some((till.name, till.ended()?, till.log())));
        let (name, status, log) = machines.chain(tills).next()?;
        let args =
            [("name", name.into()), ("status", status.to_string().into()), ("log", log.display().to_string().into())];
        Some(words.with("demo-crashed", &args))
    }

    /// The truth as it is now.
    pub async fn truth(&mut self) -> io::Result<Truth> {
        let Some(mut witness) = self.witness.take() else { return Err(io::ErrorKind::WouldBlock.into()) };
        let (witness, truth) = tokio::task::spawn_blocking(move || {
            let truth = witness.look();
            (witness, truth)
        })
        .await
        .map_err(io::Error::other)?;
        self.witness = Some(witness);
        truth
    }

    /// Nobody sells any more.
    pub async fn close(&mut self) {
        self.cashiers.shutdown().await;
    }
}

/// How many terminals work with the machine that stands so: none where it does not serve.
#[must_use]
pub fn works_with(status: &Status) -> usize {
    let works = status.terminals.iter().filter(|till| till.works && till.uses == Some(status.holder));
    if status.duty == Duty::Serving { works.count() } else { 0 }
}

/// A folder for a shop: that one, which must be new or empty; else one that goes with the shop.
fn place(dir: Option<&Path>) -> Result<(PathBuf, Option<TempDir>), ShopError> {
    let Some(dir) = dir else {
        let folder = tempfile::Builder::new().prefix("espejo-demo-").tempdir()?;
        return Ok((fs::canonicalize(folder.path())?, Some(folder)));
    };
    fs::create_dir_all(dir)?;
    if fs::read_dir(dir)?.next().is_some() {
        return Err(ShopError::NotEmpty(dir.to_owned()));
    }
    Ok((fs::canonicalize(dir)?, None))
}
