//! What a service stands on: this system; or, in a simulation, a machine that is simulated, with clocks, a network and a disk of
//! its own. What is begun [`on`] such a machine, and all that this begins by [`spawn`], stands on it.
//!
//! Every function here is the plain one of the system where nothing is simulated. Time that passes needs no function: who waits
//! by `tokio` waits for the clock of its runtime.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::Thread;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::{AbortHandle, JoinHandle};

use super::Room;
use super::net::{Lines, Listens, Stream};

/// A machine that is simulated.
pub trait Ground: Send + Sync {
    /// What its clock shows.
    fn now(&self) -> Timestamp;

    /// Which start of the machine this is, and for how many milliseconds it has been up.
    fn up(&self) -> (String, u64);

    /// The number of the process in which the service runs.
    fn process(&self) -> u32;

    /// Something was begun: it ends with the machine.
    fn begun(&self, task: AbortHandle);

    /// How long the next thing takes that is done aside, as each end of it is a moment in which the machine may fall.
    fn moment(&self) -> Duration;

    /// Saves a small file, or fails to.
    fn save(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Removes one, which is not durable by itself.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// How much room its disk has.
    fn room(&self) -> Room;

    /// Listens at this address, for connections and for datagrams.
    fn listen(&self, address: SocketAddr) -> io::Result<(Box<dyn Listens>, Box<dyn Lines>)>;

    /// Makes a connection.
    fn connect(&self, to: SocketAddr) -> Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;
}

tokio::task_local! {
    static GROUND: Arc<dyn Ground>;
}

/// The machine that is simulated here, if one is.
pub(super) fn ground() -> Option<Arc<dyn Ground>> {
    GROUND.try_with(Arc::clone).ok()
}

/// Does `work` on a simulated machine.
pub fn on<F: Future>(ground: Arc<dyn Ground>, work: F) -> impl Future<Output = F::Output> {
    GROUND.scope(ground, work)
}

/// Whether the machine is simulated: then all that it does is one thing after the other, and nothing else is at work there.
#[must_use]
pub fn is_simulated() -> bool {
    GROUND.try_with(|_| ()).is_ok()
}

/// What the clock on the wall shows.
#[must_use]
pub fn now() -> Timestamp {
    ground().map_or_else(Timestamp::now, |ground| ground.now())
}

/// The number of the process.
#[must_use]
pub fn process() -> u32 {
    ground().map_or_else(std::process::id, |ground| ground.process())
}

/// Begins a task.
pub fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let Some(ground) = ground() else { return tokio::spawn(work) };
    let task = tokio::spawn(on(Arc::clone(&ground), work));
    ground.begun(task.abort_handle());
    task
}

/// Does what may block where nothing waits for it but who asked.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let Some(ground) = ground() else { return tokio::task::spawn_blocking(work).await.map_err(io::Error::other) };
    tokio::time::sleep(ground.moment()).await;
    let done = work();
    tokio::time::sleep(ground.moment()).await;
    Ok(done)
}

/// Stands still for so long, with all that this thread does. On a simulated machine nothing would move meanwhile: it goes on at
/// once.
pub fn pause(time: Duration) {
    if !time.is_zero() && !is_simulated() {
        std::thread::sleep(time);
    }
}

/// Work that may block: on a thread of its own, where a runtime of its own waits for what comes next.
#[derive(Debug)]
pub enum Worker<T> {
    /// That thread.
    Thread(std::thread::JoinHandle<T>),
    /// On a simulated machine a task like any other.
    Task(JoinHandle<T>),
}

/// The thread has crashed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a part of the program has crashed")]
pub struct Crashed;

impl<T: Send + 'static> Worker<T> {
    /// Begins it.
    pub fn begin(name: &str, work: impl Future<Output = T> + Send + 'static) -> io::Result<Self> {
        if is_simulated() {
            return Ok(Self::Task(spawn(work)));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new().name(name.to_owned());
        thread.spawn(move || runtime.block_on(work)).map(Self::Thread)
    }

    /// Whether it has come to its end.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        match self {
            Self::Thread(thread) => thread.is_finished(),
            Self::Task(task) => task.is_finished(),
        }
    }

    /// Waits for its end.
    pub async fn end(self) -> Result<T, Crashed> {
        match self {
            Self::Thread(thread) if thread.is_finished() => thread.join().map_err(|_| Crashed),
            Self::Thread(thread) => match tokio::task::spawn_blocking(move || thread.join()).await {
                Ok(Ok(done)) => Ok(done),
                Ok(Err(_)) | Err(_) => Err(Crashed),
            },
            Self::Task(task) => task.await.map_err(|_| Crashed),
        }
    }
}

/// Waits for `work` on a thread that may block, also in the midst of a task that runs on it.
pub fn wait<T>(work: impl Future<Output = T>) -> T {
    // However often it has to be waited within one task, it is not that task's turn that ends.
    let mut work = pin!(tokio::task::unconstrained(work));
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return done;
        }
        std::thread::park();
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Writes a small file wholly or not at all: beside it, made durable, renamed, and the name made durable.
pub fn save(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(ground) = ground() {
        return ground.save(path, bytes);
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    super::point!("save.beside");
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

/// Removes a small file. That it is gone is not durable: after a power cut it may be there again.
pub fn remove(path: &Path) -> io::Result<()> {
    ground().map_or_else(|| fs::remove_file(path), |ground| ground.remove(path))
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_worker_waits_in_the_midst_of_its_work() {
        let (tell, mut told) = mpsc::channel(1);
        let work = async move {
            for number in 0..1000 {
                wait(tell.send(number)).unwrap();
            }
            7
        };
        let worker = Worker::begin("counts", work).unwrap();
        for number in 0..1000 {
            assert_eq!(told.recv().await, Some(number));
        }
        assert_eq!(worker.end().await, Ok(7));
    }
}
