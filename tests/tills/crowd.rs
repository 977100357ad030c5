//! Two hundred terminals at once: each is a real agent, all in this process, and the two machines are processes of their own.

use std::collections::HashSet;
use std::fs;
use std::net::TcpListener;

use espejo::config::store::Store;
use espejo::config::terminal::Terminal;
use espejo::link::identity::Identity;
use espejo::link::proof::StoreId;
use espejo::service::terminals::registry::Entry;
use espejo::terminal::agent::Agent;
use espejo::terminal::known::Known;
use espejo::terminal::speech::Machines;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::common::needs;
use crate::common::place::{output, told};
use crate::common::two::{Machine, Two};

const TILLS: usize = 200;
const SELLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/till.py");

/// Different ports that are free on loopback.
fn ports(count: usize) -> Vec<u16> {
    let held: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    held.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

/// Starts an agent for each of `tills`, which know both machines.
fn start(two: &Two, tills: Vec<Identity>, here: &[u16], there: u16, homes: &TempDir) -> Runtime {
    let id = |machine| Identity::load(&two.home(machine)).unwrap().unwrap().id();
    let machines = Machines { main: Some(id(Machine::Main)), backup: Some(id(Machine::Backup)) };
    let text = fs::read(two.home(Machine::Main).join("store.toml")).unwrap();
    let store = Store::from_bytes(&text).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for (number, identity) in tills.into_iter().enumerate() {
        let home = homes.path().join(number.to_string());
        fs::create_dir(&home).unwrap();
        let known = Known {
            name: name(number),
            store: StoreId::of(id(Machine::Main)),
            machines,
            revision: 0,
            proof: None,
            told: String::new(),
        };
        let set = Terminal { ports: vec![(there, here[number])], ..Terminal::default() };
        let store = store.clone();
        runtime.spawn(async move {
            let (news, _heard) = mpsc::unbounded_channel();
            Agent::run(&home, known, set, store, &identity, news).await.unwrap();
        });
    }
    runtime
}

fn name(number: usize) -> String {
    format!("CAJA-{}", number + 1)
}

#[test]
fn two_hundred_terminals_bear_witness_and_follow() {
    needs!("python3");
    let free = ports(TILLS + 4);
    let (here, [main, backup, pos, notice]) = (&free[..TILLS], [0, 1, 2, 3].map(|at| free[TILLS + at]));
    let mut two = Two::at([format!("127.0.0.2:{main}"), format!("127.0.0.3:{backup}")], None);
    two.init();
    let census = tempfile::NamedTempFile::new().unwrap();
    let server = |address: &str| {
        format!(
            "command = [\"python3\", \"{SELLS}\", \"{pos}\", \"{{data}}\", \"{}\", \"{address}\"]\n\
            ready = {{ tcp = \"{address}:{pos}\", send = \"PING\\n\", expect = \"PONG\" }}",
            census.path().display()
        )
    };
    two.set("server", &format!("{}\n[server.backup]\n{}", server("127.0.0.2"), server("127.0.0.3")));
    two.set("terminals", &format!("ports = [{pos}]\nnotice_port = {notice}"));
    let tills: Vec<Identity> = (0..TILLS).map(|_| Identity::make().unwrap()).collect();
    let entry = |(number, till): (usize, &Identity)| Entry {
        name: name(number),
        id: till.id(),
        at: jiff::Timestamp::now(),
        number: 1,
        revoked: false,
    };
    let entries: Vec<Entry> = tills.iter().enumerate().map(entry).collect();
    fs::write(two.home(Machine::Main).join("terminals.json"), serde_json::to_vec(&entries).unwrap()).unwrap();
    two.meet();
    let homes = tempfile::tempdir().unwrap();
    let runtime = start(&two, tills, here, pos, &homes);
    let all_work = |status: &serde_json::Value, uses: &str| {
        let all = status["terminals"].as_array().unwrap();
        all.len() == TILLS && all.iter().all(|till| till["uses"] == uses && till["works"] == true)
    };
    for machine in [Machine::Main, Machine::Backup] {
        let status = two.until(machine, "all work with the main", |status| all_work(status, "main"));
        assert_eq!(status["peer"]["state"], "healthy", "{status}");
        let names: HashSet<_> =
            status["terminals"].as_array().unwrap().iter().map(|till| till["name"].as_str()).collect();
        assert_eq!(names.len(), TILLS);
    }
    two.until_same("before the power cut");
    two.cut_power(Machine::Main);
    two.until(Machine::Backup, "all of them say so", |status| status["verdict"] == "main-down");
    let said = output(&mut two.espejo(Machine::Backup, &["promote", "--yes"]));
    assert!(said.status.success(), "{}", told(&said));
    let status = two.until(Machine::Backup, "all work with the backup", |status| all_work(status, "backup"));
    let mut took: Vec<u64> =
        status["terminals"].as_array().unwrap().iter().map(|till| till["took_ms"].as_u64().unwrap()).collect();
    took.sort_unstable();
    println!("{TILLS} terminals were back after {} ms, half of them after {} ms", took[TILLS - 1], took[TILLS / 2]);
    assert!(!fs::read_to_string(census.path()).unwrap().contains("TWICE"));
    runtime.shutdown_background();
}
