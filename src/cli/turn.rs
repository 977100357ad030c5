//! `espejo promote`, `return`, `start`: changes of server.

use std::io::{self, BufRead, IsTerminal, Write};

use super::Around;
use super::exit::{Exit, Failure};
use super::status::connect;
use super::verify::by;
use crate::pair::{Duty, Node};
use crate::service::refusal::WhyNot;
use crate::service::{Command, Reply, Status};

/// Starts the backup server: this machine serves from now on.
pub async fn promote(around: &Around, yes: bool, accept_loss: bool, reason: Option<String>) -> Result<Exit, Failure> {
    let command = |yes| Command::Promote { by: by(), yes, accept_loss, reason: reason.clone() };
    let done = |status: &Status| status.duty == Duty::Serving;
    turn(around, &command, yes, "cli-promoted", &done).await
}

/// Returns to the main server, from either machine.
pub async fn back(around: &Around, reason: Option<String>) -> Result<Exit, Failure> {
    let command = |_| Command::Return { by: by(), reason: reason.clone() };
    let done = |status: &Status| {
        let serves = status.duty == Duty::Serving || status.peer.duty == Some(Duty::Serving);
        status.holder == Node::Main && serves
    };
    turn(around, &command, true, "cli-returned", &done).await
}

/// Goes on as the server that this machine was.
pub async fn start(around: &Around, yes: bool) -> Result<Exit, Failure> {
    if !yes && !sum(around)? {
        return Err(Failure::not_done(&around.words, &[WhyNot::NobodyKnows]));
    }
    let done = |status: &Status| status.duty == Duty::Serving;
    turn(around, &|_| Command::Start { by: by() }, true, "cli-started", &done).await
}

/// Asks for it, and waits until it is so. That nobody waits any more changes nothing.
async fn turn(
    around: &Around,
    command: &dyn Fn(bool) -> Command,
    yes: bool,
    said: &str,
    done: &dyn Fn(&Status) -> bool,
) -> Result<Exit, Failure> {
    let mut client = connect(around)?;
    let mut reply = client.ask(&command(yes)).await?;
    if let Reply::Refused { why } = &reply
        && *why == [WhyNot::NobodyKnows]
        && sum(around)?
    {
        reply = client.ask(&command(true)).await?;
    }
    match reply {
        Reply::Done => {}
        Reply::Refused { why } => return Err(Failure::not_done(&around.words, &why)),
        Reply::Status(_) | Reply::Running { .. } | Reply::Code { .. } | Reply::Checked { .. } => {
            return Err(Failure::failed(around.words.say("cli-strange")));
        }
    }
    client.say(&Command::Watch).await?;
    while let Some(reply) = client.hear().await? {
        if let Reply::Status(status) = reply
            && done(&status)
        {
            writeln!(io::stdout(), "{}", around.words.say(said))?;
            return Ok(Exit::Done);
        }
    }
    Err(Failure::failed(around.words.say("cli-service-ended")))
}

/// Asks a person for the sum of two numbers, where one is there: nobody types that by chance.
fn sum(around: &Around) -> io::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    let now = jiff::Timestamp::now().subsec_nanosecond().unsigned_abs();
    let (a, b) = (11 + now / 1000 % 80, 2 + now / 100_000 % 8);
    let args = [("a", a.to_string().into()), ("b", b.to_string().into())];
    eprint!("{} ", around.words.with("cli-sum", &args));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == (a + b).to_string())
}
