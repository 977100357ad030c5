//! Parses what was typed, does it, prints one error, gives one exit code.

use std::process::ExitCode;

use espejo::cli::{self, args::Cli};

fn main() -> ExitCode {
    // Only in tests does this arm anything.
    let _points = fail::FailScenario::setup();
    let cli = Cli::read();
    let words = cli.words();
    match cli::run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => failure.tell(&words),
    }
}
