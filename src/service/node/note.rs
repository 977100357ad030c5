//! What the services of the two machines have to say to each other, beside the copy itself.

use std::io;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};

use super::devices::Reached;
use crate::config::revision::Revision;
use crate::link::proof::Proof;
use crate::link::speech::{hear_bytes, say};
use crate::pair::{Duty, Epoch};
use crate::service::command::{Command, Reply};
use crate::service::event::What;
use crate::service::status::{Maintenance, Numbered, Operation, Server, Status};
use crate::service::terminals::registry::Entry;

/// What one service says to the other.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "note")]
pub enum Note {
    /// Said first, and again after each change: what this machine does.
    Here {
        /// What it does.
        duty: Duty,
        /// The highest epoch that it has seen.
        epoch: Epoch,
        /// Generations before that.
        start: u64,
        /// The proof of that epoch, where it has one.
        #[serde(default)]
        proof: Option<Proof>,
        /// Its POS server program.
        server: Server,
        /// The version of its program.
        version: String,
        /// That of its POS server program, where it says one.
        #[serde(default)]
        server_version: Option<String>,
        /// Its clock, in milliseconds since 1970.
        clock_ms: i64,
        /// It counts on the orderly end of who hears this, or has not noted yet that it does not any more: after a restart it may
        /// serve alone.
        #[serde(default)]
        counts: bool,
        /// The numbers that it has set at its last starts: a server does not say how it stands.
        #[serde(default)]
        numbered: Vec<Numbered>,
    },
    /// The configuration that counts; said by the machine that serves.
    Configured(Revision),
    /// How the mirror stands; said by the machine that mirrors, after each change.
    Standing(Box<Status>),
    /// How a change of server stands that this machine does; said by that one, after each step.
    Operation(Box<Operation>),
    /// Somebody has done this on the machine that says so: both diaries have it.
    Done {
        /// Who.
        by: String,
        /// What.
        what: Box<What>,
    },
    /// Do this, which only the machine that mirrors can.
    Ask {
        /// A number that its answer bears.
        number: u64,
        /// What.
        command: Command,
    },
    /// What came of it.
    Answer {
        /// Which request.
        number: u64,
        /// What came of it.
        reply: Reply,
    },
    /// The other machine is to serve from now on.
    Grant {
        /// In this epoch, its own.
        to: Epoch,
        /// After this generation.
        at: u64,
    },
    /// This machine ends in order.
    Goodbye {
        /// The highest epoch that it has seen.
        epoch: Epoch,
    },
    /// Which terminals have joined; said first, and again after each change.
    Terminals {
        /// All that were ever written down.
        entries: Vec<Entry>,
    },
    /// Which of the devices this machine reaches; said first, and again after each change.
    Devices {
        /// Each.
        reached: Vec<Reached>,
    },
    /// Nobody is called, or people are called again.
    Maintenance(Maintenance),
    /// Still there.
    Ping,
    /// Something that this version does not know; never said.
    #[serde(skip)]
    Unknown {
        /// The number of the request, where it asks for something.
        asks: Option<u64>,
    },
}

/// What tells a note that is not known from one that is asked.
#[derive(Deserialize)]
struct Head {
    note: String,
    #[serde(default)]
    number: Option<u64>,
}

impl Note {
    /// Reads a note. One of a later version is none that breaks anything off: it is [`Note::Unknown`].
    fn read(said: &[u8]) -> io::Result<Self> {
        serde_json::from_slice(said).or_else(|_| {
            let Head { note, number } = serde_json::from_slice(said)?;
            Ok(Self::Unknown { asks: number.filter(|_| note == "ask") })
        })
    }
}

/// Notes that wait to be said.
pub const WAITING: usize = 64;

/// Hears notes and hands them on, until the connection ends.
pub async fn read(mut stream: impl AsyncRead + Unpin, heard: mpsc::Sender<Note>) -> io::Result<()> {
    loop {
        let note = Note::read(&hear_bytes(&mut stream).await?)?;
        if heard.send(note).await.is_err() {
            return Ok(());
        }
    }
}

/// Says notes until there are no more; and how the mirror stands, each time as it is when there is room on the line for that.
pub async fn write(
    mut stream: impl AsyncWrite + Unpin,
    mut notes: mpsc::Receiver<Note>,
    mut standing: watch::Receiver<Option<Box<Status>>>,
) -> io::Result<()> {
    loop {
        let note = tokio::select! {
            biased;
            note = notes.recv() => note,
            Ok(()) = standing.changed() => standing.borrow_and_update().clone().map(Note::Standing),
        };
        let Some(note) = note else { return Ok(()) };
        say(&mut stream, &note).await?;
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::link::speech::hear;
    use crate::pair::{Node, Pair};
    use crate::service::book::Book;
    use crate::service::status::Folders;

    fn standing(seq: u64) -> Box<Status> {
        let mut status = Book::new("pos", Folders::default()).status(&Pair::new(Node::Backup), Timestamp::UNIX_EPOCH);
        status.mirror.position.seq = seq;
        Box::new(status)
    }

    #[test]
    fn a_note_of_a_later_version_is_passed_over_and_garbage_is_not() {
        let read = |said: &str| Note::read(said.as_bytes());
        assert_eq!(read(r#"{"note":"moon","phase":3}"#).unwrap(), Note::Unknown { asks: None });
        let asked = r#"{"note":"ask","number":9,"command":{"command":"fly","by":"ana"}}"#;
        assert_eq!(read(asked).unwrap(), Note::Unknown { asks: Some(9) });
        assert_eq!(
            read(r#"{"note":"answer","number":9,"reply":{"reply":"maybe"}}"#).unwrap(),
            Note::Unknown { asks: None }
        );
        assert_eq!(read(r#"{"note":"ping","louder":true}"#).unwrap(), Note::Ping, "a field that is not known");
        assert!(read("[]").is_err() && read("{}").is_err() && read("{").is_err());
    }

    #[test]
    fn of_a_status_of_a_later_version_what_is_known_is_taken() {
        let Note::Standing(before) = Note::Standing(standing(7)) else { panic!() };
        let mut said = serde_json::to_value(Note::Standing(before.clone())).unwrap();
        said["alarms"] = serde_json::json!([{ "code": "MIR-999", "trouble": "moon", "since": before.at }]);
        said["operation"] = serde_json::json!({ "kind": "fly" });
        said["moon"] = serde_json::json!(3);
        let Note::Standing(read) = Note::read(said.to_string().as_bytes()).unwrap() else { panic!("{said}") };
        assert_eq!(read, before);
    }

    #[tokio::test]
    async fn on_a_slow_line_only_how_it_stands_now_is_said() {
        // Room for less than one.
        let (line, mut other) = tokio::io::duplex(200);
        let (notes, taken) = mpsc::channel(WAITING);
        let (stand, stands) = watch::channel(None);
        tokio::spawn(write(line, taken, stands));
        for seq in 1..=100 {
            stand.send_replace(Some(standing(seq)));
            tokio::task::yield_now().await;
        }
        notes.send(Note::Ping).await.unwrap();
        let mut said = vec![];
        for _ in 0..3 {
            said.push(hear::<Note>(&mut other).await.unwrap());
        }
        assert_eq!(said, [Note::Standing(standing(1)), Note::Ping, Note::Standing(standing(100))]);
    }
}
