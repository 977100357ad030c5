//! `espejo unit`: what systemd must know to run the service of this home.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Around;
use super::exit::{Exit, Failure};
use crate::pair::Node;
use crate::service::member::Member;

/// Where the system looks.
const INSTALLED: &str = "/etc/systemd/system/espejo.service";

/// Prints the unit, or writes it where the system looks and says what to type next.
pub fn run(around: &Around, install: bool) -> Result<Exit, Failure> {
    let home = around.home.display().to_string();
    Member::load(&around.home)
        .map_err(|_| Failure::usage(around.words.with("cli-run-nothing", &[("path", home.into())])))?;
    let unit = unit(&std::env::current_exe()?, &around.home, stopping(&around.home))
        .ok_or_else(|| Failure::usage(around.words.say("cli-unit-name")))?;
    if !install {
        write!(io::stdout(), "{unit}")?;
        return Ok(Exit::Done);
    }
    let path = PathBuf::from(INSTALLED);
    fs::write(&path, unit).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    writeln!(io::stdout(), "{}", around.words.with("cli-unit-done", &[("path", INSTALLED.into())]))?;
    Ok(Exit::Done)
}

/// Seconds that the service may take to end: the POS server has its own time to stop, and what it wrote last is mirrored.
fn stopping(home: &Path) -> u64 {
    let store = Member::load(home).and_then(|mut member| Ok((member.revise(home)?.0, member.node))).ok();
    let stop = store.and_then(|(store, node)| {
        let servers = store.servers?;
        Some(if node == Node::Main { servers.main.stop.timeout } else { servers.backup.stop.timeout })
    });
    60 + stop.unwrap_or_default().as_secs()
}

/// The unit; none where a name cannot be written in it.
fn unit(program: &Path, home: &Path, stopping: u64) -> Option<String> {
    let [program, home] = [quoted(program)?, quoted(home)?];
    Some(format!(
        "[Unit]\n\
         Description=Espejo: the mirror of the shop's server\n\
         After=network-online.target\n\
         Wants=network-online.target\n\
         \n\
         [Service]\n\
         ExecStart={program} --home {home} run\n\
         Restart=always\n\
         RestartSec=2\n\
         # Wrong settings do not mend themselves.\n\
         RestartPreventExitStatus=2 3\n\
         TimeoutStopSec={stopping}\n\
         # The POS server outlives a crash of Espejo, which takes it over when it is back.\n\
         KillMode=process\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target\n"
    ))
}

/// A path as systemd reads it: in quotes, with its own signs doubled.
fn quoted(path: &Path) -> Option<String> {
    let text = path.to_str().filter(|text| !text.contains(char::is_control))?;
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    Some(format!("\"{text}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_written_so_that_systemd_reads_them() {
        let quoted = |path: &str| quoted(Path::new(path));
        assert_eq!(quoted("/srv/50% \"off\" $x").unwrap(), "\"/srv/50%% \\\"off\\\" $$x\"");
        assert_eq!(quoted("/srv/a\nb"), None);
        let unit = unit(Path::new("/usr/bin/espejo"), Path::new("/var/lib/espejo"), 80).unwrap();
        assert!(unit.contains("ExecStart=\"/usr/bin/espejo\" --home \"/var/lib/espejo\" run\n"), "{unit}");
    }
}
