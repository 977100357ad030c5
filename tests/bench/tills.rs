//! What comes through the port of a POS terminal, beside `HAProxy` with splicing, and beside
//! nothing between.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::common::place::output;
use super::common::two::{Machine, Two, free_port};
use super::common::{until, until_some};
use super::rows::{Measure, Row};
use super::shop::{Ends, Scratch, median};
use super::ways::Way;

/// Bytes that are asked for at once.
const BULK: u64 = 2 << 30;
/// Bytes of a question, and of its answer.
const QUESTION: usize = 64;
const QUESTIONS: usize = 20_000;
/// Connections that are open at the same time.
const MANY: usize = 2_000;
const ROUNDS: usize = 3;

/// What a connection begins with: whether much is asked for, or questions are answered.
const MUCH: u8 = b'm';
const TALK: u8 = b't';

/// A POS server, of which much is asked.
fn serve(listener: &TcpListener) {
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        std::thread::Builder::new()
            .stack_size(256 * 1024)
            .spawn(move || {
                let mut kind = [0];
                let _ = stream.set_nodelay(true);
                // Who only looks whether the port opens says nothing.
                if stream.read_exact(&mut kind).is_err() {
                    return;
                }
                let mut piece = vec![7; if kind[0] == MUCH { 128 * 1024 } else { QUESTION }];
                let mut left = BULK;
                while kind[0] == MUCH && left > 0 && stream.write_all(&piece).is_ok() {
                    left = left.saturating_sub(piece.len() as u64);
                }
                while kind[0] == TALK && stream.read_exact(&mut piece).and_then(|()| stream.write_all(&piece)).is_ok() {
                }
            })
            .unwrap();
    }
}

fn connect(to: SocketAddr, kind: u8) -> TcpStream {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(&[kind]).unwrap();
    stream
}

fn bulk(to: SocketAddr) -> Duration {
    let mut stream = connect(to, MUCH);
    let (mut piece, mut left, began) = (vec![0; 128 * 1024], BULK, Instant::now());
    while left > 0 {
        let count =
            stream.read(&mut piece).unwrap_or_else(|error| panic!("{to}, {left} bytes before the end: {error}"));
        left -= count as u64;
    }
    began.elapsed()
}

fn question(stream: &mut TcpStream, piece: &mut [u8; QUESTION]) {
    stream.write_all(piece).unwrap();
    stream.read_exact(piece).unwrap();
}

fn round_trip(to: SocketAddr) -> Duration {
    let (mut stream, mut piece) = (connect(to, TALK), [1; QUESTION]);
    let mut times: Vec<Duration> = (0..QUESTIONS)
        .map(|_| {
            let began = Instant::now();
            question(&mut stream, &mut piece);
            began.elapsed()
        })
        .collect();
    median(&mut times)
}

/// Connections that are all open at once, and one question through each.
fn many(to: SocketAddr) -> Duration {
    let began = Instant::now();
    let mut all: Vec<TcpStream> = (0..MANY).map(|_| connect(to, TALK)).collect();
    let mut piece = [1; QUESTION];
    for stream in &mut all {
        question(stream, &mut piece);
    }
    began.elapsed()
}

/// `HAProxy` between, where it is installed.
fn haproxy(scratch: &Scratch, server: SocketAddr) -> Option<(Ends, SocketAddr)> {
    Command::new("haproxy").arg("-v").stdout(Stdio::null()).status().ok().filter(std::process::ExitStatus::success)?;
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = scratch.path().join("haproxy.cfg");
    let set = format!(
        "global\n  nbthread 1\n  maxconn 4096\ndefaults\n  mode tcp\n  timeout connect 3s\n  timeout client 600s\n  \
        timeout server 600s\n  option splice-auto\nlisten till\n  bind {port}\n  server pos {server}\n"
    );
    fs::write(&config, set).unwrap();
    let child = Command::new("haproxy").arg("-f").arg(&config).stderr(Stdio::null()).spawn().unwrap();
    let child = Ends(child);
    until("HAProxy listens", || TcpStream::connect(port).is_ok());
    Some((child, port))
}

/// What the system says of a process: its memory in MiB, and the ticks of a processor that it has used.
fn used(process: u32) -> (f64, u64) {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    (line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0, ticks)
}

/// A shop with one terminal.
pub fn tills(_: &Way) -> Vec<Row> {
    let scratch = Scratch::new("tills");
    let listener = TcpListener::bind("127.0.0.2:0").unwrap();
    let server = listener.local_addr().unwrap();
    // Many may come before it has turned to them.
    rustix::net::listen(&listener, 4096).unwrap();
    std::thread::spawn(move || serve(&listener));
    let mut two = Two::at([2, 3].map(|host| format!("127.0.0.{host}:{}", free_port())), None);
    two.init();
    two.set("terminals", &format!("ports = [{}]\nnotice_port = {}", server.port(), free_port()));
    two.start(Machine::Main);
    let code = until_some("a code", || {
        let said = output(&mut two.espejo(Machine::Main, &["invite", "terminal", "CAJA-1"]));
        String::from_utf8_lossy(&said.stdout).split_whitespace().next().map(str::to_owned)
    });
    let home = scratch.folder("till");
    let espejo = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_espejo"));
        command.arg("--home").arg(&home).args(args).stdin(Stdio::null()).stdout(Stdio::null());
        command
    };
    assert!(espejo(&["join", &code, &two.address(Machine::Main)]).status().unwrap().success());
    let agent = Ends(espejo(&["terminal"]).spawn().unwrap());
    let through = SocketAddr::from(([127, 0, 0, 1], server.port()));
    until("the terminal listens", || TcpStream::connect(through).is_ok());
    let process = agent.0.id();
    let (_, before) = used(process);
    let idle = Duration::from_secs(20);
    std::thread::park_timeout(idle);
    let (fresh, after) = used(process);
    let peer = haproxy(&scratch, server);
    let peer_at = peer.as_ref().map(|(_, at)| *at);
    let mut rows = vec![];
    let mut measure = |work: &str, take: fn(SocketAddr) -> Duration, reach: &'static str| {
        // In turns, so that what else happens meets all alike.
        let (mut ours, mut theirs, mut bare) = (vec![], vec![], vec![]);
        for _ in 0..ROUNDS {
            bare.push(take(server));
            ours.push(take(through));
            theirs.extend(peer_at.map(take));
        }
        let ours = Measure::Time(median(&mut ours));
        let theirs = peer_at.map(|_| Measure::Time(median(&mut theirs)));
        rows.push(Row { work: format!("{work}, beside HAProxy"), ours, theirs, reach: "1 x" });
        let bare = Some(Measure::Time(median(&mut bare)));
        rows.push(Row { work: format!("{work}, beside nothing between"), ours, theirs: bare, reach });
    };
    measure("2 GiB over one connection", bulk, "0.9 x");
    measure("question and answer, 64 bytes, median of 20,000", round_trip, "+ 100 us");
    measure("2,000 connections at once, a question through each", many, "");
    let row = |work: &str, ours, reach| Row { work: work.into(), ours, theirs: None, reach };
    rows.push(row("memory of the agent, fresh", Measure::MiB(fresh), "15 MiB"));
    rows.push(row("memory of the agent, after all of the above", Measure::MiB(used(process).0), ""));
    // Ticks are hundredths of a second.
    let share = Duration::from_millis((after - before) * 10).as_secs_f64() / idle.as_secs_f64();
    rows.push(row("the agent where nobody sells: of a core", Measure::Percent(share * 100.0), "0.1 %"));
    rows
}
