//! `espejo reseed`: throw the copy away and take it anew.

use std::io::{self, BufRead, IsTerminal, Write};

use super::by;
use super::exit::{Exit, Failure};
use super::{Around, job};
use crate::service::Command;
use crate::service::event::What;
use crate::service::status::OperationState;
use crate::words::{figures, told};

/// Asks whether it is meant, has the copy taken anew, and waits for the end.
pub async fn run(around: &Around, yes: bool) -> Result<Exit, Failure> {
    let words = &around.words;
    if !yes && !is_meant(around)? {
        return Err(Failure::refused(vec![words.say("cli-reseed-not")]));
    }
    let going = job::Going { bar: "cli-reseeding", begins: "cli-reseeding-begins" };
    let (status, operation) = job::done(around, &Command::Reseed { by: by() }, Some(going)).await?;
    let mut out = io::stdout().lock();
    for aside in status.events.iter().filter(|event| event.at >= operation.started_at).map(|event| &event.what) {
        if let What::SetAside { .. } = aside {
            writeln!(out, "{}", told::event(words, aside))?;
        }
    }
    if operation.state != OperationState::Done {
        return Err(Failure::failed(operation.why_not.join("\n")));
    }
    let bytes: u64 = status.datasets.iter().map(|dataset| dataset.bytes).sum();
    writeln!(out, "{}", words.with("cli-reseeded", &[("size", figures::bytes(words, bytes).into())]))?;
    Ok(Exit::Done)
}

/// Asks a person, where one is there.
fn is_meant(around: &Around) -> io::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    eprint!("{} ", around.words.say("cli-reseed-ask"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case(&around.words.say("cli-yes")))
}
