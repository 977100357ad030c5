//! `espejo unit`: what systemd must know to run the service, or the agent, of this home.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
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
pub fn run(around: &Around, install: bool, hardened: bool) -> Result<Exit, Failure> {
    let home = around.home.display().to_string();
    let program = std::env::current_exe()?;
    let is_terminal = known_path(&around.home).exists();
    if hardened && !(is_terminal && is_alone(&around.home) && is_own(&around.home)) {
        return Err(Failure::refused(vec![around.words.say("cli-unit-not-alone")]));
    }
    let unit = if is_terminal {
        unit(&program, &around.home, &Kind { hardened, ..TERMINAL })
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
    /// It may do only what the agent alone needs.
    hardened: bool,
}

const TERMINAL: Kind = Kind {
    about: "this POS terminal follows the shop's server",
    verb: "terminal",
    stopping: 10,
    kill: "# The till program ends with its agent.\nKillMode=mixed",
    hardened: false,
};

fn service(stopping: u64) -> Kind {
    Kind {
        about: "the mirror of the shop's server",
        verb: "run",
        stopping,
        kill: "# The POS server outlives a crash of Espejo, which takes it over when it is back.\nKillMode=process",
        hardened: false,
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

/// Whether the home belongs to who is asked, as whom the agent is to run: a root that may not go round rights needs its own files.
fn is_own(home: &Path) -> bool {
    fs::metadata(home).is_ok_and(|home| home.uid() == rustix::process::geteuid().as_raw())
}

/// Whether the unit that is installed keeps the agent of `home` from what its settings say: they came later.
#[must_use]
pub fn is_too_strict(home: &Path) -> bool {
    // Set by systemd for whatever it starts.
    let is_of_unit = std::env::var_os("INVOCATION_ID").is_some();
    is_of_unit && fs::read_to_string(INSTALLED).is_ok_and(|unit| unit.contains(STRICT)) && !is_alone(home)
}

/// By that a hardened unit is known.
const STRICT: &str = "ProtectSystem=strict";

/// What an agent alone needs, and no more.
fn limits(home: &str) -> String {
    format!(
        "NoNewPrivileges=yes\n{STRICT}\nReadWritePaths={home}\nPrivateTmp=yes\nPrivateDevices=yes\n\
         ProtectKernelModules=yes\nProtectKernelLogs=yes\nProtectHostname=yes\nProtectKernelTunables=yes\nProtectControlGroups=yes\nProtectClock=yes\nRestrictNamespaces=yes\nRestrictRealtime=yes\n\
         RestrictSUIDSGID=yes\nLockPersonality=yes\nMemoryDenyWriteExecute=yes\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_DAC_READ_SEARCH\n\
         RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK\nSystemCallArchitectures=native\n\
         SystemCallFilter=@system-service\n"
    )
}

/// The unit; none where a name cannot be written in it.
fn unit(program: &Path, home: &Path, Kind { about, verb, stopping, kill, hardened }: &Kind) -> Option<String> {
    let [program, home] = [quoted(program)?, quoted(home)?];
    let limits = if *hardened { limits(&home) } else { String::new() };
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
         {limits}\
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
            assert!(unit.contains(&exec) && !unit.contains("ProtectSystem"), "{unit}");
        }
    }

    #[test]
    fn an_agent_that_starts_nothing_of_the_shops_may_do_little() {
        let home = tempfile::tempdir().unwrap();
        let set = |text: &str| fs::write(settings_path(home.path()), format!("[terminal]\n{text}")).unwrap();
        assert!(is_alone(home.path()), "there are no settings");
        set("last_receipt = { file = \"/var/pos/last\", pattern = \"(\\\\d+)\" }\n");
        assert!(is_alone(home.path()), "it only reads");
        for starts in
            ["run = [\"/opt/pos/till\"]", "on_change = [\"a\"]", "last_receipt = { command = [\"a\"] }", "tell = []"]
        {
            set(starts);
            assert!(!is_alone(home.path()), "{starts}");
        }
        let alone = Kind { hardened: true, ..TERMINAL };
        let unit = unit(Path::new("/usr/bin/espejo"), Path::new("/var/lib/espejo"), &alone).unwrap();
        assert!(unit.contains("ProtectSystem=strict\nReadWritePaths=\"/var/lib/espejo\"\n"), "{unit}");
    }
}
