//! The whole of a `terminal.toml`: what is set on one POS terminal, beside what the store says.

use std::path::PathBuf;

use super::command::Command;
use super::counter::Pattern;
use super::fault::{Fault, FaultKind};
use super::reading::{Item, Reading, Seen, Table};
use super::whole;
use toml::de::DeTable;

/// What is set on a terminal.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Terminal {
    /// What people call it.
    pub name: Option<String>,
    /// Ports at which it listens instead of those of the store: that of the store, and its own.
    pub ports: Vec<(u16, u16)>,
    /// Run when another machine serves, and again until it ends with 0.
    pub on_change: Option<Command>,
    /// Files of settings that are written anew when another machine serves.
    pub settings: Vec<Settings>,
    /// Where the last number stands that the till has seen confirmed.
    pub last_receipt: Option<LastReceipt>,
    /// The till program: started, and started again when it ends.
    pub run: Option<Command>,
    /// It is started again, too, when another machine serves.
    pub run_again_on_change: bool,
    /// Says a line to the people at the till; the line is its last argument.
    pub tell: Option<Command>,
}

/// A file of settings with the server's address in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The text, with `{address}`, `{name}` and `{epoch}` where they go.
    pub template: PathBuf,
    /// The file that is written.
    pub file: PathBuf,
}

/// Where the last number stands that the till has seen confirmed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LastReceipt {
    /// What a program prints.
    Command(Command),
    /// The first group of the last match in a file.
    File {
        /// The file.
        file: PathBuf,
        /// The pattern.
        pattern: Pattern,
    },
}

impl Terminal {
    /// Reads the bytes of a `terminal.toml`, as it is on disk. All faults are listed, in the order of the lines.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Vec<Fault>> {
        whole::whole(whole::text(bytes)?, |reading, map| Some(Self::read(reading, map)))
    }

    fn read<'r>(reading: &'r Reading<'r>, map: &'r DeTable<'r>) -> Self {
        let root = reading.root(map);
        let table = root.section("terminal");
        let command = |key| table.get(key).and_then(|item| Command::read(&item));
        let again = table.get("run_again").and_then(|item| item.one_of(&[("exit", false), ("change", true)]));
        if let (Some(item), None) = (table.get("run_again"), table.get("run")) {
            item.fault(FaultKind::Needs("run"));
        }
        Self {
            name: table.get("name").and_then(|item| item.name()),
            ports: ports(&table),
            on_change: command("on_change"),
            settings: table.tables("settings").iter().filter_map(Settings::read).collect(),
            last_receipt: table.get("last_receipt").and_then(|item| LastReceipt::read(&item.table()?)),
            run: command("run"),
            run_again_on_change: again.unwrap_or(false),
            tell: command("tell"),
        }
    }
}

fn ports(table: &Table<'_>) -> Vec<(u16, u16)> {
    let (mut server, mut here) = (Seen::default(), Seen::default());
    let port = |table: &Table<'_>, key, seen: &mut Seen| {
        let item = table.need(key)?;
        let port = item.port()?;
        seen.note(&item, &port.to_string());
        Some(port)
    };
    let tables = table.tables("port");
    let both = tables.iter().map(|table| (port(table, "server", &mut server), port(table, "here", &mut here)));
    both.filter_map(|(server, here)| Some((server?, here?))).collect()
}

/// A path from the root: nobody knows from which folder another one would count.
fn path(item: &Item<'_>) -> Option<PathBuf> {
    let path = PathBuf::from(item.name()?);
    if path.is_absolute() { Some(path) } else { item.wrong(FaultKind::NoFolder(super::fault::FolderFault::Relative)) }
}

impl Settings {
    fn read(table: &Table<'_>) -> Option<Self> {
        let (template, file) = (table.need("template"), table.need("file"));
        let (template, file) = (template.and_then(|item| path(&item)), file.and_then(|item| path(&item)));
        Some(Self { template: template?, file: file? })
    }
}

impl LastReceipt {
    fn read(table: &Table<'_>) -> Option<Self> {
        let (key, item) = table.only(&["command", "file"])?;
        if key == "command" {
            return Command::read(&item).map(Self::Command);
        }
        let pattern = table.need("pattern").and_then(|item| Pattern::read(&item));
        Some(Self::File { file: path(&item)?, pattern: pattern? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
[terminal]
name = "CAJA-1"
on_change = ["/opt/pos/reconnect"]
last_receipt = { file = "/var/pos/last", pattern = "receipt (\\d+)" }
run = ["/opt/pos/till"]
run_again = "change"
tell = ["notify-send", "Espejo"]
[[terminal.port]]
server = 9000
here = 19000
[[terminal.settings]]
template = "/opt/pos/pos.ini.espejo"
file = "/opt/pos/pos.ini"
"#;

    #[test]
    fn all_that_can_be_set_is_read_and_nothing_need_be() {
        let read = Terminal::from_bytes(WHOLE.as_bytes()).unwrap();
        assert_eq!(
            (read.name.as_deref(), read.ports, read.run_again_on_change),
            (Some("CAJA-1"), vec![(9000, 19000)], true)
        );
        assert!(read.on_change.is_some() && read.run.is_some() && read.tell.is_some());
        assert_eq!(read.settings[0].file, PathBuf::from("/opt/pos/pos.ini"));
        assert!(matches!(read.last_receipt, Some(LastReceipt::File { .. })));
        let least = Terminal::from_bytes(b"").unwrap();
        assert_eq!((least.name, least.ports.len(), least.settings.len()), (None, 0, 0));
    }

    #[test]
    fn everything_wrong_is_told_at_once_with_its_line() {
        let wrong = "[terminal]\nname = \"\"\nrun_again = \"exit\"\nlast_receipt = { file = \"last\" }\ntel = []\n\
            [[terminal.port]]\nserver = 0\n[[terminal.settings]]\ntemplate = \"a\"\nfile = \"/b\"\n";
        let faults = Terminal::from_bytes(wrong.as_bytes()).unwrap_err();
        let told: Vec<_> = faults.iter().map(|fault| (fault.line, fault.key.as_str())).collect();
        assert_eq!(
            told,
            [
                (2, "terminal.name"),
                (3, "terminal.run_again"),
                (4, "terminal.last_receipt.pattern"),
                (4, "terminal.last_receipt.file"),
                (5, "terminal.tel"),
                (6, "terminal.port.here"),
                (7, "terminal.port.server"),
                (9, "terminal.settings.template"),
            ],
            "{faults:?}"
        );
        assert!(Terminal::from_bytes(b"[terminal]\n\xff").is_err());
    }
}
