//! The practice shop: scripts that are played, and that nothing of it is left behind. Also its POS server, killed while it sells.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod common;
#[path = "demo/pos.rs"]
mod pos;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::place::{output, output_within, told};
use common::{passed_over, until, until_some};
use espejo::os;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A script has limits of its own for whatever it waits for, and waits often: all of it takes so long at the most.
const PLAYED: Duration = Duration::from_secs(300);

/// The program with an empty home and a folder for its temporary files.
fn espejo(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_espejo"));
    command.args(["--lang", "en"]).args(args).env("TMPDIR", folder).env("ESPEJO_HOME", folder.join("home"));
    command.env_remove("FAILPOINTS").stdin(Stdio::null());
    command
}

/// Plays a script of the project.
#[track_caller]
fn plays(name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demo").join(name);
    let played = output_within(espejo(folder.path(), &["demo", "--seed", "7", "--script"]).arg(script), PLAYED);
    assert_eq!(played.status.code(), Some(0), "{}", told(&played));
    nothing_is_left(&folder);
    let said = String::from_utf8(played.stdout).unwrap();
    let last = said.lines().last().unwrap().to_owned();
    assert!(last.starts_with("confirmed ") && last.contains("missing 0 · double 0 · numbers twice 0"), "{said}");
    said
}

/// Neither a file nor a process is left of a shop in this folder.
#[track_caller]
fn nothing_is_left(folder: &TempDir) {
    until("all of it has ended", || running(folder.path()).is_empty());
    let left: Vec<PathBuf> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The processes that were started with a path in this folder, and have not ended.
fn running(folder: &Path) -> Vec<i32> {
    let folder = folder.to_str().unwrap().as_bytes();
    let numbers = fs::read_dir("/proc").unwrap().filter_map(|one| one.unwrap().file_name().to_str()?.parse().ok());
    let is_of = |pid: &i32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words.windows(folder.len()).any(|part| part == folder)
    };
    numbers.filter(is_of).filter(|pid| os::process(*pid).is_some_and(|process| process.lives)).collect()
}

#[test]
fn the_power_is_cut_the_backup_serves_and_gives_back() {
    let said = plays("power_cut.txt");
    assert!(said.contains("CAJA-3 serves") && said.contains("the days of the backup licence run"), "{said}");
}

#[test]
fn a_short_break_heals() {
    plays("short_break.txt");
}

#[test]
fn a_pos_server_hangs_and_goes_on() {
    plays("frozen_pos.txt");
}

#[test]
fn the_main_comes_back_while_the_backup_serves() {
    plays("main_comes_back.txt");
}

#[test]
fn a_main_that_is_cut_off_serves_on_and_sells_to_nobody() {
    plays("split.txt");
}

#[test]
fn twice_the_backup_serves_and_gives_back() {
    plays("two_nights.txt");
}

#[test]
fn the_shop_does_not_notice_that_the_backup_dies() {
    plays("backup_dies.txt");
}

#[test]
fn this_tills_cable_is_pulled_and_nobody_may_start_it() {
    plays("own_cable.txt");
}

#[test]
fn the_disk_of_the_mirror_is_full_and_the_shop_sells_on() {
    plays("full_disk.txt");
}

#[test]
fn a_terminal_that_comes_back_finds_the_server() {
    plays("till_dies.txt");
}

#[test]
fn the_place_is_given_away_as_planned_and_comes_back() {
    let said = plays("planned.txt");
    assert!(said.contains("4 terminals work with it"), "{said}");
}

#[test]
fn everything_happens_on_one_day() {
    plays("a_bad_day.txt");
}

#[test]
fn the_backup_is_the_main_for_good() {
    plays("for_good.txt");
}

/// Also a drill, apart from the network: where the system lets everybody make spaces of their own.
#[test]
fn who_is_not_root_can_practise_too() {
    let test = "who_is_not_root_can_practise_too";
    if !rustix::process::geteuid().is_root() {
        return passed_over(test, "all these tests run without root here");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let as_nobody = |program: &str, args: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", program]).args(args);
        command.env("TMPDIR", folder.path()).env("ESPEJO_HOME", folder.path().join("home")).stdin(Stdio::null());
        command
    };
    let program = env!("CARGO_BIN_EXE_espejo");
    let can =
        |program: &str, args: &[&str]| as_nobody(program, args).output().is_ok_and(|output| output.status.success());
    if !can(program, &["--version"]) || !can("unshare", &["-U", "--net", "--mount", "--pid", "--fork", "true"]) {
        return passed_over(test, "nobody else may run this program, or make a network, here");
    }
    let script = folder.path().join("drill.txt");
    fs::write(&script, "when in-step drill\nexpect missing 0\nend\n").unwrap();
    let played =
        output_within(&mut as_nobody(program, &["--lang", "en", "demo", "--script", script.to_str().unwrap()]), PLAYED);
    let said = told(&played);
    assert!(played.status.success() && said.contains("The POS server would start here"), "{said}");
    fs::remove_file(script).unwrap();
    nothing_is_left(&folder);
}

#[test]
fn every_script_is_played() {
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demo")).unwrap();
    let scripts =
        files.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "txt"));
    for script in scripts {
        let name = script.file_name().unwrap().to_str().unwrap();
        assert!(include_str!("demo.rs").contains(&format!("plays(\"{name}\")")), "nobody plays {name}");
    }
}

#[test]
fn what_is_expected_and_is_not_so_fails() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("wrong.txt");
    fs::write(&script, "expect missing 3\nfreeze pos backup\nexpect missing 0\n").unwrap();
    let played = output_within(espejo(folder.path(), &["demo", "--script"]).arg(&script), PLAYED);
    assert_eq!(played.status.code(), Some(1), "{}", told(&played));
    let said = String::from_utf8_lossy(&played.stdout).into_owned();
    assert!(said.contains("wrong.txt:1: expect missing 3: it is 0"), "{said}");
    assert!(said.contains("wrong.txt:2: ") && !said.contains("wrong.txt:3"), "nothing is done after that: {said}");
    assert!(said.lines().last().unwrap().starts_with("confirmed "), "{said}");
    fs::remove_file(script).unwrap();
    nothing_is_left(&folder);
}

#[test]
fn a_wrong_script_is_told_before_anything_is_started() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("wrong.txt");
    fs::write(&script, "explode\nat 3s promote\nwhen pigs return\n").unwrap();
    let refused = output(espejo(folder.path(), &["demo", "--script"]).arg(&script));
    assert_eq!((refused.status.code(), &*refused.stdout), (Some(2), &b""[..]), "{}", told(&refused));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("wrong.txt:1: ") && said.contains("wrong.txt:3: ") && said.lines().count() == 2, "{said}");
    let refused = output(&mut espejo(folder.path(), &["demo"]));
    assert_eq!(refused.status.code(), Some(2), "without a terminal there is no screen: {}", told(&refused));
    let full = output(espejo(folder.path(), &["demo", "--dir"]).arg(folder.path()).args(["--script", "/dev/null"]));
    assert_eq!(full.status.code(), Some(2), "{}", told(&full));
    fs::remove_file(script).unwrap();
    nothing_is_left(&folder);
}

/// A shop that ends with the test.
struct Selling(Child);

impl Selling {
    /// It must end at this signal.
    fn ends_at(&mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
        until_some("it ends", || self.0.try_wait().unwrap());
    }
}

impl Drop for Selling {
    fn drop(&mut self) {
        if self.0.try_wait().unwrap().is_none() {
            self.ends_at(Signal::TERM);
        }
    }
}

/// Begins a shop that sells and does nothing else for a minute.
fn selling(folder: &Path, more: &[&str]) -> Selling {
    let script = folder.join("long.txt");
    fs::write(&script, "at 60s end\n").unwrap();
    let mut command = espejo(folder, &["demo", "--script", script.to_str().unwrap()]);
    command.args(more).stdout(fs::File::create(folder.join("said")).unwrap()).process_group(0);
    let shop = Selling(command.spawn().unwrap());
    until("the shop sells", || fs::read_to_string(folder.join("said")).unwrap().contains("The shop sells"));
    shop
}

#[test]
fn whatever_ends_it_nothing_is_left() {
    // Where it cannot clear away itself, somebody else does.
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::KILL] {
        let beside = tempfile::tempdir().unwrap();
        let mut shop = selling(beside.path(), &[]);
        until("all of it runs", || running(beside.path()).len() >= 4);
        shop.ends_at(signal);
        until("all of it has ended", || running(beside.path()).is_empty());
        let left = fs::read_dir(beside.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with("espejo-demo-"));
        assert_eq!(left.count(), 0, "{signal:?}");
    }
}

#[test]
fn a_shop_in_a_folder_stays_there() {
    let beside = tempfile::tempdir().unwrap();
    let dir = beside.path().join("shop");
    selling(beside.path(), &["--dir", dir.to_str().unwrap()]).ends_at(Signal::TERM);
    until("all of it has ended", || running(beside.path()).is_empty());
    for file in ["pos/ORDER.QUE", "main/store.toml", "backup/RUNDIR/POS-Q.Seq"] {
        assert!(dir.join(file).is_file(), "{file}");
    }
}
