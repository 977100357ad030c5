//! Files and programs of this machine that follow the server.

use std::fs;
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use tokio::sync::mpsc;

use super::news::Server;
use super::speech::{NUMBER, Receipt};
use crate::config::command::Command;
use crate::config::hooks::HOOK_LIMIT;
use crate::config::terminal::{LastReceipt, Settings, Terminal};
use crate::server::beside::{Beside, Wanted};

/// Between two tries of what does not end well.
const AGAIN: Duration = Duration::from_secs(5);
/// Between the end of the till program and its next start.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two looks at the last receipt.
const LOOK: Duration = Duration::from_secs(2);
/// A year: the till program runs for as long as it likes.
const LONG: Duration = Duration::from_secs(365 * 24 * 3600);
/// Bytes of a file that are read for the last receipt: those at its end.
const TAIL: u64 = 64 * 1024;

/// What runs beside the agent.
#[derive(Debug, Default)]
pub struct Outside {
    change: Option<Beside>,
    till: Option<Beside>,
    receipt: Option<Beside>,
}

/// The file in `home` that programs may look into: the address of whoever serves, and what it is called.
#[must_use]
pub fn server_path(home: &Path) -> PathBuf {
    home.join("server.txt")
}

impl Outside {
    /// Starts what runs all the time: the till program, and the look at its last receipt.
    /// Receipts go to `receipts`.
    pub fn begin(&mut self, set: &Terminal, receipts: Option<mpsc::UnboundedSender<Receipt>>) {
        if self.till.is_none() {
            self.till = set.run.clone().and_then(|run| begin("till", move |wanted| keep_running(wanted, &run)));
        }
        let last = set.last_receipt.clone().zip(receipts);
        self.receipt = last.and_then(|(last, tell)| begin("receipt", move |wanted| look(wanted, &last, &tell)));
    }

    /// Another machine serves, or the same one elsewhere: what follows it is told. `done` hears when all of it has been.
    /// Where programs know of it already (`is_told`), only files are looked after.
    pub fn change(
        &mut self,
        home: &Path,
        set: &Terminal,
        (server, is_told): (Server, bool),
        done: mpsc::UnboundedSender<Server>,
    ) {
        // What is not done for the last one need not be any more. Nobody here waits for its end.
        let before = self.change.take();
        let hook = set.on_change.clone().filter(|_| !is_told);
        let (home, settings) = (home.to_owned(), set.settings.clone());
        self.change = begin("on_change", move |wanted| {
            drop(before);
            loop {
                match tell(wanted, &home, &settings, hook.as_ref(), &server) {
                    Ok(true) => break,
                    Ok(false) => tracing::warn!("what is set to be run on a change of server did not end well in time"),
                    Err((path, error)) => tracing::warn!(%error, path, "a change of server is not told everywhere"),
                }
                if !wanted.after(AGAIN) {
                    return;
                }
            }
            let _ = done.send(server);
        });
        if set.run_again_on_change
            && !is_told
            && let Some(run) = set.run.clone()
        {
            let before = self.till.take();
            self.till = begin("till", move |wanted| {
                drop(before);
                keep_running(wanted, &run);
            });
        }
    }
}

fn begin(name: &'static str, run: impl FnOnce(&Wanted) + Send + 'static) -> Option<Beside> {
    Beside::begin(name, run).inspect_err(|error| tracing::warn!(%error, name, "it could not be begun")).ok()
}

fn process(command: &Command) -> Process {
    let mut process = Process::new(command.program());
    process.args(&command.words()[1..]);
    process
}

fn keep_running(wanted: &Wanted, run: &Command) {
    loop {
        if let Err(error) = wanted.run(&mut process(run), Stdio::null(), LONG) {
            tracing::warn!(%error, program = run.program(), "the till program cannot be started");
        }
        if !wanted.after(PAUSE) {
            return;
        }
    }
}

/// Writes the files, then runs the hook. Whether that ended with 0 in time.
fn tell(
    wanted: &Wanted,
    home: &Path,
    settings: &[Settings],
    hook: Option<&Command>,
    server: &Server,
) -> Result<bool, (String, io::Error)> {
    let at = |path: &Path| {
        let path = path.display().to_string();
        move |error| (path, error)
    };
    for Settings { template, file } in settings {
        let text = fs::read_to_string(template).map_err(at(template))?;
        replace(file, filled(&text, server).as_bytes()).map_err(at(file))?;
    }
    let path = server_path(home);
    replace(&path, format!("{}\n{}\n", server.address, server.name).as_bytes()).map_err(at(&path))?;
    let Some(hook) = hook else { return Ok(true) };
    let mut process = process(hook);
    process.env("ESPEJO_STORE", &server.store).env("ESPEJO_SERVER", &server.name);
    process.env("ESPEJO_ADDRESS", &server.address).env("ESPEJO_EPOCH", server.epoch.to_string());
    wanted.run(&mut process, Stdio::null(), HOOK_LIMIT).map_err(|error| (hook.program().to_owned(), error))
}

/// Writes a file anew, wholly or not at all, with the rights that it had, or so that all may read it; where it is the same already
/// it is left alone.
fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let before = fs::metadata(file).ok();
    if before.is_some() && fs::read(file)? == bytes {
        return Ok(());
    }
    let folder = file.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    beside.write_all(bytes)?;
    let rights = before.map_or_else(|| fs::Permissions::from_mode(0o644), |before| before.permissions());
    beside.as_file().set_permissions(rights)?;
    beside.as_file().sync_all()?;
    beside.persist(file)?;
    fs::File::open(folder)?.sync_all()
}

fn filled(text: &str, server: &Server) -> String {
    let epoch = server.epoch.to_string();
    let holes = [("{address}", &server.address), ("{name}", &server.name), ("{epoch}", &epoch)];
    holes.iter().fold(text.to_owned(), |text, (hole, value)| text.replace(hole, value))
}

/// Looks again and again at the last number that the till has seen confirmed.
fn look(wanted: &Wanted, last: &LastReceipt, tell: &mpsc::UnboundedSender<Receipt>) {
    let mut known = None;
    loop {
        match read(wanted, last) {
            Ok(number) if number.is_some() && number != known => {
                known.clone_from(&number);
                let at_ms = crate::os::ground::now().as_millisecond();
                let number = number.unwrap_or_default().chars().take(NUMBER).collect();
                if tell.send(Receipt { number, at_ms }).is_err() {
                    return;
                }
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "the last receipt cannot be read"),
        }
        if !wanted.after(LOOK) {
            return;
        }
    }
}

fn read(wanted: &Wanted, last: &LastReceipt) -> io::Result<Option<String>> {
    match last {
        LastReceipt::Command(command) => {
            let mut said = tempfile::tempfile()?;
            let is_well = wanted.say(&mut process(command), said.try_clone()?, HOOK_LIMIT)?;
            said.rewind()?;
            let mut bytes = vec![];
            said.take(TAIL).read_to_end(&mut bytes)?;
            let text = String::from_utf8_lossy(&bytes).trim().to_owned();
            Ok(Some(text).filter(|text| is_well && !text.is_empty()))
        }
        LastReceipt::File { file, pattern } => {
            let bytes = tail(file)?;
            let found = pattern.regex().captures_iter(&bytes).last();
            let group = found.and_then(|found| found.get(1).map(|group| group.as_bytes().to_vec()));
            Ok(group.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        }
    }
}

fn tail(file: &Path) -> io::Result<Vec<u8>> {
    use std::io::SeekFrom;
    let mut file = fs::File::open(file)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = vec![];
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_for_all_to_read_and_keep_the_rights_that_they_had() {
        let folder = tempfile::tempdir().unwrap();
        let [template, file] = ["pos.ini.espejo", "pos.ini"].map(|name| folder.path().join(name));
        fs::write(&template, "server={address}\nname={name} {epoch} {other}\n").unwrap();
        let server =
            |epoch| Server { epoch, address: "10.0.0.2".into(), name: "CAJA-3".into(), store: "Centro".into() };
        let settings = [Settings { template, file: file.clone() }];
        let begun = |epoch| {
            let (done, heard) = std::sync::mpsc::channel();
            let (settings, home) = (settings.clone(), folder.path().to_owned());
            let _beside = Beside::begin("test", move |wanted| {
                let told = tell(wanted, &home, &settings, None, &server(epoch))
                    .map_err(|(path, error)| format!("{path}: {error}"));
                done.send(told).unwrap();
            });
            heard.recv().unwrap()
        };
        assert_eq!(begun(2), Ok(true));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(fs::read_to_string(&file).unwrap(), "server=10.0.0.2\nname=CAJA-3 2 {other}\n");
        assert_eq!(fs::read_to_string(server_path(folder.path())).unwrap(), "10.0.0.2\nCAJA-3\n");
        assert_eq!((mode(&file), mode(&server_path(folder.path()))), (0o644, 0o644));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!((begun(3), mode(&file)), (Ok(true), 0o600));
        fs::remove_file(&settings[0].template).unwrap();
        assert!(begun(4).unwrap_err().contains("pos.ini.espejo"));
    }

    #[test]
    fn the_last_receipt_is_the_last_that_stands_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        let text =
            format!("[terminal]\nlast_receipt = {{ file = \"{}\", pattern = \"receipt (\\\\d+)\" }}\n", file.display());
        let set = |text: &str| Terminal::from_bytes(text.as_bytes()).unwrap().last_receipt.unwrap();
        let said = |last: LastReceipt| {
            let (done, heard) = std::sync::mpsc::channel();
            let _beside = Beside::begin("test", move |wanted| done.send(read(wanted, &last).ok()).unwrap());
            heard.recv().unwrap()
        };
        assert_eq!(said(set(&text)), None, "it is not there yet");
        fs::write(&file, "nothing yet\n").unwrap();
        assert_eq!(said(set(&text)), Some(None));
        fs::write(&file, format!("{}receipt 55\nreceipt 56\n", "x".repeat(100_000))).unwrap();
        assert_eq!(said(set(&text)), Some(Some("56".to_owned())));
        let printed = |words: &str| said(set(&format!("[terminal]\nlast_receipt = {{ command = {words} }}\n")));
        assert_eq!(printed("[\"echo\", \" 57 \"]"), Some(Some("57".to_owned())));
        assert_eq!(printed("[\"sh\", \"-c\", \"echo 58; exit 1\"]"), Some(None), "it does not end well");
    }
}
