//! The files of a real database, and a queue that grows beside them, over a cable that is pulled at random.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use crate::common::network::Network;
use crate::common::place::{output, told};
use crate::common::random::{Random, seed};
use crate::common::two::{Two, verified};
use crate::common::{is_full, passed_over};

/// The user and group *nobody*: `PostgreSQL` does not run as root.
const NOBODY: u32 = 65534;

/// A program of `PostgreSQL`.
fn postgresql(program: &str) -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.extend(["/usr/local/bin", "/usr/bin", "/usr/local/pgsql/bin"].map(PathBuf::from));
    folders.into_iter().map(|folder| folder.join(program)).find(|path| path.exists())
}

/// Runs a program of `PostgreSQL` as nobody.
fn as_nobody(program: &Path) -> Command {
    let nobody = NOBODY.to_string();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]).arg(program).current_dir("/");
    command
}

/// Makes a database cluster, stopped, with a table in it, and puts its files into `folder`.
fn make(initdb: &Path, postgres: &Path, folder: &Path) {
    let made = tempfile::Builder::new().prefix("espejo-database-").tempdir().unwrap();
    chown(made.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let data = made.path().join("data");
    let mut initdb = as_nobody(initdb);
    initdb.args(["--no-sync", "--no-locale", "--encoding", "UTF8", "--auth", "trust", "--username", "shop", "-D"]);
    let done = output(initdb.arg(&data));
    assert!(done.status.success(), "{}", told(&done));
    let made = "create table sale as select n, md5(n::text) as receipt from generate_series(1, 20000) n";
    ask(postgres, &data, made);
    let copied = Command::new("cp").arg("-a").arg(&data).arg(folder).status().unwrap();
    assert!(copied.success());
}

/// What the server of the cluster `data`, alone, answers to one query.
fn ask(postgres: &Path, data: &Path, query: &str) -> String {
    let mut server = as_nobody(postgres);
    server.args(["--single", "-D"]).arg(data).arg("postgres");
    let mut child = server.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{query}").unwrap();
    let said = child.wait_with_output().unwrap();
    assert!(said.status.success(), "{query}: {}", told(&said));
    String::from_utf8_lossy(&said.stdout).into_owned()
}

#[test]
fn a_database_and_a_queue_arrive_over_a_cable_that_is_pulled_at_random() {
    let test = "a_database_and_a_queue_arrive_over_a_cable_that_is_pulled_at_random";
    let (Some(initdb), Some(postgres)) = (postgresql("initdb"), postgresql("postgres")) else {
        passed_over(test, "there is no PostgreSQL");
        return;
    };
    let Some(network) = Network::new(test) else { return };
    let seed = seed();
    let mut random = Random::new(seed);
    // Slow enough for the first copy to be interrupted, too.
    let mut two = network.two("max_rate = \"20MB\"");
    make(&initdb, &postgres, &two.data.join("database"));
    two.meet();
    let mut queue = File::options().create(true).append(true).open(two.data.join("ORDER.QUE")).unwrap();
    let end = Instant::now() + Duration::from_secs(if is_full() { 300 } else { 7 });
    let (mut orders, mut pulled) = (0u64, 0);
    while Instant::now() < end {
        network.cable("down");
        pulled += 1;
        sell(&mut queue, &mut orders, random.below(8));
        network.cable("up");
        sell(&mut queue, &mut orders, random.below(30));
    }
    eprintln!("{orders} orders, the cable was pulled {pulled} times");
    two.until_same(&format!("seed {seed}"));
    verified(&two, &format!("seed {seed}"));
    let differ = output(Command::new("diff").arg("-r").arg(&two.data).arg(two.mirror()));
    assert!(differ.status.success() && told(&differ).lines().count() <= 1, "{}", told(&differ));
    starts(&two, &postgres);
}

/// Adds so many times some orders to the queue.
fn sell(queue: &mut File, orders: &mut u64, times: u64) {
    for _ in 0..times {
        for _ in 0..20 {
            *orders += 1;
            queue.write_all(format!("{orders};coffee;2.40\n").as_bytes()).unwrap();
        }
        park_timeout(Duration::from_millis(50));
    }
}

/// The database of the mirror opens, and holds what was sold.
fn starts(two: &Two, postgres: &Path) {
    let copy = tempfile::Builder::new().prefix("espejo-database-").tempdir().unwrap();
    chown(copy.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let copied = Command::new("cp").arg("-a").arg(two.mirror().join("database")).arg(copy.path()).status().unwrap();
    assert!(copied.success());
    let data = copy.path().join("database");
    let owned = Command::new("chown").arg("-R").arg(format!("{NOBODY}:{NOBODY}")).arg(&data).status().unwrap();
    assert!(owned.success());
    let said = ask(postgres, &data, "select count(*), max(receipt) from sale");
    assert!(said.contains("\"20000\""), "{said}");
}
