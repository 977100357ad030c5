//! Crowds: garbage, callers that say nothing or almost nothing, a thousand of them; and one that has a key and talks nonsense.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use espejo::link::frame::{MAX_FRAME, PROTOCOL};
use espejo::link::greeting::{Answer, Purpose};
use espejo::link::speech::hear;
use espejo::link::tls::Tls;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt;
use tokio::runtime::Runtime;

use crate::common::is_full;
use crate::common::random::Random;
use crate::common::two::{Machine, Two, verified};
use crate::versions::{greeted, in_the_name_of};

const BOTH: [Machine; 2] = [Machine::Main, Machine::Backup];

/// Bytes of memory that a service has taken at the most, where nothing that it was sent is kept.
const MEMORY: u64 = 400 << 20;

/// Nobody has missed anybody, and no garbage was kept.
fn undisturbed(two: &Two) {
    for machine in BOTH {
        // A beat that a busy computer delays is late, and nobody is missed for that.
        two.until(machine, "it is heard, and nothing is wrong", |status| {
            status["peer"]["state"] == "healthy" && status["alarms"] == serde_json::json!([])
        });
        let memory = two.most_memory(machine);
        assert!(memory < MEMORY, "{machine:?} took {memory} bytes");
    }
}

/// Two that mirror, and hear each other.
fn joined() -> Two {
    let two = Two::joined();
    fs::write(two.data.join("file"), "x").unwrap();
    two.until_same("before");
    for machine in BOTH {
        two.until(machine, "the other one is heard", |status| status["peer"]["state"] == "healthy");
    }
    two
}

/// Sends garbage to a port until it has taken so many bytes; whoever is hung up on calls again.
fn throw(address: &str, garbage: &[u8], bytes: u64) {
    let mut thrown = 0;
    while thrown < bytes {
        let mut tcp = TcpStream::connect(address).unwrap();
        tcp.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        while thrown < bytes {
            let Ok(taken) = tcp.write(garbage) else { break };
            thrown += taken as u64;
        }
    }
}

/// The same in datagrams of every size.
fn throw_datagrams(address: &str, garbage: &[u8], bytes: u64) {
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut random = Random::new(2);
    let mut thrown = 0;
    while thrown < bytes {
        let length = random.index(9000) + 1;
        let mut datagram = garbage[length..2 * length].to_vec();
        if random.once_in(4) {
            // As long as a heartbeat, and begun as one.
            datagram.resize(57, 7);
            datagram[..4].copy_from_slice(b"ESP1");
        }
        let _ = udp.send_to(&datagram, address);
        thrown += length as u64;
    }
}

#[test]
fn garbage_disturbs_no_one() {
    let two = joined();
    let bytes = if is_full() { 2 << 30 } else { 16 << 20 };
    let garbage = Random::new(1).bytes(1 << 20);
    for machine in BOTH {
        let address = two.address(machine);
        throw(&address, &garbage, bytes);
        fs::write(two.data.join("file"), format!("connections {machine:?}")).unwrap();
        two.until_same("meanwhile");
        throw_datagrams(&address, &garbage, bytes);
        fs::write(two.data.join("file"), format!("datagrams {machine:?}")).unwrap();
        two.until_same("meanwhile");
        undisturbed(&two);
    }
    assert_eq!(BOTH.map(|machine| two.logged(machine, "Silent")), [0, 0], "nobody was missed");
}

/// What keeps a connection and gives nothing for it.
struct Crowd {
    address: String,
    callers: Vec<Option<TcpStream>>,
    /// Connections that it was turned away from.
    hung_up: u32,
}

impl Crowd {
    fn new(address: String, many: usize) -> Self {
        let mut crowd = Self { address, callers: vec![], hung_up: 0 };
        crowd.callers.resize_with(many, || None);
        crowd.come();
        crowd
    }

    /// Each says its next byte: the head of a handshake of TLS that never ends. Who was hung up on comes again.
    fn come(&mut self) {
        const HEAD: [u8; 5] = [22, 3, 1, 64, 0];
        let address = self.address.parse().unwrap();
        for (number, caller) in self.callers.iter_mut().enumerate() {
            let is_there = caller.as_mut().is_some_and(|tcp| {
                // Some say nothing at all.
                let speaks = number % 3 != 0 || tcp.write(&[0]).is_ok();
                speaks && !matches!(tcp.read(&mut [0; 64]), Ok(0))
            });
            if is_there {
                continue;
            }
            self.hung_up += u32::from(caller.is_some());
            // Where even the system's own queue is full, it is for another time.
            *caller = TcpStream::connect_timeout(&address, Duration::from_millis(20)).ok();
            if let Some(tcp) = caller {
                tcp.set_nonblocking(true).unwrap();
                let _ = tcp.write(&HEAD[..number % 6 % 5]);
            }
        }
    }
}

#[test]
fn a_thousand_callers_that_say_almost_nothing_keep_no_one_out() {
    // This process is all of the crowd.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let mut two = joined();
    let mut crowds = BOTH.map(|machine| Crowd::new(two.address(machine), 500));
    let end = Instant::now() + Duration::from_secs(if is_full() { 60 } else { 4 });
    let mut number = 0;
    while Instant::now() < end {
        number += 1;
        fs::write(two.data.join("file"), number.to_string()).unwrap();
        two.until_same("among them");
        crowds.iter_mut().for_each(Crowd::come);
        park_timeout(Duration::from_millis(100));
    }
    undisturbed(&two);
    // The main is hard pressed by all of them; who is known comes in all the same.
    let [crowd, other] = &mut crowds;
    crowd.callers.append(&mut other.callers);
    two.kill(Machine::Backup);
    fs::write(two.data.join("file"), "in the crowd").unwrap();
    two.start(Machine::Backup);
    let back = Instant::now();
    while two.logged(Machine::Backup, "the two machines talk") < 2 {
        assert!(back.elapsed() < Duration::from_secs(10), "kept out by the crowd");
        crowd.come();
    }
    two.until_same("in the crowd");
    eprintln!("hung up on {} of them; in again after {:?}", crowd.hung_up + other.hung_up, back.elapsed());
}

#[test]
fn who_has_a_key_and_talks_nonsense_harms_no_one() {
    let mut two = joined();
    two.kill(Machine::Backup);
    let tls = in_the_name_of(&two, Machine::Backup);
    let address = two.address(Machine::Main);
    let mut random = Random::new(3);
    let too_long = u32::try_from(MAX_FRAME + 1).unwrap().to_be_bytes();
    let garbage = random.bytes(300_000);
    let short = [&9u32.to_be_bytes()[..], &garbage[..9]].concat();
    let nothing = [0; 4000];
    for (session, nonsense) in [&u32::MAX.to_be_bytes()[..], &too_long, &garbage, &short, &nothing].iter().enumerate() {
        Runtime::new().unwrap().block_on(talk(&tls, &address, session as u64 + 1, nonsense));
    }
    let memory = two.most_memory(Machine::Main);
    assert!(memory < MEMORY, "it took {memory} bytes");
    fs::write(two.data.join("file"), "after").unwrap();
    two.start(Machine::Backup);
    two.until_same("after all that nonsense");
    verified(&two, "after all that nonsense");
}

/// Talks nonsense where the two services talk, and where a dataset goes.
async fn talk(tls: &Tls, address: &str, session: u64, nonsense: &[u8]) {
    let mut control = greeted(tls, address, PROTOCOL, Purpose::Control { session }).await;
    let welcome: Answer = hear(&mut control.stream).await.unwrap();
    assert!(matches!(welcome, Answer::Welcome { .. }), "{welcome:?}");
    let purpose = Purpose::Dataset { session, name: "pos".to_owned() };
    let mut dataset = greeted(tls, address, PROTOCOL, purpose).await;
    let welcome: Answer = hear(&mut dataset.stream).await.unwrap();
    assert!(matches!(welcome, Answer::Welcome { .. }), "{welcome:?}");
    for stream in [&mut dataset.stream, &mut control.stream] {
        // It may be hung up on before all is said.
        let _ = stream.write_all(nonsense).await;
        let _ = stream.shutdown().await;
    }
}
