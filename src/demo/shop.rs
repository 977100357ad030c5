//! The practice shop: two machines, a cable between them, cashiers, and who remembers what was confirmed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::cable::Cable;
use super::cashier;
use super::incident::Incident;
use super::machine::Machine;
use super::truth::{Truth, Witness};
use crate::pair::{Duty, Node};
use crate::service::status::{LicenceState, Server};
use crate::service::{Command, Reply, Status};
use crate::words::Words;

/// So long each step of the set-up may take, and the shop until it sells.
const PATIENCE: Duration = Duration::from_secs(60);

/// The store.
const STORE: &str = "Practice shop";

/// Numbers that the backup leaves out when it starts: some may be on receipts that it never heard of.
const GAP: u64 = 50;

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
    cable: Cable,
    /// Milliseconds of the licence that have passed beside.
    passed_ms: u32,
    _folder: Option<TempDir>,
}

/// Why there is no shop.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// There is something in the folder already.
    #[error("{0}: this folder is not empty; name one that is, or a new one")]
    NotEmpty(PathBuf),
    /// A machine did not do what it should.
    #[error("{machine}: {said}")]
    Machine {
        /// Which one.
        machine: &'static str,
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
        let machine = |node| Machine::new(&path, node, lang.map(str::to_owned));
        let (main, backup) = (machine(Node::Main)?, machine(Node::Backup)?);
        fs::create_dir(&main.data)?;
        let cable = Cable::lay([main.end, backup.end]).await?;
        let (tell, heard) = mpsc::unbounded_channel();
        let folders = [main.data.clone(), backup.data.clone()];
        let places = [(Node::Main, main.pos), (Node::Backup, backup.pos)];
        let mut shop = Self {
            cashiers: JoinSet::new(),
            witness: Some(Witness::new(heard, folders)),
            main,
            backup,
            cable,
            passed_ms: 0,
            _folder: folder,
        };
        shop.set_up(&path).await?;
        shop.cashiers = cashier::sell(places, seed, &tell);
        timeout(PATIENCE, shop.in_step()).await.map_err(|_| ShopError::Late)?;
        Ok(shop)
    }

    /// Sets the two machines up, as a person would.
    async fn set_up(&mut self, path: &Path) -> Result<(), ShopError> {
        let names = path.join("f_s.doc");
        fs::write(&names, format!("{}\n{}\n", self.main.name, self.backup.name))?;
        let (main, backup) = (self.main.end.known.to_string(), self.backup.end.known.to_string());
        let (data, names) = (self.main.data.display().to_string(), names.display().to_string());
        let init = ["init", "--from", &names, "--store", STORE, "--main", &main, "--backup", &backup, "--data", &data];
        done(&self.main, &init).await?;
        let settings = self.main.home.join("store.toml");
        fs::write(&settings, fs::read_to_string(&settings)? + &self.settings()?)?;
        self.main.start()?;
        let code = timeout(PATIENCE, self.code()).await.map_err(|_| ShopError::Late)?;
        done(&self.backup, &["join", &code, &main]).await?;
        Ok(self.backup.start()?)
    }

    /// What is set beside what the set-up writes.
    fn settings(&self) -> io::Result<String> {
        let program = std::env::current_exe()?;
        let program = toml::Value::from(program.display().to_string());
        let server = |machine: &Machine, skip: u64| {
            let (address, port) = (machine.pos, machine.pos.port());
            format!(
                "command = [{program}, \"demo-pos\", \"--data\", \"{{data}}\", \"--port\", \"{port}\", \"--skip\", \"{skip}\"]\n\
                 ready = {{ tcp = \"{address}\", send = \"PING\\n\", expect = \"PONG\", timeout = \"20s\" }}\n"
            )
        };
        let (main, backup) = (server(&self.main, 0), server(&self.backup, GAP));
        Ok(format!(
            "\n[server]\n{main}stop = {{ signal = \"TERM\", timeout = \"5s\" }}\n[server.backup]\n{backup}\
             \n[licence]\ndays = 10\n\n[support]\nname = \"Help desk\"\ntelephone = \"55 1234 5678\"\n"
        ))
    }

    /// A code with which the backup may join.
    async fn code(&self) -> String {
        loop {
            if let Ok(Some(Reply::Code { code, .. })) =
                self.main.ask(&Command::Invite { role: Node::Backup, by: "demo".to_owned() }).await
            {
                return code;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the main sells and the backup has it.
    async fn in_step(&mut self) {
        self.until(|main, backup| {
            let sells = main.is_some_and(|main| main.server == Server::Ready);
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

    /// Whether the cable between the two is whole.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.cable.is_joined()
    }

    /// Whether days of the licence run.
    #[must_use]
    pub fn days_run(&self) -> bool {
        self.backup.status.borrow().as_ref().is_some_and(|status| status.licence.state == LicenceState::Running)
    }

    /// Causes something. Returns whether there was anything to cause it to.
    pub fn cause(&mut self, incident: Incident) -> io::Result<bool> {
        match incident {
            Incident::CutPower(node) => {
                let machine = self.machine(node);
                if !machine.is_on() {
                    return Ok(false);
                }
                // Without power nobody says goodbye.
                self.cable.set_power(end(node), false);
                self.machine(node).cut_power();
            }
            Incident::BringBack(node) => {
                self.machine(node).start()?;
                self.cable.set_power(end(node), true);
            }
            Incident::CutCable => self.cable.set_joined(false),
            Incident::JoinCable => self.cable.set_joined(true),
            Incident::Break(time) => self.cable.cut_for(time),
            Incident::Freeze(node) => return Ok(self.machine(node).freeze(true)),
            Incident::Thaw(node) => return Ok(self.machine(node).freeze(false)),
            Incident::Pass(time) => {
                self.passed_ms = self.passed_ms.saturating_add(u32::try_from(time.as_millis()).unwrap_or(u32::MAX));
                fs::write(self.backup.passed(), self.passed_ms.to_string())?;
            }
        }
        Ok(true)
    }

    /// A service that has ended though nobody ended it, in words.
    pub fn crashed(&mut self, words: &Words) -> Option<String> {
        let crashed = |machine: &mut Machine| {
            let status = machine.ended()?.to_string();
            let log = machine.log().display().to_string();
            let args = [("name", machine.name.into()), ("status", status.into()), ("log", log.into())];
            Some(words.with("demo-crashed", &args))
        };
        crashed(&mut self.main).or_else(|| crashed(&mut self.backup))
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

/// The end of the cable at which a machine is.
fn end(node: Node) -> usize {
    usize::from(node == Node::Backup)
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

/// Has a machine do something that must work.
async fn done(machine: &Machine, words: &[&str]) -> Result<(), ShopError> {
    let output = timeout(PATIENCE, machine.does(words)).await.map_err(|_| ShopError::Late)??;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(ShopError::Machine { machine: machine.name, said })
}
