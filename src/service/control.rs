//! The control socket: JSON lines. One command a line, one reply a line; `watch` is answered by a status after every change.
//!
//! There are two: one in the home, for its owner alone; and one that every user of this machine reaches, who comes to the gate
//! there. Whoever calls the second one makes sure that the home's owner listens.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot, watch};

use super::command::{Command, Reply};
use super::engine::Asked;
use super::gate::{Gate, Guest};
use super::refusal::WhyNot;
use super::role::Role;
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

/// The name under which the service of the home at `path` is reached by users who may not look into it. It stands in no folder.
fn open_name(path: &Path) -> io::Result<SocketAddr> {
    let path = std::fs::canonicalize(path)?;
    let name = blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex();
    SocketAddr::from_abstract_name(format!("espejo-{}", &name[..32]))
}

/// Where commands come in.
#[derive(Debug)]
pub struct Listening {
    own: UnixListener,
    /// None where another process has its name: those who would come there are told that they may not.
    open: Option<UnixListener>,
    gate: Gate,
}

/// Begins to listen in `home`, which this process has for itself: a socket that is there is a dead one.
pub fn listen(home: &Path) -> io::Result<Listening> {
    let own = crate::os::own_socket(&socket_path(home))?;
    let open = open_name(home).and_then(|name| {
        let listener = std::os::unix::net::UnixListener::bind_addr(&name)?;
        listener.set_nonblocking(true)?;
        UnixListener::from_std(listener)
    });
    let open = open.inspect_err(|error| tracing::warn!(%error, "only the owner of this home reaches its service")).ok();
    Ok(Listening { own, open, gate: Gate::new(home) })
}

/// Serves the sockets until the process ends. Commands go to `ask`.
pub async fn serve(listening: Listening, ask: mpsc::UnboundedSender<Asked>, status: Watching) {
    let Listening { own, open, gate } = listening;
    let own = keep(own, gate.clone(), ask.clone(), status.clone());
    // Strangers take no place from the owner.
    let open = async {
        if let Some(open) = open {
            keep(open, gate, ask, status).await;
        }
    };
    tokio::join!(own, open);
}

async fn keep(listener: UnixListener, gate: Gate, ask: mpsc::UnboundedSender<Asked>, status: Watching) {
    let places = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Too many files are open: they are closed again by others.
            tokio::time::sleep(RETRY).await;
            continue;
        };
        let (gate, ask, status) = (gate.clone(), ask.clone(), status.clone());
        tokio::spawn(async move {
            // Whoever hangs up has what it wanted.
            let _ = match gate.guest(&stream) {
                Some(guest) => answer(stream, (&gate, guest), ask, status).await,
                None => turn_away(stream).await,
            };
            drop(place);
        });
    }
}

/// Hears what somebody wants who may not even look, since nobody listens who speaks, and says that.
async fn turn_away(stream: UnixStream) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let heard = BufReader::new(reader).take(MAX_LINE).read_line(&mut line).await?;
    if heard > 0 { write(&mut writer, &refused(WhyNot::NotAllowed { needs: Role::Viewer })).await } else { Ok(()) }
}

fn refused(why: WhyNot) -> Reply {
    Reply::Refused { why: vec![why] }
}

async fn answer(
    stream: UnixStream,
    (gate, mut guest): (&Gate, Guest),
    ask: mpsc::UnboundedSender<Asked>,
    mut status: Watching,
) -> io::Result<()> {
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
            Ok(Command::Who) => Reply::Who { role: guest.role },
            Ok(Command::Pin { pin }) => match gate.opens(pin).await {
                Some(role) => {
                    guest.rise(role);
                    Reply::Who { role: guest.role }
                }
                None => refused(WhyNot::WrongPin),
            },
            Ok(command) if command.needs() > guest.role => refused(WhyNot::NotAllowed { needs: command.needs() }),
            Ok(mut command) => {
                guest.sign(&mut command);
                let (answer, answered) = oneshot::channel();
                if ask.send((command, answer)).is_err() {
                    return Ok(());
                }
                let Ok(reply) = answered.await else { return Ok(()) };
                reply
            }
            Err(error) => refused(WhyNot::NoCommand { error: error.to_string() }),
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

/// Connects to the service of a home into which this user may not look, and makes sure that it is that.
fn connect_openly(home: &Path) -> io::Result<std::os::unix::net::UnixStream> {
    let stream = std::os::unix::net::UnixStream::connect_addr(&open_name(home)?)?;
    let owner = std::fs::metadata(home)?.uid();
    let listens = rustix::net::sockopt::socket_peercred(&stream)?.uid.as_raw();
    // Root may run it for its owner.
    if listens == owner || listens == 0 { Ok(stream) } else { Err(io::ErrorKind::PermissionDenied.into()) }
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
        let connected = match connected {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => connect_openly(home),
            connected => connected,
        };
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
        // A service that is gone is no reader who has seen enough.
        let gone = |error: io::Error| match error.kind() {
            io::ErrorKind::BrokenPipe => io::ErrorKind::ConnectionAborted.into(),
            _ => error,
        };
        self.stream.get_mut().write_all(&line).await.map_err(gone)
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
