//! `espejo invite`: a code with which another machine may join; or one that had joined is turned away from now on.

use std::io::{self, Write};

use super::Around;
use super::by;
use super::exit::{Exit, Failure};
use super::parts::Invited;
use super::status::connect;
use crate::pair::Node;
use crate::service::{Command, Reply};

/// Prints a code, and what to type on the other machine.
pub async fn run(around: &Around, who: Option<Invited>) -> Result<Exit, Failure> {
    let (command, name) = match who {
        Some(Invited::Main) => (Command::Invite { role: Node::Main, by: by() }, None),
        Some(Invited::Backup) | None => (Command::Invite { role: Node::Backup, by: by() }, None),
        Some(Invited::Terminal { name }) => (Command::InviteTerminal { name: name.clone(), by: by() }, Some(name)),
    };
    let mut client = connect(around).await?;
    match client.ask(&command).await? {
        Reply::Code { code, address, seconds } => {
            let minutes = seconds / 60;
            let args = [("code", code.into()), ("address", address.into()), ("minutes", minutes.into())];
            let said = match name {
                Some(name) => {
                    let [code, address, minutes] = args;
                    around.words.with("cli-invite-terminal", &[code, address, minutes, ("name", name.into())])
                }
                None => around.words.with("cli-invite", &args),
            };
            writeln!(io::stdout(), "{said}")?;
            Ok(Exit::Done)
        }
        Reply::Refused { why } => Err(Failure::not_done(&around.words, &why)),
        Reply::Status(_) | Reply::Who { .. } | Reply::Running { .. } | Reply::Done | Reply::Checked { .. } => {
            Err(Failure::failed(around.words.say("cli-strange")))
        }
    }
}

/// Has the machine `name` forgotten.
pub async fn revoke(around: &Around, name: String) -> Result<Exit, Failure> {
    let mut client = connect(around).await?;
    match client.ask(&Command::Revoke { name: name.clone(), by: by() }).await? {
        Reply::Done => {
            writeln!(io::stdout(), "{}", around.words.with("cli-revoke", &[("name", name.into())]))?;
            Ok(Exit::Done)
        }
        Reply::Refused { why } => Err(Failure::not_done(&around.words, &why)),
        Reply::Status(_) | Reply::Who { .. } | Reply::Running { .. } | Reply::Code { .. } | Reply::Checked { .. } => {
            Err(Failure::failed(around.words.say("cli-strange")))
        }
    }
}

/// Has the people at all terminals read `text`.
pub async fn message(around: &Around, text: String) -> Result<Exit, Failure> {
    let mut client = connect(around).await?;
    match client.ask(&Command::Message { text, by: by() }).await? {
        Reply::Done => {
            writeln!(io::stdout(), "{}", around.words.say("cli-message"))?;
            Ok(Exit::Done)
        }
        Reply::Refused { why } => Err(Failure::not_done(&around.words, &why)),
        Reply::Status(_) | Reply::Who { .. } | Reply::Running { .. } | Reply::Code { .. } | Reply::Checked { .. } => {
            Err(Failure::failed(around.words.say("cli-strange")))
        }
    }
}
