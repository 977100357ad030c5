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
    let role = match who {
        Some(Invited::Main) => Node::Main,
        Some(Invited::Backup) | None => Node::Backup,
    };
    let mut client = connect(around).await?;
    match client.ask(&Command::Invite { role, by: by() }).await? {
        Reply::Code { code, address, seconds } => {
            let minutes = seconds / 60;
            let args = [("code", code.into()), ("address", address.into()), ("minutes", minutes.into())];
            writeln!(io::stdout(), "{}", around.words.with("cli-invite", &args))?;
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
