//! What the watch says and nobody has listened to yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::disk::capture::candidates::Dirty;
use crate::disk::watch::Moved;

/// What the watch says and nobody has listened to yet. It says no more than so much: beyond that, anything may have changed.
pub(super) struct Ears {
    heard: mpsc::Receiver<Moved>,
    lost: Arc<AtomicBool>,
}

/// Names that may wait to be listened to.
const HEARD: usize = 10_000;

impl Default for Ears {
    /// Ears that hear nothing.
    fn default() -> Self {
        Self { heard: mpsc::channel(1).1, lost: Arc::default() }
    }
}

impl Ears {
    /// Opens ears, and what speaks into them.
    pub(super) fn open() -> (Self, impl Fn(Moved) + Send + 'static) {
        let (tell, heard) = mpsc::channel(HEARD);
        let lost: Arc<AtomicBool> = Arc::default();
        let full = Arc::clone(&lost);
        let hear = move |moved| {
            if tell.try_send(moved).is_err() {
                full.store(true, Ordering::Release);
            }
        };
        (Self { heard, lost }, hear)
    }

    /// Waits for what is said next; none when nobody speaks any more.
    pub(super) async fn listen(&mut self) -> Option<Moved> {
        self.heard.recv().await
    }

    /// The next that was said, if anything was.
    pub(super) fn next(&mut self) -> Option<Moved> {
        let said = self.heard.try_recv().ok();
        said.or_else(|| self.lost.swap(false, Ordering::AcqRel).then_some(Moved::Everything))
    }
}

/// Waits for `gap`, then returns what the watch said until then.
pub(super) fn wait(moved: &mut Ears, gap: Duration) -> Dirty {
    if !gap.is_zero() {
        std::thread::sleep(gap);
    }
    let mut dirty = Dirty::default();
    while let Some(moved) = moved.next() {
        match moved {
            Moved::Path(path) => {
                dirty.paths.insert(path);
            }
            Moved::Everything | Moved::Limited => dirty.everything = true,
        }
    }
    dirty
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replica::RelPath;

    #[test]
    fn more_than_can_wait_means_that_anything_may_have_changed() {
        let (mut ears, hear) = Ears::open();
        for number in 0..=HEARD {
            hear(Moved::Path(RelPath::new(number.to_string().as_bytes()).unwrap()));
        }
        let dirty = wait(&mut ears, Duration::ZERO);
        assert!(dirty.everything && dirty.paths.len() == HEARD);
        assert_eq!(wait(&mut ears, Duration::ZERO), Dirty::default());
    }
}
