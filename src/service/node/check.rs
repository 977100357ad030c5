//! Examines this machine: what a person would have to look at before trusting it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::Machine;
use super::meet;
use crate::config::server::Start;
use crate::os::ground;
use crate::pair::{Duty, Node};
use crate::service::finding::{Finding, Found, Hindrance};

/// Room that should be free beside the copy: a part in so many of it, and no less than [`LEAST`].
const PART: u64 = 5;
/// So long a name may take.
const NAMING: Duration = Duration::from_millis(400);
/// Bytes that should be free in any case.
const LEAST: u64 = 256 << 20;

impl Machine {
    /// Examines this machine.
    pub(super) async fn check(&mut self) -> Vec<Finding> {
        let (own, far) = match self.member.node {
            Node::Main => (self.store.main.clone(), self.store.backup.clone()),
            Node::Backup => (self.store.backup.clone(), self.store.main.clone()),
        };
        let address = far.address.to_string();
        // Nobody waits for a name for long: this machine's heart beats on.
        let named = timeout(NAMING, meet::resolve(&far.address)).await;
        let named = named.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        let mut found = self.folders();
        found.extend(self.rights());
        found.extend(self.room());
        found.push(Found::Name { address: address.clone(), error: named.err().map(|error| error.to_string()) });
        found.push(Found::Connection { address, talks: self.session.is_some(), why: self.why_unmet() });
        if self.session.is_some() {
            let comes = self.heart.beats(Instant::now());
            found.push(Found::Heartbeat { port: own.address.port(), comes });
            found.push(Found::Clocks { ahead_ms: self.clock_off_ms });
            let theirs = self.theirs.as_ref().map(|(_, _, version)| version.clone());
            found.push(Found::Versions { ours: meet::version(), theirs });
        }
        found.extend(self.server());
        found.extend(self.start().await);
        let node = self.role();
        found.into_iter().map(|found| Finding { node, found }).collect()
    }

    fn folders(&self) -> Vec<Found> {
        let examine = |name: &String| {
            let folder = self.folder(&self.store, name);
            // That of the mirror is made with the first copy.
            let error = if self.pair.duty() == Duty::Serving {
                fs::read_dir(&folder).err()
            } else {
                crate::os::may_make(&folder).err()
            };
            let error = error.map(|error| error.to_string());
            Found::Folder { dataset: name.clone(), folder: folder.display().to_string(), error }
        };
        self.store.datasets.iter().map(|dataset| examine(&dataset.name)).collect()
    }

    /// What of the source cannot be read. Of the mirror's folder that is asked by writing.
    fn rights(&mut self) -> Option<Found> {
        if self.pair.duty() != Duty::Serving || self.session.is_none() {
            return None;
        }
        let unreadable: Vec<String> = self.status().datasets.into_iter().flat_map(|set| set.unreadable).collect();
        Some(Found::Rights { unreadable: unreadable.len() as u64, first: unreadable.into_iter().next() })
    }

    fn room(&mut self) -> Option<Found> {
        let status = self.status();
        let copy: u64 = status.datasets.iter().map(|dataset| dataset.bytes).sum();
        // Where the mirror is, the journal and the steps back need their share beside it.
        let needed_bytes = if self.pair.duty() == Duty::Serving { LEAST } else { (copy / PART).max(LEAST) };
        let room = crate::os::room(&self.home)?;
        Some(Found::Room { free_bytes: room.free, needed_bytes })
    }

    /// Whether the POS server can be started here, and nothing else starts it.
    async fn start(&self) -> Option<Found> {
        let setup = self.program.as_ref()?.setup.clone();
        // It may take a process of its own.
        ground::aside(move || {
            let (what, why) = setup.hindered();
            Found::Start { what, why: why.map(Hindrance::from) }
        })
        .await
        .ok()
    }

    /// What the POS server's command names with its whole path, and lies in no dataset.
    fn server(&self) -> Option<Found> {
        let servers = self.store.servers.as_ref()?;
        let server = if self.member.node == Node::Main { &servers.main } else { &servers.backup };
        let Start::Command(command) = &server.start else { return None };
        let words = command.words();
        let folders: Vec<_> = self.store.datasets.iter().map(|set| self.folder(&self.store, &set.name)).collect();
        let is_outside = |word: &&String| {
            let path = Path::new(word.as_str());
            path.is_absolute() && path.exists() && !folders.iter().any(|folder| path.starts_with(folder))
        };
        // The first word is the program itself.
        Some(Found::Server { outside: words.iter().skip(1).filter(is_outside).cloned().collect() })
    }
}
