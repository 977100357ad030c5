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
}

impl Stillness {
    /// With these two hooks. What a killed service of `home` left standing still goes on.
    pub(super) fn new(
        home: &Path,
        (quiesce, resume): (Command, Option<Command>),
        run: impl Fn(&Command, &str) -> bool + Send + Sync + 'static,
    ) -> Arc<Self> {
        let (mark, run) = (mark(home), Box::new(run));
        let stands = mark.exists();
        let stillness = Arc::new(Self { quiesce, resume, run, mark, is_owed: AtomicBool::new(false) });
        if stands {
            stillness.go_on_at_last(Duration::ZERO);
        }
        stillness
    }

    /// As the capture uses it.
    pub(super) fn quiet(self: Arc<Self>) -> Quiet {
        let end = Arc::clone(&self);
        Quiet::new(
            move || self.begin(),
            move || {
                if !end.goes_on() {
                    end.go_on_at_last(AGAIN);
                }
            },
        )
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
        if let Some(resume) = &self.resume
            && !(self.run)(resume, "resume")
        {
            tracing::error!("the shop's program was not asked to go on: its hook is run again");
            if let Err(error) = save(&self.mark, OWED) {
                tracing::warn!(%error, "that the shop's program stands still could not be noted");
            }
            return false;
        }
        if let Err(error) = ground::remove(&self.mark) {
            tracing::warn!(%error, "that the shop's program goes on could not be noted");
        }
        true
    }

    /// Has it go on, however often that must be tried.
    fn go_on_at_last(self: &Arc<Self>, mut wait: Duration) {
        if self.is_owed.swap(true, Ordering::AcqRel) {
            return;
        }
        // For as long as this machine serves: the mark stays for the next time.
        let this = Arc::downgrade(self);
        let tries = move || {
            loop {
                std::thread::sleep(wait);
                wait = AGAIN;
                let Some(this) = this.upgrade() else { return };
                if this.goes_on() {
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
