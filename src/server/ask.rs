//! A question to the program. It takes at most as long as it may, whatever answers.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::config::address::Address;
use crate::config::probe::Probe;

/// Bytes of an answer that are looked at.
const ANSWER: usize = 64 * 1024;
/// Between two looks whether a program that asks has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A question, with all that must be filled in.
#[derive(Debug)]
pub enum Question {
    /// Over the network.
    Net(Probe),
    /// A program of the shop's.
    Program(Command),
}

/// Whether the question is answered well within `limit`.
#[must_use]
pub fn ask(question: &mut Question, limit: Duration) -> bool {
    let end = Instant::now() + limit;
    match question {
        Question::Net(probe) => over_net(probe, end).unwrap_or(false),
        Question::Program(command) => run(command, end).unwrap_or(false),
    }
}

/// Whether someone listens at `address`, as far as that can be known within `limit`.
#[must_use]
pub fn listens(address: &Address, limit: Duration) -> bool {
    connect(address, Instant::now() + limit).is_ok()
}

fn over_net(probe: &Probe, end: Instant) -> io::Result<bool> {
    match probe {
        Probe::Tcp(address) => connect(address, end).map(|_| true),
        Probe::Http(url) => {
            let mut line = connect(&url.address, end)?;
            // The old version, so that the answer is one piece and ends.
            let host = &url.address;
            let question = ["GET ", &url.path, " HTTP/1.0\r\nHost: ", &host.to_string(), "\r\n\r\n"].concat();
            line.write_all(question.as_bytes())?;
            until(&mut line, end, is_success)
        }
        Probe::Talk { address, send, expect } => {
            let mut line = connect(address, end)?;
            line.write_all(send.as_bytes())?;
            until(&mut line, end, |answer| {
                let is_there = answer.windows(expect.len().max(1)).any(|part| part == expect.as_bytes());
                is_there.then_some(true)
            })
        }
        Probe::Command(_) => Ok(false),
    }
}

/// Whether the first line of an answer says success; none while it is not there.
fn is_success(answer: &[u8]) -> Option<bool> {
    let line = answer.split(|&byte| byte == b'\n').next().filter(|line| line.len() < answer.len())?;
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    let is_http = words.next().is_some_and(|word| word.starts_with("HTTP/"));
    Some(is_http && words.next().is_some_and(|code| code.len() == 3 && code.starts_with('2')))
}

fn left(end: Instant) -> io::Result<Duration> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn connect(address: &Address, end: Instant) -> io::Result<TcpStream> {
    let all: Vec<SocketAddr> = (address.host(), address.port()).to_socket_addrs()?.collect();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in all {
        match TcpStream::connect_timeout(&address, left(end)?) {
            Ok(line) => {
                line.set_write_timeout(Some(left(end)?))?;
                return Ok(line);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Reads until `judge` knows; what ends before is no.
fn until(line: &mut TcpStream, end: Instant, judge: impl Fn(&[u8]) -> Option<bool>) -> io::Result<bool> {
    let (mut answer, mut part) = (vec![], [0; 4096]);
    while answer.len() < ANSWER {
        line.set_read_timeout(Some(left(end)?))?;
        let read = line.read(&mut part)?;
        answer.extend_from_slice(&part[..read]);
        if let Some(judged) = judge(&answer) {
            return Ok(judged);
        }
        if read == 0 {
            break;
        }
    }
    Ok(false)
}

/// Runs a program; whether it ends with 0 in time. What does not is killed with all that it began.
pub fn run(command: &mut Command, end: Instant) -> io::Result<bool> {
    finish(command.stdout(Stdio::null()), end)
}

/// The same with what it prints going where `command` says.
pub fn finish(command: &mut Command, end: Instant) -> io::Result<bool> {
    run_until(command.stdin(Stdio::null()), || Instant::now() >= end)
}

/// Runs a program that reads and prints as `command` says; whether it ends with 0 before `is_over`. What does not is killed with
/// all that it began.
pub fn run_until(command: &mut Command, is_over: impl FnMut() -> bool) -> io::Result<bool> {
    run_all(command.stderr(Stdio::null()), |_| {}, is_over)
}

/// The same of a program that complains where `command` says, too; its number is told as soon as it has begun.
pub fn run_all(command: &mut Command, begun: impl FnOnce(i32), mut is_over: impl FnMut() -> bool) -> io::Result<bool> {
    let mut child = command.process_group(0).spawn()?;
    begun(i32::try_from(child.id()).unwrap_or(0));
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if is_over() {
            crate::os::signal_group(i32::try_from(child.id()).unwrap_or(0), rustix::process::Signal::KILL);
            child.wait()?;
            return Ok(false);
        }
        std::thread::park_timeout(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::config::address::Url;

    const LIMIT: Duration = Duration::from_secs(5);

    /// Someone who gives one answer to whoever calls, says nothing more, and keeps the line.
    fn answers(answer: &'static str) -> Address {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let mut lines = vec![];
            for line in listener.incoming() {
                let mut line = line.unwrap();
                let _ = line.write_all(answer.as_bytes());
                lines.push(line);
            }
        });
        Address::new("127.0.0.1", port).unwrap()
    }

    fn talk(answer: &'static str, expect: &str, limit: Duration) -> bool {
        let probe = Probe::Talk { address: answers(answer), send: "PING\n".to_owned(), expect: expect.to_owned() };
        ask(&mut Question::Net(probe), limit)
    }

    #[test]
    fn what_is_a_good_answer_and_what_is_none() {
        assert!(talk("xx PONG\n", "PONG", LIMIT));
        assert!(!talk("POMG", "PONG", Duration::from_millis(50)), "another answer");
        assert!(!talk("", "PONG", Duration::from_millis(50)), "none");
        let page = |answer| {
            let url = Url { address: answers(answer), path: "/".to_owned() };
            ask(&mut Question::Net(Probe::Http(url)), Duration::from_millis(500))
        };
        assert!(page("HTTP/1.1 200 OK\r\n\r\n") && page("HTTP/1.0 204 \r\n"));
        assert!(!page("HTTP/1.1 503 Service Unavailable\r\n\r\n") && !page("SSH-2.0 200\r\n") && !page("HTTP/1.1 2"));
        assert!(ask(&mut Question::Net(Probe::Tcp(answers(""))), LIMIT));
        let nobody = Address::new("127.0.0.1", 1).unwrap();
        assert!(!ask(&mut Question::Net(Probe::Tcp(nobody.clone())), LIMIT) && !listens(&nobody, LIMIT));
    }

    #[test]
    fn a_program_that_asks_may_not_take_too_long() {
        let shell = |script: &str, limit| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            ask(&mut Question::Program(command), limit)
        };
        assert!(shell("exit 0", LIMIT) && !shell("exit 3", LIMIT));
        let began = Instant::now();
        assert!(!shell("cat /dev/zero >/dev/null & wait", Duration::from_millis(100)));
        assert!(began.elapsed() < LIMIT);
        assert!(!ask(&mut Question::Program(Command::new("/nowhere/at/all")), LIMIT));
    }
}
