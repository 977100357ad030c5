//! `espejo verify`: compare every byte of both sides by hash.

use std::io::{self, Write};

use super::exit::{Exit, Failure};
use super::{Around, by, job};
use crate::service::event::What;
use crate::service::status::{Operation, OperationState};
use crate::service::{Command, Status};
use crate::words::{self, told};

/// Has every byte compared and waits for the end.
pub async fn run(around: &Around, json: bool) -> Result<Exit, Failure> {
    let going = (!json).then_some(job::Going { bar: "cli-comparing", begins: "cli-comparing-begins" });
    let (status, operation) = job::done(around, &Command::Verify { by: by() }, going).await?;
    finish(around, &status, &operation, json)
}

fn finish(around: &Around, status: &Status, now: &Operation, json: bool) -> Result<Exit, Failure> {
    // What was found before is of no matter here, and what each dataset found is one.
    let found = || status.events.iter().filter(|event| event.at >= now.started_at).map(|event| &event.what);
    let joined = found().fold(None, |joined, what| match (joined, what) {
        (None, What::Verified { files, bytes, differed }) => Some((*files, *bytes, *differed)),
        (Some((a, b, c)), What::Verified { files, bytes, differed }) => Some((a + files, b + bytes, c + differed)),
        (joined, _) => joined,
    });
    let last = joined.map(|(files, bytes, differed)| What::Verified { files, bytes, differed });
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &last).map_err(io::Error::from)?;
        writeln!(out)?;
    } else if let Some(what) = &last {
        for strange in found().filter(|what| matches!(what, What::Strange { .. })) {
            writeln!(out, "{}", told::event(&around.words, strange))?;
        }
        writeln!(out, "{}", told::event(&around.words, what))?;
    }
    match now.state {
        OperationState::Done => Ok(Exit::Done),
        _ if now.why_not.iter().all(|why| why.starts_with("differed")) => {
            Err(Failure::failed(around.words.say("cli-differed")))
        }
        _ => Err(Failure::failed(words::operation::why_not(&around.words, now).join("\n"))),
    }
}
