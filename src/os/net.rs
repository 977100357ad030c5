//! Connections and datagrams: those of this system, or of a simulated machine.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::{Instant, sleep};

use super::ground::ground;

/// A port that is taken for so long is somebody's.
const STARTING: Duration = Duration::from_secs(1);

/// Between two tries to have it.
const AGAIN: Duration = Duration::from_millis(20);

/// What goes to and fro.
pub trait Both: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Both for T {}

/// Where connections come in on a simulated machine.
pub trait Listens: Send + Sync {
    /// Waits for the next one.
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Stream>>;
}

/// Where datagrams go out and come in on a simulated machine.
pub trait Lines: Send + Sync {
    /// Takes the next one that has come. Returns its length; what does not fit into `bytes` is lost.
    fn poll_receive(&mut self, context: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Sends one.
    fn send(&self, bytes: &[u8], to: SocketAddr);
}

/// A connection.
pub enum Stream {
    /// One of the system.
    Tcp(TcpStream),
    /// One of a simulated machine.
    Simulated(Box<dyn Both>),
}

/// Where connections come in.
pub enum Listener {
    /// At a port of the system.
    Tcp(TcpListener),
    /// At one of a simulated machine.
    Simulated(Box<dyn Listens>),
}

/// Where datagrams go out and come in.
pub enum Datagrams {
    /// At a port of the system.
    Udp(UdpSocket),
    /// At one of a simulated machine.
    Simulated(Box<dyn Lines>),
}

/// Listens at `address`, for connections and for datagrams.
pub async fn listen(address: SocketAddr) -> io::Result<(Listener, Datagrams)> {
    if let Some(ground) = ground() {
        let (listens, lines) = ground.listen(address)?;
        return Ok((Listener::Simulated(listens), Datagrams::Simulated(lines)));
    }
    let since = Instant::now();
    loop {
        let both = async { Ok((TcpListener::bind(address).await?, UdpSocket::bind(address).await?)) };
        match both.await {
            Ok((tcp, udp)) => return Ok((Listener::Tcp(tcp), Datagrams::Udp(udp))),
            // A program that the service before this one was just starting has a copy of what that had open, until it runs.
            Err(error) if is_taken(&error) && since.elapsed() < STARTING => sleep(AGAIN).await,
            Err(error) => return Err(error),
        }
    }
}

fn is_taken(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrInUse
}

/// Makes a connection.
pub async fn connect(to: SocketAddr) -> io::Result<Stream> {
    match ground() {
        Some(ground) => ground.connect(to).await,
        None => TcpStream::connect(to).await.map(Stream::Tcp),
    }
}

impl Listener {
    /// Waits for the next connection.
    pub async fn accept(&mut self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => listener.accept().await.map(|(tcp, _)| Stream::Tcp(tcp)),
            Self::Simulated(listens) => std::future::poll_fn(|context| listens.poll_accept(context)).await,
        }
    }
}

impl Datagrams {
    /// Waits for the next one. Returns its length; what does not fit into `bytes` is lost. Nothing is lost where it is not waited
    /// to the end.
    pub async fn receive(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Udp(socket) => socket.recv_from(bytes).await.map(|(length, _)| length),
            Self::Simulated(lines) => std::future::poll_fn(|context| lines.poll_receive(context, bytes)).await,
        }
    }

    /// The next one, if one has come.
    pub fn try_receive(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Udp(socket) => socket.try_recv_from(bytes).map(|(length, _)| length),
            Self::Simulated(lines) => {
                match lines.poll_receive(&mut Context::from_waker(std::task::Waker::noop()), bytes) {
                    Poll::Ready(received) => received,
                    Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
                }
            }
        }
    }

    /// Sends one, if that can be done at once.
    pub fn try_send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        match self {
            Self::Udp(socket) => socket.try_send_to(bytes, to).map(|_| ()),
            Self::Simulated(lines) => {
                lines.send(bytes, to);
                Ok(())
            }
        }
    }
}

impl Stream {
    /// Makes it send at once, and notice that nobody is there: see [`super::tend`].
    pub fn tend(&self, unheard_ms: u32) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => super::tend(tcp, unheard_ms),
            Self::Simulated(_) => Ok(()),
        }
    }

    /// Where the other end is, if that is on a network.
    #[must_use]
    pub fn from(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(tcp) => tcp.peer_addr().ok(),
            Self::Simulated(_) => None,
        }
    }

    /// Makes it keep about so many bytes that are to be sent, and no more.
    pub fn send_little(&self, bytes: usize) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => super::send_little(tcp, bytes),
            Self::Simulated(_) => Ok(()),
        }
    }
}

impl From<TcpStream> for Stream {
    fn from(tcp: TcpStream) -> Self {
        Self::Tcp(tcp)
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_read(context, into),
            Self::Simulated(stream) => Pin::new(stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_write(context, bytes),
            Self::Simulated(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_write_vectored(context, pieces),
            Self::Simulated(stream) => Pin::new(stream).poll_write_vectored(context, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.is_write_vectored(),
            Self::Simulated(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_flush(context),
            Self::Simulated(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_shutdown(context),
            Self::Simulated(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
