//! What the services of the two machines have to say to each other, beside the copy itself.

use std::io;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use crate::config::revision::Revision;
use crate::link::speech::{hear, say};
use crate::pair::{Duty, Epoch};
use crate::service::command::{Command, Reply};
use crate::service::status::{Server, Status};

/// What one service says to the other.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "note")]
pub enum Note {
    /// Said first, and again after each change: what this machine does.
    Here {
        /// What it does.
        duty: Duty,
        /// The epoch that it knows.
        epoch: Epoch,
        /// Its POS server program.
        server: Server,
        /// The version of its program.
        version: String,
        /// Its clock, in milliseconds since 1970.
        clock_ms: i64,
    },
    /// The configuration that counts; said by the machine that serves.
    Configured(Revision),
    /// How the mirror stands; said by the machine that mirrors, after each change.
    Standing(Box<Status>),
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
    /// Still there.
    Ping,
}

/// Notes that wait to be said.
pub const WAITING: usize = 64;

/// Hears notes and hands them on, until the connection ends.
pub async fn read(mut stream: impl AsyncRead + Unpin, heard: mpsc::Sender<Note>) -> io::Result<()> {
    loop {
        let note = hear(&mut stream).await?;
        if heard.send(note).await.is_err() {
            return Ok(());
        }
    }
}

/// Says notes until there are no more.
pub async fn write(mut stream: impl AsyncWrite + Unpin, mut notes: mpsc::Receiver<Note>) -> io::Result<()> {
    while let Some(note) = notes.recv().await {
        say(&mut stream, &note).await?;
    }
    Ok(())
}
