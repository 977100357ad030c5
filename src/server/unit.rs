//! Units of the system: a thin face of `systemctl`.

use std::io;
use std::process::{Command, Output, Stdio};

use super::Why;

/// How a unit stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Activity {
    /// It runs, or is about to.
    Active,
    /// It does not run.
    Inactive,
}

/// Starts a unit, and waits until the system says that it is started.
pub fn start(unit: &str) -> Result<(), Why> {
    change(&["start", unit], unit)
}

/// Begins to stop a unit, and does not wait for that.
pub fn stop(unit: &str) -> Result<(), Why> {
    change(&["stop", "--no-block", unit], unit)
}

/// Kills all processes of a unit.
pub fn kill(unit: &str) {
    let _ = systemctl(&["kill", "--signal=KILL", unit]);
}

/// How a unit stands.
#[must_use]
pub fn activity(unit: &str) -> Activity {
    let Ok(output) = systemctl(&["is-active", unit]) else { return Activity::Inactive };
    match word(&output).as_str() {
        "active" | "activating" | "reloading" | "deactivating" | "refreshing" => Activity::Active,
        _ => Activity::Inactive,
    }
}

/// Refuses a unit that the system starts by itself when the machine starts.
pub fn refuse_enabled(unit: &str) -> Result<(), Why> {
    let output = systemctl(&["is-enabled", unit]).map_err(|error| cannot(unit, &error))?;
    if is_enabled(&word(&output)) { Err(Why::EnabledAtBoot { unit: unit.to_owned() }) } else { Ok(()) }
}

fn is_enabled(word: &str) -> bool {
    matches!(word, "enabled" | "enabled-runtime" | "alias" | "generated")
}

fn change(args: &[&str], unit: &str) -> Result<(), Why> {
    let output = systemctl(args).map_err(|error| cannot(unit, &error))?;
    if output.status.success() {
        return Ok(());
    }
    let error = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Why::CannotStart { what: unit.to_owned(), error })
}

fn cannot(unit: &str, error: &io::Error) -> Why {
    let unit = unit.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound => Why::NoSystemd { unit },
        _ => Why::CannotStart { what: unit, error: error.to_string() },
    }
}

fn systemctl(args: &[&str]) -> io::Result<Output> {
    Command::new("systemctl").args(args).stdin(Stdio::null()).output()
}

fn word(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_units_something_else_starts() {
        for word in ["enabled", "enabled-runtime", "alias", "generated"] {
            assert!(is_enabled(word), "{word}");
        }
        for word in ["disabled", "static", "indirect", "masked", "linked", "transient", "", "not-found"] {
            assert!(!is_enabled(word), "{word}");
        }
    }
}
