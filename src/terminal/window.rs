//! How an agent stands, for whoever asks on its machine: a socket in its home that says so once to each who connects.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::sleep;

use super::known::Known;
use super::speech::{Receipt, Shut, Vote};
use crate::config::store::Store;
use crate::pair::{Epoch, Node};

/// After the system had no room for a connection.
const AGAIN: Duration = Duration::from_millis(500);
/// Bytes of an answer at the most.
const ANSWER: u64 = 1 << 20;

/// How an agent stands. Durations are milliseconds in fields that end in `_ms`, microseconds in those that end in `_us`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Standing {
    /// The store.
    pub store: String,
    /// What the terminal is called.
    pub terminal: String,
    /// The version of its program.
    pub version: String,
    /// The highest epoch that it has seen.
    pub epoch: Epoch,
    /// What the machine is called that serves in it.
    pub uses: String,
    /// Where that is.
    pub address: String,
    /// What becomes of connections.
    pub state: State,
    /// What it sees of each machine, the main first.
    pub machines: Vec<Seen>,
    /// Connections of POS programs that are open.
    pub connections: u64,
    /// How long it took after the last change of server until that was at work again.
    pub took_ms: Option<u64>,
    /// Ports at which it cannot listen.
    pub shut: Vec<Shut>,
    /// The last number that the till has seen confirmed.
    pub receipt: Option<Receipt>,
}

/// What becomes of connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// They go to the server, which answers.
    Works,
    /// They wait: a server is about to be.
    Waits,
    /// They are tried: the server was not seen to answer.
    #[default]
    Unreached,
}

/// What a terminal sees of a machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// What it is called.
    pub name: String,
    /// Both hear each other.
    pub reached: bool,
    /// When it was heard last.
    pub heard_ago_ms: Option<u64>,
    /// The time there and back.
    pub round_trip_us: Option<u64>,
}

impl Standing {
    /// How an agent stands that votes so, of this store.
    #[must_use]
    pub fn of(store: &Store, known: &Known, vote: &Vote, state: State) -> Self {
        let machine = |node| if node == Node::Main { &store.main } else { &store.backup };
        let seen = |node| {
            let sight = vote.of(node);
            Seen {
                name: machine(node).name.clone(),
                reached: sight.reached,
                heard_ago_ms: sight.heard_ago_ms,
                round_trip_us: sight.round_trip_us,
            }
        };
        let server = machine(Node::of_epoch(vote.epoch.max(1)));
        Self {
            store: store.name.clone(),
            terminal: known.name.clone(),
            version: vote.version.clone(),
            epoch: vote.epoch,
            uses: server.name.clone(),
            address: server.address.host().to_owned(),
            state,
            machines: [Node::Main, Node::Backup].map(seen).into(),
            connections: vote.connections,
            took_ms: vote.took_ms,
            shut: vote.shut.clone(),
            receipt: vote.receipt.clone(),
        }
    }
}

fn path(home: &Path) -> PathBuf {
    home.join("agent.sock")
}

/// Opens the window of the agent of `home`, which this process has for itself; says what `standing` is to whoever looks in.
pub fn open(home: &Path, standing: watch::Receiver<Standing>) {
    match crate::os::own_socket(&path(home)) {
        Ok(listener) => drop(tokio::spawn(answer(listener, standing))),
        Err(error) => tracing::warn!(%error, "nobody on this machine can ask how it stands"),
    }
}

async fn answer(listener: UnixListener, standing: watch::Receiver<Standing>) {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else {
            sleep(AGAIN).await;
            continue;
        };
        let said = serde_json::to_vec(&*standing.borrow()).unwrap_or_default();
        // It fits into what the system keeps for who reads slowly.
        let _ = stream.try_write(&said);
        let _ = stream.shutdown().await;
    }
}

/// Looks in: how the agent of `home` stands; none where none runs.
pub async fn look(home: &Path) -> io::Result<Option<Standing>> {
    let path = path(home);
    let connected = crate::os::short_path(&path, |short| std::os::unix::net::UnixStream::connect(short));
    let stream = match connected {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    stream.set_nonblocking(true)?;
    let mut said = vec![];
    UnixStream::from_std(stream)?.take(ANSWER).read_to_end(&mut said).await?;
    Ok(Some(serde_json::from_slice(&said)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_looks_in_sees_how_it_stands_and_none_where_none_runs() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(look(home.path()).await.unwrap(), None);
        let (tell, told) = watch::channel(Standing::default());
        open(home.path(), told);
        let stands = Standing { terminal: "CAJA-1".into(), state: State::Works, ..Standing::default() };
        tell.send_replace(stands.clone());
        assert_eq!(look(home.path()).await.unwrap(), Some(stands));
    }
}
