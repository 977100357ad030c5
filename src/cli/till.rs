//! `espejo status` in the home of a POS terminal: how its agent stands.

use std::io::{self, Write};
use std::time::Duration;

use tokio::time::sleep;

use super::Around;
use super::exit::{Exit, Failure};
use crate::terminal::window::{Seen, Standing, State, look};
use crate::words::{Words, figures};

/// Between two looks while somebody watches.
const LOOK: Duration = Duration::from_secs(1);

/// Prints how the agent stands; with `watch` again each second.
pub async fn status(around: &Around, json: bool, watch: bool) -> Result<Exit, Failure> {
    loop {
        let Some(standing) = look(&around.home).await? else {
            let home = around.home.display().to_string();
            return Err(Failure::no_service(around.words.with("cli-no-agent", &[("home", home.into())])));
        };
        let mut out = io::stdout().lock();
        if json {
            serde_json::to_writer(&mut out, &standing).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            print(&mut out, &around.words, &standing)?;
        }
        out.flush()?;
        drop(out);
        if !watch {
            return Ok(health(&standing));
        }
        sleep(LOOK).await;
    }
}

fn health(standing: &Standing) -> Exit {
    let is_whole = standing.shut.is_empty() && standing.machines.iter().all(|seen| seen.reached);
    match standing.state {
        State::Works if is_whole => Exit::Done,
        State::Works | State::Waits => Exit::Degraded,
        State::Unreached => Exit::Alarm,
    }
}

fn print(out: &mut impl Write, words: &Words, standing: &Standing) -> io::Result<()> {
    let name = ("name", standing.uses.clone().into());
    let state = match standing.state {
        State::Works => "till-works",
        State::Waits => "till-waits",
        State::Unreached => "till-unreached",
    };
    let (store, terminal) = (standing.store.clone(), standing.terminal.clone());
    writeln!(out, "{store}: {terminal}. {}", words.with(state, &[name]))?;
    for Seen { name, reached, heard_ago_ms, round_trip_us } in &standing.machines {
        let ago = heard_ago_ms.map_or_else(|| words.say("terminal-never"), |ms| figures::ago(words, ms));
        let way = figures::way(words, round_trip_us.unwrap_or(0));
        let args = [("name", name.clone().into()), ("ago", ago.into()), ("way", way.into())];
        let key = if *reached { "cli-till-reached" } else { "cli-till-not-reached" };
        writeln!(out, "  {}", words.with(key, &args))?;
    }
    for shut in &standing.shut {
        let args = [("port", shut.port.to_string().into()), ("why", shut.why.clone().into())];
        writeln!(out, "  {}", words.with("till-shut", &args))?;
    }
    Ok(())
}
