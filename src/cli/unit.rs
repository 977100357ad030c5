//! `espejo unit`: what systemd must know to run the service, or the agent, of this home.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Around;
use super::exit::{Exit, Failure};
use crate::config::terminal::{LastReceipt, Terminal};
use crate::pair::Node;
use crate::service::member::Member;
use crate::terminal::known::{known_path, settings_path};

/// Where the system looks.
const INSTALLED: &str = "/etc/systemd/system/espejo.service";

/// Prints the unit, or writes it where the system looks and says what to type next.
pub fn run(around: &Around, install: bool) -> Result<Exit, Failure> {
    let home = around.home.display().to_string();
    let program = std::env::current_exe()?;
    let unit = if known_path(&around.home).exists() {
        unit(&program, &around.home, &Kind { is_alone: is_alone(&around.home), ..TERMINAL })
    } else {
        Member::load(&around.home)
            .map_err(|_| Failure::usage(around.words.with("cli-run-nothing", &[("path", home.into())])))?;
        unit(&program, &around.home, &service(stopping(&around.home)))
    };
    let unit = unit.ok_or_else(|| Failure::usage(around.words.say("cli-unit-name")))?;
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

/// What differs between the service of a machine and the agent of a terminal.
#[derive(Clone, Copy)]
struct Kind {
    about: &'static str,
    verb: &'static str,
    /// Seconds that it may take to end.
    stopping: u64,
    /// What is ended with it, and why.
    kill: &'static str,
    /// It starts no program of the shop, which might need anything.
    is_alone: bool,
}

const TERMINAL: Kind = Kind {
    about: "this POS terminal follows the shop's server",
    verb: "terminal",
    stopping: 10,
    kill: "# The till program ends with its agent.\nKillMode=mixed",
    is_alone: false,
};

fn service(stopping: u64) -> Kind {
    Kind {
        about: "the mirror of the shop's server",
        verb: "run",
        stopping,
        kill: "# The POS server outlives a crash of Espejo, which takes it over when it is back.\nKillMode=process",
        is_alone: false,
    }
}

/// Whether nothing of the shop's is started by the agent of `home`, nor written.
fn is_alone(home: &Path) -> bool {
    let text = fs::read(settings_path(home)).unwrap_or_default();
    Terminal::from_bytes(&text).is_ok_and(|set| {
        let starts = set.run.is_some() || set.on_change.is_some() || set.tell.is_some();
        !starts && set.settings.is_empty() && !matches!(set.last_receipt, Some(LastReceipt::Command(_)))
    })
}

/// What nothing that is started here has to do with.
const NO_BUSINESS: &str = "ProtectKernelModules=yes\nProtectKernelLogs=yes\nProtectHostname=yes\n";

/// What an agent alone needs, and no more.
fn hardened(home: &str) -> String {
    format!(
        "NoNewPrivileges=yes\nProtectSystem=strict\nReadWritePaths={home}\nPrivateTmp=yes\nPrivateDevices=yes\n\
         ProtectKernelTunables=yes\nProtectControlGroups=yes\nProtectClock=yes\nRestrictNamespaces=yes\nRestrictRealtime=yes\n\
         RestrictSUIDSGID=yes\nLockPersonality=yes\nMemoryDenyWriteExecute=yes\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n\
         RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK\nSystemCallArchitectures=native\n\
         SystemCallFilter=@system-service\n"
    )
}

/// The unit; none where a name cannot be written in it.
fn unit(program: &Path, home: &Path, Kind { about, verb, stopping, kill, is_alone }: &Kind) -> Option<String> {
    let [program, home] = [quoted(program)?, quoted(home)?];
    let alone = if *is_alone { hardened(&home) } else { String::new() };
    Some(format!(
        "[Unit]\n\
         Description=Espejo: {about}\n\
         After=network-online.target\n\
         Wants=network-online.target\n\
         \n\
         [Service]\n\
         Type=notify\n\
         # What was under way when it ended is put in order first.\n\
         TimeoutStartSec=10min\n\
         ExecStart={program} --home {home} {verb}\n\
         Restart=always\n\
         RestartSec=2\n\
         # Wrong settings do not mend themselves.\n\
         RestartPreventExitStatus=2 3\n\
         TimeoutStopSec={stopping}\n\
         {kill}\n\
         {NO_BUSINESS}{alone}\
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
        let unit = |kind: &Kind| unit(Path::new("/usr/bin/espejo"), Path::new("/var/lib/espejo"), kind).unwrap();
        for (kind, verb) in [(service(80), "run"), (TERMINAL, "terminal")] {
            let unit = unit(&kind);
            let exec = format!("ExecStart=\"/usr/bin/espejo\" --home \"/var/lib/espejo\" {verb}\n");
            assert!(unit.contains(&exec), "{unit}");
        }
    }
}
