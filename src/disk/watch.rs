//! Hears from the system that files change. A hint only: what it misses, the rescan finds.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Config, ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::replica::RelPath;

/// What a watch says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moved {
    /// Something under this name may have changed.
    Path(RelPath),
    /// Anything may have changed: the system lost count.
    Everything,
    /// The system's limit of watches is reached: some folders are not watched.
    Limited,
}

/// Watches a folder and all below it, until it is dropped.
#[derive(Debug)]
pub struct Watch {
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches `folder`; `hear` is called on a thread of the watch's own. [`Moved::Limited`] is said by `hear`, too; any other
    /// failure to begin is returned.
    pub fn start(folder: &Path, hear: impl Fn(Moved) + Send + 'static) -> notify::Result<Self> {
        let base: PathBuf = folder.to_owned();
        let (limited, told) = std::sync::mpsc::channel();
        let mut watcher = RecommendedWatcher::new(
            move |event: notify::Result<notify::Event>| {
                // The limit may be met while the watch begins, before there is anyone to return it to.
                for () in told.try_iter() {
                    hear(Moved::Limited);
                }
                match event {
                    Ok(event) if event.need_rescan() => hear(Moved::Everything),
                    Ok(event) if is_change(event.kind) => {
                        event
                            .paths
                            .iter()
                            .filter_map(|path| relative(&base, path))
                            .for_each(|path| hear(Moved::Path(path)));
                    }
                    Ok(_) => {}
                    Err(error) if matches!(error.kind, ErrorKind::MaxFilesWatch) => hear(Moved::Limited),
                    Err(_) => hear(Moved::Everything),
                }
            },
            Config::default().with_follow_symlinks(false),
        )?;
        match watcher.watch(folder, RecursiveMode::Recursive) {
            Err(error) if matches!(error.kind, ErrorKind::MaxFilesWatch) => {
                // Nobody listens any more only when the watcher is gone.
                let _ = limited.send(());
                Ok(Self { _watcher: watcher })
            }
            started => started.map(|()| Self { _watcher: watcher }),
        }
    }
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
