//! A shop that sells at whichever of its two machines is the server, and knows what was confirmed to it.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, park_timeout};
use std::time::Duration;

use tempfile::NamedTempFile;

use super::two::{Machine, Two, free_port};

const TILL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/till.py");

/// The file of all orders, one a line.
const QUEUE: &str = "ORDER.QUE";

/// So long an answer of the POS server is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Both machines.
pub const BOTH: [Machine; 2] = [Machine::Main, Machine::Backup];

/// A shop.
pub struct Shop {
    /// What is bought until this goes.
    cashier: Cashier,
    pub two: Two,
    /// The census of POS servers, which is on neither machine's disk.
    census: NamedTempFile,
}

/// Buys at whichever machine sells, all the time.
struct Cashier {
    goes: Arc<AtomicBool>,
    confirmed: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Shop {
    /// Two machines that have not met, with a POS server on each.
    pub fn new() -> Self {
        Self::at(Two::new())
    }

    /// The same with these two machines, which know nothing yet.
    pub fn at(two: Two) -> Self {
        two.init();
        let (ports, census) = ([(); 2].map(|()| free_port()), NamedTempFile::new().unwrap());
        let till = |port: u16| {
            format!(
                "command = [\"python3\", \"{TILL}\", \"{port}\", \"{{data}}\", \"{}\"]\n\
                ready = {{ tcp = \"127.0.0.1:{port}\", send = \"PING\\n\", expect = \"PONG\" }}\n\
                stop = {{ signal = \"TERM\", timeout = \"5s\" }}\n",
                census.path().display()
            )
        };
        two.set("mirror", "interval = \"300ms\"");
        two.set("server", &format!("{}[server.backup]\n{}", till(ports[0]), till(ports[1])));
        Self { cashier: Cashier::begin(ports), two, census }
    }

    /// Joins the two, starts both, and waits until the shop sells and has a whole copy.
    pub fn open(mut self) -> Self {
        self.two.meet();
        self.until_whole();
        self.until_sold();
        self
    }

    /// Waits until the backup mirrors, and its copy is whole.
    pub fn until_whole(&self) {
        self.two.until(Machine::Backup, "the copy is whole", |status| {
            status["duty"] == "mirroring"
                && status["mirror"]["as_of"].is_string()
                && status["peer"]["server"] == "ready"
        });
    }

    /// Waits until something more is sold.
    pub fn until_sold(&self) {
        let before = self.confirmed().len();
        super::until("something is sold", || self.confirmed().len() > before + 1);
    }

    /// What was confirmed so far.
    pub fn confirmed(&self) -> Vec<String> {
        self.cashier.confirmed.lock().unwrap().clone()
    }

    /// Nobody buys any more.
    pub fn close(&mut self) {
        self.cashier.end();
    }

    /// Which machines say that they serve.
    pub fn serving(&self) -> Vec<Machine> {
        let serves = |machine: &Machine| self.two.status(*machine).is_some_and(|status| status["duty"] == "serving");
        BOTH.into_iter().filter(serves).collect()
    }

    /// There were never two POS servers at once.
    pub fn was_one(&self, when: &str) {
        let census = fs::read_to_string(&self.census).unwrap();
        assert!(!census.contains("TWICE"), "{when}: two POS servers at once:\n{census}");
    }

    /// Every confirmed sale is in the data of this machine once, or was set aside. Returns how many were.
    pub fn accounted(&self, machine: Machine, when: &str) -> usize {
        // What is confirmed from now on is not looked for.
        let confirmed = self.confirmed();
        let data = orders(&self.data(machine).join(QUEUE));
        let aside: HashSet<String> =
            self.asides().iter().flat_map(|folder| orders(&folder.join(QUEUE)).into_keys()).collect();
        let mut lost = 0;
        for id in confirmed {
            let there = data.get(&id).copied().unwrap_or(0);
            assert!(there == 1 || there == 0 && aside.contains(&id), "{when}: {id} is {there} times in the data");
            lost += usize::from(there == 0);
        }
        lost
    }

    /// The folders of what was set aside on either machine.
    pub fn asides(&self) -> Vec<PathBuf> {
        let folders = BOTH.map(|machine| {
            let data = self.data(machine);
            let name = data.file_name().unwrap().to_str().unwrap();
            data.with_file_name(format!(".{name}.espejo")).join("rescue")
        });
        let all = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
        all.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
    }

    /// Where the data are on a machine.
    pub fn data(&self, machine: Machine) -> PathBuf {
        match machine {
            Machine::Main => self.two.data.clone(),
            Machine::Backup => self.two.mirror(),
        }
    }
}

impl Cashier {
    fn begin(ports: [u16; 2]) -> Self {
        let (goes, confirmed) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(vec![])));
        let (goes_on, book) = (Arc::clone(&goes), Arc::clone(&confirmed));
        let buying = move || {
            for number in 0.. {
                if !goes_on.load(Ordering::Relaxed) {
                    return;
                }
                // An order that was not confirmed is none: the next one has another name.
                for (port, at) in ports.into_iter().zip(["M", "B"]) {
                    let id = format!("{at}{number}");
                    if buy(port, &id).is_some() {
                        book.lock().unwrap().push(id);
                    }
                }
                park_timeout(Duration::from_millis(25));
            }
        };
        Self { goes, confirmed, thread: Some(std::thread::spawn(buying)) }
    }

    fn end(&mut self) {
        self.goes.store(false, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Cashier {
    fn drop(&mut self) {
        self.end();
    }
}

/// Buys at one POS server: some, where it was confirmed.
fn buy(port: u16, id: &str) -> Option<()> {
    let mut line = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), PATIENCE).ok()?;
    line.set_read_timeout(Some(PATIENCE)).unwrap();
    line.write_all(format!("SELL {id}\n").as_bytes()).ok()?;
    let mut answer = String::new();
    BufReader::new(line).read_line(&mut answer).ok()?;
    (answer == "OK\n").then_some(())
}

/// How often each order stands in a queue.
fn orders(queue: &Path) -> HashMap<String, usize> {
    let mut all = HashMap::new();
    for line in fs::read_to_string(queue).unwrap_or_default().lines() {
        *all.entry(line.to_owned()).or_default() += 1;
    }
    all
}
