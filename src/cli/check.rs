//! `espejo check`: examine both machines; say what to mend.

use std::io::{self, Write};

use super::Around;
use super::exit::{Exit, Failure};
use super::status::connect;
use crate::service::finding::Finding;
use crate::service::{Command, Reply};
use crate::words::finding::finding as told;

/// Prints a line for everything that was examined, and what to do where it is not well.
pub async fn run(around: &Around, json: bool) -> Result<Exit, Failure> {
    let words = &around.words;
    let mut client = connect(around).await?;
    let mut findings = match client.ask(&Command::Check { far: false }).await? {
        Reply::Checked { findings } => findings,
        Reply::Refused { why } => return Err(Failure::not_done(&around.words, &why)),
        _ => return Err(Failure::failed(words.say("cli-strange"))),
    };
    let mut unheard = true;
    if let Reply::Checked { findings: theirs } = client.ask(&Command::Check { far: true }).await? {
        findings.extend(theirs);
        unheard = false;
    }
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &findings).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        for finding in &findings {
            print(&mut out, around, finding)?;
        }
        if unheard {
            writeln!(out, "{}", words.say("check-far-unheard"))?;
        }
    }
    match findings.iter().filter(|finding| !finding.found.is_well()).count() {
        0 => Ok(Exit::Done),
        faults => Err(Failure::failed(words.with("check-faults", &[("n", faults.into())]))),
    }
}

fn print(out: &mut impl Write, around: &Around, finding: &Finding) -> io::Result<()> {
    let words = &around.words;
    let told = told(words, finding);
    let mark = words.say(if finding.found.is_well() { "check-well" } else { "check-fault" });
    writeln!(out, "{mark} {}", told.what)?;
    if !finding.found.is_well() {
        writeln!(out, "     {}", told.todo)?;
    }
    Ok(())
}
