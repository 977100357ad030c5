//! Parses what was typed, does it, prints one error, gives one exit code.

use std::process::ExitCode;

use espejo::cli::{self, args::Cli};

fn main() -> ExitCode {
    // Only in tests does this arm anything.
    let _points = fail::FailScenario::setup();
    match cli::run(Cli::read()) {
        Ok(exit) => exit.into(),
        Err(failure) => failure.tell(),
    }
}
