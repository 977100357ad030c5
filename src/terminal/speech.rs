//! What a machine and a terminal say to each other, once they have greeted each other. Each sentence is whole: who hears one
//! needs none before it. What a later version adds is passed over.

use std::io;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncRead;

use crate::config::revision::Revision;
use crate::link::identity::MachineId;
use crate::link::proof::Proof;
use crate::link::speech::hear_bytes;
use crate::pair::{Epoch, Node};

/// What a machine says to a terminal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "said")]
pub enum Said {
    /// How it stands: at once after each change, and once a second.
    Here(Here),
    /// The configuration that counts; said by the machine that serves.
    Configured {
        /// It.
        revision: Revision,
        /// The keys of the two machines.
        machines: Machines,
    },
    /// Something for the people at the terminal.
    Message(Message),
    /// Something that this version does not know; never said.
    #[serde(skip)]
    Unknown,
}

/// How a machine stands.
// Each of them may be so with or without the others.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Here {
    /// The highest epoch that it has seen.
    pub epoch: Epoch,
    /// The proof of it, where the terminal has not seen that epoch yet.
    #[serde(default)]
    pub proof: Option<Proof>,
    /// It is the server of that epoch.
    pub serves: bool,
    /// Its POS server answers.
    pub ready: bool,
    /// Its POS server is about to stand still, or does, so that its place can be given away.
    pub frozen: bool,
    /// The other machine is heard by it.
    pub hears_other: bool,
    /// The number of the last vote that it has heard.
    #[serde(default)]
    pub echo: u64,
    /// The number of the configuration that it has.
    #[serde(default)]
    pub revision: u64,
}

/// The keys of the two machines, by what they were set up as.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Machines {
    /// That of the machine that was set up as main.
    pub main: Option<MachineId>,
    /// That of the machine that was set up as backup.
    pub backup: Option<MachineId>,
}

/// Something for the people at the terminals.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Message {
    /// Its number; each is shown once.
    pub number: u64,
    /// The text.
    pub text: String,
    /// Who wrote it.
    pub by: String,
}

/// What a terminal says to a machine.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "told")]
pub enum Told {
    /// What it sees: once a second, and at once after each change.
    Vote(Box<Vote>),
    /// Something that this version does not know; never said.
    #[serde(skip)]
    Unknown,
}

/// What a terminal sees.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Vote {
    /// Counts the votes on this connection.
    pub number: u64,
    /// The highest epoch that it has seen.
    pub epoch: Epoch,
    /// The highest epoch that it knows again after a restart.
    #[serde(default)]
    pub stored: Epoch,
    /// The highest epoch in which it has heard its server itself since its agent began; 0: in none.
    #[serde(default)]
    pub served: Epoch,
    /// The proof of it, where the machine has not seen that epoch yet.
    #[serde(default)]
    pub proof: Option<Proof>,
    /// The machine that was set up as main.
    pub main: Sight,
    /// The machine that was set up as backup.
    pub backup: Sight,
    /// Connections of POS programs that are open.
    pub connections: u64,
    /// Milliseconds from the change of server until the POS server could be reached from here, where that is known.
    #[serde(default)]
    pub took_ms: Option<u64>,
    /// The last number that the till has seen confirmed.
    #[serde(default)]
    pub receipt: Option<Receipt>,
    /// Ports at which it cannot listen, and why not.
    #[serde(default)]
    pub shut: Vec<Shut>,
    /// The version of the program.
    pub version: String,
    /// The number of its configuration.
    #[serde(default)]
    pub revision: u64,
}

/// What a terminal sees of one machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Sight {
    /// The machine hears this terminal, and is heard.
    pub reached: bool,
    /// Milliseconds since it was heard.
    pub heard_ago_ms: Option<u64>,
    /// Milliseconds since when it is called in vain, where there is no connection.
    #[serde(default)]
    pub missed_ms: Option<u64>,
    /// Microseconds there and back.
    pub round_trip_us: Option<u64>,
    /// The epoch that it says.
    pub epoch: Option<Epoch>,
    /// Milliseconds since its POS server was seen to answer.
    pub answered_ago_ms: Option<u64>,
}

/// The last number that a till has seen confirmed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// As it stands there.
    pub number: String,
    /// When it was seen first, in milliseconds since 1970.
    pub at_ms: i64,
}

/// A port at which a terminal cannot listen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shut {
    /// The port.
    pub port: u16,
    /// What the system said.
    pub why: String,
}

/// Letters of a receipt's number, at the most.
pub const NUMBER: usize = 64;
/// Ports of which it is told that they are shut, at the most.
const SHUT: usize = 16;

impl Vote {
    /// Cuts off what is longer than anybody needs: a terminal must not fill what is said of it.
    pub fn be_brief(&mut self) {
        self.shut.truncate(SHUT);
        self.receipt = self.receipt.take().filter(|receipt| receipt.number.chars().count() <= NUMBER);
        self.version = self.version.chars().take(NUMBER).collect();
    }

    /// What it sees of `node`.
    #[must_use]
    pub fn of(&self, node: Node) -> &Sight {
        match node {
            Node::Main => &self.main,
            Node::Backup => &self.backup,
        }
    }
}

impl Machines {
    /// The key of `node`.
    #[must_use]
    pub fn of(&self, node: Node) -> Option<MachineId> {
        match node {
            Node::Main => self.main,
            Node::Backup => self.backup,
        }
    }
}

/// Hears a sentence of a machine.
pub async fn hear_said(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Said> {
    let bytes = hear_bytes(stream).await?;
    read(&bytes, Said::Unknown)
}

/// Hears a sentence of a terminal.
pub async fn hear_told(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Told> {
    let bytes = hear_bytes(stream).await?;
    read(&bytes, Told::Unknown)
}

/// Reads a sentence. An object of a later version is `unknown`; anything else is garbage.
fn read<T: for<'d> Deserialize<'d>>(bytes: &[u8], unknown: T) -> io::Result<T> {
    serde_json::from_slice(bytes).or_else(|_| {
        let _: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes)?;
        Ok(unknown)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_of_a_later_version_is_passed_over_and_garbage_is_not() {
        let said = |text: &str| read(text.as_bytes(), Said::Unknown);
        assert_eq!(said(r#"{"said":"moon","phase":3}"#).unwrap(), Said::Unknown);
        let message = Message { number: 7, text: "Tea".into(), by: "ana".into() };
        let later = r#"{"said":"message","number":7,"text":"Tea","by":"ana","louder":true}"#;
        assert_eq!(said(later).unwrap(), Said::Message(message));
        assert!(said("[]").is_err() && said("7").is_err() && said("{").is_err());
        let vote = Told::Vote(Box::default());
        let text = serde_json::to_string(&vote).unwrap();
        assert_eq!(read(text.as_bytes(), Told::Unknown).unwrap(), vote);
    }
}
