//! The control socket: JSON lines, for the owner of the home alone. One command a line, one reply a line; `watch` is answered
//! by a status after every change.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot, watch};

use super::command::{Command, Reply};
use super::engine::Asked;
use super::refusal::WhyNot;
use super::status::Status;

/// Bytes of one command line, at the most.
const MAX_LINE: u64 = 64 * 1024;

/// Connections that are served at once.
const CONNECTIONS: usize = 64;

/// Time between two tries to take a connection.
const RETRY: std::time::Duration = std::time::Duration::from_millis(200);

/// The newest status, for who wants to watch.
pub type Watching = watch::Receiver<Option<Arc<Status>>>;

/// The socket of the home at `path`.
#[must_use]
pub fn socket_path(home: &Path) -> PathBuf {
    home.join("control.sock")
}

/// Begins to listen in `home`, which this process has for itself: a socket that is there is a dead one.
pub fn listen(home: &Path) -> io::Result<UnixListener> {
    let path = socket_path(home);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = crate::os::short_path(&path, |short| UnixListener::bind(short))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves the socket until the process ends. Commands go to `ask`.
pub async fn serve(listener: UnixListener, ask: mpsc::UnboundedSender<Asked>, status: Watching) {
    let places = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Too many files are open: they are closed again by others.
            tokio::time::sleep(RETRY).await;
            continue;
        };
        let (ask, status) = (ask.clone(), status.clone());
        tokio::spawn(async move {
            // Whoever hangs up has what it wanted.
            let _ = answer(stream, ask, status).await;
            drop(place);
        });
    }
}

async fn answer(stream: UnixStream, ask: mpsc::UnboundedSender<Asked>, mut status: Watching) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    loop {
        line.clear();
        if (&mut reader).take(MAX_LINE).read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let reply = match serde_json::from_str(&line) {
            Ok(Command::Watch) => return watch_status(&mut writer, &mut status).await,
            Ok(command) => {
                let (answer, answered) = oneshot::channel();
                if ask.send((command, answer)).is_err() {
                    return Ok(());
                }
                let Ok(reply) = answered.await else { return Ok(()) };
                reply
            }
            Err(error) => Reply::Refused { why: vec![WhyNot::NoCommand { error: error.to_string() }] },
        };
        write(&mut writer, &reply).await?;
    }
}

async fn watch_status(writer: &mut (impl AsyncWriteExt + Unpin), status: &mut Watching) -> io::Result<()> {
    loop {
        let now = status.borrow_and_update().clone();
        if let Some(now) = now {
            write(writer, &Reply::Status(Box::new((*now).clone()))).await?;
        }
        if status.changed().await.is_err() {
            return Ok(());
        }
    }
}

async fn write(writer: &mut (impl AsyncWriteExt + Unpin), reply: &Reply) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

/// A connection to the service of a home.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    /// Connects to the service of `home`; `None` when none runs there.
    pub fn connect(home: &Path) -> io::Result<Option<Self>> {
        let path = socket_path(home);
        let connected = crate::os::short_path(&path, |short| std::os::unix::net::UnixStream::connect(short));
        match connected {
            Ok(stream) => {
                stream.set_nonblocking(true)?;
                Ok(Some(Self { stream: BufReader::new(UnixStream::from_std(stream)?) }))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Says a command.
    pub async fn say(&mut self, command: &Command) -> io::Result<()> {
        let mut line = serde_json::to_vec(command)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line).await
    }

    /// The next reply; `None` when the service has ended.
    pub async fn hear(&mut self) -> io::Result<Option<Reply>> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        Ok(Some(serde_json::from_str(&line)?))
    }

    /// Says a command and hears its reply.
    pub async fn ask(&mut self, command: &Command) -> io::Result<Reply> {
        self.say(command).await?;
        self.hear().await?.ok_or_else(|| io::ErrorKind::ConnectionAborted.into())
    }
}
