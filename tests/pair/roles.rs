//! Who may do what: by the groups of the system, by a PIN, and by nothing that the caller says of itself.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::common::place::{output, told};
use crate::common::two::{Machine, Two};
use crate::common::{copy_program, passed_over, until};
use crate::turns::{done, shop};

/// A user that belongs to nobody.
const STRANGER: u32 = 65534;

/// Groups that every system has, by their numbers: those of the roles in this store.
const VIEWERS: u32 = 100;
const OPERATORS: u32 = 60;
const SUPPORT: u32 = 50;

/// The line that `espejo pin` prints.
fn pin(two: &Two, of: &str, typed: &str) -> Output {
    let mut child = two.espejo(Machine::Main, &["pin", of]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{typed}").unwrap();
    child.wait_with_output().unwrap()
}

/// A shop with roles.
fn with_roles() -> Option<Two> {
    if !rustix::process::geteuid().is_root() {
        passed_over(std::thread::current().name().unwrap_or_default(), "only root can come as somebody else");
        return None;
    }
    let two = shop();
    let line = pin(&two, "support", "271828");
    assert!(line.status.success(), "{}", told(&line));
    let line = String::from_utf8(line.stdout).unwrap();
    let roles = format!("[roles]\nviewer = [\"users\"]\noperator = [\"games\"]\nsupport = [\"staff\"]\n{line}");
    let path = two.home(Machine::Backup).join("store.toml");
    fs::write(&path, format!("{}{roles}", fs::read_to_string(&path).unwrap())).unwrap();
    // The way to the homes is open, they are not.
    fs::set_permissions(two.path(), fs::Permissions::from_mode(0o755)).unwrap();
    Some(two)
}

/// What `args` says on the backup to a user of this group.
fn as_one_of(two: &Two, group: u32, args: &[&str], pin: Option<&str>) -> Output {
    let mut command = two.espejo(Machine::Backup, args);
    command.uid(STRANGER).gid(group).env("USER", "root").current_dir("/");
    if let Some(pin) = pin {
        command.env("ESPEJO_PIN", pin);
    }
    output(&mut command)
}

fn is(said: &Output, code: i32, what: &str) {
    assert!(said.status.code() == Some(code) && told(said).contains(what), "{}", told(said));
}

#[test]
fn each_group_may_do_what_its_role_may_and_the_diary_names_the_user() {
    let Some(two) = with_roles() else { return };
    let known = as_one_of(&two, VIEWERS, &["status", "--json"], None);
    let known: Value = serde_json::from_slice(&known.stdout).expect("who may look sees");
    assert_eq!(known["duty"], "mirroring");
    is(&as_one_of(&two, VIEWERS, &["verify"], None), 3, "role: operator");
    is(&as_one_of(&two, OPERATORS, &["verify"], None), 0, "");
    is(&as_one_of(&two, OPERATORS, &["reseed", "--yes"], None), 3, "role: support");
    is(&as_one_of(&two, SUPPORT, &["reseed", "--yes"], None), 0, "");
    is(&as_one_of(&two, STRANGER, &["status"], None), 3, "role: viewer");
    is(&as_one_of(&two, VIEWERS, &["history"], None), 1, "the owner");
    let history = output(&mut two.espejo(Machine::Backup, &["history"]));
    let said = told(&history);
    assert!(said.contains("nobody (console)") && !said.contains("root (console)"), "{said}");
}

#[test]
fn a_pin_opens_more_and_a_wrong_one_takes_longer_each_time() {
    let Some(two) = with_roles() else { return };
    is(&as_one_of(&two, VIEWERS, &["reseed", "--yes"], Some("314159")), 3, "opens nothing");
    is(&as_one_of(&two, VIEWERS, &["reseed", "--yes"], Some("271828")), 0, "");
    let history = output(&mut two.espejo(Machine::Backup, &["history"]));
    assert!(told(&history).contains("nobody (console), PIN: support"), "{}", told(&history));
    is(&pin(&two, "support", "1234"), 2, "6 letters");
}

#[test]
fn who_comes_over_ssh_looks_until_a_pin_says_more() {
    let Some(two) = with_roles() else { return };
    // All that is known of it is the name of a process on the way up.
    let server = two.path().join("sshd");
    copy_program(Path::new("/bin/sh"), &server);
    let over_ssh = |args: &str, pin: &str| {
        let program = env!("CARGO_BIN_EXE_espejo");
        let home = two.home(Machine::Backup);
        let line = format!("{program} --home {} --lang en {args}; exit $?", home.display());
        let mut shell = std::process::Command::new(&server);
        shell.args(["-c", &line]).uid(STRANGER).gid(OPERATORS).current_dir("/").stdin(Stdio::null());
        output(shell.env("SSH_CONNECTION", "10.0.0.7 4711 10.0.0.2 22").env("ESPEJO_PIN", pin))
    };
    is(&over_ssh("verify", ""), 3, "role: operator");
    is(&over_ssh("status", ""), 0, "take over");
    is(&over_ssh("verify", "271828"), 0, "");
    let history = output(&mut two.espejo(Machine::Backup, &["history"]));
    assert!(told(&history).contains("nobody (ssh 10.0.0.7), PIN: support"), "{}", told(&history));
}

#[test]
fn without_roles_nobody_but_root_and_the_owner_gets_in() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let two = shop();
    fs::set_permissions(two.path(), fs::Permissions::from_mode(0o755)).unwrap();
    is(&as_one_of(&two, OPERATORS, &["status"], None), 3, "role: viewer");
    // What is set later counts at once.
    let path = two.home(Machine::Backup).join("store.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}[roles]\nviewer = [\"games\"]\n")).unwrap();
    until("who may look sees", || as_one_of(&two, OPERATORS, &["status"], None).status.code() != Some(3));
    done(&two, Machine::Backup, &["status"]);
}
