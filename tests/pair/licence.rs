//! The backup licence, from the vendor's keys to the backup's status.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use espejo::licence::seal;
use espejo::service::licence::{ledger, ledger_paths};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::common::needs;
use super::common::place::{output, told};
use super::common::two::{Machine, Two, free_port};
use super::pos::{Ends, PROGRAM, numbers};

const DAY_MS: u64 = 86_400_000;

/// Runs a verb of `licence` on a machine.
fn licence(two: &Two, machine: Machine, args: &[&str]) -> Output {
    output(two.espejo(machine, &["licence"]).args(args))
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", told(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn shown(two: &Two) -> Value {
    serde_json::from_str(&said(&licence(two, Machine::Backup, &["show", "--json"]))).unwrap()
}

/// A vendor, with a pair of keys.
struct Vendor<'t> {
    two: &'t Two,
    key: PathBuf,
}

impl<'t> Vendor<'t> {
    fn new(two: &'t Two, folder: &Path, name: &str) -> Self {
        let key = folder.join(name);
        said(&licence(two, Machine::Main, &["keygen", "--out", key.to_str().unwrap()]));
        Self { two, key }
    }

    fn public(&self) -> String {
        fs::read_to_string(self.key.with_extension("key.pub")).unwrap().trim().to_owned()
    }

    /// Issues a licence, and puts it into a file.
    fn issue(&self, store: &str, machine: &str, more: &[&str]) -> PathBuf {
        let key = self.key.to_str().unwrap();
        let args = ["issue", "--key", key, "--store", store, "--machine", machine];
        let issued = said(&licence(self.two, Machine::Main, &[&args, more].concat()));
        let file = self.key.with_extension("licence");
        fs::write(&file, issued).unwrap();
        file
    }
}

fn install(two: &Two, file: &Path) -> Output {
    licence(two, Machine::Backup, &["install", file.to_str().unwrap()])
}

#[test]
fn where_no_vendor_is_named_ten_days_are_ready() {
    let two = Two::joined();
    let ready = |status: &Value| status["licence"]["state"] == "ready";
    let status = two.until(Machine::Backup, "its days are ready", ready);
    assert_eq!(
        (&status["licence"]["remaining_ms"], &status["licence"]["ends_at"]),
        (&json!(10 * DAY_MS), &Value::Null)
    );
    two.until(Machine::Main, "the main knows", |status| {
        ready(status) && status["licence"]["remaining_ms"] == 10 * DAY_MS
    });
    let shown = shown(&two);
    assert_eq!((&shown["state"], &shown["vendor"]), (&json!("ready"), &Value::Null), "{shown}");
    assert_eq!(shown["terms"], json!({ "days": 10, "per": "activation" }));
    let machine = shown["machine"].as_str().unwrap();
    assert_eq!(machine.len(), 64);
    // The main does not have it, and names the machine that a vendor must know.
    assert!(said(&licence(&two, Machine::Main, &["show"])).contains(machine));
    let text = said(&licence(&two, Machine::Backup, &["show"]));
    assert!(text.contains(machine) && text.contains("ready: 10 days") && text.contains("never served"), "{text}");
    let home = two.home(Machine::Backup);
    assert!(home.join("ledger").is_file() && home.join("licence/ledger").is_file(), "kept twice");
    let refused = install(&two, &home.join("ledger"));
    assert_eq!(refused.status.code(), Some(3), "none is needed: {}", told(&refused));
}

#[test]
fn a_vendor_issues_a_licence_and_only_the_right_one_is_installed() {
    let folder = tempfile::tempdir().unwrap();
    let mut two = Two::new();
    two.init();
    let (public, machine) = {
        let vendor = Vendor::new(&two, folder.path(), "vendor.key");
        let public = vendor.public();
        assert_eq!(fs::metadata(&vendor.key).unwrap().permissions().mode() & 0o777, 0o600);
        let again = licence(&two, Machine::Main, &["keygen", "--out", vendor.key.to_str().unwrap()]);
        assert_eq!(again.status.code(), Some(3), "a key is never overwritten: {}", told(&again));
        two.set("licence", &format!("vendor_key = \"{public}\""));
        two.meet();
        let missing = two.until(Machine::Backup, "it has none", |status| {
            status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == "LIC-104")
        });
        assert_eq!(
            (&missing["licence"]["state"], &missing["can_take_over"]["yes"]),
            (&json!("missing"), &json!(false))
        );
        (public, shown(&two)["machine"].as_str().unwrap().to_owned())
    };
    let vendor = Vendor { two: &two, key: folder.path().join("vendor.key") };
    assert_eq!(vendor.public(), public);
    let stranger = Vendor::new(&two, folder.path(), "stranger.key");
    let refused = |file: &Path, why: &str| {
        let refused = install(&two, file);
        assert_eq!(refused.status.code(), Some(3), "{why}: {}", told(&refused));
        assert!(String::from_utf8_lossy(&refused.stderr).contains(why), "{why}: {}", told(&refused));
        assert!(!two.home(Machine::Backup).join("licence/token").exists(), "{why}: nothing changes");
    };
    refused(&vendor.issue("Norte", &machine, &[]), "is for store \"Norte\"");
    refused(&vendor.issue("Centro", &"ab".repeat(32), &[]), "is for machine abab");
    refused(&stranger.issue("Centro", &machine, &[]), "signed by another vendor");
    let good = vendor.issue("Centro", &machine, &["--days", "3", "--per", "total"]);
    let text = fs::read_to_string(&good).unwrap();
    fs::write(folder.path().join("cut"), &text[..text.len() - 9]).unwrap();
    refused(&folder.path().join("cut"), "damaged");
    fs::write(folder.path().join("none"), "hello").unwrap();
    refused(&folder.path().join("none"), "This is no backup licence");
    let on_main = licence(&two, Machine::Main, &["install", good.to_str().unwrap()]);
    assert_eq!(on_main.status.code(), Some(3), "{}", told(&on_main));
    assert!(said(&install(&two, &good)).contains("3 days for all times together"));
    let status = two.until(Machine::Backup, "it counts at once", |status| status["licence"]["state"] == "ready");
    assert_eq!(status["licence"]["remaining_ms"], 3 * DAY_MS);
    two.until(Machine::Backup, "nothing is wrong any more", |status| status["alarms"] == json!([]));
    let shown = shown(&two);
    assert_eq!((&shown["state"], &shown["terms"]["per"]), (&json!("ready"), &json!("total")), "{shown}");
    two.stop(Machine::Backup);
    two.stop(Machine::Main);
}

fn done(two: &Two, machine: Machine, verb: &[&str]) {
    let done = output(&mut two.espejo(machine, verb));
    assert_eq!(done.status.code(), Some(0), "{verb:?}: {}", told(&done));
}

fn alarms(status: &Value) -> Vec<&str> {
    status["alarms"].as_array().unwrap().iter().map(|alarm| alarm["code"].as_str().unwrap()).collect()
}

/// Two machines with a POS server whose starts go into a list, and a licence of one day with a grace of an hour.
fn licensed(folder: &Path, starts: &Path) -> Two {
    let mut two = Two::new();
    two.init();
    let table = |port: u16| {
        let starts = starts.display();
        format!(
            "command = [\"python3\", \"{PROGRAM}\", \"{port}\", \"{starts}\", \"good\"]\n\
             ready = {{ tcp = \"127.0.0.1:{port}\", send = \"PING\\n\", expect = \"PONG\", timeout = \"50s\" }}\n"
        )
    };
    two.set("server", &format!("{}[server.backup]\n{}", table(free_port()), table(free_port())));
    let public = Vendor::new(&two, folder, "vendor.key").public();
    two.set("licence", &format!("vendor_key = \"{public}\""));
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n").unwrap();
    two.meet();
    two.until(Machine::Backup, "the copy is whole", |status| status["mirror"]["as_of"].is_string());
    let machine = shown(&two)["machine"].as_str().unwrap().to_owned();
    let vendor = Vendor { two: &two, key: folder.join("vendor.key") };
    said(&install(&two, &vendor.issue("Centro", &machine, &["--days", "1", "--stop-after", "1"])));
    two.until(Machine::Backup, "it counts", |status| status["licence"]["state"] == "ready");
    two
}

/// Turns the ledger of the backup, which does not run, so that the grace is over in so many milliseconds.
fn almost_over(two: &Two, left_ms: u64) {
    let (home, now) = (two.home(Machine::Backup), Timestamp::now());
    let machine = shown(two)["machine"].as_str().unwrap().to_owned();
    let mut ledger = ledger(&home, &machine, true, now).unwrap();
    ledger.present.as_mut().unwrap().used_ms = DAY_MS + DAY_MS / 24 - left_ms;
    for path in ledger_paths(&home) {
        fs::write(path, seal::write(&ledger, &machine)).unwrap();
    }
}

#[test]
fn after_the_grace_the_pos_server_is_stopped_and_all_is_given_back() {
    needs!("python3");
    let folder = tempfile::tempdir().unwrap();
    let starts = folder.path().join("starts");
    let _ends = Ends(starts.clone());
    let mut two = licensed(folder.path(), &starts);
    two.stop(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    two.until(Machine::Backup, "it sells", |status| status["server"] == "ready");
    two.stop(Machine::Backup);
    almost_over(&two, 8000);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it waits", |status| status["duty"] == "waiting");
    done(&two, Machine::Backup, &["start", "--yes"]);
    let over = two.until(Machine::Backup, "it sells on in the grace", |status| status["server"] == "ready");
    assert!(alarms(&over).contains(&"LIC-101"), "{over}");
    let stopped = two.until(Machine::Backup, "it is stopped", |status| alarms(status).contains(&"LIC-106"));
    assert_eq!(stopped["duty"], "serving", "the data are served: {stopped}");
    two.until(Machine::Backup, "nothing of it runs", |status| status["server"] == "stopped");
    let before = numbers(&starts);
    assert!(!espejo::os::process(*before.last().unwrap()).is_some_and(|process| process.lives));
    two.stop(Machine::Backup);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it waits again", |status| status["duty"] == "waiting");
    done(&two, Machine::Backup, &["start", "--yes"]);
    two.until(Machine::Backup, "it is still stopped", |status| {
        status["duty"] == "serving" && status["server"] == "stopped" && alarms(status).contains(&"LIC-106")
    });
    two.start(Machine::Main);
    two.until(Machine::Backup, "the main is level", |status| {
        status["mirror"]["as_of"].is_string() && status["peer"]["state"] == "healthy"
    });
    done(&two, Machine::Main, &["return"]);
    two.until(Machine::Main, "the main sells", |status| status["duty"] == "serving" && status["server"] == "ready");
    two.until(Machine::Backup, "and all is well", |status| status["alarms"] == json!([]));
    assert_eq!(numbers(&starts).len(), before.len() + 1, "only the main's was started since");
    two.stop(Machine::Main);
}

#[test]
fn what_is_typed_wrong_for_a_licence_is_said() {
    let two = Two::new();
    let folder = tempfile::tempdir().unwrap();
    let vendor = Vendor::new(&two, folder.path(), "vendor.key");
    let public = vendor.key.with_extension("key.pub");
    let id = "ab".repeat(32);
    let key = vendor.key.to_str().unwrap();
    for (key, machine, days, why) in [
        (public.to_str().unwrap(), id.as_str(), "10", "no private key"),
        (key, "CAJA-3", "10", "64 letters and digits"),
        (key, id.as_str(), "0", "--days"),
        (key, id.as_str(), "3651", "--days"),
    ] {
        let args = ["issue", "--key", key, "--store", "Centro", "--machine", machine, "--days", days];
        let wrong = licence(&two, Machine::Main, &args);
        assert_eq!(wrong.status.code(), Some(2), "{why}: {}", told(&wrong));
        assert!(String::from_utf8_lossy(&wrong.stderr).contains(why) && wrong.stdout.is_empty(), "{}", told(&wrong));
    }
    let nowhere = licence(&two, Machine::Main, &["show"]);
    assert_eq!(nowhere.status.code(), Some(1), "{}", told(&nowhere));
}
