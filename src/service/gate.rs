//! Who comes to the control socket, and what that person may do. The system says who it is, never the caller.
//!
//! Root and the owner of the home may do everything. Others have the role that `[roles]` gives one of their groups; who comes over
//! SSH only looks, until a PIN says more. A wrong PIN costs a second, and each further one twice as long as the one before.

use std::path::{Path, PathBuf};
use std::time::Duration;

use argon2::{Argon2, PasswordHash, PasswordVerifier};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};

use super::command::Command;
use super::member::store_path;
use super::role::Role;
use crate::config::roles::{PinHash, Roles};
use crate::config::store::Store;
use crate::os::people;

/// What the first wrong PIN costs.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// What one costs at the most: whoever tries a million needs years.
const LAST_WAIT: Duration = Duration::from_secs(60);
/// PINs that wait to be looked at; who comes after them is turned away.
const WAITING: usize = 8;

/// A PIN that was typed, and where it is told what it opens.
type Tried = (String, oneshot::Sender<Option<Role>>);

/// Looks at who comes.
#[derive(Clone, Debug)]
pub struct Gate {
    home: PathBuf,
    owner: u32,
    pins: mpsc::Sender<Tried>,
}

/// Who is at the other end of a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guest {
    /// What that person may do.
    pub role: Role,
    /// The user's name as the system knows it, where what is said of it is not to be taken on trust.
    user: Option<String>,
    is_remote: bool,
    has_pin: bool,
}

impl Gate {
    /// The gate of `home`, which belongs to the user of this process.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        let (pins, tried) = mpsc::channel(WAITING);
        tokio::spawn(look_at_pins(home.to_owned(), tried));
        Self { home: home.to_owned(), owner: rustix::process::geteuid().as_raw(), pins }
    }

    /// Who is at the other end; none where that person may not even look.
    #[must_use]
    pub fn guest(&self, stream: &UnixStream) -> Option<Guest> {
        let peer = stream.peer_cred().ok()?;
        if peer.uid() == 0 || peer.uid() == self.owner {
            return Some(Guest { role: Role::Support, user: None, is_remote: false, has_pin: false });
        }
        let pid = peer.pid()?;
        let groups = people::groups(pid, peer.uid())?;
        let role = by_group(&roles(&self.home), &groups)?;
        let is_remote = people::came_by_ssh(pid);
        let user = people::user_name(peer.uid()).unwrap_or_else(|| peer.uid().to_string());
        let role = if is_remote { Role::Viewer } else { role };
        Some(Guest { role, user: Some(user), is_remote, has_pin: false })
    }

    /// What this PIN opens.
    pub async fn opens(&self, pin: String) -> Option<Role> {
        let (answer, answered) = oneshot::channel();
        self.pins.try_send((pin, answer)).ok()?;
        answered.await.ok()?
    }
}

impl Guest {
    /// A PIN has said that this person may do more.
    pub fn rise(&mut self, role: Role) {
        self.has_pin |= role > self.role;
        self.role = self.role.max(role);
    }

    /// Writes under a command who asks for it, where what is said of that is not to be taken on trust.
    pub fn sign(&self, command: &mut Command) {
        let Some(by) = command.by_mut() else { return };
        if let Some(user) = &self.user {
            // Where somebody comes from is said by nobody but the caller: it is taken for what it is worth.
            let said = by.split_once(" (ssh ").and_then(|(_, from)| from.strip_suffix(')')).filter(|_| self.is_remote);
            let via = match (self.is_remote, said) {
                (true, Some(from)) => format!("ssh {from}"),
                (true, None) => "ssh".to_owned(),
                (false, _) => "console".to_owned(),
            };
            *by = format!("{user} ({via})");
        }
        if self.has_pin {
            *by = format!("{by}, PIN: {}", self.role.name());
        }
    }
}

/// What is set now; nobody where that cannot be read.
fn roles(home: &Path) -> Roles {
    let read = std::fs::read(store_path(home)).ok();
    read.and_then(|bytes| Store::from_bytes(&bytes).ok()).map(|store| store.roles).unwrap_or_default()
}

/// The highest role that one of `groups` has.
fn by_group(roles: &Roles, groups: &[u32]) -> Option<Role> {
    let is_in = |names: &[String]| {
        names.iter().filter_map(|name| people::group_named(name)).any(|group| groups.contains(&group))
    };
    [(Role::Support, &roles.support), (Role::Operator, &roles.operator), (Role::Viewer, &roles.viewer)]
        .into_iter()
        .find(|(_, names)| is_in(names))
        .map(|(role, _)| role)
}

/// Looks at one PIN after the other.
async fn look_at_pins(home: PathBuf, mut tried: mpsc::Receiver<Tried>) {
    let mut wait = FIRST_WAIT;
    while let Some((pin, answer)) = tried.recv().await {
        let home = home.clone();
        let role = tokio::task::spawn_blocking(move || role_of(&roles(&home), &pin)).await.unwrap_or(None);
        match role {
            None => {
                tracing::warn!("a wrong PIN");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LAST_WAIT);
            }
            Some(Role::Support) => wait = FIRST_WAIT,
            // Who has a smaller one is not helped to guess the other.
            Some(Role::Operator | Role::Viewer) => {}
        }
        let _ = answer.send(role);
    }
}

fn role_of(roles: &Roles, pin: &str) -> Option<Role> {
    let is = |hash: &Option<PinHash>| {
        let hash = hash.as_ref().and_then(|hash| PasswordHash::new(hash.as_str()).ok());
        hash.is_some_and(|hash| Argon2::default().verify_password(pin.as_bytes(), &hash).is_ok())
    };
    [(Role::Support, &roles.support_pin), (Role::Operator, &roles.operator_pin)]
        .into_iter()
        .find(|(_, hash)| is(hash))
        .map(|(role, _)| role)
}
