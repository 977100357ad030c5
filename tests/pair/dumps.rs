//! A database that is mirrored by its own means: `PostgreSQL` on both machines, each with a cluster of its own.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::common::place::{output, told};
use crate::common::two::{Machine, RUNS, Two};
use crate::common::{make_program, passed_over, until};
use crate::turns::done;

/// A cluster, and its server while this is there.
pub struct Cluster {
    bin: PathBuf,
    /// Where its socket is.
    pub place: PathBuf,
    server: Child,
}

/// Where Debian has the programs of the newest version that is here.
fn bin() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let bins = versions.map(|version| version.unwrap().path().join("bin"));
    bins.filter(|bin| ["postgres", "initdb", "pg_dump"].iter().all(|program| bin.join(program).exists())).max()
}

fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program).current_dir("/");
    command
}

impl Cluster {
    fn begin(bin: &Path, place: &Path) -> Self {
        fs::create_dir(place).unwrap();
        let owner = output(Command::new("id").args(["-u", "postgres"]));
        let owner: u32 = String::from_utf8(owner.stdout).unwrap().trim().parse().unwrap();
        chown(place, Some(owner), None).unwrap();
        let data = place.join("data");
        let made = output(as_postgres(&bin.join("initdb")).args(["-A", "trust", "--no-sync", "-D"]).arg(&data));
        assert!(made.status.success(), "{}", told(&made));
        let mut server = as_postgres(&bin.join("postgres"));
        server.arg("-D").arg(&data).arg("-k").arg(place).args(["-c", "listen_addresses=", "-c", "fsync=off"]);
        let server = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let cluster = Self { bin: bin.to_owned(), place: place.to_owned(), server };
        until("the database answers", || cluster.asked("postgres", "select 1").is_ok());
        cluster.ask("postgres", "create database shop");
        cluster
    }

    pub fn asked(&self, database: &str, question: &str) -> Result<String, String> {
        let mut psql = as_postgres(&self.bin.join("psql"));
        let said = output(psql.arg("-h").arg(&self.place).args(["-Atqc", question, database]));
        let answer = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        if said.status.success() { Ok(answer) } else { Err(told(&said)) }
    }

    pub fn ask(&self, database: &str, question: &str) -> String {
        self.asked(database, question).unwrap()
    }

    /// The sales in it, the first one first.
    pub fn sales(&self) -> String {
        self.asked("shop", "select string_agg(what, ' ' order by number) from sales").unwrap_or_default()
    }

    pub fn sell(&self, what: &str) {
        self.ask("shop", &format!("insert into sales (what) values ('{what}')"));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.server);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        let _ = self.server.wait();
    }
}

/// A store whose second dataset is a database, with a cluster on each machine; none where there is no `PostgreSQL`.
pub fn shop(test: &str, more: &str, every: &str) -> Option<(Two, Cluster, Cluster)> {
    let Some(bin) = bin().filter(|_| rustix::process::geteuid().is_root()) else {
        passed_over(test, "there is no PostgreSQL (Debian: apt-get install postgresql), or no root to run it");
        return None;
    };
    let mut two = Two::new();
    for folder in [two.path().to_owned(), two.home(Machine::Main), two.home(Machine::Backup)] {
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let place = |machine: &str| two.path().join(format!("pg-{machine}"));
    let (main, backup) = (Cluster::begin(&bin, &place("m")), Cluster::begin(&bin, &place("b")));
    main.ask("shop", "create table sales (number serial primary key, what text)");
    two.init();
    two.set("server", &format!("{RUNS}\n{more}"));
    let path = two.home(Machine::Main).join("store.toml");
    let books = "\n[[dataset]]\nname = \"books\"\nkind = \"dump\"\npreset = \"postgresql\"\ndatabase = \"shop\"\n\
        user = \"postgres\"\n";
    let set = format!("{}{books}every = \"{every}\"\n", fs::read_to_string(&path).unwrap());
    fs::write(&path, set).unwrap();
    let programs = std::env::join_paths([bin, "/usr/bin".into(), "/bin".into(), "/usr/sbin".into()]).unwrap();
    for (machine, cluster) in [(Machine::Main, &main), (Machine::Backup, &backup)] {
        two.around(machine, "PGHOST", cluster.place.to_str().unwrap());
        two.around(machine, "PATH", programs.to_str().unwrap());
    }
    two.meet();
    Some((two, main, backup))
}

/// Waits until the mirror has a dump that was begun after all that was sold until now.
pub fn until_dumped(two: &Two, when: &str) {
    let now = jiff::Timestamp::now();
    two.until(Machine::Backup, when, |status| {
        let books = status["datasets"].as_array().unwrap().iter().find(|dataset| dataset["name"] == "books");
        let at = books.and_then(|books| books["dumped_at"].as_str()?.parse::<jiff::Timestamp>().ok());
        at.is_some_and(|at| at > now)
    });
}

#[test]
fn a_database_goes_over_with_its_dump_and_comes_back_with_all_that_was_sold() {
    let Some((mut two, main, backup)) =
        shop("a_database_goes_over_with_its_dump_and_comes_back_with_all_that_was_sold", "", "1s")
    else {
        return;
    };
    main.sell("coffee");
    main.sell("tea");
    until_dumped(&two, "the sales are in the mirror");
    let status = two.status(Machine::Backup).unwrap();
    let books = status["datasets"].as_array().unwrap().iter().find(|one| one["name"] == "books").unwrap().clone();
    assert_eq!((&books["kinds"][0], &books["grade"]), (&"dump".into(), &"exact".into()), "{books}");
    two.cut_power(Machine::Main);
    main.sell("rum");
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    assert_eq!(backup.sales(), "coffee tea", "read back before the POS server started");
    backup.sell("milk");
    // Whatever restarts meanwhile overwrites nothing.
    two.kill(Machine::Backup);
    two.start(Machine::Backup);
    two.until(Machine::Backup, "it goes on as the server", |status| status["server"] == "ready");
    assert_eq!(backup.sales(), "coffee tea milk");
    two.start(Machine::Main);
    two.until(Machine::Backup, "a return is possible", |status| {
        let plans = status["plans"].as_array().unwrap();
        let back = plans.iter().find(|plan| plan["kind"] == "return").unwrap();
        back["checks"].as_array().unwrap().iter().all(|check| check["why"].is_null())
    });
    backup.sell("bread");
    done(&two, Machine::Backup, &["return", "--yes"]);
    assert_eq!(main.sales(), "coffee tea milk bread");
    // What the main had sold after its last dump is not in the shop, and not lost.
    assert_eq!(set_aside(&two, &main), "coffee tea rum");
    main.sell("salt");
    until_dumped(&two, "and the mirror goes on");
}

/// What was sold on the main according to the dump that was set aside there.
fn set_aside(two: &Two, main: &Cluster) -> String {
    let listed = output(&mut two.espejo(Machine::Main, &["rescue", "list", "--json"]));
    let all: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap_or_else(|_| panic!("{}", told(&listed)));
    let one = all.as_array().unwrap().iter().find(|one| one["name"] == "epoch-1-dump");
    let dump = PathBuf::from(one.unwrap_or_else(|| panic!("{all}"))["folder"].as_str().unwrap()).join("books.dump");
    main.ask("postgres", "create database aside");
    let mut restore = as_postgres(&main.bin.join("pg_restore"));
    restore.arg("-h").arg(&main.place).args(["-d", "aside"]).stdin(fs::File::open(&dump).unwrap());
    let read = restore.output().unwrap();
    assert!(read.status.success(), "{}", told(&read));
    main.ask("aside", "select string_agg(what, ' ' order by number) from sales")
}

#[test]
fn a_main_that_takes_over_again_loses_nothing_that_its_database_alone_held() {
    let test = "a_main_that_takes_over_again_loses_nothing_that_its_database_alone_held";
    let Some((mut two, main, backup)) = shop(test, "", "1s") else { return };
    main.sell("coffee");
    until_dumped(&two, "the sale is in the mirror");
    two.cut_power(Machine::Main);
    main.sell("rum");
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    backup.sell("milk");
    // What it alone holds cannot be set aside for now, and the backup dies before it can.
    main.ask("postgres", "alter database shop rename to gone");
    two.start(Machine::Main);
    let undumped = two.until(Machine::Backup, "it is said", |status| {
        alarmed(status, "DMP-103") || plan(status, "return")["checks"].to_string().contains("not-aside")
    });
    assert!(plan(&undumped, "return")["checks"].to_string().contains("not-aside"), "{undumped}");
    two.until(Machine::Main, "milk is in its mirror", |status| {
        let books = status["datasets"].as_array().unwrap().iter().find(|one| one["name"] == "books").unwrap();
        books["dumped_at"].is_string() && status["mirror"]["caught_up"] == true
    });
    two.cut_power(Machine::Backup);
    two.until(Machine::Main, "the backup is missed", |status| status["peer"]["state"] == "lost");
    let failed = output(&mut two.espejo(Machine::Main, &["promote", "--yes", "--accept-loss"]));
    assert_eq!(failed.status.code(), Some(1), "{}", told(&failed));
    assert!(
        told(&failed).contains("books alone held on the machine that was the server before could not be dumped"),
        "{}",
        told(&failed)
    );
    // Whatever restarts meanwhile does not forget it.
    two.kill(Machine::Main);
    main.ask("postgres", "alter database gone rename to shop");
    assert_eq!(main.sales(), "coffee rum");
    two.start(Machine::Main);
    let serves = two.until(Machine::Main, "it is heard, or waits", |status| status["duty"] != "mirroring");
    if serves["duty"] != "serving" {
        done(&two, Machine::Main, &["start", "--yes"]);
    }
    two.until(Machine::Main, "the POS server starts", |status| status["server"] == "ready");
    assert!(main.sales().starts_with("coffee") && !main.sales().contains("rum"), "{}", main.sales());
    assert_eq!(set_aside(&two, &main), "coffee rum");
}

#[test]
fn a_server_that_cannot_read_its_dump_back_can_be_relieved_and_sells_nothing_before() {
    let test = "a_server_that_cannot_read_its_dump_back_can_be_relieved_and_sells_nothing_before";
    let Some((mut two, main, backup)) = shop(test, "", "1s") else { return };
    main.sell("coffee");
    until_dumped(&two, "the sale is in the mirror");
    backup.ask("postgres", "alter database shop rename to gone");
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    let failed = output(&mut two.espejo(Machine::Backup, &["promote", "--yes", "--accept-loss"]));
    assert_eq!(failed.status.code(), Some(1), "{}", told(&failed));
    two.until(Machine::Backup, "it is said", |status| alarmed(status, "DMP-101"));
    // The main dies again in the midst of a return: that comes to nothing, and what could not be read back still cannot.
    let killer = two.path().join("killer");
    make_program(&killer, &format!("#!/bin/sh\nkill -9 $(cat {}/main.pid)\n", two.path().display()));
    two.kill(Machine::Backup);
    two.around(Machine::Backup, "FAILPOINTS", &format!("turn.stands-still=1*return({})", killer.display()));
    two.start(Machine::Backup);
    two.start(Machine::Main);
    fs::write(two.path().join("main.pid"), two.number(Machine::Main).to_string()).unwrap();
    until_possible(&two, Machine::Backup, "return");
    let failed = output(&mut two.espejo(Machine::Backup, &["return", "--yes"]));
    assert_eq!(failed.status.code(), Some(1), "{}", told(&failed));
    let status = two.status(Machine::Backup).unwrap();
    assert_eq!((&status["duty"], &status["server"]), (&"serving".into(), &"stopped".into()), "{status}");
    assert!(alarmed(&status, "DMP-101"), "{status}");
    two.forget(Machine::Main);
    two.start(Machine::Main);
    until_possible(&two, Machine::Backup, "return");
    done(&two, Machine::Backup, &["return", "--yes"]);
    assert_eq!(main.sales(), "coffee");
    two.until(Machine::Backup, "it is over", |status| !alarmed(status, "DMP-101"));
}

pub fn until_possible(two: &Two, machine: Machine, kind: &str) {
    two.until(machine, &format!("a {kind} is possible"), |status| {
        plan(status, kind)["checks"].as_array().is_some_and(|all| all.iter().all(|check| check["why"].is_null()))
    });
}

pub fn alarmed(status: &serde_json::Value, code: &str) -> bool {
    status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == code)
}

pub fn plan<'a>(status: &'a serde_json::Value, kind: &str) -> &'a serde_json::Value {
    status["plans"].as_array().unwrap().iter().find(|plan| plan["kind"] == kind).unwrap_or(&serde_json::Value::Null)
}

#[test]
fn a_drill_is_held_on_a_database_that_is_there_for_it_alone() {
    let sale = "[drill]\nsale = [\"setpriv\", \"--reuid=postgres\", \"--regid=postgres\", \"--clear-groups\", \"--\", \
        \"sh\", \"-c\", \"test $ESPEJO_TRAINING = 1 && test $(psql -Atqc 'select count(*) from sales' shop_drill) = 2\"]\n";
    let Some((two, main, backup)) = shop("a_drill_is_held_on_a_database_that_is_there_for_it_alone", sale, "1s") else {
        return;
    };
    main.sell("coffee");
    main.sell("tea");
    until_dumped(&two, "the sales are in the mirror");
    let held = output(&mut two.espejo(Machine::Backup, &["drill"]));
    assert_eq!(held.status.code(), Some(0), "{}", told(&held));
    assert_eq!(backup.sales(), "", "the shop's own database is as it was");
    let left = backup.ask("postgres", "select count(*) from pg_database where datname = 'shop_drill'");
    assert_eq!(left, "0", "and the one of the drill is gone");
}

#[test]
fn what_cannot_be_dumped_or_read_back_is_said_and_the_pos_server_waits_for_it() {
    let Some((mut two, main, backup)) =
        shop("what_cannot_be_dumped_or_read_back_is_said_and_the_pos_server_waits_for_it", "", "1s")
    else {
        return;
    };
    main.sell("coffee");
    until_dumped(&two, "the sale is in the mirror");
    main.ask("postgres", "alter database shop rename to gone");
    two.until(Machine::Main, "it cannot be dumped", |status| alarmed(status, "DMP-102"));
    backup.ask("postgres", "alter database shop rename to gone");
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    let failed = output(&mut two.espejo(Machine::Backup, &["promote", "--yes", "--accept-loss"]));
    assert_eq!(failed.status.code(), Some(1), "{}", told(&failed));
    assert!(told(&failed).contains("books"), "{}", told(&failed));
    let held = two.until(Machine::Backup, "it is said", |status| alarmed(status, "DMP-101"));
    assert_eq!((&held["duty"], &held["server"]), (&"serving".into(), &"stopped".into()), "{held}");
    backup.ask("postgres", "alter database gone rename to shop");
    two.until(Machine::Backup, "it is tried again, and the POS server starts", |status| status["server"] == "ready");
    assert_eq!(backup.sales(), "coffee");
}

#[test]
fn a_planned_change_gives_nothing_away_where_the_last_dump_fails() {
    // So rarely that nobody knows beforehand.
    let test = "a_planned_change_gives_nothing_away_where_the_last_dump_fails";
    let Some((two, main, backup)) = shop(test, "", "1h") else { return };
    two.until(Machine::Main, "a change is possible", |status| {
        plan(status, "switch")["checks"].as_array().is_some_and(|all| all.iter().all(|check| check["why"].is_null()))
    });
    main.sell("coffee");
    main.ask("postgres", "alter database shop rename to gone");
    let said = output(&mut two.espejo(Machine::Main, &["switch", "--yes"]));
    assert_eq!(said.status.code(), Some(1), "{}", told(&said));
    assert!(told(&said).contains("books could not be dumped"), "{}", told(&said));
    two.until(Machine::Main, "it serves on", |status| status["duty"] == "serving" && status["server"] == "ready");
    two.until(Machine::Main, "it is said beforehand", |status| {
        plan(status, "switch")["checks"].to_string().contains("not-dumped")
    });
    // Now nothing is tried, whoever asks.
    for machine in [Machine::Main, Machine::Backup] {
        let said = output(&mut two.espejo(machine, &["switch", "--yes"]));
        assert_eq!(said.status.code(), Some(3), "{}", told(&said));
        assert!(told(&said).contains("books could not be dumped"), "{}", told(&said));
    }
    assert_eq!(backup.sales(), "", "nothing was read back");
    main.ask("postgres", "alter database gone rename to shop");
    main.sell("tea");
    two.until(Machine::Main, "it can be dumped again", |status| status["alarms"] == serde_json::json!([]));
    done(&two, Machine::Main, &["switch", "--yes"]);
    assert_eq!(backup.sales(), "coffee tea");
}
