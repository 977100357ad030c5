//! Hears from the system that files change. A hint only: what it misses, the rescan finds.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind, RenameMode};
use notify::{Config, ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};
use twox_hash::XxHash3_64;

use super::root::on_disk;
use crate::replica::RelPath;

/// What a watch says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moved {
    /// Something under this name may have changed.
    Path(RelPath),
    /// Anything may have changed.
    Everything,
    /// So it may, and folders may have come of which the watch knows nothing: it must begin anew.
    Lost,
    /// The system's limit of watches is reached: some folders are not watched.
    Limited,
}

/// Watches a folder and all below it, until it is dropped.
///
/// What the system has to say arrives a while after it happened. [`Watch::catch_up`] waits until it has: it renames a
/// file of its own, and what the system tells in order has all been told when that is.
#[derive(Debug)]
pub struct Watch {
    watcher: RecommendedWatcher,
    folder: PathBuf,
    marks: PathBuf,
    mark: u64,
    heard: mpsc::Receiver<u64>,
    /// Where folders came.
    came: mpsc::Receiver<PathBuf>,
    /// By that it is said with the next event that the limit is met.
    limited: mpsc::Sender<()>,
}

/// How long is waited for what the system has to say, at the most.
const LATEST: Duration = Duration::from_secs(2);

/// So many folders that came may wait to be looked at.
const CAME: usize = 1000;

impl Watch {
    /// Watches `folder`; `hear` is called on a thread of the watch's own. [`Moved::Limited`] is said by `hear`, too; any other
    /// failure to begin is returned. In `own`, a folder of
    /// the program's own, the watch has a folder for itself; what changes there is no news where `own`
    /// lies in `folder`.
    pub fn start(folder: &Path, own: &Path, hear: impl Fn(Moved) + Send + 'static) -> notify::Result<Self> {
        let own = fs::canonicalize(own).map_err(notify::Error::io)?;
        // One for each folder: another dataset's watch has marks of its own.
        let marks = own.join("watch").join(format!("{:016x}", XxHash3_64::oneshot(folder.as_os_str().as_bytes())));
        // What a watch left that was stopped dead.
        let _ = fs::remove_dir_all(&marks);
        fs::create_dir_all(&marks).map_err(notify::Error::io)?;
        let (base, inside) = (folder.to_owned(), marks.clone());
        let passed = own.starts_with(folder).then_some(own);
        let (limited, told) = mpsc::channel();
        let (tell, heard) = mpsc::channel();
        let (comes, came) = mpsc::sync_channel(CAME);
        let mut watcher = RecommendedWatcher::new(
            move |event: notify::Result<notify::Event>| {
                // The limit may be met while the watch begins, before there is anyone to return it to.
                for () in told.try_iter() {
                    hear(Moved::Limited);
                }
                match event {
                    Ok(event) if event.need_rescan() => hear(Moved::Lost),
                    Ok(event) if is_change(event.kind) => {
                        for path in &event.paths {
                            if let Ok(mark) = path.strip_prefix(&inside) {
                                let number = mark.to_str().and_then(|name| name.parse().ok());
                                // Nobody listens any more only when the watch is gone.
                                let _ = number.map(|number: u64| tell.send(number));
                            } else if !passed.as_ref().is_some_and(|own| path.starts_with(own))
                                && let Some(name) = relative(&base, path)
                            {
                                // Where so many came that none can wait, all is watched anew.
                                if brings_folder(event.kind, path) && comes.try_send(path.clone()).is_err() {
                                    hear(Moved::Lost);
                                }
                                hear(Moved::Path(name));
                            }
                        }
                    }
                    Ok(_) => {}
                    Err(error) if matches!(error.kind, ErrorKind::MaxFilesWatch) => hear(Moved::Limited),
                    Err(_) => hear(Moved::Everything),
                }
            },
            Config::default().with_follow_symlinks(false),
        )?;
        watcher.watch(&marks, RecursiveMode::NonRecursive)?;
        match watch_open(&mut watcher, folder) {
            Err(error) if matches!(error.kind, ErrorKind::MaxFilesWatch) => {
                let _ = limited.send(());
            }
            started => started?,
        }
        File::create(marks.join("0")).map_err(notify::Error::io)?;
        Ok(Self { watcher, folder: folder.to_owned(), marks, mark: 0, heard, came, limited })
    }

    /// Watches `path` and all below it, too, if it is a folder: it was closed when the watch came by. Returns whether it is one.
    pub fn also(&mut self, path: &RelPath) -> notify::Result<bool> {
        let path = on_disk(&self.folder, path);
        if !is_folder(&path) {
            return Ok(false);
        }
        watch_open(&mut self.watcher, &path).map(|()| true)
    }

    /// Returns when all that happened before has been heard, and what came to be is watched, too. An error when that cannot be
    /// known: anything may have changed then.
    pub fn catch_up(&mut self) -> notify::Result<()> {
        let name = |mark: u64| self.marks.join(mark.to_string());
        self.mark += 1;
        // A rename needs no room on a full disk.
        fs::rename(name(self.mark - 1), name(self.mark))
            .or_else(|_| File::create(name(self.mark)).map(|_| ()))
            .map_err(notify::Error::io)?;
        let end = Instant::now() + LATEST;
        let next = || self.heard.recv_timeout(end.saturating_duration_since(Instant::now()));
        while next().map_err(|late| notify::Error::generic(&late.to_string()))? < self.mark {}
        // Folders that came are watched by itself once what was heard is worked off: the answer to any question comes after that.
        self.watcher.configure(Config::default())?;
        self.watch_came()
    }

    /// Watches all of the folders that came: by itself the watch goes no further than to the first in them that is closed to us, or
    /// gone again.
    fn watch_came(&mut self) -> notify::Result<()> {
        let came: BTreeSet<PathBuf> = self.came.try_iter().collect();
        let mut last: Option<PathBuf> = None;
        // The names below a folder follow upon it.
        for folder in came {
            let is_below = last.as_ref().is_some_and(|last| folder.starts_with(last));
            if is_below || !is_folder(&folder) {
                continue;
            }
            match watch_open(&mut self.watcher, &folder) {
                Err(error) if matches!(error.kind, ErrorKind::MaxFilesWatch) => {
                    let _ = self.limited.send(());
                }
                // It went away meanwhile.
                Err(error) if matches!(error.kind, ErrorKind::PathNotFound) => {}
                watched => watched?,
            }
            last = Some(folder);
        }
        Ok(())
    }
}

/// Watches `folder` and all below it that is neither closed to us nor gone again: one folder that is would else end it.
fn watch_open(watcher: &mut RecommendedWatcher, folder: &Path) -> notify::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        match watcher.watch(&next, RecursiveMode::Recursive) {
            Err(error) if is_closed(&error) || is_gone(&error) => {
                // This one, or one below it.
                let Ok(below) = fs::read_dir(&next) else {
                    if next == folder && is_gone(&error) {
                        return Err(error);
                    }
                    continue;
                };
                let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
                folders.extend(below.filter_map(Result::ok).filter(is_folder).map(|entry| entry.path()));
            }
            watched => watched?,
        }
    }
    Ok(())
}

fn is_closed(error: &notify::Error) -> bool {
    matches!(&error.kind, ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied)
}

fn is_gone(error: &notify::Error) -> bool {
    let is_missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    matches!(&error.kind, ErrorKind::PathNotFound) || matches!(&error.kind, ErrorKind::Io(error) if is_missing(error))
}

/// Whether a folder has come to `path` by an event; for all that is known here, it may be gone again.
fn brings_folder(kind: EventKind, path: &Path) -> bool {
    let is_renamed = kind == EventKind::Modify(ModifyKind::Name(RenameMode::To));
    kind == EventKind::Create(CreateKind::Folder) || is_renamed && is_folder(path)
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|stat| stat.is_dir())
}

/// Whether an event may mean a change; that somebody opened or read a file does not: we do so ourselves.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(how) => how == AccessKind::Close(AccessMode::Write),
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => true,
    }
}

fn relative(base: &Path, path: &Path) -> Option<RelPath> {
    RelPath::new(path.strip_prefix(base).ok()?.as_os_str().as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_it_has_caught_up_all_that_happened_was_heard() {
        let folder = tempfile::tempdir().unwrap();
        let (tell, heard) = mpsc::channel();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("data")).unwrap();
        fs::create_dir(at("home")).unwrap();
        let mut watch = Watch::start(&at("data"), &at("home"), move |moved| tell.send(moved).unwrap()).unwrap();
        for round in 0..200 {
            let names: BTreeSet<String> = (0..20).map(|number| format!("{round}-{number}")).collect();
            for name in &names {
                fs::write(at("data").join(name), b"x").unwrap();
            }
            watch.catch_up().unwrap();
            let told: BTreeSet<String> = heard
                .try_iter()
                .filter_map(|moved| match moved {
                    Moved::Path(path) => Some(path.shown().into_owned()),
                    Moved::Everything | Moved::Limited | Moved::Lost => None,
                })
                .collect();
            assert!(told.is_superset(&names), "{round}: {:?}", names.difference(&told));
        }
    }

    #[test]
    fn when_the_system_could_not_say_all_that_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let (tell, heard) = mpsc::channel();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("data")).unwrap();
        fs::create_dir(at("home")).unwrap();
        let most = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
        let busy = std::sync::Arc::new(std::sync::Mutex::new(()));
        let (listens, kept) = (std::sync::Arc::clone(&busy), busy.lock().unwrap());
        let hear = move |moved| {
            drop(listens.lock());
            let _ = tell.send(moved);
        };
        let _watch = Watch::start(&at("data"), &at("home"), hear).unwrap();
        for number in 0..most.trim().parse::<u32>().unwrap() {
            fs::write(at("data").join((number % 2).to_string()), b"x").unwrap();
        }
        fs::create_dir(at("data/came")).unwrap();
        drop(kept);
        let mut said = std::iter::from_fn(|| heard.recv_timeout(LATEST * 10).ok());
        assert!(said.any(|moved| moved == Moved::Lost));
    }

    #[test]
    fn when_it_has_caught_up_what_came_to_be_is_watched() {
        let folder = tempfile::tempdir().unwrap();
        let (tell, heard) = mpsc::channel();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("data")).unwrap();
        fs::create_dir(at("home")).unwrap();
        let mut watch = Watch::start(&at("data"), &at("home"), move |moved| tell.send(moved).unwrap()).unwrap();
        for round in 0..100 {
            let below = at(&format!("data/{round}/a/b"));
            fs::create_dir_all(&below).unwrap();
            watch.catch_up().unwrap();
            heard.try_iter().for_each(drop);
            fs::write(below.join("file"), b"x").unwrap();
            watch.catch_up().unwrap();
            let file = RelPath::new(format!("{round}/a/b/file").as_bytes()).unwrap();
            assert!(heard.try_iter().any(|moved| moved == Moved::Path(file.clone())), "round {round}");
        }
    }

    #[test]
    fn watches_of_two_folders_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a", "b", "home"] {
            fs::create_dir(at(name)).unwrap();
        }
        let mut watches = ["a", "b"].map(|name| Watch::start(&at(name), &at("home"), |_| {}).unwrap());
        for watch in &mut watches {
            watch.catch_up().unwrap();
        }
    }
}
