//! Changes of server, beside what the POS server program alone takes to start and to stop, with 1 GiB and 20,000 files behind it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::common::place::told;
use super::common::two::{Machine, Two, free_port};
use super::common::{tree, until};
use super::rows::{Measure, Row};
use super::shop::{GIB, Scratch, big_file, median, small_files, sync};
use super::ways::Way;

/// Time between two questions to a POS server.
const ASK: Duration = Duration::from_micros(500);
/// How often each is measured.
const ROUNDS: usize = 5;

/// Whether a POS server answers at this port.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let line = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), Duration::from_millis(50))?;
        line.set_read_timeout(Some(Duration::from_millis(200)))?;
        (&line).write_all(b"PING\n")?;
        let mut said = String::new();
        BufReader::new(line).read_line(&mut said)?;
        Ok(said == "PONG\n")
    };
    ask().unwrap_or(false)
}

/// When a POS server first answers.
fn answered(port: u16) -> Instant {
    while !answers(port) {
        std::thread::park_timeout(ASK);
    }
    Instant::now()
}

fn pos(data: &Path, port: u16) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_espejo"));
    command.args(["demo-pos", "--data"]).arg(data).arg("--port").arg(port.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// What the program alone takes to start and to stop.
fn alone(data: &Path) -> (Duration, Duration) {
    let port = free_port();
    let begin = Instant::now();
    let mut program = pos(data, port);
    let started = answered(port) - begin;
    let begin = Instant::now();
    rustix::process::kill_process(rustix::process::Pid::from_child(&program), rustix::process::Signal::TERM).unwrap();
    program.wait().unwrap();
    (started, begin.elapsed())
}

/// Start backup server and return to main server, again and again.
pub fn turns(_: &Way) -> Vec<Row> {
    let scratch = Scratch::new("turns");
    let data = scratch.folder("pos");
    big_file(&data.join("big"), GIB);
    small_files(&data, 20_000, 1_000..8_000);
    sync();
    let mut bare: Vec<(Duration, Duration)> = (0..ROUNDS).map(|_| alone(&data)).collect();
    let ports = [free_port(), free_port()];
    let mut two = Two::new();
    two.data.clone_from(&data);
    two.init();
    let server = |port: u16| {
        format!(
            "command = [\"{}\", \"demo-pos\", \"--data\", \"{{data}}\", \"--port\", \"{port}\"]\n\
            ready = {{ tcp = \"127.0.0.1:{port}\", send = \"PING\\n\", expect = \"PONG\" }}",
            env!("CARGO_BIN_EXE_espejo")
        )
    };
    two.set("server", &format!("{}\n[server.backup]\n{}", server(ports[0]), server(ports[1])));
    two.meet();
    two_whole(&two, Machine::Backup);
    let (mut starts, mut gaps) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        two.cut_power(Machine::Main);
        two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
        let begin = Instant::now();
        let mut promote = two.espejo(Machine::Backup, &["promote", "--yes", "--accept-loss"]).spawn().unwrap();
        starts.push(answered(ports[1]) - begin);
        assert!(promote.wait().unwrap().success());
        two.start(Machine::Main);
        two.until(Machine::Main, "the main follows", |status| {
            status["duty"] == "mirroring" && status["strays"] == false
        });
        two_whole(&two, Machine::Main);
        gaps.push(gap(&two, ports));
        two.until(Machine::Main, "the main serves", |status| status["server"] == "ready");
        two_whole(&two, Machine::Backup);
    }
    until("both hold the same", || tree::are_same(&two.data, &two.mirror()));
    let [mut alone_starts, mut both] = [vec![], vec![]];
    for (start, stop) in bare.drain(..) {
        alone_starts.push(start);
        both.push(start + stop);
    }
    let row = |work: &str, mut ours: Vec<Duration>, mut theirs: Vec<Duration>, reach| Row {
        work: work.to_owned(),
        ours: Measure::Time(median(&mut ours)),
        theirs: Some(Measure::Time(median(&mut theirs))),
        reach,
    };
    vec![
        row("start backup server: confirmed -> POS answers; peer: its bare start", starts, alone_starts, "+ 300 ms"),
        row("return to main server: POS gives no answer; peer: its bare stop and start", gaps, both, "+ 500 ms"),
    ]
}

fn two_whole(two: &Two, machine: Machine) {
    two.until(machine, "the copy is whole", |status| {
        status["mirror"]["as_of"].is_string() && status["mirror"]["behind_ms"] == 0
    });
}

/// Returns to the main server. How long no POS server answered meanwhile.
fn gap(two: &Two, [main, backup]: [u16; 2]) -> Duration {
    let mut returning = two.espejo(Machine::Backup, &["return", "--yes"]);
    let returning = returning.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut last = Instant::now();
    while answers(backup) {
        last = Instant::now();
        std::thread::park_timeout(ASK);
    }
    let gap = answered(main) - last;
    let said = returning.wait_with_output().unwrap();
    assert!(said.status.success(), "{}", told(&said));
    gap
}
