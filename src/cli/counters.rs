//! `espejo counters`: numbers that must never be given twice, where they stand, and which ones may have been given out.

use std::io::{self, Write};

use super::exit::{Exit, Failure};
use super::status::connect;
use super::turn::names;
use super::{Around, by};
use crate::service::status::{CounterStatus, Numbered, PeerState};
use crate::service::{Command, Reply, Status};
use crate::words::numbers;

/// What is shown, or done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// Where each stands, and what was set.
    List,
    /// The same, for programs.
    Json,
    /// A page for who asks later why numbers are missing.
    Certificate,
    /// A person has set by hand what could not be set.
    Set,
}

/// Shows the counters, or says that they were set by hand.
pub async fn run(around: &Around, shown: Shown) -> Result<Exit, Failure> {
    let words = &around.words;
    let mut client = connect(around).await?;
    let command = if shown == Shown::Set { Command::NumbersSet { by: by() } } else { Command::Status };
    let status = match client.ask(&command).await? {
        Reply::Status(status) => status,
        Reply::Done => {
            writeln!(io::stdout(), "{}", words.say("cli-numbers-set"))?;
            return Ok(Exit::Done);
        }
        Reply::Refused { why } => return Err(Failure::not_done(words, &why)),
        _ => return Err(Failure::failed(words.say("cli-strange"))),
    };
    let Status { counters, numbered, .. } = &*status;
    let mut out = io::stdout().lock();
    match shown {
        Shown::Json => {
            let all = serde_json::json!({ "counters": counters, "numbered": numbered });
            serde_json::to_writer(&mut out, &all).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        // Nothing is no proof of nothing where the one that would know is not heard.
        Shown::Certificate if numbered.is_empty() && status.peer.state != PeerState::Healthy => {
            let (_, other) = names(&status);
            return Err(Failure::refused(vec![words.with("certificate-unheard", &[("name", other.into())])]));
        }
        Shown::Certificate => print(&mut out, &numbers::certificate(words, &status))?,
        Shown::List | Shown::Set => list(around, counters, numbered, &mut out)?,
    }
    Ok(Exit::Done)
}

fn list(around: &Around, counters: &[CounterStatus], numbered: &[Numbered], out: &mut dyn Write) -> io::Result<()> {
    let words = &around.words;
    if counters.is_empty() && numbered.is_empty() {
        return writeln!(out, "{}", words.say("counters-none"));
    }
    let stand = counters.iter().map(|counter| numbers::stands(words, counter));
    let set =
        numbered.iter().flat_map(|one| [vec![numbers::was_set(words, one)], numbers::became(words, one)].concat());
    print(out, &stand.chain(set).collect::<Vec<_>>())
}

fn print(out: &mut dyn Write, lines: &[String]) -> io::Result<()> {
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}
