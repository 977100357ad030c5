//! The datasets: what is mirrored, where it lies on each machine, what is counted in it.

use std::path::{Component, Path, PathBuf};

use super::dump::{self, Dump};
use super::fault::{FaultKind, FolderFault, Wanted};
use super::file::{DataFile, FileKind, FileRule, Record, path_inside};
use super::glob::{Exclude, Glob};
use super::reading::{Item, Seen, Table};

/// Where the first dataset lies on the backup, below the home; the others have their name behind it.
pub const BACKUP_FOLDER: &str = "RUNDIR";
/// Where a dataset of dumps lies, below the home; its name follows.
pub const DUMP_FOLDER: &str = "DUMP";

/// One set of files that belong together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dataset {
    /// What it is called: no `/`, no brace, and unlike the others.
    pub name: String,
    /// Its folder on the main: absolute. For dumps without a folder of their own: below the home.
    pub main: PathBuf,
    /// Its folder on the backup: absolute, or below the home.
    pub backup: PathBuf,
    /// What is in it.
    pub content: Content,
    /// What is counted in it.
    pub counts: Vec<Count>,
}

/// What is in a dataset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// Files, mirrored as they change.
    Files {
        /// What is left out.
        exclude: Exclude,
        /// What is said of some of them, the first that matches counts.
        rules: Vec<FileRule>,
    },
    /// A database that is mirrored by its own means.
    Dump(Dump),
}

/// A `[[dataset.count]]`: a number that people know their shop by, "orders".
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Count {
    /// What is counted, as people say it.
    pub label: String,
    /// How.
    pub by: CountBy,
}

/// How something is counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CountBy {
    /// The records of a queue.
    Records(DataFile),
    /// What a statement answers.
    Sql {
        /// The database.
        file: DataFile,
        /// The statement.
        sql: String,
    },
}

impl Dataset {
    /// The pattern by which the file at `path` is left out, if one does.
    #[must_use]
    pub fn excludes(&self, path: &[u8]) -> Option<&Glob> {
        match &self.content {
            Content::Files { exclude, .. } => exclude.excludes(path),
            Content::Dump(_) => None,
        }
    }

    /// What is said of the file at `path`, if anything is.
    #[must_use]
    pub fn rule(&self, path: &[u8]) -> Option<&FileRule> {
        match &self.content {
            Content::Files { rules, .. } => rules.iter().find(|rule| rule.matches.is_match(path)),
            Content::Dump(_) => None,
        }
    }

    /// Notes when the file at `item` is left out, or said to be of another kind than `wanted`.
    pub(super) fn check(&self, item: &Item<'_>, path: &str, wanted: Option<FileKind>) {
        if matches!(self.content, Content::Dump(_)) {
            // Its file is as old as the last dump, and what is set in it changes no database.
            item.fault(FaultKind::NotBeside("kind = \"dump\""));
        }
        if let Some(glob) = self.excludes(path.as_bytes()) {
            item.fault(FaultKind::Excluded(glob.as_str().to_owned()));
        }
        let found = self.rule(path.as_bytes()).and_then(|rule| rule.kind).map(FileKind::word);
        if let (Some(found), Some(wanted)) = (found, wanted.map(FileKind::word))
            && found != wanted
        {
            item.fault(FaultKind::WrongKind { found, wanted });
        }
    }

    fn read(table: &Table<'_>, place: usize) -> Option<Self> {
        let name = table.need("name").and_then(|item| dataset_name(&item));
        let kind = table.get("kind");
        let is_dump = kind.as_ref().is_some_and(is_dump);
        let main_item = if is_dump { table.get("main") } else { table.need("main") };
        let main = main_item.as_ref().and_then(|item| folder(item, MayBeRelative::No));
        let backup_item = table.get("backup");
        let backup = backup_item.as_ref().map(|item| folder(item, MayBeRelative::Yes));
        let shown = main.as_deref().and_then(Path::to_str);
        let content = if is_dump { dump::read(table).map(Content::Dump) } else { files(table, shown, kind.is_some()) };
        let counts = table.tables("count");
        if is_dump {
            table.present(&["count"]).iter().for_each(|item| item.fault(FaultKind::NotBeside("kind = \"dump\"")));
        }
        let name = name?;
        let backup = backup.unwrap_or_else(|| {
            Some(if place == 0 { BACKUP_FOLDER.into() } else { format!("{BACKUP_FOLDER}-{name}").into() })
        });
        let main = if is_dump && main_item.is_none() { Some(format!("{DUMP_FOLDER}-{name}").into()) } else { main };
        let mut dataset = Self { name, main: main?, backup: backup?, content: content?, counts: vec![] };
        let mut seen = Seen::default();
        dataset.counts = counts.iter().filter_map(|table| Count::read(table, &dataset, &mut seen)).collect();
        Some(dataset)
    }
}

fn files(table: &Table<'_>, main: Option<&str>, kind_is_there: bool) -> Option<Content> {
    // Without the word every one of these means nothing; with a wrong one that is the fault.
    for item in table
        .present(&["dump", "restore", "every", "drill", "drill_end", "preset", "database", "user"])
        .iter()
        .filter(|_| !kind_is_there)
    {
        item.fault(FaultKind::Needs("kind = \"dump\""));
    }
    let exclude = table.get("exclude").map(|item| Exclude::read(&item, main));
    let (mut rules, mut seen) = (vec![], Seen::default());
    for table in table.tables("file") {
        if let Some((item, rule)) = FileRule::read(&table) {
            seen.note(&item, rule.matches.as_str());
            if let Some(Some(glob)) =
                exclude.as_ref().map(|all| all.as_ref()?.excludes(rule.matches.as_str().as_bytes()))
            {
                item.fault(FaultKind::Excluded(glob.as_str().to_owned()));
            }
            rules.push(rule);
        }
    }
    Some(Content::Files { exclude: exclude.unwrap_or_else(|| Some(Exclude::default()))?, rules })
}

impl Count {
    fn read(table: &Table<'_>, dataset: &Dataset, seen: &mut Seen) -> Option<Self> {
        let label = table.need("label").and_then(|item| {
            let label = item.name()?;
            seen.note(&item, &label.to_lowercase());
            Some(label)
        });
        let by = table.need("by")?.table()?;
        let file = |item: &Item<'_>, kind| {
            let path = path_inside(item, item.text()?, dataset.main.to_str())?;
            dataset.check(item, &path, Some(kind));
            Some(DataFile { dataset: dataset.name.clone(), path })
        };
        let by = match by.only(&["records", "file"])? {
            ("records", item) => {
                by.present(&["sql"]).iter().for_each(|item| item.fault(FaultKind::NotBeside("records")));
                CountBy::Records(file(&item, FileKind::Queue(Record::Line))?)
            }
            (_, item) => {
                let file = file(&item, FileKind::Sqlite);
                CountBy::Sql { sql: by.need("sql")?.lines()?, file: file? }
            }
        };
        Some(Self { label: label?, by })
    }
}

/// Whether `item` says that a dataset is one of dumps, the only kind that is said of a dataset.
fn is_dump(item: &Item<'_>) -> bool {
    match item.text() {
        Some("dump") => return true,
        Some("queue" | "sqlite" | "files") => item.fault(FaultKind::KindOfFiles),
        Some(other) => item.fault(FaultKind::NotOneOf { found: other.to_owned(), allowed: vec!["dump"] }),
        None => {}
    }
    false
}

/// The name of a dataset: it becomes a part of a path, and stands in braces.
fn dataset_name(item: &Item<'_>) -> Option<String> {
    let name = item.name()?;
    let is_good = name.trim() == name && !name.starts_with('.') && !name.contains(['/', '\\', '{', '}']);
    if is_good { Some(name) } else { item.wrong(FaultKind::NoDatasetName) }
}

/// Whether a folder may begin in the home instead of at the root.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MayBeRelative {
    Yes,
    No,
}

fn folder(item: &Item<'_>, relative: MayBeRelative) -> Option<PathBuf> {
    let path = PathBuf::from(item.name()?);
    let names = path.components().filter(|part| matches!(part, Component::Normal(_))).count();
    let fault = if path.components().any(|part| part == Component::ParentDir) {
        FolderFault::LeadsOut
    } else if path.is_relative() && relative == MayBeRelative::No {
        FolderFault::Relative
    } else if names == 0 && path.is_relative() {
        FolderFault::Home
    } else if names == 0 {
        FolderFault::WholeDisk
    } else {
        return Some(path);
    };
    item.wrong(FaultKind::NoFolder(fault))
}

/// Reads all datasets of a store: what is wrong with one, and what with them together.
pub(super) fn read(root: &Table<'_>) -> Vec<Dataset> {
    let Some(item) = root.need("dataset") else { return vec![] };
    let Some(items) = item.items(Wanted::Tables) else { return vec![] };
    if items.is_empty() {
        item.fault(FaultKind::Empty);
    }
    let tables: Vec<_> = items.iter().filter_map(Item::table).collect();
    let datasets: Vec<_> = tables.iter().enumerate().map(|(place, table)| Dataset::read(table, place)).collect();
    let mut names = Seen::default();
    for (at, table) in tables.iter().enumerate() {
        if let Some((item, name)) = table.get("name").and_then(|item| Some((item.clone(), item.text()?))) {
            names.note(&item, &name.to_lowercase());
        }
        let Some(dataset) = &datasets[at] else { continue };
        for earlier in datasets[..at].iter().flatten() {
            let sides = [("main", &dataset.main, &earlier.main), ("backup", &dataset.backup, &earlier.backup)];
            for (key, folder, other) in sides {
                if folder.starts_with(other) || other.starts_with(folder) {
                    let what = FaultKind::Overlaps(earlier.name.clone());
                    table.get(key).map_or_else(|| table.fault(what.clone()), |item| item.fault(what.clone()));
                }
            }
        }
    }
    datasets.into_iter().flatten().collect()
}
