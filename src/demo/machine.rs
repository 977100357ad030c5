//! One machine of the practice shop: the real program in a process of its own, and the POS server that it starts.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::cable::End;
use super::random::Random;
use crate::os;
use crate::pair::Node;
use crate::server::record::Record;
use crate::service::control::Client;
use crate::service::licence::PASSED;
use crate::service::node::meet::LISTEN;
use crate::service::{Command as Ask, Reply, Status};

/// The time between two looks at something that tells nothing by itself.
const LOOK: Duration = Duration::from_millis(20);

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
    /// Where its POS server listens.
    pub pos: SocketAddr,
    /// Where it is reached.
    pub end: End,
    /// How it stands; none while its service is not there.
    pub status: watch::Receiver<Option<Arc<Status>>>,
    lang: Option<String>,
    service: Option<Child>,
    is_frozen: bool,
    watching: JoinHandle<()>,
}

impl Machine {
    /// One that does not run yet. Its ports are some that are free.
    pub fn new(folder: &Path, node: Node, lang: Option<String>) -> io::Result<Self> {
        let (name, own) = match node {
            Node::Main => ("SERVIDOR", "main"),
            Node::Backup => ("CAJA-3", "backup"),
        };
        let home = folder.join(own);
        let data = if node == Node::Main { folder.join("pos") } else { home.join("RUNDIR") };
        let (publish, status) = watch::channel(None);
        let watching = tokio::spawn(watch_status(home.clone(), publish));
        let [known, listens, pos] = free_ports()?.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let end = End { known, listens };
        Ok(Self { node, name, home, data, pos, end, status, lang, service: None, is_frozen: false, watching })
    }

    /// What this machine's service has printed.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.home.with_extension("out")
    }

    /// The file that says how many milliseconds of the licence have passed beside.
    #[must_use]
    pub fn passed(&self) -> PathBuf {
        self.home.with_extension("passed")
    }

    /// This very program, on this machine.
    pub fn espejo(&self, words: &[&str]) -> io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--home").arg(&self.home).args(self.lang.iter().flat_map(|lang| ["--lang", lang])).args(words);
        command.env_remove("ESPEJO_HOME").env(LISTEN, self.end.listens.to_string()).env(PASSED, self.passed());
        // What is typed into this terminal is for the screen alone, Ctrl-C too.
        command.stdin(Stdio::null()).process_group(0);
        Ok(command)
    }

    /// Has this very program do something on this machine, and waits for it. It is killed when nobody waits any more.
    pub async fn does(&self, words: &[&str]) -> io::Result<Output> {
        let (out, err) = (tempfile::NamedTempFile::new()?, tempfile::NamedTempFile::new()?);
        let child = self.espejo(words)?.stdout(out.reopen()?).stderr(err.reopen()?).spawn()?;
        let mut child = Killed(child);
        let status = loop {
            if let Some(status) = child.0.try_wait()? {
                break status;
            }
            sleep(LOOK).await;
        };
        Ok(Output { status, stdout: fs::read(out.path())?, stderr: fs::read(err.path())? })
    }

    /// Switches it on.
    pub fn start(&mut self) -> io::Result<()> {
        if self.service.is_none() {
            let log = File::options().create(true).append(true).open(self.log())?;
            self.service = Some(self.espejo(&["run"])?.stdout(log.try_clone()?).stderr(log).spawn()?);
            self.is_frozen = false;
        }
        Ok(())
    }

    /// Whether it is switched on.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.service.is_some()
    }

    /// How its service has ended, if it has by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let ended = self.service.as_mut()?.try_wait().ok()??;
        self.service = None;
        Some(ended)
    }

    /// Cuts its power: all that runs on it is gone at once.
    pub fn cut_power(&mut self) {
        if let Some(mut service) = self.service.take() {
            if let Ok(group) = i32::try_from(service.id()) {
                os::signal_group(group, Signal::KILL);
            }
            let _ = service.wait();
        }
        // Only now: a service that lives would start it again. One that was just started may not be on record.
        while let Some(record) = Record::load(&self.home).or_else(|| Record::lost(&self.home)) {
            let group = record.mark.group();
            os::signal_group(record.mark.pid, Signal::KILL);
            while group.iter().any(|pid| os::process(*pid).is_some_and(|process| process.lives)) {
                std::thread::yield_now();
            }
        }
    }

    /// Holds its POS server still, or lets it go on. Returns whether there is one.
    pub fn freeze(&mut self, still: bool) -> bool {
        let Some(record) = Record::load(&self.home) else { return false };
        os::signal_group(record.mark.pid, if still { Signal::STOP } else { Signal::CONT });
        self.is_frozen = still;
        true
    }

    /// Whether its POS server is held still.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.is_frozen
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

/// A process that is killed when nobody waits for it any more.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
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

/// Ports that no system gives away by itself: what is free here now is not taken by the next connection of another program.
const PORTS: std::ops::RangeInclusive<u16> = 10_240..=32_000;
/// Ports that are tried at the most.
const TRIES: usize = 1000;

/// Three ports of this machine that nobody has, neither for connections nor for datagrams.
fn free_ports() -> io::Result<[u16; 3]> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let mut random =
        Random::new(u64::try_from(now % u128::from(u64::MAX)).unwrap_or(0) ^ u64::from(std::process::id()));
    let mut held = vec![];
    for _ in 0..TRIES {
        let port = random.between((*PORTS.start()).into(), (*PORTS.end()).into());
        let at = (Ipv4Addr::LOCALHOST, u16::try_from(port).unwrap_or(*PORTS.start()));
        if let (Ok(tcp), Ok(udp)) = (std::net::TcpListener::bind(at), std::net::UdpSocket::bind(at)) {
            held.push((at.1, tcp, udp));
        }
        if let [(first, ..), (second, ..), (third, ..)] = held.as_slice() {
            return Ok([*first, *second, *third]);
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}
