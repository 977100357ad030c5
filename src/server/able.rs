//! Whether the program could be started on this machine, and by nobody else.

use std::path::{Path, PathBuf};

use super::unit;
use super::{Setup, Why};
use crate::config::server::Start;
use crate::os;

/// What stands in the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hindered {
    /// There is no such program.
    NotThere,
    /// It may not be executed.
    NotExecutable,
    /// The system starts the unit when the machine starts.
    EnabledAtBoot,
    /// There is no systemd.
    NoSystemd,
}

impl Setup {
    /// The program or unit, and what stands in the way of starting it here.
    #[must_use]
    pub fn hindered(&self) -> (String, Option<Hindered>) {
        match &self.server.start {
            Start::Unit(unit) => {
                let hindered = match unit::refuse_enabled(unit.as_str()) {
                    Ok(()) => None,
                    Err(Why::EnabledAtBoot { .. }) => Some(Hindered::EnabledAtBoot),
                    Err(_) => Some(Hindered::NoSystemd),
                };
                (unit.as_str().to_owned(), hindered)
            }
            Start::Command(command) => {
                let program = self.words(command).into_iter().next().unwrap_or_default();
                let path = std::env::var_os("PATH").unwrap_or_default();
                let hindered = find(&program, std::env::split_paths(&path));
                (program, hindered)
            }
        }
    }
}

/// What stands in the way of a program that is looked for as a shell does it.
fn find(program: &str, path: impl Iterator<Item = PathBuf>) -> Option<Hindered> {
    let places: Vec<PathBuf> = if program.contains('/') {
        vec![PathBuf::from(program)]
    } else {
        path.map(|folder| folder.join(program)).collect()
    };
    let mut there = places.iter().filter(|place| place.is_file()).peekable();
    if there.peek().is_none() {
        return Some(Hindered::NotThere);
    }
    let may = |place: &PathBuf| os::may_execute(Path::new(place));
    if there.any(may) { None } else { Some(Hindered::NotExecutable) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_program_is_looked_for_as_a_shell_does_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = || [PathBuf::from("/nowhere"), folder.path().to_owned(), PathBuf::from("/bin")].into_iter();
        fs::write(folder.path().join("pos"), "").unwrap();
        assert_eq!(find("pos", path()), Some(Hindered::NotExecutable));
        assert_eq!(find("sh", path()), None);
        assert_eq!(find("/bin/sh", std::iter::empty()), None);
        assert_eq!(find("sh-that-is-not-there", path()), Some(Hindered::NotThere));
        assert_eq!(find("/bin", path()), Some(Hindered::NotThere), "a folder is no program");
    }
}
