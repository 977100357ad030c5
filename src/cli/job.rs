//! Has the service begin an operation, and waits for its end. It goes on where nobody waits any more.

use std::io::{self, IsTerminal, Write};

use super::Around;
use super::exit::Failure;
use super::status::connect;
use crate::service::status::{Operation, OperationState};
use crate::service::{Command, Reply, Status};
use crate::words::figures;

/// Has `command` begun and waits for its end; how far it is is said by `going`, where somebody looks. Returns how it stands
/// then, and the operation.
pub async fn done(
    around: &Around,
    command: &Command,
    going: Option<&str>,
) -> Result<(Box<Status>, Operation), Failure> {
    let mut client = connect(around)?;
    let operation = match client.ask(command).await? {
        Reply::Running { operation } => operation,
        Reply::Refused { why } => return Err(Failure::not_done(&around.words, &why)),
        Reply::Status(_) | Reply::Done | Reply::Code { .. } | Reply::Checked { .. } => {
            return Err(Failure::failed(around.words.say("cli-not-begun")));
        }
    };
    client.say(&Command::Watch).await?;
    let going = going.filter(|_| io::stderr().is_terminal());
    while let Some(reply) = client.hear().await? {
        let Reply::Status(status) = reply else { continue };
        let Some(now) = status.operation.clone().filter(|now| now.id == operation) else { continue };
        match going {
            Some(going) if now.state == OperationState::Running => progress(around, &now, going)?,
            _ if now.state == OperationState::Running => {}
            going => {
                if going.is_some() {
                    eprint!("\r\x1b[K");
                }
                return Ok((status, now));
            }
        }
    }
    Err(Failure::failed(around.words.say("cli-service-ended")))
}

fn progress(around: &Around, now: &Operation, going: &str) -> io::Result<()> {
    let percent = (now.done_bytes * 100).checked_div(now.total_bytes).unwrap_or(0).min(100);
    let size = figures::bytes(&around.words, now.total_bytes);
    let args = [("percent", percent.to_string().into()), ("size", size.into())];
    let mut out = io::stderr();
    write!(out, "\r\x1b[K{}", around.words.with(going, &args))?;
    out.flush()
}
