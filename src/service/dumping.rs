//! A database that is mirrored by its own means: its dump is written into a folder, which is mirrored as any other, and read back by
//! the machine that begins to serve.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::reading_back;
use crate::config::command::Command;
use crate::disk::apply::journal_folder;
use crate::disk::ask::{Ask, By};
use crate::os::ground;
use crate::os::{Room, SPARE, room_at};
use crate::pair::Epoch;
use crate::replica::RelPath;
use crate::server::{ask, filled};

/// How long a dump may take at the least before it is given up; beyond that, three times what lies between two.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// So soon one that failed is tried again at the earliest.
const AGAIN: Duration = Duration::from_secs(10);

/// Room that is left as a part of the disk, and at the most.
const PART: u64 = 200;
const MOST: u64 = 1 << 30;

/// Bytes of what a program complained about that are told.
const TOLD: u64 = 400;

/// A dataset that is dumped.
#[derive(Clone, Debug)]
pub struct Dumped {
    /// Its name.
    pub name: String,
    /// Where its dump lies on this machine.
    pub folder: PathBuf,
    /// What is filled into the commands.
    pub folders: Vec<(String, PathBuf)>,
    /// Writes the dump.
    pub dump: Command,
    /// Reads it.
    pub restore: Command,
    /// How often it is written.
    pub every: Duration,
}

/// How the dumps of a dataset go.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dumps {
    /// How many were tried.
    pub tried: u64,
    /// How long the last one took that went well.
    pub took: Duration,
    /// Why the last one failed, if it did.
    pub failed: Option<String>,
}

/// Dumps a database again and again, until it is dropped.
#[derive(Debug)]
pub struct Dumper {
    /// Of which dataset.
    pub name: String,
    now: mpsc::UnboundedSender<Last>,
    gone: Arc<AtomicBool>,
    stands: watch::Receiver<Dumps>,
    task: JoinHandle<()>,
}

/// Nothing is written to the database any more: it is dumped once more, and not again.
#[derive(Clone, Copy, Debug)]
struct Last;

/// Questions about dumps have names that no number has.
const MARK: char = '@';

/// Where the dump of a dataset lies.
#[must_use]
pub fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.dump"))
}

/// What the mirror is asked: when the dump of a dataset was begun, which is the time of its file.
#[must_use]
pub fn begun(name: &str) -> Option<Ask> {
    let file = RelPath::new(file(Path::new(""), name).as_os_str().as_bytes()).ok()?;
    Some(Ask { name: format!("{MARK}{name}"), file, by: By::Changed })
}

/// The dataset that an answer is about, where that is one that is dumped.
#[must_use]
pub fn asked(answer: &str) -> Option<&str> {
    answer.strip_prefix(MARK)
}

impl Dumper {
    /// Begins with the first dump at once.
    #[must_use]
    pub fn begin(dumped: Dumped) -> Self {
        let ((now, mut asked), (tell, stands)) = (mpsc::unbounded_channel(), watch::channel(Dumps::default()));
        let (name, gone) = (dumped.name.clone(), Arc::new(AtomicBool::new(false)));
        let wanted = Arc::clone(&gone);
        let task = ground::spawn(async move {
            let mut is_last = false;
            loop {
                let (began, this, gone) = (Instant::now(), dumped.clone(), Arc::clone(&wanted));
                let failed = match ground::aside(move || this.write(&gone)).await {
                    Ok(Ok(())) => None,
                    Ok(Err(why)) => Some(why),
                    Err(error) => Some(error.to_string()),
                };
                if let Some(why) = &failed {
                    tracing::warn!(dataset = dumped.name, why, "a database could not be dumped");
                }
                // Soon, but never so that the database has to do with little else.
                let soon = AGAIN.max(began.elapsed() * 3);
                let pause = if failed.is_some() { dumped.every.min(soon) } else { dumped.every };
                tell.send_modify(|stands| {
                    stands.tried += 1;
                    if failed.is_none() {
                        stands.took = began.elapsed();
                    }
                    stands.failed = failed;
                });
                if is_last {
                    return;
                }
                // Whatever goes on may have begun before that was asked for.
                tokio::select! {
                    asked = asked.recv() => is_last = asked.is_some(),
                    () = tokio::time::sleep(pause) => {}
                }
            }
        });
        Self { name, now, gone, stands, task }
    }

    /// How it goes.
    #[must_use]
    pub fn stands(&self) -> Dumps {
        self.stands.borrow().clone()
    }

    /// Has it dumped once more, with all that there is now, and not again after that.
    pub fn end(&self) {
        let _ = self.now.send(Last);
    }

    /// Whether that is done.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.task.is_finished()
    }
}

impl Drop for Dumper {
    fn drop(&mut self) {
        // What is being written just now is not put into its place any more.
        self.gone.store(true, Ordering::Release);
        self.task.abort();
    }
}

impl Dumped {
    /// Writes the dump beside the last one, and puts it in its place when it is whole.
    pub fn write(&self, gone: &AtomicBool) -> Result<(), String> {
        // Not in the folder: half a dump is not to be mirrored.
        let beside = self.folder.parent().unwrap_or(&self.folder);
        self.dump_into(&self.folder, beside, is_too_little, gone)
    }

    /// Sets aside what the database holds that is to be overwritten: this machine was its server in epoch `served`, and lost that place
    /// without giving it. Returns where it is; none where that was done before.
    pub fn set_aside(&self, served: Epoch, gone: &AtomicBool) -> Result<Option<PathBuf>, String> {
        if !reading_back::end_left(&self.reading(), || gone.load(Ordering::Acquire)) {
            return Err("it was ended".to_owned());
        }
        let rescue = journal_folder(&self.folder).join("rescue");
        let folder = rescue.join(format!("epoch-{served}-dump"));
        if file(&folder, &self.name).exists() {
            return Ok(None);
        }
        // Once, and the shop waits for it.
        self.dump_into(&folder, &rescue, |room| room.free < SPARE, gone)?;
        File::open(&rescue).and_then(|rescue| rescue.sync_all()).map_err(said)?;
        Ok(Some(folder))
    }

    /// Writes a dump into a folder, when it is whole; until then it is `beside`, as long as there is not too little room.
    fn dump_into(
        &self,
        folder: &Path,
        beside: &Path,
        is_too_little: fn(Room) -> bool,
        gone: &AtomicBool,
    ) -> Result<(), String> {
        let began = std::time::SystemTime::now();
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut part = tempfile::Builder::new().prefix(&part_of(&self.name)).tempfile_in(beside).map_err(said)?;
        let into = part.as_file().try_clone().map_err(said)?;
        let end = Instant::now() + LIMIT.max(self.every * 3);
        let room = File::open(beside).map_err(said)?;
        let mut is_full = room_at(&room).is_ok_and(is_too_little);
        if is_full {
            return Err(no_room(beside));
        }
        let is_over = || {
            is_full = is_full || room_at(&room).is_ok_and(is_too_little);
            is_full || gone.load(Ordering::Acquire) || Instant::now() >= end
        };
        let ran = run(filled(&self.folders, &self.dump).stdin(Stdio::null()).stdout(into), is_over);
        if is_full {
            return Err(no_room(beside));
        }
        ran?;
        if part.as_file_mut().seek(SeekFrom::End(0)).map_err(said)? == 0 {
            return Err("the dump is empty".to_owned());
        }
        part.as_file().set_modified(began).and_then(|()| part.as_file().sync_all()).map_err(said)?;
        if gone.load(Ordering::Acquire) {
            return Err("it was ended".to_owned());
        }
        part.persist(file(folder, &self.name)).map_err(|error| error.to_string())?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(said)
    }

    /// Removes what was to become a dump when the service before this one was killed.
    pub fn sweep(&self) {
        let rescue = journal_folder(&self.folder).join("rescue");
        for beside in self.folder.parent().into_iter().chain([rescue.as_path()]) {
            for entry in fs::read_dir(beside).into_iter().flatten().filter_map(Result::ok) {
                if entry.file_name().as_bytes().starts_with(part_of(&self.name).as_bytes()) {
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
    }

    /// Reads the dump back, as long as this machine is not `gone` from its place.
    pub fn read_back(&self, gone: &AtomicBool) -> Result<(), String> {
        let path = file(&self.folder, &self.name);
        let dump = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut command = filled(&self.folders, &self.restore);
        let command = command.stdin(dump).stdout(Stdio::null());
        reading_back::run(command, &self.reading(), || gone.load(Ordering::Acquire))
    }

    /// Where what reads it back is on record.
    fn reading(&self) -> PathBuf {
        journal_folder(&self.folder).join("reading-back")
    }
}

/// What the name of a dump begins with that is not whole.
fn part_of(name: &str) -> String {
    format!(".{name}.dump-")
}

fn no_room(beside: &Path) -> String {
    format!("{}: there is too little room for it", beside.display())
}

/// Whether the disk is so full that nothing that large is to be written: the shop's program needs it, too.
fn is_too_little(room: Room) -> bool {
    room.free < SPARE.max(room.all / PART).min(MOST)
}

/// Runs a program to its end, or until `is_over`; what it complained about last, where it does not end with 0.
pub fn run(command: &mut std::process::Command, is_over: impl FnMut() -> bool) -> Result<(), String> {
    run_known(command, |_| {}, is_over)
}

/// The same of one whose number is told as soon as it has begun.
pub(super) fn run_known(
    command: &mut std::process::Command,
    begun: impl FnOnce(i32),
    is_over: impl FnMut() -> bool,
) -> Result<(), String> {
    let mut complaints = tempfile::tempfile().map_err(said)?;
    command.stderr(complaints.try_clone().map_err(said)?);
    if ask::run_all(command, begun, is_over).map_err(said)? {
        return Ok(());
    }
    let length = complaints.seek(SeekFrom::End(0)).map_err(said)?;
    complaints.seek(SeekFrom::Start(length.saturating_sub(TOLD))).map_err(said)?;
    let mut bytes = vec![];
    complaints.read_to_end(&mut bytes).map_err(said)?;
    let text = String::from_utf8_lossy(&bytes);
    Err(text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it did not end with 0").trim().to_owned())
}

#[allow(clippy::needless_pass_by_value)]
fn said(error: io::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::dataset::Content;
    use crate::config::store::Store;

    fn dumped(folder: &Path, dump: &str, restore: &str) -> Dumped {
        let text = format!(
            "store = \"Centro\"\n[main]\naddress = \"10.0.0.1:7410\"\n[backup]\naddress = \"10.0.0.2:7410\"\n[[dataset]]\n\
             name = \"books\"\nkind = \"dump\"\ndump = [\"sh\", \"-c\", \"{dump}\"]\nrestore = [\"sh\", \"-c\", \"{restore}\"]\n"
        );
        let store = Store::parse(&text).unwrap();
        let Content::Dump(set) = store.datasets[0].content.clone() else { panic!("a dump") };
        let (name, every) = ("books".to_owned(), Duration::from_secs(1));
        Dumped { name, folder: folder.join("DUMP"), folders: vec![], dump: set.dump, restore: set.restore, every }
    }

    #[test]
    fn a_dump_is_in_its_place_when_it_is_whole_and_the_last_one_stays_where_it_fails() {
        let place = tempfile::tempdir().unwrap();
        let put = place.path().join("put");
        let good = dumped(place.path(), "echo one", &format!("cat > {}", put.display()));
        let gone = AtomicBool::new(false);
        good.write(&gone).unwrap();
        good.read_back(&gone).unwrap();
        assert_eq!(fs::read_to_string(&put).unwrap(), "one\n");
        assert!(begun("books").unwrap().answer(&good.folder, place.path()).unwrap() > 0);
        let bad = dumped(place.path(), "echo half; echo no such table >&2; exit 3", "echo refused >&2; exit 1");
        assert_eq!(bad.write(&gone), Err("no such table".to_owned()));
        assert_eq!(dumped(place.path(), "true", "true").write(&gone), Err("the dump is empty".to_owned()));
        assert_eq!(bad.read_back(&gone), Err("refused".to_owned()));
        assert_eq!(fs::read_to_string(file(&bad.folder, "books")).unwrap(), "one\n");
        gone.store(true, Ordering::Release);
        assert!(dumped(place.path(), "echo two", "true").write(&gone).is_err(), "it serves no more");
        assert_eq!(fs::read_to_string(file(&bad.folder, "books")).unwrap(), "one\n");
        let names = fs::read_dir(place.path()).unwrap().count();
        assert_eq!(names, 2, "nothing is left of what failed");
    }

    #[test]
    fn what_a_killed_service_was_writing_goes_and_the_disk_is_not_filled() {
        let place = tempfile::tempdir().unwrap();
        let (one, gone) = (dumped(place.path(), "echo one", "true"), AtomicBool::new(false));
        one.write(&gone).unwrap();
        let rescue = journal_folder(&one.folder).join("rescue");
        fs::create_dir_all(&rescue).unwrap();
        for beside in [place.path(), &rescue] {
            fs::write(beside.join(".books.dump-x7"), "half").unwrap();
            fs::write(beside.join(".bookshop.dump-x7"), "of another").unwrap();
        }
        one.sweep();
        for beside in [place.path(), &rescue] {
            assert_eq!([".books.dump-x7", ".bookshop.dump-x7"].map(|name| beside.join(name).exists()), [false, true]);
        }
        assert!(file(&one.folder, "books").exists());
        let room = |free, all| Room { free, all };
        assert!(is_too_little(room(SPARE - 1, SPARE * 4)) && !is_too_little(room(SPARE, SPARE * 4)));
        assert!(is_too_little(room(SPARE * 9, SPARE * PART * 10)), "of a large disk more is left");
    }

    #[test]
    fn what_reads_a_dump_back_ends_when_this_machine_serves_no_more() {
        let place = tempfile::tempdir().unwrap();
        let begun = place.path().join("begun");
        // It waits for somebody who never writes.
        let restore = format!("mkfifo {0}; cat {0}", begun.display());
        let dumped = dumped(place.path(), "echo one", &restore);
        let gone = AtomicBool::new(false);
        dumped.write(&gone).unwrap();
        std::thread::scope(|scope| {
            let reading = scope.spawn(|| dumped.read_back(&gone));
            while !begun.exists() {
                std::thread::yield_now();
            }
            gone.store(true, Ordering::Release);
            assert!(reading.join().unwrap().is_err());
        });
    }
}
