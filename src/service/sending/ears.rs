//! What the watch says and nobody has listened to yet.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::disk::capture::candidates::Dirty;
use crate::disk::watch::{Moved, Watch};
use crate::os::ground::{is_simulated, pause};
use crate::replica::RelPath;

/// What the watch says and nobody has listened to yet. It says no more than so much: beyond that, anything may have changed.
pub(super) struct Ears {
    heard: mpsc::Receiver<Moved>,
    lost: Arc<AtomicBool>,
    /// Nothing is heard any more when it is dropped.
    watch: Option<Watch>,
    gaps: Arc<Gaps>,
}

/// What the watch cannot tell of: known at once, also where nobody listens.
#[derive(Default)]
struct Gaps {
    /// Some folders are not watched.
    limited: AtomicBool,
    /// Some may not be, since what was said of them was lost.
    lost: AtomicBool,
}

/// Names that may wait to be listened to.
const HEARD: usize = 10_000;

impl Ears {
    /// Ears that hear nothing.
    pub(super) fn deaf() -> Self {
        Self { heard: mpsc::channel(1).1, lost: Arc::default(), watch: None, gaps: Arc::default() }
    }

    /// Ears that hear what changes in `folder`; deaf ones, where the system does not tell. `own` is a folder of the
    /// program's own, of which nothing is heard.
    pub(super) fn open(folder: &Path, own: &Path) -> Self {
        if is_simulated() {
            return Self::deaf();
        }
        let (mut ears, hear) = Self::pair();
        // A watch that says nothing of a file of our own says nothing of others either.
        ears.watch = Watch::start(folder, own, hear).and_then(|mut watch| watch.catch_up().map(|()| watch)).ok();
        ears
    }

    fn pair() -> (Self, impl Fn(Moved) + Send + 'static) {
        let (tell, heard) = mpsc::channel(HEARD);
        let lost: Arc<AtomicBool> = Arc::default();
        let (full, gaps) = (Arc::clone(&lost), Arc::<Gaps>::default());
        let found = Arc::clone(&gaps);
        let hear = move |moved| {
            match &moved {
                Moved::Limited => found.limited.store(true, Ordering::Release),
                Moved::Lost => found.lost.store(true, Ordering::Release),
                Moved::Path(_) | Moved::Everything => {}
            }
            if tell.try_send(moved).is_err() {
                full.store(true, Ordering::Release);
            }
        };
        (Self { heard, lost, watch: None, gaps }, hear)
    }

    /// Whether anything can be heard.
    pub(super) fn hear(&self) -> bool {
        self.watch.is_some()
    }

    /// Listens to `path`, too, if it is a folder: it could not be listed, and can now. Returns whether anything may have
    /// changed in it unheard.
    pub(super) fn also(&mut self, path: &RelPath) -> bool {
        self.watch.as_mut().is_some_and(|watch| watch.also(path).unwrap_or(true))
    }

    /// Waits until all that has changed has been said. Returns whether that is known.
    pub(super) fn catch_up(&mut self) -> bool {
        self.watch.as_mut().is_some_and(|watch| watch.catch_up().is_ok()) && !self.is_limited()
    }

    /// Waits for what is said next; none when nobody speaks any more.
    pub(super) async fn listen(&mut self) -> Option<Moved> {
        self.heard.recv().await
    }

    /// The next that was said, if anything was.
    pub(super) fn next(&mut self) -> Option<Moved> {
        self.heard.try_recv().ok().or_else(|| self.lost.swap(false, Ordering::AcqRel).then_some(Moved::Everything))
    }

    /// Whether some folders are not watched.
    pub(super) fn is_limited(&self) -> bool {
        self.gaps.limited.load(Ordering::Acquire)
    }

    /// Whether what was said of folders that came was lost, since this was asked last.
    pub(super) fn has_lost(&mut self) -> bool {
        self.gaps.lost.swap(false, Ordering::AcqRel)
    }

    /// Waits for `gap`, then returns all that has changed until then; none where only a look at everything tells.
    pub(super) fn wait(&mut self, gap: Duration) -> Option<Dirty> {
        pause(gap);
        let mut dirty = Dirty::default();
        if self.watch.as_mut()?.catch_up().is_err() {
            dirty.everything = true;
        }
        while let Some(moved) = self.next() {
            match moved {
                Moved::Path(path) => {
                    dirty.paths.insert(path);
                }
                Moved::Everything | Moved::Limited | Moved::Lost => dirty.everything = true,
            }
        }
        (!self.is_limited()).then_some(dirty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_can_wait_means_that_anything_may_have_changed() {
        let (mut ears, hear) = Ears::pair();
        for number in 0..=HEARD {
            hear(Moved::Path(RelPath::new(number.to_string().as_bytes()).unwrap()));
        }
        let said: Vec<Moved> = std::iter::from_fn(|| ears.next()).collect();
        assert_eq!((said.len(), said.last()), (HEARD + 1, Some(&Moved::Everything)));
    }

    #[test]
    fn what_was_said_while_something_else_was_waited_for_is_not_forgotten() {
        let (mut ears, hear) = Ears::pair();
        // Also where so much was said that nothing more can wait.
        for number in 0..=HEARD {
            hear(Moved::Path(RelPath::new(number.to_string().as_bytes()).unwrap()));
        }
        hear(Moved::Lost);
        hear(Moved::Limited);
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        ears.watch = Watch::start(&folder.path().join("data"), folder.path(), |_| {}).ok();
        assert_eq!(ears.wait(Duration::ZERO), None);
        assert!(ears.is_limited());
        assert!(ears.has_lost() && !ears.has_lost());
    }

    #[test]
    fn where_some_folders_are_not_watched_only_a_look_tells() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("data")).unwrap();
        std::fs::create_dir(at("home")).unwrap();
        let mut ears = Ears::open(&at("data"), &at("home"));
        std::fs::write(at("data/file"), b"x").unwrap();
        assert!(ears.wait(Duration::ZERO).is_some_and(|dirty| dirty.paths.len() == 1 && !dirty.everything));
        ears.gaps.limited.store(true, Ordering::Release);
        assert_eq!(ears.wait(Duration::ZERO), None);
        assert_eq!(Ears::deaf().wait(Duration::ZERO), None);
    }
}
