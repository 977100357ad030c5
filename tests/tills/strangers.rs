//! Who may come in as a terminal, who may not, and what a liar achieves.

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;

use espejo::link::greeting::{Answer, Greeting, Purpose};
use espejo::link::identity::Identity;
use espejo::link::proof::{Proof, StoreId};
use espejo::link::speech::{hear, say};
use espejo::link::tls::Tls;
use espejo::terminal::speech::{Said, Told, Vote};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::common::place::{output, told};
use crate::common::two::{Machine, RUNS, Two, free_port};
use crate::common::{until, until_some};

/// Two machines on loopback that take terminals, and the address at which the main does.
fn store() -> (Two, String) {
    let two = Two::at([2, 3].map(|host| format!("127.0.0.{host}:{}", free_port())), None);
    two.init();
    let port = free_port();
    two.set("terminals", &format!("notice_port = {port}"));
    let mut two = two;
    two.meet();
    two.until(Machine::Backup, "they talk", |status| status["peer"]["state"] == "healthy");
    (two, format!("127.0.0.2:{port}"))
}

fn espejo(two: &Two, home: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_espejo"));
    command.arg("--home").arg(two.path().join(home)).args(["--lang", "en"]).args(args);
    command
}

fn invite(two: &Two, machine: Machine, name: &str) -> String {
    let said = output(&mut two.espejo(machine, &["invite", "terminal", name]));
    assert!(said.status.success(), "{}", told(&said));
    String::from_utf8(said.stdout).unwrap().split_whitespace().next().unwrap().to_owned()
}

fn join(two: &Two, home: &str, code: &str, machine: Machine) -> (Option<i32>, String) {
    let said = output(&mut espejo(two, home, &["join", code, &two.address(machine)]));
    (said.status.code(), told(&said))
}

fn terminal<'s>(status: &'s Value, name: &str) -> Option<&'s Value> {
    status["terminals"].as_array().unwrap().iter().find(|one| one["name"] == name)
}

#[test]
fn a_code_lets_in_one_terminal_once_and_a_name_belongs_to_one() {
    let (two, _) = store();
    let code = invite(&two, Machine::Main, "CAJA-1");
    let (wrong, said) = join(&two, "a", "AAA-AAA", Machine::Main);
    assert!(wrong == Some(3) && said.contains("The code is wrong"), "{said}");
    let (right, said) = join(&two, "a", &code, Machine::Main);
    assert!(right == Some(0) && said.contains("CAJA-1"), "{said}");
    let (used, said) = join(&two, "b", &code, Machine::Main);
    assert_eq!(used, Some(3), "{said}");
    for (name, why) in [("caja-1", "joined already"), (" ", "no name"), ("backup", "no name"), ("127.0.0.2", "no name")]
    {
        let said = output(&mut two.espejo(Machine::Main, &["invite", "terminal", name]));
        assert!(said.status.code() == Some(3) && told(&said).contains(why), "{name}: {}", told(&said));
    }
    // The backup knows of it, and may invite one, too.
    two.until(Machine::Backup, "both know it", |status| terminal(status, "CAJA-1").is_some());
    let (joined, said) = join(&two, "b", &invite(&two, Machine::Backup, "CAJA-2"), Machine::Backup);
    assert_eq!(joined, Some(0), "{said}");
    two.until(Machine::Main, "both know it", |status| terminal(status, "CAJA-2").is_some());
    // The home of a machine is no terminal's, and no terminal runs in a home where none has joined.
    for (home, why) in [("main", "espejo run"), ("c", "no terminal has joined")] {
        let said = output(&mut espejo(&two, home, &["terminal"]));
        assert!(said.status.code() == Some(2) && told(&said).contains(why), "{home}: {}", told(&said));
    }
}

/// An agent that runs until this goes, and what it prints.
struct Agent {
    child: std::process::Child,
    printed: std::path::PathBuf,
}

impl Agent {
    fn start(two: &Two, home: &str) -> Self {
        let printed = two.path().join(format!("{home}.printed"));
        let out = std::fs::File::options().create(true).append(true).open(&printed).unwrap();
        let child = espejo(two, home, &["terminal"]).stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap();
        Self { child, printed }
    }

    fn says(&self, what: &str) {
        until(what, || std::fs::read_to_string(&self.printed).is_ok_and(|text| text.contains(what)));
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let printed = std::fs::read_to_string(&self.printed).unwrap_or_default();
            eprintln!("The agent said at last:\n{printed}");
        }
    }
}

#[test]
fn a_copied_disk_is_turned_away_and_so_is_who_was_revoked() {
    let (two, _) = store();
    join(&two, "a", &invite(&two, Machine::Main, "CAJA-1"), Machine::Main);
    let copied = Command::new("cp").arg("-a").args([two.path().join("a"), two.path().join("b")]).status().unwrap();
    assert!(copied.success());
    let is_here = |status: &Value| terminal(status, "CAJA-1").is_some_and(|one| one["is_here"] == true);
    let first = Agent::start(&two, "a");
    two.until(Machine::Main, "it is there", is_here);
    two.until(Machine::Backup, "it is there", is_here);
    let second = Agent::start(&two, "b");
    second.says("one of the two disks is a copy");
    assert!(two.status(Machine::Main).is_some_and(|status| is_here(&status)), "the first one stays");
    drop(second);
    let said = output(&mut two.espejo(Machine::Backup, &["invite", "--revoke", "CAJA-1"]));
    assert!(said.status.success(), "{}", told(&said));
    first.says("does not let this terminal in any more");
    for machine in [Machine::Main, Machine::Backup] {
        two.until(machine, "it is forgotten", |status| terminal(status, "CAJA-1").is_none());
    }
    // It may join again, with another code.
    drop(first);
    let (joined, said) = join(&two, "a", &invite(&two, Machine::Main, "CAJA-1"), Machine::Main);
    assert_eq!(joined, Some(0), "{said}");
    let _again = Agent::start(&two, "a");
    two.until(Machine::Backup, "it is there again", is_here);
}

/// Comes in as the terminal of `home`, tells `vote`, and returns what is answered first.
fn tells(two: &Two, home: &str, address: &str, vote: Vote) -> Vec<Said> {
    let identity = Identity::load(&two.path().join(home)).unwrap().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
        let mut secure = Tls::new(&identity).unwrap().dialled(tcp).await.unwrap();
        let purpose = Purpose::Terminal { run: 7 };
        let greeting = Greeting { protocol: 4, oldest: Some(3), version: "1".into(), purpose };
        say(&mut secure.stream, &greeting).await.unwrap();
        let Answer::Welcome { .. } = hear(&mut secure.stream).await.unwrap() else { panic!("turned away") };
        say(&mut secure.stream, &Told::Vote(Box::new(vote))).await.unwrap();
        let mut said = vec![];
        while !said.iter().any(|said| matches!(said, Said::Here(here) if here.echo == 1)) {
            said.push(hear(&mut secure.stream).await.unwrap());
        }
        said
    })
}

#[test]
fn a_terminal_that_lies_about_epochs_achieves_nothing() {
    let (two, address) = store();
    join(&two, "a", &invite(&two, Machine::Main, "CAJA-1"), Machine::Main);
    let identity = |home: &str| Identity::load(&two.path().join(home)).unwrap().unwrap();
    let (liar, main) = (identity("a"), identity("main"));
    let store = StoreId::of(main.id());
    let proofs = [
        // None; one of its own; one of a machine that may not take that epoch; one of another store.
        None,
        Some(Proof::sign(&liar, store, 98, 0).unwrap()),
        Some(Proof::sign(&main, store, 98, 0).unwrap()),
        Some(Proof::sign(&identity("backup"), StoreId::of(liar.id()), 98, 0).unwrap()),
    ];
    for proof in proofs {
        let said = tells(&two, "a", &address, Vote { number: 1, epoch: 98, proof, ..Vote::default() });
        let here = said.iter().rev().find_map(|said| if let Said::Here(here) = said { Some(here) } else { None });
        assert_eq!(here.unwrap().epoch, 1);
    }
    let status = two.status(Machine::Main).unwrap();
    assert!(status["duty"] == "serving" && status["epoch"] == 1, "{status}");
    // With a proof that is one the main stops being the server at once.
    let proof = Some(Proof::sign(&identity("backup"), store, 2, 0).unwrap());
    tells(&two, "a", &address, Vote { number: 1, epoch: 2, proof, ..Vote::default() });
    two.until(Machine::Main, "its epoch is over", |status| status["epoch"] == 2 && status["duty"] != "serving");
}

#[test]
fn a_crowd_that_says_nothing_keeps_no_terminal_out_and_puts_none_out() {
    let (two, address) = store();
    for (home, name) in [("a", "CAJA-1"), ("b", "CAJA-2")] {
        join(&two, home, &invite(&two, Machine::Main, name), Machine::Main);
    }
    let is_here =
        |name: &'static str| move |status: &Value| terminal(status, name).is_some_and(|one| one["is_here"] == true);
    let first = Agent::start(&two, "a");
    two.until(Machine::Main, "it is there", is_here("CAJA-1"));
    // More than the desk ever bears at once: each is opened, some say something that means nothing.
    let mut crowd: Vec<TcpStream> = vec![];
    for number in 0..1300 {
        let Ok(mut one) = TcpStream::connect(&address) else { continue };
        if number % 10 == 0 {
            let _ = one.write_all(b"GET / HTTP/1.1\r\n");
        }
        if crowd.len() > 900 {
            crowd.remove(0);
        }
        crowd.push(one);
    }
    let status = two.status(Machine::Main).unwrap();
    assert!(is_here("CAJA-1")(&status), "{status}");
    let _second = Agent::start(&two, "b");
    two.until(Machine::Main, "another one comes in", is_here("CAJA-2"));
    first.says("is the server");
    drop(crowd);
}

#[test]
fn what_a_machine_signs_that_was_revoked_counts_for_no_terminal() {
    let (two, _) = store();
    join(&two, "a", &invite(&two, Machine::Main, "CAJA-1"), Machine::Main);
    let _agent = Agent::start(&two, "a");
    let known = two.path().join("a/agent.json");
    let backup = || {
        let known: Value = serde_json::from_slice(&std::fs::read(&known).unwrap()).unwrap();
        known["machines"]["backup"].clone()
    };
    assert!(backup().is_string());
    let said = output(&mut two.espejo(Machine::Main, &["invite", "--revoke", "backup"]));
    assert!(said.status.success(), "{}", told(&said));
    until("the terminal has forgotten its key", || backup().is_null());
}

#[test]
fn a_terminal_that_starts_where_nobody_answers_works_as_soon_as_somebody_does() {
    let (mut two, _) = store();
    join(&two, "a", &invite(&two, Machine::Main, "CAJA-1"), Machine::Main);
    two.stop(Machine::Backup);
    two.stop(Machine::Main);
    let agent = Agent::start(&two, "a");
    agent.says("does not answer");
    two.start(Machine::Main);
    agent.says("is the server");
    let said = until_some("a line is written to it", || {
        let said = output(&mut two.espejo(Machine::Main, &["message", "Tea at four"]));
        said.status.success().then_some(said)
    });
    assert!(told(&said).contains("on its way"), "{}", told(&said));
    agent.says("Tea at four");
}

#[test]
fn what_the_terminals_lock_only_the_support_opens_with_a_reason() {
    let two = Two::at([2, 3].map(|host| format!("127.0.0.{host}:{}", free_port())), None);
    two.init();
    let port = free_port();
    two.set("server", &format!("{RUNS}\n[terminals]\nnotice_port = {port}"));
    let mut two = two;
    two.meet();
    two.until(Machine::Backup, "the copy is whole", |status| status["mirror"]["as_of"].is_string());
    join(&two, "a", &invite(&two, Machine::Main, "CAJA-1"), Machine::Main);
    let agent = Agent::start(&two, "a");
    two.until(Machine::Backup, "it is there", |status| {
        terminal(status, "CAJA-1").is_some_and(|one| one["is_here"] == true)
    });
    // Who is asked is who was there before the silence began.
    let at = |status: &Value| status["at"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let there = at(&two.status(Machine::Backup).unwrap());
    two.until(Machine::Backup, "the main is heard after that", |status| {
        let ago = SignedDuration::from_millis(status["peer"]["heard_ago_ms"].as_i64().unwrap());
        at(status) - ago > there
    });
    drop(agent);
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "nobody reaches this machine", |status| status["verdict"] == "isolated");
    let asked = |args: &[&str]| output(&mut two.espejo(Machine::Backup, args));
    let said = asked(&["promote", "--yes", "--accept-loss"]);
    assert!(said.status.code() == Some(3) && told(&said).contains("cut off"), "{}", told(&said));
    let said = asked(&["promote", "--unlock", "--reason", "nobody has said yes"]);
    assert!(said.status.code() == Some(3) && told(&said).contains("cut off"), "{}", told(&said));
    let said = asked(&["promote", "--yes", "--unlock"]);
    assert!(said.status.code() == Some(2) && told(&said).contains("--reason"), "{}", told(&said));
    let said = asked(&["promote", "--yes", "--unlock", "--reason", "the switch has burnt"]);
    assert_eq!(said.status.code(), Some(0), "{}", told(&said));
    let status = two.until(Machine::Backup, "it serves", |status| status["duty"] == "serving");
    assert_eq!(status["operation"]["reason"], "the switch has burnt", "{status}");
}
