//! `espejo drill`: whether the POS server would start here. `espejo rehearse`: the process in which that is tried.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use super::exit::{Exit, Failure};
use super::parts::RehearseArgs;
use super::status::connect;
use super::{Around, by, job};
use crate::service::rehearsal::Rehearsal;
use crate::service::status::{Operation, OperationKind, OperationState};
use crate::service::{Command, Reply};
use crate::words::{self, figures};

/// Has a drill held, and waits for its end.
pub async fn run(around: &Around, json: bool) -> Result<Exit, Failure> {
    let words = &around.words;
    let mut client = connect(around).await?;
    let id = match client.ask(&Command::Drill { by: by() }).await? {
        Reply::Running { operation } => operation,
        Reply::Refused { why } => return Err(Failure::not_done(words, &why)),
        _ => return Err(Failure::failed(words.say("cli-strange"))),
    };
    let (shows, on_terminal, mut said) = (!json, io::stderr().is_terminal(), None);
    let (_, ended) = job::follow(around, &mut client, (OperationKind::Drill, id), &mut |_, now| {
        if shows && said != now.at() {
            said = now.at();
            let step = now.at().map(|step| words::plan::step(words, step, "")).unwrap_or_default();
            let (before, after) = if on_terminal { ("\r\x1b[K", "") } else { ("", "\n") };
            write!(io::stderr(), "{before}{step}{after}")?;
            io::stderr().flush()?;
        }
        if shows && on_terminal && now.state != OperationState::Running {
            write!(io::stderr(), "\r\x1b[K")
        } else {
            Ok(())
        }
    })
    .await?;
    finish(around, &ended, json)
}

fn finish(around: &Around, ended: &Operation, json: bool) -> Result<Exit, Failure> {
    let words = &around.words;
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, ended).map_err(io::Error::from)?;
        writeln!(out)?;
    }
    if ended.state != OperationState::Done {
        return Err(Failure::failed(words::operation::why_not(words, ended).join("\n")));
    }
    if !json {
        let ready = figures::span(words, ended.ready_ms.unwrap_or(0));
        writeln!(out, "{}", words.with("cli-drilled", &[("ready", ready.into())]))?;
    }
    Ok(Exit::Done)
}

/// Holds a rehearsal in this process, for the service.
pub fn rehearse(home: PathBuf, RehearseArgs { place, copy, apart }: RehearseArgs) -> Result<Exit, Failure> {
    let copies = copy.chunks(2).filter_map(|pair| Some((pair.first()?.clone(), pair.get(1)?.into()))).collect();
    Rehearsal { home, place, copies, apart }.hold(io::stdin(), io::stdout())?;
    Ok(Exit::Done)
}
