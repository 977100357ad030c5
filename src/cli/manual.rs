//! What other programs know of what can be typed: a shell completes it, and `man` shows it.

use std::io::{self, Write};
use std::path::Path;

use clap_complete::Shell;

use super::Around;
use super::args::Cli;
use super::exit::{Exit, Failure};
use crate::words::Words;

/// Prints what `shell` needs.
pub fn complete(around: &Around, shell: Shell) -> Result<Exit, Failure> {
    io::stdout().write_all(&script(&around.words, shell))?;
    Ok(Exit::Done)
}

/// What `shell` needs. It is made in memory: a pipe may be gone.
fn script(words: &Words, shell: Shell) -> Vec<u8> {
    let mut script = vec![];
    clap_complete::generate(shell, &mut Cli::described(words), "espejo", &mut script);
    script
}

/// Prints the manual, or writes a page for each verb.
pub fn run(around: &Around, dir: Option<&Path>) -> Result<Exit, Failure> {
    let command = Cli::described(&around.words);
    if let Some(dir) = dir {
        std::fs::create_dir_all(dir)
            .and_then(|()| clap_mangen::generate_to(command, dir))
            .map_err(|error| Failure::failed(format!("{}: {error}", dir.display())))?;
        return Ok(Exit::Done);
    }
    let mut page = vec![];
    clap_mangen::Man::new(command).render(&mut page)?;
    io::stdout().write_all(&page)?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_shell_knows_every_verb_and_none_that_is_no_business_of_people() {
        let words = Words::load(Some("en"));
        for shell in Shell::value_variants() {
            let script = String::from_utf8(script(&words, *shell)).unwrap();
            assert!(script.contains("promote") && script.contains("rescue"), "{shell}");
        }
        let folder = tempfile::tempdir().unwrap();
        clap_mangen::generate_to(Cli::described(&words), folder.path()).unwrap();
        let has = |page: &str| folder.path().join(page).exists();
        assert!(has("espejo.1") && has("espejo-rescue-show.1") && !has("espejo-demo-pos.1"));
    }

    /// The words of a line, as a shell sees them, and without what is said of it.
    fn typed(line: &str) -> Vec<String> {
        let line = ["  ", " |", " >"].iter().fold(line, |line, end| line.split(end).next().unwrap_or_default());
        let parts = line.split('"').enumerate();
        let words = parts.flat_map(|(at, part)| {
            let words = if at % 2 == 0 { part.split(' ').collect() } else { vec![part] };
            words.into_iter().filter(|word| !word.is_empty()).map(str::to_owned)
        });
        words.collect()
    }

    #[test]
    fn every_verb_has_examples_and_they_can_be_typed() {
        let words = Words::load(Some("en"));
        let command = Cli::described(&words);
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let examples = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines: Vec<&str> = examples.lines().map(str::trim).filter(|line| line.starts_with("espejo ")).collect();
            assert!(!lines.is_empty(), "{} has none", verb.get_name());
            for line in lines {
                let parsed = Cli::described(&words).try_get_matches_from(typed(line));
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
            }
        }
    }
}
