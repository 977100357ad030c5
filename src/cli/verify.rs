//! `espejo verify`: compare every byte of both sides by hash.

use std::io::{self, IsTerminal, Write};

use super::Around;
use super::exit::{Exit, Failure};
use super::status::connect;
use crate::service::event::What;
use crate::service::status::{Operation, OperationState};
use crate::service::{Command, Reply, Status};
use crate::words::{figures, told};

/// Has every byte compared and waits for the end.
pub async fn run(around: &Around, json: bool) -> Result<Exit, Failure> {
    let mut client = connect(around)?;
    let operation = match client.ask(&Command::Verify { by: by() }).await? {
        Reply::Running { operation } => operation,
        Reply::Refused { why } => return Err(Failure::refused(why)),
        Reply::Status(_) | Reply::Done | Reply::Code { .. } | Reply::Checked { .. } => {
            return Err(Failure::failed("the service did not begin to compare"));
        }
    };
    client.say(&Command::Watch).await?;
    let bar = io::stderr().is_terminal() && !json;
    while let Some(reply) = client.hear().await? {
        let Reply::Status(status) = reply else { continue };
        let Some(now) = status.operation.as_ref().filter(|now| now.id == operation) else { continue };
        if now.state == OperationState::Running {
            if bar {
                progress(around, now)?;
            }
            continue;
        }
        if bar {
            eprint!("\r\x1b[K");
        }
        return finish(around, &status, now, json);
    }
    Err(Failure::failed(around.words.say("cli-service-ended")))
}

fn progress(around: &Around, now: &Operation) -> io::Result<()> {
    let percent = (now.done_bytes * 100).checked_div(now.total_bytes).unwrap_or(0).min(100);
    let size = figures::bytes(&around.words, now.total_bytes);
    let args = [("percent", percent.to_string().into()), ("size", size.into())];
    let mut out = io::stderr();
    write!(out, "\r\x1b[K{}", around.words.with("cli-comparing", &args))?;
    out.flush()
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

/// Who asks, for the record.
#[must_use]
pub fn by() -> String {
    let user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_else(|_| "?".to_owned());
    let via = if std::env::var_os("SSH_CONNECTION").is_some() { "ssh" } else { "console" };
    format!("{user} ({via})")
}
