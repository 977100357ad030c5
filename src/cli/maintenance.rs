//! `espejo maintenance`: nobody is called, and nothing is done by itself, for a while.

use std::io::{self, Write};
use std::time::Duration;

use super::Around;
use super::args::Maintained;
use super::by;
use super::exit::{Exit, Failure};
use super::status::connect;
use crate::service::{Command, Reply};

/// Begins or ends it, on both machines.
pub async fn run(around: &Around, what: Maintained) -> Result<Exit, Failure> {
    let length = match what {
        Maintained::On { length } => Some(length.max(Duration::from_secs(1))),
        Maintained::Off => None,
    };
    let command = Command::Maintenance { seconds: length.map(|length| length.as_secs()), by: by() };
    if let Reply::Refused { why } = connect(around).await?.ask(&command).await? {
        return Err(Failure::not_done(&around.words, &why));
    }
    let said = match length {
        Some(length) => {
            let ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
            let length = crate::words::figures::span(&around.words, ms);
            around.words.with("cli-maintenance-on", &[("length", length.into())])
        }
        None => around.words.say("cli-maintenance-off"),
    };
    writeln!(io::stdout(), "{said}")?;
    Ok(Exit::Done)
}
