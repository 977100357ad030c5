//! A database that is mirrored by its own means: the commands that write its dump and read it back.

use std::time::Duration;

use super::command::Command;
use super::fault::FaultKind;
use super::reading::Table;

/// How often a database is dumped: 10 minutes.
pub const EVERY: Duration = Duration::from_secs(10 * 60);

/// How a database is dumped, and read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dump {
    /// Writes the dump to standard output, on the machine that serves.
    pub dump: Command,
    /// Reads it from standard input, on the machine that begins to serve. It may be run twice.
    pub restore: Command,
    /// Reads it from standard input for a drill, into another database; `None`: a drill does without.
    pub drill: Option<Command>,
    /// Removes that again.
    pub drill_end: Option<Command>,
    /// How often it is written.
    pub every: Duration,
}

/// The only preset.
const POSTGRESQL: &str = "postgresql";

pub(super) fn read(table: &Table<'_>) -> Option<Dump> {
    for item in table.present(&["exclude", "file"]) {
        item.fault(FaultKind::NotBeside("kind = \"dump\""));
    }
    let every = table.span("every", EVERY, Duration::from_secs(1)..=Duration::from_secs(7 * 86_400));
    let command = |key| table.get(key).and_then(|item| Command::read(&item));
    let Some(preset) = table.get("preset") else {
        for item in table.present(&["database", "user"]) {
            item.fault(FaultKind::Needs("preset"));
        }
        if let (Some(item), None) = (table.get("drill_end"), table.get("drill")) {
            item.fault(FaultKind::Needs("drill"));
        }
        let dump = table.need("dump").and_then(|item| Command::read(&item));
        let restore = table.need("restore").and_then(|item| Command::read(&item));
        let (drill, drill_end) = (command("drill"), command("drill_end"));
        return Some(Dump { dump: dump?, restore: restore?, drill, drill_end, every });
    };
    for item in table.present(&["dump", "restore", "drill", "drill_end"]) {
        item.fault(FaultKind::NotBeside("preset"));
    }
    preset.one_of(&[(POSTGRESQL, ())])?;
    let database = table.need("database").and_then(|item| item.name());
    let user = table.get("user").map(|item| item.name());
    Some(postgresql(&database?, user.map_or(Some(None), |user| user.map(Some))?.as_deref(), every))
}

/// As `PostgreSQL` does it itself: in its own format, and read back in one transaction, so that a half is nothing.
fn postgresql(database: &str, user: Option<&str>, every: Duration) -> Dump {
    // Its programs ask who runs them: the database's owner is let in without a password.
    let as_user = |words: &[&str]| {
        let user = user.map(|user| ["setpriv", "--init-groups", "--reuid", user, "--regid", user, "--"]);
        Command::of(user.iter().flatten().chain(words).copied())
    };
    let drill = format!("{database}_drill");
    // The names are words of their own: no shell reads them as anything else.
    let make =
        "dropdb --if-exists \"$0\" && createdb \"$0\" && exec pg_restore --no-owner --exit-on-error --dbname=\"$0\"";
    // Whoever still reads it back is ended, where PostgreSQL is of version 13 or later.
    let remove = "dropdb --if-exists --force \"$0\" || exec dropdb --if-exists \"$0\"";
    Dump {
        dump: as_user(&["pg_dump", "--format=custom", database]),
        restore: as_user(&[
            "pg_restore",
            "--clean",
            "--if-exists",
            "--exit-on-error",
            "--single-transaction",
            "--dbname",
            database,
        ]),
        drill: Some(as_user(&["sh", "-c", make, &drill])),
        drill_end: Some(as_user(&["sh", "-c", remove, &drill])),
        every,
    }
}
