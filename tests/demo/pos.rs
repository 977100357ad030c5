//! The POS server of the practice shop, killed again and again while it sells: what it has answered it keeps, once.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use espejo::demo::order::{Order, QUEUE, Sale};

use crate::common::random::{Random, seed};
use crate::common::two::free_port;
use crate::common::{is_full, until_some};

/// The POS server, on some port. It goes with the test.
struct Pos {
    child: Child,
    port: u16,
}

impl Pos {
    fn start(folder: &Path, port: u16) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_espejo"));
        command.args(["demo-pos", "--data"]).arg(folder).args(["--port", &port.to_string()]).stdin(Stdio::null());
        Self { child: command.spawn().unwrap(), port }
    }

    fn line(&self) -> BufReader<TcpStream> {
        let line = until_some("it listens", || TcpStream::connect(("127.0.0.1", self.port)).ok());
        line.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        BufReader::new(line)
    }
}

impl Drop for Pos {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn said(line: &mut BufReader<TcpStream>, what: &str) -> Option<String> {
    line.get_mut().write_all(what.as_bytes()).ok()?;
    let mut answer = String::new();
    line.read_line(&mut answer).ok().filter(|length| *length > 0)?;
    Some(answer.trim_end().to_owned())
}

#[test]
fn it_answers_who_asks_and_turns_nonsense_down() {
    let folder = tempfile::tempdir().unwrap();
    let pos = Pos::start(folder.path(), free_port());
    let mut line = pos.line();
    for (what, answer) in [
        ("PING\n", "PONG"),
        ("SELL CAJA-1 a-1 350\n", "OK 1"),
        ("SELL CAJA-2 b-1 290\n", "OK 2"),
        ("SELL CAJA-1 a-1 350\n", "OK 1"),
        ("SELL CAJA-1\n", "NO"),
        ("PING\n", "PONG"),
    ] {
        assert_eq!(said(&mut line, what).as_deref(), Some(answer), "{what}");
    }
    assert_eq!(said(&mut line, &"x".repeat(1000)), None, "who never ends a line is not listened to");
    let mut second = Pos::start(folder.path(), pos.port);
    let ended = until_some("it ends", || second.child.try_wait().unwrap());
    assert_eq!(ended.code(), Some(1), "the books are taken");
}

#[test]
fn killed_at_any_moment_it_keeps_what_it_has_answered_and_once() {
    let seed = seed();
    let mut random = Random::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let (port, mut confirmed, mut number) = (free_port(), BTreeMap::new(), 0);
    for round in 0..if is_full() { 200 } else { 15 } {
        let mut pos = Pos::start(folder.path(), port);
        let mut line = pos.line();
        let killer = {
            let (pid, wait) = (rustix::process::Pid::from_child(&pos.child), random.below(150));
            std::thread::spawn(move || {
                std::thread::park_timeout(Duration::from_millis(wait));
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            })
        };
        loop {
            let order = Order { terminal: "CAJA-1".into(), id: format!("CAJA-1-{number}"), cents: 350 };
            // One that was not answered is sent again, to the next.
            let Some(answer) = said(&mut line, &order.line()) else { break };
            let receipt: u64 = answer.strip_prefix("OK ").unwrap().parse().unwrap();
            confirmed.insert(order.id, receipt);
            number += 1;
        }
        killer.join().unwrap();
        pos.child.wait().unwrap();
        let queue = fs::read_to_string(folder.path().join(QUEUE)).unwrap();
        let mut booked = BTreeMap::new();
        for sale in Sale::all(&queue) {
            let before = booked.insert(sale.order.id.clone(), sale.receipt);
            assert_eq!(before, None, "round {round} of seed {seed}: {} is booked twice", sale.order.id);
        }
        let numbers: std::collections::BTreeSet<u64> = booked.values().copied().collect();
        assert_eq!(numbers.len(), booked.len(), "round {round} of seed {seed}: a number is given twice");
        for (order, receipt) in &confirmed {
            assert_eq!(booked.get(order), Some(receipt), "round {round} of seed {seed}: {order}");
        }
    }
    assert!(number > 0, "it never sold anything");
}
