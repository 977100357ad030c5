//! One port on its way to whoever serves: what connects to it here is joined to the same port there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io;
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout_at};

use super::pump::{Cut, Flow, joined};
use super::way::Gate;
use crate::pair::Epoch;

/// Connections of one port at once.
const CONNECTIONS: usize = 4096;
/// So long nothing that was sent is taken, until a connection is given up. A POS program may well not read for a while; who is gone
/// is noticed by its silence.
const UNHEARD: u32 = 10 * 60_000;
/// Between two tries to listen at a port that is taken, or to take a connection where the system has no room for one.
const AGAIN: Duration = Duration::from_millis(500);

/// Where connections go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// In which epoch: with another one all that are open end.
    pub epoch: Epoch,
    /// The machine that serves in it.
    pub host: String,
    /// Whether it may be reached.
    pub gate: Gate,
}

/// A port here, and which one it leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Port {
    /// The port of this machine, on loopback.
    pub here: u16,
    /// That of whoever serves.
    pub there: u16,
}

/// Whether a port is listened at.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Door {
    /// It is about to be.
    Opening,
    /// It is.
    Open,
    /// It cannot be, for this reason.
    Shut(String),
}

/// The way of one port. It ends, with all its connections, when this goes.
#[derive(Debug)]
pub struct Proxy {
    /// Which port.
    pub port: Port,
    /// What goes through it.
    pub flow: Arc<Flow>,
    door: watch::Receiver<Door>,
    end: oneshot::Sender<()>,
    work: JoinHandle<()>,
}

impl Proxy {
    /// Begins to listen at `port`. Who connects is joined to the `target`, and waits `hold` at the most while that may not be
    /// reached.
    #[must_use]
    pub fn begin(port: Port, target: watch::Receiver<Target>, hold: Duration) -> Self {
        let flow = Arc::new(Flow::default());
        let (tell, door) = watch::channel(Door::Opening);
        let (end, ends) = oneshot::channel();
        let work = tokio::spawn(listen(port, Arc::clone(&flow), target, hold, tell, ends));
        Self { port, flow, door, end, work }
    }

    /// Why it cannot listen, if it cannot.
    #[must_use]
    pub fn shut(&self) -> Option<String> {
        match &*self.door.borrow() {
            Door::Opening | Door::Open => None,
            Door::Shut(why) => Some(why.clone()),
        }
    }

    /// Whether it listens.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self.door.borrow() == Door::Open
    }

    /// Ends it: when this returns the port is free, and no connection of it is open.
    pub async fn end(self) {
        let _ = self.end.send(());
        let _ = self.work.await;
    }
}

async fn listen(
    port: Port,
    flow: Arc<Flow>,
    target: watch::Receiver<Target>,
    hold: Duration,
    tell: watch::Sender<Door>,
    mut ends: oneshot::Receiver<()>,
) {
    let Some(listener) = (tokio::select! {
        listener = bind(port, &tell) => Some(listener),
        // Also where it is not waited for: who tells it has gone.
        _ = &mut ends => None,
    }) else {
        return;
    };
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        let came = tokio::select! {
            came = listener.accept(), if open.len() < CONNECTIONS => came,
            _ = open.join_next(), if open.len() >= CONNECTIONS => continue,
            _ = &mut ends => break,
        };
        let Ok((client, _)) = came else {
            // The system has no room for one.
            tokio::select! {
                () = sleep(AGAIN) => continue,
                _ = &mut ends => break,
            }
        };
        // Small answers go at once, as they came.
        let _ = client.set_nodelay(true);
        let (flow, target) = (Arc::clone(&flow), target.clone());
        open.spawn(async move { carry(client, port.there, &flow, target, hold).await });
    }
    close(listener);
    open.shutdown().await;
}

/// Listens no more. A program that is being started at this instant still has a copy of what is open here, and would keep the port
/// until it runs: only the one who closes the listener itself, not his own copy of it, leaves the port free.
fn close(listener: TcpListener) {
    let _ = rustix::net::shutdown(&listener, rustix::net::Shutdown::Both);
    drop(listener);
}

/// As many may come at once as there may be.
fn listen_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(u32::try_from(CONNECTIONS).unwrap_or(u32::MAX))
}

async fn bind(port: Port, tell: &watch::Sender<Door>) -> TcpListener {
    let address = SocketAddr::from(([127, 0, 0, 1], port.here));
    loop {
        match listen_at(address) {
            Ok(listener) => {
                tell.send_replace(Door::Open);
                return listener;
            }
            Err(error) => {
                if tell.send_replace(Door::Shut(error.to_string())) == Door::Opening {
                    tracing::warn!(port = port.here, %error, "the port is not free");
                }
                sleep(AGAIN).await;
            }
        }
    }
}

/// Takes one connection to whoever serves, and ends it when another one does.
async fn carry(client: TcpStream, port: u16, flow: &Arc<Flow>, mut target: watch::Receiver<Target>, hold: Duration) {
    // Where nothing comes of it, it is refused as it would be without this program.
    let refused = Cut::new(&client);
    let Some((server, epoch)) = reach(&client, port, &mut target, hold).await else { return };
    refused.keep();
    let is_other = async { target.wait_for(|target| target.epoch != epoch).await.is_ok() };
    if let Err(broken) = joined(client, server, flow, is_other).await {
        tracing::trace!(%broken, "a connection broke");
    }
}

/// A connection to whoever serves, and in which epoch; none where it is not reached in time, or `client` does not wait.
async fn reach(
    client: &TcpStream,
    port: u16,
    target: &mut watch::Receiver<Target>,
    hold: Duration,
) -> Option<(TcpStream, Epoch)> {
    let until = Instant::now() + hold;
    loop {
        tokio::select! {
            open = timeout_at(until, target.wait_for(|target| target.gate == Gate::Open)) => {
                open.ok()?.ok()?;
            }
            () = gone(client) => return None,
        }
        let Target { epoch, host, .. } = target.borrow_and_update().clone();
        // As long as the system tries: a server that is slow to accept is none that is gone.
        let reached = tokio::select! {
            reached = timeout_at(until, connect(&host, port)) => reached.ok()?,
            // Meanwhile it is known that another one is to be reached, or that this one is about to be ready.
            _ = target.wait_for(|target| target.epoch != epoch || target.gate == Gate::Held) => continue,
            () = gone(client) => return None,
        };
        return reached.ok().map(|server| (server, epoch));
    }
}

async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut found = lookup_host((host, port)).await?;
    let address = found.next().ok_or(io::ErrorKind::NotFound)?;
    let server = TcpStream::connect(address).await?;
    crate::os::tend(&server, UNHEARD)?;
    Ok(server)
}

/// Waits until a client that waits itself has gone.
async fn gone(client: &TcpStream) {
    loop {
        match client.peek(&mut [0]).await {
            Ok(0) | Err(_) => return,
            // It has said something already: that waits with it, and hides whether it is there.
            Ok(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A server that says `name` to whoever connects, then what it hears.
    async fn server(name: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let _ = stream.write_all(name.as_bytes()).await;
                    let (mut from, mut to) = stream.split();
                    let _ = io::copy(&mut from, &mut to).await;
                    let _ = to.shutdown().await;
                });
            }
        });
        port
    }

    async fn free() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        close(listener);
        port
    }

    fn to(epoch: Epoch, gate: Gate) -> Target {
        Target { epoch, host: "127.0.0.1".into(), gate }
    }

    struct Through {
        proxy: Proxy,
        target: watch::Sender<Target>,
    }

    impl Through {
        async fn new(there: u16, gate: Gate, hold: Duration) -> Self {
            let (target, targets) = watch::channel(to(1, gate));
            let port = Port { here: free().await, there };
            Self { proxy: Proxy::begin(port, targets, hold), target }
        }

        async fn connect(&self) -> TcpStream {
            loop {
                match TcpStream::connect(("127.0.0.1", self.proxy.port.here)).await {
                    Ok(stream) => return stream,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        }
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn what_is_said_comes_there_and_back_also_when_one_side_has_said_all() {
        let through = Through::new(server("hello ").await, Gate::Open, LONG).await;
        let mut client = through.connect().await;
        let said: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        let (mut from, mut into) = client.split();
        let mut heard = vec![];
        let say = async {
            into.write_all(&said).await.unwrap();
            into.shutdown().await.unwrap();
        };
        let ((), read) = tokio::join!(say, from.read_to_end(&mut heard));
        assert_eq!(read.unwrap(), said.len() + 6);
        assert!(heard[..6] == *b"hello " && heard[6..] == said);
    }

    #[tokio::test]
    async fn who_comes_while_the_gate_is_held_waits_and_then_is_served() {
        let through = Through::new(server("b").await, Gate::Held, LONG).await;
        let mut client = through.connect().await;
        client.write_all(b"order").await.unwrap();
        through.target.send_replace(to(2, Gate::Open));
        let mut heard = [0; 6];
        client.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"border");
    }

    #[tokio::test]
    async fn a_thousand_that_say_nothing_keep_nobody_out_and_go_with_the_port() {
        crate::os::have_many_files();
        let through = Through::new(server("a").await, Gate::Open, LONG).await;
        let mut silent = vec![];
        for _ in 0..1_000 {
            silent.push(through.connect().await);
        }
        for client in &mut silent {
            client.read_exact(&mut [0]).await.unwrap();
        }
        assert_eq!(through.proxy.flow.open(), 1_000);
        let mut client = through.connect().await;
        client.write_all(b"order").await.unwrap();
        let mut heard = [0; 6];
        client.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"aorder");
        let here = through.proxy.port.here;
        through.proxy.end().await;
        assert!(TcpListener::bind(("127.0.0.1", here)).await.is_ok(), "it is free, and so is each of its connections");
        for client in &mut silent {
            assert!(client.read(&mut [0]).await.is_err(), "it is cut");
        }
    }

    #[tokio::test]
    async fn a_port_is_free_also_where_a_program_that_is_being_started_has_a_copy_of_its_listener() {
        let listener = listen_at("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let copy = std::os::fd::AsFd::as_fd(&listener).try_clone_to_owned().unwrap();
        assert!(TcpListener::bind(address).await.is_err());
        close(listener);
        assert!(TcpListener::bind(address).await.is_ok());
        drop(copy);
    }

    #[tokio::test]
    async fn no_one_is_held_for_longer_than_is_set() {
        let through = Through::new(server("b").await, Gate::Held, Duration::from_millis(20)).await;
        let mut client = through.connect().await;
        assert!(client.read(&mut [0]).await.is_err(), "it is cut");
    }

    #[tokio::test]
    async fn with_another_epoch_what_is_open_is_cut() {
        let through = Through::new(server("a").await, Gate::Open, LONG).await;
        let mut client = through.connect().await;
        client.read_exact(&mut [0]).await.unwrap();
        assert_eq!(through.proxy.flow.open(), 1);
        through.target.send_replace(to(1, Gate::Held));
        client.write_all(b"x").await.unwrap();
        client.read_exact(&mut [0]).await.unwrap();
        through.target.send_replace(to(2, Gate::Held));
        assert!(client.read(&mut [0]).await.is_err(), "it is cut, and not ended as if all was said");
    }

    #[tokio::test]
    async fn where_no_server_is_the_connection_is_cut_and_a_taken_port_is_told_and_taken_when_it_is_free() {
        let through = Through::new(free().await, Gate::Open, LONG).await;
        let mut client = through.connect().await;
        assert!(client.read(&mut [0]).await.is_err());
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = taken.local_addr().unwrap().port();
        let proxy = Proxy::begin(Port { here, there: 1 }, through.target.subscribe(), LONG);
        let mut door = proxy.door.clone();
        door.wait_for(|door| matches!(door, Door::Shut(_))).await.unwrap();
        drop(taken);
        door.wait_for(|door| *door == Door::Open).await.unwrap();
        proxy.end().await;
        assert!(TcpListener::bind(("127.0.0.1", here)).await.is_ok(), "it is free again");
    }
}
