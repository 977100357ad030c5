//! The shop's program stands still for a capture, by hooks of its own, and is asked to go on until it does: by this service, or, where it
//! was killed in between, by the next one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::config::command::Command;
use crate::disk::capture::quiet::Quiet;
use crate::os::ground;
use crate::service::home::save;
use crate::service::status::Trouble;

/// What stands in the mark once it was asked to go on, and has not.
const OWED: &[u8] = b"resume failed\n";

/// Between two tries to have it go on.
const AGAIN: Duration = Duration::from_secs(1);

/// How long one dataset waits for another one.
const WAIT: Duration = Duration::from_secs(5);

/// Runs one of the two hooks, of the name of an event. Returns whether it did what it should.
type Run = Box<dyn Fn(&Command, &str) -> bool + Send + Sync>;

fn mark(home: &Path) -> PathBuf {
    home.join("stands-still")
}

/// The shop's program was asked to go on, and has not: people should know before they see it.
pub(super) fn trouble(home: &Path) -> Option<Trouble> {
    std::fs::read(mark(home)).is_ok_and(|bytes| bytes == OWED).then_some(Trouble::StandsStill)
}

/// What has it stand still, and go on.
pub(super) struct Stillness {
    quiesce: Command,
    resume: Option<Command>,
    run: Run,
    /// There while it may stand still.
    mark: PathBuf,
    /// It was asked to go on, has not, and is asked again.
    is_owed: AtomicBool,
    /// It stands still for one of the datasets.
    is_taken: AtomicBool,
    limit: Duration,
}

impl Stillness {
    /// With these two hooks, which end within `limit`. What a killed service of `home` left standing still goes on.
    pub(super) fn new(
        home: &Path,
        (quiesce, resume): (Command, Option<Command>),
        limit: Duration,
        run: impl Fn(&Command, &str) -> bool + Send + Sync + 'static,
    ) -> Arc<Self> {
        let (mark, run) = (mark(home), Box::new(run));
        let began = std::fs::metadata(&mark).and_then(|meta| meta.modified()).ok();
        let (is_owed, is_taken) = (AtomicBool::new(false), AtomicBool::new(false));
        let stillness = Arc::new(Self { quiesce, resume, run, mark, is_owed, is_taken, limit });
        if let Some(began) = began {
            // The hook that was to have it stand still may outlive the service, and end after it was asked to go on.
            let ends = limit.saturating_sub(began.elapsed().unwrap_or_default()) + AGAIN;
            stillness.go_on_at_last(Duration::ZERO, ends);
        }
        stillness
    }

    /// As the capture of one dataset uses it. What stands still for another one is not asked again, nor to go on.
    pub(super) fn quiet(self: &Arc<Self>) -> Quiet {
        let (begin, end) = (Arc::clone(self), Arc::clone(self));
        let asked = Arc::new(AtomicBool::new(false));
        let is_own = Arc::clone(&asked);
        Quiet::new(
            move || {
                let is_free = begin.takes();
                asked.store(is_free, Ordering::Release);
                is_free && begin.begin()
            },
            move || {
                if !is_own.swap(false, Ordering::AcqRel) {
                    return;
                }
                if !end.goes_on() {
                    end.go_on_at_last(AGAIN, Duration::ZERO);
                }
                end.is_taken.store(false, Ordering::Release);
            },
        )
    }

    /// Waits a while until it stands still for no other dataset. Returns whether it does for none.
    fn takes(&self) -> bool {
        let end = std::time::Instant::now() + self.limit.min(WAIT);
        while self.is_taken.swap(true, Ordering::AcqRel) {
            if std::time::Instant::now() >= end {
                return false;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        true
    }

    fn begin(&self) -> bool {
        if self.is_owed.load(Ordering::Acquire) {
            return false;
        }
        if let Err(error) = save(&self.mark, b"") {
            tracing::warn!(%error, "nothing is asked to stand still where nobody could know that it does");
            return false;
        }
        (self.run)(&self.quiesce, "quiesce")
    }

    /// Has it go on. Returns whether it does.
    fn goes_on(&self) -> bool {
        let resumed = self.resumes();
        if resumed && let Err(error) = ground::remove(&self.mark) {
            tracing::warn!(%error, "that the shop's program goes on could not be noted");
        }
        resumed
    }

    fn resumes(&self) -> bool {
        if let Some(resume) = &self.resume
            && !(self.run)(resume, "resume")
        {
            tracing::error!("the shop's program was not asked to go on: its hook is run again");
            if let Err(error) = save(&self.mark, OWED) {
                tracing::warn!(%error, "that the shop's program stands still could not be noted");
            }
            return false;
        }
        true
    }

    /// Has it go on, however often that must be tried; and once more behind what may have it stand still until `ends`.
    fn go_on_at_last(self: &Arc<Self>, mut wait: Duration, ends: Duration) {
        if self.is_owed.swap(true, Ordering::AcqRel) {
            return;
        }
        // For as long as this machine serves: the mark stays for the next time.
        let this = Arc::downgrade(self);
        let tries = move || {
            let end = std::time::Instant::now() + ends;
            loop {
                std::thread::sleep(wait);
                wait = AGAIN;
                let Some(this) = this.upgrade() else { return };
                let left = end.saturating_duration_since(std::time::Instant::now());
                if !left.is_zero() {
                    wait = if this.resumes() { left } else { AGAIN };
                } else if this.goes_on() {
                    return this.is_owed.store(false, Ordering::Release);
                }
            }
        };
        if let Err(error) = std::thread::Builder::new().name("resume".to_owned()).spawn(tries) {
            tracing::error!(%error, "the shop's program could not be asked to go on");
            self.is_owed.store(false, Ordering::Release);
        }
    }
}
