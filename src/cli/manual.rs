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
}
