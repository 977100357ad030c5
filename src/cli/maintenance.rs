//! `espejo maintenance`: nobody is called, and nothing is done by itself, for a while.

use std::io::{self, Write};
use std::time::Duration;

use jiff::{Timestamp, Zoned};

use super::Around;
use super::args::Maintained;
use super::by;
use super::exit::{Exit, Failure};
use super::status::connect;
use crate::service::doubt::Doubt;
use crate::service::status::Trouble;
use crate::service::{Command, Reply};
use crate::words::figures;

/// Begins or ends it, on both machines.
pub async fn run(around: &Around, what: Maintained) -> Result<Exit, Failure> {
    let length = match what {
        Maintained::On { length } => Some(length.max(Duration::from_secs(1))),
        Maintained::Off => None,
    };
    let mut client = connect(around).await?;
    let meant = if length.is_none() { much_changed(client.ask(&Command::Status).await?) } else { vec![] };
    let command = Command::Maintenance { seconds: length.map(|length| length.as_secs()), by: by() };
    if let Reply::Refused { why } = client.ask(&command).await? {
        return Err(Failure::not_done(&around.words, &why));
    }
    let said = match length {
        Some(length) => {
            let ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
            let length = figures::span(&around.words, ms);
            around.words.with("cli-maintenance-on", &[("length", length.into())])
        }
        None => around.words.say("cli-maintenance-off"),
    };
    let mut out = io::stdout().lock();
    writeln!(out, "{said}")?;
    for (dataset, percent, at) in meant {
        let at = figures::moment(&around.words, at, &Zoned::now());
        let args = [("dataset", dataset.into()), ("percent", percent.into()), ("at", at.into())];
        writeln!(out, "{}", around.words.with("cli-maintenance-meant", &args))?;
    }
    Ok(Exit::Done)
}

/// Datasets of which much has changed at once, how much of a hundred, and when: who ends maintenance has meant that.
fn much_changed(reply: Reply) -> Vec<(String, u64, Timestamp)> {
    let Reply::Status(status) = reply else { return vec![] };
    let much = status.alarms.into_iter().filter_map(|alarm| match alarm.trouble {
        Trouble::Doubt(Doubt::MuchChanged { dataset, percent, at }) => Some((dataset, percent, at)),
        _ => None,
    });
    much.collect()
}
