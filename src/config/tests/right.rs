//! What a right file says, and what the defaults are.

use std::time::Duration;

use super::super::alarm::Sound;
use super::super::change::Mode;
use super::super::command::Command;
use super::super::counter::{CounterWrite, OnStart, ReadBy};
use super::super::dataset::{Content, CountBy};
use super::super::file::{FileKind, Lock, Prefix, Record};
use super::super::probe::Probe;
use super::super::server::{Signal, Start};
use super::super::{Revision, Store};
use super::{CONTRACT, LEAST};

fn least_and(more: &str) -> Store {
    Store::parse(&format!("{LEAST}{more}")).unwrap()
}

fn words(command: &Command) -> Vec<&str> {
    command.words().iter().map(String::as_str).collect()
}

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn the_file_of_the_contract_says_what_it_shows() {
    let store = Store::parse(CONTRACT).unwrap();
    assert_eq!(
        (store.name.as_str(), store.main.name.as_str(), store.backup.name.as_str()),
        ("Centro", "SERVIDOR", "CAJA-3")
    );
    assert_eq!(store.main.address.to_string(), "192.168.1.10:7410");
    let dataset = &store.datasets[0];
    assert_eq!((dataset.main.to_str(), dataset.backup.to_str()), (Some("/srv/pos"), Some("RUNDIR")));
    assert!(dataset.excludes(b"x/y.tmp").is_some() && dataset.excludes(b"POS-R").is_none());
    let rule = dataset.rule(b"ORDER.QUE").unwrap();
    assert_eq!((rule.kind, rule.lock), (Some(FileKind::Queue(Record::Line)), None));
    let count = &dataset.counts[0];
    let CountBy::Records(file) = &count.by else { panic!("{count:?}") };
    assert_eq!((count.label.as_str(), file.to_string().as_str()), ("orders", "pos/ORDER.QUE"));
    let counter = &store.counters[0];
    let ReadBy::Pattern(pattern) = &counter.read.by else { panic!("{counter:?}") };
    assert_eq!(counter.read.file.to_string(), "pos/POS-Q.Seq");
    assert_eq!(&pattern.regex().captures(b"\xff 0041\n").unwrap()[1], b"0041");
    assert_eq!(counter.on_start, OnStart::Gap(50));
    let Some(CounterWrite::Command(command)) = &counter.write else { panic!("{counter:?}") };
    assert_eq!(words(command), ["/opt/pos/set-next", "{value}"]);
    let servers = store.servers.unwrap();
    assert_eq!(servers.main, servers.backup);
    let Start::Command(command) = &servers.main.start else { panic!("{servers:?}") };
    assert_eq!(words(command), ["/opt/pos/server", "--data", "{data}", "--port", "9000"]);
    assert_eq!((servers.main.stop.signal, servers.main.stop.timeout), (Signal::Term, seconds(20)));
    assert!(matches!(&servers.main.ready.probe, Some(Probe::Tcp(address)) if address.to_string() == "127.0.0.1:9000"));
    assert_eq!((servers.main.ready.timeout, servers.main.health.timeout), (seconds(60), seconds(3)));
    assert_eq!(servers.main.ready.probe, servers.main.health.probe);
    let terminals = store.terminals.unwrap();
    assert_eq!((terminals.ports, terminals.notice_port, terminals.hold), (vec![9000], 8009, seconds(80)));
    assert_eq!(words(store.alarm.show.as_ref().unwrap()), ["chvt", "2"]);
    assert_eq!(store.support.telephone.as_deref(), Some("55 1234 5678"));
}

#[test]
fn the_least_file_has_the_defaults_of_the_contract() {
    let (least, contract) = (Store::parse(LEAST).unwrap(), Store::parse(CONTRACT).unwrap());
    assert_eq!(least.main.name, "192.168.1.10");
    assert_eq!(least.mirror, contract.mirror);
    assert_eq!(least.mirror.interval, seconds(3));
    assert_eq!((least.mirror.rescan, least.mirror.max_age), (seconds(600), seconds(600)));
    assert_eq!((least.mirror.empty_patience, least.mirror.history), (seconds(2), seconds(3600)));
    assert_eq!((least.mirror.history_bytes, least.mirror.max_rate), (2 << 30, None));
    assert_eq!(least.datasets[0].backup, contract.datasets[0].backup);
    assert_eq!((&least.licence, &least.promote), (&contract.licence, &contract.promote));
    assert_eq!((least.licence.days, least.promote.mode, least.promote.after), (10, Mode::Ask, seconds(30)));
    assert_eq!((least.returning.mode, least.returning.after.as_secs()), (Mode::Ask, 60));
    assert_eq!((least.alarm.show, least.alarm.sound), (None, Sound::Bell));
    assert_eq!((least.servers, least.terminals), (None, None));
    assert_eq!((least.drill.command, least.drill.sale, least.drill.every), (None, None, seconds(30 * 86_400)));
    assert_eq!((least.hooks.limit, least.hooks.before_serve), (seconds(30), None));
    let revision = Revision { number: 1, text: CONTRACT.to_owned() };
    assert_eq!(revision.store(), Ok(contract));
}

#[test]
fn a_record_in_all_its_forms() {
    let forms = [
        ("\"line\"", Record::Line),
        ("{ fixed = 64 }", Record::Fixed(64)),
        ("{ prefix = \"u32le\" }", Record::Prefix(Prefix::U32Le)),
        ("{ prefix = \"u16be\" }", Record::Prefix(Prefix::U16Be)),
        ("{ count_at = 0, fixed = 64 }", Record::CountAt { at: 0, first: 4, fixed: 64 }),
        ("{ count_at = 4, header = 96, fixed = 64 }", Record::CountAt { at: 4, first: 96, fixed: 64 }),
    ];
    for (form, record) in forms {
        let rule =
            format!("[[dataset.file]]\nmatch = \"*.DAT\"\nkind = \"queue\"\nrecord = {form}\nlock = \"fcntl\"\n");
        let store = least_and(&rule);
        let rule = store.datasets[0].rule(b"x/A.DAT").unwrap();
        assert_eq!((rule.kind, rule.lock), (Some(FileKind::Queue(record)), Some(Lock::Fcntl)), "{form}");
    }
    let store = least_and("[[dataset.file]]\nmatch = \"*.DAT\"\nlock = \"flock\"\n");
    assert_eq!(store.datasets[0].rule(b"A.DAT").unwrap().kind, None);
}

#[test]
fn a_database_by_its_own_means() {
    let store = least_and(
        "[[dataset]]\nname = \"books\"\nkind = \"dump\"\ndump = [\"dump\", \"{data:books}\"]\nrestore = [\"load\"]\n\
         [[dataset]]\nname = \"images\"\nmain = \"/srv/images\"\n",
    );
    let [_, books, images] = &store.datasets[..] else { panic!("{:?}", store.datasets) };
    assert!(matches!(&books.content, Content::Dump(dump) if dump.every == seconds(600)));
    assert_eq!((books.main.to_str(), books.backup.to_str()), (Some("DUMP-books"), Some("RUNDIR-books")));
    assert_eq!(images.backup.to_str(), Some("RUNDIR-images"));
    let store = least_and(
        "[[dataset]]\nname = \"books\"\nkind = \"dump\"\npreset = \"postgresql\"\ndatabase = \"shop\"\nuser = \"pg\"\n",
    );
    let Content::Dump(dump) = &store.datasets[1].content else { panic!("{:?}", store.datasets) };
    assert_eq!(words(&dump.dump)[6..], ["--", "pg_dump", "--format=custom", "shop"]);
    assert_eq!(words(&dump.dump)[..6], ["setpriv", "--init-groups", "--reuid", "pg", "--regid", "pg"]);
    assert_eq!(words(&dump.restore).last(), Some(&"shop"));
    assert_eq!(words(dump.drill_end.as_ref().unwrap()).last(), Some(&"shop_drill"));
}

#[test]
fn a_counter_in_all_its_forms() {
    let store = least_and(
        r#"[[dataset]]
name = "books"
main = "/srv/books"
[[counter]]
name = "a"
read = { file = "ORDER.QUE", field = 2 }
[[counter]]
name = "b"
read = { file = "{data:books}/sub/POS-R", sql = "SELECT max(n) FROM r" }
on_start = { series = "B" }
write = { file = "{data:books}/sub/POS-R", sql = "UPDATE s SET n = '{value}'" }
[[counter]]
name = "c"
read = { file = "{data}/POS-Q.Seq", pattern = '^(\d+)' }
on_start = "ask"
write = { file = "POS-Q.Seq", format = "{value}\n" }
"#,
    );
    let [a, b, c] = &store.counters[..] else { panic!("{:?}", store.counters) };
    assert_eq!((&a.read.by, &a.on_start, &a.write), (&ReadBy::Field(2), &OnStart::Ask, &None));
    assert_eq!((b.read.file.to_string().as_str(), &b.on_start), ("books/sub/POS-R", &OnStart::Series("B".into())));
    assert!(matches!(&b.write, Some(CounterWrite::Sql { .. })));
    assert_eq!(c.read.file.to_string(), "pos/POS-Q.Seq");
    assert!(matches!(&c.write, Some(CounterWrite::Format { format, .. }) if format == "{value}\n"));
}

#[test]
fn one_machine_may_have_another_server() {
    let store = least_and(
        r#"[server]
command = ["/opt/pos/server"]
ready = { tcp = "127.0.0.1:9000", timeout = "30s" }
health = { send = "PING\n", expect = "PONG" }
stop = { signal = "INT" }
[server.backup]
unit = "pos.service"
with = ["lmp.service"]
ready = { tcp = "127.0.0.1:9100", timeout = "90s" }
[terminals]
"#,
    );
    let servers = store.servers.unwrap();
    assert!(matches!(&servers.main.start, Start::Command(_)) && servers.main.with.is_empty());
    assert!(matches!(&servers.backup.start, Start::Unit(unit) if unit.as_str() == "pos.service"));
    let talks_at = |probe: &Option<Probe>| match probe {
        Some(Probe::Talk { address, send, expect }) => format!("{address} {send:?} {expect:?}"),
        other => panic!("{other:?}"),
    };
    assert_eq!(talks_at(&servers.main.health.probe), "127.0.0.1:9000 \"PING\\n\" \"PONG\"");
    assert_eq!(talks_at(&servers.backup.health.probe), "127.0.0.1:9100 \"PING\\n\" \"PONG\"");
    assert_eq!(store.terminals.unwrap().hold, seconds(20 + 90));
}

#[test]
fn the_rest_in_its_other_forms() {
    let key = format!("k4.public.{}", "A".repeat(43));
    let store = least_and(&format!(
        r#"[mirror]
max_rate = "11.5MB"
[terminals]
[promote]
mode = "auto"
[return]
mode = "auto"
[licence]
vendor_key = "{key}"
[alarm]
sound = ["aplay", "{{data}}/bell.wav"]
[hooks]
event = ["/opt/hook"]
limit = "5s"
[server]
unit = "pos.service"
ready = {{ http = "http://127.0.0.1:9000/up" }}
health = {{ command = ["/opt/ask"], timeout = "1s" }}
version = ["/opt/pos/server", "--version"]
"#
    ));
    assert_eq!(store.mirror.max_rate, Some(11_500_000));
    assert_eq!((store.promote.mode, store.returning.mode), (Mode::Auto, Mode::Auto));
    assert_eq!(store.licence.vendor_key.unwrap().as_str(), key);
    assert!(matches!(&store.alarm.sound, Sound::Command(command) if command.program() == "aplay"));
    assert_eq!((store.hooks.event.unwrap().program(), store.hooks.limit), ("/opt/hook", seconds(5)));
    let server = store.servers.unwrap().main;
    assert!(
        matches!(server.ready.probe, Some(Probe::Http(_))) && matches!(server.health.probe, Some(Probe::Command(_)))
    );
    assert_eq!((server.ready.timeout, server.health.timeout), (seconds(60), seconds(1)));
}

#[test]
fn a_mark_at_the_beginning_and_two_letters_at_the_end_of_a_line() {
    let text = format!("\u{feff}{}", LEAST.replace('\n', "\r\n"));
    assert_eq!(Store::from_bytes(text.as_bytes()), Store::parse(LEAST));
}
