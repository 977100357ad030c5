//! Has the service begin an operation, and waits for its end. It goes on where nobody waits any more.

use std::io::{self, IsTerminal, Write};

use super::Around;
use super::exit::Failure;
use super::status::connect;
use crate::service::control::Client;
use crate::service::status::{Operation, OperationKind, OperationState};
use crate::service::{Command, Reply, Status};
use crate::words::figures;

/// What is said while it goes on: on a terminal with a bar, elsewhere once.
#[derive(Clone, Copy)]
pub struct Going<'k> {
    /// The key of the words around the bar.
    pub bar: &'k str,
    /// The key of what is said once.
    pub begins: &'k str,
}

/// Characters of a bar.
const BAR: usize = 20;

/// Has `command` begun and waits for its end; how far it is is said by `going`, where somebody looks. Returns how it stands
/// then, and the operation.
pub async fn done(
    around: &Around,
    command: &Command,
    going: Option<Going<'_>>,
) -> Result<(Box<Status>, Operation), Failure> {
    let mut client = connect(around).await?;
    let operation = match client.ask(command).await? {
        Reply::Running { operation } => operation,
        Reply::Refused { why } => return Err(Failure::not_done(&around.words, &why)),
        Reply::Status(_) | Reply::Who { .. } | Reply::Done | Reply::Code { .. } | Reply::Checked { .. } => {
            return Err(Failure::failed(around.words.say("cli-not-begun")));
        }
    };
    if let Some(going) = going.filter(|_| !io::stderr().is_terminal()) {
        writeln!(io::stderr(), "{}", around.words.say(going.begins))?;
    }
    let going = going.filter(|_| io::stderr().is_terminal()).map(|going| going.bar);
    let kind = if matches!(command, Command::Verify { .. }) { OperationKind::Verify } else { OperationKind::Reseed };
    follow(around, &mut client, (kind, operation), &mut |_, now| match going {
        Some(going) if now.state == OperationState::Running => progress(around, now, going),
        Some(_) => write!(io::stderr(), "\r\x1b[K"),
        None => Ok(()),
    })
    .await
}

/// Waits for the end of an operation; each time that something is heard of it, `heard` is called. Returns how it stands then.
pub async fn follow(
    around: &Around,
    client: &mut Client,
    (kind, id): (OperationKind, u64),
    heard: &mut dyn FnMut(&Status, &Operation) -> io::Result<()>,
) -> Result<(Box<Status>, Operation), Failure> {
    client.say(&Command::Watch).await?;
    while let Some(reply) = client.hear().await? {
        let Reply::Status(status) = reply else { continue };
        let shown = status.operation.iter().chain(status.history.iter().rev());
        let Some(now) = shown.clone().find(|now| (now.kind, now.id) == (kind, id)).cloned() else { continue };
        heard(&status, &now)?;
        if now.state != OperationState::Running {
            return Ok((status, now));
        }
    }
    Err(Failure::failed(around.words.say("cli-service-ended")))
}

fn progress(around: &Around, now: &Operation, going: &str) -> io::Result<()> {
    let percent = (now.done_bytes * 100).checked_div(now.total_bytes).unwrap_or(0).min(100);
    let size = figures::bytes(&around.words, now.total_bytes);
    let done = usize::try_from(percent).unwrap_or(0) * BAR / 100;
    let bar = format!("[{}{}]", "#".repeat(done), ".".repeat(BAR - done));
    let args = [("bar", bar.into()), ("percent", percent.to_string().into()), ("size", size.into())];
    let mut out = io::stderr();
    write!(out, "\r\x1b[K{}", around.words.with(going, &args))?;
    out.flush()
}
