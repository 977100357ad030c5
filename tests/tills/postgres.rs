//! A real database through the terminals' ports: `PostgreSQL` on both machines, each with its own data, since here only the
//! way there is tried.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use crate::common::place::told;
use crate::common::two::Machine;
use crate::common::{passed_over, until};
use crate::floor::{Floor, done};

/// Writes a line for each question to the database: when it was asked, when it was answered, and whether it was, in milliseconds.
const ASKS: &str = "while :; do began=$(date +%s%3N); \
    if \"$0/psql\" -h 127.0.0.1 -U shop -Atqc 'insert into sales default values' shop 2>/dev/null; \
    then said=ok; else said=failed; fi; echo \"$began $(date +%s%3N) $said\"; done";

/// Two clusters of databases that belong to the user `postgres`.
struct Clusters {
    bin: PathBuf,
    dir: TempDir,
}

/// Where Debian has the programs of the newest version that is here.
fn bin() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let bins = versions.map(|version| version.unwrap().path().join("bin"));
    bins.filter(|bin| ["postgres", "initdb", "pgbench", "psql"].iter().all(|program| bin.join(program).exists())).max()
}

/// A program as the user `postgres`, which alone may be the database's.
fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

impl Clusters {
    fn new() -> Option<Self> {
        let Some(bin) = bin() else {
            passed_over("postgres", "there is no PostgreSQL here (Debian: apt-get install postgresql)");
            return None;
        };
        let dir = tempfile::Builder::new().prefix("espejo-pg-").tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let clusters = Self { bin, dir };
        let data = clusters.data("main");
        fs::create_dir(&data).unwrap();
        assert!(Command::new("chown").arg("postgres:postgres").arg(&data).status().unwrap().success());
        let mut make = as_postgres(&clusters.bin.join("initdb"));
        make.args(["-U", "shop", "-A", "trust", "--no-sync", "-D"]).arg(&data);
        let made = make.stdin(Stdio::null()).output().unwrap();
        assert!(made.status.success(), "{}", told(&made));
        fs::write(data.join("pg_hba.conf"), "host all all all trust\n").unwrap();
        let settings = "listen_addresses = '*'\nport = 5432\nunix_socket_directories = ''\nfsync = off\n\
            max_connections = 120\nshared_buffers = 32MB\n";
        fs::write(data.join("postgresql.conf"), settings).unwrap();
        clusters.make("postgres", "create database shop");
        clusters.make("shop", "create table sales (at timestamptz default now())");
        let copied = Command::new("cp").arg("-a").args([&data, &clusters.data("backup")]).status().unwrap();
        assert!(copied.success());
        Some(clusters)
    }

    /// Has something made in a database of the main's cluster, which does not run.
    fn make(&self, database: &str, what: &str) {
        let mut single = as_postgres(&self.bin.join("postgres"));
        single.args(["--single", "-D"]).arg(self.data("main")).arg(database);
        let mut child = single.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{what};").unwrap();
        assert!(child.wait().unwrap().success(), "{what}");
    }

    fn data(&self, machine: &str) -> PathBuf {
        self.dir.path().join(machine)
    }

    /// What is set for the POS server and the terminals.
    fn server(&self) -> String {
        let command = |machine: &str| {
            let postgres = self.bin.join("postgres");
            let words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"];
            let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            format!(
                "command = [{}, \"{}\", \"-D\", \"{}\"]",
                words.join(", "),
                postgres.display(),
                self.data(machine).display()
            )
        };
        format!(
            "{}\nready = {{ tcp = \"127.0.0.1:5432\" }}\nstop = {{ signal = \"INT\", timeout = \"10s\" }}\n\
            [server.backup]\n{}\n[terminals]\nports = [5432]\n",
            command("main"),
            command("backup")
        )
    }
}

/// Runs one of its programs on the machine called `who`.
fn run(floor: &Floor, clusters: &Clusters, who: &str, program: &str, args: &[&str]) -> Output {
    let mut command = floor.at(who, clusters.bin.join(program).to_str().unwrap());
    command.args(["-h", "127.0.0.1", "-U", "shop"]).args(args).output().unwrap()
}

fn ask(floor: &Floor, clusters: &Clusters, who: &str, question: &str) -> String {
    let said = run(floor, clusters, who, "psql", &["-Atqc", question, "shop"]);
    assert!(said.status.success(), "{question}: {}", told(&said));
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Tries the machine that serves through the till, as `pgbench` does, and counts on the machine itself what came of it.
fn bench(floor: &Floor, clusters: &Clusters, server: &str) {
    let made = run(floor, clusters, server, "pgbench", &["-i", "-q", "shop"]);
    assert!(made.status.success(), "{}", told(&made));
    let said = run(floor, clusters, "t1", "pgbench", &["-c", "8", "-T", "3", "shop"]);
    let text = told(&said);
    assert!(said.status.success(), "{text}");
    let done = text.lines().find_map(|line| line.strip_prefix("number of transactions actually processed: "));
    let done: u64 = done.unwrap().split('/').next().unwrap().parse().unwrap();
    println!("through the till: {done} transactions in 3 s");
    assert_eq!(ask(floor, clusters, server, "select count(*) from pgbench_history"), done.to_string());
}

#[test]
fn a_database_is_reached_through_the_till_and_errs_only_while_the_server_changes() {
    let Some(clusters) = Clusters::new() else { return };
    let Some(mut floor) = Floor::open_with("postgres", 1, |_| clusters.server()) else { return };
    bench(&floor, &clusters, "m");
    // Somebody asks all the time, and once over one connection that is never let go.
    let log = clusters.dir.path().join("asked");
    let mut asks: Child = {
        let mut shell = floor.at("t1", "sh");
        shell.args(["-c", ASKS]).arg(&clusters.bin).stdout(File::create(&log).unwrap());
        shell.spawn().unwrap()
    };
    let mut holds = floor.at("t1", clusters.bin.join("pgbench").to_str().unwrap());
    holds.args(["-h", "127.0.0.1", "-U", "shop", "-c", "2", "-T", "60", "shop"]);
    let holds = holds.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let answers = || fs::read_to_string(&log).unwrap().matches("ok\n").count();
    until("somebody is answered", || answers() > 5);
    let begun = now_ms();
    floor.two.until_it_may(Machine::Main, "switch");
    done(&floor, Machine::Main, &["switch", "--yes"]);
    floor.until_all_work(Machine::Backup, "backup", "switched");
    let over = now_ms();
    let before = answers();
    until("somebody is answered by the backup", || answers() > before + 5);
    let held = holds.wait_with_output().unwrap();
    assert!(!held.status.success() && told(&held).contains("aborted"), "what is open is cut: {}", told(&held));
    asks.kill().unwrap();
    asks.wait().unwrap();
    bench(&floor, &clusters, "b");
    let text = fs::read_to_string(&log).unwrap();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let (mut failed, mut longest) = (0, 0);
    for line in whole.lines() {
        let [began, ended, said] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (began, ended): (u64, u64) = (began.parse().unwrap(), ended.parse().unwrap());
        longest = longest.max(ended - began);
        if said == "failed" {
            failed += 1;
            assert!(ended >= begun && began <= over, "an error that is no change's: {line}; {begun} to {over}");
        }
    }
    println!(
        "{failed} of {} failed, all in the {} ms of the change; the longest took {longest} ms",
        whole.lines().count(),
        over - begun
    );
    floor.close();
}
