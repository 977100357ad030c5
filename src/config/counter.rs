//! The counters: numbers that must never be given twice.

use regex::bytes::{Regex, RegexBuilder};

use super::command::{Command, Piece, dataset_named, pieces, takes_value};
use super::dataset::Dataset;
use super::fault::{FaultKind, Wanted};
use super::file::{DataFile, FileKind, Record, path_inside};
use super::reading::{Item, Seen, Table};

/// A number that must never be given twice: of a receipt, of a folio.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counter {
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub read: CounterRead,
    /// What happens to it when the backup starts.
    pub on_start: OnStart,
    /// How it is given another value; `None` only where a person is asked.
    pub write: Option<CounterWrite>,
}

/// Where a counter stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CounterRead {
    /// The file.
    pub file: DataFile,
    /// Where in it.
    pub by: ReadBy,
}

/// Where in a file a counter stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadBy {
    /// The first group of the first match.
    Pattern(Pattern),
    /// What a statement answers.
    Sql(String),
    /// This field of a queue's last record, from 1.
    Field(u32),
}

/// A regular expression with a group, on bytes.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

/// What happens to a counter when the backup starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OnStart {
    /// It jumps by so many, at least 1.
    Gap(u64),
    /// It goes on in another series.
    Series(String),
    /// A person is asked.
    Ask,
}

/// How a counter is given another value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CounterWrite {
    /// By a program, with `{value}` in its words.
    Command(Command),
    /// By writing the file anew, with `{value}` in this text.
    Format {
        /// The file.
        file: DataFile,
        /// What stands in it then.
        format: String,
    },
    /// By a statement, with `{value}` in it.
    Sql {
        /// The database.
        file: DataFile,
        /// The statement.
        sql: String,
    },
}

impl Pattern {
    /// The expression; its first group is the number.
    #[must_use]
    pub fn regex(&self) -> &Regex {
        &self.0
    }

    pub(super) fn read(item: &Item<'_>) -> Option<Self> {
        match RegexBuilder::new(item.text()?).unicode(false).build() {
            Ok(regex) if regex.captures_len() < 2 => item.wrong(FaultKind::NoGroup),
            Ok(regex) => Some(Self(regex)),
            // The last line says what it is; those above draw the place.
            Err(error) => {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                item.wrong(FaultKind::NoPattern(why))
            }
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

impl Counter {
    fn read(table: &Table<'_>, datasets: &[Dataset], seen: &mut Seen) -> Option<Self> {
        let name = table.need("name").and_then(|item| {
            let name = item.name()?;
            seen.note(&item, &name.to_lowercase());
            Some(name)
        });
        let read = table.need("read").and_then(|item| CounterRead::read(&item.table()?, datasets));
        let start = table.get("on_start");
        let on_start = start.as_ref().map_or(Some(OnStart::Ask), OnStart::read);
        let write = table.get("write");
        if let (Some(start), Some(OnStart::Gap(_) | OnStart::Series(_)), None) = (&start, &on_start, &write) {
            start.fault(FaultKind::Needs("write"));
        }
        let write = write.map(|item| CounterWrite::read(&item.table()?, datasets));
        Some(Self {
            name: name?,
            read: read?,
            on_start: on_start?,
            write: write.map_or(Some(None), |write| write.map(Some))?,
        })
    }
}

impl CounterRead {
    fn read(table: &Table<'_>, datasets: &[Dataset]) -> Option<Self> {
        let by = table.only(&["pattern", "sql", "field"]);
        let kind = match by {
            Some(("sql", _)) => Some(FileKind::Sqlite),
            Some(("field", _)) => Some(FileKind::Queue(Record::Line)),
            _ => None,
        };
        let file = table.need("file").and_then(|item| data_file(&item, datasets, kind));
        if let (Some(("field", _)), Some(file)) = (&by, &file) {
            file.needs_lines(table, datasets);
        }
        let by = match by? {
            ("pattern", item) => ReadBy::Pattern(Pattern::read(&item)?),
            ("sql", item) => ReadBy::Sql(item.lines()?),
            (_, item) => ReadBy::Field(item.small_number(1..=10_000)?),
        };
        Some(Self { file: file?, by })
    }
}

impl DataFile {
    /// Notes when it is said to be a queue of other records than lines: those have no fields.
    fn needs_lines(&self, table: &Table<'_>, datasets: &[Dataset]) {
        let rule =
            datasets.iter().find(|dataset| dataset.name == self.dataset).and_then(|one| one.rule(self.path.as_bytes()));
        let is_other = |kind| matches!(kind, FileKind::Queue(record) if record != Record::Line);
        if rule.and_then(|rule| rule.kind).is_some_and(is_other)
            && let Some(item) = table.get("file")
        {
            item.fault(FaultKind::WrongKind { found: "queue", wanted: "queue of lines" });
        }
    }
}

impl OnStart {
    fn read(item: &Item<'_>) -> Option<Self> {
        if !item.is_table() {
            return match item.text_or(Wanted::OnStart)? {
                "ask" => Some(Self::Ask),
                _ => item.other_than(Wanted::OnStart),
            };
        }
        match item.table()?.only(&["gap", "series"])? {
            ("gap", item) => item.number(1..=1_000_000_000).map(Self::Gap),
            (_, item) => item.name().map(Self::Series),
        }
    }
}

impl CounterWrite {
    fn read(table: &Table<'_>, datasets: &[Dataset]) -> Option<Self> {
        if let Some(item) = table.get("command") {
            for other in table.present(&["file", "format", "sql"]) {
                other.fault(FaultKind::NotBeside("command"));
            }
            let command = Command::read(&item)?;
            return if command.takes_value() { Some(Self::Command(command)) } else { item.wrong(FaultKind::NoValue) };
        }
        let Some(file) = table.get("file") else {
            table.present(&["format", "sql"]);
            table.fault(FaultKind::NoneOf(&["command", "file"]));
            return None;
        };
        let by = table.only(&["format", "sql"]);
        // What is written anew as a whole must be no database and no queue.
        let kind = by.as_ref().map(|(key, _)| if *key == "sql" { FileKind::Sqlite } else { FileKind::Files });
        let file = data_file(&file, datasets, kind);
        let (key, item) = by?;
        let text = item.text()?.to_owned();
        if !takes_value(&text) {
            return item.wrong(FaultKind::NoValue);
        }
        let file = file?;
        Some(if key == "sql" { Self::Sql { file, sql: text } } else { Self::Format { file, format: text } })
    }
}

/// A file of the first dataset, or of the one that `{data:NAME}/` before it names.
fn data_file(item: &Item<'_>, datasets: &[Dataset], kind: Option<FileKind>) -> Option<DataFile> {
    let text = item.name()?;
    let (name, path) = match pieces(&text)[..] {
        [Piece::Data, Piece::Text(rest)] => (None, rest.strip_prefix('/').unwrap_or(rest)),
        [Piece::DataOf(name), Piece::Text(rest)] => (Some(name), rest.strip_prefix('/').unwrap_or(rest)),
        _ => (None, text.as_str()),
    };
    if name.is_some_and(|name| !dataset_named(item, name)) {
        return None;
    }
    let name = name.or_else(|| item.reading.datasets.first().map(String::as_str));
    let dataset = name.and_then(|name| datasets.iter().find(|dataset| dataset.name == name));
    let path = path_inside(item, path, dataset.and_then(|dataset| dataset.main.to_str()))?;
    let dataset = dataset?;
    dataset.check(item, &path, kind);
    Some(DataFile { dataset: dataset.name.clone(), path })
}

/// Reads all counters of a store.
pub(super) fn read(root: &Table<'_>, datasets: &[Dataset]) -> Vec<Counter> {
    let mut seen = Seen::default();
    root.tables("counter").iter().filter_map(|table| Counter::read(table, datasets, &mut seen)).collect()
}
