//! One machine of the practice shop: the real program in a process of its own, and the POS server that it starts.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output};
use std::sync::Arc;

use rustix::process::Signal;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::places::Places;
use super::program::{LOOK, Program};
use super::till;
use crate::os::{self, FULL};
use crate::pair::Node;
use crate::server::record::{Mark, Record};
use crate::service::control::Client;
use crate::service::licence::PASSED;
use crate::service::node::meet::LISTEN;
use crate::service::{Command as Ask, Reply, Status};

/// A machine. What runs of it is killed when it is dropped.
#[derive(Debug)]
pub struct Machine {
    /// What it is.
    pub node: Node,
    /// What people call it.
    pub name: &'static str,
    /// Where it keeps what is its own.
    pub home: PathBuf,
    /// The data of its POS server.
    pub data: PathBuf,
    /// How it stands; none while its service is not there.
    pub status: watch::Receiver<Option<Arc<Status>>>,
    program: Program,
    /// The POS server that is held still.
    frozen: Option<Mark>,
    watching: JoinHandle<()>,
}

impl Machine {
    /// One that does not run yet.
    pub fn new(folder: &Path, node: Node, places: &Places, lang: Option<String>) -> io::Result<Self> {
        let (name, own) = match node {
            Node::Main => ("SERVIDOR", "main"),
            Node::Backup => ("CAJA-3", "backup"),
        };
        let home = folder.join(own);
        let data = if node == Node::Main { folder.join("pos") } else { home.join("RUNDIR") };
        fs::create_dir(&home)?;
        fs::write(home.join("terminal.toml"), till::listens(places.pos, places.own_till(node)))?;
        let (publish, status) = watch::channel(None);
        let watching = tokio::spawn(watch_status(home.clone(), publish));
        let env = vec![
            (LISTEN, SocketAddr::new(Places::listens(node), places.machine).to_string().into()),
            (PASSED, home.with_extension("passed").into()),
            (FULL, home.with_extension("full").into()),
        ];
        let program = Program::new(home.clone(), lang, env);
        Ok(Self { node, name, home, data, status, program, frozen: None, watching })
    }

    /// What this machine's service has printed.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.program.log()
    }

    /// The file that says how many milliseconds of the licence have passed beside.
    #[must_use]
    pub fn passed(&self) -> PathBuf {
        self.home.with_extension("passed")
    }

    /// Has this very program do something on this machine, and waits for it. It is killed when nobody waits any more.
    pub async fn does(&self, words: &[&str]) -> io::Result<Output> {
        self.program.does(words).await
    }

    /// Switches it on.
    pub fn start(&mut self) -> io::Result<()> {
        self.program.start("run")
    }

    /// Whether it is switched on.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.program.runs()
    }

    /// How its service has ended, if it has by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.program.ended()
    }

    /// Cuts its power: all that runs on it is gone at once.
    pub fn cut_power(&mut self) {
        self.program.kill();
    }

    /// Holds its POS server still, or lets it go on. Returns whether there is one.
    pub fn freeze(&mut self, still: bool) -> bool {
        let Some(record) = Record::load(&self.home) else { return false };
        os::signal_group(record.mark.pid, if still { Signal::STOP } else { Signal::CONT });
        self.frozen = still.then_some(record.mark);
        true
    }

    /// Whether its POS server is held still.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.frozen.is_some() && Record::load(&self.home).map(|record| record.mark) == self.frozen
    }

    /// Has its disk full to the last byte, or with room again.
    pub fn fill_disk(&self, full: bool) -> io::Result<()> {
        let mark = self.home.with_extension("full");
        match if full { fs::write(&mark, "") } else { fs::remove_file(&mark) } {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    /// Whether its disk is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.home.with_extension("full").exists()
    }

    /// Asks its service something; none where there is no service.
    pub async fn ask(&self, ask: &Ask) -> io::Result<Option<Reply>> {
        match Client::connect(&self.home)? {
            Some(mut client) => client.ask(ask).await.map(Some),
            None => Ok(None),
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.watching.abort();
        self.cut_power();
    }
}

/// Publishes how the service of `home` stands, and that it is not there.
async fn watch_status(home: PathBuf, publish: watch::Sender<Option<Arc<Status>>>) {
    loop {
        if let Ok(Some(mut client)) = Client::connect(&home)
            && client.say(&Ask::Watch).await.is_ok()
        {
            while let Ok(Some(reply)) = client.hear().await {
                if let Reply::Status(status) = reply {
                    publish.send_replace(Some(Arc::from(status)));
                }
            }
            publish.send_replace(None);
        }
        sleep(LOOK).await;
    }
}
