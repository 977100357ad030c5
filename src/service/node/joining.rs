//! Another machine joins: it shows that it knows the code, and receives the store's configuration.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};

use super::meet;
use crate::config::revision::Revision;
use crate::link::greeting::Refusal;
use crate::link::identity::MachineId;
use crate::link::join::{self, Code, Ends, JoinError, TRIES};
use crate::link::proof::StoreId;
use crate::link::speech::{hear, say};
use crate::link::tls::Secure;
use crate::pair::{Node, Record};
pub use crate::terminal::known::Pass;

/// How long a code is good.
pub const GOOD: Duration = Duration::from_secs(15 * 60);
/// How long a machine that joins may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A code that is open.
#[derive(Debug)]
pub struct Invite {
    guest: Guest,
    code: Code,
    until: Instant,
    tries: u32,
}

/// Who is invited.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Guest {
    /// The machine that this one is not.
    Machine,
    /// A terminal of this name.
    Terminal(String),
}

/// Who came in.
pub struct Joined {
    /// The connection.
    pub secure: Secure,
    /// Its key.
    pub peer: MachineId,
    /// As whom it was invited.
    pub guest: Guest,
}

/// What whoever joined receives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Given {
    /// It is a terminal from now on.
    Terminal(Box<Pass>),
    /// It is the other machine from now on.
    Machine(Box<Handover>),
}

/// What a machine that joined receives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Handover {
    /// Which machine it is from now on, as if it had been set up so.
    pub node: Node,
    /// The store's configuration.
    pub revision: Revision,
    /// Which store it is.
    #[serde(default)]
    pub store: Option<StoreId>,
    /// What it has seen from now on, where it knew of no store before.
    #[serde(default)]
    pub record: Option<Record>,
}

/// What it says when it has saved that.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// It has saved all of it.
    Saved,
    /// So has the other side.
    Joined,
}

impl Invite {
    /// A new one with `code`.
    #[must_use]
    pub fn new(guest: Guest, code: Code, now: Instant) -> Self {
        Self { guest, code, until: now + GOOD, tries: TRIES }
    }

    /// The code, if another guess may be made now; that is one spent.
    pub fn guess(&mut self, now: Instant) -> Option<(Guest, Code)> {
        if now >= self.until || self.tries == 0 {
            return None;
        }
        self.tries -= 1;
        Some((self.guest.clone(), self.code.clone()))
    }

    /// Whether it is for this guest.
    #[must_use]
    pub fn is_for(&self, guest: &Guest) -> bool {
        self.guest == *guest
    }

    /// Who asked did not guess: it broke off, and spends nothing.
    pub fn give_back(&mut self) {
        self.tries += 1;
    }
}

/// Lets a machine in that knows the code. Returns who it is, once it has saved what it received.
pub async fn let_in(
    mut secure: Secure,
    own: MachineId,
    (guest, code): (Guest, Code),
    given: Given,
) -> Result<Joined, JoinError> {
    let late = |_| JoinError::Io(io::ErrorKind::TimedOut.into());
    let let_in = async {
        meet::answer(&mut secure, None).await?;
        let ends = Ends { asking: secure.peer, asked: own, secret: secure.secret };
        join::answer(&mut secure.stream, &ends, &code).await?;
        say(&mut secure.stream, &given).await?;
        match hear(&mut secure.stream).await? {
            Word::Saved => Ok(()),
            Word::Joined => Err(JoinError::Io(io::ErrorKind::InvalidData.into())),
        }
    };
    timeout(PATIENCE, let_in).await.map_err(late)??;
    let peer = secure.peer;
    Ok(Joined { secure, peer, guest })
}

/// Says to a machine that joined that this one has saved it, too.
pub async fn welcome(mut secure: Secure) {
    let _ = timeout(PATIENCE, say(&mut secure.stream, &Word::Joined)).await;
    // It hangs up; what was said must not be cut off.
    let _ = timeout(PATIENCE, hear::<Word>(&mut secure.stream)).await;
}

/// Turns a machine away: no code is open.
pub async fn turn_away(mut secure: Secure) {
    let _ = timeout(PATIENCE, meet::answer(&mut secure, Some(Refusal::NoCode))).await;
}

/// Asks to join on a connection that was welcomed. `save` keeps what is received.
pub async fn ask<E: From<JoinError>>(
    secure: &mut Secure,
    own: MachineId,
    code: &Code,
    save: impl AsyncFnOnce(Given) -> Result<(), E>,
) -> Result<(), E> {
    let ends = Ends { asking: own, asked: secure.peer, secret: secure.secret };
    join::ask(&mut secure.stream, &ends, code).await?;
    let given = hear(&mut secure.stream).await.map_err(JoinError::Io)?;
    save(given).await?;
    say(&mut secure.stream, &Word::Saved).await.map_err(JoinError::Io)?;
    match hear(&mut secure.stream).await.map_err(JoinError::Io)? {
        Word::Joined => Ok(()),
        Word::Saved => Err(JoinError::Io(io::ErrorKind::InvalidData.into()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_bears_three_guesses_within_a_quarter_of_an_hour() {
        let now = Instant::now();
        let code: Code = "K7F-3QX".parse().unwrap();
        let invite = |code: &Code| Invite::new(Guest::Machine, code.clone(), now);
        let mut one = invite(&code);
        assert!(one.guess(now).is_some() && one.guess(now).is_some());
        one.give_back();
        assert!(one.guess(now).is_some() && one.guess(now).is_some() && one.guess(now).is_none());
        assert!(invite(&code).guess(now + GOOD).is_none());
        assert!(invite(&code).guess(now + GOOD / 2).is_some());
    }
}
