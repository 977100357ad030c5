//! A rehearsal of the start of the backup server, in a process of its own: the POS server is started on a copy of the mirror, asked
//! whether it answers, perhaps tried with a sale, and stopped. Whatever becomes of it, nothing outside of that process notices.
//!
//! Where the system allows it, that process is apart: it has a network in which nobody else is, and finds the copies where the
//! mirrors lie, so that the very command of the emergency is tried, with the same port and the same folders.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::dumping;
use super::member::{Member, MemberError, own_folders, role, role_name, store_path};
use super::pos::Down;
use super::reading_back;
use super::refusal::{NoDrill, WhyNot};
use crate::config::dataset::Content;
use crate::config::dump::Dump;
use crate::config::hooks::Hooks;
use crate::config::server::{Server, Start};
use crate::config::store::Store;
use crate::os::apart;
use crate::pair::Node;
use crate::server::{Handle, News, Occasion, Order, Setup, ask, filled};

/// The word by which the program is told to be that process.
pub const VERB: &str = "rehearse";

/// What tells the POS server that nothing counts.
const TRAINING: &str = "ESPEJO_TRAINING";

/// What is waited for beyond what each step may take.
const GRACE: Duration = Duration::from_secs(10);

/// How long a database may take to be read back for a drill.
const RESTORE: Duration = Duration::from_secs(1800);

/// What such a process is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rehearsal {
    /// The home of the backup.
    pub home: PathBuf,
    /// A folder of its own.
    pub place: PathBuf,
    /// The copies, by the names of their datasets.
    pub copies: Vec<(String, PathBuf)>,
    /// It is to be apart from the rest of the machine.
    pub apart: bool,
}

/// What such a process tells, a line each.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "told")]
pub enum Told {
    /// It could begin.
    Begun,
    /// The POS server answers.
    Ready {
        /// After so long.
        took_ms: u64,
    },
    /// A sale was possible.
    Sold,
    /// It was not as it should be.
    Failed {
        /// Why.
        why: WhyNot,
    },
}

/// What wakes it.
enum Wake {
    News(News),
    /// Nobody wants it any more.
    Over,
}

/// Which POS server is started for a drill in this store, and whether it can only be started apart; none where it cannot be.
#[must_use]
pub fn server(store: &Store, node: Node) -> Option<(Server, bool)> {
    let servers = store.servers.as_ref()?;
    let server = if node == Node::Main { &servers.main } else { &servers.backup }.clone();
    match (&store.drill.command, &store.drill.ready) {
        (Some(command), Some(ready)) => {
            let (start, health) = (Start::Command(command.clone()), ready.clone());
            Some((Server { start, ready: ready.clone(), health, with: vec![], ..server }, false))
        }
        // A unit is started by the system, which knows nothing of a place apart.
        _ if matches!(server.start, Start::Unit(_)) => None,
        _ => Some((Server { with: vec![], ..server }, true)),
    }
}

/// How long it may take at the most.
#[must_use]
pub fn longest(store: &Store, server: &Server) -> Duration {
    let sale = store.drill.sale.as_ref().map_or(Duration::ZERO, |_| store.drill.sale_limit);
    let read = RESTORE * u32::try_from(dumps(store).filter(|(_, dump)| dump.drill.is_some()).count()).unwrap_or(1);
    read + server.ready.timeout + sale + ending(store, server) + GRACE
}

/// How long it may take to end what was begun, where nobody wants it any more.
#[must_use]
pub fn ending(store: &Store, server: &Server) -> Duration {
    let ends = dumps(store).filter(|(_, dump)| dump.drill_end.is_some()).count();
    server.stop.timeout + GRACE * (2 + u32::try_from(ends).unwrap_or(1))
}

impl Rehearsal {
    /// The process that holds it.
    #[must_use]
    pub fn command(&self) -> std::process::Command {
        let mut words: Vec<OsString> = ["--home".into(), self.home.clone().into(), VERB.into()].into();
        words.extend(["--place".into(), self.place.clone().into()]);
        for (name, copy) in &self.copies {
            words.extend(["--copy".into(), name.into(), copy.into()]);
        }
        let mut command = if self.apart {
            words.push("--apart".into());
            apart::command(words)
        } else {
            let mut command = std::process::Command::new("/proc/self/exe");
            command.args(words);
            command
        };
        command.env(TRAINING, "1").env_remove("FAILPOINTS");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    }

    /// Holds it in this process. What happens is told on `output`; it is over when nothing can be read from `input` any more.
    pub fn hold(&self, input: impl Read + Send + 'static, mut output: impl Write) -> io::Result<()> {
        // Whoever is told may be gone: what was begun is ended all the same.
        let mut say = |told: &Told| {
            let line = serde_json::to_vec(told).unwrap_or_default();
            let _ = output.write_all(&line).and_then(|()| output.write_all(b"\n")).and_then(|()| output.flush());
        };
        if self.apart {
            apart::settle()?;
        }
        say(&Told::Begun);
        let (setup, store) = match self.prepared() {
            Ok(prepared) => prepared,
            Err(error) => {
                say(&Told::Failed { why: WhyNot::System { error: error.to_string() } });
                return Ok(());
            }
        };
        let ((tell, wakes), over) = (channel(), Arc::new(AtomicBool::new(false)));
        listen(input, Arc::clone(&over), tell.clone());
        // What is begun from here on is removed, by whoever finds this, if not by this process.
        let mark = read_back(&self.place);
        std::fs::write(&mark, b"")?;
        let came = self
            .restored(&setup, &store, &over)
            .and_then(|()| started(setup.clone(), (tell, &wakes), |took| sold(&setup, &store, &over, took, &mut say)));
        let cleaned = clean(&setup.folders, &store);
        if cleaned.is_ok() {
            let _ = std::fs::remove_file(mark);
        }
        let came = came.and(cleaned);
        if let Err(why) = came {
            say(&Told::Failed { why });
        }
        Ok(())
    }

    /// Databases that are mirrored by dumps are read back, each into one that is there for the drill alone, where that is set.
    fn restored(&self, setup: &Setup, store: &Store, over: &AtomicBool) -> Result<(), WhyNot> {
        for (name, dump) in dumps(store) {
            let Some(drill) = &dump.drill else { continue };
            let Some((_, copy)) = self.copies.iter().find(|(copied, _)| copied == name) else { continue };
            let told = |why: String| WhyNot::NotRestored { name: name.to_owned(), why };
            let read = File::open(dumping::file(copy, name)).map_err(|error| told(error.to_string()))?;
            let mut command = filled(&setup.folders, drill);
            let command = command.stdin(read).stdout(Stdio::null());
            reading_back::run(command, &reads(&self.place), until(RESTORE, over)).map_err(told)?;
        }
        Ok(())
    }

    /// What is to be started, with the copies in their places.
    fn prepared(&self) -> Result<(Setup, Store), MemberError> {
        let member = Member::load(&self.home)?;
        let path = store_path(&self.home);
        let at = |error| MemberError::Io { path: path.clone(), error };
        let bytes = std::fs::read(&path).map_err(at)?;
        let read = Store::from_bytes(&bytes);
        let store = read.map_err(|faults| MemberError::Faults { path: path.clone(), faults })?;
        let mut folders = own_folders(&self.home)?.unwrap_or_default();
        for (name, folder) in &mut folders {
            let Some((_, copy)) = self.copies.iter().find(|(copied, _)| copied == name) else { continue };
            if self.apart {
                apart::put(copy, folder).map_err(at)?;
            } else {
                folder.clone_from(copy);
            }
        }
        let missing = || at(io::Error::from(io::ErrorKind::NotFound));
        let (server, _) = server(&store, member.node).ok_or_else(missing)?;
        let hooks =
            Hooks { before_serve: None, after_serve: None, before_stop: None, after_stop: None, ..store.hooks.clone() };
        let setup = Setup {
            server,
            folders,
            hooks,
            store: store.name.clone(),
            node: role_name(role(&store, member.node)).to_owned(),
            home: self.place.clone(),
            port_is_its_own: true,
        };
        Ok((setup, store))
    }
}

/// A file that is there while something may be read back for a drill in `place`.
#[must_use]
pub fn read_back(place: &Path) -> PathBuf {
    place.join("read-back")
}

/// Where what reads a dump back for a drill in `place` is on record.
#[must_use]
pub fn reads(place: &Path) -> PathBuf {
    place.join("reading-back")
}

/// Removes what was read back for a drill: all of it, as far as that can be.
pub fn clean(folders: &[(String, PathBuf)], store: &Store) -> Result<(), WhyNot> {
    let mut cleaned = Ok(());
    for (name, end) in dumps(store).filter_map(|(name, dump)| Some((name, dump.drill_end.as_ref()?))) {
        let mut command = filled(folders, end);
        let command = command.env(TRAINING, "1").stdin(Stdio::null()).stdout(Stdio::null());
        if let Err(why) = dumping::run(command, until(GRACE, &AtomicBool::new(false))) {
            tracing::warn!(dataset = name, why, "what was read back for a drill could not be removed");
            cleaned = Err(WhyNot::Drill(NoDrill::Left { name: name.to_owned(), why }));
        }
    }
    cleaned
}

/// Whether so much time has passed since now, or nobody wants it any more.
fn until(limit: Duration, over: &AtomicBool) -> impl FnMut() -> bool {
    let end = Instant::now() + limit;
    move || over.load(Ordering::Acquire) || Instant::now() >= end
}

fn dumps(store: &Store) -> impl Iterator<Item = (&str, &Dump)> {
    store.datasets.iter().filter_map(|dataset| match &dataset.content {
        Content::Dump(dump) => Some((dataset.name.as_str(), dump)),
        Content::Files { .. } => None,
    })
}

/// Starts the POS server, has it tried when it answers, and stops it, whatever came of that.
fn started(
    setup: Setup,
    (tell, wakes): (Sender<Wake>, &Receiver<Wake>),
    tried: impl FnOnce(Duration) -> Result<(), WhyNot>,
) -> Result<(), WhyNot> {
    let (patience, stop) = (setup.server.ready.timeout + GRACE, setup.server.stop.timeout + GRACE);
    let handle = Handle::begin(setup, move |news| drop(tell.send(Wake::News(news))))
        .map_err(|error| WhyNot::System { error: error.to_string() })?;
    handle.order(Order::Start(Occasion::default()));
    let came = ready(wakes, patience).and_then(tried);
    handle.order(Order::Stop(Occasion::default()));
    stopped(wakes, stop);
    came
}

/// The POS server answers, after so long: a sale is tried, where one is set.
fn sold(
    setup: &Setup,
    store: &Store,
    over: &AtomicBool,
    took: Duration,
    say: &mut dyn FnMut(&Told),
) -> Result<(), WhyNot> {
    say(&Told::Ready { took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX) });
    let Some(sale) = &store.drill.sale else { return Ok(()) };
    let mut command = filled(&setup.folders, sale);
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    let error = match ask::run_until(command, until(store.drill.sale_limit, over)) {
        Ok(true) => {
            say(&Told::Sold);
            return Ok(());
        }
        Ok(false) => None,
        Err(error) => Some(error.to_string()),
    };
    Err(WhyNot::Drill(NoDrill::NoSale { error }))
}

/// Waits until the POS server answers, or will not.
fn ready(wakes: &Receiver<Wake>, patience: Duration) -> Result<Duration, WhyNot> {
    let end = Instant::now() + patience;
    loop {
        let why = match wakes.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Wake::News(News::Ready { took })) => return Ok(took),
            Ok(Wake::News(News::Failing(why) | News::Stopped { why: Some(why), .. } | News::Kept(why))) => {
                Some(Down::from(why))
            }
            Ok(Wake::News(News::Starting | News::Stopped { why: None, .. } | News::Strays(_))) => continue,
            Ok(Wake::Over) => return Err(WhyNot::NothingRuns),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        };
        return Err(WhyNot::ServerDown { why });
    }
}

/// Waits until it has stopped.
fn stopped(wakes: &Receiver<Wake>, patience: Duration) {
    let end = Instant::now() + patience;
    while let Ok(wake) = wakes.recv_timeout(end.saturating_duration_since(Instant::now())) {
        if matches!(wake, Wake::News(News::Stopped { .. })) {
            return;
        }
    }
}

/// Tells when nothing can be read any more: who wanted it is gone.
fn listen(input: impl Read + Send + 'static, over: Arc<AtomicBool>, tell: Sender<Wake>) {
    std::thread::spawn(move || {
        let mut input = io::BufReader::new(input);
        let mut line = vec![];
        while input.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            line.clear();
        }
        over.store(true, Ordering::Release);
        let _ = tell.send(Wake::Over);
    });
}

/// The folder in which a rehearsal keeps what is its own.
#[must_use]
pub fn place(home: &Path) -> PathBuf {
    home.join("drill")
}
