//! `espejo verify`: compare every byte of both sides by hash.

use std::io::{self, Write};

use super::exit::{Exit, Failure};
use super::{Around, by, job};
use crate::service::event::What;
use crate::service::status::{Operation, OperationState};
use crate::service::{Command, Status};
use crate::words::told;

/// Has every byte compared and waits for the end.
pub async fn run(around: &Around, json: bool) -> Result<Exit, Failure> {
    let going = (!json).then_some("cli-comparing");
    let (status, operation) = job::done(around, &Command::Verify { by: by() }, going).await?;
    finish(around, &status, &operation, json)
}

fn finish(around: &Around, status: &Status, now: &Operation, json: bool) -> Result<Exit, Failure> {
    let last = status.events.iter().rev().map(|event| &event.what).find(|what| matches!(what, What::Verified { .. }));
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &last).map_err(io::Error::from)?;
        writeln!(out)?;
    } else if let Some(what) = last {
        for strange in status.events.iter().map(|event| &event.what).filter(|what| matches!(what, What::Strange { .. }))
        {
            writeln!(out, "{}", told::event(&around.words, strange))?;
        }
        writeln!(out, "{}", told::event(&around.words, what))?;
    }
    match now.state {
        OperationState::Done => Ok(Exit::Done),
        _ => Err(Failure::failed(around.words.say("cli-differed"))),
    }
}
