//! The POS server program on this machine: started, asked whether it answers, started again, stopped; and noticed where it runs
//! though it should not. It never decides whether the program should run: it is told.
//!
//! May name: `config`, `os`. What it does may take long, and happens on a thread of its own; orders go in, news come out.
//!
//! - [`able`]: whether it could be started here
//! - [`again`]: when a program that ended is started again
//! - [`ask`]: a question to the program
//! - [`beside`]: another program of the shop's, run meanwhile
//! - [`body`]: the program as it runs: a group of processes, or a unit of the system
//! - [`hooks`]: the shop's own programs around its start and its stop
//! - [`keeper`]: the thread
//! - [`keeps`]: who keeps the program
//! - [`output`]: what the program prints
//! - [`record`]: which process it is, kept across a restart of this program
//! - [`stray`]: the program where it should not run
//! - [`unit`](mod@unit): units of the system
//! - [`version`]: the version that it says

pub mod able;
pub mod again;
pub mod ask;
pub mod beside;
pub mod body;
pub mod hooks;
pub mod keeper;
pub mod keeps;
pub mod output;
pub mod record;
pub mod stray;
pub mod unit;
pub mod version;

use std::io;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::config::command::{Command, Piece, pieces};
use crate::config::hooks::Hooks;
use crate::config::server::Server;
use keeper::{Input, Keeper};
use stray::Stray;

/// What is set for the program on this machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setup {
    /// How it is started, asked and stopped.
    pub server: Server,
    /// Where each dataset lies here, by its name; the first one is `{data}`.
    pub folders: Vec<(String, PathBuf)>,
    /// The shop's own programs around its start and its stop.
    pub hooks: Hooks,
    /// What the store is called.
    pub store: String,
    /// Which machine this is: `main` or `backup`.
    pub node: String,
    /// The folder in which this machine keeps what is its own.
    pub home: PathBuf,
    /// Whether who answers where the program would answer on this machine is the program. It may be a proxy of ours.
    pub port_is_its_own: bool,
}

/// On what occasion something is done: the shop's own programs are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Occasion {
    /// In this epoch.
    pub epoch: u64,
    /// For this change of server, by its number in the diary; none where it is for none.
    pub operation: Option<u64>,
}

/// What is to become of the program. Each may be said twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// It is to run from now on. One that runs since before this program began is taken over.
    Start(Occasion),
    /// It is to be stopped, and may not run from now on.
    Stop(Occasion),
    /// It is left as it is, and not looked at any more: the thread ends.
    Leave,
}

/// What happens to the program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// It was started.
    Starting,
    /// It answers.
    Ready {
        /// How long after it was started, or was taken over.
        took: Duration,
    },
    /// It runs, and does not answer.
    Failing(Why),
    /// It does not run: it ended by itself, could not be started, or was stopped.
    Stopped {
        /// Why, where that was not asked for. It is started again by and by then.
        why: Option<Why>,
        /// The last lines that it printed.
        lines: Vec<String>,
    },
    /// It was to be stopped, and goes on: that was refused.
    Kept(Why),
    /// It runs though it should not; or does not any more.
    Strays(Option<Stray>),
}

/// Why the program does not answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Why {
    /// It has ended by itself.
    #[error("it ended by itself, with code {code:?}")]
    Ended {
        /// How, as a shell says it; none where that is not known.
        code: Option<i32>,
    },
    /// It was not ready in time.
    #[error("it was not ready after {} ms", after.as_millis())]
    NotReady {
        /// How long it was waited for.
        after: Duration,
    },
    /// It gave no right answer.
    #[error("it does not answer")]
    NoAnswer,
    /// It cannot be started.
    #[error("{what}: {error}")]
    CannotStart {
        /// The program or unit.
        what: String,
        /// What the system said.
        error: String,
    },
    /// Something else starts it when the machine starts: it would run where it must not.
    #[error("{unit} is enabled at boot")]
    EnabledAtBoot {
        /// Which unit.
        unit: String,
    },
    /// A hook refuses it.
    #[error("{hook} refuses it")]
    Vetoed {
        /// Which one.
        hook: &'static str,
    },
    /// There is no systemd here.
    #[error("there is no systemctl on this machine for {unit}")]
    NoSystemd {
        /// Which unit was to be started.
        unit: String,
    },
}

/// The program in the hands of its keeper.
#[derive(Debug)]
pub struct Handle {
    orders: mpsc::Sender<Input>,
    thread: Option<JoinHandle<()>>,
}

impl Handle {
    /// Begins to keep the program of `setup`; it is started when that is ordered. What happens goes to `tell`.
    pub fn begin(setup: Setup, tell: impl Fn(News) + Send + 'static) -> io::Result<Self> {
        let (orders, inbox) = mpsc::channel();
        let keeper = Keeper::new(setup, inbox, orders.clone(), Box::new(tell));
        let thread = std::thread::Builder::new().name("pos server".to_owned()).spawn(move || keeper.run())?;
        Ok(Self { orders, thread: Some(thread) })
    }

    /// Gives an order.
    pub fn order(&self, order: Order) {
        let _ = self.orders.send(Input::Order(order));
    }
}

impl Drop for Handle {
    /// The program is left as it is: whoever begins next in this home takes it over.
    fn drop(&mut self) {
        self.order(Order::Leave);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Setup {
    /// A program and its arguments, with all filled in.
    #[must_use]
    pub fn words(&self, command: &Command) -> Vec<String> {
        words(&self.folders, command)
    }

    /// The program and its arguments, ready to be run; none where the list is empty.
    #[must_use]
    pub fn command(&self, command: &Command) -> std::process::Command {
        filled(&self.folders, command)
    }
}

fn words(folders: &[(String, PathBuf)], command: &Command) -> Vec<String> {
    let folder = |name: Option<&str>| {
        let found = folders.iter().find(|(folder, _)| name.is_none_or(|name| name == folder));
        found.map_or_else(String::new, |(_, path)| path.display().to_string())
    };
    let fill = |piece: Piece<'_>| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Data => folder(None),
        Piece::DataOf(name) => folder(Some(name)),
        // Here there is no number: it stands for itself.
        Piece::Value => "{value}".to_owned(),
    };
    command.words().iter().map(|word| pieces(word).into_iter().map(fill).collect()).collect()
}

/// A program of the shop's, ready to be run on the machine where the datasets lie in `folders`.
#[must_use]
pub fn filled(folders: &[(String, PathBuf)], command: &Command) -> std::process::Command {
    let mut words = words(folders, command).into_iter();
    let mut filled = std::process::Command::new(words.next().unwrap_or_default());
    // What this service tells systemd is its own.
    filled.args(words).env_remove("NOTIFY_SOCKET");
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::store::Store;

    #[test]
    fn folders_are_filled_in() {
        let text = "store = \"Centro\"\n[main]\naddress = \"10.0.0.1:7410\"\n[backup]\naddress = \"10.0.0.2:7410\"\n\
            [[dataset]]\nname = \"pos\"\nmain = \"/srv/pos\"\n[[dataset]]\nname = \"books\"\nmain = \"/srv/books\"\n\
            backup = \"BOOKS\"\n[server]\ncommand = [\"{data}/server\", \"--books={data:books}\", \"{x}\"]\n";
        let read = Store::parse(text).unwrap();
        let (server, hooks) = (read.servers.unwrap().main, read.hooks);
        let folders = vec![("pos".to_owned(), "/srv/pos".into()), ("books".to_owned(), "/srv/books".into())];
        let (store, node, home) = (read.name, "main".to_owned(), "/h".into());
        let setup = Setup { server, folders, hooks, store, node, home, port_is_its_own: true };
        let crate::config::server::Start::Command(command) = &setup.server.start else { panic!("a command") };
        assert_eq!(setup.words(command), ["/srv/pos/server", "--books=/srv/books", "{x}"]);
    }
}
