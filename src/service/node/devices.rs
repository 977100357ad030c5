//! The devices that both machines must reach: whether this one does, and what the other one says of itself. A device that only the
//! main reaches is found out before the night in which the backup serves.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::Machine;
use super::note::Note;
use crate::config::device::Device as Set;
use crate::os::ground;
use crate::pair::Node;
use crate::service::command::Reply;
use crate::service::finding::{Finding, Found};
use crate::service::status::{Device, Trouble};

/// Between two looks at all of them: some printers take a connection for something to be printed.
const LOOK: Duration = Duration::from_secs(600);
/// The same while one is missed.
const MISSED: Duration = Duration::from_secs(60);
/// A device that is not reached is tried once more after this.
const AGAIN: Duration = Duration::from_secs(2);
/// So long it is tried to reach one.
const TRYING: Duration = Duration::from_secs(3);

/// Whether a device is reached.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reached {
    /// What it is called.
    pub name: String,
    /// Why not.
    pub error: Option<String>,
}

/// What is known of the devices.
#[derive(Debug)]
pub(super) struct Devices {
    /// As it was seen from here last.
    here: watch::Sender<Vec<Reached>>,
    /// It was not told since.
    is_news: watch::Receiver<Vec<Reached>>,
    there: Vec<Reached>,
    work: Option<JoinHandle<()>>,
}

impl Drop for Devices {
    fn drop(&mut self) {
        self.work.iter().for_each(JoinHandle::abort);
    }
}

impl Devices {
    /// Looks at these from now on, from time to time.
    pub(super) fn look(devices: &[Set]) -> Self {
        let (devices, are_any) = (devices.to_owned(), !devices.is_empty());
        let (here, is_news) = watch::channel(vec![]);
        let tell = here.clone();
        let look = async move {
            loop {
                let mut found = all(&devices).await;
                if is_missed(&found) {
                    sleep(AGAIN).await;
                    found = all(&devices).await;
                }
                let pause = if is_missed(&found) { MISSED } else { LOOK };
                note(&tell, found);
                sleep(pause).await;
            }
        };
        let work = are_any.then(|| ground::spawn(look));
        Self { here, is_news, there: vec![], work }
    }
}

fn is_missed(found: &[Reached]) -> bool {
    found.iter().any(|one| one.error.is_some())
}

fn note(known: &watch::Sender<Vec<Reached>>, found: Vec<Reached>) {
    known.send_if_modified(|known| {
        let is_news = *known != found;
        *known = found;
        is_news
    });
}

/// Tries all at once.
async fn all(devices: &[Set]) -> Vec<Reached> {
    let mut tries = JoinSet::new();
    for device in devices {
        let device = device.clone();
        tries.spawn(async move { reach(&device).await });
    }
    let mut found = tries.join_all().await;
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

async fn reach(Set { name, address }: &Set) -> Reached {
    let connected = timeout(TRYING, TcpStream::connect((address.host(), address.port()))).await;
    let error = match connected {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(std::io::Error::from(std::io::ErrorKind::TimedOut).to_string()),
    };
    Reached { name: name.clone(), error }
}

impl Machine {
    /// Says to the other machine which of them are reached from here, where that is news.
    pub(super) fn tell_devices(&mut self) {
        if self.devices.is_news.has_changed().unwrap_or(false)
            && let Some(session) = &self.session
        {
            session.say(Note::Devices { reached: self.devices.is_news.borrow_and_update().clone() });
        }
    }

    /// Says so in a new session.
    pub(super) fn say_devices(&mut self) {
        self.devices.is_news.mark_changed();
        self.tell_devices();
    }

    /// The other machine says which of them it reaches.
    pub(super) fn hear_devices(&mut self, reached: Vec<Reached>) {
        self.devices.there = reached;
    }

    /// How each stands.
    pub(super) fn devices_stand(&self) -> Vec<Device> {
        let here = self.devices.here.borrow();
        let reached =
            |all: &[Reached], name: &str| all.iter().find(|one| one.name == name).map(|one| one.error.is_none());
        let stands = |set: &Set| {
            let (own, other) = (reached(&here, &set.name), reached(&self.devices.there, &set.name));
            let (main, backup) = if self.role() == Node::Main { (own, other) } else { (other, own) };
            Device { name: set.name.clone(), address: set.address.to_string(), main, backup }
        };
        self.store.devices.iter().map(stands).collect()
    }

    /// Which are not reached, if any.
    pub(super) fn device_trouble(&self) -> Option<Trouble> {
        let all = self.devices_stand();
        let missed = |from: fn(&Device) -> Option<bool>| -> Vec<String> {
            all.iter().filter(|one| from(one) == Some(false)).map(|one| one.name.clone()).collect()
        };
        let (main, backup) = (missed(|one| one.main), missed(|one| one.backup));
        (!main.is_empty() || !backup.is_empty()).then_some(Trouble::DevicesMissed { main, backup })
    }

    /// Examines this machine, and then the devices: `answer` is given what was found when all of them were tried. That may take a
    /// while, and nothing waits for it here.
    pub(super) async fn examine(&mut self, answer: impl FnOnce(Reply) + Send + 'static) {
        let mut findings = self.check().await;
        let (devices, known, node) = (self.store.devices.clone(), self.devices.here.clone(), self.role());
        ground::spawn(async move {
            let found = all(&devices).await;
            note(&known, found.clone());
            findings.extend(found.into_iter().map(|Reached { name, error }| {
                let set = devices.iter().find(|set| set.name == name);
                let address = set.map(|set| set.address.to_string()).unwrap_or_default();
                Finding { node, found: Found::Device { name, address, error } }
            }));
            answer(Reply::Checked { findings });
        });
    }
}
